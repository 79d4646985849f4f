// What a channel's credential sees and moves, whose name its changes carry, and whose request ids they are.

using Grpc.Core;
using OrderEngine.Access;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.Access;

public sealed class ChannelTests
{
    private const Scopes Trader = Scopes.Submit | Scopes.Reserve | Scopes.Track;

    [Fact]
    public async Task The_actor_and_role_of_a_change_come_from_the_credential()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var caller = keyed.As(keyed.Create("web-adapter", "WEB", Trader));
        var orders = new OrderService.OrderServiceClient(caller);
        var submit = Shop.Submit();
        submit.Actor = new Actor { Id = "somebody-else", Role = Role.Channel };
        var order = await orders.SubmitOrderAsync(submit);
        await orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = order.OrderId });

        var events = (await orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId })).Events;
        Assert.Equal([("web-adapter", Role.Channel), ("web-adapter", Role.Customer)], events.Select(e => (e.Actor.Id, e.Actor.Role)));
    }

    [Fact]
    public async Task A_role_that_the_scopes_do_not_give_is_refused()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var caller = new OrderService.OrderServiceClient(keyed.As(keyed.Create("web", "WEB", Trader)));
        foreach (var role in new[] { Role.Support, Role.Manager, Role.System })
        {
            var submit = Shop.Submit();
            submit.Actor = new Actor { Role = role };
            Assert.Equal("ROLE_NOT_ALLOWED", (await Refusal.ExpectAsync(() => caller.SubmitOrderAsync(submit).ResponseAsync)).Reason);
        }
        // Customer service has no CHANNEL role, and acts in the one that it has.
        var support = new OrderService.OrderServiceClient(keyed.As(keyed.Create("desk", null, Scopes.Admin | Scopes.Track)));
        var order = await support.SubmitOrderAsync(Shop.Submit());
        var first = (await support.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId })).Events[0];
        Assert.Equal(("desk", Role.Support), (first.Actor.Id, first.Actor.Role));
    }

    [Fact]
    public async Task A_watch_without_a_filter_shows_a_channel_its_own_orders_only()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var ebay = await Things.OfAsync(keyed.As(keyed.Create("ebay", "EBAY", Trader)), "EBAY");
        var caller = keyed.As(keyed.Create("web", "WEB", Trader));
        var web = await Things.OfAsync(caller, "WEB");
        using var watch = new TrackingService.TrackingServiceClient(caller).WatchOrders(new WatchOrdersRequest { SnapshotFirst = true });
        var seen = new List<string>();
        while (await watch.ResponseStream.MoveNext(default))
        {
            var message = watch.ResponseStream.Current;
            seen.AddRange(message.Snapshot?.Orders.Select(order => order.OrderId) ?? []);
            seen.AddRange(message.Events?.Events.Select(e => e.OrderId) ?? []);
            if (message.Snapshot is not { Last: true } && message.Events is null) continue;
            if (message.Events is not null) break;
            // Now one of each, theirs first: when ours has come, theirs would have been there.
            await Things.OfAsync(keyed.As(keyed.Create("ebay-2", "EBAY", Trader)), "EBAY");
            await Things.OfAsync(caller, "WEB");
        }
        Assert.Equal(2, seen.Count);
        Assert.Equal(web.OrderId, seen[0]);
        Assert.DoesNotContain(ebay.OrderId, seen);
        Assert.Equal("WEB", (await new OrderService.OrderServiceClient(caller).GetOrderAsync(new GetOrderRequest { OrderId = seen[1] })).ChannelId);
    }

    [Fact]
    public async Task A_list_without_a_filter_shows_a_channel_its_own_orders_only_and_one_of_another_channel_is_a_list_of_a_channel_that_is_not_there()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var ebay = await Things.OfAsync(keyed.As(keyed.Create("ebay", "EBAY", Trader)), "EBAY");
        var caller = keyed.As(keyed.Create("web", "WEB", Trader));
        var web = await Things.OfAsync(caller, "WEB");
        var orders = new OrderService.OrderServiceClient(caller);
        Assert.Equal([web.OrderId], (await orders.ListOrdersAsync(new ListOrdersRequest())).Orders.Select(order => order.OrderId));
        Assert.Equal([web.OrderId], (await orders.ListOrdersAsync(new ListOrdersRequest { ChannelId = "WEB", OldestFirst = true })).Orders.Select(order => order.OrderId));
        var foreign = await Refusal.ExpectAsync(() => orders.ListOrdersAsync(new ListOrdersRequest { ChannelId = "EBAY" }).ResponseAsync);
        var nothing = await Refusal.ExpectAsync(() => orders.ListOrdersAsync(new ListOrdersRequest { ChannelId = "EBAX" }).ResponseAsync);
        Assert.Equal((StatusCode.NotFound, "CHANNEL_NOT_FOUND"), (foreign.Code, foreign.Reason));
        Assert.Equal((nothing.Code, nothing.Reason), (foreign.Code, foreign.Reason));
        // A page of one at a time: the other channel's orders make none of them longer or shorter.
        await Things.OfAsync(keyed.As(keyed.Create("ebay-2", "EBAY", Trader)), "EBAY");
        var second = await Things.OfAsync(caller, "WEB");
        var first = await orders.ListOrdersAsync(new ListOrdersRequest { PageSize = 1 });
        Assert.Equal([second.OrderId], first.Orders.Select(order => order.OrderId));
        var next = await orders.ListOrdersAsync(new ListOrdersRequest { PageSize = 1, PageToken = first.NextPageToken });
        Assert.Equal([web.OrderId], next.Orders.Select(order => order.OrderId));
        Assert.Equal("", next.NextPageToken);
        // All channels' for who may see all; nothing for a channel that is not in the catalog yet.
        var desk = new OrderService.OrderServiceClient(keyed.As(keyed.Create("desk", null, Scopes.Review)));
        var all = (await desk.ListOrdersAsync(new ListOrdersRequest())).Orders.Select(order => order.OrderId).ToList();
        Assert.Equal(4, all.Count);
        Assert.Contains(ebay.OrderId, all);
        var early = new OrderService.OrderServiceClient(keyed.As(keyed.Create("new", "NEW", Trader)));
        Assert.Empty((await early.ListOrdersAsync(new ListOrdersRequest())).Orders);
    }

    [Fact]
    public async Task An_export_of_orders_shows_a_channel_its_own_and_personal_data_to_operations_only()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var ebay = await Things.OfAsync(keyed.As(keyed.Create("ebay", "EBAY", Trader)), "EBAY");
        var caller = keyed.As(keyed.Create("web", "WEB", Trader | Scopes.Finance));
        var web = await Things.OfAsync(caller, "WEB");
        Assert.Equal([web.OrderId], await ExportAsync(caller, new ExportOrdersRequest()));
        Assert.Equal([web.OrderId], await ExportAsync(caller, new ExportOrdersRequest { ChannelId = "WEB", IncludeHistory = true }));
        var foreign = await Refusal.ExpectAsync(() => ExportAsync(caller, new ExportOrdersRequest { ChannelId = "EBAY" }));
        var nothing = await Refusal.ExpectAsync(() => ExportAsync(caller, new ExportOrdersRequest { ChannelId = "EBAX" }));
        Assert.Equal((StatusCode.NotFound, "CHANNEL_NOT_FOUND"), (foreign.Code, foreign.Reason));
        Assert.Equal((nothing.Code, nothing.Reason), (foreign.Code, foreign.Reason));
        Assert.Empty(await ExportAsync(keyed.As(keyed.Create("new", "NEW", Trader)), new ExportOrdersRequest()));

        var (books, desk) = (keyed.As(keyed.Create("books", null, Scopes.Finance)), keyed.As(keyed.Create("desk", null, Scopes.Admin)));
        Assert.Equal([ebay.OrderId, web.OrderId], await ExportAsync(books, new ExportOrdersRequest()));
        foreach (var one in new[] { caller, books })
            Assert.Equal("SCOPE_MISSING", (await Refusal.ExpectAsync(() => ExportAsync(one, new ExportOrdersRequest { IncludePersonalData = true }))).Reason);
        Assert.Equal([ebay.OrderId, web.OrderId], await ExportAsync(desk, new ExportOrdersRequest { IncludePersonalData = true }));

        // Nobody goes on with somebody else's.
        using var call = new OrderService.OrderServiceClient(books).ExportOrders(new ExportOrdersRequest());
        Assert.True(await call.ResponseStream.MoveNext(default));
        var token = call.ResponseStream.Current.ResumeToken;
        Assert.Equal("EXPORT_ENDED", (await Refusal.ExpectAsync(() => ExportAsync(caller, new ExportOrdersRequest { ResumeToken = token }))).Reason);

        static async Task<List<string>> ExportAsync(CallInvoker caller, ExportOrdersRequest request)
        {
            var ids = new List<string>();
            using var call = new OrderService.OrderServiceClient(caller).ExportOrders(request);
            while (await call.ResponseStream.MoveNext(default)) ids.AddRange(call.ResponseStream.Current.Orders.Select(one => one.Order.OrderId));
            return ids;
        }
    }

    [Fact]
    public async Task Request_ids_are_each_channels_own_also_where_the_request_names_no_channel()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var (web, ebay) = (keyed.As(keyed.Create("web", "WEB", Trader)), keyed.As(keyed.Create("ebay", "EBAY", Trader)));
        var (ours, theirs) = (await Things.OfAsync(web, "WEB"), await Things.OfAsync(ebay, "EBAY"));
        var request = new CancelOrderRequest { RequestId = "the-same", OrderId = ours.OrderId };
        var cancelled = await new OrderService.OrderServiceClient(web).CancelOrderAsync(request);

        // Neither the answer nor the fact that the id was used is told to another channel.
        Assert.Equal("ORDER_NOT_FOUND", (await Refusal.ExpectAsync(() => new OrderService.OrderServiceClient(ebay).CancelOrderAsync(request).ResponseAsync)).Reason);
        var other = await new OrderService.OrderServiceClient(ebay).CancelOrderAsync(new CancelOrderRequest { RequestId = "the-same", OrderId = theirs.OrderId });
        Assert.False(other.Replayed);
        var again = await new OrderService.OrderServiceClient(web).CancelOrderAsync(request);
        Assert.True(again.Replayed);
        Assert.Equal(cancelled.Sequence, again.Sequence);
    }

    [Fact]
    public async Task A_rotated_key_answers_to_the_request_ids_of_the_old_one()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var old = keyed.As(keyed.Create("web", "WEB", Trader));
        var submit = Shop.Submit();
        var first = await new OrderService.OrderServiceClient(old).SubmitOrderAsync(submit);
        var again = await new OrderService.OrderServiceClient(keyed.As(keyed.Create("web", "WEB", Trader))).SubmitOrderAsync(submit);
        Assert.Equal((first.OrderId, true), (again.OrderId, again.Replayed));
    }

    [Fact]
    public async Task What_customers_are_like_is_not_told_to_a_channel()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var web = new CustomerService.CustomerServiceClient(keyed.As(keyed.Create("web", "WEB", Trader)));
        await web.UpsertCustomerAsync(new UpsertCustomerRequest
        {
            RequestId = Shop.NewId(), Customer = new Customer { CustomerId = "C9", Details = new PersonalDetails { Name = "Ada" } },
        });
        Assert.Equal("C9", (await web.GetCustomerAsync(new GetCustomerRequest { CustomerId = "C9" })).CustomerId);
        var refused = await Refusal.ExpectAsync(() => web.GetCustomerAsync(new GetCustomerRequest { CustomerId = "C9", IncludeDetails = true }).ResponseAsync);
        Assert.Equal((StatusCode.PermissionDenied, "SCOPE_MISSING"), (refused.Code, refused.Reason));
        var desk = new CustomerService.CustomerServiceClient(keyed.As(keyed.Create("desk", null, Scopes.Review)));
        Assert.Equal("Ada", (await desk.GetCustomerAsync(new GetCustomerRequest { CustomerId = "C9", IncludeDetails = true })).Details.Name);
    }

    [Fact]
    public async Task A_key_of_a_channel_that_does_not_exist_yet_sees_nothing_until_it_does()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var caller = keyed.As(keyed.Create("new", "NEW", Trader));
        var orders = new OrderService.OrderServiceClient(caller);
        var submit = Shop.Submit();
        submit.Order.ChannelId = "NEW";
        Assert.Equal("CHANNEL_NOT_FOUND", (await Refusal.ExpectAsync(() => orders.SubmitOrderAsync(submit).ResponseAsync)).Reason);
        var foreign = await Things.OfAsync(keyed.As(keyed.Create("web", "WEB", Trader)), "WEB");
        Assert.Equal("ORDER_NOT_FOUND", (await Refusal.ExpectAsync(() => orders.GetOrderAsync(new GetOrderRequest { OrderId = foreign.OrderId }).ResponseAsync)).Reason);
        await keyed.Server.Catalog.UpsertChannelAsync(new UpsertChannelRequest { RequestId = Shop.NewId(), Channel = new Channel { ChannelId = "NEW" } });
        Assert.False((await orders.SubmitOrderAsync(submit)).Replayed);
    }
}
