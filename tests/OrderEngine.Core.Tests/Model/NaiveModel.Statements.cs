// The model's accounts: what each order came to, noted after every step that touched it, so that any period is two looks into the notes. One thread.

namespace OrderEngine.Core.Tests.Model;

/// <summary>Sums of an order, minor units; and what of its balance is due by its terms.</summary>
internal sealed record ModelAccount(long Ordered, long Cancelled, long Expired, long Lost, long Returned, long Delivered, long Paid, long Refunded, long Due)
{
    public static readonly ModelAccount None = new(0, 0, 0, 0, 0, 0, 0, 0, 0);

    public long Balance => Ordered - Cancelled - Expired - Lost - Returned - Paid + Refunded;
}

internal sealed partial class NaiveModel
{
    private readonly Dictionary<long, List<(long Time, ModelAccount Account)>> _accounts = [];

    /// <summary>A customer's orders in a currency (0: any) that have a balance or a movement in a period, with their accounts before it and at its end.</summary>
    public List<(long Order, ModelAccount Opening, ModelAccount Closing)> Statement(int customer, int currency, long since, long before)
    {
        var orders = Orders.Where(o => o.Submitted.Customer == customer && (currency == 0 || o.Submitted.CurrencyCode == currency) && (before == 0 || o.AcceptedAt < before));
        var all = orders.Select(o => (o.Number, Opening: At(o.Number, since), Closing: DueAt(o, At(o.Number, before == 0 ? long.MaxValue : before), before == 0 ? long.MaxValue : before)));
        return [.. all.Where(a => a.Opening with { Due = 0 } != a.Closing with { Due = 0 } || a.Closing.Balance != 0)];
    }

    private ModelAccount At(long order, long time) => _accounts[order].LastOrDefault(note => note.Time < time).Account ?? ModelAccount.None;

    // Of instalments with dates those that have come; with the last one all that is payable.
    private static ModelAccount DueAt(ModelOrder order, ModelAccount account, long end)
    {
        if (!HasDates(order) || account == ModelAccount.None) return account;
        var kept = account.Paid - account.Refunded;
        var payable = account.Balance + kept;
        var dates = order.Submitted.Instalments;
        var called = dates[^1].DueAt <= end ? payable : Math.Min(payable, dates.Where(d => d.DueAt <= end).Sum(d => d.Amount));
        return account with { Due = Math.Max(0, called - kept) };
    }

    private void NoteAccount(ModelOrder order)
    {
        long Sum(Func<ModelLine, int> units) => order.Lines.Sum(l => units(l) * l.Price);
        var left = ValueOf(order);
        var payable = order.State == OrderState.Expired ? 0 : left;
        // domain.md: paid on delivery is what arrived and stayed, everything else at once; see DueAt.
        var due = order.Terms == PaymentTerms.CashOnDelivery ? Math.Min(payable, Sum(l => Math.Max(0, l.Delivered - l.Returned + l.Swapped))) : payable;
        var account = new ModelAccount(Sum(l => l.Ordered), Sum(l => l.Cancelled), left - payable, Sum(l => l.Lost), Sum(l => l.Returned - l.Swapped), Sum(l => l.Delivered), order.Paid, order.Refunded,
            Math.Max(0, due - order.Paid + order.Refunded));
        if (!_accounts.TryGetValue(order.Number, out var notes)) notes = _accounts[order.Number] = [];
        notes.Add((_now, account));
    }
}
