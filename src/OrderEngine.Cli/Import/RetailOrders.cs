// Owns the second pass over a retail file: rows become orders, in the order of each invoice's first accepted row.
// Holds only invoices that are not whole yet and those behind them.
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Import;

internal static class RetailOrders
{
    /// <summary>The orders of a file that was surveyed.</summary>
    /// <exception cref="UsageException">The file has changed since.</exception>
    public static IEnumerable<OrderDraft> Read(RetailFile file, RetailSurvey survey)
    {
        var open = new Dictionary<string, OrderDraft>(StringComparer.Ordinal);
        var inOrder = new Queue<OrderDraft>();
        var accepted = 0L;
        foreach (var row in file.Rows())
        {
            if (row.Rejection is not null)
                continue;
            accepted++;
            if (!open.TryGetValue(row.Invoice, out var order))
            {
                open.Add(row.Invoice, order = Begin(row));
                inOrder.Enqueue(order);
            }

            order.Lines.Add(new OrderLineDraft { SkuId = row.Sku, Quantity = row.Quantity, UnitPriceMinor = row.PriceMinor });
            while (inOrder.TryPeek(out var first) && first.Lines.Count == survey.RowsOfInvoice.GetValueOrDefault(first.ExternalOrderId))
            {
                open.Remove(first.ExternalOrderId);
                yield return inOrder.Dequeue();
            }
        }

        if (inOrder.Count > 0 || accepted != survey.Rows - survey.RowsRejected)
            throw new UsageException("The file has changed while it was being read. Import it again: nothing is doubled.");
    }

    private static OrderDraft Begin(in RetailRow row) => new()
    {
        ChannelId = row.Country,
        ExternalOrderId = row.Invoice,
        CustomerId = row.Customer,
        Type = OrderType.Sale,
        AllocationPolicy = AllocationPolicy.AllOrNothing,
        PaymentTerms = PaymentTerms.Credit,
        CurrencyCode = "GBP",
    };
}
