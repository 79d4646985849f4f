// Owns the first pass over a retail file: what it holds, before anything is sent. Holds an entry a SKU, customer, country and invoice.
using CsvHelper;

namespace OrderEngine.Cli.Import;

/// <summary>What a file sells, to whom, and in how many orders.</summary>
internal sealed class RetailSurvey
{
    private RetailSurvey()
    {
    }

    public long Rows { get; private set; }

    /// <summary>Rows that are no orders, credit notes among them.</summary>
    public long RowsRejected { get; private set; }

    /// <summary>SKUs in the order of their first accepted row.</summary>
    public List<RetailSku> Skus { get; } = [];

    public SortedSet<string> Customers { get; } = new(StringComparer.Ordinal);

    public SortedSet<string> Countries { get; } = new(StringComparer.Ordinal);

    /// <summary>Accepted rows of each invoice: the second pass knows by it when an order is whole.</summary>
    public Dictionary<string, int> RowsOfInvoice { get; } = new(StringComparer.Ordinal);

    // The first accepted row of each invoice says whose the order is; the others must say the same.
    private readonly Dictionary<string, (long Row, string Customer, string Country)> _owners = new(StringComparer.Ordinal);

    /// <summary>Customers and SKUs that credit notes name.</summary>
    public HashSet<(string Customer, string Sku)> Credited { get; } = [];

    /// <summary>Reads the whole file.</summary>
    public static RetailSurvey Run(RetailFile file)
    {
        var survey = new RetailSurvey();
        var skus = new Dictionary<string, RetailSku>(StringComparer.Ordinal);
        foreach (var row in file.Rows())
        {
            survey.Rows++;
            if (row.Rejection is null)
            {
                survey.Take(file, row, skus);
                continue;
            }

            survey.RowsRejected++;
            if (row.Rejection == RetailFile.CreditNote && row.Customer.Length > 0)
                survey.Credited.Add((row.Customer, row.Sku));
        }

        return survey;
    }

    /// <summary>Writes what is rejected, with row number and reason.</summary>
    public static void WriteRejects(RetailFile file, CreditNotes notes, TextWriter rejects)
    {
        using var csv = CsvWriter.Create(rejects, CsvWriterOptions.Default, leaveOpen: true);
        foreach (var column in RetailFile.Columns.Prepend("Reason").Prepend("Row"))
            csv.WriteField(column);
        csv.EndRecord();
        foreach (var (row, fields) in file.RowsWithFields())
        {
            if (notes.Rejection(in row) is not { } reason)
                continue;
            csv.WriteField(row.Number);
            csv.WriteField(reason);
            foreach (var field in fields)
                csv.WriteField(field);
            csv.EndRecord();
        }

        csv.Flush();
    }

    private void Take(RetailFile file, in RetailRow row, Dictionary<string, RetailSku> skus)
    {
        if (!_owners.TryGetValue(row.Invoice, out var owner))
            _owners.Add(row.Invoice, (row.Number, row.Customer, row.Country));
        else if (owner.Customer != row.Customer)
            throw file.Unreadable(row.Number, $"has CustomerID '{row.Customer}', but row {owner.Row} of the same invoice '{row.Invoice}' has '{owner.Customer}': an order has one customer");
        else if (owner.Country != row.Country)
            throw file.Unreadable(row.Number, $"has Country '{row.Country}', but row {owner.Row} of the same invoice '{row.Invoice}' has '{owner.Country}': an order has one channel");
        if (!skus.TryGetValue(row.Sku, out var sku))
        {
            skus.Add(row.Sku, sku = new RetailSku(row.Sku));
            Skus.Add(sku);
        }

        sku.Sold += row.Quantity;
        if (sku.Name.Length == 0)
            sku.Name = row.Description;
        Countries.Add(row.Country);
        if (row.Customer.Length > 0)
            Customers.Add(row.Customer);
        RowsOfInvoice[row.Invoice] = RowsOfInvoice.GetValueOrDefault(row.Invoice) + 1;
    }
}

/// <summary>What a file says of a SKU.</summary>
internal sealed class RetailSku(string id)
{
    public string Id { get; } = id;

    /// <summary>The first description that is not empty.</summary>
    public string Name { get; set; } = "";

    /// <summary>Units in accepted rows.</summary>
    public long Sold { get; set; }
}
