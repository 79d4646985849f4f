// A buyer moves house while the order is being packed.

using Xunit;

namespace OrderEngine.Core.Tests.Scenarios;

public sealed class AddressChangeScenario
{
    [Fact]
    public void Address_change_while_being_packed()
    {
        var shop = new Shop();
        shop.Ok(shop.Receive(1, (1, 10)));
        shop.Ok(shop.Order(AllocationPolicy.PartialBackorder, (1, 4), (2, 1)));

        // Before anything is picked the buyer may change the address as often as he likes.
        shop.Ok(Move(shop, key: 1, since: 0));
        var moved = shop.Core.Sequence;

        // The mugs go to the picker. Now the label is printed: too late for the buyer, and for support.
        shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
        Assert.Equal(Outcome.NotAmendable, shop.Do(Move(shop, key: 2, since: moved)).Outcome);
        Assert.Equal(Outcome.NotAmendable, shop.Do(Move(shop, key: 2, since: moved, Role.Support)).Outcome);

        // Support has the order held, so that nothing more goes out, and the warehouse gives back what it has in hand.
        shop.Ok(new PlaceHold { Order = 1, Hold = OrderHolds.Address, Role = Role.Support, Reason = Shop.Bytes("MOVED") });
        shop.Ok(new RecallShipment { Order = 1, Role = Role.Warehouse });
        Assert.Equal(OrderState.PartiallyReserved, shop.Head(1).State);
        Assert.Equal(Outcome.OrderOnHold, shop.Do(new ReleaseShipment { Order = 1, Role = Role.Warehouse }).Outcome);

        // Two clerks type the new address at once: the second is told that the first was faster, instead of undoing it.
        shop.Ok(Move(shop, key: 2, since: moved, Role.Support));
        Assert.Equal(Outcome.EtagMismatch, shop.Do(Move(shop, key: 3, since: moved, Role.Support)).Outcome);

        // The hold ends, the order goes out. The tray comes later: while nothing is being packed its address can change once more.
        shop.Ok(new ReleaseHold { Order = 1, Hold = OrderHolds.Address, Role = Role.Support, Reason = Shop.Bytes("CHECKED") });
        shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
        shop.Ok(new ConfirmShipment { Order = 1, Role = Role.Warehouse });
        Assert.Equal(OrderState.PartiallyShipped, shop.Head(1).State);
        var second = LastMove(shop);
        shop.Ok(Move(shop, key: 4, since: second));

        // Nothing but the address has changed all along, and when all is shipped there is nothing left to change.
        Assert.Equal((4, 0, 500L), (shop.Line(1).Shipped, shop.Line(1).Released, shop.Head(1).Total));
        shop.Ok(shop.Receive(1, (2, 1)));
        shop.Turn();
        shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
        shop.Ok(new ConfirmShipment { Order = 1, Role = Role.Warehouse });
        Assert.Equal(Outcome.IllegalTransition, shop.Do(Move(shop, key: 5, since: LastMove(shop))).Outcome);
    }

    private static AmendOrder Move(Shop shop, byte key, long since, Role role = Role.Customer) => new(CommandKind.AmendOrder)
    {
        Order = 1, Fields = AmendedFields.Delivery, Delivery = new SealedData(7, [key]), DeliveryVersion = since, DeliveryFields = 1 << 5, Role = role, RequestKey = shop.Key(), BodyDigest = 1,
    };

    // What whoever amends an address has read it at: the sequence of the last amendment.
    private static long LastMove(Shop shop)
    {
        var cursor = 0L;
        while (shop.Core.Reader.PreviousEvent(1, shop.Core.Sequence, ref cursor, out var bytes))
        {
            var e = new Events.EventView(bytes);
            if (e.Kind == Events.EventKind.OrderAmended) return e.Sequence;
        }
        return 0;
    }
}
