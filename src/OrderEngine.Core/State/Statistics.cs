// The counters of orders: how many and worth what, by channel and state, by day of acceptance, by category and region; and how well they were
// served (Statistics.Service.cs). Folded from events, like everything else: Before looks at an order ahead of an event's application, After adds
// what has changed. The writer changes; StatisticsReader reads from any thread, as of a sequence.
//
// An order is counted once, for ever: archiving it, or bringing it back, moves no counter. So they cannot be recounted and are in snapshots; they
// have a hash of their own, beside the state's. In what they count they are a handful of additions an order, into rows of which a batch changes few.

using OrderEngine.Core.Events;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>Live statistics.</summary>
internal sealed partial class Statistics(EngineState state, RowHeap heap, Reclaimer reclaimer, KeyedHash hash)
{
    private const long DayMicros = 24L * 3600 * 1_000_000;
    private const int CategoryField = 6;
    private const int RegionField = 4;

    private readonly ChunkedArray<int> _first = new();
    private readonly ChunkedArray<int> _next = new();
    private LineRow[] _linesBefore = new LineRow[16];
    private int _lineCountBefore;
    private OrderState _stateBefore;
    private OrderFigures _before;

    /// <summary><see cref="SeriesRow"/>: one for each channel and currency that met, and for all channels (0) and each currency.</summary>
    public VersionedRows Series { get; } = new(heap, reclaimer, tableId: 60);

    /// <summary><see cref="DayRow"/> by <see cref="DayRowOf"/>.</summary>
    public VersionedRows Days { get; } = new(heap, reclaimer, tableId: 61);

    /// <summary><see cref="ServiceRow"/> by channel + 1; 1: all channels.</summary>
    public VersionedRows Service { get; } = new(heap, reclaimer, tableId: 62);

    /// <summary>By category of the SKU.</summary>
    public StatisticGroups Categories { get; } = new(heap, reclaimer, hash, tableId: 63, Limits.StatisticsCategories, CategoryField);

    /// <summary>By region of the location that shipped.</summary>
    public StatisticGroups Regions { get; } = new(heap, reclaimer, hash, tableId: 65, Limits.StatisticsRegions, RegionField);

    /// <summary>Over all rows; as <see cref="VersionedRows.Hash"/>.</summary>
    public ulong Hash => Series.Hash + Days.Hash + Service.Hash + Categories.Names.Hash + Categories.Figures.Hash + Regions.Names.Hash + Regions.Figures.Hash;

    /// <summary>Rows changed since the last <see cref="Seal"/>.</summary>
    public int TouchedRows => Series.Touched.Length + Days.Touched.Length + Service.Touched.Length + Categories.Names.Touched.Length + Categories.Figures.Touched.Length
        + Regions.Names.Touched.Length + Regions.Figures.Touched.Length;

    /// <summary>The first series of a channel (0: of all); 0 when it has none. Any thread; it may be younger than the sequence that is read at.</summary>
    public int First(int channel) => _first.TryRead(channel, out var series) ? series : 0;

    /// <summary>The next series of the same channel; 0 at the end. Any thread, likewise.</summary>
    public int Next(int series) => _next.TryRead(series, out var next) ? next : 0;

    /// <summary>The row of a series' k-th day.</summary>
    public static long DayRowOf(long series, int day) => (series - 1) * Limits.StatisticsDays + day % Limits.StatisticsDays + 1;

    /// <summary>The first day that a series still has.</summary>
    public static int FirstDay(in SeriesRow series) => Math.Max(0, series.Days - Limits.StatisticsDays);

    /// <summary>Ends a batch.</summary>
    public void Seal(long sequence)
    {
        Series.Seal(sequence);
        Days.Seal(sequence);
        Service.Seal(sequence);
        Categories.Names.Seal(sequence);
        Categories.Figures.Seal(sequence);
        Regions.Names.Seal(sequence);
        Regions.Figures.Seal(sequence);
    }

    /// <summary>Looks at the order of an event before it is applied.</summary>
    public void Before(in EventView e)
    {
        _stateBefore = OrderState.None;
        _before = default;
        _lineCountBefore = 0;
        _promised = false;
        if (e.Before == OrderState.None) return;
        var order = state.Order(e.Order);
        if (!order.Exists) return;
        _stateBefore = order.Head.State;
        _before = new OrderFigures(1, order.Head.Total, order.Head.CancelledTotal);
        if (MayChangeValue(e.Kind, order.Head.State)) CopyLines(order);
        if (IsDelivery(in e)) _promised = HasPromise(e.Order);
    }

    /// <summary>Adds what the event has changed.</summary>
    public void After(in EventView e)
    {
        var order = state.Order(e.Order);
        ref readonly var head = ref order.Head;
        var after = new OrderFigures(1, head.Total, head.CancelledTotal);
        var change = after.Less(in _before);
        // Lines may change while the order's worth does not: value that moves from one to another, or a new one that costs nothing.
        var linesMayDiffer = _lineCountBefore > 0;
        if (head.State != _stateBefore || !change.IsNone || linesMayDiffer)
        {
            Count(head.Channel, in head, in after, in change, e.Sequence, out _);
            Count(0, in head, in after, in change, e.Sequence, out var currency);
            if (!change.IsNone || linesMayDiffer) CountCategories(order, currency, e.Sequence);
        }
        CountService(in e, order);
    }

    // Late money may cancel what cannot be reserved again.
    private static bool MayChangeValue(EventKind kind, OrderState before) => kind is EventKind.OrderCancelled or EventKind.OrderRejected or EventKind.OrderAmended
        || kind == EventKind.PaymentRecorded && before == OrderState.Expired;

    private void CopyLines(OrderView order)
    {
        _lineCountBefore = order.Lines.Length;
        if (_linesBefore.Length < _lineCountBefore) _linesBefore = new LineRow[_lineCountBefore * 2];
        order.Lines.CopyTo(_linesBefore);
    }

    // One channel's, or all channels', series of the order's currency.
    private void Count(int channel, in OrderHead head, in OrderFigures after, in OrderFigures change, long sequence, out int place)
    {
        var number = SeriesOf(channel, head.Currency, sequence, out place);
        ref var row = ref Series.UpdateAs<SeriesRow>(number, sequence);
        var valued = row.Currency != 0;
        if (_stateBefore != OrderState.None) row.States[(int)_stateBefore].Add(new OrderFigures(-1, valued ? -_before.Ordered : 0, valued ? -_before.Cancelled : 0));
        row.States[(int)head.State].Add(new OrderFigures(1, valued ? after.Ordered : 0, valued ? after.Cancelled : 0));
        var more = valued ? change : new OrderFigures(change.Orders, 0, 0);
        if (!more.IsNone) CountDay(number, ref row, (int)(head.AcceptedAt / DayMicros), in more, sequence);
    }

    private void CountDay(int series, ref SeriesRow row, int day, in OrderFigures more, long sequence)
    {
        // Time does not run back: a new order is of the newest day, or begins one.
        if (more.Orders > 0 && (row.Days == 0 || Days.LatestAs<DayRow>(DayRowOf(series, row.Days - 1)).Day != day))
        {
            var number = DayRowOf(series, row.Days++);
            ref var begun = ref Days.Latest(number).IsEmpty ? ref Days.CreateAs<DayRow>(number, sequence) : ref Days.UpdateAs<DayRow>(number, sequence);
            begun = new DayRow { Day = day, Figures = more };
            return;
        }
        var found = FindDay(series, in row, day);
        if (found != 0) Days.UpdateAs<DayRow>(found, sequence).Figures.Add(in more);
    }

    // The row of a day; 0 when it is no longer kept.
    private long FindDay(int series, in SeriesRow row, int day)
    {
        int low = FirstDay(in row), high = row.Days - 1;
        if (high >= 0 && Days.LatestAs<DayRow>(DayRowOf(series, high)).Day == day) return DayRowOf(series, high);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var at = Days.LatestAs<DayRow>(DayRowOf(series, middle)).Day;
            if (at == day) return DayRowOf(series, middle);
            if (at < day) low = middle + 1;
            else high = middle - 1;
        }
        return 0;
    }

    // Under the category that each SKU has now. An order counts once in a category.
    private void CountCategories(OrderView order, int currency, long sequence)
    {
        var valued = order.Head.Currency == CurrencyAt(currency);
        Categories.Begin();
        for (var i = 0; i < _lineCountBefore; i++) Categories.IsNew(Categories.Of(_linesBefore[i].Sku));
        for (var i = 0; i < order.Lines.Length; i++)
        {
            ref readonly var line = ref order.Lines[i];
            var group = Categories.Of(line.Sku);
            var change = ValueOf(in line);
            if (i < _lineCountBefore) change = change.Less(ValueOf(in _linesBefore[i]));
            if (!valued) change = default;
            if (Categories.IsNew(group)) change.Orders = 1;
            Categories.Add(currency, group, in change, sequence);
        }
    }

    private static OrderFigures ValueOf(in LineRow line) => new(0, line.Ordered * line.UnitPrice, line.Cancelled * line.UnitPrice);

    private int CurrencyAt(int place)
    {
        var series = First(0);
        for (; place > 1; place--) series = Next(series);
        return Series.LatestAs<SeriesRow>(series).Currency;
    }

    // The series of a channel and a currency, begun if need be; and its place among those of the channel, from 1.
    private int SeriesOf(int channel, int currency, long sequence, out int place)
    {
        var last = 0;
        place = 1;
        for (var series = First(channel); series != 0; series = Next(series), place++)
        {
            if (Series.LatestAs<SeriesRow>(series).Currency == currency) return series;
            last = series;
        }
        if (place > Limits.StatisticsCurrencies && currency != 0) return SeriesOf(channel, 0, sequence, out place);
        var number = checked((int)Series.Count + 1);
        ref var row = ref Series.CreateAs<SeriesRow>(number, sequence);
        row.Channel = channel;
        row.Currency = currency;
        Link(channel, last, number);
        return number;
    }

    private void Link(int channel, int last, int number)
    {
        if (last == 0) Volatile.Write(ref _first[channel], number);
        else Volatile.Write(ref _next[last], number);
    }

    /// <summary>Puts back a series of a snapshot; they come in the order of their numbers.</summary>
    public void RestoreSeries(int number, in SeriesRow row, long sequence)
    {
        if (number != Series.Count + 1) throw new FormatException($"Series {number} does not follow {Series.Count}.");
        Series.Restore(number, sequence, System.Runtime.InteropServices.MemoryMarshal.AsBytes(new ReadOnlySpan<SeriesRow>(in row)));
        var last = First(row.Channel);
        while (last != 0 && Next(last) != 0) last = Next(last);
        Link(row.Channel, last, number);
    }

    /// <summary>Ends a load: the catalog's entries find the groups that the snapshot has.</summary>
    /// <param name="sequence">Of the snapshot.</param>
    /// <param name="count">True: the snapshot has no statistics, being older than they are. They are counted from its orders.</param>
    public void EndLoad(long sequence, bool count)
    {
        for (var sku = 1; sku <= state.Catalog.SkuIds.Count; sku++) Categories.Define(state.Catalog.Skus.Latest(sku), sequence);
        for (var location = 1; location <= state.Catalog.LocationIds.Count; location++) Regions.Define(state.Catalog.Locations.Latest(location), sequence);
        if (!count) return;
        for (long order = 1; order <= state.Orders.Count; order++)
            if (state.Order(order).Exists) Recount(order, sequence);
    }

    // All of an order at once, as far as its row and its history tell.
    private void Recount(long number, long sequence)
    {
        var order = state.Order(number);
        _stateBefore = OrderState.None;
        _before = default;
        _lineCountBefore = 0;
        var after = new OrderFigures(1, order.Head.Total, order.Head.CancelledTotal);
        Count(order.Head.Channel, in order.Head, in after, in after, sequence, out _);
        Count(0, in order.Head, in after, in after, sequence, out var currency);
        CountCategories(order, currency, sequence);
        RecountService(number, order, currency, sequence);
    }
}
