// A trader buys on account up to 1,000. What goes beyond waits for a reviewer: a new order, and an old one that grows. The goods arrive, the money
// does not: finance is reminded, then has an exception, until it comes.

using OrderEngine.Core.Events;
using Xunit;

namespace OrderEngine.Core.Tests.Scenarios;

public sealed class CreditLimitScenario
{
    private const int Chair = 1, Store = 1, Trader = 1;
    private static readonly int Pounds = Currency.Pack("GBP"u8);
    private readonly Shop _shop = new();

    [Fact]
    public void A_credit_customer_over_the_limit()
    {
        _shop.Ok(new DefineCustomer { Id = Shop.Bytes("customer-1"), Terms = PaymentTerms.Credit, CreditLimit = 1_000, CreditCurrency = Pounds, Role = Role.Manager });
        _shop.Ok(new SetReviewRules { Rules = [new ReviewRule(Shop.Bytes("over-limit"), ReviewCondition.CreditExposure)], Role = Role.Manager });
        _shop.Ok(new SetDeadlines { PaymentSeconds = 30 * 86_400, RemindSeconds = 5 * 86_400, Role = Role.Manager });
        _shop.Ok(_shop.Receive(Store, (Chair, 40)));

        // Eight chairs at 100 are within the limit; three more are not, and wait with their stock reserved.
        _shop.Ok(_shop.Order(1, Trader, AllocationPolicy.AllOrNothing, (Chair, 8)));
        _shop.Ok(_shop.Order(1, Trader, AllocationPolicy.AllOrNothing, (Chair, 3)));
        Assert.Equal((OrderState.Ready, OrderState.PendingReview, 3), (_shop.Head(1).State, _shop.Head(2).State, _shop.Line(2).Reserved));
        _shop.Ok(new RejectOrder { Order = 2, Role = Role.Reviewer, Reason = Shop.Bytes("OVER_LIMIT") });

        // He calls support and has the first order raised to ten: exactly the limit, nobody minds. To twelve: beyond it.
        _shop.Ok(Amend(1, units: 10));
        Assert.Equal(OrderHolds.None, _shop.Head(1).Holds);
        _shop.Ok(Amend(1, units: 12));
        Assert.Equal((OrderState.Ready, OrderHolds.Credit, 12), (_shop.Head(1).State, _shop.Head(1).Holds, _shop.Line(1).Reserved));
        Assert.Equal(Outcome.OrderOnHold, _shop.Do(Release()).Outcome);
        Assert.Equal(["1 ReviewDue 200 for Reviewer"], Open());

        // Fewer than before is never a reason, and the hold stays until somebody ends it. The reviewer looks at him: he is good for it.
        _shop.Ok(Amend(1, units: 11));
        Assert.Equal(OrderHolds.Credit, _shop.Head(1).Holds);
        _shop.Ok(new ReleaseHold { Order = 1, Hold = OrderHolds.Credit, Role = Role.Reviewer, Reason = Shop.Bytes("TRUSTED") });
        Assert.Empty(Open());

        // The chairs arrive. Thirty days to pay, five days before their end the stream reminds, then finance has it.
        _shop.Ok(Release());
        _shop.Ok(new ConfirmShipment { Order = 1, Role = Role.Warehouse });
        _shop.Ok(new RecordDelivery { Order = 1, Role = Role.Carrier });
        Assert.Equal(["DeadlineReminded"], _shop.Pass(25 * Shop.Day));
        Assert.Equal(["DeadlineMissed", "ExceptionRaised"], _shop.Pass(5 * Shop.Day));
        Assert.Equal(["1 DeadlineMissed 1100 for Finance"], Open());

        // A part of the money does not settle it; the rest does, and so does the exception.
        _shop.Ok(Pay(1_000));
        Assert.Single(Open());
        _shop.Ok(Pay(100));
        Assert.Empty(Open());
        Assert.Equal(PaymentState.Settled, PaymentStates.Of(_shop.Head(1).State, 1_100, _shop.Head(1).Paid, _shop.Head(1).Refunded));

        // His credit is free again.
        _shop.Ok(_shop.Order(1, Trader, AllocationPolicy.AllOrNothing, (Chair, 10)));
        Assert.Equal(OrderState.Ready, _shop.Head(3).State);
    }

    // What is to be looked into, with its amount and owner.
    private List<string> Open()
    {
        var open = new List<string>();
        for (long number = 1; number <= _shop.Core.Reader.LastException; number++)
        {
            var exception = _shop.Core.Reader.Exception(number, _shop.Core.Sequence);
            if (exception.IsOpen) open.Add($"{exception.Head.Order} {exception.Head.Kind} {exception.Head.Quantity} for {exception.Head.Owner}");
        }
        return open;
    }

    private AmendOrder Amend(long order, int units) => new(CommandKind.AmendLines)
    {
        Order = order, Fields = AmendedFields.Lines, Lines = [new AmendedLine(1, 0, units, -1)], Role = Role.Support, RequestKey = _shop.Key(), BodyDigest = 1,
    };

    private static ReleaseShipment Release() => new() { Order = 1, Role = Role.Warehouse };

    private RecordPayment Pay(long amount) =>
        new() { Order = 1, Amount = amount, CurrencyCode = Pounds, Reference = Shop.Bytes($"bank-{amount}"), Role = Role.Finance, RequestKey = _shop.Key(), BodyDigest = 1 };
}
