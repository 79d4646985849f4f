// Proves what the random histories (StatisticsComparison) do not reach: promises by deadline, bounds, snapshots of before there were
// statistics, readers that must not see ahead, percentiles. (Archived orders: ArchiveTests.)

using Google.Protobuf;
using OrderEngine.Contracts.Journal;
using OrderEngine.Core.Events;
using OrderEngine.Core.Snapshots;
using OrderEngine.Core.State;
using OrderEngine.Core.Tests.Histories;
using OrderEngine.Core.Tests.Snapshots;
using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class StatisticsTests
{
    private static readonly int Gbp = Currency.Pack("GBP"u8);
    private readonly Shop _shop = new();

    public StatisticsTests() => _shop.Ok(_shop.Receive(1, (1, 1_000_000), (2, 1_000_000)));

    [Fact]
    public void A_delivery_deadline_is_a_promise_where_the_order_names_no_date()
    {
        var unwatched = Submit();
        _shop.Ok(new SetDeadlines { DeliverySeconds = 3_600, Role = Role.Manager });
        var (kept, late, asked) = (Submit(), Submit(), Submit(requestedAt: _shop.Now + Shop.Day));
        Deliver(kept);
        _shop.Now += 2 * Shop.Hour;
        _shop.Turn();
        Deliver(late);
        Deliver(asked);
        Deliver(unwatched);
        var row = Service();
        Assert.Equal((4, 3, 1), (row.ToDelivery.Count, row.Dated, row.Late));
        Assert.Equal(4, row.AsOrdered);
        CheckAll();
    }

    [Fact]
    public void Days_are_kept_for_so_long_and_later_changes_of_older_orders_find_their_day()
    {
        var first = Submit();
        for (var day = 1; day < Limits.StatisticsDays; day++)
        {
            _shop.Now += Shop.Day;
            Submit();
        }
        Assert.Equal(Limits.StatisticsDays, Days().Count);
        _shop.Ok(new CancelOrder { Order = first, Role = Role.Support });
        Assert.Equal((1, 200, 200), Figures(Days()[0].Figures));
        _shop.Now += Shop.Day;
        var last = Submit();
        // The first day is gone; what happens to its orders no longer shows in any day.
        Assert.Equal(Limits.StatisticsDays, Days().Count);
        Assert.All(Days(), day => Assert.Equal((1, 200, 0), Figures(day.Figures)));
        _shop.Ok(new CancelOrder { Order = 2, Role = Role.Support });
        Assert.Equal((1, 200, 200), Figures(Days()[0].Figures));
        Assert.Equal(Limits.StatisticsDays + 1, _shop.Core.Reader.Statistics.Series(0, _shop.Core.Sequence)[0].Total.Orders);
        Assert.Equal(last, _shop.Core.Reader.LastOrder);
        CheckAll();
    }

    [Fact]
    public void Currencies_and_categories_beyond_the_limits_are_counted_together()
    {
        for (var i = 0; i < Limits.StatisticsCategories + 5; i++)
            _shop.Ok(new DefineSku { Id = Shop.Bytes($"many-{i}"), Category = Shop.Bytes($"category {i}"), Role = Role.Manager });
        _shop.Ok(_shop.Receive(1, [.. Enumerable.Range(5, Limits.StatisticsCategories + 5).Select(sku => (sku, 10))]));
        for (var i = 0; i < Limits.StatisticsCategories + 5; i++) _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (5 + i, 1)));
        for (var i = 0; i < 20; i++) Submit(currency: Currency.Pack([(byte)'A', (byte)'A', (byte)('A' + i)]));
        var series = _shop.Core.Reader.Statistics.Series(1, _shop.Core.Sequence);
        Assert.Equal(Limits.StatisticsCurrencies + 1, series.Count);
        // GBP was the first: 15 others, and five without value.
        Assert.Equal((5, 0, 0), Figures(series.Single(s => s.Row.Currency == 0).Total));
        var groups = _shop.Core.Reader.Statistics.Categories(_shop.Core.Sequence);
        Assert.Equal((5, 500, 0), Figures(groups.Single(g => g.IsRest).Figures));
        Assert.Equal(Limits.StatisticsCategories, groups.Count(g => g.Name.StartsWith("category", StringComparison.Ordinal)));
        _shop.Ok(new CancelOrder { Order = _shop.Core.Reader.LastOrder, Role = Role.Support });
        CheckAll();
    }

    [Fact]
    public void Value_that_moves_between_lines_moves_between_categories_though_the_order_is_worth_the_same()
    {
        _shop.Ok(new DefineSku { Id = Shop.Bytes("hammer"), Category = Shop.Bytes("tools"), Role = Role.Manager });
        _shop.Ok(new DefineSku { Id = Shop.Bytes("ball"), Category = Shop.Bytes("toys"), Role = Role.Manager });
        _shop.Ok(_shop.Receive(1, (5, 10), (6, 10)));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (5, 3), (6, 1)));
        _shop.Ok(new AmendOrder(CommandKind.AmendLines) { Order = 1, Fields = AmendedFields.Lines, Lines = [new AmendedLine(1, 0, 1, -1), new AmendedLine(2, 0, 3, -1)], Role = Role.Support });
        var groups = _shop.Core.Reader.Statistics.Categories(_shop.Core.Sequence);
        Assert.Equal((1, 100, 0), Figures(groups.Single(g => g.Name == "tools").Figures));
        Assert.Equal((1, 300, 0), Figures(groups.Single(g => g.Name == "toys").Figures));
        CheckAll();
    }

    [Fact]
    public void A_reader_sees_the_counters_of_its_sequence()
    {
        Submit();
        var at = _shop.Core.Seal().Sequence;
        using var guard = _shop.Core.Reader.Enter();
        var before = Picture(_shop.Core, at);
        for (var i = 0; i < 20; i++) Deliver(Submit());
        _shop.Core.Seal();
        Assert.Equal(before, Picture(_shop.Core, at));
        Assert.NotEqual(before, Picture(_shop.Core));
    }

    [Fact]
    public void A_snapshot_of_before_there_were_statistics_is_counted_from_its_orders()
    {
        var history = new History(new Tally());
        var random = new Random(5);
        for (var i = 0; i < 700; i++) history.Step(random.Next());
        history.Turn();
        var summary = history.Seal();
        var (blocks, _) = SnapshotSupport.Take(history.Core, summary);
        var core = new OrderCore();
        var loader = new SnapshotLoader(core);
        foreach (var block in blocks) loader.Add(Changed(block, (field, bytes) => field switch
        {
            >= SnapshotFormat.StatisticNames and <= SnapshotFormat.StatisticService => [],
            SnapshotFormat.Trailer => new SnapshotTrailer(SnapshotTrailer.Parser.ParseFrom(bytes)) { StatisticsHash = 0 }.ToByteArray(),
            _ => bytes,
        }));
        Assert.Equal(summary.StateHash, loader.Finish().StateHash);
        using var guard = core.Reader.Enter();
        Assert.Empty(Invariants.Check(core.Reader, core.Sequence).Violations);
        // But for categories and regions, which are those of today, and orders delivered in time under a deadline, which it does not know of, nothing differs.
        Assert.Equal(Picture(history.Core, groups: false), Picture(core, groups: false));
    }

    [Fact]
    public void A_changed_counter_of_a_snapshot_is_refused()
    {
        Deliver(Submit());
        var (blocks, _) = SnapshotSupport.Take(_shop.Core, _shop.Core.Seal());
        var loader = new SnapshotLoader(new OrderCore());
        var wrong = Assert.Throws<SnapshotContentException>(() =>
        {
            foreach (var block in blocks) loader.Add(Changed(block, (field, bytes) =>
            {
                if (field != SnapshotFormat.StatisticSeries) return bytes;
                var series = StatisticSeries.Parser.ParseFrom(bytes);
                series.States[0].Orders++;
                return series.ToByteArray();
            }));
        });
        Assert.Contains("The state loaded is", wrong.Message, StringComparison.Ordinal);
    }

    // A block with some of its records changed, or (empty) left out; all others stay to the byte.
    private static byte[] Changed(byte[] block, Func<int, byte[], byte[]> change)
    {
        var changed = new EventBuffer(block.Length);
        var reader = new ProtoReader(block);
        while (reader.Next(out var field, out var wireType))
        {
            if (wireType == 0) changed.Number(field, reader.Long());
            else changed.Bytes(field, change(field, reader.Bytes().ToArray()));
        }
        return changed.Written.ToArray();
    }

    [Fact]
    public void Percentiles_lie_in_their_bucket()
    {
        var durations = new DurationFigures();
        Assert.Equal(0, durations.Percentile(0.5));
        for (var i = 0; i < 90; i++) durations.Add(30 * Shop.Second);
        for (var i = 0; i < 9; i++) durations.Add(60 * Shop.Second + 1);
        durations.Add(90 * Shop.Day);
        Assert.Equal((100, 90, 9, 1), (durations.Count, durations.Buckets[0], durations.Buckets[1], durations.Buckets[DurationBuckets.Count - 1]));
        Assert.Equal(60 * 50.0 / 90, durations.Percentile(0.5), 9);
        Assert.Equal(60, durations.Percentile(0.9), 9);
        Assert.Equal(300, durations.Percentile(0.99), 9);
        Assert.Equal(60 * 86_400, durations.Percentile(1), 9);
    }

    private long Submit(long requestedAt = 0, int currency = 0)
    {
        var order = _shop.Order(AllocationPolicy.AllOrNothing, (1, 2));
        _shop.Ok(new SubmitOrder { Channel = 1, ExternalId = order.ExternalId, Policy = order.Policy, CurrencyCode = currency == 0 ? Gbp : currency, RequestedAt = requestedAt, Lines = order.Lines, Role = Role.Channel });
        return _shop.Core.Reader.LastOrder;
    }

    private void Deliver(long order)
    {
        _shop.Ok(new ReleaseShipment { Order = order, Role = Role.Warehouse });
        _shop.Ok(new ConfirmShipment { Order = order, Carrier = [], TrackingNumber = [], Role = Role.Warehouse });
        _shop.Ok(new RecordDelivery { Order = order, Role = Role.Carrier });
    }

    private ServiceRow Service() => _shop.Core.Reader.Statistics.Service(0, _shop.Core.Sequence);

    private List<DayRow> Days() => _shop.Core.Reader.Statistics.Days(_shop.Core.Reader.Statistics.Series(0, _shop.Core.Sequence)[0], _shop.Core.Sequence);

    private static (long, long, long) Figures(OrderFigures figures) => (figures.Orders, figures.Ordered, figures.Cancelled);

    // Invariants hold, a restarted core and a loaded one count the same.
    private void CheckAll()
    {
        var summary = _shop.Core.Seal();
        using (_shop.Core.Reader.Enter()) Assert.Empty(Invariants.Check(_shop.Core.Reader, _shop.Core.Sequence).Violations);
        Assert.Equal(summary.StatisticsHash, _shop.Restarted().Seal().StatisticsHash);
        var (blocks, _) = SnapshotSupport.Take(_shop.Core, summary);
        var loaded = SnapshotSupport.Load(blocks, summary);
        Assert.Equal(Picture(_shop.Core), Picture(loaded));
    }

    private static string Picture(OrderCore core, long at = 0, bool groups = true)
    {
        if (at == 0) at = core.Sequence;
        var statistics = core.Reader.Statistics;
        var text = new List<string>();
        for (var channel = 0; channel <= core.Reader.Channels.Count; channel++)
        {
            foreach (var series in statistics.Series(channel, at))
            {
                for (var state = 0; state < StateFigures.States; state++) text.Add($"{channel} {series.Row.Currency} {state} {Figures(series.Row.States[state])}");
                text.AddRange(statistics.Days(in series, at).Select(day => $"{channel} {series.Row.Currency} day {day.Day} {Figures(day.Figures)}"));
            }
            var row = statistics.Service(channel, at);
            if (!groups) row.Dated = row.Late = 0;
            text.Add(Convert.ToHexString(System.Runtime.InteropServices.MemoryMarshal.AsBytes(new ReadOnlySpan<ServiceRow>(in row))));
        }
        if (groups) text.AddRange(statistics.Categories(at).Concat(statistics.Regions(at)).Select(g => $"{g.Name} {g.IsRest} {g.Currency} {Figures(g.Figures)}"));
        return string.Join('\n', text);
    }
}
