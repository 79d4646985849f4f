// The order feed: finds the subscribers of each committed event and puts a reference into their buffers. Dispatch runs on the feeds' one
// task; everything else on any thread. Neither writer nor publisher ever waits for it.
//
// A message costs the same processor time with one event as with a hundred, and a thousand subscribers of few events each would take all there is. So
// those who sleep are woken in the order in which events came to them, so many at most in a round (EngineBounds.WakesPerRound): at once as long as that is
// enough; then in the next round, where each finds more events.

using OrderEngine.Core.Events;
using OrderEngine.Journal;

namespace OrderEngine.Engine;

/// <summary>Every event of orders, in sequence, to whoever subscribes.</summary>
public sealed class OrderFeed
{
    private readonly Lock _gate = new();
    private readonly List<OrderSubscription> _subscribers = [];
    private readonly List<OrderSubscription> _all = [];
    private readonly Dictionary<long, List<OrderSubscription>> _byChannel = [];
    private readonly Dictionary<long, List<OrderSubscription>> _byCustomer = [];
    private readonly Dictionary<long, List<OrderSubscription>> _byOrder = [];
    private readonly List<OrderSubscription> _staged = [];
    // Those that have got events and were asleep, as far as is known; the feeds' task's, like the round.
    private readonly Queue<OrderSubscription> _toWake = [];
    private long _roundBegan;
    private int _wokenInRound;
    private readonly FeedContext _context;
    private readonly int _maxSubscribers;
    private readonly int _bufferEvents;
    private long _dispatchedThrough;
    private long _nextBatch = 1;
    private bool _closed;

    internal OrderFeed(FeedContext context, int maxSubscribers, int bufferEvents)
    {
        _context = context;
        _maxSubscribers = maxSubscribers;
        _bufferEvents = bufferEvents;
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

    /// <summary>Everything up to here is in the buffers of those it matches. Rises after they were filled.</summary>
    internal long DispatchedThrough => Volatile.Read(ref _dispatchedThrough);

    /// <summary>The subscribers that are furthest behind what is durable, the worst first; none of those that are not behind.</summary>
    public IReadOnlyList<SubscriberLag> Slowest(int count)
    {
        var durable = _context.Durable;
        lock (_gate)
            return SubscriberLag.Worst(_subscribers.Select(subscriber => new SubscriberLag(subscriber.Owner, durable - subscriber.Through)), count);
    }

    internal FeedContext Context => _context;

    /// <summary>Subscribes to what comes after a sequence. The engine must be serving.</summary>
    /// <param name="filter">Which events.</param>
    /// <param name="afterSequence">0: from the beginning; <see cref="FeedPage.Through"/> of an earlier page: go on there.</param>
    /// <exception cref="SubscriberLimitException">As many are open as are allowed.</exception>
    /// <exception cref="PositionTruncatedException">The journal begins later.</exception>
    /// <exception cref="PositionAheadException">The position is not durable here.</exception>
    public OrderSubscription Subscribe(OrderFilter filter, long afterSequence)
    {
        ArgumentNullException.ThrowIfNull(filter);
        ArgumentOutOfRangeException.ThrowIfNegative(afterSequence);
        var durable = _context.Durable;
        if (afterSequence > durable) throw new PositionAheadException(afterSequence, durable);
        var earliest = _context.Journal.FirstSequence - 1;
        if (afterSequence < earliest) throw new PositionTruncatedException(earliest);
        var subscriber = new OrderSubscription(this, new OrderMatcher(filter), afterSequence, _bufferEvents);
        lock (_gate)
        {
            if (_closed) throw new FeedClosedException();
            if (_subscribers.Count >= _maxSubscribers) throw new SubscriberLimitException(_maxSubscribers);
            _subscribers.Add(subscriber);
            foreach (var list in ListsOf(subscriber, create: true)) list.Add(subscriber);
        }
        return subscriber;
    }

    /// <summary>Begins behind what was recovered: nothing of it is dispatched. Before the engine serves.</summary>
    internal void BeginAfter(long sequence) => Volatile.Write(ref _dispatchedThrough, sequence);

    internal void Remove(OrderSubscription subscriber)
    {
        lock (_gate)
        {
            if (!_subscribers.Remove(subscriber)) return;
            foreach (var list in ListsOf(subscriber, create: false)) list.Remove(subscriber);
            foreach (var value in subscriber.Matcher.Values)
                if (MapOf(subscriber.Matcher.Key) is { } map && map.TryGetValue(value, out var list) && list.Count == 0)
                    map.Remove(value);
        }
    }

    /// <summary>Puts one batch into the buffers. The feeds' task.</summary>
    internal void Dispatch(FeedBatch batch)
    {
        lock (_gate)
        {
            if (_subscribers.Count > 0) Stage(batch);
            foreach (var subscriber in _staged) subscriber.TakeStaged();
            _nextBatch = batch.Number + 1;
            // After the buffers were filled: who reads this first and then finds its buffer empty has seen everything up to here.
            Volatile.Write(ref _dispatchedThrough, batch.LastSequence);
        }
        foreach (var subscriber in _staged)
        {
            // A full message is worth its price, and its subscriber must not fall behind.
            if (subscriber.Staged >= EngineBounds.EventsWorthWaking) subscriber.Wake();
            else if (subscriber.Queue(batch.Number)) _toWake.Enqueue(subscriber);
        }
        _staged.Clear();
        WakeNext();
    }

    /// <summary>Wakes whose turn it is. The feeds' task.</summary>
    /// <returns>When to come again for the others; zero when there are none.</returns>
    internal TimeSpan WakeNext()
    {
        while (_toWake.Count > 0)
        {
            if (_wokenInRound >= EngineBounds.WakesPerRound)
            {
                var rest = EngineBounds.WakeRound - _context.Time.GetElapsedTime(_roundBegan);
                // Nobody stands in line until what he is to read has left the window. Timers count whole milliseconds, and must not ring before the round is over.
                if (rest > TimeSpan.Zero && !_context.Window.IsLeaving(_toWake.Peek().QueuedAt)) return TimeSpan.FromMilliseconds(Math.Ceiling(rest.TotalMilliseconds));
                if (rest <= TimeSpan.Zero) _wokenInRound = 0;
            }
            // Who is awake, waiting for a client or reading already, costs nothing.
            if (!_toWake.Dequeue().WakeInTurn()) continue;
            if (_wokenInRound++ == 0) _roundBegan = _context.Time.GetTimestamp();
        }
        return TimeSpan.Zero;
    }

    /// <summary>Batches were lost to the dispatcher: everybody goes on from the journal, the dispatcher at <paramref name="next"/>. The feeds' task.</summary>
    internal void Skip(FeedBatch next)
    {
        lock (_gate)
        {
            foreach (var subscriber in _subscribers) subscriber.FallBehind();
            _nextBatch = next.Number;
            Volatile.Write(ref _dispatchedThrough, next.FirstSequence - 1);
        }
        WakeAll();
    }

    /// <summary>Nothing will follow what is dispatched.</summary>
    internal void Close()
    {
        lock (_gate) _closed = true;
        WakeAll();
    }

    internal bool IsClosed
    {
        get
        {
            lock (_gate) return _closed;
        }
    }

    /// <summary>
    /// Lets a straggler that has handed out everything through <paramref name="through"/> join the live end, if it is near enough: what
    /// was dispatched since is put into its buffer first. Neither a gap nor a repeat: dispatching waits meanwhile.
    /// </summary>
    internal bool TryJoin(OrderSubscription subscriber, long through)
    {
        lock (_gate)
        {
            if (_dispatchedThrough > through)
            {
                var first = _context.Window.Find(through + 1);
                if (first is null || _nextBatch - first.Number > EngineBounds.JoinBatches) return false;
                for (var number = first.Number; number < _nextBatch; number++)
                {
                    if (_context.Window.Get(number) is not { } batch || !subscriber.StageMissed(batch, through))
                    {
                        subscriber.DropStaged();
                        return false;
                    }
                }
            }
            subscriber.GoLive(Math.Max(through, _dispatchedThrough));
            return true;
        }
    }

    private void Stage(FeedBatch batch)
    {
        var events = new EventEnumerator(batch.Payload);
        while (events.MoveNext())
        {
            var e = new EventView(events.Current);
            if (!OrderMatcher.IsOrderEvent(in e)) continue;
            var item = new FeedItem(batch.Number, e.Sequence, events.Offset, events.Current.Length);
            Offer(_all, in e, in item);
            if (_byChannel.Count > 0 && _byChannel.TryGetValue(e.Channel, out var list)) Offer(list, in e, in item);
            if (_byCustomer.Count > 0 && _byCustomer.TryGetValue(e.Customer, out list)) Offer(list, in e, in item);
            if (_byOrder.Count > 0 && _byOrder.TryGetValue(e.Order, out list)) Offer(list, in e, in item);
        }
    }

    private void Offer(List<OrderSubscription> subscribers, in EventView e, in FeedItem item)
    {
        foreach (var subscriber in subscribers)
        {
            if (!subscriber.IsLiveAt(e.Sequence) || !subscriber.Matcher.Matches(in e)) continue;
            if (subscriber.Stage(in item)) _staged.Add(subscriber);
        }
    }

    private void WakeAll()
    {
        lock (_gate)
        {
            foreach (var subscriber in _subscribers) subscriber.Wake();
        }
    }

    private IEnumerable<List<OrderSubscription>> ListsOf(OrderSubscription subscriber, bool create)
    {
        if (MapOf(subscriber.Matcher.Key) is not { } map)
        {
            yield return _all;
            yield break;
        }
        foreach (var value in subscriber.Matcher.Values)
        {
            if (!map.TryGetValue(value, out var list))
            {
                if (!create) continue;
                map.Add(value, list = []);
            }
            yield return list;
        }
    }

    private Dictionary<long, List<OrderSubscription>>? MapOf(FilterKey key) => key switch
    {
        FilterKey.Channel => _byChannel,
        FilterKey.Customer => _byCustomer,
        FilterKey.Order => _byOrder,
        _ => null,
    };
}

/// <summary>An event in a buffer: where it lies in which batch of the window.</summary>
internal readonly record struct FeedItem(long Batch, long Sequence, int Offset, int Length);

/// <summary>What both feeds and their subscribers need of the engine.</summary>
internal sealed class FeedContext(ReadView view, FeedWindow window, TimeProvider time, EngineMetrics metrics) : IDisposable
{
    private IJournal? _journal;

    public ReadView View { get; } = view;

    public FeedWindow Window { get; } = window;

    public TimeProvider Time { get; } = time;

    public EngineMetrics Metrics { get; } = metrics;

    /// <summary>Stragglers read the journal a few at a time.</summary>
    public SemaphoreSlim JournalReaders { get; } = new(EngineBounds.JournalReaders);

    public long Durable => View.DurableSequence;

    public IJournal Journal => _journal ?? throw new InvalidOperationException("The engine does not serve yet.");

    public void Open(IJournal journal) => _journal = journal;

    public void Dispose() => JournalReaders.Dispose();
}
