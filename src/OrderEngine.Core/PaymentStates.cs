// What an order comes to in money, and where its payment stands: derived from its quantities and from what was paid and refunded. One place,
// used when deciding, when reading and when checking invariants. Minor units throughout; any thread.

using OrderEngine.Core.State;

namespace OrderEngine.Core;

/// <summary>Where the payment of an order stands. Numbers equal proto/orderengine/v1.</summary>
public enum PaymentState : byte
{
    /// <summary>Nothing is to be paid, and nothing was: it is free, cancelled, rejected or expired.</summary>
    NothingDue = 1,
    /// <summary>Nothing is paid yet.</summary>
    Unpaid = 2,
    /// <summary>Something is paid, not all.</summary>
    PartiallyPaid = 3,
    /// <summary>All is paid.</summary>
    Paid = 4,
    /// <summary>More is paid than the order comes to.</summary>
    RefundDue = 5,
    /// <summary>The order comes to nothing any more, and all that was paid went back.</summary>
    Refunded = 6,
    /// <summary>All is paid and delivered.</summary>
    Settled = 7,
}

/// <summary>What a payment did. Numbers equal proto/orderengine/v1 and the journal.</summary>
public enum PaymentEffect : byte
{
    /// <summary>Nothing recorded.</summary>
    None = 0,
    /// <summary>More is to be paid.</summary>
    Partial = 1,
    /// <summary>The order is paid.</summary>
    Covered = 2,
    /// <summary>The order is paid, and more than that: the rest is to be refunded.</summary>
    Overpaid = 3,
    /// <summary>It came late, and the order goes on: its units are allotted again.</summary>
    Reinstated = 4,
    /// <summary>It came too late, or for nothing: it is to be refunded.</summary>
    RefundDue = 5,
}

/// <summary>The derivation of what an order comes to.</summary>
public static class PaymentStates
{
    /// <summary>The value of the units that the buyer keeps or is still to get: ordered less cancelled, lost and returned. For what was exchanged other goods are kept.</summary>
    public static long ValueOf(ReadOnlySpan<LineRow> lines)
    {
        var value = 0L;
        foreach (ref readonly var line in lines) value += (line.Ordered - line.Cancelled - line.Lost - line.Credited) * line.UnitPrice;
        return value;
    }

    /// <summary>What an order comes to: its value, or nothing once it has expired.</summary>
    public static long Payable(OrderState state, ReadOnlySpan<LineRow> lines) => state == OrderState.Expired ? 0 : ValueOf(lines);

    /// <summary>Where the payment stands.</summary>
    /// <param name="state">Of the order.</param>
    /// <param name="payable">What it comes to.</param>
    /// <param name="paid">All payments.</param>
    /// <param name="refunded">All refunds.</param>
    public static PaymentState Of(OrderState state, long payable, long paid, long refunded)
    {
        var kept = paid - refunded;
        if (kept > payable) return PaymentState.RefundDue;
        if (kept < payable) return kept > 0 ? PaymentState.PartiallyPaid : PaymentState.Unpaid;
        if (payable == 0) return paid > 0 ? PaymentState.Refunded : PaymentState.NothingDue;
        return state is OrderState.Delivered or OrderState.Completed ? PaymentState.Settled : PaymentState.Paid;
    }

    /// <summary>What of it is due by now: on delivery what was taken, in instalments what their dates say, otherwise all.</summary>
    /// <param name="terms">Of the order.</param>
    /// <param name="payable">What it comes to.</param>
    /// <param name="taken">Value of the units that arrived and stayed.</param>
    /// <param name="called">The instalments whose date has come; after the last one all that is payable.</param>
    public static long Due(PaymentTerms terms, long payable, long taken, long called) => terms switch
    {
        PaymentTerms.CashOnDelivery => Math.Min(taken, payable),
        PaymentTerms.Instalment => Math.Min(called, payable),
        _ => payable,
    };

    /// <summary>
    /// What can be asked of the buyer at once although the order does not wait for it: of a prepaid order that has gone on what is not covered, of any
    /// other the value of what was delivered. Less what was paid; never negative. Instalments with dates: <see cref="InstalmentPlan"/>.
    /// </summary>
    /// <param name="terms">Of the order.</param>
    /// <param name="state">Of the order.</param>
    /// <param name="lines">Of the order.</param>
    /// <param name="kept">Paid and not refunded.</param>
    public static long Collectable(PaymentTerms terms, OrderState state, ReadOnlySpan<LineRow> lines, long kept)
    {
        if (!IsCollected(state)) return 0;
        if (terms == PaymentTerms.Prepaid) return Math.Max(0, ValueOf(lines) - kept);
        var value = 0L;
        foreach (ref readonly var line in lines) value += Math.Max(0, line.Delivered - line.Credited) * line.UnitPrice;
        return Math.Max(0, value - kept);
    }

    /// <summary>True when an order of this state owes anything: it was accepted for good and has not ended without goods.</summary>
    public static bool IsCollected(OrderState state) =>
        state is not (OrderState.PendingReview or OrderState.AwaitingPayment or OrderState.Rejected or OrderState.Expired);

    /// <summary>True for terms under which a customer owes what is not paid yet.</summary>
    public static bool IsCredit(PaymentTerms terms) => terms is PaymentTerms.Credit or PaymentTerms.Instalment;

    /// <summary>What an order adds to its customer's debt.</summary>
    public static long Exposure(OrderView order)
    {
        if (!order.Exists || !IsCredit(order.Head.Terms)) return 0;
        return Math.Max(0, Payable(order.Head.State, order.Lines) - (order.Head.Paid - order.Head.Refunded));
    }
}
