// A scenario: a plain class with three methods and a weight, as NBomber's Scenario.Create(name, run).WithInit().WithClean().WithWeight().

using OrderEngine.Load.Running;

namespace OrderEngine.Load.Model;

/// <summary>Something a user of the engine does, again and again. Run is called by many threads at once.</summary>
public interface IScenario
{
    /// <summary>As on the command line.</summary>
    string Name { get; }

    /// <summary>One sentence.</summary>
    string Description { get; }

    /// <summary>What Response.Items counts: orders, calls, reads, connections.</summary>
    string Unit => "orders";

    /// <summary>How often it is chosen among others of a mix.</summary>
    int Weight => 1;

    /// <summary>True where being refused for load is what the scenario is about; elsewhere a refusal is a failure.</summary>
    bool RefusalsExpected => false;

    /// <summary>False where a server that does nothing would not do the same work.</summary>
    bool HasCeiling => true;

    /// <summary>True where the figure is read beside the time that the server's disk takes for a flush.</summary>
    bool ComparesWithDisk => false;

    /// <summary>HTTP/2 connections that its runs share, unless the command line says otherwise. A server takes 100 calls at once on each.</summary>
    int Connections => 4;

    /// <summary>
    /// Open loop: unanswered runs at most. An arrival beyond it is not sent and counts as failed with status NOT_SENT: an honest figure of a
    /// server (or a stream's flow control) that takes less than is offered, instead of a client that drowns in what it has not sent.
    /// </summary>
    int MaxUnanswered => Running.OpenLoop.MaxUnanswered;

    /// <summary>The load it is under when the command line says nothing else.</summary>
    IReadOnlyList<LoadSimulation> Simulations(TimeSpan during);

    /// <summary>The phase whose figures are the scenario's figures.</summary>
    string MainPhase => Simulations(TimeSpan.FromSeconds(1))[^1].Phase;

    /// <summary>Makes what Run needs. Not measured.</summary>
    Task InitAsync(RunContext run, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Does it once.</summary>
    ValueTask<Response> RunAsync(Invocation invocation);

    /// <summary>Called between two phases, before the next one begins. Not measured.</summary>
    Task BeginPhaseAsync(PhaseRecorderView phase, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Lets go of what Init made; reports what only the end can tell (gaps in a stream, for example).</summary>
    Task<ScenarioFindings> CleanAsync(RunContext run, CancellationToken cancellationToken) => Task.FromResult(ScenarioFindings.None);
}

/// <summary>What a scenario found besides counts and latency.</summary>
/// <param name="Notes">For the report, each a sentence.</param>
/// <param name="Failures">What must not be: each fails the run.</param>
public sealed record ScenarioFindings(IReadOnlyList<string> Notes, IReadOnlyList<string> Failures)
{
    public static readonly ScenarioFindings None = new([], []);
}

/// <summary>The phase that begins.</summary>
/// <param name="Name">Its name; "warm-up" for the warm-up.</param>
/// <param name="Record">Records a step that no run of the scenario makes itself: name, response, latency in ns.</param>
public sealed record PhaseRecorderView(string Name, Action<string, Response, long> Record);
