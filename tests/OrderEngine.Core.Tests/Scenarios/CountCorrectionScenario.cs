// The yearly count finds fewer vases than were promised. The manager has to take some away: from whoever ranks lowest, and who loses is told of.

using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests.Scenarios;

public sealed class CountCorrectionScenario
{
    private const int Vase = 1, Store = 1, Regular = 1, Vip = 3;

    [Fact]
    public void A_count_correction_that_deallocates()
    {
        // Ten vases: four for a regular customer, then three for a guest, then three for a VIP. One of the regular's is with the packer.
        var shop = new Shop();
        shop.Ok(shop.Receive(Store, (Vase, 10)));
        shop.Ok(shop.Order(1, Regular, AllocationPolicy.PartialBackorder, (Vase, 4)));
        shop.Now += Shop.Hour;
        shop.Ok(shop.Order(1, 0, AllocationPolicy.PartialBackorder, (Vase, 3)));
        shop.Now += Shop.Hour;
        shop.Ok(shop.Order(1, Vip, AllocationPolicy.PartialBackorder, (Vase, 3)));
        shop.Ok(new ReleaseShipment { Order = 1, Lines = [new LineMovement(1, Store, 1)], Role = Role.Warehouse });

        // The count says six. A clerk cannot take what was promised, and a count alone does not.
        Assert.Equal(Outcome.StockBelowCommitted, shop.Do(Count(6, deallocate: false)).Outcome);
        Assert.Equal(Outcome.RoleNotAllowed, shop.Do(Count(6, deallocate: true, Role.Warehouse)).Outcome);

        // The manager does. The guest ranks lowest and loses all three; the regular, who came first, loses the one that is still missing; the VIP none.
        shop.Ok(Count(6, deallocate: true));
        Assert.Equal((0, 3), (shop.Line(2).Reserved, shop.Line(2).Backordered));
        Assert.Equal((2, 1, 1), (shop.Line(1).Reserved, shop.Line(1).Released, shop.Line(1).Backordered));
        Assert.Equal((3, OrderState.Ready), (shop.Line(3).Reserved, shop.Head(3).State));
        var reader = shop.Core.Reader;
        Assert.Equal([1, 2], reader.ListOrders(new OrderQuery { Exception = ExceptionKind.Deallocated, OldestFirst = true }, shop.Core.Sequence, 0, 10, 100).Numbers);
        for (long number = 1; number <= 2; number++)
            Assert.Equal((Grade.High, Role.Support), (reader.Exception(number, shop.Core.Sequence).Head.Grade, reader.Exception(number, shop.Core.Sequence).Head.Owner));

        // Two vases turn up behind a shelf: they go to the regular first, who still ranks ahead, then to the guest.
        shop.Ok(shop.Receive(Store, (Vase, 2)));
        shop.Turn();
        Assert.Equal((OrderState.Fulfilling, 0), (shop.Head(1).State, shop.Line(1).Backordered));
        Assert.Equal((1, 2), (shop.Line(2).Reserved, shop.Line(2).Backordered));
        using (reader.Enter()) Assert.Empty(Invariants.Check(reader, shop.Core.Sequence).Violations);

        AdjustStock Count(int units, bool deallocate, Role role = Role.Manager) => new()
        {
            Sku = Vase, Location = Store, Adjustment = AdjustmentKind.CountedOnHand, Value = units, Deallocate = deallocate, Role = role, Reason = Shop.Bytes("COUNT"),
        };
    }
}
