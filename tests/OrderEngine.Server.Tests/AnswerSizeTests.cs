// Answers fit into what a client takes when nobody has told it otherwise (4 MiB), and say so where something was left out.

using Grpc.Net.Client;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class AnswerSizeTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private GrpcChannel _stock = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        await Shop.OpenAsync(_server);
        _stock = GrpcChannel.ForAddress(_server.Address);
    }

    public async Task DisposeAsync()
    {
        _stock.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_bulk_of_more_lines_than_an_answer_can_hold_is_refused_whole_and_decides_nothing()
    {
        var bulk = new BulkSubmitOrdersRequest();
        for (var i = 0; i < 21; i++) bulk.Requests.Add(Order(Enumerable.Repeat("EMPTY", 2_000), AllocationPolicy.PartialBackorder));

        var refused = await Refusal.ExpectAsync(async () => await _server.Orders.BulkSubmitOrdersAsync(bulk));

        Assert.Equal("INVALID_FIELD", refused.Reason);
        Assert.Equal(["requests"], refused.Fields);
        Assert.Equal(0, (await _server.StatusAsync()).Orders);
    }

    [Fact]
    public async Task The_largest_bulk_is_answered_within_what_a_client_takes_by_default()
    {
        var skus = await SkusAsync(2_000);
        var orders = new OrderService.OrderServiceClient(_stock);
        var accepted = new BulkSubmitOrdersRequest();
        var refused = new BulkSubmitOrdersRequest();
        for (var i = 0; i < 20; i++)
        {
            accepted.Requests.Add(Order(skus, AllocationPolicy.PartialBackorder));
            refused.Requests.Add(Order(skus, AllocationPolicy.AllOrNothing));
        }

        var taken = await orders.BulkSubmitOrdersAsync(accepted);
        var not = await orders.BulkSubmitOrdersAsync(refused);

        Assert.All(taken.Results, result => Assert.Equal(2_000, result.Accepted.Shortfalls.Count));
        var refusals = not.Results.Select(result => Refusal.Of(result.Refused)).ToList();
        Assert.All(refusals, refusal => Assert.Equal("OUT_OF_STOCK", refusal.Reason));
        Assert.Equal(2_000, refusals[0].Shortages.Length);
        Assert.Empty(refusals[^1].Shortages);
        Assert.Equal("true", refusals[^1].Metadata["details_not_shown"]);
    }

    [Fact]
    public async Task Pages_end_before_they_grow_too_large_and_go_on()
    {
        var locations = await LocationsAsync(256);
        await Task.WhenAll(Enumerable.Range(0, 300).Select(async i => await _server.Catalog.UpsertChannelAsync(new UpsertChannelRequest
        {
            RequestId = Shop.NewId(), Channel = new Channel { ChannelId = Long("C", i), AllowedLocationIds = { locations } },
        })));
        var catalog = new CatalogService.CatalogServiceClient(_stock);
        var found = new List<string>();
        var pages = 0;
        var token = "";
        do
        {
            var page = await catalog.ListChannelsAsync(new ListChannelsRequest { PageSize = 1_000, PageToken = token });
            found.AddRange(page.Channels.Select(channel => channel.ChannelId));
            token = page.NextPageToken;
            pages++;
        }
        while (token.Length > 0);

        Assert.InRange(pages, 2, 10);
        Assert.Equal(301, found.Distinct().Count());
        Assert.Equal(301, found.Count);
    }

    [Fact]
    public async Task A_history_of_large_events_comes_in_pages_too()
    {
        var locations = await LocationsAsync(1);
        await _server.Inventory.ReceiveStockAsync(new ReceiveStockRequest { RequestId = Shop.NewId(), LocationId = locations[0], Items = { new ReservationItem { SkuId = "EMPTY", Quantity = 1_000_000 } } });
        var request = Order(Enumerable.Repeat("EMPTY", 2_000), AllocationPolicy.AllOrNothing);
        foreach (var line in request.Order.Lines) line.Quantity = 10;
        var order = await _server.Orders.SubmitOrderAsync(request);
        var release = new ReleaseShipmentRequest { OrderId = order.OrderId };
        for (var line = 1; line <= 2_000; line++) release.Lines.Add(new LineAtLocation { LineNumber = line, LocationId = locations[0], Quantity = 1 });
        for (var i = 0; i < 10; i++)
        {
            release.RequestId = Shop.NewId();
            await _server.Fulfillment.ReleaseShipmentAsync(release);
        }

        var first = await _server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId, PageSize = 1_000 });
        var second = await _server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId, PageSize = 1_000, PageToken = first.NextPageToken });

        Assert.NotEqual("", first.NextPageToken);
        Assert.InRange(first.CalculateSize(), 1_000_000, 2_000_000);
        Assert.Equal(11, first.Events.Concat(second.Events).Select(e => e.Sequence).Distinct().Count());
        Assert.Equal("", second.NextPageToken);
    }

    [Fact]
    public async Task Stock_of_many_SKUs_at_many_locations_is_refused_with_the_way_out()
    {
        var skus = await SkusAsync(150);
        var locations = await LocationsAsync(101);
        await Task.WhenAll(locations.Select(async location =>
        {
            var receipt = new ReceiveStockRequest { RequestId = Shop.NewId(), LocationId = location };
            foreach (var sku in skus) receipt.Items.Add(new ReservationItem { SkuId = sku, Quantity = 1 });
            await _server.Inventory.ReceiveStockAsync(receipt);
        }));
        var inventory = new InventoryService.InventoryServiceClient(_stock);

        var refused = await Refusal.ExpectAsync(async () => await inventory.BatchGetStockAsync(new BatchGetStockRequest { SkuIds = { skus } }));
        var fewer = await inventory.BatchGetStockAsync(new BatchGetStockRequest { SkuIds = { skus.Take(148) } });

        Assert.Equal("INVALID_FIELD", refused.Reason);
        Assert.Equal(["sku_ids"], refused.Fields);
        Assert.Equal(148 * 101, fewer.Stocks.Sum(stock => stock.Levels.Count));
    }

    [Fact]
    public async Task A_trailer_says_what_it_leaves_out_and_a_message_leaves_nothing_out()
    {
        var skus = await SkusAsync(200);
        var many = Order(skus, AllocationPolicy.AllOrNothing);
        var often = Order(Enumerable.Repeat("EMPTY", 500), AllocationPolicy.AllOrNothing);

        var cut = await Refusal.ExpectAsync(async () => await _server.Orders.SubmitOrderAsync(many));
        var lines = await Refusal.ExpectAsync(async () => await _server.Orders.SubmitOrderAsync(often));
        var again = new BulkSubmitOrdersRequest { Requests = { Order(skus, AllocationPolicy.AllOrNothing), Order(Enumerable.Repeat("EMPTY", 500), AllocationPolicy.AllOrNothing) } };
        var bulk = await _server.Orders.BulkSubmitOrdersAsync(again);
        var check = await _server.Orders.CheckFulfillabilityAsync(new CheckFulfillabilityRequest { Order = many.Order });

        Assert.InRange(cut.Shortages.Length, 5, 199);
        Assert.Equal(("200", (200 - cut.Shortages.Length).ToString(System.Globalization.CultureInfo.InvariantCulture)), (cut.Metadata["shortages"], cut.Metadata["shortages_not_shown"]));
        Assert.Equal((200, "300"), (Assert.Single(lines.Shortages).LineNumbers.Count, lines.Metadata["line_numbers_not_shown"]));
        Assert.Equal(200, Refusal.Of(bulk.Results[0].Refused).Shortages.Length);
        Assert.DoesNotContain("shortages_not_shown", Refusal.Of(bulk.Results[0].Refused).Metadata.Keys);
        Assert.Equal(500, Assert.Single(Refusal.Of(bulk.Results[1].Refused).Shortages).LineNumbers.Count);
        Assert.Equal(200, Refusal.Of(check.Refusal).Shortages.Length);
        Assert.Empty(check.Lines);
    }

    private static SubmitOrderRequest Order(IEnumerable<string> skus, AllocationPolicy policy)
    {
        var request = Shop.Submit(policy: policy);
        request.Order.Lines.Clear();
        foreach (var sku in skus) request.Order.Lines.Add(new OrderLineDraft { SkuId = sku, Quantity = 1_000 });
        return request;
    }

    private async Task<string[]> SkusAsync(int count)
    {
        var ids = Enumerable.Range(0, count).Select(i => Long("S", i)).ToArray();
        await Task.WhenAll(ids.Select(async id => await _server.Catalog.UpsertSkuAsync(new UpsertSkuRequest { RequestId = Shop.NewId(), Sku = new Sku { SkuId = id } })));
        return ids;
    }

    private async Task<string[]> LocationsAsync(int count)
    {
        var ids = Enumerable.Range(0, count).Select(i => Long("L", i)).ToArray();
        await Task.WhenAll(ids.Select(async id => await _server.Catalog.UpsertLocationAsync(new UpsertLocationRequest { RequestId = Shop.NewId(), Location = new Location { LocationId = id } })));
        return ids;
    }

    private static string Long(string prefix, int number) => $"{prefix}{number:D4}".PadRight(64, 'x');
}
