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
