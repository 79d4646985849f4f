// Owns the reading of the Online Retail format: rows as they come, which of them are rejected, and what an order is made of.
// Streams; holds a row at a time. One thread.
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
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

    private const int Invoice = 0, Sku = 1, Description = 2, Quantity = 3, UnitPrice = 5, Customer = 6, Country = 7;
    private const int PenceInPound = 100;

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

    /// <summary>Opens a file, unpacking it when it begins like gzip.</summary>
    public static Stream OpenContent(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        Span<byte> magic = stackalloc byte[2];
        var packed = file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) == magic.Length && magic[0] == 0x1f && magic[1] == 0x8b;
        file.Position = 0;
        return packed ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    private IEnumerable<(long Number, string[] Fields)> Records()
    {
        using var content = OpenContent(path);
        // A stray quotation mark in a description is dirt of the data, not an error of the file: it is kept as text.
        using var csv = CsvReader.Create(content, new CsvReaderOptions
        {
            HasHeader = false, MalformedData = CsvMalformedDataHandling.Recover, MaxRecordSize = LargestRow,
        });
        if (!csv.Read() || !FieldsOf(csv).SequenceEqual(Columns))
            throw new UsageException($"'{path}' is not in the format online-retail: its first line must be {string.Join(',', Columns)}.");
        for (var number = 1L; csv.Read(); number++)
        {
            if (csv.FieldCount != Columns.Count)
                throw Unreadable(number, $"has {csv.FieldCount} fields instead of {Columns.Count}");
            yield return (number, FieldsOf(csv));
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
        var rejection = invoice.StartsWith('C') ? "credit note" : quantity <= 0 ? "quantity is not positive" : pounds < 0 ? "price is negative" : null;
        return new RetailRow(number, invoice, sku, fields[Description].Trim(), quantity, pence, CustomerNumber(fields[Customer].Trim()), country, rejection);
    }

    // The column was a floating-point number once.
    private static string CustomerNumber(string text) => text.EndsWith(".0", StringComparison.Ordinal) ? text[..^2] : text;

    private UsageException Unreadable(long number, string what) =>
        new($"'{path}': row {number} after the header {what}. Nothing was sent: correct the row or take it out.");
}
