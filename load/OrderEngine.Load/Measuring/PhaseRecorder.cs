// What was measured in one phase of a run: every step, every second, and how late the generator itself was.

using System.Collections.Concurrent;
using OrderEngine.Load.Model;

namespace OrderEngine.Load.Measuring;

/// <summary>The figures of one phase. Recording: any thread.</summary>
public sealed class PhaseRecorder(string name, string mainStep, long start)
{
    /// <summary>Seconds of a phase that get a point of their own in the charts; later ones are counted in the last.</summary>
    public const int MaxSeconds = 24 * 3_600;

    private readonly ConcurrentDictionary<string, StepRecorder> _steps = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<int, SecondRecorder> _seconds = new();
    private long _itemsInTime;
    private long _end = long.MaxValue;

    public string Name => name;

    /// <summary>When it began, by the run's clock.</summary>
    public long Start => start;

    /// <summary>When the phase stopped sending. Set once; answers that come later count for latency, not for the rate.</summary>
    public long End
    {
        get => Interlocked.Read(ref _end);
        set => Interlocked.Exchange(ref _end, value);
    }

    /// <summary>What a whole run of the scenario counts as; other steps are parts of it.</summary>
    public StepRecorder Main => Step(mainStep);

    /// <summary>How late arrivals were sent, against when they were due. Large values mean that the generator, not the server, was short of time.</summary>
    public LatencyHistogram SendLag { get; } = new();

    public IEnumerable<StepRecorder> Steps => _steps.Values.OrderBy(s => s.Name == mainStep ? "" : s.Name, StringComparer.Ordinal);

    /// <summary>Seconds from start to end.</summary>
    public double Seconds => End == long.MaxValue ? 0 : (End - start) / 1e9;

    /// <summary>Items answered with success before the phase's end, a second.</summary>
    public double Rate => Seconds <= 0 ? 0 : Interlocked.Read(ref _itemsInTime) / Seconds;

    public StepRecorder Step(string step) => _steps.GetOrAdd(step, static s => new StepRecorder(s));

    /// <summary>One whole run of the scenario.</summary>
    public void RecordMain(in Response response, long begun, long now)
    {
        Main.Record(response, now - begun);
        if (now <= End) Interlocked.Add(ref _itemsInTime, response.Items);
        Second(now).Record(response, now - begun);
    }

    /// <summary>The points of the charts, in time.</summary>
    public IEnumerable<(int Second, SecondRecorder Figures)> Series => _seconds.OrderBy(s => s.Key).Select(s => (s.Key, s.Value));

    private SecondRecorder Second(long now) =>
        _seconds.GetOrAdd((int)Math.Clamp((now - start) / MachineClock.Second, 0, MaxSeconds), static _ => new SecondRecorder());
}

/// <summary>One second of a phase.</summary>
public sealed class SecondRecorder
{
    private long _items;
    private long _notDone;

    public long Items => Interlocked.Read(ref _items);

    /// <summary>Refused and failed.</summary>
    public long NotDone => Interlocked.Read(ref _notDone);

    public LatencyHistogram Latency { get; } = new(LatencyHistogram.CoarsePrecision);

    public void Record(in Response response, long latencyNanos)
    {
        Interlocked.Add(ref _items, response.Items);
        Interlocked.Add(ref _notDone, response.Refused + response.Failed);
        if (response.Items > 0) Latency.Record(latencyNanos);
    }
}
