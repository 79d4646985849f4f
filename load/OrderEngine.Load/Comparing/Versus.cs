// Two builds of the engine beside each other: both run, both are warm, and one client serves them by turns of half a second. Whatever else the machine
// does falls on both alike, so that a few hundredths can be told apart where two runs of several seconds differ by fifteen.

using System.Globalization;
using OrderEngine.Load.Ledger;
using OrderEngine.Load.Measuring;
using OrderEngine.Load.Model;
using OrderEngine.Load.Running;
using OrderEngine.Load.Scenarios;

namespace OrderEngine.Load.Comparing;

/// <summary>How to measure two builds.</summary>
public sealed record VersusSettings
{
    /// <summary>One of those that run in a closed loop and need no phases.</summary>
    public required string Scenario { get; init; }

    /// <summary>OrderEngine.Server.dll of either build.</summary>
    public required IReadOnlyList<string> Servers { get; init; }

    /// <summary>Where data directories are made: on the disk to be measured.</summary>
    public required string DataRoot { get; init; }

    /// <summary>Turns of each build.</summary>
    public int Turns { get; init; } = 40;

    /// <summary>Of a turn.</summary>
    public TimeSpan During { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Load on each server before the first turn.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(12);

    /// <summary>Copies; null: the scenario's own number.</summary>
    public int? Copies { get; init; }

    /// <summary>What carries unary calls.</summary>
    public ClientKind Client { get; init; }
}

/// <summary>One turn of one build.</summary>
/// <param name="Items">Done within it.</param>
/// <param name="Seconds">It took.</param>
/// <param name="ServerCpuSeconds">The server used, on all cores.</param>
public readonly record struct Turn(double Items, double Seconds, double ServerCpuSeconds)
{
    public double Rate => Items / Seconds;

    public double CpuPerItem => ServerCpuSeconds / Items;
}

/// <summary>A ratio of the second build to the first.</summary>
/// <param name="Overall">Of all turns together.</param>
/// <param name="Median">Of the ratios of neighbouring turns.</param>
/// <param name="LowerQuarter">A quarter of them is below.</param>
/// <param name="UpperQuarter">A quarter of them is above.</param>
public readonly record struct TurnRatio(double Overall, double Median, double LowerQuarter, double UpperQuarter)
{
    /// <summary>From the figures of neighbouring turns, in the same order.</summary>
    internal static TurnRatio Of(double overall, IEnumerable<double> pairs)
    {
        var sorted = pairs.Order().ToArray();
        return new TurnRatio(overall, sorted[sorted.Length / 2], sorted[sorted.Length / 4], sorted[3 * sorted.Length / 4]);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Overall:0.000} (pairs: median {Median:0.000}, half of them {LowerQuarter:0.000} to {UpperQuarter:0.000})");
}

/// <summary>What came of it.</summary>
public sealed record VersusResult
{
    /// <summary>Of the first and of the second build, neighbours at the same place.</summary>
    public required IReadOnlyList<IReadOnlyList<Turn>> Turns { get; init; }

    /// <summary>What failed, of either; empty: nothing, and all that was acknowledged is there.</summary>
    public required IReadOnlyList<string> Failures { get; init; }

    public TurnRatio Rate => TurnRatio.Of(RateOf(1) / RateOf(0), Turns[1].Zip(Turns[0], (second, first) => second.Rate / first.Rate));

    public TurnRatio Cpu => TurnRatio.Of(CpuOf(1) / CpuOf(0), Turns[1].Zip(Turns[0], (second, first) => second.CpuPerItem / first.CpuPerItem));

    /// <summary>Items a second.</summary>
    public double RateOf(int build) => Turns[build].Sum(turn => turn.Items) / Turns[build].Sum(turn => turn.Seconds);

    /// <summary>The server's seconds of processor time for an item.</summary>
    public double CpuOf(int build) => Turns[build].Sum(turn => turn.ServerCpuSeconds) / Turns[build].Sum(turn => turn.Items);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"""
        first   {RateOf(0):0} a second, {1e6 * CpuOf(0):0.0} us of the server's processors each
        second  {RateOf(1):0} a second, {1e6 * CpuOf(1):0.0} us of the server's processors each
        second to first: rate {Rate}
                         processor time {Cpu}
        """);
}

/// <summary>Measures two builds by turns.</summary>
public static class Versus
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <exception cref="InvalidOperationException">A server died, or the scenario does not run in a closed loop.</exception>
    public static async Task<VersusResult> RunAsync(VersusSettings settings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(settings);
        await using var first = await Side.StartAsync(settings, 0, cancellationToken);
        await using var second = await Side.StartAsync(settings, 1, cancellationToken);
        Side[] sides = [first, second];
        // Twice, so that neither is warmed long before its first turn.
        for (var half = 0; half < 2; half++)
            foreach (var side in sides) await side.TakeTurnAsync(settings.WarmUp / 2, cancellationToken);
        var turns = new[] { new List<Turn>(), new List<Turn>() };
        for (var turn = 0; turn < settings.Turns; turn++)
        {
            // Who begins changes.
            foreach (var build in new[] { turn % 2, 1 - turn % 2 }) turns[build].Add(await sides[build].TakeTurnAsync(settings.During, cancellationToken));
        }
        return new VersusResult { Turns = turns, Failures = [.. await first.FailuresAsync(cancellationToken), .. await second.FailuresAsync(cancellationToken)] };
    }

    private sealed class Side : IAsyncDisposable
    {
        private readonly ServerProcess _server;
        private readonly RunContext _run;
        private readonly IScenario _scenario;
        private readonly string _name;
        private readonly KeepConstant _loop;
        private readonly ScenarioRunner _runner = new(MachineClock.Instance);
        private readonly ProcessSampler _sampler;
        private long _undone;

        private Side(string name, ServerProcess server, RunContext run, IScenario scenario, KeepConstant loop)
        {
            (_name, _server, _run, _scenario, _loop) = (name, server, run, scenario, loop);
            _sampler = new ProcessSampler(server.Pid, MachineClock.Instance);
        }

        public static async Task<Side> StartAsync(VersusSettings settings, int build, CancellationToken cancellationToken)
        {
            var scenario = ScenarioCatalog.Create(settings.Scenario)!;
            if (scenario.Simulations(settings.During) is not [KeepConstant loop]) throw new InvalidOperationException($"{settings.Scenario} does not run in a closed loop alone.");
            var server = ServerProcess.Engine(settings.Servers[build], settings.DataRoot);
            var run = new RunContext(new RunSettings { Address = server.Address, Client = settings.Client }, ScenarioCatalog.Workload(settings.Scenario, Workload.NewRunId(), hot: false, Workload.DefaultSkus, 0),
                MachineClock.Instance, scenario.Connections);
            var side = new Side(build == 0 ? "first" : "second", server, run, scenario, settings.Copies is { } copies ? loop with { Copies = copies } : loop);
            try
            {
                await SetUp.WaitUntilServingAsync(run.First, Patience, cancellationToken);
                await SetUp.PrepareAsync(run, cancellationToken);
                await scenario.InitAsync(run, cancellationToken);
                return side;
            }
            catch
            {
                await side.DisposeAsync();
                throw;
            }
        }

        /// <summary>Loads the server for so long; what is answered later counts for nothing.</summary>
        public async Task<Turn> TakeTurnAsync(TimeSpan during, CancellationToken cancellationToken)
        {
            _sampler.Sample();
            var phases = await _runner.RunAsync(_scenario, [_loop with { During = during }], TimeSpan.Zero, cancellationToken);
            _sampler.Sample();
            var phase = phases[0];
            _undone += phase.Main.Refused + phase.Main.Failed;
            return _sampler.Between(phase.Start, phase.End) is { } server
                ? new Turn(phase.Rate * phase.Seconds, phase.Seconds, server.CpuCores * phase.Seconds)
                : throw new InvalidOperationException($"The {_name} server has ended, or cannot be seen:\n{_server.Output}");
        }

        public async Task<IReadOnlyList<string>> FailuresAsync(CancellationToken cancellationToken)
        {
            var findings = await _scenario.CleanAsync(_run, cancellationToken);
            var ledger = await LedgerCheck.RunAsync(_run, cancellationToken);
            List<string> failures = [.. findings.Failures.Select(failure => $"{_name}: {failure}")];
            if (_undone > 0) failures.Add($"{_name}: {_undone} failed or were refused");
            if (!ledger.Passed) failures.Add($"{_name}: the ledger check failed");
            return failures;
        }

        public async ValueTask DisposeAsync()
        {
            _sampler.Dispose();
            _run.Dispose();
            await _server.DisposeAsync();
        }
    }
}
