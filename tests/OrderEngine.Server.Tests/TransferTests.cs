// What is exported can be imported, and nothing else can.

using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderEngine.Contracts.V1;
using OrderEngine.Journal;
using OrderEngine.Server.Mapping;
using OrderEngine.Server.Metrics;
using OrderEngine.Server.Tests.Kit;
using static OrderEngine.Core.Outcomes;
using Outcome = OrderEngine.Core.Outcome;
using Serving = OrderEngine.Contracts.Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace OrderEngine.Server.Tests;

public sealed class TransferTests
{
    [Fact]
    public async Task Invariants_hold_and_an_export_into_an_empty_engine_gives_the_same()
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        var guest = Shop.Submit();
        guest.Order.Delivery = new PersonalDetails { Name = "Guest" };
        var guestOrder = await server.Orders.SubmitOrderAsync(guest);
        await server.Customers.UpsertCustomerAsync(new UpsertCustomerRequest { RequestId = Shop.NewId(), Customer = new Customer { CustomerId = "C2", Details = new PersonalDetails { Name = "Known" } } });
        await Shop.OrderAsync(server, "B", 3);
        var verified = await server.Admin.VerifyInvariantsAsync(new VerifyInvariantsRequest());
        var status = await server.StatusAsync();

        await using var copy = await TestServer.StartAsync();
        using (var export = server.Admin.ExportEvents(new ExportEventsRequest { FromSequence = 1, IncludePersonalData = true }))
        using (var import = copy.Admin.ImportEvents())
        {
            while (await export.ResponseStream.MoveNext(default))
                await import.RequestStream.WriteAsync(new ImportEventsRequest { Events = { export.ResponseStream.Current.Events } });
            await import.RequestStream.CompleteAsync();
            var imported = await import;
            Assert.Equal((status.Sequence, status.Sequence), (imported.Sequence, imported.Events));
        }

        Assert.Empty(verified.Violations);
        Assert.Equal((2, 4), (verified.OrdersChecked, verified.StockLevelsChecked));
        var copied = await copy.StatusAsync();
        Assert.Equal((status.Orders, status.Stock), (copied.Orders, copied.Stock));
        Assert.Equal(await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = guestOrder.OrderId, IncludeDelivery = true }),
            await copy.Orders.GetOrderAsync(new GetOrderRequest { OrderId = guestOrder.OrderId, IncludeDelivery = true }));
        Assert.Equal("Known", (await copy.Customers.GetCustomerAsync(new GetCustomerRequest { CustomerId = "C2", IncludeDetails = true })).Details.Name);
        Assert.Equal("ENGINE_NOT_EMPTY", (await Refusal.ExpectAsync(async () =>
        {
            using var second = copy.Admin.ImportEvents();
            await second.RequestStream.CompleteAsync();
            await second;
        })).Reason);
    }

    [Fact]
    public async Task An_import_that_does_not_fit_names_the_event_and_writes_nothing()
    {
        await using var server = await TestServer.StartAsync();
        using var import = server.Admin.ImportEvents();
        await import.RequestStream.WriteAsync(new ImportEventsRequest
        {
            Events =
            {
                new Contracts.Journal.Event { Sequence = 1, Time = 1, SkuDefined = new Contracts.Journal.SkuDefined { Sku = 1, SkuId = "A" } },
                new Contracts.Journal.Event { Sequence = 3, Time = 1, SkuDefined = new Contracts.Journal.SkuDefined { Sku = 2, SkuId = "B" } },
            },
        });
        await import.RequestStream.CompleteAsync();

        var refusal = await Refusal.ExpectAsync(async () => await import);

        Assert.Equal(["events[1]"], refusal.Fields);
        Assert.Equal(0, (await server.StatusAsync()).Sequence);
    }

    [Fact]
    public async Task Personal_data_without_a_key_is_never_imported_in_the_clear()
    {
        await using var server = await TestServer.StartAsync();
        using var import = server.Admin.ImportEvents();
        var details = new Contracts.Journal.Sealed { Plaintext = new PersonalDetails { Name = "Clear" }.ToByteString() };
        await import.RequestStream.WriteAsync(new ImportEventsRequest
        {
            Events =
            {
                new Contracts.Journal.Event
                {
                    Sequence = 1, Time = 1, CustomerDefined = new Contracts.Journal.CustomerDefined { Customer = 1, CustomerId = "C", Details = details },
                },
            },
        });
        await import.RequestStream.CompleteAsync();

        Assert.Equal(["events[0]"], (await Refusal.ExpectAsync(async () => await import)).Fields);
    }
}
