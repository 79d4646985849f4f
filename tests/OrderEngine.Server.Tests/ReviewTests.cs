// Proves, through a real socket: rules hold an order with all their reasons in answer, order and stream; a reviewer's word goes on from there;
// a dry run says the same and changes nothing; a channel's limits are kept.

using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class ReviewTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        await Shop.OpenAsync(_server);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    private async Task<ReviewRules> RulesAsync(params ReviewRule[] rules) =>
        await _server.Catalog.SetReviewRulesAsync(new SetReviewRulesRequest { RequestId = Shop.NewId(), Rules = new ReviewRules { Rules = { rules } } });

    private static ReviewRule Above(long minor) => new() { RuleId = "big", OrderValue = new OrderValueCondition { AboveMinor = minor, CurrencyCode = "GBP" } };

    private static ReviewRule Words(params string[] words) => new() { RuleId = "special", NoteKeywords = new NoteKeywordCondition { Keywords = { words } } };

    private static SubmitOrderRequest Noted(string note)
    {
        var request = Shop.Submit(quantity: 5);
        request.Order.Delivery = new PersonalDetails { Note = note };
        return request;
    }

    [Fact]
    public async Task Rules_come_back_as_they_were_set_and_empty_when_none_were()
    {
        Assert.Equal(new ReviewRules(), await _server.Catalog.GetReviewRulesAsync(new GetReviewRulesRequest()));
        ReviewRule[] rules =
        [
            Above(1_000), new ReviewRule { RuleId = "credit", CreditExposure = new CreditExposureCondition(), ChannelIds = { "WEB" } },
            new ReviewRule { RuleId = "risk", RiskRatingAtLeast = 7 }, new ReviewRule { RuleId = "new", FewerOrdersThan = 2 },
            new ReviewRule { RuleId = "terms", PaymentTerms = new PaymentTermsCondition { Terms = { PaymentTerms.CashOnDelivery, PaymentTerms.Instalment } } }, Words("加急", "custom"),
        ];
        var set = await RulesAsync(rules);
        Assert.Equal(rules, set.Rules);
        Assert.Equal(set, await _server.Catalog.GetReviewRulesAsync(new GetReviewRulesRequest()));
        Assert.Equal(set, await RulesAsync(rules));
        var stale = await Refusal.ExpectAsync(async () => await _server.Catalog.SetReviewRulesAsync(
            new SetReviewRulesRequest { RequestId = Shop.NewId(), Rules = new ReviewRules { Etag = "1" } }));
        Assert.Equal("ETAG_MISMATCH", stale.Reason);
    }

    [Fact]
    public async Task An_order_that_matches_waits_with_all_its_reasons_and_its_stock_reserved()
    {
        await RulesAsync(Above(1_000), Words("加急", "custom"), new ReviewRule { RuleId = "risk", RiskRatingAtLeast = 1 });
        var request = Noted("请加急");
        var would = await _server.Orders.CheckFulfillabilityAsync(new CheckFulfillabilityRequest { Order = request.Order });
        Assert.Equal(OrderState.PendingReview, would.State);
        Assert.Equal(["big", "special"], would.ReviewReasons.Select(reason => reason.RuleId));

        var accepted = await _server.Orders.SubmitOrderAsync(request);
        Assert.Equal(OrderState.PendingReview, accepted.State);
        ReviewReason[] expected =
        [
            new ReviewReason { RuleId = "big", Condition = ReviewCondition.OrderValue }, new ReviewReason { RuleId = "special", Condition = ReviewCondition.NoteKeyword },
        ];
        Assert.Equal(expected, accepted.ReviewReasons);
        var order = await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = accepted.OrderId });
        Assert.Equal((OrderState.PendingReview, 5), (order.State, order.Lines[0].Reserved));
        Assert.Equal(expected, order.ReviewReasons);
        var events = await _server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = accepted.OrderId });
        Assert.Equal(expected, events.Events.Single().Submitted.ReviewReasons);
        Assert.True((await _server.Orders.SubmitOrderAsync(request)).Replayed);

        var early = await Refusal.ExpectAsync(async () => await _server.Fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId }));
        Assert.Equal(("ILLEGAL_TRANSITION", "PENDING_REVIEW"), (early.Reason, early.Metadata["state"]));
    }

    [Fact]
    public async Task An_amended_note_is_looked_at_when_it_is_another_one()
    {
        await RulesAsync(Words("加急", "custom"));
        var submit = Shop.Submit();
        submit.Order.Delivery = new PersonalDetails { Name = "A. Buyer", Note = "leave it at the door" };
        var order = await _server.Orders.SubmitOrderAsync(submit);
        Assert.Empty((await AmendAsync("delivery.note", new PersonalDetails { Note = "ring twice" })).Amended.ReviewReasons);
        var reason = Assert.Single((await AmendAsync("delivery.note", new PersonalDetails { Note = "请加急" })).Amended.ReviewReasons);
        Assert.Equal(("special", ReviewCondition.NoteKeyword), (reason.RuleId, reason.Condition));
        var held = await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId });
        Assert.Equal((OrderState.Ready, HoldKind.Risk, ExceptionKind.ReviewDue), (held.State, held.Holds.Single().Kind, held.Exceptions.Single().Kind));
        // The note stays, and was looked at.
        Assert.Empty((await AmendAsync("delivery.city", new PersonalDetails { City = "Bath" })).Amended.ReviewReasons);

        async Task<OrderEvent> AmendAsync(string path, PersonalDetails delivery)
        {
            await _server.Orders.AmendOrderAsync(new AmendOrderRequest
            {
                RequestId = Shop.NewId(), OrderId = order.OrderId, UpdateMask = new FieldMask { Paths = { path } }, Order = new OrderAmendment { Delivery = delivery },
            });
            return (await _server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId })).Events.Last(e => e.Amended is not null);
        }
    }

    [Fact]
    public async Task A_note_without_the_words_and_an_order_in_another_currency_pass()
    {
        await RulesAsync(Above(1_000), Words("加急", "custom"));
        var plain = Shop.Submit();
        plain.Order.Delivery = new PersonalDetails { Note = "leave it at the door" };
        Assert.Equal(OrderState.Ready, (await _server.Orders.SubmitOrderAsync(plain)).State);
        var dollars = Shop.Submit(quantity: 100);
        dollars.Order.CurrencyCode = "USD";
        Assert.Equal(OrderState.Ready, (await _server.Orders.SubmitOrderAsync(dollars)).State);
        // The words count in any case of letters.
        Assert.Equal(OrderState.PendingReview, (await _server.Orders.SubmitOrderAsync(Noted("CUSTOM engraving"))).State);
    }

    [Fact]
    public async Task An_approved_order_goes_on_and_a_rejected_one_frees_its_stock()
    {
        await RulesAsync(Above(0));
        var first = await _server.Orders.SubmitOrderAsync(Shop.Submit());
        var approve = new ApproveOrderRequest { RequestId = Shop.NewId(), OrderId = first.OrderId, Etag = first.Etag, Actor = new Actor { Id = "r-1" } };
        var approved = await _server.Orders.ApproveOrderAsync(approve);
        Assert.Equal((OrderState.Ready, false), (approved.State, approved.Replayed));
        Assert.True((await _server.Orders.ApproveOrderAsync(approve)).Replayed);

        var second = await _server.Orders.SubmitOrderAsync(Shop.Submit(quantity: 3));
        var rejected = await _server.Orders.RejectOrderAsync(new RejectOrderRequest { RequestId = Shop.NewId(), OrderId = second.OrderId, Reason = "FRAUD" });
        Assert.Equal(OrderState.Rejected, rejected.State);
        var order = await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = second.OrderId });
        Assert.Equal((OrderState.Rejected, 3, 0), (order.State, order.Lines[0].Cancelled, order.Lines[0].Reserved));
        var last = (await _server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = second.OrderId })).Events[^1];
        Assert.Equal(("FRAUD", Role.Reviewer, 3), (last.Reason, last.Actor.Role, last.Rejected.Lines[0].Quantity));

        var late = await Refusal.ExpectAsync(async () => await _server.Orders.ApproveOrderAsync(new ApproveOrderRequest { RequestId = Shop.NewId(), OrderId = second.OrderId }));
        Assert.Equal(("ILLEGAL_TRANSITION", "REJECTED"), (late.Reason, late.Metadata["state"]));
    }

    [Fact]
    public async Task A_channel_takes_no_more_than_its_limits()
    {
        await _server.Catalog.UpsertChannelAsync(new UpsertChannelRequest
        {
            RequestId = Shop.NewId(),
            Channel = new Channel { ChannelId = "WEB", MaxOrderMinor = 500, OrderLimitCurrency = "GBP", MaxLines = 2, MaxReservationTtl = new() { Seconds = 60 } },
        });
        Assert.Equal(OrderState.Ready, (await _server.Orders.SubmitOrderAsync(Shop.Submit(quantity: 2))).State);
        Assert.Equal("CHANNEL_LIMIT_EXCEEDED", (await Refusal.ExpectAsync(async () => await _server.Orders.SubmitOrderAsync(Shop.Submit(quantity: 3)))).Reason);
        var lines = Shop.Submit();
        lines.Order.Lines.Add(lines.Order.Lines[0].Clone());
        lines.Order.Lines.Add(lines.Order.Lines[0].Clone());
        foreach (var line in lines.Order.Lines) line.UnitPriceMinor = 1;
        Assert.Equal("CHANNEL_LIMIT_EXCEEDED", (await Refusal.ExpectAsync(async () => await _server.Orders.SubmitOrderAsync(lines))).Reason);
        Assert.Equal("CHANNEL_LIMIT_EXCEEDED", (await Refusal.ExpectAsync(async () => await _server.Inventory.CreateReservationAsync(Shop.Reserve()))).Reason);
    }
}
