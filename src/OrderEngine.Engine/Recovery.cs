// From the journal to the state: every stored event through the core, batch by batch. On the thread that starts the engine.

using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Journal;

namespace OrderEngine.Engine;

internal sealed class Recovery(OrderCore core, ReadView view, TimeProvider time)
{
    private readonly Lock _sync = new();
    private long _started;
    private RecoveryStatus _status;
    private bool _ended;

    /// <summary>How far it has come. Any thread.</summary>
    public RecoveryStatus Status
    {
        get
        {
            lock (_sync) return _ended || _started == 0 ? _status : _status with { Seconds = time.GetElapsedTime(_started).TotalSeconds };
        }
    }

    public void Begin()
    {
        lock (_sync) _started = Math.Max(1, time.GetTimestamp());
    }

    public void Report(long bytesDone, long bytesTotal)
    {
        lock (_sync) _status = _status with { BytesDone = bytesDone, BytesTotal = bytesTotal };
    }

    /// <summary>Replays one stored batch, its payload valid during the call only.</summary>
    /// <exception cref="ApplyException">An event does not follow or does not fit.</exception>
    public void Replay(JournalBatch batch)
    {
        var events = new EventEnumerator(batch.Payload.Span);
        while (events.MoveNext()) core.Replay(events.Current);
        if (core.Sequence != batch.LastSequence)
            throw new ApplyException($"The batch of sequences {batch.FirstSequence} to {batch.LastSequence} ends at {core.Sequence}.");
        var summary = core.Seal();
        view.Publish(summary);
        core.Reclaim(summary.Sequence);
        lock (_sync) _status = _status with { Sequence = summary.Sequence };
    }

    public void End()
    {
        lock (_sync)
        {
            _status = _status with { Seconds = time.GetElapsedTime(_started).TotalSeconds };
            _ended = true;
        }
    }
}
