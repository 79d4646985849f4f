// The engine's instruments: meter "OrderEngine", names as OpenTelemetry spells them, so that Prometheus shows them as orderengine_*.
// Counted on any thread without locks; gauges are read when somebody asks.

using System.Diagnostics.Metrics;
using OrderEngine.Core;
using OrderEngine.Core.Events;

namespace OrderEngine.Engine;

/// <summary>What the engine tells of itself. One object an engine.</summary>
public sealed class EngineMetrics : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "OrderEngine";

    // Commands by kind and outcome: a table, because a tagged counter costs more than deciding some commands.
    private const int Kinds = 256, OutcomesPerKind = 256;

    // Instead of an outcome, beyond all of them: what decided nothing new.
    private const int Replayed = OutcomesPerKind - 2, Checked = OutcomesPerKind - 1;

    private readonly long[] _answered = new long[Kinds * OutcomesPerKind];
    private readonly Meter _meter;
    private long _decideErrors;
    private readonly Histogram<int> _batchCommands;
    private readonly Histogram<int> _batchBytes;
    private readonly Histogram<double> _commitSeconds;
    private readonly Counter<long> _timersFired;
    private readonly Counter<long> _backordersFilled;
    private readonly Counter<long> _feedFallbacks;
    private readonly Counter<long> _snapshots;
    private long _archiveFailures;

    /// <summary>Creates the instruments.</summary>
    /// <param name="meterFactory">The host's; null: a meter of its own.</param>
    public EngineMetrics(IMeterFactory? meterFactory = null)
    {
        _meter = meterFactory?.Create(MeterName) ?? new Meter(MeterName);
        _batchCommands = _meter.CreateHistogram<int>("orderengine.batch.commands", "{command}", "Commands answered by one commit.",
            advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000] });
        _batchBytes = _meter.CreateHistogram<int>("orderengine.batch.size", "By", "Bytes of events in one commit.",
            advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [256, 1024, 4096, 16384, 65536, 262144, 1048576, 2097152] });
        _commitSeconds = _meter.CreateHistogram<double>("orderengine.commit.duration", "s", "From handing a batch to the journal to its being durable and taken up.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5] });
        // There from the start: of a series that begins with 1 Prometheus sees no increase, and nobody would be woken by the first error.
        _meter.CreateObservableCounter("orderengine.decide.errors", () => Volatile.Read(ref _decideErrors), "{error}", "Commands answered INTERNAL because deciding them failed.");
        _timersFired = _meter.CreateCounter<long>("orderengine.timers.fired", "{timer}", "Deadlines fired by the engine's own turn.");
        _backordersFilled = _meter.CreateCounter<long>("orderengine.backorders.filled", "{fill}", "Waiting lines that got stock by the engine's own turn.");
        _feedFallbacks = _meter.CreateCounter<long>("orderengine.feed.fallbacks", "{fallback}", "Times that a subscriber went on from the journal.");
        _snapshots = _meter.CreateCounter<long>("orderengine.snapshots", "{snapshot}", "Snapshots by result.");
        _meter.CreateObservableCounter("orderengine.archive.failures", () => Volatile.Read(ref _archiveFailures), "{failure}", "Times that closed orders could not be archived; they stay in memory.");
        _meter.CreateObservableCounter("orderengine.commands", ReadAnswered, "{command}", "Commands by kind and outcome; Replayed: answered from the record, Checked: a dry run.");
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    internal bool Owns(Meter meter) => ReferenceEquals(meter, _meter);

    internal long Count(CommandKind kind, Outcome outcome) => Volatile.Read(ref _answered[Cell(kind, outcome)]);

    internal void Answered(CommandKind kind, Outcome outcome) => Interlocked.Increment(ref _answered[Cell(kind, outcome)]);

    /// <summary>Counts an answer once: by its outcome only where it decided something new.</summary>
    internal void Answered(CommandKind kind, in CommandAnswer answer, bool isCheck)
    {
        if (isCheck) Interlocked.Increment(ref _answered[(int)kind * OutcomesPerKind + Checked]);
        else if (answer.Replayed) Interlocked.Increment(ref _answered[(int)kind * OutcomesPerKind + Replayed]);
        else Answered(kind, answer.Outcome);
    }

    internal void Committed(int commands, int bytes, TimeSpan duration)
    {
        _batchCommands.Record(commands);
        _batchBytes.Record(bytes);
        _commitSeconds.Record(duration.TotalSeconds);
    }

    internal void DecideFailed() => Interlocked.Increment(ref _decideErrors);

    internal void FeedFellBack() => _feedFallbacks.Add(1);

    internal void SnapshotTaken(bool succeeded) => _snapshots.Add(1, new KeyValuePair<string, object?>("result", succeeded ? "ok" : "failed"));

    internal void ArchivingFailed() => Interlocked.Increment(ref _archiveFailures);

    /// <summary>Counts what the engine did by itself.</summary>
    internal void TurnDid(ReadOnlySpan<byte> events)
    {
        if (!_timersFired.Enabled && !_backordersFilled.Enabled) return;
        var walk = new EventEnumerator(events);
        while (walk.MoveNext())
        {
            if (new EventView(walk.Current).Kind == EventKind.BackorderFilled) _backordersFilled.Add(1);
            else _timersFired.Add(1);
        }
    }

    /// <summary>Lets the gauges read an engine.</summary>
    internal void Observe(Engine engine)
    {
        _meter.CreateObservableGauge("orderengine.queue.length", () => Lanes(engine.QueueLength), "{command}", "Commands that wait, by lane, of single calls and of streams.");
        _meter.CreateObservableGauge("orderengine.queue.capacity", () => Lanes((lane, _) => engine.QueueCapacity(lane)), "{command}", "Commands that may wait, by lane, of single calls and of streams.");
        _meter.CreateObservableGauge("orderengine.subscribers", () => Streams(engine.Orders.Count, engine.Stock.Count), "{subscriber}", "Open subscriptions, by stream.");
        _meter.CreateObservableGauge("orderengine.subscriber.lag", () => Streams(engine.Orders.MaxLag, engine.Stock.MaxLag), "{event}",
            "Sequences that the slowest subscriber is behind what is durable, by stream.");
        _meter.CreateObservableGauge("orderengine.journal.size", () => engine.JournalBytes, "By", "The journal on disk.");
        _meter.CreateObservableGauge("orderengine.state.size", () => engine.StateBytes, "By", "Rows in memory.");
        _meter.CreateObservableGauge("orderengine.orders", () => engine.View.Summary.Orders, "{order}", "Orders accepted, ever.");
        _meter.CreateObservableGauge("orderengine.durable.sequence", () => engine.View.DurableSequence, "{event}", "The last durable sequence.");
        _meter.CreateObservableGauge("orderengine.journal.first.sequence", () => engine.Journal?.FirstSequence ?? 0, "{event}", "The first sequence that the journal holds.");
        _meter.CreateObservableGauge("orderengine.recovery.done", () => engine.Recovery.BytesDone, "By", "Bytes of the journal read by the recovery under way, or by the last one.");
        _meter.CreateObservableGauge("orderengine.recovery.size", () => engine.Recovery.BytesTotal, "By", "Bytes of the journal that it had to read.");
        _meter.CreateObservableGauge("orderengine.recovery.duration", () => engine.Recovery.Seconds, "s", "How long it has taken, or took.");
        _meter.CreateObservableGauge("orderengine.snapshot.sequence", () => engine.Snapshot.Sequence, "{event}", "The newest snapshot's sequence; 0: there is none.");
        _meter.CreateObservableGauge("orderengine.snapshot.age", () => engine.Snapshot.AgeSeconds, "s", "Since the newest snapshot was taken, or since the start if before or never.");
        _meter.CreateObservableGauge("orderengine.snapshot.duration", () => engine.Snapshot.Seconds, "s", "How long the newest snapshot took.");
        _meter.CreateObservableGauge("orderengine.snapshot.size", () => engine.Snapshot.Bytes, "By", "The newest snapshot.");
        _meter.CreateObservableGauge("orderengine.archive.orders", () => engine.View.Summary.Archived, "{order}", "Orders that are in the archive and not in memory.");
        _meter.CreateObservableGauge("orderengine.archive.size", () => engine.ArchiveBytes, "By", "The archive on disk.");
        _meter.CreateObservableGauge("orderengine.disk.free", () => engine.Disk.FreeBytes, "By", "Room on the disk; -1: not known.");
        _meter.CreateObservableGauge("orderengine.disk.low.mark", () => engine.Disk.LowBytes, "By", "Room below which changes are refused.");
        _meter.CreateObservableGauge("orderengine.phase", () => engine.Phase == EnginePhase.Serving && engine.Disk.IsLow ? 4 : (int)engine.Phase, null,
            "1 recovering, 2 serving, 3 draining, 4 the disk is low.");
    }

    private static Measurement<long>[] Lanes(Func<Lane, bool, int> read)
    {
        return [Of(Lane.Normal, "normal", false), Of(Lane.Normal, "normal", true), Of(Lane.Priority, "priority", false), Of(Lane.Priority, "priority", true)];

        Measurement<long> Of(Lane lane, string name, bool streamed) => new(read(lane, streamed),
            new KeyValuePair<string, object?>("lane", name), new KeyValuePair<string, object?>("of", streamed ? "streams" : "calls"));
    }

    private static Measurement<long>[] Streams(long orders, long stock) =>
        [new(orders, new KeyValuePair<string, object?>("stream", "orders")), new(stock, new KeyValuePair<string, object?>("stream", "stock"))];

    private IEnumerable<Measurement<long>> ReadAnswered()
    {
        for (var cell = 0; cell < _answered.Length; cell++)
        {
            var count = Volatile.Read(ref _answered[cell]);
            if (count == 0) continue;
            yield return new Measurement<long>(count,
                new KeyValuePair<string, object?>("kind", ((CommandKind)(cell / OutcomesPerKind)).ToString()),
                new KeyValuePair<string, object?>("outcome", Name(cell % OutcomesPerKind)));
        }
    }

    private static string Name(int outcome) => outcome switch
    {
        Replayed => nameof(Replayed),
        Checked => nameof(Checked),
        _ => ((Outcome)outcome).ToString(),
    };

    private static int Cell(CommandKind kind, Outcome outcome) => (int)kind * OutcomesPerKind + ((int)outcome & (OutcomesPerKind - 1));
}
