// Statistics and statements over the wire: what a few orders come to, by every axis, page by page, and after a restart.

using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.DependencyInjection;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class StatsTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        await Shop.OpenAsync(_server);
        await _server.Catalog.UpsertSkuAsync(new UpsertSkuRequest { RequestId = Shop.NewId(), Sku = new Sku { SkuId = "B", Category = "tools" } });
        await _server.Catalog.UpsertLocationAsync(new UpsertLocationRequest { RequestId = Shop.NewId(), Location = new Location { LocationId = "L1", Priority = 1, Region = "north" } });
        await _server.Catalog.UpsertChannelAsync(new UpsertChannelRequest { RequestId = Shop.NewId(), Channel = new Channel { ChannelId = "APP" } });
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task Orders_are_counted_by_channel_state_day_category_and_region()
    {
        var a = await SubmitAsync("A", 2);
        var b = await SubmitAsync("B", 1, channel: "APP", requested: new Timestamp { Seconds = 4_000_000_000 });
        await SubmitAsync("A", 1, currency: "EUR");
        var cancelled = await SubmitAsync("B", 4);
        await _server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = cancelled });
        await DeliverAsync(b);
        await _server.Fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = a });

        var stats = await _server.Admin.GetStatsAsync(new GetStatsRequest());
        Assert.Equal((await _server.StatusAsync()).Sequence, stats.Sequence);
        Assert.Equal(["Ready EUR 1 250 0", "Fulfilling GBP 1 500 0", "Delivered GBP 1 250 0", "Cancelled GBP 1 1000 1000"], stats.States.SelectMany(s => s.Figures.Select(f => $"{s.State} {Text(f)}")));
        var day = Assert.Single(stats.Days);
        Assert.Equal(["GBP 3 1750 1000", "EUR 1 250 0"], day.Figures.Select(Text));
        Assert.Matches("^20[0-9]{2}-[01][0-9]-[0-3][0-9]$", day.Day);
        Assert.Equal([" GBP 1 500 0", "tools GBP 2 1250 1000", " EUR 1 250 0"], stats.Categories.SelectMany(c => c.Figures.Select(f => (f.CurrencyCode, $"{c.Group} {Text(f)}"))).OrderByDescending(t => t.CurrencyCode, StringComparer.Ordinal).Select(t => t.Item2));
        Assert.Equal(["north GBP 1 250 0"], stats.Regions.SelectMany(c => c.Figures.Select(f => $"{c.Group} {Text(f)}")));
        Assert.Equal(["WEB GBP 2 1500 1000", "WEB EUR 1 250 0", "APP GBP 1 250 0"], stats.Channels.SelectMany(c => c.Figures.Select(f => $"{c.ChannelId} {Text(f)}")));
        Assert.Equal((2, 1, 1, 1, 0, 1), (stats.Service.ToRelease.Count, stats.Service.ToShip.Count, stats.Service.ToDelivery.Count, stats.Service.OrdersWithDate, stats.Service.OrdersLate, stats.Service.OrdersAsOrdered));
        Assert.Equal((1.0, 60, 1), (stats.Service.Accuracy, Assert.Single(stats.Service.ToShip.Buckets).UpToSeconds, stats.Service.ToShip.Buckets[0].Count));

        var app = await _server.Admin.GetStatsAsync(new GetStatsRequest { ChannelId = "APP" });
        Assert.Equal(["Delivered GBP 1 250 0"], app.States.SelectMany(s => s.Figures.Select(f => $"{s.State} {Text(f)}")));
        Assert.Equal((0, 0, "APP", 1), (app.Categories.Count, app.Regions.Count, Assert.Single(app.Channels).ChannelId, app.Service.ToDelivery.Count));
        var euro = await _server.Admin.GetStatsAsync(new GetStatsRequest { CurrencyCode = "EUR", LastDay = "2001-01-01" });
        Assert.Empty(euro.Days);
        Assert.Equal("Ready EUR 1 250 0", Assert.Single(euro.States.SelectMany(s => s.Figures.Select(f => $"{s.State} {Text(f)}"))));

        // A return that cannot be sold again: the order was not as ordered after all.
        await ReturnAsync(b, Disposition.Scrap);
        var after = await _server.Admin.GetStatsAsync(new GetStatsRequest());
        Assert.Equal((0, 0.0, 1, 1.0), (after.Service.OrdersAsOrdered, after.Service.Accuracy, after.Service.OrdersReturned, after.Service.ReturnRate));
        Assert.Empty((await _server.Admin.VerifyInvariantsAsync(new VerifyInvariantsRequest())).Violations);
    }

    [Fact]
    public async Task Channels_come_page_by_page()
    {
        var pages = new List<Stats>();
        do pages.Add(await _server.Admin.GetStatsAsync(new GetStatsRequest { PageSize = 1, PageToken = pages.Count == 0 ? "" : pages[^1].NextPageToken }));
        while (pages[^1].NextPageToken.Length > 0);
        Assert.Equal(["WEB", "APP"], pages.Select(page => Assert.Single(page.Channels).ChannelId));
        Assert.Equal([true, false], pages.Select(page => page.Service is not null));
        var foreign = await Refusal.ExpectAsync(async () => await _server.Admin.GetStatsAsync(new GetStatsRequest { CurrencyCode = "GBP", PageToken = pages[0].NextPageToken }));
        Assert.Contains("page_token", foreign.Fields);
    }

    [Fact]
    public async Task A_statement_says_what_moved_in_a_period_and_every_page_speaks_of_the_same_moment()
    {
        var first = await SubmitAsync("A", 4, customer: "C1");
        await PayAsync(first, 600);
        var second = await SubmitAsync("A", 2, customer: "C1");
        await SubmitAsync("B", 9);
        await DeliverAsync(first);
        await ReturnAsync(first, Disposition.Restock, units: 1);

        var whole = await _server.Customers.GetStatementAsync(new GetStatementRequest { CustomerId = "C1" });
        Assert.Equal([first, second], whole.Orders.Select(order => order.OrderId));
        Assert.Equal(new StatementFigures { CurrencyCode = "GBP", OrderedMinor = 1_000, ReturnedMinor = 250, PaidMinor = 600, DeliveredMinor = 1_000, ClosingMinor = 150, DueMinor = 150 }, whole.Orders[0].Figures);
        Assert.Equal(new StatementFigures { CurrencyCode = "GBP", OrderedMinor = 1_500, ReturnedMinor = 250, PaidMinor = 600, DeliveredMinor = 1_000, ClosingMinor = 650, DueMinor = 650 }, Assert.Single(whole.Totals));
        var settlement = await _server.Orders.GetSettlementAsync(new GetSettlementRequest { OrderId = first });
        Assert.Equal((settlement.Balance.OutstandingMinor, settlement.DueNowMinor), (whole.Orders[0].Figures.ClosingMinor, whole.Orders[0].Figures.DueMinor));

        var page = await _server.Customers.GetStatementAsync(new GetStatementRequest { CustomerId = "C1", PageSize = 1 });
        await _server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = second });
        await SubmitAsync("A", 1, customer: "C1");
        var next = await _server.Customers.GetStatementAsync(new GetStatementRequest { CustomerId = "C1", PageSize = 1, PageToken = page.NextPageToken });
        Assert.Equal((page.Sequence, "", whole.Orders[1]), (next.Sequence, next.NextPageToken, Assert.Single(next.Orders)));

        // Before the second order there was only the first; since then the balance begins with what it left.
        var between = whole.Orders[1].AcceptTime;
        var before = await _server.Customers.GetStatementAsync(new GetStatementRequest { CustomerId = "C1", Before = between });
        Assert.Equal((400, first), (Assert.Single(before.Totals).ClosingMinor, Assert.Single(before.Orders).OrderId));
        var since = await _server.Customers.GetStatementAsync(new GetStatementRequest { CustomerId = "C1", Since = between });
        var total = Assert.Single(since.Totals);
        Assert.Equal((400, 750, 500, 250), (total.OpeningMinor, total.OrderedMinor, total.CancelledMinor, total.ReturnedMinor));
        Assert.Equal(total.OpeningMinor + total.OrderedMinor - total.CancelledMinor - total.ExpiredMinor - total.LostMinor - total.ReturnedMinor - total.PaidMinor + total.RefundedMinor, total.ClosingMinor);
        Assert.Empty((await _server.Customers.GetStatementAsync(new GetStatementRequest { CustomerId = "C1", CurrencyCode = "EUR" })).Orders);

        var wrong = await Refusal.ExpectAsync(async () => await _server.Customers.GetStatementAsync(new GetStatementRequest { CustomerId = "C1", Since = between, Before = between }));
        Assert.Contains("before", wrong.Fields);
    }

    [Fact]
    public async Task What_came_late_and_what_was_complained_about_has_its_share()
    {
        var time = await RestartAsync();
        var soon = Timestamp.FromDateTimeOffset(time.GetUtcNow().AddHours(1));
        var (kept, late, undated) = (await SubmitAsync("A", 1, requested: soon), await SubmitAsync("A", 1, requested: soon), await SubmitAsync("A", 1));
        await SubmitAsync("A", 1);
        await DeliverAsync(kept);
        time.Advance(TimeSpan.FromHours(2));
        await DeliverAsync(late);
        await DeliverAsync(undated);
        foreach (var text in (string[])["late", "and nobody answers"])
            await _server.Customers.OpenComplaintAsync(new OpenComplaintRequest { RequestId = Shop.NewId(), OrderId = late, Category = ComplaintCategory.Late, Text = text });

        var stats = await _server.Admin.GetStatsAsync(new GetStatsRequest());
        foreach (var service in (ServiceStats[])[stats.Service, stats.Channels.Single(channel => channel.ChannelId == "WEB").Service])
        {
            Assert.Equal((2, 1, 0.5), (service.OrdersWithDate, service.OrdersLate, service.LateShare));
            Assert.Equal((4, 1, 2, 0.25), (service.Orders, service.OrdersComplained, service.Complaints, service.ComplaintRate));
            Assert.Equal((3, 4L * 3_600_000_000, 4_800.0), (service.ToDelivery.Count, service.ToDelivery.SumMicros, service.ToDelivery.MeanSeconds));
            // Within its bucket.
            Assert.InRange(service.ToDelivery.P90Seconds, 3_601, 7_200);
            Assert.Equal((3, 0), (service.OrdersAsOrdered, service.OrdersReturned));
        }
        Assert.Equal(0, stats.Channels.Single(channel => channel.ChannelId == "APP").Service.Orders);
    }

    [Fact]
    public async Task Every_figure_of_a_statement_is_its_own()
    {
        var time = await RestartAsync();
        var order = await SubmitAsync("A", 8, customer: "C1");
        await PayAsync(order, 600);
        await _server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = order, Lines = { new LineQuantity { LineNumber = 1, Quantity = 1 } } });
        await _server.Fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order });
        await _server.Fulfillment.ConfirmShipmentAsync(new ConfirmShipmentRequest { RequestId = Shop.NewId(), OrderId = order });
        await _server.Fulfillment.RecordLossAsync(new RecordLossRequest { RequestId = Shop.NewId(), OrderId = order, Lines = { new LineQuantity { LineNumber = 1, Quantity = 2 } } });
        await _server.Fulfillment.RecordDeliveryAsync(new RecordDeliveryRequest { RequestId = Shop.NewId(), OrderId = order });
        await ReturnAsync(order, Disposition.Restock, units: 3);
        await _server.Orders.RecordRefundAsync(new RecordRefundRequest { RequestId = Shop.NewId(), OrderId = order, AmountMinor = 70, CurrencyCode = "GBP", Reference = Shop.NewId("r") });
        time.Advance(TimeSpan.FromHours(1));
        var unpaid = Shop.Submit("B", 7);
        (unpaid.Order.CustomerId, unpaid.Order.PaymentTerms) = ("C1", PaymentTerms.Prepaid);
        var expired = (await _server.Orders.SubmitOrderAsync(unpaid)).OrderId;
        time.Advance(TimeSpan.FromDays(4));
        // What has passed is recorded first.
        await _server.Orders.AddNoteAsync(new AddNoteRequest { RequestId = Shop.NewId(), OrderId = expired, Text = "never paid" });

        var whole = await _server.Customers.GetStatementAsync(new GetStatementRequest { CustomerId = "C1" });
        Assert.Equal([order, expired], whole.Orders.Select(one => one.OrderId));
        Assert.Equal(new StatementFigures
        {
            CurrencyCode = "GBP", OrderedMinor = 3_750, CancelledMinor = 250, ExpiredMinor = 1_750, LostMinor = 500, ReturnedMinor = 750, PaidMinor = 600, RefundedMinor = 70,
            DeliveredMinor = 1_250, ClosingMinor = -30, DueMinor = 0,
        }, Assert.Single(whole.Totals));
        Assert.Equal(new StatementFigures { CurrencyCode = "GBP", OrderedMinor = 1_750, ExpiredMinor = 1_750 }, whole.Orders[1].Figures);
        var since = await _server.Customers.GetStatementAsync(new GetStatementRequest { CustomerId = "C1", Since = whole.Orders[1].AcceptTime });
        Assert.Equal(new StatementFigures { CurrencyCode = "GBP", OpeningMinor = -30, OrderedMinor = 1_750, ExpiredMinor = 1_750, ClosingMinor = -30 }, Assert.Single(since.Totals));
    }

    // The shop again, under a clock that the test sets.
    private async Task<ManualTime> RestartAsync()
    {
        var time = new ManualTime();
        await _server.DisposeAsync();
        _server = await TestServer.StartAsync(services => services.AddSingleton<TimeProvider>(time));
        await Shop.OpenAsync(_server);
        await _server.Catalog.UpsertSkuAsync(new UpsertSkuRequest { RequestId = Shop.NewId(), Sku = new Sku { SkuId = "B" } });
        await _server.Catalog.UpsertChannelAsync(new UpsertChannelRequest { RequestId = Shop.NewId(), Channel = new Channel { ChannelId = "APP" } });
        return time;
    }

    private static string Text(OrderFigures f) => $"{f.CurrencyCode} {f.Orders} {f.OrderedMinor} {f.CancelledMinor}";

    private async Task<string> SubmitAsync(string sku, int quantity, string channel = "WEB", string currency = "GBP", string customer = "", Timestamp? requested = null)
    {
        var submit = Shop.Submit(sku, quantity);
        (submit.Order.ChannelId, submit.Order.CurrencyCode, submit.Order.CustomerId, submit.Order.RequestedTime) = (channel, currency, customer, requested);
        return (await _server.Orders.SubmitOrderAsync(submit)).OrderId;
    }

    private async Task PayAsync(string order, long amount) => await _server.Orders.RecordPaymentAsync(
        new RecordPaymentRequest { RequestId = Shop.NewId(), OrderId = order, AmountMinor = amount, CurrencyCode = "GBP", Reference = Shop.NewId("p") });

    private async Task DeliverAsync(string order)
    {
        await _server.Fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order });
        await _server.Fulfillment.ConfirmShipmentAsync(new ConfirmShipmentRequest { RequestId = Shop.NewId(), OrderId = order });
        await _server.Fulfillment.RecordDeliveryAsync(new RecordDeliveryRequest { RequestId = Shop.NewId(), OrderId = order });
    }

    private async Task ReturnAsync(string order, Disposition disposition, int units = 1)
    {
        var returns = new ReturnService.ReturnServiceClient(_server.Invoker);
        var requested = await returns.RequestReturnAsync(new RequestReturnRequest { RequestId = Shop.NewId(), OrderId = order, Lines = { new LineQuantity { LineNumber = 1, Quantity = units } } });
        await returns.ApproveReturnAsync(new ApproveReturnRequest { RequestId = Shop.NewId(), ReturnId = requested.ReturnId });
        await returns.ReceiveReturnAsync(new ReceiveReturnRequest
        {
            RequestId = Shop.NewId(), ReturnId = requested.ReturnId, LocationId = "L1", Units = { new ReceivedUnits { LineNumber = 1, Quantity = units, Disposition = disposition } },
        });
    }
}
