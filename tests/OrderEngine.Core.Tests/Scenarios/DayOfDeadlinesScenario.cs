// A day's deadlines going by: reminders before, exceptions after, stalls; what was done in time is not told of. The day replays exactly.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Core.Tests.Snapshots;
using Xunit;

namespace OrderEngine.Core.Tests.Scenarios;

public sealed class DayOfDeadlinesScenario
{
    private const long Minute = 60 * Shop.Second;
    private readonly Shop _shop = new();

    [Fact]
    public void A_day_of_deadlines_goes_by()
    {
        // Goods leave within 4 hours, arrive within 20, nobody waits for stock longer than 10; reminders an hour before.
        _shop.Ok(new SetDeadlines
        {
            ReleaseSeconds = 4 * 3600, DeliverySeconds = 20 * 3600, RemindSeconds = 3600, Stalls = [new StallTime(OrderState.Backordered, 10 * 3600)], Role = Role.Manager,
        });
        _shop.Ok(_shop.Receive(1, (1, 3)));
        for (var i = 0; i < 4; i++) _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 1)));

        // Order 1 does everything in time; 2 is forgotten in the warehouse; 3 is shipped and never arrives; 4 waits for stock.
        Until(2);
        Handle(1);
        _shop.Ok(new RecordDelivery { Order = 1, Role = Role.Carrier });
        Handle(3);
        var day = new List<string>();
        for (var hour = 2; hour <= 24; hour++) day.AddRange(Until(hour).Select(told => $"{hour}h {told}"));

        Assert.Equal(
        [
            "3h DeadlineReminded Release of 2", "4h DeadlineMissed Release of 2", "4h ExceptionRaised DeadlineMissed MEDIUM for Warehouse",
            "9h DeadlineReminded Stall of 4", "10h DeadlineMissed Stall of 4", "10h ExceptionRaised Stalled MEDIUM for Support",
            "19h DeadlineReminded Delivery of 2", "19h DeadlineReminded Delivery of 3", "19h DeadlineReminded Delivery of 4",
            "20h DeadlineMissed Delivery of 2", "20h ExceptionRaised DeadlineMissed HIGH for Support", "20h DeadlineMissed Delivery of 3",
            "20h ExceptionRaised DeadlineMissed HIGH for Support", "20h DeadlineMissed Delivery of 4", "20h ExceptionRaised DeadlineMissed HIGH for Support",
        ], day);
        var reader = _shop.Core.Reader;
        Assert.Equal([4, 3, 2], reader.ListOrders(new OrderQuery { WithException = true }, _shop.Core.Sequence, 0, 10, 100).Numbers);
        // The first exception is of the units that order 4 waits for.
        Assert.Equal([3], reader.ListExceptions(new ExceptionQuery { Kind = ExceptionKind.Stalled, Open = true }, _shop.Core.Sequence, 0, 10, 100).Numbers);
        Assert.Equal(3, reader.ListExceptions(new ExceptionQuery { Grades = [Grade.High], Owner = Role.Support, Open = true }, _shop.Core.Sequence, 0, 10, 100).Numbers.Count);
        Assert.Equal(long.MaxValue, _shop.Core.NextDue);
        Assert.Empty(_shop.Core.CheckIndexes());

        // The same day, from its events and from its snapshots.
        var replayed = new OrderCore();
        var events = new EventEnumerator(_shop.Events.Written);
        while (events.MoveNext()) replayed.Replay(events.Current);
        var summary = _shop.Core.Seal();
        Assert.Equal(summary, replayed.Seal());
        SnapshotSupport.Load(SnapshotSupport.Take(_shop.Core, summary).Blocks, summary);
    }

    [Fact]
    public void Deadlines_in_the_making_come_back_from_a_snapshot_with_their_reminders()
    {
        _shop.Ok(new SetDeadlines { ReleaseSeconds = 4 * 3600, RemindSeconds = 3600, Stalls = [new StallTime(OrderState.Ready, 5 * 3600)], Role = Role.Manager });
        _shop.Ok(_shop.Receive(1, (1, 2)));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 1)));
        Until(3);
        var loaded = SnapshotSupport.Load(SnapshotSupport.Take(_shop.Core).Blocks);
        SnapshotSupport.Same(_shop.Core, loaded, loaded.Sequence);
        var (start, events) = (_shop.Events.Length, new EventBuffer());
        loaded.Turn(Shop.Start + 6 * Shop.Hour, events);
        Until(6);
        Assert.Equal(_shop.Events.Written[start..].ToArray(), events.Written.ToArray());
        // New orders are watched by the settings that came out of the snapshot.
        loaded.Execute(_shop.Order(AllocationPolicy.AllOrNothing, (1, 1)), Shop.Start + 7 * Shop.Hour, events);
        Assert.Equal(Shop.Start + 10 * Shop.Hour, loaded.NextDue);
    }

    [Fact]
    public void Without_settings_nothing_is_watched_and_switching_off_leaves_what_is_there()
    {
        _shop.Ok(_shop.Receive(1, (1, 5)));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 1)));
        Assert.Equal(long.MaxValue, _shop.Core.NextDue);
        _shop.Ok(new SetDeadlines { ReleaseSeconds = 60, Role = Role.Manager });
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 1)));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 1)));
        _shop.Ok(new SetDeadlines { Role = Role.Manager });
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 1)));
        Assert.Equal((1, 1, 0), (_shop.Core.Reader.Deadlines(2, _shop.Core.Sequence).Length, _shop.Core.Reader.Deadlines(3, _shop.Core.Sequence).Length, _shop.Core.Reader.Deadlines(4, _shop.Core.Sequence).Length));
        _shop.Ok(new ReleaseShipment { Order = 2, Role = Role.Warehouse });
        Assert.True(_shop.Core.Reader.Deadlines(2, _shop.Core.Sequence).IsEmpty);
        Assert.Equal(Outcome.RoleNotAllowed, _shop.Do(new SetDeadlines { Role = Role.Support }).Outcome);
        _shop.Now += 2 * Minute;
        _shop.Turn();
        Assert.Equal(1, _shop.Core.Reader.LastException);
    }

    private void Handle(long order)
    {
        _shop.Ok(new ReleaseShipment { Order = order, Role = Role.Warehouse });
        _shop.Ok(new ConfirmShipment { Order = order, Role = Role.Warehouse });
    }

    private List<string> Until(int hour)
    {
        var start = _shop.Events.Length;
        _shop.Now = Shop.Start + hour * Shop.Hour;
        _shop.Turn();
        var told = new List<string>();
        foreach (var e in Contracts.Journal.Events.Parser.ParseFrom(_shop.Events.Written[start..]).Events_)
        {
            told.Add(e switch
            {
                { DeadlineReminded: { } near } => $"DeadlineReminded {(DeadlineKind)near.Deadline} of {e.Order}",
                { DeadlineMissed: { } missed } => $"DeadlineMissed {(DeadlineKind)missed.Deadline} of {e.Order}",
                { ExceptionRaised: { } raised } => $"ExceptionRaised {(ExceptionKind)raised.Kind} {((Grade)raised.Grade).ToString().ToUpperInvariant()} for {(Role)raised.Owner}",
                _ => e.BodyCase.ToString(),
            });
        }
        return told;
    }
}
