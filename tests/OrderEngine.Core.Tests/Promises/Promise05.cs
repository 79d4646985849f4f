// Promise 5: money is never lost. What an order holds as paid and refunded is what was recorded of it, in every state and whatever happens to the
// order; a payment that buys nothing any more is never a silent success: finance has an exception for every unit that is paid too much.

using OrderEngine.Core.Events;
using OrderEngine.Core.Tests.Histories;
using Xunit;

namespace OrderEngine.Core.Tests.Promises;

public sealed class Promise05
{
    private static readonly int Pounds = Currency.Pack("GBP"u8);
    private readonly Shop _shop = new();

    [Fact]
    public void What_was_recorded_is_what_orders_hold_after_every_command_and_after_recovery()
    {
        var (payments, refunds) = (0, 0);
        for (var seed = 51; seed <= 60; seed++)
        {
            var (paid, refunded) = Follow(seed);
            payments += paid;
            refunds += refunded;
        }
        Assert.True(payments > 50 && refunds > 5, $"{payments} orders paid, {refunds} refunded");
    }

    private static (int Paid, int Refunded) Follow(int seed)
    {
        var history = new History(new Tally());
        var random = new Random(seed);
        var (paid, refunded) = (new Dictionary<long, long>(), new Dictionary<long, long>());
        var told = 0;
        for (var i = 0; i < 400; i++)
        {
            history.Step(random.Next(int.MinValue, int.MaxValue));
            // By what was asked and not refused, not by what the event says.
            var asked = history.Calls.FindLast(call => call.Command is not null).Command!;
            for (; told < history.Events.Count; told++)
            {
                var e = new EventView(history.Events[told]);
                if (e.Kind == EventKind.PaymentRecorded) paid[e.Order] = paid.GetValueOrDefault(e.Order) + ((RecordPayment)asked).Amount;
                if (e.Kind == EventKind.RefundRecorded) refunded[e.Order] = refunded.GetValueOrDefault(e.Order) + ((RecordRefund)asked).Amount;
            }
            Same(history.Core, paid, refunded);
        }
        var replayed = new OrderCore();
        foreach (var e in history.Events) replayed.Replay(e);
        Same(replayed, paid, refunded);
        return (paid.Count, refunded.Count);
    }

    // Paid less refunded is what was recorded; and it is spent, owed or to be given back, with nothing left over.
    private static void Same(OrderCore core, Dictionary<long, long> paid, Dictionary<long, long> refunded)
    {
        for (long number = 1; number <= core.Reader.LastOrder; number++)
        {
            var order = core.Reader.Order(number, core.Sequence);
            ref readonly var head = ref order.Head;
            Assert.Equal((paid.GetValueOrDefault(number), refunded.GetValueOrDefault(number)), (head.Paid, head.Refunded));
            Assert.InRange(head.Refunded, 0, head.Paid);
        }
    }

    [Theory]
    [InlineData(OrderState.Backordered)]
    [InlineData(OrderState.PartiallyReserved)]
    [InlineData(OrderState.Ready)]
    [InlineData(OrderState.Fulfilling)]
    [InlineData(OrderState.PartiallyShipped)]
    [InlineData(OrderState.Shipped)]
    [InlineData(OrderState.Delivered)]
    [InlineData(OrderState.Lost)]
    [InlineData(OrderState.Cancelled)]
    [InlineData(OrderState.PendingReview)]
    [InlineData(OrderState.AwaitingPayment)]
    [InlineData(OrderState.Rejected)]
    [InlineData(OrderState.Expired)]
    [InlineData(OrderState.Completed)]
    public void Money_is_recorded_in_every_state_and_what_is_too_much_is_finances_business(OrderState state)
    {
        Bring(state);
        Assert.Equal(state, _shop.Head(1).State);
        // More than any order here is worth: in every state something is left over.
        const long Amount = 10_000;
        _shop.Ok(new RecordPayment { Order = 1, Amount = Amount, CurrencyCode = Pounds, Reference = Shop.Bytes("p"), Role = Role.Finance, RequestKey = _shop.Key(), BodyDigest = 1 });
        Assert.Equal((Amount, 0L), (_shop.Head(1).Paid, _shop.Head(1).Refunded));
        var order = _shop.Core.Reader.Order(1, _shop.Core.Sequence);
        var surplus = Amount - PaymentStates.Payable(order.Head.State, order.Lines);
        Assert.True(surplus > 0);
        var raised = Raised();
        Assert.Contains(raised, exception => exception.Kind is ExceptionKind.LateMoney or ExceptionKind.RefundDue && exception is { Owner: Role.Finance, Quantity: > 0 } && exception.Quantity >= surplus);

        // Back it goes, all of it and not a penny more.
        Assert.Equal(Outcome.RefundExceedsPaid, _shop.Do(Refund(Amount + 1)).Outcome);
        _shop.Ok(Refund(Amount));
        Assert.Equal((Amount, Amount), (_shop.Head(1).Paid, _shop.Head(1).Refunded));
    }

    // Orders that shrink below what was paid, in each way there is.
    [Theory]
    [InlineData("cancel")]
    [InlineData("amend")]
    [InlineData("expire")]
    [InlineData("reject")]
    [InlineData("lose")]
    public void What_an_order_no_longer_costs_is_told_to_finance(string how)
    {
        Bring(how switch { "expire" => OrderState.AwaitingPayment, "reject" => OrderState.PendingReview, "lose" => OrderState.Shipped, _ => OrderState.Ready });
        _shop.Ok(new RecordPayment { Order = 1, Amount = how == "expire" ? 150 : 200, CurrencyCode = Pounds, Reference = Shop.Bytes("p"), Role = Role.Finance });
        Assert.Empty(Raised());
        switch (how)
        {
            case "cancel": _shop.Ok(new CancelOrder { Order = 1, Lines = [new LineQuantity(1, 1)], Role = Role.Customer }); break;
            case "amend": _shop.Ok(new AmendOrder(CommandKind.AmendLines) { Order = 1, Fields = AmendedFields.Lines, Lines = [new AmendedLine(1, 0, 2, 50)], Role = Role.Support }); break;
            case "reject": _shop.Ok(new RejectOrder { Order = 1, Role = Role.Reviewer }); break;
            case "lose": _shop.Ok(new RecordLoss { Order = 1, Lines = [new LineQuantity(1, 1)], Role = Role.Carrier }); break;
            default:
                _shop.Now += 4 * Shop.Day;
                _shop.Turn();
                break;
        }
        Assert.Contains(Raised(), exception => exception is { Kind: ExceptionKind.RefundDue, Owner: Role.Finance } && exception.Quantity == how switch { "reject" => 200, "expire" => 150, _ => 100 });
    }

    private static RecordRefund Refund(long amount) => new() { Order = 1, Amount = amount, CurrencyCode = Pounds, Reference = Shop.Bytes("r"), Role = Role.Finance };

    private List<(ExceptionKind Kind, Role Owner, long Quantity)> Raised() => [.. Enumerable.Range(1, (int)_shop.Core.Reader.LastException)
        .Select(number => _shop.Core.Reader.Exception(number, _shop.Core.Sequence).Head).Select(head => (head.Kind, head.Owner, head.Quantity))];

    // An order of two units at 100 in a state.
    private void Bring(OrderState state)
    {
        _shop.Ok(new DefineChannel { Id = Shop.Bytes("channel-1"), Limits = new ChannelLimits { ReturnWindowSeconds = 86_400 }, Role = Role.Manager });
        if (state is OrderState.PendingReview or OrderState.Rejected)
            _shop.Ok(new SetReviewRules { Rules = [new ReviewRule(Shop.Bytes("all"), ReviewCondition.NewCustomer) { Threshold = 1 }], Role = Role.Manager });
        var units = state switch { OrderState.Backordered => 0, OrderState.PartiallyReserved => 1, _ => 2 };
        if (units > 0) _shop.Ok(_shop.Receive(1, (1, units)));
        _shop.Ok(new SubmitOrder
        {
            Channel = 1, ExternalId = Shop.Bytes("x"), Policy = AllocationPolicy.PartialBackorder, CurrencyCode = Pounds, Lines = [new DraftLine(1, 2, 100)], Role = Role.Channel,
            Terms = state is OrderState.AwaitingPayment or OrderState.Expired ? PaymentTerms.Prepaid : PaymentTerms.Credit, RequestKey = _shop.Key(), BodyDigest = 1,
        });
        if (state == OrderState.Rejected) _shop.Ok(new RejectOrder { Order = 1, Role = Role.Reviewer });
        if (state == OrderState.Cancelled) _shop.Ok(new CancelOrder { Order = 1, Role = Role.Customer });
        if (state is OrderState.Fulfilling or OrderState.PartiallyShipped or OrderState.Shipped or OrderState.Delivered or OrderState.Lost or OrderState.Completed)
            _shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
        if (state == OrderState.PartiallyShipped) _shop.Ok(new ConfirmShipment { Order = 1, Lines = [new LineMovement(1, 1, 1)], Role = Role.Warehouse });
        if (state is OrderState.Shipped or OrderState.Delivered or OrderState.Lost or OrderState.Completed) _shop.Ok(new ConfirmShipment { Order = 1, Role = Role.Warehouse });
        if (state is OrderState.Delivered or OrderState.Completed) _shop.Ok(new RecordDelivery { Order = 1, Role = Role.Carrier });
        if (state == OrderState.Lost) _shop.Ok(new RecordLoss { Order = 1, Role = Role.Carrier });
        if (state is not (OrderState.Expired or OrderState.Completed)) return;
        _shop.Now += 4 * Shop.Day;
        _shop.Turn();
    }
}
