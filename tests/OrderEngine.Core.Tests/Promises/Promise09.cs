// Promise 9: streams are in sequence, without gaps, durable only, resumable. Here: what the core hands to the streams. What they make of it needs
// an engine, a server, a crash: OrderFeedTests and CommitTests (OrderEngine.Engine.Tests: nothing before it is durable, stragglers and joins without
// gap or repeat), WatchTests (OrderEngine.Server.Tests: tokens), ForeignClientTests and KillTests (OrderEngine.System.Tests: across kill -9).

using OrderEngine.Core.Events;
using OrderEngine.Core.Tests.Histories;
using Xunit;

namespace OrderEngine.Core.Tests.Promises;

public sealed class Promise09
{
    private const int Steps = 300;

    [Fact]
    public void Events_are_numbered_without_gaps_and_a_gap_or_a_repeat_is_never_taken_in()
    {
        var history = new History(new Tally());
        var random = new Random(9);
        for (var i = 0; i < Steps; i++) history.Step(random.Next());
        for (var i = 0; i < history.Events.Count; i++) Assert.Equal(i + 1, new EventView(history.Events[i]).Sequence);

        foreach (var at in new[] { 20, history.Events.Count / 2, history.Events.Count - 2 })
        {
            Assert.Throws<ApplyException>(() => Follow(history.Events[..at]).Replay(history.Events[at + 1]));
            Assert.Throws<ApplyException>(() => Follow(history.Events[..at]).Replay(history.Events[at - 1]));
            // Who goes on where it stopped comes to the same state.
            var resumed = Follow(history.Events[..at]);
            foreach (var e in history.Events[at..]) resumed.Replay(e);
            Assert.Equal(history.Core.Seal().StateHash, resumed.Seal().StateHash);
        }
    }

    private static OrderCore Follow(IEnumerable<byte[]> events)
    {
        var core = new OrderCore();
        foreach (var e in events) core.Replay(e);
        return core;
    }
}
