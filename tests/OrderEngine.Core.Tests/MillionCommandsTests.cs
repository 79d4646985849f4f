// Proves: over a million random commands core and naive model agree after every one, and over the whole state every 1,000 and at the end of each
// history. As many threads as processors, each with histories of its own; a history follows from its seed alone.
//
//   ORDERENGINE_COMMANDS=n   how many commands; the default is a million in CI (CI=true), and a few elsewhere
//   ORDERENGINE_SEED=n       the first history's seed; the following ones count on. bash .ci/run prints it; a failure names its own

using System.Globalization;
using OrderEngine.Core.Tests.Histories;
using Xunit;
using Xunit.Abstractions;

namespace OrderEngine.Core.Tests;

public sealed class MillionCommandsTests(ITestOutputHelper output)
{
    private const int StepsPerHistory = 500;
    private const int WholeEvery = 1_000;

    [Fact]
    public void A_million_commands_come_out_alike()
    {
        var commands = Setting("ORDERENGINE_COMMANDS", Environment.GetEnvironmentVariable("CI") == "true" ? 1_000_000 : 20_000);
        var first = Setting("ORDERENGINE_SEED", 20_260_101);
        var histories = (commands + StepsPerHistory - 1) / StepsPerHistory;
        output.WriteLine($"{histories * (long)StepsPerHistory} commands, seeds {first} to {first + histories - 1}");
        var tally = new Tally();
        Parallel.For(0, histories, i =>
        {
            try
            {
                Run(first + i, tally);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"The history of seed {first + i} failed (ORDERENGINE_SEED={first + i} ORDERENGINE_COMMANDS={StepsPerHistory} runs it alone): {failure.Message}", failure);
            }
        });
        tally.AtLeast((long)histories * StepsPerHistory, "commands");
    }

    private static void Run(int seed, Tally tally)
    {
        var history = new History(tally, WholeEvery);
        var random = new Random(seed);
        for (var i = 0; i < StepsPerHistory; i++) history.Step(random.Next(int.MinValue, int.MaxValue));
        history.Turn();
        StateComparison.Whole(history.Core, history.Model);
        StateComparison.Summary(history.Seal(), history.Model);
    }

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
