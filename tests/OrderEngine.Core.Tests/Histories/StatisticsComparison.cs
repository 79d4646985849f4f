// Compares every counter of the core's statistics with the model's recount. One thread.

using OrderEngine.Core.State;
using OrderEngine.Core.Tests.Model;
using Xunit;

namespace OrderEngine.Core.Tests.Histories;

internal static class StatisticsComparison
{
    private const long Day = 24L * 3600 * 1_000_000;

    public static void Whole(StateReader reader, long at, NaiveModel model)
    {
        using var guard = reader.Enter();
        var statistics = reader.Statistics;
        var states = model.Count(o => (o.Submitted.Channel, o.Submitted.CurrencyCode, o.State));
        var days = model.Count(o => (o.Submitted.Channel, o.Submitted.CurrencyCode, (int)(o.AcceptedAt / Day)));
        for (var channel = 0; channel <= reader.Channels.Count; channel++)
        {
            var all = statistics.Series(channel, at);
            Assert.Equal(Of(states, channel), Flat(all.SelectMany(s => Enumerable.Range(0, StateFigures.States).Select(state => ((s.Row.Currency, (OrderState)state), s.Row.States[state])))));
            Assert.Equal(Of(days, channel), Flat(all.SelectMany(s => statistics.Days(in s, at).Select(d => ((s.Row.Currency, d.Day), d.Figures)))));
            Service(statistics.Service(channel, at), model, channel);
        }
        Assert.Equal(Of(model.ByCategory), Flat(statistics.Categories(at).Select(g => ((g.Name, g.Currency), g.Figures))));
        Assert.Equal(Of(model.ByRegion), Flat(statistics.Regions(at).Select(g => ((g.Name, g.Currency), g.Figures))));
    }

    private static void Service(ServiceRow row, NaiveModel model, int channel)
    {
        var expected = model.Served(channel);
        Durations(expected.Release, row.ToRelease);
        Durations(expected.Ship, row.ToShip);
        Durations(expected.Delivery, row.ToDelivery);
        Assert.Equal((expected.Dated, expected.Late, expected.AsOrdered, expected.Returned), (row.Dated, row.Late, row.AsOrdered, row.Returned));
        var complaints = model.Complaints.Where(c => channel == 0 || model.Orders[(int)c.Opened.Order - 1].Submitted.Channel == channel).ToList();
        Assert.Equal((complaints.Count, complaints.DistinctBy(c => c.Opened.Order).Count()), (row.Complaints, row.Complained));
    }

    private static void Durations(List<long> expected, DurationFigures durations)
    {
        Assert.Equal((expected.Count, expected.Sum()), (durations.Count, durations.Sum));
        var buckets = new List<long>();
        foreach (var count in durations.Buckets) buckets.Add(count);
        Assert.Equal(NaiveModel.Histogram(expected), buckets);
    }

    // Of one channel, or of all together; what is nothing is left out.
    private static List<string> Of<T>(Dictionary<(int Channel, int Currency, T What), (long, long, long)> sums, int channel) =>
        Of(sums.Where(pair => channel == 0 || pair.Key.Channel == channel).GroupBy(pair => (pair.Key.Currency, pair.Key.What))
            .ToDictionary(g => g.Key, g => (g.Sum(p => p.Value.Item1), g.Sum(p => p.Value.Item2), g.Sum(p => p.Value.Item3))));

    private static List<string> Of<TKey>(Dictionary<TKey, (long, long, long)> sums) where TKey : notnull =>
        [.. sums.Where(pair => pair.Value != default).Select(pair => $"{pair.Key} {pair.Value}").Order(StringComparer.Ordinal)];

    private static List<string> Flat<TKey>(IEnumerable<(TKey Key, OrderFigures Figures)> figures) =>
        [.. figures.Where(f => !f.Figures.IsNone).Select(f => $"{f.Key} {(f.Figures.Orders, f.Figures.Ordered, f.Figures.Cancelled)}").Order(StringComparer.Ordinal)];
}
