// Owns the server that the tests talk to: Kestrel with h2c on a port that the system chose, serving fakes of the services.
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderEngine.Contracts.V1;
using Status = Grpc.Core.Status;

namespace OrderEngine.Client.Tests;

/// <summary>A running server of fakes. Start it again on the same port with <see cref="StartAsync"/> and <c>port</c>.</summary>
internal sealed class FakeEngine : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeEngine(WebApplication app, string address) => (_app, Address) = (app, address);

    public string Address { get; }

    public int Port => new Uri(Address).Port;

    public static async Task<FakeEngine> StartAsync(FakeServices services, int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.ListenLoopback(port, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = 4 << 20);
        builder.Services.AddSingleton(services);
        builder.Services.AddSingleton(services.Orders).AddSingleton(services.Inventory).AddSingleton(services.Fulfillment)
            .AddSingleton(services.Tracking).AddSingleton(services.Catalog).AddSingleton(services.Customers).AddSingleton(services.Admin)
            .AddSingleton(services.Returns);
        var app = builder.Build();
        app.MapGrpcService<FakeOrders>();
        app.MapGrpcService<FakeInventory>();
        app.MapGrpcService<FakeFulfillment>();
        app.MapGrpcService<FakeReturns>();
        app.MapGrpcService<FakeTracking>();
        app.MapGrpcService<FakeCatalog>();
        app.MapGrpcService<FakeCustomers>();
        app.MapGrpcService<FakeAdmin>();
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return new FakeEngine(app, address);
    }

    public async ValueTask DisposeAsync()
    {
        using var atOnce = new CancellationTokenSource();
        await atOnce.CancelAsync();
        await _app.StopAsync(atOnce.Token);
        await _app.DisposeAsync();
    }
}

internal static class KestrelExtensions
{
    public static void ListenLoopback(this KestrelServerOptions kestrel, int port, Action<ListenOptions> configure) =>
        kestrel.Listen(System.Net.IPAddress.Loopback, port, configure);
}

/// <summary>How the tests make the errors of the catalogue.</summary>
internal static class Errors
{
    public static Google.Rpc.Status Status(StatusCode code, string reason, string message = "no", TimeSpan? retryAfter = null,
        IReadOnlyDictionary<string, string>? metadata = null, params IMessage[] details)
    {
        var info = new ErrorInfo { Domain = "orderengine.v1", Reason = reason };
        foreach (var (key, value) in metadata ?? new Dictionary<string, string>())
            info.Metadata.Add(key, value);
        var status = new Google.Rpc.Status { Code = (int)code, Message = message, Details = { Any.Pack(info) } };
        if (retryAfter is { } delay)
            status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(delay) }));
        status.Details.Add(details.Select(Any.Pack));
        return status;
    }

    public static RpcException Exception(StatusCode code, string reason, string message = "no", TimeSpan? retryAfter = null,
        IReadOnlyDictionary<string, string>? metadata = null, params IMessage[] details)
    {
        var status = Status(code, reason, message, retryAfter, metadata, details);
        return new RpcException(new Status(code, message), new Metadata { { "grpc-status-details-bin", status.ToByteArray() } });
    }
}

/// <summary>The clock of the tests: a wait is noted and over at once, and time moves on by it.</summary>
internal sealed class JumpingTime : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<TimeSpan> _waits = [];
    private DateTimeOffset _now = DateTimeOffset.UtcNow;

    public IReadOnlyList<TimeSpan> Waits
    {
        get
        {
            lock (_gate)
                return [.. _waits];
        }
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
            return _now;
    }

    public override long GetTimestamp() => GetUtcNow().UtcTicks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime != Timeout.InfiniteTimeSpan)
        {
            lock (_gate)
            {
                _waits.Add(dueTime);
                _now += dueTime;
            }

            ThreadPool.UnsafeQueueUserWorkItem(_ => callback(state), null);
        }

        return new Spent();
    }

    private sealed class Spent : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
