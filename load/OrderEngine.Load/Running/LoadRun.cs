// One run from beginning to end: connect, set up, warm up, load, clean, ledger, thresholds.

using System.Globalization;
using OrderEngine.Contracts.V1;
using OrderEngine.Load.Ledger;
using OrderEngine.Load.Measuring;
using OrderEngine.Load.Model;
using OrderEngine.Load.Scenarios;

namespace OrderEngine.Load.Running;

/// <summary>Runs one scenario against one server.</summary>
public static class LoadRun
{
    /// <summary>What GetEngineStatus calls the no-op server's version.</summary>
    public const string NoOpVersion = "no-op";

    /// <summary>A generator later than this at p99 is told of in the report: its lateness is part of the latency measured.</summary>
    private const double SendLagWorthTelling = 2;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>The rule of every run that has none of its own: nothing may fail, and nothing be refused where the scenario does not ask for it.</summary>
    public static IReadOnlyList<Threshold> DefaultThresholds(IScenario scenario)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        return scenario.RefusalsExpected ? [] : [Threshold.Parse("failed=0"), Threshold.Parse("refused=0"), Threshold.Parse("items>0")];
    }

    public static async Task<RunResult> RunAsync(string scenarioName, RunSettings settings, IReadOnlyList<Threshold> thresholds,
        Action<RunProgress>? progress, CancellationToken cancellationToken, ILoadClock? clock = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(thresholds);
        var scenario = ScenarioCatalog.Create(scenarioName) ?? throw new ArgumentException($"there is no scenario '{scenarioName}'", nameof(scenarioName));
        clock ??= MachineClock.Instance;
        var started = DateTimeOffset.UtcNow;
        using var run = new RunContext(settings, ScenarioCatalog.Workload(scenarioName, Workload.NewRunId(), settings.Hot, settings.Skus, settings.Backorders), clock, scenario.Connections);
        var status = await SetUp.WaitUntilServingAsync(run.First, Patience, cancellationToken);
        run.ServerIsNoOp = status.Version == NoOpVersion;
        if (run.ServerIsNoOp && scenario is FanOutScenario) throw new InvalidOperationException($"{scenarioName}: the no-op server has no stream to follow");
        await SetUp.PrepareAsync(run, cancellationToken);
        await scenario.InitAsync(run, cancellationToken);

        using var client = new ProcessSampler(Environment.ProcessId, clock);
        using var server = ServerPid(settings) is { } pid ? new ProcessSampler(pid, clock) : null;
        var flush = settings.Disk is { } disk ? DiskProbe.Measure(disk) : null;
        var start = clock.Now;
        var simulations = Simulations(scenario, settings);
        var phases = await new ScenarioRunner(clock, progress, settings.Tick).RunAsync(scenario, simulations, settings.WarmUp, cancellationToken);
        client.Sample();
        server?.Sample();
        // Before and after: a shared disk changes within minutes, and during the load the probe would be part of it.
        if (settings.Disk is { } same) flush!.Add(DiskProbe.Measure(same));
        var findings = await scenario.CleanAsync(run, cancellationToken);
        var ledger = await LedgerCheck.RunAsync(run, cancellationToken);

        var mainPhase = phases.Any(p => p.Name == scenario.MainPhase) ? scenario.MainPhase : phases[^1].Name;
        var result = new RunResult
        {
            Scenario = scenarioName,
            Description = scenario.Description,
            Unit = scenario.Unit,
            Address = settings.Address,
            Started = started,
            Machine = Machine.This(),
            MainPhase = mainPhase,
            Load = [.. simulations.Select(ResultBuilder.Describe)],
            Phases = [.. phases.Select(p => ResultBuilder.Phase(p, client, server))],
            Resources = ResultBuilder.Resources(start, client, server),
            Ledger = ledger,
            DiskFlush = flush is null ? null : LatencyFigures.Of(flush),
            Failures = findings.Failures,
        };
        result = result with { Notes = [.. findings.Notes, .. Notes(result, run, scenario)] };
        return Judge(result, thresholds);
    }

    /// <summary>Applies thresholds to a result.</summary>
    public static RunResult Judge(RunResult result, IReadOnlyList<Threshold> thresholds)
    {
        ArgumentNullException.ThrowIfNull(result);
        ArgumentNullException.ThrowIfNull(thresholds);
        return result with
        {
            Thresholds = [.. thresholds.Select(t => new ThresholdResult(t, result.Figure(t.Scope, t.Figure))).Select(r => new ThresholdOutcome(r.Threshold.Text, r.Value, r.Passed))],
        };
    }

    private static IReadOnlyList<LoadSimulation> Simulations(IScenario scenario, RunSettings settings)
    {
        if (settings.Rate is { } rate)
            return [LoadSimulation.Inject(rate, settings.During)];
        var simulations = scenario.Simulations(settings.During);
        return settings.Copies is not { } copies
            ? simulations
            : [.. simulations.Select(s => s is KeepConstant keep ? keep with { Copies = copies } : s)];
    }

    private static int? ServerPid(RunSettings settings)
    {
        if (settings.ServerPid is { } pid) return pid;
        var address = new Uri(settings.Address);
        return address.IsLoopback ? ProcessSampler.ListeningOn(address.Port) : null;
    }

    private static IEnumerable<string> Notes(RunResult result, RunContext run, IScenario scenario)
    {
        if (scenario.ComparesWithDisk && result.DiskFlush is null) yield return "The disk's flush was not timed: --disk names a directory on the server's disk.";
        // What waits for the generator's tick waits for the tool, not for the engine.
        if (scenario.ComparesWithDisk && result.MainFigures.Steps.FirstOrDefault(step => step.Step == OpenLoop.FromSending) is { } sent)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"From when a call was sent, p99 is {sent.Latency.P99Ms:0.00} ms; the latency above is from when it was due, up to a tick of the generator (--tick) earlier.");
        yield return run.First.IsLean ? "Single calls went over the tool's own client (--client lean)." : "Single calls went over Grpc.Net.Client.";
        if (run.ServerIsNoOp) yield return "The server does nothing: this is the ceiling.";
        if (result.Phases.All(p => p.Server is null)) yield return "The server's process was not seen (not on this machine, or not to be found by its port); --server-pid names it.";
        foreach (var phase in result.Phases)
        {
            if (phase.SendLag is { P99Ms: > SendLagWorthTelling } lag)
                yield return string.Create(CultureInfo.InvariantCulture,
                    $"In phase {phase.Phase} the generator itself sent late (p99 {lag.P99Ms:0.0} ms): the machine had too little time for it, and that is part of the latency measured.");
        }
    }
}
