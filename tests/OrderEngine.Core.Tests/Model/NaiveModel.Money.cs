// The model's money that no order waits for: what could be collected, what is due on a date, what is paid too much. One thread.

namespace OrderEngine.Core.Tests.Model;

internal sealed partial class NaiveModel
{
    private static long Kept(ModelOrder order) => order.Paid - order.Refunded;

    private static long Payable(ModelOrder order) => order.State == OrderState.Expired ? 0 : ValueOf(order);

    private static long Surplus(ModelOrder order) => Kept(order) - Payable(order);

    // Finance has to know when more is paid than the order comes to, and more so than before.
    private void RaiseSurplus(ModelOrder order, long before)
    {
        Settle(order);
        if (Surplus(order) > Math.Max(0, before)) Raise(ExceptionKind.RefundDue, order, 0, Surplus(order));
        else if (Surplus(order) <= 0) ResolveOpen(order, ExceptionKind.RefundDue, DeadlineKind.None, "covered");
    }

    private static bool Owes(ModelOrder order) => order.State is not (OrderState.PendingReview or OrderState.AwaitingPayment or OrderState.Rejected or OrderState.Expired);

    // Of a prepaid order all that is not covered; of others what the buyer has in hand.
    private static long CollectableOf(ModelOrder order)
    {
        var value = order.Terms == PaymentTerms.Prepaid ? ValueOf(order) : order.Lines.Sum(l => Math.Max(0, l.Delivered - l.Returned + l.Swapped) * l.Price);
        return Owes(order) ? Math.Max(0, value - Kept(order)) : 0;
    }

    private static bool HasDates(ModelOrder order) => order.Terms == PaymentTerms.Instalment && order.Submitted.Instalments.Length > 0;

    private static long DueBy(ModelOrder order, long at)
    {
        if (!HasDates(order) || !Owes(order)) return CollectableOf(order);
        var dates = order.Submitted.Instalments;
        var due = dates[^1].DueAt <= at ? Payable(order) : Math.Min(Payable(order), dates.Where(d => d.DueAt <= at).Sum(d => d.Amount));
        return Math.Max(0, due - Kept(order));
    }

    // catalog.proto, DeadlineSettings.payment_after and cash_after.
    private void WatchMoney(ModelOrder order)
    {
        var before = order.Collectable;
        order.Collectable = CollectableOf(order);
        order.Deadlines.TryGetValue(DeadlineKind.Balance, out var present);
        if (HasDates(order))
        {
            var from = present is not null ? Math.Min(_now, present.Due - 1) : order.MissedDate > 0 ? order.MissedDate : _now;
            order.MissedDate = 0;
            var next = Owes(order) ? order.Submitted.Instalments.Select(d => d.DueAt).FirstOrDefault(date => date > from && DueBy(order, date) > 0) : 0;
            if (next == (present?.Due ?? 0) || present is null && !WatchesMoney) return;
            order.Deadlines.Remove(DeadlineKind.Balance);
            if (next != 0 && _watched.PaymentSeconds > 0) Set(order, DeadlineKind.Balance, next);
            return;
        }
        if (order.Collectable == 0) order.Deadlines.Remove(DeadlineKind.Balance);
        else if (order.Collectable > before && present is null) Expect(order, DeadlineKind.Balance, order.Terms == PaymentTerms.CashOnDelivery ? _watched.CashSeconds : _watched.PaymentSeconds);
    }

    private bool WatchesMoney => _watched.PaymentSeconds + _watched.CashSeconds > 0;

    // --- amendments that make an order larger pass the checks of a submission ---

    private Outcome CheckGrowth(ModelOrder order, AmendedLine[] wanted, out long growth, out HashSet<OrderHolds> holds)
    {
        var lines = order.Lines.Select(l => (l.Ordered, l.Cancelled, Gone: l.Lost + l.Returned - l.Swapped, l.Price)).ToList();
        foreach (var one in wanted)
        {
            if (one.Line == 0) lines.Add((one.Quantity, 0, 0, one.UnitPrice));
            else lines[one.Line - 1] = lines[one.Line - 1] with { Ordered = one.Quantity < 0 ? lines[one.Line - 1].Ordered : one.Quantity, Price = one.UnitPrice < 0 ? lines[one.Line - 1].Price : one.UnitPrice };
        }
        var (worthBefore, worth) = (order.Lines.Sum(l => (l.Ordered - l.Cancelled) * l.Price), lines.Sum(l => (l.Ordered - l.Cancelled) * l.Price));
        var (countBefore, count) = (order.Lines.Count(l => l.Ordered > l.Cancelled), lines.Count(l => l.Ordered > l.Cancelled));
        growth = worth - worthBefore;
        holds = [];
        var submitted = order.Submitted;
        var limits = Rules[submitted.Channel].Limits;
        if (limits.MaxLines > 0 && count > limits.MaxLines && count > countBefore) return Outcome.ChannelLimitExceeded;
        if (limits.MaxOrder > 0 && limits.MaxOrderCurrency == submitted.CurrencyCode && worth > limits.MaxOrder && growth > 0) return Outcome.ChannelLimitExceeded;
        if (growth <= 0) return Outcome.Ok;
        var more = Math.Max(0, lines.Sum(l => (l.Ordered - l.Cancelled - l.Gone) * l.Price) - Kept(order)) - Math.Max(0, ValueOf(order) - Kept(order));
        var over = submitted.Customer != 0 && more != 0 && Buyers[submitted.Customer].CreditCurrency is not 0 and var currency
            && (currency != submitted.CurrencyCode || DebtOf(submitted.Customer, currency) + more > Buyers[submitted.Customer].CreditLimit);
        foreach (var rule in Firing(submitted, order.Terms, worth, over, OrdersOf(submitted.Customer) - 1))
            holds.Add(rule.Condition == ReviewCondition.CreditExposure ? OrderHolds.Credit : OrderHolds.Risk);
        return Outcome.Ok;
    }

    // Held, with its stock; unless a reviewer has it anyway.
    private void HoldForReview(ModelOrder order, HashSet<OrderHolds> holds, long growth)
    {
        if (order.State == OrderState.PendingReview) return;
        var placed = holds.Order().Where(order.Holds.Add).ToList();
        foreach (var _ in placed) Change(order);
        if (placed.Count > 0) Raise(ExceptionKind.ReviewDue, order, 0, Math.Max(0, growth));
        HeldByAmendment.AddRange(placed);
    }

    public readonly List<OrderHolds> HeldByAmendment = [];
}
