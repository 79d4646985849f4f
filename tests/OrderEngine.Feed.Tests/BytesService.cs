// A service of bytes, bound by hand as generated code would bind it, and a server and channel for it on a real socket.

using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OrderEngine.Feed.Tests;

/// <summary>The service's methods, for both sides.</summary>
internal static class BytesMethods
{
    private static readonly Marshaller<byte[]> Arrays = Marshallers.Create(b => b, b => b);

    // The other kind of marshaller, which writes into the transport's own buffer.
    private static readonly Marshaller<byte[]> Buffers = Marshallers.Create<byte[]>(
        (message, context) =>
        {
            context.SetPayloadLength(message.Length);
            message.CopyTo(context.GetBufferWriter().GetSpan(message.Length));
            context.GetBufferWriter().Advance(message.Length);
            context.Complete();
        },
        context => [.. System.Buffers.BuffersExtensions.ToArray(context.PayloadAsReadOnlySequence())]);

    public static readonly Method<byte[], byte[]> Unary = new(MethodType.Unary, "test.Bytes", "Unary", Arrays, Buffers);
    public static readonly Method<byte[], byte[]> Collect = new(MethodType.ClientStreaming, "test.Bytes", "Collect", Buffers, Arrays);
    public static readonly Method<byte[], byte[]> Spread = new(MethodType.ServerStreaming, "test.Bytes", "Spread", Arrays, Buffers);
    public static readonly Method<byte[], byte[]> Duplex = new(MethodType.DuplexStreaming, "test.Bytes", "Duplex", Buffers, Buffers);
    public static readonly Method<byte[], byte[]> Hang = new(MethodType.Unary, "test.Bytes", "Hang", Arrays, Arrays);
    public static readonly Method<byte[], byte[]> Absent = new(MethodType.Unary, "test.Bytes", "Absent", Arrays, Arrays);

    // Found by name through the attribute on BytesServiceBase; called with a null service.
    public static void BindService(ServiceBinderBase binder, BytesServiceBase? service)
    {
        binder.AddMethod(Unary, service is null ? null : new UnaryServerMethod<byte[], byte[]>(service.Unary));
        binder.AddMethod(Collect, service is null ? null : new ClientStreamingServerMethod<byte[], byte[]>(service.Collect));
        binder.AddMethod(Spread, service is null ? null : new ServerStreamingServerMethod<byte[], byte[]>(service.Spread));
        binder.AddMethod(Duplex, service is null ? null : new DuplexStreamingServerMethod<byte[], byte[]>(service.Duplex));
        binder.AddMethod(Hang, service is null ? null : new UnaryServerMethod<byte[], byte[]>(service.Hang));
    }
}

[BindServiceMethod(typeof(BytesMethods), nameof(BytesMethods.BindService))]
internal abstract class BytesServiceBase
{
    public abstract Task<byte[]> Unary(byte[] request, ServerCallContext context);
    public abstract Task<byte[]> Collect(IAsyncStreamReader<byte[]> requests, ServerCallContext context);
    public abstract Task Spread(byte[] request, IServerStreamWriter<byte[]> responses, ServerCallContext context);
    public abstract Task Duplex(IAsyncStreamReader<byte[]> requests, IServerStreamWriter<byte[]> responses, ServerCallContext context);
    public abstract Task<byte[]> Hang(byte[] request, ServerCallContext context);
}

/// <summary>What a test sees of the handlers.</summary>
internal sealed class Observed
{
    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Cancelled => _cancelled.Task;

    public Task Started => _started.Task;

    public DateTime Deadline { get; private set; }

    public void Start(ServerCallContext context)
    {
        Deadline = context.Deadline;
        _started.TrySetResult();
    }

    public void Cancel() => _cancelled.TrySetResult();
}

internal sealed class BytesService(Observed observed) : BytesServiceBase
{
    public override async Task<byte[]> Unary(byte[] request, ServerCallContext context)
    {
        if (request.Length == 0)
            throw new RpcException(new Status(StatusCode.FailedPrecondition, "nothing to echo: ä"), new Metadata { { "why-bin", [0, 255] } });
        if (request[0] == byte.MaxValue)
            throw new InvalidOperationException("a secret");
        var echo = new Metadata { { "method", context.Method } };
        foreach (var entry in context.RequestHeaders.Where(h => h.Key.StartsWith("x-", StringComparison.Ordinal)))
            echo.Add(entry);
        await context.WriteResponseHeadersAsync(echo);
        context.ResponseTrailers.Add("length", request.Length.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return request;
    }

    public override async Task<byte[]> Collect(IAsyncStreamReader<byte[]> requests, ServerCallContext context)
    {
        var all = new List<byte>();
        await foreach (var request in requests.ReadAllAsync(context.CancellationToken))
            all.AddRange(request);
        return [.. all];
    }

    public override async Task Spread(byte[] request, IServerStreamWriter<byte[]> responses, ServerCallContext context)
    {
        foreach (var b in request)
            await responses.WriteAsync([b], context.CancellationToken);
        context.Status = new Status(StatusCode.DataLoss, "the end");
    }

    public override async Task Duplex(
        IAsyncStreamReader<byte[]> requests, IServerStreamWriter<byte[]> responses, ServerCallContext context)
    {
        while (await requests.MoveNext(context.CancellationToken))
            await responses.WriteAsync([.. requests.Current.Reverse()], context.CancellationToken);
        context.ResponseTrailers.Add("ended", "yes");
    }

    public override async Task<byte[]> Hang(byte[] request, ServerCallContext context)
    {
        var over = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = context.CancellationToken.Register(() =>
        {
            observed.Cancel();
            over.TrySetCanceled(context.CancellationToken);
        });
        observed.Start(context);
        return await over.Task;
    }
}

/// <summary>A server on a free loopback port, and a channel to it, both HTTP/2 in plain text.</summary>
public sealed class BytesServer : IAsyncDisposable
{
    private readonly WebApplication _server;

    private BytesServer(WebApplication server, Uri address)
    {
        _server = server;
        Address = address;
        Channel = GrpcChannel.ForAddress(address);
    }

    public Uri Address { get; }

    public GrpcChannel Channel { get; }

    internal Observed Observed => _server.Services.GetRequiredService<Observed>();

    public static async Task<BytesServer> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel =>
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton<Observed>();
        var server = builder.Build();
        server.MapGrpcService<BytesService>();
        await server.StartAsync();
        return new BytesServer(server, new Uri(server.Urls.Single()));
    }

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        await _server.DisposeAsync();
    }
}
