// Ten chairs from two warehouses. One of them finds a chair less than its books say; the other one sends it.

using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests.Scenarios;

public sealed class SplitWithShortPickScenario
{
    private const int Chair = 1, North = 1, South = 2;

    [Fact]
    public void Split_over_two_warehouses_with_a_short_pick()
    {
        var shop = new Shop();
        shop.Ok(shop.Receive(North, (Chair, 6)));
        shop.Ok(shop.Receive(South, (Chair, 4)));

        // Neither warehouse has ten: six come from north, four from south. They add up to the order, and no warehouse gives more than it has.
        shop.Ok(shop.Order(AllocationPolicy.AllOrNothing, (Chair, 10)));
        Assert.Equal("a:6/0/0 b:4/0/0", shop.Allocations(1));
        shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });

        // North ships its six.
        shop.Ok(new ConfirmShipment { Order = 1, Lines = [new LineMovement(1, North, 6)], Carrier = Shop.Bytes("DHL"), TrackingNumber = Shop.Bytes("N1"), Role = Role.Warehouse });
        Assert.Equal(OrderState.PartiallyShipped, shop.Head(1).State);

        // South finds three. It ships them and says that one is missing: the books are put right, the chair is waited for, somebody looks into it.
        shop.Ok(new ConfirmShipment
        {
            Order = 1, Short = [new ShortPick(1, South, 1, ShortPickCause.Missing)], Carrier = Shop.Bytes("UPS"), TrackingNumber = Shop.Bytes("S1"), Role = Role.Warehouse,
        });
        Assert.Equal((9, 1), (shop.Line(1).Shipped, shop.Line(1).Backordered));
        Assert.Equal(0, shop.Core.State.Stock.Level(Chair, South).OnHand);
        Assert.Equal(ExceptionKind.ShortPick, shop.Core.Reader.Exception(1, shop.Core.Sequence).Head.Kind);

        // Nobody has one: it is asked for. It comes to north, and is this customer's.
        shop.Turn();
        Assert.True(shop.Core.Reader.SupplyRequest(1, shop.Core.Sequence, out var request));
        Assert.Equal((Chair, North, SupplyKind.Purchase, 1L), (request.Sku, request.Location, request.Kind, request.Quantity));
        shop.Ok(shop.Receive(North, (Chair, 2)));
        shop.Turn();
        Assert.Equal("a:1/0/6 b:0/0/3", shop.Allocations(1));

        // Three parcels in the end, all delivered; one chair is left for the next customer.
        shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
        shop.Ok(new ConfirmShipment { Order = 1, Carrier = Shop.Bytes("DHL"), TrackingNumber = Shop.Bytes("N2"), Role = Role.Warehouse });
        for (var parcel = 1; parcel <= 3; parcel++) shop.Ok(new RecordDelivery { Order = 1, Parcel = parcel, Role = Role.Carrier });
        Assert.Equal((OrderState.Delivered, 3), (shop.Head(1).State, (int)shop.Head(1).Parcels));
        Assert.Equal((1L, 0L), (shop.Core.Seal().OnHand, shop.Core.Seal().Committed));
        using (shop.Core.Reader.Enter()) Assert.Empty(Invariants.Check(shop.Core.Reader, shop.Core.Sequence).Violations);
    }
}
