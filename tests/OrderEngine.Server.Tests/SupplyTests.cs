// Announced supply, transfers, safety stock, reordering and counts below what is committed, over the wire.

using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class SupplyTests : IAsyncLifetime
{
    private static readonly Timestamp Soon = new() { Seconds = 4_000_000_000 };
    private TestServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        await Shop.OpenAsync(_server, units: 100);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task Announced_supply_is_shown_changed_and_closed_by_what_comes()
    {
        var announce = new AnnounceIncomingRequest { RequestId = Shop.NewId(), SkuId = "EMPTY", LocationId = "L1", Kind = SupplyKind.Purchase, Quantity = 40, ExpectedTime = Soon, Reference = "PO-1" };
        var announced = await _server.Inventory.AnnounceIncomingAsync(announce);
        var changed = await _server.Inventory.AnnounceIncomingAsync(new AnnounceIncomingRequest { RequestId = Shop.NewId(), IncomingId = announced.IncomingId, Quantity = 30, ExpectedTime = Soon, Etag = announced.Etag });
        Assert.Equal((40, 40, "PO-1", SupplyKind.Purchase), (announced.Announced, announced.Open, announced.Reference, announced.Kind));
        Assert.Equal((40, 30), (changed.Announced, changed.Open));
        Assert.Equal((30L, 0L), Coming(await LevelAsync("EMPTY", "L1")));

        await ReceiveAsync("EMPTY", "L1", 20, announced.IncomingId);
        Assert.Equal((10L, 20L), ((await LevelAsync("EMPTY", "L1")).Incoming, (await LevelAsync("EMPTY", "L1")).OnHand));
        await ReceiveAsync("EMPTY", "L1", 12, announced.IncomingId);
        Assert.Empty((await _server.Inventory.ListIncomingAsync(new ListIncomingRequest())).Incoming);
        var closed = Assert.Single((await _server.Inventory.ListIncomingAsync(new ListIncomingRequest { SkuId = "EMPTY", IncludeClosed = true })).Incoming);
        Assert.Equal((0, 32L), (closed.Open, closed.Received));

        var replayed = await _server.Inventory.AnnounceIncomingAsync(announce);
        Assert.Equal((true, 40, announced.Etag), (replayed.Replayed, replayed.Open, replayed.Etag));
        var refusal = await Refusal.ExpectAsync(() => ReceiveAsync("EMPTY", "L1", 1, announced.IncomingId));
        Assert.Equal("INCOMING_CLOSED", refusal.Reason);
    }

    [Fact]
    public async Task Units_in_transit_are_nowhere_else_and_what_turns_back_is_where_it_was()
    {
        var transfer = await _server.Inventory.TransferStockAsync(new TransferStockRequest { RequestId = Shop.NewId(), SkuId = "A", FromLocationId = "L1", ToLocationId = "L2", Quantity = 60, ExpectedTime = Soon });
        Assert.Equal(("L1", "L2", SupplyKind.Transfer), (transfer.FromLocationId, transfer.LocationId, transfer.Kind));
        Assert.Equal((40L, 100L, 60L), await SplitAsync());
        await ReceiveAsync("A", "L2", 50, transfer.IncomingId);
        Assert.Equal((40L, 150L, 10L), await SplitAsync());
        var refusal = await Refusal.ExpectAsync(() => ReceiveAsync("A", "L2", 11, transfer.IncomingId));
        Assert.Equal("TRANSFER_EXCEEDED", refusal.Reason);
        refusal = await Refusal.ExpectAsync(() => ReceiveAsync("A", "L1", 10, transfer.IncomingId));
        Assert.Equal("INCOMING_MISMATCH", refusal.Reason);
        await _server.Inventory.AnnounceIncomingAsync(new AnnounceIncomingRequest { RequestId = Shop.NewId(), IncomingId = transfer.IncomingId, Quantity = 0, ExpectedTime = Soon });
        Assert.Equal((50L, 150L, 0L), await SplitAsync());
        refusal = await Refusal.ExpectAsync(async () => await _server.Inventory.TransferStockAsync(
            new TransferStockRequest { RequestId = Shop.NewId(), SkuId = "A", FromLocationId = "L1", ToLocationId = "L2", Quantity = 51, ExpectedTime = Soon }));
        Assert.Equal("STOCK_BELOW_COMMITTED", refusal.Reason);
    }

    [Fact]
    public async Task Safety_stock_is_not_promised_and_a_level_says_when_it_should_be_reordered()
    {
        var set = await _server.Inventory.SetStockPolicyAsync(new SetStockPolicyRequest { RequestId = Shop.NewId(), SkuId = "A", LocationId = "L1", Safety = 30, ReorderPoint = 80 });
        Assert.Equal((30L, 70L, 80, false), (set.Levels[0].Safety, set.Levels[0].Sellable, set.Levels[0].ReorderPoint, set.Levels[0].ReorderDue));
        await _server.Inventory.AdjustStockAsync(new AdjustStockRequest { RequestId = Shop.NewId(), SkuId = "A", LocationId = "L2", CountedOnHand = 0 });
        var refusal = await Refusal.ExpectAsync(() => Shop.OrderAsync(_server, quantity: 71));
        Assert.Equal("OUT_OF_STOCK", refusal.Reason);
        using var watch = _server.Inventory.WatchStock(new WatchStockRequest { SkuIds = { "A" }, LocationIds = { "L1" } });
        await watch.ResponseStream.MoveNext(default);
        await Shop.OrderAsync(_server, quantity: 20);
        await Until(level => level.ReorderDue);
        await _server.Inventory.AnnounceIncomingAsync(new AnnounceIncomingRequest { RequestId = Shop.NewId(), SkuId = "A", LocationId = "L1", Kind = SupplyKind.Production, Quantity = 100, ExpectedTime = Soon });
        await Until(level => !level.ReorderDue);

        async Task Until(Func<StockLevel, bool> told)
        {
            while (await watch.ResponseStream.MoveNext(default))
                if (watch.ResponseStream.Current.Levels.Any(told)) return;
            Assert.Fail("The watch ended.");
        }
    }

    [Fact]
    public async Task A_count_below_what_is_committed_is_refused_or_takes_from_the_last_in_rank()
    {
        await _server.Inventory.AdjustStockAsync(new AdjustStockRequest { RequestId = Shop.NewId(), SkuId = "A", LocationId = "L2", CountedOnHand = 0 });
        var first = (await Shop.OrderAsync(_server, quantity: 60)).OrderId;
        var last = (await Shop.OrderAsync(_server, quantity: 40)).OrderId;
        var count = new AdjustStockRequest { RequestId = Shop.NewId(), SkuId = "A", LocationId = "L1", CountedOnHand = 70 };
        Assert.Equal("STOCK_BELOW_COMMITTED", (await Refusal.ExpectAsync(async () => await _server.Inventory.AdjustStockAsync(count))).Reason);
        count.RequestId = Shop.NewId();
        count.BelowCommitted = BelowCommitted.Deallocate;
        Assert.Equal("ROLE_NOT_ALLOWED", (await Refusal.ExpectAsync(async () => await _server.Inventory.AdjustStockAsync(count))).Reason);
        count.Actor = new Actor { Role = Role.Manager };
        var level = (await _server.Inventory.AdjustStockAsync(count)).Levels[0];
        Assert.Equal((70L, 70L), (level.OnHand, level.Committed));
        var line = (await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = last })).Lines[0];
        Assert.Equal((10, 30), (line.Reserved, line.Backordered));
        Assert.Equal(OrderState.Ready, (await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = first })).State);
        var events = (await _server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = last })).Events;
        Assert.Equal(30, events.Single(e => e.ChangeCase == OrderEvent.ChangeOneofCase.Deallocated).Deallocated.Lines[0].Quantity);
    }

    private async Task<StockLevel> LevelAsync(string sku, string location) =>
        (await _server.Inventory.GetStockAsync(new GetStockRequest { SkuId = sku })).Levels.Single(level => level.LocationId == location);

    private async Task<(long L1, long L2, long InTransit)> SplitAsync() =>
        ((await LevelAsync("A", "L1")).OnHand, (await LevelAsync("A", "L2")).OnHand, (await LevelAsync("A", "L2")).InTransit);

    private static (long, long) Coming(StockLevel level) => (level.Incoming, level.InTransit);

    private async Task ReceiveAsync(string sku, string location, int units, string incoming) => await _server.Inventory.ReceiveStockAsync(new ReceiveStockRequest
    {
        RequestId = Shop.NewId(), LocationId = location, Items = { new ReservationItem { SkuId = sku, Quantity = units } }, IncomingId = incoming,
    });
}
