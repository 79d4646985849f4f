// Asks for random lists and compares: page after page of the core's with the whole of the other side's. One thread; inside no guard.

using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests.Histories;

internal static class ListComparison
{
    private const int Looks = 1_000;

    /// <summary>A few random lists, as they stand at a sequence.</summary>
    public static void Some(StateReader reader, long at, Random random, long start, long end, Func<OrderQuery, List<long>> expected)
    {
        for (var i = 0; i < 4; i++)
        {
            var query = Query(random, start, end);
            Assert.Equal(expected(query), Whole(reader, at, query, random.Next(1, 40)));
        }
    }

    /// <summary>All pages of a list.</summary>
    public static List<long> Whole(StateReader reader, long at, OrderQuery query, int size)
    {
        var found = new List<long>();
        long after = 0;
        do
        {
            var page = reader.ListOrders(query, at, after, size, Looks);
            Assert.InRange(page.Orders.Count, 0, size);
            Assert.True(page.After == 0 || page.Orders.Count == size || page.Looked >= Looks);
            found.AddRange(page.Orders);
            after = page.After;
        }
        while (after != 0);
        return found;
    }

    private static OrderQuery Query(Random random, long start, long end)
    {
        long Moment() => random.Next(3) > 0 ? 0 : start + random.NextInt64(Math.Max(1, end - start + 2));
        return new OrderQuery
        {
            Channel = random.Next(2) * random.Next(1, CommandMaker.ChannelCount + 1),
            Customer = random.Next(3) > 0 ? 0 : random.Next(1, CommandMaker.CustomerCount + 1),
            States = random.Next(2) == 0 ? [] : [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => (OrderState)random.Next(1, 15)).Distinct()],
            Tiers = random.Next(3) > 0 ? [] : [.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => random.Next(10)).Distinct()],
            WithException = random.Next(8) == 0,
            Exception = random.Next(8) == 0 ? (ExceptionKind)random.Next(1, 8) : ExceptionKind.None,
            Since = Moment(), Before = Moment(), OldestFirst = random.Next(2) == 0,
        };
    }
}
