// The invariants of domain.md, checked by recomputing every counter from what it counts. Shares no code with deciding and applying
// but the derivation of an order's state. Check runs on any thread beside the writer; CheckIndexes on the writer's.

using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace OrderEngine.Core.State;

/// <summary>What a check found.</summary>
/// <param name="Sequence">At which everything was checked.</param>
/// <param name="Violations">What does not hold, at most <see cref="Invariants.MaxViolations"/>, each a sentence with names and numbers.</param>
/// <param name="Orders">Orders checked.</param>
/// <param name="StockLevels">Stock levels checked.</param>
/// <param name="Reservations">Reservations checked.</param>
public sealed record InvariantReport(long Sequence, IReadOnlyList<string> Violations, long Orders, long StockLevels, long Reservations);

/// <summary>Checks the state as a whole.</summary>
public static partial class Invariants
{
    /// <summary>How many violations are listed.</summary>
    public const int MaxViolations = 100;

    private sealed partial class Walk(StateReader reader, long at)
    {
        private readonly List<string> _violations = [];
        private readonly Dictionary<(int Sku, int Location), long> _committed = [];
        private readonly Dictionary<(int Sku, int Location), long> _held = [];
        private readonly Dictionary<int, long> _waiting = [];
        private readonly Dictionary<(int Sku, int Location), (long Incoming, long InTransit)> _coming = [];
        private readonly Dictionary<int, long> _ordersOf = [];
        private readonly Dictionary<long, (long Open, long Last)> _exceptions = [];

        public InvariantReport Run()
        {
            long orders = 0, reservations = 0, levels = 0;
            for (long number = 1; number <= reader.LastOrder; number++)
            {
                var order = reader.LiveOrder(number, at);
                if (!order.Exists) continue;
                orders++;
                CheckOrder(number, order);
                CountForStatistics(order);
            }
            for (long number = 1; number <= reader.LastReservation; number++)
            {
                var reservation = reader.Reservation(number, at);
                if (!reservation.Exists) continue;
                reservations++;
                if (reservation.Head.State != ReservationState.Held) continue;
                foreach (ref readonly var item in reservation.Items) Add(_held, (item.Sku, item.Location), item.Quantity);
            }
            SumComing();
            for (long slot = 1; slot <= reader.LastStockSlot; slot++)
            {
                if (!reader.Stock(slot, at, out var row, out _)) continue;
                levels++;
                CheckLevel(in row);
            }
            CheckWaiting();
            CheckSupplyRequests();
            CheckReturns();
            CheckExceptions();
            CheckStatistics(orders);
            CheckComplaints();
            CheckExposure();
            CheckOrdersOfCustomers();
            CheckErasures();
            foreach (var (key, units) in _committed.OrderBy(pair => pair.Key)) Expect(units == 0, $"{units} units of SKU {Sku(key.Sku)} are committed at {Location(key.Location)}, where there is no stock level.");
            foreach (var (key, units) in _held.OrderBy(pair => pair.Key)) Expect(units == 0, $"{units} units of SKU {Sku(key.Sku)} are held at {Location(key.Location)}, where there is no stock level.");
            return new InvariantReport(at, _violations, orders, levels, reservations);
        }

        private void CheckOrder(long number, OrderView order)
        {
            ref readonly var head = ref order.Head;
            var lines = order.Lines;
            var allocations = order.Allocations;
            long total = 0, cancelled = 0;
            var sums = new (long Reserved, long Released, long Shipped)[lines.Length];
            foreach (ref readonly var allocation in allocations)
            {
                Expect(allocation is { Reserved: >= 0, Released: >= 0, Shipped: >= 0 }, $"Order {number} has a negative allocation on line {allocation.Line}.");
                ref var sum = ref sums[allocation.Line - 1];
                sum = (sum.Reserved + allocation.Reserved, sum.Released + allocation.Released, sum.Shipped + allocation.Shipped);
                Add(_committed, (lines[allocation.Line - 1].Sku, allocation.Location), allocation.Reserved + allocation.Released);
            }
            for (var i = 0; i < lines.Length; i++)
            {
                ref readonly var line = ref lines[i];
                var spread = line.Cancelled + line.Unallocated + line.Backordered + line.Reserved + line.Released + line.Shipped;
                Expect(spread == line.Ordered, $"Line {i + 1} of order {number}: {line.Ordered} ordered, {spread} accounted for.");
                Expect(line is { Cancelled: >= 0, Unallocated: >= 0, Backordered: >= 0, Reserved: >= 0, Released: >= 0, Shipped: >= 0, Delivered: >= 0, Lost: >= 0, Returned: >= 0 },
                    $"Line {i + 1} of order {number} has a negative quantity.");
                Expect(line.Delivered + line.Lost <= line.Shipped, $"Line {i + 1} of order {number}: {line.Delivered} delivered and {line.Lost} lost of {line.Shipped} shipped.");
                Expect(line.ReturnOpen >= 0 && line.Returned + line.ReturnOpen <= line.Shipped - line.Lost,
                    $"Line {i + 1} of order {number}: {line.Returned} returned and {line.ReturnOpen} to come back of {line.Shipped - line.Lost}.");
                Expect(line.Exchanged >= 0 && line.Exchanged <= line.Returned, $"Line {i + 1} of order {number}: {line.Exchanged} exchanged of {line.Returned} returned.");
                if (line.Exchanged > 0) _exchanged[(number, i + 1)] = line.Exchanged;
                if (line.Returned + line.ReturnOpen > 0) _returned[(number, i + 1)] = (line.Returned, line.ReturnOpen);
                Expect(sums[i] == (line.Reserved, line.Released, line.Shipped), $"Line {i + 1} of order {number}: its allocations do not sum to its quantities.");
                total += line.Ordered * line.UnitPrice;
                cancelled += line.Cancelled * line.UnitPrice;
                Expect(head.State != OrderState.Expired || line.Unallocated + line.Cancelled == line.Ordered, $"Order {number} has expired, but line {i + 1} still has units.");
                if (line.Backordered > 0) Add(_waiting, line.Sku, line.Backordered);
            }
            CheckParcels(number, order);
            CheckPromises(number, lines);
            CheckAdded(number, lines);
            CheckDeadlines(number, order);
            if (head.Customer != 0)
            {
                Add(_owed, (head.Customer, head.Currency), PaymentStates.Exposure(order));
                if (head.State is not (OrderState.Rejected or OrderState.Expired)) Add(_ordersOf, head.Customer, 1);
            }
            if (head.LastException != 0) _exceptions.Add(number, (head.OpenExceptions, head.LastException));
            Expect(head.LastException != 0 || head.OpenExceptions == 0, $"Order {number} counts {head.OpenExceptions} open exceptions and names none.");
            Expect(head.State == OrderStates.Derive(head.State, lines), $"Order {number} is {head.State}, its quantities say {OrderStates.Derive(lines)}.");
            Expect(head is { Paid: >= 0, Refunded: >= 0 } && head.Refunded <= head.Paid, $"Order {number} was paid {head.Paid} and refunded {head.Refunded}.");
            Expect(head.State != OrderState.Rejected || head.Total == cancelled, $"Order {number} is rejected, but not all of it is cancelled.");
            Expect(head.Total == total && head.CancelledTotal == cancelled, $"Order {number} is worth {head.Total} less {head.CancelledTotal}, its lines say {total} less {cancelled}.");
        }

        private void CheckParcels(long number, OrderView order)
        {
            var sums = new (int Shipped, int Delivered, int Lost)[order.Lines.Length];
            foreach (ref readonly var line in order.ParcelLines)
            {
                Expect(line is { Delivered: >= 0, Lost: >= 0, Open: >= 0 } && line.Parcel <= order.Head.Parcels, $"Parcel {line.Parcel} of order {number} does not add up.");
                ref var sum = ref sums[line.Line - 1];
                sum = (sum.Shipped + line.Quantity, sum.Delivered + line.Delivered, sum.Lost + line.Lost);
            }
            for (var i = 0; i < sums.Length; i++)
            {
                ref readonly var line = ref order.Lines[i];
                Expect(sums[i] == (line.Shipped, line.Delivered, line.Lost), $"Line {i + 1} of order {number}: its parcels do not sum to what was shipped, delivered and lost.");
            }
        }

        private void SumComing()
        {
            for (long number = 1; number <= reader.LastIncoming; number++)
            {
                var incoming = reader.Incoming(number, at);
                if (!incoming.Exists) continue;
                ref readonly var head = ref incoming.Head;
                Expect(head.Open >= 0 && head.Received >= 0, $"Announcement {number} has {head.Open} units to come and {head.Received} received.");
                ref var sum = ref CollectionsMarshal.GetValueRefOrAddDefault(_coming, (head.Sku, head.Location), out _);
                if (head.Kind == SupplyKind.Transfer) sum.InTransit += head.Open;
                else sum.Incoming += head.Open;
            }
        }

        private void CheckLevel(in StockRow row)
        {
            var key = (row.Sku, row.Location);
            _coming.TryGetValue(key, out var coming);
            _committed.Remove(key, out var committed);
            _held.Remove(key, out var held);
            var name = $"SKU {Sku(row.Sku)} at {Location(row.Location)}";
            Expect(row.Committed == committed, $"{name}: {row.Committed} committed, the orders say {committed}.");
            Expect((row.Incoming, row.InTransit) == coming, $"{name}: {row.Incoming} incoming and {row.InTransit} in transit, the announcements say {coming.Incoming} and {coming.InTransit}.");
            Expect(row.Held == held, $"{name}: {row.Held} held, the reservations say {held}.");
            Expect(row is { Unavailable: >= 0, Held: >= 0, Committed: >= 0 } && row.OnHand >= row.Unavailable + row.Held + row.Committed,
                $"{name}: {row.OnHand} on hand, {row.Unavailable} unavailable, {row.Held} held, {row.Committed} committed.");
        }

        private void CheckWaiting()
        {
            for (var sku = 1; sku <= reader.Skus.Count; sku++)
            {
                var expected = _waiting.GetValueOrDefault(sku);
                var counted = reader.Backordered(sku, at);
                Expect(counted == expected, $"SKU {Sku(sku)}: {counted} units backordered, the orders say {expected}.");
            }
        }

        private string Sku(int number) => Encoding.UTF8.GetString(reader.Skus.Text(number));

        private string Location(int number) => Encoding.UTF8.GetString(reader.Locations.Text(number));

        private void Expect(bool holds, [InterpolatedStringHandlerArgument("holds")] ref Violation violation)
        {
            if (!holds && _violations.Count < MaxViolations) _violations.Add(violation.Text);
        }

        private static void Add<TKey>(Dictionary<TKey, long> sums, TKey key, long units) where TKey : notnull =>
            CollectionsMarshal.GetValueRefOrAddDefault(sums, key, out _) += units;
    }

    /// <summary>Checks everything that readers can see, at one sequence.</summary>
    /// <remarks>
    /// Call it inside a guard that was entered before <paramref name="at"/> was read as the durable sequence, and keep the guard until it is done:
    /// rows superseded meanwhile stay in memory so long. Costs a walk over all orders.
    /// </remarks>
    public static InvariantReport Check(StateReader reader, long at)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return new Walk(reader, at).Run();
    }

    /// <summary>Checks what only the writer sees.</summary>
    internal static List<string> CheckIndexes(EngineState state)
    {
        var violations = new List<string>();
        var waiting = new Dictionary<int, long>();
        var wholes = new Dictionary<int, (int Places, long Units)>();
        var promised = new Dictionary<int, int>();
        for (long number = 1; number <= state.Orders.Count; number++)
        {
            var order = state.Order(number);
            if (!order.Exists) continue;
            var waits = false;
            for (var i = 0; i < order.Lines.Length; i++)
            {
                var line = order.Lines[i];
                var added = state.AddedUnits.Of(number, i + 1);
                var queued = state.Queues.UnitsAt(line.Sku, BackorderKey.Of(in order.Head, number, i + 1));
                if (queued != line.Backordered - added.Units) violations.Add($"Line {i + 1} of order {number} waits for {line.Backordered - added.Units}, its queue says {queued}.");
                queued = added.Units > 0 ? state.Queues.UnitsAt(line.Sku, BackorderKey.Of(in order.Head, number, in added)) : 0;
                if (queued != added.Units) violations.Add($"{added.Units} units added to line {i + 1} of order {number} wait, its queue says {queued}.");
                var places = (line.Backordered > added.Units ? 1 : 0) + (added.Units > 0 ? 1 : 0);
                waiting[line.Sku] = waiting.GetValueOrDefault(line.Sku) + line.Backordered;
                waits |= line.Backordered > 0;
                if (line.Backordered > 0 && order.Head.IsFilledWhole) wholes[line.Sku] = (wholes.GetValueOrDefault(line.Sku).Places + places, wholes.GetValueOrDefault(line.Sku).Units + line.Backordered);
                if (state.Promises.Of(number, i + 1) != 0) promised[line.Sku] = promised.GetValueOrDefault(line.Sku) + 1;
            }
            if ((waits && order.Head.IsFilledWhole) != state.Deadlines.Has(number, DeadlineKind.Earmark)) violations.Add($"Order {number} waits to be filled whole for ever, or has a timer and does not.");
        }
        for (var sku = 1; sku <= state.Catalog.SkuIds.Count; sku++)
        {
            var (wholePlaces, units) = wholes.GetValueOrDefault(sku);
            if (state.Queues.Wholes(sku) != wholePlaces || state.Queues.WholeUnits(sku) != units)
                violations.Add($"The queue of SKU {sku} counts {state.Queues.Wholes(sku)} places of {state.Queues.WholeUnits(sku)} units to be filled whole, there are {wholePlaces} of {units}.");
            if (state.Promises.Count(sku) != promised.GetValueOrDefault(sku)) violations.Add($"SKU {sku} counts {state.Promises.Count(sku)} promises, there are {promised.GetValueOrDefault(sku)}.");
            if (state.Queues.Units(sku) != waiting.GetValueOrDefault(sku)) violations.Add($"The queue of SKU {sku} holds {state.Queues.Units(sku)} units, its orders wait for {waiting.GetValueOrDefault(sku)}.");
        }
        long open = 0;
        for (long number = 1; number <= state.Reservations.Count; number++)
        {
            var reservation = state.Reservation(number);
            if (reservation.Head.State != ReservationState.Held) continue;
            open++;
            if (!state.Timers.Contains(reservation.Head.Timer(number))) violations.Add($"Reservation {number} is held and has no timer.");
        }
        if (open != state.OpenReservations) violations.Add($"{open} reservations are held; {state.OpenReservations} are counted.");
        CheckCustomers(state, violations);
        var timers = open + CheckDeadlines(state, violations);
        if (timers != state.Timers.Count) violations.Add($"{timers} timers should be pending, {state.Timers.Count} are.");
        violations.AddRange(state.Index.Check());
        return violations;
    }

    // The counters of customers equal the sums over their orders, and an order has the deadline of the state in which it stands.
    private static void CheckCustomers(EngineState state, List<string> violations)
    {
        var orders = new Dictionary<int, int>();
        var owed = new Dictionary<(int, int), long>();
        for (long number = 1; number <= state.Orders.Count; number++)
        {
            var order = state.Order(number);
            if (!order.Exists) continue;
            ref readonly var head = ref order.Head;
            var expected = OrderStates.DeadlineOf(head.State);
            var has = false;
            foreach (ref readonly var deadline in state.Deadlines.Of(number)) has |= deadline.Kind == expected;
            if (OrderStates.IsStored(head.State) && expected != DeadlineKind.None && !has) violations.Add($"Order {number} is {head.State} and would stay so for ever.");
            if (head.Customer == 0) continue;
            if (head.State is not (OrderState.Rejected or OrderState.Expired)) orders[head.Customer] = orders.GetValueOrDefault(head.Customer) + 1;
            owed[(head.Customer, head.Currency)] = owed.GetValueOrDefault((head.Customer, head.Currency)) + PaymentStates.Exposure(order);
        }
        for (var customer = 1; customer <= state.Catalog.CustomerIds.Count; customer++)
            if (state.OrdersOf(customer) != orders.GetValueOrDefault(customer)) violations.Add($"Customer {customer} counts {state.OrdersOf(customer)} orders, there are {orders.GetValueOrDefault(customer)}.");
        for (long entry = 1; entry <= state.Credit.Count; entry++)
        {
            var (customer, currency, amount) = state.Credit.At(entry);
            owed.Remove((customer, currency), out var sum);
            if (amount != sum) violations.Add($"Customer {customer} owes {sum} {Currency.Text(currency)}, counted are {amount}.");
        }
        foreach (var ((customer, currency), sum) in owed.OrderBy(pair => pair.Key))
            if (sum != 0) violations.Add($"Customer {customer} owes {sum} {Currency.Text(currency)}, which is not counted.");
    }

    private static long CheckDeadlines(EngineState state, List<string> violations)
    {
        long pending = 0;
        for (long number = 1; number <= state.Deadlines.Rows.Count; number++)
        {
            foreach (ref readonly var deadline in state.Deadlines.Of(number))
            {
                pending++;
                if (!state.Timers.Contains(Deadlines.KeyOf(number, in deadline))) violations.Add($"The deadline {deadline.Kind} of order {number} has no timer.");
            }
        }
        return pending;
    }

    /// <summary>Formats a violation only when there is one.</summary>
    [InterpolatedStringHandler]
    private ref struct Violation
    {
        private DefaultInterpolatedStringHandler _text;
        private readonly bool _wanted;

        public Violation(int literalLength, int formattedCount, bool holds, out bool wanted)
        {
            _wanted = wanted = !holds;
            _text = wanted ? new(literalLength, formattedCount, CultureInfo.InvariantCulture) : default;
        }

        public void AppendLiteral(string text) => _text.AppendLiteral(text);

        public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

        public string Text => _wanted ? _text.ToStringAndClear() : "";
    }
}
