// orderctl for customer care: what is sent for what is typed, and what is shown of the answer.
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client.Tests;

public sealed class CtlCareTests
{
    [Fact]
    public async Task A_complaint_is_opened_assigned_resolved_and_listed_and_feedback_given()
    {
        var sent = new List<Google.Protobuf.IMessage>();
        var services = new FakeServices();
        ComplaintResponse Took(Google.Protobuf.IMessage request)
        {
            sent.Add(request);
            return new ComplaintResponse { ComplaintId = "c1", OrderId = "o1", Sequence = 7, State = ComplaintState.Owned };
        }

        services.Customers.OnOpen = Took;
        services.Customers.OnAssign = Took;
        services.Customers.OnResolve = Took;
        services.Customers.OnFeedback = request =>
        {
            sent.Add(request);
            return new FeedbackResponse { OrderId = "o1", State = OrderState.Delivered };
        };
        services.Customers.OnComplaints = request =>
        {
            sent.Add(request);
            return new ListComplaintsResponse { Complaints = { new Complaint { ComplaintId = "c1", Category = ComplaintCategory.WrongItem, State = ComplaintState.Open, Owner = Role.Support } } };
        };
        services.Customers.OnComplaint = request =>
        {
            sent.Add(request);
            return new Complaint { ComplaintId = "c1", Text = "the lid is broken", State = ComplaintState.Open };
        };
        await using var engine = await FakeEngine.StartAsync(services);

        var codes = new[]
        {
            await Ctl.RunAsync(engine.Address, "complaint", "open", "o1", "--category", "wrong-item", "--text", "the lid is broken", "--request-id", "r1"),
            await Ctl.RunAsync(engine.Address, "complaint", "assign", "c1", "--owner", "warehouse", "--assignee", "w-17", "--request-id", "r2"),
            await Ctl.RunAsync(engine.Address, "complaint", "resolve", "c1", "--resolution", "repaired", "--return", "t1", "--request-id", "r3"),
            await Ctl.RunAsync(engine.Address, "feedback", "o1", "--rating", "4", "--text", "came early", "--request-id", "r4"),
        };
        var list = await Ctl.RunAsync(engine.Address, "complaint", "list", "--open", "--customer", "C1");
        var get = await Ctl.RunAsync(engine.Address, "complaint", "get", "c1", "--text");

        Assert.All(codes.Append(list).Append(get), run => Assert.Equal(0, run.Code));
        Assert.Equal(
        [
            new OpenComplaintRequest { RequestId = "r1", OrderId = "o1", Category = ComplaintCategory.WrongItem, Text = "the lid is broken" },
            new AssignComplaintRequest { RequestId = "r2", ComplaintId = "c1", Owner = Role.Warehouse, Assignee = "w-17" },
            new ResolveComplaintRequest { RequestId = "r3", ComplaintId = "c1", Resolution = ComplaintResolution.Repaired, ReturnId = "t1" },
            new RecordFeedbackRequest { RequestId = "r4", OrderId = "o1", Rating = 4, Text = "came early" },
            new ListComplaintsRequest { CustomerId = "C1", OpenOnly = true, PageSize = 100 },
            new GetComplaintRequest { ComplaintId = "c1", IncludeText = true },
        ], sent);
        Assert.Contains("WRONG_ITEM", list.Out, StringComparison.Ordinal);
        Assert.Contains("the lid is broken", get.Out, StringComparison.Ordinal);
        Assert.Equal(2, (await Ctl.RunAsync(engine.Address, "complaint", "open", "o1", "--category", "wrong-item")).Code);
        Assert.Equal(2, (await Ctl.RunAsync(engine.Address, "feedback", "o1")).Code);
    }

    [Fact]
    public async Task Erasing_is_asked_for_twice()
    {
        var sent = new List<Google.Protobuf.IMessage>();
        var services = new FakeServices();
        EraseResponse Took(Google.Protobuf.IMessage request)
        {
            sent.Add(request);
            return new EraseResponse { Sequence = 12, AlreadyErased = sent.Count > 1 };
        }

        services.Customers.OnErase = Took;
        services.Customers.OnEraseOrder = Took;
        await using var engine = await FakeEngine.StartAsync(services);

        var silent = await Ctl.RunAsync(engine.Address, "customer", "erase", "C1");
        var no = await Ctl.RunWithInputAsync(engine.Address, "y\n", "customer", "erase", "C1");
        Assert.Equal((1, 1, 0), (silent.Code, no.Code, sent.Count));
        Assert.Contains("for ever", no.Error, StringComparison.Ordinal);
        var typed = await Ctl.RunWithInputAsync(engine.Address, "yes\n", "customer", "erase", "C1", "--reason", "ASKED", "--request-id", "r1");
        var told = await Ctl.RunAsync(engine.Address, "order", "erase", "o1", "--yes", "--request-id", "r2");

        Assert.Equal((0, 0), (typed.Code, told.Code));
        Assert.Equal([new EraseCustomerRequest { RequestId = "r1", CustomerId = "C1", Reason = "ASKED" }, new EraseOrderRequest { RequestId = "r2", OrderId = "o1" }], sent);
        Assert.Contains("Erased at sequence 12.", typed.Out, StringComparison.Ordinal);
        Assert.Contains("Erased before.", told.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_order_is_confirmed_noted_and_shown_with_its_notes()
    {
        ConfirmOrderRequest? confirmed = null;
        AddNoteRequest? noted = null;
        SubmitOrderRequest? submitted = null;
        var services = new FakeServices();
        services.Orders.OnConfirm = request =>
        {
            confirmed = request;
            return new HoldResponse { OrderId = "o1", Sequence = 7, State = OrderState.Ready, Open = { HoldKind.Risk } };
        };
        services.Orders.OnNote = request =>
        {
            noted = request;
            return new AddNoteResponse { OrderId = "o1", Sequence = 8, State = OrderState.Ready, ReviewRuleIds = { "words" } };
        };
        services.Orders.OnSubmit = request =>
        {
            submitted = request;
            return new SubmitOrderResponse { OrderId = "o1", Sequence = 5, State = OrderState.Ready, RequiresConfirmation = true };
        };
        services.Orders.OnGet = _ => new Order
        {
            OrderId = "o1", Extras = new OrderExtras { Attributes = { new OrderEngine.Contracts.V1.Attribute { Key = "shelf", Value = "9" } }, SpecialRequests = { new SpecialRequest { LineNumber = 2, Text = "in red" } } },
            Notes = { new OrderNote { Text = "rings twice", Actor = new Actor { Id = "anna", Role = Role.Support } } },
        };
        await using var engine = await FakeEngine.StartAsync(services);

        var confirm = await Ctl.RunAsync(engine.Address, "order", "confirm", "o1", "--etag", "5", "--request-id", "r1");
        var note = await Ctl.RunAsync(engine.Address, "order", "note", "o1", "rings twice", "--request-id", "r2");
        var submit = await Ctl.RunAsync(engine.Address, "submit", "--channel", "web", "--external-id", "x", "--currency", "GBP", "--line", "MUG=1@2", "--attribute", "shelf=9=b",
            "--special-request", "in red", "--request-id", "r3");
        var shown = await Ctl.RunAsync(engine.Address, "order", "get", "o1", "--delivery");

        Assert.Equal((0, 0, 0, 0), (confirm.Code, note.Code, submit.Code, shown.Code));
        Assert.Equal(new ConfirmOrderRequest { RequestId = "r1", OrderId = "o1", Etag = "5" }, confirmed);
        Assert.Equal(new AddNoteRequest { RequestId = "r2", OrderId = "o1", Text = "rings twice" }, noted);
        Assert.Equal(new OrderExtras { Attributes = { new OrderEngine.Contracts.V1.Attribute { Key = "shelf", Value = "9=b" } }, SpecialRequests = { new SpecialRequest { Text = "in red" } } }, submitted!.Order.Extras);
        Assert.Contains("Confirmed; still held: RISK.", confirm.Out, StringComparison.Ordinal);
        Assert.Contains("looked for by words", note.Out, StringComparison.Ordinal);
        Assert.Contains("waits for its customer's confirmation", submit.Out, StringComparison.Ordinal);
        Assert.Contains("attribute shelf = 9", shown.Out, StringComparison.Ordinal);
        Assert.Contains("special request for line 2: in red", shown.Out, StringComparison.Ordinal);
        Assert.Contains("by anna (SUPPORT): rings twice", shown.Out, StringComparison.Ordinal);
        Assert.Equal(2, (await Ctl.RunAsync(engine.Address, "submit", "--channel", "web", "--external-id", "x", "--currency", "GBP", "--line", "MUG=1@2", "--attribute", "=9")).Code);
    }
}
