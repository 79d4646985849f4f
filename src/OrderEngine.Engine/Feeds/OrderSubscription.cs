// One subscriber of orders. Live: the dispatcher fills its bounded buffer. Behind (at first, after an overflow, or when what it holds has
// left the window): it reads the window or the journal from its position by itself, until it is near enough to join the live end.
// One reader at a time; the dispatcher puts in from its own task.

using OrderEngine.Core.Events;
using OrderEngine.Journal;

namespace OrderEngine.Engine;

/// <summary>A place in the order feed. Read it from one task at a time; dispose it in the end.</summary>
public sealed class OrderSubscription : IDisposable
{
    private readonly Lock _sync = new();
    private readonly Queue<FeedItem> _buffer = new();
    private readonly List<FeedItem> _stagedItems = [];
    private readonly AsyncSignal _wake = new();
    private readonly OrderFeed _feed;
    private readonly FeedContext _context;
    private readonly int _capacity;

    // The reader's.
    private readonly ITimer _heartbeat;
    private IEnumerator<JournalBatch>? _journal;
    private long _through;
    private volatile bool _isReading;
    private volatile bool _isDisposed;

    // Shared with the dispatcher, under _sync. Overflowed: the buffer's contents are good, but events after them are missing.
    private bool _live;
    private bool _overflowed;
    private long _liveAfter;

    internal OrderSubscription(OrderFeed feed, OrderMatcher matcher, long after, int capacity)
    {
        _feed = feed;
        _context = feed.Context;
        _capacity = capacity;
        _through = after;
        Matcher = matcher;
        _heartbeat = _context.Time.CreateTimer(static wake => ((AsyncSignal)wake!).Set(), _wake, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Everything that matches up to here has been handed out.</summary>
    public long Through => Volatile.Read(ref _through);

    /// <summary>Who reads, for those who run the engine; empty: nobody in particular. Set once, by who subscribes.</summary>
    public string Owner { get; set; } = "";

    internal OrderMatcher Matcher { get; }

    /// <summary>
    /// The next events that match, as soon as there are any; a page without events when there were none for <paramref name="heartbeat"/>.
    /// </summary>
    /// <param name="maxEvents">Events in the page at most, at least 1.</param>
    /// <param name="heartbeat">How long to wait for an event.</param>
    /// <param name="ct">Ends the wait; nothing is lost by it.</param>
    /// <exception cref="PositionTruncatedException">The reader was so slow that the journal was truncated ahead of it.</exception>
    /// <exception cref="FeedClosedException">The engine has stopped and everything was handed out.</exception>
    public async ValueTask<FeedPage> ReadAsync(int maxEvents, TimeSpan heartbeat, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxEvents, 1);
        _isReading = true;
        try
        {
            return await ReadPageAsync(maxEvents, heartbeat, ct);
        }
        finally
        {
            _isReading = false;
            if (_isDisposed) CloseJournal();
        }
    }

    /// <summary>Leaves the feed; a read that waits ends with <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _feed.Remove(this);
        _heartbeat.Dispose();
        _wake.Set();
        if (!_isReading) CloseJournal();
    }

    private async ValueTask<FeedPage> ReadPageAsync(int maxEvents, TimeSpan heartbeat, CancellationToken ct)
    {
        var events = new List<ReadOnlyMemory<byte>>();
        var started = _context.Time.GetTimestamp();
        while (true)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            ct.ThrowIfCancellationRequested();
            var isClosed = _feed.IsClosed;
            var isLive = TakeLive(events, maxEvents);
            if (!isLive) isLive = await CatchUpAsync(events, maxEvents, ct);
            // The mark is taken after the events: it never lies below one of them.
            if (events.Count > 0) return new FeedPage(events, _through, _context.Durable);
            var isWaiting = isLive && !IsFilled();
            if (isWaiting && isClosed) throw new FeedClosedException();
            var rest = heartbeat - _context.Time.GetElapsedTime(started);
            if (rest <= TimeSpan.Zero) return new FeedPage(events, _through, _context.Durable);
            if (!isWaiting) continue;
            _heartbeat.Change(rest, Timeout.InfiniteTimeSpan);
            await _wake.WaitAsync(ct);
        }
    }

    // --- the dispatcher's side, under the feed's gate ---

    /// <summary>Whether to stage an event. A reader may have fallen out meanwhile; <see cref="TakeStaged"/> looks again.</summary>
    internal bool IsLiveAt(long sequence) => Volatile.Read(ref _live) && sequence > _liveAfter;

    /// <summary>Remembers an event of the batch that is being dispatched; true for the first one.</summary>
    internal bool Stage(in FeedItem item)
    {
        _stagedItems.Add(item);
        return _stagedItems.Count == 1;
    }

    /// <summary>Events that waited in the buffer after the last dispatch; all there can be when it overflowed.</summary>
    internal int Staged { get; private set; }

    /// <summary>Puts what was staged into the buffer, as much as there is room for.</summary>
    internal void TakeStaged()
    {
        lock (_sync)
        {
            foreach (var item in _stagedItems)
            {
                if (!_live || _overflowed) break;
                if (_buffer.Count >= _capacity) _overflowed = true;
                else _buffer.Enqueue(item);
            }
            Staged = _overflowed ? int.MaxValue : _buffer.Count;
        }
        _stagedItems.Clear();
    }

    /// <summary>Stages what of an already dispatched batch this subscriber still has to get; false when its buffer does not hold so much.</summary>
    internal bool StageMissed(FeedBatch batch, long after)
    {
        var walk = new EventEnumerator(batch.Payload);
        while (walk.MoveNext())
        {
            var e = new EventView(walk.Current);
            if (e.Sequence <= after || !Matcher.Matches(in e)) continue;
            if (_stagedItems.Count >= _capacity) return false;
            _stagedItems.Add(new FeedItem(batch.Number, e.Sequence, walk.Offset, walk.Current.Length));
        }
        return true;
    }

    internal void DropStaged() => _stagedItems.Clear();

    /// <summary>From now on the dispatcher fills the buffer, with what lies behind <paramref name="after"/>.</summary>
    internal void GoLive(long after)
    {
        lock (_sync)
        {
            _overflowed = false;
            _liveAfter = after;
            Volatile.Write(ref _live, true);
        }
        TakeStaged();
    }

    /// <summary>The dispatcher has missed events: what is buffered is good, what comes after it must be read.</summary>
    internal void FallBehind()
    {
        lock (_sync) _overflowed = _live;
    }

    internal void Wake() => _wake.Set();

    /// <summary>The batch for which it stands in the line of those that are to be woken; 0: it does not. The dispatcher's.</summary>
    internal long QueuedAt { get; private set; }

    /// <summary>Puts it into that line; false: it stands there.</summary>
    internal bool Queue(long batch)
    {
        if (QueuedAt != 0) return false;
        QueuedAt = batch;
        return true;
    }

    /// <summary>Wakes it, out of that line; false: it was awake.</summary>
    internal bool WakeInTurn()
    {
        QueuedAt = 0;
        return _wake.Set();
    }

    // --- the reader's side ---

    /// <summary>Takes what is buffered; false when this subscriber has to read on by itself.</summary>
    private bool TakeLive(List<ReadOnlyMemory<byte>> events, int maxEvents)
    {
        // Before looking into the buffer: see OrderFeed.Dispatch.
        var dispatched = _feed.DispatchedThrough;
        lock (_sync)
        {
            if (!_live) return false;
            while (events.Count < maxEvents && _buffer.TryPeek(out var item))
            {
                if (_context.Window.Get(item.Batch) is not { } batch) return FellOut();
                events.Add(batch.Payload.AsMemory(item.Offset, item.Length));
                Volatile.Write(ref _through, item.Sequence);
                _buffer.Dequeue();
            }
            if (_buffer.Count > 0) return true;
            if (_overflowed) return FellOut();
            if (dispatched > _through) Volatile.Write(ref _through, dispatched);
            return true;
        }
    }

    /// <summary>Under _sync.</summary>
    private bool FellOut()
    {
        _buffer.Clear();
        Volatile.Write(ref _live, false);
        _overflowed = false;
        _context.Metrics.FeedFellBack();
        return false;
    }

    private bool IsFilled()
    {
        lock (_sync) return _buffer.Count > 0 || !_live || _overflowed;
    }

    /// <summary>Reads on towards the live end, a bounded number of batches; true when it has joined.</summary>
    private async ValueTask<bool> CatchUpAsync(List<ReadOnlyMemory<byte>> events, int maxEvents, CancellationToken ct)
    {
        if (TryJoin()) return true;
        await _context.JournalReaders.WaitAsync(ct);
        try
        {
            for (var budget = EngineBounds.CatchUpBatches; budget > 0 && events.Count < maxEvents; budget--)
            {
                if (TryJoin()) return true;
                ReadBatch(events, maxEvents);
            }
        }
        finally
        {
            _context.JournalReaders.Release();
        }
        return false;
    }

    private bool TryJoin()
    {
        if (!_feed.TryJoin(this, _through)) return false;
        CloseJournal();
        return true;
    }

    private void CloseJournal() => Interlocked.Exchange(ref _journal, null)?.Dispose();

    /// <summary>Hands out what matches of the batch that holds the next sequence.</summary>
    private void ReadBatch(List<ReadOnlyMemory<byte>> events, int maxEvents)
    {
        var (payload, last) = BatchOf(_through + 1);
        var walk = new EventEnumerator(payload.Span);
        while (walk.MoveNext())
        {
            var e = new EventView(walk.Current);
            if (e.Sequence <= _through || !Matcher.Matches(in e)) continue;
            if (events.Count == maxEvents) return;
            events.Add(payload.Slice(walk.Offset, walk.Current.Length));
            Volatile.Write(ref _through, e.Sequence);
        }
        Volatile.Write(ref _through, last);
    }

    /// <summary>
    /// The batch of a sequence that is published: the feed did not let us join, so something was dispatched behind our position. What the
    /// journal holds beyond what is published is never asked for.
    /// </summary>
    private (ReadOnlyMemory<byte> Payload, long LastSequence) BatchOf(long sequence)
    {
        if (_context.Window.Find(sequence) is { } batch) return (batch.Payload, batch.LastSequence);
        try
        {
            if (_journal is not null && !Holds(_journal.Current, sequence) && !(_journal.MoveNext() && Holds(_journal.Current, sequence))) CloseJournal();
            _journal ??= OpenJournal(sequence);
            return (_journal.Current.Payload, _journal.Current.LastSequence);
        }
        catch (ArgumentOutOfRangeException)
        {
            // What a journal throws when truncation has overtaken its reader.
            throw new PositionTruncatedException(_context.Journal.FirstSequence - 1);
        }
    }

    private IEnumerator<JournalBatch> OpenJournal(long sequence)
    {
        var journal = _context.Journal.Read(sequence).GetEnumerator();
        if (journal.MoveNext() && Holds(journal.Current, sequence)) return journal;
        journal.Dispose();
        throw new JournalException($"Sequence {sequence} was published, but cannot be read back from the journal.");
    }

    private static bool Holds(in JournalBatch batch, long sequence) => batch.FirstSequence <= sequence && sequence <= batch.LastSequence;
}
