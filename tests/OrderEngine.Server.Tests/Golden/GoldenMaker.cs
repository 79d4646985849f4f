// Makes the golden directory of the format that this code writes: a small shop in which everything has happened that the format can hold.
//
//   dotnet run --project tests/OrderEngine.Server.Tests -- make-golden tests/golden/format-N
//
// Only for a format that has none yet: a golden directory that exists is never made again. New kinds of commands belong in here.

using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.DependencyInjection;
using OrderEngine.Contracts.V1;
using OrderEngine.Core.Snapshots;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.Golden;

internal sealed class GoldenMaker
{
    private readonly TestServer _server;
    private readonly List<(string Method, JsonNode Request)> _asked = [];

    private GoldenMaker(TestServer server) => _server = server;

    /// <summary>Writes data.tar.gz and answers.json into a new directory.</summary>
    public static async Task<int> MakeAsync(string target)
    {
        if (Directory.Exists(target))
        {
            await Console.Error.WriteLineAsync($"'{target}' exists: what an earlier version wrote is not made again by a later one.");
            return 1;
        }
        var data = Directory.CreateTempSubdirectory("orderengine-golden-").FullName;
        try
        {
            GoldenAnswers answers;
            await using (var server = await StartAsync(data)) answers = await new GoldenMaker(server).RunAsync();
            File.Delete(Path.Combine(data, "lock"));
            Directory.CreateDirectory(target);
            GoldenDirectory.Pack(data, Path.Combine(target, "data.tar.gz"));
            answers.Save(Path.Combine(target, "answers.json"));
            return 0;
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    /// <summary>A server whose clock stands at the time of all golden directories, so that the idempotency window is still open.</summary>
    public static Task<TestServer> StartAsync(string data) =>
        TestServer.StartAsync(services => services.AddSingleton<TimeProvider>(new ManualTime()), data);

    private async Task<GoldenAnswers> RunAsync()
    {
        await CatalogAsync();
        var early = await OrdersAsync("early");
        await _server.Admin.CreateCheckpointAsync(new CreateCheckpointRequest());
        var middle = await OrdersAsync("middle");
        await _server.Admin.CreateCheckpointAsync(new CreateCheckpointRequest());
        var late = await OrdersAsync("late");
        Reads([.. early, .. middle, .. late]);

        var status = await _server.StatusAsync();
        var calls = new List<GoldenCall>();
        foreach (var (method, request) in _asked) calls.Add(new GoldenCall(method, request, await GoldenDirectory.AskAsync(_server, method, request)));
        return new GoldenAnswers(SnapshotFormat.Version, status.Sequence, status.StateHash, calls);
    }

    private async Task CatalogAsync()
    {
        foreach (var (location, priority) in new[] { ("NORTH", 1), ("SOUTH", 2) })
            await DoAsync("CatalogService/UpsertLocation", new UpsertLocationRequest { RequestId = location, Location = new Location { LocationId = location, Name = "Hall " + location, Region = "EU", Priority = priority } });
        await DoAsync("CatalogService/UpsertSku", new UpsertSkuRequest { RequestId = "teapot-2", Sku = new Sku { SkuId = "TEAPOT-2", Name = "Teapot, blue" } });
        await DoAsync("CatalogService/UpsertSku", new UpsertSkuRequest
        {
            RequestId = "teapot",
            Sku = new Sku
            {
                SkuId = "TEAPOT", Name = "Teapot", Model = "T1", Specification = "1.2 l, white", Category = "Kitchen", Unit = "piece", PriceMinor = 1_995, CurrencyCode = "GBP",
                LeadTime = Duration.FromTimeSpan(TimeSpan.FromDays(9)), SubstituteSkuIds = { "TEAPOT-2" },
            },
        });
        await DoAsync("CatalogService/UpsertSku", new UpsertSkuRequest { RequestId = "cup", Sku = new Sku { SkuId = "CUP", Name = "Tasse à café", PriceMinor = 350, CurrencyCode = "GBP" } });
        await DoAsync("CatalogService/UpsertChannel", new UpsertChannelRequest
        {
            RequestId = "web", Channel = new Channel { ChannelId = "WEB", Name = "Web shop", SourcingRule = SourcingRule.MostAvailable, DefaultAllocationPolicy = AllocationPolicy.PartialBackorder },
        });
        await DoAsync("CatalogService/UpsertChannel", new UpsertChannelRequest { RequestId = "pos", Channel = new Channel { ChannelId = "POS", AllowedLocationIds = { "SOUTH" } } });
        await DoAsync("CustomerService/UpsertCustomer", new UpsertCustomerRequest { RequestId = "ada", Customer = new Customer { CustomerId = "ADA", Tier = 3, Details = Person("Ada Lovelace") } });
        await DoAsync("CustomerService/UpsertCustomer", new UpsertCustomerRequest { RequestId = "bob", Customer = new Customer { CustomerId = "BOB" } });
        await ReceiveAsync("open", "NORTH", 40);
        await ReceiveAsync("open", "SOUTH", 25);
    }

    /// <summary>Every kind of command, under ids that begin with <paramref name="stage"/>; the ids of the orders.</summary>
    private async Task<string[]> OrdersAsync(string stage)
    {
        var delivered = await SubmitAsync(stage, "delivered", "ADA", 3);
        await DoAsync("FulfillmentService/ReleaseShipment", new ReleaseShipmentRequest { RequestId = stage + "-release", OrderId = delivered, Actor = new Actor { Id = "hall-1", Role = Role.Warehouse } });
        await DoAsync("FulfillmentService/ConfirmShipment", new ConfirmShipmentRequest { RequestId = stage + "-ship", OrderId = delivered, Carrier = "POST", TrackingNumber = "P-" + stage });
        await DoAsync("FulfillmentService/RecordDelivery", new RecordDeliveryRequest { RequestId = stage + "-deliver", OrderId = delivered });

        var cancelled = await SubmitAsync(stage, "cancelled", "BOB", 2);
        await DoAsync("OrderService/CancelOrder", new CancelOrderRequest { RequestId = stage + "-cancel", OrderId = cancelled, Reason = "CHANGED_MIND" });
        var partly = await SubmitAsync(stage, "partly", "", 4);
        await DoAsync("OrderService/CancelOrder", new CancelOrderRequest { RequestId = stage + "-cancel-some", OrderId = partly, Lines = { new LineQuantity { LineNumber = 1, Quantity = 1 } } });
        await DoAsync("FulfillmentService/ReleaseShipment", new ReleaseShipmentRequest { RequestId = stage + "-release-some", OrderId = partly });

        var waiting = await SubmitAsync(stage, "waiting", "ADA", 9, "TEAPOT-2");
        await ReceiveAsync(stage + "-more", "NORTH", 5, "TEAPOT-2");
        await DoAsync("OrderService/SubmitOrder", Submit(stage, "refused", "", 500, AllocationPolicy.AllOrNothing));
        await DoAsync("OrderService/SubmitOrder", Submit(stage, "delivered", "", 1, AllocationPolicy.PartialBackorder, request: "taken"));
        await DoAsync("OrderService/CancelOrder", new CancelOrderRequest { RequestId = stage + "-cancel-late", OrderId = delivered });

        var kept = await ReserveAsync(stage, "kept");
        await DoAsync("InventoryService/ExtendReservation", new ExtendReservationRequest { RequestId = stage + "-extend", ReservationId = kept, Ttl = Duration.FromTimeSpan(TimeSpan.FromHours(20)) });
        await DoAsync("InventoryService/ReleaseReservation", new ReleaseReservationRequest { RequestId = stage + "-let-go", ReservationId = await ReserveAsync(stage, "let-go-of") });
        var held = await ReserveAsync(stage, "bought");
        var committed = await DoAsync("InventoryService/CommitReservation", new CommitReservationRequest
        {
            RequestId = stage + "-commit", ReservationId = held, Order = Submit(stage, "committed", "", 1, AllocationPolicy.AllOrNothing, sku: "CUP").Order,
        });
        await DoAsync("InventoryService/AdjustStock", new AdjustStockRequest { RequestId = stage + "-broken", LocationId = "SOUTH", SkuId = "CUP", UnavailableDelta = 1, Reason = "BROKEN" });
        foreach (var reservation in new[] { kept, held }) _asked.Add(("InventoryService/GetReservation", GoldenDirectory.Json(new GetReservationRequest { ReservationId = reservation })));
        return [delivered, cancelled, partly, waiting, committed["orderId"]!.GetValue<string>()];
    }

    private void Reads(IReadOnlyList<string> orders)
    {
        foreach (var order in orders)
        {
            Ask("OrderService/GetOrder", new GetOrderRequest { OrderId = order, IncludeDelivery = true });
            Ask("OrderService/ListOrderEvents", new ListOrderEventsRequest { OrderId = order });
            Ask("TrackingService/TrackOrder", new TrackOrderRequest { OrderId = order });
        }
        foreach (var stage in new[] { "early", "middle", "late" })
            Ask("OrderService/LookupOrder", new LookupOrderRequest { ChannelId = "WEB", ExternalOrderId = stage + "-waiting" });
        foreach (var sku in new[] { "TEAPOT", "TEAPOT-2", "CUP" })
        {
            Ask("InventoryService/GetStock", new GetStockRequest { SkuId = sku });
            Ask("CatalogService/GetSku", new GetSkuRequest { SkuId = sku });
        }
        Ask("CatalogService/ListLocations", new ListLocationsRequest());
        Ask("CatalogService/ListChannels", new ListChannelsRequest());
        foreach (var customer in new[] { "ADA", "BOB" }) Ask("CustomerService/GetCustomer", new GetCustomerRequest { CustomerId = customer, IncludeDetails = true });
    }

    private async Task<string> SubmitAsync(string stage, string name, string customer, int teapots, string sku = "TEAPOT") =>
        (await DoAsync("OrderService/SubmitOrder", Submit(stage, name, customer, teapots, AllocationPolicy.PartialBackorder, sku: sku)))["orderId"]!.GetValue<string>();

    private async Task<string> ReserveAsync(string stage, string name) =>
        (await DoAsync("InventoryService/CreateReservation", new CreateReservationRequest
        {
            RequestId = $"{stage}-hold-{name}", ChannelId = "WEB", Items = { new ReservationItem { SkuId = "CUP", Quantity = 2 } }, Ttl = Duration.FromTimeSpan(TimeSpan.FromHours(2)),
        }))["reservationId"]!.GetValue<string>();

    private Task<JsonNode> ReceiveAsync(string name, string location, int units, string sku = "TEAPOT") => DoAsync("InventoryService/ReceiveStock", new ReceiveStockRequest
    {
        RequestId = $"{name}-{location}", LocationId = location, Reference = "GR-" + name,
        Items = { new ReservationItem { SkuId = sku, Quantity = units }, new ReservationItem { SkuId = "CUP", Quantity = 3 * units } },
    });

    private static SubmitOrderRequest Submit(string stage, string name, string customer, int teapots, AllocationPolicy policy, string? request = null, string sku = "TEAPOT") => new()
    {
        RequestId = $"{stage}-{request ?? name}", Actor = new Actor { Id = "web-1", Role = Role.Channel },
        Order = new OrderDraft
        {
            ChannelId = "WEB", ExternalOrderId = $"{stage}-{name}", CustomerId = customer, CurrencyCode = "GBP", AllocationPolicy = policy, Priority = Priority.Normal,
            Lines = { new OrderLineDraft { SkuId = sku, Quantity = teapots, UnitPriceMinor = 1_995 }, new OrderLineDraft { SkuId = "CUP", Quantity = 1, UnitPriceMinor = 350 } },
            Delivery = Person(name),
        },
    };

    private static PersonalDetails Person(string name) => new()
    {
        Name = name, Phone = "+44 20 7946 0000", Email = "someone@example.org", AddressLines = { "1 High Street" }, City = "London", PostalCode = "N1", CountryCode = "GB", Note = "Ring twice.",
    };

    private void Ask(string method, IMessage request) => _asked.Add((method, GoldenDirectory.Json(request)));

    /// <summary>Asks now, and notes the request: its retry is one of the calls.</summary>
    private async Task<JsonNode> DoAsync(string method, IMessage request)
    {
        Ask(method, request);
        return await GoldenDirectory.AskAsync(_server, method, GoldenDirectory.Json(request));
    }
}
