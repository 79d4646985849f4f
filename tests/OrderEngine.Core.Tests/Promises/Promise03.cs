// Promise 3: counters equal their sums, always: after every command of random histories, after every turn, and after every way back up: from the
// journal alone and from a snapshot. What a counter should be is recomputed from what it counts (State/Invariants*.cs).

using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Core.Tests.Histories;
using OrderEngine.Core.Tests.Snapshots;
using Xunit;

namespace OrderEngine.Core.Tests.Promises;

public sealed class Promise03
{
    private const int Commands = 250;

    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(34)]
    public void Counters_equal_their_sums_after_every_command_and_after_recovery(int seed)
    {
        // The model only says which commands make sense: the counters are held against the rows alone.
        var (history, core) = (new History(new Tally()), new OrderCore());
        var random = new Random(seed);
        var replayed = 0;
        for (var i = 0; i < Commands; i++)
        {
            history.Step(random.Next(int.MinValue, int.MaxValue));
            Check(history.Core, $"after command {i}");
            // The same events, read again: each prefix that ends with a command is a state that a restart may find.
            for (; replayed < history.Events.Count; replayed++) core.Replay(history.Events[replayed]);
            Check(core, $"replayed after command {i}");
            Assert.Equal(Counted(history.Core), Counted(core));
        }
        history.Turn();
        var summary = history.Seal();
        Check(history.Core, "at the end");
        Check(SnapshotSupport.Load(SnapshotSupport.Take(history.Core, summary).Blocks, summary), "loaded");
    }

    private static void Check(OrderCore core, string when)
    {
        using var guard = core.Reader.Enter();
        var violations = Invariants.Check(core.Reader, core.Sequence).Violations.Concat(core.CheckIndexes()).ToList();
        Assert.True(violations.Count == 0, $"{when}: {string.Join(' ', violations)}");
    }

    private static (long, long, long, long) Counted(OrderCore core)
    {
        var summary = core.Seal();
        return (summary.OnHand, summary.Committed, summary.Held, summary.Backordered);
    }
}
