// The real server and the real client over a socket, with the stand-ins between them and no proto anywhere.

using System.Globalization;
using System.Net;
using System.Text;
using Grpc.Core;
using Xunit;

namespace OrderEngine.Feed.Tests;

public sealed class TransportTests : IAsyncLifetime
{
    private BytesServer _server = null!;

    private CallInvoker Invoker => _server.Channel.CreateCallInvoker();

    public async Task InitializeAsync() => _server = await BytesServer.Start();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_unary_call_carries_headers_both_ways_and_trailers_back()
    {
        var headers = new Metadata { { "X-Text", "plain" }, { "x-bytes-bin", [0, 128, 255] }, { "x-twice", "1" }, { "x-twice", "2" } };
        using var call = Invoker.AsyncUnaryCall(BytesMethods.Unary, null, new CallOptions(headers), [1, 2, 3]);
        Assert.Equal([1, 2, 3], await call);
        var received = await call.ResponseHeadersAsync;
        Assert.Equal("/test.Bytes/Unary", received.GetValue("method"));
        Assert.Equal("plain", received.GetValue("x-text"));
        Assert.Equal([0, 128, 255], received.GetValueBytes("x-bytes-bin"));
        Assert.Equal("1, 2", string.Join(", ", received.GetAll("x-twice").Select(e => e.Value))); // one header or two: the same in HTTP
        Assert.Equal("3", call.GetTrailers().GetValue("length"));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.Equal([9], Invoker.BlockingUnaryCall(BytesMethods.Unary, null, default, [9]));
    }

    [Fact]
    public async Task A_refusal_carries_status_text_and_binary_trailers()
    {
        var refused = await Assert.ThrowsAsync<RpcException>(
            () => Invoker.AsyncUnaryCall(BytesMethods.Unary, null, default, []).ResponseAsync);
        Assert.Equal((StatusCode.FailedPrecondition, "nothing to echo: ä"), (refused.StatusCode, refused.Status.Detail));
        Assert.Equal([0, 255], refused.Trailers.GetValueBytes("why-bin"));
    }

    [Fact]
    public async Task An_exception_in_a_handler_is_UNKNOWN_and_keeps_its_text_to_itself()
    {
        var failed = await Assert.ThrowsAsync<RpcException>(
            () => Invoker.AsyncUnaryCall(BytesMethods.Unary, null, default, [255]).ResponseAsync);
        Assert.Equal(StatusCode.Unknown, failed.StatusCode);
        Assert.DoesNotContain("secret", failed.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_method_that_nobody_bound_is_UNIMPLEMENTED()
    {
        var failed = await Assert.ThrowsAsync<RpcException>(
            () => Invoker.AsyncUnaryCall(BytesMethods.Absent, null, default, [1]).ResponseAsync);
        Assert.Equal(StatusCode.Unimplemented, failed.StatusCode);
    }

    [Fact]
    public async Task Requests_stream_to_the_server()
    {
        using var call = Invoker.AsyncClientStreamingCall(BytesMethods.Collect, null, default);
        await call.RequestStream.WriteAsync([1, 2]);
        await call.RequestStream.WriteAsync([]);
        await call.RequestStream.WriteAsync([3]);
        await call.RequestStream.CompleteAsync();
        Assert.Equal([1, 2, 3], await call);
    }

    [Fact]
    public async Task Responses_stream_to_the_client_and_the_status_follows_them()
    {
        using var call = Invoker.AsyncServerStreamingCall(BytesMethods.Spread, null, default, [1, 2, 3]);
        var received = new List<byte>();
        var failed = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await foreach (var response in call.ResponseStream.ReadAllAsync())
                received.AddRange(response);
        });
        Assert.Equal([1, 2, 3], received);
        Assert.Equal((StatusCode.DataLoss, "the end"), (failed.StatusCode, failed.Status.Detail));
        Assert.Equal(StatusCode.DataLoss, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Both_sides_stream_at_once_with_large_messages()
    {
        using var call = Invoker.AsyncDuplexStreamingCall(BytesMethods.Duplex, null, default);
        for (var size = 1; size <= 1 << 20; size *= 16)
        {
            var request = Enumerable.Range(0, size).Select(i => (byte)(i * 7)).ToArray();
            await call.RequestStream.WriteAsync(request);
            Assert.True(await call.ResponseStream.MoveNext(default));
            Assert.Equal(request.Reverse(), call.ResponseStream.Current);
        }
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(default));
        Assert.Equal("yes", call.GetTrailers().GetValue("ended"));
    }

    [Fact]
    public async Task A_deadline_reaches_the_handler_and_ends_the_call_on_both_sides()
    {
        // The connection is there by then, so that the call reaches the handler before its deadline.
        await Invoker.AsyncUnaryCall(BytesMethods.Unary, null, default, [1]);
        var deadline = DateTime.UtcNow.AddSeconds(3);
        using var call = Invoker.AsyncUnaryCall(BytesMethods.Hang, null, new CallOptions(deadline: deadline), [1]);
        var failed = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.DeadlineExceeded, failed.StatusCode);
        Assert.True(_server.Observed.Started.IsCompleted, "The call did not reach the handler in three seconds.");
        await _server.Observed.Cancelled;
        Assert.InRange(_server.Observed.Deadline, deadline.AddSeconds(-5), deadline.AddSeconds(5));
    }

    [Fact]
    public async Task A_cancelled_call_is_cancelled_in_the_handler()
    {
        using var source = new CancellationTokenSource();
        using var call = Invoker.AsyncUnaryCall(BytesMethods.Hang, null, new CallOptions(cancellationToken: source.Token), [1]);
        await _server.Observed.Started;
        Assert.Equal(DateTime.MaxValue, _server.Observed.Deadline);
        await source.CancelAsync();
        var failed = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.Cancelled, failed.StatusCode);
        await _server.Observed.Cancelled;
    }

    [Fact]
    public async Task Disposing_a_call_cancels_it()
    {
        var call = Invoker.AsyncUnaryCall(BytesMethods.Hang, null, default, [1]);
        await _server.Observed.Started;
        Assert.Throws<InvalidOperationException>(() => call.GetStatus());
        call.Dispose();
        await _server.Observed.Cancelled;
    }

    [Fact]
    public async Task Call_credentials_add_their_headers()
    {
        var credentials = CallCredentials.Compose(
            CallCredentials.FromInterceptor((context, metadata) => Add(metadata, "x-url", context.MethodName)),
            CallCredentials.FromInterceptor((_, metadata) => Add(metadata, "x-token", "t")));
        using var channel = Grpc.Net.Client.GrpcChannel.ForAddress(
            _server.Address, new() { UnsafeUseInsecureChannelCallCredentials = true });
        using var call = channel.CreateCallInvoker().AsyncUnaryCall(BytesMethods.Unary, null, new CallOptions(credentials: credentials), [1]);
        await call;
        var echoed = await call.ResponseHeadersAsync;
        Assert.Equal(("Unary", "t"), (echoed.GetValue("x-url"), echoed.GetValue("x-token")));

        static Task Add(Metadata metadata, string key, string value)
        {
            metadata.Add(key, value);
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task A_header_that_the_protocol_forbids_fails_its_own_call_only()
    {
        using var client = new HttpClient(new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8 });
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_server.Address, BytesMethods.Unary.FullName))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, 1, 7]) { Headers = { { "Content-Type", "application/grpc" } } },
            Headers = { { "te", "trailers" }, { "x-name", "José" } },
        };
        using var response = await client.SendAsync(request);
        await response.Content.ReadAsByteArrayAsync();
        var status = response.TrailingHeaders.Concat(response.Headers).Single(h => h.Key == "grpc-status").Value.Single();
        Assert.Equal(StatusCode.Unknown, (StatusCode)int.Parse(status, CultureInfo.InvariantCulture));

        Assert.Equal([1], await Invoker.AsyncUnaryCall(BytesMethods.Unary, null, default, [1]));
    }
}
