// Rows of what is asked for the customer's sake.

using Google.Protobuf;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;
using Role = OrderEngine.Contracts.V1.Role;

namespace OrderEngine.Server.Tests.BadInput;

internal static class CareTable
{
    // As in FulfillmentTable: ETAG_MISMATCH means accepted so far.
    private const string NoVersion = "9223372036854775807";

    public static IEnumerable<Case> Rows()
    {
        var confirm = Rpc<ConfirmOrderRequest>.Unary("ConfirmOrder", world => new ConfirmOrderRequest { RequestId = Shop.NewId(), OrderId = world.OrderId, Etag = NoVersion },
            async (server, request) => await server.Orders.ConfirmOrderAsync(request));
        foreach (var row in Common(confirm, (request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, (request, id) => request.OrderId = id,
            (request, etag) => request.Etag = etag, Role.Support, Role.Reviewer, Role.Warehouse)) yield return row;

        var note = Rpc<AddNoteRequest>.Unary("AddNote", world => new AddNoteRequest { RequestId = Shop.NewId(), OrderId = world.OrderId, Etag = NoVersion, Text = "rings twice" },
            async (server, request) => await server.Orders.AddNoteAsync(request));
        foreach (var row in Common(note, (request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, (request, id) => request.OrderId = id,
            (request, etag) => request.Etag = etag, Role.Carrier, Role.Manager, Role.System)) yield return row;
        foreach (var row in note.Text("text", (request, text) => request.Text = text, 1_024))
            yield return row.What == "empty" ? note.Bad("text", "empty", request => request.Text = "") : SoFar(row);
        foreach (var row in Complaints()) yield return row;
        foreach (var row in Reads()) yield return row;
        foreach (var row in Erasures()) yield return row;
    }

    // A customer who does not exist, so that nobody of the table's world is erased.
    private static IEnumerable<Case> Erasures()
    {
        var customer = Rpc<EraseCustomerRequest>.Unary("EraseCustomer", _ => new EraseCustomerRequest { RequestId = Shop.NewId(), CustomerId = "nobody" },
            async (server, request) => await server.Customers.EraseCustomerAsync(request)).LeadingTo(ErrorReason.CustomerNotFound);
        foreach (var row in customer.Id("request_id", (request, id) => request.RequestId = Ids.Fresh(id))) yield return row;
        foreach (var row in customer.ShortText("actor.id", (request, value) => request.Actor = new Actor { Id = value }, 64)) yield return row;
        yield return customer.Ok("actor.role", "allowed", request => request.Actor = new Actor { Role = Role.Support });
        yield return customer.Bad("actor.role", "unknown", request => request.Actor = new Actor { Role = (Role)99 });
        foreach (var row in customer.Id("customer_id", (request, id) => request.CustomerId = id, unknown: ErrorReason.CustomerNotFound)) yield return row;
        foreach (var row in customer.Reason("reason", (request, reason) => request.Reason = reason)) yield return row;

        var order = Rpc<EraseOrderRequest>.Unary("EraseOrder", _ => new EraseOrderRequest { RequestId = Shop.NewId(), OrderId = Core.PublicId.Format(Core.PublicId.Order, 9_999_999) },
            async (server, request) => await server.Customers.EraseOrderAsync(request)).LeadingTo(ErrorReason.OrderNotFound);
        foreach (var row in order.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Support, Role.Customer, Role.Channel)) yield return row;
        foreach (var row in order.Id("order_id", (request, id) => request.OrderId = id, unknown: ErrorReason.OrderNotFound)) yield return row;
        foreach (var row in order.Reason("reason", (request, reason) => request.Reason = reason)) yield return row;
    }

    private static IEnumerable<Case> Complaints()
    {
        var open = Rpc<OpenComplaintRequest>.Unary("OpenComplaint",
            world => new OpenComplaintRequest { RequestId = Shop.NewId(), OrderId = world.DeliveredOrderId, Etag = NoVersion, Category = ComplaintCategory.Damaged, Text = "broken" },
            async (server, request) => await server.Customers.OpenComplaintAsync(request));
        foreach (var row in Common(open, (request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, (request, id) => request.OrderId = id,
            (request, etag) => request.Etag = etag, Role.Channel)) yield return row;
        foreach (var row in open.Choice<ComplaintCategory>("category", (request, value) => request.Category = value, ComplaintCategory.Other))
            yield return row.What == "unspecified" ? open.Bad("category", "unspecified", request => request.Category = default) : SoFar(row);
        foreach (var row in open.Text("text", (request, text) => request.Text = text, 1_024))
            yield return row.What == "empty" ? open.Bad("text", "empty", request => request.Text = "") : SoFar(row);
        foreach (var row in open.Choice<Role>("owner", (request, value) => request.Owner = value, Role.Manager)) yield return SoFar(row);
        foreach (var row in open.Id("return_id", (request, id) => request.ReturnId = id, required: false, unknown: ErrorReason.ReturnNotFound)) yield return SoFar(row);

        var assign = Rpc<AssignComplaintRequest>.Unary("AssignComplaint",
            world => new AssignComplaintRequest { RequestId = Shop.NewId(), ComplaintId = world.ComplaintId, Etag = NoVersion, Owner = Role.Support },
            async (server, request) => await server.Customers.AssignComplaintAsync(request));
        foreach (var row in OfComplaint(assign, (request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, (request, id) => request.ComplaintId = id,
            (request, etag) => request.Etag = etag)) yield return row;
        foreach (var row in assign.Choice<Role>("owner", (request, value) => request.Owner = value, Role.Manager))
            yield return row.What == "unspecified" ? assign.Bad("owner", "unspecified", request => request.Owner = default) : SoFar(row);
        foreach (var row in assign.ShortText("assignee", (request, text) => request.Assignee = text, 64)) yield return SoFar(row);

        var resolve = Rpc<ResolveComplaintRequest>.Unary("ResolveComplaint",
            world => new ResolveComplaintRequest { RequestId = Shop.NewId(), ComplaintId = world.ComplaintId, Etag = NoVersion, Resolution = ComplaintResolution.Goodwill },
            async (server, request) => await server.Customers.ResolveComplaintAsync(request));
        foreach (var row in OfComplaint(resolve, (request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, (request, id) => request.ComplaintId = id,
            (request, etag) => request.Etag = etag)) yield return row;
        foreach (var row in resolve.Choice<ComplaintResolution>("resolution", (request, value) => request.Resolution = value, ComplaintResolution.Unfounded))
            yield return row.What == "unspecified" ? resolve.Bad("resolution", "unspecified", request => request.Resolution = default) : SoFar(row);
        foreach (var row in resolve.Text("text", (request, text) => request.Text = text, 1_024)) yield return SoFar(row);
        foreach (var row in resolve.Id("return_id", (request, id) => request.ReturnId = id, required: false, unknown: ErrorReason.ReturnNotFound)) yield return SoFar(row);

        var feedback = Rpc<RecordFeedbackRequest>.Unary("RecordFeedback",
            world => new RecordFeedbackRequest { RequestId = Shop.NewId(), OrderId = world.DeliveredOrderId, Etag = NoVersion, Rating = 3 },
            async (server, request) => await server.Customers.RecordFeedbackAsync(request));
        foreach (var row in Common(feedback, (request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, (request, id) => request.OrderId = id,
            (request, etag) => request.Etag = etag, Role.Support)) yield return row;
        foreach (var row in feedback.Number("rating", (request, value) => request.Rating = (int)value, 1, 5)) yield return SoFar(row);
        foreach (var row in feedback.Text("text", (request, text) => request.Text = text, 1_024)) yield return SoFar(row);
    }

    private static IEnumerable<Case> Reads()
    {
        var get = Rpc<GetComplaintRequest>.Unary("GetComplaint", world => new GetComplaintRequest { ComplaintId = world.ComplaintId },
            async (server, request) => await server.Customers.GetComplaintAsync(request));
        foreach (var row in get.Id("complaint_id", (request, id) => request.ComplaintId = id, unknown: ErrorReason.ComplaintNotFound)) yield return row;
        yield return get.Ok("include_text", "asked for", request => request.IncludeText = true);
        foreach (var row in get.MinSequence((request, value) => request.MinSequence = value)) yield return row;

        var list = Rpc<ListComplaintsRequest>.Unary("ListComplaints", world => new ListComplaintsRequest { OrderId = world.DeliveredOrderId },
            async (server, request) => await server.Customers.ListComplaintsAsync(request));
        foreach (var row in list.Id("order_id", (request, id) => request.OrderId = id, required: false, unknown: ErrorReason.OrderNotFound)) yield return row;
        foreach (var row in list.Id("customer_id", (request, id) => request.CustomerId = id, required: false, unknown: ErrorReason.CustomerNotFound)) yield return row;
        yield return list.Ok("open_only", "asked for", request => request.OpenOnly = true);
        foreach (var row in list.Choice<ComplaintCategory>("category", (request, value) => request.Category = value, ComplaintCategory.Other)) yield return row;
        foreach (var row in list.Choice<Role>("owner", (request, value) => request.Owner = value, Role.Manager)) yield return row;
        foreach (var row in list.Page((request, size) => request.PageSize = size, (request, token) => request.PageToken = token)) yield return row;
        foreach (var row in list.MinSequence((request, value) => request.MinSequence = value)) yield return row;
    }

    private static IEnumerable<Case> OfComplaint<T>(Rpc<T> rpc, Action<T, string> id, Action<T, Actor> actor, Action<T, string> complaint, Action<T, string> etag) where T : IMessage<T>
    {
        foreach (var row in rpc.Asker(id, actor, Role.Manager, Role.Customer, Role.Channel)) yield return SoFar(row);
        foreach (var row in rpc.Id("complaint_id", complaint, unknown: ErrorReason.ComplaintNotFound)) yield return row;
        foreach (var row in rpc.Etag("etag", etag)) yield return row;
    }

    private static IEnumerable<Case> Common<T>(Rpc<T> rpc, Action<T, string> id, Action<T, Actor> actor, Action<T, string> order, Action<T, string> etag,
        Role role, params Role[] mayNot) where T : IMessage<T>
    {
        foreach (var row in rpc.Asker(id, actor, role, mayNot)) yield return SoFar(row);
        foreach (var row in rpc.Id("order_id", order, unknown: ErrorReason.OrderNotFound)) yield return row;
        foreach (var row in rpc.Etag("etag", etag)) yield return row;
    }

    private static Case SoFar(Case row) => row.Reason is null ? row with { Reason = ErrorReason.EtagMismatch } : row;
}
