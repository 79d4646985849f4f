// Deciding what an amendment that makes an order larger has to pass: the checks of a submission, on the order as it would be. What is beyond the
// channel's bounds is refused. Where review rules fire, the order is held and keeps its stock: it was accepted, so it does not go back to review.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    // How much more the amended order is worth, before anything is allotted; below 0: it shrinks.
    private long _growth;

    /// <summary>Looks at the planned lines before they are allotted: refuses what the channel may not, and gathers the rules that fire.</summary>
    private Outcome CheckGrowth(in OrderHead head, ReadOnlySpan<LineRow> present)
    {
        var (worth, lines) = Left(Planned);
        var (worthBefore, linesBefore) = Left(present);
        _growth = worth - worthBefore;
        var limits = state.Catalog.Rules(head.Channel).Limits;
        if (limits.MaxLines != 0 && lines > Math.Max(limits.MaxLines, linesBefore)) return Outcome.ChannelLimitExceeded;
        if (limits.MaxOrder != 0 && limits.MaxOrderCurrency == head.Currency && worth > Math.Max(limits.MaxOrder, worthBefore)) return Outcome.ChannelLimitExceeded;
        if (_growth <= 0) return Outcome.Ok;
        var owed = Math.Max(0, PaymentStates.ValueOf(Planned) - _kept) - Math.Max(0, PaymentStates.ValueOf(present) - _kept);
        FindReasons(new Reviewed(head.Channel, head.Customer, head.Currency, head.Terms, worth, owed, head.Customer == 0 ? 0 : state.OrdersOf(head.Customer) - 1));
        // Already paid for: nobody owes more.
        if (owed == 0) _reasons.RemoveAll(reason => reason.Condition == ReviewCondition.CreditExposure);
        return Outcome.Ok;
    }

    // What is not cancelled, and the lines that it is on.
    private static (long Worth, int Lines) Left(ReadOnlySpan<LineRow> lines)
    {
        var (worth, count) = (0L, 0);
        foreach (ref readonly var line in lines)
        {
            if (line.Ordered == line.Cancelled) continue;
            worth += (line.Ordered - line.Cancelled) * line.UnitPrice;
            count++;
        }
        return (worth, count);
    }

    /// <summary>Holds the amended order for the reasons that were found, and has a reviewer look. One that waits for review is looked at anyway.</summary>
    private void HoldForReview(long number, in OrderHead head)
    {
        if (head.State == OrderState.PendingReview) return;
        var wanted = OrderHolds.None;
        foreach (var (condition, _) in _reasons) wanted |= condition == ReviewCondition.CreditExposure ? OrderHolds.Credit : OrderHolds.Risk;
        var open = head.Holds;
        for (var hold = OrderHolds.Risk; hold <= OrderHolds.Credit; hold = (OrderHolds)((int)hold << 1))
        {
            if ((wanted & ~open & hold) == 0) continue;
            open |= hold;
            WriteHold(EventKind.HoldPlaced, number, in head, _subject.State, hold, open, answers: false);
        }
        if (open != head.Holds) RaiseException(ExceptionKind.ReviewDue, Grade.Medium, Role.Reviewer, number, quantity: Math.Max(0, _growth));
    }
}
