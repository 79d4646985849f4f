// Owns: hash -> number, a multi-map that grows a few buckets at a time.
// Runs on: Add, Remove and Prefetch on the writer thread; Find and Count on any thread.
//
// A bucket is one line of the cache: five slots of a number and 32 bits of its hash, and where the bucket goes on when it has more. So a search waits for
// memory once, whether it finds anything or not: with one bucket for two and a half numbers, one in eleven goes on to a second line.
//
// Linear hashing: with n buckets and m = the largest power of two <= n, a hash lies in bucket hash mod m, or in hash mod 2m when that bucket was split already
// (its number + m < n). Adds split the next few in turn, so that none moves more than those. Both what is split and where it goes lie side by side in memory.
// Few at a time, not one: what disturbs readers begins with a fence, which waits for everything that the writer has stored.
//
// Readers take no lock. An Add fills an empty slot, its number last, or links a complete line behind the first, which a reader sees or does not see. A split
// or a removal takes away what a reader may be looking at; those make _version odd while they last, and a reader whose walk spans a change of _version walks
// again. A slot or line that a removal freed is filled only by an Add after it, so a walk that began after that removal cannot have seen what was there.
// Since a walk that is being disturbed might go round in circles, _version is looked at every LinesPerCheck lines too.

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OrderEngine.Core.Storage;

/// <summary>
/// Finds the numbers that were added under a hash. It holds no keys and 32 bits of each hash: the caller compares the real key of each candidate. Made for
/// unique keys, so that two entries share those bits only by collision; it never shrinks.
/// </summary>
public sealed class HashIndex
{
    /// <summary>The most entries that may share the bits of a hash that are kept: with 2^31 entries whose hashes look random, more do so less than once in 10^9 indexes.</summary>
    public const int MaxCandidates = 16;

    private const int Slots = 5;
    private const long FirstBuckets = 64;
    private const int LinesPerCheck = 64;
    // Divides FirstBuckets, so that those split together lie side by side.
    private const int SplitAtOnce = 8;
    // More than a split needs, unless very many hashes are alike.
    private const int LinesPerSplit = 64;

    private readonly CacheLines<Line> _buckets = new();
    // From 1; 0 ends a chain.
    private readonly CacheLines<Line> _more = new();
    private long _bucketCount = FirstBuckets;
    private long _version;
    private long _count;
    private int _freeLine;
    private int _lastLine;

    /// <summary>An empty index.</summary>
    public HashIndex() => _buckets.Ensure(FirstBuckets - 1);

    /// <summary>How many entries there are. Any thread.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Adds an entry. Writer only.</summary>
    /// <param name="hash">Of its key; under a secret where others choose the keys.</param>
    /// <param name="value">From 0, below <see cref="long.MaxValue"/>.</param>
    /// <exception cref="InvalidOperationException">There are 2^31 - 1 entries already.</exception>
    public void Add(ulong hash, long value)
    {
        if (_count == int.MaxValue) throw new InvalidOperationException("The index is full.");
        var part = Part(hash);
        ref var first = ref _buckets[Bucket(part, _bucketCount)];
        if (!TryPut(ref first, part, value))
        {
            ref var line = ref first;
            do
            {
                if (line.Next == 0)
                {
                    PutBehind(ref first, part, value);
                    break;
                }
                line = ref _more[line.Next];
            }
            while (!TryPut(ref line, part, value));
        }
        Volatile.Write(ref _count, _count + 1);
        // One bucket for two and a half entries.
        if (2 * _count >= Slots * (_bucketCount + SplitAtOnce)) Split();
    }

    /// <summary>Removes one entry of this hash and value; false when there is none. Writer only.</summary>
    public bool Remove(ulong hash, long value)
    {
        var part = Part(hash);
        ref var line = ref _buckets[Bucket(part, _bucketCount)];
        ref var link = ref Unsafe.NullRef<int>();
        while (true)
        {
            for (var slot = 0; slot < Slots; slot++)
            {
                if (line.Parts[slot] != part || line.Values[slot] != value + 1) continue;
                BeginDisturbing();
                line.Values[slot] = 0;
                if (!Unsafe.IsNullRef(ref link) && ((ReadOnlySpan<long>)line.Values).IndexOfAnyExcept(0) < 0)
                {
                    var empty = link;
                    link = line.Next;
                    Free(empty);
                }
                EndDisturbing();
                Volatile.Write(ref _count, _count - 1);
                return true;
            }
            if (line.Next == 0) return false;
            link = ref line.Next;
            line = ref _more[link];
        }
    }

    /// <summary>
    /// Writes the values that were added under <paramref name="hash"/> to <paramref name="candidates"/>, in no particular
    /// order, and perhaps others. Any thread.
    /// </summary>
    /// <param name="hash">The hash of the key.</param>
    /// <param name="candidates">Room for the values; <see cref="MaxCandidates"/> is always enough.</param>
    /// <returns>How many there are.</returns>
    /// <exception cref="InvalidOperationException">There are more than <paramref name="candidates"/> or
    /// <see cref="MaxCandidates"/> hold.</exception>
    public int Find(ulong hash, Span<long> candidates)
    {
        if (candidates.Length > MaxCandidates) candidates = candidates[..MaxCandidates];
        var spin = new SpinWait();
        while (true)
        {
            var version = Volatile.Read(ref _version);
            if ((version & 1) == 0 && TryWalk(Part(hash), candidates, version, out var found))
            {
                if (found > candidates.Length)
                    throw new InvalidOperationException($"More than {candidates.Length} entries share the hash {hash:x16}.");
                return found;
            }
            spin.SpinOnce();
        }
    }

    /// <summary>Fetches a hash's bucket into the cache: some time later a search does not wait for it. Writer only.</summary>
    internal void Prefetch(ulong hash) => Cache.Prefetch(ref _buckets[Bucket(Part(hash), _bucketCount)]);

    private bool TryWalk(uint part, Span<long> candidates, long version, out int found)
    {
        found = 0;
        ref var line = ref _buckets[Bucket(part, Volatile.Read(ref _bucketCount))];
        for (var lines = 1; ; lines++)
        {
            for (var slot = 0; slot < Slots; slot++)
            {
                if (line.Parts[slot] != part) continue;
                var value = Volatile.Read(ref line.Values[slot]);
                // An empty slot keeps the hash of what it held: that of the value is the one read after it.
                if (value == 0 || Volatile.Read(ref line.Parts[slot]) != part) continue;
                if (found < candidates.Length) candidates[found] = value - 1;
                found++;
            }
            var next = Volatile.Read(ref line.Next);
            if (next == 0) break;
            if (lines % LinesPerCheck == 0 && Volatile.Read(ref _version) != version) return false;
            line = ref _more[next];
        }
        Volatile.ReadBarrier();
        return Volatile.Read(ref _version) == version;
    }

    private static bool TryPut(ref Line line, uint part, long value)
    {
        for (var slot = 0; slot < Slots; slot++)
        {
            if (line.Values[slot] != 0) continue;
            line.Parts[slot] = part;
            Volatile.Write(ref line.Values[slot], value + 1);
            return true;
        }
        return false;
    }

    // Not at the end, so that the next finds room after one step, however long the chain is.
    private void PutBehind(ref Line line, uint part, long value)
    {
        var index = _freeLine;
        if (index != 0) _freeLine = _more[index].Next;
        else _more.Ensure(index = ++_lastLine);
        ref var added = ref _more[index];
        added = default;
        added.Next = line.Next;
        added.Parts[0] = part;
        added.Values[0] = value + 1;
        // Complete before it is linked.
        Volatile.Write(ref line.Next, index);
    }

    private void Free(int line)
    {
        _more[line].Next = _freeLine;
        _freeLine = line;
    }

    private void Split()
    {
        var half = 1L << BitOperations.Log2((ulong)_bucketCount);
        var first = _bucketCount;
        _buckets.Ensure(first + SplitAtOnce - 1);
        // Readers wait while a split lasts: what it may need is there before.
        _more.Ensure(_lastLine + LinesPerSplit);
        BeginDisturbing();
        for (var to = first; to < first + SplitAtOnce; to++) Split(to - half, to, 2 * half - 1);
        Volatile.Write(ref _bucketCount, first + SplitAtOnce);
        EndDisturbing();
        // The next to be split are on their way to the cache until then.
        for (var next = first + SplitAtOnce - half; next < first + 2 * SplitAtOnce - half; next++) Cache.Prefetch(ref _buckets[next]);
    }

    private void Split(long from, long to, long mask)
    {
        ref var source = ref _buckets[from];
        // Where those go that stay: never ahead of where they are read.
        ref var kept = ref source;
        ref var moved = ref _buckets[to];
        var keptSlots = 0;
        while (true)
        {
            for (var slot = 0; slot < Slots; slot++)
            {
                var (part, value) = (source.Parts[slot], source.Values[slot]);
                if (value == 0) continue;
                if ((part & mask) == to)
                {
                    if (!TryPut(ref moved, part, value - 1)) PutBehind(ref moved, part, value - 1);
                    if (moved.Next != 0) moved = ref _more[moved.Next];
                }
                else
                {
                    if (keptSlots == Slots)
                    {
                        kept = ref _more[kept.Next];
                        keptSlots = 0;
                    }
                    kept.Parts[keptSlots] = part;
                    kept.Values[keptSlots++] = value;
                }
            }
            if (source.Next == 0) break;
            source = ref _more[source.Next];
        }
        ((Span<long>)kept.Values)[keptSlots..].Clear();
        for (var (surplus, next) = (kept.Next, 0); surplus != 0; surplus = next)
        {
            next = _more[surplus].Next;
            Free(surplus);
        }
        kept.Next = 0;
    }

    // A full fence: what follows must not be seen before the odd version. The end is a release: what was done is seen first.
    private void BeginDisturbing() => Interlocked.Increment(ref _version);

    private void EndDisturbing() => Volatile.Write(ref _version, _version + 1);

    // What is kept of a hash; both halves of it, so that neither has to be good alone.
    internal static uint Part(ulong hash) => (uint)(hash ^ (hash >> 32));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Bucket(uint part, long buckets)
    {
        var half = 1L << BitOperations.Log2((ulong)buckets);
        var bucket = part & (2 * half - 1);
        return bucket < buckets ? bucket : bucket & (half - 1);
    }

    [InlineArray(Slots)]
    private struct Five<T>
    {
        private T _first;
    }

    /// <summary>Five slots: of value and part of the hash, the value plus 1; 0: empty.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Line
    {
        public Five<uint> Parts;
        public int Next;
        public Five<long> Values;
    }
}
