// Promise 6: of a cancel and a ship that race exactly one wins, and no unit is restocked twice. Guards: the line's reserved units in
// Decider.Cancel, the transition table's states of ConfirmShipment, and in Decider.Receive and Decider.WantReturnable what a return still expects.

using Xunit;

namespace OrderEngine.Core.Tests.Promises;

public sealed class Promise06Tests
{
    private readonly Shop _shop = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Of_a_cancel_and_a_ship_that_race_exactly_one_wins(bool cancelFirst)
    {
        _shop.Ok(_shop.Receive(1, (1, 10)));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 4)));
        Command release = new ReleaseShipment { Order = 1, Role = Role.Warehouse };
        Command ship = new ConfirmShipment { Order = 1, Role = Role.Warehouse };
        Command cancel = new CancelOrder { Order = 1, Role = Role.Customer };
        Command[] race = cancelFirst ? [cancel, release, ship, cancel] : [release, cancel, ship, cancel];

        var outcomes = race.Select(command => _shop.Do(command).Outcome).ToArray();

        var line = _shop.Line(1);
        Assert.Equal(cancelFirst ? (4, 0) : (0, 4), (line.Cancelled, line.Shipped));
        Assert.Equal(cancelFirst ? OrderState.Cancelled : OrderState.Shipped, _shop.Head(1).State);
        Assert.Equal(cancelFirst ? 1 : 2, outcomes.Count(outcome => outcome == Outcome.Ok));
        Assert.Equal(cancelFirst ? 10 : 6, OnHand());
    }

    [Fact]
    public void No_unit_is_restocked_twice()
    {
        Deliver(5);
        Assert.Equal(Outcome.Ok, _shop.Do(Ask(3)).Outcome);
        // Not by another return of the same units, nor by more units than are left for one.
        Assert.Equal(Outcome.NotReturnable, _shop.Do(Ask(3)).Outcome);
        Assert.Equal(Outcome.Ok, _shop.Do(Ask(2)).Outcome);
        foreach (var number in (long[])[1, 2]) _shop.Ok(new ReturnStep(CommandKind.ApproveReturn) { Return = number, Role = Role.Support });
        Assert.Equal(Outcome.NotExpected, _shop.Do(Back(1, 4)).Outcome);
        _shop.Ok(Back(1, 2));
        Assert.Equal(Outcome.NotExpected, _shop.Do(Back(1, 2)).Outcome);
        _shop.Ok(Back(1, 1));
        Assert.Equal(Outcome.NotExpected, _shop.Do(Back(1, 1)).Outcome);
        _shop.Ok(Back(2, 2));
        foreach (var number in (long[])[1, 2])
        {
            _shop.Ok(new ReturnStep(CommandKind.CloseReturn) { Return = number, Role = Role.Support });
            Assert.Equal(Outcome.IllegalReturnTransition, _shop.Do(Back(number, 1)).Outcome);
        }

        Assert.Equal(Outcome.NotReturnable, _shop.Do(Ask(1)).Outcome);
        Assert.Equal((10, 5), (OnHand(), _shop.Line(1).Returned));
    }

    [Fact]
    public void The_same_receipt_sent_twice_restocks_once()
    {
        Deliver(5);
        _shop.Ok(Ask(5));
        _shop.Ok(new ReturnStep(CommandKind.ApproveReturn) { Return = 1, Role = Role.Support });
        var receipt = new ReceiveReturn { Return = 1, Location = 1, Units = [new ReturnedUnits(1, 2, Disposition.Restock)], Role = Role.Warehouse, RequestKey = _shop.Key(), BodyDigest = 1 };
        _shop.Ok(receipt);
        Assert.True(_shop.Ok(receipt).Replayed);
        Assert.Equal(7, OnHand());
    }

    private void Deliver(int units)
    {
        _shop.Ok(_shop.Receive(1, (1, 10)));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, units)));
        _shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
        _shop.Ok(new ConfirmShipment { Order = 1, Role = Role.Warehouse });
        _shop.Ok(new RecordDelivery { Order = 1, Role = Role.Carrier });
    }

    private static RequestReturn Ask(int units) => new() { Order = 1, Lines = [new LineQuantity(1, units)], Role = Role.Customer };

    private static ReceiveReturn Back(long number, int units) =>
        new() { Return = number, Location = 1, Units = [new ReturnedUnits(1, units, Disposition.Restock)], Role = Role.Warehouse };

    private long OnHand()
    {
        var reader = _shop.Core.Reader;
        reader.Stock(reader.FirstStockSlot(1), _shop.Core.Sequence, out var row, out _);
        return row.OnHand;
    }
}
