// From snapshot and journal to the state: the newest intact snapshot, then every later event through the core, batch by batch. On the thread that starts the engine.

using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.Snapshots;
using OrderEngine.Journal;

namespace OrderEngine.Engine;

internal sealed class Recovery(OrderCore core, ReadView view, TimeProvider time, ILogger logger)
{
    private readonly List<SnapshotFile> _damaged = [];
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

    /// <summary>The snapshot that was loaded; null: none.</summary>
    public SnapshotFile? Loaded { get; private set; }

    /// <summary>Bytes of events replayed.</summary>
    public long ReplayedBytes { get; private set; }

    /// <summary>Loads the newest snapshot that is intact, before the journal is opened.</summary>
    /// <returns>The first sequence that the journal has to give.</returns>
    /// <exception cref="SnapshotContentException">The snapshot is as it was written, and yet makes no sense to this engine.</exception>
    /// <exception cref="JournalException">A snapshot belongs to another journal.</exception>
    public long LoadSnapshot(ISnapshotStore store, CancellationToken cancellationToken)
    {
        foreach (var snapshot in store.List())
        {
            var started = time.GetTimestamp();
            try
            {
                // All checksums first: a core that has taken half a snapshot is of no use for an older one.
                store.Read(snapshot, _ => cancellationToken.ThrowIfCancellationRequested());
            }
            catch (SnapshotFileException error)
            {
                EngineLog.SnapshotDamaged(logger, snapshot.Sequence, error);
                _damaged.Add(snapshot);
                continue;
            }
            Load(store, snapshot, cancellationToken);
            EngineLog.SnapshotLoaded(logger, core.Sequence, view.Summary.Orders, snapshot.Bytes, time.GetElapsedTime(started).TotalSeconds);
            return core.Sequence + 1;
        }
        return 1;
    }

    /// <summary>Tidies up, once the journal is open and the directory is this process's own.</summary>
    /// <exception cref="SnapshotFileException">It could not.</exception>
    public void TidySnapshots(ISnapshotStore store)
    {
        store.RemoveLeftovers();
        foreach (var snapshot in _damaged) store.SetAside(snapshot);
    }

    private void Load(ISnapshotStore store, SnapshotFile snapshot, CancellationToken cancellationToken)
    {
        var loader = new SnapshotLoader(core);
        try
        {
            store.Read(snapshot, block =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                loader.Add(block);
            });
            var summary = loader.Finish();
            if (summary.Sequence != snapshot.Sequence) throw new SnapshotContentException($"It holds sequence {summary.Sequence}.");
            Loaded = snapshot;
            view.Publish(summary);
        }
        catch (SnapshotContentException error)
        {
            throw new SnapshotContentException($"'{snapshot.Name}' is as it was written, but this engine cannot load it: {error.Message} " +
                "Start the version that wrote it; or move the file away, to start from the snapshot before it.", error);
        }
        lock (_sync) _status = _status with { Sequence = core.Sequence };
    }

    /// <summary>Replays one stored batch, its payload valid during the call only.</summary>
    /// <exception cref="ApplyException">An event does not follow or does not fit.</exception>
    public void Replay(JournalBatch batch)
    {
        var events = new EventEnumerator(batch.Payload.Span);
        // A snapshot lies at the end of a batch: only whole batches are published.
        while (events.MoveNext()) core.Replay(events.Current);
        ReplayedBytes += batch.Payload.Length;
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
