// Owns: many small ordered sets (backorder queues, timers) in one pool of nodes.
// Runs on: the writer thread.
//
// Each set is a treap: a search tree by key that is also a heap by priority. The priority is a hash of the key, so the
// shape depends on nothing but the keys in the set, whatever the order they came in, and is balanced as if at random.
// Each node holds the count and the sum of weights of its subtree. Node 0 is the empty tree and stays all zero.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OrderEngine.Core.Storage;

/// <summary>
/// Ordered sets of keys with a weight each. The caller keeps a set's root (0 = empty) and passes it in; nodes of all sets
/// share one pool and are reused. Everything but <see cref="Live"/> takes O(log n).
/// </summary>
/// <typeparam name="TKey">A readonly struct, without padding bytes if the shape shall be reproducible.</typeparam>
public sealed class OrderedPool<TKey> where TKey : unmanaged, IComparable<TKey>
{
    private readonly ChunkedArray<Node> _nodes = new();
    private int _free;
    private int _last;

    /// <summary>An empty pool.</summary>
    public OrderedPool() => _nodes.Ensure(0);

    /// <summary>How many keys all the sets hold.</summary>
    public long Live { get; private set; }

    /// <summary>Adds a key.</summary>
    /// <exception cref="InvalidOperationException">The set holds the key, or the pool 2^31 - 1 of them.</exception>
    public void Add(ref int root, in TKey key, long weight)
    {
        if (Contains(root, in key)) throw new InvalidOperationException("The set holds this key.");
        var added = Allocate(in key, weight);
        ref var addedNode = ref _nodes[added];
        ref var link = ref root;
        while (link != 0)
        {
            ref var node = ref _nodes[link];
            if (IsAbove(in addedNode, in node)) break;
            node.Count++;
            node.Sum += weight;
            link = ref key.CompareTo(node.Key) < 0 ? ref node.Left : ref node.Right;
        }
        Split(link, in key, ref addedNode.Left, ref addedNode.Right);
        Pull(ref addedNode);
        link = added;
        Live++;
    }

    /// <summary>Removes a key; false when the set does not hold it.</summary>
    public bool Remove(ref int root, in TKey key)
    {
        var found = Locate(root, in key);
        if (found == 0) return false;
        var weight = _nodes[found].Weight;
        ref var link = ref root;
        while (link != found)
        {
            ref var node = ref _nodes[link];
            node.Count--;
            node.Sum -= weight;
            link = ref key.CompareTo(node.Key) < 0 ? ref node.Left : ref node.Right;
        }
        ref var removed = ref _nodes[found];
        link = Merge(removed.Left, removed.Right);
        removed = default;
        removed.Left = _free;
        _free = found;
        Live--;
        return true;
    }

    /// <summary>Gives a key another weight; false when the set does not hold it.</summary>
    public bool TryUpdateWeight(ref int root, in TKey key, long weight)
    {
        var found = Locate(root, in key);
        if (found == 0) return false;
        var change = weight - _nodes[found].Weight;
        for (var index = root; index != found;)
        {
            ref var node = ref _nodes[index];
            node.Sum += change;
            index = key.CompareTo(node.Key) < 0 ? node.Left : node.Right;
        }
        ref var changed = ref _nodes[found];
        changed.Weight = weight;
        changed.Sum += change;
        return true;
    }

    /// <summary>Whether the set holds a key.</summary>
    public bool Contains(int root, in TKey key) => Locate(root, in key) != 0;

    /// <summary>The weight of a key; false when the set does not hold it.</summary>
    public bool TryGetWeight(int root, in TKey key, out long weight)
    {
        var found = Locate(root, in key);
        weight = _nodes[found].Weight;
        return found != 0;
    }

    /// <summary>The smallest key; false when the set is empty.</summary>
    public bool TryMin(int root, out TKey key) => TryMin(root, out key, out _);

    /// <summary>The smallest key and its weight; false when the set is empty.</summary>
    public bool TryMin(int root, out TKey key, out long weight)
    {
        var index = root;
        while (_nodes[index].Left != 0) index = _nodes[index].Left;
        return Found(index, out key, out weight);
    }

    /// <summary>The smallest key strictly greater than <paramref name="after"/>; false when there is none.</summary>
    public bool TryNext(int root, in TKey after, out TKey key, out long weight)
    {
        var best = 0;
        for (var index = root; index != 0;)
        {
            ref var node = ref _nodes[index];
            var isGreater = node.Key.CompareTo(after) > 0;
            if (isGreater) best = index;
            index = isGreater ? node.Left : node.Right;
        }
        return Found(best, out key, out weight);
    }

    /// <summary>The smallest key at or above <paramref name="from"/>; false when there is none.</summary>
    public bool TryCeiling(int root, in TKey from, out TKey key, out long weight)
    {
        var best = 0;
        for (var index = root; index != 0;)
        {
            ref var node = ref _nodes[index];
            var isReached = node.Key.CompareTo(from) >= 0;
            if (isReached) best = index;
            index = isReached ? node.Left : node.Right;
        }
        return Found(best, out key, out weight);
    }

    /// <summary>The sum of the weights of the keys strictly smaller than <paramref name="key"/>, which the set need not hold.</summary>
    public long WeightBefore(int root, in TKey key)
    {
        var sum = 0L;
        for (var index = root; index != 0;)
        {
            ref var node = ref _nodes[index];
            if (node.Key.CompareTo(key) < 0)
            {
                sum += node.Weight + _nodes[node.Left].Sum;
                index = node.Right;
            }
            else
            {
                index = node.Left;
            }
        }
        return sum;
    }

    /// <summary>The sum of all weights of the set.</summary>
    public long TotalWeight(int root) => _nodes[root].Sum;

    /// <summary>How many keys the set holds.</summary>
    public int Count(int root) => _nodes[root].Count;

    /// <summary>How many nodes were in use at the peak.</summary>
    internal int NodesEverUsed => _last;

    internal TKey RootKey(int root) => _nodes[root].Key;

    internal int Depth(int root) => root == 0 ? 0 : 1 + Math.Max(Depth(_nodes[root].Left), Depth(_nodes[root].Right));

    private int Locate(int root, in TKey key)
    {
        var index = root;
        while (index != 0)
        {
            ref var node = ref _nodes[index];
            var order = key.CompareTo(node.Key);
            if (order == 0) break;
            index = order < 0 ? node.Left : node.Right;
        }
        return index;
    }

    private bool Found(int index, out TKey key, out long weight)
    {
        ref var node = ref _nodes[index];
        key = node.Key;
        weight = node.Weight;
        return index != 0;
    }

    private int Allocate(in TKey key, long weight)
    {
        var index = _free;
        if (index != 0) _free = _nodes[index].Left;
        else index = checked(++_last);
        _nodes[index] = new Node
        {
            Key = key,
            Weight = weight,
            Priority = StableHash.Of(MemoryMarshal.AsBytes(new ReadOnlySpan<TKey>(in key))),
        };
        return index;
    }

    // Parts a tree into the keys below and the keys above one that it does not hold. Expected depth: O(1) at the place
    // where Add calls it, as the tree there lies below the added node's priority.
    private void Split(int tree, in TKey key, ref int below, ref int above)
    {
        if (tree == 0)
        {
            below = above = 0;
            return;
        }
        ref var node = ref _nodes[tree];
        if (node.Key.CompareTo(key) < 0)
        {
            below = tree;
            Split(node.Right, in key, ref node.Right, ref above);
        }
        else
        {
            above = tree;
            Split(node.Left, in key, ref below, ref node.Left);
        }
        Pull(ref node);
    }

    // Joins two trees, every key of the first below every key of the second.
    private int Merge(int first, int second)
    {
        if (first == 0) return second;
        if (second == 0) return first;
        ref var left = ref _nodes[first];
        ref var right = ref _nodes[second];
        if (IsAbove(in left, in right))
        {
            left.Right = Merge(left.Right, second);
            Pull(ref left);
            return first;
        }
        right.Left = Merge(first, right.Left);
        Pull(ref right);
        return second;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsAbove(in Node a, in Node b) =>
        a.Priority != b.Priority ? a.Priority > b.Priority : a.Key.CompareTo(b.Key) < 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Pull(ref Node node)
    {
        ref var left = ref _nodes[node.Left];
        ref var right = ref _nodes[node.Right];
        node.Count = 1 + left.Count + right.Count;
        node.Sum = node.Weight + left.Sum + right.Sum;
    }

    private struct Node
    {
        public TKey Key;
        public ulong Priority;
        public long Weight;
        public long Sum;
        public int Left;
        public int Right;
        public int Count;
    }
}
