// Proves promise 2 as far as the core goes: a request id answers the same for 24 hours of event time and is free afterwards, and what is
// forgotten follows from the events alone. The other bound, 50 million ids, is too many to fill here: it is the same loop that drops an entry
// for either reason, and the number is what the contract says.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Core.Storage;
using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class RequestWindowTests
{
    private readonly Shop _shop = new();

    [Fact]
    public void An_id_is_answered_again_until_its_last_microsecond_and_free_from_then_on()
    {
        var receive = _shop.Receive(1, (1, 5));
        var first = _shop.Ok(receive);
        var bytes = _shop.Events.Written.Slice(first.Offset, first.Length).ToArray();
        _shop.Now += Limits.RequestWindowMicros - 1;
        var again = _shop.Do(receive);
        Assert.Equal((Outcome.Ok, true, -1), (again.Outcome, again.Replayed, again.Offset));
        Assert.Equal(bytes, again.Recorded);
        Assert.Equal(Outcome.RequestIdReused, _shop.Do(new ReceiveStock { Location = 1, Items = receive.Items, Role = Role.Warehouse, RequestKey = receive.RequestKey, BodyDigest = 2 }).Outcome);
        _shop.Now++;
        Assert.False(_shop.Do(receive).Replayed);
        Assert.Equal(10, _shop.Core.Seal().OnHand);
        // Bound anew, with a window of its own.
        _shop.Now += Limits.RequestWindowMicros - 1;
        Assert.True(_shop.Do(receive).Replayed);
    }

    [Fact]
    public void The_window_goes_by_the_time_of_the_answer_even_when_the_clock_runs_back()
    {
        var receive = _shop.Receive(1, (1, 5));
        _shop.Ok(receive);
        _shop.Now += Limits.RequestWindowMicros;
        _shop.Ok(_shop.Receive(1, (2, 1)));
        _shop.Now -= Shop.Hour;
        Assert.False(_shop.Do(receive).Replayed);
    }

    [Fact]
    public void Refusals_that_depend_on_the_state_of_things_are_answered_again_and_the_others_are_not()
    {
        var order = _shop.Order(AllocationPolicy.AllOrNothing, (1, 5));
        Assert.Equal(Outcome.OutOfStock, _shop.Do(order).Outcome);
        _shop.Ok(_shop.Receive(1, (1, 5)));
        var again = _shop.Do(order);
        Assert.Equal((Outcome.OutOfStock, true), (again.Outcome, again.Replayed));

        var cancel = new CancelOrder { Order = 1, Role = Role.Customer, RequestKey = _shop.Key(), BodyDigest = 1 };
        Assert.Equal(Outcome.OrderNotFound, _shop.Do(cancel).Outcome);
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 5)));
        _shop.Ok(cancel);
        Assert.True(_shop.Do(cancel).Replayed);
        // The role is looked at before the id.
        Assert.Equal(Outcome.RoleNotAllowed, _shop.Do(new CancelOrder { Order = 1, Role = Role.Carrier, RequestKey = cancel.RequestKey, BodyDigest = 1 }).Outcome);
    }

    [Fact]
    public void Keys_that_share_their_low_half_are_told_apart()
    {
        var keys = Enumerable.Range(1, 10).Select(i => ((UInt128)i << 64) | 5).ToList();
        foreach (var key in keys) _shop.Ok(new ReceiveStock { Location = 1, Items = [new SkuQuantity(1, 1)], Role = Role.Warehouse, RequestKey = key, BodyDigest = key });
        foreach (var key in keys) Assert.True(_shop.Do(new ReceiveStock { Location = 1, Items = [new SkuQuantity(1, 1)], Role = Role.Warehouse, RequestKey = key, BodyDigest = key }).Replayed);
    }

    [Fact]
    public void An_external_id_stays_taken_for_ever()
    {
        _shop.Ok(_shop.Receive(1, (1, 5)));
        var order = _shop.Order(AllocationPolicy.AllOrNothing, (1, 1));
        _shop.Ok(order);
        _shop.Ok(new CancelOrder { Order = 1, Role = Role.Customer });
        _shop.Now += 400 * Shop.Day;
        Assert.Equal((Outcome.ExternalIdTaken, false), (_shop.Do(order).Outcome, _shop.Do(order).Outcome == Outcome.Ok));
        // Another channel has ids of its own.
        _shop.Ok(new SubmitOrder { Channel = 2, ExternalId = order.ExternalId, CurrencyCode = order.CurrencyCode, Lines = order.Lines, Role = Role.Channel });
    }

    [Fact]
    public void What_is_out_of_the_window_leaves_the_table_and_its_memory_a_few_entries_an_answer()
    {
        var heap = new RowHeap();
        var reclaimer = new Reclaimer(heap, new ReadEpochs());
        var table = new RequestTable(heap, reclaimer, KeyedHash.Known);
        var answer = new byte[100];
        var one = -heap.UsedBytes;
        Add(1, Shop.Start);
        one += heap.UsedBytes;
        for (var i = 2; i <= 1_000; i++) Add(i, Shop.Start);
        // Exactly at its end an entry is out: 1,000 old ones, four leave for each that comes.
        for (var i = 1; i <= 100; i++)
        {
            Add(1_000 + i, Shop.Start + Limits.RequestWindowMicros);
            Assert.Equal(1_000 - 3 * i, table.Count);
        }
        for (var i = 101; i <= 400; i++) Add(1_000 + i, Shop.Start + Limits.RequestWindowMicros);
        Assert.Equal(400, table.Count);
        // The memory comes back when no reader can look at it any more: a bounded number of entries a batch.
        for (var batch = 1_401; batch < 1_500; batch++)
        {
            table.Seal(batch);
            reclaimer.Reclaim(batch, int.MaxValue);
        }
        Assert.Equal(400 * one, heap.UsedBytes);
        Assert.True(table.TryFind(1_400, Shop.Start + Limits.RequestWindowMicros, out _, out var found));
        Assert.Equal(answer.Length, found.Length);

        void Add(int key, long time) => table.Add((UInt128)key, 1, time, key, OrderHistory.Store(heap, key, 0, answer), ownsEvent: true);
    }

    [Fact]
    public void Two_days_of_traffic_leave_one_day_of_ids_live_and_replayed_alike()
    {
        const int requests = 6_000;
        var random = new Random(3);
        var commands = new List<(ReceiveStock Command, long Time)>();
        for (var i = 0; i < requests; i++)
        {
            // A burst, then a trickle: the drops have to catch up.
            _shop.Now += i < requests / 2 ? Shop.Second : 2 * Shop.Day / (requests / 2);
            var command = random.Next(10) == 0 && i > 100 ? commands[random.Next(Math.Max(0, i - 2_000), commands.Count)].Command : _shop.Receive(1, (1, 1));
            if (!_shop.Ok(command).Replayed) commands.Add((command, _shop.Now));
        }
        var replayed = new OrderCore();
        var events = new EventEnumerator(_shop.Events.Written);
        for (var n = 0; events.MoveNext(); n++)
        {
            replayed.Replay(events.Current);
            if (n % 97 == 0) replayed.Seal();
        }
        Assert.Equal(_shop.Core.Seal(), replayed.Seal());
        var scratch = new EventBuffer();
        foreach (var (command, _) in commands.DistinctBy(c => c.Command.RequestKey))
        {
            var live = commands.FindLast(c => c.Command.RequestKey == command.RequestKey).Time + Limits.RequestWindowMicros > _shop.Now;
            if (live) Assert.True(replayed.Execute(command, _shop.Now, scratch).Replayed);
        }
        Assert.Equal(0, scratch.Length);
        Assert.Equal(50_000_000, Limits.RequestWindowCount);
    }
}
