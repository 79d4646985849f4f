// Orders over the wire: taken, replayed, refused, changed, followed to their end.

using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class OrderTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        await Shop.OpenAsync(_server, units: 100);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task An_order_is_accepted_and_reads_back()
    {
        var request = Shop.Submit(quantity: 3);
        request.Order.CustomerId = "C1";
        request.Order.RequestedTime = new Timestamp { Seconds = 1_800_000_000, Nanos = 5_000 };

        var accepted = await _server.Orders.SubmitOrderAsync(request);
        var order = await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = accepted.OrderId });

        Assert.Equal(OrderState.Ready, accepted.State);
        Assert.Empty(accepted.Shortfalls);
        Assert.Equal(accepted.Etag, order.Etag);
        Assert.Equal(accepted.Sequence, order.Sequence);
        Assert.Equal(accepted.AcceptTime, order.AcceptTime);
        Assert.Equal(("WEB", "C1", request.Order.ExternalOrderId), (order.ChannelId, order.CustomerId, order.ExternalOrderId));
        Assert.Equal((PaymentTerms.Credit, OrderType.Sale, Priority.Normal, "GBP"), (order.PaymentTerms, order.Type, order.Priority, order.CurrencyCode));
        Assert.Equal(request.Order.RequestedTime, order.RequestedTime);
        Assert.Equal(750, order.TotalMinor);
        var line = Assert.Single(order.Lines);
        Assert.Equal(("A", 3, 3, 250L), (line.SkuId, line.Quantity, line.Reserved, line.UnitPriceMinor));
        Assert.Equal(("L1", 3), (Assert.Single(line.Allocations).LocationId, line.Allocations[0].Reserved));
        Assert.Equal(order, await _server.Orders.LookupOrderAsync(new LookupOrderRequest { ChannelId = "WEB", ExternalOrderId = order.ExternalOrderId }));
    }

    [Fact]
    public async Task The_same_request_gets_the_same_answer_and_another_body_is_refused()
    {
        var request = Shop.Submit(quantity: 5, policy: AllocationPolicy.PartialBackorder);
        request.Order.Lines.Add(new OrderLineDraft { SkuId = "EMPTY", Quantity = 2, UnitPriceMinor = 1 });
        var first = await _server.Orders.SubmitOrderAsync(request);
        await _server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = first.OrderId });

        request.Actor = new Actor { Id = "someone else", Role = Role.Support };
        var again = await _server.Orders.SubmitOrderAsync(request);
        var other = request.Clone();
        other.Order.Lines[0].Quantity++;
        var refused = await Refusal.ExpectAsync(async () => await _server.Orders.SubmitOrderAsync(other));

        Assert.True(again.Replayed);
        again.Replayed = false;
        Assert.Equal(first, again);
        var shortfall = Assert.Single(first.Shortfalls);
        Assert.Equal((2, "EMPTY", 2, 0, 2, 0), (shortfall.LineNumber, shortfall.SkuId, shortfall.Ordered, shortfall.Reserved, shortfall.Backordered, shortfall.Cancelled));
        Assert.Equal("REQUEST_ID_REUSED", refused.Reason);
    }

    [Fact]
    public async Task A_request_id_is_the_channels_own()
    {
        await _server.Catalog.UpsertChannelAsync(new UpsertChannelRequest { RequestId = Shop.NewId(), Channel = new Channel { ChannelId = "SHOP" } });
        var web = Shop.Submit();
        var shop = web.Clone();
        shop.Order.ChannelId = "SHOP";

        var first = await _server.Orders.SubmitOrderAsync(web);
        var second = await _server.Orders.SubmitOrderAsync(shop);

        Assert.False(second.Replayed);
        Assert.NotEqual(first.OrderId, second.OrderId);
    }

    [Fact]
    public async Task An_external_id_is_taken_for_ever_and_the_refusal_names_the_order()
    {
        var first = Shop.Submit();
        var accepted = await _server.Orders.SubmitOrderAsync(first);
        var second = Shop.Submit();
        second.Order.ExternalOrderId = first.Order.ExternalOrderId;

        var refused = await Refusal.ExpectAsync(async () => await _server.Orders.SubmitOrderAsync(second));
        var replayed = await Refusal.ExpectAsync(async () => await _server.Orders.SubmitOrderAsync(second));

        Assert.Equal((StatusCode.AlreadyExists, "EXTERNAL_ID_TAKEN"), (refused.Code, refused.Reason));
        Assert.Equal(accepted.OrderId, refused.Metadata["order_id"]);
        Assert.False(refused.Metadata.ContainsKey("replayed"));
        Assert.Equal((refused.Reason, accepted.OrderId, "true"), (replayed.Reason, replayed.Metadata["order_id"], replayed.Metadata["replayed"]));
    }

    [Fact]
    public async Task A_shortage_is_told_by_sku_with_its_lines_and_stays_so()
    {
        var request = Shop.Submit(quantity: 150);
        request.Order.Lines.Add(new OrderLineDraft { SkuId = "EMPTY", Quantity = 7 });
        request.Order.Lines.Add(new OrderLineDraft { SkuId = "A", Quantity = 60 });

        var refused = await Refusal.ExpectAsync(async () => await _server.Orders.SubmitOrderAsync(request));
        await _server.Inventory.ReceiveStockAsync(new ReceiveStockRequest
        {
            RequestId = Shop.NewId(), LocationId = "L1",
            Items = { new ReservationItem { SkuId = "A", Quantity = 1_000 }, new ReservationItem { SkuId = "EMPTY", Quantity = 1_000 } },
        });
        var replayed = await Refusal.ExpectAsync(async () => await _server.Orders.SubmitOrderAsync(request));

        Assert.Equal((StatusCode.FailedPrecondition, "OUT_OF_STOCK"), (refused.Code, refused.Reason));
        var a = Assert.Single(refused.Shortages, shortage => shortage.SkuId == "A");
        Assert.Equal((210L, 200L, 10L), (a.Requested, a.Available, a.Missing));
        Assert.Equal([1, 3], a.LineNumbers);
        Assert.Equal([2], Assert.Single(refused.Shortages, shortage => shortage.SkuId == "EMPTY").LineNumbers);
        Assert.Equal(refused.Shortages, replayed.Shortages);
    }

    [Fact]
    public async Task A_shortage_of_very_many_SKUs_still_fits_a_trailer()
    {
        for (var i = 0; i < 200; i++)
            await _server.Catalog.UpsertSkuAsync(new UpsertSkuRequest { RequestId = Shop.NewId(), Sku = new Sku { SkuId = $"NOTHING-OF-THIS-{i}" } });
        var request = Shop.Submit();
        request.Order.Lines.Clear();
        for (var i = 0; i < 200; i++) request.Order.Lines.Add(new OrderLineDraft { SkuId = $"NOTHING-OF-THIS-{i}", Quantity = 1 });

        var thrown = await Assert.ThrowsAsync<RpcException>(async () => await _server.Orders.SubmitOrderAsync(request));

        Assert.InRange(thrown.Trailers.GetValueBytes("grpc-status-details-bin")!.Length, 1, 4_096 + 256);
        Assert.Equal("200", Refusal.Of(thrown).Metadata["shortages"]);
        Assert.NotEmpty(Refusal.Of(thrown).Shortages);
    }

    [Fact]
    public async Task A_dry_run_says_what_would_be_and_changes_nothing()
    {
        var before = await _server.StatusAsync();
        var draft = Shop.Draft(quantity: 250, policy: AllocationPolicy.PartialBackorder);
        draft.ExternalOrderId = "";

        var would = await _server.Orders.CheckFulfillabilityAsync(new CheckFulfillabilityRequest { Order = draft });
        draft.AllocationPolicy = AllocationPolicy.AllOrNothing;
        var wouldNot = await _server.Orders.CheckFulfillabilityAsync(new CheckFulfillabilityRequest { Order = draft });

        Assert.True(would.Acceptable);
        Assert.Equal(OrderState.PartiallyReserved, would.State);
        var line = Assert.Single(would.Lines);
        Assert.Equal((250, 200, 50), (line.Ordered, line.Reserved, line.Backordered));
        Assert.Equal([("L1", 100), ("L2", 100)], line.Allocations.Select(allocation => (allocation.LocationId, allocation.Reserved)));
        Assert.False(wouldNot.Acceptable);
        Assert.Equal("OUT_OF_STOCK", Refusal.Of(wouldNot.Refusal).Reason);
        var after = await _server.StatusAsync();
        Assert.Equal((before.Sequence, before.StateHash), (after.Sequence, after.StateHash));
    }

    [Fact]
    public async Task Each_order_of_a_bulk_has_its_own_answer()
    {
        var bulk = new BulkSubmitOrdersRequest { Requests = { Shop.Submit(), Shop.Submit(quantity: 0), Shop.Submit("EMPTY"), Shop.Submit("NOBODY"), Shop.Submit() } };

        var response = await _server.Orders.BulkSubmitOrdersAsync(bulk);

        Assert.Equal(OrderState.Ready, response.Results[0].Accepted.State);
        Assert.Equal(["INVALID_FIELD", "OUT_OF_STOCK", "SKU_NOT_FOUND"], response.Results.Skip(1).Take(3).Select(result => Refusal.Of(result.Refused).Reason));
        Assert.Equal(OrderState.Ready, response.Results[4].Accepted.State);
    }

    [Fact]
    public async Task A_stream_answers_in_the_order_sent_and_packs_what_is_final()
    {
        using var call = _server.Orders.StreamSubmitOrders();
        var messages = 0;
        var reading = Task.Run(async () =>
        {
            var seqs = new List<ulong>();
            while (await call.ResponseStream.MoveNext(default))
            {
                messages++;
                seqs.AddRange(call.ResponseStream.Current.Results.Select(result => result.ClientSeq));
            }
            return seqs;
        });
        for (ulong seq = 1; seq <= 600; seq += 200)
        {
            var message = new StreamSubmitOrdersRequest();
            for (ulong i = 0; i < 200; i++) message.Orders.Add(new StreamedOrder { ClientSeq = seq + i, Request = Shop.Submit(i % 10 == 3 ? "EMPTY" : "B", i % 10 == 4 ? 0 : 1) });
            await call.RequestStream.WriteAsync(message);
        }
        await call.RequestStream.CompleteAsync();

        Assert.Equal(Enumerable.Range(1, 600).Select(seq => (ulong)seq), await reading);
        Assert.InRange(messages, 1, 300);
    }

    [Fact]
    public async Task An_order_goes_its_way_to_the_end_and_every_step_is_told()
    {
        var order = await Shop.OrderAsync(_server, quantity: 10);
        var cancelled = await _server.Orders.CancelOrderAsync(new CancelOrderRequest
        {
            RequestId = Shop.NewId(), OrderId = order.OrderId, Etag = order.Etag, Reason = "CHANGED_MIND", Actor = new Actor { Id = "agent-7", Role = Role.Support },
            Lines = { new LineQuantity { LineNumber = 1, Quantity = 4 } },
        });
        var stale = await Refusal.ExpectAsync(async () => await _server.Orders.CancelOrderAsync(
            new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = order.OrderId, Etag = order.Etag }));
        var released = await _server.Fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });
        var tooLate = await Refusal.ExpectAsync(async () => await _server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = order.OrderId }));
        var shipped = await _server.Fulfillment.ConfirmShipmentAsync(new ConfirmShipmentRequest
        {
            RequestId = Shop.NewId(), OrderId = order.OrderId, Carrier = "DHL", TrackingNumber = "T-1", Lines = { new LineAtLocation { LineNumber = 1, LocationId = "L1", Quantity = 6 } },
        });
        var delivered = await _server.Fulfillment.RecordDeliveryAsync(new RecordDeliveryRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });
        var illegal = await Refusal.ExpectAsync(async () => await _server.Fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId }));

        Assert.Equal((1, 4), (Assert.Single(cancelled.Cancelled).LineNumber, cancelled.Cancelled[0].Quantity));
        Assert.Equal((StatusCode.Aborted, "ETAG_MISMATCH"), (stale.Code, stale.Reason));
        Assert.Equal("RELEASED_TO_WAREHOUSE", tooLate.Reason);
        Assert.Equal(("ILLEGAL_TRANSITION", "DELIVERED"), (illegal.Reason, illegal.Metadata["state"]));
        Assert.Equal([OrderState.Ready, OrderState.Fulfilling, OrderState.Shipped, OrderState.Delivered], new[] { cancelled.State, released.State, shipped.State, delivered.State });
        var parcel = Assert.Single((await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId })).Parcels);
        Assert.Equal((1, "L1", "DHL", "T-1", 6), (parcel.ParcelNumber, parcel.LocationId, parcel.Carrier, parcel.TrackingNumber, parcel.Lines[0].Quantity));

        var events = await ReadEventsAsync(order.OrderId, pageSize: 2);
        Assert.Equal([OrderEvent.ChangeOneofCase.Submitted, OrderEvent.ChangeOneofCase.Cancelled, OrderEvent.ChangeOneofCase.ShipmentReleased,
            OrderEvent.ChangeOneofCase.ShipmentConfirmed, OrderEvent.ChangeOneofCase.DeliveryRecorded], events.Select(e => e.ChangeCase));
        Assert.Equal(("agent-7", Role.Support, "CHANGED_MIND"), (events[1].Actor.Id, events[1].Actor.Role, events[1].Reason));
        Assert.Equal(("anonymous", Role.Warehouse), (events[2].Actor.Id, events[2].Actor.Role));
        Assert.Equal(2_500, events[0].Submitted.TotalMinor);

        var tracking = await _server.Tracking.TrackOrderAsync(new TrackOrderRequest { OrderId = order.OrderId });
        Assert.Equal([OrderState.Ready, OrderState.Fulfilling, OrderState.Shipped, OrderState.Delivered], tracking.Milestones.Select(milestone => milestone.State));
        Assert.Equal((10, 4, 6, 6), (tracking.Lines[0].Quantity, tracking.Lines[0].Cancelled, tracking.Lines[0].Shipped, tracking.Lines[0].Delivered));
    }

    [Fact]
    public async Task Reports_are_streamed_in_and_answered_one_by_one()
    {
        var order = await Shop.OrderAsync(_server);
        using var call = _server.Fulfillment.StreamStatusReports();
        await call.RequestStream.WriteAsync(new StreamStatusReportsRequest
        {
            Reports =
            {
                new StatusReport { ClientSeq = 1, Release = new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId } },
                new StatusReport { ClientSeq = 2, Deliver = new RecordDeliveryRequest { RequestId = Shop.NewId(), OrderId = order.OrderId } },
                new StatusReport { ClientSeq = 3, Ship = new ConfirmShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId } },
                new StatusReport { ClientSeq = 4, Deliver = new RecordDeliveryRequest { RequestId = Shop.NewId(), OrderId = order.OrderId } },
            },
        });
        await call.RequestStream.CompleteAsync();
        var results = new List<StatusReportResult>();
        while (await call.ResponseStream.MoveNext(default)) results.AddRange(call.ResponseStream.Current.Results);

        Assert.Equal([1UL, 2, 3, 4], results.Select(result => result.ClientSeq));
        Assert.Equal("ILLEGAL_TRANSITION", Refusal.Of(results[1].Refused).Reason);
        Assert.Equal(OrderState.Delivered, results[3].Accepted.State);
    }

    [Fact]
    public async Task Delivery_details_are_given_only_when_asked_for()
    {
        var guest = Shop.Submit();
        guest.Order.Delivery = new PersonalDetails { Name = "Ada Lovelace", AddressLines = { "12 St James's Square" }, Note = "ring twice" };
        var accepted = await _server.Orders.SubmitOrderAsync(guest);

        var without = await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = accepted.OrderId });
        var with = await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = accepted.OrderId, IncludeDelivery = true });
        var replayed = await _server.Orders.SubmitOrderAsync(guest);

        Assert.Null(without.Delivery);
        Assert.Equal(guest.Order.Delivery, with.Delivery);
        Assert.True(replayed.Replayed);
        foreach (var file in Directory.EnumerateFiles(_server.DataDirectory, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != "lock"))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            Assert.Equal(-1, bytes.AsSpan().IndexOf("Lovelace"u8));
        }
    }

    [Fact]
    public async Task A_read_waits_for_the_sequence_it_asks_for()
    {
        var order = await Shop.OrderAsync(_server);
        var status = await _server.StatusAsync();
        var waiting = _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId, MinSequence = status.Sequence + 1 }).ResponseAsync;
        // Asked later, answered sooner: the first one does wait.
        await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId, MinSequence = status.Sequence });
        Assert.False(waiting.IsCompleted);

        await _server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });

        Assert.Equal(OrderState.Cancelled, (await waiting).State);
    }

    [Fact]
    public async Task A_wait_for_a_sequence_ends_at_the_deadline()
    {
        var refused = await Refusal.ExpectAsync(async () => await _server.Inventory.GetStockAsync(
            new GetStockRequest { SkuId = "A", MinSequence = long.MaxValue }, deadline: DateTime.UtcNow.AddMilliseconds(200)));

        Assert.Equal(StatusCode.DeadlineExceeded, refused.Code);
    }

    private async Task<List<OrderEvent>> ReadEventsAsync(string orderId, int pageSize)
    {
        var events = new List<OrderEvent>();
        var token = "";
        do
        {
            var page = await _server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = orderId, PageSize = pageSize, PageToken = token });
            Assert.InRange(page.Events.Count, 1, pageSize);
            events.AddRange(page.Events);
            token = page.NextPageToken;
        }
        while (token.Length > 0);
        return events;
    }
}
