// Proves: a million pending timers cost the writer nothing while they wait: a turn writes nothing and allocates nothing, and a command that sets
// one more touches one row. Counted, not timed.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class MillionTimersTests
{
    private const int Timers = 1_000_000;
    private const int Turns = 1_000;

    [Fact]
    public void A_million_timers_wait_without_work_and_fire_a_bounded_number_a_turn()
    {
        var shop = new Shop();
        shop.Ok(shop.Receive(1, (1, 5)));
        shop.Ok(shop.Order(AllocationPolicy.AllOrNothing, (1, 1)));
        var queue = shop.Core.State.Timers;
        // As reservations far in the future would set them.
        for (var i = 1; i <= Timers; i++) queue.Set(new TimerKey(Shop.Start + Shop.Day + i * 7_919L % Timers, i, DeadlineKind.Reservation, i));
        var events = new EventBuffer();
        shop.Core.Turn(shop.Now, events);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Turns; i++) shop.Core.Turn(shop.Now + i, events);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_024);
        Assert.Equal(0, events.Length);
        Assert.Equal(Timers, queue.Count);

        // A search tree: what is found or set takes some steps a doubling, whatever waits.
        Assert.InRange(queue.Depth, 20, 80);
        var next = queue.NextDue;
        Assert.False(queue.TryDue(next - 1, out _));
        Assert.True(queue.TryDue(next, out var first));
        Assert.Equal(next, first.Due);
    }
}
