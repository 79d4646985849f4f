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
            Assert.Equal(Summed(history.Core), Counted(history.Core));
            Assert.Equal(Summed(core), Counted(core));
        }
        history.Turn();
        var summary = history.Seal();
        Check(history.Core, "at the end");
        var loaded = SnapshotSupport.Load(SnapshotSupport.Take(history.Core, summary).Blocks, summary);
        Check(loaded, "loaded");
        Assert.Equal(Summed(loaded), Counted(loaded));
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

    // The same over all rows there are.
    private static (long, long, long, long) Summed(OrderCore core)
    {
        using var guard = core.Reader.Enter();
        long onHand = 0, committed = 0, held = 0, backordered = 0;
        for (long slot = 1; slot <= core.Reader.LastStockSlot; slot++)
        {
            if (!core.Reader.Stock(slot, core.Sequence, out var row, out _)) continue;
            onHand += row.OnHand;
            committed += row.Committed;
            held += row.Held;
        }
        for (long number = 1; number <= core.Reader.LastOrder; number++)
        {
            var order = core.Reader.LiveOrder(number, core.Sequence);
            if (!order.Exists) continue;
            foreach (ref readonly var line in order.Lines) backordered += line.Backordered;
        }
        return (onHand, committed, held, backordered);
    }
}
