// Taking reserved stock away from orders, when a count finds less than was promised: those of lowest rank lose theirs.
//
// No index says who has reserved what where: it would cost every sale. So the orders are walked from the latest back. Rank is the time of
// acceptance minus the tier's credit, so once an order was accepted before the best rank chosen so far, nobody earlier ranks lower.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    /// <summary>Units of a line that are reserved at the location in question.</summary>
    private readonly record struct Loss(BackorderKey Place, int Units);

    private readonly SortedSet<Loss> _losses = new(Comparer<Loss>.Create((a, b) => a.Place.CompareTo(b.Place)));

    /// <summary>Chooses reserved units of lowest rank; false when there are not enough within the bounds.</summary>
    private bool PlanDeallocation(int sku, int location, long units)
    {
        _losses.Clear();
        long found = 0;
        var looks = Limits.DeallocationLooks;
        for (var number = state.Orders.Count; number > 0 && looks > 0; number--, looks--)
        {
            var order = state.Order(number);
            // What lies in the archive is closed and has nothing reserved.
            if (!order.Exists) continue;
            if (found >= units && order.Head.AcceptedAt < _losses.Min.Place.Rank) break;
            foreach (ref readonly var allocation in order.Allocations)
            {
                if (allocation.Location != location || allocation.Reserved == 0 || order.Lines[allocation.Line - 1].Sku != sku) continue;
                _losses.Add(new Loss(BackorderKey.Of(in order.Head, number, allocation.Line), allocation.Reserved));
                found += allocation.Reserved;
            }
            // Whoever ranks higher than is needed keeps what he has.
            while (_losses.Count > 0 && found - _losses.Min.Units >= units) found -= TakeMin();
        }
        if (found < units || _losses.Count > Limits.OrdersPerDeallocation || looks == 0) return false;
        // The one of highest rank among them loses only what is needed.
        if (found > units)
        {
            var last = _losses.Min;
            _losses.Remove(last);
            _losses.Add(last with { Units = last.Units - (int)(found - units) });
        }
        return true;
    }

    private int TakeMin()
    {
        var min = _losses.Min;
        _losses.Remove(min);
        return min.Units;
    }

    // One event a line, of lowest rank first.
    private void WriteDeallocations(int location)
    {
        foreach (var loss in _losses.Reverse())
        {
            var (number, line) = (loss.Place.Order, loss.Place.Line);
            var order = state.Order(number);
            // An order that loses units of several lines: what its earlier events left is not in the state yet.
            if (_subject.Order != number) CopyLines(order);
            _lines[line - 1].Reserved -= loss.Units;
            _lines[line - 1].Backordered += loss.Units;
            RaiseException(ExceptionKind.Deallocated, Grade.High, Role.Support, number, line, _lines[line - 1].Sku, location, loss.Units);
            BeginOrderEvent(number, in order.Head, Derived(), answers: false);
            _events.BeginBody(EventKind.OrderDeallocated);
            Movement(1, line, location, loss.Units);
            EndEvent();
        }
    }
}
