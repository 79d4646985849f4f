// Owns the tests' own reading of the real file and their own idea of what must come of it. Shares no code with orderctl or the engine,
// so that a mistake there cannot hide here. Immutable once read, any thread.
using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace OrderEngine.System.Tests.Harness;

internal sealed record RetailLine(string Sku, int Quantity, long Pence);

/// <summary>An invoice: all its rows that are orders. Customer is empty for a guest.</summary>
internal sealed record RetailOrder(string Invoice, string Country, string Customer, IReadOnlyList<RetailLine> Lines)
{
    public long Pence => Lines.Sum(line => line.Pence * line.Quantity);

    public long Units => Lines.Sum(line => (long)line.Quantity);
}

/// <summary>A row of a sale or, with units below 0, of a credit note.</summary>
internal sealed record RetailMove(string Invoice, string Customer, string Sku, int Units);

/// <summary>The file: its orders in their order, how many rows are none, and all sales and credits row by row.</summary>
internal sealed record Retail(int Rows, int RowsRejected, IReadOnlyList<RetailOrder> Orders, IReadOnlyList<RetailMove> Moves)
{
    private static readonly Lazy<Retail> Whole = new(() => Read(Setting.RetailFile));

    public static Retail File => Whole.Value;

    /// <summary>Opening stock: the share of what the file sells of each SKU, rounded up.</summary>
    public Dictionary<string, long> OpeningStock(decimal share)
    {
        var sold = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var line in Orders.SelectMany(order => order.Lines))
            sold[line.Sku] = sold.GetValueOrDefault(line.Sku) + line.Quantity;
        return sold.ToDictionary(pair => pair.Key, pair => (long)Math.Ceiling(pair.Value * share), StringComparer.Ordinal);
    }

    /// <summary>Which orders get their stock, all of it or none, one after the other.</summary>
    public RetailResult Decide(decimal share)
    {
        var opening = OpeningStock(share);
        var free = new Dictionary<string, long>(opening, StringComparer.Ordinal);
        var accepted = new List<RetailOrder>();
        foreach (var order in Orders)
        {
            var wanted = order.Lines.GroupBy(line => line.Sku, StringComparer.Ordinal)
                .ToDictionary(group => group.Key, group => group.Sum(line => (long)line.Quantity), StringComparer.Ordinal);
            if (wanted.Any(pair => free[pair.Key] < pair.Value))
                continue;
            accepted.Add(order);
            foreach (var (sku, quantity) in wanted)
                free[sku] -= quantity;
        }

        return new RetailResult(opening, free, accepted, Orders.Count - accepted.Count);
    }

    /// <summary>The same after the credit notes: each row gives back units of its customer's latest order so far that was accepted and has as many of the SKU left.</summary>
    public RetailResult DecideWithReturns(decimal share)
    {
        var sales = Decide(share);
        var accepted = sales.Accepted.Select(order => order.Invoice).ToHashSet(StringComparer.Ordinal);
        var bought = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var left = new Dictionary<string, int>(StringComparer.Ordinal);
        var back = new List<RetailMove>();
        foreach (var move in Moves.Where(move => move.Customer.Length > 0))
        {
            var wish = $"{move.Customer} {move.Sku}";
            if (!bought.TryGetValue(wish, out var invoices))
                bought.Add(wish, invoices = []);
            if (move.Units > 0 && accepted.Contains(move.Invoice))
            {
                if (!invoices.Contains(move.Invoice))
                    invoices.Add(move.Invoice);
                left[$"{wish} {move.Invoice}"] = left.GetValueOrDefault($"{wish} {move.Invoice}") + move.Units;
            }
            else if (move.Units < 0 && invoices.LastOrDefault(invoice => left[$"{wish} {invoice}"] + move.Units >= 0) is { } of)
            {
                left[$"{wish} {of}"] += move.Units;
                back.Add(new RetailMove(of, move.Customer, move.Sku, -move.Units));
            }
        }

        var free = new Dictionary<string, long>(sales.Free, StringComparer.Ordinal);
        foreach (var move in back)
            free[move.Sku] += move.Units;
        return sales with { Free = free, Returned = back };
    }

    private static Retail Read(string path)
    {
        using var text = new StreamReader(new GZipStream(global::System.IO.File.OpenRead(path), CompressionMode.Decompress), Encoding.UTF8);
        var columns = Fields(text)!;
        int Column(string name) => columns.IndexOf(name);
        var (invoice, sku, quantity, price) = (Column("InvoiceNo"), Column("StockCode"), Column("Quantity"), Column("UnitPrice"));
        var (customer, country) = (Column("CustomerID"), Column("Country"));

        var orders = new Dictionary<string, RetailOrder>(StringComparer.Ordinal);
        var inOrder = new List<RetailOrder>();
        var moves = new List<RetailMove>();
        var (rows, rejected) = (0, 0);
        while (Fields(text) is { } row)
        {
            rows++;
            var units = int.Parse(row[quantity], CultureInfo.InvariantCulture);
            var pounds = decimal.Parse(row[price], CultureInfo.InvariantCulture);
            if (row[invoice].StartsWith('C') ? units < 0 : units > 0 && pounds >= 0)
                moves.Add(new RetailMove(row[invoice], WithoutFraction(row[customer]), row[sku], units));
            if (row[invoice].StartsWith('C') || units <= 0 || pounds < 0)
            {
                rejected++;
                continue;
            }

            if (!orders.TryGetValue(row[invoice], out var order))
            {
                order = new RetailOrder(row[invoice], row[country], WithoutFraction(row[customer]), new List<RetailLine>());
                orders.Add(order.Invoice, order);
                inOrder.Add(order);
            }

            ((List<RetailLine>)order.Lines).Add(new RetailLine(row[sku], units, (long)decimal.Floor(pounds * 100 + 0.5m)));
        }

        return new Retail(rows, rejected, inOrder, moves);
    }

    // The file's numbers of customers went through a floating point column once: 17850.0.
    private static string WithoutFraction(string number) => number.EndsWith(".0", StringComparison.Ordinal) ? number[..^2] : number;

    // One record of RFC 4180; null at the end.
    private static List<string>? Fields(StreamReader text)
    {
        if (text.Peek() < 0)
            return null;
        var fields = new List<string>();
        var field = new StringBuilder();
        var quoted = false;
        while (text.Read() is var code and >= 0)
        {
            var c = (char)code;
            if (quoted && c == '"' && text.Peek() == '"')
                field.Append((char)text.Read());
            else if (c == '"')
                quoted = !quoted;
            else if (!quoted && c == ',')
                Next();
            else if (!quoted && c == '\n')
                break;
            else if (quoted || c != '\r')
                field.Append(c);
        }

        Next();
        return fields;

        void Next()
        {
            fields.Add(field.ToString());
            field.Clear();
        }
    }
}

/// <summary>What must be true after the whole file has been decided.</summary>
internal sealed record RetailResult(
    IReadOnlyDictionary<string, long> Opening, IReadOnlyDictionary<string, long> Free, IReadOnlyList<RetailOrder> Accepted, int Refused)
{
    /// <summary>What came back, a row of a credit note each; its invoice is the order's.</summary>
    public IReadOnlyList<RetailMove> Returned { get; init; } = [];

    /// <summary>Orders of which something came back: they were delivered before.</summary>
    public IEnumerable<RetailOrder> Delivered => Accepted.Where(order => Returned.Any(back => back.Invoice == order.Invoice));

    public long Reserved => Accepted.Sum(order => order.Units) - Delivered.Sum(order => order.Units);
}
