// A day of orders with personal data on a server that logs and traces all it can: nothing of it stands in a log line, a value of one, a metric or a
// span.

using System.Text;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.Traces;

[Collection("collectors")]
public sealed class HygieneTests
{
    // Each is looked for as a whole and by its rarest word.
    private static readonly string[] Secrets =
        ["Zsuzsanna Quillfeather", "Quillfeather", "01632960123", "zq@quillfeather.example", "17 Thistledown Mews", "Thistledown", "Sneck-upon-Wold", "ZQ99 7XX", "leave it with the Okonkwos", "Okonkwos"];

    private static readonly string[] Categories =
        ["Default", "Microsoft", "Microsoft.AspNetCore.Server.Kestrel.Http2", "Microsoft.Extensions.Hosting.Internal.Host", "Grpc", "Grpc.AspNetCore.Server.ServerCallHandler", "OrderEngine"];

    [Fact]
    public async Task Nothing_of_a_person_stands_in_logs_metrics_or_traces_however_much_is_logged()
    {
        var log = new Captured();
        await using var collector = await Collector.StartAsync();
        var pages = new List<string>();
        await using (var server = await TestServer.StartAsync(services => services.AddSingleton<ILoggerProvider>(new Everything(log)),
            options: settings => settings with { TraceTo = collector.Grpc, TraceOneIn = 1 }))
        {
            foreach (var category in Categories) await server.Admin.SetLogLevelAsync(new SetLogLevelRequest { Category = category, Level = LogThreshold.Trace });
            await Shop.OpenAsync(server);
            await DayAsync(server);
            using var http = new HttpClient();
            pages.Add(await http.GetStringAsync(new Uri(server.MetricsAddress)));
            http.DefaultRequestHeaders.Add("Accept", "application/openmetrics-text");
            pages.Add(await http.GetStringAsync(new Uri(server.MetricsAddress)));
            await server.StopAsync();
        }

        // All of it was there to be found: the framework's own lines of each call, metrics, and spans of every kind of call that was made.
        var lines = log.Lines;
        Assert.Contains(lines, line => line.StartsWith("Trace ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("SubmitOrder", StringComparison.Ordinal));
        Assert.Contains(pages, page => page.Contains("orderengine_commands_total", StringComparison.Ordinal));
        Assert.Contains(collector.All, one => one.Span.Name.EndsWith("/AmendOrder", StringComparison.Ordinal));
        Assert.Contains(collector.All, one => one.Span.Name.EndsWith("/StreamSubmitOrders", StringComparison.Ordinal));
        foreach (var secret in Secrets)
        {
            Assert.All(lines, line => Assert.False(line.Contains(secret, StringComparison.OrdinalIgnoreCase), line));
            Assert.All(pages, page => Assert.DoesNotContain(secret, page, StringComparison.OrdinalIgnoreCase));
            Assert.All(collector.Messages, message => Assert.True(message.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) < 0, secret));
        }
    }

    private static async Task DayAsync(TestServer server)
    {
        await server.Customers.UpsertCustomerAsync(new UpsertCustomerRequest { RequestId = Shop.NewId(), Customer = new Customer { CustomerId = "Q1", Details = Details() } });
        var request = new SubmitOrderRequest { RequestId = Shop.NewId(), Order = Draft() };
        var order = await server.Orders.SubmitOrderAsync(request);
        await server.Orders.SubmitOrderAsync(request);
        // The same id with another body, an order that cannot be filled, and details that are no good: refusals tell the field, not what stood in it.
        var other = request.Clone();
        other.Order.Delivery.Name = "Zsuzsanna Quillfeather the younger";
        await Refusal.ExpectAsync(async () => await server.Orders.SubmitOrderAsync(other));
        var empty = Draft();
        empty.Lines[0].SkuId = "EMPTY";
        await Refusal.ExpectAsync(async () => await server.Orders.SubmitOrderAsync(new SubmitOrderRequest { RequestId = Shop.NewId(), Order = empty }));
        foreach (var spoil in new Action<PersonalDetails>[]
        {
            details => details.Name = "Zsuzsanna Quillfeather" + new string('x', 5_000), details => details.Email = "zq@quillfeather.example" + new string('x', 5_000), details => details.Phone = "01632960123" + new string('0', 5_000),
            details => details.CountryCode = "Thistledown", details => details.Note = new string('n', 100_000) + "leave it with the Okonkwos",
        })
        {
            var bad = Draft();
            spoil(bad.Delivery);
            await Refusal.ExpectAsync(async () => await server.Orders.SubmitOrderAsync(new SubmitOrderRequest { RequestId = Shop.NewId(), Order = bad }));
        }
        await server.Orders.BulkSubmitOrdersAsync(new BulkSubmitOrdersRequest { Requests = { new SubmitOrderRequest { RequestId = Shop.NewId(), Order = Draft() } } });
        using (var stream = server.Orders.StreamSubmitOrders())
        {
            await stream.RequestStream.WriteAsync(new StreamSubmitOrdersRequest { Orders = { new StreamedOrder { ClientSeq = 1, Request = new SubmitOrderRequest { RequestId = Shop.NewId(), Order = Draft() } } } });
            Assert.True(await stream.ResponseStream.MoveNext(default));
            await stream.RequestStream.CompleteAsync();
            Assert.False(await stream.ResponseStream.MoveNext(default));
        }
        var amended = Details();
        amended.AddressLines[0] = "19 Thistledown Mews";
        await server.Orders.AmendOrderAsync(new AmendOrderRequest
        {
            RequestId = Shop.NewId(), OrderId = order.OrderId, Order = new OrderAmendment { Delivery = amended }, UpdateMask = new FieldMask { Paths = { "delivery" } },
        });
        Assert.Contains("Quillfeather", (await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId, IncludeDelivery = true })).ToString(), StringComparison.Ordinal);
        await server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId, IncludePersonalData = true });
        using (var export = server.Admin.ExportEvents(new ExportEventsRequest { FromSequence = 1, IncludePersonalData = true }))
            while (await export.ResponseStream.MoveNext(default)) { }
        await server.Admin.CreateCheckpointAsync(new CreateCheckpointRequest());
        await server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = order.OrderId, Reason = "CHANGED_MIND" });
    }

    private static OrderDraft Draft()
    {
        var draft = Shop.Draft();
        draft.CustomerId = "Q1";
        draft.Delivery = Details();
        return draft;
    }

    private static PersonalDetails Details() => new()
    {
        Name = Secrets[0], Phone = "01632960123", Email = "zq@quillfeather.example", AddressLines = { "17 Thistledown Mews" }, City = "Sneck-upon-Wold", PostalCode = "ZQ99 7XX",
        CountryCode = "GB", Note = "leave it with the Okonkwos",
    };

    private sealed class Everything(ILogger log) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => log;

        public void Dispose() { }
    }
}
