// Owns status, health, verify, checkpoint and log-level. One thread.
using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal static class AdminCommands
{
    // Verifying walks the whole state, which takes as long as the state is large.
    private static readonly TimeSpan LongestWalk = TimeSpan.FromHours(1);

    public static Command Status(Runner run)
    {
        var command = new Command("status", "Show how the engine is. Exits 3 while it cannot be reached or recovery is not done.");
        return run.Does(command, async (session, cancellationToken) =>
        {
            var status = await session.Client.Admin.GetEngineStatusAsync(new GetEngineStatusRequest(), cancellationToken: cancellationToken);
            if (session.Json)
                session.Say(Session.ToJson(ToJson(status)));
            else
                Show(session, status);
            return status.Phase == EnginePhase.Recovering || status.Phase == EnginePhase.Unspecified ? ExitCodes.Unavailable : ExitCodes.Ok;
        }, TimeSpan.Zero);
    }

    public static Command Health(Runner run)
    {
        var command = new Command("health", "Ask a server whether it takes orders. Needs no credential. Exits 3 when it does not, or does not answer.");
        var metrics = new Option<string>("--metrics") { Description = "Where its metrics are.", HelpName = "URL", DefaultValueFactory = _ => "http://127.0.0.1:9464" };
        command.Add(metrics);
        return run.Does(command, async (session, cancellationToken) =>
        {
            if (!Uri.TryCreate(session.Get(metrics), UriKind.Absolute, out var address))
                throw new UsageException($"--metrics: '{session.Get(metrics)}' is not an address. Write http://HOST:PORT.");
            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
            try
            {
                using var answer = await http.GetAsync(new Uri(address, "/readyz"), cancellationToken);
                session.Say(await answer.Content.ReadAsStringAsync(cancellationToken));
                return answer.IsSuccessStatusCode ? ExitCodes.Ok : ExitCodes.Unavailable;
            }
            catch (Exception away) when (away is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                session.Note($"orderctl: nothing answers at {address} ({away.Message}).");
                return ExitCodes.Unavailable;
            }
        });
    }

    public static Command Verify(Runner run)
    {
        var command = new Command("verify", "Recompute every counter from the orders behind it. Exits 1 when one differs.");
        return run.Does(command, async (session, cancellationToken) =>
        {
            var found = await session.Client.Admin.VerifyInvariantsAsync(
                new VerifyInvariantsRequest(), deadline: DateTime.UtcNow + LongestWalk, cancellationToken: cancellationToken);
            session.Answer(found, s =>
            {
                foreach (var violation in found.Violations)
                    s.Say(violation);
                s.Say(found.Violations.Count == 0
                    ? $"All invariants hold at sequence {Session.Number(found.Sequence)}: {Session.Number(found.OrdersChecked)} orders, " +
                      $"{Session.Number(found.StockLevelsChecked)} stock levels, {Session.Number(found.ReservationsChecked)} reservations checked."
                    : $"{found.Violations.Count} violations at sequence {Session.Number(found.Sequence)}. This is a defect of the engine: keep the data directory and report it.");
            });
            return found.Violations.Count == 0 ? ExitCodes.Ok : ExitCodes.Failed;
        });
    }

    public static Command Checkpoint(Runner run)
    {
        var command = new Command("checkpoint", "Take a snapshot now, so that the next start is quick, and let go of what the journal need not keep.");
        return run.Does(command, async (session, cancellationToken) =>
        {
            var taken = await session.Client.Admin.CreateCheckpointAsync(
                new CreateCheckpointRequest(), deadline: DateTime.UtcNow + LongestWalk, cancellationToken: cancellationToken);
            session.Answer(taken, s => s.Say((taken.Created ? "Snapshot taken" : "Nothing has happened since the snapshot") +
                $" at sequence {Session.Number(taken.Sequence)}, {Megabytes(taken.Bytes)}. The journal begins at sequence {Session.Number(taken.JournalFirstSequence)}."));
            return ExitCodes.Ok;
        });
    }

    public static Command LogLevelOf(Runner run)
    {
        var command = new Command("log-level", "Change what the server logs, until its next start: orderctl log-level OrderEngine debug. Without a level: as at its start.");
        var category = new Argument<string>("CATEGORY") { Description = "The beginning of the names of those who log; Default: who has no entry of its own." };
        var level = new Argument<LogThreshold>("LEVEL")
        {
            Description = "trace, debug, information, warning, error, critical.", Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = _ => LogThreshold.Unspecified,
        };
        command.Add(category);
        command.Add(level);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new SetLogLevelRequest { Category = session.Get(category), Level = session.Get(level) };
            var answer = await session.Client.Admin.SetLogLevelAsync(request, cancellationToken: cancellationToken);
            session.Answer(answer, s =>
            {
                foreach (var entry in answer.Changed) s.Say($"{entry.Category} {Values.Upper(entry.Level)}");
                if (answer.Changed.Count == 0) s.Say("All is logged as at the start.");
            });
            return ExitCodes.Ok;
        });
    }

    // Plain numbers, unlike protobuf's JSON, which writes 64-bit numbers as text: scripts compare these.
    private static JsonObject ToJson(EngineStatus status)
    {
        var stock = status.Stock ?? new StockTotals();
        return new JsonObject
        {
            ["phase"] = Values.Upper(status.Phase),
            ["sequence"] = status.Sequence,
            ["orders"] = status.Orders,
            ["stateHash"] = status.StateHash,
            ["stock"] = new JsonObject
            {
                ["onHand"] = stock.OnHand, ["reserved"] = stock.Reserved, ["backordered"] = stock.Backordered, ["held"] = stock.Held,
            },
            ["openReservations"] = status.OpenReservations,
            ["skus"] = status.Skus,
            ["locations"] = status.Locations,
            ["channels"] = status.Channels,
            ["customers"] = status.Customers,
            ["queueLength"] = status.QueueLength,
            ["queueCapacity"] = status.QueueCapacity,
            ["orderSubscribers"] = status.OrderSubscribers,
            ["stockSubscribers"] = status.StockSubscribers,
            ["journalBytes"] = status.JournalBytes,
            ["stateBytes"] = status.StateBytes,
            ["processBytes"] = status.ProcessBytes,
            ["recoveredBytes"] = status.RecoveredBytes,
            ["recoveryTotalBytes"] = status.RecoveryTotalBytes,
            ["recoverySeconds"] = status.RecoverySeconds,
            ["snapshotSequence"] = status.SnapshotSequence,
            ["snapshotBytes"] = status.SnapshotBytes,
            ["snapshotAgeSeconds"] = status.SnapshotAgeSeconds,
            ["journalFirstSequence"] = status.JournalFirstSequence,
            ["diskFreeBytes"] = status.DiskFreeBytes,
            ["diskLowBytes"] = status.DiskLowBytes,
            ["slowestSubscribers"] = new JsonArray([.. status.SlowestSubscribers.Select(one => new JsonObject { ["rpc"] = one.Rpc, ["client"] = one.Client, ["events"] = one.Events })]),
            ["startTime"] = status.StartTime?.ToDateTimeOffset().ToString("O", CultureInfo.InvariantCulture),
            ["version"] = status.Version,
        };
    }

    private static void Show(Session session, EngineStatus status)
    {
        var stock = status.Stock ?? new StockTotals();
        var recovering = status.Phase == EnginePhase.Recovering
            ? $" ({Megabytes(status.RecoveredBytes)} of {Megabytes(status.RecoveryTotalBytes)} read)" : "";
        session.Fields(("phase", Values.Upper(status.Phase) + recovering), ("sequence", Session.Number(status.Sequence)), ("state hash", status.StateHash),
            ("orders", Session.Number(status.Orders)), ("reservations", $"{Session.Number(status.OpenReservations)} open"),
            ("stock", $"{Session.Number(stock.OnHand)} on hand, {Session.Number(stock.Reserved)} reserved, {Session.Number(stock.Backordered)} backordered, {Session.Number(stock.Held)} held"),
            ("catalog", $"{Session.Number(status.Skus)} SKUs, {Session.Number(status.Locations)} locations, {Session.Number(status.Channels)} channels, {Session.Number(status.Customers)} customers"),
            ("queue", $"{Session.Number(status.QueueLength)} of {Session.Number(status.QueueCapacity)}"),
            ("subscribers", $"{Session.Number(status.OrderSubscribers)} of orders, {Session.Number(status.StockSubscribers)} of stock"),
            ("memory", $"{Megabytes(status.StateBytes)} state, {Megabytes(status.ProcessBytes)} process"), ("journal", Megabytes(status.JournalBytes)),
            ("snapshot", status.SnapshotSequence == 0 ? "none yet" : $"at {Session.Number(status.SnapshotSequence)}, {Megabytes(status.SnapshotBytes)}"),
            ("disk", $"{Megabytes(status.DiskFreeBytes)} free, changes are refused below {Megabytes(status.DiskLowBytes)}"),
            ("recovery", status.RecoverySeconds.ToString("0.0", CultureInfo.InvariantCulture) + " s"), ("started", Session.Time(status.StartTime)), ("version", status.Version));
        foreach (var one in status.SlowestSubscribers)
            session.Say($"{(one.Client.Length == 0 ? "A caller without a credential" : one.Client)} is {Session.Number(one.Events)} events behind in {one.Rpc}.");
    }

    private static string Megabytes(long bytes) => (bytes / 1048576.0).ToString("N1", CultureInfo.InvariantCulture) + " MiB";
}
