// A shirt was too small. The customer sends it back and gets the larger one; the small one goes to somebody who has been waiting for it. And where
// the larger one never comes, she gets her money back.

using OrderEngine.Core.State;
using OrderEngine.Core.Tests.Snapshots;
using Xunit;

namespace OrderEngine.Core.Tests.Scenarios;

public sealed class ExchangeAfterReturnScenario
{
    private const int Small = 1, Large = 2, Store = 1;
    private static readonly int Gbp = Currency.Pack("GBP"u8);

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
        shop.Ok(new RecordPayment { Order = 1, Amount = 100, CurrencyCode = Gbp, Reference = Shop.Bytes("P1"), Role = Role.Finance });
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

        // What she paid for the small one pays for the large one: neither order leaves anything to pay or to refund, and finance has nothing to look at.
        Assert.Equal((PaymentState.Settled, PaymentState.NothingDue), (Stands(shop, 1), Stands(shop, 3)));
        Assert.Equal(0, shop.Head(1).OpenExceptions);
        using (reader.Enter())
        {
            var statement = new StatementReader(reader, new StatementQuery(1, 0, 0, 0, shop.Now), at).Read(at, 0, 10, 100).Entries;
            Assert.Equal([(1L, 100L, 0L, 100L, 0L)], statement.Where(entry => entry.Order == 1).Select(entry => (entry.Order, entry.Closing.Payable, entry.Closing.Returned, entry.Closing.Paid, entry.Closing.Balance)));
        }

        // Too much by mistake is too much, exchange or not; given back, all is as it was.
        shop.Ok(new RecordPayment { Order = 1, Amount = 5, CurrencyCode = Gbp, Reference = Shop.Bytes("P2"), Role = Role.Finance });
        ref readonly var over = ref reader.Exception(shop.Head(1).LastException, shop.Core.Sequence).Head;
        Assert.Equal((ExceptionKind.RefundDue, 5L), (over.Kind, over.Quantity));
        shop.Ok(new RecordRefund { Order = 1, Amount = 5, CurrencyCode = Gbp, Reference = Shop.Bytes("R1"), Role = Role.Finance });
        Assert.Equal((PaymentState.Settled, 0), (Stands(shop, 1), shop.Head(1).OpenExceptions));
        Assert.Equal(shop.Core.Seal().StateHash, shop.Restarted().Seal().StateHash);
        at = shop.Core.Sequence;
        using (reader.Enter()) Assert.Empty(Invariants.Check(reader, at).Violations);
    }

    [Fact]
    public void What_is_exchanged_is_owed_until_it_is_paid()
    {
        var shop = new Shop();
        shop.Ok(shop.Receive(Store, (Small, 3), (Large, 3)));
        shop.Ok(new SubmitOrder
        {
            Channel = 1, Customer = 1, ExternalId = Shop.Bytes("credit"), Policy = AllocationPolicy.AllOrNothing, Terms = PaymentTerms.Credit, CurrencyCode = Gbp,
            Lines = [new DraftLine(Small, 3, 100)], Role = Role.Channel,
        });
        shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
        shop.Ok(new ConfirmShipment { Order = 1, Role = Role.Warehouse });
        shop.Ok(new RecordDelivery { Order = 1, Role = Role.Carrier });

        // One comes back for good, another one for a large one that costs 20 more.
        shop.Ok(new RequestReturn { Order = 1, Lines = [new LineQuantity(1, 1)], Role = Role.Customer });
        shop.Ok(new RequestReturn { Order = 1, Lines = [new LineQuantity(1, 1)], Replacements = [new DraftLine(Large, 1, 20)], Role = Role.Customer });
        for (var number = 1; number <= 2; number++)
        {
            shop.Ok(new ReturnStep(CommandKind.ApproveReturn) { Return = number, Role = Role.Support });
            shop.Ok(new ReceiveReturn { Return = number, Location = Store, Units = [new ReturnedUnits(1, 1, Disposition.Scrap)], Role = Role.Warehouse });
        }
        Assert.Equal((2, 1, 1), (shop.Line(1).Returned, shop.Line(1).Exchanged, shop.Line(1).Credited));
        Assert.Equal((200L, 20L), (Payable(shop, 1), Payable(shop, 2)));
        Assert.Equal(220, shop.Core.Reader.State.Credit.Of(1, Gbp));
        using (shop.Core.Reader.Enter()) Assert.Empty(Invariants.Check(shop.Core.Reader, shop.Core.Sequence).Violations);
    }

    [Fact]
    public void The_replacement_is_lost_and_the_money_is_due_back()
    {
        var shop = Swapped();
        shop.Ok(new ReceiveReturn { Return = 1, Location = Store, Units = [new ReturnedUnits(1, 1, Disposition.Restock), new ReturnedUnits(1, 1, Disposition.Repair)], Role = Role.Warehouse });
        Assert.Equal((300L, 0L, PaymentState.Settled), (Payable(shop, 1), shop.Core.Reader.AfterSale(1, shop.Core.Sequence).Refund, Stands(shop, 1)));
        shop.Ok(new ReleaseShipment { Order = 2, Role = Role.Warehouse });
        shop.Ok(new ConfirmShipment { Order = 2, Role = Role.Warehouse });

        // One of two is lost: the other one is still to come, and nothing is decided.
        var start = shop.Core.Sequence;
        shop.Ok(new RecordLoss { Order = 2, Lines = [new LineQuantity(1, 1)], Role = Role.Carrier });
        Assert.Equal((OrderState.Shipped, 300L), (shop.Head(2).State, Payable(shop, 1)));
        shop.Ok(new RecordLoss { Order = 2, Lines = [new LineQuantity(1, 1)], Role = Role.Carrier });
        Assert.Equal((OrderState.Lost, 200L, PaymentState.RefundDue), (shop.Head(2).State, Payable(shop, 1), Stands(shop, 1)));
        Credited(shop, start, 100);

        // The mended one goes back to the customer and stays paid for; what is due is paid back.
        shop.Ok(new ReturnStep(CommandKind.RecordRepair) { Return = 1, Role = Role.Warehouse });
        shop.Ok(new CarryReturn(CommandKind.ShipBackReturn) { Return = 1, Carrier = Shop.Bytes("DHL"), Role = Role.Warehouse });
        shop.Ok(new ReturnStep(CommandKind.CloseReturn) { Return = 1, Role = Role.Support });
        shop.Ok(new RecordRefund { Order = 1, Amount = 100, CurrencyCode = Gbp, Reference = Shop.Bytes("R1"), Role = Role.Finance });
        Assert.Equal((PaymentState.Settled, 0), (Stands(shop, 1), shop.Head(1).OpenExceptions));
        Whole(shop);
    }

    [Fact]
    public void The_replacement_is_cancelled_and_what_comes_later_is_credited_when_it_comes()
    {
        var shop = Swapped();
        shop.Ok(new ReceiveReturn { Return = 1, Location = Store, Units = [new ReturnedUnits(1, 1, Disposition.Scrap)], Role = Role.Warehouse });
        var start = shop.Core.Sequence;
        shop.Ok(new CancelOrder { Order = 2, Lines = [new LineQuantity(1, 1)], Role = Role.Customer });
        Assert.Equal(300, Payable(shop, 1));
        shop.Ok(new CancelOrder { Order = 2, Role = Role.Customer });
        Assert.Equal((OrderState.Cancelled, 200L), (shop.Head(2).State, Payable(shop, 1)));
        Credited(shop, start, 100);
        shop.Ok(new ReceiveReturn { Return = 1, Location = Store, Units = [new ReturnedUnits(1, 1, Disposition.Restock)], Role = Role.Warehouse });
        Assert.Equal((100L, 200L, 0), (Payable(shop, 1), shop.Core.Reader.Return(1, shop.Core.Sequence).Head.Refund, shop.Line(1).Exchanged));
        Whole(shop);
    }

    [Fact]
    public void What_is_not_lost_of_the_replacement_is_amended_away()
    {
        var shop = Swapped();
        shop.Ok(new ReceiveReturn { Return = 1, Location = Store, Units = [new ReturnedUnits(1, 1, Disposition.Restock)], Role = Role.Warehouse });
        shop.Ok(new ReleaseShipment { Order = 2, Lines = [new LineMovement(1, Store, 1)], Role = Role.Warehouse });
        shop.Ok(new ConfirmShipment { Order = 2, Role = Role.Warehouse });
        shop.Ok(new RecordLoss { Order = 2, Role = Role.Carrier });
        var start = shop.Core.Sequence;
        shop.Ok(new AmendOrder(CommandKind.AmendLines) { Order = 2, Fields = AmendedFields.Lines, Lines = [new AmendedLine(1, 0, 1, -1)], Role = Role.Support });
        Assert.Equal((OrderState.Lost, 200L), (shop.Head(2).State, Payable(shop, 1)));
        Credited(shop, start, 100);
        Whole(shop);
    }

    // Three small ones were bought and paid; two are to be swapped for two large ones, at no extra cost.
    private static Shop Swapped()
    {
        var shop = new Shop();
        shop.Ok(shop.Receive(Store, (Small, 3), (Large, 2)));
        shop.Ok(new SubmitOrder
        {
            Channel = 1, Customer = 1, ExternalId = Shop.Bytes("paid"), Policy = AllocationPolicy.AllOrNothing, Terms = PaymentTerms.Credit, CurrencyCode = Gbp,
            Lines = [new DraftLine(Small, 3, 100)], Role = Role.Channel,
        });
        shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
        shop.Ok(new ConfirmShipment { Order = 1, Role = Role.Warehouse });
        shop.Ok(new RecordDelivery { Order = 1, Role = Role.Carrier });
        shop.Ok(new RecordPayment { Order = 1, Amount = 300, CurrencyCode = Gbp, Reference = Shop.Bytes("P1"), Role = Role.Finance });
        shop.Ok(new RequestReturn { Order = 1, Lines = [new LineQuantity(1, 2)], Replacements = [new DraftLine(Large, 2, 0)], Role = Role.Customer });
        shop.Ok(new ReturnStep(CommandKind.ApproveReturn) { Return = 1, Role = Role.Support });
        return shop;
    }

    private static void Credited(Shop shop, long since, long refund)
    {
        var events = Contracts.Journal.Events.Parser.ParseFrom(shop.Events.Written).Events_.Where(e => e.Sequence > (ulong)since && e.Order == 1).ToList();
        Assert.Equal((1UL, (ulong)refund, 1U), (events[0].ExchangeCredited.Return, events[0].ExchangeCredited.Refund, Assert.Single(events[0].ExchangeCredited.Lines).Quantity));
        Assert.Equal(((uint)ExceptionKind.RefundDue, (uint)Role.Finance, (ulong)refund), (events[1].ExceptionRaised.Kind, events[1].ExceptionRaised.Owner, events[1].ExceptionRaised.Quantity));
        Assert.Equal(2, events.Count);
        Assert.Equal((refund, refund), (shop.Core.Reader.AfterSale(1, shop.Core.Sequence).Refund, shop.Core.Reader.Return(1, shop.Core.Sequence).Head.Refund));
    }

    private static void Whole(Shop shop)
    {
        var loaded = SnapshotSupport.Load(SnapshotSupport.Take(shop.Core).Blocks);
        Assert.Equal((1, shop.Core.Seal().StateHash), (loaded.Reader.Return(1, loaded.Sequence).Head.Credited, loaded.Seal().StateHash));
        Assert.Equal(shop.Core.Seal().StateHash, shop.Restarted().Seal().StateHash);
        Assert.Empty(shop.Core.CheckIndexes());
        var reader = shop.Core.Reader;
        using (reader.Enter())
        {
            Assert.Empty(Invariants.Check(reader, shop.Core.Sequence).Violations);
            var statement = new StatementReader(reader, new StatementQuery(1, 0, 0, 0, shop.Now), shop.Core.Sequence).Read(shop.Core.Sequence, 0, 10, 100).Entries.Single(entry => entry.Order == 1);
            Assert.Equal((Payable(shop, 1), 300 - Payable(shop, 1)), (statement.Closing.Payable, statement.Closing.Returned));
        }
    }

    private static long Payable(Shop shop, long number)
    {
        var order = shop.Core.Reader.Order(number, shop.Core.Sequence);
        return PaymentStates.Payable(order.Head.State, order.Lines);
    }

    private static PaymentState Stands(Shop shop, long number) => PaymentStates.Of(shop.Head(number).State, Payable(shop, number), shop.Head(number).Paid, shop.Head(number).Refunded);
}
