// Deciding holds: create, extend, release. Committing one is part of submitting an order.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    private DraftLine[] _draft = new DraftLine[16];

    private Outcome Create(CreateReservation create)
    {
        if (state.OpenOfChannel(create.Channel) >= Limits.OpenReservationsPerChannel
            || create.Customer != 0 && state.OpenOfCustomer(create.Customer) >= Limits.OpenReservationsPerCustomer) return Outcome.HoldLimitReached;

        var rules = state.Catalog.Rules(create.Channel);
        if (HoldsTooLong(create.TtlMicros, rules)) return Refuse(Outcome.ChannelLimitExceeded);
        var place = BackorderKey.Of(_now, state.Catalog.Tier(create.Customer), 0, state.Sequence + 1, 0, 0);
        if (_draft.Length < create.Items.Length) _draft = new DraftLine[create.Items.Length];
        for (var i = 0; i < create.Items.Length; i++) _draft[i] = new DraftLine(create.Items[i].Sku, create.Items[i].Quantity, 0);
        var lines = _draft.AsSpan(0, create.Items.Length);
        if (!Allocate(lines, AllocationPolicy.AllOrNothing, new Sourcing(rules), in place, default)) return Refuse(Outcome.OutOfStock, 0, _allocator.Shortfalls);

        BeginEvent();
        Origin();
        _events.Number(5, create.Channel);
        _events.Number(6, create.Customer);
        _events.BeginBody(EventKind.ReservationCreated);
        _events.Number(1, state.Reservations.Count + 1);
        foreach (ref readonly var take in _allocator.Takes) Movement(2, lines[take.Line - 1].Sku, take.Location, take.Quantity);
        _events.Number(3, _now + create.TtlMicros);
        EndAnswer();
        return Outcome.Ok;
    }

    private Outcome Extend(ExtendReservation extend)
    {
        var refusal = FindHeld(extend.Reservation, out var reservation);
        if (refusal != Outcome.Ok) return refusal;
        if (HoldsTooLong(extend.TtlMicros, state.Catalog.Rules(reservation.Head.Channel))) return Refuse(Outcome.ChannelLimitExceeded, extend.Reservation);
        BeginEvent();
        Origin();
        _events.BeginBody(EventKind.ReservationExtended);
        _events.Number(1, extend.Reservation);
        _events.Number(2, _now + extend.TtlMicros);
        EndAnswer();
        return Outcome.Ok;
    }

    private Outcome Release(ReleaseReservation release)
    {
        var refusal = FindHeld(release.Reservation, out _);
        if (refusal != Outcome.Ok) return refusal;
        BeginEvent();
        Origin();
        _events.BeginBody(EventKind.ReservationReleased);
        _events.Number(1, release.Reservation);
        EndAnswer();
        return Outcome.Ok;
    }

    private static bool HoldsTooLong(long ttlMicros, ChannelRules rules) =>
        rules.Limits.MaxReservationSeconds != 0 && ttlMicros > rules.Limits.MaxReservationSeconds * 1_000_000;

    private Outcome FindHeld(long number, out ReservationView reservation)
    {
        reservation = state.Reservation(number);
        if (!reservation.Exists) return Outcome.ReservationNotFound;
        if (_command.ExpectedVersion != 0 && _command.ExpectedVersion != reservation.Head.Version) return Outcome.EtagMismatch;
        return reservation.Head.State == ReservationState.Held ? Outcome.Ok : Refuse(Outcome.ReservationNotHeld, number);
    }
}
