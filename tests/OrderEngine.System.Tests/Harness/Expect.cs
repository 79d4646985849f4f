// Owns the comparison of an engine with the tests' own calculation. Reads everything through the public contract.
using System.Globalization;
using System.Text.Json;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;

namespace OrderEngine.System.Tests.Harness;

internal static class Expect
{
    private const int LevelsPerPage = 1_000;

    /// <summary>Orders, their lines and totals, and every SKU's stock are what the calculation says; the engine's own check agrees.</summary>
    public static async Task MatchesAsync(OrderEngineClient client, RetailResult expected)
    {
        var orders = await OrdersAsync(client);
        Assert.Equal(orders.Count, orders.Select(order => order.OrderId).Distinct().Count());
        var delivered = expected.Delivered.ToList();
        var back = expected.Returned.GroupBy(one => one.Invoice).ToDictionary(group => group.Key, group => group.ToList(), StringComparer.Ordinal);
        Assert.Equal(
            expected.Accepted.Select(Describe).Order(StringComparer.Ordinal), orders.Select(order => Describe(order, back.GetValueOrDefault(order.ExternalOrderId, []))).Order(StringComparer.Ordinal));

        var onHand = new Dictionary<string, long>(expected.Opening, StringComparer.Ordinal);
        foreach (var line in delivered.SelectMany(order => order.Lines))
            onHand[line.Sku] -= line.Quantity;
        foreach (var one in expected.Returned)
            onHand[one.Sku] += one.Units;
        var levels = await StockAsync(client);
        Assert.Equal(onHand.OrderBy(pair => pair.Key, StringComparer.Ordinal),
            levels.Select(level => KeyValuePair.Create(level.SkuId, level.OnHand)).OrderBy(pair => pair.Key, StringComparer.Ordinal));
        Assert.Equal(expected.Free.OrderBy(pair => pair.Key, StringComparer.Ordinal),
            levels.Select(level => KeyValuePair.Create(level.SkuId, level.Sellable)).OrderBy(pair => pair.Key, StringComparer.Ordinal));
        Assert.All(levels, level => Assert.Equal((level.OnHand - level.Sellable, 0, 0), (level.Committed, level.Held, level.Unavailable)));

        var status = await client.Admin.GetEngineStatusAsync(new GetEngineStatusRequest());
        Assert.Equal((expected.Accepted.Count, onHand.Values.Sum(), expected.Reserved, 0, 0),
            (status.Orders, status.Stock.OnHand, status.Stock.Reserved, status.Stock.Backordered, status.Stock.Held));
        await HoldsAsync(client);
    }

    /// <summary>The engine's counters equal the sums of what lies behind them.</summary>
    public static async Task HoldsAsync(OrderEngineClient client) =>
        Assert.Empty((await client.Admin.VerifyInvariantsAsync(new VerifyInvariantsRequest())).Violations);

    /// <summary>Every order as it stands.</summary>
    public static async Task<List<Order>> OrdersAsync(OrderEngineClient client)
    {
        using var deadline = new CancellationTokenSource(Setting.Patience);
        var orders = new List<Order>();
        await foreach (var update in client.WatchOrdersAsync(snapshotFirst: true, cancellationToken: deadline.Token))
        {
            orders.AddRange(update.Orders);
            if (update.SnapshotComplete)
                break;
        }

        return orders;
    }

    /// <summary>Every stock level.</summary>
    public static async Task<List<StockLevel>> StockAsync(OrderEngineClient client)
    {
        var levels = new List<StockLevel>();
        var request = new ListStockRequest { PageSize = LevelsPerPage };
        do
        {
            var page = await client.Inventory.ListStockAsync(request);
            levels.AddRange(page.Levels);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return levels;
    }

    /// <summary>The one line of JSON that a command wrote.</summary>
    public static JsonElement Json(Ended ended)
    {
        using var document = JsonDocument.Parse(Assert.Single(ended.Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
        return document.RootElement.Clone();
    }

    private static string Describe(RetailOrder order) => Describe(order.Country, order.Invoice, order.Customer, order.Pence,
        order.Lines.Select((line, i) => Line(i + 1, line.Sku, line.Quantity, line.Pence)));

    // Each line's units must all be reserved, at the one location there is; of an order that something came back of, all were delivered first.
    private static string Describe(Order order, List<RetailMove> back)
    {
        Assert.Equal(("GBP", 0), (order.CurrencyCode, order.CancelledMinor));
        if (back.Count == 0)
        {
            Assert.Equal(OrderState.Ready, order.State);
            Assert.All(order.Lines, line => Assert.Equal((line.Quantity, line.Quantity, 0), (line.Reserved, Assert.Single(line.Allocations).Reserved, line.Returned)));
        }
        else
        {
            Assert.Equal((OrderState.Delivered, back.Sum(one => one.Units)), (order.State, order.Lines.Sum(line => line.Returned)));
            Assert.All(order.Lines, line => Assert.Equal((line.Quantity, line.Quantity, 0), (line.Shipped, line.Delivered, line.ReturnOpen)));
            foreach (var sku in back.GroupBy(one => one.Sku))
                Assert.Equal(sku.Sum(one => one.Units), order.Lines.Where(line => line.SkuId == sku.Key).Sum(line => line.Returned));
        }

        return Describe(order.ChannelId, order.ExternalOrderId, order.CustomerId, order.TotalMinor,
            order.Lines.Select(line => Line(line.LineNumber, line.SkuId, line.Quantity, line.UnitPriceMinor)));
    }

    private static string Describe(string channel, string externalId, string customer, long total, IEnumerable<string> lines) =>
        string.Create(CultureInfo.InvariantCulture, $"{channel}/{externalId} of '{customer}', {total}: {string.Join(' ', lines)}");

    private static string Line(int number, string sku, long quantity, long price) =>
        string.Create(CultureInfo.InvariantCulture, $"{number}:{sku}={quantity}@{price}");
}
