// Deciding whether an order has to be looked at, and what the reviewer says.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    // Why the order being decided has to be looked at.
    private readonly List<(ReviewCondition Condition, byte[] Rule)> _reasons = [];

    /// <summary>True when the order is beyond what its channel may hand in.</summary>
    private static bool Exceeds(SubmitOrder submit, in ChannelLimits limits) =>
        limits.MaxLines != 0 && submit.Lines.Length > limits.MaxLines
        || limits.MaxOrder != 0 && limits.MaxOrderCurrency == submit.CurrencyCode && ValueOf(submit) > limits.MaxOrder;

    private static long ValueOf(SubmitOrder submit)
    {
        var total = 0L;
        foreach (ref readonly var line in submit.Lines.AsSpan()) total = checked(total + line.Quantity * line.UnitPrice);
        return total;
    }

    /// <summary>What review rules look at.</summary>
    /// <param name="Channel">Of the order.</param>
    /// <param name="Customer">Of the order.</param>
    /// <param name="CurrencyCode">Of the order.</param>
    /// <param name="Terms">Of the order.</param>
    /// <param name="Value">What it is worth.</param>
    /// <param name="Owed">What the customer owes more because of it.</param>
    /// <param name="OrdersBefore">The customer's orders, this one left out.</param>
    private readonly record struct Reviewed(int Channel, int Customer, int CurrencyCode, PaymentTerms Terms, long Value, long Owed, int OrdersBefore);

    /// <summary>Gathers every rule that fires, in their order; those on notes were looked at where the note was plain text.</summary>
    private void FindReasons(SubmitOrder submit, PaymentTerms terms)
    {
        _reasons.Clear();
        if (state.Catalog.ReviewRules.Length == 0 && submit.NoteRules.Length == 0) return;
        var value = ValueOf(submit);
        FindReasons(new Reviewed(submit.Channel, submit.Customer, submit.CurrencyCode, terms, value, value, submit.Customer == 0 ? 0 : state.OrdersOf(submit.Customer)));
        foreach (var rule in submit.NoteRules) _reasons.Add((ReviewCondition.NoteKeyword, rule));
    }

    private void FindReasons(in Reviewed order)
    {
        foreach (var rule in state.Catalog.ReviewRules)
            if (rule.Covers(order.Channel) && Fires(rule, in order)) _reasons.Add((rule.Condition, rule.Id));
    }

    private bool Fires(ReviewRule rule, in Reviewed order) => rule.Condition switch
    {
        ReviewCondition.OrderValue => rule.CurrencyCode == order.CurrencyCode && order.Value > rule.Amount,
        ReviewCondition.CreditExposure => PaymentStates.IsCredit(order.Terms) && order.Customer != 0 && IsOverLimit(in order),
        ReviewCondition.RiskRating => state.Catalog.Customer(order.Customer).RiskRating >= rule.Threshold,
        ReviewCondition.NewCustomer => order.Customer == 0 || order.OrdersBefore < rule.Threshold,
        ReviewCondition.PaymentTerms => Array.IndexOf(rule.Terms, order.Terms) >= 0,
        _ => false,
    };

    private bool IsOverLimit(in Reviewed order)
    {
        var limit = state.Catalog.Credit(order.Customer);
        if (limit.Currency == 0) return false;
        return limit.Currency != order.CurrencyCode || state.Credit.Of(order.Customer, order.CurrencyCode) + order.Owed > limit.Amount;
    }

    private void WriteReasons(int field)
    {
        foreach (var (condition, rule) in _reasons)
        {
            var nested = _events.BeginNested(field);
            _events.Number(1, (long)condition);
            _events.Bytes(2, rule);
            _events.EndNested(nested);
        }
    }

    private Outcome Approve(ApproveOrder approve)
    {
        var refusal = FindOrder(approve.Order, out var order);
        if (refusal != Outcome.Ok) return refusal;
        CopyLines(order);
        _stored = order.Head.Terms == PaymentTerms.Prepaid ? OrderState.AwaitingPayment : OrderState.None;
        BeginOrderEvent(approve.Order, in order.Head, Derived());
        _events.BeginBody(EventKind.OrderApproved);
        EndAnswer();
        return Outcome.Ok;
    }

    private Outcome Reject(RejectOrder reject)
    {
        var refusal = FindOrder(reject.Order, out var order);
        if (refusal != Outcome.Ok) return refusal;
        CopyLines(order);
        for (var i = 0; i < _lineCount; i++)
        {
            ref var line = ref _lines[i];
            _wanted[i] = line.Ordered - line.Cancelled;
            line.Cancelled = line.Ordered;
            line.Unallocated = line.Backordered = line.Reserved = 0;
        }
        BeginOrderEvent(reject.Order, in order.Head, OrderState.Rejected);
        _events.BeginBody(EventKind.OrderRejected);
        for (var i = 0; i < _lineCount; i++)
            if (_wanted[i] > 0) WriteCancelledLine(order, i);
        EndAnswer();
        RaiseRefundDue(reject.Order, order, payable: 0);
        return Outcome.Ok;
    }

    private Outcome Define(SetReviewRules set)
    {
        StartBody(1, []);
        Core.State.ReviewRules.Write(_body, set.Rules);
        return Put(EventKind.ReviewRulesDefined, state.Catalog.ReviewRuleRows, 1, 1);
    }
}
