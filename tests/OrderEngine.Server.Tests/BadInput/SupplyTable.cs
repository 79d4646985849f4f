// Rows of stock policies, announced supply and transfers.

using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.BadInput;

internal static class SupplyTable
{
    public static IEnumerable<Case> Rows() => [.. Policies(), .. Announcements(), .. Changes(), .. Transfers(), .. Lists()];

    private static readonly Timestamp Soon = new() { Seconds = 4_000_000_000 };

    private static IEnumerable<Case> Policies()
    {
        var policy = Rpc<SetStockPolicyRequest>.Unary("SetStockPolicy", _ => new SetStockPolicyRequest { RequestId = Shop.NewId(), SkuId = "EMPTY", LocationId = "L1" },
            async (server, request) => await server.Inventory.SetStockPolicyAsync(request));
        foreach (var row in policy.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Manager)) yield return row;
        foreach (var row in policy.Id("sku_id", (request, id) => request.SkuId = id, unknown: ErrorReason.SkuNotFound)) yield return row;
        foreach (var row in policy.Id("location_id", (request, id) => request.LocationId = id, unknown: ErrorReason.LocationNotFound)) yield return row;
        foreach (var row in policy.Number("safety", (request, value) => request.Safety = value, 0, 1_000_000_000)) yield return row;
        yield return policy.Bad("safety", "overflowing", request => request.Safety = long.MinValue);
        foreach (var row in policy.Number("reorder_point", (request, value) => request.ReorderPoint = (int)value, 0, 1_000_000_000)) yield return row;
    }

    private static IEnumerable<Case> Announcements()
    {
        var announce = Rpc<AnnounceIncomingRequest>.Unary("AnnounceIncoming", _ => new AnnounceIncomingRequest
        {
            RequestId = Shop.NewId(), SkuId = "EMPTY", LocationId = "L1", Kind = SupplyKind.Purchase, Quantity = 1, ExpectedTime = Soon,
        }, async (server, request) => await server.Inventory.AnnounceIncomingAsync(request));
        foreach (var row in announce.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Manager)) yield return row;
        foreach (var row in announce.Id("sku_id", (request, id) => request.SkuId = id, unknown: ErrorReason.SkuNotFound)) yield return row;
        foreach (var row in announce.Id("location_id", (request, id) => request.LocationId = id, unknown: ErrorReason.LocationNotFound)) yield return row;
        foreach (var row in announce.Number("quantity", (request, value) => request.Quantity = (int)value, 1, 1_000_000)) yield return row;
        foreach (var row in announce.ShortText("reference", (request, text) => request.Reference = text, 64)) yield return row;
        yield return announce.Ok("kind", "= PRODUCTION", request => request.Kind = SupplyKind.Production);
        yield return announce.Bad("kind", "missing", request => request.Kind = SupplyKind.Unspecified);
        yield return announce.Bad("kind", "= TRANSFER", request => request.Kind = SupplyKind.Transfer);
        yield return announce.Bad("kind", "unknown", request => request.Kind = (SupplyKind)99);
        foreach (var row in Answers(announce, (request, id) => request.SupplyRequestId = id)) yield return row;
        yield return announce.Bad("expected_time", "missing", request => request.ExpectedTime = null);
        yield return announce.Bad("expected_time", "before 1970", request => request.ExpectedTime = new Timestamp { Seconds = -1 });
    }

    private static IEnumerable<Case> Changes()
    {
        var change = Rpc<AnnounceIncomingRequest>.Unary("AnnounceIncoming", _ => new AnnounceIncomingRequest
        {
            RequestId = Shop.NewId(), IncomingId = Core.PublicId.Format(Core.PublicId.Incoming, 1L << 40), Quantity = 1, ExpectedTime = Soon,
        }, async (server, request) => await server.Inventory.AnnounceIncomingAsync(request));
        yield return change.Refused("incoming_id", "of none", ErrorReason.IncomingNotFound, _ => { });
        yield return change.Refused("incoming_id", "made up", ErrorReason.IncomingNotFound, request => request.IncomingId = "i0000000000000x");
        yield return change.Bad("incoming_id", "of 65 bytes", request => request.IncomingId = Ids.Of(65));
        yield return change.Bad("incoming_id", "with a SKU", request => request.SkuId = "A", "sku_id");
        yield return change.Bad("incoming_id", "with a location", request => request.LocationId = "L1", "location_id");
        yield return change.Bad("incoming_id", "with a kind", request => request.Kind = SupplyKind.Purchase, "kind");
        yield return change.Bad("incoming_id", "with a reference", request => request.Reference = "PO", "reference");
        yield return change.Bad("incoming_id", "with a supply request", request => request.SupplyRequestId = Core.PublicId.Format(Core.PublicId.SupplyRequest, 1L << 40), "supply_request_id");
        yield return change.Bad("etag", "not a number", request => request.Etag = "x");
        yield return change.Refused("quantity", "= 0 of a change", ErrorReason.IncomingNotFound, request => request.Quantity = 0);
    }

    private static IEnumerable<Case> Transfers()
    {
        // Of a SKU that has none: what is sound so far is refused for the stock.
        var transfer = Rpc<TransferStockRequest>.Unary("TransferStock", _ => new TransferStockRequest
        {
            RequestId = Shop.NewId(), SkuId = "EMPTY", FromLocationId = "L2", ToLocationId = "L1", Quantity = 1_000_000, ExpectedTime = Soon,
        }, async (server, request) => await server.Inventory.TransferStockAsync(request));
        foreach (var row in transfer.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Manager)) yield return SoFar(row);
        foreach (var row in transfer.Id("sku_id", (request, id) => request.SkuId = id, unknown: ErrorReason.SkuNotFound)) yield return row;
        foreach (var row in transfer.Id("from_location_id", (request, id) => request.FromLocationId = id, unknown: ErrorReason.LocationNotFound)) yield return row;
        foreach (var row in transfer.Id("to_location_id", (request, id) => request.ToLocationId = id, unknown: ErrorReason.LocationNotFound)) yield return row;
        yield return transfer.Bad("to_location_id", "the same", request => request.ToLocationId = "L2");
        foreach (var row in transfer.Number("quantity", (request, value) => request.Quantity = (int)value, 1, 1_000_000)) yield return SoFar(row);
        foreach (var row in transfer.ShortText("reference", (request, text) => request.Reference = text, 64)) yield return SoFar(row);
        foreach (var row in Answers(transfer, (request, id) => request.SupplyRequestId = id)) yield return row;
        yield return transfer.Bad("expected_time", "missing", request => request.ExpectedTime = null);
    }

    private static IEnumerable<Case> Lists()
    {
        var requests = Rpc<ListSupplyRequestsRequest>.Unary("ListSupplyRequests", _ => new ListSupplyRequestsRequest(), async (server, request) => await server.Inventory.ListSupplyRequestsAsync(request));
        yield return requests.Ok("sku_id", "empty", _ => { });
        yield return requests.Refused("sku_id", "unknown", ErrorReason.SkuNotFound, request => request.SkuId = "nothing");
        yield return requests.Bad("sku_id", "of 65 bytes", request => request.SkuId = Ids.Of(65));
        yield return requests.Ok("include_closed", "= true", request => request.IncludeClosed = true);
        foreach (var row in requests.Page((request, size) => request.PageSize = size, (request, token) => request.PageToken = token)) yield return row;
        foreach (var row in requests.MinSequence((request, value) => request.MinSequence = value)) yield return row;
        var list = Rpc<ListIncomingRequest>.Unary("ListIncoming", _ => new ListIncomingRequest(), async (server, request) => await server.Inventory.ListIncomingAsync(request));
        yield return list.Ok("sku_id", "empty", _ => { });
        yield return list.Refused("sku_id", "unknown", ErrorReason.SkuNotFound, request => request.SkuId = "nothing");
        yield return list.Bad("sku_id", "of 65 bytes", request => request.SkuId = Ids.Of(65));
        yield return list.Ok("include_closed", "= true", request => request.IncludeClosed = true);
        foreach (var row in list.Page((request, size) => request.PageSize = size, (request, token) => request.PageToken = token)) yield return row;
        foreach (var row in list.MinSequence((request, value) => request.MinSequence = value)) yield return row;
    }

    private static IEnumerable<Case> Answers<T>(Rpc<T> rpc, Action<T, string> set) where T : Google.Protobuf.IMessage<T>
    {
        yield return rpc.Refused("supply_request_id", "of none", ErrorReason.SupplyRequestNotFound, request => set(request, Core.PublicId.Format(Core.PublicId.SupplyRequest, 1L << 40)));
        yield return rpc.Refused("supply_request_id", "made up", ErrorReason.SupplyRequestNotFound, request => set(request, "s0000000000000x"));
        yield return rpc.Bad("supply_request_id", "of 65 bytes", request => set(request, Ids.Of(65)));
    }

    private static Case SoFar(Case row) => row.Reason is null ? row with { Reason = ErrorReason.StockBelowCommitted } : row;
}
