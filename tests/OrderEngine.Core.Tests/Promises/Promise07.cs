// Promise 7: a failed amend changes nothing. Each way to fail, after the parts before it have been worked out.

using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests.Promises;

public sealed class Promise07
{
    private readonly Shop _shop = new();

    // Line 1: 6 of SKU 1, 4 reserved and 2 waiting; line 2: 5 of SKU 2, of which 2 are with the warehouse; line 3: 3 of SKU 3.
    public Promise07()
    {
        _shop.Ok(_shop.Receive(1, (1, 4), (2, 5), (3, 3)));
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 6), (2, 5), (3, 3)));
        _shop.Ok(new ReleaseShipment { Order = 1, Lines = [new LineMovement(2, 1, 2)], Role = Role.Warehouse });
        _shop.Core.Seal();
    }

    public static TheoryData<Outcome, AmendedLine[], AmendedFields> Failures => new()
    {
        // The first line alone would be fine each time.
        { Outcome.NotAmendable, [new(1, 0, 1, 7), new(2, 0, 1, -1)], AmendedFields.Lines },
        { Outcome.NotAmendable, [new(1, 0, 1, 7), new(2, 0, -1, 1)], AmendedFields.Lines },
        { Outcome.NotAmendable, [new(1, 0, 1, 7)], AmendedFields.Lines | AmendedFields.Delivery },
        { Outcome.NotAmendable, [new(1, 0, 1, 7)], AmendedFields.Lines | AmendedFields.RequestedTime },
        { Outcome.QuantityNotAvailable, [new(1, 0, 1, 7), new(4, 0, 1, 1)], AmendedFields.Lines },
        { Outcome.OrderLimitReached, [new(1, 0, 1, 7), new(3, 0, 1_000_000, 1_000_000_000_000)], AmendedFields.Lines },
        { Outcome.EtagMismatch, [new(1, 0, 1, 7)], AmendedFields.Lines | AmendedFields.Delivery },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public void A_failed_amend_changes_nothing(Outcome expected, AmendedLine[] lines, AmendedFields fields)
    {
        var before = (Row(), _shop.Core.Seal());
        var amend = new AmendOrder(CommandKind.AmendLines)
        {
            Order = 1, Fields = fields, Lines = lines, RequestedAt = 5, Delivery = new SealedData(1, [1]), DeliveryVersion = expected == Outcome.EtagMismatch ? 99 : 0, Role = Role.Support,
        };
        Assert.Equal(expected, _shop.Do(amend).Outcome);
        Unchanged(before);
    }

    [Theory]
    [InlineData(AllocationPolicy.AllOrNothing)]
    [InlineData(AllocationPolicy.LineAllOrNothing)]
    [InlineData(AllocationPolicy.PartialCancelRest)]
    public void A_gain_that_stock_does_not_cover_changes_nothing(AllocationPolicy policy)
    {
        _shop.Ok(_shop.Receive(2, (4, 1)));
        _shop.Ok(_shop.Order(policy, (4, 1)));
        var before = (Row(), _shop.Core.Seal());
        // What line 1 gives up would be enough of its own SKU; there is none of the other.
        AmendedLine[] lines = policy == AllocationPolicy.AllOrNothing ? [new(1, 0, 0, -1), new(0, 4, 1, 1), new(0, 3, 1, 1)] : [new(1, 0, -1, 9), new(0, 3, 1, 1)];
        Assert.Equal(Outcome.OutOfStock, _shop.Do(new AmendOrder(CommandKind.AmendLines) { Order = 2, Fields = AmendedFields.Lines, Lines = lines, Role = Role.Support }).Outcome);
        Unchanged(before);
    }

    private void Unchanged((string Row, StateSummary Summary) before)
    {
        var after = _shop.Core.Seal();
        Assert.Equal(before.Row, Row());
        Assert.Equal((before.Summary.OnHand, before.Summary.Committed, before.Summary.Held, before.Summary.Backordered), (after.OnHand, after.Committed, after.Held, after.Backordered));
        Assert.Empty(_shop.Core.CheckIndexes());
    }

    // Everything that is stored of the orders, to the byte.
    private string Row() => string.Join('\n', Enumerable.Range(1, (int)_shop.Core.Reader.LastOrder).Select(number =>
    {
        var order = _shop.Core.Reader.Order(number, _shop.Core.Sequence);
        return Convert.ToHexString(System.Runtime.InteropServices.MemoryMarshal.AsBytes(new ReadOnlySpan<OrderHead>(in order.Head)))
            + Convert.ToHexString(System.Runtime.InteropServices.MemoryMarshal.AsBytes(order.Lines))
            + Convert.ToHexString(System.Runtime.InteropServices.MemoryMarshal.AsBytes(order.Allocations));
    }));
}
