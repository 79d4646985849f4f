// What was measured of one step (a kind of call) in one phase of a run. Recorded by any thread; read after the phase, roughly during it.

using System.Collections.Concurrent;
using OrderEngine.Load.Model;

namespace OrderEngine.Load.Measuring;

/// <summary>Counts and latency of one step.</summary>
public sealed class StepRecorder(string name)
{
    private readonly ConcurrentDictionary<string, Counter> _statuses = new(StringComparer.Ordinal);
    private long _items;
    private long _refused;
    private long _failed;

    public string Name => name;

    /// <summary>Latency of answered calls: from when a call was due (open loop) or sent (closed loop) to its whole answer. Failed calls are not in it.</summary>
    public LatencyHistogram Latency { get; } = new();

    /// <summary>Latency of calls that were refused as a whole.</summary>
    public LatencyHistogram RefusalLatency { get; } = new();

    /// <summary>Orders, reports, reads: what a call carried and what was answered with success.</summary>
    public long Items => Interlocked.Read(ref _items);

    /// <summary>Items that the server turned away and told so.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Items that failed in any other way.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>How often each status other than success was seen, by items.</summary>
    public IReadOnlyDictionary<string, long> Statuses => _statuses.ToDictionary(s => s.Key, s => s.Value.Value, StringComparer.Ordinal);

    public void Record(in Response response, long latencyNanos)
    {
        Interlocked.Add(ref _items, response.Items);
        Interlocked.Add(ref _refused, response.Refused);
        Interlocked.Add(ref _failed, response.Failed);
        if (response.Items > 0) Latency.Record(latencyNanos);
        else if (response.Refused > 0) RefusalLatency.Record(latencyNanos);
        if (response.Status.Length > 0)
            _statuses.GetOrAdd(response.Status, _ => new Counter()).Add(response.Refused + response.Failed);
    }

    private sealed class Counter
    {
        private long _value;

        public long Value => Interlocked.Read(ref _value);

        public void Add(long count) => Interlocked.Add(ref _value, count);
    }
}
