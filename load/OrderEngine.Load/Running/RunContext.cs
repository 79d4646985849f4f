// What a scenario needs to reach the server and to know its place: made once for a run, shared by all threads.

using Grpc.Core;
using Grpc.Net.Client;
using OrderEngine.Contracts.V1;
using OrderEngine.Load.Ledger;
using OrderEngine.Load.Measuring;
using OrderEngine.Load.Model;
using OrderEngine.Load.Scenarios;
using OrderEngine.Load.Transport;

namespace OrderEngine.Load.Running;

/// <summary>What carries unary calls; streams always go by Grpc.Net.Client.</summary>
public enum ClientKind
{
    /// <summary>The load tool's own connections (<see cref="LeanInvoker"/>), which take little of the processors that the server needs.</summary>
    Lean = 0,
    /// <summary>Grpc.Net.Client, as a channel adapter in .NET would have it.</summary>
    GrpcDotnet = 1,
}

/// <summary>The clients of one connection. Raw generated clients: a retry inside a library would hide what is measured.</summary>
public sealed class EngineConnection : IDisposable
{
    private readonly GrpcChannel _channel;

    /// <summary>Opens nothing yet. Further HTTP/2 connections are opened only when the server's limit of streams is reached.</summary>
    /// <param name="address">http://host:port (h2c), or https, which has no lean client.</param>
    /// <param name="kind">What carries unary calls.</param>
    public EngineConnection(string address, ClientKind kind)
    {
        _channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true, UseProxy = false },
            DisposeHttpClient = true,
            MaxReceiveMessageSize = 16 * 1024 * 1024,
            MaxSendMessageSize = 16 * 1024 * 1024,
        });
        var uri = new Uri(address);
        Invoker = _channel.CreateCallInvoker();
        if (kind == ClientKind.Lean && uri.Scheme == Uri.UriSchemeHttp) Invoker = new LeanInvoker(uri, Invoker);
        Orders = new OrderService.OrderServiceClient(Invoker);
        Inventory = new InventoryService.InventoryServiceClient(Invoker);
        Fulfillment = new FulfillmentService.FulfillmentServiceClient(Invoker);
        Tracking = new TrackingService.TrackingServiceClient(Invoker);
        Catalog = new CatalogService.CatalogServiceClient(Invoker);
        Customers = new CustomerService.CustomerServiceClient(Invoker);
        Admin = new AdminService.AdminServiceClient(Invoker);
    }

    /// <summary>True: unary calls go over the tool's own connections.</summary>
    public bool IsLean => Invoker is LeanInvoker;

    public OrderService.OrderServiceClient Orders { get; }

    public InventoryService.InventoryServiceClient Inventory { get; }

    public FulfillmentService.FulfillmentServiceClient Fulfillment { get; }

    public TrackingService.TrackingServiceClient Tracking { get; }

    /// <summary>For calls whose messages are not read as the generated classes read them.</summary>
    public CallInvoker Invoker { get; }

    public CatalogService.CatalogServiceClient Catalog { get; }

    public CustomerService.CustomerServiceClient Customers { get; }

    public AdminService.AdminServiceClient Admin { get; }

    public void Dispose()
    {
        (Invoker as IDisposable)?.Dispose();
        _channel.Dispose();
    }
}

/// <summary>How a run is to be, from the command line.</summary>
public sealed record RunSettings
{
    /// <summary>Where the server is: http://host:port (h2c) or https.</summary>
    public required string Address { get; init; }

    /// <summary>Of each phase's measured load.</summary>
    public TimeSpan During { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Same load, not measured, before the first phase.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Closed loop: copies; null: the scenario's own number.</summary>
    public int? Copies { get; init; }

    /// <summary>Open loop: runs a second; null: the scenario's own load.</summary>
    public double? Rate { get; init; }

    /// <summary>Open loop: how long the generator sleeps at least, and so how late it may send; zero: every arrival when it is due.</summary>
    public TimeSpan Tick { get; init; } = OpenLoop.DefaultTick;

    /// <summary>What carries unary calls.</summary>
    public ClientKind Client { get; init; }

    /// <summary>HTTP/2 connections that the copies share; null: the scenario's own number.</summary>
    public int? Connections { get; init; }

    /// <summary>Half of all lines on 10 SKUs.</summary>
    public bool Hot { get; init; }

    /// <summary>Orders that are made before and stay as they are.</summary>
    public int OpenOrders { get; init; }

    /// <summary>Orders that are made before, each with a line that waits for the same SKU; one in twenty of the measured ones joins them.</summary>
    public int Backorders { get; init; }

    /// <summary>SKUs of the catalog.</summary>
    public int Skus { get; init; } = Workload.DefaultSkus;

    /// <summary>How the ledger is checked.</summary>
    public LedgerMode Ledger { get; init; } = LedgerMode.Snapshot;

    /// <summary>A directory on the server's disk, whose flush is timed before and after the load; null: not timed.</summary>
    public string? Disk { get; init; }

    /// <summary>The server's process, for its CPU and memory; null: found by its port when it is on this machine.</summary>
    public int? ServerPid { get; init; }
}

/// <summary>One run.</summary>
public sealed class RunContext : IDisposable
{
    private readonly EngineConnection[] _connections;

    public RunContext(RunSettings settings, Workload workload, ILoadClock clock, int connections = 1)
    {
        ArgumentNullException.ThrowIfNull(settings);
        Settings = settings;
        Workload = workload;
        Clock = clock;
        _connections = [.. Enumerable.Range(0, settings.Connections ?? connections).Select(_ => new EngineConnection(settings.Address, settings.Client))];
    }

    public RunSettings Settings { get; }

    public Workload Workload { get; }

    public ILoadClock Clock { get; }

    /// <summary>Every order that was acknowledged or refused.</summary>
    public OrderLedger Ledger { get; } = new();

    /// <summary>True when the server is the ceiling: it keeps nothing, so nothing of it can be checked.</summary>
    public bool ServerIsNoOp { get; set; }

    public IReadOnlyList<EngineConnection> Connections => _connections;

    /// <summary>For set-up and checks.</summary>
    public EngineConnection First => _connections[0];

    /// <summary>A connection; neighbours get different ones.</summary>
    public EngineConnection Connection(long number) => _connections[(int)((ulong)number % (ulong)_connections.Length)];

    public void Dispose()
    {
        foreach (var connection in _connections) connection.Dispose();
    }
}

/// <summary>One run of a scenario.</summary>
/// <param name="Copy">In a closed loop: which copy runs. In an open loop: eight arrivals in a row have the same.</param>
/// <param name="Number">Counts the runs of the whole scenario, from 0.</param>
/// <param name="Begun">When it was due (open loop) or began (closed loop), by the run's clock.</param>
/// <param name="Clock">The run's clock.</param>
/// <param name="Phase">Where steps are recorded.</param>
/// <param name="Stop">Set when the run is broken off.</param>
public readonly record struct Invocation(long Copy, long Number, long Begun, ILoadClock Clock, PhaseRecorder Phase, CancellationToken Stop)
{
    /// <summary>Records a part of the run that began at <paramref name="begun"/>.</summary>
    public Response Step(string name, in Response response, long begun)
    {
        Phase.Step(name).Record(response, Clock.Now - begun);
        return response;
    }

    /// <summary>A number that looks random and is the same in every run: for choices.</summary>
    public ulong Draw => Workload.Mix((ulong)Number);
}
