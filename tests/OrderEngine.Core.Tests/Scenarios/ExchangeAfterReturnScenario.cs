// A shirt was too small. The customer sends it back and gets the larger one; the small one goes to somebody who has been waiting for it.

using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests.Scenarios;

public sealed class ExchangeAfterReturnScenario
{
    private const int Small = 1, Large = 2, Store = 1;

    [Fact]
    public void Exchange_after_return()
    {
        var shop = new Shop();
        shop.Ok(shop.Receive(Store, (Small, 1), (Large, 1)));

        // Ann buys the only small shirt; it is shipped and delivered. Bob wants one, too, and waits.
        shop.Ok(shop.Order(1, 1, AllocationPolicy.AllOrNothing, (Small, 1)));
        shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
        shop.Ok(new ConfirmShipment { Order = 1, Role = Role.Warehouse });
        shop.Ok(new RecordDelivery { Order = 1, Role = Role.Carrier });
        shop.Ok(shop.Order(1, 2, AllocationPolicy.PartialBackorder, (Small, 1)));
        Assert.Equal(OrderState.Backordered, shop.Head(2).State);

        // It is too small for Ann. She asks for the large one instead, and support agrees: the large one is reserved for her at once.
        shop.Ok(new RequestReturn { Order = 1, Replacements = [new DraftLine(Large, 1, 0)], Reason = Shop.Bytes("TOO_SMALL"), Role = Role.Customer });
        shop.Ok(new ReturnStep(CommandKind.ApproveReturn) { Return = 1, Role = Role.Support });
        Assert.Equal((OrderType.Replacement, OrderState.Ready, 1), (shop.Head(3).Type, shop.Head(3).State, shop.Head(3).Customer));
        Assert.Equal(Outcome.OutOfStock, shop.Do(shop.Order(AllocationPolicy.AllOrNothing, (Large, 1))).Outcome);

        // The small one is on its way, arrives, and is as good as new: it is Bob's.
        shop.Ok(new CarryReturn(CommandKind.SendReturn) { Return = 1, Carrier = Shop.Bytes("DHL"), Role = Role.Customer });
        shop.Ok(new ReceiveReturn { Return = 1, Location = Store, Units = [new ReturnedUnits(1, 1, Disposition.Restock)], Role = Role.Warehouse });
        shop.Turn();
        Assert.Equal(OrderState.Ready, shop.Head(2).State);

        // Ann gets her large shirt; nothing is refunded, both orders know of each other, the return is closed.
        shop.Ok(new ReleaseShipment { Order = 3, Role = Role.Warehouse });
        shop.Ok(new ConfirmShipment { Order = 3, Role = Role.Warehouse });
        shop.Ok(new ReturnStep(CommandKind.CloseReturn) { Return = 1, Role = Role.Support });
        var reader = shop.Core.Reader;
        var at = shop.Core.Sequence;
        Assert.Equal((3L, 0L), (reader.Return(1, at).Head.Replacement, reader.Return(1, at).Head.Refund));
        Assert.Equal(1, reader.AfterSale(3, at).ForReturn);
        Assert.Equal(OrderReturnState.Returned, OrderReturns.Derive(reader.AfterSale(1, at), reader.Order(1, at).Lines));
        using (reader.Enter()) Assert.Empty(Invariants.Check(reader, at).Violations);
    }
}
