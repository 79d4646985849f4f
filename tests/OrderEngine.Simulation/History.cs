// Runs a seed, and shrinks the history of one that failed.

using System.Diagnostics.CodeAnalysis;

namespace OrderEngine.Simulation;

/// <summary>How a history ended.</summary>
/// <param name="Broken">The promise that was broken; null: none.</param>
/// <param name="Message">What happened.</param>
/// <param name="Hash">Over the trace.</param>
/// <param name="Text">The trace, if it was kept.</param>
/// <param name="Choices">What was drawn.</param>
internal sealed record HistoryResult(string? Broken, string Message, ulong Hash, string Text, IReadOnlyList<int> Choices);

/// <summary>Sums over many histories.</summary>
internal sealed class Totals
{
    public FaultCount Faults { get; } = new();
    public long Answers, Refusals, Unknown, Detected, Harmless, Events, Archived, Restored, Truncated, FellBack, Erased;

    public void Add(Simulation simulation, FaultCount faults)
    {
        Faults.Add(faults);
        Interlocked.Add(ref Answers, simulation.Auditor.Answers);
        Interlocked.Add(ref Refusals, simulation.Auditor.Refusals);
        Interlocked.Add(ref Unknown, simulation.Auditor.UnknownAttempts);
        Interlocked.Add(ref Detected, simulation.Detected);
        Interlocked.Add(ref Harmless, simulation.Harmless);
        Interlocked.Add(ref Events, simulation.Auditor.Known);
        Interlocked.Add(ref Archived, simulation.Auditor.Orders.Archived);
        Interlocked.Add(ref Restored, simulation.Auditor.Orders.Restored);
        Interlocked.Add(ref Erased, simulation.Auditor.Persons.Erasures);
        Interlocked.Add(ref Truncated, simulation.Truncated);
        Interlocked.Add(ref FellBack, simulation.FellBack);
    }

    public override string ToString() =>
        $"{Answers} accepted, {Refusals} refused, {Unknown} unknown (the process died under them), {Events} events; damage: {Detected} refused at start, {Harmless} without loss\n" +
        $"{Archived} orders archived, {Restored} brought back, {Erased} persons erased, {Truncated} lives with a journal cut at its beginning, {FellBack} starts from the older snapshot\n" +
        string.Join('\n', Enum.GetValues<Fault>().Select(fault => $"  {fault,-18} {Faults[fault],10}"));
}

internal static class History
{
    private const int ShrinkAttempts = 200;

    public static HistoryResult Run(ulong seed, Totals? totals = null, bool keepTrace = false) => Run(new Choices(seed), totals, keepTrace);

    [SuppressMessage("Design", "CA1031", Justification = "Whatever is thrown is what a history came to.")]
    public static HistoryResult Run(Choices choices, Totals? totals, bool keepTrace)
    {
        var trace = new Trace(keepTrace);
        var faults = new FaultCount();
        using var simulation = new Simulation(choices, faults, trace);
        try
        {
            simulation.Run();
        }
        catch (EndOfHistoryException)
        {
            // As good an end as any.
        }
        catch (BrokenPromiseException broken)
        {
            trace.Line($"BROKEN {broken.Message}");
            return new HistoryResult(broken.Promise, broken.Message, trace.Hash, trace.Text, choices.Taken);
        }
        catch (Exception unforeseen)
        {
            return new HistoryResult(unforeseen.GetType().Name, unforeseen.ToString(), trace.Hash, trace.Text, choices.Taken);
        }
        totals?.Add(simulation, faults);
        return new HistoryResult(null, "", trace.Hash, trace.Text, choices.Taken);
    }

    /// <summary>A shorter or calmer history that breaks the same promise.</summary>
    public static HistoryResult Shrink(HistoryResult failed)
    {
        var best = failed.Choices.ToList();
        var attempts = ShrinkAttempts;
        bool Breaks(List<int> choices) => attempts-- > 0 && Run(new Choices(choices), null, keepTrace: false).Broken == failed.Broken;

        // First the end, then pieces, each smaller than the last; then single draws made calm.
        for (var length = best.Count / 2; length > 0; length /= 2)
            while (length < best.Count && Breaks(best[..^length])) best.RemoveRange(best.Count - length, length);
        for (var piece = Math.Max(1, best.Count / 4); piece > 0 && attempts > 0; piece /= 2)
        {
            for (var at = 0; at + piece <= best.Count && attempts > 0;)
            {
                var without = best.Take(at).Concat(best.Skip(at + piece)).ToList();
                if (Breaks(without)) best = without;
                else at += piece;
            }
        }
        for (var at = 0; at < best.Count && attempts > 0; at++)
        {
            if (best[at] == 0) continue;
            var calmer = best.ToList();
            calmer[at] = 0;
            if (Breaks(calmer)) best = calmer;
        }
        return Run(new Choices(best), null, keepTrace: true);
    }
}
