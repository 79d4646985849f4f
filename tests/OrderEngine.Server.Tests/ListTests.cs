// Lists over the wire: orders by every filter, page by page; exceptions listed, shown with their order, told in the stream and resolved.

using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class ListTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        await Shop.OpenAsync(_server);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task Orders_are_listed_page_by_page_by_what_is_asked_for()
    {
        var orders = new List<SubmitOrderResponse>();
        for (var i = 0; i < 5; i++)
        {
            var submit = Shop.Submit(quantity: 2);
            if (i % 2 == 0) submit.Order.CustomerId = "C1";
            orders.Add(await _server.Orders.SubmitOrderAsync(submit));
        }
        await _server.Fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = orders[2].OrderId });

        var request = new ListOrdersRequest { ChannelId = "WEB", PageSize = 2 };
        var pages = new List<ListOrdersResponse>();
        do pages.Add(await _server.Orders.ListOrdersAsync(new ListOrdersRequest(request) { PageToken = pages.Count == 0 ? "" : pages[^1].NextPageToken }));
        while (pages[^1].NextPageToken.Length > 0);
        Assert.Equal([2, 2, 1], pages.Select(page => page.Orders.Count));
        Assert.Equal(orders.Select(order => order.OrderId).Reverse(), pages.SelectMany(page => page.Orders).Select(order => order.OrderId));

        var one = pages[1].Orders[0];
        var whole = await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = one.OrderId });
        Assert.Equal(new OrderSummary
        {
            OrderId = whole.OrderId, ChannelId = "WEB", ExternalOrderId = whole.ExternalOrderId, CustomerId = "C1", Type = OrderType.Sale, State = OrderState.Fulfilling, Tier = 2,
            Priority = Priority.Normal, CurrencyCode = "GBP", TotalMinor = 500, Lines = 1, AcceptTime = whole.AcceptTime, UpdateTime = whole.UpdateTime, Sequence = whole.Sequence, Etag = whole.Etag,
        }, one);

        Assert.Equal([orders[2].OrderId], await Ids(new ListOrdersRequest { States = { OrderState.Fulfilling } }));
        Assert.Equal([orders[0].OrderId, orders[2].OrderId, orders[4].OrderId], await Ids(new ListOrdersRequest { Tiers = { 2 }, OldestFirst = true }));
        Assert.Equal([orders[4].OrderId, orders[0].OrderId], await Ids(new ListOrdersRequest { CustomerId = "C1", States = { OrderState.Ready } }));
        Assert.Empty(await Ids(new ListOrdersRequest { AcceptedBefore = orders[0].AcceptTime }));
        Assert.Equal(5, (await Ids(new ListOrdersRequest { AcceptedSince = orders[0].AcceptTime })).Count);
        Assert.Empty(await Ids(new ListOrdersRequest { WithException = true }));

        var foreign = await Refusal.ExpectAsync(async () => await _server.Orders.ListOrdersAsync(new ListOrdersRequest { PageToken = pages[0].NextPageToken }));
        Assert.Contains("page_token", foreign.Fields);
    }

    [Fact]
    public async Task An_exception_is_told_listed_shown_and_resolved_once()
    {
        var order = await Shop.OrderAsync(_server, quantity: 3);
        await _server.Fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });
        await _server.Fulfillment.ConfirmShipmentAsync(new ConfirmShipmentRequest { RequestId = Shop.NewId(), OrderId = order.OrderId, TrackingNumber = "T1" });
        await _server.Fulfillment.RecordLossAsync(new RecordLossRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });

        var raised = Assert.Single((await _server.Admin.ListExceptionsAsync(new ListExceptionsRequest { Kind = ExceptionKind.LostParcel })).Exceptions);
        var shown = await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId });
        Assert.Equal(raised, Assert.Single(shown.Exceptions));
        Assert.Equal((order.OrderId, ExceptionKind.LostParcel), (raised.OrderId, raised.Kind));
        Assert.Equal([order.OrderId], await Ids(new ListOrdersRequest { WithException = true, ExceptionKind = ExceptionKind.LostParcel }));
        var events = (await _server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId })).Events;
        Assert.Equal(raised, Assert.Single(events, e => e.ExceptionRaised is not null).ExceptionRaised);

        var stale = await Refusal.ExpectAsync(async () => await _server.Admin.ResolveExceptionAsync(Resolve(raised, "1")));
        Assert.Equal("ETAG_MISMATCH", stale.Reason);
        var resolve = Resolve(raised, raised.Etag);
        var resolved = await _server.Admin.ResolveExceptionAsync(resolve);
        Assert.Equal(new ResolveExceptionResponse(resolved) { Replayed = true }, await _server.Admin.ResolveExceptionAsync(resolve));
        var twice = await Refusal.ExpectAsync(async () => await _server.Admin.ResolveExceptionAsync(Resolve(raised, "")));
        Assert.Equal("EXCEPTION_NOT_OPEN", twice.Reason);

        Assert.Empty((await _server.Admin.ListExceptionsAsync(new ListExceptionsRequest())).Exceptions);
        var closed = Assert.Single((await _server.Admin.ListExceptionsAsync(new ListExceptionsRequest { State = ExceptionState.Resolved, OrderId = order.OrderId })).Exceptions);
        Assert.Equal(("sent anew", "anna", Role.Warehouse, resolved.Etag), (closed.Resolution, closed.ResolvedBy.Id, closed.ResolvedBy.Role, closed.Etag));
        Assert.Empty((await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId })).Exceptions);
        Assert.Empty(await Ids(new ListOrdersRequest { WithException = true }));
        var last = (await _server.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId })).Events[^1];
        Assert.Equal(new ExceptionResolved { ExceptionId = raised.ExceptionId, Resolution = "sent anew" }, last.ExceptionResolved);
    }

    [Fact]
    public async Task Deadlines_are_set_read_and_shown_with_the_order()
    {
        var settings = new DeadlineSettings
        {
            PaymentAfter = new() { Seconds = 5 }, CashAfter = new() { Seconds = 6 }, ReturnArrivalAfter = new() { Seconds = 7 }, ReturnCloseAfter = new() { Seconds = 8 },
            HoldRemindBefore = new() { Seconds = 9 },
            ReleaseAfter = new() { Seconds = 3_600 }, RemindBefore = new() { Seconds = 60 }, Stalls = { new StallTime { State = OrderState.Ready, After = new() { Seconds = 7_200 } } },
        };
        var set = await _server.Catalog.SetDeadlinesAsync(new SetDeadlinesRequest { RequestId = Shop.NewId(), Settings = settings });
        Assert.Equal(set, await _server.Catalog.GetDeadlinesAsync(new GetDeadlinesRequest()));
        Assert.Equal(new DeadlineSettings(settings) { Sequence = set.Sequence, Etag = set.Etag }, set);
        var order = await Shop.OrderAsync(_server);
        var shown = await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId });
        Assert.Equal([(Deadline.Release, 3_600), (Deadline.Stall, 7_200)],
            shown.Deadlines.Select(one => (one.Deadline, one.DueTime.Seconds - shown.AcceptTime.Seconds)));
        await _server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });
        Assert.Empty((await _server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order.OrderId })).Deadlines);
    }

    private static ResolveExceptionRequest Resolve(RaisedException exception, string etag) => new()
    {
        RequestId = Shop.NewId(), ExceptionId = exception.ExceptionId, Etag = etag, Resolution = "sent anew", Actor = new Actor { Id = "anna", Role = Role.Warehouse },
    };

    private async Task<List<string>> Ids(ListOrdersRequest request) => [.. (await _server.Orders.ListOrdersAsync(request)).Orders.Select(order => order.OrderId)];
}
