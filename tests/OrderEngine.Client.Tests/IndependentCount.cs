// The retail file once more, read with nothing of the product: what its import has to come to.
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace OrderEngine.Client.Tests;

/// <summary>The rules once more, read with nothing of the product: lines split by a regular expression, sums in plain dictionaries.</summary>
internal sealed partial record IndependentCount(string Report, List<string> AcceptedInvoices, long TotalPence, long OnHand, long Reserved, int Rejected, List<string> Returned)
{
    public static IndependentCount Of(string path, decimal factor)
    {
        using var unpacked = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        var invoices = new List<string>();
        var lines = new Dictionary<string, List<(string Sku, int Units, long Pence)>>();
        var sold = new Dictionary<string, long>();
        var (rows, rejected) = (0, 0);
        var moves = new List<(string Invoice, string Sku, int Units, string Customer, int Line)>();
        unpacked.ReadLine();
        while (unpacked.ReadLine() is { } text)
        {
            rows++;
            var f = Fields().Matches(text + ",").Select(m => m.Groups[1].Success ? m.Groups[1].Value : m.Groups[2].Value).ToArray();
            var units = int.Parse(f[3], CultureInfo.InvariantCulture);
            var price = decimal.Parse(f[5], NumberStyles.Float, CultureInfo.InvariantCulture);
            if (f[0][0] == 'C' || units <= 0 || price < 0)
            {
                rejected++;
                if (f[0][0] == 'C' && units < 0)
                    moves.Add((f[0], f[1], units, f[6], 0));
                continue;
            }

            if (!lines.TryGetValue(f[0], out var order))
            {
                invoices.Add(f[0]);
                lines[f[0]] = order = [];
            }

            order.Add((f[1], units, (long)decimal.Floor(price * 100 + 0.5m)));
            moves.Add((f[0], f[1], units, f[6], order.Count));
            sold[f[1]] = sold.GetValueOrDefault(f[1]) + units;
        }

        return Sell(factor, rows, rejected, invoices, lines, sold, moves);
    }

    private static IndependentCount Sell(decimal factor, int rows, int rejected, List<string> invoices,
        Dictionary<string, List<(string Sku, int Units, long Pence)>> lines, Dictionary<string, long> sold,
        List<(string Invoice, string Sku, int Units, string Customer, int Line)> moves)
    {
        var free = sold.ToDictionary(pair => pair.Key, pair => (long)decimal.Ceiling(pair.Value * factor));
        var onHand = free.Values.Sum();
        var accepted = new List<string>();
        var total = 0L;
        foreach (var invoice in invoices)
        {
            var before = lines[invoice].Select(line => line.Sku).Distinct().ToDictionary(sku => sku, sku => free[sku]);
            foreach (var (sku, units, _) in lines[invoice])
                free[sku] -= units;
            if (before.Keys.Any(sku => free[sku] < 0))
            {
                foreach (var (sku, units) in before)
                    free[sku] = units;
                continue;
            }

            accepted.Add(invoice);
            total += lines[invoice].Sum(line => line.Units * line.Pence);
        }

        var refused = invoices.Count - accepted.Count;
        var reasons = refused == 0 ? "{}" : $$"""{"OUT_OF_STOCK":{{refused}}}""";
        var back = GiveBack(accepted.ToHashSet(), moves, out var rowsBack);
        var (reserved, shipped) = (onHand - free.Values.Sum(), accepted.Where(invoice => back.Any(one => one.Invoice == invoice)).Sum(invoice => lines[invoice].Sum(line => (long)line.Units)));
        rejected -= rowsBack;
        return new IndependentCount(
            $$"""{"rows":{{rows}},"rowsRejected":{{rejected}},"rowsReturned":{{rowsBack}},"orders":{{invoices.Count}},"accepted":{{accepted.Count}},"rejected":{{reasons}},"duplicates":0}""",
            accepted, total, onHand - shipped + back.Sum(one => (long)one.Units), reserved - shipped, rejected,
            [.. back.GroupBy(one => $"{one.Note} {one.Invoice}").Select(note => $"{note.Key} {string.Join(' ', note.GroupBy(one => one.Line).OrderBy(line => line.Key).Select(line => $"{line.Key}={line.Sum(one => one.Units)}"))}").Order(StringComparer.Ordinal)]);
    }

    // Each row of a credit note goes to the customer's last order before it that still has as many units of the SKU, line by line.
    private static List<(string Note, string Invoice, int Line, int Units)> GiveBack(HashSet<string> accepted,
        List<(string Invoice, string Sku, int Units, string Customer, int Line)> moves, out int rowsBack)
    {
        rowsBack = 0;
        var back = new List<(string, string, int, int)>();
        foreach (var history in moves.Where(m => m.Customer.Length > 0).GroupBy(m => (m.Customer, m.Sku)).Where(g => g.Any(m => m.Units < 0)))
        {
            var held = new List<(string Invoice, int Line, int Left)>();
            foreach (var move in history)
            {
                if (move.Units > 0)
                {
                    if (accepted.Contains(move.Invoice))
                        held.Add((move.Invoice, move.Line, move.Units));
                    continue;
                }

                var of = held.Select(h => h.Invoice).Distinct().Reverse().FirstOrDefault(invoice => held.Where(h => h.Invoice == invoice).Sum(h => h.Left) >= -move.Units);
                if (of is null)
                    continue;
                rowsBack++;
                var wanted = -move.Units;
                for (var i = 0; i < held.Count && wanted > 0; i++)
                {
                    if (held[i].Invoice != of || held[i].Left == 0)
                        continue;
                    var units = Math.Min(held[i].Left, wanted);
                    back.Add((move.Invoice, of, held[i].Line, units));
                    held[i] = held[i] with { Left = held[i].Left - units };
                    wanted -= units;
                }
            }
        }

        return back;
    }

    [GeneratedRegex("(?:\"((?:[^\"]|\"\")*)\"|([^,]*)),")]
    private static partial Regex Fields();
}
