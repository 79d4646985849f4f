// More is asked than can be done: the best rate is found first, then 0.8, 2 and 0.5 times that are offered in an open loop.

using OrderEngine.Load.Model;
using OrderEngine.Load.NoOp;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Scenarios;

/// <summary>
/// Four phases over another scenario. "best": closed loop. "at-0.8": the latency to compare with. "at-2.0": what is accepted (goodput), how
/// late, and what is refused how. "after": 0.5 times the best, to see that all is as before.
/// </summary>
public sealed class OverloadScenario(string name, IScenario inner, int copies) : IScenario
{
    /// <summary>The phase that the scenario is about.</summary>
    public const string Overloaded = "at-2.0";

    private const string Best = "best";
    private const int Phases = 4;

    public string Name => name;

    public string Description => $"2 x the best rate, open loop, after 0.8 x and before 0.5 x. {inner.Description}";

    public string Unit => inner.Unit;

    // All that are needed, from the beginning: overload is to be calls, not connections being made.
    public int Connections => Math.Max(inner.Connections, (MaxUnanswered + NoOpServer.CallsPerConnection - 1) / NoOpServer.CallsPerConnection);

    public int MaxUnanswered => inner.MaxUnanswered;

    public bool RefusalsExpected => true;

    // Twice what a no-op server can do says nothing about this one.
    public bool HasCeiling => false;

    public string MainPhase => Overloaded;

    public IReadOnlyList<LoadSimulation> Simulations(TimeSpan during)
    {
        var part = TimeSpan.FromSeconds(Math.Max(0.5, during.TotalSeconds / Phases));
        return
        [
            LoadSimulation.KeepConstant(copies, part, Best),
            LoadSimulation.InjectRelative(0.8, Best, part, "at-0.8"),
            LoadSimulation.InjectRelative(2, Best, part, Overloaded),
            LoadSimulation.InjectRelative(0.5, Best, part, "after"),
        ];
    }

    public Task InitAsync(RunContext run, CancellationToken cancellationToken) => inner.InitAsync(run, cancellationToken);

    public ValueTask<Response> RunAsync(Invocation invocation) => inner.RunAsync(invocation);

    public Task<ScenarioFindings> CleanAsync(RunContext run, CancellationToken cancellationToken) => inner.CleanAsync(run, cancellationToken);
}
