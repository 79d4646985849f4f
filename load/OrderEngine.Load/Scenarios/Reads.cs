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

/// <summary>Pages: ListStock (100 levels) and ListOrderEvents, by turns. The contract has no ListOrders yet.</summary>
public sealed class ListScenario : IScenario
{
    private const int DefaultCopies = 16;
    private const int Orders = 2_000;
    private const int PageSize = 100;

    private readonly string[] _tokens = new string[64];
    private List<string> _ids = [];
    private RunContext _run = null!;

    public string Name => "list";

    public string Description => $"ListStock in pages of {PageSize} and ListOrderEvents, by turns (there is no ListOrders yet).";

    public string Unit => "reads";

    public int Weight { get; init; } = 1;

    public IReadOnlyList<LoadSimulation> Simulations(TimeSpan during) => [LoadSimulation.KeepConstant(DefaultCopies, during)];

    public async Task InitAsync(RunContext run, CancellationToken cancellationToken)
    {
        _run = run;
        Array.Fill(_tokens, "");
        _ids = await SubmitBulkScenario.MakeAsync(run, Orders, cancellationToken);
    }

    public async ValueTask<Response> RunAsync(Invocation invocation)
    {
        var connection = _run.Connection(invocation.Copy);
        try
        {
            if (invocation.Number % 2 == 0) return invocation.Step("stock-page", await StockPageAsync(connection, invocation), invocation.Begun);
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
    private async Task<Response> StockPageAsync(EngineConnection connection, Invocation invocation)
    {
        var place = (int)(invocation.Copy % _tokens.Length);
        var request = new ListStockRequest { LocationId = Workload.LocationId, PageSize = PageSize, PageToken = Volatile.Read(ref _tokens[place]) };
        var answer = await connection.Inventory.ListStockAsync(request, cancellationToken: invocation.Stop);
        Volatile.Write(ref _tokens[place], answer.NextPageToken);
        return answer.Levels.Count > 0 ? Response.Ok() : Response.Fail("EMPTY_PAGE");
    }
}
