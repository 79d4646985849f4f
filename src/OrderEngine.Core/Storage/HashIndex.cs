// Owns: hash -> number, a multi-map that grows a few buckets at a time.
// Runs on: Add and Remove on the writer thread; Find and Count on any thread.
//
// Linear hashing: with n buckets and m = the largest power of two <= n, a hash lies in bucket hash mod m, or in
// hash mod 2m when that bucket was split already (its number + m < n). When there is more than one node a bucket, an Add
// splits the next few in turn, so that no Add moves more than their chains. Few, not one: what disturbs readers begins with
// a fence, which waits for everything that the writer has stored, and the chains of the next few are fetched together.
//
// Readers take no lock. An Add only links a complete node in front of a chain, which a reader sees or does not see. A
// split or a removal takes nodes out of the chain a reader may be walking; those make _version odd while they last, and a
// reader whose walk spans a change of _version walks again. A node on the free list is reused only by an Add after the
// removal that freed it, so a walk that began after that removal cannot stand on it. Since a walk that is being
// disturbed might go round in circles, _version is looked at every StepsPerCheck nodes too.

using System.Numerics;
using System.Runtime.CompilerServices;

namespace OrderEngine.Core.Storage;

/// <summary>
/// Finds the numbers that were added under a 64-bit hash. It holds no keys: the caller compares the real key of each
/// candidate. Made for unique keys, so that two entries share a hash only by collision; it never shrinks.
/// </summary>
public sealed class HashIndex
{
    /// <summary>The most entries that may share one hash.</summary>
    public const int MaxCandidates = 16;

    private const long FirstBuckets = 64;
    private const int StepsPerCheck = 64;
    // Divides FirstBuckets, so that those split together lie side by side.
    private const int SplitAtOnce = 8;

    // Nodes from 1; 0 ends a chain.
    private readonly ChunkedArray<int> _heads = new();
    private readonly ChunkedArray<Node> _nodes = new();
    private long _buckets = FirstBuckets;
    private long _version;
    private long _count;
    private int _free;
    private int _lastNode;

    /// <summary>An empty index.</summary>
    public HashIndex()
    {
        _heads.Ensure(FirstBuckets - 1);
        _nodes.Ensure(0);
    }

    /// <summary>How many entries there are. Any thread.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Adds an entry. Writer only.</summary>
    /// <exception cref="InvalidOperationException">There are 2^31 - 1 entries already.</exception>
    public void Add(ulong hash, long value)
    {
        var index = _free;
        if (index != 0)
            _free = _nodes[index].Next;
        else if (_lastNode < int.MaxValue)
            index = ++_lastNode;
        else
            throw new InvalidOperationException("The index is full.");

        ref var head = ref _heads[Bucket(hash, _buckets)];
        ref var node = ref _nodes[index];
        node.Hash = hash;
        node.Value = value;
        node.Next = head;
        Volatile.Write(ref head, index);
        Volatile.Write(ref _count, _count + 1);
        if (_count >= _buckets + SplitAtOnce) Split();
    }

    /// <summary>Removes one entry of this hash and value; false when there is none. Writer only.</summary>
    public bool Remove(ulong hash, long value)
    {
        ref var link = ref _heads[Bucket(hash, _buckets)];
        while (link != 0)
        {
            var index = link;
            ref var node = ref _nodes[index];
            if (node.Hash == hash && node.Value == value)
            {
                BeginDisturbing();
                link = node.Next;
                node.Next = _free;
                EndDisturbing();
                _free = index;
                Volatile.Write(ref _count, _count - 1);
                return true;
            }
            link = ref node.Next;
        }
        return false;
    }

    /// <summary>
    /// Writes the values that were added under <paramref name="hash"/> to <paramref name="candidates"/>, in no particular
    /// order. Any thread.
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
            if ((version & 1) == 0 && TryWalk(hash, candidates, version, out var found))
            {
                if (found > candidates.Length)
                    throw new InvalidOperationException($"More than {candidates.Length} entries share the hash {hash:x16}.");
                return found;
            }
            spin.SpinOnce();
        }
    }

    /// <summary>Fetches the head of a hash's chain into the cache; with <see cref="PrefetchChain"/> some time later, a search waits for neither. Writer only.</summary>
    internal void PrefetchHead(ulong hash) => Cache.Prefetch(ref _heads[Bucket(hash, _buckets)]);

    /// <summary>Fetches the first entry of a hash's chain into the cache, whose head is there by now. Writer only.</summary>
    internal void PrefetchChain(ulong hash) => PrefetchChainOf(Bucket(hash, _buckets));

    private void PrefetchChainOf(long bucket)
    {
        var first = _heads[bucket];
        if (first != 0) Cache.Prefetch(ref _nodes[first]);
    }

    private bool TryWalk(ulong hash, Span<long> candidates, long version, out int found)
    {
        found = 0;
        var buckets = Volatile.Read(ref _buckets);
        var index = Volatile.Read(ref _heads.Peek(Bucket(hash, buckets)));
        for (var step = 1; index != 0; step++)
        {
            ref var node = ref _nodes.Peek(index);
            if (node.Hash == hash)
            {
                if (found < candidates.Length) candidates[found] = node.Value;
                found++;
            }
            index = Volatile.Read(ref node.Next);
            if (step % StepsPerCheck == 0 && Volatile.Read(ref _version) != version) return false;
        }
        Volatile.ReadBarrier();
        return Volatile.Read(ref _version) == version;
    }

    private void Split()
    {
        var half = 1L << BitOperations.Log2((ulong)_buckets);
        var first = _buckets;
        _heads.Ensure(first + SplitAtOnce - 1);
        BeginDisturbing();
        for (var to = first; to < first + SplitAtOnce; to++) Split(to - half, to, 2 * half - 1);
        Volatile.Write(ref _buckets, first + SplitAtOnce);
        EndDisturbing();
        // The next to be split, whose chains lie anywhere: they are on their way to the cache until then.
        for (var next = first + SplitAtOnce - half; next < first + 2 * SplitAtOnce - half; next++) PrefetchChainOf(next);
    }

    private void Split(long from, long to, long mask)
    {
        var index = _heads[from];
        int stay = 0, move = 0;
        while (index != 0)
        {
            ref var node = ref _nodes[index];
            var next = node.Next;
            if (((long)node.Hash & mask) == to)
            {
                node.Next = move;
                move = index;
            }
            else
            {
                node.Next = stay;
                stay = index;
            }
            index = next;
        }
        _heads[from] = stay;
        _heads[to] = move;
    }

    // A full fence: what follows must not be seen before the odd version. The end is a release: what was done is seen first.
    private void BeginDisturbing() => Interlocked.Increment(ref _version);

    private void EndDisturbing() => Volatile.Write(ref _version, _version + 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Bucket(ulong hash, long buckets)
    {
        var half = 1UL << BitOperations.Log2((ulong)buckets);
        var bucket = hash & (2 * half - 1);
        return (long)(bucket < (ulong)buckets ? bucket : bucket & (half - 1));
    }

    private struct Node
    {
        public ulong Hash;
        public long Value;
        public int Next;
    }
}
