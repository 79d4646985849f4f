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
    private static readonly Lazy<Dictionary<string, RetailOrder>> s_orders = new(() => Retail.File.Orders.ToDictionary(RequestId));

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
            await server.RestartAsync(random);
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
            var order = RetailDraft(s_orders.Value[pair.Key]);
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
