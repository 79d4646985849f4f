// Which requests were answered, and how: the same request id gets the same answer within the window (rule 6). The writer changes it; a
// snapshot's thread walks it.
//
// An entry holds the request's key, the digest of its body, and where the event lies that answered it: an order's event lies in the order's
// history, any other belongs to the entry and is freed with it. Entries form a list by age. They leave it only while an event is
// applied and by that event's time, so that a replay drops exactly what the live run dropped.
//
//   first --> left --> left --> oldest --> forgotten --> ... --> newest        (Next; only ever appended to and unlinked at its front)
//
// Entries say since which sequence they are there (Sequence), do not answer any more (ForgottenAt) and are out of the list (LeftAt). An entry
// that left stays linked until every reader looks at that sequence or a later one; then a seal unlinks and retires it, as it does
// with removed rows. A walk takes First inside its guard, before it reads its sequence: whatever was unlinked before that had left by then.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>An entry of the idempotency table as a walk sees it.</summary>
/// <param name="Hash">What it adds to <see cref="RequestTable.Hash"/>; 0 when forgotten.</param>
/// <param name="Time">Time of the answer, microseconds since 1970.</param>
/// <param name="Event">Where the answering event lies.</param>
/// <param name="OwnsEvent">True: it lies there for this entry alone.</param>
/// <param name="Forgotten">True: its id was bound again after the window, and it only keeps its place.</param>
internal readonly record struct RequestEntry(ulong Hash, long Time, long Event, bool OwnsEvent, bool Forgotten);

/// <summary>The idempotency table.</summary>
internal sealed class RequestTable
{
    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public UInt128 Key;
        public UInt128 Digest;
        public long Time;
        // Negative: the event belongs to the entry.
        public long Event;
        public long Next;
        public long Sequence;
        // 0: not yet.
        public long ForgottenAt;
        public long LeftAt;
    }

    // At most this many entries leave for each one that comes: enough to catch up, bounded.
    private const int DroppedPerAdd = 4;
    // A seal unlinks at least this many entries, or twice as many as left in the batch.
    private const int MinUnlinkedPerSeal = 64;
    private const long Never = -1;

    private static readonly int EntryBytes = Unsafe.SizeOf<Entry>();
    private readonly RowHeap _heap;
    private readonly Reclaimer _reclaimer;
    private readonly KeyedHash _hash;
    private readonly HashIndex _index = new();
    private long _first;
    private long _oldest;
    private long _newest;
    private long _sealedSequence;

    /// <summary>An empty table.</summary>
    /// <param name="heap">Where the entries lie.</param>
    /// <param name="reclaimer">Where those that left go.</param>
    /// <param name="hash">Under a secret: clients choose the ids.</param>
    public RequestTable(RowHeap heap, Reclaimer reclaimer, KeyedHash hash)
    {
        _hash = hash;
        _heap = heap;
        _reclaimer = reclaimer;
        // The list always has an entry, so that a walk that begins before the first real one meets it.
        _first = _newest = heap.Allocate(EntryBytes);
        At(_first) = new Entry { ForgottenAt = Never, LeftAt = Never };
    }

    /// <summary>Entries remembered.</summary>
    public long Count { get; private set; }

    /// <summary>Wrapping sum of the entries' hashes.</summary>
    public ulong Hash { get; private set; }

    /// <summary>Entries that left since the last <see cref="Seal"/>.</summary>
    public int LeftSinceSeal { get; private set; }

    /// <summary>Time of the oldest entry remembered, microseconds since 1970; <see cref="long.MaxValue"/> when there is none.</summary>
    public long OldestTime => _oldest == 0 ? long.MaxValue : At(_oldest).Time;

    /// <summary>Where a walk begins. Any thread: take it inside a guard, before the sequence to look at.</summary>
    public long First => Volatile.Read(ref _first);

    /// <summary>The answer recorded for a request id, if it is within the window at <paramref name="now"/>.</summary>
    /// <returns>False when the id is free.</returns>
    public bool TryFind(UInt128 key, long now, out UInt128 digest, out ReadOnlySpan<byte> answer)
    {
        var found = Find(key);
        if (found == 0 || At(found).Time + Limits.RequestWindowMicros <= now)
        {
            digest = 0;
            answer = default;
            return false;
        }
        digest = At(found).Digest;
        answer = OrderHistory.Read(_heap, Math.Abs(At(found).Event));
        return true;
    }

    /// <summary>As <see cref="HashIndex.Prefetch"/>. Writer only.</summary>
    public void Prefetch(UInt128 key) => _index.Prefetch(_hash.Of(key));

    /// <summary>Remembers an answer; drops a few that are out of the window.</summary>
    /// <param name="key">Of the request.</param>
    /// <param name="digest">Of its body.</param>
    /// <param name="time">Of the event.</param>
    /// <param name="sequence">Of the event.</param>
    /// <param name="eventAddress">Where the answering event lies.</param>
    /// <param name="ownsEvent">True: it lies there for this entry alone.</param>
    public void Add(UInt128 key, UInt128 digest, long time, long sequence, long eventAddress, bool ownsEvent)
    {
        // The id may be bound again after its window while the old entry has not been dropped yet; the old one must not answer any more.
        var old = Find(key);
        if (old != 0) Forget(old, sequence);
        Restore(key, digest, time, sequence, eventAddress, ownsEvent);
        for (var i = 0; i < DroppedPerAdd && _oldest != _newest; i++)
        {
            if (At(_oldest).Time + Limits.RequestWindowMicros > time && Count <= Limits.RequestWindowCount) break;
            DropOldest(sequence);
        }
    }

    /// <summary>Puts back an entry of a snapshot; as <see cref="Add"/>, but nothing is dropped. Entries come by age.</summary>
    public void Restore(UInt128 key, UInt128 digest, long time, long sequence, long eventAddress, bool ownsEvent)
    {
        var address = Append(new Entry { Key = key, Digest = digest, Time = time, Event = ownsEvent ? -eventAddress : eventAddress, Sequence = sequence });
        _index.Add(_hash.Of(key), address);
        Hash += HashOf(in At(address));
        Count++;
    }

    /// <summary>Puts back an entry of a snapshot that only keeps its place.</summary>
    public void RestoreForgotten(long time, long sequence) => Append(new Entry { Time = time, Sequence = sequence, ForgottenAt = sequence });

    /// <summary>
    /// Walks the entries as of a sequence, oldest first. Any thread, inside the guard in which <see cref="First"/> was taken.
    /// </summary>
    /// <param name="cursor"><see cref="First"/>, then as the last call left it.</param>
    /// <param name="at">The published sequence, read after <see cref="First"/>.</param>
    /// <param name="found">The next entry.</param>
    /// <returns>False at the end.</returns>
    public bool TryNext(ref long cursor, long at, out RequestEntry found)
    {
        while (cursor != 0)
        {
            ref var entry = ref At(cursor);
            if (entry.Sequence > at) break;
            cursor = Volatile.Read(ref entry.Next);
            // Whatever the writer sets from now on lies above `at`.
            if (IsPast(ref entry.LeftAt, at)) continue;
            var forgotten = IsPast(ref entry.ForgottenAt, at);
            found = new RequestEntry(forgotten ? 0 : HashOf(in entry), entry.Time, Math.Abs(entry.Event), entry.Event < 0, forgotten);
            return true;
        }
        cursor = 0;
        found = default;
        return false;
    }

    /// <summary>Ends a batch: unlinks a bounded number of entries that no reader has to see any more.</summary>
    public void Seal(long sequence)
    {
        // Retired under this seal's sequence, which is not published yet: a reader that entered before the unlinking delays the freeing.
        if (sequence > _sealedSequence) Unlink(Math.Max(MinUnlinkedPerSeal, 2 * LeftSinceSeal), sequence);
        _sealedSequence = sequence;
        LeftSinceSeal = 0;
    }

    private void Unlink(int budget, long sequence)
    {
        while (budget-- > 0 && _first != _newest)
        {
            ref var entry = ref At(_first);
            if (!IsPast(ref entry.LeftAt, _reclaimer.ClearedSequence)) return;
            var address = _first;
            Volatile.Write(ref _first, entry.Next);
            if (entry.Event < 0) _reclaimer.Retire(-entry.Event, OrderHistory.BlockLength(_heap, -entry.Event), sequence);
            _reclaimer.Retire(address, EntryBytes, sequence);
        }
    }

    private long Append(in Entry entry)
    {
        var address = _heap.Allocate(EntryBytes);
        At(address) = entry;
        // Complete before it is linked.
        Volatile.Write(ref At(_newest).Next, address);
        _newest = address;
        if (_oldest == 0) _oldest = address;
        return address;
    }

    // The candidates need not be zeroed first: only those found are looked at.
    [SkipLocalsInit]
    private long Find(UInt128 key)
    {
        Span<long> candidates = stackalloc long[HashIndex.MaxCandidates];
        var count = _index.Find(_hash.Of(key), candidates);
        foreach (var address in candidates[..count])
            if (At(address).Key == key) return address;
        return 0;
    }

    private void DropOldest(long sequence)
    {
        ref var entry = ref At(_oldest);
        if (entry.ForgottenAt == 0) Forget(_oldest, sequence);
        Volatile.Write(ref entry.LeftAt, sequence);
        _oldest = entry.Next;
        LeftSinceSeal++;
    }

    // Takes an entry out of index, hash and count; it stays in the list of ages until its turn comes.
    private void Forget(long address, long sequence)
    {
        ref var entry = ref At(address);
        Hash -= HashOf(in entry);
        Count--;
        _index.Remove(_hash.Of(entry.Key), address);
        Volatile.Write(ref entry.ForgottenAt, sequence);
    }

    private static bool IsPast(ref long since, long at)
    {
        var value = Volatile.Read(ref since);
        return value != 0 && value <= at;
    }

    private ref Entry At(long address) => ref MemoryMarshal.AsRef<Entry>(_heap.At(address, EntryBytes));

    // Without the digest: it is keyed by this engine's secret, and an import comes without.
    private static ulong HashOf(in Entry entry) =>
        StableHash.Mix(StableHash.Mix((ulong)entry.Key, (ulong)(entry.Key >> 64)), (ulong)entry.Time);
}
