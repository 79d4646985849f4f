// Compares statements of random periods, page by page, with the model's notes, and adjoining periods with each other. One thread.

using OrderEngine.Core.State;
using OrderEngine.Core.Tests.Model;
using Xunit;

namespace OrderEngine.Core.Tests.Histories;

internal static class StatementComparison
{
    public static void Some(StateReader reader, long at, Random random, long start, long end, NaiveModel model)
    {
        using var guard = reader.Enter();
        for (var i = 0; i < 2; i++)
        {
            var customer = random.Next(1, CommandMaker.CustomerCount + 1);
            var currency = random.Next(3) == 0 ? Currency.Pack("GBP"u8) : 0;
            // Now and then to the microsecond of an event.
            long Moment() => random.Next(3) == 0 && model.Orders.Count > 0 ? model.Orders[random.Next(model.Orders.Count)].ChangedAt : start + random.NextInt64(Math.Max(1, end - start + 2));
            var middle = Moment();
            var first = Whole(reader, at, new StatementQuery(customer, 0, middle, currency, long.MaxValue), random);
            var second = Whole(reader, at, new StatementQuery(customer, middle, 0, currency, long.MaxValue), random);
            Same(model.Statement(customer, currency, 0, middle), first);
            Same(model.Statement(customer, currency, middle, 0), second);
            // What one period leaves open the next one begins with, and nothing comes from nowhere.
            Assert.All(first, entry => Assert.Equal(0, entry.Opening.Balance));
            Assert.Equal(first.Sum(entry => entry.Closing.Balance), second.Sum(entry => entry.Opening.Balance));
        }
    }

    private static List<StatementEntry> Whole(StateReader reader, long at, StatementQuery query, Random random)
    {
        var found = new List<StatementEntry>();
        long after = 0;
        do
        {
            var size = random.Next(1, 30);
            var page = new StatementReader(reader, query, at).Read(at, after, size, random.Next(1, 200));
            Assert.InRange(page.Entries.Count, 0, size);
            found.AddRange(page.Entries);
            Assert.True(page.After == 0 || page.After > after);
            after = page.After;
        }
        while (after != 0);
        return found;
    }

    private static void Same(List<(long Order, ModelAccount Opening, ModelAccount Closing)> expected, List<StatementEntry> actual) => Assert.Equal(
        expected.Select(e => (e.Order, e.Opening with { Due = 0 }, e.Closing)),
        actual.Select(a => (a.Order, Account(a.Opening, 0), Account(a.Closing, a.Due))));

    private static ModelAccount Account(AccountFigures f, long due) => new(f.Ordered, f.Cancelled, f.Expired, f.Lost, f.Returned, f.Delivered, f.Paid, f.Refunded, due);
}
