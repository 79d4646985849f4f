// One subscriber of stock levels: a queue of changed slots, each in it once. When it comes from an older position, or when more slots
// have changed than are kept, it scans the stock table for rows that are younger than its position. One reader at a time.

namespace OrderEngine.Engine;

/// <summary>A place in the stock feed. Read it from one task at a time; dispose it in the end.</summary>
public sealed class StockSubscription : IDisposable
{
    private readonly Lock _sync = new();
    private readonly Queue<long> _changed = new();
    private readonly HashSet<long> _isChanged = [];
    private readonly AsyncSignal _wake = new();
    private readonly StockFeed _feed;
    private readonly FeedContext _context;
    private readonly HashSet<int>? _skus;
    private readonly HashSet<int>? _locations;
    private readonly ITimer _heartbeat;
    private volatile bool _isDisposed;
    private long _through;

    // Under _sync: a scan is wanted (again).
    private bool _mustScan;

    // The reader's. Through rises to _markThrough once the first _beforeMark slots of the queue have been handed out.
    private long _beforeMark;
    private long _markThrough;
    // The scan under way: the next slot and the last one, 0: none. It covers every change up to _scanThrough.
    private long _scanNext;
    private long _scanLast;
    private long _scanThrough;

    internal StockSubscription(StockFeed feed, int[] skus, int[] locations, long after, bool mustScan)
    {
        _feed = feed;
        _context = feed.Context;
        _skus = skus.Length == 0 ? null : [.. skus];
        _locations = locations.Length == 0 ? null : [.. locations];
        _through = after;
        _mustScan = mustScan;
        _heartbeat = _context.Time.CreateTimer(static wake => ((AsyncSignal)wake!).Set(), _wake, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Every change up to here is covered by what was handed out.</summary>
    public long Through => Volatile.Read(ref _through);

    /// <summary>Who reads, for those who run the engine; empty: nobody in particular. Set once, by who subscribes.</summary>
    public string Owner { get; set; } = "";

    /// <summary>
    /// The slots that changed since they were handed out last, as soon as there are any; a page without slots when there were none for
    /// <paramref name="heartbeat"/>.
    /// </summary>
    /// <param name="maxSlots">Slots in the page at most, at least 1.</param>
    /// <param name="heartbeat">How long to wait for a change.</param>
    /// <param name="ct">Ends the wait; nothing is lost by it.</param>
    /// <exception cref="FeedClosedException">The engine has stopped and everything was handed out.</exception>
    public async ValueTask<StockPage> ReadAsync(int maxSlots, TimeSpan heartbeat, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxSlots, 1);
        var slots = new List<long>();
        var started = _context.Time.GetTimestamp();
        while (true)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            ct.ThrowIfCancellationRequested();
            var isClosed = _feed.IsClosed;
            // A page is of a scan or of changes: both could name the same slot.
            var isDone = Scan(slots, maxSlots) && slots.Count == 0 && TakeChanged(slots, maxSlots);
            // The mark is taken after the slots: a level read at it or later holds every change that put its slot here.
            if (slots.Count > 0) return new StockPage(slots, _through, _context.Durable);
            if (isDone && isClosed) throw new FeedClosedException();
            var rest = heartbeat - _context.Time.GetElapsedTime(started);
            if (rest <= TimeSpan.Zero) return new StockPage(slots, _through, _context.Durable);
            if (!isDone) continue;
            _heartbeat.Change(rest, Timeout.InfiniteTimeSpan);
            await _wake.WaitAsync(ct);
        }
    }

    /// <summary>Leaves the feed; a read that waits ends with <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _feed.Remove(this);
        _heartbeat.Dispose();
        _wake.Set();
    }

    // --- the dispatcher's side, under the feed's gate ---

    /// <summary>Marks those of the changed slots that match; true when there were any.</summary>
    internal bool Mark(ReadOnlySpan<(long Slot, int Sku, int Location)> changed)
    {
        var any = false;
        lock (_sync)
        {
            foreach (var (slot, sku, location) in changed)
            {
                if (!Matches(sku, location)) continue;
                any = true;
                if (!_isChanged.Add(slot)) continue;
                _changed.Enqueue(slot);
            }
            if (_changed.Count > EngineBounds.DirtyStockSlots) ForgetChanged();
        }
        return any;
    }

    internal void ScanAgain()
    {
        lock (_sync) ForgetChanged();
    }

    internal void Wake() => _wake.Set();

    // --- the reader's side ---

    /// <summary>Begins or goes on with a scan, a bounded number of slots; true when none is wanted any more.</summary>
    private bool Scan(List<long> slots, int maxSlots)
    {
        if (_scanLast == 0 && !BeginScan()) return true;
        var reader = _context.View.Reader;
        for (var budget = EngineBounds.SlotsPerScan; budget > 0 && _scanNext <= _scanLast && slots.Count < maxSlots; budget -= EngineBounds.SlotsPerGuard)
        {
            using var guard = reader.Enter();
            var at = _context.Durable;
            for (var end = Math.Min(_scanLast, _scanNext + EngineBounds.SlotsPerGuard - 1); _scanNext <= end && slots.Count < maxSlots; _scanNext++)
                if (reader.Stock(_scanNext, at, out var row, out var version) && version > _through && Matches(row.Sku, row.Location)) slots.Add(_scanNext);
        }
        if (_scanNext <= _scanLast) return false;
        _scanLast = 0;
        Volatile.Write(ref _through, Math.Max(_through, _scanThrough));
        lock (_sync) return !_mustScan;
    }

    private bool BeginScan()
    {
        lock (_sync)
        {
            if (!_mustScan) return false;
            _mustScan = false;
        }
        // From here on the dispatcher marks what changes; the scan covers at least what is durable now.
        _scanThrough = _context.Durable;
        _scanNext = 1;
        _scanLast = Math.Max(1, _context.View.Reader.LastStockSlot);
        _beforeMark = 0;
        return true;
    }

    /// <summary>Takes marked slots; true when none is left.</summary>
    private bool TakeChanged(List<long> slots, int maxSlots)
    {
        // Before looking into the queue: see StockFeed.Dispatch.
        var dispatched = _feed.DispatchedThrough;
        lock (_sync)
        {
            if (_mustScan) return false;
            while (true)
            {
                if (_beforeMark == 0)
                {
                    _markThrough = dispatched;
                    _beforeMark = _changed.Count;
                    if (_beforeMark == 0) break;
                }
                if (slots.Count >= maxSlots) return false;
                var slot = _changed.Dequeue();
                _isChanged.Remove(slot);
                slots.Add(slot);
                if (--_beforeMark == 0) Volatile.Write(ref _through, Math.Max(_through, _markThrough));
            }
            Volatile.Write(ref _through, Math.Max(_through, _markThrough));
            return true;
        }
    }

    /// <summary>Under _sync.</summary>
    private void ForgetChanged()
    {
        _changed.Clear();
        _isChanged.Clear();
        _mustScan = true;
    }

    private bool Matches(int sku, int location) => (_skus is null || _skus.Contains(sku)) && (_locations is null || _locations.Contains(location));
}
