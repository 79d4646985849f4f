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
        return Pages(after =>
        {
            var page = reader.ListOrders(query, at, after, size, Looks);
            Assert.InRange(page.Numbers.Count, 0, size);
            Assert.True(page.After == 0 || page.Numbers.Count == size || page.Looked >= Looks);
            return page;
        });
    }

    private static List<long> Pages(Func<long, NumberPage> next)
    {
        var found = new List<long>();
        long after = 0;
        do
        {
            var page = next(after);
            found.AddRange(page.Numbers);
            after = page.After;
        }
        while (after != 0);
        return found;
    }

    /// <summary>A few random lists of exceptions.</summary>
    public static void SomeExceptions(StateReader reader, long at, Random random, Func<ExceptionQuery, List<long>> expected)
    {
        for (var i = 0; i < 3 && reader.LastException > 0; i++)
        {
            var query = new ExceptionQuery
            {
                Order = random.Next(3) > 0 ? 0 : reader.Exception(random.NextInt64(reader.LastException) + 1, at).Head.Order,
                Kind = random.Next(3) > 0 ? ExceptionKind.None : (ExceptionKind)random.Next(1, 8),
                Open = random.Next(3) switch { 0 => null, 1 => true, _ => false },
                OldestFirst = random.Next(2) == 0,
            };
            Assert.Equal(expected(query), Pages(after => reader.ListExceptions(query, at, after, 1 + (int)(at % 7), Looks)));
        }
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
