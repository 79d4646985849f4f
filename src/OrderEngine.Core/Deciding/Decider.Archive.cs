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
            if (!order.Exists || order.Head.Version != wanted.Version
                || !state.Archive.MayLeave(wanted.Order, order, state.Sequence, _now, archive.WindowMicros, state.Requests.OldestTime)) continue;
            BeginEvent();
            _events.BeginBody(EventKind.OrderArchived);
            _events.Number(1, wanted.Order);
            _events.Number(2, archive.Position);
            EndEvent();
        }
        return Outcome.Ok;
    }

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
