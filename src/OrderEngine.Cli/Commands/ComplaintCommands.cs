// Owns complaint open, assign, resolve, get, list, and feedback. One thread.
using System.CommandLine;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal static class ComplaintCommands
{
    private const int DefaultCount = 100, PerPage = 1_000;

    public static Command Complaint(Runner run)
    {
        var group = new Command("complaint", "What customers complain about, who looks into it, what came of it.");
        group.Add(Open(run));
        group.Add(Assign(run));
        group.Add(Resolve(run));
        group.Add(Get(run));
        group.Add(List(run));
        return group;
    }

    public static Command Feedback(Runner run)
    {
        var command = new Command("feedback", "Record what the customer thinks of an order that came; once an order.");
        var id = OrderCommands.OrderId();
        var rating = new Option<int>("--rating") { Description = "1 (worst) to 5 (best).", HelpName = "N", Required = true };
        var text = Text("In the customer's words.");
        var (etag, requestId) = (OrderCommands.Etag(), OrderCommands.RequestId());
        OrderCommands.Add(command, id, rating, text, etag, requestId);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var answer = await session.Client.Customers.RecordFeedbackAsync(new RecordFeedbackRequest
            {
                RequestId = session.Get(requestId) ?? "", OrderId = session.Get(id), Etag = session.Get(etag) ?? "", Rating = session.Get(rating), Text = session.Get(text) ?? "",
            }, cancellationToken: cancellationToken);
            return session.Answer(answer, s => s.Fields(("order", answer.OrderId), ("state", Values.Upper(answer.State)), ("sequence", Session.Number(answer.Sequence)), ("etag", answer.Etag)));
        });
    }

    private static Argument<string> Id() => new("COMPLAINT_ID") { Description = "The engine's id of the complaint." };

    private static Option<string?> Text(string description) => new("--text") { Description = description + " Kept as personal data, at most 1,024 bytes.", HelpName = "TEXT" };

    private static Option<string?> Return() => new("--return") { Description = "A return or repair of the same order that it goes with.", HelpName = "RETURN_ID" };

    private static Command Open(Runner run)
    {
        var command = new Command("open", "Open a complaint about an order.");
        var id = OrderCommands.OrderId();
        var category = Values.Choice<ComplaintCategory>("--category", "What it is about.");
        category.Required = true;
        var text = Text("What the customer says.");
        text.Required = true;
        var owner = Values.Choice<Role>("--owner", "Who has to look into it; left out: support.");
        var (withReturn, etag, requestId) = (Return(), OrderCommands.Etag(), OrderCommands.RequestId());
        OrderCommands.Add(command, id, category, text, owner, withReturn, etag, requestId);
        return run.Does(command, async (session, cancellationToken) => Changed(session, await session.Client.Customers.OpenComplaintAsync(new OpenComplaintRequest
        {
            RequestId = session.Get(requestId) ?? "", OrderId = session.Get(id), Etag = session.Get(etag) ?? "", Category = session.Get(category), Text = session.Get(text) ?? "",
            Owner = session.Get(owner), ReturnId = session.Get(withReturn) ?? "",
        }, cancellationToken: cancellationToken)));
    }

    private static Command Assign(Runner run)
    {
        var command = new Command("assign", "Give a complaint to a role, and to one of its people if wanted.");
        var id = Id();
        var owner = Values.Choice<Role>("--owner", "Who has to look into it.");
        owner.Required = true;
        var assignee = new Option<string?>("--assignee") { Description = "Who of them: a staff number.", HelpName = "ID" };
        var (etag, requestId) = (OrderCommands.Etag(), OrderCommands.RequestId());
        OrderCommands.Add(command, id, owner, assignee, etag, requestId);
        return run.Does(command, async (session, cancellationToken) => Changed(session, await session.Client.Customers.AssignComplaintAsync(new AssignComplaintRequest
        {
            RequestId = session.Get(requestId) ?? "", ComplaintId = session.Get(id), Etag = session.Get(etag) ?? "", Owner = session.Get(owner), Assignee = session.Get(assignee) ?? "",
        }, cancellationToken: cancellationToken)));
    }

    private static Command Resolve(Runner run)
    {
        var command = new Command("resolve", "End a complaint.");
        var id = Id();
        var resolution = Values.Choice<ComplaintResolution>("--resolution", "What came of it.");
        resolution.Required = true;
        var (text, withReturn) = (Text("What was done or said."), Return());
        var (etag, requestId) = (OrderCommands.Etag(), OrderCommands.RequestId());
        OrderCommands.Add(command, id, resolution, text, withReturn, etag, requestId);
        return run.Does(command, async (session, cancellationToken) => Changed(session, await session.Client.Customers.ResolveComplaintAsync(new ResolveComplaintRequest
        {
            RequestId = session.Get(requestId) ?? "", ComplaintId = session.Get(id), Etag = session.Get(etag) ?? "", Resolution = session.Get(resolution), Text = session.Get(text) ?? "",
            ReturnId = session.Get(withReturn) ?? "",
        }, cancellationToken: cancellationToken)));
    }

    private static Command Get(Runner run)
    {
        var command = new Command("get", "Show a complaint.");
        var id = Id();
        var text = new Option<bool>("--text") { Description = "Also show what was said." };
        command.Add(id);
        command.Add(text);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var one = await session.Client.Customers.GetComplaintAsync(new GetComplaintRequest { ComplaintId = session.Get(id), IncludeText = session.Get(text) }, cancellationToken: cancellationToken);
            return session.Answer(one, s => s.Fields(("complaint", one.ComplaintId), ("order", one.OrderId), ("customer", one.CustomerId), ("category", Values.Upper(one.Category)),
                ("state", Values.Upper(one.State)), ("owner", $"{Values.Upper(one.Owner)} {one.Assignee}".Trim()), ("opened", Session.Time(one.OpenTime)), ("resolved", Session.Time(one.ResolveTime)),
                ("resolution", one.Resolution == ComplaintResolution.Unspecified ? "" : Values.Upper(one.Resolution)),
                ("goes with", one.Remedy == ComplaintRemedy.Unspecified ? "" : $"{Values.Upper(one.Remedy)} {one.ReturnId}"), ("said", one.Text), ("answered", one.ResolutionText), ("etag", one.Etag)));
        });
    }

    private static Command List(Runner run)
    {
        var command = new Command("list", "List complaints, the newest first.");
        var order = new Option<string?>("--order") { Description = "Of this order.", HelpName = "ORDER_ID" };
        var customer = new Option<string?>("--customer") { Description = "Of this customer.", HelpName = "ID" };
        var open = new Option<bool>("--open") { Description = "Only those that are not resolved." };
        var category = Values.Choice<ComplaintCategory>("--category", "About this.");
        var owner = Values.Choice<Role>("--owner", "For this role to look into.");
        var count = new Option<int?>("--count") { Description = "So many at most. Left out: 100.", HelpName = "N" };
        foreach (var option in new Option[] { order, customer, open, category, owner, count })
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new ListComplaintsRequest
            {
                OrderId = session.Get(order) ?? "", CustomerId = session.Get(customer) ?? "", OpenOnly = session.Get(open), Category = session.Get(category), Owner = session.Get(owner),
            };
            var found = new List<Complaint>();
            var wanted = session.Get(count) ?? DefaultCount;
            do
            {
                request.PageSize = Math.Clamp(wanted - found.Count, 1, PerPage);
                var page = await session.Client.Customers.ListComplaintsAsync(request, cancellationToken: cancellationToken);
                found.AddRange(page.Complaints.Take(wanted - found.Count));
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0 && found.Count < wanted);
            return session.Entries(found, ["complaint", "order", "customer", "category", "state", "owner", "opened", "resolution"], one =>
            [
                one.ComplaintId, one.OrderId, one.CustomerId, Values.Upper(one.Category), Values.Upper(one.State), $"{Values.Upper(one.Owner)} {one.Assignee}".Trim(), Session.Time(one.OpenTime),
                one.Resolution == ComplaintResolution.Unspecified ? "" : Values.Upper(one.Resolution),
            ]);
        });
    }

    private static int Changed(Session session, ComplaintResponse answer) => session.Answer(answer, s => s.Fields(("complaint", answer.ComplaintId), ("order", answer.OrderId),
        ("state", Values.Upper(answer.State)), ("sequence", Session.Number(answer.Sequence)), ("etag", answer.Etag)));
}
