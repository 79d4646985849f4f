// Proves: the core's own limits, at the bound and beyond it, and where they stand among other refusals. (Open reservations per channel are
// counted by the same code as those per customer; a million of them would take longer than all other tests together.)

using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class LimitTests
{
    private readonly Shop _shop = new();

    [Fact]
    public void A_customer_holds_so_many_reservations_and_may_hold_another_once_one_has_ended()
    {
        _shop.Ok(_shop.Receive(1, (1, 1_000)));
        for (var i = 0; i < Limits.OpenReservationsPerCustomer; i++) _shop.Ok(_shop.Hold(1, 1, i == 0 ? Shop.Second : Shop.Hour, (1, 1)));
        var sequence = _shop.Core.Sequence;
        var refused = _shop.Hold(1, 1, Shop.Hour, (1, 1));
        Assert.Equal(Outcome.HoldLimitReached, _shop.Do(refused).Outcome);
        // Limits come before stock, and bind nothing.
        Assert.Equal(Outcome.HoldLimitReached, _shop.Do(_shop.Hold(1, 1, Shop.Hour, (1, 1_000_000))).Outcome);
        Assert.Equal(sequence, _shop.Core.Sequence);
        _shop.Ok(_shop.Hold(1, 2, Shop.Hour, (1, 1)));
        _shop.Ok(_shop.Hold(1, 0, Shop.Hour, (1, 1)));
        _shop.Now += Shop.Second;
        _shop.Turn();
        _shop.Ok(refused);
        Assert.Equal(Outcome.HoldLimitReached, _shop.Do(_shop.Hold(1, 1, Shop.Hour, (1, 1))).Outcome);
        _shop.Ok(new ReleaseReservation { Reservation = 2, Role = Role.Channel });
        _shop.Ok(_shop.Hold(1, 1, Shop.Hour, (1, 1)));
    }

    [Fact]
    public void The_catalog_holds_so_many_locations_and_says_a_stale_etag_first()
    {
        for (var i = 4; i <= Limits.Locations; i++) _shop.Ok(new DefineLocation { Id = Shop.Bytes($"l{i}"), Role = Role.Manager });
        Assert.Equal(Outcome.CatalogLimitReached, _shop.Do(new DefineLocation { Id = Shop.Bytes("one more"), Role = Role.Manager }).Outcome);
        Assert.Equal(Outcome.EtagMismatch, _shop.Do(new DefineLocation { Id = Shop.Bytes("one more"), ExpectedVersion = 5, Role = Role.Manager }).Outcome);
        _shop.Ok(new DefineLocation { Id = Shop.Bytes("l9"), Priority = 3, Role = Role.Manager });
        // The last location is as good as any.
        _shop.Ok(_shop.Channel(3, [Limits.Locations]));
        _shop.Ok(_shop.Receive(Limits.Locations, (1, 1)));
        _shop.Ok(_shop.Order(3, 0, AllocationPolicy.AllOrNothing, (1, 1)));
    }

    [Fact]
    public void An_order_of_the_most_lines_runs_through_its_life()
    {
        var lines = Enumerable.Range(0, Limits.LinesPerOrder).Select(i => (i % 4 + 1, 4)).ToArray();
        for (var location = 1; location <= 3; location++) _shop.Ok(_shop.Receive(location, (1, 700), (2, 700), (3, 700), (4, 700)));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, lines));
        _shop.Ok(new CancelOrder { Order = 1, Lines = [.. Enumerable.Range(1, Limits.LinesPerOrder).Select(l => new LineQuantity(l, 1))], Role = Role.Customer });
        _shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
        for (var location = 1; location <= 3; location++)
        {
            var moves = new List<LineMovement>();
            foreach (var a in _shop.Core.Reader.Order(1, _shop.Core.Sequence).Allocations)
                if (a.Location == location && a.Released > 0) moves.Add(new LineMovement(a.Line, location, a.Released));
            if (moves.Count > 0) _shop.Ok(new ConfirmShipment { Order = 1, Lines = [.. moves], Role = Role.Warehouse });
        }
        _shop.Ok(new RecordDelivery { Order = 1, Role = Role.Carrier });
        Assert.Equal(OrderState.Delivered, _shop.Head(1).State);
        _shop.Core.Seal();
        Assert.Empty(State.Invariants.Check(_shop.Core.Reader, _shop.Core.Sequence).Violations);
    }

    [Fact]
    public void A_queue_longer_than_a_turn_is_served_whole_turn_by_turn_and_nobody_is_passed_meanwhile()
    {
        const int waiting = 2 * Limits.BackordersPerTurn + 7;
        for (var i = 0; i < waiting; i++) _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 1)));
        _shop.Ok(_shop.Receive(1, (1, waiting + 5)));
        // Before a command a bounded number is served; the others ahead still keep theirs.
        _shop.Ok(_shop.Order(AllocationPolicy.PartialCancelRest, (1, 50)));
        Assert.Equal((5, 45), (_shop.Line(waiting + 1).Reserved, _shop.Line(waiting + 1).Cancelled));
        var turns = 1;
        for (; _shop.Core.Turn(_shop.Now, _shop.Events); turns++) Assert.InRange(turns, 1, 4);
        Assert.Equal(0, _shop.Core.Reader.Backordered(1, _shop.Core.Sequence));
        Assert.Empty(_shop.Core.CheckIndexes());
    }

    [Fact]
    public void More_timers_than_a_turn_fires_fire_in_the_turns_that_follow_in_order_of_their_time()
    {
        _shop.Ok(_shop.Receive(1, (1, 5_000)));
        for (var i = 0; i < Limits.TimersPerTurn + 10; i++) _shop.Ok(_shop.Hold(1, 0, 2 * Shop.Second - i, (1, 1)));
        _shop.Now += 2 * Shop.Second;
        Assert.True(_shop.Core.Turn(_shop.Now, _shop.Events));
        for (var i = 1; i <= Limits.TimersPerTurn + 10; i++)
            Assert.Equal(i <= 10 ? ReservationState.Held : ReservationState.Expired, _shop.Core.Reader.Reservation(i, _shop.Core.Sequence).Head.State);
        Assert.False(_shop.Core.Turn(_shop.Now, _shop.Events));
        Assert.Equal(long.MaxValue, _shop.Core.NextDue);
    }
}
