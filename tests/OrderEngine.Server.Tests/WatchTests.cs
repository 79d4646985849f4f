// Following orders and stock over the wire.

using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using OrderEngine.Contracts.V1;
using OrderEngine.Core.Events;
using OrderEngine.Server.Mapping;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class WatchTests : IAsyncLifetime
{
    private readonly ManualTime _time = new();
    private TestServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync(services => services.AddSingleton<TimeProvider>(_time));
        await Shop.OpenAsync(_server, units: 1_000);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_watch_has_a_token_at_once_and_gets_what_comes_in_sequence()
    {
        using var watch = _server.Tracking.WatchOrders(new WatchOrdersRequest());
        var hello = await NextAsync(watch);
        var first = await Shop.OrderAsync(_server);
        var second = await Shop.OrderAsync(_server);

        var events = await EventsAsync(watch, 2);

        Assert.Equal(WatchOrdersResponse.ContentOneofCase.Heartbeat, hello.ContentCase);
        Assert.NotEmpty(hello.ResumeToken);
        Assert.Equal([first.OrderId, second.OrderId], events.Select(e => e.OrderId));
        Assert.Equal([first.Sequence, second.Sequence], events.Select(e => e.Sequence));
        Assert.Equal(("WEB", OrderState.Unspecified, OrderState.Ready), (events[0].ChannelId, events[0].StateBefore, events[0].StateAfter));
    }

    [Fact]
    public async Task An_event_is_encoded_once_for_all_who_follow_and_never_taken_for_another()
    {
        var small = await Shop.OrderAsync(_server);
        var next = await Shop.OrderAsync(_server);
        var large = Shop.Submit();
        for (var line = 0; line < 60; line++) large.Order.Lines.Add(large.Order.Lines[0].Clone());
        var long_ = await _server.Orders.SubmitOrderAsync(large);
        var engine = _server.Service<EngineCalls>();
        byte[] Journaled(long sequence)
        {
            foreach (var batch in engine.Engine.Journal!.Read(sequence))
            {
                var walk = new EventEnumerator(batch.Payload.Span);
                while (walk.MoveNext())
                    if (new EventView(walk.Current).Sequence == sequence) return walk.Current.ToArray();
            }
            throw new InvalidOperationException("not in the journal");
        }

        using var guard = engine.Reader.Enter();
        var at = engine.Engine.View.DurableSequence;
        var encoded = new EncodedEvents();
        var onePlace = new EncodedEvents(places: 1);

        Assert.Same(encoded.Of(engine.Reader, Journaled(small.Sequence), at), encoded.Of(engine.Reader, Journaled(small.Sequence), at));
        Assert.NotSame(encoded.Of(engine.Reader, Journaled(long_.Sequence), at), encoded.Of(engine.Reader, Journaled(long_.Sequence), at));
        foreach (var answer in new[] { small, next, small, long_, next })
        {
            var sent = OrderEvent.Parser.ParseFrom(onePlace.Of(engine.Reader, Journaled(answer.Sequence), at).Bytes);
            Assert.Equal((answer.OrderId, answer.Sequence), (sent.OrderId, sent.Sequence));
        }
    }

    [Fact]
    public async Task A_token_of_another_engine_or_of_a_later_state_is_refused()
    {
        string orders, stock;
        await using (var other = await TestServer.StartAsync())
        {
            using var watch = other.Tracking.WatchOrders(new WatchOrdersRequest());
            orders = (await NextAsync(watch)).ResumeToken;
            using var levels = other.Inventory.WatchStock(new WatchStockRequest());
            Assert.True(await levels.ResponseStream.MoveNext(default));
            stock = levels.ResponseStream.Current.ResumeToken;
        }
        using var own = _server.Tracking.WatchOrders(new WatchOrdersRequest());
        var violations = new Violations();
        var later = (Token.ReadResume(ref violations, "t", (await NextAsync(own)).ResumeToken, TokenKind.Orders, 0) with { A = long.MaxValue }).ToString();

        using var foreignOrders = _server.Tracking.WatchOrders(new WatchOrdersRequest { ResumeToken = orders });
        using var foreignStock = _server.Inventory.WatchStock(new WatchStockRequest { ResumeToken = stock });
        using var ahead = _server.Tracking.WatchOrders(new WatchOrdersRequest { ResumeToken = later });

        foreach (var next in new Func<Task>[] { () => foreignOrders.ResponseStream.MoveNext(default), () => foreignStock.ResponseStream.MoveNext(default), () => ahead.ResponseStream.MoveNext(default) })
        {
            var refusal = await Refusal.ExpectAsync(next);
            Assert.Equal((StatusCode.OutOfRange, "RESUME_TOKEN_AHEAD"), (refusal.Code, refusal.Reason));
        }
    }

    [Fact]
    public async Task A_resumed_watch_has_no_gap_and_no_repeat()
    {
        string token;
        using (var watch = _server.Tracking.WatchOrders(new WatchOrdersRequest())) token = (await NextAsync(watch)).ResumeToken;
        var expected = new List<long>();
        var seen = new List<long>();
        for (var round = 0; round < 4; round++)
        {
            for (var i = 0; i < 5; i++) expected.Add((await Shop.OrderAsync(_server)).Sequence);
            using var watch = _server.Tracking.WatchOrders(new WatchOrdersRequest { ResumeToken = token });
            while (seen.Count < expected.Count)
            {
                var message = await NextAsync(watch);
                if (message.Events is { } page) seen.AddRange(page.Events.Select(e => e.Sequence));
                token = message.ResumeToken;
            }
        }

        Assert.Equal(expected, seen);
    }

    [Fact]
    public async Task A_snapshot_comes_in_pages_that_can_be_resumed_and_then_the_changes_since()
    {
        var orders = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            var bulk = new BulkSubmitOrdersRequest();
            for (var j = 0; j < 250; j++) bulk.Requests.Add(Shop.Submit());
            orders.AddRange((await _server.Orders.BulkSubmitOrdersAsync(bulk)).Results.Select(result => result.Accepted.OrderId));
        }
        WatchOrdersResponse first;
        using (var broken = _server.Tracking.WatchOrders(new WatchOrdersRequest { SnapshotFirst = true })) first = await NextAsync(broken);
        var cancelled = await _server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = orders[0] });
        var late = await Shop.OrderAsync(_server);

        using var watch = _server.Tracking.WatchOrders(new WatchOrdersRequest { ResumeToken = first.ResumeToken });
        var second = await NextAsync(watch);
        var snapshot = first.Snapshot.Orders.Concat(second.Snapshot.Orders).ToList();
        var events = await EventsAsync(watch, 2);

        Assert.Equal((500, false), (first.Snapshot.Orders.Count, first.Snapshot.Last));
        Assert.True(second.Snapshot.Last);
        Assert.Equal(orders, snapshot.Take(750).Select(order => order.OrderId));
        Assert.Equal([(orders[0], cancelled.Sequence), (late.OrderId, late.Sequence)], events.Select(e => (e.OrderId, e.Sequence)));
    }

    [Fact]
    public async Task A_filter_lets_through_what_matches_before_or_after()
    {
        await _server.Catalog.UpsertChannelAsync(new UpsertChannelRequest { RequestId = Shop.NewId(), Channel = new Channel { ChannelId = "SHOP" } });
        var theirs = Shop.Submit();
        theirs.Order.CustomerId = "C1";
        var waiting = Shop.Submit("EMPTY", policy: AllocationPolicy.PartialBackorder);
        waiting.Order.ChannelId = "SHOP";
        using var byChannel = _server.Tracking.WatchOrders(new WatchOrdersRequest { Filter = new WatchFilter { ChannelIds = { "SHOP" } } });
        using var byCustomer = _server.Tracking.WatchOrders(new WatchOrdersRequest { Filter = new WatchFilter { CustomerIds = { "C1" } } });
        using var byState = _server.Tracking.WatchOrders(new WatchOrdersRequest { Filter = new WatchFilter { States = { OrderState.Backordered } } });
        foreach (var watch in new[] { byChannel, byCustomer, byState }) await NextAsync(watch);

        var their = await _server.Orders.SubmitOrderAsync(theirs);
        var wait = await _server.Orders.SubmitOrderAsync(waiting);
        await _server.Inventory.ReceiveStockAsync(new ReceiveStockRequest { RequestId = Shop.NewId(), LocationId = "L2", Items = { new ReservationItem { SkuId = "EMPTY", Quantity = 1 } } });

        Assert.Equal([wait.OrderId, wait.OrderId], (await EventsAsync(byChannel, 2)).Select(e => e.OrderId));
        Assert.Equal(their.OrderId, Assert.Single(await EventsAsync(byCustomer, 1)).OrderId);
        var states = await EventsAsync(byState, 2);
        Assert.Equal([OrderState.Backordered, OrderState.Ready], states.Select(e => e.StateAfter));
        Assert.Equal((Role.System, "EMPTY", "L2"), (states[1].Actor.Role, states[1].BackorderFilled.SkuId, states[1].BackorderFilled.Reserved[0].LocationId));
    }

    [Fact]
    public async Task A_quiet_watch_beats_and_its_token_moves_on()
    {
        using var watch = _server.Tracking.WatchOrders(new WatchOrdersRequest { Filter = new WatchFilter { States = { OrderState.Delivered } } });
        var hello = await NextAsync(watch);
        var order = await Shop.OrderAsync(_server);
        var beat = hello;
        while (beat.HighWatermark < order.Sequence)
        {
            // When the server begins to wait for its next beat is its own affair: time goes on until the beat is there.
            var next = NextAsync(watch);
            while (!next.IsCompleted)
            {
                _time.Advance(TimeSpan.FromSeconds(5));
                await _server.StatusAsync();
            }
            beat = await next;
        }

        Assert.Equal(WatchOrdersResponse.ContentOneofCase.Heartbeat, beat.ContentCase);
        Assert.NotEqual(hello.ResumeToken, beat.ResumeToken);
    }

    [Fact]
    public async Task Very_long_orders_come_in_messages_of_bounded_size()
    {
        string token;
        using (var watch = _server.Tracking.WatchOrders(new WatchOrdersRequest())) token = (await NextAsync(watch)).ResumeToken;
        var bulk = new BulkSubmitOrdersRequest();
        for (var i = 0; i < 20; i++)
        {
            var request = Shop.Submit("EMPTY", policy: AllocationPolicy.PartialBackorder);
            while (request.Order.Lines.Count < 2_000) request.Order.Lines.Add(request.Order.Lines[0].Clone());
            bulk.Requests.Add(request);
        }
        await _server.Orders.BulkSubmitOrdersAsync(bulk);

        using var long1 = _server.Tracking.WatchOrders(new WatchOrdersRequest { ResumeToken = token });
        var seen = 0;
        while (seen < 20)
        {
            var message = await NextAsync(long1);
            seen += message.Events?.Events.Count ?? 0;
            Assert.InRange(message.CalculateSize(), 1, 2 * ServerLimits.StreamMessageBytes);
        }
        Assert.Equal(20, seen);
    }

    [Fact]
    public async Task A_stock_watch_sends_all_levels_first_and_then_the_newest_of_what_changed()
    {
        using var watch = _server.Inventory.WatchStock(new WatchStockRequest { SnapshotFirst = true, SkuIds = { "A" } });
        Assert.True(await watch.ResponseStream.MoveNext(default));
        var snapshot = watch.ResponseStream.Current;
        await Shop.OrderAsync(_server, quantity: 7);
        Assert.True(await watch.ResponseStream.MoveNext(default));
        var change = watch.ResponseStream.Current;

        Assert.Equal([("L1", 1_000L), ("L2", 1_000L)], snapshot.Levels.Select(level => (level.LocationId, level.Sellable)));
        Assert.Equal(("L1", 7L, 993L), (Assert.Single(change.Levels).LocationId, change.Levels[0].Committed, change.Levels[0].Sellable));
    }

    [Fact]
    public async Task A_resumed_stock_watch_has_what_changed_meanwhile()
    {
        string token;
        using (var watch = _server.Inventory.WatchStock(new WatchStockRequest()))
        {
            await watch.ResponseStream.MoveNext(default);
            token = watch.ResponseStream.Current.ResumeToken;
        }
        await Shop.OrderAsync(_server, "B", 3);

        using var resumed = _server.Inventory.WatchStock(new WatchStockRequest { ResumeToken = token });
        var levels = new List<StockLevel>();
        while (levels.Count == 0)
        {
            Assert.True(await resumed.ResponseStream.MoveNext(default));
            levels.AddRange(resumed.ResponseStream.Current.Levels);
        }

        Assert.Equal(("B", "L1", 3L), (Assert.Single(levels).SkuId, levels[0].LocationId, levels[0].Committed));
    }

    [Fact]
    public async Task As_many_watches_as_are_allowed()
    {
        await using var server = await TestServer.StartAsync(options: options => options with { Engine = options.Engine with { MaxOrderSubscribers = 1 } });
        using var first = server.Tracking.WatchOrders(new WatchOrdersRequest());
        await NextAsync(first);
        using var second = server.Tracking.WatchOrders(new WatchOrdersRequest());

        var refusal = await Refusal.ExpectAsync(async () => await second.ResponseStream.MoveNext(default));

        Assert.Equal((StatusCode.ResourceExhausted, "SUBSCRIBER_LIMIT_REACHED"), (refusal.Code, refusal.Reason));
        Assert.True(refusal.Retry > TimeSpan.Zero);
    }

    private static async Task<WatchOrdersResponse> NextAsync(AsyncServerStreamingCall<WatchOrdersResponse> watch)
    {
        Assert.True(await watch.ResponseStream.MoveNext(default));
        return watch.ResponseStream.Current;
    }

    private static async Task<List<OrderEvent>> EventsAsync(AsyncServerStreamingCall<WatchOrdersResponse> watch, int count)
    {
        var events = new List<OrderEvent>();
        while (events.Count < count)
            if ((await NextAsync(watch)).Events is { } page) events.AddRange(page.Events);
        return events;
    }
}
