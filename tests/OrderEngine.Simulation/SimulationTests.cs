// Seeds in CI, always the same: what failed once fails again. Longer runs: Program.cs.

namespace OrderEngine.Simulation;

public sealed class SimulationTests(Xunit.Abstractions.ITestOutputHelper log)
{
    private const ulong FirstSeed = 1, Seeds = 2_000;

    // Two of these must be alike.
    private const int MostRuns = 5;

    [Xunit.Fact]
    public void No_seed_breaks_a_promise_and_every_kind_of_fault_fires()
    {
        var totals = new Totals();
        var failure = Program.Many(FirstSeed, Seeds, totals);
        log.WriteLine(totals.ToString());
        Xunit.Assert.True(failure is null, failure);
        Xunit.Assert.All(Enum.GetValues<Fault>(), fault => Xunit.Assert.True(totals.Faults[fault] > 0, $"{fault} never fired"));
        Xunit.Assert.True(totals is { Detected: > 0, Harmless: > 0, Unknown: > 0, Refusals: > 0 });
        Xunit.Assert.True(totals.Answers > (long)Seeds);
        // Without these the histories do not come near what has to hold.
        Xunit.Assert.All([totals.Archived, totals.Restored, totals.Erased, totals.Truncated, totals.FellBack], reached => Xunit.Assert.True(reached > (long)Seeds / 10, totals.ToString()));
    }

    [Xunit.Fact]
    public void The_same_seed_gives_the_same_history()
    {
        string? difference = null;
        Program.SideBySide(100, index =>
        {
            var seed = 1_000_000 + index;
            // When a write fails, FASTER's worker tells the engine, and that one step is not the simulation's: such a history has two endings.
            var runs = new List<HistoryResult>();
            while (runs.Count < MostRuns)
            {
                var run = History.Run(seed, keepTrace: true);
                if (runs.Exists(other => other.Text == run.Text && other.Choices.SequenceEqual(run.Choices))) return true;
                runs.Add(run);
            }
            difference = $"seed {seed}:\n{string.Join("\n--- and then\n", runs.Select(run => run.Text))}";
            return false;
        });
        Xunit.Assert.True(difference is null, difference);
    }
}
