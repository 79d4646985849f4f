// Proves: who waits where, who is served first, and that nobody is passed over; case by case.

using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class BackorderTests
{
    private readonly Shop _shop = new();

    [Fact]
    public void A_better_customer_overtakes_whoever_came_up_to_a_day_a_step_earlier_and_nobody_else()
    {
        Wait(1, 0, 5);
        _shop.Now += Shop.Day + 1;
        Wait(1, 0, 5);
        _shop.Now += Shop.Hour;
        Wait(1, customer: 2, 5);
        Give(1, 5);
        Assert.Equal((0, 5, 5), (Waiting(1), Waiting(2), Waiting(3)));
        Give(1, 5);
        Assert.Equal((5, 0), (Waiting(2), Waiting(3)));
        Give(1, 5);
        Assert.Equal(0, Waiting(2));
    }

    [Fact]
    public void A_new_demand_leaves_freed_stock_to_those_ahead_of_it_before_any_turn()
    {
        Wait(1, 0, 5);
        _shop.Ok(_shop.Receive(1, (1, 7)));
        Assert.Equal(Outcome.OutOfStock, _shop.Do(_shop.Order(AllocationPolicy.AllOrNothing, (1, 3))).Outcome);
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 2)));
        Assert.Equal(0, Waiting(1));
    }

    [Fact]
    public void Every_way_in_which_stock_comes_free_fills_the_queue()
    {
        _shop.Ok(_shop.Receive(1, (1, 4)));
        var hold = _shop.Hold(1, 0, Shop.Hour, (1, 1));
        _shop.Ok(hold);
        _shop.Ok(_shop.Hold(1, 0, Shop.Hour, (1, 1)));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 2)));
        Wait(1, 0, 10);
        _shop.Ok(new ReleaseReservation { Reservation = 1, Role = Role.Channel });
        Served(9);
        _shop.Now += Shop.Hour;
        Served(8);
        _shop.Ok(new CancelOrder { Order = 1, Lines = [new LineQuantity(1, 2)], Role = Role.Customer });
        Served(6);
        _shop.Ok(_shop.Receive(2, (1, 1)));
        Served(5);
        _shop.Ok(Adjust(AdjustmentKind.OnHandDelta, 1));
        Served(4);
        _shop.Ok(Adjust(AdjustmentKind.CountedOnHand, 7));
        _shop.Ok(Adjust(AdjustmentKind.UnavailableDelta, 0));
        Served(2);
        var before = _shop.Core.Sequence;
        _shop.Turn();
        Assert.Equal(before, _shop.Core.Sequence);

        void Served(int left)
        {
            _shop.Turn();
            Assert.Equal(left, Waiting(2));
        }
    }

    [Fact]
    public void What_a_commit_does_not_need_of_its_reservation_fills_the_queue()
    {
        _shop.Ok(_shop.Receive(1, (1, 5)));
        _shop.Ok(_shop.Hold(1, 0, Shop.Hour, (1, 5)));
        Wait(1, 0, 4);
        var commit = _shop.Order(AllocationPolicy.AllOrNothing, (1, 2));
        _shop.Ok(new SubmitOrder(CommandKind.CommitReservation)
        {
            Channel = 1, ExternalId = commit.ExternalId, CurrencyCode = commit.CurrencyCode, Lines = commit.Lines, Reservation = 1, Role = Role.Channel,
        });
        _shop.Turn();
        Assert.Equal((1, 2), (Waiting(1), _shop.Line(2).Reserved));
    }

    [Fact]
    public void A_channel_that_gets_a_location_while_its_queue_is_half_served_keeps_its_place()
    {
        Wait(3, 0, 5);
        _shop.Now += 2 * Shop.Day;
        Wait(1, 0, 5);
        _shop.Now += Shop.Hour;
        _shop.Ok(_shop.Receive(2, (1, 5)));
        // Comes between the two and looks at the first, which may not be served from there.
        _shop.Ok(_shop.Order(1, 2, AllocationPolicy.AllOrNothing, (1, 1)));
        _shop.Ok(_shop.Channel(3, [1, 2]));
        _shop.Turn();
        Assert.Equal((1, 5), (Waiting(1), Waiting(2)));
    }

    [Fact]
    public void A_channel_that_gets_a_location_is_served_from_it_without_further_ado()
    {
        Wait(3, 0, 5);
        Give(2, 5);
        Assert.Equal(5, Waiting(1));
        _shop.Ok(_shop.Channel(3, [1, 2]));
        _shop.Turn();
        Assert.Equal("b:5/0/0", _shop.Allocations(1));
    }

    private void Wait(int channel, int customer, int units) => _shop.Ok(_shop.Order(channel, customer, AllocationPolicy.PartialBackorder, (1, units)));

    private void Give(int location, int units)
    {
        _shop.Ok(_shop.Receive(location, (1, units)));
        _shop.Turn();
    }

    private int Waiting(long order) => _shop.Line(order).Backordered;

    private static AdjustStock Adjust(AdjustmentKind kind, long units) => new() { Sku = 1, Location = 1, Adjustment = kind, Value = units, Role = Role.Warehouse };
}
