// Makes a server ready for a run: catalog, the run's channel, its location, ample stock. Quick when an earlier run has done it.

using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Scenarios;

/// <summary>Set-up of a run. Not measured.</summary>
public static class SetUp
{
    /// <summary>Units that every SKU is topped up by at the start of a run.</summary>
    public const int StockPerSku = 1_000_000;

    // A hot SKU gets a sixth of a twentieth of all units: at 200,000 orders a second a million units last ten seconds.
    private const int HotTopUps = 20;
    private const int ItemsPerReceipt = 1_000;
    private const int CallsAtOnce = 128;

    private static readonly Actor Manager = new() { Id = "load", Role = Role.Manager };

    /// <summary>Waits until the server serves.</summary>
    /// <exception cref="TimeoutException">It does not within <paramref name="patience"/>; the message holds what it last said.</exception>
    public static async Task<EngineStatus> WaitUntilServingAsync(EngineConnection connection, TimeSpan patience, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        var until = DateTime.UtcNow + patience;
        var last = "no answer";
        while (DateTime.UtcNow < until)
        {
            try
            {
                var status = await connection.Admin.GetEngineStatusAsync(new GetEngineStatusRequest(), deadline: DateTime.UtcNow.AddSeconds(5), cancellationToken: cancellationToken);
                if (status.Phase == EnginePhase.Serving) return status;
                last = status.Phase.ToString();
            }
            catch (RpcException exception) when (exception.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded)
            {
                last = exception.Status.Detail;
            }
            await Task.Delay(100, cancellationToken);
        }
        throw new TimeoutException($"the server is not serving after {patience.TotalSeconds:0} s: {last}");
    }

    /// <summary>Catalog, channel, location, customers, stock.</summary>
    public static async Task PrepareAsync(RunContext run, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(run);
        var catalog = run.First.Catalog;
        await catalog.UpsertLocationAsync(new UpsertLocationRequest
        {
            RequestId = $"{run.Workload.RunId}-location", Actor = Manager,
            Location = new Location { LocationId = Workload.LocationId, Name = "Load", Region = "TEST" },
        }, cancellationToken: cancellationToken);
        await catalog.UpsertChannelAsync(new UpsertChannelRequest
        {
            RequestId = $"{run.Workload.RunId}-channel", Actor = Manager,
            Channel = new Contracts.V1.Channel { ChannelId = run.Workload.ChannelId, Name = "Load" },
        }, cancellationToken: cancellationToken);
        if (!await HasCatalogAsync(run, cancellationToken)) await UpsertSkusAsync(run, cancellationToken);
        for (var first = 0; first < run.Workload.Customers; first += CallsAtOnce)
            await Task.WhenAll(Enumerable.Range(first, Math.Min(CallsAtOnce, run.Workload.Customers - first)).Select(n => UpsertCustomerAsync(run, n, cancellationToken)));
        await ReceiveStockAsync(run, cancellationToken);
        await SubmitBulkScenario.MakeAsync(run, run.Settings.Backorders + run.Settings.OpenOrders, cancellationToken);
    }

    // The last SKU is made last: where it is, all are.
    private static async Task<bool> HasCatalogAsync(RunContext run, CancellationToken cancellationToken)
    {
        try
        {
            await run.First.Catalog.GetSkuAsync(new GetSkuRequest { SkuId = run.Workload.Catalog[^1] }, cancellationToken: cancellationToken);
            return true;
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.NotFound)
        {
            return false;
        }
    }

    private static async Task UpsertSkusAsync(RunContext run, CancellationToken cancellationToken)
    {
        var last = run.Workload.Catalog.Count - 1;
        await Parallel.ForEachAsync(Enumerable.Range(0, last), new ParallelOptions { MaxDegreeOfParallelism = CallsAtOnce, CancellationToken = cancellationToken },
            async (number, token) => await UpsertSkuAsync(run, number, token));
        await UpsertSkuAsync(run, last, cancellationToken);
    }

    private static async Task UpsertSkuAsync(RunContext run, int number, CancellationToken cancellationToken) =>
        await run.Connection(number).Catalog.UpsertSkuAsync(new UpsertSkuRequest
        {
            RequestId = $"{run.Workload.RunId}-sku-{number}", Actor = Manager,
            Sku = new Sku { SkuId = run.Workload.Catalog[number], Name = $"Load item {number}", Category = "load", Unit = "piece", PriceMinor = 100 + number, CurrencyCode = "GBP" },
        }, cancellationToken: cancellationToken);

    private static async Task UpsertCustomerAsync(RunContext run, int number, CancellationToken cancellationToken) =>
        await run.Connection(number).Customers.UpsertCustomerAsync(new UpsertCustomerRequest
        {
            RequestId = $"{run.Workload.RunId}-customer-{number}", Actor = new Actor { Id = "load", Role = Role.Channel },
            Customer = new Customer { CustomerId = Workload.CustomerId(number) },
        }, cancellationToken: cancellationToken);

    private static async Task ReceiveStockAsync(RunContext run, CancellationToken cancellationToken)
    {
        var skus = run.Workload.Skus;
        var receipt = 0;
        async Task Receive(IEnumerable<string> skuIds)
        {
            var request = new ReceiveStockRequest { RequestId = $"{run.Workload.RunId}-receipt-{receipt++}", LocationId = Workload.LocationId, Reference = "load" };
            request.Items.AddRange(skuIds.Select(sku => new ReservationItem { SkuId = sku, Quantity = StockPerSku }));
            await run.First.Inventory.ReceiveStockAsync(request, cancellationToken: cancellationToken);
        }

        for (var first = 0; first < skus.Count; first += ItemsPerReceipt)
            await Receive(skus.Skip(first).Take(ItemsPerReceipt));
        for (var i = 0; i < HotTopUps; i++)
            await Receive(skus.Take(Workload.HotSkus));
    }
}
