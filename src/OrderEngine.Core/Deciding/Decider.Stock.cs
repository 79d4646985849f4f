// Deciding what comes into stock and what counts correct.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    private Outcome Receive(ReceiveStock receive)
    {
        var refusal = receive.Incoming == 0 ? Outcome.Ok : CheckIncoming(receive);
        if (refusal != Outcome.Ok) return refusal;
        // The same SKU may come several times. The sum of all items bounds each SKU's own, which is looked at near the limit only.
        var total = 0L;
        foreach (var item in receive.Items) total += item.Quantity;
        foreach (var item in receive.Items)
        {
            var onHand = state.Stock.Level(item.Sku, receive.Location).OnHand;
            if (onHand + total > Limits.StockLevel && onHand + UnitsOf(item.Sku, receive.Items) > Limits.StockLevel) return Refuse(Outcome.StockOverflow);
        }

        BeginEvent();
        Origin();
        _events.BeginBody(EventKind.StockReceived);
        _events.Number(1, receive.Location);
        foreach (var item in receive.Items) Quantity(2, item.Sku, item.Quantity);
        _events.Bytes(3, receive.Reference);
        _events.Number(4, receive.Incoming);
        EndAnswer();
        return Outcome.Ok;
    }

    private static long UnitsOf(int sku, SkuQuantity[] items)
    {
        var units = 0L;
        foreach (var item in items)
            if (item.Sku == sku) units += item.Quantity;
        return units;
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
        if (adjust.Deallocate && adjust.Role != Role.Manager) return Outcome.RoleNotAllowed;
        if (level.Unavailable + unavailable < 0) return Refuse(Outcome.StockBelowCommitted);
        var missing = level.Unavailable + unavailable + level.Held + level.Committed - (level.OnHand + onHand);
        if (missing > 0 && !(adjust.Deallocate && PlanDeallocation(adjust.Sku, adjust.Location, missing))) return Refuse(Outcome.StockBelowCommitted);
        if (missing > 0) WriteDeallocations(adjust.Location);

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
