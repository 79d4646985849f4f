// When snapshots are taken, and what follows: automatically by journal bytes and by time, on demand, at a graceful stop; after each, the journal
// is let go of below the older of the two kept, less the history that streams may resume from.
//
// One at a time, on a thread of its own, which holds a read guard while it walks. A failed attempt is logged, counted and tried again
// later: it costs nothing but a longer recovery. A failed truncation is a failed journal, and ends the process.

using System.Diagnostics.CodeAnalysis;
using OrderEngine.Core.Snapshots;
using OrderEngine.Journal;

namespace OrderEngine.Engine;

/// <summary>How a checkpoint on demand ended.</summary>
public enum CheckpointStatus
{
    /// <summary>A snapshot was written and verified.</summary>
    Created = 0,
    /// <summary>Nothing has happened since the newest snapshot: it stands.</summary>
    Unchanged = 1,
    /// <summary>One is being written.</summary>
    AlreadyRunning = 2,
    /// <summary>It could not be written; the reason is given and logged. The engine goes on.</summary>
    Failed = 3,
    /// <summary>The engine is recovering or stopping, or keeps no snapshots.</summary>
    NotServing = 4,
}

/// <summary>The answer to <see cref="Engine.CreateCheckpointAsync"/>.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Snapshot">The newest snapshot; null when there is none.</param>
/// <param name="Reason">With <see cref="CheckpointStatus.Failed"/>: why; otherwise empty.</param>
public sealed record CheckpointResult(CheckpointStatus Status, SnapshotFile? Snapshot, string Reason);

/// <summary>The newest snapshot, for status and metrics.</summary>
/// <param name="Sequence">Everything up to here is in it; 0: there is none.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Seconds">How long it took; 0 for one that an earlier process took.</param>
/// <param name="AgeSeconds">Since it was taken; since the start for one that an earlier process took, and where there is none.</param>
public readonly record struct SnapshotStatus(long Sequence, long Bytes, double Seconds, double AgeSeconds);

internal sealed class Snapshotter : IDisposable
{
    private readonly ISnapshotStore _store;
    private readonly ReadView _view;
    private readonly EngineOptions _options;
    private readonly FailureLatch _failure;
    private readonly EngineMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly DiskWatch _disk;
    private readonly EngineThreads _threads;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private readonly Lock _sync = new();
    private IJournal? _journal;
    private SnapshotFile? _newest;
    private Task<CheckpointResult> _running = Task.FromResult(new CheckpointResult(CheckpointStatus.NotServing, null, ""));
    private long _bytesSince;
    private long _takenAt;
    private double _seconds;
    private bool _open;
    private bool _holdBack;
    private int _holds;

    public Snapshotter(ISnapshotStore store, ReadView view, EngineOptions options, FailureLatch failure, EngineMetrics metrics, TimeProvider time,
        DiskWatch disk, EngineThreads threads, ILogger logger)
    {
        _store = store;
        _view = view;
        _options = options;
        _failure = failure;
        _metrics = metrics;
        _time = time;
        _disk = disk;
        _threads = threads;
        _logger = logger;
        _timer = time.CreateTimer(static snapshotter => ((Snapshotter)snapshotter!).Ring(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The newest snapshot. Any thread.</summary>
    public SnapshotStatus Status
    {
        get
        {
            lock (_sync)
            {
                // Where none succeeds the age must grow too: an alert waits for it.
                return _open || _newest is not null ? new SnapshotStatus(_newest?.Sequence ?? 0, _newest?.Bytes ?? 0, _seconds, _time.GetElapsedTime(_takenAt).TotalSeconds) : default;
            }
        }
    }

    /// <summary>Begins, once the journal is open.</summary>
    /// <param name="journal">The journal to let go of.</param>
    /// <param name="newest">The snapshot that was loaded, if any.</param>
    /// <param name="bytesSince">Bytes of events replayed behind it.</param>
    public void Begin(IJournal journal, SnapshotFile? newest, long bytesSince)
    {
        lock (_sync)
        {
            _journal = journal;
            _newest = newest;
            _takenAt = _time.GetTimestamp();
            _bytesSince = bytesSince;
            _open = true;
            _timer.Change(_options.SnapshotInterval, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Counts what was committed, and takes a snapshot when it is enough. Publisher.</summary>
    public void Committed(int bytes)
    {
        if (Interlocked.Add(ref _bytesSince, bytes) < _options.SnapshotJournalBytes) return;
        lock (_sync)
        {
            if (_newest is not null && Interlocked.Read(ref _bytesSince) < _newest.Bytes / 100 * _options.SnapshotGrowthPercent) return;
            if (_open && !_holdBack && _running.IsCompleted) Start();
        }
    }

    /// <summary>Takes one now, unless one is being taken or nothing has happened since the last.</summary>
    public Task<CheckpointResult> CreateAsync()
    {
        lock (_sync)
        {
            if (!_open) return Task.FromResult(new CheckpointResult(CheckpointStatus.NotServing, _newest, ""));
            if (!_running.IsCompleted) return Task.FromResult(new CheckpointResult(CheckpointStatus.AlreadyRunning, _newest, ""));
            if (_newest is not null && _newest.Sequence == _view.DurableSequence) return Task.FromResult(new CheckpointResult(CheckpointStatus.Unchanged, _newest, ""));
            Start();
            return _running;
        }
    }

    /// <summary>Lets go of nothing in the journal until what is returned is disposed of. Nothing is being let go of on return. Any thread.</summary>
    public async Task<IDisposable> HoldAsync()
    {
        Task<CheckpointResult> running;
        lock (_sync)
        {
            _holds++;
            running = _running;
        }
        await running;
        return new Hold(this);
    }

    private sealed class Hold(Snapshotter owner) : IDisposable
    {
        private int _ended;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _ended, 1) != 0) return;
            lock (owner._sync) owner._holds--;
        }
    }

    /// <summary>Waits for one that is being taken; then takes a last one if enough has been committed since. Everything committed is published.</summary>
    public async Task StopAsync()
    {
        Task<CheckpointResult> running;
        lock (_sync)
        {
            _open = false;
            running = _running;
        }
        // What went wrong with it has been logged.
        await running;
        if (_journal is null || _failure.HasFailed || Interlocked.Read(ref _bytesSince) < _options.SnapshotAtStopBytes) return;
        lock (_sync)
        {
            Start();
            running = _running;
        }
        await running;
    }

    public void Dispose() => _timer.Dispose();

    private void Ring()
    {
        lock (_sync)
        {
            _holdBack = false;
            if (!_open) return;
            if (_running.IsCompleted && Interlocked.Read(ref _bytesSince) > 0) Start();
            else _timer.Change(_options.SnapshotInterval, Timeout.InfiniteTimeSpan);
        }
    }

    // A thread of its own: the walk takes long and holds a guard, which belongs to one thread.
    private void Start() => _running = _threads.RunLong(TakeAsync);

    [SuppressMessage("Design", "CA1031", Justification = "Whatever keeps a snapshot from being taken costs that attempt only.")]
    private async Task<CheckpointResult> TakeAsync()
    {
        var started = _time.GetTimestamp();
        var before = Interlocked.Read(ref _bytesSince);
        SnapshotFile taken;
        try
        {
            var expected = ExpectedBytes(before);
            if (!_disk.HasRoomFor(expected)) throw new SnapshotFileException($"The disk is too full for a snapshot of about {expected} bytes.");
            taken = _store.Write(Walk);
        }
        catch (Exception error)
        {
            return Failed(error);
        }
        var seconds = _time.GetElapsedTime(started).TotalSeconds;
        lock (_sync)
        {
            (_newest, _seconds, _takenAt) = (taken, seconds, _time.GetTimestamp());
            if (_open) _timer.Change(_options.SnapshotInterval, Timeout.InfiniteTimeSpan);
        }
        Interlocked.Add(ref _bytesSince, -before);
        _metrics.SnapshotTaken(succeeded: true);
        EngineLog.SnapshotTaken(_logger, taken.Sequence, taken.Bytes, seconds);
        await TruncateAsync();
        return new CheckpointResult(CheckpointStatus.Created, taken, "");
    }

    // An order takes more bytes in a snapshot than its events take in the journal, but not twice as many; a first one never more than memory.
    private long ExpectedBytes(long bytesSince)
    {
        lock (_sync) return _newest is null ? _view.Reader.ResidentBytes : _newest.Bytes + 2 * bytesSince;
    }

    private CheckpointResult Failed(Exception error)
    {
        _metrics.SnapshotTaken(succeeded: false);
        EngineLog.SnapshotFailed(_logger, _options.SnapshotRetry.TotalSeconds, error);
        lock (_sync)
        {
            _holdBack = true;
            if (_open) _timer.Change(_options.SnapshotRetry, Timeout.InfiniteTimeSpan);
            return new CheckpointResult(CheckpointStatus.Failed, _newest, error.Message);
        }
    }

    private long Walk(Action<ReadOnlySpan<byte>> add)
    {
        var began = _time.GetTimestamp();
        return SnapshotWriter.Write(_view.Reader, () => _view.Summary, block =>
        {
            if (_failure.HasFailed) throw new OperationCanceledException("The engine has failed.");
            add(block);
            var worked = _time.GetElapsedTime(began);
            // At a stop somebody does wait for it.
            if (worked < EngineBounds.WalkTurn || !Volatile.Read(ref _open)) return;
            _threads.Rest(worked < EngineBounds.LongestRest ? worked : EngineBounds.LongestRest);
            began = _time.GetTimestamp();
        }).Sequence;
    }

    [SuppressMessage("Design", "CA1031", Justification = "The process ends with whatever it was.")]
    private async Task TruncateAsync()
    {
        lock (_sync)
        {
            // A backup reads it. The next snapshot lets go of more.
            if (_holds > 0) return;
        }
        try
        {
            var kept = _store.List();
            // With one snapshot alone the whole journal is what one falls back to.
            if (kept.Count < ISnapshotStore.Kept) return;
            var below = kept[ISnapshotStore.Kept - 1].Sequence + 1 - _options.StreamHistoryEvents;
            var first = _journal!.FirstSequence;
            if (below <= first) return;
            await _journal.TruncateBelowAsync(below);
            if (_journal.FirstSequence > first) EngineLog.Truncated(_logger, _journal.FirstSequence, _journal.SizeBytes);
        }
        catch (SnapshotFileException error)
        {
            EngineLog.TruncationPutOff(_logger, error);
        }
        catch (Exception error)
        {
            _failure.Fail(ExitCodes.JournalFailed, "Letting go of the journal's beginning failed.", error);
        }
    }
}
