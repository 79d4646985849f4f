// Reading statistics, as they stand at a sequence. Any thread, inside a guard, with the durable sequence read after entering it; see StateReader.

using System.Text;

namespace OrderEngine.Core.State;

/// <summary>A channel's orders in one currency.</summary>
/// <param name="Number">Of the series; <see cref="StatisticsReader.Days"/> wants it.</param>
/// <param name="Row">The figures.</param>
public readonly record struct SeriesFigures(int Number, SeriesRow Row)
{
    /// <summary>Over all states.</summary>
    public OrderFigures Total
    {
        get
        {
            var total = new OrderFigures();
            for (var state = 0; state < StateFigures.States; state++) total.Add(Row.States[state]);
            return total;
        }
    }
}

/// <summary>A group's figures in one currency.</summary>
/// <param name="Name">Empty: of members without a name, or (<see cref="IsRest"/>) of all whose names are not told apart.</param>
/// <param name="IsRest">See there.</param>
/// <param name="Currency">Packed.</param>
/// <param name="Figures">The figures.</param>
public readonly record struct GroupFigures(string Name, bool IsRest, int Currency, OrderFigures Figures);

/// <summary>The read side of statistics.</summary>
public sealed class StatisticsReader
{
    private readonly Statistics _statistics;

    internal StatisticsReader(Statistics statistics) => _statistics = statistics;

    /// <summary>The series of a channel (0: of all), one a currency, in the order in which they began. At most <see cref="Limits.StatisticsCurrencies"/> + 1.</summary>
    public List<SeriesFigures> Series(int channel, long at)
    {
        var found = new List<SeriesFigures>(1);
        for (var series = _statistics.First(channel); series != 0; series = _statistics.Next(series))
            if (_statistics.Series.TryAt<SeriesRow>(series, at, out var row, out _)) found.Add(new SeriesFigures(series, row));
        return found;
    }

    /// <summary>The days that a series has, oldest first, between two days since 1970, both included. At most <see cref="Limits.StatisticsDays"/>.</summary>
    public List<DayRow> Days(in SeriesFigures series, long at, int first = 0, int last = int.MaxValue)
    {
        var found = new List<DayRow>();
        for (var k = Statistics.FirstDay(series.Row); k < series.Row.Days; k++)
            if (_statistics.Days.TryAt<DayRow>(Statistics.DayRowOf(series.Number, k), at, out var row, out _) && row.Day >= first && row.Day <= last) found.Add(row);
        return found;
    }

    /// <summary>By category of the SKU, all channels.</summary>
    public List<GroupFigures> Categories(long at) => Groups(_statistics.Categories, at);

    /// <summary>By region of the location that shipped, all channels.</summary>
    public List<GroupFigures> Regions(long at) => Groups(_statistics.Regions, at);

    /// <summary>How well the orders of a channel (0: of all) were served; all zero when none was.</summary>
    public ServiceRow Service(int channel, long at) => _statistics.Service.TryAt<ServiceRow>(channel + 1, at, out var row, out _) ? row : default;

    private List<GroupFigures> Groups(StatisticGroups groups, long at)
    {
        var found = new List<GroupFigures>();
        var place = 0;
        foreach (var series in Series(0, at))
        {
            place++;
            for (var group = 0; group <= groups.Others; group++)
            {
                if (!groups.Figures.TryAt<OrderFigures>(groups.RowOf(place, group), at, out var figures, out _)) continue;
                var name = group == 0 || group == groups.Others ? "" : Encoding.UTF8.GetString(groups.Names.At(group, at, out _));
                found.Add(new GroupFigures(name, group == groups.Others, series.Row.Currency, figures));
            }
        }
        return found;
    }
}
