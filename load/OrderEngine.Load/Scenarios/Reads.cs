// Reads: track (one order, as its buyer sees it) and list (pages).

using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Load.Model;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Scenarios;

/// <summary>TrackOrder over orders of the run.</summary>
public sealed class TrackScenario : IScenario
{
    private const int DefaultCopies = 64;
    private const int Orders = 10_000;

    private List<string> _ids = [];
    private RunContext _run = null!;

    public string Name => "track";

    public string Description => $"TrackOrder of one of {Orders:N0} orders, with lines and milestones.";

    public string Unit => "reads";

    public int Weight { get; init; } = 1;

    public IReadOnlyList<LoadSimulation> Simulations(TimeSpan during) => [LoadSimulation.KeepConstant(DefaultCopies, during)];

    public async Task InitAsync(RunContext run, CancellationToken cancellationToken)
    {
        _run = run;
        _ids = await SubmitBulkScenario.MakeAsync(run, Orders, cancellationToken);
    }

    public async ValueTask<Response> RunAsync(Invocation invocation)
    {
        var id = _ids[(int)(invocation.Draw % (ulong)_ids.Count)];
        try
        {
            var answer = await _run.Connection(invocation.Copy).Tracking.TrackOrderAsync(new TrackOrderRequest { OrderId = id }, cancellationToken: invocation.Stop);
            return _run.ServerIsNoOp || answer.OrderId == id ? Response.Ok() : Response.Fail("WRONG_ORDER");
        }
        catch (RpcException exception)
        {
            return Outcomes.FromException(exception);
        }
    }
}

/// <summary>Pages of 100: ListOrders (a channel's that are ready, newest first), ListStock and ListOrderEvents, by turns.</summary>
public sealed class ListScenario : IScenario
{
    private const int DefaultCopies = 16;
    private const int Orders = 2_000;
    private const int PageSize = 100;

    private readonly string[] _orderTokens = new string[64];
    private readonly string[] _stockTokens = new string[64];
    private List<string> _ids = [];
    private RunContext _run = null!;

    public string Name => "list";

    public string Description => $"ListOrders of a channel and ListStock in pages of {PageSize}, and ListOrderEvents, by turns.";

    public string Unit => "reads";

    public int Weight { get; init; } = 1;

    public IReadOnlyList<LoadSimulation> Simulations(TimeSpan during) => [LoadSimulation.KeepConstant(DefaultCopies, during)];

    public async Task InitAsync(RunContext run, CancellationToken cancellationToken)
    {
        _run = run;
        Array.Fill(_orderTokens, "");
        Array.Fill(_stockTokens, "");
        _ids = await SubmitBulkScenario.MakeAsync(run, Orders, cancellationToken);
    }

    public async ValueTask<Response> RunAsync(Invocation invocation)
    {
        var connection = _run.Connection(invocation.Copy);
        try
        {
            if (invocation.Number % 3 == 0) return invocation.Step("order-page", await OrderPageAsync(connection, invocation), invocation.Begun);
            if (invocation.Number % 3 == 1) return invocation.Step("stock-page", await StockPageAsync(connection, invocation), invocation.Begun);
            var id = _ids[(int)(invocation.Draw % (ulong)_ids.Count)];
            var answer = await connection.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = id, PageSize = PageSize }, cancellationToken: invocation.Stop);
            return invocation.Step("order-events", answer.Events.Count > 0 ? Response.Ok() : Response.Fail("EMPTY_PAGE"), invocation.Begun);
        }
        catch (RpcException exception)
        {
            return Outcomes.FromException(exception);
        }
    }

    // Each copy turns the pages on from where it was; after the last it begins again.
    private async Task<Response> OrderPageAsync(EngineConnection connection, Invocation invocation)
    {
        var place = (int)(invocation.Copy % _orderTokens.Length);
        var request = new ListOrdersRequest { ChannelId = _run.Workload.ChannelId, States = { OrderState.Ready }, PageSize = PageSize, PageToken = Volatile.Read(ref _orderTokens[place]) };
        var answer = await connection.Orders.ListOrdersAsync(request, cancellationToken: invocation.Stop);
        Volatile.Write(ref _orderTokens[place], answer.NextPageToken);
        return answer.Orders.Count > 0 ? Response.Ok() : Response.Fail("EMPTY_PAGE");
    }

    private async Task<Response> StockPageAsync(EngineConnection connection, Invocation invocation)
    {
        var place = (int)(invocation.Copy % _stockTokens.Length);
        var request = new ListStockRequest { LocationId = Workload.LocationId, PageSize = PageSize, PageToken = Volatile.Read(ref _stockTokens[place]) };
        var answer = await connection.Inventory.ListStockAsync(request, cancellationToken: invocation.Stop);
        Volatile.Write(ref _stockTokens[place], answer.NextPageToken);
        return answer.Levels.Count > 0 ? Response.Ok() : Response.Fail("EMPTY_PAGE");
    }
}
