// Proves: each set of the pool is an ordered map with sums of weights, and sets do not disturb one another.

using OrderEngine.Core.Storage;
using Xunit;

namespace OrderEngine.Core.Tests.Storage;

public sealed class OrderedPoolTests
{
    private readonly record struct Due(long At, long Sequence) : IComparable<Due>
    {
        public int CompareTo(Due other) => At != other.At ? At.CompareTo(other.At) : Sequence.CompareTo(other.Sequence);
    }

    [Theory]
    [InlineData(71)]
    [InlineData(72)]
    [InlineData(73)]
    public void Random_operations_on_several_sets_match_sorted_dictionaries(int seed)
    {
        var random = new Random(seed);
        var pool = new OrderedPool<Due>();
        var roots = new int[4];
        var models = Enumerable.Range(0, roots.Length).Select(_ => new SortedDictionary<Due, long>()).ToArray();
        for (var step = 0; step < 12_000; step++)
        {
            var set = random.Next(roots.Length);
            var model = models[set];
            ref var root = ref roots[set];
            var key = new Due(random.Next(20), random.Next(20));
            var weight = random.NextInt64(-5, 100);
            switch (random.Next(step % 4000 < 2500 ? 5 : 9))
            {
                case 0 or 1 or 2 when !model.ContainsKey(key):
                    pool.Add(ref root, in key, weight);
                    model.Add(key, weight);
                    break;
                case 3:
                    var isThere = model.ContainsKey(key);
                    if (isThere) model[key] = weight;
                    Assert.Equal(isThere, pool.TryUpdateWeight(ref root, in key, weight));
                    break;
                default:
                    Assert.Equal(model.Remove(key), pool.Remove(ref root, in key));
                    break;
            }
            Check(pool, root, model, new Due(random.Next(-1, 21), random.Next(-1, 21)));
            Assert.Equal(models.Sum(m => (long)m.Count), pool.Live);
        }
        for (var set = 0; set < roots.Length; set++)
        {
            Assert.Equal(models[set].ToArray(), Walk(pool, roots[set]));
            foreach (var key in models[set].Keys) Assert.True(pool.Remove(ref roots[set], in key));
            Assert.Equal(0, roots[set]);
        }
        Assert.Equal(0, pool.Live);
    }

    private static void Check(OrderedPool<Due> pool, int root, SortedDictionary<Due, long> model, Due probe)
    {
        Assert.Equal(model.Count, pool.Count(root));
        Assert.Equal(model.Values.Sum(), pool.TotalWeight(root));
        Assert.Equal(model.Where(e => e.Key.CompareTo(probe) < 0).Sum(e => e.Value), pool.WeightBefore(root, in probe));
        Assert.Equal(model.ContainsKey(probe), pool.Contains(root, in probe));
        Assert.Equal(model.TryGetValue(probe, out var weight), pool.TryGetWeight(root, in probe, out var found));
        Assert.Equal(weight, found);

        AssertSame(model.Take(1), pool.TryMin(root, out var key, out found), key, found);
        AssertSame(model.Where(e => e.Key.CompareTo(probe) > 0).Take(1), pool.TryNext(root, in probe, out key, out found), key, found);
        AssertSame(model.Where(e => e.Key.CompareTo(probe) >= 0).Take(1), pool.TryCeiling(root, in probe, out key, out found), key, found);
    }

    private static void AssertSame(IEnumerable<KeyValuePair<Due, long>> expected, bool isThere, Due key, long weight) =>
        Assert.Equal(expected.ToArray(), isThere ? [new(key, weight)] : []);

    private static List<KeyValuePair<Due, long>> Walk(OrderedPool<Due> pool, int root)
    {
        var entries = new List<KeyValuePair<Due, long>>();
        var isThere = pool.TryMin(root, out var key, out var weight);
        while (isThere)
        {
            entries.Add(new(key, weight));
            isThere = pool.TryNext(root, in key, out key, out weight);
        }
        return entries;
    }

    [Fact]
    public void Keys_that_come_in_order_or_in_reverse_make_the_same_shallow_tree()
    {
        var pool = new OrderedPool<Due>();
        int up = 0, down = 0;
        const int Keys = 100_000;
        for (var i = 0; i < Keys; i++) pool.Add(ref up, new Due(i, 0), 1);
        for (var i = Keys - 1; i >= 0; i--) pool.Add(ref down, new Due(i, 0), 1);
        Assert.Equal(pool.RootKey(up), pool.RootKey(down));
        // A random tree of this size is some 40 deep; a list would be 100,000.
        Assert.Equal(pool.Depth(up), pool.Depth(down));
        Assert.InRange(pool.Depth(up), 17, 60);
        Assert.Equal(50_000, pool.WeightBefore(up, new Due(50_000, 0)));
    }

    [Fact]
    public void Adding_a_key_twice_is_an_error_and_changes_nothing()
    {
        var pool = new OrderedPool<Due>();
        var root = 0;
        pool.Add(ref root, new Due(1, 1), 5);
        Assert.Throws<InvalidOperationException>(() => pool.Add(ref root, new Due(1, 1), 6));
        Assert.Equal((1, 5), (pool.Count(root), pool.TotalWeight(root)));
    }

    [Fact]
    public void Freed_nodes_are_reused()
    {
        var pool = new OrderedPool<Due>();
        var root = 0;
        for (var i = 0; i < 200_000; i++)
        {
            pool.Add(ref root, new Due(i, 0), 1);
            if (i >= 100) Assert.True(pool.Remove(ref root, new Due(i - 100, 0)));
        }
        Assert.Equal((100, 100), (pool.Count(root), pool.Live));
        Assert.Equal(101, pool.NodesEverUsed);
    }
}
