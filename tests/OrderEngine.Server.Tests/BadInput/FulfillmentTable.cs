// Rows of what warehouses and carriers report, one by one and streamed.

using Google.Protobuf;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;
using RpcStatus = Google.Rpc.Status;

namespace OrderEngine.Server.Tests.BadInput;

internal static class FulfillmentTable
{
    public static IEnumerable<Case> Rows() => [.. Releases(), .. Recalls(), .. Shipments(), .. Deliveries(), .. Losses(), .. Streams()];

    // Every sound request names an etag of no version, so that the one order of the table keeps its units: ETAG_MISMATCH means accepted so far.
    private const string NoVersion = "9223372036854775807";

    private static IEnumerable<Case> Releases()
    {
        var release = Rpc<ReleaseShipmentRequest>.Unary("ReleaseShipment", world => new ReleaseShipmentRequest
        {
            RequestId = Shop.NewId(), OrderId = world.OrderId, Etag = NoVersion, Lines = { new LineAtLocation { LineNumber = 1, LocationId = "L1", Quantity = 1 } },
        }, async (server, request) => await server.Fulfillment.ReleaseShipmentAsync(request));
        var stream = release.Via("StreamStatusReports", (server, request) => StreamAsync(server, [new StatusReport { ClientSeq = 1, Release = request }]));
        return new[] { release, stream }.SelectMany(rpc => Common(rpc, (request, id) => request.RequestId = id, (request, actor) => request.Actor = actor,
            (request, id) => request.OrderId = id, (request, etag) => request.Etag = etag, Role.Warehouse).Concat(Movements(rpc, request => request.Lines)));
    }

    private static IEnumerable<Case> Recalls()
    {
        var recall = Rpc<RecallShipmentRequest>.Unary("RecallShipment", world => new RecallShipmentRequest
        {
            RequestId = Shop.NewId(), OrderId = world.OrderId, Etag = NoVersion, Lines = { new LineAtLocation { LineNumber = 1, LocationId = "L1", Quantity = 1 } },
        }, async (server, request) => await server.Fulfillment.RecallShipmentAsync(request));
        var stream = recall.Via("StreamStatusReports", (server, request) => StreamAsync(server, [new StatusReport { ClientSeq = 1, Recall = request }]));
        return new[] { recall, stream }.SelectMany(rpc => Common(rpc, (request, id) => request.RequestId = id, (request, actor) => request.Actor = actor,
            (request, id) => request.OrderId = id, (request, etag) => request.Etag = etag, Role.Warehouse).Concat(Movements(rpc, request => request.Lines)));
    }

    private static IEnumerable<Case> Shipments()
    {
        var ship = Rpc<ConfirmShipmentRequest>.Unary("ConfirmShipment", world => new ConfirmShipmentRequest
        {
            RequestId = Shop.NewId(), OrderId = world.OrderId, Etag = NoVersion, Lines = { new LineAtLocation { LineNumber = 1, LocationId = "L1", Quantity = 1 } },
        }, async (server, request) => await server.Fulfillment.ConfirmShipmentAsync(request));
        var stream = ship.Via("StreamStatusReports", (server, request) => StreamAsync(server, [new StatusReport { ClientSeq = 1, Ship = request }]));
        foreach (var rpc in new[] { ship, stream })
        {
            foreach (var row in Common(rpc, (request, id) => request.RequestId = id, (request, actor) => request.Actor = actor,
                (request, id) => request.OrderId = id, (request, etag) => request.Etag = etag, Role.Warehouse)) yield return row;
            foreach (var row in Movements(rpc, request => request.Lines, locations: 1)) yield return row;
            yield return rpc.Bad("lines.location_id", "of two places", request => request.Lines.Add(new LineAtLocation { LineNumber = 1, LocationId = "L2", Quantity = 1 }), "lines[1].location_id");
            foreach (var row in rpc.ShortText("carrier", (request, text) => request.Carrier = text, 64)) yield return SoFar(row);
            foreach (var row in rpc.ShortText("tracking_number", (request, text) => request.TrackingNumber = text, 64)) yield return SoFar(row);
            foreach (var row in ShortPicks(rpc)) yield return row;
        }
    }

    private static IEnumerable<Case> ShortPicks(Rpc<ConfirmShipmentRequest> rpc)
    {
        ShortPick Missed(ConfirmShipmentRequest request)
        {
            if (request.ShortPicks.Count == 0) request.ShortPicks.Add(new ShortPick { LineNumber = 1, LocationId = "L1", Quantity = 1 });
            return request.ShortPicks[0];
        }
        foreach (var row in rpc.Number("short_picks.line_number", (request, value) => Missed(request).LineNumber = (int)value, 1, 2_000, "short_picks[0].line_number")) yield return SoFar(row);
        foreach (var row in rpc.Number("short_picks.quantity", (request, value) => Missed(request).Quantity = (int)value, 1, 1_000_000, "short_picks[0].quantity")) yield return SoFar(row);
        yield return SoFar(rpc.Ok("short_picks.cause", "= DAMAGED", request => Missed(request).Cause = ShortPickCause.Damaged));
        yield return rpc.Bad("short_picks.cause", "unknown", request => Missed(request).Cause = (ShortPickCause)99, "short_picks[0].cause");
        yield return rpc.Bad("short_picks.location_id", "missing", request => Missed(request).LocationId = "", "short_picks[0].location_id");
        yield return rpc.Bad("short_picks.location_id", "of another place than the parcel", request => Missed(request).LocationId = "L2", "short_picks[0].location_id");
        yield return rpc.Bad("short_picks.location_id", "of 65 bytes", request => Missed(request).LocationId = Ids.Of(65), "short_picks[0].location_id");
        yield return rpc.Bad("short_picks", "the same line twice", request => request.ShortPicks.Add([Missed(request).Clone(), Missed(request).Clone()]), "short_picks[1]");
        yield return SoFar(rpc.Ok("short_picks", "of 2000", request => FillShort(request, 2_000)));
        yield return rpc.Bad("short_picks", "of 2001", request => FillShort(request, 2_001));
    }

    private static void FillShort(ConfirmShipmentRequest request, int count)
    {
        for (var i = 0; i < count; i++) request.ShortPicks.Add(new ShortPick { LineNumber = i % 2_000 + 1, LocationId = "L1", Quantity = 1 });
    }

    private static IEnumerable<Case> Deliveries()
    {
        var deliver = Rpc<RecordDeliveryRequest>.Unary("RecordDelivery", world => new RecordDeliveryRequest
        {
            RequestId = Shop.NewId(), OrderId = world.OrderId, Etag = NoVersion, Lines = { new LineQuantity { LineNumber = 1, Quantity = 1 } },
        }, async (server, request) => await server.Fulfillment.RecordDeliveryAsync(request));
        var stream = deliver.Via("StreamStatusReports", (server, request) => StreamAsync(server, [new StatusReport { ClientSeq = 1, Deliver = request }]));
        foreach (var rpc in new[] { deliver, stream })
        {
            foreach (var row in Common(rpc, (request, id) => request.RequestId = id, (request, actor) => request.Actor = actor,
                (request, id) => request.OrderId = id, (request, etag) => request.Etag = etag, Role.Carrier)) yield return row;
            foreach (var row in Table.LineRows(rpc, request => request.Lines))
                yield return row.Reason == ErrorReason.InvalidField ? row : row with { Reason = ErrorReason.EtagMismatch };
            foreach (var row in rpc.Number("parcel_number", (request, value) => request.ParcelNumber = (int)value, 0, 10_000)) yield return SoFar(row);
        }
    }

    private static IEnumerable<Case> Losses()
    {
        var lose = Rpc<RecordLossRequest>.Unary("RecordLoss", world => new RecordLossRequest
        {
            RequestId = Shop.NewId(), OrderId = world.OrderId, Etag = NoVersion, Lines = { new LineQuantity { LineNumber = 1, Quantity = 1 } },
        }, async (server, request) => await server.Fulfillment.RecordLossAsync(request));
        var stream = lose.Via("StreamStatusReports", (server, request) => StreamAsync(server, [new StatusReport { ClientSeq = 1, Lose = request }]));
        foreach (var rpc in new[] { lose, stream })
        {
            foreach (var row in Common(rpc, (request, id) => request.RequestId = id, (request, actor) => request.Actor = actor,
                (request, id) => request.OrderId = id, (request, etag) => request.Etag = etag, Role.Carrier)) yield return row;
            foreach (var row in Table.LineRows(rpc, request => request.Lines))
                yield return row.Reason == ErrorReason.InvalidField ? row : row with { Reason = ErrorReason.EtagMismatch };
            foreach (var row in rpc.Number("parcel_number", (request, value) => request.ParcelNumber = (int)value, 0, 10_000)) yield return SoFar(row);
        }
    }

    private static IEnumerable<Case> Common<T>(Rpc<T> rpc, Action<T, string> id, Action<T, Actor> actor, Action<T, string> order, Action<T, string> etag, Role role)
        where T : IMessage<T>
    {
        foreach (var row in rpc.Asker(id, actor, role)) yield return SoFar(row);
        foreach (var row in rpc.Id("order_id", order, unknown: ErrorReason.OrderNotFound)) yield return row;
        foreach (var row in rpc.Etag("etag", etag)) yield return row;
    }

    private static IEnumerable<Case> Movements<T>(Rpc<T> rpc, Func<T, IList<LineAtLocation>> lines, int locations = 2) where T : IMessage<T>
    {
        foreach (var row in rpc.Number("lines.line_number", (request, value) => lines(request)[0].LineNumber = (int)value, 1, 2_000, "lines[0].line_number")) yield return SoFar(row);
        foreach (var row in rpc.Number("lines.quantity", (request, value) => lines(request)[0].Quantity = (int)value, 1, 1_000_000, "lines[0].quantity")) yield return SoFar(row);
        yield return rpc.Bad("lines.quantity", "overflowing", request => lines(request)[0].Quantity = int.MinValue, "lines[0].quantity");
        foreach (var row in rpc.Id("lines.location_id", (request, text) => lines(request)[0].LocationId = text, unknown: ErrorReason.LocationNotFound, path: "lines[0].location_id")) yield return row;
        yield return rpc.Bad("lines", "the same line and location twice", request => lines(request).Add(lines(request)[0].Clone()), "lines[1]");
        if (locations == 2) yield return SoFar(rpc.Ok("lines", "of 4000", request => FillLines(lines(request), 4_000)));
        yield return rpc.Bad("lines", "of 4001", request => FillLines(lines(request), 4_001));
    }

    private static void FillLines(IList<LineAtLocation> lines, int count)
    {
        lines.Clear();
        for (var i = 0; i < count; i++) lines.Add(new LineAtLocation { LineNumber = i / 2 % 2_000 + 1, LocationId = i % 2 == 0 ? "L1" : "L2", Quantity = 1 });
    }

    private static IEnumerable<Case> Streams()
    {
        var stream = new Rpc<StreamStatusReportsRequest>("StreamStatusReports", _ => new StreamStatusReportsRequest(), (server, request) => StreamAsync(server, request.Reports));
        ulong seq = 0;
        StatusReport Report(ulong number) => new() { ClientSeq = number, Release = new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = "nobody" } };
        yield return stream.Bad("reports", "empty", _ => { });
        yield return stream.Refused("reports", "of 1000, all of unknown orders", ErrorReason.OrderNotFound, request => Table.Fill(1_000, () => request.Reports.Add(Report(++seq))));
        yield return stream.Bad("reports", "of 1001", request => Table.Fill(1_001, () => request.Reports.Add(Report(++seq))));
        yield return stream.Bad("reports.report", "missing", request => request.Reports.Add(new StatusReport { ClientSeq = 1 }), "report");
        yield return stream.Bad("reports.client_seq", "twice", request => request.Reports.Add([Report(5), Report(5)]), "client_seq");
        yield return stream.Bad("reports.client_seq", "falling", request => request.Reports.Add([Report(5), Report(4)]), "client_seq");
    }

    private static Case SoFar(Case row) => row.Reason is null ? row with { Reason = ErrorReason.EtagMismatch } : row;

    private static async Task<RpcStatus?> StreamAsync(TestServer server, IEnumerable<StatusReport> reports)
    {
        using var call = server.Fulfillment.StreamStatusReports();
        var request = new StreamStatusReportsRequest();
        request.Reports.Add(reports);
        await call.RequestStream.WriteAsync(request);
        await call.RequestStream.CompleteAsync();
        RpcStatus? last = null;
        var answered = 0;
        while (await call.ResponseStream.MoveNext(default))
        {
            foreach (var result in call.ResponseStream.Current.Results)
            {
                Assert.Equal(request.Reports[answered++].ClientSeq, result.ClientSeq);
                last = result.Refused;
            }
        }
        Assert.Equal(request.Reports.Count, answered);
        return last;
    }
}
