// A storm of connections: every run opens one, submits an order on it and closes it.

using System.Collections.Concurrent;
using OrderEngine.Contracts.V1;
using OrderEngine.Load.Model;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Scenarios;

/// <summary>A new TCP and HTTP/2 connection for every order.</summary>
public sealed class ConnectionsScenario : IScenario
{
    private const int DefaultCopies = 32;

    private readonly ConcurrentBag<SubmitOrderRequest> _requests = [];
    private RunContext _run = null!;

    public string Name => "connections";

    public string Description => "Each run opens a connection, submits one order and closes it.";

    public string Unit => "connections";

    public IReadOnlyList<LoadSimulation> Simulations(TimeSpan during) => [LoadSimulation.KeepConstant(DefaultCopies, during)];

    public Task InitAsync(RunContext run, CancellationToken cancellationToken)
    {
        _run = run;
        return Task.CompletedTask;
    }

    public async ValueTask<Response> RunAsync(Invocation invocation)
    {
        if (!_requests.TryTake(out var request)) request = new SubmitOrderRequest();
        var index = _run.Workload.Next();
        _run.Workload.Fill(request, index);
        using var connection = new EngineConnection(_run.Settings.Address, _run.Settings.Client);
        var response = await SubmitUnaryScenario.SubmitAsync(_run, connection, request, index, again: false, invocation.Stop);
        _requests.Add(request);
        return response;
    }
}
