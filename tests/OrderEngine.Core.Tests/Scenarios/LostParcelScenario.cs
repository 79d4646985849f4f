// Two parcels go out for a prepaid order. One arrives, one is lost: support is told, the buyer is owed the lost goods' price, and the order ends.

using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests.Scenarios;

public sealed class LostParcelScenario
{
    private const int Cup = 1, Pot = 2, Store = 1;
    private static readonly int Pounds = Currency.Pack("GBP"u8);

    [Fact]
    public void A_parcel_is_lost()
    {
        var shop = new Shop();
        shop.Ok(shop.Receive(Store, (Cup, 6), (Pot, 2)));
        shop.Ok(new SubmitOrder
        {
            Channel = 1, ExternalId = Shop.Bytes("tea-1"), Policy = AllocationPolicy.AllOrNothing, Terms = PaymentTerms.Prepaid, CurrencyCode = Pounds,
            Lines = [new DraftLine(Cup, 6, 10), new DraftLine(Pot, 1, 40)], Role = Role.Channel, RequestKey = shop.Key(), BodyDigest = 1,
        });
        shop.Ok(new RecordPayment { Order = 1, Amount = 100, CurrencyCode = Pounds, Reference = Shop.Bytes("card-1"), Role = Role.Finance });

        // The cups leave in one parcel, the pot in another; the cups arrive.
        shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
        shop.Ok(new ConfirmShipment { Order = 1, Lines = [new LineMovement(1, Store, 6)], Carrier = Shop.Bytes("DHL"), TrackingNumber = Shop.Bytes("T1"), Role = Role.Warehouse });
        shop.Ok(new ConfirmShipment { Order = 1, Lines = [new LineMovement(2, Store, 1)], Carrier = Shop.Bytes("DHL"), TrackingNumber = Shop.Bytes("T2"), Role = Role.Warehouse });
        shop.Ok(new RecordDelivery { Order = 1, Parcel = 1, Role = Role.Carrier });
        Assert.Equal(OrderState.Shipped, shop.Head(1).State);

        // The carrier gives the second one up. What arrived cannot be lost, and what is lost cannot arrive.
        shop.Ok(new RecordLoss { Order = 1, Parcel = 2, Role = Role.Carrier });
        Assert.Equal((OrderState.Delivered, 6, 1), (shop.Head(1).State, shop.Line(1).Delivered, shop.Line(1, 2).Lost));
        Assert.Equal(Outcome.IllegalTransition, shop.Do(new RecordLoss { Order = 1, Parcel = 1, Role = Role.Carrier, RequestKey = shop.Key(), BodyDigest = 1 }).Outcome);
        Assert.Equal(Outcome.IllegalTransition, shop.Do(new RecordDelivery { Order = 1, Parcel = 2, Role = Role.Carrier, RequestKey = shop.Key(), BodyDigest = 1 }).Outcome);

        // Support has to speak with the buyer, finance to give 40 back; nothing that is lost comes back into stock, or can be returned.
        var reader = shop.Core.Reader;
        ref readonly var lost = ref reader.Exception(1, shop.Core.Sequence).Head;
        Assert.Equal((ExceptionKind.LostParcel, Role.Support, 1L), (lost.Kind, lost.Owner, lost.Quantity));
        ref readonly var due = ref reader.Exception(2, shop.Core.Sequence).Head;
        Assert.Equal((ExceptionKind.RefundDue, Role.Finance, 40L), (due.Kind, due.Owner, due.Quantity));
        Assert.Equal(Outcome.NotReturnable, shop.Do(new RequestReturn { Order = 1, Lines = [new LineQuantity(2, 1)], Role = Role.Customer, RequestKey = shop.Key(), BodyDigest = 1 }).Outcome);
        Assert.Equal(1, shop.Core.Seal().OnHand);

        // The pot is sent anew as an order of its own, the money goes back, both exceptions are closed.
        shop.Ok(new RecordRefund { Order = 1, Amount = 40, CurrencyCode = Pounds, Reference = Shop.Bytes("card-2"), Role = Role.Finance });
        shop.Ok(shop.Order(AllocationPolicy.AllOrNothing, (Pot, 1)));
        shop.Ok(new ResolveException { Exception = 1, Resolution = Shop.Bytes("sent anew"), Role = Role.Support });
        Assert.Equal(0, shop.Head(1).OpenExceptions);
        Assert.Equal(PaymentState.Settled, PaymentStates.Of(shop.Head(1).State, 60, shop.Head(1).Paid, shop.Head(1).Refunded));
        using (reader.Enter()) Assert.Empty(Invariants.Check(reader, shop.Core.Sequence).Violations);
    }
}
