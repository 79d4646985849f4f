// The model's sourcing, queues and reservations. One thread.

namespace OrderEngine.Core.Tests.Model;

internal sealed partial class NaiveModel
{
    // --- where units come from ---

    private List<(int Location, long Units)> Sources(int sku, ModelChannel channel, string region) => InOrder(channel, Stock
        .Where(level => level.Key.Sku == sku && level.Value.Sellable > 0 && channel.Allows(level.Key.Location))
        .Where(level => region == "" || Regions[level.Key.Location] == "" || Regions[level.Key.Location] == region)
        .Select(level => (level.Key.Location, level.Value.Sellable)));

    private List<(int Location, long Units)> InOrder(ModelChannel channel, IEnumerable<(int Location, long Units)> sources) =>
        (channel.Sourcing == SourcingRule.MostAvailable ? sources.OrderByDescending(s => s.Units) : sources.OrderBy(s => (long)Priorities[s.Location]))
        .ThenBy(s => LocationIds[s.Location], StringComparer.Ordinal).ToList();

    // Allots the lines; one list of (location, units) a line. Null: the policy refuses.
    private List<(int Location, int Units)>[]? Allot((int Sku, int Units)[] lines, AllocationPolicy policy, ModelChannel channel, List<(int Sku, int Location, int Quantity)> held,
        string region = "", bool whole = false, bool ownOnly = false)
    {
        var wanted = lines.GroupBy(l => l.Sku).ToDictionary(g => g.Key, g => g.Sum(l => (long)l.Units));
        var free = wanted.Keys.ToDictionary(sku => sku, sku => Sources(sku, channel, region));
        var own = held.Where(h => wanted.ContainsKey(h.Sku)).ToList();
        var missing = wanted.ToDictionary(w => w.Key, w => Math.Max(0, w.Value - own.Where(h => h.Sku == w.Key).Sum(h => (long)h.Quantity)));
        var covered = missing.All(m => free[m.Key].Sum(s => s.Units) >= m.Value);
        if (!covered && policy == AllocationPolicy.AllOrNothing) return null;

        // What ships complete and may wait takes nothing of what is free until there is enough.
        if (policy == AllocationPolicy.PartialBackorder && (ownOnly || whole && !covered)) free = wanted.Keys.ToDictionary(sku => sku, _ => new List<(int, long)>());
        else if (covered && Single(missing.Where(m => m.Value > 0).ToDictionary(), free, channel) is { } single)
            foreach (var sku in free.Keys.ToList()) free[sku] = free[sku].Where(s => s.Location == single).ToList();

        var result = lines.Select(_ => new List<(int Location, int Units)>()).ToArray();
        for (var i = 0; i < lines.Length; i++)
        {
            var (sku, units) = lines[i];
            var available = own.Where(h => h.Sku == sku).Sum(h => (long)h.Quantity) + free[sku].Sum(s => s.Units);
            if (policy == AllocationPolicy.LineAllOrNothing && available < units) continue;
            for (var h = 0; h < own.Count; h++)
            {
                if (own[h].Sku != sku) continue;
                var quantity = Math.Min(units, own[h].Quantity);
                own[h] = own[h] with { Quantity = own[h].Quantity - quantity };
                units -= quantity;
                if (quantity > 0) result[i].Add((own[h].Location, quantity));
            }
            result[i].AddRange(TakeFrom(free[sku], units));
        }
        return policy == AllocationPolicy.PartialBackorder || result.Any(line => line.Count > 0) ? result : null;
    }

    // The one location that covers everything, the best by the channel's rule; null when there is none or nothing is needed.
    private int? Single(Dictionary<int, long> missing, Dictionary<int, List<(int Location, long Units)>> free, ModelChannel channel)
    {
        if (missing.Count == 0) return null;
        var candidates = Locations.Values.Select(l => l.Number)
            .Where(location => missing.All(m => free[m.Key].Any(s => s.Location == location && s.Units >= m.Value)))
            .Select(location => (location, missing.Keys.Sum(sku => free[sku].Where(s => s.Location == location).Sum(s => s.Units))));
        var best = InOrder(channel, candidates);
        return best.Count == 0 ? null : best[0].Location;
    }

    private static List<(int Location, int Units)> TakeFrom(List<(int Location, long Units)> sources, int units)
    {
        var taken = new List<(int Location, int Units)>();
        for (var s = 0; s < sources.Count && units > 0; s++)
        {
            var quantity = (int)Math.Min(units, sources[s].Units);
            if (quantity == 0) continue;
            sources[s] = sources[s] with { Units = sources[s].Units - quantity };
            units -= quantity;
            taken.Add((sources[s].Location, quantity));
        }
        return taken;
    }

    // --- queues ---

    private List<ModelWait> Queue(int sku) => Orders.Where(order => order.Waits).SelectMany(order => order.Waiting.Where(wait => wait.Line.Sku == sku)).OrderBy(wait => wait.Place).ToList();

    /// <summary>How many lines wait for a SKU.</summary>
    public int Waiting(int sku) => Queue(sku).Count;

    private void ServeAheadOf(int sku, int customer, long requestedAt) =>
        ServeAheadOf(sku, ModelOrder.PlaceOf(_now, TierOf(customer), requestedAt, Sequence + 1, 0));

    private void ServeAheadOf(int sku, (long Rank, long Requested, long Sequence, int Line) place)
    {
        var queue = Queue(sku);
        if (queue.Any(entry => entry.Order.WholeOnly)) ServeAll(place);
        else foreach (var wait in queue.TakeWhile(entry => entry.Place.CompareTo(place) < 0)) Serve(wait);
    }

    private void ServeAll((long Rank, long Requested, long Sequence, int Line)? before)
    {
        // Once filled, a place is gone: what of it is looked at is as it was.
        foreach (var (wait, place) in Orders.Where(order => order.Waits).SelectMany(order => order.Waiting).Select(wait => (wait, wait.Place)).OrderBy(entry => entry.Place).ToList())
        {
            if (before is { } limit && place.CompareTo(limit) >= 0) return;
            Serve(wait);
        }
    }

    private void Serve(ModelWait wait)
    {
        var (order, line) = (wait.Order, wait.Line);
        if (wait.Units == 0) return;
        // All at once, or nothing: when it is the turn of what was added last.
        if (order.WholeOnly && order.Lines.Any(l => l.Added > 0) && wait.Place.CompareTo(order.Waiting.Max(w => w.Place)) < 0)
        {
            PassedForAdded++;
            return;
        }
        var lines = order.WholeOnly ? order.Lines.Where(l => l.Backordered > 0).ToList() : [line];
        // One location that covers everything before a split.
        var policy = order.WholeOnly ? AllocationPolicy.AllOrNothing : AllocationPolicy.PartialCancelRest;
        if (wait.IsAdded) AddedServed++;
        if (Allot([.. lines.Select(l => (l.Sku, order.WholeOnly ? l.Backordered : wait.Units))], policy, Rules[order.Submitted.Channel], [], order.Region) is not { } allotted) return;
        if (order.WholeOnly) FilledWhole++;
        for (var i = 0; i < lines.Count; i++) Fill(order, lines[i], allotted[i]);
    }

    private void Fill(ModelOrder order, ModelLine line, List<(int Location, int Units)> taken)
    {
        var queue = Queue(line.Sku);
        Change(order);
        Fills++;
        foreach (var (location, units) in taken)
        {
            order.At(line.Number, location).Reserved += units;
            LevelOf(line.Sku, location).Committed += units;
            line.Backordered -= units;
            line.Reserved += units;
        }
        Forget(order);
        if (queue.Any(e => e.Line.Backordered > 0 && e.Order.AcceptedSequence < order.AcceptedSequence && e.Place.CompareTo(order.Place(line.Number)) > 0)) Overtakings++;
    }

    /// <summary>Looks at what was added; and looks that left a whole order for them.</summary>
    public int AddedServed { get; private set; }

    public int PassedForAdded { get; private set; }

    // SHIP_COMPLETE: as long as anything waits, a time runs after which the order takes what comes.
    private void FollowWhole(ModelOrder order)
    {
        if (!order.WholeOnly || !order.Waits) order.Deadlines.Remove(DeadlineKind.Earmark);
        else if (!order.Deadlines.ContainsKey(DeadlineKind.Earmark))
            order.Deadlines[DeadlineKind.Earmark] = new ModelDeadline(Math.Max(_now, order.AcceptedAt + (_watched.EarmarkSeconds > 0 ? _watched.EarmarkSeconds : 7 * 86_400) * 1_000_000), 0, order.Version);
    }

    private void Earmark(ModelOrder order)
    {
        Change(order);
        order.Earmarks = true;
        order.Deadlines.Remove(DeadlineKind.Earmark);
        Earmarked++;
    }

    /// <summary>Orders that were given all that they waited for at once; and that took what came.</summary>
    public int FilledWhole { get; private set; }

    public int Earmarked { get; private set; }

    // --- reservations ---

    private ModelReservation? Find(long number) => number > 0 && number <= Reservations.Count ? Reservations[(int)number - 1] : null;

    private Outcome Create(CreateReservation create)
    {
        if (create.Customer != 0 && Reservations.Count(r => r.State == ReservationState.Held && r.Customer == create.Customer) >= 100) return Outcome.HoldLimitReached;
        if (Rules[create.Channel].Limits.MaxReservationSeconds is > 0 and var cap && create.TtlMicros > cap * 1_000_000) return Outcome.ChannelLimitExceeded;
        var lines = create.Items.Select(item => (item.Sku, item.Quantity)).ToArray();
        if (Allot(lines, AllocationPolicy.AllOrNothing, Rules[create.Channel], []) is not { } allotted) return Outcome.OutOfStock;
        var sequence = Event();
        var reservation = new ModelReservation
        {
            Number = Reservations.Count + 1, Channel = create.Channel, Customer = create.Customer, CreatedAt = _now, CreatedSequence = sequence,
            ExpiresAt = _now + create.TtlMicros, Version = sequence,
        };
        for (var i = 0; i < lines.Length; i++)
        {
            foreach (var (location, units) in allotted[i])
            {
                reservation.Items.Add((lines[i].Sku, location, units));
                LevelOf(lines[i].Sku, location).Held += units;
            }
        }
        Await(reservation);
        Reservations.Add(reservation);
        TouchedReservations.Add(reservation.Number);
        return Outcome.Ok;
    }

    private Outcome Extend(ExtendReservation extend)
    {
        var refusal = Held(extend.Reservation, extend.ExpectedVersion, out var reservation);
        if (refusal != Outcome.Ok) return refusal;
        if (Rules[reservation.Channel].Limits.MaxReservationSeconds is > 0 and var cap && extend.TtlMicros > cap * 1_000_000) return Outcome.ChannelLimitExceeded;
        reservation.Version = Event();
        reservation.ExpiresAt = _now + extend.TtlMicros;
        Await(reservation);
        TouchedReservations.Add(reservation.Number);
        return Outcome.Ok;
    }

    private Outcome Release(ReleaseReservation release)
    {
        var refusal = Held(release.Reservation, release.ExpectedVersion, out var reservation);
        if (refusal != Outcome.Ok) return refusal;
        Close(reservation, ReservationState.Released, 0);
        return Outcome.Ok;
    }

    private Outcome Held(long number, long expected, out ModelReservation reservation)
    {
        reservation = Find(number)!;
        if (reservation is null) return Outcome.ReservationNotFound;
        if (expected != 0 && expected != reservation.Version) return Outcome.EtagMismatch;
        return reservation.State == ReservationState.Held ? Outcome.Ok : Outcome.ReservationNotHeld;
    }

    private void Await(ModelReservation reservation)
    {
        reservation.Reminded = false;
        reservation.RemindAt = _watched.HoldRemindSeconds == 0 ? 0 : reservation.ExpiresAt - _watched.HoldRemindSeconds * 1_000_000;
    }

    private void Fire(ModelReservation reservation)
    {
        if (reservation.RemindAt == 0)
        {
            Expire(reservation);
            return;
        }
        reservation.Version = Event();
        reservation.RemindAt = 0;
        reservation.Reminded = true;
        TouchedReservations.Add(reservation.Number);
        Reminded.Add(DeadlineKind.Reservation);
    }

    private void Expire(ModelReservation reservation) => Close(reservation, ReservationState.Expired, 0);

    private void Close(ModelReservation reservation, ReservationState state, long order)
    {
        reservation.Version = Event();
        reservation.State = state;
        reservation.Order = order;
        TouchedReservations.Add(reservation.Number);
        foreach (var (sku, location, quantity) in reservation.Items) LevelOf(sku, location).Held -= quantity;
    }
}
