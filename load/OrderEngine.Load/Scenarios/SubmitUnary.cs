// Orders one call each: submit-unary, submit-hot, submit-retry. Requests are pooled, so that the client costs as little as it can.

using System.Collections.Concurrent;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Load.Model;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Scenarios;

/// <summary>SubmitOrder, one order a call.</summary>
public sealed class SubmitUnaryScenario(string name, string description) : IScenario
{
    /// <summary>Copies that give the best rate on two shared cores.</summary>
    public const int DefaultCopies = 256;

    private readonly ConcurrentBag<SubmitOrderRequest> _requests = [];
    private RunContext _run = null!;

    public string Name => name;

    public string Description => description;

    public int Weight { get; init; } = 1;

    /// <summary>One run in so many sends an order again that was acknowledged before; 0: never.</summary>
    public int RepeatEvery { get; init; }

    public IReadOnlyList<LoadSimulation> Simulations(TimeSpan during) => [LoadSimulation.KeepConstant(DefaultCopies, during)];

    public Task InitAsync(RunContext run, CancellationToken cancellationToken)
    {
        _run = run;
        return Task.CompletedTask;
    }

    public async ValueTask<Response> RunAsync(Invocation invocation)
    {
        var repeat = RepeatEvery > 0 && invocation.Number % RepeatEvery == RepeatEvery - 1;
        var index = repeat ? EarlierOrder(invocation) : _run.Workload.Next();
        if (!_requests.TryTake(out var request)) request = new SubmitOrderRequest();
        _run.Workload.Fill(request, index);
        var again = repeat && _run.Ledger.IsAcknowledged(index);
        var response = await SubmitAsync(_run, _run.Connection(invocation.Copy), request, index, again, invocation.Stop);
        _requests.Add(request);
        return RepeatEvery > 0 ? invocation.Step(again ? "repeated" : "first", response, invocation.Begun) : response;
    }

    /// <summary>Sends one order and writes the answer into the ledger. A repeated one must be answered as the first time.</summary>
    internal static async ValueTask<Response> SubmitAsync(RunContext run, EngineConnection connection, SubmitOrderRequest request, long index,
        bool again, CancellationToken cancellationToken)
    {
        var call = connection.Orders.SubmitOrderAsync(request, cancellationToken: cancellationToken).ResponseAsync;
        // Under overload every second call is refused, and an exception that is thrown and caught costs the client more than a call.
        await ((Task)call).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (call.IsCompletedSuccessfully)
        {
            var answer = await call;
            if (again && !run.ServerIsNoOp && !answer.Replayed) return Response.Fail("NOT_REPLAYED");
            run.Ledger.Acknowledge(index, answer.OrderId);
            return Response.Ok();
        }
        var response = Outcomes.FromException(call.Exception?.InnerException ?? new OperationCanceledException());
        if (response.Refused > 0 && !again) run.Ledger.Refuse(index);
        return response;
    }

    // Any of the last ten thousand: most of them are answered, some are on their way, as retries are in life.
    private long EarlierOrder(in Invocation invocation)
    {
        var made = _run.Workload.Made;
        if (made == 0) return _run.Workload.Next();
        var back = 1 + (long)(invocation.Draw % (ulong)Math.Min(made, 10_000));
        return made - back;
    }
}
