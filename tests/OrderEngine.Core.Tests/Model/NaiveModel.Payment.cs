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

    // catalog.proto, ReviewRule: every rule that fires, those on notes last.
    private List<string> Reasons(SubmitOrder submit, PaymentTerms terms)
    {
        var value = submit.Lines.Sum(l => l.Quantity * l.UnitPrice);
        var fired = ReviewRules.Where(rule => (rule.Channels.Length == 0 || rule.Channels.Contains(submit.Channel)) && rule.Condition switch
        {
            ReviewCondition.OrderValue => rule.CurrencyCode == submit.CurrencyCode && value > rule.Amount,
            ReviewCondition.RiskRating => submit.Customer != 0 && Buyers[submit.Customer].RiskRating >= rule.Threshold,
            ReviewCondition.NewCustomer => submit.Customer == 0
                || Orders.Count(o => o.Submitted.Customer == submit.Customer && o.State is not (OrderState.Rejected or OrderState.Expired)) < rule.Threshold,
            ReviewCondition.PaymentTerms => rule.Terms.Contains(terms),
            _ => false,
        }).Select(rule => Text(rule.Id));
        return [.. fired, .. submit.NoteRules.Select(Text)];
    }

    private Outcome Approve(ApproveOrder approve)
    {
        var refusal = Find(approve.Order, approve.ExpectedVersion, [OrderState.PendingReview], out var order);
        if (refusal != Outcome.Ok) return refusal;
        Change(order);
        order.Stored = OrderState.None;
        return Outcome.Ok;
    }

    private Outcome Reject(RejectOrder reject)
    {
        var refusal = Find(reject.Order, reject.ExpectedVersion, [OrderState.PendingReview], out var order);
        if (refusal != Outcome.Ok) return refusal;
        Change(order);
        foreach (var line in order.Lines)
        {
            line.Cancelled = line.Ordered;
            line.Backordered = line.Reserved = 0;
        }
        foreach (var allocation in order.Allocations.Where(a => a.Reserved > 0))
        {
            LevelOf(order.Lines[allocation.Line - 1].Sku, allocation.Location).Committed -= allocation.Reserved;
            Freed(order.Lines[allocation.Line - 1].Sku);
            allocation.Reserved = 0;
        }
        order.Stored = OrderState.Rejected;
        return Outcome.Ok;
    }
}
