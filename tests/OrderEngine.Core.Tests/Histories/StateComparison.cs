// Compares what the core shows of its state with what the model holds, field by field. One thread.

using System.Text;
using OrderEngine.Core.State;
using OrderEngine.Core.Tests.Model;
using Xunit;

namespace OrderEngine.Core.Tests.Histories;

internal static class StateComparison
{
    public static void Touched(OrderCore core, NaiveModel model)
    {
        Assert.Equal(model.Sequence, core.Sequence);
        Assert.Equal(model.Time, core.Time);
        foreach (var order in model.TouchedOrders) Order(core, model, model.Orders[(int)order - 1]);
        foreach (var number in model.TouchedReturns) AfterSaleComparison.Return(core, model, model.Returns[(int)number - 1]);
        foreach (var reservation in model.TouchedReservations) Reservation(core, model.Reservations[(int)reservation - 1]);
        foreach (var (sku, location) in model.TouchedStock) Level(core, sku, location, model.Stock[(sku, location)], model.Coming(sku, location));
    }

    public static void Whole(OrderCore core, NaiveModel model)
    {
        var reader = core.Reader;
        Assert.Equal(model.Orders.Count, reader.LastOrder);
        Assert.Equal(model.Reservations.Count, reader.LastReservation);
        Assert.Equal(model.Stock.Count, reader.LastStockSlot);
        foreach (var order in model.Orders) Order(core, model, order);
        foreach (var reservation in model.Reservations) Reservation(core, reservation);
        AfterSaleComparison.Whole(core, model);
        CareComparison.Whole(core, model);
        foreach (var ((sku, location), level) in model.Stock) Level(core, sku, location, level, model.Coming(sku, location));
        foreach (var sku in model.Skus.Values)
        {
            var waiting = model.Orders.SelectMany(o => o.Lines).Where(l => l.Sku == sku.Number).Sum(l => l.Backordered);
            Assert.Equal(waiting, reader.Backordered(sku.Number, core.Sequence));
        }
        Catalog(core, model);
        if (model.Orders.Count > 0) ListComparison.Some(reader, core.Sequence, new Random((int)core.Sequence), model.Orders[0].AcceptedAt, core.Time, model.List);
        Exceptions(core, model);
        Incoming(core, model);
        Requests(core, model);
        Assert.Equal(model.Exceptions.Count, reader.LastException);
        ListComparison.SomeExceptions(reader, core.Sequence, new Random((int)core.Sequence), model.List);
        using (reader.Enter())
        {
            var report = Invariants.Check(reader, core.Sequence);
            Assert.Empty(report.Violations);
            Assert.Equal((model.Orders.Count, model.Stock.Count, model.Reservations.Count), ((int)report.Orders, (int)report.StockLevels, (int)report.Reservations));
        }
        StatisticsComparison.Whole(reader, core.Sequence, model);
        if (model.Orders.Count > 0) StatementComparison.Some(reader, core.Sequence, new Random((int)core.Sequence), model.Orders[0].AcceptedAt, core.Time, model);
        Assert.Empty(core.CheckIndexes());
    }

    public static void Summary(StateSummary summary, NaiveModel model)
    {
        Assert.Equal(model.Sequence, summary.Sequence);
        Assert.Equal(model.Time, summary.Time);
        Assert.Equal(model.Orders.Count, summary.Orders);
        Assert.Equal(model.Reservations.Count(r => r.State == ReservationState.Held), summary.OpenReservations);
        Assert.Equal(model.Stock.Values.Sum(l => l.OnHand), summary.OnHand);
        Assert.Equal(model.Stock.Values.Sum(l => l.Committed), summary.Committed);
        Assert.Equal(model.Stock.Values.Sum(l => l.Held), summary.Held);
        Assert.Equal(model.Orders.SelectMany(o => o.Lines).Sum(l => (long)l.Backordered), summary.Backordered);
    }

    private static void Requests(OrderCore core, NaiveModel model)
    {
        Assert.Equal(model.Requests.Count, core.Reader.LastSupplyRequest);
        for (var number = 1; number <= model.Requests.Count; number++)
        {
            var expected = model.Requests[number - 1];
            Assert.True(core.Reader.SupplyRequest(number, core.Sequence, out var row));
            Assert.Equal((expected.Sku, expected.Location, expected.Kind, expected.From, expected.Quantity, expected.NeededBy), (row.Sku, row.Location, row.Kind, row.From, row.Quantity, row.NeededBy));
            Assert.Equal((expected.Announced, expected.LastIncoming, expected.Version), (row.Announced, row.LastIncoming, row.Version));
        }
        foreach (var sku in model.Skus.Values)
        {
            var open = model.Requests.FindLastIndex(r => r.Sku == sku.Number && r.Quantity > 0) + 1;
            Assert.Equal(open, core.Reader.OpenSupplyRequest(sku.Number, core.Sequence, out _));
        }
    }

    private static long DueOf(ReadOnlySpan<DeadlineRow> deadlines, DeadlineKind kind)
    {
        var due = 0L;
        foreach (ref readonly var deadline in deadlines)
            if (deadline.Kind == kind) due = deadline.Due;
        return due;
    }

    private static void Order(OrderCore core, NaiveModel model, ModelOrder expected)
    {
        using var guard = core.Reader.Enter();
        var order = core.Reader.Order(expected.Number, core.Sequence);
        Assert.True(order.Exists);
        var head = order.Head;
        var submitted = expected.Submitted;
        Assert.Equal(Text(submitted.ExternalId), Text(core.Reader.ExternalId(expected.Number)));
        Assert.Equal(expected.Number, core.Reader.FindOrder(submitted.Channel, submitted.ExternalId));
        Assert.Equal(
            (expected.State, expected.Version, expected.ChangedAt, expected.AcceptedAt, expected.AcceptedSequence, expected.RequestedAt, expected.Parcels.Count),
            (head.State, head.Version, head.ChangedAt, head.AcceptedAt, head.AcceptedSequence, head.RequestedAt, (int)head.Parcels));
        Assert.Equal(
            (submitted.Channel, submitted.Customer, expected.Policy, expected.Terms, submitted.CurrencyCode, submitted.Reservation, (byte)expected.Tier),
            (head.Channel, head.Customer, head.Policy, head.Terms, head.Currency, head.Reservation, head.Tier));
        Assert.Equal(submitted.Type == OrderType.None ? OrderType.Sale : submitted.Type, head.Type);
        Assert.Equal(submitted.Priority == Priority.None ? Priority.Normal : submitted.Priority, head.Priority);
        Assert.Equal((expected.Reasons.Count, expected.Paid, expected.Refunded), (head.ReviewReasons, head.Paid, head.Refunded));
        var deadlines = core.Reader.Deadlines(expected.Number, core.Sequence);
        Assert.Equal(expected.Promised.Select(p => (p.Key, p.Value)).Order(), core.Reader.Promises(expected.Number, core.Sequence).ToArray().Select(p => (p.Line, p.PromisedAt)).Order());
        Assert.Equal((expected.Complete, expected.Earmarks, expected.Region.Length > 0),
            ((head.Details & OrderDetails.ShipComplete) != 0, (head.Details & OrderDetails.Earmarks) != 0, (head.Details & OrderDetails.HasRegion) != 0));
        CareComparison.Order(core, model, expected);
        var kept = deadlines.ToArray().OrderBy(d => d.Kind).Select(d => (d.Kind, d.Due, d.RemindAt));
        Assert.Equal(expected.Deadlines.Select(d => (d.Key, d.Value.Due, d.Value.RemindAt)), kept);
        Assert.Equal(expected.Holds.Sum(hold => (int)hold), (int)head.Holds);
        Assert.Equal(expected.Lines.Sum(l => l.Ordered * l.Price), head.Total);
        Assert.Equal(expected.Lines.Sum(l => l.Cancelled * l.Price), head.CancelledTotal);
        Assert.Equal(expected.Lines.Count, order.Lines.Length);
        for (var i = 0; i < order.Lines.Length; i++)
        {
            var (e, a) = (expected.Lines[i], order.Lines[i]);
            Assert.Equal((e.Sku, e.Ordered, e.Price, e.Cancelled, e.Backordered, e.Reserved), (a.Sku, a.Ordered, a.UnitPrice, a.Cancelled, a.Backordered, a.Reserved));
            Assert.Equal((e.Released, e.Shipped, e.Delivered, e.Lost, e.Unallocated), (a.Released, a.Shipped, a.Delivered, a.Lost, a.Unallocated));
            Assert.Equal((e.Returned, e.Swapped, model.ToComeBack(expected.Number, e.Number)), (a.Returned, a.Exchanged, a.ReturnOpen));
        }
        var parcels = new List<(int, int, int, int, int)>();
        foreach (var line in order.ParcelLines) parcels.Add((line.Parcel, line.Line, line.Quantity, line.Delivered, line.Lost));
        Assert.Equal(expected.Parcels.SelectMany((p, i) => p.Lines.Select(l => (i + 1, l.Key, l.Value.Units, l.Value.Delivered, l.Value.Lost))), parcels);
        Assert.Equal(expected.Allocations.Count, order.Allocations.Length);
        for (var i = 0; i < order.Allocations.Length; i++)
        {
            var (e, a) = (expected.Allocations[i], order.Allocations[i]);
            Assert.Equal((e.Line, e.Location, e.Reserved, e.Released, e.Shipped), (a.Line, a.Location, a.Reserved, a.Released, a.Shipped));
        }
    }

    private static void Reservation(OrderCore core, ModelReservation expected)
    {
        using var guard = core.Reader.Enter();
        var reservation = core.Reader.Reservation(expected.Number, core.Sequence);
        Assert.True(reservation.Exists);
        var head = reservation.Head;
        Assert.Equal(
            (expected.State, expected.Version, expected.Order, expected.ExpiresAt, expected.CreatedAt, expected.CreatedSequence, expected.Channel, expected.Customer),
            (head.State, head.Version, head.Order, head.ExpiresAt, head.CreatedAt, head.CreatedSequence, head.Channel, head.Customer));
        Assert.Equal(expected.Reminded, head.Reminded != 0);
        if (expected.State == ReservationState.Held) Assert.Equal(expected.RemindAt, head.IsReminder ? head.ExpiresAt - head.RemindSeconds * 1_000_000L : 0);
        var items = new List<(int, int, int)>();
        foreach (var item in reservation.Items) items.Add((item.Sku, item.Location, item.Quantity));
        Assert.Equal(expected.Items, items);
    }

    private static void Level(OrderCore core, int sku, int location, ModelLevel expected, (long, long) coming)
    {
        using var guard = core.Reader.Enter();
        var found = 0;
        for (var slot = core.Reader.FirstStockSlot(sku); slot != 0; slot = core.Reader.NextStockSlot(slot))
        {
            Assert.True(core.Reader.Stock(slot, core.Sequence, out var row, out var version));
            Assert.Equal(sku, row.Sku);
            if (row.Location != location) continue;
            found++;
            Assert.Equal((expected.OnHand, expected.Unavailable, expected.Held, expected.Committed, expected.Safety, expected.Version), (row.OnHand, row.Unavailable, row.Held, row.Committed, row.Safety, version));
            Assert.Equal((expected.Sellable, expected.ReorderPoint, expected.ReorderDue), (row.Sellable, row.ReorderPoint, row.ReorderDue != 0));
            Assert.Equal(coming, (row.Incoming, row.InTransit));
        }
        Assert.Equal(1, found);
    }

    private static void Incoming(OrderCore core, NaiveModel model)
    {
        using var guard = core.Reader.Enter();
        Assert.Equal(model.Incoming.Count, core.Reader.LastIncoming);
        for (var i = 0; i < model.Incoming.Count; i++)
        {
            var expected = model.Incoming[i];
            var actual = core.Reader.Incoming(i + 1, core.Sequence);
            Assert.Equal((expected.Sku, expected.Location, expected.From, expected.Kind, expected.Quantity, expected.Reference), (actual.Head.Sku, actual.Head.Location, actual.Head.From, actual.Head.Kind, actual.Head.Quantity, Text(actual.Reference)));
            Assert.Equal((expected.Open, expected.Received, expected.ExpectedAt, expected.Version), (actual.Head.Open, actual.Head.Received, actual.Head.ExpectedAt, actual.Head.Version));
        }
    }

    private static void Exceptions(OrderCore core, NaiveModel model)
    {
        using var guard = core.Reader.Enter();
        for (var i = 0; i < model.Exceptions.Count; i++)
        {
            var exception = core.Reader.Exception(i + 1, core.Sequence);
            var head = exception.Head;
            var expected = model.Exceptions[i];
            Assert.Equal((expected.Kind, expected.Order, expected.Line, expected.Quantity, expected.Deadline), (head.Kind, head.Order, head.Line, head.Quantity, head.Deadline));
            Assert.Equal((expected.Grade, expected.Owner, expected.Sku, expected.Location), (head.Grade, head.Owner, head.Sku, head.Location));
            Assert.Equal((expected.Open, expected.Resolution, expected.Resolver), (exception.IsOpen, Text(exception.Resolution), Text(exception.Resolver)));
            if (!expected.Open) Assert.Equal(expected.Version, head.Version);
        }
    }

    private static void Catalog(OrderCore core, NaiveModel model)
    {
        var reader = core.Reader;
        Versions(model.Skus, reader.Skus, (number, at) => Version(reader.Sku(number, at, out var version), version), core.Sequence);
        Versions(model.Locations, reader.Locations, (number, at) => Version(reader.Location(number, at, out var version), version), core.Sequence);
        Versions(model.Channels, reader.Channels, (number, at) => Version(reader.Channel(number, at, out var version), version), core.Sequence);
        reader.ReviewRules(core.Sequence, out var rules);
        Assert.Equal(model.ReviewRulesEntry.Version, rules);
        reader.DeadlineRules(core.Sequence, out var deadlines);
        Assert.Equal(model.DeadlinesEntry.Version, deadlines);
        Versions(model.Customers, reader.Customers, (number, at) => Version(reader.Customer(number, at, out var version), version), core.Sequence);
    }

    private static void Versions(Dictionary<string, ModelEntry> entries, OrderEngine.Core.Storage.SymbolTable ids, Func<int, long, long> versionOf, long at)
    {
        Assert.Equal(entries.Count, ids.Count);
        foreach (var (id, entry) in entries)
        {
            Assert.Equal(id, Text(ids.Text(entry.Number)));
            Assert.Equal(entry.Number, ids.Find(Encoding.UTF8.GetBytes(id)));
            Assert.Equal(entry.Version, versionOf(entry.Number, at));
        }
    }

    private static long Version(ReadOnlySpan<byte> body, long version) => body.IsEmpty ? 0 : version;

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
