// A small shop on a server: what the tests sell, where it lies, and requests that are sound unless a test spoils them.

using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Server.Tests.Kit;

internal static class Shop
{
    private static long _last;

    /// <summary>An id that no other request has.</summary>
    public static string NewId(string prefix = "r") => $"{prefix}-{Interlocked.Increment(ref _last)}";

    /// <summary>Channel WEB, customer C1, SKUs A, B and EMPTY, locations L1 (first) and L2, 1,000,000 of A and B at each.</summary>
    public static async Task OpenAsync(TestServer server, int units = 1_000_000)
    {
        foreach (var location in new[] { "L1", "L2" })
            await server.Catalog.UpsertLocationAsync(new UpsertLocationRequest { RequestId = NewId(), Location = new Location { LocationId = location, Priority = location[1] - '0' } });
        foreach (var sku in new[] { "A", "B", "EMPTY" })
            await server.Catalog.UpsertSkuAsync(new UpsertSkuRequest { RequestId = NewId(), Sku = new Sku { SkuId = sku, Name = "Thing " + sku } });
        await server.Catalog.UpsertChannelAsync(new UpsertChannelRequest { RequestId = NewId(), Channel = new Channel { ChannelId = "WEB" } });
        await server.Customers.UpsertCustomerAsync(new UpsertCustomerRequest { RequestId = NewId(), Customer = new Customer { CustomerId = "C1", Tier = 2 } });
        foreach (var location in new[] { "L1", "L2" })
        {
            await server.Inventory.ReceiveStockAsync(new ReceiveStockRequest
            {
                RequestId = NewId(), LocationId = location,
                Items = { new ReservationItem { SkuId = "A", Quantity = units }, new ReservationItem { SkuId = "B", Quantity = units } },
            });
        }
    }

    public static OrderDraft Draft(string sku = "A", int quantity = 1, AllocationPolicy policy = AllocationPolicy.AllOrNothing) => new()
    {
        ChannelId = "WEB", ExternalOrderId = NewId("x"), CurrencyCode = "GBP", AllocationPolicy = policy,
        Lines = { new OrderLineDraft { SkuId = sku, Quantity = quantity, UnitPriceMinor = 250 } },
    };

    public static SubmitOrderRequest Submit(string sku = "A", int quantity = 1, AllocationPolicy policy = AllocationPolicy.AllOrNothing) =>
        new() { RequestId = NewId(), Order = Draft(sku, quantity, policy) };

    public static CreateReservationRequest Reserve(string sku = "A", int quantity = 1) => new()
    {
        RequestId = NewId(), ChannelId = "WEB", Items = { new ReservationItem { SkuId = sku, Quantity = quantity } }, Ttl = Duration.FromTimeSpan(TimeSpan.FromHours(1)),
    };

    public static async Task<SubmitOrderResponse> OrderAsync(TestServer server, string sku = "A", int quantity = 1) =>
        await server.Orders.SubmitOrderAsync(Submit(sku, quantity));
}
