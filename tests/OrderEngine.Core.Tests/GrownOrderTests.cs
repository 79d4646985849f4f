// Proves: what an amendment adds to an order waits behind whoever came before the amendment, and keeps what was promised; case by case.

using OrderEngine.Core.Events;
using OrderEngine.Core.Tests.Snapshots;
using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class GrownOrderTests
{
    private readonly Shop _shop = new();

    [Fact]
    public void What_is_added_waits_behind_younger_orders_and_what_was_there_keeps_its_place()
    {
        Two();
        Amend(new AmendedLine(1, 0, 8, -1), new AmendedLine(0, 1, 2, 100));
        Give(1, 5);
        Assert.Equal((3, 2, 5), (_shop.Line(1, 1).Backordered, _shop.Line(1, 2).Backordered, _shop.Line(2).Backordered));
        Give(1, 5);
        Assert.Equal((3, 2, 0), (_shop.Line(1, 1).Backordered, _shop.Line(1, 2).Backordered, _shop.Line(2).Backordered));
        Give(1, 4);
        Assert.Equal((0, 1), (_shop.Line(1, 1).Backordered, _shop.Line(1, 2).Backordered));
    }

    [Fact]
    public void A_restart_and_a_snapshot_know_the_place()
    {
        Two();
        Amend(new AmendedLine(1, 0, 8, -1));
        var live = _shop.Core.Seal();
        var loaded = SnapshotSupport.Load(SnapshotSupport.Take(_shop.Core, live).Blocks, live);
        foreach (var core in new[] { _shop.Restarted(), loaded })
        {
            Assert.Equal(live.StateHash, core.Seal().StateHash);
            Assert.Empty(core.CheckIndexes());
            var events = new EventBuffer();
            core.Execute(_shop.Receive(1, (1, 10)), _shop.Now, events);
            while (core.Turn(_shop.Now, events)) { }
            Assert.Equal((3, 0), (core.Reader.Order(1, core.Sequence).Lines[0].Backordered, core.Reader.Order(2, core.Sequence).Lines[0].Backordered));
        }
    }

    [Fact]
    public void What_is_given_up_leaves_the_newer_place_first()
    {
        Two();
        Amend(new AmendedLine(1, 0, 8, -1));
        _shop.Ok(new CancelOrder { Order = 1, Lines = [new LineQuantity(1, 2)], Role = Role.Customer });
        Give(1, 10);
        // 5 at the old place, 5 of the other order; 1 added unit is left.
        Assert.Equal((1, 0), (_shop.Line(1).Backordered, _shop.Line(2).Backordered));
        Amend(new AmendedLine(1, 0, 7, -1));
        Assert.Equal(0, _shop.Line(1).Backordered);
        Assert.Equal(0, _shop.Core.Reader.AddedUnits(1, _shop.Core.Sequence).Length);
    }

    [Fact]
    public void What_is_added_again_joins_what_was_added_before_at_the_newer_place()
    {
        Two();
        Amend(new AmendedLine(1, 0, 6, -1));
        Wait(1, 5);
        Amend(new AmendedLine(1, 0, 7, -1));
        Give(1, 15);
        Assert.Equal((2, 0, 0), (_shop.Line(1).Backordered, _shop.Line(2).Backordered, _shop.Line(3).Backordered));
    }

    [Fact]
    public void What_was_reserved_for_it_is_still_its_own()
    {
        Two();
        Give(1, 5);
        Amend(new AmendedLine(1, 0, 8, -1));
        Assert.Equal((5, 3), (_shop.Line(1).Reserved, _shop.Line(1).Backordered));
    }

    [Fact]
    public void A_line_is_promised_the_day_on_which_the_last_of_it_comes()
    {
        Two();
        Amend(new AmendedLine(1, 0, 8, -1));
        for (var day = 1; day <= 3; day++)
            _shop.Ok(new AnnounceIncoming { Sku = 1, Location = 1, Quantity = day < 3 ? 5 : 3, Supply = SupplyKind.Purchase, ExpectedAt = _shop.Now + day * Shop.Day, Role = Role.Warehouse });
        _shop.Turn();
        Assert.Equal(_shop.Now + 3 * Shop.Day, Promised(1));
        Assert.Equal(_shop.Now + 2 * Shop.Day, Promised(2));
        // It stands: nothing is promised anew while nothing changes.
        var sequence = _shop.Core.Sequence;
        _shop.Ok(_shop.Receive(2, (3, 1)));
        _shop.Turn();
        Assert.Equal(sequence + 1, _shop.Core.Sequence);
    }

    [Fact]
    public void Who_is_filled_whole_waits_until_it_is_the_turn_of_what_was_added_last()
    {
        _shop.Ok(_shop.Whole((1, 5), (2, 3)));
        Wait(2, 4);
        Amend(new AmendedLine(2, 0, 4, -1));
        // Stock lies that would fill it whole, were it not for who came before it grew.
        _shop.Ok(_shop.Receive(1, (1, 5), (2, 4)));
        _shop.Turn();
        Assert.Equal((0, 0, 0), (_shop.Line(1, 1).Reserved, _shop.Line(1, 2).Reserved, _shop.Line(2).Backordered));
        Give(2, 4);
        Assert.Equal(OrderState.Ready, _shop.Head(1).State);
    }

    [Fact]
    public void Who_is_filled_whole_is_looked_at_there_though_only_another_sku_came()
    {
        _shop.Ok(_shop.Whole((1, 5), (2, 3)));
        _shop.Now += Shop.Hour;
        Amend(new AmendedLine(2, 0, 4, -1));
        Give(2, 4);
        Assert.Equal(OrderState.Backordered, _shop.Head(1).State);
        Give(1, 5);
        Assert.Equal(OrderState.Ready, _shop.Head(1).State);
    }

    [Fact]
    public void An_earmarking_order_takes_what_comes_at_each_of_its_places()
    {
        _shop.Ok(_shop.Whole((1, 5)));
        Wait(1, 4);
        Amend(new AmendedLine(1, 0, 7, -1));
        _shop.Pass(8 * Shop.Day);
        Give(1, 10);
        Assert.Equal((6, 1, 0), (_shop.Line(1).Reserved, _shop.Line(1).Backordered, _shop.Line(2).Backordered));
    }

    [Fact]
    public void An_amended_date_does_not_forget_what_is_promised_for_later()
    {
        _shop.Ok(new SetDeadlines { DeliverySeconds = 86_400, Role = Role.Manager });
        Wait(1, 5);
        _shop.Ok(new AnnounceIncoming { Sku = 1, Location = 1, Quantity = 5, Supply = SupplyKind.Purchase, ExpectedAt = _shop.Now + 10 * Shop.Day, Role = Role.Warehouse });
        _shop.Turn();
        var due = Due();
        Assert.Equal(Promised(1) + Shop.Day, due);
        _shop.Ok(new AmendOrder(CommandKind.AmendOrder) { Order = 1, Fields = AmendedFields.RequestedTime, RequestedAt = _shop.Now + 2 * Shop.Day, Role = Role.Customer });
        Assert.Equal(due, Due());
        _shop.Ok(new AmendOrder(CommandKind.AmendOrder) { Order = 1, Fields = AmendedFields.RequestedTime, RequestedAt = _shop.Now + 20 * Shop.Day, Role = Role.Customer });
        Assert.Equal(_shop.Now + 20 * Shop.Day, Due());
    }

    [Fact]
    public void A_note_whose_words_a_rule_looks_for_has_the_order_looked_at()
    {
        _shop.Ok(_shop.Receive(1, (1, 5)));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 5)));
        _shop.Ok(new AmendOrder(CommandKind.AmendOrder)
        {
            Order = 1, Fields = AmendedFields.Delivery, Delivery = new SealedData(1, [1, 2]), NoteRules = [Shop.Bytes("urgent")], Role = Role.Customer,
        });
        Assert.Equal((OrderHolds.Risk, 1), (_shop.Head(1).Holds, _shop.Head(1).OpenExceptions));
        Assert.Equal(Outcome.OrderOnHold, _shop.Do(new ReleaseShipment { Order = 1, Role = Role.Warehouse }).Outcome);
    }

    // Order 1 waits for 5 of SKU 1, an hour later order 2 for as many; another hour passes.
    private void Two()
    {
        Wait(1, 5);
        Wait(1, 5);
    }

    private void Wait(int sku, int units)
    {
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (sku, units)));
        _shop.Now += Shop.Hour;
    }

    private void Amend(params AmendedLine[] lines) => _shop.Ok(new AmendOrder(CommandKind.AmendLines)
    {
        Order = 1, Fields = AmendedFields.Lines, Lines = lines, Role = Role.Support, RequestKey = _shop.Key(), BodyDigest = 1,
    });

    private void Give(int sku, int units)
    {
        _shop.Ok(_shop.Receive(1, (sku, units)));
        _shop.Turn();
        Assert.Empty(_shop.Core.CheckIndexes());
    }

    private long Promised(long order)
    {
        foreach (ref readonly var promise in _shop.Core.Reader.Promises(order, _shop.Core.Sequence))
            if (promise.Line == 1) return promise.PromisedAt;
        return 0;
    }

    private long Due()
    {
        foreach (ref readonly var deadline in _shop.Core.Reader.Deadlines(1, _shop.Core.Sequence))
            if (deadline.Kind == DeadlineKind.Delivery) return deadline.Due;
        return 0;
    }
}
