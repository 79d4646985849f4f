// kill -9 at random points of an import, over and over: what was acknowledged stays, nothing is doubled, and in the end everything is as
// if nothing had happened. OE_KILL_ROUNDS asks for more rounds, OE_SEED repeats a run.
using OrderEngine.Client;
using OrderEngine.Contracts.V1;
using OrderEngine.System.Tests.Harness;

namespace OrderEngine.System.Tests;

public sealed class KillTests(ITestOutputHelper log)
{
    private const decimal Share = 0.5m; // refusals must survive too
    private const string Location = "MAIN";
    private const int SampleSize = 40;
    private const int KillsPerOrderctl = 10; // of the rounds, so many go to orderctl: one in ten

    // One start in so many is killed again before it serves: in the middle of recovery.
    private const int StartsPerBrokenStart = 5;

    [RetailFact]
    public async Task What_was_acknowledged_survives_kills_at_random_points_of_an_import()
    {
        var random = new Random(Setting.Seed);
        var rounds = Setting.KillRounds;
        log.WriteLine($"{rounds} rounds, OE_SEED={Setting.Seed}");
        await using var server = await Server.StartNewAsync(log);
        using var client = server.Connect();
        await PrepareAsync(client);
        var ledger = new Ledger();
        var import = ImportOverAndOverAsync(client, ledger, out var enough);

        // So many answers a round on average that the kills spread over the first import; what is left of them hits its repetitions.
        var most = Math.Max(2, 2 * Retail.File.Orders.Count / rounds);
        for (var round = 0; round < rounds; round++)
        {
            await Task.WhenAny(ledger.WhenArrivedAsync(ledger.Arrived + random.Next(1, most)), import);
            if (import.IsFaulted)
                await import;
            await server.KillAsync();
            var acknowledged = ledger.Answers.ToDictionary();
            await RestartAsync(server, random);
            await AssertNothingLostAsync(client, acknowledged, random);
        }

        enough.SetResult();
        await import;
        log.WriteLine($"{ledger.Arrived} answers to {ledger.Answers.Count} requests");
        var expected = Retail.File.Decide(Share);
        Assert.Equal((Retail.File.Orders.Count, expected.Accepted.Count), (ledger.Answers.Count, ledger.Accepted));
        await Expect.MatchesAsync(client, expected);
        Assert.Equal(ledger.Answers.Values.Where(answer => answer.Reason.Length == 0).Select(answer => answer.OrderId).Order(StringComparer.Ordinal),
            (await Expect.OrdersAsync(client)).Select(order => order.OrderId).Order(StringComparer.Ordinal));
        await server.StopAsync();
        Assert.True(Expect.Json(await ImportTests.VerifyJournalAsync(server)).GetProperty("intact").GetBoolean());
    }

    [RetailFact]
    public async Task Orderctl_imports_the_whole_file_whatever_is_killed()
    {
        var random = new Random(Setting.Seed);
        var rounds = Math.Max(2, Setting.KillRounds / KillsPerOrderctl);
        log.WriteLine($"{rounds} rounds, OE_SEED={Setting.Seed}");
        await using var server = await Server.StartNewAsync(log);
        using var client = server.Connect();
        var rejects = Path.Combine(server.Folder, "rejects.csv");
        string[] command = ["import", Setting.RetailFile, "--format", "online-retail", "--open-stock", "0.5", "--rejects", rejects,
            "--address", server.Address, "--json"];
        var orderctl = Orderctl.Start(command);
        try
        {
            for (var round = 0; round < rounds; round++)
            {
                // The first rounds hit the catalog and the stock, the later ones the orders.
                var status = await server.StatusAsync();
                await ReachAsync(client, orderctl, status.Sequence + random.Next(1, 2 * ExpectedEvents / rounds));
                await server.KillAsync();
                var alsoOrderctl = orderctl.HasExited || random.Next(2) == 0;
                if (alsoOrderctl && !orderctl.HasExited)
                    await orderctl.KillAsync();
                await RestartAsync(server, random);
                if (!alsoOrderctl)
                    continue;
                await orderctl.DisposeAsync();
                orderctl = Orderctl.Start(command);
            }

            (await orderctl.WaitAsync(Setting.Patience * 4)).Succeeded();
        }
        finally
        {
            await orderctl.DisposeAsync();
        }

        var expected = Retail.File.DecideWithReturns(Share);
        await Expect.MatchesAsync(client, expected);
        var again = Expect.Json(await ImportTests.ImportAsync(server, "0.5", rejects));
        Assert.Equal((0, 10_031), (again.GetProperty("accepted").GetInt32(), again.GetProperty("duplicates").GetInt32()));
    }

    // An event an order, SKU, customer; orders make a little more than half of them.
    private static int ExpectedEvents => Retail.File.Orders.Count + Retail.File.OpeningStock(1).Count + 2_000;

    // Waits until the engine has got so far, or the import is over. The watch tells of orders; the catalog before them is polled.
    private static async Task ReachAsync(OrderEngineClient client, ChildProcess orderctl, long sequence)
    {
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!orderctl.HasExited && (await client.Admin.GetEngineStatusAsync(new GetEngineStatusRequest())).Sequence < sequence)
            await poll.WaitForNextTickAsync();
    }

    private async Task RestartAsync(Server server, Random random)
    {
        if (random.Next(StartsPerBrokenStart) == 0)
        {
            server.Launch();
            using var moment = new PeriodicTimer(TimeSpan.FromMilliseconds(random.Next(1, 600)));
            await moment.WaitForNextTickAsync(); // a point in time is what this draws; nothing is waited for
            await server.KillAsync();
        }

        var verified = await ImportTests.VerifyJournalAsync(server);
        log.WriteLine(verified.Succeeded().Output.TrimEnd());
        await server.StartAsync();
    }

    // Every counter holds; a sample of what had been answered is there under its order id, and is answered the same again.
    private static async Task AssertNothingLostAsync(
        OrderEngineClient client, Dictionary<string, Acknowledged> acknowledged, Random random)
    {
        await Expect.HoldsAsync(client);
        var status = await client.Admin.GetEngineStatusAsync(new GetEngineStatusRequest());
        Assert.True(status.Orders >= acknowledged.Values.Count(answer => answer.Reason.Length == 0));
        Assert.True(status.Sequence >= acknowledged.Values.Select(answer => answer.Sequence).DefaultIfEmpty().Max());
        var sample = acknowledged.OrderByDescending(pair => pair.Value.Sequence).Take(SampleSize)
            .Concat(random.GetItems(acknowledged.ToArray(), acknowledged.Count == 0 ? 0 : SampleSize)).DistinctBy(pair => pair.Key);
        await Task.WhenAll(sample.Select(async pair =>
        {
            var order = RetailDraft(Retail.File.Orders.First(o => RequestId(o) == pair.Key));
            var repeated = await client.SubmitAsync(order, pair.Key);
            Assert.True(repeated.IsAccepted == (pair.Value.Reason.Length == 0), $"{pair.Key}: {repeated.Refused}");
            if (!repeated.IsAccepted)
                return;
            Assert.Equal((pair.Value.OrderId, pair.Value.Sequence, true),
                (repeated.Accepted.OrderId, repeated.Accepted.Sequence, repeated.Accepted.Replayed));
            var found = await client.Orders.LookupOrderAsync(
                new LookupOrderRequest { ChannelId = order.ChannelId, ExternalOrderId = order.ExternalOrderId });
            Assert.Equal(pair.Value.OrderId, found.OrderId);
        }));
    }

    // The whole file through one pipeline, again and again until there were enough rounds; the last one is complete.
    private static Task ImportOverAndOverAsync(OrderEngineClient client, Ledger ledger, out TaskCompletionSource enough)
    {
        var stop = enough = new TaskCompletionSource();
        return Task.Run(async () =>
        {
            do
            {
                var answers = new List<Task>(Retail.File.Orders.Count);
                await using var pipeline = client.OpenOrderPipeline(new PipelineOptions { Window = 256, ItemsPerMessage = 20 });
                foreach (var order in Retail.File.Orders)
                    answers.Add(EnterAsync(ledger, await pipeline.SubmitAsync(RetailDraft(order), RequestId(order))));
                await Task.WhenAll(answers);
            }
            while (!stop.Task.IsCompleted);
        });
    }

    private static async Task EnterAsync(Ledger ledger, Task<Outcome<SubmitOrderResponse>> answer) => ledger.Enter(await answer);

    private static string RequestId(RetailOrder order) => "kill-" + order.Invoice;

    private static OrderDraft RetailDraft(RetailOrder order) => new()
    {
        ChannelId = order.Country,
        ExternalOrderId = order.Invoice,
        CustomerId = order.Customer,
        AllocationPolicy = AllocationPolicy.AllOrNothing,
        PaymentTerms = PaymentTerms.Credit,
        CurrencyCode = "GBP",
        Lines = { order.Lines.Select(l => new OrderLineDraft { SkuId = l.Sku, Quantity = l.Quantity, UnitPriceMinor = l.Pence }) },
    };

    // What the orders refer to, and the opening stock.
    private static async Task PrepareAsync(OrderEngineClient client)
    {
        var opening = Retail.File.OpeningStock(Share);
        var orders = Retail.File.Orders;
        await client.Catalog.UpsertLocationAsync(new UpsertLocationRequest { Location = new Location { LocationId = Location } });
        var options = new ParallelOptions { MaxDegreeOfParallelism = 32 };
        await Parallel.ForEachAsync(opening.Keys, options, async (sku, stop) =>
            await client.Catalog.UpsertSkuAsync(new UpsertSkuRequest { Sku = new Sku { SkuId = sku } }, cancellationToken: stop));
        await Parallel.ForEachAsync(orders.Select(o => o.Country).Distinct(), options, async (country, stop) =>
            await client.Catalog.UpsertChannelAsync(
                new UpsertChannelRequest { Channel = new Contracts.V1.Channel { ChannelId = country } }, cancellationToken: stop));
        await Parallel.ForEachAsync(orders.Select(o => o.Customer).Where(c => c.Length > 0).Distinct(), options, async (customer, stop) =>
            await client.Customers.UpsertCustomerAsync(
                new UpsertCustomerRequest { Customer = new Customer { CustomerId = customer } }, cancellationToken: stop));
        foreach (var part in opening.Chunk(2_000))
        {
            await client.Inventory.ReceiveStockAsync(new ReceiveStockRequest
            {
                LocationId = Location,
                Items = { part.Select(pair => new ReservationItem { SkuId = pair.Key, Quantity = (int)pair.Value }) },
            });
        }
    }
}
