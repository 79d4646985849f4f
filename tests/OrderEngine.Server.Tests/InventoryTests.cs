// Stock and reservations over the wire.

using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class InventoryTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        await Shop.OpenAsync(_server, units: 100);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_reservation_is_held_extended_and_becomes_an_order()
    {
        var create = Shop.Reserve(quantity: 40);
        var held = await _server.Inventory.CreateReservationAsync(create);
        var extended = await _server.Inventory.ExtendReservationAsync(new ExtendReservationRequest
        {
            RequestId = Shop.NewId(), ReservationId = held.ReservationId, Etag = held.Etag, Ttl = new Duration { Seconds = 7_200 },
        });
        var order = await _server.Inventory.CommitReservationAsync(new CommitReservationRequest
        {
            RequestId = Shop.NewId(), ReservationId = held.ReservationId, Order = Shop.Draft(quantity: 30),
        });
        var replayed = await _server.Inventory.CreateReservationAsync(create);
        var now = await _server.Inventory.GetReservationAsync(new GetReservationRequest { ReservationId = held.ReservationId });

        Assert.Equal(ReservationState.Held, held.State);
        Assert.Equal(held.CreateTime.ToDateTime().AddHours(1), held.ExpireTime.ToDateTime());
        Assert.Equal(("A", "L1", 40), (Assert.Single(held.Items).SkuId, held.Items[0].LocationId, held.Items[0].Quantity));
        Assert.True(extended.ExpireTime.ToDateTime() > held.ExpireTime.ToDateTime());
        Assert.True(replayed.Replayed);
        replayed.Replayed = false;
        Assert.Equal(held, replayed);
        Assert.Equal((ReservationState.Committed, order.OrderId), (now.State, now.OrderId));
        Assert.Equal(held.ReservationId, (await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId })).ReservationId);
        var stock = await _server.Inventory.GetStockAsync(new GetStockRequest { SkuId = "A" });
        Assert.Equal((0L, 30L, 170L), (stock.Levels.Sum(level => level.Held), stock.Levels.Sum(level => level.Committed), stock.Sellable));
    }

    [Fact]
    public async Task A_reservation_says_that_it_was_reminded_of()
    {
        await _server.Catalog.SetDeadlinesAsync(new SetDeadlinesRequest { RequestId = Shop.NewId(), Settings = new DeadlineSettings { HoldRemindBefore = new Duration { Seconds = 43_200 } } });
        var create = Shop.Reserve();
        var held = await _server.Inventory.CreateReservationAsync(create);
        // Its end is nearer than that, so the engine's next event is the reminder.
        var reminded = await _server.Inventory.GetReservationAsync(new GetReservationRequest { ReservationId = held.ReservationId, MinSequence = held.Sequence + 1 });
        Assert.Equal((false, true, held.Sequence + 1, ReservationState.Held), (held.Reminded, reminded.Reminded, reminded.Sequence, reminded.State));
        Assert.Equal(new Reservation(held) { Replayed = true }, await _server.Inventory.CreateReservationAsync(create));
    }

    [Fact]
    public async Task A_released_reservation_is_not_held_any_more()
    {
        var held = await _server.Inventory.CreateReservationAsync(Shop.Reserve());
        var released = await _server.Inventory.ReleaseReservationAsync(new ReleaseReservationRequest { RequestId = Shop.NewId(), ReservationId = held.ReservationId });
        var refused = await Refusal.ExpectAsync(async () => await _server.Inventory.ReleaseReservationAsync(
            new ReleaseReservationRequest { RequestId = Shop.NewId(), ReservationId = held.ReservationId }));

        Assert.Equal(ReservationState.Released, released.State);
        Assert.Equal("RESERVATION_NOT_HELD", refused.Reason);
    }

    [Fact]
    public async Task Stock_is_received_counted_and_set_aside()
    {
        var received = await _server.Inventory.ReceiveStockAsync(new ReceiveStockRequest
        {
            RequestId = Shop.NewId(), LocationId = "L2", Reference = "PO-1", Items = { new ReservationItem { SkuId = "EMPTY", Quantity = 5 }, new ReservationItem { SkuId = "A", Quantity = 1 } },
        });
        var counted = await _server.Inventory.AdjustStockAsync(new AdjustStockRequest { RequestId = Shop.NewId(), LocationId = "L2", SkuId = "EMPTY", CountedOnHand = 3 });
        var aside = await _server.Inventory.AdjustStockAsync(new AdjustStockRequest { RequestId = Shop.NewId(), LocationId = "L2", SkuId = "EMPTY", UnavailableDelta = 2, Reason = "DAMAGED" });

        Assert.Equal([("EMPTY", 5L), ("A", 101L)], received.Levels.Select(level => (level.SkuId, level.OnHand)));
        Assert.Equal(3, Assert.Single(counted.Levels).OnHand);
        Assert.Equal((3L, 2L, 1L), (aside.Levels[0].OnHand, aside.Levels[0].Unavailable, aside.Levels[0].Sellable));
    }

    [Fact]
    public async Task Levels_are_listed_page_by_page()
    {
        var seen = new List<(string, string)>();
        var token = "";
        do
        {
            var page = await _server.Inventory.ListStockAsync(new ListStockRequest { PageSize = 3, PageToken = token });
            seen.AddRange(page.Levels.Select(level => (level.SkuId, level.LocationId)));
            token = page.NextPageToken;
        }
        while (token.Length > 0);
        var atL2 = await _server.Inventory.ListStockAsync(new ListStockRequest { LocationId = "L2" });

        Assert.Equal([("A", "L1"), ("B", "L1"), ("A", "L2"), ("B", "L2")], seen);
        Assert.Equal(["A", "B"], atL2.Levels.Select(level => level.SkuId));
    }

    [Fact]
    public async Task A_page_token_belongs_to_its_request()
    {
        var page = await _server.Inventory.ListStockAsync(new ListStockRequest { PageSize = 1 });

        var refused = await Refusal.ExpectAsync(async () => await _server.Inventory.ListStockAsync(new ListStockRequest { LocationId = "L1", PageToken = page.NextPageToken }));

        Assert.Equal(["page_token"], refused.Fields);
    }

    [Fact]
    public async Task Catalog_entries_read_back_and_an_upsert_without_change_writes_nothing()
    {
        var sku = new Sku
        {
            SkuId = "S", Name = "Näme", Model = "M", Specification = "10 mm", Category = "C", Unit = "box", PriceMinor = 199, CurrencyCode = "EUR",
            LeadTime = new Duration { Seconds = 86_400 }, SubstituteSkuIds = { "A", "B" },
        };
        var first = await _server.Catalog.UpsertSkuAsync(new UpsertSkuRequest { RequestId = Shop.NewId(), Sku = sku });
        var before = await _server.StatusAsync();
        var again = await _server.Catalog.UpsertSkuAsync(new UpsertSkuRequest { RequestId = Shop.NewId(), Sku = sku });
        var channel = await _server.Catalog.UpsertChannelAsync(new UpsertChannelRequest
        {
            RequestId = Shop.NewId(),
            Channel = new Channel { ChannelId = "N", AllowedLocationIds = { "L2" }, SourcingRule = SourcingRule.MostAvailable, DefaultAllocationPolicy = AllocationPolicy.PartialBackorder },
        });

        Assert.Equal(first, again);
        Assert.Equal(first, await _server.Catalog.GetSkuAsync(new GetSkuRequest { SkuId = "S" }));
        sku.MergeFrom(new Sku { Sequence = first.Sequence, Etag = first.Etag });
        Assert.Equal(sku, first);
        Assert.Equal(before.Sequence + 1, channel.Sequence);
        Assert.Equal(channel, await _server.Catalog.GetChannelAsync(new GetChannelRequest { ChannelId = "N" }));
        var first2 = await _server.Catalog.ListSkusAsync(new ListSkusRequest { PageSize = 2 });
        var rest = await _server.Catalog.ListSkusAsync(new ListSkusRequest { PageToken = first2.NextPageToken });
        Assert.Equal(["A", "B", "EMPTY", "S"], first2.Skus.Concat(rest.Skus).Select(entry => entry.SkuId));
        Assert.Empty(rest.NextPageToken);
        Assert.Equal(["L1", "L2"], (await _server.Catalog.ListLocationsAsync(new ListLocationsRequest())).Locations.Select(entry => entry.LocationId));
        Assert.Equal(["WEB", "N"], (await _server.Catalog.ListChannelsAsync(new ListChannelsRequest())).Channels.Select(entry => entry.ChannelId));
    }

    [Fact]
    public async Task A_customers_details_are_kept_apart_and_survive_an_upsert_without_them()
    {
        var details = new PersonalDetails { Name = "Grace Hopper", Email = "grace@example.org", CountryCode = "US" };
        await _server.Customers.UpsertCustomerAsync(new UpsertCustomerRequest { RequestId = Shop.NewId(), Customer = new Customer { CustomerId = "C9", Tier = 1, Details = details } });
        var upserted = await _server.Customers.UpsertCustomerAsync(new UpsertCustomerRequest { RequestId = Shop.NewId(), Customer = new Customer { CustomerId = "C9", Tier = 5 } });

        var without = await _server.Customers.GetCustomerAsync(new GetCustomerRequest { CustomerId = "C9" });
        var with = await _server.Customers.GetCustomerAsync(new GetCustomerRequest { CustomerId = "C9", IncludeDetails = true });

        Assert.Equal(5, upserted.Tier);
        Assert.Null(without.Details);
        Assert.Equal(details, with.Details);
    }
}
