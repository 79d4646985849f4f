// The import of the retail format: every kind of dirt in a small file, repeats, breaks, and the real file against an independent count.
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace OrderEngine.Client.Tests;

public sealed class RetailImportTests
{
    private const string Header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

    private const string Dirty = Header +
        "1,A,,2,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n" +       // no description yet
        "1,B,\"TRAY, \"\"RED\"\" \",3,2010-12-01 08:26:00,0.005,17850.0,United Kingdom\n" + // quotes, half a penny
        "2,A, MUG ,1,2010-12-01 08:27:00,0.0,,EIRE\n" +                    // a guest, a gift, the name of A
        "C3,A,MUG,-1,2010-12-01 08:28:00,2.55,17850.0,United Kingdom\n" +  // a credit note
        "4,A,MUG,-5,2010-12-01 08:29:00,0.0,,United Kingdom\n" +           // a write-off
        "5,A,MUG,0,2010-12-01 08:30:00,1.0,,United Kingdom\n" +
        "6,B,ADJUST,1,2010-12-01 08:31:00,-11062.06,,United Kingdom\n" +   // a bad debt
        "1,A,MUG,1,2010-12-01 08:32:00,0.001,17850.0,United Kingdom\n" +   // invoice 1 goes on; the same SKU again; a price that rounds to nothing
        "7,POST,POSTAGE,1,2010-12-01 08:33:00,1.005,12583.0,France\n" +
        "8,a,mug,4,2010-12-01 08:34:00,2.675,12583.0,France\n";            // another SKU than A

    [Fact]
    public async Task Every_kind_of_dirt_is_dealt_with_as_the_rules_say()
    {
        using var scratch = new Scratch();
        await File.WriteAllTextAsync(scratch["dirty.csv"], Dirty);
        var shop = new Shop();
        await using var engine = await FakeEngine.StartAsync(shop.Services());

        var run = await Ctl.RunAsync(engine.Address, "import", scratch["dirty.csv"], "--format", "online-retail", "--open-stock", "1.5",
            "--rejects", scratch["rejects.csv"], "--refused", scratch["refused.csv"], "--json");

        Assert.Equal(0, run.Code);
        var report = Assert.Single(run.Json);
        Assert.Equal("""{"rows":10,"rowsRejected":3,"rowsReturned":1,"orders":4,"accepted":4,"rejected":{},"duplicates":0}""", Counts(report));
        Assert.Equal(["United Kingdom 1 17850", "EIRE 2 ", "France 7 12583", "France 8 12583"],
            shop.Accepted.Select(order => $"{order.ChannelId} {order.ExternalOrderId} {order.CustomerId}"));
        Assert.Equal(["A=2@255", "B=3@1", "A=1@0"], shop.Accepted[0].Lines.Select(line => $"{line.SkuId}={line.Quantity}@{line.UnitPriceMinor}"));
        Assert.Equal([0L, 101, 268], [shop.Accepted[1].Lines[0].UnitPriceMinor, shop.Accepted[2].Lines[0].UnitPriceMinor, shop.Accepted[3].Lines[0].UnitPriceMinor]);
        Assert.All(shop.Accepted, order =>
        {
            Assert.Equal("GBP", order.CurrencyCode);
            Assert.Equal(Contracts.V1.AllocationPolicy.AllOrNothing, order.AllocationPolicy);
            Assert.Equal(Contracts.V1.PaymentTerms.Credit, order.PaymentTerms);
        });
        Assert.Equal(["A MUG", "B TRAY, \"RED\"", "POST POSTAGE", "a mug"], shop.Skus.Values.Select(sku => $"{sku.SkuId} {sku.Name}").Order(StringComparer.Ordinal));
        Assert.Equal([("A", 4L), ("B", 2L), ("POST", 2L), ("a", 6L)], shop.OnHand.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => (p.Key, p.Value)));
        Assert.Equal(1, shop.Streams);

        var rejects = await File.ReadAllLinesAsync(scratch["rejects.csv"]);
        Assert.Equal("Row,Reason,InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country", rejects[0]);
        Assert.Equal(["5,quantity is not positive,4", "6,quantity is not positive,5", "7,price is negative,6"],
            rejects.Skip(1).Select(line => string.Join(',', line.Split(',').Take(3))));
        Assert.EndsWith("6,B,ADJUST,1,2010-12-01 08:31:00,-11062.06,,United Kingdom", rejects[3], StringComparison.Ordinal);
        Assert.Equal(["C3 1 1=1"], shop.Returned);
    }

    [Fact]
    public async Task Credit_notes_are_rejected_when_that_is_asked_for()
    {
        using var scratch = new Scratch();
        await File.WriteAllTextAsync(scratch["dirty.csv"], Dirty);
        var shop = new Shop();
        await using var engine = await FakeEngine.StartAsync(shop.Services());

        var run = await Ctl.RunAsync(engine.Address, "import", scratch["dirty.csv"], "--format", "online-retail", "--open-stock", "1.5", "--credit-notes", "reject",
            "--rejects", scratch["rejects.csv"], "--refused", scratch["refused.csv"], "--json");

        Assert.Equal(0, run.Code);
        var report = Assert.Single(run.Json);
        Assert.Equal((4, 0), (report["rowsRejected"]!.GetValue<int>(), report["rowsReturned"]!.GetValue<int>()));
        Assert.StartsWith("4,credit note,C3", (await File.ReadAllLinesAsync(scratch["rejects.csv"]))[1], StringComparison.Ordinal);
        Assert.Empty(shop.Returned);
    }

    [Fact]
    public async Task Importing_again_changes_nothing_also_with_another_stock_factor()
    {
        using var scratch = new Scratch();
        await File.WriteAllTextAsync(scratch["dirty.csv"], Dirty);
        var shop = new Shop();
        await using var engine = await FakeEngine.StartAsync(shop.Services());
        string[] command = ["import", scratch["dirty.csv"], "--format", "online-retail", "--rejects", scratch["rejects.csv"], "--refused", scratch["refused.csv"], "--json", "--open-stock"];

        // Half of the stock: the first order of A and B does not fit, and its refusal is replayed too.
        var first = await Ctl.RunAsync(engine.Address, [.. command, "0.5"]);
        Assert.Equal("""{"rows":10,"rowsRejected":4,"rowsReturned":0,"orders":4,"accepted":2,"rejected":{"OUT_OF_STOCK":2},"duplicates":0}""", Counts(first.Json[0]));
        Assert.Equal(scratch["refused.csv"], first.Json[0]["refused"]!.GetValue<string>());
        Assert.Equal(["InvoiceNo,Country,Reason,Message,Before", "1,United Kingdom,OUT_OF_STOCK,no,no", "8,France,OUT_OF_STOCK,no,no"], await File.ReadAllLinesAsync(scratch["refused.csv"]));
        shop.Customers["12583"].Tier = 3;
        var (sequence, stock) = (shop.Sequence, shop.OnHand.ToDictionary());

        var second = await Ctl.RunAsync(engine.Address, [.. command, "2"]);
        Assert.Equal("""{"rows":10,"rowsRejected":4,"rowsReturned":0,"orders":4,"accepted":0,"rejected":{},"duplicates":4}""", Counts(second.Json[0]));
        Assert.Equal(["1,United Kingdom,OUT_OF_STOCK,no,yes", "8,France,OUT_OF_STOCK,no,yes"], (await File.ReadAllLinesAsync(scratch["refused.csv"])).Skip(1));
        Assert.Contains("opening stock: none received", second.Error, StringComparison.Ordinal);
        var people = await Ctl.RunAsync(engine.Address, [.. command.Where(word => word != "--json"), "2"]);
        Assert.Contains($"listed in {scratch["refused.csv"]}", people.Out, StringComparison.Ordinal);
        Assert.Equal(sequence, shop.Sequence);
        Assert.Equal(stock, shop.OnHand);
        Assert.Equal(3, shop.Customers["12583"].Tier);
    }

    [Fact]
    public async Task A_stream_that_breaks_in_the_middle_doubles_nothing()
    {
        using var scratch = new Scratch();
        var csv = new StringBuilder(Header);
        for (var i = 1; i <= 500; i++)
            csv.Append(CultureInfo.InvariantCulture, $"{i},A,MUG,1,2010-12-01 08:26:00,1.0,,EIRE\n");
        await File.WriteAllTextAsync(scratch["many.csv"], csv.ToString());
        var shop = new Shop { BreakAfter = 250 };
        await using var engine = await FakeEngine.StartAsync(shop.Services());

        var run = await Ctl.RunAsync(engine.Address, "import", scratch["many.csv"], "--format", "online-retail", "--open-stock", "1",
            "--rejects", scratch["rejects.csv"], "--refused", scratch["refused.csv"], "--json");

        Assert.Equal(0, run.Code);
        Assert.Equal(Enumerable.Range(1, 500).Select(i => i.ToString(CultureInfo.InvariantCulture)), shop.Accepted.Select(order => order.ExternalOrderId));
        Assert.Equal(2, shop.Streams);
        Assert.Equal(500, run.Json[0]["orders"]!.GetValue<long>());
        Assert.Equal(500, run.Json[0]["accepted"]!.GetValue<long>() + run.Json[0]["duplicates"]!.GetValue<long>());
        Assert.Contains("sent again", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Invoice,StockCode\n1,A\n", "first line must be InvoiceNo,StockCode")]
    [InlineData(Header + "1,A,MUG,two,2010-12-01 08:26:00,1.0,,EIRE\n", "row 1 after the header has Quantity 'two'")]
    [InlineData(Header + "1,A,MUG,2,2010-12-01 08:26:00,free,,EIRE\n", "row 1 after the header has UnitPrice 'free'")]
    [InlineData(Header + "1,A,MUG,2,2010-12-01 08:26:00,1.0,,EIRE\n2,B\n", "row 2 after the header has 2 fields instead of 8")]
    [InlineData(Header + "1,A,MUG,2,2010-12-01 08:26:00,1.0,,\n", "row 1 after the header has no Country")]
    [InlineData(Header + "1,A,MUG,2,2010-12-01 08:26:00,1.0,,EIRE\n2,A,\"MUG,2,2010-12-01 08:26:00,1.0,,EIRE\n3,A,MUG,2,2010-12-01 08:26:00,1.0,,EIRE\n", "row 2 after the header begins a field with a quotation mark that is never closed")]
    [InlineData(Header + "1,A,MUG,2,2010-12-01 08:26:00,1.0,,\"EIRE\n", "row 1 after the header begins a field with a quotation mark that is never closed")]
    [InlineData(Header + "1,A,MUG,2,2010-12-01 08:26:00,1.0,,EIRE\n2,AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDDEEEEEEEEEEFFFFFFFFFFGGGGG,MUG,2,2010-12-01 08:26:00,1.0,,EIRE\n", "row 2 after the header has StockCode 'AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDDEEEEEEEEEEFFFFFFFFFFGGGGG': it must be at most 64 bytes of UTF-8 and has 65")]
    [InlineData(Header + "1,A,MUG,2,2010-12-01 08:26:00,1.0,\"1\u0001\",EIRE\n", "row 1 after the header has CustomerID '1\\u0001': an id must not contain control characters")]
    [InlineData(Header + "1,A,MUG,2,2010-12-01 08:26:00,1.0,1 .0,EIRE\n", "row 1 after the header has CustomerID '1 ': an id must not begin or end with white space")]
    [InlineData(Header + "1,A,MUG,2,2010-12-01 08:26:00,1.0,,EIR\uFFFD\n", "row 1 after the header has Country 'EIR\uFFFD': it must be valid UTF-8")]
    [InlineData(Header + "1,A,M\uFFFDG,2,2010-12-01 08:26:00,1.0,,EIRE\n", "row 1 after the header has Description 'M\uFFFDG': it must be valid UTF-8")]
    [InlineData(Header + "1,A,MUG,2,2010-12-01 08:26:00,1.0,7,EIRE\n2,A,MUG,1,2010-12-01 08:26:00,1.0,7,EIRE\n1,A,MUG,2,2010-12-01 08:26:00,1.0,8,EIRE\n", "row 3 after the header has CustomerID '8', but row 1 of the same invoice '1' has '7'")]
    [InlineData(Header + "1,A,MUG,2,2010-12-01 08:26:00,1.0,7,EIRE\n1,A,MUG,2,2010-12-01 08:26:00,1.0,7,France\n", "row 2 after the header has Country 'France', but row 1 of the same invoice '1' has 'EIRE'")]
    public async Task A_file_of_another_form_is_refused_before_anything_is_sent(string content, string message)
    {
        using var scratch = new Scratch();
        await File.WriteAllTextAsync(scratch["file.csv"], content);
        var shop = new Shop();
        await using var engine = await FakeEngine.StartAsync(shop.Services());

        var run = await Ctl.RunAsync(engine.Address, "import", scratch["file.csv"], "--format", "online-retail", "--rejects", scratch["rejects.csv"], "--refused", scratch["refused.csv"]);

        Assert.Equal(2, run.Code);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Equal(0, shop.Sequence);
    }

    [Theory]
    [InlineData("cut", 0.5)]
    [InlineData("cut", 0.99)]
    [InlineData("no trailer", 0)]
    [InlineData("half a trailer", 0)]
    [InlineData("second member cut", 0)]
    [InlineData("wrong checksum", 0)]
    [InlineData("trailing bytes", 0)]
    [InlineData("head only", 0)]
    public async Task A_torn_or_damaged_gzip_file_is_refused_before_anything_is_sent(string damage, double share)
    {
        var csv = new StringBuilder(Header);
        for (var i = 1; i <= 2_000; i++)
            csv.Append(CultureInfo.InvariantCulture, $"{i},S{i * 7919 % 1000},MUG,{1 + i % 7},2010-12-01 08:26:00,1.0,,Germany\n");
        var whole = Gzip(csv.ToString());
        var broken = damage switch
        {
            "cut" => whole[..(int)(whole.Length * share)],
            "no trailer" => whole[..^8],
            "half a trailer" => whole[..^4],
            "second member cut" => [.. whole, .. Gzip("3000,A,MUG,1,2010-12-01 08:26:00,1.0,,Germany\n")[..^9]],
            "wrong checksum" => [.. whole[..^8], (byte)(whole[^8] ^ 1), .. whole[^7..]],
            "trailing bytes" => [.. whole, 1, 2, 3],
            _ => whole[..5],
        };
        using var scratch = new Scratch();
        await File.WriteAllBytesAsync(scratch["file.csv.gz"], broken);
        var shop = new Shop();
        await using var engine = await FakeEngine.StartAsync(shop.Services());

        var run = await Ctl.RunAsync(engine.Address, "import", scratch["file.csv.gz"], "--format", "online-retail", "--rejects", scratch["rejects.csv"], "--refused", scratch["refused.csv"]);

        Assert.Equal(2, run.Code);
        Assert.Contains($"'{scratch["file.csv.gz"]}' is not a whole gzip file", run.Error, StringComparison.Ordinal);
        Assert.Contains("fetch or write it again", run.Error, StringComparison.Ordinal);
        Assert.Equal(0, shop.Sequence);
    }

    [Fact]
    public async Task A_gzip_file_of_several_members_is_read_whole()
    {
        using var scratch = new Scratch();
        byte[] empty = [0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3, (byte)'n', 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        var rows = string.Concat(Enumerable.Range(1, 30_000).Select(i => $"{i},A{i % 50},MUG,1,2010-12-01 08:26:00,1.0,,EIRE\n"));
        await File.WriteAllBytesAsync(scratch["file.csv.gz"], [.. Gzip(Header), .. Gzip(rows), .. empty, .. Gzip("90000,B,CUP,1,2010-12-01 08:26:00,1.0,,EIRE\n")]);
        var shop = new Shop();
        await using var engine = await FakeEngine.StartAsync(shop.Services());

        var run = await Ctl.RunAsync(engine.Address, "import", scratch["file.csv.gz"], "--format", "online-retail", "--rejects", scratch["rejects.csv"], "--refused", scratch["refused.csv"], "--json");

        Assert.Equal(0, run.Code);
        Assert.Equal(30_001, run.Json[0]["rows"]!.GetValue<long>());
    }

    [Theory]
    [InlineData("dirty.csv")]
    [InlineData("link.csv")]
    [InlineData("folder/dirty.csv")]
    [InlineData("sub/../dirty.csv")]
    public async Task The_file_to_import_is_never_written_over(string rejects)
    {
        using var scratch = new Scratch();
        await File.WriteAllTextAsync(scratch["dirty.csv"], Dirty);
        File.CreateSymbolicLink(scratch["link.csv"], "dirty.csv");
        Directory.CreateSymbolicLink(scratch["folder"], scratch.Root);
        var shop = new Shop();
        await using var engine = await FakeEngine.StartAsync(shop.Services());

        var run = await Ctl.RunAsync(engine.Address, "import", scratch["dirty.csv"], "--format", "online-retail", "--rejects", scratch[rejects], "--refused", scratch["refused.csv"]);

        Assert.Equal(2, run.Code);
        Assert.Contains("--rejects", run.Error, StringComparison.Ordinal);
        Assert.Equal(Dirty, await File.ReadAllTextAsync(scratch["dirty.csv"]));
        Assert.Equal(0, shop.Sequence);
    }

    [Fact]
    public async Task A_refused_import_leaves_no_rejects_file_and_one_that_cannot_be_written_is_named()
    {
        using var scratch = new Scratch();
        await File.WriteAllTextAsync(scratch["file.csv"], Header + "C1,A,MUG,-1,2010-12-01 08:26:00,1.0,,EIRE\n2,A,MUG,two,2010-12-01 08:26:00,1.0,,EIRE\n");
        await File.WriteAllTextAsync(scratch["rejects.csv"], "of the last import");
        var shop = new Shop();
        await using var engine = await FakeEngine.StartAsync(shop.Services());
        string[] command = ["import", scratch["file.csv"], "--format", "online-retail", "--refused", scratch["refused.csv"], "--rejects"];

        Assert.Equal(2, (await Ctl.RunAsync(engine.Address, [.. command, scratch["rejects.csv"]])).Code);
        Assert.Equal("of the last import", await File.ReadAllTextAsync(scratch["rejects.csv"]));
        Assert.Equal(["file.csv", "rejects.csv"], Directory.GetFiles(scratch.Root).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        var nowhere = await Ctl.RunAsync(engine.Address, [.. command, scratch["none/rejects.csv"]]);
        Assert.Equal(2, nowhere.Code);
        Assert.Contains("--rejects: '", nowhere.Error, StringComparison.Ordinal);
        Assert.Equal(0, shop.Sequence);
    }

    [Fact]
    public async Task A_description_that_is_too_long_is_refused_before_anything_is_sent_and_one_of_a_rejected_row_is_not()
    {
        using var scratch = new Scratch();
        var text = new string('x', 257);
        await File.WriteAllTextAsync(scratch["file.csv"], Header + $"C1,A,{text},-1,2010-12-01 08:26:00,1.0,,EIRE\n2,A,{text},1,2010-12-01 08:26:00,1.0,,EIRE\n");
        var shop = new Shop();
        await using var engine = await FakeEngine.StartAsync(shop.Services());

        var run = await Ctl.RunAsync(engine.Address, "import", scratch["file.csv"], "--format", "online-retail", "--rejects", scratch["rejects.csv"], "--refused", scratch["refused.csv"]);

        Assert.Equal(2, run.Code);
        Assert.Contains("row 2 after the header has Description 'xxx", run.Error, StringComparison.Ordinal);
        Assert.Contains("at most 256 bytes of UTF-8 and has 257", run.Error, StringComparison.Ordinal);
        Assert.Equal(0, shop.Sequence);
    }

    private static byte[] Gzip(string text)
    {
        using var packed = new MemoryStream();
        using (var writer = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            writer.Write(Encoding.UTF8.GetBytes(text));
        return packed.ToArray();
    }

    [Theory]
    [InlineData("1")]
    [InlineData("0.5")]
    public async Task The_real_file_comes_out_as_an_independent_count_says(string factor)
    {
        var path = Path.Combine(SharedDirectory(), "data", "online-retail.csv.gz");
        Assert.True(File.Exists(path), $"The tests need {path}; set OE_SHARED to the directory that holds data/.");
        using var scratch = new Scratch();
        var shop = new Shop();
        await using var engine = await FakeEngine.StartAsync(shop.Services());

        var run = await Ctl.RunAsync(engine.Address, "import", path, "--format", "online-retail", "--open-stock", factor, "--rejects", scratch["rejects.csv"], "--refused", scratch["refused.csv"], "--json");

        var expected = IndependentCount.Of(path, decimal.Parse(factor, CultureInfo.InvariantCulture));
        Assert.Equal(0, run.Code);
        Assert.Equal(expected.Report, Counts(run.Json[0]));
        Assert.Equal(expected.AcceptedInvoices, shop.Accepted.Select(order => order.ExternalOrderId));
        Assert.Equal(expected.TotalPence, shop.Accepted.Sum(order => order.Lines.Sum(line => line.Quantity * line.UnitPriceMinor)));
        Assert.Equal(expected.OnHand, shop.OnHand.Values.Sum());
        Assert.Equal(expected.Reserved, shop.Reserved.Values.Sum());
        Assert.Equal(expected.Returned, shop.Returned);
        Assert.Equal(expected.Rejected + 1, (await File.ReadAllLinesAsync(scratch["rejects.csv"])).Length);
    }

    private static string Counts(JsonObject report)
    {
        Assert.True(report["seconds"]!.GetValue<double>() >= 0);
        Assert.Equal(report["orders"]!.GetValue<long>(), report["accepted"]!.GetValue<long>() + report["duplicates"]!.GetValue<long>()
            + report["rejected"]!.AsObject().Sum(pair => pair.Value!.GetValue<long>()));
        return new JsonObject(new[] { "rows", "rowsRejected", "rowsReturned", "orders", "accepted", "rejected", "duplicates" }.Where(report.AsObject().ContainsKey)
            .Select(name => KeyValuePair.Create(name, (JsonNode?)report[name]!.DeepClone()))).ToJsonString();
    }

    private static string SharedDirectory()
    {
        if (Environment.GetEnvironmentVariable("OE_SHARED") is { Length: > 0 } given)
            return given;
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            var shared = Path.Combine(directory.FullName, "shared");
            if (Directory.Exists(Path.Combine(shared, "data")))
                return shared;
        }

        return "../shared";
    }
}
