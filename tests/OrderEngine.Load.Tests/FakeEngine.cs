// A server with a fault of one's choice: it accepts orders and then loses, doubles or alters one. Real gRPC on a free port.

using System.Collections.Concurrent;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Load.Tests;

public enum Fault
{
    None,
    Loses,
    Doubles,
    AltersLines,
    OtherId,
    AcceptsWhatItRefused,
    RepeatsAnEvent,
    CutsTheStream,
}

internal sealed class FakeEngine : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeEngine(WebApplication app) => _app = app;

    public string Address => _app.Urls.First();

    public static async Task<FakeEngine> StartAsync(Fault fault)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(new Book(fault));
        builder.Services.AddSingleton<FakeOrders>();
        builder.Services.AddSingleton<FakeTracking>();
        var app = builder.Build();
        app.MapGrpcService<FakeOrders>();
        app.MapGrpcService<FakeTracking>();
        await app.StartAsync();
        return new FakeEngine(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    /// <summary>The orders, and where the fault is: the seventh.</summary>
    internal sealed class Book(Fault fault)
    {
        public const int Faulty = 7;

        private readonly Lock _gate = new();
        private readonly List<(Order Order, int Number)> _orders = [];
        // What was told so far: whoever comes with a token, however late, has it from there on, as with the engine.
        private readonly List<OrderEvent?> _told = [];
        private readonly List<System.Threading.Channels.ChannelWriter<OrderEvent>> _watchers = [];

        public Fault Fault => fault;

        public SubmitResult Submit(SubmitOrderRequest request, ulong clientSeq)
        {
            lock (_gate)
            {
                var number = _orders.Count + 1;
                var order = new Order
                {
                    OrderId = $"o{number}", ChannelId = request.Order.ChannelId, ExternalOrderId = request.Order.ExternalOrderId, Sequence = number,
                };
                foreach (var line in request.Order.Lines) order.Lines.Add(new OrderLine { LineNumber = order.Lines.Count + 1, SkuId = line.SkuId, Quantity = line.Quantity });
                _orders.Add((order, number));
                Tell(order, number);
                if (fault == Fault.AcceptsWhatItRefused && number == Faulty) return new SubmitResult { ClientSeq = clientSeq, Refused = QueueFull() };
                return new SubmitResult { ClientSeq = clientSeq, Accepted = new SubmitOrderResponse { OrderId = order.OrderId, Sequence = number, State = OrderState.Ready } };
            }
        }

        public List<Order> Orders()
        {
            lock (_gate) return [.. _orders.SelectMany(o => Seen(o.Order, o.Number))];
        }

        public string Token()
        {
            lock (_gate) return _told.Count.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        public System.Threading.Channels.ChannelReader<OrderEvent> Watch(string token)
        {
            var channel = System.Threading.Channels.Channel.CreateUnbounded<OrderEvent>();
            lock (_gate)
            {
                var from = token.Length == 0 ? _told.Count : int.Parse(token, System.Globalization.CultureInfo.InvariantCulture);
                foreach (var change in _told.Skip(from)) Write(channel.Writer, change);
                _watchers.Add(channel.Writer);
            }
            return channel.Reader;
        }

        private void Tell(Order order, int number)
        {
            var change = new OrderEvent { Sequence = number, OrderId = order.OrderId, ExternalOrderId = order.ExternalOrderId, Submitted = new OrderSubmitted() };
            Tell(change);
            if (number != Faulty) return;
            if (fault == Fault.RepeatsAnEvent) Tell(change);
            if (fault == Fault.CutsTheStream) Tell(null);
        }

        private void Tell(OrderEvent? change)
        {
            _told.Add(change);
            foreach (var watcher in _watchers) Write(watcher, change);
        }

        // No event: the stream is cut there.
        private static void Write(System.Threading.Channels.ChannelWriter<OrderEvent> watcher, OrderEvent? change)
        {
            if (change is null) watcher.TryComplete();
            else watcher.TryWrite(change);
        }

        private IEnumerable<Order> Seen(Order order, int number)
        {
            if (number != Faulty) return [order];
            switch (fault)
            {
                case Fault.Loses:
                    return [];
                case Fault.Doubles:
                    var second = order.Clone();
                    second.OrderId = "o-second";
                    return [order, second];
                case Fault.AltersLines:
                    var altered = order.Clone();
                    altered.Lines[1].Quantity++;
                    return [altered];
                case Fault.OtherId:
                    var other = order.Clone();
                    other.OrderId = "o-other";
                    return [other];
                default:
                    return [order];
            }
        }

        private static Google.Rpc.Status QueueFull() => new()
        {
            Code = (int)StatusCode.ResourceExhausted,
            Details =
            {
                Google.Protobuf.WellKnownTypes.Any.Pack(new Google.Rpc.ErrorInfo { Domain = "orderengine.v1", Reason = "QUEUE_FULL" }),
                Google.Protobuf.WellKnownTypes.Any.Pack(new Google.Rpc.RetryInfo { RetryDelay = new Google.Protobuf.WellKnownTypes.Duration { Nanos = 5_000_000 } }),
            },
        };
    }

    private sealed class FakeOrders(Book book) : OrderService.OrderServiceBase
    {
        public override Task<BulkSubmitOrdersResponse> BulkSubmitOrders(BulkSubmitOrdersRequest request, ServerCallContext context)
        {
            var answer = new BulkSubmitOrdersResponse();
            answer.Results.AddRange(request.Requests.Select(r => book.Submit(r, 0)));
            return Task.FromResult(answer);
        }

        public override async Task StreamSubmitOrders(IAsyncStreamReader<StreamSubmitOrdersRequest> requestStream,
            IServerStreamWriter<StreamSubmitOrdersResponse> responseStream, ServerCallContext context)
        {
            await foreach (var message in requestStream.ReadAllAsync(context.CancellationToken))
            {
                // Answered in two messages: a client must not think one message one answer.
                foreach (var part in message.Orders.Chunk(Math.Max(1, message.Orders.Count / 2)))
                {
                    var answer = new StreamSubmitOrdersResponse();
                    answer.Results.AddRange(part.Select(o => book.Submit(o.Request, o.ClientSeq)));
                    await responseStream.WriteAsync(answer);
                }
            }
        }

        public override Task<Order> LookupOrder(LookupOrderRequest request, ServerCallContext context) =>
            Task.FromResult(book.Orders().Find(o => o.ExternalOrderId == request.ExternalOrderId) ?? throw new RpcException(new Status(StatusCode.NotFound, "no such order")));
    }

    private sealed class FakeTracking(Book book) : TrackingService.TrackingServiceBase
    {
        public override async Task WatchOrders(WatchOrdersRequest request, IServerStreamWriter<WatchOrdersResponse> responseStream, ServerCallContext context)
        {
            var token = book.Token();
            var changes = book.Watch(request.ResumeToken);
            await context.WriteResponseHeadersAsync([]);
            if (request.SnapshotFirst)
            {
                foreach (var page in book.Orders().Chunk(20))
                {
                    var answer = new OrderPage();
                    answer.Orders.AddRange(page);
                    await responseStream.WriteAsync(new WatchOrdersResponse { Snapshot = answer });
                }
                await responseStream.WriteAsync(new WatchOrdersResponse { Snapshot = new OrderPage { Last = true }, ResumeToken = token });
            }
            await foreach (var change in changes.ReadAllAsync(context.CancellationToken))
                await responseStream.WriteAsync(new WatchOrdersResponse { Events = new OrderEventPage { Events = { change } }, ResumeToken = "more" });
        }
    }
}
