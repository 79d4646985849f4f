// The invariants of statistics: what the orders in memory say, as long as none is archived; and what the counters say of each other, always.

using System.Runtime.InteropServices;

namespace OrderEngine.Core.State;

public static partial class Invariants
{
    private sealed partial class Walk
    {
        private readonly Dictionary<(int Channel, int Currency, OrderState State), OrderFigures> _byState = [];
        private readonly Dictionary<(int Currency, int Day), OrderFigures> _byDay = [];
        private readonly Dictionary<int, (long Shipped, long Delivered, long Returned)> _served = [];
        private long _shipped;

        private void CountForStatistics(OrderView order)
        {
            const long DayMicros = 24L * 3600 * 1_000_000;
            ref readonly var head = ref order.Head;
            var figures = new OrderFigures(1, head.Total, head.CancelledTotal);
            CollectionsMarshal.GetValueRefOrAddDefault(_byState, (head.Channel, head.Currency, head.State), out _).Add(in figures);
            CollectionsMarshal.GetValueRefOrAddDefault(_byState, (0, head.Currency, head.State), out _).Add(in figures);
            CollectionsMarshal.GetValueRefOrAddDefault(_byDay, (head.Currency, (int)(head.AcceptedAt / DayMicros)), out _).Add(in figures);
            var (delivered, back) = (head.State is OrderState.Delivered or OrderState.Completed, false);
            foreach (ref readonly var line in order.Lines)
            {
                back |= line.Returned > 0;
                _shipped += line.Shipped * line.UnitPrice;
            }
            foreach (var channel in (ReadOnlySpan<int>)[0, head.Channel])
            {
                ref var served = ref CollectionsMarshal.GetValueRefOrAddDefault(_served, channel, out _);
                served = (served.Shipped + (head.Parcels > 0 ? 1 : 0), served.Delivered + (delivered ? 1 : 0), served.Returned + (back ? 1 : 0));
            }
        }

        private void CheckStatistics(long orders)
        {
            var all = reader.Statistics.Series(0, at);
            var counted = all.Sum(series => series.Total.Orders);
            // Archived orders are counted and not here; so all that is here must be counted at least.
            Expect(counted >= orders, $"Statistics count {counted} orders, there are {orders}.");
            var isExact = counted == orders;
            Expect(isExact || reader.HasArchived, $"Statistics count {counted} orders, there are {orders}, and none was archived.");
            long ofChannels = 0, categories = 0, ordered = 0, regions = 0;
            for (var channel = 0; channel <= reader.Channels.Count; channel++)
            {
                foreach (var series in reader.Statistics.Series(channel, at))
                {
                    if (channel > 0) ofChannels += series.Total.Orders;
                    if (series.Row.Currency != 0) CheckSeries(in series, isExact);
                }
                CheckService(channel, isExact);
            }
            Expect(ofChannels == counted, $"Channels count {ofChannels} orders, all together {counted}.");
            foreach (var series in all) ordered += series.Total.Ordered - series.Total.Cancelled;
            foreach (var group in reader.Statistics.Categories(at)) categories += group.Figures.Ordered - group.Figures.Cancelled;
            foreach (var group in reader.Statistics.Regions(at)) regions += group.Figures.Ordered;
            Expect(categories == ordered, $"Categories come to {categories}, orders to {ordered}.");
            if (isExact && all.TrueForAll(series => series.Row.Currency != 0)) Expect(regions == _shipped, $"Regions shipped {regions}, orders say {_shipped}.");
        }

        private void CheckSeries(in SeriesFigures series, bool isExact)
        {
            var (channel, currency) = (series.Row.Channel, series.Row.Currency);
            for (var state = 0; state < StateFigures.States; state++)
            {
                var figures = series.Row.States[state];
                var expected = _byState.GetValueOrDefault((channel, currency, (OrderState)state));
                Expect(isExact ? figures.Less(in expected).IsNone : figures.Orders >= expected.Orders,
                    $"Channel {channel} counts {figures.Orders} orders {(OrderState)state} of {figures.Ordered} less {figures.Cancelled} {Currency.Text(currency)}, there are {expected.Orders} of {expected.Ordered} less {expected.Cancelled}.");
            }
            var kept = new OrderFigures();
            var before = -1;
            foreach (var day in reader.Statistics.Days(in series, at))
            {
                kept.Add(day.Figures);
                Expect(day.Day > before, $"Day {day.Day} of channel {channel} follows {before}.");
                before = day.Day;
                if (channel != 0 || !isExact) continue;
                var expected = _byDay.GetValueOrDefault((currency, day.Day));
                Expect(day.Figures.Less(in expected).IsNone, $"Day {day.Day} counts {day.Figures.Orders} orders of {day.Figures.Ordered} less {day.Figures.Cancelled} {Currency.Text(currency)}, there are {expected.Orders} of {expected.Ordered} less {expected.Cancelled}.");
            }
            var total = series.Total;
            Expect(series.Row.Days > Limits.StatisticsDays ? kept.Orders < total.Orders : kept.Less(in total).IsNone,
                $"The days of channel {channel} count {kept.Orders} orders of {kept.Ordered} {Currency.Text(currency)}, its states {total.Orders} of {total.Ordered}.");
        }

        private void CheckService(int channel, bool isExact)
        {
            var row = reader.Statistics.Service(channel, at);
            foreach (ref readonly var durations in (ReadOnlySpan<DurationFigures>)[row.ToRelease, row.ToShip, row.ToDelivery])
            {
                long sum = 0;
                for (var i = 0; i < DurationBuckets.Count; i++) sum += durations.Buckets[i];
                Expect(sum == durations.Count, $"Buckets of channel {channel} hold {sum} durations of {durations.Count}.");
            }
            Expect(row.Late <= row.Dated && row.Dated <= row.ToDelivery.Count && row.AsOrdered >= 0 && row.AsOrdered <= row.ToDelivery.Count && row.Returned <= row.ToShip.Count
                && row.ToShip.Count <= row.ToRelease.Count && row.Complained <= row.Complaints,
                $"Channel {channel}: {row.ToRelease.Count} released, {row.ToShip.Count} shipped, {row.ToDelivery.Count} delivered, {row.Dated} with a date, {row.Late} late, {row.AsOrdered} as ordered, {row.Returned} returned, {row.Complained} of {row.Complaints} complaints.");
            var served = _served.GetValueOrDefault(channel);
            if (isExact) Expect((row.ToShip.Count, row.ToDelivery.Count, row.Returned) == served,
                $"Channel {channel} counts {row.ToShip.Count} shipped, {row.ToDelivery.Count} delivered, {row.Returned} returned; there are {served.Shipped}, {served.Delivered}, {served.Returned}.");
        }
    }
}
