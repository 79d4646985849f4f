// Proves: a core that is fed the events of another holds the same state and shows the same, wherever the batches ended; and it goes on the same.

using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using OrderEngine.Contracts.Journal;
using OrderEngine.Core.Events;
using OrderEngine.Core.Tests.Histories;
using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class ReplayTests
{
    private const int Histories = 120;
    private const int StepsPerHistory = 300;

    [Fact]
    public void A_replayed_core_equals_the_live_one_and_goes_on_the_same() =>
        Check.One(HistoryProperties.Configuration(Histories), Prop.ForAll(HistoryProperties.Steps(StepsPerHistory), steps =>
        {
            var history = new History(new Tally());
            var random = new Random(steps.FirstOrDefault());
            var cut = random.Next(steps.Length + 1);
            foreach (var seed in steps[..cut]) history.Step(seed);
            // Who is next in which queue's turn is not durable: compare to the byte from where nothing is left to do.
            history.Turn();
            var live = history.Seal();

            var replayed = Replay(history.Events, random.Next(1, 50), random);
            Assert.Equal(live, replayed.Seal());
            Assert.Equal(live, Replay(history.Events, 1, random).Seal());
            Assert.Equal(live, Replay(history.Events, int.MaxValue, random).Seal());
            StateComparison.Whole(replayed, history.Model);
            SameHistories(history.Core, replayed);

            var events = new EventBuffer(16);
            Assert.False(replayed.Turn(replayed.Time, events));
            Assert.Equal(0, events.Length);
            history.Twin = replayed;
            foreach (var seed in steps[cut..]) history.Step(seed);
            history.Turn();
            Assert.Equal(history.Seal().StateHash, Replay(history.Events, 7, random).Seal().StateHash);
        }));

    [Fact]
    public void A_core_that_stopped_anywhere_hands_out_the_same_units_when_it_goes_on() =>
        Check.One(HistoryProperties.Configuration(Histories), Prop.ForAll(HistoryProperties.Steps(StepsPerHistory), steps =>
        {
            var history = new History(new Tally());
            foreach (var seed in steps) history.Step(seed);
            var live = history.Seal();
            var replayed = Replay(history.Events, 9, new Random(1));
            Assert.Equal(live, replayed.Seal());
            history.Turn();
            var events = new EventBuffer(16);
            Turns.All(replayed, history.Now, events);
            var (a, b) = (history.Seal(), replayed.Seal());
            Assert.Equal(a, b);
        }));

    [Fact]
    public void Events_written_again_by_the_generated_classes_make_the_same_state()
    {
        var history = new History(new Tally());
        var random = new Random(8);
        for (var i = 0; i < 600; i++) history.Step(random.Next());
        var rewritten = history.Events.Select(bytes => Event.Parser.ParseFrom(bytes).ToByteArray()).ToList();
        Assert.Equal(history.Seal(), Replay(rewritten, 10, random).Seal());
    }

    [Fact]
    public void An_event_out_of_sequence_or_out_of_time_is_refused()
    {
        var shop = new Shop();
        shop.Ok(shop.Receive(1, (1, 5)));
        var events = Split(shop.Events);
        var core = new OrderCore();
        core.Replay(events[0]);
        Assert.Throws<ApplyException>(() => core.Replay(events[0]));
        Assert.Throws<ApplyException>(() => core.Replay(events[2]));
        var early = Event.Parser.ParseFrom(events[1]);
        early.Time--;
        Assert.Throws<ApplyException>(() => core.Replay(early.ToByteArray()));
    }

    private static OrderCore Replay(List<byte[]> events, int sealEvery, Random random)
    {
        var core = new OrderCore();
        foreach (var e in events)
        {
            core.Replay(e);
            if (sealEvery == 1 || sealEvery < int.MaxValue && random.Next(sealEvery) == 0)
            {
                core.Seal();
                core.Reclaim(core.Sequence);
            }
        }
        return core;
    }

    private static List<byte[]> Split(EventBuffer buffer)
    {
        var list = new List<byte[]>();
        var events = new EventEnumerator(buffer.Written);
        while (events.MoveNext()) list.Add(events.Current.ToArray());
        return list;
    }

    private static void SameHistories(OrderCore a, OrderCore b)
    {
        using var guardA = a.Reader.Enter();
        using var guardB = b.Reader.Enter();
        for (long order = 1; order <= a.Reader.LastOrder; order++)
        {
            long cursorA = 0, cursorB = 0;
            while (a.Reader.PreviousEvent(order, a.Sequence, ref cursorA, out var eventA))
            {
                Assert.True(b.Reader.PreviousEvent(order, b.Sequence, ref cursorB, out var eventB));
                Assert.True(eventA.SequenceEqual(eventB));
            }
            Assert.False(b.Reader.PreviousEvent(order, b.Sequence, ref cursorB, out _));
            Assert.True(a.Reader.FirstEvent(order).SequenceEqual(b.Reader.FirstEvent(order)));
        }
    }
}
