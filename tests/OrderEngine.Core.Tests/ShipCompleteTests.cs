// Proves: an order that ships complete takes nothing until it can have all, is passed over and starves neither others nor itself; regions. Case by case.

using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class ShipCompleteTests
{
    private const long Week = 7 * Shop.Day;
    private readonly Shop _shop = new();

    [Fact]
    public void It_takes_nothing_until_all_is_there_and_others_are_served_meanwhile()
    {
        _shop.Ok(_shop.Receive(1, (1, 5)));
        _shop.Ok(_shop.Whole((1, 5), (2, 3)));
        Assert.Equal((0, 0, OrderState.Backordered), (_shop.Line(1, 1).Reserved, _shop.Line(1, 2).Reserved, _shop.Head(1).State));
        // Who comes later may have it: the order ahead cannot be filled.
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 5)));
        Give((2, 3));
        Assert.Equal(OrderState.Backordered, _shop.Head(1).State);
        Give((1, 4));
        Assert.Equal(0, _shop.Line(1, 1).Reserved);
        Give((1, 1));
        Assert.Equal((5, 3, OrderState.Ready), (_shop.Line(1, 1).Reserved, _shop.Line(1, 2).Reserved, _shop.Head(1).State));
        Assert.Empty(_shop.Core.CheckIndexes());
    }

    [Fact]
    public void A_new_demand_does_not_take_what_it_can_be_filled_with_though_that_sku_did_not_change()
    {
        _shop.Ok(_shop.Receive(1, (1, 5)));
        _shop.Ok(_shop.Whole((1, 5), (2, 3)));
        // Now it can be filled, and nothing was served yet.
        _shop.Ok(_shop.Receive(1, (2, 3)));
        Assert.Equal(Outcome.OutOfStock, _shop.Do(_shop.Order(AllocationPolicy.AllOrNothing, (1, 1))).Outcome);
        Assert.Equal(OrderState.Ready, _shop.Head(1).State);
    }

    [Fact]
    public void Who_waits_ahead_of_it_for_any_of_its_skus_comes_first()
    {
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (2, 2)));
        _shop.Now += Shop.Hour;
        _shop.Ok(_shop.Whole((1, 5), (2, 3)));
        _shop.Ok(_shop.Receive(1, (1, 5), (2, 3)));
        _shop.Turn();
        Assert.Equal((2, 0, 0), (_shop.Line(1).Reserved, _shop.Line(2, 1).Reserved, _shop.Line(2, 2).Reserved));
        Give((2, 2));
        Assert.Equal(OrderState.Ready, _shop.Head(2).State);
    }

    [Fact]
    public void What_is_no_longer_wanted_may_make_the_rest_whole()
    {
        _shop.Ok(_shop.Receive(1, (1, 5)));
        _shop.Ok(_shop.Whole((1, 5), (2, 3)));
        _shop.Ok(new CancelOrder { Order = 1, Lines = [new LineQuantity(2, 3)], Role = Role.Customer });
        _shop.Turn();
        Assert.Equal(OrderState.Ready, _shop.Head(1).State);
    }

    [Fact]
    public void Past_its_time_it_takes_what_comes_and_keeps_it()
    {
        _shop.Ok(_shop.Whole((1, 5), (2, 3)));
        Give((1, 2));
        Assert.Equal(0, _shop.Line(1).Reserved);
        Assert.Equal(Shop.Start + Week, _shop.Core.Reader.Deadlines(1, _shop.Core.Sequence)[0].Due);
        _shop.Now = Shop.Start + Week;
        _shop.Turn();
        Assert.Equal((2, true), (_shop.Line(1).Reserved, (_shop.Head(1).Details & OrderDetails.Earmarks) != 0));
        Assert.True(_shop.Core.Reader.Deadlines(1, _shop.Core.Sequence).IsEmpty);
        // In its place, like everybody: a younger order gets none of it.
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 1)));
        Give((1, 3));
        Assert.Equal((5, 0), (_shop.Line(1).Reserved, _shop.Line(2).Reserved));
        Assert.Equal(Outcome.OrderNotComplete, _shop.Do(Release(1)).Outcome);
        Give((2, 3));
        _shop.Ok(Release(1));
        Assert.Empty(_shop.Core.CheckIndexes());
    }

    [Fact]
    public void The_time_is_set_and_a_command_on_the_order_counts_it()
    {
        _shop.Ok(new SetDeadlines { EarmarkSeconds = 3_600, RemindSeconds = 600, Role = Role.Manager });
        _shop.Ok(_shop.Whole((1, 5), (2, 3)));
        Give((1, 5));
        _shop.Now += Shop.Hour - 1;
        _shop.Turn();
        Assert.Equal(0, _shop.Line(1).Reserved);
        _shop.Now += 1;
        _shop.Ok(new PlaceHold { Order = 1, Hold = OrderHolds.Manual, Role = Role.Support });
        _shop.Turn();
        Assert.Equal(5, _shop.Line(1).Reserved);
    }

    [Fact]
    public void Parts_that_are_reserved_do_not_leave_and_a_short_pick_waits_to_be_made_whole()
    {
        _shop.Ok(_shop.Receive(1, (1, 5), (2, 3)));
        _shop.Ok(_shop.Whole((1, 5), (2, 3)));
        _shop.Ok(Release(1));
        _shop.Ok(new ConfirmShipment { Order = 1, Short = [new ShortPick(1, 1, 2, ShortPickCause.Missing)], Role = Role.Warehouse });
        Give((1, 1));
        Assert.Equal((3, 2), (_shop.Line(1).Shipped, _shop.Line(1).Backordered));
        Give((1, 1));
        Assert.Equal((2, 0), (_shop.Line(1).Reserved, _shop.Line(1).Backordered));
        _shop.Ok(Release(1));
    }

    [Fact]
    public void The_channel_says_whether_orders_ship_complete_and_an_order_may_say_otherwise()
    {
        _shop.Ok(new DefineChannel { Id = Shop.Bytes("channel-1"), DefaultShipping = ShippingPolicy.Complete, Role = Role.Manager });
        _shop.Ok(_shop.Receive(1, (1, 1)));
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 2)));
        Assert.Equal(0, _shop.Line(1).Reserved);
        var draft = _shop.Order(AllocationPolicy.PartialBackorder, (1, 2));
        _shop.Ok(new SubmitOrder
        {
            Channel = 1, ExternalId = draft.ExternalId, Policy = draft.Policy, Shipping = ShippingPolicy.Partial, CurrencyCode = draft.CurrencyCode, Lines = draft.Lines, Role = Role.Channel,
        });
        Assert.Equal(1, _shop.Line(2).Reserved);
    }

    [Fact]
    public void A_location_serves_its_own_region_and_orders_that_name_none()
    {
        Region(1, "mainland");
        Region(2, "islands");
        _shop.Ok(_shop.Receive(1, (1, 5)));
        Assert.Equal(Outcome.OutOfStock, _shop.Do(To("islands", AllocationPolicy.AllOrNothing, 2)).Outcome);
        Assert.Equal(Outcome.OutOfStock, _shop.Do(To("nowhere", AllocationPolicy.AllOrNothing, 2)).Outcome);
        _shop.Ok(To("mainland", AllocationPolicy.AllOrNothing, 2));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 1)));
        // Location 3 has no region: it serves all.
        _shop.Ok(_shop.Receive(3, (1, 1)));
        _shop.Ok(To("islands", AllocationPolicy.PartialBackorder, 2));
        Assert.Equal(("c:1/0/0", 1), (_shop.Allocations(3), _shop.Line(3).Backordered));
        // It waits though there is stock elsewhere, until that serves it, too.
        _shop.Turn();
        Assert.Equal(1, _shop.Line(3).Backordered);
        Region(1, "islands");
        _shop.Turn();
        Assert.Equal("c:1/0/0 a:1/0/0", _shop.Allocations(3));
    }

    [Fact]
    public void A_restarted_engine_serves_the_same_orders()
    {
        // Pending in the one, served before the restart in the other: the same hands get the units.
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (2, 4)));
        _shop.Ok(_shop.Whole((1, 5), (2, 3)));
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 3)));
        _shop.Ok(_shop.Receive(1, (1, 6)));
        _shop.Turn();
        _shop.Ok(new CancelOrder { Order = 3, Role = Role.Customer });
        _shop.Ok(_shop.Receive(1, (2, 7)));
        var other = _shop.Restarted();
        _shop.Turn();
        var events = new Events.EventBuffer();
        Turns.All(other, _shop.Now, events);
        Assert.Equal(_shop.Core.Seal().StateHash, other.Seal().StateHash);
        Assert.Equal(OrderState.Ready, _shop.Head(2).State);
    }

    private void Give(params (int Sku, int Units)[] items)
    {
        _shop.Ok(_shop.Receive(1, items));
        _shop.Turn();
    }

    private void Region(int location, string region) =>
        _shop.Ok(new DefineLocation { Id = Shop.Bytes(((char)('a' + location - 1)).ToString()), Region = Shop.Bytes(region), Priority = location, Role = Role.Manager });

    private SubmitOrder To(string region, AllocationPolicy policy, int units)
    {
        var draft = _shop.Order(policy, (1, units));
        return new SubmitOrder
        {
            Channel = 1, ExternalId = draft.ExternalId, Policy = policy, Region = Shop.Bytes(region), CurrencyCode = draft.CurrencyCode, Lines = draft.Lines, Role = Role.Channel,
            RequestKey = draft.RequestKey, BodyDigest = 1,
        };
    }

    private static ReleaseShipment Release(long order) => new() { Order = order, Role = Role.Warehouse };
}
