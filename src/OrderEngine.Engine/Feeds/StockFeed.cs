// The stock feed: each subscriber has the set of slots that changed since it last looked, never a backlog of changes.
// Dispatch runs on the feeds' one task; everything else on any thread.

using OrderEngine.Core.State;

namespace OrderEngine.Engine;

/// <summary>Which stock levels have changed, conflated for each subscriber.</summary>
public sealed class StockFeed
{
    private readonly Lock _gate = new();
    private readonly List<StockSubscription> _subscribers = [];
    private readonly List<StockSubscription> _marked = [];
    private readonly FeedContext _context;
    private readonly int _maxSubscribers;
    private long _dispatchedThrough;
    private bool _closed;

    internal StockFeed(FeedContext context, int maxSubscribers)
    {
        _context = context;
        _maxSubscribers = maxSubscribers;
    }

    /// <summary>Open subscriptions.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _subscribers.Count;
        }
    }

    /// <summary>Sequences that the slowest subscriber is behind what is durable; 0 without subscribers.</summary>
    public long MaxLag
    {
        get
        {
            var durable = _context.Durable;
            lock (_gate) return _subscribers.Count == 0 ? 0 : _subscribers.Max(subscriber => Math.Max(0, durable - subscriber.Through));
        }
    }

    /// <summary>The subscribers that are furthest behind what is durable, the worst first; none of those that are not behind.</summary>
    public IReadOnlyList<SubscriberLag> Slowest(int count)
    {
        var durable = _context.Durable;
        lock (_gate)
            return SubscriberLag.Worst(_subscribers.Select(subscriber => new SubscriberLag(subscriber.Owner, durable - subscriber.Through)), count);
    }

    internal FeedContext Context => _context;

    /// <summary>Everything up to here is in the sets of those it matches. Rises after they were filled.</summary>
    internal long DispatchedThrough => Volatile.Read(ref _dispatchedThrough);

    internal bool IsClosed
    {
        get
        {
            lock (_gate) return _closed;
        }
    }

    /// <summary>Subscribes to changes after a sequence; those that lie before what is durable now come first. The engine must be serving.</summary>
    /// <param name="skus">Only these SKU numbers; empty: all.</param>
    /// <param name="locations">Only these location numbers; empty: all.</param>
    /// <param name="afterSequence">0: every level there is; <see cref="StockPage.Through"/> of an earlier page: go on there.</param>
    /// <exception cref="SubscriberLimitException">As many are open as are allowed.</exception>
    /// <exception cref="PositionAheadException">The position is not durable here.</exception>
    public StockSubscription Subscribe(int[] skus, int[] locations, long afterSequence)
    {
        ArgumentNullException.ThrowIfNull(skus);
        ArgumentNullException.ThrowIfNull(locations);
        ArgumentOutOfRangeException.ThrowIfNegative(afterSequence);
        var durable = _context.Durable;
        if (afterSequence > durable) throw new PositionAheadException(afterSequence, durable);
        lock (_gate)
        {
            if (_closed) throw new FeedClosedException();
            if (_subscribers.Count >= _maxSubscribers) throw new SubscriberLimitException(_maxSubscribers);
            // What is dispatched from now on comes by itself; what lies between is found by a scan.
            var subscriber = new StockSubscription(this, skus, locations, afterSequence, mustScan: afterSequence < _dispatchedThrough);
            _subscribers.Add(subscriber);
            return subscriber;
        }
    }

    /// <summary>Begins behind what was recovered. Before the engine serves.</summary>
    internal void BeginAfter(long sequence) => Volatile.Write(ref _dispatchedThrough, sequence);

    internal void Remove(StockSubscription subscriber)
    {
        lock (_gate) _subscribers.Remove(subscriber);
    }

    /// <summary>Marks what a batch changed. The feeds' task.</summary>
    internal void Dispatch(FeedBatch batch)
    {
        lock (_gate)
        {
            if (batch.TouchedStock.Length > 0 && _subscribers.Count > 0) Mark(batch.TouchedStock);
            // After the sets were filled: who reads this first and then finds its set empty has seen everything up to here.
            Volatile.Write(ref _dispatchedThrough, batch.LastSequence);
            foreach (var subscriber in _marked) subscriber.Wake();
            _marked.Clear();
        }
    }

    /// <summary>Batches were lost to the dispatcher: everybody scans. The feeds' task.</summary>
    internal void Skip(FeedBatch next)
    {
        lock (_gate)
        {
            foreach (var subscriber in _subscribers) subscriber.ScanAgain();
            Volatile.Write(ref _dispatchedThrough, next.FirstSequence - 1);
            foreach (var subscriber in _subscribers) subscriber.Wake();
        }
    }

    /// <summary>Nothing will follow what is dispatched.</summary>
    internal void Close()
    {
        lock (_gate)
        {
            _closed = true;
            foreach (var subscriber in _subscribers) subscriber.Wake();
        }
    }

    private void Mark(long[] slots)
    {
        var stock = new (long Slot, int Sku, int Location)[slots.Length];
        using (_context.View.Reader.Enter())
        {
            var at = _context.Durable;
            for (var i = 0; i < slots.Length; i++)
            {
                _context.View.Reader.Stock(slots[i], at, out var row, out _);
                stock[i] = (slots[i], row.Sku, row.Location);
            }
        }
        foreach (var subscriber in _subscribers)
            if (subscriber.Mark(stock)) _marked.Add(subscriber);
    }
}
