// Applying what goes with waiting for an order that ships complete: how long it waits to be filled whole, and that it takes what comes then.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Applying;

internal sealed partial class Applier
{
    // The timer runs while anything of the order waits. Fewer units to wait for may be units that are there.
    private void FollowWhole(in EventView e, OrderView order)
    {
        var waits = false;
        var fewer = e.Kind is EventKind.OrderCancelled or EventKind.OrderAmended;
        foreach (ref readonly var line in order.Lines)
        {
            if (line.Backordered == 0) continue;
            waits = true;
            if (fewer) state.Queues.MarkPending(line.Sku);
        }
        if (!waits) state.Deadlines.Clear(e.Order, DeadlineKind.Earmark, e.Sequence);
        else if (!state.Deadlines.Has(e.Order, DeadlineKind.Earmark))
            state.Deadlines.Set(e.Order, DeadlineKind.Earmark, Math.Max(e.Time, order.Head.AcceptedAt + state.Catalog.DeadlineRules.Earmark), e.Sequence, reminds: false);
    }

    private void Earmarks(in EventView e)
    {
        var order = Change(in e);
        if (!order.Head.IsFilledWhole) throw new ApplyException($"Order {e.Order} of event {e.Sequence} does not wait to be filled whole.");
        order.Head.Details |= OrderDetails.Earmarks;
        state.Deadlines.Clear(e.Order, DeadlineKind.Earmark, e.Sequence);
        for (var i = 1; i <= order.Head.LineCount; i++)
        {
            ref readonly var line = ref order.Line(i);
            if (line.Backordered == 0) continue;
            var added = state.AddedUnits.Of(e.Order, i);
            if (line.Backordered > added.Units) state.Queues.TakesWhatComes(line.Sku, BackorderKey.Of(in order.Head, e.Order, i));
            if (added.Units > 0) state.Queues.TakesWhatComes(line.Sku, BackorderKey.Of(in order.Head, e.Order, in added));
            state.Queues.MarkPending(line.Sku);
        }
    }
}
