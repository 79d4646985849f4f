// Every refusal is in one counter: what the gate refuses, what is refused before it is queued, and what the engine decided.

using System.Globalization;
using System.Text.RegularExpressions;
using OrderEngine.Access;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.Access;

public sealed partial class RefusalCountTests
{
    [Fact]
    public async Task What_is_refused_before_it_is_queued_is_counted_once_by_its_reason()
    {
        await using var keyed = await KeyedServer.StartAsync(options => options with { Engine = options.Engine with { MaxOrderSubscribers = 0 } });
        var invoker = keyed.As(keyed.Create("web", "WEB", Scopes.Submit | Scopes.Track));
        var orders = new OrderService.OrderServiceClient(invoker);
        var tracking = new TrackingService.TrackingServiceClient(invoker);
        var malformed = Shop.Submit();
        malformed.Order.CurrencyCode = "pounds";

        await Refusal.ExpectAsync(() => orders.SubmitOrderAsync(malformed).ResponseAsync);
        await Refusal.ExpectAsync(() => orders.GetOrderAsync(new GetOrderRequest { OrderId = "o-nowhere" }).ResponseAsync);
        await Refusal.ExpectAsync(() => orders.SubmitOrderAsync(Shop.Submit("NO-SUCH-SKU")).ResponseAsync);
        await orders.BulkSubmitOrdersAsync(new BulkSubmitOrdersRequest { Requests = { malformed, Shop.Submit(), malformed } });
        using (var stream = orders.StreamSubmitOrders())
        {
            await stream.RequestStream.WriteAsync(new StreamSubmitOrdersRequest { Orders = { new StreamedOrder { ClientSeq = 1, Request = malformed } } });
            Assert.True(await stream.ResponseStream.MoveNext(default));
            await stream.RequestStream.WriteAsync(new StreamSubmitOrdersRequest());
            await Refusal.ExpectAsync(() => stream.ResponseStream.MoveNext(default));
        }
        using (var watch = tracking.WatchOrders(new WatchOrdersRequest())) await Refusal.ExpectAsync(() => watch.ResponseStream.MoveNext(default));
        // Decided by the engine, or only asked: the engine's own counter has them.
        await Refusal.ExpectAsync(() => orders.SubmitOrderAsync(Shop.Submit("EMPTY")).ResponseAsync);
        await orders.CheckFulfillabilityAsync(new CheckFulfillabilityRequest { Order = Shop.Submit("EMPTY").Order });
        // Refused at the gate.
        await Refusal.ExpectAsync(() => new AdminService.AdminServiceClient(invoker).GetEngineStatusAsync(new GetEngineStatusRequest()).ResponseAsync);
        await Refusal.ExpectAsync(() => new OrderService.OrderServiceClient(keyed.As("wrong")).SubmitOrderAsync(Shop.Submit()).ResponseAsync);

        var counted = await CountsAsync(keyed.Server);
        Assert.Equal(new SortedDictionary<string, long>
        {
            ["orderengine_request_refusals_total INVALID_FIELD"] = 5,
            ["orderengine_request_refusals_total ORDER_NOT_FOUND"] = 1,
            ["orderengine_request_refusals_total SKU_NOT_FOUND"] = 1,
            ["orderengine_request_refusals_total SUBSCRIBER_LIMIT_REACHED"] = 1,
            ["orderengine_access_refusals_total SCOPE_MISSING"] = 1,
            ["orderengine_access_refusals_total CREDENTIAL_INVALID"] = 1,
        }, counted);
    }

    [Fact]
    public async Task Messages_that_no_service_has_seen_are_counted_too()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Equal("MESSAGE_TOO_LARGE", (await RawCall.SendAsync(server, "OrderService/GetOrder", new byte[ServerLimits.MessageBytes + 1]))!.Reason);
        Assert.Equal("INVALID_FIELD", (await RawCall.SendAsync(server, "OrderService/GetOrder", [0x0a, 0xff, 0xff]))!.Reason);
        Assert.Equal("INVALID_FIELD", (await RawCall.SendAsync(server, "OrderService/SubmitOrder", [0x0a, 0xff, 0xff]))!.Reason);
        Assert.Equal(new SortedDictionary<string, long>
        {
            ["orderengine_request_refusals_total MESSAGE_TOO_LARGE"] = 1,
            ["orderengine_request_refusals_total INVALID_FIELD"] = 2,
        }, await CountsAsync(server));
    }

    private static async Task<SortedDictionary<string, long>> CountsAsync(TestServer server)
    {
        using var http = new HttpClient();
        var page = await http.GetStringAsync(new Uri(server.MetricsAddress));
        return new SortedDictionary<string, long>(Series().Matches(page).ToDictionary(
            match => $"{match.Groups[1].Value} {match.Groups[2].Value}", match => long.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture)));
    }

    [GeneratedRegex("^(orderengine_(?:request|access)_refusals_total)\\{reason=\"(\\w+)\"\\} (\\d+)$", RegexOptions.Multiline)]
    private static partial Regex Series();
}
