// The model's review and money: rules that hold an order, what the reviewer says. One thread.

namespace OrderEngine.Core.Tests.Model;

internal sealed partial class NaiveModel
{
    public readonly ModelEntry ReviewRulesEntry = new(1);
    public ReviewRule[] ReviewRules { get; private set; } = [];

    private Outcome Define(SetReviewRules set)
    {
        var content = string.Join(';', set.Rules.Select(r =>
            $"{Text(r.Id)}|{r.Condition}|{string.Join(',', r.Channels)}|{r.Amount}|{r.CurrencyCode}|{r.Threshold}|{string.Join(',', r.Terms)}|{string.Join(',', r.Keywords)}"));
        if (set.ExpectedVersion != 0 && set.ExpectedVersion != ReviewRulesEntry.Version) return Outcome.EtagMismatch;
        if (ReviewRulesEntry.Version != 0 && ReviewRulesEntry.Content == content) return Outcome.Ok;
        ReviewRulesEntry.Content = content;
        ReviewRulesEntry.Version = Event();
        ReviewRules = set.Rules;
        return Outcome.Ok;
    }

    // catalog.proto, Channel: more lines or value than it may hand in.
    private static bool IsTooMuch(SubmitOrder submit, ModelChannel channel) =>
        channel.Limits.MaxLines > 0 && submit.Lines.Length > channel.Limits.MaxLines
        || channel.Limits.MaxOrder > 0 && channel.Limits.MaxOrderCurrency == submit.CurrencyCode && submit.Lines.Sum(l => l.Quantity * l.UnitPrice) > channel.Limits.MaxOrder;

    private List<string> Reasons(SubmitOrder submit, PaymentTerms terms)
    {
        var value = submit.Lines.Sum(l => l.Quantity * l.UnitPrice);
        var over = submit.Customer != 0 && Buyers[submit.Customer].CreditCurrency is not 0 and var currency
            && (currency != submit.CurrencyCode || DebtOf(submit.Customer, currency) + value > Buyers[submit.Customer].CreditLimit);
        return [.. Firing(submit, terms, value, over, OrdersOf(submit.Customer)).Select(rule => Text(rule.Id)), .. submit.NoteRules.Select(Text)];
    }

    // catalog.proto, ReviewRule: every rule that fires, those on notes last.
    private IEnumerable<ReviewRule> Firing(SubmitOrder submit, PaymentTerms terms, long value, bool overLimit, int ordersBefore) =>
        ReviewRules.Where(rule => (rule.Channels.Length == 0 || rule.Channels.Contains(submit.Channel)) && rule.Condition switch
        {
            ReviewCondition.OrderValue => rule.CurrencyCode == submit.CurrencyCode && value > rule.Amount,
            ReviewCondition.CreditExposure => (terms is PaymentTerms.Credit or PaymentTerms.Instalment) && overLimit,
            ReviewCondition.RiskRating => submit.Customer != 0 && Buyers[submit.Customer].RiskRating >= rule.Threshold,
            ReviewCondition.NewCustomer => submit.Customer == 0 || ordersBefore < rule.Threshold,
            ReviewCondition.PaymentTerms => rule.Terms.Contains(terms),
            _ => false,
        });

    private int OrdersOf(int customer) => Orders.Count(o => o.Submitted.Customer == customer && o.State is not (OrderState.Rejected or OrderState.Expired));

    private Outcome Approve(ApproveOrder approve)
    {
        var refusal = Find(approve.Order, approve.ExpectedVersion, [OrderState.PendingReview], out var order);
        if (refusal != Outcome.Ok) return refusal;
        Change(order);
        Enter(order, order.Terms == PaymentTerms.Prepaid && order.Paid - order.Refunded < ValueOf(order) ? OrderState.AwaitingPayment : OrderState.None);
        return Outcome.Ok;
    }

    private Outcome Reject(RejectOrder reject)
    {
        var refusal = Find(reject.Order, reject.ExpectedVersion, [OrderState.PendingReview], out var order);
        if (refusal != Outcome.Ok) return refusal;
        var surplus = Surplus(order);
        Change(order);
        foreach (var line in order.Lines)
        {
            line.Cancelled = line.Ordered;
            line.Backordered = line.Reserved = 0;
        }
        FreeStock(order);
        NoteLines(order);
        Enter(order, OrderState.Rejected);
        RaiseSurplus(order, surplus);
        return Outcome.Ok;
    }

    private void FreeStock(ModelOrder order)
    {
        foreach (var allocation in order.Allocations.Where(a => a.Reserved > 0))
        {
            LevelOf(order.Lines[allocation.Line - 1].Sku, allocation.Location).Committed -= allocation.Reserved;
            allocation.Reserved = 0;
        }
    }

    // --- money ---

    /// <summary>What is ordered and neither cancelled, lost nor returned; goods for goods leave it as it was.</summary>
    private static long ValueOf(ModelOrder order) => order.Lines.Sum(l => (l.Ordered - l.Cancelled - l.Lost - l.Returned + l.Swapped) * l.Price);

    private static long OwedOn(ModelOrder order) =>
        order.Terms is PaymentTerms.Credit or PaymentTerms.Instalment ? Math.Max(0, (order.State == OrderState.Expired ? 0 : ValueOf(order)) - order.Paid + order.Refunded) : 0;

    private long DebtOf(int customer, int currency) => Orders.Where(o => o.Submitted.Customer == customer && o.Submitted.CurrencyCode == currency).Sum(OwedOn);

    private Outcome Record(RecordPayment payment)
    {
        var refusal = Find(payment.Order, payment.ExpectedVersion, Enum.GetValues<OrderState>(), out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (payment.CurrencyCode != order.Submitted.CurrencyCode) return Outcome.PaymentCurrencyMismatch;
        if (order.Payments.Contains(Text(payment.Reference))) return Outcome.PaymentReferenceTaken;
        if (order.Payments.Count == 200) return Outcome.PaymentLimitReached;
        var value = ValueOf(order);
        var kept = order.Paid - order.Refunded + payment.Amount;
        var late = order.State == OrderState.Expired;
        List<(int Location, int Units)>[]? allotted = null;
        if (late && order.ExpiredUnpaid && kept >= value)
            allotted = Allot([.. order.Lines.Select(l => (l.Sku, l.Unallocated))], order.Policy, Rules[order.Submitted.Channel], [], order.Region, order.WholeOnly);

        var surplus = Surplus(order);
        Change(order);
        order.Paid += payment.Amount;
        order.Payments.Add(Text(payment.Reference));
        if (allotted is not null) Reinstate(order, allotted);
        NoteLines(order);
        // domain.md: late money raises an exception; money for an order that comes to nothing, too.
        if (late || ValueOf(order) == 0) Raise(ExceptionKind.LateMoney, order, 0, payment.Amount, goesOn: allotted is not null);
        if (allotted is not null || !late && ValueOf(order) != 0) RaiseSurplus(order, surplus);
        Settle(order);
        if (DueBy(order, _now) == 0) ResolveOpen(order, ExceptionKind.DeadlineMissed, DeadlineKind.Balance, "paid");
        return Outcome.Ok;
    }

    private void Reinstate(ModelOrder order, List<(int Location, int Units)>[] allotted)
    {
        foreach (var line in order.Lines)
        {
            foreach (var (location, units) in allotted[line.Number - 1])
            {
                order.At(line.Number, location).Reserved += units;
                LevelOf(line.Sku, location).Committed += units;
                line.Reserved += units;
                line.Unallocated -= units;
            }
            if (order.Policy == AllocationPolicy.PartialBackorder) line.Backordered += line.Unallocated;
            else line.Cancelled += line.Unallocated;
            line.Unallocated = 0;
        }
        Enter(order, OrderState.None);
    }

    private Outcome Record(RecordRefund refund)
    {
        var refusal = Find(refund.Order, refund.ExpectedVersion, Enum.GetValues<OrderState>(), out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (refund.CurrencyCode != order.Submitted.CurrencyCode) return Outcome.PaymentCurrencyMismatch;
        if (order.Refunds.Contains(Text(refund.Reference))) return Outcome.PaymentReferenceTaken;
        if (order.Refunds.Count == 200) return Outcome.PaymentLimitReached;
        if (refund.Amount > order.Paid - order.Refunded) return Outcome.RefundExceedsPaid;
        Change(order);
        order.Refunded += refund.Amount;
        order.Refunds.Add(Text(refund.Reference));
        if (Surplus(order) <= 0) ResolveOpen(order, ExceptionKind.RefundDue, DeadlineKind.None, "refunded");
        return Outcome.Ok;
    }

    // --- states that wait, and what ends them ---

    // A prepaid order goes on once it is covered, whatever covered it.
    private void Settle(ModelOrder order)
    {
        if (order.Stored == OrderState.AwaitingPayment && order.Paid - order.Refunded >= ValueOf(order)) Enter(order, OrderState.None);
        else Watch(order);
        WatchMoney(order);
    }

    private void Enter(ModelOrder order, OrderState stored)
    {
        order.Stored = stored;
        Watch(order);
    }

    /// <summary>Nobody reviewed or paid in time.</summary>
    private void ExpireOrder(ModelOrder order)
    {
        var (before, surplus) = (order.State, Surplus(order));
        Change(order);
        order.Promised.Clear();
        order.ExpiredUnpaid = before == OrderState.AwaitingPayment;
        foreach (var line in order.Lines)
        {
            line.Unallocated += line.Backordered + line.Reserved;
            line.Backordered = line.Reserved = 0;
        }
        FreeStock(order);
        Enter(order, OrderState.Expired);
        RaiseSurplus(order, surplus);
        if (before == OrderState.PendingReview) Raise(ExceptionKind.DeadlineMissed, order, 0, 0, DeadlineKind.Review);
    }
}
