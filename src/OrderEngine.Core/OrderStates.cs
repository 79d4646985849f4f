// An order's state, derived from its quantities: one function, used when deciding, asserted when checking invariants.

using OrderEngine.Core.State;

namespace OrderEngine.Core;

/// <summary>The derivation of an order's state.</summary>
public static class OrderStates
{
    /// <summary>True when nothing is expected of such an order any more: its deadlines end.</summary>
    public static bool IsTerminal(OrderState state) => state is OrderState.Cancelled;

    /// <summary>The state that the quantities of an order's lines amount to; the first match counts.</summary>
    public static OrderState Derive(ReadOnlySpan<LineRow> lines)
    {
        long left = 0, delivered = 0, lost = 0, shipped = 0, released = 0, reserved = 0, waiting = 0;
        foreach (ref readonly var line in lines)
        {
            left += line.Ordered - line.Cancelled;
            delivered += line.Delivered;
            lost += line.Lost;
            shipped += line.Shipped;
            released += line.Released;
            reserved += line.Reserved;
            waiting += line.Backordered + line.Unallocated;
        }
        if (left == 0) return OrderState.Cancelled;
        if (lost == left) return OrderState.Lost;
        if (delivered + lost == left) return OrderState.Delivered;
        if (shipped == left) return OrderState.Shipped;
        if (shipped > 0) return OrderState.PartiallyShipped;
        if (released > 0) return OrderState.Fulfilling;
        if (waiting == 0) return OrderState.Ready;
        return reserved > 0 ? OrderState.PartiallyReserved : OrderState.Backordered;
    }
}
