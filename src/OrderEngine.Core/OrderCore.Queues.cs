// Serving those who wait, before a command that wants the same stock and in the engine's turn, and planning what they wait for.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core;

public sealed partial class OrderCore
{
    // Lines that shall grow are new demand. The row is looked at anew each time: serving a queue may change this very order.
    private void ServeAhead(AmendOrder amend, ref ServingBudget budget, long now, EventBuffer events)
    {
        foreach (ref readonly var wanted in amend.Lines.AsSpan())
        {
            var order = _state.Order(amend.Order);
            if (!order.Exists || wanted.Line > order.Lines.Length) return;
            if (wanted.Line > 0 && wanted.Quantity <= order.Lines[wanted.Line - 1].Ordered) continue;
            var requestedAt = (amend.Fields & AmendedFields.RequestedTime) != 0 ? amend.RequestedAt : order.Head.RequestedAt;
            var place = BackorderKey.Of(now, order.Head.Tier, requestedAt, _state.Sequence + 1, 0, 0);
            ServeAhead(wanted.Line > 0 ? order.Lines[wanted.Line - 1].Sku : wanted.Sku, in place, ref budget, now, events);
        }
    }

    private void ServeAhead(ReturnStep approve, ref ServingBudget budget, long now, EventBuffer events)
    {
        var customer = _state.Order(_state.Return(approve.Return).Head.Order).Head.Customer;
        foreach (ref readonly var line in _state.Return(approve.Return).Replacements) ServeAhead(line.Sku, customer, 0, ref budget, now, events);
    }

    private void ServeAhead(int sku, int customer, long requestedAt, ref ServingBudget budget, long now, EventBuffer events)
    {
        if (!_state.Queues.AnyPending) return;
        ServeAhead(sku, BackorderKey.Of(now, _state.Catalog.Tier(customer), requestedAt, _state.Sequence + 1, 0, 0), ref budget, now, events);
    }

    // Who is filled whole or not at all may take stock of a SKU because another one's came: then all queues are served up to the place.
    private void ServeAhead(int sku, in BackorderKey place, ref ServingBudget budget, long now, EventBuffer events)
    {
        var queues = _state.Queues;
        if (!queues.AnyPending) return;
        if (queues.AnyWhole(sku))
        {
            queues.EnsurePending(sku);
            ServeQueues(place, ref budget, now, events);
        }
        else if (queues.IsPending(sku))
        {
            ServeQueue(sku, in place, ref budget, now, events);
        }
    }

    // Money for an order that has expired may allot its units again: at the place that the order had.
    private void ServeAheadOfLate(long number, ref ServingBudget budget, long now, EventBuffer events)
    {
        var order = _state.Order(number);
        if (!order.Exists || order.Head.State != OrderState.Expired) return;
        var place = BackorderKey.Of(in order.Head, number, 0);
        for (var i = 0; i < order.Head.LineCount; i++)
        {
            var line = _state.Order(number).Lines[i];
            if (line.Unallocated > 0) ServeAhead(line.Sku, in place, ref budget, now, events);
        }
    }

    /// <summary>Hands free stock to the queue of a SKU up to a place. For queues in which nobody waits to be filled whole.</summary>
    private void ServeQueue(int sku, in BackorderKey before, ref ServingBudget budget, long now, EventBuffer events)
    {
        var queues = _state.Queues;
        while (budget.Any)
        {
            var cursor = queues.Cursor(sku);
            if (!_state.Stock.AnySellable(sku) || !queues.TryNext(sku, in cursor, out var place, out var units))
            {
                queues.Done(sku);
                return;
            }
            if (place.CompareTo(before) >= 0) return;
            Look(in place, sku, units, ref budget, now, events);
        }
    }

    /// <summary>Hands free stock to all queues in the order of their places, up to a place or to their end.</summary>
    private void ServeQueues(BackorderKey? before, ref ServingBudget budget, long now, EventBuffer events)
    {
        var queues = _state.Queues;
        while (budget.Any && queues.TryTurn(out var sku, out var place, out var units))
        {
            if (before is { } limit && place.CompareTo(limit) >= 0) return;
            if (_state.Stock.AnySellable(sku))
            {
                Look(in place, sku, units, ref budget, now, events);
                continue;
            }
            // A queue that has nothing to hand out costs a look, too.
            budget.Looks--;
            queues.Done(sku);
        }
    }

    private void Look(in BackorderKey place, int sku, long units, ref ServingBudget budget, long now, EventBuffer events)
    {
        var looks = 1;
        if (!IsBeforeItsLast(in place))
        {
            var start = events.Length;
            if (_decider.Fill(in place, sku, units, now, events, out looks)) ApplyFrom(start, events);
        }
        budget.Looks -= looks;
        _state.Queues.MoveCursor(sku, in place);
    }

    // Who is filled whole gets what was added to his order with the rest: not before it is the turn of what was added last.
    private bool IsBeforeItsLast(in BackorderKey place)
    {
        var order = _state.Order(place.Order);
        if (!order.Head.IsFilledWhole || !_state.AddedUnits.TryLast(place.Order, out var last)) return false;
        if (place.Sequence == last.Sequence && place.Line == last.Line) return false;
        _state.Queues.EnsurePending(order.Lines[last.Line - 1].Sku, BackorderKey.Of(in order.Head, place.Order, in last));
        return true;
    }

    /// <summary>How much serving queues may cost one turn or one command, places looked at and bytes of events written.</summary>
    private struct ServingBudget(EventBuffer events)
    {
        private readonly int _start = events.Length;

        public int Looks = Limits.BackordersPerTurn;

        public readonly bool Any => Looks > 0 && events.Length - _start < Limits.BackorderBytesPerTurn;
    }

    /// <summary>Says that the state was loaded.</summary>
    internal void GoOnAsLoaded() => _wasReplayed = true;

    // A directory that was written before supply was planned opens as it was: its SKUs are planned as they change from now on.
    private void GoOn()
    {
        _wasReplayed = false;
        if (_state.SupplyRequests.Rows.Count == 0 && _state.Promises.Rows.Count == 0) _state.Plan.Forget();
    }

    // Once all queues are served: what is missing then is missing.
    private void PlanSupply(long now, EventBuffer events)
    {
        var (plan, start) = (_state.Plan, events.Length);
        for (var left = Limits.PlannedPerTurn; left > 0 && !_state.Queues.AnyPending && events.Length - start < Limits.BackorderBytesPerTurn; left--)
        {
            if (!plan.TryBegin(out var isNew)) return;
            if (isNew) BeginPlan(plan, now, events);
            else PlanNext(plan, now, events);
        }
    }

    private void BeginPlan(SupplyPlan plan, long now, EventBuffer events)
    {
        var start = events.Length;
        _decider.AskForSupply(plan.Sku, now, events);
        ApplyFrom(start, events);
        plan.Promised = _state.Promises.Count(plan.Sku);
        var after = SupplyKey.First;
        for (var left = Limits.AnnouncementsPlanned; left > 0 && _state.Supply.TryNext(plan.Sku, in after, out var next, out var units); left--, after = next)
            plan.Announced(next.ExpectedAt, _state.Supply.Latest(next.Number).Head.Location, units);
    }

    private void PlanNext(SupplyPlan plan, long now, EventBuffer events)
    {
        var cursor = plan.Cursor;
        if (plan.IsSpent && plan.Promised <= 0 || !_state.Queues.TryNext(plan.Sku, in cursor, out var place, out var units))
        {
            plan.End();
            return;
        }
        plan.Cursor = place;
        ref readonly var head = ref _state.Order(place.Order).Head;
        var promisedAt = plan.Take(units, _state.Catalog.Rules(head.Channel), _state.RegionOf(place.Order, in head), _state.Catalog);
        // A line has all of it when it has what was added to it.
        if (_state.AddedUnits.Of(place.Order, place.Line) is { Units: > 0 } added && added.Sequence != place.Sequence) return;
        if (_state.Promises.Of(place.Order, place.Line) != 0) plan.Promised--;
        var start = events.Length;
        _decider.Promise(in place, promisedAt, now, events);
        ApplyFrom(start, events);
    }
}
