// Owns the export of orders as they stand: one order a line. One thread.
using System.Text.Json.Nodes;

namespace OrderEngine.Cli.Import;

internal static class OrderFile
{
    public static async Task<int> ExportAsync(Session session, string path, CancellationToken cancellationToken)
    {
        using var file = OutputFile.OpenOrStandardOutput(session.Terminal, path, "FILE");
        var orders = 0L;
        var updates = session.Client.WatchOrdersAsync(snapshotFirst: true, onBreak: error => session.Note($"orderctl: the stream broke ({error.Message}); connecting again"),
            cancellationToken: cancellationToken);
        await foreach (var update in updates)
        {
            foreach (var order in update.Orders)
                await file.Writer.WriteLineAsync(Session.ToJson(order));
            orders += update.Orders.Count;
            if (update.SnapshotComplete)
                break;
        }

        file.Complete();
        if (session.Json && !file.IsStandardOutput)
            session.Say(Session.ToJson(new JsonObject { ["orders"] = orders }));
        session.Note($"{Session.Number(orders)} orders written{(file.IsStandardOutput ? "" : " to " + path)}");
        return ExitCodes.Ok;
    }
}
