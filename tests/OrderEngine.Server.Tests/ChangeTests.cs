// Changing accepted orders over the wire: holds, amendments.

using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class ChangeTests
{
    [Fact]
    public async Task A_hold_blocks_the_release_until_it_is_released_and_is_told_with_who_and_why()
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        var order = await Shop.OrderAsync(server);
        var place = new PlaceHoldRequest
        {
            RequestId = Shop.NewId(), OrderId = order.OrderId, Etag = order.Etag, Kind = HoldKind.Address, Reason = "NO_SUCH_STREET", Actor = new Actor { Id = "anna", Role = Role.Support },
        };

        var placed = await server.Orders.PlaceHoldAsync(place);
        await server.Orders.PlaceHoldAsync(new PlaceHoldRequest { RequestId = Shop.NewId(), OrderId = order.OrderId, Kind = HoldKind.Risk });
        var held = await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId });
        var replayed = await server.Orders.PlaceHoldAsync(place);
        var release = new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId };
        var refused = await Refusal.ExpectAsync(async () => await server.Fulfillment.ReleaseShipmentAsync(release));
        var again = await Refusal.ExpectAsync(async () => await server.Fulfillment.ReleaseShipmentAsync(release));

        Assert.Equal((order.OrderId, OrderState.Ready), (placed.OrderId, placed.State));
        Assert.Equal([HoldKind.Address], placed.Open);
        Assert.Equal(new HoldResponse(placed) { Replayed = true }, replayed);
        Assert.Equal([(HoldKind.Risk, "", "anonymous", Role.Reviewer), (HoldKind.Address, "NO_SUCH_STREET", "anna", Role.Support)],
            held.Holds.Select(hold => (hold.Kind, hold.Reason, hold.Actor.Id, hold.Actor.Role)));
        Assert.Equal(held.UpdateTime, held.Holds[0].PlaceTime);
        Assert.Equal(("ORDER_ON_HOLD", "RISK,ADDRESS"), (refused.Reason, refused.Metadata["holds"]));
        Assert.Equal(("ORDER_ON_HOLD", "RISK,ADDRESS", "true"), (again.Reason, again.Metadata["holds"], again.Metadata["replayed"]));

        foreach (var kind in new[] { HoldKind.Address, HoldKind.Risk })
            await server.Orders.ReleaseHoldAsync(new ReleaseHoldRequest { RequestId = Shop.NewId(), OrderId = order.OrderId, Kind = kind, Reason = "CHECKED" });
        Assert.Empty((await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId })).Holds);
        await server.Fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });
        var events = (await server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId })).Events;
        Assert.Equal(new HoldPlaced { Kind = HoldKind.Address, Open = { HoldKind.Address } }, events[1].HoldPlaced);
        Assert.Equal(new HoldPlaced { Kind = HoldKind.Risk, Open = { HoldKind.Risk, HoldKind.Address } }, events[2].HoldPlaced);
        Assert.Equal(new HoldReleased { Kind = HoldKind.Address, Open = { HoldKind.Risk } }, events[3].HoldReleased);
        Assert.Equal(("CHECKED", new HoldReleased { Kind = HoldKind.Risk }), (events[4].Reason, events[4].HoldReleased));
    }

    [Fact]
    public async Task A_held_order_can_be_cancelled_and_a_cancelled_one_not_held()
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        var order = await Shop.OrderAsync(server);
        await server.Orders.PlaceHoldAsync(new PlaceHoldRequest { RequestId = Shop.NewId(), OrderId = order.OrderId, Kind = HoldKind.Credit });
        await server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });

        var refused = await Refusal.ExpectAsync(async () =>
            await server.Orders.PlaceHoldAsync(new PlaceHoldRequest { RequestId = Shop.NewId(), OrderId = order.OrderId, Kind = HoldKind.Manual }));

        Assert.Equal(("ILLEGAL_TRANSITION", "CANCELLED"), (refused.Reason, refused.Metadata["state"]));
    }

    private static AmendOrderRequest Amend(string orderId, Role role, OrderAmendment order, params string[] paths) => new()
    {
        RequestId = Shop.NewId(), OrderId = orderId, Actor = new Actor { Id = "anna", Role = role }, Order = order, UpdateMask = new FieldMask { Paths = { paths } },
    };

    [Fact]
    public async Task An_order_that_grows_is_looked_at_like_a_new_one_and_a_prepaid_one_waits_for_the_rest_of_its_money()
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        await server.Catalog.UpsertChannelAsync(new UpsertChannelRequest
        {
            RequestId = Shop.NewId(), Channel = new Channel { ChannelId = "WEB", MaxOrderMinor = 5_000, OrderLimitCurrency = "GBP", MaxLines = 2 },
        });
        await server.Catalog.SetReviewRulesAsync(new SetReviewRulesRequest
        {
            RequestId = Shop.NewId(),
            Rules = new ReviewRules { Rules = { new ReviewRule { RuleId = "big", OrderValue = new OrderValueCondition { AboveMinor = 1_000, CurrencyCode = "GBP" } } } },
        });
        var draft = Shop.Submit(quantity: 2);
        draft.Order.PaymentTerms = PaymentTerms.Prepaid;
        var order = await server.Orders.SubmitOrderAsync(draft);
        RecordPaymentRequest Money(long amount) => new() { RequestId = Shop.NewId(), OrderId = order.OrderId, AmountMinor = amount, CurrencyCode = "GBP", Reference = Shop.NewId("p") };
        await server.Orders.RecordPaymentAsync(Money(500));
        Task<AmendOrderResponse> Grow(int quantity) => server.Orders.AmendOrderAsync(
            Amend(order.OrderId, Role.Support, new OrderAmendment { Lines = { new LineAmendment { LineNumber = 1, Quantity = quantity } } }, "lines")).ResponseAsync;
        var release = new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId };

        Assert.Equal("CHANNEL_LIMIT_EXCEEDED", (await Refusal.ExpectAsync(async () => await Grow(21))).Reason);
        var three = await server.Orders.AmendOrderAsync(Amend(order.OrderId, Role.Support,
            new OrderAmendment { Lines = { new LineAmendment { SkuId = "B", Quantity = 1, UnitPriceMinor = 0 } } }, "lines"));
        Assert.Empty(three.Amended.ReviewReasons);
        var lines = Amend(order.OrderId, Role.Support, new OrderAmendment { Lines = { new LineAmendment { SkuId = "B", Quantity = 1, UnitPriceMinor = 0 } } }, "lines");
        Assert.Equal("CHANNEL_LIMIT_EXCEEDED", (await Refusal.ExpectAsync(async () => await server.Orders.AmendOrderAsync(lines))).Reason);

        var grown = await Grow(6);
        Assert.Equal([("big", ReviewCondition.OrderValue)], grown.Amended.ReviewReasons.Select(reason => (reason.RuleId, reason.Condition)));
        Assert.Equal("RISK", (await Refusal.ExpectAsync(async () => await server.Fulfillment.ReleaseShipmentAsync(release))).Metadata["holds"]);
        var raised = Assert.Single((await server.Admin.ListExceptionsAsync(new ListExceptionsRequest { Kind = ExceptionKind.ReviewDue })).Exceptions);
        Assert.Equal((order.OrderId, 1_000, Role.Reviewer), (raised.OrderId, raised.Quantity, raised.Owner));
        await server.Orders.ReleaseHoldAsync(new ReleaseHoldRequest { RequestId = Shop.NewId(), OrderId = order.OrderId, Kind = HoldKind.Risk, Reason = "CHECKED" });
        Assert.Empty((await server.Admin.ListExceptionsAsync(new ListExceptionsRequest { Kind = ExceptionKind.ReviewDue })).Exceptions);

        var unpaid = new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId };
        Assert.Equal("PAYMENT_OUTSTANDING", (await Refusal.ExpectAsync(async () => await server.Fulfillment.ReleaseShipmentAsync(unpaid))).Reason);
        Assert.Equal("true", (await Refusal.ExpectAsync(async () => await server.Fulfillment.ReleaseShipmentAsync(unpaid))).Metadata["replayed"]);
        Assert.Equal(1_000, (await server.Orders.GetSettlementAsync(new GetSettlementRequest { OrderId = order.OrderId })).DueNowMinor);
        await server.Orders.RecordPaymentAsync(Money(1_000));
        await server.Fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });
        Assert.Empty((await server.Admin.VerifyInvariantsAsync(new VerifyInvariantsRequest())).Violations);
    }

    [Fact]
    public async Task An_amendment_says_before_and_after_and_touches_nothing_that_the_mask_does_not_name()
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server, units: 100);
        var order = await Shop.OrderAsync(server, "A", 10);
        var request = Amend(order.OrderId, Role.Support, new OrderAmendment
        {
            RequestedTime = new Timestamp { Seconds = 2_000_000_000 }, Delivery = new PersonalDetails { City = "ignored" },
            Lines =
            {
                new LineAmendment { LineNumber = 1, Quantity = 4 }, new LineAmendment { SkuId = "B", Quantity = 3, UnitPriceMinor = 99 },
            },
        }, "lines");

        var amended = await server.Orders.AmendOrderAsync(request);
        var replayed = await server.Orders.AmendOrderAsync(request);
        var now = await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId, IncludeDelivery = true });

        Assert.Equal(new OrderAmended
        {
            ChangedFields = { "lines" }, TotalMinorBefore = 2_500, TotalMinor = 1_297,
            Lines =
            {
                new AmendedLine
                {
                    LineNumber = 1, SkuId = "A", QuantityBefore = 10, Quantity = 4, UnitPriceMinorBefore = 250, UnitPriceMinor = 250,
                    Freed = { new LocationQuantity { LocationId = "L1", Quantity = 6 } },
                },
                new AmendedLine { LineNumber = 2, SkuId = "B", Quantity = 3, UnitPriceMinor = 99, Reserved = { new LocationQuantity { LocationId = "L1", Quantity = 3 } } },
            },
        }, amended.Amended);
        Assert.Equal(new AmendOrderResponse(amended) { Replayed = true }, replayed);
        Assert.Equal((1_297, 2, null, null), (now.TotalMinor, now.Lines.Count, now.RequestedTime, now.Delivery));
        Assert.Equal(((4, 4), (3, 3)), ((now.Lines[0].Quantity, now.Lines[0].Reserved), (now.Lines[1].Quantity, now.Lines[1].Reserved)));
        var history = (await server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId })).Events;
        Assert.Equal((amended.Amended, "anna", Role.Support), (history[^1].Amended, history[^1].Actor.Id, history[^1].Actor.Role));
        Assert.Empty((await server.Admin.VerifyInvariantsAsync(new VerifyInvariantsRequest())).Violations);
    }

    [Fact]
    public async Task A_price_alone_moves_no_stock_and_a_failed_amendment_changes_nothing()
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server, units: 10);
        var order = await Shop.OrderAsync(server, "A", 10);
        var price = await server.Orders.AmendOrderAsync(Amend(order.OrderId, Role.Support, new OrderAmendment { Lines = { new LineAmendment { LineNumber = 1, UnitPriceMinor = 200 } } }, "lines"));
        var before = await server.StatusAsync();
        var stands = await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId });

        // One line less, one more than there is: the whole fails.
        var refused = await Refusal.ExpectAsync(async () => await server.Orders.AmendOrderAsync(Amend(order.OrderId, Role.Support, new OrderAmendment
        {
            Lines = { new LineAmendment { LineNumber = 1, Quantity = 1 }, new LineAmendment { SkuId = "B", Quantity = 21, UnitPriceMinor = 1 } },
        }, "lines")));
        var role = await Refusal.ExpectAsync(async () => await server.Orders.AmendOrderAsync(
            Amend(order.OrderId, Role.Customer, new OrderAmendment { Lines = { new LineAmendment { LineNumber = 1, Quantity = 1 } } }, "lines")));
        var less = await Refusal.ExpectAsync(async () => await server.Orders.AmendOrderAsync(
            Amend(order.OrderId, Role.Support, new OrderAmendment { Lines = { new LineAmendment { LineNumber = 1, Quantity = 0 } } }, "lines")));

        Assert.Equal((2_000, 0, 0), (price.Amended.TotalMinor, price.Amended.Lines[0].Freed.Count, price.Amended.Lines[0].Reserved.Count));
        Assert.Equal(("OUT_OF_STOCK", "B", 21, 20), (refused.Reason, refused.Shortages.Single().SkuId, refused.Shortages.Single().Requested, refused.Shortages.Single().Available));
        Assert.Equal("ROLE_NOT_ALLOWED", role.Reason);
        Assert.Equal("NOT_AMENDABLE", less.Reason);
        Assert.Equal(stands, await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId }));
        Assert.Equal(before.Stock, (await server.StatusAsync()).Stock);
    }

    [Theory]
    [InlineData("C1")]
    [InlineData("")]
    public async Task A_field_of_the_delivery_changes_alone_and_its_history_is_told_to_who_asks(string customer)
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        var submit = Shop.Submit();
        submit.Order.CustomerId = customer;
        submit.Order.Delivery = new PersonalDetails { Name = "A. Buyer", City = "Leeds", AddressLines = { "1 Old Road" } };
        var order = await server.Orders.SubmitOrderAsync(submit);
        var moved = new OrderAmendment { Delivery = new PersonalDetails { City = "York", AddressLines = { "2 New Road", "Flat 3" } }, RequestedTime = new Timestamp { Seconds = 2_000_000_000 } };

        var answer = await server.Orders.AmendOrderAsync(Amend(order.OrderId, Role.Customer, moved, "delivery.city", "delivery.address_lines", "requested_time"));
        var now = await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId, IncludeDelivery = true });
        await server.Orders.AmendOrderAsync(Amend(order.OrderId, Role.Customer, new OrderAmendment { Delivery = new PersonalDetails { Note = "ring twice" } }, "delivery.note"));
        var plain = (await server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId })).Events;
        var clear = (await server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId, IncludePersonalData = true })).Events;

        var york = new PersonalDetails { Name = "A. Buyer", City = "York", AddressLines = { "2 New Road", "Flat 3" } };
        Assert.Equal(["requested_time", "delivery.address_lines", "delivery.city"], answer.Amended.ChangedFields);
        Assert.Equal((york, 2_000_000_000), (now.Delivery, now.RequestedTime.Seconds));
        Assert.Equal((null, null), (plain[1].Amended.DeliveryBefore, plain[1].Amended.Delivery));
        Assert.Equal((submit.Order.Delivery, york), (clear[1].Amended.DeliveryBefore, clear[1].Amended.Delivery));
        Assert.Equal((york, new PersonalDetails(york) { Note = "ring twice" }), (clear[2].Amended.DeliveryBefore, clear[2].Amended.Delivery));
        // The journal knows none of it, and one key opens all of it.
        var keys = new HashSet<ulong>();
        using var export = server.Admin.ExportEvents(new ExportEventsRequest { FromSequence = 1 });
        while (await export.ResponseStream.MoveNext(default))
        {
            foreach (var e in export.ResponseStream.Current.Events)
            {
                Assert.DoesNotContain("York", e.ToString(), StringComparison.Ordinal);
                if ((e.OrderSubmitted?.Delivery ?? e.OrderAmended?.Delivery) is { } sealedDelivery) keys.Add(sealedDelivery.Key);
            }
        }
        Assert.Single(keys);
    }
}
