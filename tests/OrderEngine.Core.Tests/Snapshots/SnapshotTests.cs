// Proves: a core loaded from a snapshot shows the same, holds the same and goes on the same, to the byte; a snapshot taken while the writer
// goes on is the state at its sequence; and its blocks are what snapshot.proto says.

using System.Collections.Concurrent;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using OrderEngine.Contracts.Journal;
using OrderEngine.Core.Events;
using OrderEngine.Core.Snapshots;
using OrderEngine.Core.State;
using OrderEngine.Core.Storage;
using OrderEngine.Core.Tests.Histories;
using OrderEngine.Core.Tests.Storage;
using Xunit;
using static OrderEngine.Core.Tests.Snapshots.SnapshotSupport;

namespace OrderEngine.Core.Tests.Snapshots;

public sealed class SnapshotTests
{
    private const int Histories = 60;
    private const int Before = 260, After = 160;

    [Fact]
    public void A_loaded_core_shows_the_same_and_goes_on_the_same()
    {
        var tally = new Tally();
        Check.One(HistoryProperties.Configuration(Histories), Prop.ForAll(HistoryProperties.Steps(Before + After), steps =>
        {
            var history = new History(tally);
            var until = Math.Min(Before, steps.Length);
            foreach (var seed in steps[..until]) history.Step(seed);
            // Which queues are owed stock is not in the rows: a loaded core looks at every one. So go on from where nothing is owed.
            history.Turn();
            var (blocks, summary) = Take(history.Core, history.Seal());
            var loaded = Load(blocks, summary);
            Same(history.Core, loaded, summary.Sequence);
            TallyBlocks(tally, blocks);

            Assert.Empty(Run(loaded, [(null, history.Now)]));
            history.Twin = loaded;
            foreach (var seed in steps[until..]) history.Step(seed);
            history.Turn();
            history.Seal();
            Same(history.Core, loaded, loaded.Sequence);
        }));
        tally.AtLeast(Histories * 20, "order rows", "answers in histories", "answers of their own");
        tally.AtLeast(Histories / 10, "waiting rows", "open reservations");
    }

    [Fact]
    public void A_snapshot_is_the_state_at_its_sequence_whatever_the_writer_does_meanwhile()
    {
        var random = new Random(7);
        for (var round = 0; round < 12; round++)
        {
            var history = Recorded(random.Next(), 700);
            var split = 200 + random.Next(400);
            var core = new OrderCore();
            Run(core, history.Calls.Take(split));
            var published = core.Seal();
            var (still, _) = Take(core, published);

            // The whole rest of the history happens after the guard was entered and before the first row is looked at.
            var blocks = new List<byte[]>();
            SnapshotWriter.Write(core.Reader, () => published, block =>
            {
                if (blocks.Count == 0) Run(core, history.Calls.Skip(split));
                blocks.Add(block.ToArray());
            });
            Assert.Equal(still.Select(Convert.ToHexString), blocks.Select(Convert.ToHexString));
            Assert.True(core.Sequence > published.Sequence + 100);
            Load(blocks, published);
        }
    }

    [Fact]
    public void Snapshots_beside_a_running_writer_load_with_the_hash_recorded()
    {
        const int Passes = 30, Snapshots = 40;
        var history = Recorded(11, 500);
        var core = new OrderCore();
        var summary = core.Seal();
        var taken = new ConcurrentQueue<(List<byte[]>, StateSummary)>();
        var beside = new Beside();
        beside.Run(() =>
        {
            var buffer = new EventBuffer(1024);
            var random = new Random(3);
            for (var pass = 0; pass < Passes || (taken.Count < Snapshots && !beside.IsOver); pass++)
            {
                foreach (var (command, now) in history.Calls)
                {
                    // Each pass lies two days behind the last: all its ids are bound anew, and the old answers leave.
                    var later = now + pass * 2 * Shop.Day;
                    if (command is null) core.Turn(later, buffer);
                    else core.Execute(command, later, buffer);
                    if (random.Next(4) > 0) continue;
                    buffer.Truncate(0);
                    Volatile.Write(ref summary, core.Seal());
                    core.Reclaim(summary.Sequence);
                }
            }
        }, 1, _ =>
        {
            while (!beside.IsOver && taken.Count < Snapshots * 3)
            {
                var blocks = new List<byte[]>();
                taken.Enqueue((blocks, SnapshotWriter.Write(core.Reader, () => Volatile.Read(ref summary), block => blocks.Add(block.ToArray()))));
            }
        });
        Assert.True(taken.Count >= Snapshots);
        foreach (var (blocks, expected) in taken) Assert.Empty(Load(blocks, expected).CheckIndexes());
    }

    [Fact]
    public void Generated_classes_read_every_block()
    {
        var history = Recorded(5, 600);
        var (blocks, summary) = Take(history.Core);
        var parsed = blocks.Select(SnapshotBlock.Parser.ParseFrom).ToList();
        for (var i = 0; i < parsed.Count; i++)
        {
            Assert.Equal((ulong)i, parsed[i].Number);
            // Nothing that the descriptions do not name: written again, every field is where it was (events keep their padded lengths inside).
            Assert.Equal(parsed[i], SnapshotBlock.Parser.ParseFrom(parsed[i].ToByteArray()));
            Assert.True(parsed[i].CalculateSize() <= blocks[i].Length);
            Assert.DoesNotContain("unknown", parsed[i].ToString(), StringComparison.OrdinalIgnoreCase);
        }
        Assert.Equal(((uint)SnapshotFormat.Version, (ulong)summary.Sequence), (parsed[0].Header.Format, parsed[0].Header.Sequence));
        var trailer = parsed[^1].Trailer;
        Assert.Equal((summary.StateHash, (ulong)summary.Time), (trailer.StateHash, trailer.Time));
        var orders = parsed.SelectMany(block => block.Orders).ToList();
        Assert.Equal(summary.Orders, orders.Count);
        Assert.Equal(trailer.OrderEvents, (ulong)(orders.Sum(o => o.Events.Count) + parsed.SelectMany(block => block.OrderEvents).Sum(e => e.Events.Count)));
        foreach (var row in orders)
        {
            var order = history.Core.Reader.Order((long)row.Order, summary.Sequence);
            Assert.Equal((order.Head.Version, (int)order.Head.State, order.Lines.Length, order.Allocations.Length, Currency.Text(order.Head.Currency)), ((long)row.Version, (int)row.State, row.Lines.Count, row.Allocations.Count, row.Currency));
            Assert.Equal(row.Version, row.Events[^1].Sequence);
            Assert.Equal(Event.BodyOneofCase.OrderSubmitted, row.Events[0].BodyCase);
            for (var i = 0; i < row.Lines.Count; i++)
                Assert.Equal((order.Lines[i].Sku, order.Lines[i].Ordered, order.Lines[i].Reserved, order.Lines[i].Shipped, order.Lines[i].Delivered), ((int)row.Lines[i].Sku, (int)row.Lines[i].Ordered, (int)row.Lines[i].Reserved, (int)row.Lines[i].Shipped, (int)row.Lines[i].Delivered));
        }
        Assert.Equal(summary.OnHand, parsed.SelectMany(block => block.StockLevels).Sum(level => (long)level.OnHand));
        Assert.Equal(summary.Backordered, parsed.SelectMany(block => block.Backorders).Sum(row => (long)row.Units));
        Assert.Equal(CommandMaker.SkuCount, parsed.SelectMany(block => block.Catalog).Count(row => row.DefinitionCase == CatalogRow.DefinitionOneofCase.Sku));
        Assert.Equal((int)trailer.Requests, parsed.Sum(block => block.Requests.Count));
    }

    [Fact]
    public void Long_orders_and_histories_span_blocks()
    {
        var shop = new Shop();
        var lines = Enumerable.Range(0, Limits.LinesPerOrder).Select(i => (i % 4 + 1, 3)).ToArray();
        for (var order = 1; order <= 8; order++)
        {
            foreach (var sku in new[] { 1, 2, 3, 4 }) shop.Ok(shop.Receive(1, (sku, 1_500)));
            shop.Ok(shop.Order(AllocationPolicy.AllOrNothing, lines));
            for (var part = 0; part < 3; part++)
            {
                shop.Ok(new ReleaseShipment { Order = order, Lines = [.. Enumerable.Range(1, lines.Length).Select(n => new LineMovement(n, 1, 1))], Role = Role.Warehouse });
                shop.Ok(new ConfirmShipment { Order = order, Lines = [.. Enumerable.Range(1, lines.Length).Select(n => new LineMovement(n, 1, 1))], Role = Role.Warehouse });
                shop.Ok(new RecordDelivery { Order = order, Lines = [.. Enumerable.Range(1, lines.Length).Select(n => new LineQuantity(n, 1))], Role = Role.Carrier });
            }
        }
        var (blocks, summary) = Take(shop.Core);
        Assert.InRange(blocks.Max(block => block.Length), SnapshotFormat.BlockBytes, 2 * SnapshotFormat.BlockBytes);
        Assert.True(blocks.Select(SnapshotBlock.Parser.ParseFrom).Sum(block => block.OrderEvents.Count) > 3);
        Same(shop.Core, Load(blocks, summary), summary.Sequence);
    }

    [Fact]
    public void Answers_whose_ids_were_bound_again_keep_their_place()
    {
        const int Ids = 40;
        var shop = new Shop();
        ReceiveStock Receive(int id) => new() { Location = 1, Items = [new SkuQuantity(1, 1)], Role = Role.Warehouse, RequestKey = 1_000 + (UInt128)id, BodyDigest = 7 };
        for (var id = 1; id <= Ids; id++) shop.Ok(Receive(id));
        shop.Now += Shop.Day;
        // From the young end: each forgets one there, and four leave at the old one.
        for (var id = Ids; id > Ids - 3; id--) shop.Ok(Receive(id));
        var (blocks, summary) = Take(shop.Core);
        var requests = blocks.Select(SnapshotBlock.Parser.ParseFrom).SelectMany(block => block.Requests).ToList();
        Assert.Equal((Ids + 3 - 12, 3), (requests.Count, requests.Count(request => request.Forgotten)));

        var loaded = Load(blocks, summary);
        for (var id = 1; id <= Ids; id++)
        {
            var again = shop.Do(Receive(id));
            Assert.Equal(again, loaded.Execute(Receive(id), shop.Now, new EventBuffer()), (a, b) => a.Outcome == b.Outcome && a.Sequence == b.Sequence && a.Replayed == b.Replayed);
            Assert.Equal(id > Ids - 3, again.Replayed);
            Assert.Equal(shop.Core.Seal(), loaded.Seal());
        }
    }

    [Fact]
    public void An_answer_that_left_outlives_who_walks_over_it()
    {
        var heap = new RowHeap();
        var epochs = new ReadEpochs();
        var reclaimer = new Reclaimer(heap, epochs);
        var table = new RequestTable(heap, reclaimer, KeyedHash.Known);
        long sequence = 0;
        void Add(int id, long time)
        {
            sequence++;
            table.Add((UInt128)id, 1, time, sequence, OrderHistory.Store(heap, sequence, 0, new byte[40]), ownsEvent: true);
        }
        for (var id = 1; id <= 10; id++) Add(id, Shop.Start);
        Add(11, Shop.Start + Shop.Day);
        table.Seal(sequence);
        // Published, and nobody is in: the four that left with the last may be unlinked by the next seal.
        reclaimer.Reclaim(sequence, 100);

        using var guard = epochs.Enter();
        var (cursor, at) = (table.First, sequence);
        for (var id = 12; id <= 40; id++) Add(id, Shop.Start + Shop.Day);
        table.Seal(sequence);
        reclaimer.Reclaim(sequence, 100);
        for (var id = 41; id <= 60; id++) Add(id, Shop.Start + Shop.Day);
        var found = 0;
        while (table.TryNext(ref cursor, at, out var entry))
        {
            Assert.Equal((false, true, 40), (entry.Forgotten, entry.OwnsEvent, OrderHistory.Read(heap, entry.Event).Length));
            found++;
        }
        Assert.Equal(7, found);
        Assert.True(reclaimer.Pending > 0);
    }

    [Fact]
    public void Open_reservations_are_counted_after_loading()
    {
        var shop = new Shop();
        shop.Ok(shop.Receive(1, (1, 1_000)));
        for (var i = 0; i < Limits.OpenReservationsPerCustomer; i++) shop.Ok(shop.Hold(1, 2, Shop.Hour, (1, 1)));
        var (blocks, summary) = Take(shop.Core);
        var loaded = Load(blocks, summary);
        Assert.Equal(Outcome.HoldLimitReached, loaded.Execute(shop.Hold(1, 2, Shop.Hour, (1, 1)), shop.Now, new EventBuffer()).Outcome);
        Assert.Equal(Outcome.Ok, loaded.Execute(shop.Hold(1, 1, Shop.Hour, (1, 1)), shop.Now, new EventBuffer()).Outcome);
    }

    [Fact]
    public void Queues_owed_stock_are_served_after_loading()
    {
        var shop = new Shop();
        shop.Ok(shop.Order(AllocationPolicy.PartialBackorder, (1, 5)));
        shop.Ok(shop.Order(AllocationPolicy.PartialBackorder, (2, 7)));
        shop.Ok(shop.Receive(2, (2, 7), (1, 3)));
        Assert.True(shop.Core.HasPendingFills);
        var (blocks, summary) = Take(shop.Core);
        var loaded = Load(blocks, summary);
        Assert.True(loaded.HasPendingFills);
        Run(loaded, [(null, shop.Now)]);
        shop.Turn();
        // In another order of SKUs perhaps, so events may differ; the units may not.
        foreach (var order in new[] { 1L, 2L })
            Assert.Equal(shop.Line(order).Backordered, loaded.Reader.Order(order, loaded.Sequence).Lines[0].Backordered);
        Assert.Equal((2, 0), (loaded.Reader.Order(1, loaded.Sequence).Lines[0].Backordered, loaded.Reader.Order(2, loaded.Sequence).Lines[0].Backordered));
    }

    [Fact]
    public void An_empty_core_has_a_snapshot_too()
    {
        var (blocks, summary) = Take(new OrderCore());
        Assert.Equal(0, Load(blocks, summary).Sequence);
    }

    internal static History Recorded(int seed, int steps)
    {
        var history = new History(new Tally());
        var random = new Random(seed);
        for (var i = 0; i < steps; i++) history.Step(random.Next(int.MinValue, int.MaxValue));
        history.Turn();
        history.Seal();
        return history;
    }

    private static void TallyBlocks(Tally tally, List<byte[]> blocks)
    {
        foreach (var block in blocks.Select(SnapshotBlock.Parser.ParseFrom))
        {
            tally.Add("order rows", block.Orders.Count);
            tally.Add("answers in histories", block.Requests.Count(r => r.Order != 0));
            tally.Add("answers of their own", block.Requests.Count(r => r.Event is not null));
            tally.Add("answers forgotten", block.Requests.Count(r => r.Forgotten));
            tally.Add("waiting rows", block.Backorders.Count(r => r.Units > 0));
            tally.Add("open reservations", (long)(block.Trailer?.OpenReservations ?? 0));
        }
    }
}
