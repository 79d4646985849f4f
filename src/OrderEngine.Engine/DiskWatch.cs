// Watches the room on the disk beside everything else, so that changes are refused before a write fails: a failed write is final for the process.
//
//   0 ........ floor ........ low mark ........ high mark ........ size
//                     < low: changes are refused     >= high: they are taken again
//
// What was taken before goes on, timers and queues too: it fits between low mark and floor. The look is the thread pool's; the writer never waits
// for it. A look that fails says nothing of the room: the last one stands, and the next comes in a second.

using OrderEngine.Journal;

namespace OrderEngine.Engine;

/// <summary>The room on the disk.</summary>
/// <param name="FreeBytes">As last looked at; -1: not known.</param>
/// <param name="LowBytes">Below this changes are refused; 0: not known.</param>
/// <param name="IsLow">True: changes are refused.</param>
public readonly record struct DiskStatus(long FreeBytes, long LowBytes, bool IsLow);

internal sealed class DiskWatch : IDisposable
{
    private readonly Func<DiskSpace>? _measure;
    private readonly EngineOptions _options;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private readonly Lock _sync = new();
    private DiskStatus _status = new(-1, 0, false);
    private bool _isLow;
    private bool _isBlind;
    private int _looking;

    /// <param name="measure">Tells the room; null: nobody knows, and nothing is refused.</param>
    /// <param name="options">The marks.</param>
    /// <param name="time">Rings when it is time to look.</param>
    /// <param name="logger">The log.</param>
    public DiskWatch(Func<DiskSpace>? measure, EngineOptions options, TimeProvider time, ILogger logger)
    {
        _measure = measure;
        _options = options;
        _logger = logger;
        _timer = time.CreateTimer(static watch => ((DiskWatch)watch!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Called when <see cref="IsLow"/> has changed, on the thread that looked.</summary>
    public event Action? Changed;

    /// <summary>True: changes are refused. Any thread.</summary>
    public bool IsLow => Volatile.Read(ref _isLow);

    /// <summary>As last looked at. Any thread.</summary>
    public DiskStatus Status
    {
        get
        {
            lock (_sync) return _status;
        }
    }

    /// <summary>Looks once before the engine serves, then every second.</summary>
    public void Begin()
    {
        if (_measure is null) return;
        Look();
        _timer.Change(EngineBounds.DiskLook, EngineBounds.DiskLook);
    }

    /// <summary>True when so many bytes more can be written, and still leave what changes under way need.</summary>
    public bool HasRoomFor(long bytes)
    {
        var status = Status;
        return status.FreeBytes < 0 || status.FreeBytes - bytes >= EngineBounds.DiskFloorBytes;
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        // A disk that does not answer holds up one look, not one a second.
        if (Interlocked.Exchange(ref _looking, 1) != 0) return;
        try
        {
            Take(_measure!());
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            if (!_isBlind) EngineLog.DiskUnknown(_logger, error);
            _isBlind = true;
        }
        finally
        {
            Volatile.Write(ref _looking, 0);
        }
    }

    private void Take(DiskSpace space)
    {
        _isBlind = false;
        var low = LowMark(space.TotalBytes);
        var wasLow = _isLow;
        // Between the marks it stays as it was, so that a disk at the mark does not switch with every file.
        var isLow = space.FreeBytes < (wasLow ? low + low / EngineBounds.DiskRecoveryShare : low);
        lock (_sync) _status = new DiskStatus(space.FreeBytes, low, isLow);
        if (isLow == wasLow) return;
        Volatile.Write(ref _isLow, isLow);
        if (isLow) EngineLog.DiskLow(_logger, space.FreeBytes, low);
        else EngineLog.DiskRecovered(_logger, space.FreeBytes);
        Changed?.Invoke();
    }

    // The smaller of the two: the bytes for a large disk, the share for a small one; but never less than what is written ahead.
    private long LowMark(long totalBytes) =>
        Math.Max(EngineBounds.DiskFloorBytes, Math.Min(_options.LowDiskBytes, totalBytes / 100 * _options.LowDiskPercent));
}
