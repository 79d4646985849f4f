// Rows of what changes accepted orders.

using Google.Protobuf;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;
using Role = OrderEngine.Contracts.V1.Role;

namespace OrderEngine.Server.Tests.BadInput;

internal static class ChangeTable
{
    // As in FulfillmentTable: ETAG_MISMATCH means accepted so far.
    private const string NoVersion = "9223372036854775807";

    public static IEnumerable<Case> Rows()
    {
        var place = Rpc<PlaceHoldRequest>.Unary("PlaceHold",
            world => new PlaceHoldRequest { RequestId = Shop.NewId(), OrderId = world.OrderId, Etag = NoVersion, Kind = HoldKind.Risk },
            async (server, request) => await server.Orders.PlaceHoldAsync(request));
        foreach (var row in Common(place, (request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, (request, id) => request.OrderId = id,
            (request, etag) => request.Etag = etag, (request, reason) => request.Reason = reason, Role.Support)) yield return row;
        foreach (var row in Kinds(place, (request, kind) => request.Kind = kind)) yield return row;

        var release = Rpc<ReleaseHoldRequest>.Unary("ReleaseHold",
            world => new ReleaseHoldRequest { RequestId = Shop.NewId(), OrderId = world.OrderId, Etag = NoVersion, Kind = HoldKind.Risk },
            async (server, request) => await server.Orders.ReleaseHoldAsync(request));
        foreach (var row in Common(release, (request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, (request, id) => request.OrderId = id,
            (request, etag) => request.Etag = etag, (request, reason) => request.Reason = reason, Role.Reviewer)) yield return row;
        foreach (var row in Kinds(release, (request, kind) => request.Kind = kind)) yield return row;
    }

    private static IEnumerable<Case> Kinds<T>(Rpc<T> rpc, Action<T, HoldKind> set) where T : IMessage<T>
    {
        foreach (var kind in Enum.GetValues<HoldKind>())
        {
            if (kind == HoldKind.Unspecified) yield return rpc.Bad("kind", "unspecified", request => set(request, kind));
            else yield return SoFar(rpc.Ok("kind", $"= {kind}", request => set(request, kind)));
        }
        yield return rpc.Bad("kind", "unknown", request => set(request, (HoldKind)99));
        yield return rpc.Bad("kind", "negative", request => set(request, (HoldKind)(-1)));
    }

    private static IEnumerable<Case> Common<T>(Rpc<T> rpc, Action<T, string> id, Action<T, Actor> actor, Action<T, string> order, Action<T, string> etag,
        Action<T, string> reason, Role role) where T : IMessage<T>
    {
        foreach (var row in rpc.Asker(id, actor, role, Role.Carrier, Role.Finance)) yield return SoFar(row);
        foreach (var row in rpc.Id("order_id", order, unknown: ErrorReason.OrderNotFound)) yield return row;
        foreach (var row in rpc.Etag("etag", etag)) yield return row;
        foreach (var row in rpc.Reason("reason", reason)) yield return SoFar(row);
    }

    private static Case SoFar(Case row) => row.Reason is null ? row with { Reason = ErrorReason.EtagMismatch } : row;
}
