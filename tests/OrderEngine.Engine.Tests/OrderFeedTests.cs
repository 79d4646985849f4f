// Promise 9: streams are in sequence, without gaps or repeats, durable only, resumable; a slow reader slows nobody (rule 9).

using OrderEngine.Core;
using OrderEngine.Core.Events;
using Xunit.Abstractions;

namespace OrderEngine.Engine.Tests;

public sealed class OrderFeedTests(ITestOutputHelper output)
{
    private static readonly TimeSpan AtOnce = TimeSpan.Zero;
    private static readonly TimeSpan Never = TimeSpan.FromDays(1);

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 60)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Whatever_the_pace_nobody_sees_a_gap_or_a_repeat(int seed)
    {
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var rig = new FeedRig(random, windowBatches: random.Next(1, 12), bufferEvents: random.Next(1, 12));
        var readers = new List<Reader>();
        for (var step = 0; step < 600; step++)
        {
            switch (random.Next(10))
            {
                case < 3: rig.Commit(random.Next(1, 8)); break;
                case < 6: rig.Dispatch(); break;
                case < 7 when readers.Count < 12: readers.Add(new Reader(rig, RandomFilter(random), random.Next(rig.Facts.Count + 1))); break;
                case < 8 when readers.Count > 0 && random.Next(3) == 0: readers[random.Next(readers.Count)].Resume(); break;
                default:
                    // Some readers are asked often, some hardly ever.
                    if (readers.Count > 0) await readers[random.Next(random.Next(1, readers.Count + 1))].Read(random.Next(1, 10));
                    break;
            }
        }
        rig.DispatchAll();
        foreach (var reader in readers) await reader.ReadToEnd();
        foreach (var reader in readers) reader.Dispose();
        Assert.Equal(0, rig.Orders.Count);
        Assert.True(rig.Journal.Reads > 0 || readers.Count == 0, "No reader ever had to fall back on the journal.");
    }

    [Fact]
    public async Task Every_position_can_be_resumed_live_from_the_window_and_from_the_journal()
    {
        using var rig = new FeedRig(new Random(7), windowBatches: 5, bufferEvents: 4);
        for (var i = 0; i < 20; i++) rig.Commit(1 + i % 4);
        var early = Enumerable.Range(0, rig.Facts.Count + 1).Select(after => new Reader(rig, OrderFilter.All, after)).ToList();
        foreach (var reader in early) await reader.Read(3);
        rig.DispatchAll();
        foreach (var reader in early)
        {
            await reader.ReadToEnd();
            reader.Dispose();
        }
        for (var after = 0; after <= rig.Facts.Count; after++)
        {
            using var reader = new Reader(rig, OrderFilter.All, after);
            await reader.ReadToEnd();
        }
    }

    [Fact]
    public async Task The_journal_is_read_no_further_than_what_is_published()
    {
        using var rig = new FeedRig(new Random(3), windowBatches: 1, bufferEvents: 1);
        for (var i = 0; i < 5; i++) rig.Commit(2);
        using var reader = new Reader(rig, OrderFilter.All, 0);
        var published = rig.View.Summary;
        rig.Commit(3);
        // As if the last commit were durable, but not published yet.
        rig.View.Publish(published);
        await reader.Read(100);
        await reader.Read(100);
        Assert.True(reader.Through <= published.Sequence);
    }

    [Fact]
    public async Task A_filter_on_states_looks_at_before_and_after()
    {
        await using var host = await Host.Serving(units: 1);
        var start = host.Engine.View.DurableSequence;
        await host.Ok(Host.Submit(units: 3, policy: AllocationPolicy.PartialBackorder));
        await host.Ok(Host.Receive(2, 1));
        using var came = host.Engine.Orders.Subscribe(new OrderFilter([], [], [], [OrderState.PartiallyReserved]), start);
        using var ready = host.Engine.Orders.Subscribe(new OrderFilter([], [], [], [OrderState.Ready]), start);
        using var none = host.Engine.Orders.Subscribe(new OrderFilter([], [], [], [OrderState.Shipped]), start);
        // Submitted into PARTIALLY_RESERVED; the fill leaves it: both match. Only the fill comes into READY.
        Assert.Equal([EventKind.OrderSubmitted, EventKind.BackorderFilled], await Kinds(came, 2));
        Assert.Equal([EventKind.BackorderFilled], await Kinds(ready, 1));
        var page = await none.ReadAsync(10, AtOnce, default);
        Assert.Empty(page.Events);
    }

    [Fact]
    public async Task Changes_that_move_no_stock_are_followed_too()
    {
        await using var host = await Host.Serving();
        using var feed = host.Engine.Orders.Subscribe(OrderFilter.All, host.Engine.View.DurableSequence);
        await host.Ok(Host.Submit());
        await host.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
        await host.Ok(new ConfirmShipment { Order = 1, Role = Role.Warehouse });
        await host.Ok(new RecordDelivery { Order = 1, Role = Role.Carrier });
        Assert.Equal([EventKind.OrderSubmitted, EventKind.ShipmentReleased, EventKind.ShipmentConfirmed, EventKind.DeliveryRecorded], await Kinds(feed, 4));
    }

    [Fact]
    public async Task Silence_gives_a_heartbeat_that_moves_the_position_on()
    {
        await using var host = await Host.Serving();
        using var feed = host.Engine.Orders.Subscribe(new OrderFilter([2], [], [], []), host.Engine.View.DurableSequence);
        var first = await feed.ReadAsync(10, AtOnce, default);
        var reading = feed.ReadAsync(10, TimeSpan.FromSeconds(5), default).AsTask();
        await host.Time.WhenTimerSetBy(host.Time.GetUtcNow().AddSeconds(5));
        await host.Ok(Host.Submit(channel: 1));
        await host.WhenDispatched();
        Assert.False(reading.IsCompleted);
        host.Time.Advance(TimeSpan.FromSeconds(5));
        var page = await reading;
        Assert.Empty(page.Events);
        Assert.Equal(first.Through + 1, page.Through);
        Assert.Equal(host.Engine.View.DurableSequence, page.HighWatermark);
        Assert.Equal(page.Through, feed.Through);
    }

    [Fact]
    public async Task Positions_and_limits_are_checked()
    {
        await using var host = await Host.Serving(new EngineOptions { MaxOrderSubscribers = 2 });
        var durable = host.Engine.View.DurableSequence;
        Assert.Equal(durable, Assert.Throws<PositionAheadException>(() => host.Engine.Orders.Subscribe(OrderFilter.All, durable + 1)).Durable);
        await host.Journal.TruncateBelowAsync(4);
        Assert.Equal(3, Assert.Throws<PositionTruncatedException>(() => host.Engine.Orders.Subscribe(OrderFilter.All, 2)).Earliest);
        using var first = host.Engine.Orders.Subscribe(OrderFilter.All, 3);
        var second = host.Engine.Orders.Subscribe(OrderFilter.All, durable);
        Assert.Equal(2, Assert.Throws<SubscriberLimitException>(() => host.Engine.Orders.Subscribe(OrderFilter.All, durable)).Limit);
        second.Dispose();
        using var third = host.Engine.Orders.Subscribe(OrderFilter.All, durable);
        Assert.Equal(2, host.Engine.Orders.Count);
    }

    [Fact]
    public async Task A_reader_whom_truncation_overtakes_learns_where_to_resume()
    {
        using var rig = new FeedRig(new Random(1), windowBatches: 1, bufferEvents: 2);
        for (var i = 0; i < 9; i++) rig.Commit(2);
        using var feed = rig.Orders.Subscribe(OrderFilter.All, 0);
        rig.DispatchAll();
        await feed.ReadAsync(1, AtOnce, default);
        await rig.Journal.TruncateBelowAsync(11);
        var truncated = await Assert.ThrowsAsync<PositionTruncatedException>(async () =>
        {
            while (feed.Through < rig.Facts.Count) await feed.ReadAsync(1, AtOnce, default);
        });
        Assert.Equal(10, truncated.Earliest);
    }

    [Fact]
    public async Task A_waiting_read_ends_when_it_is_cancelled_or_its_subscription_disposed_and_loses_nothing()
    {
        await using var host = await Host.Serving();
        using var feed = host.Engine.Orders.Subscribe(OrderFilter.All, host.Engine.View.DurableSequence);
        using var cancel = new CancellationTokenSource();
        var cancelled = feed.ReadAsync(10, Never, cancel.Token).AsTask();
        await host.Time.WhenTimerSetBy(host.Time.GetUtcNow() + Never);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        var answer = await host.Ok(Host.Submit());
        Assert.Equal(answer.Sequence, (await feed.ReadAsync(10, Never, default)).Through);

        var waiting = feed.ReadAsync(10, Never, default).AsTask();
        feed.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
    }

    [Fact]
    public async Task Under_load_slow_and_fast_readers_get_everything_and_the_writer_never_waits()
    {
        await using var host = await Host.Serving(new EngineOptions { SubscriberBufferEvents = 8, FeedWindowBatches = 16 });
        var start = host.Engine.View.DurableSequence;
        using var stopped = host.Engine.Orders.Subscribe(OrderFilter.All, start);
        var readers = Enumerable.Range(0, 6).Select(i => Task.Run(() => Follow(host, i, 2_000))).ToList();
        var writers = Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++)
            {
                await host.Ok(Host.Submit(channel: 1 + worker % 2));
                host.Time.Advance(EngineBounds.WakeRound);
            }
        }));
        await Task.WhenAll(writers);
        var expected = Sequences(host, start, _ => true);
        // Whoever waits for a turn gets it.
        while (!Task.WhenAll(readers).IsCompleted)
        {
            host.Time.Advance(EngineBounds.WakeRound);
            await Task.Yield();
        }
        foreach (var sequences in await Task.WhenAll(readers)) Assert.Equal(expected, sequences);
        // One that has read nothing so far.
        var late = new List<long>();
        while (late.Count < expected.Count) late.AddRange((await stopped.ReadAsync(100, Never, default)).Events.Select(e => new EventView(e.Span).Sequence));
        Assert.Equal(expected, late);
    }

    [Fact]
    public async Task Who_has_little_to_read_is_woken_in_turns_and_who_has_much_at_once()
    {
        const int Rounds = 3;
        using var rig = new FeedRig(new Random(1), windowBatches: 64, bufferEvents: 1_000);
        rig.CommitOf(1);
        rig.DispatchAll();
        var feeds = Enumerable.Range(0, Rounds * EngineBounds.WakesPerRound).Select(_ => rig.Orders.Subscribe(new OrderFilter([], [], [1], []), 1)).ToList();
        var hungry = rig.Orders.Subscribe(new OrderFilter([], [], [2], []), 1);
        var reads = feeds.Select(feed => feed.ReadAsync(1_000, Never, default).AsTask()).ToList();
        var feast = hungry.ReadAsync(1_000, Never, default).AsTask();
        var dispatching = rig.RunAsync();

        rig.CommitOf(1);
        await Woken(1);
        rig.CommitOf([.. Enumerable.Repeat(2L, EngineBounds.EventsWorthWaking), 1]);
        Assert.Equal(EngineBounds.EventsWorthWaking, (await feast.WaitAsync(TimeSpan.FromSeconds(30))).Events.Count);
        Assert.Equal(EngineBounds.WakesPerRound, reads.Count(read => read.IsCompleted));
        for (var round = 2; round <= Rounds; round++)
        {
            await rig.Time.WhenTimerSetBy(rig.Time.GetUtcNow() + EngineBounds.WakeRound);
            Assert.Equal((round - 1) * EngineBounds.WakesPerRound, reads.Count(read => read.IsCompleted));
            rig.Time.Advance(EngineBounds.WakeRound);
            await Woken(round);
        }
        // In the order in which events came to them, and who waited longer finds what came meanwhile, too.
        Assert.All(reads.Take(EngineBounds.WakesPerRound), read => Assert.Single(read.Result.Events));
        Assert.All(reads.Skip(EngineBounds.WakesPerRound), read => Assert.Equal(2, read.Result.Events.Count));
        rig.Close();
        await dispatching;

        async Task Woken(int round) => await Task.WhenAll(reads.Take(round * EngineBounds.WakesPerRound));
    }

    [Fact]
    public async Task Nobody_stands_in_line_until_what_he_is_to_read_has_left_the_window()
    {
        const int Batches = 16;
        using var rig = new FeedRig(new Random(1), windowBatches: Batches, bufferEvents: 1_000);
        rig.CommitOf(1);
        rig.DispatchAll();
        var feeds = Enumerable.Range(0, 3 * EngineBounds.WakesPerRound).Select(_ => rig.Orders.Subscribe(new OrderFilter([], [], [1], []), 1)).ToList();
        var reads = feeds.Select(feed => feed.ReadAsync(1_000, Never, default).AsTask()).ToList();
        rig.CommitOf(1);
        // The clock stands still: no round ends. The last one takes the first one's place.
        for (var batch = 2; batch <= Batches; batch++)
        {
            rig.DispatchAll();
            rig.CommitOf(2);
        }
        Assert.False(reads[^1].IsCompleted);
        rig.DispatchAll();
        foreach (var page in await Task.WhenAll(reads).WaitAsync(TimeSpan.FromSeconds(30))) Assert.Equal(2, new EventView(Assert.Single(page.Events).Span).Sequence);
        // Out of the window, not of the journal, which they would have had to read one after the other.
        Assert.Equal(0, rig.Journal.Reads);
    }

    private static async Task<List<long>> Follow(Host host, int pace, int count)
    {
        var sequences = new List<long>();
        // After the definitions: everything that follows is an order.
        using var feed = host.Engine.Orders.Subscribe(OrderFilter.All, 0);
        while (sequences.Count < count)
        {
            var page = await feed.ReadAsync(1 + pace * 3, Never, default);
            sequences.AddRange(page.Events.Select(e => new EventView(e.Span).Sequence));
            Assert.True(page.Through <= page.HighWatermark);
            for (var i = 0; i < pace * 10; i++) await Task.Yield();
        }
        return sequences;
    }

    private static List<long> Sequences(Host host, long after, Func<long, bool> wants) =>
        [.. host.Events().Select(e => new EventView(e).Sequence).Where(sequence => sequence > after && wants(sequence))];

    private static async Task<List<EventKind>> Kinds(OrderSubscription feed, int count)
    {
        var kinds = new List<EventKind>();
        while (kinds.Count < count) kinds.AddRange((await feed.ReadAsync(10, Never, default)).Events.Select(e => new EventView(e.Span).Kind));
        return kinds;
    }

    private static OrderFilter RandomFilter(Random random) => new(
        random.Next(3) == 0 ? [.. Some(random, 1, 4).Select(n => (int)n)] : [],
        random.Next(3) == 0 ? [.. Some(random, 0, 4).Select(n => (int)n)] : [],
        random.Next(3) == 0 ? [.. Some(random, 1, 12)] : [],
        random.Next(3) == 0 ? [.. Some(random, 1, 10).Select(n => (OrderState)n)] : []);

    private static IEnumerable<long> Some(Random random, int from, int to) => Enumerable.Range(0, random.Next(1, 4)).Select(_ => (long)random.Next(from, to));

    /// <summary>A subscriber whose every page is held against the facts.</summary>
    private sealed class Reader(FeedRig rig, OrderFilter filter, long after) : IDisposable
    {
        private readonly long _after = after;
        private readonly List<long> _received = [];
        private OrderSubscription _feed = rig.Orders.Subscribe(filter, after);

        public long Through => _feed.Through;

        public async Task Read(int max)
        {
            var reading = _feed.ReadAsync(max, AtOnce, default);
            Assert.True(reading.IsCompleted);
            var page = await reading;
            Assert.True(page.Events.Count <= max);
            _received.AddRange(page.Events.Select(e => new EventView(e.Span).Sequence));
            Assert.True(page.Through <= page.HighWatermark, $"through {page.Through} above {page.HighWatermark}");
            Assert.Equal(page.Through, _feed.Through);
            Assert.Equal(rig.Facts.Where(fact => fact.Sequence > _after && fact.Sequence <= page.Through && FeedRig.Wants(filter, fact)).Select(fact => fact.Sequence), _received);
        }

        public void Resume()
        {
            var through = _feed.Through;
            _feed.Dispose();
            _feed = rig.Orders.Subscribe(filter, through);
        }

        public async Task ReadToEnd()
        {
            for (var reads = 0; _feed.Through < rig.Facts.Count; reads++)
            {
                Assert.True(reads < 10_000, "The reader does not come to the end.");
                await Read(7);
            }
        }

        public void Dispose() => _feed.Dispose();
    }
}
