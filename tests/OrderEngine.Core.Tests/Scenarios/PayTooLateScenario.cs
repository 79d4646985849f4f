// A buyer pays after the time to pay was over. Where the goods are still there he gets them; where they are not, his money is owed to him, and
// finance knows. Money is never quietly kept.

using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests.Scenarios;

public sealed class PayTooLateScenario
{
    private const int Lamp = 1, Store = 1;
    private readonly Shop _shop = new();

    [Fact]
    public void Pay_too_late_and_get_the_goods_all_the_same()
    {
        // Two lamps are kept for Ann for three days, and she does not pay.
        _shop.Ok(_shop.Receive(Store, (Lamp, 3)));
        _shop.Ok(Prepaid(2));
        Assert.Equal((OrderState.AwaitingPayment, 2), (_shop.Head(1).State, _shop.Line(1).Reserved));
        _shop.Pass(3 * Shop.Day);
        Assert.Equal((OrderState.Expired, 0, 2), (_shop.Head(1).State, _shop.Line(1).Reserved, _shop.Line(1).Unallocated));

        // One of the lamps goes to Bob meanwhile. Ann's money comes: two are there, so she has them after all.
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (Lamp, 1)));
        _shop.Ok(Pay(1, 200));
        Assert.Equal((OrderState.Ready, 2, PaymentState.Paid), (_shop.Head(1).State, _shop.Line(1).Reserved, Stands(1)));
        Assert.Equal((ExceptionKind.LateMoney, Grade.Low, Role.Finance), Exception(1));
        _shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
    }

    [Fact]
    public void Pay_too_late_when_the_goods_are_gone()
    {
        _shop.Ok(_shop.Receive(Store, (Lamp, 2)));
        _shop.Ok(Prepaid(2));
        _shop.Pass(3 * Shop.Day);
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (Lamp, 2)));

        // Nothing is left for Ann. The money is on record, the order stays expired, and finance is told at once.
        _shop.Ok(Pay(1, 200));
        Assert.Equal((OrderState.Expired, PaymentState.RefundDue, 200L), (_shop.Head(1).State, Stands(1), _shop.Head(1).Paid));
        Assert.Equal((ExceptionKind.LateMoney, Grade.High, Role.Finance), Exception(1));

        // Half of it goes back, then the rest. Never more than came.
        _shop.Ok(Refund(100, "back-1"));
        Assert.Equal(PaymentState.RefundDue, Stands(1));
        Assert.Equal(Outcome.RefundExceedsPaid, _shop.Do(Refund(101, "back-2")).Outcome);
        _shop.Ok(Refund(100, "back-2"));
        Assert.Equal((PaymentState.Refunded, 0L), (Stands(1), _shop.Head(1).Paid - _shop.Head(1).Refunded));
    }

    [Fact]
    public void Pay_half_in_time_and_the_rest_never()
    {
        _shop.Ok(_shop.Receive(Store, (Lamp, 2)));
        _shop.Ok(Prepaid(2));
        _shop.Ok(Pay(1, 80));
        _shop.Pass(3 * Shop.Day);

        // The lamps are free again, and the 80 are not forgotten.
        Assert.Equal((OrderState.Expired, PaymentState.RefundDue), (_shop.Head(1).State, Stands(1)));
        Assert.Equal((ExceptionKind.RefundDue, Grade.Medium, Role.Finance), Exception(1));
        Assert.Equal(80, _shop.Core.Reader.Exception(1, _shop.Core.Sequence).Head.Quantity);
        _shop.Ok(Refund(80, "back"));
        Assert.False(_shop.Core.Reader.Exception(1, _shop.Core.Sequence).IsOpen);
    }

    [Fact]
    public void Pay_half_in_time_and_the_rest_too_late_but_while_the_goods_are_there()
    {
        _shop.Ok(_shop.Receive(Store, (Lamp, 2)));
        _shop.Ok(Prepaid(2));
        _shop.Ok(Pay(1, 80));
        _shop.Pass(3 * Shop.Day);
        Assert.Equal((ExceptionKind.RefundDue, Grade.Medium, Role.Finance), Exception(1));

        // The order goes on, so the 80 need not go back any more; what is paid too much does, and finance knows of that, too.
        _shop.Ok(Pay(1, 120));
        Assert.Equal((OrderState.Ready, PaymentState.Paid, false), (_shop.Head(1).State, Stands(1), _shop.Core.Reader.Exception(1, _shop.Core.Sequence).IsOpen));
        Assert.Equal((ExceptionKind.LateMoney, Grade.Low, Role.Finance), Exception(2));
    }

    [Fact]
    public void Pay_too_late_and_too_much()
    {
        _shop.Ok(_shop.Receive(Store, (Lamp, 2)));
        _shop.Ok(Prepaid(2));
        _shop.Pass(3 * Shop.Day);
        _shop.Ok(Pay(1, 230));
        Assert.Equal((OrderState.Ready, PaymentState.RefundDue), (_shop.Head(1).State, Stands(1)));
        Assert.Equal((ExceptionKind.RefundDue, Grade.Medium, Role.Finance), Exception(2));
        Assert.Equal(30, _shop.Core.Reader.Exception(2, _shop.Core.Sequence).Head.Quantity);
    }

    private PaymentState Stands(long number)
    {
        var order = _shop.Core.Reader.Order(number, _shop.Core.Sequence);
        return PaymentStates.Of(order.Head.State, PaymentStates.Payable(order.Head.State, order.Lines), order.Head.Paid, order.Head.Refunded);
    }

    private (ExceptionKind, Grade, Role) Exception(long number)
    {
        ref readonly var head = ref _shop.Core.Reader.Exception(number, _shop.Core.Sequence).Head;
        return (head.Kind, head.Grade, head.Owner);
    }

    private SubmitOrder Prepaid(int units) => new()
    {
        Channel = 1, ExternalId = Shop.Bytes("ann-1"), Policy = AllocationPolicy.AllOrNothing, Terms = PaymentTerms.Prepaid, CurrencyCode = Currency.Pack("GBP"u8),
        Lines = [new DraftLine(Lamp, units, 100)], Role = Role.Channel, RequestKey = _shop.Key(), BodyDigest = 1,
    };

    private RecordPayment Pay(long order, long amount) =>
        new() { Order = order, Amount = amount, CurrencyCode = Currency.Pack("GBP"u8), Reference = Shop.Bytes($"bank-{amount}"), Role = Role.Finance, RequestKey = _shop.Key(), BodyDigest = 1 };

    private static RecordRefund Refund(long amount, string reference) =>
        new() { Order = 1, Amount = amount, CurrencyCode = Currency.Pack("GBP"u8), Reference = Shop.Bytes(reference), Role = Role.Finance };
}
