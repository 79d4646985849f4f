// A whole server on real sockets and a real journal in a directory of its own, and the generated clients on it.

using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Core.Interceptors;
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
    /// <summary>How long a start waits for its test at most: a server cannot stop before, and that of a test that has failed would never end.</summary>
    public static readonly TimeSpan HeldStart = TimeSpan.FromMinutes(1);

    private readonly WebApplication _app;
    private readonly GrpcChannel _channel;
    private readonly bool _ownsDirectory;

    private TestServer(WebApplication app, string directory, bool ownsDirectory, string? clientCertificate)
    {
        (_app, DataDirectory, _ownsDirectory) = (app, directory, ownsDirectory);
        Address = app.Urls.Single();
        _channel = GrpcChannel.ForAddress(Address, new GrpcChannelOptions
        {
            MaxReceiveMessageSize = null, DisposeHttpClient = true,
            // Whom to trust is for the tests of TLS.
            HttpHandler = new SocketsHttpHandler
            {
                EnableMultipleHttp2Connections = true,
                SslOptions =
                {
                    RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
                    ClientCertificates = clientCertificate is null ? [] : [X509Certificate2.CreateFromPemFile(clientCertificate)],
                },
            },
        });
        Use(null);
    }

    /// <summary>From here on the clients call with this credential; null: with none.</summary>
    [System.Diagnostics.CodeAnalysis.MemberNotNull(nameof(Invoker), nameof(Orders), nameof(Inventory), nameof(Fulfillment), nameof(Returns), nameof(Tracking))]
    [System.Diagnostics.CodeAnalysis.MemberNotNull(nameof(Customers), nameof(Catalog), nameof(Admin), nameof(Health))]
    public void Use(string? credential)
    {
        Invoker = InvokerWith(credential);
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
    public CallInvoker Invoker { get; private set; }
    public OrderService.OrderServiceClient Orders { get; private set; }
    public InventoryService.InventoryServiceClient Inventory { get; private set; }
    public FulfillmentService.FulfillmentServiceClient Fulfillment { get; private set; }
    public ReturnService.ReturnServiceClient Returns { get; private set; }
    public TrackingService.TrackingServiceClient Tracking { get; private set; }
    public CustomerService.CustomerServiceClient Customers { get; private set; }
    public CatalogService.CatalogServiceClient Catalog { get; private set; }
    public AdminService.AdminServiceClient Admin { get; private set; }
    public Health.HealthClient Health { get; private set; }
    /// <summary>Calls made with this credential; null: with none.</summary>
    public CallInvoker InvokerWith(string? credential)
    {
        var invoker = _channel.CreateCallInvoker();
        return credential is null ? invoker : invoker.Intercept(headers =>
        {
            headers.Add("authorization", $"Bearer {credential}");
            return headers;
        });
    }

    /// <summary>A part of the server.</summary>
    public T Service<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    /// <summary>As <see cref="Service{T}"/>.</summary>
    public object Service(Type type) => _app.Services.GetRequiredService(type);

    public string MetricsAddress => _app.Services.GetRequiredService<MetricsEndpoint>().Address + "/metrics";

    /// <summary>Starts a server and waits until it serves.</summary>
    public static async Task<TestServer> StartAsync(Action<IServiceCollection>? services = null, string? directory = null, Func<ServerOptions, ServerOptions>? options = null, string? clientCertificate = null)
    {
        var server = await ListenAsync(services, directory, options, clientCertificate);
        await server.WaitAsync(Serving.Serving);
        return server;
    }

    /// <summary>Starts a server and returns while its engine recovers.</summary>
    public static async Task<TestServer> ListenAsync(Action<IServiceCollection>? services = null, string? directory = null, Func<ServerOptions, ServerOptions>? options = null, string? clientCertificate = null)
    {
        var path = directory ?? Directory.CreateTempSubdirectory("orderengine-server-").FullName;
        var app = Build(path, services, options);
        await app.StartAsync();
        return new TestServer(app, path, directory is null, clientCertificate);
    }

    /// <summary>A server that is not started.</summary>
    /// <param name="directory">Its data.</param>
    /// <param name="services">Puts others in the place of its parts.</param>
    /// <param name="options">Changes its settings.</param>
    /// <param name="address">Where it is to listen; null: at a free port.</param>
    public static WebApplication Build(string directory, Action<IServiceCollection>? services, Func<ServerOptions, ServerOptions>? options = null, string? address = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development", ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration["Logging:LogLevel:Default"] = "None";
        builder.Configuration["Logging:LogLevel:Microsoft"] = "None";
        builder.Configuration["Logging:LogLevel:Grpc"] = "None";
        services?.Invoke(builder.Services);
        // Where a test's clock stands, a connection that waits for its turn would wait for ever.
        var settings = new ServerOptions
        {
            DataDirectory = directory, MetricsPort = 0, Allow = Weakenings.Anonymous | Weakenings.Plaintext | Weakenings.Reflection,
            NewConnectionsPerSecond = 1_000_000, NewConnectionsPerSecondPerAddress = 1_000_000,
        };
        settings = options?.Invoke(settings) ?? settings;
        builder.WebHost.UseUrls(address ?? (settings.TlsCertificate is null ? "http://127.0.0.1:0" : "https://127.0.0.1:0"));
        return Composition.Build(builder, settings);
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
