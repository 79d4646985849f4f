// The result of a run: what the reports print and the JSON file holds, field by field (docs/LOAD.md). Times in milliseconds, sizes in bytes.

using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;
using OrderEngine.Load.Comparing;
using OrderEngine.Load.Ledger;
using OrderEngine.Load.Measuring;
using OrderEngine.Load.Model;

namespace OrderEngine.Load.Running;

/// <summary>A latency distribution.</summary>
public sealed record LatencyFigures(long Count, double MinMs, double MeanMs, double P50Ms, double P75Ms, double P90Ms, double P95Ms, double P99Ms,
    double P999Ms, double MaxMs)
{
    public static LatencyFigures Of(LatencyHistogram histogram)
    {
        ArgumentNullException.ThrowIfNull(histogram);
        double Ms(double percent) => Figures.Round(histogram.PercentileMs(percent));
        return new LatencyFigures(histogram.Count, Figures.Round(histogram.MinNanos / 1e6), Figures.Round(histogram.MeanNanos / 1e6), Ms(50), Ms(75), Ms(90),
            Ms(95), Ms(99), Ms(99.9), Figures.Round(histogram.MaxNanos / 1e6));
    }
}

/// <summary>Rounding for people and files.</summary>
public static class Figures
{
    /// <summary>Four significant digits at least, three decimals at most.</summary>
    public static double Round(double value) => Math.Round(value, 3);
}

/// <summary>One point of the latency curve.</summary>
public sealed record CurvePoint(double Percent, double Ms);

/// <summary>One second of a phase.</summary>
public sealed record SecondFigures(int Second, long Items, long NotDone, double P50Ms, double P99Ms);

/// <summary>One look at client and server. CPU in cores since the look before; null where it could not be seen.</summary>
public sealed record ResourcePoint(double Second, double? ClientCores, double? ServerCores, long? ClientBytes, long? ServerBytes);

/// <summary>One step of a phase. <see cref="Items"/> are those answered with success.</summary>
public sealed record StepResult(string Step, long Items, long Refused, long Failed, double ItemsPerSecond, LatencyFigures Latency,
    LatencyFigures? RefusalLatency, IReadOnlyDictionary<string, long> Statuses);

/// <summary>One phase. The first of <see cref="Steps"/> is the scenario itself.</summary>
public sealed record PhaseResult
{
    public required string Phase { get; init; }

    public required double Seconds { get; init; }

    /// <summary>Items answered with success within the phase, a second, in the scenario's unit.</summary>
    public required double OrdersPerSecond { get; init; }

    public required IReadOnlyList<StepResult> Steps { get; init; }

    /// <summary>Open loop: how late the generator itself sent; null in a closed loop.</summary>
    public LatencyFigures? SendLag { get; init; }

    public ProcessFigures? Client { get; init; }

    public ProcessFigures? Server { get; init; }

    public required IReadOnlyList<CurvePoint> Curve { get; init; }

    public required IReadOnlyList<SecondFigures> Series { get; init; }

    [JsonIgnore]
    public StepResult Main => Steps[0];
}

/// <summary>Where it was measured.</summary>
public sealed record Machine(string Cpu, int Cores, string Os, string Runtime, double MemoryGiB)
{
    public static Machine This()
    {
        const string cpuInfo = "/proc/cpuinfo";
        var model = File.Exists(cpuInfo)
            ? File.ReadLines(cpuInfo).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
            : null;
        return new Machine(model ?? RuntimeInformation.ProcessArchitecture.ToString(), Environment.ProcessorCount, RuntimeInformation.OSDescription,
            RuntimeInformation.FrameworkDescription, Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1 << 30), 1));
    }
}

/// <summary>A threshold and what became of it.</summary>
public sealed record ThresholdOutcome(string Threshold, double? Value, bool Passed);

/// <summary>One line that other programs read: the same in `run` and `compare`.</summary>
public sealed record Row
{
    public required string Scenario { get; init; }

    public required string Unit { get; init; }

    public required double OrdersPerSecond { get; init; }

    public required double P50Ms { get; init; }

    public required double P99Ms { get; init; }

    /// <summary>Engine's rate divided by that of the no-op server in the same round (median of the rounds); null where there is no such thing.</summary>
    public double? CeilingRatio { get; init; }

    public double? CeilingOrdersPerSecond { get; init; }

    public long Failed { get; init; }

    public long Refused { get; init; }

    /// <summary>p99 divided by the disk's p99 flush in the same run (median of the rounds); null where the disk was not timed.</summary>
    public double? P99ToFlush { get; init; }

    /// <summary>What a user would run instead, in the same rounds; empty where it was not asked for or there is none.</summary>
    public IReadOnlyList<PeerRow> Peers { get; init; } = [];

    /// <summary>True when ledger, findings and thresholds of every round passed.</summary>
    public bool Passed { get; init; }

    /// <summary>Rates of the rounds, in their order: the spread.</summary>
    public IReadOnlyList<double> Rounds { get; init; } = [];

    public IReadOnlyList<double> CeilingRounds { get; init; } = [];
}

/// <summary>A peer beside a scenario.</summary>
public sealed record PeerRow
{
    public required string Name { get; init; }

    /// <summary>The peer's median over the rounds; of each round, what it did best.</summary>
    public required double OrdersPerSecond { get; init; }

    /// <summary>Engine's rate divided by the peer's in the same round: the median of the rounds.</summary>
    public required double Ratio { get; init; }

    public required double RatioLowest { get; init; }

    public required double RatioHighest { get; init; }

    /// <summary>The peer's best line of each round.</summary>
    public IReadOnlyList<PeerLine> Rounds { get; init; } = [];
}

/// <summary>One run.</summary>
public sealed record RunResult
{
    public required string Scenario { get; init; }

    public required string Description { get; init; }

    public required string Unit { get; init; }

    public required string Address { get; init; }

    public required DateTimeOffset Started { get; init; }

    public required Machine Machine { get; init; }

    /// <summary>The phase whose figures are the scenario's.</summary>
    public required string MainPhase { get; init; }

    public required IReadOnlyList<string> Load { get; init; }

    public required IReadOnlyList<PhaseResult> Phases { get; init; }

    public required IReadOnlyList<ResourcePoint> Resources { get; init; }

    public required LedgerReport Ledger { get; init; }

    /// <summary>Write and flush of 4 KiB on the server's disk, before and after the load; null when it was not timed.</summary>
    public LatencyFigures? DiskFlush { get; init; }

    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>What must not be: a gap in a stream, a doubled event.</summary>
    public IReadOnlyList<string> Failures { get; init; } = [];

    public IReadOnlyList<ThresholdOutcome> Thresholds { get; init; } = [];

    [JsonIgnore]
    public PhaseResult MainFigures => Phases.First(p => p.Phase == MainPhase);

    public double OrdersPerSecond => MainFigures.OrdersPerSecond;

    public double P50Ms => MainFigures.Main.Latency.P50Ms;

    public double P99Ms => MainFigures.Main.Latency.P99Ms;

    /// <summary>p99 divided by the disk's p99 flush; null when that was not timed.</summary>
    public double? P99ToFlush => DiskFlush is { P99Ms: > 0 } flush ? Figures.Round(P99Ms / flush.P99Ms) : null;

    public bool LedgerPassed => Ledger.Passed && Failures.Count == 0;

    public bool ThresholdsPassed => Thresholds.All(t => t.Passed);

    public bool Passed => LedgerPassed && ThresholdsPassed;

    /// <summary>For readers that know rows only.</summary>
    public IReadOnlyList<Row> Rows => [ToRow()];

    public Row ToRow() => new()
    {
        Scenario = Scenario, Unit = Unit, OrdersPerSecond = OrdersPerSecond, P50Ms = P50Ms, P99Ms = P99Ms, Failed = MainFigures.Main.Failed,
        Refused = MainFigures.Main.Refused, Passed = Passed, Rounds = [OrdersPerSecond], P99ToFlush = P99ToFlush,
    };

    /// <summary>A figure by the name that thresholds use; the scope is a phase or a step of the main phase.</summary>
    public double? Figure(string scope, string name)
    {
        var phase = scope.Length == 0 ? MainFigures : Phases.FirstOrDefault(p => p.Phase == scope) ?? MainFigures;
        var step = scope.Length == 0 || scope == phase.Phase ? phase.Main : phase.Steps.FirstOrDefault(s => s.Step == scope);
        if (step is null) return null;
        return name.ToUpperInvariant() switch
        {
            "ORDERSPERSECOND" => step == phase.Main ? phase.OrdersPerSecond : step.ItemsPerSecond,
            "ITEMS" => step.Items,
            "REFUSED" => step.Refused,
            "FAILED" => step.Failed,
            "MINMS" => step.Latency.MinMs,
            "MEANMS" => step.Latency.MeanMs,
            "P50MS" => step.Latency.P50Ms,
            "P75MS" => step.Latency.P75Ms,
            "P90MS" => step.Latency.P90Ms,
            "P95MS" => step.Latency.P95Ms,
            "P99MS" => step.Latency.P99Ms,
            "P999MS" => step.Latency.P999Ms,
            "MAXMS" => step.Latency.MaxMs,
            "P99TOFLUSH" => P99ToFlush,
            "SENDLAGP99MS" => phase.SendLag?.P99Ms,
            "SERVERCORES" => phase.Server?.CpuCores,
            "SERVERBYTES" => phase.Server?.ResidentBytesPeak,
            _ => null,
        };
    }
}

/// <summary>Turns recorders into results.</summary>
public static class ResultBuilder
{
    private static readonly double[] CurvePercents = [0, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.9, 99.95, 99.99, 100];

    public static PhaseResult Phase(PhaseRecorder phase, ProcessSampler? client, ProcessSampler? server)
    {
        ArgumentNullException.ThrowIfNull(phase);
        var seconds = Math.Max(phase.Seconds, 1e-9);
        var main = phase.Main;
        return new PhaseResult
        {
            Phase = phase.Name,
            Seconds = Figures.Round(phase.Seconds),
            OrdersPerSecond = Figures.Round(phase.Rate),
            Steps = [Step(main, seconds), .. phase.Steps.Where(s => s != main).Select(s => Step(s, seconds))],
            SendLag = phase.SendLag.Count == 0 ? null : LatencyFigures.Of(phase.SendLag),
            Client = client?.Between(phase.Start, phase.End),
            Server = server?.Between(phase.Start, phase.End),
            Curve = [.. CurvePercents.Select(p => new CurvePoint(p, Figures.Round(p == 0 ? main.Latency.MinNanos / 1e6 : main.Latency.PercentileMs(p))))],
            Series = [.. phase.Series.Select(s => new SecondFigures(s.Second, s.Figures.Items, s.Figures.NotDone,
                Figures.Round(s.Figures.Latency.PercentileMs(50)), Figures.Round(s.Figures.Latency.PercentileMs(99))))],
        };
    }

    /// <summary>Client and server over the whole run.</summary>
    public static IReadOnlyList<ResourcePoint> Resources(long start, ProcessSampler client, ProcessSampler? server)
    {
        ArgumentNullException.ThrowIfNull(client);
        var clientSamples = client.Samples;
        var serverSamples = server?.Samples ?? [];
        var points = new List<ResourcePoint>();
        for (var i = 1; i < Math.Max(clientSamples.Count, serverSamples.Count); i++)
        {
            var at = i < clientSamples.Count ? clientSamples[i].At : serverSamples[i].At;
            points.Add(new ResourcePoint(Math.Round((at - start) / 1e9, 2), Cores(clientSamples, i), Cores(serverSamples, i),
                i < clientSamples.Count ? clientSamples[i].ResidentBytes : null, i < serverSamples.Count ? serverSamples[i].ResidentBytes : null));
        }
        return points;
    }

    private static double? Cores(IReadOnlyList<ProcessSample> samples, int i)
    {
        if (i >= samples.Count || samples[i].At <= samples[i - 1].At) return null;
        return Math.Round((samples[i].CpuSeconds - samples[i - 1].CpuSeconds) / ((samples[i].At - samples[i - 1].At) / 1e9), 3);
    }

    private static StepResult Step(StepRecorder step, double seconds) => new(step.Name, step.Items, step.Refused, step.Failed,
        Figures.Round(step.Items / seconds), LatencyFigures.Of(step.Latency), step.RefusalLatency.Count == 0 ? null : LatencyFigures.Of(step.RefusalLatency),
        step.Statuses);

    /// <summary>A load simulation in words.</summary>
    public static string Describe(LoadSimulation simulation) => simulation switch
    {
        Inject { RelativeTo: { } to } inject => string.Create(CultureInfo.InvariantCulture, $"{inject.Phase}: inject {inject.Rate} x the rate of '{to}' for {inject.During.TotalSeconds:0.#} s"),
        Inject inject => string.Create(CultureInfo.InvariantCulture, $"{inject.Phase}: inject {inject.Rate:0.#} runs a second for {inject.During.TotalSeconds:0.#} s"),
        RampingInject ramp => string.Create(CultureInfo.InvariantCulture, $"{ramp.Phase}: inject, going to {ramp.Rate:0.#} runs a second over {ramp.During.TotalSeconds:0.#} s"),
        KeepConstant keep => string.Create(CultureInfo.InvariantCulture, $"{keep.Phase}: keep {keep.Copies} copies for {keep.During.TotalSeconds:0.#} s"),
        RampingConstant ramp => string.Create(CultureInfo.InvariantCulture, $"{ramp.Phase}: go to {ramp.Copies} copies over {ramp.During.TotalSeconds:0.#} s"),
        { } pause => string.Create(CultureInfo.InvariantCulture, $"{pause.Phase}: nothing for {pause.During.TotalSeconds:0.#} s"),
        null => throw new ArgumentNullException(nameof(simulation)),
    };
}
