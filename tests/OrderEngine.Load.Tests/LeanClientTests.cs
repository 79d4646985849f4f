// The load tool's own client: it must say what Grpc.Net.Client says of the same server, and keep to HTTP/2 with a server that uses what Kestrel does not.

using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderEngine.Contracts.V1;
using OrderEngine.Load.Running;
using OrderEngine.Load.Transport;

namespace OrderEngine.Load.Tests;

public sealed class LeanClientTests
{
    private const int StreamsPerConnection = 8;

    [Fact]
    public async Task Every_call_has_its_own_answer_however_many_are_under_way()
    {
        await using var server = await Server.StartAsync();
        using var connection = server.Connect(ClientKind.Lean);
        var answers = await Task.WhenAll(Enumerable.Range(0, 2_000).Select(async n => (n, await Submit(connection, $"n{n}"))));
        Assert.All(answers, one => Assert.Equal($"n{one.n}", one.Item2.OrderId));
        Assert.True(server.MostAtOnce > StreamsPerConnection, $"no more than {server.MostAtOnce} at once: no second connection was opened");
    }

    [Fact]
    public async Task An_answer_of_many_frames_is_whole()
    {
        await using var server = await Server.StartAsync();
        using var connection = server.Connect(ClientKind.Lean);
        // Several windows' worth, so that what was read is given back.
        for (var i = 0; i < 40; i++) Assert.Equal(1_000_000, (await Submit(connection, "long 1000000")).OrderId.Length);
    }

    [Theory]
    [InlineData("refused")]
    [InlineData("refused at once")]
    [InlineData("thrown")]
    [InlineData("long refusal")]
    public async Task A_refusal_is_told_as_the_standard_client_tells_it(string what)
    {
        await using var server = await Server.StartAsync();
        using var lean = server.Connect(ClientKind.Lean);
        using var standard = server.Connect(ClientKind.GrpcDotnet);
        var told = await Assert.ThrowsAsync<RpcException>(() => Submit(lean, what));
        var expected = await Assert.ThrowsAsync<RpcException>(() => Submit(standard, what));
        Assert.Equal((expected.StatusCode, expected.Status.Detail), (told.StatusCode, told.Status.Detail));
        // Kestrel's own headers stand beside a status that comes at once.
        static IEnumerable<string> Of(RpcException exception) => exception.Trailers.Where(entry => entry.Key.StartsWith("grpc-", StringComparison.Ordinal) || entry.Key.StartsWith("x-", StringComparison.Ordinal))
            .Select(entry => $"{entry.Key}: {(entry.IsBinary ? Convert.ToHexString(entry.ValueBytes) : entry.Value)}").Order(StringComparer.Ordinal);
        Assert.Equal(Of(expected).Where(line => !line.StartsWith("grpc-message", StringComparison.Ordinal) && !line.StartsWith("grpc-status:", StringComparison.Ordinal)), Of(told));
        Assert.NotEmpty(Of(told));
    }

    [Fact]
    public async Task A_call_that_is_withdrawn_ends_here_and_there()
    {
        await using var server = await Server.StartAsync();
        using var connection = server.Connect(ClientKind.Lean);
        using var stop = new CancellationTokenSource();
        var call = connection.Orders.SubmitOrderAsync(Request("wait"), cancellationToken: stop.Token).ResponseAsync;
        await server.Waiting.Task;
        Assert.False(call.IsCompleted);
        await stop.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => call)).StatusCode);
        await server.Withdrawn.Task;
        Assert.Equal("next", (await Submit(connection, "next")).OrderId);
        await Assert.ThrowsAsync<RpcException>(() => connection.Orders.SubmitOrderAsync(Request("too late"), cancellationToken: stop.Token).ResponseAsync);
    }

    [Fact]
    public async Task When_the_server_goes_calls_fail_and_when_another_comes_they_reach_it()
    {
        var first = await Server.StartAsync();
        using var connection = first.Connect(ClientKind.Lean);
        var waiting = connection.Orders.SubmitOrderAsync(Request("wait")).ResponseAsync;
        await first.Waiting.Task;
        await first.KillAsync();
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => waiting)).StatusCode);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => Submit(connection, "nobody there"))).StatusCode);
        await using var second = await Server.StartAsync(first.Port);
        Assert.Equal("again", (await Submit(connection, "again")).OrderId);
    }

    [Fact]
    public async Task What_is_no_plain_call_goes_by_the_standard_client()
    {
        var other = new CountingInvoker();
        // Nobody listens there: whatever does not go to the other one fails as unavailable.
        using var lean = new LeanInvoker(new Uri("http://127.0.0.1:1"), other);
        var client = new OrderService.OrderServiceClient(lean);
        _ = client.SubmitOrderAsync(Request("x"), deadline: DateTime.UtcNow.AddSeconds(1));
        _ = client.SubmitOrderAsync(Request("x"), new Metadata { { "authorization", "Bearer x" } });
        _ = client.SubmitOrderAsync(Request(new string('x', 40_000)));
        client.StreamSubmitOrders();
        Assert.Equal(4, other.Calls);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => client.SubmitOrderAsync(Request("x")).ResponseAsync)).StatusCode);
        Assert.Equal(4, other.Calls);
    }

    [Fact]
    public async Task Padding_priorities_and_pieces_are_taken_apart()
    {
        using var peer = new ScriptedPeer();
        var answer = peer.CallAsync();
        var stream = await peer.ReadCallAsync();
        var message = Message(new SubmitOrderResponse { OrderId = "in pieces" });
        peer.Send(Frame(6, 0, 0, new byte[8]), Frame(8, 0, 0, [0, 0, 0, 9]), Frame(0xEE, 0, 0, [1, 2, 3]));
        // Headers: padded, with a priority, and a name of HPACK's static table with a value of its own (:status 200).
        peer.Send(Frame(1, 8 | 0x20 | 4, stream, [2, 0, 0, 0, 0, 16, 0x08, 3, (byte)'2', (byte)'0', (byte)'0', 0, 0]));
        peer.Send(Frame(0, 8, stream, [3, .. message.AsSpan(0, 4), 0, 0, 0]), Frame(0, 0, stream, []), Frame(0, 0, stream, message.AsSpan(4)));
        // Trailers in two frames, after a note that the (empty) table has changed.
        byte[] trailers = [0x20, 0, 11, .. "grpc-status"u8, 1, (byte)'0'];
        peer.Send(Frame(1, 1, stream, trailers.AsSpan(0, 6)), Frame(9, 4, stream, trailers.AsSpan(6)));
        Assert.Equal("in pieces", (await answer).OrderId);
        Assert.Equal(new byte[8], await peer.ReadAckOfPingAsync());
    }

    [Theory]
    [InlineData(7, StatusCode.Unavailable)]
    [InlineData(8, StatusCode.Cancelled)]
    [InlineData(11, StatusCode.ResourceExhausted)]
    [InlineData(2, StatusCode.Internal)]
    public async Task A_reset_ends_the_call_with_grpcs_word_for_it(int code, StatusCode expected)
    {
        using var peer = new ScriptedPeer();
        var answer = peer.CallAsync();
        peer.Send(Frame(3, 0, await peer.ReadCallAsync(), [0, 0, 0, (byte)code]));
        Assert.Equal(expected, (await Assert.ThrowsAsync<RpcException>(() => answer)).StatusCode);
    }

    [Fact]
    public async Task A_server_that_says_goodbye_answers_what_it_has_and_gets_no_more_on_that_connection()
    {
        using var peer = new ScriptedPeer();
        var first = peer.CallAsync();
        var stream = await peer.ReadCallAsync();
        var second = peer.CallAsync();
        Assert.Equal(stream + 2, await peer.ReadCallAsync());
        peer.Send(Frame(7, 0, 0, [0, 0, 0, (byte)stream, 0, 0, 0, 0]));
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => second)).StatusCode);
        peer.Answer(stream, "last");
        Assert.Equal("last", (await first).OrderId);
        var third = peer.CallAsync();
        await peer.NextConnectionAsync();
        Assert.Equal(1, await peer.ReadCallAsync());
        peer.Answer(1, "elsewhere");
        Assert.Equal("elsewhere", (await third).OrderId);
    }

    [Fact]
    public async Task No_more_is_sent_than_the_server_has_room_for()
    {
        using var peer = new ScriptedPeer();
        // 65,535 bytes are allowed from the start, and nothing is given back: the third goes over another connection.
        var first = peer.CallAsync(30_000);
        Assert.Equal(1, await peer.ReadCallAsync());
        var second = peer.CallAsync(30_000);
        Assert.Equal(3, await peer.ReadCallAsync());
        var third = peer.CallAsync(30_000);
        peer.Answer(1, "one");
        peer.Answer(3, "two");
        Assert.Equal(("one", "two"), ((await first).OrderId, (await second).OrderId));
        await peer.NextConnectionAsync();
        Assert.Equal(1, await peer.ReadCallAsync());
        peer.Answer(1, "three");
        Assert.Equal("three", (await third).OrderId);
        // Room on the second connection for one more and not for two; on the first, when it is given back.
        peer.Use(0);
        peer.Send(Frame(8, 0, 0, [0, 0, 0x80, 0]), Frame(6, 0, 0, new byte[8]));
        await peer.ReadAckOfPingAsync();
        var fourth = peer.CallAsync(30_000);
        Assert.Equal(5, await peer.ReadCallAsync());
        peer.Answer(5, "four");
        Assert.Equal("four", (await fourth).OrderId);
    }

    [Fact]
    public async Task Before_the_servers_first_word_calls_lie_and_nobody_waits_and_after_it_what_has_no_room_goes_elsewhere()
    {
        using var peer = new ScriptedPeer(greets: false);
        using var stop = new CancellationTokenSource();
        // All on this thread: a call that waited for the server would never come back.
        var withdrawn = peer.CallAsync(1, stop.Token);
        Task<SubmitOrderResponse>[] calls = [peer.CallAsync(), peer.CallAsync(), peer.CallAsync()];
        await peer.NextConnectionAsync();
        await stop.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => withdrawn)).StatusCode);
        peer.Send(Settings(2));
        Assert.Equal(1, await peer.ReadCallAsync());
        Assert.Equal(3, await peer.ReadCallAsync());
        await peer.NextConnectionAsync();
        peer.Send(Settings(1));
        Assert.Equal(1, await peer.ReadCallAsync());
        peer.Answer(1, "third");
        peer.Use(0);
        peer.Answer(3, "second");
        peer.Answer(1, "first");
        Assert.Equal(["first", "second", "third"], (await Task.WhenAll(calls)).Select(answer => answer.OrderId));
    }

    [Fact]
    public async Task A_server_that_takes_nothing_or_goes_before_it_says_anything_fails_the_calls_and_no_connection_is_opened_for_them()
    {
        using var peer = new ScriptedPeer(greets: false);
        Task<SubmitOrderResponse>[] calls = [peer.CallAsync(), peer.CallAsync()];
        await peer.NextConnectionAsync();
        peer.Send(Settings(0));
        foreach (var call in calls)
            Assert.Contains("no room", (await Assert.ThrowsAsync<RpcException>(() => call)).Status.Detail, StringComparison.Ordinal);
        var late = peer.CallAsync();
        await peer.NextConnectionAsync();
        Assert.Equal(2, peer.Connections);
        peer.HangUp();
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => late)).StatusCode);
    }

    [Theory]
    [InlineData(new byte[] { 0x88, 0, 0x83, 1, 2, 3 }, "Huffman")]
    [InlineData(new byte[] { 0xFF, 0x00 }, "table")]
    [InlineData(new byte[] { 0, 11, 1 }, "too early")]
    public async Task Headers_that_cannot_be_read_break_the_connection_and_say_why(byte[] block, string why)
    {
        using var peer = new ScriptedPeer();
        var answer = peer.CallAsync();
        peer.Send(Frame(1, 4 | 1, await peer.ReadCallAsync(), block));
        var told = await Assert.ThrowsAsync<RpcException>(() => answer);
        Assert.Contains(why, told.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_frame_that_contradicts_itself_breaks_the_connection_and_not_the_tool(byte type)
    {
        using var peer = new ScriptedPeer();
        var answer = peer.CallAsync();
        // Padded, and without the byte that says how much.
        peer.Send(Frame(type, 8 | 4, await peer.ReadCallAsync(), []));
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => answer)).StatusCode);
    }

    [Fact]
    public async Task What_is_chosen_on_the_command_line_is_what_carries_the_calls()
    {
        await using var app = NoOp.NoOpServer.Build(0);
        await app.StartAsync();
        foreach (var (given, said) in new[] { ("", "the tool's own client"), ("lean", "the tool's own client"), ("grpc-dotnet", "Grpc.Net.Client") })
        {
            var output = new StringWriter();
            string[] choice = given.Length == 0 ? [] : ["--client", given];
            Assert.Equal(ExitCodes.Passed, await LoadCommands.RunAsync(["run", "track", "--address", app.Urls.First(), "--seconds", "1", "--warm-up", "0", .. choice], output, new StringWriter(), default));
            Assert.Contains($"Single calls went over {said}", output.ToString(), StringComparison.Ordinal);
        }
        Assert.Equal(ExitCodes.Usage, await LoadCommands.RunAsync(["run", "track", "--client", "other"], new StringWriter(), new StringWriter(), default));
    }

    private static SubmitOrderRequest Request(string text) => new() { RequestId = "r", Order = new OrderDraft { ExternalOrderId = text } };

    private static async Task<SubmitOrderResponse> Submit(EngineConnection connection, string text) => await connection.Orders.SubmitOrderAsync(Request(text));

    private static byte[] Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8);
        (frame[3], frame[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }

    private static byte[] Settings(byte calls) => Frame(4, 0, 0, [0, 3, 0, 0, 0, calls]);

    private static byte[] Message(SubmitOrderResponse answer)
    {
        var body = Google.Protobuf.MessageExtensions.ToByteArray(answer);
        return [0, 0, 0, 0, (byte)body.Length, .. body];
    }

    /// <summary>Kestrel, and a service that does what the order's external id says.</summary>
    private sealed class Server : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private readonly Orders _orders;

        private Server(WebApplication app) => (_app, _orders) = (app, app.Services.GetRequiredService<Orders>());

        public int Port => new Uri(_app.Urls.First()).Port;

        public TaskCompletionSource Waiting => _orders.Waiting;

        public TaskCompletionSource Withdrawn => _orders.Withdrawn;

        public int MostAtOnce => _orders.MostAtOnce;

        public static async Task<Server> StartAsync(int port = 0)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
            builder.WebHost.ConfigureKestrel(kestrel =>
            {
                kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2);
                kestrel.Limits.Http2.MaxStreamsPerConnection = StreamsPerConnection;
            });
            builder.Services.AddGrpc();
            builder.Services.AddSingleton<Orders>();
            var app = builder.Build();
            app.MapGrpcService<Orders>();
            await app.StartAsync();
            return new Server(app);
        }

        public EngineConnection Connect(ClientKind kind) => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}"), kind);

        public async Task KillAsync()
        {
            using var now = new CancellationTokenSource();
            await now.CancelAsync();
            await _app.StopAsync(now.Token);
        }

        public ValueTask DisposeAsync() => _app.DisposeAsync();

        private sealed class Orders : OrderService.OrderServiceBase
        {
            private int _now;
            private int _most;

            public TaskCompletionSource Waiting { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

            public TaskCompletionSource Withdrawn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

            public int MostAtOnce => Volatile.Read(ref _most);

            public override async Task<SubmitOrderResponse> SubmitOrder(SubmitOrderRequest request, ServerCallContext context)
            {
                var now = Interlocked.Increment(ref _now);
                for (var most = MostAtOnce; now > most && Interlocked.CompareExchange(ref _most, now, most) != most; most = MostAtOnce)
                {
                }
                await Task.Yield();
                Interlocked.Decrement(ref _now);
                var what = request.Order.ExternalOrderId;
                switch (what)
                {
                    case "wait":
                        Waiting.TrySetResult();
                        using (context.CancellationToken.Register(() => Withdrawn.TrySetResult())) await Withdrawn.Task;
                        return new SubmitOrderResponse();
                    case "refused":
                        context.ResponseTrailers.Add("x-what", "a word");
                        throw Refusal(20);
                    case "refused at once":
                        throw Refusal(300);
                    case "long refusal":
                        await context.WriteResponseHeadersAsync([]);
                        throw Refusal(20_000);
                    case "thrown":
                        context.ResponseTrailers.Add("x-what", "a word");
                        throw new InvalidOperationException("Not for clients.");
                    case var _ when what.StartsWith("long ", StringComparison.Ordinal):
                        return new SubmitOrderResponse { OrderId = new string('x', int.Parse(what[5..], CultureInfo.InvariantCulture)) };
                    default:
                        return new SubmitOrderResponse { OrderId = what };
                }
            }

            private static RpcException Refusal(int bytes) => new(new Status(StatusCode.ResourceExhausted, "90 % full: später, 100%25"),
                new Metadata { { "grpc-status-details-bin", [.. Enumerable.Range(0, bytes).Select(n => (byte)n)] } });
        }
    }

    /// <summary>Counts what it is asked; answers nothing.</summary>
    private sealed class CountingInvoker : CallInvoker
    {
        public int Calls { get; private set; }

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        {
            Calls++;
            return null!;
        }

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options) =>
            throw new NotSupportedException();

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options)
        {
            Calls++;
            return null!;
        }
    }

    /// <summary>A server that says what the test says, byte by byte.</summary>
    private sealed class ScriptedPeer : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly System.Threading.Channels.Channel<NetworkStream> _arrived = System.Threading.Channels.Channel.CreateUnbounded<NetworkStream>();
        private readonly List<NetworkStream> _accepted = [];
        private readonly EngineConnection _connection;
        private NetworkStream? _now;

        /// <param name="greets">False: the test sends the settings of each connection itself.</param>
        public ScriptedPeer(bool greets = true)
        {
            _listener.Start();
            _ = AcceptAsync(greets);
            _connection = new EngineConnection(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}"), ClientKind.Lean);
        }

        /// <summary>A call of the client's; one after the other is begun when <see cref="ReadCallAsync"/> has seen the one before.</summary>
        public Task<SubmitOrderResponse> CallAsync(int bytes = 1, CancellationToken cancellation = default) =>
            _connection.Orders.SubmitOrderAsync(Request(new string('x', bytes)), cancellationToken: cancellation).ResponseAsync;

        /// <summary>What is said and read from now on is so on the next connection that the client opens.</summary>
        public async Task NextConnectionAsync()
        {
            _accepted.Add(_now = await _arrived.Reader.ReadAsync());
            var preface = new byte[24];
            await _now.ReadExactlyAsync(preface);
            Assert.Equal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Encoding.ASCII.GetString(preface));
        }

        /// <summary>Opened by the client so far.</summary>
        public int Connections => _accepted.Count + _arrived.Reader.Count;

        public void HangUp() => _now!.Dispose();

        public void Use(int connection) => _now = _accepted[connection];

        public void Send(params byte[][] frames) => _now!.Write(frames.SelectMany(frame => frame).ToArray());

        public void Answer(int stream, string orderId) => Send(
            Frame(1, 4, stream, [0x88]), Frame(0, 0, stream, Message(new SubmitOrderResponse { OrderId = orderId })), Frame(1, 4 | 1, stream, [0, 11, .. "grpc-status"u8, 1, (byte)'0']));

        /// <summary>Reads up to the headers of the next call, and says its stream.</summary>
        public async Task<int> ReadCallAsync()
        {
            if (_now is null) await NextConnectionAsync();
            return (await ReadAsync(1, 4)).Stream;
        }

        public async Task<byte[]> ReadAckOfPingAsync() => (await ReadAsync(6, 1)).Payload;

        public void Dispose()
        {
            _connection.Dispose();
            foreach (var stream in _accepted) stream.Dispose();
            _listener.Dispose();
        }

        private async Task AcceptAsync(bool greets)
        {
            try
            {
                while (true)
                {
                    var stream = new NetworkStream(await _listener.AcceptSocketAsync(), ownsSocket: true);
                    if (greets) await stream.WriteAsync(Settings(100));
                    _arrived.Writer.TryWrite(stream);
                }
            }
            catch (SocketException)
            {
                // The listener is closed.
            }
        }

        private async Task<(int Stream, byte[] Payload)> ReadAsync(byte type, byte flags)
        {
            var head = new byte[9];
            while (true)
            {
                await _now!.ReadExactlyAsync(head);
                var payload = new byte[BinaryPrimitives.ReadInt32BigEndian(head) >> 8];
                await _now.ReadExactlyAsync(payload);
                if (head[3] == type && head[4] == flags) return (BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)), payload);
            }
        }
    }
}
