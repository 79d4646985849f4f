// Takes closed orders out of memory once their window is over: writes them to the archive as readers see them, and only when they are durable there asks
// the writer to let go of them. The snapshotter's sister: a thread of its own looks every minute, holds a read guard while it encodes and nothing else.
//
// An order that changes between the two stays, and its record is never looked at. A crash between the two leaves records that the next start drops.

using System.Diagnostics.CodeAnalysis;
using OrderEngine.Core;
using OrderEngine.Core.Snapshots;
using OrderEngine.Core.State;
using OrderEngine.Journal;

namespace OrderEngine.Engine;

internal sealed class Archiver : IDisposable
{
    private static readonly OrderState[] s_closed = [.. Enum.GetValues<OrderState>().Where(OrderStates.IsClosed)];

    private readonly ArchiveStore _store;
    private readonly OrderArchive _archive;
    private readonly Engine _engine;
    private readonly EngineOptions _options;
    private readonly FailureLatch _failure;
    private readonly EngineMetrics _metrics;
    private readonly DiskWatch _disk;
    private readonly EngineThreads _threads;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private readonly ArchiveEncoder _encoder;
    private readonly Lock _sync = new();
    // They would be too large to come back, so they stay.
    private readonly HashSet<long> _tooLarge = [];
    private Task<bool> _running = Task.FromResult(true);
    private bool _open;
    private bool _isFailing;

    public Archiver(ArchiveStore store, OrderArchive archive, Engine engine, EngineOptions options, FailureLatch failure, EngineMetrics metrics, TimeProvider time,
        DiskWatch disk, EngineThreads threads, ILogger logger)
    {
        _store = store;
        _archive = archive;
        _engine = engine;
        _options = options;
        _failure = failure;
        _metrics = metrics;
        _disk = disk;
        _threads = threads;
        _logger = logger;
        _encoder = new ArchiveEncoder(engine.View.Reader);
        _timer = time.CreateTimer(static archiver => ((Archiver)archiver!).Ring(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The look that is under way, or the last one.</summary>
    public Task<bool> Running
    {
        get
        {
            lock (_sync) return _running;
        }
    }

    /// <summary>Begins, once commands are taken.</summary>
    public void Begin()
    {
        if (_options.ArchiveAfter == TimeSpan.Zero) return;
        lock (_sync)
        {
            _open = true;
            _timer.Change(EngineBounds.ArchiveLook, EngineBounds.ArchiveLook);
        }
    }

    /// <summary>Takes nothing new out of memory, and waits for what is under way.</summary>
    public async Task StopAsync()
    {
        lock (_sync) _open = false;
        if (!_failure.HasFailed) await Running;
    }

    public void Dispose() => _timer.Dispose();

    private bool IsOpen
    {
        get
        {
            lock (_sync) return _open;
        }
    }

    private void Ring()
    {
        lock (_sync)
        {
            if (_open && _running.IsCompleted) _running = _threads.RunLong(LookAsync);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever keeps orders from being archived costs memory, and nothing else.")]
    private async Task<bool> LookAsync()
    {
        try
        {
            await PassAsync();
            if (_isFailing) EngineLog.ArchivingAgain(_logger);
            _isFailing = false;
            return true;
        }
        catch (Exception error)
        {
            _metrics.ArchivingFailed();
            if (!_isFailing) EngineLog.ArchivingFailed(_logger, EngineBounds.ArchiveLook.TotalSeconds, error);
            _isFailing = true;
            return false;
        }
    }

    private async Task PassAsync()
    {
        var window = (long)_options.ArchiveAfter.TotalMicroseconds;
        for (var after = 0L; IsOpen && !_failure.HasFailed;)
        {
            var (entries, versions) = Gather(ref after, window);
            if (entries.Count > 0)
            {
                var bytes = entries.Sum(entry => (long)entry.Record.Length);
                if (!_disk.HasRoomFor(2 * bytes)) throw new JournalException($"The disk is too full to archive {entries.Count} orders of {bytes} bytes.");
                var position = _store.Append(entries);
                var answer = await _engine.ExecuteAsync(
                    new ArchiveOrders { Role = Role.System, Orders = [.. versions], Position = position, WindowMicros = window }, Lane.Normal, 0, default);
                // Others wait to be answered on the thread that this was answered on; what follows takes long.
                await Task.Yield();
                // A full lane, a low disk, a stop: they stay, and the next look finds them again.
                if (answer.Outcome != Outcome.Ok) return;
            }
            if (after == 0) return;
        }
    }

    // What one command may archive, oldest first, as it stands now.
    private (List<ArchiveEntry> Entries, List<ArchivedVersion> Versions) Gather(ref long after, long window)
    {
        var entries = new List<ArchiveEntry>();
        var versions = new List<ArchivedVersion>();
        var reader = _engine.View.Reader;
        var now = _engine.NowMicros;
        var bytes = 0;
        using var guard = reader.Enter();
        var at = _engine.View.DurableSequence;
        var page = reader.ListOrders(new OrderQuery { States = s_closed, Before = now - window + 1, OldestFirst = true }, at, after, Limits.ArchivedPerCommand, EngineBounds.ArchiveLooks);
        after = page.After;
        foreach (var number in page.Numbers)
        {
            if (_tooLarge.Contains(number) || !reader.MayArchive(number, at, now, window)) continue;
            var record = _encoder.Encode(number, at);
            if (record.Length > Limits.RestoredBytes)
            {
                _tooLarge.Add(number);
                continue;
            }
            ref readonly var head = ref reader.LiveOrder(number, at).Head;
            entries.Add(new ArchiveEntry(number, _archive.KeyOf(head.Channel, reader.ExternalId(number)), head.Version, record));
            versions.Add(new ArchivedVersion(number, head.Version));
            bytes += record.Length;
            if (bytes < EngineBounds.ArchiveBytes) continue;
            after = number;
            break;
        }
        return (entries, versions);
    }
}
