// Proves: the index is a multi-map like any other, and readers beside the writer miss nothing and see nothing foreign.

using OrderEngine.Core.Storage;
using Xunit;

namespace OrderEngine.Core.Tests.Storage;

public sealed class HashIndexTests
{
    // Few low bits: long chains that splitting does not part, and some equal hashes.
    private static ulong CrowdedHash(long value) => (StableHash.Mix((ulong)value / 3, 1) & 0xFFF) | (((ulong)value / 3) << 40);

    private static long[] Find(HashIndex index, ulong hash)
    {
        Span<long> candidates = stackalloc long[HashIndex.MaxCandidates];
        var found = candidates[..index.Find(hash, candidates)].ToArray();
        Array.Sort(found);
        return found;
    }

    [Theory]
    [InlineData(31, true)]
    [InlineData(32, false)]
    [InlineData(33, false)]
    public void Random_operations_match_a_dictionary_of_lists(int seed, bool crowded)
    {
        var random = new Random(seed);
        var index = new HashIndex();
        var model = new Dictionary<ulong, List<long>>();
        var count = 0;
        for (var step = 0; step < 60_000; step++)
        {
            var value = random.NextInt64(step < 30_000 ? 20_000 : 3_000);
            var hash = crowded ? CrowdedHash(value) : StableHash.Mix((ulong)value / 3, 2);
            if (!model.TryGetValue(hash, out var values)) model[hash] = values = [];
            if (random.Next(5) < 3 && values.Count < HashIndex.MaxCandidates)
            {
                index.Add(hash, value);
                values.Add(value);
                count++;
            }
            else
            {
                var isThere = values.Remove(value);
                Assert.Equal(isThere, index.Remove(hash, value));
                if (isThere) count--;
            }
            Assert.Equal(count, index.Count);
            Assert.Equal(values.Order(), Find(index, hash));
        }
        foreach (var (hash, values) in model) Assert.Equal(values.Order(), Find(index, hash));
    }

    [Fact]
    public void More_candidates_than_there_is_room_for_is_an_error()
    {
        var index = new HashIndex();
        for (var i = 0; i < HashIndex.MaxCandidates; i++) index.Add(99, i);
        Assert.Equal(HashIndex.MaxCandidates, Find(index, 99).Length);
        Assert.Throws<InvalidOperationException>(() => index.Find(99, new long[3]));
        index.Add(99, 1000);
        Assert.Throws<InvalidOperationException>(() => index.Find(99, new long[100]));
        Assert.True(index.Remove(99, 5));
        Assert.DoesNotContain(5, Find(index, 99));
    }

    [Theory]
    [InlineData(41)]
    [InlineData(42)]
    public void Readers_find_what_is_there_and_only_that_while_the_writer_splits_and_removes(int seed)
    {
        const int Stable = 3_000;
        const int Churned = 6_000;
        var index = new HashIndex();
        for (var value = 0; value < Stable; value++) index.Add(CrowdedHash(value), value);
        var done = false;
        var problems = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var readers = Enumerable.Range(0, 2).Select(n => new Thread(() =>
        {
            var random = new Random(seed * 100 + n);
            Span<long> candidates = stackalloc long[HashIndex.MaxCandidates];
            while (!Volatile.Read(ref done) && problems.IsEmpty)
            {
                var value = random.NextInt64(Stable + Churned);
                var hash = CrowdedHash(value);
                var found = candidates[..index.Find(hash, candidates)];
                if (value < Stable && !found.Contains(value)) problems.Enqueue($"missed {value}");
                if (found.Length > 3) problems.Enqueue($"{found.Length} candidates for {value}");
                foreach (var other in found)
                    if (CrowdedHash(other) != hash) problems.Enqueue($"foreign {other} for {value}");
            }
        })).ToArray();
        foreach (var reader in readers) reader.Start();

        var churn = new Random(seed);
        var isIn = new bool[Churned];
        var growth = (long)Stable + Churned;
        for (var step = 0; step < 150_000; step++)
        {
            var at = churn.Next(Churned);
            if (isIn[at]) Assert.True(index.Remove(CrowdedHash(Stable + at), Stable + at));
            else index.Add(CrowdedHash(Stable + at), Stable + at);
            isIn[at] = !isIn[at];
            // Growth elsewhere, so that splits go on all the while.
            if (step % 8 == 0) index.Add(StableHash.Mix((ulong)++growth, 3), growth);
        }
        Volatile.Write(ref done, true);
        foreach (var reader in readers) reader.Join();
        Assert.Empty(problems);
    }
}
