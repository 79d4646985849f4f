// Deciding what comes into stock and what counts correct.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    private Outcome Receive(ReceiveStock receive)
    {
        // The same SKU may come several times; the sum of all items bounds each of them.
        var total = 0L;
        foreach (var item in receive.Items) total += item.Quantity;
        foreach (var item in receive.Items)
            if (state.Stock.Level(item.Sku, receive.Location).OnHand + total > Limits.StockLevel) return Refuse(Outcome.StockOverflow);

        BeginEvent();
        Origin();
        _events.BeginBody(EventKind.StockReceived);
        _events.Number(1, receive.Location);
        foreach (var item in receive.Items) Quantity(2, item.Sku, item.Quantity);
        _events.Bytes(3, receive.Reference);
        EndAnswer();
        return Outcome.Ok;
    }

    private Outcome Adjust(AdjustStock adjust)
    {
        var level = state.Stock.Level(adjust.Sku, adjust.Location);
        var onHand = adjust.Adjustment switch
        {
            AdjustmentKind.OnHandDelta => adjust.Value,
            AdjustmentKind.CountedOnHand => adjust.Value - level.OnHand,
            _ => 0,
        };
        var unavailable = adjust.Adjustment == AdjustmentKind.UnavailableDelta ? adjust.Value : 0;
        if (level.OnHand + onHand > Limits.StockLevel) return Refuse(Outcome.StockOverflow);
        if (level.Unavailable + unavailable < 0 || level.OnHand + onHand < level.Unavailable + unavailable + level.Held + level.Committed)
            return Refuse(Outcome.StockBelowCommitted);

        BeginEvent();
        Origin();
        _events.BeginBody(EventKind.StockAdjusted);
        _events.Number(1, adjust.Location);
        _events.Number(2, adjust.Sku);
        _events.Signed(3, onHand);
        _events.Signed(4, unavailable);
        _events.Number(5, adjust.Adjustment == AdjustmentKind.CountedOnHand ? 1 : 0);
        EndAnswer();
        return Outcome.Ok;
    }
}
