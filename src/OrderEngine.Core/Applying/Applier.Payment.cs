// Applying what happened to money and to orders that wait: payments, refunds, expiry, deadlines that come and go with a state, credit.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Applying;

internal sealed partial class Applier
{
    /// <summary>A state's deadline comes and goes with it.</summary>
    private void MoveDeadline(in EventView e)
    {
        var over = OrderStates.DeadlineOf(e.Before);
        if (over != DeadlineKind.None) state.Deadlines.Clear(e.Order, over, e.Sequence);
        if (e.Deadline != 0) state.Deadlines.Set(e.Order, OrderStates.DeadlineOf(e.After), e.Deadline, e.Sequence);
    }

    /// <summary>Whatever an event did to an order, its customer has one more or less of a kind, and owes so much more or less.</summary>
    private void CountForCustomer(in EventView e, long before)
    {
        state.CountOrder(e.Customer, e.Before, e.After, e.Sequence);
        var order = state.Order(e.Order);
        var change = PaymentStates.Exposure(order) - before;
        if (change != 0) state.Credit.Change(e.Customer, order.Head.Currency, change, e.Sequence);
    }

    private long CollectableOf(long number)
    {
        var order = state.Order(number);
        return PaymentStates.Collectable(order.Head.Terms, order.Head.State, order.Lines, order.Head.Paid - order.Head.Refunded);
    }

    /// <summary>Whatever an event did to an order: money that is due of it is watched from when more is due than before, until nothing is.</summary>
    private void WatchMoney(in EventView e, long before)
    {
        var rules = state.Catalog.DeadlineRules;
        if (!rules.WatchesMoney && (e.Before == OrderState.None || !state.Deadlines.Has(e.Order, DeadlineKind.Balance))) return;
        var terms = state.Order(e.Order).Head.Terms;
        if (terms == PaymentTerms.Instalment)
        {
            var submitted = new EventView(state.History.First(e.Order)).Body;
            if (InstalmentPlan.HasDates(submitted))
            {
                WatchInstalments(in e, submitted);
                return;
            }
        }
        var collectable = CollectableOf(e.Order);
        var after = terms == PaymentTerms.CashOnDelivery ? rules.Cash : rules.Payment;
        if (collectable == 0) state.Deadlines.Clear(e.Order, DeadlineKind.Balance, e.Sequence);
        else if (collectable > before && after > 0 && !state.Deadlines.Has(e.Order, DeadlineKind.Balance)) state.Deadlines.Set(e.Order, DeadlineKind.Balance, e.Time + after, e.Sequence);
    }

    // The next date on which more is due than was kept. A date that has come and has not fired yet is not passed over.
    private void WatchInstalments(in EventView e, ReadOnlySpan<byte> submitted)
    {
        state.Deadlines.IsReminder(e.Order, DeadlineKind.Balance, out var present);
        var from = present != 0 ? Math.Min(e.Time, present - 1) : MissedBalance(in e);
        var order = state.Order(e.Order);
        var next = PaymentStates.IsCollected(order.Head.State)
            ? InstalmentPlan.NextUnpaid(submitted, from, PaymentStates.Payable(order.Head.State, order.Lines), order.Head.Paid - order.Head.Refunded) : 0;
        if (next == present) return;
        state.Deadlines.Clear(e.Order, DeadlineKind.Balance, e.Sequence);
        if (next != 0 && state.Catalog.DeadlineRules.Payment > 0) state.Deadlines.Set(e.Order, DeadlineKind.Balance, next, e.Sequence);
    }

    // The dates behind the one that was missed come next, even where they have passed meanwhile.
    private static long MissedBalance(in EventView e)
    {
        if (e.Kind != EventKind.DeadlineMissed) return e.Time;
        ReadNumbers(e.Body, out var kind, out var due);
        return kind == (long)DeadlineKind.Balance ? due : e.Time;
    }

    private void Paid(in EventView e)
    {
        _allocationCount = 0;
        long amount = 0;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) amount = reader.Long();
            else if (field == 8) ReadAgain(reader.Bytes());
            else reader.Skip(wireType);
        }
        var order = Change(in e, CountNew(state.Order(e.Order)));
        order.Head.Paid = checked(order.Head.Paid + amount);
        for (var i = 0; i < _allocationCount; i++)
        {
            ref readonly var taken = ref _allocations[i];
            order.AllocationOrNew(taken.Line, taken.Location).Reserved += taken.Reserved;
            order.Line(taken.Line).Reserved += taken.Reserved;
            order.Line(taken.Line).Unallocated -= taken.Reserved;
            state.Stock.Change(order.Line(taken.Line).Sku, taken.Location, e.Sequence, committed: taken.Reserved);
        }
        reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 8) PutBack(reader.Bytes(), order, in e);
            else reader.Skip(wireType);
        }
    }

    // Units that an order gets again, by location.
    private void ReadAgain(ReadOnlySpan<byte> nested)
    {
        var index = 0;
        var reader = new ProtoReader(nested);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1)
            {
                index = reader.Int();
            }
            else if (field == 4)
            {
                ReadPair(reader.Bytes(), out var location, out var quantity);
                CheckKnown(location, state.Catalog.LocationIds, "location");
                AddAllocation(index, location, quantity);
            }
            else
            {
                reader.Skip(wireType);
            }
        }
    }

    // Units that wait again, or that its policy cancels.
    private void PutBack(ReadOnlySpan<byte> nested, OrderChange order, in EventView e)
    {
        var index = 0;
        var reader = new ProtoReader(nested);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: index = reader.Int(); break;
                case 2:
                    var waiting = reader.Int();
                    order.Line(index).Unallocated -= waiting;
                    order.Line(index).Backordered += waiting;
                    Wait(in order.Head, e.Order, index, in order.Line(index), waiting, e.Sequence);
                    state.Queues.MarkPending(order.Line(index).Sku);
                    break;
                case 3:
                    var cancelled = reader.Int();
                    order.Line(index).Unallocated -= cancelled;
                    order.Line(index).Cancelled += cancelled;
                    order.Head.CancelledTotal += cancelled * order.Line(index).UnitPrice;
                    break;
                default: reader.Skip(wireType); break;
            }
        }
    }

    private void Refunded(in EventView e)
    {
        var order = Change(in e);
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) order.Head.Refunded = checked(order.Head.Refunded + reader.Long());
            else reader.Skip(wireType);
        }
    }

    private void ExpiredOrder(in EventView e)
    {
        var order = Change(in e);
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) FreeLine(reader.Bytes(), order, in e);
            else reader.Skip(wireType);
        }
    }

    private void FreeLine(ReadOnlySpan<byte> nested, OrderChange order, in EventView e)
    {
        var index = 0;
        var reader = new ProtoReader(nested);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: index = reader.Int(); break;
                case 2:
                    var waiting = reader.Int();
                    order.Line(index).Backordered -= waiting;
                    order.Line(index).Unallocated += waiting;
                    Wait(in order.Head, e.Order, index, in order.Line(index), -waiting, e.Sequence);
                    break;
                case 3:
                    ReadPair(reader.Bytes(), out var location, out var quantity);
                    order.Allocation(index, location).Reserved -= quantity;
                    order.Line(index).Reserved -= quantity;
                    order.Line(index).Unallocated += quantity;
                    state.Stock.Change(order.Line(index).Sku, location, e.Sequence, committed: -quantity);
                    state.Queues.MarkPending(order.Line(index).Sku);
                    break;
                default: reader.Skip(wireType); break;
            }
        }
    }
}
