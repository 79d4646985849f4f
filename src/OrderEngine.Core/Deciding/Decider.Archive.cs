// Deciding what leaves memory and what comes back.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    // Those that may go do; those that may not any more stay, and their records in the archive are never looked at.
    private Outcome Archive(ArchiveOrders archive)
    {
        foreach (ref readonly var wanted in archive.Orders.AsSpan())
        {
            var order = state.Order(wanted.Order);
            if (!order.Exists || order.Head.Version != wanted.Version || !MayLeave(wanted.Order, in order.Head, archive.WindowMicros)) continue;
            BeginEvent();
            _events.BeginBody(EventKind.OrderArchived);
            _events.Number(1, wanted.Order);
            _events.Number(2, archive.Position);
            EndEvent();
        }
        return Outcome.Ok;
    }

    private bool MayLeave(long order, in OrderHead head, long window) =>
        OrderStates.IsClosed(head.State) && head.ChangedAt + window <= _now && head.OpenExceptions == 0 && state.Deadlines.Of(order).IsEmpty
        // What happened after the sale lies in tables of its own, which the archive does not have.
        && state.AfterSales.Latest(order).IsEmpty && state.Complaints.Orders.Latest(order).IsEmpty
        // What a customer with a credit limit owes has to be known as long as it is owed.
        && (head.Customer == 0 || state.Catalog.Credit(head.Customer).Currency == 0 || PaymentStates.Exposure(state.Order(order)) == 0)
        // Answers kept for retries may lie in its history.
        && state.Requests.OldestTime > head.ChangedAt;

    private Outcome Restore(RestoreOrder restore)
    {
        if (restore.Order < 1 || restore.Order > state.Orders.Count) return Outcome.OrderNotFound;
        if (state.Order(restore.Order).Exists) return Outcome.Ok;
        if (restore.Record.Length > Limits.RestoredBytes) return Outcome.OrderTooLarge;
        var archived = Snapshots.ArchiveEncoder.Decode(state, restore.Record);
        if (archived.Number != restore.Order) throw new ArgumentException($"The record of order {restore.Order} holds order {archived.Number}.", nameof(restore));
        // First as it was, then that it came back: only the second belongs to its history.
        BeginEvent();
        _events.BeginBody(EventKind.ArchivedOrderLoaded);
        _events.Number(1, restore.Order);
        _events.Bytes(2, restore.Record);
        EndEvent();
        BeginOrderEvent(restore.Order, in archived.Head, archived.Head.State);
        _events.BeginBody(EventKind.OrderRestored);
        EndAnswer();
        return Outcome.Ok;
    }
}
