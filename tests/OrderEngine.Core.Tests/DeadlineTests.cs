// Proves: an order's deadlines fire by the clock they are given, in (due, sequence) order, as recorded events; a command on an order fires what
// has passed first; what is missed raises an exception that is found again after a snapshot.

using Google.Protobuf;
using OrderEngine.Contracts.Journal;
using OrderEngine.Core.Events;
using OrderEngine.Core.Tests.Snapshots;
using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class DeadlineTests
{
    private readonly Shop _shop = new();

    public DeadlineTests()
    {
        _shop.Ok(_shop.Receive(1, (1, 10)));
        for (var i = 0; i < 3; i++) _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 1)));
        _shop.Core.Seal();
    }

    [Fact]
    public void A_missed_deadline_is_recorded_once_and_raises_an_exception()
    {
        Set(2, DeadlineKind.Release, Shop.Hour);
        Assert.Equal(Shop.Start + Shop.Hour, _shop.Core.NextDue);
        Assert.Empty(Fired(Shop.Hour - 1));

        var events = Fired(Shop.Hour);
        Assert.Equal(new DeadlineMissed { Deadline = (uint)DeadlineKind.Release, DueTime = (ulong)(Shop.Start + Shop.Hour) }, events[0].DeadlineMissed);
        Assert.Equal(new ExceptionRaised
        {
            Exception = 1, Kind = (uint)ExceptionKind.DeadlineMissed, Grade = (uint)Grade.Medium, Owner = (uint)Role.Warehouse, Deadline = (uint)DeadlineKind.Release,
        }, events[1].ExceptionRaised);
        Assert.All(events, e => Assert.Equal((2uL, Contracts.Journal.OrderState.Ready, Contracts.Journal.OrderState.Ready, null), (e.Order, e.StateBefore, e.StateAfter, e.Origin)));
        Assert.Equal(2, events.Count);
        Assert.Empty(Fired(Shop.Day));
        Assert.Equal(long.MaxValue, _shop.Core.NextDue);

        var head = _shop.Head(2);
        Assert.Equal((1, 1, _shop.Core.Sequence), (head.LastException, head.OpenExceptions, head.Version));
        var exception = _shop.Core.Reader.Exception(1, _shop.Core.Sequence);
        Assert.True(exception.IsOpen);
        Assert.Equal((2, ExceptionKind.DeadlineMissed, Shop.Start + Shop.Hour), (exception.Head.Order, exception.Head.Kind, exception.Head.RaisedAt));
    }

    [Fact]
    public void What_is_due_fires_by_time_then_by_sequence_then_by_kind()
    {
        Set(3, DeadlineKind.Delivery, Shop.Hour);
        Set(1, DeadlineKind.Review, Shop.Hour);
        Set(1, DeadlineKind.Payment, Shop.Hour);
        _shop.Ok(_shop.Receive(1, (2, 1)));
        Set(2, DeadlineKind.Payment, Shop.Hour);
        Set(2, DeadlineKind.Release, Shop.Hour - 1);
        var fired = Fired(Shop.Hour).Where(e => e.DeadlineMissed is not null).Select(e => (e.Order, (DeadlineKind)e.DeadlineMissed.Deadline));
        Assert.Equal([(2, DeadlineKind.Release), (1, DeadlineKind.Payment), (1, DeadlineKind.Review), (3, DeadlineKind.Delivery), (2, DeadlineKind.Payment)], fired);
    }

    [Fact]
    public void A_deadline_set_anew_counts_from_then_on_and_one_cleared_does_not_fire()
    {
        Set(1, DeadlineKind.Release, Shop.Hour);
        Set(1, DeadlineKind.Delivery, Shop.Hour);
        Set(1, DeadlineKind.Release, 3 * Shop.Hour);
        Assert.True(_shop.Core.State.Deadlines.Clear(1, DeadlineKind.Delivery, _shop.Core.Sequence + 1));
        Assert.False(_shop.Core.State.Deadlines.Clear(1, DeadlineKind.Delivery, _shop.Core.Sequence + 1));
        Assert.Empty(Fired(2 * Shop.Hour));
        Assert.Equal(2, Fired(3 * Shop.Hour).Count);
    }

    [Fact]
    public void A_command_on_the_order_fires_its_deadline_first()
    {
        Set(1, DeadlineKind.Release, Shop.Hour);
        Set(2, DeadlineKind.Release, Shop.Hour);
        var start = _shop.Events.Length;
        _shop.Now = Shop.Start + 2 * Shop.Hour;
        _shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
        Assert.Equal([EventKind.DeadlineMissed, EventKind.ExceptionRaised, EventKind.ShipmentReleased], Since(start).Select(e => (EventKind)e.BodyCase));
    }

    [Fact]
    public void An_order_that_ends_has_no_deadlines_any_more()
    {
        Set(1, DeadlineKind.Release, Shop.Hour);
        Set(1, DeadlineKind.Delivery, Shop.Hour);
        _shop.Ok(new CancelOrder { Order = 1, Role = Role.Support });
        Assert.Equal(long.MaxValue, _shop.Core.NextDue);
        Assert.True(_shop.Core.Reader.Deadlines(1, _shop.Core.Sequence).IsEmpty);
        Assert.Empty(_shop.Core.CheckIndexes());
    }

    [Fact]
    public void Deadlines_and_exceptions_come_back_from_a_snapshot()
    {
        Set(1, DeadlineKind.Release, Shop.Hour);
        Set(2, DeadlineKind.Delivery, 5 * Shop.Hour);
        Set(2, DeadlineKind.Payment, 4 * Shop.Hour);
        Assert.Equal(2, Fired(Shop.Hour).Count);
        var (blocks, summary) = SnapshotSupport.Take(_shop.Core);
        var loaded = SnapshotSupport.Load(blocks, summary);
        SnapshotSupport.Same(_shop.Core, loaded, _shop.Core.Sequence);
        var events = new EventBuffer();
        var start = _shop.Events.Length;
        Assert.False(loaded.Turn(Shop.Start + Shop.Day, events));
        _shop.Now = Shop.Start + Shop.Day;
        _shop.Turn();
        Assert.Equal(_shop.Events.Written[start..].ToArray(), events.Written.ToArray());
        Assert.Equal(_shop.Core.Seal().StateHash, loaded.Seal().StateHash);
        using (loaded.Reader.Enter()) Assert.Empty(State.Invariants.Check(loaded.Reader, loaded.Sequence).Violations);
    }

    private void Set(long order, DeadlineKind kind, long after) => _shop.Core.State.Deadlines.Set(order, kind, Shop.Start + after, _shop.Core.Sequence + 1);

    private List<Event> Fired(long after)
    {
        var start = _shop.Events.Length;
        _shop.Now = Shop.Start + after;
        _shop.Turn();
        return Since(start);
    }

    private List<Event> Since(int start) => [.. Contracts.Journal.Events.Parser.ParseFrom(_shop.Events.Written[start..]).Events_];
}
