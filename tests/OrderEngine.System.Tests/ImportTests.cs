// The real file through the real orderctl into the real server, against the tests' own calculation.
using System.Globalization;
using OrderEngine.System.Tests.Harness;

namespace OrderEngine.System.Tests;

public sealed class ImportTests(ITestOutputHelper log)
{
    [RetailTheory]
    [InlineData("1", 0)]
    [InlineData("0.5", 4_476)] // as another program counted it (Python, csv and decimal)
    [InlineData("1", 0, "--credit-notes", "reject")]
    [InlineData("0.5", 4_476, "--credit-notes", "reject")]
    public async Task The_real_file_is_decided_as_calculated_and_once(string share, int refused, params string[] creditNotes)
    {
        var part = decimal.Parse(share, CultureInfo.InvariantCulture);
        var expected = creditNotes.Length == 0 ? Retail.File.DecideWithReturns(part) : Retail.File.Decide(part);
        Assert.Equal((245_903, 5_252, 10_031, refused), (Retail.File.Rows, Retail.File.RowsRejected, Retail.File.Orders.Count, expected.Refused));
        var returned = expected.Returned.Count;
        Assert.Equal(creditNotes.Length == 0, returned > 1_000);
        await using var server = await Server.StartNewAsync(log);
        using var client = server.Connect();
        var rejects = Path.Combine(server.Folder, "rejects.csv");

        var first = Expect.Json(await ImportAsync(server, share, rejects, creditNotes));
        Assert.Equal((245_903, 5_252 - returned, returned, 10_031, expected.Accepted.Count, 0), Counts(first));
        Assert.Equal(refused, refused == 0 ? 0 : first.GetProperty("rejected").GetProperty("OUT_OF_STOCK").GetInt32());
        Assert.Equal(refused == 0 ? 0 : 1, first.GetProperty("rejected").EnumerateObject().Count());
        Assert.Equal(5_252 - returned + 1, (await File.ReadAllLinesAsync(rejects)).Length); // the header
        await Expect.MatchesAsync(client, expected);

        // Once more: every order, accepted or refused, is a duplicate, and nothing is written.
        var before = Expect.Json(await server.OrderctlAsync("status", "--json"));
        var second = Expect.Json(await ImportAsync(server, share, rejects, creditNotes));
        Assert.Equal((245_903, 5_252 - returned, returned, 10_031, 0, 10_031), Counts(second));
        Assert.Empty(second.GetProperty("rejected").EnumerateObject());
        AssertSameState(before, Expect.Json(await server.OrderctlAsync("status", "--json")));

        // Killed and started: the same state, to the hash.
        await server.KillAsync();
        Assert.True(Expect.Json(await VerifyJournalAsync(server)).GetProperty("intact").GetBoolean());
        log.WriteLine($"Started again and recovered in {await server.StartAsync()}");
        AssertSameState(before, Expect.Json(await server.OrderctlAsync("status", "--json")));
        Assert.Equal((245_903, 5_252 - returned, returned, 10_031, 0, 10_031), Counts(Expect.Json(await ImportAsync(server, share, rejects, creditNotes))));
        await Expect.MatchesAsync(client, expected);
    }

    [RetailFact]
    public async Task An_export_loads_into_an_empty_engine_and_gives_the_same_orders_and_stock()
    {
        await using var source = await Server.StartNewAsync(log);
        await using var target = await Server.StartNewAsync(log);
        string InFolder(string name) => Path.Combine(source.Folder, name);
        Expect.Json(await ImportAsync(source, "0.5", InFolder("rejects.csv")));

        Expect.Json(await source.OrderctlAsync("export", InFolder("events"), "--format", "events", "--json"));
        var loaded = Expect.Json(await target.OrderctlAsync("import", InFolder("events"), "--format", "events", "--json"));
        var status = Expect.Json(await source.OrderctlAsync("status", "--json"));
        Assert.Equal(status.GetProperty("sequence").GetInt64(), loaded.GetProperty("sequence").GetInt64());
        AssertSameState(status, Expect.Json(await target.OrderctlAsync("status", "--json")));

        Expect.Json(await source.OrderctlAsync("export", InFolder("orders-source"), "--format", "orders", "--json"));
        Expect.Json(await target.OrderctlAsync("export", InFolder("orders-target"), "--format", "orders", "--json"));
        var orders = await File.ReadAllTextAsync(InFolder("orders-source"));
        // A header and a trailer around them; the sequence in the header is the same too.
        Assert.Equal(1 + 5_555 + 1, orders.Count(c => c == '\n'));
        Assert.Equal(orders, await File.ReadAllTextAsync(InFolder("orders-target")));
        using var from = source.Connect();
        using var to = target.Connect();
        Assert.Equal(await Expect.StockAsync(from), await Expect.StockAsync(to));

        // The copy is an engine like any other: it survives a kill, answers a retry as the first engine did, and takes no second load.
        await target.KillAsync();
        Assert.True(Expect.Json(await VerifyJournalAsync(target)).GetProperty("intact").GetBoolean());
        await target.StartAsync();
        AssertSameState(status, Expect.Json(await target.OrderctlAsync("status", "--json")));
        var retried = Expect.Json(await ImportAsync(target, "0.5", InFolder("rejects.csv")));
        Assert.Equal((0, 10_031), (retried.GetProperty("accepted").GetInt32(), retried.GetProperty("duplicates").GetInt32()));
        AssertSameState(status, Expect.Json(await target.OrderctlAsync("status", "--json")));
        await Expect.MatchesAsync(to, Retail.File.DecideWithReturns(0.5m));
        var again = await target.OrderctlAsync("import", InFolder("events"), "--format", "events", "--json");
        Assert.NotEqual(0, again.ExitCode);
        Assert.Contains("ENGINE_NOT_EMPTY", again.Output + again.Errors, StringComparison.Ordinal);
    }

    internal static Task<Ended> ImportAsync(Server server, string share, string rejects, params string[] others) => server.OrderctlAsync(
        ["import", Setting.RetailFile, "--format", "online-retail", "--open-stock", share, "--rejects", rejects, "--json", .. others]);

    internal static Task<Ended> VerifyJournalAsync(Server server) => Orderctl.RunAsync("journal", "verify", server.DataDirectory, "--json");

    private static (int Rows, int RowsRejected, int RowsReturned, int Orders, int Accepted, int Duplicates) Counts(global::System.Text.Json.JsonElement report)
    {
        int Number(string name) => report.GetProperty(name).GetInt32();
        return (Number("rows"), Number("rowsRejected"), Number("rowsReturned"), Number("orders"), Number("accepted"), Number("duplicates"));
    }

    private static void AssertSameState(global::System.Text.Json.JsonElement before, global::System.Text.Json.JsonElement after)
    {
        foreach (var name in (string[])["sequence", "orders", "stateHash", "stock", "customers", "skus", "channels", "locations"])
            Assert.Equal(before.GetProperty(name).GetRawText(), after.GetProperty(name).GetRawText());
    }
}
