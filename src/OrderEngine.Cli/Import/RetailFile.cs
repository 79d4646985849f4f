// Owns the reading of the Online Retail format: rows as they come, which of them are rejected, and what an order is made of.
// Streams; holds a row at a time. One thread.
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using CsvHelper;

namespace OrderEngine.Cli.Import;

/// <summary>One row. Number counts from 1 after the header.</summary>
internal readonly record struct RetailRow(
    long Number, string Invoice, string Sku, string Description, int Quantity, long PriceMinor, string Customer, string Country, string? Rejection);

/// <summary>A file of the UCI Online Retail data set, plain or gzip.</summary>
internal sealed class RetailFile(string path)
{
    /// <summary>The columns, in this order.</summary>
    public static readonly IReadOnlyList<string> Columns = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"];

    /// <summary>Why the rows of a credit note are no orders.</summary>
    public const string CreditNote = "credit note";

    private const int Invoice = 0, Sku = 1, Description = 2, Quantity = 3, UnitPrice = 5, Customer = 6, Country = 7;
    private const int PenceInPound = 100;

    // Bytes of UTF-8; the bounds of the contract (OrderEngine.Core.Limits), met here so that a row that breaks one stops the import early.
    private const int LargestId = 64;
    private const int LargestDescription = 256;
    private const char Replacement = '\uFFFD';

    // Bytes; an unclosed quotation mark must not draw the whole file into one row.
    private const int LargestRow = 1 << 20;

    /// <summary>SHA-256 of the file's content, unpacked: the same rows have the same identity however they are stored.</summary>
    public string Identity()
    {
        using var content = OpenContent(path);
        return Convert.ToHexStringLower(SHA256.HashData(content));
    }

    /// <summary>All rows, rejected ones with their reason.</summary>
    /// <exception cref="UsageException">The file is not of this format; the message names the row.</exception>
    public IEnumerable<RetailRow> Rows()
    {
        foreach (var (number, fields) in Records())
            yield return ToRow(number, fields);
    }

    /// <summary>The same with the fields as they stand in the file.</summary>
    public IEnumerable<(RetailRow Row, string[] Fields)> RowsWithFields()
    {
        foreach (var (number, fields) in Records())
            yield return (ToRow(number, fields), fields);
    }

    /// <summary>Opens a file, unpacking it when it begins like gzip. <see cref="GzipFile.Check"/> has been there before.</summary>
    public static Stream OpenContent(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        return GzipFile.BeginsLike(file) ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    private IEnumerable<(long Number, string[] Fields)> Records()
    {
        using var content = OpenContent(path);
        var unclosed = false;
        // A stray quotation mark in a description is dirt of the data, not an error of the file: it is kept as text.
        using var csv = CsvReader.Create(content, new CsvReaderOptions
        {
            HasHeader = false, MalformedData = CsvMalformedDataHandling.Recover, MaxRecordSize = LargestRow,
            OnMalformedRecord = record => unclosed |= record.Reason == CsvMalformedReason.UnterminatedQuote,
        });
        if (!Read(csv, 0) || !FieldsOf(csv).SequenceEqual(Columns))
            throw new UsageException($"'{path}' is not in the format online-retail: its first line must be {string.Join(',', Columns)}.");
        for (var number = 1L; Read(csv, number); number++)
        {
            if (unclosed)
                throw Unreadable(number, "begins a field with a quotation mark that is never closed");
            if (csv.FieldCount != Columns.Count)
                throw Unreadable(number, $"has {csv.FieldCount} fields instead of {Columns.Count}");
            yield return (number, FieldsOf(csv));
        }
    }

    private bool Read(CsvReader csv, long number)
    {
        try
        {
            return csv.Read();
        }
        catch (CsvFormatException tooLarge)
        {
            throw Unreadable(number, $"is larger than {LargestRow:N0} bytes: a quotation mark is not closed, or this is no CSV ({tooLarge.Message})");
        }
    }

    private static string[] FieldsOf(CsvReader csv)
    {
        var fields = new string[csv.FieldCount];
        for (var i = 0; i < fields.Length; i++)
            fields[i] = csv.GetString(i);
        return fields;
    }

    private RetailRow ToRow(long number, string[] fields)
    {
        var invoice = fields[Invoice].Trim();
        var sku = fields[Sku].Trim();
        var country = fields[Country].Trim();
        if (!int.TryParse(fields[Quantity], NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var quantity))
            throw Unreadable(number, $"has Quantity '{fields[Quantity]}', which is not a whole number");
        if (!decimal.TryParse(fields[UnitPrice], NumberStyles.Float, CultureInfo.InvariantCulture, out var pounds) || Math.Abs(pounds) > long.MaxValue / PenceInPound)
            throw Unreadable(number, $"has UnitPrice '{fields[UnitPrice]}', which is not a price");
        if (invoice.Length == 0 || sku.Length == 0 || country.Length == 0)
            throw Unreadable(number, $"has no {(invoice.Length == 0 ? Columns[Invoice] : sku.Length == 0 ? Columns[Sku] : Columns[Country])}");

        // Half up to the penny: 0.005 is a penny, 0.001 a gift.
        var pence = (long)Math.Round(pounds * PenceInPound, 0, MidpointRounding.AwayFromZero);
        var rejection = invoice.StartsWith('C') ? CreditNote : quantity <= 0 ? "quantity is not positive" : pounds < 0 ? "price is negative" : null;
        var row = new RetailRow(number, invoice, sku, fields[Description].Trim(), quantity, pence, CustomerNumber(fields[Customer].Trim()), country, rejection);
        if (rejection is null)
            CheckContract(row);
        return row;
    }

    // What the engine would refuse is found before anything is sent. A rejected row is never sent and may be what it is.
    private void CheckContract(in RetailRow row)
    {
        CheckId(row.Number, Invoice, row.Invoice);
        CheckId(row.Number, Sku, row.Sku);
        CheckId(row.Number, Customer, row.Customer);
        CheckId(row.Number, Country, row.Country);
        CheckText(row.Number, Description, row.Description, LargestDescription);
    }

    private void CheckId(long number, int column, string value)
    {
        CheckText(number, column, value, LargestId);
        if (value.Length > 0 && (char.IsWhiteSpace(value[0]) || char.IsWhiteSpace(value[^1])))
            throw Unfit(number, column, value, "an id must not begin or end with white space");
        if (value.Any(char.IsControl))
            throw Unfit(number, column, value, "an id must not contain control characters");
    }

    private void CheckText(long number, int column, string value, int largest)
    {
        if (Encoding.UTF8.GetByteCount(value) is var bytes && bytes > largest)
            throw Unfit(number, column, value, $"it must be at most {largest} bytes of UTF-8 and has {bytes}");
        if (value.Contains(Replacement, StringComparison.Ordinal))
            throw Unfit(number, column, value, "it must be valid UTF-8 (and without U+FFFD); is the file in another encoding?");
    }

    private UsageException Unfit(long number, int column, string value, string rule)
    {
        const int shown = 100;
        var clean = string.Concat((value.Length > shown ? value[..shown] + "..." : value).Select(c => char.IsControl(c) ? $"\\u{(int)c:x4}" : c.ToString()));
        return Unreadable(number, $"has {Columns[column]} '{clean}': {rule}");
    }

    // The column was a floating-point number once.
    private static string CustomerNumber(string text) => text.EndsWith(".0", StringComparison.Ordinal) ? text[..^2] : text;

    /// <summary>The error of a row that cannot be imported.</summary>
    public UsageException Unreadable(long number, string what) =>
        new($"'{path}': row {number} after the header {what}. Nothing was sent: correct the row or take it out.");
}
