// Engine, ceiling and peers, one after the other in the same round, on fresh servers each round: ratios come from neighbouring measurements, because
// a shared disk and shared cores change within minutes. The order within a round turns from round to round.

using OrderEngine.Load.Measuring;
using OrderEngine.Load.Model;
using OrderEngine.Load.Running;
using OrderEngine.Load.Scenarios;

namespace OrderEngine.Load.Comparing;

/// <summary>How to compare.</summary>
public sealed record ComparisonSettings
{
    public required IReadOnlyList<string> Scenarios { get; init; }

    public int Rounds { get; init; } = 3;

    public TimeSpan During { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long each server is kept busy with single calls, and then with a stream, before the first scenario of a round.</summary>
    public TimeSpan ServerWarmUp { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>What carries unary calls, to the engine as to the no-op server.</summary>
    public ClientKind Client { get; init; }

    /// <summary>Where data directories are made: on the disk to be measured.</summary>
    public required string DataRoot { get; init; }

    public required string ServerDll { get; init; }

    /// <summary>The folder of the peers' scripts; null: no peers.</summary>
    public string? PeersFolder { get; init; }

    /// <summary>Numbers of clients that the peers are tried with for calls of one order.</summary>
    public string PeerClients { get; init; } = DefaultPeerClients;

    /// <summary>Where PostgreSQL is best on two shared cores, below and above.</summary>
    public const string DefaultPeerClients = "8 32";
}

/// <summary>The result of a comparison.</summary>
public sealed record ComparisonResult
{
    public required DateTimeOffset Started { get; init; }

    public required Machine Machine { get; init; }

    public required double Seconds { get; init; }

    public required int RoundCount { get; init; }

    /// <summary>Write and flush of 4 KiB on the data directory's disk, before each round.</summary>
    public required IReadOnlyList<LatencyFigures> DiskFlush { get; init; }

    public required IReadOnlyList<Row> Rows { get; init; }

    /// <summary>Every engine run, ledger included.</summary>
    public required IReadOnlyList<RunResult> Runs { get; init; }

    /// <summary>Every run on the no-op server.</summary>
    public required IReadOnlyList<RunResult> CeilingRuns { get; init; }

    /// <summary>Scenarios that could not be measured, and why; their rounds are missing from the rows.</summary>
    public IReadOnlyList<string> Errors { get; init; } = [];

    public bool Passed => Errors.Count == 0 && Rows.All(r => r.Passed);
}

/// <summary>Runs a comparison.</summary>
public static class Comparison
{
    private static readonly string[] WarmUpScenarios = ["submit-unary", "submit-stream-20"];

    public static async Task<ComparisonResult> RunAsync(ComparisonSettings settings, Action<string> say, Action<RunProgress>? progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(say);
        var started = DateTimeOffset.UtcNow;
        var engine = new List<RunResult>();
        var ceiling = new List<RunResult>();
        var beside = new List<(string Scenario, PeerPair Pair)>();
        var flushes = new List<LatencyFigures>();
        var errors = new List<string>();
        for (var round = 0; round < settings.Rounds; round++)
        {
            flushes.Add(LatencyFigures.Of(DiskProbe.Measure(settings.DataRoot)));
            say(FormattableString.Invariant($"round {round + 1} of {settings.Rounds}: disk flush p50 {flushes[^1].P50Ms:0.###} ms, p99 {flushes[^1].P99Ms:0.###} ms"));
            await using var engineServer = ServerProcess.Engine(settings.ServerDll, settings.DataRoot);
            await using var noOp = ServerProcess.NoOp();
            await WarmAsync(engineServer, settings, cancellationToken);
            await WarmAsync(noOp, settings, cancellationToken);
            var peers = settings.PeersFolder is { } folder ? new PeerRound(ask => PeersAsync(folder, ask, settings, say, cancellationToken)) : null;
            foreach (var name in settings.Scenarios)
            {
                // Engine and ceiling both or neither, so that the rounds of a row stay pairs. A server that has died fails what is left of its round.
                RunResult? measured = null, top = null;
                IReadOnlyList<PeerLine> best = [];
                List<Func<Task>> turns = [async () => measured = await MeasureAsync(name, engineServer, settings, say, progress, cancellationToken)];
                if (ScenarioCatalog.Create(name)!.HasCeiling) turns.Add(async () => top = await MeasureAsync(name, noOp, settings, say, progress, cancellationToken));
                if (peers is not null && PeerPlan.Of(name, settings.PeerClients) is { Count: > 0 } plan) turns.Add(async () => best = await BestAsync(peers, plan));
                if (round % 2 == 1) turns.Reverse();
                try
                {
                    foreach (var turn in turns) await turn();
                }
                catch (MeasurementException exception)
                {
                    Fail(exception.Message);
                    continue;
                }
                engine.Add(measured!);
                if (top is not null) ceiling.Add(top);
                beside.AddRange(best.Select(line => (name, new PeerPair(line, measured!.OrdersPerSecond))));
            }
        }
        return new ComparisonResult
        {
            Started = started, Machine = Machine.This(), Seconds = settings.During.TotalSeconds, RoundCount = settings.Rounds, DiskFlush = flushes,
            Rows = [.. settings.Scenarios.Where(name => engine.Exists(r => r.Scenario == name))
                .Select(name => ToRow([.. engine.Where(r => r.Scenario == name)], [.. ceiling.Where(r => r.Scenario == name)],
                    [.. beside.Where(b => b.Scenario == name).Select(b => b.Pair)]))],
            Runs = engine,
            CeilingRuns = ceiling,
            Errors = errors,
        };

        void Fail(string message)
        {
            errors.Add(message);
            say(message);
        }

        // A peer that fails leaves its own place empty; engine, ceiling and the other peers stand.
        async Task<IReadOnlyList<PeerLine>> BestAsync(PeerRound peers, IReadOnlyList<ScenarioPeer> plan)
        {
            var best = new List<PeerLine>();
            foreach (var peer in plan)
            {
                try
                {
                    best.Add(await peers.MeasureAsync(peer));
                }
                catch (Exception exception) when (exception is InvalidOperationException or IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
                {
                    Fail($"{peer.Name}: {exception.Message}");
                }
            }
            return best;
        }
    }

    private static Task<IReadOnlyList<PeerLine>> PeersAsync(string folder, PeerAsk ask, ComparisonSettings settings, Action<string> say, CancellationToken cancellationToken) =>
        Peers.RunAsync(folder, ask, (int)Math.Ceiling(settings.During.TotalSeconds), 1, settings.DataRoot, line => say(Reports.ComparisonTable.Peer(line)), cancellationToken);

    // A fresh process runs code that is not yet optimised, and for some ten busy seconds its compiler takes up to half of what it uses: without this
    // the first scenario of a round measures the compiler.
    private static async Task WarmAsync(ServerProcess server, ComparisonSettings settings, CancellationToken cancellationToken)
    {
        foreach (var name in WarmUpScenarios)
            await LoadRun.RunAsync(name, new RunSettings { Address = server.Address, During = settings.ServerWarmUp, WarmUp = TimeSpan.Zero, ServerPid = server.Pid, Client = settings.Client }, [], null, cancellationToken);
    }

    /// <summary>Runs one scenario on a server the tool has started.</summary>
    /// <exception cref="MeasurementException">It could not be run; what the server last wrote is in the message.</exception>
    internal static async Task<RunResult> MeasureAsync(string name, ServerProcess server, ComparisonSettings settings, Action<string> say,
        Action<RunProgress>? progress, CancellationToken cancellationToken)
    {
        var scenario = ScenarioCatalog.Create(name)!;
        var run = new RunSettings
        {
            Address = server.Address, During = settings.During, WarmUp = settings.WarmUp, ServerPid = server.Pid, Client = settings.Client,
            Disk = scenario.ComparesWithDisk ? settings.DataRoot : null,
        };
        try
        {
            var result = await LoadRun.RunAsync(name, run, LoadRun.DefaultThresholds(scenario), progress, cancellationToken);
            say(FormattableString.Invariant($"{name,-20} {server.Name,-7} {result.OrdersPerSecond,12:N0} {result.Unit}/s   p50 {result.P50Ms,9:0.###} ms   p99 {result.P99Ms,9:0.###} ms   {(result.Passed ? "" : "FAILED")}"));
            if (!result.Passed) say(Failure(result));
            return result;
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw new MeasurementException($"{name} on the {server.Name} server: {exception.Message}\n{(server.HasExited ? "the server has ended; " : "")}its last words:\n{server.Output}", exception);
        }
    }

    /// <summary>Why a run failed, in short lines.</summary>
    internal static string Failure(RunResult result) => string.Join('\n',
    [
        "  " + Reports.MarkdownReport.LedgerText(result),
        .. result.Ledger.Examples.Concat(result.Ledger.Violations).Concat(result.Failures).Select(t => "  " + t),
        .. result.Thresholds.Where(t => !t.Passed).Select(t => FormattableString.Invariant($"  threshold {t.Threshold}: {t.Value}")),
        .. result.Phases.SelectMany(p => p.Main.Statuses.Select(s => FormattableString.Invariant($"  {p.Phase}: {s.Value} x {s.Key}"))),
    ]);

    /// <summary>Medians over the rounds; the ratio is the median of the rounds' own ratios.</summary>
    internal static Row ToRow(IReadOnlyList<RunResult> engine, IReadOnlyList<RunResult> ceiling, IReadOnlyList<PeerPair> peers)
    {
        var paired = ceiling.Count == engine.Count;
        return new Row
        {
            Scenario = engine[0].Scenario,
            Unit = engine[0].Unit,
            OrdersPerSecond = Figures.Round(Median(engine.Select(r => r.OrdersPerSecond))),
            P50Ms = Figures.Round(Median(engine.Select(r => r.P50Ms))),
            P99Ms = Figures.Round(Median(engine.Select(r => r.P99Ms))),
            CeilingRatio = paired ? Figures.Round(Median(engine.Zip(ceiling, (e, c) => c.OrdersPerSecond > 0 ? e.OrdersPerSecond / c.OrdersPerSecond : 0))) : null,
            CeilingOrdersPerSecond = paired ? Figures.Round(Median(ceiling.Select(r => r.OrdersPerSecond))) : null,
            P99ToFlush = engine.All(r => r.P99ToFlush is not null) ? Figures.Round(Median(engine.Select(r => r.P99ToFlush!.Value))) : null,
            Peers = PeerPlan.Rows(peers),
            Failed = engine.Sum(r => r.MainFigures.Main.Failed),
            Refused = engine.Sum(r => r.MainFigures.Main.Refused),
            Passed = engine.All(r => r.Passed),
            Rounds = [.. engine.Select(r => r.OrdersPerSecond)],
            CeilingRounds = [.. ceiling.Select(r => r.OrdersPerSecond)],
        };
    }

    internal static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[sorted.Count / 2 - 1] + sorted[sorted.Count / 2]) / 2;
    }
}

/// <summary>A scenario could not be measured.</summary>
public sealed class MeasurementException(string message, Exception cause) : Exception(message, cause);
