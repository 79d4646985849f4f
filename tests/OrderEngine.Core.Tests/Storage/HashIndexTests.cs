// Proves: the index is a multi-map like any other, and readers beside the writer miss nothing and see nothing foreign.

using OrderEngine.Core.Storage;
using Xunit;

namespace OrderEngine.Core.Tests.Storage;

public sealed class HashIndexTests
{
    // Few low bits: long chains that splitting does not part, and some equal hashes.
    private static ulong CrowdedHash(long value) => (StableHash.Mix((ulong)value / 3, 1) & 0x7) | (((ulong)value / 3) << 52);

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
            var value = random.NextInt64(step < 30_000 ? 6_000 : 1_000);
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
    public void Readers_find_what_is_there_and_only_that_while_the_writer_adds_and_removes(int seed)
    {
        const int Stable = 90;
        const int Churned = 90;
        var index = new HashIndex();
        for (var value = 0; value < Stable; value++) index.Add(CrowdedHash(value), value);
        var beside = new Beside();
        beside.Run(Write, readerCount: 2, Read);

        void Write()
        {
            var churn = new Random(seed);
            var isIn = new bool[Churned];
            for (var step = 0; step < 500_000 && !beside.IsOver; step++)
            {
                var at = churn.Next(Churned);
                if (isIn[at]) Assert.True(index.Remove(CrowdedHash(Stable + at), Stable + at));
                else index.Add(CrowdedHash(Stable + at), Stable + at);
                isIn[at] = !isIn[at];
            }
        }

        void Read(int reader)
        {
            var random = new Random(seed * 100 + reader);
            Span<long> candidates = stackalloc long[HashIndex.MaxCandidates];
            while (!beside.IsOver)
            {
                var value = random.NextInt64(Stable + Churned);
                var hash = CrowdedHash(value);
                var found = candidates[..index.Find(hash, candidates)];
                if (value < Stable && !found.Contains(value)) beside.Report($"missed {value}");
                if (found.Length > 3) beside.Report($"{found.Length} candidates for {value}");
                foreach (var other in found)
                    if (CrowdedHash(other) != hash) beside.Report($"foreign {other} for {value}");
            }
        }
    }

    private sealed record Growth(HashIndex Index, bool Crowded)
    {
        public long Published;

        // Crowded: four chains of a hundred lines that every doubling relinks in full. Otherwise each split parts a bucket or two.
        public ulong HashOf(long value) =>
            Crowded ? (StableHash.Mix((ulong)value, 4) & 0x3) | ((ulong)value << 52) : StableHash.Mix((ulong)value, 4);
    }

    [Theory]
    [InlineData(43)]
    public void Readers_find_every_published_entry_while_buckets_split(int seed)
    {
        const int Rounds = 600;
        const long Entries = 2_000;
        var beside = new Beside();
        var current = new Growth(new HashIndex(), Crowded: false);
        beside.Run(Write, readerCount: 2, Read);

        void Write()
        {
            for (var round = 0; round < Rounds && !beside.IsOver; round++)
            {
                var growth = new Growth(new HashIndex(), Crowded: round % 2 == 0);
                Volatile.Write(ref current, growth);
                for (var value = 0L; value < Entries; value++)
                {
                    growth.Index.Add(growth.HashOf(value), value);
                    Volatile.Write(ref growth.Published, value + 1);
                }
            }
        }

        void Read(int reader)
        {
            var random = new Random(seed * 100 + reader);
            Span<long> candidates = stackalloc long[HashIndex.MaxCandidates];
            while (!beside.IsOver)
            {
                var growth = Volatile.Read(ref current);
                var published = Volatile.Read(ref growth.Published);
                var value = random.NextInt64(published + 1);
                var found = growth.Index.Find(growth.HashOf(value), candidates);
                if (value < published && (found != 1 || candidates[0] != value))
                    beside.Report($"{found} found for {value} of {published}");
            }
        }
    }
}
