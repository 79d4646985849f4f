// Which requests were answered, and how: the same request id gets the same answer within the window (rule 6). Writer thread only.
//
// An entry holds the request's key, the digest of its body, and where the event lies that answered it: an order's event lies in the order's
// history, any other belongs to the entry and is freed with it. Entries form a list by age. They leave it only while an event is
// applied and by that event's time, so that a replay drops exactly what the live run dropped.

using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>The idempotency table.</summary>
internal sealed class RequestTable(RowHeap heap)
{
    private struct Entry
    {
        public UInt128 Key;
        public UInt128 Digest;
        public long Time;
        public long Event;
        public int Next;
        public bool OwnsEvent;
    }

    // At most this many entries leave for each one that comes: enough to catch up, bounded.
    private const int DroppedPerAdd = 4;

    private readonly HashIndex _index = new();
    private readonly ChunkedArray<Entry> _entries = new();
    private int _oldest;
    private int _newest;
    private int _free;
    private int _used;

    /// <summary>Entries remembered.</summary>
    public long Count { get; private set; }

    /// <summary>Wrapping sum of the entries' hashes.</summary>
    public ulong Hash { get; private set; }

    /// <summary>The answer recorded for a request id, if it is within the window at <paramref name="now"/>.</summary>
    /// <returns>False when the id is free.</returns>
    public bool TryFind(UInt128 key, long now, out UInt128 digest, out ReadOnlySpan<byte> answer)
    {
        var number = Find(key);
        if (number == 0 || _entries[number].Time + Limits.RequestWindowMicros <= now)
        {
            digest = 0;
            answer = default;
            return false;
        }
        digest = _entries[number].Digest;
        answer = OrderHistory.Read(heap, _entries[number].Event);
        return true;
    }

    /// <summary>Remembers an answer; drops a few that are out of the window.</summary>
    /// <param name="key">Of the request.</param>
    /// <param name="digest">Of its body.</param>
    /// <param name="time">Of the event.</param>
    /// <param name="eventAddress">Where the answering event lies.</param>
    /// <param name="ownsEvent">True: it lies there for this entry alone.</param>
    public void Add(UInt128 key, UInt128 digest, long time, long eventAddress, bool ownsEvent)
    {
        // The id may be bound again after its window while the old entry has not been dropped yet; the old one must not answer any more.
        var old = Find(key);
        if (old != 0) Forget(old);

        var number = _free;
        if (number != 0) _free = _entries[number].Next;
        else number = ++_used;
        _entries[number] = new Entry { Key = key, Digest = digest, Time = time, Event = eventAddress, OwnsEvent = ownsEvent };
        if (_newest != 0) _entries[_newest].Next = number;
        else _oldest = number;
        _newest = number;
        _index.Add((ulong)key, number);
        Hash += HashOf(in _entries[number]);
        Count++;

        for (var i = 0; i < DroppedPerAdd && _oldest != number; i++)
        {
            if (_entries[_oldest].Time + Limits.RequestWindowMicros > time && Count <= Limits.RequestWindowCount) break;
            DropOldest();
        }
    }

    private int Find(UInt128 key)
    {
        Span<long> candidates = stackalloc long[HashIndex.MaxCandidates];
        var count = _index.Find((ulong)key, candidates);
        foreach (var number in candidates[..count])
            if (_entries[number].Key == key) return (int)number;
        return 0;
    }

    private void DropOldest()
    {
        var number = _oldest;
        _oldest = _entries[number].Next;
        if (_entries[number].Key != 0) Forget(number);
        _entries[number] = new Entry { Next = _free };
        _free = number;
    }

    // Takes an entry out of index, hash and count; it stays in the list of ages, empty, until its turn comes.
    private void Forget(int number)
    {
        ref var entry = ref _entries[number];
        Hash -= HashOf(in entry);
        Count--;
        _index.Remove((ulong)entry.Key, number);
        if (entry.OwnsEvent) OrderHistory.Free(heap, entry.Event);
        entry.Key = 0;
        entry.OwnsEvent = false;
    }

    // Without the digest: it is keyed by this engine's secret, and an import comes without.
    private static ulong HashOf(in Entry entry) =>
        StableHash.Mix(StableHash.Mix((ulong)entry.Key, (ulong)(entry.Key >> 64)), (ulong)entry.Time);
}
