// Proves: money that no order waits for is reminded of, missed and cleared by payment, whatever the terms; returns that take too long are told of;
// an order is not completed while a return of it is open, and with its last one then.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Core.Tests.Snapshots;
using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class OverdueTests
{
    private static readonly int Pounds = Currency.Pack("GBP"u8);
    private readonly Shop _shop = new();
    private int _payments;

    public OverdueTests()
    {
        _shop.Ok(_shop.Receive(1, (1, 20)));
        _shop.Ok(new SetDeadlines
        {
            PaymentSeconds = 10 * 86_400, CashSeconds = 86_400, RemindSeconds = 3_600, ReturnArrivalSeconds = 14 * 86_400, ReturnCloseSeconds = 2 * 86_400, Role = Role.Manager,
        });
    }

    [Fact]
    public void Cash_that_was_not_paid_at_the_door_is_missed_a_day_later_and_a_part_of_it_does_not_settle_it()
    {
        Submit(PaymentTerms.CashOnDelivery, units: 2);
        Assert.Empty(Deadlines());
        Deliver();
        Assert.Equal([(DeadlineKind.Balance, Shop.Day)], Deadlines());
        Assert.Equal(["DeadlineReminded"], _shop.Pass(Shop.Day - Shop.Hour));
        Pay(150);
        Assert.Equal(["DeadlineMissed", "ExceptionRaised"], _shop.Pass(Shop.Hour));
        Assert.Equal((ExceptionKind.DeadlineMissed, DeadlineKind.Balance, Role.Finance, 50L), Last());
        Pay(50);
        Assert.False(_shop.Core.Reader.Exception(1, _shop.Core.Sequence).IsOpen);
        Sound();
    }

    [Fact]
    public void Money_in_time_clears_its_deadline_and_a_refund_begins_it_anew()
    {
        Submit(PaymentTerms.Credit, units: 2);
        Deliver();
        _shop.Now += Shop.Day;
        Pay(200);
        Assert.Empty(Deadlines());
        _shop.Ok(new RecordRefund { Order = 1, Amount = 200, CurrencyCode = Pounds, Reference = Shop.Bytes("bounced"), Role = Role.Finance });
        Assert.Equal([(DeadlineKind.Balance, 11 * Shop.Day)], Deadlines());
        Sound();
    }

    [Fact]
    public void Each_instalment_is_missed_on_its_own_date_and_money_ahead_skips_dates()
    {
        Submit(PaymentTerms.Instalment, units: 3, new(Shop.Start + Shop.Day, 100), new(Shop.Start + 2 * Shop.Day, 100), new(Shop.Start + 3 * Shop.Day, 100));
        Assert.Equal([(DeadlineKind.Balance, Shop.Day)], Deadlines());
        Pay(200);
        Assert.Equal([(DeadlineKind.Balance, 3 * Shop.Day)], Deadlines());
        // A part bounces: the second date is owed again, and comes first.
        _shop.Ok(new RecordRefund { Order = 1, Amount = 50, CurrencyCode = Pounds, Reference = Shop.Bytes("bounced"), Role = Role.Finance });
        Assert.Equal([(DeadlineKind.Balance, 2 * Shop.Day)], Deadlines());
        // Nobody looks for days: both dates are missed, one after the other, each with what was due by then.
        Assert.Equal(["DeadlineReminded", "DeadlineMissed", "ExceptionRaised", "DeadlineReminded", "DeadlineMissed", "ExceptionRaised"], _shop.Pass(5 * Shop.Day));
        Assert.Equal((50L, 150L), (Amount(1), Amount(2)));
        Pay(150);
        Assert.Equal(0, _shop.Head(1).OpenExceptions);
        Sound();
    }

    [Fact]
    public void A_prepaid_order_that_grew_is_not_released_until_it_is_covered_and_does_not_expire()
    {
        Submit(PaymentTerms.Prepaid, units: 1);
        Pay(100);
        Assert.Equal(OrderState.Ready, _shop.Head(1).State);
        Amend(3);
        Assert.Equal([(DeadlineKind.Balance, 10 * Shop.Day)], Deadlines());
        var release = new ReleaseShipment { Order = 1, Role = Role.Warehouse, RequestKey = _shop.Key(), BodyDigest = 1 };
        Assert.Equal(Outcome.PaymentOutstanding, _shop.Do(release).Outcome);
        Assert.True(_shop.Do(release).Replayed);
        _shop.Pass(20 * Shop.Day);
        Assert.Equal((OrderState.Ready, 3), (_shop.Head(1).State, _shop.Line(1).Reserved));
        Pay(200);
        Assert.Equal(0, _shop.Head(1).OpenExceptions);
        _shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
        Sound();
    }

    [Fact]
    public void A_failed_growth_changes_nothing_and_a_hold_that_is_open_is_not_placed_twice()
    {
        _shop.Ok(new DefineChannel { Id = Shop.Bytes("channel-1"), Limits = new ChannelLimits { MaxOrder = 500, MaxOrderCurrency = Pounds, MaxLines = 2 }, Role = Role.Manager });
        _shop.Ok(new SetReviewRules { Rules = [new ReviewRule(Shop.Bytes("big"), ReviewCondition.OrderValue) { Amount = 200, CurrencyCode = Pounds }], Role = Role.Manager });
        Submit(PaymentTerms.Credit, units: 2);
        var before = (_shop.Head(1).Version, _shop.Core.Seal().Committed);
        Assert.Equal(Outcome.ChannelLimitExceeded, _shop.Do(Amending(6)).Outcome);
        Assert.Equal(before, (_shop.Head(1).Version, _shop.Core.Seal().Committed));
        Amend(3);
        Assert.Equal((OrderHolds.Risk, 1), (_shop.Head(1).Holds, _shop.Head(1).OpenExceptions));
        Amend(4);
        Assert.Equal((OrderHolds.Risk, 1), (_shop.Head(1).Holds, _shop.Head(1).OpenExceptions));
        // The limit came down meanwhile: what is there may stay and shrink, but not grow.
        _shop.Ok(new DefineChannel { Id = Shop.Bytes("channel-1"), Limits = new ChannelLimits { MaxOrder = 100, MaxOrderCurrency = Pounds, MaxLines = 1 }, Role = Role.Manager });
        Amend(3);
        Assert.Equal(Outcome.ChannelLimitExceeded, _shop.Do(Amending(4)).Outcome);
        Sound();
    }

    [Fact]
    public void Returns_that_take_too_long_are_told_of_and_the_order_waits_for_them_to_complete()
    {
        _shop.Ok(new DefineChannel { Id = Shop.Bytes("channel-1"), Limits = new ChannelLimits { ReturnWindowSeconds = 20 * 86_400 }, Role = Role.Manager });
        Submit(PaymentTerms.Credit, units: 2);
        Deliver();
        Pay(200);
        _shop.Ok(new RequestReturn { Order = 1, Lines = [new LineQuantity(1, 1)], Role = Role.Customer });
        Step(CommandKind.ApproveReturn);
        Assert.Equal(["DeadlineReminded", "DeadlineMissed", "ExceptionRaised"], _shop.Pass(14 * Shop.Day));
        Assert.Equal((ExceptionKind.DeadlineMissed, DeadlineKind.ReturnArrival, Role.Support, 0L), Last());
        _shop.Ok(new ReceiveReturn { Return = 1, Location = 1, Units = [new ReturnedUnits(1, 1, Disposition.Restock)], Role = Role.Warehouse });
        Assert.Equal(["DeadlineReminded", "DeadlineMissed", "ExceptionRaised"], _shop.Pass(2 * Shop.Day));
        Assert.Equal((ExceptionKind.DeadlineMissed, DeadlineKind.ReturnClose, Role.Support, 0L), Last());

        // The window is over: nothing more can come back, but the order is not completed behind the back of the return that is open.
        Assert.Equal(["DeadlineReminded", "ReturnWindowOver"], _shop.Pass(4 * Shop.Day));
        Assert.Equal(OrderState.Delivered, _shop.Head(1).State);
        Assert.Equal(Outcome.ReturnWindowOver, _shop.Do(new RequestReturn { Order = 1, Role = Role.Customer, RequestKey = _shop.Key(), BodyDigest = 1 }).Outcome);
        Step(CommandKind.CloseReturn);
        Assert.Equal(OrderState.Completed, _shop.Head(1).State);
        Assert.Empty(Deadlines());
        Sound();
    }

    // Holds after a restart from the journal and from a snapshot, too, and its timers go on the same.
    private void Sound()
    {
        using (_shop.Core.Reader.Enter()) Assert.Empty(Invariants.Check(_shop.Core.Reader, _shop.Core.Sequence).Violations);
        Assert.Empty(_shop.Core.CheckIndexes());
        var summary = _shop.Core.Seal();
        Assert.Equal(summary, _shop.Restarted().Seal());
        var loaded = SnapshotSupport.Load(SnapshotSupport.Take(_shop.Core, summary).Blocks, summary);
        Assert.Equal(_shop.Core.NextDue, loaded.NextDue);
    }

    private void Submit(PaymentTerms terms, int units, params Instalment[] instalments) => _shop.Ok(new SubmitOrder
    {
        Channel = 1, ExternalId = Shop.Bytes("x"), Policy = AllocationPolicy.AllOrNothing, Terms = terms, CurrencyCode = Pounds, Lines = [new DraftLine(1, units, 100)],
        Instalments = instalments, Role = Role.Channel, RequestKey = _shop.Key(), BodyDigest = 1,
    });

    private void Deliver()
    {
        _shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
        _shop.Ok(new ConfirmShipment { Order = 1, Role = Role.Warehouse });
        _shop.Ok(new RecordDelivery { Order = 1, Role = Role.Carrier });
    }

    private void Pay(long amount) => _shop.Ok(new RecordPayment { Order = 1, Amount = amount, CurrencyCode = Pounds, Reference = Shop.Bytes($"p{++_payments}"), Role = Role.Finance });

    private void Amend(int units) => _shop.Ok(Amending(units));

    private AmendOrder Amending(int units) => new(CommandKind.AmendLines)
    {
        Order = 1, Fields = AmendedFields.Lines, Lines = [new AmendedLine(1, 0, units, -1)], Role = Role.Support, RequestKey = _shop.Key(), BodyDigest = 1,
    };

    private void Step(CommandKind kind) => _shop.Ok(new ReturnStep(kind) { Return = 1, Role = Role.Support });

    // What is due of the order, and when, counted from the start.
    private List<(DeadlineKind, long)> Deadlines()
    {
        var due = new List<(DeadlineKind, long)>();
        foreach (ref readonly var deadline in _shop.Core.Reader.Deadlines(1, _shop.Core.Sequence)) due.Add((deadline.Kind, deadline.Due - Shop.Start));
        return due;
    }

    private long Amount(long exception) => _shop.Core.Reader.Exception(exception, _shop.Core.Sequence).Head.Quantity;

    private (ExceptionKind, DeadlineKind, Role, long) Last()
    {
        ref readonly var head = ref _shop.Core.Reader.Exception(_shop.Core.Reader.LastException, _shop.Core.Sequence).Head;
        return (head.Kind, head.Deadline, head.Owner, head.Quantity);
    }
}
