// Owns the file of an export of orders: a header line that names the sequence at which all of them stand, an order a line (protobuf JSON of
// orderengine.v1.ExportedOrder), and a trailer line with their number and the SHA-256 of all bytes before it. One thread.
using System.Security.Cryptography;
using System.Text;
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
        using var file = OutputFile.OpenOrStandardOutput(session.Terminal, path, "FILE");
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Write(string line)
        {
            sum.AppendData(Encoding.UTF8.GetBytes(line));
            sum.AppendData("\n"u8);
            file.Writer.Write(line);
            file.Writer.Write('\n');
        }

        var sequence = messages.Current.Sequence;
        Write(Session.ToJson(new JsonObject { ["format"] = Format, ["version"] = FormatVersion, ["sequence"] = sequence, ["personalData"] = request.IncludePersonalData }));
        var orders = 0L;
        for (; more; more = await messages.MoveNextAsync())
        {
            foreach (var order in messages.Current.Orders)
                Write(Session.ToJson(order));
            orders += messages.Current.Orders.Count;
            if (messages.Current.End is { } end && end.Orders != orders)
                throw new UsageException($"The engine sent {end.Orders} orders, {orders} have come. Export again.");
        }

        var trailer = new JsonObject { ["orders"] = orders, ["sha256"] = Convert.ToHexStringLower(sum.GetHashAndReset()) };
        await file.Writer.WriteAsync(Session.ToJson(trailer) + "\n");
        file.Complete();
        if (session.Json && !file.IsStandardOutput)
            session.Say(Session.ToJson(new JsonObject { ["orders"] = orders, ["sequence"] = sequence }));
        session.Note($"{Session.Number(orders)} orders written{(file.IsStandardOutput ? "" : " to " + path)}, as they stood at sequence {Session.Number(sequence)}");
        return ExitCodes.Ok;
    }
}
