// Page tokens are opaque and not secret: whoever knows the format makes his own. None leads to what its maker may not see, or to a defect.

using System.Buffers.Binary;
using System.Buffers.Text;
using OrderEngine.Access;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Mapping;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.Access;

public sealed class ForgedTokenTests
{
    public static TheoryData<long, long> Numbers => new() { { 0, 0 }, { 1, long.MaxValue }, { int.MaxValue, 1 }, { (long)int.MaxValue + 1, 0 }, { uint.MaxValue, 7 }, { long.MaxValue, long.MaxValue }, { long.MaxValue - 1, 0 }, { (1L << 62) - 1, (1L << 62) - 1 } };

    [Theory]
    [MemberData(nameof(Numbers))]
    public async Task No_token_shows_a_channel_more_than_its_own_or_breaks_the_server(long a, long b)
    {
        await using var keyed = await KeyedServer.StartAsync();
        var theirs = Shop.Submit();
        theirs.Order.ChannelId = "EBAY";
        var foreign = await keyed.Server.Orders.SubmitOrderAsync(theirs);
        var own = await keyed.Server.Orders.SubmitOrderAsync(Shop.Submit());
        await keyed.Server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = own.OrderId });
        var bound = keyed.As(keyed.Create("web", "WEB", Scopes.Submit | Scopes.Reserve | Scopes.Track | Scopes.Fulfil | Scopes.Review));
        var all = keyed.As(keyed.Create("all", null, Scopes.Submit | Scopes.Track | Scopes.Fulfil | Scopes.Review | Scopes.Finance | Scopes.Stock | Scopes.Admin));
        foreach (var invoker in new[] { bound, all })
        {
            var isBound = ReferenceEquals(invoker, bound);
            var orders = new OrderService.OrderServiceClient(invoker);
            var catalog = new CatalogService.CatalogServiceClient(invoker);
            var inventory = new InventoryService.InventoryServiceClient(invoker);
            await AskAsync(async () =>
            {
                var genuine = await keyed.Server.Orders.ListOrdersAsync(new ListOrdersRequest { PageSize = 1 });
                var page = await orders.ListOrdersAsync(new ListOrdersRequest { PageToken = Of(TokenKind.OrderList, genuine.NextPageToken) });
                Assert.True(!isBound || page.Orders.All(order => order.ChannelId == "WEB"), "A token showed a stranger's order.");
            });
            foreach (var id in new[] { own.OrderId, foreign.OrderId })
                await AskAsync(async () =>
                {
                    var genuine = await keyed.Server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = own.OrderId, PageSize = 1 });
                    var page = await orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = id, PageToken = Of(TokenKind.OrderEvents, genuine.NextPageToken) });
                    Assert.False(isBound && id == foreign.OrderId, $"A stranger's history was told: {page}");
                });
            await AskAsync(async () => await catalog.ListSkusAsync(new ListSkusRequest { PageToken = Of(TokenKind.Skus) }));
            await AskAsync(async () => await catalog.ListLocationsAsync(new ListLocationsRequest { PageToken = Of(TokenKind.Locations) }));
            await AskAsync(async () => await catalog.ListChannelsAsync(new ListChannelsRequest { PageToken = Of(TokenKind.Channels) }));
            await AskAsync(async () => await inventory.ListStockAsync(new ListStockRequest { PageToken = Of(TokenKind.StockLevels) }));
            await AskAsync(async () => await inventory.ListIncomingAsync(new ListIncomingRequest { PageToken = Of(TokenKind.Incoming) }));
            await AskAsync(async () => await inventory.ListSupplyRequestsAsync(new ListSupplyRequestsRequest { PageToken = Of(TokenKind.SupplyRequests) }));
            await AskAsync(async () => await new AdminService.AdminServiceClient(invoker).ListExceptionsAsync(new ListExceptionsRequest { PageToken = Of(TokenKind.Exceptions) }));
            await AskAsync(async () => await new AdminService.AdminServiceClient(invoker).GetStatsAsync(new GetStatsRequest { PageToken = Of(TokenKind.Stats) }));
            await AskAsync(async () =>
            {
                using var watch = new TrackingService.TrackingServiceClient(invoker).WatchOrders(new WatchOrdersRequest { ResumeToken = new Token(TokenKind.Orders, a, b, keyed.Server.Service<EngineCalls>().JournalIdentity).ToString() });
                // Told something, or refused: either way nothing of a stranger.
                if (!await watch.ResponseStream.MoveNext(default)) return;
                Assert.DoesNotContain(foreign.OrderId, isBound ? watch.ResponseStream.Current.ToString() : "", StringComparison.Ordinal);
            });
        }
        var verified = await keyed.Server.Admin.VerifyInvariantsAsync(new VerifyInvariantsRequest());
        Assert.Empty(verified.Violations);

        // As the server itself would make it, but for the numbers: what a token belongs to is taken from one that it made.
        string Of(TokenKind kind, string genuine = "") =>
            new Token(kind, a, b, genuine.Length == 0 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(Base64Url.DecodeFromChars(genuine).AsSpan(18))).ToString();
    }

    private static async Task AskAsync(Func<Task> ask)
    {
        if (await Refusal.OfAsync(ask) is not { } refused) return;
        Assert.NotEqual("INTERNAL_ERROR", refused.Reason);
        Assert.NotEqual("", refused.Reason);
    }
}
