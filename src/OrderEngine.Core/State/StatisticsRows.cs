// The layouts of the rows of statistics; rules as in Rows.cs. All are counters that events add to: Statistics*.cs says when.
//
//   series row    | SeriesRow (400) |          orders of one channel (0: of all) in one currency, by the state in which they stand
//   day row       | DayRow (32) |              those accepted on one day; each series has a ring of them
//   name row      | a category or a region |
//   group row     | OrderFigures (24) |        of one category or region in one currency
//   service row   | ServiceRow (600) |         times and shares of one channel (0: of all)

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OrderEngine.Core.State;

/// <summary>Orders and their value.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct OrderFigures
{
    /// <summary>How many.</summary>
    public long Orders;
    /// <summary>As ordered and amended, minor units; of regions, what was shipped.</summary>
    public long Ordered;
    /// <summary>Of it: cancelled since, minor units.</summary>
    public long Cancelled;

    /// <summary>Figures.</summary>
    public OrderFigures(long orders, long ordered, long cancelled) => (Orders, Ordered, Cancelled) = (orders, ordered, cancelled);

    /// <summary>True when there is nothing in it.</summary>
    public readonly bool IsNone => (Orders | Ordered | Cancelled) == 0;

    /// <summary>Adds to the figures. Sums are exact below 2^63 minor units and wrap around beyond.</summary>
    public void Add(in OrderFigures more)
    {
        Orders += more.Orders;
        Ordered += more.Ordered;
        Cancelled += more.Cancelled;
    }

    /// <summary>What leads from other figures to these.</summary>
    public readonly OrderFigures Less(in OrderFigures other) => new(Orders - other.Orders, Ordered - other.Ordered, Cancelled - other.Cancelled);
}

/// <summary>Figures by the number of the state.</summary>
[InlineArray(States)]
public struct StateFigures
{
    /// <summary>Room for states of orders.</summary>
    public const int States = 16;

    private OrderFigures _first;
}

/// <summary>Orders of a channel in a currency.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct SeriesRow
{
    /// <summary>Number of the channel; 0: all.</summary>
    public int Channel;
    /// <summary>Packed; 0: orders in currencies beyond <see cref="Limits.StatisticsCurrencies"/>, counted without value.</summary>
    public int Currency;
    /// <summary>Days on which orders were accepted, ever: day k lies in slot k modulo <see cref="Limits.StatisticsDays"/>.</summary>
    public int Days;
    /// <summary>Zero.</summary>
    public int Unused;
    /// <summary>Every order ever accepted is in one of them, archived or not.</summary>
    public StateFigures States;
}

/// <summary>Orders accepted on a day.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct DayRow
{
    /// <summary>Since 1970-01-01, UTC.</summary>
    public int Day;
    /// <summary>Zero.</summary>
    public int Unused;
    /// <summary>Of these orders, with what became of them since.</summary>
    public OrderFigures Figures;
}

/// <summary>Counts by how long something took; bucket i holds what took at most <see cref="DurationFigures.Bounds"/>[i] seconds, the last one the rest.</summary>
[InlineArray(Count)]
public struct DurationBuckets
{
    /// <summary>How many there are.</summary>
    public const int Count = 21;

    private long _first;
}

/// <summary>How long something took.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct DurationFigures
{
    /// <summary>How many times.</summary>
    public long Count;
    /// <summary>In all, microseconds.</summary>
    public long Sum;
    /// <summary>By duration.</summary>
    public DurationBuckets Buckets;

    /// <summary>Upper ends of all buckets but the last, seconds: a minute to 60 days.</summary>
    public static ReadOnlySpan<int> Bounds =>
    [
        60, 5 * 60, 15 * 60, 30 * 60, 3_600, 2 * 3_600, 4 * 3_600, 8 * 3_600, 12 * 3_600, 86_400, 2 * 86_400, 3 * 86_400, 4 * 86_400, 5 * 86_400, 7 * 86_400,
        10 * 86_400, 14 * 86_400, 21 * 86_400, 30 * 86_400, 60 * 86_400,
    ];

    /// <summary>Adds one.</summary>
    public void Add(long micros)
    {
        Count++;
        Sum += micros;
        var bucket = 0;
        while (bucket < Bounds.Length && micros > Bounds[bucket] * 1_000_000L) bucket++;
        Buckets[bucket]++;
    }

    /// <summary>
    /// Seconds within which a share of them was done, taken as spread evenly over their bucket; 0 when there are none. What lies in the last bucket, which
    /// has no end, counts as its beginning.
    /// </summary>
    /// <param name="share">0 to 1.</param>
    public readonly double Percentile(double share)
    {
        if (Count == 0) return 0;
        var wanted = share * Count;
        var below = 0L;
        for (var i = 0; i < Bounds.Length; i++)
        {
            var here = Buckets[i];
            var from = i == 0 ? 0 : Bounds[i - 1];
            if (here > 0 && below + here >= wanted) return from + (Bounds[i] - from) * Math.Max(0, wanted - below) / here;
            below += here;
        }
        return Bounds[^1];
    }
}

/// <summary>How well a channel's orders were served.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct ServiceRow
{
    /// <summary>From acceptance to the first release to the warehouse, of orders released ever.</summary>
    public DurationFigures ToRelease;
    /// <summary>From acceptance to the first parcel, of orders of which anything was shipped.</summary>
    public DurationFigures ToShip;
    /// <summary>From acceptance to DELIVERED, of orders that came there.</summary>
    public DurationFigures ToDelivery;
    /// <summary>Of the delivered: those with a date, requested or promised by the delivery deadline.</summary>
    public long Dated;
    /// <summary>Of these: delivered after it.</summary>
    public long Late;
    /// <summary>Of the delivered: without short pick, loss, units cancelled by anybody but the customer, or units that came back and were not RESTOCKed.</summary>
    public long AsOrdered;
    /// <summary>Of the shipped: those of which units came back for good.</summary>
    public long Returned;
    /// <summary>Orders about which there was a complaint.</summary>
    public long Complained;
    /// <summary>Complaints, ever.</summary>
    public long Complaints;
}
