// Proves: epochs tell who is in, and a block is freed only when its successor is published and the readers of before left.

using OrderEngine.Core.Storage;
using Xunit;

namespace OrderEngine.Core.Tests.Storage;

public sealed class ReclaimerTests
{
    private readonly RowHeap _heap = new();
    private readonly ReadEpochs _epochs = new();
    private readonly Reclaimer _reclaimer;

    public ReclaimerTests() => _reclaimer = new Reclaimer(_heap, _epochs);

    private void Retire(long sequence) => _reclaimer.Retire(_heap.Allocate(64), 64, sequence);

    [Fact]
    public void Nothing_is_freed_before_its_successor_is_durable()
    {
        Retire(10);
        Retire(20);
        Assert.Equal(0, _reclaimer.Reclaim(9, 100));
        Assert.Equal(1, _reclaimer.Reclaim(19, 100));
        Assert.Equal((1, 64), (_reclaimer.Pending, _reclaimer.PendingBytes));
        Assert.Equal(1, _reclaimer.Reclaim(20, 100));
        Assert.Equal((0, 0), (_reclaimer.Pending, _heap.UsedBytes));
    }

    [Fact]
    public void A_reader_that_entered_before_holds_back_what_it_may_see_and_no_later_reader_does()
    {
        Retire(10);
        var guard = _epochs.Enter();
        Assert.Equal(0, _reclaimer.Reclaim(10, 100));
        using (_epochs.Enter())
        {
            Assert.Equal(0, _reclaimer.Reclaim(10, 100));
            guard.Dispose();
            Assert.Equal(1, _reclaimer.Reclaim(10, 100));
        }
        Assert.Equal(10, _reclaimer.ClearedSequence);
    }

    [Fact]
    public void What_became_durable_after_the_grace_period_began_waits_for_the_next()
    {
        Retire(10);
        using (_epochs.Enter())
        {
            Assert.Equal(0, _reclaimer.Reclaim(10, 100));
            Retire(20);
        }
        using (_epochs.Enter())
        {
            // This reader entered after 10 was published, but not after 20.
            Assert.Equal(1, _reclaimer.Reclaim(20, 100));
            Assert.Equal(0, _reclaimer.Reclaim(20, 100));
            Assert.Equal(0, _reclaimer.Reclaim(30, 100));
        }
        Assert.Equal(1, _reclaimer.Reclaim(30, 100));
    }

    [Fact]
    public void A_call_frees_no_more_than_its_budget()
    {
        for (var i = 0; i < 10_000; i++) Retire(1 + i / 100);
        for (var left = 10_000; left > 0; left -= 70) Assert.Equal(Math.Min(70, left), _reclaimer.Reclaim(1000, 70));
        Assert.Equal(0, _heap.UsedBytes);
    }

    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    public void The_queue_keeps_every_block_through_many_fillings(int seed)
    {
        var random = new Random(seed);
        var sequence = 0L;
        var waiting = 0L;
        for (var step = 0; step < 300; step++)
        {
            for (var n = random.Next(random.Next(3) == 0 ? 8000 : 500); n > 0; n--, waiting++) Retire(++sequence);
            var freed = _reclaimer.Reclaim(sequence, random.Next(5000));
            waiting -= freed;
            Assert.Equal(waiting, _reclaimer.Pending);
            Assert.Equal(waiting * 64, _heap.UsedBytes);
        }
        while (_reclaimer.Pending > 0) _reclaimer.Reclaim(sequence, 10_000);
        Assert.Equal(0, _heap.UsedBytes);
    }

    [Fact]
    public void The_oldest_epoch_is_that_of_the_reader_that_stays_longest()
    {
        Assert.Equal(long.MaxValue, _epochs.OldestActive());
        var first = _epochs.Enter();
        var entered = _epochs.OldestActive();
        Assert.Equal(entered + 1, _epochs.Advance());
        var second = _epochs.Enter();
        Assert.Equal((entered, 2), (_epochs.OldestActive(), _epochs.Active));
        first.Dispose();
        first.Dispose();
        Assert.Equal((entered + 1, 1), (_epochs.OldestActive(), _epochs.Active));
        second.Dispose();
        Assert.Equal(long.MaxValue, _epochs.OldestActive());
    }

    [Fact]
    public void One_reader_too_many_waits_until_another_leaves()
    {
        FillAndWait(ReadEpochs.MaxReaders);

        void FillAndWait(int left)
        {
            using var guard = _epochs.Enter();
            if (left > 1)
            {
                FillAndWait(left - 1);
                return;
            }
            Assert.Equal(ReadEpochs.MaxReaders, _epochs.Active);
            var entered = false;
            var late = new Thread(() =>
            {
                using var lateGuard = _epochs.Enter();
                Volatile.Write(ref entered, true);
            });
            late.Start();
            // Until a slot is free the late one cannot get in, however long this takes.
            for (var i = 0; i < 1000; i++)
            {
                Thread.Yield();
                Assert.False(Volatile.Read(ref entered));
            }
            guard.Dispose();
            late.Join();
            Assert.True(entered);
        }
    }
}
