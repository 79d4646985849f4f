// Owns the file of an export of orders: a header line that names the sequence at which all of them stand, an order a line (protobuf JSON of
// orderengine.v1.ExportedOrder), and a trailer line with their number and the SHA-256 of all bytes before it. One thread.
using System.Text.Json.Nodes;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Import;

internal static class OrderFile
{
    private const string Format = "orderengine-orders";
    private const int FormatVersion = 1;

    public static async Task<int> ExportAsync(Session session, string path, ExportOrdersRequest request, CancellationToken cancellationToken)
    {
        await using var messages = session.Client.ExportOrdersAsync(request, error => session.Note($"orderctl: the stream broke ({error.Message}); connecting again"), cancellationToken)
            .GetAsyncEnumerator(cancellationToken);
        // The stream is opened before the file: an engine that refuses leaves no file behind.
        var more = await messages.MoveNextAsync();
        var sequence = messages.Current.Sequence;
        using var file = new ExportFile(session, path,
            new JsonObject { ["format"] = Format, ["version"] = FormatVersion, ["sequence"] = sequence, ["personalData"] = request.IncludePersonalData });
        var orders = 0L;
        for (; more; more = await messages.MoveNextAsync())
        {
            foreach (var order in messages.Current.Orders)
                file.Write(Session.ToJson(order));
            orders += messages.Current.Orders.Count;
            if (messages.Current.End is { } end && end.Orders != orders)
                throw new UsageException($"The engine sent {end.Orders} orders, {orders} have come. Export again.");
        }

        return await file.EndAsync("orders", orders, sequence, "as they stood at");
    }
}
