// A hold's end is reminded of before it comes, when it is set how long before; extending begins anew, and a hold that has ended is not reminded of.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Core.Tests.Snapshots;
using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class HoldReminderTests
{
    private const long Minute = 60 * Shop.Second;
    private readonly Shop _shop = new();

    public HoldReminderTests() => _shop.Ok(_shop.Receive(1, (1, 100)));

    [Fact]
    public void A_hold_is_reminded_of_once_and_then_ends_without_an_exception()
    {
        Remind(600);
        _shop.Ok(_shop.Hold(1, 1, Shop.Hour, (1, 3)));
        var made = Head(1).Version;
        Assert.Empty(_shop.Pass(50 * Minute - 1));
        Assert.Equal((0, made, Shop.Start + 50 * Minute), (Head(1).Reminded, Head(1).Version, _shop.Core.NextDue));

        Assert.Equal(["ReservationReminded"], _shop.Pass(1));
        Assert.Equal((ReservationState.Held, 1, _shop.Core.Sequence), (Head(1).State, Head(1).Reminded, Head(1).Version));
        Assert.Empty(_shop.Pass(10 * Minute - 1));
        Assert.Equal(["ReservationExpired"], _shop.Pass(1));
        Assert.Equal((ReservationState.Expired, 0L, long.MaxValue), (Head(1).State, _shop.Core.Reader.LastException, _shop.Core.NextDue));
        Replays();
    }

    [Fact]
    public void Without_the_setting_nothing_is_reminded_of_and_it_counts_for_holds_from_now_on()
    {
        _shop.Ok(_shop.Hold(1, 1, Shop.Hour, (1, 1)));
        Remind(600);
        _shop.Ok(_shop.Hold(1, 1, Shop.Hour, (1, 1)));
        Remind(0);
        _shop.Ok(_shop.Hold(1, 1, Shop.Hour, (1, 1)));
        Assert.Equal(["ReservationReminded"], _shop.Pass(50 * Minute));
        Assert.Equal((0, 1, 0), (Head(1).Reminded, Head(2).Reminded, Head(3).Reminded));
        Assert.Equal(["ReservationExpired", "ReservationExpired", "ReservationExpired"], _shop.Pass(10 * Minute));
        Replays();
    }

    [Fact]
    public void Extending_begins_anew_and_what_was_released_or_committed_is_not_reminded_of()
    {
        Remind(600);
        for (var i = 0; i < 3; i++) _shop.Ok(_shop.Hold(1, 0, Shop.Hour, (1, 1)));
        _shop.Ok(new ReleaseReservation { Reservation = 2, Role = Role.Channel });
        _shop.Ok(new SubmitOrder(CommandKind.CommitReservation)
        {
            Channel = 1, ExternalId = Shop.Bytes("held"), Policy = AllocationPolicy.AllOrNothing, CurrencyCode = Currency.Pack("EUR"u8), Lines = [new DraftLine(1, 1, 0)], Reservation = 3, Role = Role.Channel,
        });
        Assert.Equal(["ReservationReminded"], _shop.Pass(55 * Minute));
        _shop.Ok(new ExtendReservation { Reservation = 1, TtlMicros = Shop.Hour, Role = Role.Channel });
        Assert.Equal((0, _shop.Now + 50 * Minute), (Head(1).Reminded, _shop.Core.NextDue));
        Assert.Equal(["ReservationReminded"], _shop.Pass(50 * Minute));
        Assert.Equal(["ReservationExpired"], _shop.Pass(10 * Minute));
        Assert.Equal(long.MaxValue, _shop.Core.NextDue);
        Replays();
    }

    [Fact]
    public void A_hold_shorter_than_that_is_reminded_of_at_once_and_a_command_finds_what_passed_first()
    {
        Remind(600);
        _shop.Ok(_shop.Hold(1, 1, Minute, (1, 1)));
        Assert.Equal(["ReservationReminded"], _shop.Pass(0));
        _shop.Ok(_shop.Hold(1, 1, Shop.Hour, (1, 1)));
        _shop.Now += 2 * Shop.Hour;
        // No turn came before the command: the reminder is recorded first, then the end.
        Assert.Equal(Outcome.ReservationNotHeld, _shop.Do(new ReleaseReservation { Reservation = 2, Role = Role.Channel }).Outcome);
        Assert.Equal((ReservationState.Expired, 1), (Head(2).State, Head(2).Reminded));
        _shop.Turn();
        Replays();
    }

    [Fact]
    public void Reminders_in_the_making_come_back_from_a_snapshot()
    {
        Remind(600);
        _shop.Ok(_shop.Hold(1, 1, Shop.Hour, (1, 1)));
        _shop.Pass(55 * Minute);
        _shop.Ok(_shop.Hold(1, 1, Shop.Hour, (1, 1)));
        var loaded = SnapshotSupport.Load(SnapshotSupport.Take(_shop.Core).Blocks);
        SnapshotSupport.Same(_shop.Core, loaded, loaded.Sequence);
        var (start, events) = (_shop.Events.Length, new EventBuffer());
        _shop.Now += 3 * Shop.Hour;
        loaded.Turn(_shop.Now, events);
        _shop.Turn();
        Assert.Equal(_shop.Events.Written[start..].ToArray(), events.Written.ToArray());
        Assert.Equal([ReservationState.Expired, ReservationState.Expired], new[] { Head(1).State, Head(2).State });
        Assert.Equal((1, 1), (Head(1).Reminded, Head(2).Reminded));
    }

    private void Remind(long seconds) => _shop.Ok(new SetDeadlines { HoldRemindSeconds = seconds, Role = Role.Manager });

    private ReservationHead Head(long reservation) => _shop.Core.Reader.Reservation(reservation, _shop.Core.Sequence).Head;

    private void Replays()
    {
        Assert.Empty(_shop.Core.CheckIndexes());
        Assert.Equal(_shop.Core.Seal(), _shop.Restarted().Seal());
    }
}
