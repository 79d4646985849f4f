// Proves promise 1: submits for k units yield exactly k, under every policy, over several locations, with holds in between. One thread: the
// core has one writer; that many callers in parallel reach it one by one is the engine's to prove.

using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class OversellTests
{
    public static TheoryData<AllocationPolicy, int> Cases()
    {
        var cases = new TheoryData<AllocationPolicy, int>();
        foreach (var policy in Enum.GetValues<AllocationPolicy>().Where(p => p != AllocationPolicy.None))
            for (var seed = 1; seed <= 5; seed++) cases.Add(policy, seed);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Submits_for_more_than_there_is_take_exactly_what_there_is(AllocationPolicy policy, int seed)
    {
        var shop = new Shop();
        var random = new Random(seed);
        var units = 0L;
        for (var location = 1; location <= 3; location++)
        {
            var (one, two) = (random.Next(1, 2_000), random.Next(1, 2_000));
            shop.Ok(shop.Receive(location, (1, one), (2, two)));
            units += one + two;
        }
        var wanted = 0L;
        var accepted = 0;
        for (var i = 0; wanted < 3 * units; i++)
        {
            var lines = Enumerable.Range(0, random.Next(1, 4)).Select(_ => (random.Next(1, 3), random.Next(1, 40))).ToArray();
            wanted += lines.Sum(l => l.Item2);
            if (i % 7 == 3) shop.Do(shop.Hold(random.Next(1, 3), 0, Shop.Hour, (1, random.Next(1, 30))));
            if (shop.Do(shop.Order(random.Next(1, 3), 0, policy, lines)).Outcome == Outcome.Ok) accepted++;
            if (i % 11 == 5) shop.Turn();
        }
        // What was held comes back, and single units clear the shelves whatever the policy.
        shop.Now += Shop.Hour;
        shop.Turn();
        for (var sku = 1; sku <= 2; sku++)
            while (shop.Do(shop.Order(AllocationPolicy.AllOrNothing, (sku, 1))).Outcome == Outcome.Ok) accepted++;

        var summary = shop.Core.Seal();
        Assert.Equal((units, units, 0L), (summary.OnHand, summary.Committed, summary.Held));
        Assert.Equal(accepted, summary.Orders);
        Assert.Equal(units, Sum(shop.Core, line => line.Reserved));
        if (policy == AllocationPolicy.PartialBackorder) Assert.Equal(Sum(shop.Core, line => line.Ordered), units + summary.Backordered);
        else Assert.Equal(0, summary.Backordered);
        if (policy == AllocationPolicy.AllOrNothing) Assert.Equal(units, Sum(shop.Core, line => line.Ordered));
        Assert.Empty(Invariants.Check(shop.Core.Reader, shop.Core.Sequence).Violations);
        Assert.Empty(shop.Core.CheckIndexes());
    }

    [Fact]
    public void One_unit_goes_to_one_of_a_thousand()
    {
        var shop = new Shop();
        shop.Ok(shop.Receive(2, (1, 1)));
        var outcomes = Enumerable.Range(0, 1_000).Select(_ => shop.Do(shop.Order(AllocationPolicy.AllOrNothing, (1, 1))).Outcome).ToList();
        Assert.Single(outcomes, Outcome.Ok);
        Assert.Equal(999, outcomes.Count(o => o == Outcome.OutOfStock));
    }

    private static long Sum(OrderCore core, Func<LineRow, int> units)
    {
        var sum = 0L;
        for (long order = 1; order <= core.Reader.LastOrder; order++)
            foreach (var line in core.Reader.Order(order, core.Sequence).Lines) sum += units(line);
        return sum;
    }
}
