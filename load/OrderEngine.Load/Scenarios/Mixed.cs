// A day's mix: several scenarios at once, chosen by their weights.

using OrderEngine.Load.Model;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Scenarios;

/// <summary>Runs its parts in the proportion of their weights, evenly spread and in the same order every time.</summary>
public sealed class MixedScenario : IScenario
{
    private const int DefaultCopies = 64;

    private readonly IScenario[] _parts;
    private readonly int[] _turns;
    private readonly long[] _runs;

    public MixedScenario(params IScenario[] parts)
    {
        _parts = parts;
        _turns = Turns([.. parts.Select(p => p.Weight)]);
        _runs = new long[parts.Length];
    }

    public string Name => "mixed";

    public string Description => "70 % reads (TrackOrder, pages), 20 % status steps, 10 % SubmitOrder.";

    public string Unit => "calls";

    public IReadOnlyList<LoadSimulation> Simulations(TimeSpan during) => [LoadSimulation.KeepConstant(DefaultCopies, during)];

    public async Task InitAsync(RunContext run, CancellationToken cancellationToken)
    {
        foreach (var part in _parts) await part.InitAsync(run, cancellationToken);
    }

    public async ValueTask<Response> RunAsync(Invocation invocation)
    {
        var turn = _turns[(int)(invocation.Number % _turns.Length)];
        // A part counts its own runs, or its turns would fall together with those of the mix.
        var number = Interlocked.Increment(ref _runs[turn]) - 1;
        var response = await _parts[turn].RunAsync(invocation with { Number = number });
        return invocation.Step(_parts[turn].Name, response, invocation.Begun);
    }

    public async Task<ScenarioFindings> CleanAsync(RunContext run, CancellationToken cancellationToken)
    {
        var notes = new List<string>();
        var failures = new List<string>();
        foreach (var part in _parts)
        {
            var findings = await part.CleanAsync(run, cancellationToken);
            notes.AddRange(findings.Notes);
            failures.AddRange(findings.Failures);
        }
        return new ScenarioFindings(notes, failures);
    }

    // Smooth weighted round robin: at each turn every part gains its weight, the richest goes and pays the sum.
    internal static int[] Turns(int[] weights)
    {
        var sum = weights.Sum();
        var credit = new int[weights.Length];
        var turns = new int[sum];
        for (var turn = 0; turn < sum; turn++)
        {
            for (var i = 0; i < weights.Length; i++) credit[i] += weights[i];
            turns[turn] = Array.IndexOf(credit, credit.Max());
            credit[turns[turn]] -= sum;
        }
        return turns;
    }
}
