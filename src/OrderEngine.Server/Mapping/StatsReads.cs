// Statistics for clients. Reads run inside one read guard that the caller holds. Any thread.

using System.Globalization;
using Google.Protobuf.Collections;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using V1 = OrderEngine.Contracts.V1;

namespace OrderEngine.Server.Mapping;

/// <summary>A request for statistics, understood.</summary>
/// <param name="Channel">0: all.</param>
/// <param name="Currency">Packed; 0: all.</param>
/// <param name="FirstDay">Since 1970.</param>
/// <param name="LastDay">Since 1970, included.</param>
/// <param name="Size">Channels of the page.</param>
/// <param name="Token">Where to go on.</param>
internal readonly record struct StatsQuery(int Channel, int Currency, int FirstDay, int LastDay, int Size, Token Token)
{
    /// <summary>Reads a request.</summary>
    /// <exception cref="Grpc.Core.RpcException">Fields or references are wrong.</exception>
    public static StatsQuery Read(GetStatsRequest request, StateReader reader)
    {
        var violations = new Violations();
        var references = new References(reader);
        Fields.CheckOptionalId(ref violations, "channel_id", request.ChannelId);
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        var currency = Fields.Currency(ref violations, "currency_code", request.CurrencyCode, required: false);
        var first = Day(ref violations, "first_day", request.FirstDay, 0);
        var last = Day(ref violations, "last_day", request.LastDay, int.MaxValue);
        if (first > last) violations.Add("last_day", "must not lie before first_day");
        var size = Fields.PageSize(ref violations, request.PageSize);
        var channel = request.ChannelId.Length == 0 ? 0 : references.Channel("channel_id", request.ChannelId);
        var plain = new GetStatsRequest(request) { PageSize = 0, PageToken = "", MinSequence = 0 };
        var token = Token.Read(ref violations, "page_token", request.PageToken, TokenKind.Stats, ListRequests.Scope(plain));
        violations.ThrowIfAny(references);
        return new StatsQuery(channel, currency, first, last, size, token);
    }

    private static int Day(ref Violations violations, FieldPath path, string text, int absent)
    {
        if (text.Length == 0) return absent;
        if (DateOnly.TryParseExact(text, StatsReads.DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)) return day.DayNumber - StatsReads.Epoch.DayNumber;
        violations.Add(path, "must be a day such as 2026-01-31");
        return absent;
    }
}

/// <summary>Makes the contract's statistics.</summary>
internal static class StatsReads
{
    /// <summary>How days are written.</summary>
    public const string DayFormat = "yyyy-MM-dd";

    /// <summary>Day 0.</summary>
    public static readonly DateOnly Epoch = new(1970, 1, 1);

    /// <summary>A page of statistics as of a sequence.</summary>
    public static Stats Stats(StateReader reader, in StatsQuery query, long at)
    {
        var stats = new Stats { Sequence = at };
        if (query.Token.A == 0) AddWhole(stats, reader, in query, at);
        AddChannels(stats, reader, in query, at);
        return stats;
    }

    // What is not listed by channel: on the first page.
    private static void AddWhole(Stats stats, StateReader reader, in StatsQuery query, long at)
    {
        var (first, last) = (query.FirstDay, query.LastDay);
        var days = new SortedDictionary<int, DayStats>();
        var states = new SortedDictionary<int, StateStats>();
        foreach (var series in Series(reader, query.Channel, query.Currency, at))
        {
            for (var state = 0; state < StateFigures.States; state++)
            {
                var figures = series.Row.States[state];
                if (figures.IsNone) continue;
                if (!states.TryGetValue(state, out var mapped)) states[state] = mapped = new StateStats { State = (V1.OrderState)state };
                mapped.Figures.Add(Figures(series.Row.Currency, in figures));
            }
            foreach (var day in reader.Statistics.Days(in series, at, first, last))
            {
                if (!days.TryGetValue(day.Day, out var mapped)) days[day.Day] = mapped = new DayStats { Day = Epoch.AddDays(day.Day).ToString(DayFormat, CultureInfo.InvariantCulture) };
                mapped.Figures.Add(Figures(series.Row.Currency, in day.Figures));
            }
        }
        stats.States.Add(states.Values);
        stats.Days.Add(days.Values);
        stats.Service = Service(reader, query.Channel, at);
        if (query.Channel != 0) return;
        AddGroups(stats.Categories, reader.Statistics.Categories(at), query.Currency);
        AddGroups(stats.Regions, reader.Statistics.Regions(at), query.Currency);
    }

    private static void AddGroups(RepeatedField<GroupStats> to, List<GroupFigures> groups, int currency)
    {
        var known = new Dictionary<(string, bool), GroupStats>();
        foreach (var group in groups)
        {
            if (currency != 0 && group.Currency != currency) continue;
            if (!known.TryGetValue((group.Name, group.IsRest), out var mapped)) to.Add(known[(group.Name, group.IsRest)] = mapped = new GroupStats { Group = group.Name, Rest = group.IsRest });
            mapped.Figures.Add(Figures(group.Currency, group.Figures));
        }
    }

    // Channels of which there is nothing are listed too: a page is so many channels.
    private static void AddChannels(Stats stats, StateReader reader, in StatsQuery query, long at)
    {
        var (first, last) = query.Channel != 0 ? (query.Channel, query.Channel) : ((int)Math.Min(query.Token.A, reader.Channels.Count) + 1, reader.Channels.Count);
        for (var channel = first; channel <= last; channel++)
        {
            if (reader.Channel(channel, at, out _).IsEmpty) continue;
            if (stats.Channels.Count == query.Size)
            {
                stats.NextPageToken = (query.Token with { A = channel - 1 }).ToString();
                return;
            }
            var mapped = new ChannelStats { ChannelId = Texts.Channel(reader, channel), Service = Service(reader, channel, at) };
            foreach (var series in Series(reader, channel, query.Currency, at)) mapped.Figures.Add(Figures(series.Row.Currency, series.Total));
            stats.Channels.Add(mapped);
        }
    }

    private static IEnumerable<SeriesFigures> Series(StateReader reader, int channel, int currency, long at) =>
        reader.Statistics.Series(channel, at).Where(series => currency == 0 || series.Row.Currency == currency);

    private static V1.OrderFigures Figures(int currency, in Core.State.OrderFigures figures) =>
        new() { CurrencyCode = Currency.Text(currency), Orders = figures.Orders, OrderedMinor = figures.Ordered, CancelledMinor = figures.Cancelled };

    private static ServiceStats Service(StateReader reader, int channel, long at)
    {
        var row = reader.Statistics.Service(channel, at);
        var orders = reader.Statistics.Series(channel, at).Sum(series => series.Total.Orders);
        return new ServiceStats
        {
            ToRelease = Durations(in row.ToRelease), ToShip = Durations(in row.ToShip), ToDelivery = Durations(in row.ToDelivery),
            OrdersWithDate = row.Dated, OrdersLate = row.Late, LateShare = Share(row.Late, row.Dated),
            OrdersAsOrdered = row.AsOrdered, Accuracy = Share(row.AsOrdered, row.ToDelivery.Count),
            OrdersReturned = row.Returned, ReturnRate = Share(row.Returned, row.ToShip.Count),
            OrdersComplained = row.Complained, Complaints = row.Complaints, ComplaintRate = Share(row.Complained, orders), Orders = orders,
        };
    }

    private static double Share(long some, long all) => all == 0 ? 0 : (double)some / all;

    private static DurationStats Durations(in DurationFigures durations)
    {
        var stats = new DurationStats
        {
            Count = durations.Count, SumMicros = durations.Sum, MeanSeconds = durations.Count == 0 ? 0 : durations.Sum / 1e6 / durations.Count,
            P50Seconds = durations.Percentile(0.5), P90Seconds = durations.Percentile(0.9), P99Seconds = durations.Percentile(0.99),
        };
        for (var i = 0; i < DurationBuckets.Count; i++)
            if (durations.Buckets[i] > 0) stats.Buckets.Add(new DurationBucket { UpToSeconds = i < DurationFigures.Bounds.Length ? DurationFigures.Bounds[i] : 0, Count = durations.Buckets[i] });
        return stats;
    }
}
