// Proves: a set of numbers is a sorted set, near and far; a reader beside the writer finds what was there before it began.

using OrderEngine.Core.Storage;
using Xunit;

namespace OrderEngine.Core.Tests.Storage;

public sealed class NumberSetTests
{
    [Theory]
    [InlineData(1, 200)]
    [InlineData(2, 70_000)]
    [InlineData(3, 40_000_000)]
    public void Random_operations_match_a_sorted_set(int seed, int range)
    {
        var random = new Random(seed);
        var set = new NumberSet();
        var model = new SortedSet<long>();
        for (var step = 0; step < 20_000; step++)
        {
            long number = random.Next(1, range + 1);
            if (random.Next(step % 8_000 < 5_000 ? 4 : 2) > 0) Assert.Equal(model.Add(number), set.Add(number));
            else Assert.Equal(model.Remove(number), set.Remove(number));
            if (model.Count > 0 && random.Next(3) == 0)
            {
                number = model.Min;
                Assert.True(model.Remove(number) && set.Remove(number));
            }
            Assert.Equal(model.Count, set.Count);
            long probe = random.Next(-2, range + 100);
            Assert.Equal(model.Contains(probe), probe > 0 && set.Contains(probe));
            Assert.Equal(model.GetViewBetween(Math.Max(1, probe), long.MaxValue).Min, set.Next(probe));
            Assert.Equal(probe < 1 ? 0 : model.GetViewBetween(1, probe).Max, set.Previous(probe));
        }
    }

    [Fact]
    public void Every_member_is_found_in_both_directions()
    {
        var set = new NumberSet();
        long[] members = [1, 2, 63, 64, 65, 4_095, 4_096, 262_143, 262_144, 262_145, 16_777_216, 16_777_217, 33_554_432];
        foreach (var member in members) Assert.True(set.Add(member));
        var up = new List<long>();
        for (var member = set.Next(0); member != 0; member = set.Next(member + 1)) up.Add(member);
        var down = new List<long>();
        for (var member = set.Previous(long.MaxValue - 1); member != 0; member = set.Previous(member - 1)) down.Add(member);
        Assert.Equal(members, up);
        Assert.Equal(members.Reverse(), down);
        Assert.False(set.Add(64));
        Assert.False(set.Remove(66));
    }

    [Fact]
    public void A_reader_beside_the_writer_finds_what_stays()
    {
        const int Stays = 1_000, Apart = 977, Changes = 400_000;
        var set = new NumberSet();
        for (var i = 1; i <= Stays; i++) set.Add(i * Apart);
        var done = false;
        var failure = default(Exception);
        var reader = new Thread(() => failure = Record.Exception(() =>
        {
            do
            {
                var found = 0;
                for (var member = set.Next(1); member != 0; member = set.Next(member + 1)) found += member % Apart == 0 ? 1 : 0;
                Assert.Equal(Stays, found);
                for (var member = set.Previous(Stays * Apart + 5_000); member != 0; member = set.Previous(member - 1)) found -= member % Apart == 0 ? 1 : 0;
                Assert.Equal(0, found);
            }
            while (!Volatile.Read(ref done));
        }));
        reader.Start();
        var random = new Random(4);
        for (var i = 0; i < Changes; i++)
        {
            var number = random.Next(1, Stays * Apart + 5_000);
            if (number % Apart == 0) continue;
            if (!set.Add(number)) set.Remove(number);
            if (i % 3 == 0) set.Remove(number);
        }
        Volatile.Write(ref done, true);
        reader.Join();
        Assert.Null(failure);
    }
}
