// Orders driven to their end, one step a call: released to the warehouse, shipped, delivered.

using System.Collections.Concurrent;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Load.Model;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Scenarios;

/// <summary>ReleaseShipment, ConfirmShipment, RecordDelivery.</summary>
public sealed class AdvanceScenario : IScenario
{
    private const int DefaultCopies = 64;
    private const int Stages = 3;

    // Made before the load: what a fast server needs. A still faster one has more made beside it, and the report says so.
    private const int OrdersPerSecond = 4_000;
    private const int MostPrepared = 100_000;
    private const int LowWater = 500;
    private const int RefillSize = 2_000;

    private static readonly Actor Warehouse = new() { Id = "load", Role = Role.Warehouse };
    private static readonly Actor Carrier = new() { Id = "load", Role = Role.Carrier };
    private static readonly string[] Steps = ["release", "ship", "deliver"];

    private readonly ConcurrentQueue<string>[] _atStage = [new(), new(), new()];
    private RunContext _run = null!;
    private readonly Lock _refilling = new();
    private Task _refill = Task.CompletedTask;
    private long _refilled;

    public string Name => "advance";

    public string Description => "ReleaseShipment, ConfirmShipment, RecordDelivery of whole orders, one step a call.";

    public string Unit => "calls";

    public int Weight { get; init; } = 1;

    /// <summary>The share of all runs that are this scenario's: fewer orders are made for a part of a mix.</summary>
    public double Share { get; init; } = 1;

    public IReadOnlyList<LoadSimulation> Simulations(TimeSpan during) => [LoadSimulation.KeepConstant(DefaultCopies, during)];

    public async Task InitAsync(RunContext run, CancellationToken cancellationToken)
    {
        _run = run;
        var seconds = (run.Settings.During + run.Settings.WarmUp).TotalSeconds;
        var orders = (int)Math.Min(MostPrepared, LowWater + Share * seconds * OrdersPerSecond);
        foreach (var id in await SubmitBulkScenario.MakeAsync(run, orders, cancellationToken)) _atStage[0].Enqueue(id);
    }

    public async ValueTask<Response> RunAsync(Invocation invocation)
    {
        if (_atStage[0].Count < LowWater) Refill(invocation.Stop);
        // Stages by turns; where nothing waits at one, the next.
        for (var i = 0; i < Stages; i++)
        {
            var stage = (int)((invocation.Number + i) % Stages);
            if (_atStage[stage].TryDequeue(out var id)) return await AdvanceAsync(id, stage, invocation);
        }
        return Response.Fail("NO_ORDER_READY");
    }

    public async Task<ScenarioFindings> CleanAsync(RunContext run, CancellationToken cancellationToken)
    {
        // Orders still being made would be acknowledged while the ledger is read back.
        await _refill;
        return _refilled == 0
            ? ScenarioFindings.None
            : ScenarioFindings.None with { Notes = [$"{_refilled:N0} orders were submitted in bulk beside the load, because those made before it were used up."] };
    }

    private async ValueTask<Response> AdvanceAsync(string id, int stage, Invocation invocation)
    {
        var client = _run.Connection(invocation.Copy).Fulfillment;
        var requestId = $"{_run.Workload.RunId}-{Steps[stage]}-{invocation.Number}";
        try
        {
            if (stage == 0)
                await client.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = requestId, Actor = Warehouse, OrderId = id }, cancellationToken: invocation.Stop);
            else if (stage == 1)
                await client.ConfirmShipmentAsync(new ConfirmShipmentRequest { RequestId = requestId, Actor = Warehouse, OrderId = id, Carrier = "LOAD", TrackingNumber = requestId }, cancellationToken: invocation.Stop);
            else
                await client.RecordDeliveryAsync(new RecordDeliveryRequest { RequestId = requestId, Actor = Carrier, OrderId = id }, cancellationToken: invocation.Stop);
        }
        catch (RpcException exception)
        {
            return Outcomes.FromException(exception);
        }
        if (stage + 1 < Stages) _atStage[stage + 1].Enqueue(id);
        return invocation.Step(Steps[stage], Response.Ok(), invocation.Begun);
    }

    private void Refill(CancellationToken cancellationToken)
    {
        lock (_refilling)
        {
            if (_refill.IsCompleted) _refill = Task.Run(() => RefillAsync(cancellationToken), CancellationToken.None);
        }
    }

    private async Task RefillAsync(CancellationToken cancellationToken)
    {
        try
        {
            foreach (var id in await SubmitBulkScenario.MakeAsync(_run, RefillSize, cancellationToken)) _atStage[0].Enqueue(id);
            Interlocked.Add(ref _refilled, RefillSize);
        }
        catch (Exception exception) when (exception is InvalidOperationException or OperationCanceledException or RpcException)
        {
            // Runs that find no order fail as NO_ORDER_READY and are counted.
        }
    }
}
