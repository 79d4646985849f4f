// Returns, exchanges and repairs over the wire.

using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class ReturnTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        await Shop.OpenAsync(_server, units: 100);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_return_goes_from_request_to_close_and_moves_stock_order_and_refund()
    {
        var order = await Returning.DeliverAsync(_server);
        var request = Returning.Request(order, 1, 4);
        (request.ExternalReturnId, request.Reason) = ("RMA-1", "TOO_SMALL");
        var asked = await _server.Returns.RequestReturnAsync(request);
        Assert.Equal((ReturnState.Requested, order, "RMA-1", "TOO_SMALL", 4, "A"), (asked.State, asked.OrderId, asked.ExternalReturnId, asked.Reason, asked.Lines[0].Requested, asked.Lines[0].SkuId));

        var approved = await _server.Returns.ApproveReturnAsync(Returning.Approve(asked.ReturnId));
        var sent = await _server.Returns.SendReturnAsync(new SendReturnRequest { RequestId = Shop.NewId(), ReturnId = asked.ReturnId, Etag = approved.Etag, Carrier = "DPD", TrackingNumber = "T9" });
        Assert.Equal((ReturnState.InTransit, "DPD", "T9"), (sent.State, sent.Carrier, sent.TrackingNumber));
        var received = await _server.Returns.ReceiveReturnAsync(Returning.Receive(asked.ReturnId, (1, 2, Disposition.Restock), (1, 1, Disposition.Quarantine)));
        Assert.Equal((ReturnState.Received, 2, 1, 750L, "L1"), (received.State, received.Lines[0].Restocked, received.Lines[0].Quarantined, received.RefundMinor, received.LocationId));
        var open = await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order });
        Assert.Equal((OrderReturnState.Open, 3, 1, 750L), (open.ReturnState, open.Lines[0].Returned, open.Lines[0].ReturnOpen, open.ReturnRefundMinor));
        Assert.Equal([asked.ReturnId], open.ReturnIds);

        var closed = await _server.Returns.CloseReturnAsync(Returning.Close(asked.ReturnId));
        var after = await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order });
        Assert.Equal((ReturnState.Closed, OrderState.Delivered, OrderReturnState.PartlyReturned, 0), (closed.State, after.State, after.ReturnState, after.Lines[0].ReturnOpen));
        Assert.Equal((closed.Sequence, closed.Etag), (after.Sequence, after.Etag));
        var level = (await _server.Inventory.GetStockAsync(new GetStockRequest { SkuId = "A" })).Levels.Single(one => one.LocationId == "L1");
        Assert.Equal((98L, 1L, 97L), (level.OnHand, level.Unavailable, level.Sellable));
        Assert.Empty((await _server.Admin.VerifyInvariantsAsync(new VerifyInvariantsRequest())).Violations);

        var events = (await _server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order })).Events.Select(e => e.ReturnChanged).Where(e => e is not null).ToList();
        Assert.Equal([ReturnState.Requested, ReturnState.Approved, ReturnState.InTransit, ReturnState.Received, ReturnState.Closed], events.Select(e => e.State));
        Assert.Equal((3, 750L), (events[3].Lines.Single().Quantity, events[3].RefundMinor));
    }

    [Fact]
    public async Task An_exchange_makes_a_linked_order_in_the_decision_that_approves_it()
    {
        var draft = Shop.Draft(quantity: 2);
        draft.CustomerId = "C1";
        draft.Delivery = new PersonalDetails { Name = "Ann" };
        var order = await Returning.DeliverAsync(_server, draft);
        var request = Returning.Request(order, 1, 2);
        request.ReplacementLines.Add(new OrderLineDraft { SkuId = "B", Quantity = 2, UnitPriceMinor = 30 });
        var asked = await _server.Returns.RequestReturnAsync(request);
        var approval = Returning.Approve(asked.ReturnId);
        var approved = await _server.Returns.ApproveReturnAsync(approval);

        var replacement = await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = approved.ReplacementOrderId, IncludeDelivery = true });
        Assert.Equal((OrderType.Replacement, OrderState.Ready, "C1", "B", 2, 60L), (replacement.Type, replacement.State, replacement.CustomerId, replacement.Lines[0].SkuId, replacement.Lines[0].Reserved, replacement.TotalMinor));
        Assert.Equal((asked.ReturnId, order, "return/" + asked.ReturnId, "Ann"), (replacement.ForReturnId, replacement.ReplacesOrderId, replacement.ExternalOrderId, replacement.Delivery.Name));
        Assert.Equal(replacement.Sequence + 1, approved.Sequence);

        // Goods for goods: nothing is refunded.
        var received = await _server.Returns.ReceiveReturnAsync(Returning.Receive(asked.ReturnId, (1, 2, Disposition.Restock)));
        Assert.Equal((0L, approved.ReplacementOrderId), (received.RefundMinor, received.ReplacementOrderId));
        await _server.Returns.CloseReturnAsync(Returning.Close(asked.ReturnId));
        Assert.Equal(OrderReturnState.Returned, (await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order })).ReturnState);
        await ExpectPaidForAsync(order, approved.ReplacementOrderId);

        // Once more: the recorded answer, and no second order.
        var again = await _server.Returns.ApproveReturnAsync(approval);
        Assert.Equal((true, approved.Sequence, approved.ReplacementOrderId, ReturnState.Approved), (again.Replayed, again.Sequence, again.ReplacementOrderId, again.State));
        Assert.Equal(2, (await _server.StatusAsync()).Orders);

        // And none at all in the end: what was paid is due back.
        await _server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = approved.ReplacementOrderId });
        var credited = (await _server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order })).Events.Single(e => e.ExchangeCredited is not null).ExchangeCredited;
        Assert.Equal((asked.ReturnId, 500L, 1, 2), (credited.ReturnId, credited.RefundMinor, credited.Lines.Single().LineNumber, credited.Lines.Single().Quantity));
        Assert.Equal(500, (await _server.Returns.GetReturnAsync(new GetReturnRequest { ReturnId = asked.ReturnId })).RefundMinor);
        var due = (await _server.Orders.GetSettlementAsync(new GetSettlementRequest { OrderId = order })).Balance;
        Assert.Equal((0L, 500L, PaymentState.RefundDue), (due.PayableMinor, due.RefundDueMinor, due.State));
        var exception = (await _server.Admin.ListExceptionsAsync(new ListExceptionsRequest { Kind = ExceptionKind.RefundDue })).Exceptions.Single();
        Assert.Equal((order, 500L, Role.Finance), (exception.OrderId, exception.Quantity, exception.Owner));
        Assert.Empty((await _server.Admin.VerifyInvariantsAsync(new VerifyInvariantsRequest())).Violations);
    }

    // What was paid for what came back pays for what was sent for it; what is to be paid on top is a matter of the other order.
    private async Task ExpectPaidForAsync(string order, string replacement)
    {
        await _server.Orders.RecordPaymentAsync(new RecordPaymentRequest { RequestId = Shop.NewId(), OrderId = order, AmountMinor = 500, CurrencyCode = "GBP", Reference = "P1" });
        var settlement = await _server.Orders.GetSettlementAsync(new GetSettlementRequest { OrderId = order });
        Assert.Equal((500L, 500L, 0L, true), (settlement.OrderedMinor, settlement.DeliveredMinor, settlement.ReturnedMinor, settlement.Settled));
        Assert.Equal((500L, 0L, 0L, PaymentState.Settled), (settlement.Balance.PayableMinor, settlement.Balance.OutstandingMinor, settlement.Balance.RefundDueMinor, settlement.Balance.State));
        var shown = await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order });
        Assert.Equal((500L, PaymentState.Settled, 2), (shown.PayableMinor, shown.PaymentState, shown.Lines[0].Returned));
        var statement = await _server.Customers.GetStatementAsync(new GetStatementRequest { CustomerId = "C1" });
        Assert.Equal([(order, 500L, 0L, 500L, 0L), (replacement, 60L, 0L, 0L, 60L)],
            statement.Orders.Select(one => (one.OrderId, one.Figures.OrderedMinor, one.Figures.ReturnedMinor, one.Figures.PaidMinor, one.Figures.ClosingMinor)));
        Assert.Empty((await _server.Admin.VerifyInvariantsAsync(new VerifyInvariantsRequest())).Violations);
    }

    [Fact]
    public async Task A_repair_ships_back_without_stock_or_refund()
    {
        var order = await Returning.DeliverAsync(_server);
        var asked = await _server.Returns.RequestReturnAsync(Returning.Request(order, 1, 1));
        await _server.Returns.ApproveReturnAsync(Returning.Approve(asked.ReturnId));
        var early = await Refusal.ExpectAsync(async () => await _server.Returns.ShipBackReturnAsync(new ShipBackReturnRequest { RequestId = Shop.NewId(), ReturnId = asked.ReturnId }));
        Assert.Equal("ILLEGAL_RETURN_TRANSITION", early.Reason);
        await _server.Returns.ReceiveReturnAsync(Returning.Receive(asked.ReturnId, (1, 1, Disposition.Repair)));
        var unfinished = await Refusal.ExpectAsync(async () => await _server.Returns.CloseReturnAsync(Returning.Close(asked.ReturnId)));
        Assert.Equal((StatusCode.FailedPrecondition, "REPAIR_NOT_DONE"), (unfinished.Code, unfinished.Reason));
        await _server.Returns.RecordRepairAsync(new RecordRepairRequest { RequestId = Shop.NewId(), ReturnId = asked.ReturnId });
        var back = await _server.Returns.ShipBackReturnAsync(new ShipBackReturnRequest { RequestId = Shop.NewId(), ReturnId = asked.ReturnId, Carrier = "UPS", TrackingNumber = "B1" });
        Assert.Equal((ReturnState.ShippedBack, "UPS", "B1", 1, 0L), (back.State, back.BackCarrier, back.BackTrackingNumber, back.Lines[0].Repaired, back.RefundMinor));
        await _server.Returns.CloseReturnAsync(Returning.Close(asked.ReturnId));

        var after = await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order });
        Assert.Equal((OrderReturnState.Unspecified, 0, 0), (after.ReturnState, after.Lines[0].Returned, after.Lines[0].ReturnOpen));
        Assert.Equal(195, (await _server.Inventory.GetStockAsync(new GetStockRequest { SkuId = "A" })).Levels.Sum(level => level.OnHand));
    }

    [Fact]
    public async Task What_cannot_come_back_is_refused_with_its_own_reason()
    {
        var order = await Returning.DeliverAsync(_server);
        var request = Returning.Request(order, 1, 3);
        request.ExternalReturnId = "RMA";
        var asked = await _server.Returns.RequestReturnAsync(request);
        async Task<Refusal> Refused(Func<Task> call) => await Refusal.ExpectAsync(call);

        Assert.Equal("NOT_RETURNABLE", (await Refused(async () => await _server.Returns.RequestReturnAsync(Returning.Request(order, 1, 3)))).Reason);
        var twice = Returning.Request(order, 1, 1);
        twice.ExternalReturnId = "RMA";
        var taken = await Refused(async () => await _server.Returns.RequestReturnAsync(twice));
        Assert.Equal((StatusCode.AlreadyExists, "RETURN_ID_TAKEN", asked.ReturnId), (taken.Code, taken.Reason, taken.Metadata["return_id"]));
        var fresh = await Shop.OrderAsync(_server);
        var early = await Refused(async () => await _server.Returns.RequestReturnAsync(Returning.Request(fresh.OrderId, 1, 1)));
        Assert.Equal(("ILLEGAL_TRANSITION", "READY"), (early.Reason, early.Metadata["state"]));

        await _server.Returns.ApproveReturnAsync(Returning.Approve(asked.ReturnId));
        Assert.Equal("NOT_EXPECTED", (await Refused(async () => await _server.Returns.ReceiveReturnAsync(Returning.Receive(asked.ReturnId, (1, 2, Disposition.Restock), (1, 2, Disposition.Scrap))))).Reason);
        var rejected = await Refused(async () => await _server.Returns.RejectReturnAsync(new RejectReturnRequest { RequestId = Shop.NewId(), ReturnId = asked.ReturnId }));
        Assert.Equal(("ILLEGAL_RETURN_TRANSITION", "APPROVED"), (rejected.Reason, rejected.Metadata["state"]));
        // Closed before all came: the rest can be requested again.
        await _server.Returns.ReceiveReturnAsync(Returning.Receive(asked.ReturnId, (1, 1, Disposition.Scrap)));
        await _server.Returns.CloseReturnAsync(Returning.Close(asked.ReturnId));
        Assert.Equal(4, (await _server.Returns.RequestReturnAsync(new RequestReturnRequest { RequestId = Shop.NewId(), OrderId = order })).Lines[0].Requested);
    }

    [Fact]
    public async Task Returns_are_listed_newest_first_by_order_by_state_and_page_by_page()
    {
        var orders = new[] { await Returning.DeliverAsync(_server), await Returning.DeliverAsync(_server) };
        var made = new List<string>();
        for (var i = 0; i < 6; i++) made.Add((await _server.Returns.RequestReturnAsync(Returning.Request(orders[i % 2], 1, 1))).ReturnId);
        foreach (var one in made.Take(3)) await _server.Returns.ApproveReturnAsync(Returning.Approve(one));
        made.Reverse();

        Assert.Equal(made, await ListAsync(new ListReturnsRequest()));
        Assert.Equal(made, await ListAsync(new ListReturnsRequest { PageSize = 2 }));
        Assert.Equal(made[3..], await ListAsync(new ListReturnsRequest { State = ReturnState.Approved, PageSize = 1 }));
        Assert.Equal([made[1], made[3], made[5]], await ListAsync(new ListReturnsRequest { OrderId = orders[0], PageSize = 2 }));
        Assert.Equal([made[1]], await ListAsync(new ListReturnsRequest { OrderId = orders[0], State = ReturnState.Requested }));
    }

    private async Task<List<string>> ListAsync(ListReturnsRequest request)
    {
        var found = new List<string>();
        do
        {
            var page = await _server.Returns.ListReturnsAsync(request);
            found.AddRange(page.Returns.Select(one => one.ReturnId));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return found;
    }
}
