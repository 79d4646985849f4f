// Proves: readers on other threads see, at the durable sequence they read after entering, whole and consistent orders, stock and histories,
// while the writer changes, seals, publishes and reclaims. Bounded by the writer's commands; every reader looks at least once a round.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class ReadersBesideWriterTests : IDisposable
{
    private const int Rounds = 300;
    private const int CommandsPerRound = 60;
    private const int Readers = 3;
    private const int ListSize = 30;
    private readonly Shop _shop = new();
    private readonly Random _random = new(17);
    private readonly Barrier _round = new(Readers + 1);
    private long _durable;
    private volatile bool _done;

    [Fact]
    public void Readers_see_whole_orders_while_the_writer_goes_on()
    {
        Publish();
        var looks = new long[Readers];
        var failures = new Exception?[Readers];
        var threads = Enumerable.Range(0, Readers).Select(i => new Thread(() =>
        {
            failures[i] = Record.Exception(() => looks[i] = Read(new Random(i), wholeState: i == 0));
            _round.RemoveParticipant();
        })).ToList();
        foreach (var thread in threads) thread.Start();
        for (var round = 0; round < Rounds && !failures.Any(f => f is not null); round++)
        {
            _round.SignalAndWait();
            Write();
        }
        _done = true;
        _round.RemoveParticipant();
        foreach (var thread in threads) thread.Join();
        Assert.All(failures, Assert.Null);
        Assert.All(looks, count => Assert.InRange(count, Rounds, long.MaxValue));
        Assert.Empty(Invariants.Check(_shop.Core.Reader, _durable).Violations);
        Assert.Empty(_shop.Core.CheckIndexes());
    }

    public void Dispose() => _round.Dispose();

    // --- the writer ---

    private void Write()
    {
        for (var i = 0; i < CommandsPerRound; i++)
        {
            _shop.Now += _random.Next(2_000_000);
            _shop.Do(Next());
            if (_random.Next(3) == 0) _shop.Core.Turn(_shop.Now, _shop.Events);
            if (_random.Next(6) == 0) Publish();
        }
        Publish();
    }

    private void Publish()
    {
        var sequence = _shop.Core.Seal().Sequence;
        Volatile.Write(ref _durable, sequence);
        _shop.Core.Reclaim(sequence);
        _shop.Events.Truncate(0);
    }

    private Command Next()
    {
        var last = _shop.Core.Reader.LastOrder;
        var order = Math.Max(1, last - _random.Next(20));
        (int, int)[] lines = [.. Enumerable.Range(0, _random.Next(1, 5)).Select(_ => (_random.Next(1, 5), _random.Next(1, 12)))];
        return _random.Next(10) switch
        {
            0 or 1 => _shop.Order(_random.Next(1, 4), _random.Next(4), AllocationPolicy.PartialBackorder, lines),
            2 => _shop.Order(_random.Next(1, 3), 0, AllocationPolicy.PartialCancelRest, lines),
            3 => _shop.Receive(_random.Next(1, 4), lines),
            4 => new CancelOrder { Order = order, Lines = _random.Next(2) == 0 ? [] : [new LineQuantity(1, 1)], Role = Role.Customer },
            5 or 6 => new ReleaseShipment { Order = order, Role = Role.Warehouse },
            7 => new ConfirmShipment { Order = order, Role = Role.Warehouse },
            8 => new RecordDelivery { Order = order, Role = Role.Carrier },
            _ => _shop.Hold(_random.Next(1, 3), 0, 20 * Shop.Second, lines),
        };
    }

    // --- the readers ---

    private long Read(Random random, bool wholeState)
    {
        var reader = _shop.Core.Reader;
        var versions = new Dictionary<long, long>();
        var looks = 0L;
        while (!_done)
        {
            _round.SignalAndWait();
            // As many looks as there are commands: they run beside the writer's round.
            for (var i = 0; i < CommandsPerRound; i++, looks++)
            {
                using var guard = reader.Enter();
                var at = Volatile.Read(ref _durable);
                for (var n = 0; n < 5; n++) LookAtOrder(reader, Math.Max(1, reader.LastOrder + 2 - random.Next(1 + random.Next(200))), at, versions);
                LookAtStock(reader, random.Next(1, 5), at);
                LookAtLists(reader, random, at);
                if (wholeState && i == 0) Assert.Empty(Invariants.Check(reader, at).Violations);
            }
        }
        return looks;
    }

    private static void LookAtOrder(StateReader reader, long number, long at, Dictionary<long, long> versions)
    {
        var order = reader.Order(number, at);
        long cursor = 0;
        if (!order.Exists)
        {
            Assert.False(versions.ContainsKey(number));
            Assert.False(reader.PreviousEvent(number, at, ref cursor, out _));
            return;
        }
        ref readonly var head = ref order.Head;
        Assert.InRange(head.Version, Math.Max(1, versions.GetValueOrDefault(number)), at);
        versions[number] = head.Version;
        Assert.Equal(number, reader.FindOrder(head.Channel, reader.ExternalId(number)));
        Assert.Equal(OrderStates.Derive(order.Lines), head.State);
        for (var i = 0; i < order.Lines.Length; i++)
        {
            var line = order.Lines[i];
            Assert.Equal(line.Ordered, line.Cancelled + line.Unallocated + line.Backordered + line.Reserved + line.Released + line.Shipped);
            var (reserved, released, shipped) = (0, 0, 0);
            foreach (ref readonly var a in order.Allocations)
                if (a.Line == i + 1) (reserved, released, shipped) = (reserved + a.Reserved, released + a.Released, shipped + a.Shipped);
            Assert.Equal((line.Reserved, line.Released, line.Shipped), (reserved, released, shipped));
        }
        // The chain falls strictly from the row's version to the acceptance.
        var above = long.MaxValue;
        while (reader.PreviousEvent(number, at, ref cursor, out var bytes))
        {
            var e = new EventView(bytes);
            Assert.Equal(number, e.Order);
            if (above == long.MaxValue) Assert.Equal((head.Version, head.State), (e.Sequence, e.After));
            Assert.InRange(e.Sequence, head.AcceptedSequence, above - 1);
            above = e.Sequence;
        }
        Assert.Equal(head.AcceptedSequence, above);
        Assert.Equal(above, new EventView(reader.FirstEvent(number)).Sequence);
    }

    // A list and a look at every order, at the same sequence, say the same.
    private static void LookAtLists(StateReader reader, Random random, long at)
    {
        var last = reader.LastOrder;
        var wanted = (OrderState)random.Next(1, 10);
        var query = new OrderQuery { States = [wanted], Channel = random.Next(4), OldestFirst = random.Next(2) == 0 };
        var listed = reader.ListOrders(query, at, 0, ListSize, int.MaxValue).Numbers;
        var seen = new List<long>();
        for (var i = 1; i <= last && seen.Count < ListSize; i++)
        {
            var number = query.OldestFirst ? i : last + 1 - i;
            var order = reader.Order(number, at);
            if (order.Exists && order.Head.State == wanted && (query.Channel == 0 || order.Head.Channel == query.Channel)) seen.Add(number);
        }
        Assert.Equal(seen, listed);
    }

    private static void LookAtStock(StateReader reader, int sku, long at)
    {
        var locations = 0;
        for (var slot = reader.FirstStockSlot(sku); slot != 0; slot = reader.NextStockSlot(slot))
        {
            if (!reader.Stock(slot, at, out var row, out var version)) continue;
            Assert.InRange(version, 1, at);
            Assert.Equal(sku, row.Sku);
            Assert.True(row.Held >= 0 && row.Committed >= 0 && row.OnHand >= row.Unavailable + row.Held + row.Committed);
            locations++;
        }
        Assert.InRange(locations, 0, 3);
        Assert.InRange(reader.Backordered(sku, at), 0, long.MaxValue);
    }
}
