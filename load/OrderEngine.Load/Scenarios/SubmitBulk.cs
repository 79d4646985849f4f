// Orders a hundred a call: BulkSubmitOrders. Also what other scenarios make their orders with.

using System.Collections.Concurrent;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Load.Model;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Scenarios;

/// <summary>BulkSubmitOrders.</summary>
public sealed class SubmitBulkScenario(int ordersPerCall) : IScenario
{
    private const int DefaultCopies = 16;

    private readonly ConcurrentBag<BulkSubmitOrdersRequest> _requests = [];
    private RunContext _run = null!;

    public string Name => $"submit-bulk-{ordersPerCall}";

    public string Description => $"BulkSubmitOrders, {ordersPerCall} orders a call.";

    public IReadOnlyList<LoadSimulation> Simulations(TimeSpan during) => [LoadSimulation.KeepConstant(DefaultCopies, during)];

    public Task InitAsync(RunContext run, CancellationToken cancellationToken)
    {
        _run = run;
        return Task.CompletedTask;
    }

    public async ValueTask<Response> RunAsync(Invocation invocation)
    {
        if (!_requests.TryTake(out var request)) request = new BulkSubmitOrdersRequest();
        var response = await SubmitAsync(_run, _run.Connection(invocation.Copy), request, ordersPerCall, null, invocation.Stop);
        _requests.Add(request);
        return response;
    }

    /// <summary>Makes orders that later calls work on; their ids, in the order made.</summary>
    /// <exception cref="InvalidOperationException">An order was not accepted.</exception>
    internal static async Task<List<string>> MakeAsync(RunContext run, int count, CancellationToken cancellationToken)
    {
        const int perCall = 200;
        const int callsAtOnce = 8;
        var made = new List<string>(count);
        for (var done = 0; done < count; done += perCall * callsAtOnce)
        {
            var calls = new List<Task<(Response Response, List<string> Ids)>>();
            for (var first = done; first < Math.Min(count, done + perCall * callsAtOnce); first += perCall)
            {
                var size = Math.Min(perCall, count - first);
                calls.Add(Task.Run(async () =>
                {
                    var ids = new List<string>(size);
                    return (await SubmitAsync(run, run.Connection(run.Workload.Made), new BulkSubmitOrdersRequest(), size, ids, cancellationToken), ids);
                }, cancellationToken));
            }
            foreach (var (response, ids) in await Task.WhenAll(calls))
            {
                if (response.Status.Length > 0) throw new InvalidOperationException($"orders for the scenario were not accepted: {response.Status}");
                made.AddRange(ids);
            }
        }
        return made;
    }

    private static async Task<Response> SubmitAsync(RunContext run, EngineConnection connection, BulkSubmitOrdersRequest request, int orders,
        List<string>? ids, CancellationToken cancellationToken)
    {
        while (request.Requests.Count < orders) request.Requests.Add(new SubmitOrderRequest());
        var first = run.Workload.Next(orders);
        for (var i = 0; i < orders; i++) run.Workload.Fill(request.Requests[i], first + i);
        try
        {
            var answer = await connection.Orders.BulkSubmitOrdersAsync(request, cancellationToken: cancellationToken);
            if (answer.Results.Count != orders) return Response.Fail("RESULTS_MISSING", orders);
            var response = default(Response) with { Status = "" };
            for (var i = 0; i < orders; i++)
            {
                response = response.And(Book(run.Ledger, first + i, answer.Results[i]));
                if (answer.Results[i].Accepted is { } accepted) ids?.Add(accepted.OrderId);
            }
            return response;
        }
        catch (RpcException exception)
        {
            return Outcomes.FromException(exception, orders);
        }
    }

    /// <summary>Writes one result into the ledger.</summary>
    internal static Response Book(Ledger.OrderLedger ledger, long index, SubmitResult result)
    {
        if (result.Accepted is { } accepted)
        {
            ledger.Acknowledge(index, accepted.OrderId);
            return Response.Ok();
        }
        var response = result.Refused is null ? Response.Fail("EMPTY_RESULT") : Outcomes.FromStatus(result.Refused);
        if (response.Refused > 0) ledger.Refuse(index);
        return response;
    }
}
