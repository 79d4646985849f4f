// Customer care over the wire: confirmations, notes, special requests, attributes.

using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class CareTests
{
    [Fact]
    public async Task An_order_waits_for_its_customers_word_where_its_channel_asks_for_that()
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        await server.Catalog.UpsertChannelAsync(new UpsertChannelRequest
        {
            RequestId = Shop.NewId(), Channel = new Channel { ChannelId = "WEB", RequiresConfirmation = true, ConfirmationDue = new() { Seconds = 3_600 } },
        });
        var check = await server.Orders.CheckFulfillabilityAsync(new CheckFulfillabilityRequest { Order = Shop.Draft() });
        var order = await Shop.OrderAsync(server);
        var held = await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId });
        var release = new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId };
        var refused = await Refusal.ExpectAsync(async () => await server.Fulfillment.ReleaseShipmentAsync(release));
        var tracked = await server.Tracking.TrackOrderAsync(new TrackOrderRequest { OrderId = order.OrderId });
        var request = new ConfirmOrderRequest { RequestId = Shop.NewId(), OrderId = order.OrderId, Etag = order.Etag };
        var confirmed = await server.Orders.ConfirmOrderAsync(request);
        var again = await server.Orders.ConfirmOrderAsync(request);
        var over = await Refusal.ExpectAsync(async () => await server.Orders.ConfirmOrderAsync(new ConfirmOrderRequest { RequestId = Shop.NewId(), OrderId = order.OrderId }));

        Assert.Equal((true, true, true), (check.RequiresConfirmation, order.RequiresConfirmation, tracked.AwaitsConfirmation));
        Assert.Equal((HoldKind.Confirmation, Role.Channel, order.AcceptTime), (held.Holds.Single().Kind, held.Holds.Single().Actor.Role, held.Holds.Single().PlaceTime));
        Assert.Equal((Deadline.Confirmation, order.AcceptTime.Seconds + 3_600), (held.Deadlines.Single().Deadline, held.Deadlines.Single().DueTime.Seconds));
        Assert.Equal(("ORDER_ON_HOLD", "CONFIRMATION"), (refused.Reason, refused.Metadata["holds"]));
        Assert.Empty(confirmed.Open);
        Assert.Equal(new HoldResponse(confirmed) { Replayed = true }, again);
        Assert.Equal("NOTHING_TO_CONFIRM", over.Reason);
        await server.Fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });
        var now = await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId });
        Assert.Empty(now.Deadlines);
        var events = (await server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId })).Events;
        Assert.Equal((held.Deadlines.Single().DueTime, new OrderConfirmed(), Role.Customer), (events[0].Submitted.ConfirmDueTime, events[1].Confirmed, events[1].Actor.Role));
        Assert.False((await server.Tracking.TrackOrderAsync(new TrackOrderRequest { OrderId = order.OrderId })).AwaitsConfirmation);
        Assert.Equal(3_600, (await server.Catalog.GetChannelAsync(new GetChannelRequest { ChannelId = "WEB" })).ConfirmationDue.Seconds);
    }

    [Theory]
    [InlineData("C1", true)]
    [InlineData("", true)]
    [InlineData("", false)]
    public async Task Notes_are_told_with_who_and_when_and_their_texts_to_who_asks_under_one_key(string customer, bool withDelivery)
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        await server.Catalog.SetReviewRulesAsync(new SetReviewRulesRequest
        {
            RequestId = Shop.NewId(), Rules = new ReviewRules { Rules = { new ReviewRule { RuleId = "words", NoteKeywords = new NoteKeywordCondition { Keywords = { "加急", "custom" } } } } },
        });
        var submit = Shop.Submit();
        submit.Order.CustomerId = customer;
        if (withDelivery) submit.Order.Delivery = new PersonalDetails { Name = "A. Buyer" };
        var order = await server.Orders.SubmitOrderAsync(submit);

        var first = await NoteAsync("rings twice", "anna");
        var second = await NoteAsync("请加急", "ben");
        var plain = await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId });
        var clear = await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId, IncludeDelivery = true });
        var told = (await server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId })).Events;
        var toldClear = (await server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId, IncludePersonalData = true })).Events;

        Assert.Equal((0, OrderState.Ready), (first.ReviewRuleIds.Count, first.State));
        Assert.Equal(["words"], second.ReviewRuleIds);
        Assert.Equal([HoldKind.Manual], second.Open);
        Assert.Equal([("ben", second.Sequence, ""), ("anna", first.Sequence, "")], plain.Notes.Select(note => (note.Actor.Id, note.Sequence, note.Text)));
        Assert.Equal(["请加急", "rings twice"], clear.Notes.Select(note => note.Text));
        Assert.Equal((HoldKind.Manual, "NOTE_KEYWORD", "ben"), (plain.Holds.Single().Kind, plain.Holds.Single().Reason, plain.Holds.Single().Actor.Id));
        Assert.Equal(new NoteAdded { ReviewRuleIds = { "words" }, Open = { HoldKind.Manual } }, told[2].NoteAdded);
        Assert.Equal(("rings twice", "请加急"), (toldClear[1].NoteAdded.Text, toldClear[2].NoteAdded.Text));
        var keys = new HashSet<ulong>();
        using var export = server.Admin.ExportEvents(new ExportEventsRequest { FromSequence = 1 });
        while (await export.ResponseStream.MoveNext(default))
            foreach (var e in export.ResponseStream.Current.Events)
                if ((e.OrderSubmitted?.Delivery ?? e.NoteAdded?.Text) is { } personal) keys.Add(personal.Key);
        Assert.Single(keys);

        async Task<AddNoteResponse> NoteAsync(string text, string who) => await server.Orders.AddNoteAsync(
            new AddNoteRequest { RequestId = Shop.NewId(), OrderId = order.OrderId, Text = text, Actor = new Actor { Id = who, Role = Role.Support } });
    }

    [Fact]
    public async Task Attributes_go_with_the_order_and_special_requests_to_who_asks_and_to_review()
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        await server.Catalog.SetReviewRulesAsync(new SetReviewRulesRequest
        {
            RequestId = Shop.NewId(), Rules = new ReviewRules { Rules = { new ReviewRule { RuleId = "words", NoteKeywords = new NoteKeywordCondition { Keywords = { "custom" } } } } },
        });
        Contracts.V1.Attribute[] attributes = [new() { Key = "shelf", Value = "9" }, new() { Key = "basket.id", Value = "" }];
        var submit = Shop.Submit();
        submit.Order.Extras = new OrderExtras { Attributes = { attributes }, SpecialRequests = { new SpecialRequest { LineNumber = 1, Text = "a Custom colour" } } };

        var check = await server.Orders.CheckFulfillabilityAsync(new CheckFulfillabilityRequest { Order = submit.Order });
        var order = await server.Orders.SubmitOrderAsync(submit);
        var plain = await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId });
        var clear = await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId, IncludeDelivery = true });
        var ordinary = await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = (await Shop.OrderAsync(server)).OrderId, IncludeDelivery = true });
        using var watch = server.Tracking.WatchOrders(new WatchOrdersRequest { SnapshotFirst = true });
        Assert.True(await watch.ResponseStream.MoveNext(default));

        Assert.Equal(("words", OrderState.PendingReview), (check.ReviewReasons.Single().RuleId, order.State));
        Assert.Equal(new OrderExtras { Attributes = { attributes } }, plain.Extras);
        Assert.Equal(submit.Order.Extras, clear.Extras);
        Assert.Null(ordinary.Extras);
        Assert.Equal(plain.Extras, watch.ResponseStream.Current.Snapshot.Orders[0].Extras);
        Assert.Equal(plain.Extras, (await server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId })).Events[0].Submitted.Extras);
        Assert.True((await server.Orders.SubmitOrderAsync(submit)).Replayed);
    }

    [Fact]
    public async Task A_complaint_is_opened_owned_and_resolved_with_a_repair_and_found_by_order_customer_and_state()
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        var draft = Shop.Draft(quantity: 5);
        draft.CustomerId = "C1";
        var order = await Returning.DeliverAsync(server, draft);
        var other = await Returning.DeliverAsync(server);
        var open = new OpenComplaintRequest { RequestId = Shop.NewId(), OrderId = order, Category = ComplaintCategory.Damaged, Text = "the lid is broken" };

        var opened = await server.Customers.OpenComplaintAsync(open);
        var replayed = await server.Customers.OpenComplaintAsync(open);
        var second = await server.Customers.OpenComplaintAsync(new OpenComplaintRequest { RequestId = Shop.NewId(), OrderId = other, Category = ComplaintCategory.Late, Text = "late", Owner = Role.Carrier });
        var owned = await server.Customers.AssignComplaintAsync(new AssignComplaintRequest
        {
            RequestId = Shop.NewId(), ComplaintId = opened.ComplaintId, Etag = opened.Etag, Owner = Role.Warehouse, Assignee = "s-12",
        });
        var made = (await server.Returns.RequestReturnAsync(Returning.Request(order, 1, 1))).ReturnId;
        await server.Returns.ApproveReturnAsync(Returning.Approve(made));
        await server.Returns.ReceiveReturnAsync(Returning.Receive(made, (1, 1, Disposition.Repair)));
        var foreign = await Refusal.ExpectAsync(async () => await server.Customers.ResolveComplaintAsync(Resolve(second.ComplaintId, made)));
        var resolved = await server.Customers.ResolveComplaintAsync(Resolve(opened.ComplaintId, made));
        var again = await Refusal.ExpectAsync(async () => await server.Customers.ResolveComplaintAsync(Resolve(opened.ComplaintId, "")));
        var plain = await server.Customers.GetComplaintAsync(new GetComplaintRequest { ComplaintId = opened.ComplaintId });
        var clear = await server.Customers.GetComplaintAsync(new GetComplaintRequest { ComplaintId = opened.ComplaintId, IncludeText = true });

        Assert.Equal(new ComplaintResponse(opened) { Replayed = true }, replayed);
        Assert.Equal((ComplaintState.Open, ComplaintState.Owned, ComplaintState.Resolved), (opened.State, owned.State, resolved.State));
        Assert.Equal(("COMPLAINT_RETURN_MISMATCH", "COMPLAINT_CLOSED"), (foreign.Reason, again.Reason));
        Assert.Equal((order, "C1", ComplaintCategory.Damaged, Role.Warehouse, "s-12"), (plain.OrderId, plain.CustomerId, plain.Category, plain.Owner, plain.Assignee));
        Assert.Equal((made, ComplaintRemedy.Repair, ComplaintResolution.Repaired, "", ""), (plain.ReturnId, plain.Remedy, plain.Resolution, plain.Text, plain.ResolutionText));
        Assert.Equal(("the lid is broken", "mended", resolved.Etag), (clear.Text, clear.ResolutionText, clear.Etag));
        Assert.Equal([second.ComplaintId, opened.ComplaintId], await ListAsync(new ListComplaintsRequest()));
        Assert.Equal([second.ComplaintId], await ListAsync(new ListComplaintsRequest { OpenOnly = true }));
        Assert.Equal([opened.ComplaintId], await ListAsync(new ListComplaintsRequest { CustomerId = "C1" }));
        Assert.Equal([second.ComplaintId], await ListAsync(new ListComplaintsRequest { OrderId = other, Owner = Role.Carrier, Category = ComplaintCategory.Late }));
        Assert.Empty(await ListAsync(new ListComplaintsRequest { OrderId = other, Category = ComplaintCategory.Billing }));
        var first = await server.Customers.ListComplaintsAsync(new ListComplaintsRequest { PageSize = 1 });
        var next = await server.Customers.ListComplaintsAsync(new ListComplaintsRequest { PageSize = 1, PageToken = first.NextPageToken });
        Assert.Equal((second.ComplaintId, opened.ComplaintId, ""), (first.Complaints.Single().ComplaintId, next.Complaints.Single().ComplaintId, next.NextPageToken));
        var care = (await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order })).Care;
        Assert.Equal((1, 0, 0), (care.Complaints, care.OpenComplaints, care.Rating));
        var events = (await server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order, IncludePersonalData = true })).Events;
        Assert.Equal("the lid is broken", events.Single(e => e.ComplaintOpened is not null).ComplaintOpened.Text);
        Assert.Equal(("mended", made), (events[^1].ComplaintResolved.Text, events[^1].ComplaintResolved.ReturnId));
        Assert.Equal((opened.ComplaintId, ComplaintResolution.Repaired), (events[^1].ComplaintResolved.ComplaintId, events[^1].ComplaintResolved.Resolution));
        Assert.Equal(new ComplaintAssigned { ComplaintId = opened.ComplaintId, Owner = Role.Warehouse, Assignee = "s-12" }, events.Single(e => e.ComplaintAssigned is not null).ComplaintAssigned);
        var late = (await server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = other })).Events.Single(e => e.ComplaintOpened is not null).ComplaintOpened;
        Assert.Equal(new ComplaintOpened { ComplaintId = second.ComplaintId, Category = ComplaintCategory.Late, Owner = Role.Carrier }, late);
        // Nobody needs to own it first.
        Assert.Equal(ComplaintState.Resolved, (await server.Customers.ResolveComplaintAsync(Resolve(second.ComplaintId, ""))).State);

        ResolveComplaintRequest Resolve(string complaint, string withReturn) =>
            new() { RequestId = Shop.NewId(), ComplaintId = complaint, Resolution = ComplaintResolution.Repaired, Text = "mended", ReturnId = withReturn };
        async Task<IEnumerable<string>> ListAsync(ListComplaintsRequest request) => (await server.Customers.ListComplaintsAsync(request)).Complaints.Select(one => one.ComplaintId);
    }

    [Fact]
    public async Task Feedback_is_given_once_on_an_order_that_came()
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        var order = await Returning.DeliverAsync(server);
        var early = await Refusal.ExpectAsync(async () => await server.Customers.RecordFeedbackAsync(Rate((await Shop.OrderAsync(server)).OrderId, 5)));
        var given = await server.Customers.RecordFeedbackAsync(Rate(order, 4));
        var again = await Refusal.ExpectAsync(async () => await server.Customers.RecordFeedbackAsync(Rate(order, 1)));
        var plain = (await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order })).Care;
        var clear = (await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order, IncludeDelivery = true })).Care;

        Assert.Equal(("ILLEGAL_TRANSITION", OrderState.Delivered, "FEEDBACK_GIVEN"), (early.Reason, given.State, again.Reason));
        Assert.Equal((4, ""), (plain.Rating, plain.FeedbackText));
        Assert.Equal((4, "came early"), (clear.Rating, clear.FeedbackText));
        Assert.NotNull(clear.FeedbackTime);
        Assert.Equal(4, (await server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order })).Events.Single(e => e.FeedbackRecorded is not null).FeedbackRecorded.Rating);

        static RecordFeedbackRequest Rate(string id, int rating) => new() { RequestId = Shop.NewId(), OrderId = id, Rating = rating, Text = "came early" };
    }

    [Fact]
    public async Task Texts_travel_with_an_export_that_asks_for_them_and_are_sealed_anew()
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        var submit = Shop.Submit();
        submit.Order.Extras = new OrderExtras { SpecialRequests = { new SpecialRequest { Text = "in a box" } } };
        var order = await server.Orders.SubmitOrderAsync(submit);
        await server.Orders.AddNoteAsync(new AddNoteRequest { RequestId = Shop.NewId(), OrderId = order.OrderId, Text = "rings twice" });
        var events = new List<Contracts.Journal.Event>();
        using (var export = server.Admin.ExportEvents(new ExportEventsRequest { FromSequence = 1, IncludePersonalData = true }))
            while (await export.ResponseStream.MoveNext(default)) events.AddRange(export.ResponseStream.Current.Events);

        await using var other = await TestServer.StartAsync();
        using (var import = other.Admin.ImportEvents())
        {
            await import.RequestStream.WriteAsync(new ImportEventsRequest { Events = { events } });
            await import.RequestStream.CompleteAsync();
            await import.ResponseAsync;
        }
        var there = await other.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId, IncludeDelivery = true });
        Assert.Equal(("in a box", "rings twice"), (there.Extras.SpecialRequests.Single().Text, there.Notes.Single().Text));
    }
}
