// Deciding amendments: what a line gives up is free, what it gains is sourced as a new order's would be, with its own freed units first;
// all of it, or nothing changes.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    // What lines gain, one entry a line that grows, with the line's number; and what their line waits for or cancels of it.
    private DraftLine[] _gains = new DraftLine[16];
    private int[] _gainLines = new int[16];
    private int _gainCount;
    private HeldRow[] _freed = new HeldRow[16];

    private Outcome Amend(AmendOrder amend)
    {
        var refusal = FindOrder(amend.Order, out var order);
        if (refusal != Outcome.Ok) return refusal;
        ref readonly var head = ref order.Head;
        if ((amend.Fields & AmendedFields.Delivery) != 0 && amend.DeliveryVersion != DeliveryVersion(amend.Order, in head)) return Outcome.EtagMismatch;
        if ((amend.Fields & AmendedFields.Delivery) != 0) refusal = MayTake(head.Customer, amend.Delivery, amend.Order, head.Details);
        if (refusal != Outcome.Ok) return refusal;
        if ((amend.Fields & ~AmendedFields.Lines) != 0 && IsBeingPacked(order.Lines)) return Refuse(Outcome.NotAmendable, amend.Order);

        CopyLines(order);
        _movementCount = _gainCount = 0;
        _growth = 0;
        _reasons.Clear();
        var requestedAt = (amend.Fields & AmendedFields.RequestedTime) != 0 ? amend.RequestedAt : head.RequestedAt;
        if ((amend.Fields & AmendedFields.Lines) != 0)
        {
            refusal = PlanAmendedLines(amend, order, out var at);
            if (refusal == Outcome.Ok) refusal = CheckGrowth(in head, order.Lines);
            if (refusal != Outcome.Ok) return Refuse(refusal, amend.Order, line: at);
            if (_gainCount > 0 && !AllotGains(amend.Order, in head, requestedAt)) return Refuse(Outcome.OutOfStock, amend.Order, _allocator.Shortfalls);
            if (_gainCount > 0 && head.AllocationCount + _allocator.Takes.Length > Limits.AllocationsPerOrder) return Refuse(Outcome.OrderLimitReached, amend.Order);
        }
        foreach (var rule in amend.NoteRules) _reasons.Add((ReviewCondition.NoteKeyword, rule));
        WriteAmended(amend, order, requestedAt);
        HoldForReview(amend.Order, in head);
        RaiseRefundDue(amend.Order, order, PaymentStates.Payable(_subject.State, Planned));
        CreditExchange(amend.Order);
        return Outcome.Ok;
    }

    private static bool IsBeingPacked(ReadOnlySpan<LineRow> lines)
    {
        foreach (ref readonly var line in lines)
            if (line.Released > 0) return true;
        return false;
    }

    private long DeliveryVersion(long number, in OrderHead head)
    {
        if ((head.Details & OrderDetails.AmendedDelivery) == 0) return 0;
        for (long cursor = 0; state.History.Previous(number, long.MaxValue, ref cursor, out var bytes);)
        {
            var e = new EventView(bytes);
            if (e.Kind == EventKind.OrderAmended && Amendments.HasDelivery(e.Body)) return e.Sequence;
        }
        throw new InvalidOperationException($"Order {number} has no amendment of its delivery.");
    }

    /// <summary>The lines as they shall be in <see cref="_lines"/>, what they free in <see cref="Movements"/>, what they gain in <see cref="_gains"/>.</summary>
    private Outcome PlanAmendedLines(AmendOrder amend, OrderView order, out int at)
    {
        var present = order.Lines.Length;
        var added = 0;
        foreach (ref readonly var line in amend.Lines.AsSpan())
            if (line.Line == 0) added++;
        at = 0;
        if (present + added > Limits.LinesPerOrder) return Outcome.OrderLimitReached;
        RoomForLines(present + added);
        RoomForGains(amend.Lines.Length, order.Allocations.Length);
        var next = present;
        foreach (ref readonly var wanted in amend.Lines.AsSpan())
        {
            at = wanted.Line;
            if (wanted.Line > present) return Outcome.QuantityNotAvailable;
            if (wanted.Line == 0) _lines[next++] = new LineRow { Sku = wanted.Sku };
            var refusal = PlanAmendedLine(wanted.Line == 0 ? next : wanted.Line, in wanted, order);
            if (refusal != Outcome.Ok) return refusal;
        }
        at = 0;
        return CheckWhole();
    }

    private Outcome PlanAmendedLine(int number, in AmendedLine wanted, OrderView order)
    {
        ref var line = ref _lines[number - 1];
        var withWarehouse = line.Released + line.Shipped;
        if (wanted.UnitPrice >= 0 && wanted.UnitPrice != line.UnitPrice)
        {
            if (withWarehouse > 0) return Outcome.NotAmendable;
            line.UnitPrice = wanted.UnitPrice;
        }
        if (wanted.Quantity < 0 || wanted.Quantity == line.Ordered) return Outcome.Ok;
        if (wanted.Quantity < line.Cancelled + withWarehouse) return Outcome.NotAmendable;
        var change = wanted.Quantity - line.Ordered;
        line.Ordered = wanted.Quantity;
        if (change > 0)
        {
            _gainLines[_gainCount] = number;
            _gains[_gainCount++] = new DraftLine(line.Sku, change, line.UnitPrice);
            return Outcome.Ok;
        }
        var less = -change;
        less -= Drain(ref line.Unallocated, less);
        less -= Drain(ref line.Backordered, less);
        line.Reserved -= less;
        // As a cancel does: from the allocation made last.
        var allocations = order.Allocations;
        for (var i = allocations.Length - 1; i >= 0 && less > 0; i--)
        {
            if (allocations[i].Line != number || allocations[i].Reserved == 0) continue;
            var quantity = Math.Min(less, allocations[i].Reserved);
            _freed[_movementCount] = new HeldRow { Sku = line.Sku, Location = allocations[i].Location, Quantity = quantity };
            _movements[_movementCount++] = new LineMovement(number, allocations[i].Location, quantity);
            less -= quantity;
        }
        return Outcome.Ok;
    }

    // Of the order as a whole: something must be left of it, within its bound.
    private Outcome CheckWhole()
    {
        long left = 0, total = 0;
        foreach (ref readonly var line in _lines.AsSpan(0, _lineCount))
        {
            left += line.Ordered - line.Cancelled;
            // A line is worth at most 10^18, and the sum stops at its bound: no overflow.
            total += line.Ordered * line.UnitPrice;
            if (total > Limits.OrderTotal) return Outcome.OrderLimitReached;
        }
        return left > 0 ? Outcome.Ok : Outcome.NotAmendable;
    }

    private bool AllotGains(long number, in OrderHead head, long requestedAt)
    {
        var place = BackorderKey.Of(_now, head.Tier, requestedAt, _sequence + 1, 0, 0);
        var gains = _gains.AsSpan(0, _gainCount);
        // What is to be filled whole takes nothing as long as anything of it waits.
        var free = !head.IsFilledWhole ? FreeStock.Any : AnyWaits() ? FreeStock.None : FreeStock.OnlyWhole;
        var sourcing = new Sourcing(state.Catalog.Rules(head.Channel), state.RegionOf(number, in head), free);
        if (!Allocate(gains, head.Policy, in sourcing, in place, _freed.AsSpan(0, _movementCount))) return false;
        for (var i = 0; i < _gainCount; i++)
        {
            ref var line = ref _lines[_gainLines[i] - 1];
            var rest = gains[i].Quantity - _allocator.ReservedOf(i);
            line.Reserved += _allocator.ReservedOf(i);
            if (head.Policy == AllocationPolicy.PartialBackorder) line.Backordered += rest;
            else line.Cancelled += rest;
        }
        return true;
    }

    private bool AnyWaits()
    {
        foreach (ref readonly var line in Planned)
            if (line.Backordered > 0) return true;
        return false;
    }

    private void WriteAmended(AmendOrder amend, OrderView order, long requestedAt)
    {
        ref readonly var head = ref order.Head;
        long total = 0;
        foreach (ref readonly var line in _lines.AsSpan(0, _lineCount)) total += line.Ordered * line.UnitPrice;
        BeginOrderEvent(amend.Order, in head, Derived());
        _events.BeginBody(EventKind.OrderAmended);
        _events.Number(1, (long)amend.Fields);
        foreach (ref readonly var freed in Movements) Movement(2, freed.Line, freed.Location, freed.Quantity);
        if ((amend.Fields & AmendedFields.Lines) != 0) WriteAmendedLines(amend.Lines, order.Lines);
        if ((amend.Fields & AmendedFields.Delivery) != 0) Sealed(Amendments.DeliveryField, amend.Delivery);
        _events.Number(5, amend.DeliveryFields);
        _events.Number(6, head.RequestedAt);
        _events.Number(7, requestedAt);
        _events.Number(8, head.Total);
        _events.Number(9, total);
        _events.Number(Amendments.WatchedField, 1);
        WriteReasons(Amendments.ReasonsField);
        if ((amend.Fields & AmendedFields.RequestedTime) != 0) _events.Number(Amendments.RegardsPromisesField, 1);
        EndAnswer();
    }

    private void WriteAmendedLines(ReadOnlySpan<AmendedLine> amended, ReadOnlySpan<LineRow> lines)
    {
        var number = lines.Length;
        var gain = 0;
        var takes = _gainCount > 0 ? _allocator.Takes : default;
        foreach (ref readonly var one in amended)
        {
            var index = one.Line == 0 ? number++ : one.Line - 1;
            var before = index < lines.Length ? lines[index] : default;
            ref readonly var after = ref _lines[index];
            var nested = _events.BeginNested(3);
            _events.Number(1, index + 1);
            _events.Number(2, after.Sku);
            _events.Number(3, before.Ordered);
            _events.Number(4, after.Ordered);
            _events.Number(5, before.UnitPrice);
            _events.Number(6, after.UnitPrice);
            _events.Signed(7, after.Backordered - before.Backordered);
            _events.Signed(8, after.Unallocated - before.Unallocated);
            _events.Number(9, after.Cancelled - before.Cancelled);
            if (after.Ordered > before.Ordered) gain++;
            // Takes come in the order of the gains, and these in that of the lines.
            for (; takes.Length > 0 && takes[0].Line == gain; takes = takes[1..]) Quantity(10, takes[0].Location, takes[0].Quantity);
            if (after.Backordered > before.Backordered) _events.Number(Amendments.AddedWaitingField, after.Backordered - before.Backordered);
            _events.EndNested(nested);
        }
    }

    private void RoomForGains(int gains, int allocations)
    {
        if (_gains.Length < gains) Array.Resize(ref _gains, gains);
        if (_gainLines.Length < gains) Array.Resize(ref _gainLines, gains);
        if (_freed.Length < allocations) Array.Resize(ref _freed, allocations);
        if (_movements.Length < allocations) Array.Resize(ref _movements, allocations);
    }
}
