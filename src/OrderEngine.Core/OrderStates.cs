// An order's state: the one it has when that is stored, otherwise derived from its quantities. One function, used when deciding, asserted
// when checking invariants.

using OrderEngine.Core.State;

namespace OrderEngine.Core;

/// <summary>The derivation of an order's state.</summary>
public static class OrderStates
{
    /// <summary>True when nothing is awaited of such an order any more: its deadlines end. Late money may still bring one back.</summary>
    public static bool IsTerminal(OrderState state) => state is OrderState.Cancelled or OrderState.Rejected or OrderState.Expired or OrderState.Completed;

    /// <summary>True when an order of this state may leave memory after its window: nothing is under way.</summary>
    public static bool IsClosed(OrderState state) => IsTerminal(state) || state is OrderState.Lost or OrderState.Delivered;

    /// <summary>True for a state that commands and timers set and end: it is kept in <see cref="OrderHead.State"/>, whatever moves meanwhile.</summary>
    public static bool IsStored(OrderState state) => state >= OrderState.PendingReview;

    /// <summary>
    /// The state of an order that stands in <paramref name="stored"/> (or, where that is not a stored state, in none) and has these lines.
    /// What is stored stays until a command or timer ends it; but an order that still waits, or waited in vain, is cancelled with its last unit.
    /// </summary>
    public static OrderState Derive(OrderState stored, ReadOnlySpan<LineRow> lines)
    {
        if (stored is OrderState.Rejected or OrderState.Completed) return stored;
        var derived = Derive(lines);
        return IsStored(stored) && derived != OrderState.Cancelled ? stored : derived;
    }

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
