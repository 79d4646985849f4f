// Seeds in CI, always the same: what failed once fails again. Longer runs: Program.cs.

namespace OrderEngine.Simulation;

public sealed class SimulationTests(Xunit.Abstractions.ITestOutputHelper log)
{
    private const ulong FirstSeed = 1, Seeds = 2_000;

    // Two of these must be alike.

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
            var first = History.Run(seed, keepTrace: true);
            var second = History.Run(seed, keepTrace: true);
            if (first.Text == second.Text && first.Choices.SequenceEqual(second.Choices)) return true;
            difference = $"seed {seed}:\n{first.Text}\n--- and then\n{second.Text}";
            return false;
        });
        Xunit.Assert.True(difference is null, difference);
    }
}
