// A shortage over the wire: what the answer says, the supply request that an ERP follows, its answer, the promised date, and an order that ships complete.

using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class ShortageTests : IAsyncLifetime
{
    private static readonly Timestamp Soon = new() { Seconds = 4_000_000_000 };
    private TestServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        await Shop.OpenAsync(_server, units: 10);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task What_is_missing_is_asked_for_answered_promised_and_comes()
    {
        using var watch = _server.Inventory.WatchStock(new WatchStockRequest { SkuIds = { "EMPTY" }, SnapshotFirst = true });
        var submitted = await _server.Orders.SubmitOrderAsync(Draft("EMPTY", 7, AllocationPolicy.PartialBackorder));
        Assert.Equal((7, 7L), (submitted.Shortfalls[0].Backordered, Assert.Single(submitted.Shortages).Missing));
        Assert.Equal([1], submitted.Shortages[0].LineNumbers);

        // The ERP follows stock: the level says what is asked for.
        var asked = await Level(level => level.Requested > 0);
        Assert.Equal((7L, "L1"), (asked.Requested, asked.LocationId));
        var request = Assert.Single((await _server.Inventory.ListSupplyRequestsAsync(new ListSupplyRequestsRequest { SkuId = "EMPTY" })).SupplyRequests);
        Assert.Equal((asked.SupplyRequestId, SupplyKind.Purchase, 7L, 0L), (request.SupplyRequestId, request.Kind, request.Quantity, request.Announced));
        var shortfall = Assert.Single((await _server.Admin.ListExceptionsAsync(new ListExceptionsRequest { Kind = ExceptionKind.Shortfall })).Exceptions);
        Assert.Equal(("EMPTY", "L1", 7L, Grade.Medium, Role.Warehouse, ""), (shortfall.SkuId, shortfall.LocationId, shortfall.Quantity, shortfall.Grade, shortfall.Owner, shortfall.OrderId));

        var announced = await _server.Inventory.AnnounceIncomingAsync(new AnnounceIncomingRequest
        {
            RequestId = Shop.NewId(), SkuId = "EMPTY", LocationId = "L1", Kind = SupplyKind.Purchase, Quantity = 7, ExpectedTime = Soon, SupplyRequestId = request.SupplyRequestId,
        });
        await Level(level => level.Requested == 0 && level.Incoming == 7);
        Assert.Empty((await _server.Inventory.ListSupplyRequestsAsync(new ListSupplyRequestsRequest())).SupplyRequests);
        var closed = Assert.Single((await _server.Inventory.ListSupplyRequestsAsync(new ListSupplyRequestsRequest { IncludeClosed = true })).SupplyRequests);
        Assert.Equal((0L, 7L, announced.IncomingId), (closed.Quantity, closed.Announced, closed.LastIncomingId));
        Assert.Empty((await _server.Admin.ListExceptionsAsync(new ListExceptionsRequest())).Exceptions);
        var over = Assert.Single((await _server.Admin.ListExceptionsAsync(new ListExceptionsRequest { State = ExceptionState.Resolved })).Exceptions);
        Assert.Equal((shortfall.ExceptionId, "supply request closed", Role.System), (over.ExceptionId, over.Resolution, over.ResolvedBy.Role));

        var order = await Until(submitted.OrderId, o => o.Lines[0].PromisedTime is not null);
        Assert.Equal((Soon, 7L), (order.Lines[0].PromisedTime, Assert.Single(order.Shortages).Missing));
        var events = (await _server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = submitted.OrderId })).Events;
        Assert.Equal(Soon, Assert.Single(events, e => e.ChangeCase == OrderEvent.ChangeOneofCase.BackorderPromised).BackorderPromised.PromisedTime);
        Assert.Equal(7, Assert.Single(events[0].Submitted.Shortages).Missing);

        // Who comes later hears when there is more than was promised.
        var check = await _server.Orders.CheckFulfillabilityAsync(new CheckFulfillabilityRequest { Order = Draft("EMPTY", 1, AllocationPolicy.PartialBackorder).Order });
        Assert.Null(Assert.Single(check.Shortages).ExpectedTime);
        var mismatch = await Refusal.ExpectAsync(async () => await _server.Inventory.AnnounceIncomingAsync(new AnnounceIncomingRequest
        {
            RequestId = Shop.NewId(), SkuId = "A", LocationId = "L1", Kind = SupplyKind.Purchase, Quantity = 7, ExpectedTime = Soon, SupplyRequestId = request.SupplyRequestId,
        }));
        Assert.Equal("SUPPLY_REQUEST_MISMATCH", mismatch.Reason);

        async Task<StockLevel> Level(Func<StockLevel, bool> told)
        {
            while (await watch.ResponseStream.MoveNext(default))
                if (watch.ResponseStream.Current.Levels.FirstOrDefault(told) is { } level) return level;
            throw new InvalidOperationException("The watch ended.");
        }
    }

    [Fact]
    public async Task A_refusal_names_substitutes_and_places_that_do_not_serve_the_order()
    {
        await _server.Catalog.UpsertSkuAsync(new UpsertSkuRequest { RequestId = Shop.NewId(), Sku = new Sku { SkuId = "EMPTY", SubstituteSkuIds = { "A" }, LeadTime = new Duration { Seconds = 3_600 } } });
        await _server.Catalog.UpsertLocationAsync(new UpsertLocationRequest { RequestId = Shop.NewId(), Location = new Location { LocationId = "L2", Region = "islands" } });
        await _server.Inventory.ReceiveStockAsync(new ReceiveStockRequest { RequestId = Shop.NewId(), LocationId = "L2", Items = { new ReservationItem { SkuId = "EMPTY", Quantity = 5 } } });
        var request = Draft("EMPTY", 2, AllocationPolicy.AllOrNothing);
        request.Order.ShipToRegion = "mainland";
        var refusal = await Refusal.ExpectAsync(async () => await _server.Orders.SubmitOrderAsync(request));
        Assert.Equal("OUT_OF_STOCK", refusal.Reason);
        var shortage = Assert.Single(refusal.Shortages);
        Assert.True(shortage.ExpectedByLeadTime && shortage.ExpectedTime is not null);
        Assert.Equal(new SubstituteOffer { SkuId = "A", Sellable = 10 }, Assert.Single(shortage.Substitutes));
        Assert.Equal(new LocationOffer { LocationId = "L2", Sellable = 5, Exclusion = LocationExclusion.Region }, Assert.Single(shortage.Locations));
        request.RequestId = Shop.NewId();
        request.Order.ShipToRegion = "islands";
        var accepted = await _server.Orders.SubmitOrderAsync(request);
        Assert.Equal("islands", (await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = accepted.OrderId })).ShipToRegion);
    }

    [Fact]
    public async Task An_order_that_ships_complete_is_not_released_in_parts()
    {
        var request = Draft("A", 20, AllocationPolicy.PartialBackorder);
        request.Order.ShippingPolicy = ShippingPolicy.Complete;
        var id = (await _server.Orders.SubmitOrderAsync(request)).OrderId;
        await _server.Fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = id });
        await _server.Fulfillment.ConfirmShipmentAsync(new ConfirmShipmentRequest
        {
            RequestId = Shop.NewId(), OrderId = id, Lines = { new LineAtLocation { LineNumber = 1, LocationId = "L1", Quantity = 9 } },
            ShortPicks = { new ShortPick { LineNumber = 1, LocationId = "L1", Quantity = 1 } },
        });
        // What the other warehouse has is taken back: until the missing one is there it does not leave again.
        await _server.Fulfillment.RecallShipmentAsync(new RecallShipmentRequest { RequestId = Shop.NewId(), OrderId = id });
        var release = new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = id };
        Assert.Equal("ORDER_NOT_COMPLETE", (await Refusal.ExpectAsync(async () => await _server.Fulfillment.ReleaseShipmentAsync(release))).Reason);
        await _server.Inventory.ReceiveStockAsync(new ReceiveStockRequest { RequestId = Shop.NewId(), LocationId = "L1", Items = { new ReservationItem { SkuId = "A", Quantity = 1 } } });
        await Until(id, order => order.Lines[0].Backordered == 0);
        release.RequestId = Shop.NewId();
        await _server.Fulfillment.ReleaseShipmentAsync(release);
        var order = await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = id });
        Assert.Equal((ShippingPolicy.Complete, 11), (order.ShippingPolicy, order.Lines[0].Released));
    }

    private static SubmitOrderRequest Draft(string sku, int quantity, AllocationPolicy policy) => new()
    {
        RequestId = Shop.NewId(),
        Order = new OrderDraft
        {
            ChannelId = "WEB", ExternalOrderId = Shop.NewId(), CurrencyCode = "GBP", AllocationPolicy = policy, PaymentTerms = PaymentTerms.CashOnDelivery,
            Lines = { new OrderLineDraft { SkuId = sku, Quantity = quantity, UnitPriceMinor = 1 } },
        },
    };

    private async Task<Order> Until(string id, Func<Order, bool> seen)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var order = await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = id }, cancellationToken: patience.Token);
            if (seen(order)) return order;
        }
    }
}
