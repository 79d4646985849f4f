// The short way of orders and answers, which reads and writes bytes in place, against the long way through protobuf's objects: whatever the bytes, the short
// way declines or comes to the very same.

using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using OrderEngine.Access;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using OrderEngine.Server.Access;
using OrderEngine.Server.Mapping;
using OrderEngine.Server.Tests.Abuse;
using OrderEngine.Server.Tests.Kit;
using OrderEngine.Server.Wire;
using Xunit.Abstractions;
using AllocationPolicy = OrderEngine.Contracts.V1.AllocationPolicy;

namespace OrderEngine.Server.Tests;

public sealed class PlainOrderTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Messages = 200_000;

    private TestServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        await Shop.OpenAsync(_server);
        await _server.Catalog.UpsertChannelAsync(new UpsertChannelRequest { RequestId = Shop.NewId(), Channel = new Channel { ChannelId = "OTHER" } });
    }

    public Task DisposeAsync() => _server.DisposeAsync().AsTask();

    [Fact]
    public async Task Whatever_the_bytes_the_short_way_declines_or_maps_as_the_long_way_does()
    {
        var calls = _server.Service<EngineCalls>();
        var random = new Random(1);
        var messages = new MessageMutator(random, ["WEB", "A", "B", "C1", "GBP", "r-1", "x 1", " x", "x\u00e9", "NOWHERE"]);
        Grant[] grants =
        [
            Grant.Trusted,
            Bound("WEB", Scopes.Submit, calls.Reader), Bound("OTHER", Scopes.Submit, calls.Reader), Bound("WEB", Scopes.Track, calls.Reader),
        ];
        int plain = 0, declined = 0;
        for (var i = 0; i < Messages; i++)
        {
            Grant.Current = grants[random.Next(grants.Length)];
            var bytes = random.Next(3) switch
            {
                0 => messages.NextBytes(SubmitOrderRequest.Descriptor),
                1 => Spoil(random, Sound(random).ToByteArray()),
                _ => Sound(random).ToByteArray(),
            };
            var before = bytes.ToArray();
            var command = PlainOrders.Map(bytes, Grant.Current, calls.Reader, calls.Vault);
            Assert.Equal(before, bytes);
            if (command is null)
            {
                declined++;
                continue;
            }
            plain++;
            var mapped = await OrderRequests.MapAsync(SubmitOrderRequest.Parser.ParseFrom(bytes), calls.Reader, calls.Vault);
            Assert.True(mapped.Command is not null, $"Only the short way takes {Convert.ToHexString(bytes)}: {mapped.Refusal}");
            Same(mapped.Command!, command);
        }
        output.WriteLine($"{plain:N0} plain, {declined:N0} declined.");
        Assert.InRange(plain, Messages / 10, Messages * 9 / 10);
    }

    [Fact]
    public void What_usual_clients_send_is_plain()
    {
        var calls = _server.Service<EngineCalls>();
        foreach (var request in new[] { Shop.Submit(), new SubmitOrderRequest(Shop.Submit()) { Actor = new Actor { Id = "app-7", Role = Contracts.V1.Role.Channel } } })
            Assert.NotNull(PlainOrders.Map(request.ToByteArray(), Grant.Trusted, calls.Reader, calls.Vault));
    }

    [Theory]
    [InlineData(AllocationPolicy.AllOrNothing)]
    [InlineData(AllocationPolicy.LineAllOrNothing)]
    [InlineData(AllocationPolicy.PartialBackorder)]
    [InlineData(AllocationPolicy.PartialCancelRest)]
    public async Task Answers_are_the_same_either_way(AllocationPolicy policy)
    {
        var calls = _server.Service<EngineCalls>();
        Grant.Current = Grant.Trusted;
        var short_ = 0;
        foreach (var sku in new[] { "A", "EMPTY" })
        {
            var request = Shop.Submit("A", 3, policy);
            request.Order.Lines.Add(new OrderLineDraft { SkuId = sku, Quantity = 2 });
            for (var repeat = 0; repeat < 2; repeat++)
            {
                var mapped = await OrderRequests.MapAsync(request, calls.Reader, calls.Vault);
                var answer = await calls.Engine.ExecuteAsync(mapped.OrThrow(), Lane.Normal, long.MaxValue, default);
                if (answer.Outcome != Outcome.Ok) continue;
                Assert.Equal(repeat == 1, answer.Replayed);
                var explained = OrderAnswers.Submitted(answer, calls.Reader, explains: true);
                var expected = OrderAnswers.Submitted(answer, calls.Reader, explains: false);
                if (expected.Shortfalls.Count > 0) short_++;

                var response = new EncodedMessage();
                PlainAnswers.AddResponse(response, answer, calls.Reader);
                Assert.Equal(explained.ToByteArray(), response.Bytes.ToArray());

                var results = new EncodedMessage();
                var bytes = PlainAnswers.AddResult(results, 0, answer, calls.Reader) + PlainAnswers.AddResult(results, ulong.MaxValue, answer, calls.Reader);
                Assert.Equal(results.Length, bytes);
                Assert.Equal(
                    new StreamSubmitOrdersResponse { Results = { new SubmitResult { Accepted = expected }, new SubmitResult { ClientSeq = ulong.MaxValue, Accepted = expected } } }.ToByteArray(),
                    results.Bytes.ToArray());
            }
        }
        Assert.Equal(policy == AllocationPolicy.AllOrNothing ? 0 : 2, short_);
    }

    [Fact]
    public async Task Events_are_the_same_either_way()
    {
        var calls = _server.Service<EngineCalls>();
        Grant.Current = Grant.Trusted;
        var random = new Random(2);
        var start = calls.Engine.View.DurableSequence;
        for (var i = 0; i < 600; i++)
        {
            var request = Sound(random);
            request.Order.Lines.Clear();
            // Now and then more than there is, more than fits the room, and what is not plain.
            for (var line = random.Next(20) == 0 ? 40 : random.Next(1, 9); line > 0; line--)
                request.Order.Lines.Add(new OrderLineDraft { SkuId = random.Next(30) == 0 ? "EMPTY" : random.Next(2) == 0 ? "A" : "B", Quantity = random.Next(1, 3), UnitPriceMinor = random.NextInt64(1L << random.Next(1, 30)) });
            if (random.Next(5) == 0) request.Order.ShipToRegion = "EU";
            if (random.Next(3) == 0) request.Order.ExternalOrderId = new string('x', 50) + i;
            if (random.Next(3) == 0 && request.Actor is not null) request.Actor.Id = new string('a', 64);
            var mapped = await OrderRequests.MapAsync(request, calls.Reader, calls.Vault);
            if (mapped.Command is { } command) await calls.Engine.ExecuteAsync(command, Lane.Normal, long.MaxValue, default);
        }
        var hold = await _server.Inventory.CreateReservationAsync(Shop.Reserve());
        await _server.Inventory.CommitReservationAsync(new CommitReservationRequest { RequestId = Shop.NewId(), ReservationId = hold.ReservationId, Order = Shop.Draft() });

        int plain = 0, declined = 0, fromHold = 0;
        using var feed = calls.Engine.Orders.Subscribe(OrderFilter.All, start);
        while (feed.Through < calls.Engine.View.DurableSequence)
        {
            foreach (var journaled in (await feed.ReadAsync(100, TimeSpan.Zero, default)).Events)
            {
                using var guard = calls.Reader.Enter();
                var expected = OrderEvents.Map(calls.Reader, journaled.Span, calls.Engine.View.DurableSequence);
                foreach (var bytes in new[] { ServerLimits.EncodedEventBytes, random.Next(ServerLimits.EncodedEventBytes) })
                {
                    var room = new byte[bytes];
                    var length = PlainEvents.Write(room, new EventView(journaled.Span), calls.Reader);
                    if (length == 0) declined++;
                    else plain++;
                    if (length == 0) continue;
                    Assert.Equal(expected.ToByteArray(), room[..length]);
                    if (expected.Submitted.ReservationId.Length > 0) fromHold++;
                }
            }
        }
        output.WriteLine($"{plain} plain, {declined} declined, {fromHold} from a hold.");
        Assert.True(plain > 200 && declined > 200 && fromHold > 0, $"{plain} plain, {declined} declined, {fromHold} from a hold");
    }

    [Fact]
    public async Task Events_with_the_longest_ids_fit_or_go_the_long_way_whatever_the_room()
    {
        static string Longest(char letter) => new(letter, Limits.IdBytes);
        var calls = _server.Service<EngineCalls>();
        Grant.Current = Grant.Trusted;
        var start = calls.Engine.View.DurableSequence;
        await _server.Catalog.UpsertChannelAsync(new UpsertChannelRequest { RequestId = Shop.NewId(), Channel = new Channel { ChannelId = Longest('C') } });
        await _server.Customers.UpsertCustomerAsync(new UpsertCustomerRequest { RequestId = Shop.NewId(), Customer = new Customer { CustomerId = Longest('U') } });
        foreach (var place in "LM")
        {
            await _server.Catalog.UpsertLocationAsync(new UpsertLocationRequest { RequestId = Shop.NewId(), Location = new Location { LocationId = Longest(place) } });
            if (place == 'L') await _server.Catalog.UpsertSkuAsync(new UpsertSkuRequest { RequestId = Shop.NewId(), Sku = new Sku { SkuId = Longest('S'), Name = "S" } });
            await _server.Inventory.ReceiveStockAsync(new ReceiveStockRequest { RequestId = Shop.NewId(), LocationId = Longest(place), Items = { new ReservationItem { SkuId = Longest('S'), Quantity = 50_000 } } });
        }
        var request = new SubmitOrderRequest
        {
            RequestId = Shop.NewId(), Actor = new Actor { Id = Longest('A'), Role = Contracts.V1.Role.Channel },
            Order = new OrderDraft { ChannelId = Longest('C'), ExternalOrderId = Longest('X'), CustomerId = Longest('U'), CurrencyCode = "GBP", AllocationPolicy = AllocationPolicy.PartialBackorder },
        };
        // More than one location has.
        request.Order.Lines.Add(new OrderLineDraft { SkuId = Longest('S'), Quantity = 60_000, UnitPriceMinor = 1_000_000 });
        await _server.Orders.SubmitOrderAsync(request);

        using var feed = calls.Engine.Orders.Subscribe(OrderFilter.All, start);
        var journaled = Assert.Single((await feed.ReadAsync(10, TimeSpan.FromHours(1), default)).Events).ToArray();
        using var guard = calls.Reader.Enter();
        var expected = OrderEvents.Map(calls.Reader, journaled, calls.Engine.View.DurableSequence).ToByteArray();
        Assert.Equal(2, OrderEvent.Parser.ParseFrom(expected).Submitted.Lines[0].Reserved.Count);
        for (var bytes = 0; bytes <= 2 * ServerLimits.EncodedEventBytes; bytes++)
        {
            var room = new byte[bytes];
            var length = PlainEvents.Write(room, new EventView(journaled), calls.Reader);
            if (length > 0) Assert.Equal(expected, room[..length]);
            else Assert.True(bytes < ServerLimits.EncodedEventBytes, $"{expected.Length} bytes do not fit into {bytes}");
        }
    }

    private static Grant Bound(string channel, Scopes scopes, StateReader reader) =>
        new(new Caller("key of " + channel, channel, scopes, null, reader, default), Roles.Of(scopes));

    private static SubmitOrderRequest Sound(Random random)
    {
        var request = new SubmitOrderRequest { RequestId = "r-" + random.Next(1_000_000), Order = new OrderDraft { ChannelId = "WEB", ExternalOrderId = "x-" + random.Next(), CurrencyCode = "GBP" } };
        var order = request.Order;
        if (Often()) request.Actor = new Actor { Id = Often() ? "app" : "", Role = Often() ? default : random.Next(8) == 0 ? (Contracts.V1.Role)random.Next(11) : Contracts.V1.Role.Channel };
        if (Often()) order.CustomerId = "C1";
        order.Type = (Contracts.V1.OrderType)random.Next(Often() ? 5 : 6);
        order.AllocationPolicy = (AllocationPolicy)random.Next(5);
        order.PaymentTerms = (Contracts.V1.PaymentTerms)random.Next(5);
        order.Priority = (Contracts.V1.Priority)random.Next(3);
        if (random.Next(10) == 0) order.RequestedTime = new Timestamp { Seconds = random.Next() };
        for (var line = random.Next(1, 5); line > 0; line--)
            order.Lines.Add(new OrderLineDraft { SkuId = Often() ? "A" : "B", Quantity = random.Next(1, 1_000), UnitPriceMinor = Often() ? random.NextInt64(2_000_000_000_000) >> random.Next(40) : 0 });
        return request;

        bool Often() => random.Next(2) == 0;
    }

    private static byte[] Spoil(Random random, byte[] sound)
    {
        sound[random.Next(sound.Length)] = (byte)random.Next(256);
        return sound;
    }

    private static void Same(SubmitOrder expected, SubmitOrder actual)
    {
        foreach (var property in typeof(SubmitOrder).GetProperties())
        {
            var (one, other) = (property.GetValue(expected), property.GetValue(actual));
            if (property.Name is nameof(SubmitOrder.NoteRules)) Assert.Empty(actual.NoteRules);
            else Assert.Equal(one, other);
        }
    }
}
