// The ceiling: a server with the same contract on the same gRPC stack that parses each request and answers at once with an answer of the
// engine's size. It keeps nothing. What it reaches is what transport and garbage leave to any engine; the ratio to it is what the engine costs.

using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace OrderEngine.Load.NoOp;

/// <summary>Runs the no-op server.</summary>
public static class NoOpServer
{
    // As OrderEngine.Server sets them (Composition.Listen, ServerLimits): a test holds the two together.
    internal const int StreamWindowBytes = 1024 * 1024;
    internal const int ConnectionWindowBytes = 4 * 1024 * 1024;
    internal const int MessageBytes = 4 * 1024 * 1024;
    internal const int CallsPerConnection = 500;
    internal static readonly TimeSpan KeepAliveDelay = TimeSpan.FromSeconds(30);
    internal static readonly TimeSpan KeepAliveTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan HeadersTime = TimeSpan.FromSeconds(10);

    /// <summary>Builds it; listens on 127.0.0.1 at <paramref name="port"/>, 0 takes a free one.</summary>
    public static WebApplication Build(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2);
            kestrel.Limits.Http2.MaxStreamsPerConnection = CallsPerConnection;
            kestrel.Limits.Http2.KeepAlivePingDelay = KeepAliveDelay;
            kestrel.Limits.Http2.KeepAlivePingTimeout = KeepAliveTimeout;
            kestrel.Limits.Http2.InitialStreamWindowSize = StreamWindowBytes;
            kestrel.Limits.Http2.InitialConnectionWindowSize = ConnectionWindowBytes;
            kestrel.Limits.RequestHeadersTimeout = HeadersTime;
            // The engine frees streams of these rates call by call; here nobody is slow on purpose.
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MaxRequestBodySize = null;
        });
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = MessageBytes);
        builder.Services.AddSingleton<NoOpOrders>();
        builder.Services.AddSingleton<NoOpInventory>();
        builder.Services.AddSingleton<NoOpFulfillment>();
        builder.Services.AddSingleton<NoOpTracking>();
        builder.Services.AddSingleton<NoOpCatalog>();
        builder.Services.AddSingleton<NoOpCustomers>();
        builder.Services.AddSingleton<NoOpAdmin>();
        var app = builder.Build();
        app.MapGrpcService<NoOpOrders>();
        app.MapGrpcService<NoOpInventory>();
        app.MapGrpcService<NoOpFulfillment>();
        app.MapGrpcService<NoOpTracking>();
        app.MapGrpcService<NoOpCatalog>();
        app.MapGrpcService<NoOpCustomers>();
        app.MapGrpcService<NoOpAdmin>();
        return app;
    }

    /// <summary>Serves until it is told to stop.</summary>
    public static async Task RunAsync(int port, TextWriter output, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(output);
        await using var app = Build(port);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            app.Lifetime.StopApplication();
        });
        await app.StartAsync(cancellationToken);
        await output.WriteLineAsync($"no-op server listening on {app.Urls.First()}");
        await app.WaitForShutdownAsync(cancellationToken);
    }
}
