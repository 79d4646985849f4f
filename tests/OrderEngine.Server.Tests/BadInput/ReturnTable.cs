// Rows of returns, exchanges and repairs.

using Google.Protobuf;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.BadInput;

internal static class ReturnTable
{
    // As in FulfillmentTable: what is sound comes as far as the etag, and the one return of the table stays as it is.
    private const string NoVersion = "9223372036854775807";

    public static IEnumerable<Case> Rows() =>
    [
        .. Requests(), .. Receipts(), .. Reads(),
        .. Steps("ApproveReturn", world => new ApproveReturnRequest { RequestId = Shop.NewId(), ReturnId = world.ReturnId, Etag = NoVersion }, async (server, request) => await server.Returns.ApproveReturnAsync(request)),
        .. Steps("RejectReturn", world => new RejectReturnRequest { RequestId = Shop.NewId(), ReturnId = world.ReturnId, Etag = NoVersion }, async (server, request) => await server.Returns.RejectReturnAsync(request)),
        .. Steps("SendReturn", world => new SendReturnRequest { RequestId = Shop.NewId(), ReturnId = world.ReturnId, Etag = NoVersion }, async (server, request) => await server.Returns.SendReturnAsync(request)),
        .. Steps("RecordRepair", world => new RecordRepairRequest { RequestId = Shop.NewId(), ReturnId = world.ReturnId, Etag = NoVersion }, async (server, request) => await server.Returns.RecordRepairAsync(request)),
        .. Steps("ShipBackReturn", world => new ShipBackReturnRequest { RequestId = Shop.NewId(), ReturnId = world.ReturnId, Etag = NoVersion }, async (server, request) => await server.Returns.ShipBackReturnAsync(request)),
        .. Steps("CloseReturn", world => new CloseReturnRequest { RequestId = Shop.NewId(), ReturnId = world.ReturnId, Etag = NoVersion }, async (server, request) => await server.Returns.CloseReturnAsync(request)),
    ];

    private static IEnumerable<Case> Steps<T>(string name, Func<World, T> sound, Func<TestServer, T, Task> call) where T : IMessage<T>
    {
        var step = Rpc<T>.Unary(name, sound, call);
        var fields = sound(new World("", "")).Descriptor;
        foreach (var row in Head(step)) yield return row;
        if (fields.FindFieldByName("reason") is not null)
        {
            yield return SoFar(step.Ok("reason", "of 64 letters", request => Set(request, "reason", new string('A', 64))));
            yield return step.Bad("reason", "of 65 letters", request => Set(request, "reason", new string('A', 65)));
            yield return step.Bad("reason", "in lower case", request => Set(request, "reason", "no"));
        }
        if (fields.FindFieldByName("carrier") is null) yield break;
        foreach (var field in (string[])["carrier", "tracking_number"])
            foreach (var row in step.ShortText(field, (request, text) => Set(request, field, text), 64)) yield return SoFar(row);
    }

    // request_id, actor, return_id and etag, which every step has.
    private static IEnumerable<Case> Head<T>(Rpc<T> step) where T : IMessage<T>
    {
        foreach (var row in step.Asker((request, id) => Set(request, "request_id", id), (request, actor) => Set(request, "actor", actor), Role.Warehouse)) yield return SoFar(row);
        foreach (var row in step.Id("return_id", (request, id) => Set(request, "return_id", id), unknown: ErrorReason.ReturnNotFound)) yield return row;
        foreach (var row in step.Etag("etag", (request, etag) => Set(request, "etag", etag))) yield return row;
    }

    private static IEnumerable<Case> Requests()
    {
        var ask = Rpc<RequestReturnRequest>.Unary("RequestReturn", world =>
        {
            var request = Returning.Request(world.DeliveredOrderId, 1, 1);
            request.ReplacementLines.Add(new OrderLineDraft { SkuId = "B", Quantity = 1 });
            return request;
        }, async (server, request) => await server.Returns.RequestReturnAsync(request));
        foreach (var row in ask.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Support)) yield return row;
        foreach (var row in ask.Id("order_id", (request, id) => request.OrderId = id, unknown: ErrorReason.OrderNotFound)) yield return row;
        foreach (var row in ask.Etag("etag", (request, etag) => request.Etag = etag)) yield return row;
        foreach (var row in ask.ShortText("external_return_id", (request, id) => request.ExternalReturnId = id, 64)) yield return row;
        yield return ask.Ok("reason", "of 64 letters", request => request.Reason = new string('A', 64));
        yield return ask.Bad("reason", "of 65 letters", request => request.Reason = new string('A', 65));
        foreach (var row in Table.LineRows(ask, request => request.Lines, tooMany: ErrorReason.NotReturnable))
            yield return row.What == "= 1" ? row with { Reason = null } : row;
        const string Path = "replacement_lines";
        foreach (var row in ask.Id($"{Path}.sku_id", (request, id) => request.ReplacementLines[0].SkuId = id, unknown: ErrorReason.SkuNotFound, path: $"{Path}[0].sku_id")) yield return row;
        foreach (var row in ask.Number($"{Path}.quantity", (request, value) => request.ReplacementLines[0].Quantity = (int)value, 1, 1_000_000, $"{Path}[0].quantity")) yield return row;
        foreach (var row in ask.Number($"{Path}.unit_price_minor", (request, value) => request.ReplacementLines[0].UnitPriceMinor = value, 0, 1_000_000_000_000, $"{Path}[0].unit_price_minor")) yield return row;
        yield return ask.Ok(Path, "none", request => request.ReplacementLines.Clear());
        yield return ask.Ok(Path, "of 200", request => Table.Fill(199, () => request.ReplacementLines.Add(new OrderLineDraft { SkuId = "B", Quantity = 1 })));
        yield return ask.Bad(Path, "of 201", request => Table.Fill(200, () => request.ReplacementLines.Add(new OrderLineDraft { SkuId = "B", Quantity = 1 })));
    }

    private static IEnumerable<Case> Receipts()
    {
        var receive = Rpc<ReceiveReturnRequest>.Unary("ReceiveReturn", world =>
        {
            var request = Returning.Receive(world.ReturnId, (1, 1, Disposition.Restock));
            request.Etag = NoVersion;
            return request;
        }, async (server, request) => await server.Returns.ReceiveReturnAsync(request));
        foreach (var row in Head(receive)) yield return row;
        foreach (var row in receive.Id("location_id", (request, id) => request.LocationId = id, unknown: ErrorReason.LocationNotFound)) yield return row;
        foreach (var row in receive.Number("units.quantity", (request, value) => request.Units[0].Quantity = (int)value, 1, 1_000_000, "units[0].quantity")) yield return SoFar(row);
        foreach (var row in receive.Number("units.line_number", (request, value) => request.Units[0].LineNumber = (int)value, 1, 2_000, "units[0].line_number")) yield return SoFar(row);
        yield return SoFar(receive.Ok("units.disposition", "= REPAIR", request => request.Units[0].Disposition = Disposition.Repair));
        yield return receive.Bad("units.disposition", "unspecified", request => request.Units[0].Disposition = Disposition.Unspecified, "units[0].disposition");
        yield return receive.Bad("units.disposition", "unknown", request => request.Units[0].Disposition = (Disposition)99, "units[0].disposition");
        yield return receive.Bad("units", "none", request => request.Units.Clear());
        yield return receive.Bad("units", "a line and disposition twice", request => request.Units.Add(new ReceivedUnits { LineNumber = 1, Quantity = 1, Disposition = Disposition.Restock }), "units[1]");
        yield return SoFar(receive.Ok("units", "of 4000", request => Fill(request, 4_000)));
        yield return receive.Bad("units", "of 4001", request => Fill(request, 4_001));
    }

    private static IEnumerable<Case> Reads()
    {
        var get = Rpc<GetReturnRequest>.Unary("GetReturn", world => new GetReturnRequest { ReturnId = world.ReturnId }, async (server, request) => await server.Returns.GetReturnAsync(request));
        foreach (var row in get.Id("return_id", (request, id) => request.ReturnId = id, unknown: ErrorReason.ReturnNotFound)) yield return row;
        foreach (var row in get.MinSequence((request, value) => request.MinSequence = value)) yield return row;

        var list = Rpc<ListReturnsRequest>.Unary("ListReturns", world => new ListReturnsRequest { OrderId = world.DeliveredOrderId }, async (server, request) => await server.Returns.ListReturnsAsync(request));
        foreach (var row in list.Id("order_id", (request, id) => request.OrderId = id, required: false, unknown: ErrorReason.OrderNotFound)) yield return row;
        foreach (var row in list.Choice("state", (request, state) => request.State = state, ReturnState.Rejected)) yield return row;
        foreach (var row in list.Page((request, size) => request.PageSize = size, (request, token) => request.PageToken = token)) yield return row;
        foreach (var row in list.MinSequence((request, value) => request.MinSequence = value)) yield return row;
    }

    private static void Fill(ReceiveReturnRequest request, int count)
    {
        for (var i = 1; i < count; i++) request.Units.Add(new ReceivedUnits { LineNumber = i / 4 + 1, Quantity = 1, Disposition = (Disposition)(i % 4 + 1) });
    }

    private static void Set(IMessage request, string field, object value) => request.Descriptor.FindFieldByName(field).Accessor.SetValue(request, value);

    private static Case SoFar(Case row) => row.Reason is null ? row with { Reason = ErrorReason.EtagMismatch } : row;
}
