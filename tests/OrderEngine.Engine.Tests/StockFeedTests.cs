// The stock feed conflates: never a backlog, never a missed change, resumable from any position.

using Microsoft.Extensions.Logging.Abstractions;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Journal;
using Xunit.Abstractions;

namespace OrderEngine.Engine.Tests;

public sealed class StockFeedTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Never = TimeSpan.FromDays(1);

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 60)];

    [Fact]
    public async Task Many_changes_of_a_slot_are_one_entry()
    {
        await using var host = await Host.Serving();
        await host.WhenDispatched();
        using var all = host.Engine.Stock.Subscribe([], [], host.Engine.View.DurableSequence);
        using var second = host.Engine.Stock.Subscribe([2], [1], host.Engine.View.DurableSequence);
        using var elsewhere = host.Engine.Stock.Subscribe([], [9], host.Engine.View.DurableSequence);
        for (var i = 0; i < 100; i++) await host.Ok(Host.Submit(sku: 1 + i % 3));
        await host.WhenDispatched();
        var page = await all.ReadAsync(100, Never, default);
        Assert.Equal([1L, 2, 3], page.Slots.Order());
        Assert.Equal(host.Engine.View.DurableSequence, page.Through);
        Assert.Equal([2L], (await second.ReadAsync(100, Never, default)).Slots);
        var silent = await elsewhere.ReadAsync(100, TimeSpan.Zero, default);
        Assert.Empty(silent.Slots);
        Assert.Equal(host.Engine.View.DurableSequence, silent.Through);
    }

    [Fact]
    public async Task Resuming_gives_the_slots_that_changed_since_first()
    {
        await using var host = await Host.Serving();
        var start = host.Engine.View.DurableSequence;
        await host.Ok(Host.Submit(sku: 3));
        await host.Ok(Host.Submit(sku: 4));
        await host.WhenDispatched();
        using var since = host.Engine.Stock.Subscribe([], [], start);
        using var later = host.Engine.Stock.Subscribe([], [], start + 1);
        using var everything = host.Engine.Stock.Subscribe([], [], 0);
        Assert.Equal([3L, 4], (await since.ReadAsync(100, Never, default)).Slots);
        Assert.Equal([4L], (await later.ReadAsync(100, Never, default)).Slots);
        // Page by page; the position moves on only when the scan is through.
        var first = await everything.ReadAsync(3, Never, default);
        Assert.Equal([1L, 2, 3], first.Slots);
        Assert.Equal(0, first.Through);
        var rest = await everything.ReadAsync(3, Never, default);
        Assert.Equal([4L], rest.Slots);
        Assert.Equal(start + 2, rest.Through);
    }

    [Fact]
    public async Task Silence_gives_a_heartbeat_and_limits_are_checked()
    {
        await using var host = await Host.Serving(new EngineOptions { MaxStockSubscribers = 1 });
        await host.WhenDispatched();
        using var feed = host.Engine.Stock.Subscribe([], [], host.Engine.View.DurableSequence);
        Assert.Throws<SubscriberLimitException>(() => host.Engine.Stock.Subscribe([], [], 0));
        Assert.Throws<PositionAheadException>(() => host.Engine.Stock.Subscribe([], [], host.Engine.View.DurableSequence + 1));
        var reading = feed.ReadAsync(10, TimeSpan.FromSeconds(5), default).AsTask();
        await host.Time.WhenTimerSetBy(host.Time.GetUtcNow().AddSeconds(5));
        Assert.False(reading.IsCompleted);
        host.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Empty((await reading).Slots);
        await host.Engine.StopAsync();
        await Assert.ThrowsAsync<FeedClosedException>(async () => await feed.ReadAsync(10, Never, default));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Whatever_the_pace_no_change_is_missed(int seed)
    {
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var rig = new Rig(random.Next(1, 10));
        var readers = new List<Reader>();
        for (var step = 0; step < 500; step++)
        {
            switch (random.Next(10))
            {
                case < 3: rig.Commit(random); break;
                case < 6: rig.Dispatcher.DispatchNext(); break;
                case < 7 when readers.Count < 6:
                    readers.Add(new Reader(rig, random.Next(2) == 0 ? [] : [random.Next(1, 6), 3], random.Next(3) > 0 ? [] : [random.Next(1, 3)], random.Next((int)rig.Core.Sequence + 1)));
                    break;
                case < 8 when readers.Count > 0 && random.Next(3) == 0: readers[random.Next(readers.Count)].Resume(); break;
                default:
                    if (readers.Count > 0) await readers[random.Next(random.Next(1, readers.Count + 1))].Read(random.Next(1, 6));
                    break;
            }
        }
        while (rig.Dispatcher.DispatchNext())
        {
        }
        foreach (var reader in readers)
        {
            for (var reads = 0; reader.Through < rig.Core.Sequence; reads++)
            {
                Assert.True(reads < 10_000, "The reader does not come to the end.");
                await reader.Read(3);
            }
        }
    }

    /// <summary>A real core for real stock rows; the test plays writer, publisher and dispatcher.</summary>
    private sealed class Rig : IDisposable
    {
        private readonly FeedWindow _window;
        private readonly EngineMetrics _metrics = new();
        private readonly FeedContext _context;

        public Rig(int windowBatches)
        {
            View = new ReadView(Core.Reader);
            _window = new FeedWindow(windowBatches, 1_000_000);
            _context = new FeedContext(View, _window, new ManualTime(), _metrics);
            _context.Open(new MemoryJournal());
            Stock = new StockFeed(_context, 100);
            Dispatcher = new FeedDispatcher(_window, new OrderFeed(_context, 1, 1), Stock, new FailureLatch(new RecordingFailStop(), NullLogger.Instance), NullLogger.Instance);
            for (var n = 1; n <= 2; n++) Apply(new DefineLocation { Id = Host.Utf8("L" + n), Role = Role.Manager });
            for (var n = 1; n <= 6; n++) Apply(new DefineSku { Id = Host.Utf8("S" + n), Role = Role.Manager });
            Publish();
        }

        public OrderCore Core { get; } = new();
        public ReadView View { get; }
        public StockFeed Stock { get; }
        public FeedDispatcher Dispatcher { get; }
        /// <summary>Every change: slot, SKU, location, sequence.</summary>
        public List<(int Sku, int Location, long Sequence)> Changes { get; } = [];

        private readonly EventBuffer _events = new();

        public void Commit(Random random)
        {
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                var (sku, location) = (random.Next(1, 7), random.Next(1, 3));
                Apply(new ReceiveStock { Location = location, Items = [new SkuQuantity(sku, 1)], Role = Role.Warehouse });
                Changes.Add((sku, location, Core.Sequence));
            }
            Publish();
        }

        public void Dispose()
        {
            _context.Dispose();
            _metrics.Dispose();
        }

        private void Apply(Command command) => Assert.Equal(Outcome.Ok, Core.Execute(command, 1, _events).Outcome);

        private void Publish()
        {
            var touched = Core.TouchedStock.ToArray();
            var first = View.DurableSequence + 1;
            View.Publish(Core.Seal());
            Core.Reclaim(Core.Sequence);
            _window.Add(first, Core.Sequence, _events.Written.ToArray(), touched);
            _events.Truncate(0);
        }
    }

    /// <summary>A subscriber that reads each level at the page's mark, and must by then know every change that the position covers.</summary>
    private sealed class Reader(Rig rig, int[] skus, int[] locations, long after)
    {
        private readonly long _after = after;
        private readonly Dictionary<(int, int), long> _readAt = [];
        private StockSubscription _feed = rig.Stock.Subscribe(skus, locations, after);

        public long Through => _feed.Through;

        public async Task Read(int max)
        {
            var reading = _feed.ReadAsync(max, TimeSpan.Zero, default);
            Assert.True(reading.IsCompleted);
            var page = await reading;
            Assert.True(page.Slots.Count <= max);
            Assert.Equal(page.Slots.Count, page.Slots.Distinct().Count());
            Assert.True(page.Through <= page.HighWatermark);
            foreach (var slot in page.Slots) Note(slot, page.HighWatermark);
            foreach (var (sku, location, sequence) in rig.Changes)
            {
                if (sequence <= _after || sequence > page.Through) continue;
                if (skus.Length > 0 && !skus.Contains(sku) || locations.Length > 0 && !locations.Contains(location)) continue;
                Assert.True(_readAt.GetValueOrDefault((sku, location)) >= sequence, $"change {sequence} of SKU {sku} at {location} was missed through {page.Through}");
            }
        }

        public void Resume()
        {
            var through = _feed.Through;
            _feed.Dispose();
            _feed = rig.Stock.Subscribe(skus, locations, through);
        }

        private void Note(long slot, long mark)
        {
            using var guard = rig.View.Reader.Enter();
            Assert.True(rig.View.Reader.Stock(slot, rig.View.DurableSequence, out var row, out _));
            _readAt[(row.Sku, row.Location)] = mark;
            Assert.True(skus.Length == 0 || skus.Contains(row.Sku));
            Assert.True(locations.Length == 0 || locations.Contains(row.Location));
        }
    }
}
