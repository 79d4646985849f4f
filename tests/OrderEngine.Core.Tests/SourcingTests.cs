// Proves: from which locations orders and waiting lines are served, case by case (the histories prove it against the model at large).

using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class SourcingTests
{
    private readonly Shop _shop = new();

    [Fact]
    public void One_location_that_covers_everything_comes_before_a_split()
    {
        _shop.Ok(_shop.Receive(1, (1, 5), (2, 1)));
        _shop.Ok(_shop.Receive(2, (1, 9), (2, 9)));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 4), (2, 2)));
        Assert.Equal("b:4/0/0", _shop.Allocations(1));
        Assert.Equal("b:2/0/0", _shop.Allocations(1, line: 2));
    }

    [Fact]
    public void A_waiting_line_too_gets_all_from_one_location_before_a_split()
    {
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 6)));
        _shop.Ok(_shop.Receive(1, (1, 2)));
        _shop.Ok(_shop.Receive(2, (1, 6)));
        _shop.Turn();
        Assert.Equal("b:6/0/0", _shop.Allocations(1));
    }

    [Fact]
    public void A_split_goes_by_priority_or_by_most_available_and_ties_by_location_id()
    {
        _shop.Ok(_shop.Receive(1, (1, 2), (2, 2)));
        _shop.Ok(_shop.Receive(2, (1, 3), (2, 3)));
        _shop.Ok(_shop.Receive(3, (1, 3), (2, 3)));
        _shop.Ok(_shop.Order(1, 0, AllocationPolicy.AllOrNothing, (1, 7)));
        _shop.Ok(_shop.Order(2, 0, AllocationPolicy.AllOrNothing, (2, 7)));
        Assert.Equal("a:2/0/0 b:3/0/0 c:2/0/0", _shop.Allocations(1));
        Assert.Equal("b:3/0/0 c:3/0/0 a:1/0/0", _shop.Allocations(2));
    }

    [Fact]
    public void A_location_that_the_channel_may_not_use_is_left_alone()
    {
        _shop.Ok(_shop.Receive(1, (1, 2)));
        _shop.Ok(_shop.Receive(2, (1, 9)));
        Assert.Equal(Outcome.OutOfStock, _shop.Do(_shop.Order(3, 0, AllocationPolicy.AllOrNothing, (1, 3))).Outcome);
        _shop.Ok(_shop.Order(3, 0, AllocationPolicy.PartialBackorder, (1, 3)));
        _shop.Turn();
        Assert.Equal("a:2/0/0", _shop.Allocations(1));
        Assert.Equal(1, _shop.Line(1).Backordered);
    }
}
