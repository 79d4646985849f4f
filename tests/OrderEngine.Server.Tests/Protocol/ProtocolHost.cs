// A minimal server with nothing but health and reflection, on a free loopback port, and a channel to it (HTTP/2, plain text).

using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderEngine.Server.Protocol;

namespace OrderEngine.Server.Tests.Protocol;

internal sealed class ProtocolHost : IAsyncDisposable
{
    private readonly WebApplication _server;

    private ProtocolHost(WebApplication server)
    {
        _server = server;
        Channel = GrpcChannel.ForAddress(server.Urls.Single());
    }

    public GrpcChannel Channel { get; }

    public static async Task<ProtocolHost> Start(HealthStatus health, IEnumerable<Google.Protobuf.Reflection.ServiceDescriptor> services)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel =>
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(health);
        builder.Services.AddSingleton(new ReflectionIndex(services));
        var server = builder.Build();
        server.Lifetime.ApplicationStopping.Register(health.Stop);
        server.MapGrpcService<HealthService>();
        server.MapGrpcService<ReflectionService>();
        server.MapGrpcService<ReflectionV1AlphaService>();
        await server.StartAsync();
        return new ProtocolHost(server);
    }

    public Task Stop() => _server.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        await _server.DisposeAsync();
    }
}
