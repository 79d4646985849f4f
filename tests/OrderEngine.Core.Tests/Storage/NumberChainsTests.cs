// Proves: each chain is the list of what was appended to it, found from any end, in some 2 log2(n) steps.

using OrderEngine.Core.Storage;
using Xunit;

namespace OrderEngine.Core.Tests.Storage;

public sealed class NumberChainsTests
{
    [Theory]
    [InlineData(21, 3)]
    [InlineData(22, 400)]
    public void Chains_match_lists(int seed, int keys)
    {
        var random = new Random(seed);
        var chains = new NumberChains();
        var lists = Enumerable.Range(0, keys + 1).Select(_ => new List<long>()).ToArray();
        for (long number = 1; number <= 20_000; number++)
        {
            if (random.Next(10) == 0) continue;
            var key = 1 + random.Next(keys);
            chains.Append(key, number);
            lists[key].Add(number);
            if (number % 50 != 0) continue;
            key = 1 + random.Next(keys);
            long probe = random.Next(0, (int)number + 10);
            var below = lists[key].LastOrDefault(member => member <= probe);
            Assert.Equal(below, chains.AtOrBelow(key, probe));
            Assert.Equal(below == 0 ? 0 : lists[key].IndexOf(below) + 1, chains.Ordinal(below));
        }
        for (var key = 1; key <= keys; key++)
        {
            Assert.Equal(lists[key].LastOrDefault(), chains.Last(key));
            for (var place = 1; place <= lists[key].Count; place += 1 + lists[key].Count / 50)
                Assert.Equal(lists[key][place - 1], chains.AtOrdinal(chains.Last(key), place));
            Assert.Equal(0, chains.AtOrdinal(chains.Last(key), 0));
            var down = new List<long>();
            for (var member = chains.Last(key); member != 0; member = chains.Before(member)) down.Add(member);
            down.Reverse();
            Assert.Equal(lists[key], down);
        }
        Assert.Equal(0, chains.Last(1_000_000));
        Assert.Throws<InvalidOperationException>(() => chains.Append(1, 1));
    }
}
