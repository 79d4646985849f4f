// The invariants of what is followed up: deadlines belong to what they wait for, orders count their open exceptions, customers owe what their orders
// say. Part of the walk that runs on any thread.

namespace OrderEngine.Core.State;

public static partial class Invariants
{
    private sealed partial class Walk
    {
        private readonly Dictionary<(int Customer, int Currency), long> _owed = [];

        private void CheckDeadlines(long number, OrderView order)
        {
            ref readonly var head = ref order.Head;
            var kinds = 0UL;
            foreach (ref readonly var deadline in reader.Deadlines(number, at))
            {
                var bit = 1UL << (int)deadline.Kind;
                Expect((kinds & bit) == 0, $"Order {number} has two deadlines {deadline.Kind}.");
                Expect(deadline is { Due: > 0, RemindAt: >= 0 } && deadline.RemindAt <= deadline.Due, $"The deadline {deadline.Kind} of order {number} is due at {deadline.Due} and reminded of at {deadline.RemindAt}.");
                Expect(Waits(deadline.Kind, number, order, deadline.Due), $"Order {number} is {head.State} and has a deadline {deadline.Kind}, though nothing waits for it.");
                kinds |= bit;
            }
            var own = OrderStates.DeadlineOf(head.State);
            if (OrderStates.IsStored(head.State) && own != DeadlineKind.None) Expect((kinds & 1UL << (int)own) != 0, $"Order {number} is {head.State} and would stay so for ever.");
        }

        // Release and stall are left out: amendments of old journals left them in other states.
        private bool Waits(DeadlineKind kind, long number, OrderView order, long due)
        {
            ref readonly var head = ref order.Head;
            switch (kind)
            {
                case DeadlineKind.Review or DeadlineKind.Payment or DeadlineKind.ReturnWindow: return OrderStates.DeadlineOf(head.State) == kind;
                case DeadlineKind.ReturnArrival: return HasReturn(number, ReturnState.Approved, ReturnState.InTransit);
                case DeadlineKind.ReturnClose: return HasReturn(number, ReturnState.Received, ReturnState.Repaired, ReturnState.ShippedBack);
                case DeadlineKind.Balance:
                    var kept = head.Paid - head.Refunded;
                    var submitted = head.Terms == PaymentTerms.Instalment ? new Events.EventView(reader.FirstEvent(number)).Body : default;
                    return InstalmentPlan.HasDates(submitted)
                        ? PaymentStates.IsCollected(head.State) && InstalmentPlan.DueBy(submitted, due, PaymentStates.Payable(head.State, order.Lines)) > kept
                        : PaymentStates.Collectable(head.Terms, head.State, order.Lines, kept) > 0;
                default: return !OrderStates.IsTerminal(head.State);
            }
        }

        private bool HasReturn(long order, params ReadOnlySpan<ReturnState> states)
        {
            for (var number = reader.AfterSale(order, at).LastReturn; number != 0; number = reader.Return(number, at).Head.Previous)
                if (states.Contains(reader.Return(number, at).Head.State)) return true;
            return false;
        }

        private void CheckExceptions()
        {
            for (long number = 1; number <= reader.LastException; number++)
            {
                var exception = reader.Exception(number, at);
                if (!exception.Exists || exception.Head.Order == 0) continue;
                ref readonly var head = ref exception.Head;
                if (!_exceptions.TryGetValue(head.Order, out var counts))
                {
                    // The archive takes orders without open exceptions only.
                    Expect(!exception.IsOpen && !reader.LiveOrder(head.Order, at).Exists, $"Exception {number} is of order {head.Order}, which counts none.");
                    continue;
                }
                Expect(head.Previous < number && (head.Previous == 0 || reader.Exception(head.Previous, at).Head.Order == head.Order), $"Exception {number} names {head.Previous} as the one before of order {head.Order}.");
                _exceptions[head.Order] = (exception.IsOpen ? counts.Open - 1 : counts.Open, counts.Last == number ? 0 : counts.Last);
            }
            foreach (var (order, counts) in _exceptions.OrderBy(pair => pair.Key)) Expect(counts == (0, 0), $"Order {order} counts {counts.Open} open exceptions too many, or its last one {counts.Last} is not its own.");
        }

        // A counter that has moved on since cannot be told from here: the next check sees it, or the one after.
        private void CheckExposure()
        {
            for (long entry = 1; entry <= reader.Credit.Count; entry++)
            {
                var known = reader.Credit.TryAt(entry, at, out var of, out var amount);
                if (!_owed.Remove(of, out var sum) && !known) continue;
                if (known) Expect(amount == sum, $"Customer {Customer(of.Customer)} owes {amount} {Currency.Text(of.Currency)}, the orders say {sum}.");
            }
            foreach (var (of, sum) in _owed.OrderBy(pair => pair.Key)) Expect(sum == 0, $"Customer {Customer(of.Customer)} owes {sum} {Currency.Text(of.Currency)}, which is not counted.");
        }

        // As with exposure: one that has moved on since is left to the next check.
        private void CheckOrdersOfCustomers()
        {
            for (var customer = 1; customer <= reader.Customers.Count; customer++)
            {
                var orders = _ordersOf.GetValueOrDefault(customer);
                if (reader.TryOrdersOf(customer, at, out var counted)) Expect(counted == orders, $"Customer {Customer(customer)} counts {counted} orders, there are {orders}.");
            }
        }

        private string Customer(int number) => System.Text.Encoding.UTF8.GetString(reader.Customers.Text(number));
    }
}
