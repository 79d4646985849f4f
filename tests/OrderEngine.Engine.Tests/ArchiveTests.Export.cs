// Proves: an export has every order once as it stood at one sequence, whatever leaves memory, comes back and changes while it is captured and read; with the
// history that the journal has let go of; by channel, state and time; and what cannot be read is named, not left out.

using OrderEngine.Core;
using OrderEngine.Core.State;

namespace OrderEngine.Engine.Tests;

public sealed partial class ArchiveTests
{
    [Fact]
    public async Task An_export_has_every_order_with_its_history_also_where_the_journal_was_cut()
    {
        List<Picture> before = [];
        var options = new EngineOptions { ArchiveAfter = s_window, SnapshotInterval = TimeSpan.FromDays(30), StreamHistoryEvents = 0 };
        await using (var engine = await Start(define: true, options))
        {
            // Some 4 MiB of journal, so that there is something to cut.
            for (var order = 1; order <= 40; order++) await Delivered(engine, Host.Submit(units: order));
            for (var order = 1; order <= 40; order++) before.Add(Look(engine, order));
            await Archive(engine);
            Assert.Equal(40, engine.View.Summary.Archived);
            await Submit(engine, Host.Submit(units: 99));
            before.Add(Look(engine, 41));
            for (var round = 0; round < 2; round++)
            {
                for (var i = 0; i < 1_500; i++) await Ok(engine, LongReceipt());
                while ((await engine.CreateCheckpointAsync()).Status == CheckpointStatus.AlreadyRunning) await Task.Yield();
            }
            Assert.True(engine.Journal!.FirstSequence > before[40].Version, $"The journal begins at {engine.Journal.FirstSequence}.");
            Same(before, await ExportAsync(engine));
        }
        await using var again = await Start(options: options);
        Same(before, await ExportAsync(again));
    }

    // Of eight orders four are in the archive (one with feedback, one that left twice), two are closed and two are open. Then, at the step that the test names,
    // whatever can leave leaves, whatever can come back comes back, changes, and leaves again.
    [Theory]
    [InlineData(2, 0)]
    [InlineData(5, 0)]
    [InlineData(8, 0)]
    [InlineData(0, 1)]
    [InlineData(0, 2)]
    [InlineData(0, 5)]
    [InlineData(0, 8)]
    [InlineData(2, 2)]
    public async Task What_leaves_and_comes_back_meanwhile_is_exported_as_it_stood_once(int whileCaptured, int beforeRead)
    {
        await using var engine = await Start(define: true);
        for (var order = 1; order <= 4; order++) await Delivered(engine, Host.Submit());
        await Ok(engine, new RecordFeedback { Order = 2, Rating = 4, Text = default, Role = Role.Customer });
        await Archive(engine);
        await Ok(engine, Paid(3));
        await Archive(engine);
        Assert.Equal(4, engine.View.Summary.Archived);
        for (var order = 5; order <= 8; order++) await Submit(engine, Host.Submit());
        await Deliver(engine, 5);
        await Deliver(engine, 8);
        var before = Enumerable.Range(1, 8).Select(order => Look(engine, order)).ToList();
        var sequence = engine.View.DurableSequence;
        var stirred = 0;

        var exported = await engine.ExportOrdersAsync(new OrderQuery(), new SteppedSpool(order =>
        {
            if (order == whileCaptured) StirAsync().GetAwaiter().GetResult();
        }), default);
        Assert.Equal(sequence, exported.Sequence);
        var seen = new List<(long, bool, Picture)>();
        for (var read = 1; ; read++)
        {
            if (read == beforeRead) await StirAsync();
            if (exported.Next(default) is not { } order) break;
            seen.Add((order.Number, order.IsArchived, Look(order.Reader, engine.View, order.Number)));
        }
        Assert.Equal((whileCaptured > 0 ? 1 : 0) + (beforeRead > 0 ? 1 : 0), stirred);
        Assert.Equal([(1, true), (2, true), (3, true), (4, true), (5, false), (6, false), (7, false), (8, false)], seen.Select(one => (one.Item1, one.Item2)));
        Same(before, [.. seen.Select(one => one.Item3)]);
        // What it is now is another thing.
        Assert.NotEqual(before[0].Events.Count, Look(engine, 1).Events.Count);
        exported.Dispose();

        async Task StirAsync()
        {
            if (++stirred == 1) await Ok(engine, new RecordFeedback { Order = 1, Rating = 1, Text = default, Role = Role.Customer });
            await Ok(engine, Paid(2));
            await Ok(engine, Paid(3));
            await Ok(engine, Paid(6));
            await Archive(engine);
            Assert.False(IsInMemory(engine, 1) || IsInMemory(engine, 3) || IsInMemory(engine, 5) || IsInMemory(engine, 8));
            await Ok(engine, Paid(3));
            await Ok(engine, Paid(4));
            await Ok(engine, Paid(5));
            await Submit(engine, Host.Submit());
            // In the segment that grew then, and in later ones.
            await Archive(engine);
            await Ok(engine, Paid(1));
            await Ok(engine, Paid(8));
            Assert.True(IsInMemory(engine, 1) && IsInMemory(engine, 8) && !IsInMemory(engine, 4));
        }
    }

    [Fact]
    public async Task An_export_is_by_channel_state_and_time_also_of_what_left_memory_before_the_start()
    {
        var times = new List<long>();
        await using (var engine = await Start(define: true))
        {
            for (var order = 1; order <= 200; order++)
            {
                await Submit(engine, Host.Submit(channel: order % 2 == 0 ? 2 : 1));
                if (order <= 150 && order % 3 != 0) await Deliver(engine, order);
                else if (order <= 150) await Ok(engine, new CancelOrder { Order = order, Lines = [], Role = Role.Customer });
                times.Add(AcceptedAt(engine, order));
                _time.Advance(TimeSpan.FromMilliseconds(1));
            }
            await Archive(engine);
            Assert.Equal(150, engine.View.Summary.Archived);
            while ((await engine.CreateCheckpointAsync()).Status == CheckpointStatus.AlreadyRunning) await Task.Yield();
        }
        await using var again = await Start();
        Assert.Equal(Enumerable.Range(1, 200).Select(n => (long)n), await NumbersAsync(new OrderQuery()));
        Assert.Equal(Enumerable.Range(1, 200).Where(n => n % 2 == 0).Select(n => (long)n), await NumbersAsync(new OrderQuery { Channel = 2 }));
        Assert.Equal(Enumerable.Range(1, 150).Where(n => n % 3 == 0).Select(n => (long)n), await NumbersAsync(new OrderQuery { States = [OrderState.Cancelled] }));
        // A turn of the writer that began before the clock moved gives its time to an order that came after: two in a row may have the same.
        Assert.InRange(times.Distinct().Count(), 150, 200);
        foreach (var (since, before) in new[] { (1, 20), (30, 31), (70, 151), (149, 152), (160, 199), (1, 200), (200, 200) })
            Assert.Equal(Accepted(times[since - 1], times[before - 1]), await NumbersAsync(new OrderQuery { Since = times[since - 1], Before = times[before - 1] }));
        Assert.Equal(Accepted(times[199], long.MaxValue), await NumbersAsync(new OrderQuery { Since = times[199] }));

        IEnumerable<long> Accepted(long since, long before) => Enumerable.Range(1, 200).Where(n => times[n - 1] >= since && times[n - 1] < before).Select(n => (long)n);

        async Task<List<long>> NumbersAsync(OrderQuery query)
        {
            using var export = await again.ExportOrdersAsync(query, new MemoryStream(), default);
            var numbers = new List<long>();
            while (export.Next(default) is { } order) numbers.Add(order.Number);
            return numbers;
        }
    }

    [Fact]
    public async Task Archived_orders_that_were_accepted_too_early_are_passed_over_unread()
    {
        const int orders = 200, wanted = 181, looks = 8;
        var times = new List<long>();
        await using (var engine = await Start(define: true))
        {
            for (var order = 1; order <= orders; order++)
            {
                await Delivered(engine, Host.Submit());
                times.Add(AcceptedAt(engine, order));
                _time.Advance(TimeSpan.FromMilliseconds(1));
            }
            await Archive(engine);
            await Submit(engine, Host.Submit());
            Assert.Equal(orders, engine.View.Summary.Archived);
            while ((await engine.CreateCheckpointAsync()).Status == CheckpointStatus.AlreadyRunning) await Task.Yield();
        }
        var since = times[wanted - 1];
        // The one before may have the same time.
        var first = 1 + times.IndexOf(since);
        Assert.InRange(first, wanted - looks, wanted);
        // A start knows the times of what is in memory only.
        await using var again = await Start();
        var all = await ReadAsync(new OrderQuery());
        Assert.Equal(Enumerable.Range(1, orders + 1).Select(number => (long)number), all.Numbers);
        Assert.Equal(orders, all.Reads);
        var some = await ReadAsync(new OrderQuery { Since = since });
        Assert.Equal(Enumerable.Range(first, orders + 2 - first).Select(number => (long)number), some.Numbers);
        Assert.InRange(some.Reads, 1, orders - first + 1 + looks);
        var late = await ReadAsync(new OrderQuery { Since = AcceptedAt(again, orders + 1) });
        Assert.Equal([orders + 1L], late.Numbers);
        Assert.InRange(late.Reads, 1, looks);

        // Where looks find damage, each is read, and what is damaged is named.
        var path = Path.Combine(_folder.FullName, "archive", "000000.seg");
        var bytes = File.ReadAllBytes(path);
        for (var at = bytes.Length / 4; at < bytes.Length * 3 / 4; at += 50) bytes[at] ^= 1;
        File.WriteAllBytes(path, bytes);
        var damaged = await ReadAsync(new OrderQuery { Since = since });
        Assert.Equal(some.Numbers, damaged.Numbers);
        Assert.Contains(orders / 2L, damaged.Unread);

        async Task<(List<long> Numbers, List<long> Unread, int Reads)> ReadAsync(OrderQuery query)
        {
            _disk.Reads = 0;
            using var export = await again.ExportOrdersAsync(query, new MemoryStream(), default);
            var (numbers, unread) = (new List<long>(), new List<long>());
            while (true)
            {
                try
                {
                    if (export.Next(default) is not { } order) return (numbers, unread, _disk.Reads);
                    numbers.Add(order.Number);
                }
                catch (ArchivedOrderException damaged)
                {
                    unread.Add(damaged.Order);
                }
            }
        }
    }

    [Fact]
    public async Task An_export_goes_on_behind_any_order()
    {
        await using var engine = await Start(define: true);
        for (var order = 1; order <= 5; order++) await Delivered(engine, Host.Submit());
        await Archive(engine);
        for (var order = 6; order <= 10; order++) await Submit(engine, Host.Submit());
        using var export = await engine.ExportOrdersAsync(new OrderQuery(), new MemoryStream(), default);
        foreach (var behind in new[] { 9, 0, 4, 5, 10, 7 })
        {
            export.GoOnBehind(behind);
            for (var next = behind + 1; next <= 10; next++) Assert.Equal(next, export.Next(default)!.Number);
            Assert.Null(export.Next(default));
        }
    }

    [Fact]
    public async Task An_order_that_cannot_be_read_is_named_and_a_spool_that_changed_is_noticed()
    {
        await using var engine = await Start(define: true);
        for (var order = 1; order <= 3; order++) await Delivered(engine, Host.Submit());
        await Archive(engine);
        await Submit(engine, Host.Submit());
        var path = Path.Combine(_folder.FullName, "archive", "000000.seg");
        var bytes = File.ReadAllBytes(path);
        bytes[200] ^= 4;
        File.WriteAllBytes(path, bytes);
        using var spool = new MemoryStream();
        using var export = await engine.ExportOrdersAsync(new OrderQuery(), spool, default);
        var damaged = Assert.Throws<ArchivedOrderException>(() => export.Next(default));
        Assert.Equal(1, damaged.Order);
        Assert.Contains("000000.seg", damaged.Message, StringComparison.Ordinal);
        Assert.Equal([2L, 3L, 4L], Enumerable.Range(0, 3).Select(_ => export.Next(default)!.Number));
        Assert.Null(export.Next(default));
        spool.GetBuffer()[spool.Length - 1] ^= 1;
        export.GoOnBehind(3);
        Assert.Throws<InvalidDataException>(() => export.Next(default));
    }

    [Fact]
    public async Task A_spool_that_the_disk_does_not_take_is_let_go_of_and_nothing_else_suffers()
    {
        await using var engine = await Start(define: true);
        for (var order = 1; order <= 20; order++) await Submit(engine, Host.Submit());
        var spool = new FullSpool(1_000);
        Assert.Equal("No space left on device", (await Assert.ThrowsAsync<IOException>(() => engine.ExportOrdersAsync(new OrderQuery(), spool, default))).Message);
        Assert.True(spool.IsDisposed);
        Assert.Equal(20, (await ExportAsync(engine)).Count);
        await Submit(engine, Host.Submit());
        Assert.Equal(0, _failStop.Calls);
    }

    private ReceiveStock LongReceipt() =>
        new() { Location = 1, Items = [.. Enumerable.Repeat(new SkuQuantity(1, 1), 500)], Role = Role.Warehouse, RequestKey = (UInt128)(1_000 + _keys++) };

    private static long AcceptedAt(Engine engine, long order)
    {
        using var guard = engine.View.Reader.Enter();
        return engine.View.Reader.Order(order, engine.View.DurableSequence).Head.AcceptedAt;
    }

    private static async Task<List<Picture>> ExportAsync(Engine engine)
    {
        using var export = await engine.ExportOrdersAsync(new OrderQuery(), new MemoryStream(), default);
        var pictures = new List<Picture>();
        while (export.Next(default) is { } order)
        {
            pictures.Add(Look(order.Reader, engine.View, order.Number));
            Assert.Equal(pictures[^1].Events, Enumerable.Range(0, order.Events).Select(index => order.Event(index).ToArray()));
        }
        return pictures;
    }

    private static void Same(List<Picture> some, List<Picture> others)
    {
        Assert.Equal(some.Count, others.Count);
        for (var i = 0; i < some.Count; i++) Same(some[i], others[i]);
    }

    // An order's number is the first that is written of it: the capture stands still there.
    private sealed class SteppedSpool(Action<long> captured) : MemoryStream
    {
        private readonly HashSet<long> _told = [];

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (buffer.Length == sizeof(long)) Tell(BitConverter.ToInt64(buffer));
            base.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            if (count == sizeof(long)) Tell(BitConverter.ToInt64(buffer, offset));
            base.Write(buffer, offset, count);
        }

        private void Tell(long order)
        {
            if (order is > 0 and < 100 && _told.Add(order)) captured(order);
        }
    }

    private sealed class FullSpool(long room) : MemoryStream
    {
        public bool IsDisposed { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (Length + buffer.Length > room) throw new IOException("No space left on device");
            base.Write(buffer);
        }

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }
}
