// A whole server on real sockets and a real journal in a directory of its own, and the generated clients on it.

using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using OrderEngine.Contracts.Grpc.Health.V1;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Metrics;
using Serving = OrderEngine.Contracts.Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace OrderEngine.Server.Tests.Kit;

internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly GrpcChannel _channel;
    private readonly bool _ownsDirectory;

    private TestServer(WebApplication app, string directory, bool ownsDirectory)
    {
        (_app, DataDirectory, _ownsDirectory) = (app, directory, ownsDirectory);
        Address = app.Urls.Single();
        _channel = GrpcChannel.ForAddress(Address, new GrpcChannelOptions { MaxReceiveMessageSize = null });
        Invoker = _channel.CreateCallInvoker();
        Orders = new OrderService.OrderServiceClient(Invoker);
        Inventory = new InventoryService.InventoryServiceClient(Invoker);
        Fulfillment = new FulfillmentService.FulfillmentServiceClient(Invoker);
        Returns = new ReturnService.ReturnServiceClient(Invoker);
        Tracking = new TrackingService.TrackingServiceClient(Invoker);
        Customers = new CustomerService.CustomerServiceClient(Invoker);
        Catalog = new CatalogService.CatalogServiceClient(Invoker);
        Admin = new AdminService.AdminServiceClient(Invoker);
        Health = new Health.HealthClient(Invoker);
    }

    public string Address { get; }
    public string DataDirectory { get; }
    public CallInvoker Invoker { get; }
    public OrderService.OrderServiceClient Orders { get; }
    public InventoryService.InventoryServiceClient Inventory { get; }
    public FulfillmentService.FulfillmentServiceClient Fulfillment { get; }
    public ReturnService.ReturnServiceClient Returns { get; }
    public TrackingService.TrackingServiceClient Tracking { get; }
    public CustomerService.CustomerServiceClient Customers { get; }
    public CatalogService.CatalogServiceClient Catalog { get; }
    public AdminService.AdminServiceClient Admin { get; }
    public Health.HealthClient Health { get; }
    public string MetricsAddress => _app.Services.GetRequiredService<MetricsEndpoint>().Address + "/metrics";

    /// <summary>Starts a server and waits until it serves.</summary>
    public static async Task<TestServer> StartAsync(Action<IServiceCollection>? services = null, string? directory = null, Func<ServerOptions, ServerOptions>? options = null)
    {
        var server = await ListenAsync(services, directory, options);
        await server.WaitAsync(Serving.Serving);
        return server;
    }

    /// <summary>Starts a server and returns while its engine recovers.</summary>
    public static async Task<TestServer> ListenAsync(Action<IServiceCollection>? services = null, string? directory = null, Func<ServerOptions, ServerOptions>? options = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development", ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration["Logging:LogLevel:Default"] = "None";
        builder.Configuration["Logging:LogLevel:Microsoft"] = "None";
        builder.Configuration["Logging:LogLevel:Grpc"] = "None";
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        services?.Invoke(builder.Services);
        var path = directory ?? Directory.CreateTempSubdirectory("orderengine-server-").FullName;
        var settings = new ServerOptions { DataDirectory = path, MetricsPort = 0 };
        var app = Composition.Build(builder, options?.Invoke(settings) ?? settings);
        await app.StartAsync();
        return new TestServer(app, path, directory is null);
    }

    public async Task WaitAsync(Serving status)
    {
        using var watch = Health.Watch(new HealthCheckRequest());
        while (await watch.ResponseStream.MoveNext(default))
            if (watch.ResponseStream.Current.Status == status) return;
    }

    public async Task<EngineStatus> StatusAsync() => await Admin.GetEngineStatusAsync(new GetEngineStatusRequest());

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        if (_ownsDirectory) Directory.Delete(DataDirectory, recursive: true);
    }
}
