// An engine at half its load: what a call waits for when it does not stand in line. The best rate is found first, then half of it is offered.

using OrderEngine.Load.Model;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Scenarios;

/// <summary>
/// Two phases of orders one a call. "best": closed loop. "at-0.5": half of that rate, open loop; its figures are the scenario's, and stand beside the
/// disk's own flush.
/// </summary>
public sealed class HalfLoadScenario : IScenario
{
    /// <summary>The phase that the scenario is about.</summary>
    public const string Half = "at-0.5";

    private const string Best = "best";

    private readonly SubmitUnaryScenario _inner = new("half-load", "SubmitOrder, one order a call.");

    public string Name => _inner.Name;

    public string Description => $"Half the best rate, open loop. {_inner.Description}";

    // Half of what a no-op server can do is another load.
    public bool HasCeiling => false;

    public bool ComparesWithDisk => true;

    public string MainPhase => Half;

    public IReadOnlyList<LoadSimulation> Simulations(TimeSpan during) =>
    [
        LoadSimulation.KeepConstant(SubmitUnaryScenario.DefaultCopies, during / 3, Best),
        LoadSimulation.InjectRelative(0.5, Best, during * 2 / 3, Half),
    ];

    public Task InitAsync(RunContext run, CancellationToken cancellationToken) => _inner.InitAsync(run, cancellationToken);

    public ValueTask<Response> RunAsync(Invocation invocation) => _inner.RunAsync(invocation);
}
