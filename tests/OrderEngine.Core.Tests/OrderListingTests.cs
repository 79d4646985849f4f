// Proves: lists hold exactly the orders that match at the sequence asked for, in order, page by page, however they got there; what is not durable
// is not in them, and what is durable is, while the writer goes on.

using OrderEngine.Core.State;
using OrderEngine.Core.Tests.Histories;
using OrderEngine.Core.Tests.Snapshots;
using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class OrderListingTests
{
    private readonly Shop _shop = new();

    [Fact]
    public void Lists_come_in_both_orders_and_by_every_filter()
    {
        _shop.Ok(_shop.Receive(1, (1, 3)));
        for (var i = 0; i < 6; i++)
        {
            _shop.Now = Shop.Start + i * Shop.Hour;
            _shop.Ok(_shop.Order(1 + i % 3, i % 4, AllocationPolicy.PartialBackorder, (1, 1)));
        }
        _shop.Ok(new CancelOrder { Order = 6, Role = Role.Support });
        Assert.Equal([6, 5, 4, 3, 2, 1], List(new OrderQuery()));
        Assert.Equal([1, 2, 3, 4, 5, 6], List(new OrderQuery { OldestFirst = true }));
        Assert.Equal([4, 1], List(new OrderQuery { Channel = 1 }));
        Assert.Equal([2, 6], List(new OrderQuery { Customer = 1, OldestFirst = true }));
        Assert.Equal([6, 3, 2, 1], List(new OrderQuery { States = [OrderState.Ready, OrderState.Cancelled] }));
        Assert.Equal([5, 4], List(new OrderQuery { States = [OrderState.Backordered] }));
        Assert.Equal([4], List(new OrderQuery { Tiers = [9] }));
        Assert.Equal([4, 3], List(new OrderQuery { Tiers = [9, 1] }));
        Assert.Equal([4, 3], List(new OrderQuery { Since = Shop.Start + 2 * Shop.Hour, Before = Shop.Start + 4 * Shop.Hour }));
        Assert.Equal([2], List(new OrderQuery { Channel = 2, Customer = 1, States = [OrderState.Ready], Tiers = [0], Since = Shop.Start, Before = Shop.Start + Shop.Day }));
        Assert.Empty(List(new OrderQuery { Channel = 1, Customer = 1 }));
        Assert.Empty(List(new OrderQuery { States = [OrderState.Lost] }));
    }

    [Fact]
    public void An_order_in_a_state_again_is_listed_once_and_one_that_left_not_at_all()
    {
        _shop.Ok(_shop.Receive(1, (1, 2)));
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 1)));
        _shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
        Assert.Equal([1], List(new OrderQuery { States = [OrderState.Fulfilling] }));
        Assert.Empty(List(new OrderQuery { States = [OrderState.Ready] }));
        // The set of READY still holds it until nobody can read below; then it does not.
        Assert.True(_shop.Core.State.Index.InState(OrderState.Ready)!.Contains(1));
        _shop.Core.Reclaim(_shop.Core.Seal().Sequence);
        Assert.False(_shop.Core.State.Index.InState(OrderState.Ready)!.Contains(1));
        Assert.Equal([1], List(new OrderQuery { States = [OrderState.Fulfilling, OrderState.Ready] }));
        Assert.Empty(_shop.Core.CheckIndexes());
    }

    [Fact]
    public void A_reader_that_began_before_finds_what_was_then()
    {
        _shop.Ok(_shop.Receive(1, (1, 2)));
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 1)));
        var then = _shop.Core.Seal().Sequence;
        _shop.Core.Reclaim(then);
        using (_shop.Core.Reader.Enter())
        {
            _shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
            _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 1)));
            for (var i = 0; i < 3; i++) _shop.Core.Reclaim(_shop.Core.Seal().Sequence);
            Assert.Equal([1], ListComparison.Whole(_shop.Core.Reader, then, new OrderQuery { States = [OrderState.Ready] }, 10));
            Assert.Equal([1], ListComparison.Whole(_shop.Core.Reader, then, new OrderQuery { Channel = 1, OldestFirst = true }, 10));
        }
        Assert.Equal([2], List(new OrderQuery { States = [OrderState.Ready] }));
    }

    [Fact]
    public void Lists_with_exceptions_hold_those_whose_exceptions_are_open()
    {
        _shop.Ok(_shop.Receive(1, (1, 9)));
        for (var i = 0; i < 3; i++) _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 1)));
        _shop.Core.State.Deadlines.Set(2, DeadlineKind.Release, Shop.Start + 1, _shop.Core.Sequence);
        _shop.Now += 1;
        _shop.Turn();
        Assert.Equal([2], List(new OrderQuery { WithException = true }));
        Assert.Equal([2], List(new OrderQuery { Exception = ExceptionKind.DeadlineMissed }));
        Assert.Empty(List(new OrderQuery { Exception = ExceptionKind.LostParcel }));
    }

    [Fact]
    public void Random_histories_list_the_same_after_a_snapshot()
    {
        var history = new History(new Tally());
        var random = new Random(31);
        for (var i = 0; i < 500; i++) history.Step(random.Next());
        var (blocks, summary) = SnapshotSupport.Take(history.Core);
        var loaded = SnapshotSupport.Load(blocks, summary);
        for (var i = 0; i < 100; i++)
            ListComparison.Some(loaded.Reader, loaded.Sequence, random, 1_700_000_000_000_000, loaded.Time, query => ListComparison.Whole(history.Core.Reader, history.Core.Sequence, query, 7));
    }

    private List<long> List(OrderQuery query) => ListComparison.Whole(_shop.Core.Reader, _shop.Core.Sequence, query, 2);
}
