// Rows of what changes accepted orders.

using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
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
        foreach (var row in Amendments()) yield return row;
    }

    private static IEnumerable<Case> Amendments()
    {
        AmendOrderRequest Sound(World world, params string[] paths) => new()
        {
            RequestId = Shop.NewId(), OrderId = world.OrderId, Etag = NoVersion, UpdateMask = new FieldMask { Paths = { paths } },
            Order = new OrderAmendment { Delivery = new PersonalDetails(), Lines = { new LineAmendment { LineNumber = 1, Quantity = 1, UnitPriceMinor = 1 } } },
        };
        Rpc<AmendOrderRequest> Of(params string[] paths) =>
            Rpc<AmendOrderRequest>.Unary("AmendOrder", world => Sound(world, paths), async (server, request) => await server.Orders.AmendOrderAsync(request));

        var amend = Of("delivery", "requested_time");
        foreach (var row in Common(amend, (request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, (request, id) => request.OrderId = id,
            (request, etag) => request.Etag = etag, (request, reason) => request.Reason = reason, Role.Customer)) yield return row;
        yield return amend.Bad("order", "missing", request => request.Order = null);
        foreach (var row in DraftTable.Personal(amend, "order.delivery", request => request.Order.Delivery)) yield return SoFar(row);
        foreach (var row in DraftTable.Times(amend, (request, time) => request.Order.RequestedTime = time)) yield return SoFar(row);

        yield return amend.Bad("update_mask", "missing", request => request.UpdateMask = null);
        yield return amend.Bad("update_mask", "empty", request => request.UpdateMask = new FieldMask());
        yield return SoFar(amend.Ok("update_mask", "of a field of the delivery", request => request.UpdateMask = new FieldMask { Paths = { "delivery.address_lines" } }));
        foreach (var path in new[] { "", "*", "state", "delivery.", "delivery.planet", "lines.quantity", Ids.Of(1_000) })
            yield return amend.Bad("update_mask", $"of '{path[..Math.Min(20, path.Length)]}'", request => request.UpdateMask = new FieldMask { Paths = { path } }, "update_mask[0]");
        yield return amend.Bad("update_mask", "with a path twice", request => request.UpdateMask = new FieldMask { Paths = { "lines", "lines" } }, "update_mask[1]");
        yield return amend.Bad("update_mask", "with the whole and a part", request => request.UpdateMask = new FieldMask { Paths = { "delivery", "delivery.city" } });
        yield return amend.Bad("update_mask", "of 17 paths", request => request.UpdateMask = new FieldMask { Paths = { Enumerable.Repeat("lines", 17) } });

        var lines = Of("lines");
        LineAmendment First(AmendOrderRequest request) => request.Order.Lines[0];
        yield return lines.Refused("actor.role", "= Customer, who may not change lines", ErrorReason.RoleNotAllowed, request => request.Actor = new Actor { Role = Role.Customer });
        yield return lines.Bad("order.lines", "none", request => request.Order.Lines.Clear());
        yield return SoFar(lines.Ok("order.lines", "of 2000", request => Fill(request, 2_000)));
        yield return lines.Bad("order.lines", "of 2001", request => Fill(request, 2_001));
        foreach (var row in lines.Number("order.lines.line_number", (request, value) => Numbered(First(request), (int)value), 0, 2_000, "order.lines[0].line_number")) yield return SoFar(row);
        yield return lines.Bad("order.lines.line_number", "twice", request => request.Order.Lines.Add(First(request).Clone()), "order.lines[1].line_number");
        foreach (var row in lines.Number("order.lines.quantity", (request, value) => First(request).Quantity = (int)value, 0, 1_000_000, "order.lines[0].quantity")) yield return SoFar(row);
        yield return SoFar(lines.Ok("order.lines.quantity", "absent", request => First(request).ClearQuantity()));
        yield return lines.Bad("order.lines.quantity", "absent in a new line", request => Numbered(First(request), 0).ClearQuantity(), "order.lines[0].quantity");
        yield return lines.Bad("order.lines.quantity", "= 0 in a new line", request => Numbered(First(request), 0).Quantity = 0, "order.lines[0].quantity");
        foreach (var row in lines.Number("order.lines.unit_price_minor", (request, value) => First(request).UnitPriceMinor = value, 0, 1_000_000_000_000, "order.lines[0].unit_price_minor"))
            yield return SoFar(row);
        yield return SoFar(lines.Ok("order.lines.unit_price_minor", "absent", request => First(request).ClearUnitPriceMinor()));
        yield return lines.Bad("order.lines.unit_price_minor", "absent in a new line", request => Numbered(First(request), 0).ClearUnitPriceMinor(), "order.lines[0].unit_price_minor");
        foreach (var row in lines.Id("order.lines.sku_id", (request, id) => Numbered(First(request), 0).SkuId = id, unknown: ErrorReason.SkuNotFound, path: "order.lines[0].sku_id")) yield return row;
        yield return lines.Bad("order.lines.sku_id", "of a line that is there", request => First(request).SkuId = "A", "order.lines[0].sku_id");
    }

    // A new line needs its SKU.
    private static LineAmendment Numbered(LineAmendment line, int number)
    {
        line.LineNumber = number;
        line.SkuId = number == 0 ? "A" : "";
        return line;
    }

    private static void Fill(AmendOrderRequest request, int count)
    {
        request.Order.Lines.Clear();
        for (var i = 1; i <= count; i++) request.Order.Lines.Add(new LineAmendment { LineNumber = Math.Min(i, 2_000), Quantity = 1 });
    }

    private static IEnumerable<Case> Kinds<T>(Rpc<T> rpc, Action<T, HoldKind> set) where T : IMessage<T>
    {
        foreach (var kind in System.Enum.GetValues<HoldKind>())
        {
            if (kind is HoldKind.Unspecified or HoldKind.Confirmation) yield return rpc.Bad("kind", $"= {kind}", request => set(request, kind));
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
