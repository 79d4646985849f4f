// The model's deadlines and exceptions: what is watched, reminded of, missed; what somebody has to look into. One thread.

namespace OrderEngine.Core.Tests.Model;

internal sealed class ModelException(ExceptionKind kind, long order, int line, long quantity, DeadlineKind deadline)
{
    public readonly ExceptionKind Kind = kind;
    public readonly long Order = order;
    public readonly int Line = line;
    public readonly long Quantity = quantity;
    public readonly DeadlineKind Deadline = deadline;
    public required Grade Grade { get; init; }
    public required Role Owner { get; init; }
    public int Sku, Location;
    public long Version;
    public bool Open = true;
    public string Resolution = "", Resolver = "";
}

internal sealed partial class NaiveModel
{
    public readonly ModelEntry DeadlinesEntry = new(1);
    private SetDeadlines _watched = new();

    /// <summary>Reminders, and deadlines that passed, by kind.</summary>
    public readonly List<DeadlineKind> Reminded = [], Missed = [];

    private Outcome Define(SetDeadlines set)
    {
        var content = $"{set.ReleaseSeconds}|{set.DeliverySeconds}|{set.RemindSeconds}|{set.PaymentSeconds}|{set.CashSeconds}|{set.ReturnArrivalSeconds}|{set.ReturnCloseSeconds}|{set.HoldRemindSeconds}|{set.EarmarkSeconds}|{string.Join(',', set.Stalls.Select(s => $"{s.State} {s.Seconds}"))}";
        if (set.ExpectedVersion != 0 && set.ExpectedVersion != DeadlinesEntry.Version) return Outcome.EtagMismatch;
        if (DeadlinesEntry.Version != 0 && DeadlinesEntry.Content == content) return Outcome.Ok;
        DeadlinesEntry.Content = content;
        DeadlinesEntry.Version = Event();
        _watched = set;
        return Outcome.Ok;
    }

    // What is due of an order that came to another state: catalog.proto, Channel and DeadlineSettings.
    private void Watch(ModelOrder order)
    {
        var (from, to) = (order.WatchedState, order.State);
        if (from == to) return;
        order.WatchedState = to;
        if (to is OrderState.Cancelled or OrderState.Rejected or OrderState.Expired or OrderState.Completed)
        {
            foreach (var kind in order.Deadlines.Keys.Where(kind => kind != DeadlineKind.Balance).ToList()) order.Deadlines.Remove(kind);
            return;
        }
        foreach (var kind in new[] { DeadlineKind.Review, DeadlineKind.Payment, DeadlineKind.ReturnWindow, DeadlineKind.Stall, DeadlineKind.Release }) order.Deadlines.Remove(kind);
        if (to == OrderState.Delivered) order.HadDeliveryDate = order.Deadlines.ContainsKey(DeadlineKind.Delivery);
        if (to is OrderState.Delivered or OrderState.Lost) order.Deadlines.Remove(DeadlineKind.Delivery);
        var limits = Rules[order.Submitted.Channel].Limits;
        Expect(order, DeadlineKind.Review, to == OrderState.PendingReview ? limits.ReviewExpirySeconds > 0 ? limits.ReviewExpirySeconds : 7 * 86_400 : 0);
        Expect(order, DeadlineKind.Payment, to == OrderState.AwaitingPayment ? limits.PaymentDueSeconds > 0 ? limits.PaymentDueSeconds : 3 * 86_400 : 0);
        Expect(order, DeadlineKind.ReturnWindow, to == OrderState.Delivered ? limits.ReturnWindowSeconds : 0);
        if (from == OrderState.None && _watched.DeliverySeconds > 0) Set(order, DeadlineKind.Delivery, DeliveryDue(order));
        Expect(order, DeadlineKind.Release, to == OrderState.Ready ? _watched.ReleaseSeconds : 0);
        Expect(order, DeadlineKind.Stall, _watched.Stalls.Where(s => s.State == to).Sum(s => s.Seconds));
    }

    private long DeliveryDue(ModelOrder order) => order.RequestedAt > _now ? order.RequestedAt : order.AcceptedAt + _watched.DeliverySeconds * 1_000_000;

    private void Expect(ModelOrder order, DeadlineKind kind, long seconds)
    {
        if (seconds > 0) Set(order, kind, _now + seconds * 1_000_000);
    }

    private void Set(ModelOrder order, DeadlineKind kind, long due) =>
        order.Deadlines[kind] = new ModelDeadline(due, _watched.RemindSeconds == 0 ? 0 : Math.Max(1, due - _watched.RemindSeconds * 1_000_000), order.Version);

    // Everything that has a time and has come to it, the first first; what comes of it may be due at once, too.
    private void FireAll()
    {
        while (true)
        {
            var holds = Reservations.Where(r => r.State == ReservationState.Held && r.Next <= _now)
                .Select(r => (At: r.Next, Since: r.CreatedSequence, Kind: DeadlineKind.Reservation, Fire: (Action)(() => Fire(r))));
            var due = holds.Concat(Orders.SelectMany(Passed)).OrderBy(d => (d.At, d.Since, d.Kind)).ToList();
            if (due.Count == 0) return;
            due[0].Fire();
            SettleTouched();
        }
    }

    // Of one order, before a command on it.
    private void FireOf(ModelOrder order)
    {
        while (Passed(order).OrderBy(d => (d.At, d.Since, d.Kind)).FirstOrDefault().Fire is { } fire)
        {
            fire();
            SettleTouched();
        }
    }

    private IEnumerable<(long At, long Since, DeadlineKind Kind, Action Fire)> Passed(ModelOrder order) =>
        order.Deadlines.Where(d => d.Value.Next <= _now).Select(d => (d.Value.Next, d.Value.Since, d.Key, (Action)(() => Fire(order, d.Key, d.Value)))).ToList();

    private void Fire(ModelOrder order, DeadlineKind kind, ModelDeadline deadline)
    {
        if (deadline.RemindAt > 0)
        {
            Change(order);
            deadline.RemindAt = 0;
            Reminded.Add(kind);
            return;
        }
        switch (kind)
        {
            case DeadlineKind.Review or DeadlineKind.Payment: ExpireOrder(order); break;
            case DeadlineKind.Earmark: Earmark(order); break;
            case DeadlineKind.ReturnWindow:
                Change(order);
                // domain.md: the window is over; but not while a return is open.
                order.WindowOver = Returns.Any(r => r.Order == order.Number && r.IsOpen);
                if (order.WindowOver) order.Deadlines.Remove(kind);
                else Enter(order, OrderState.Completed);
                WindowsOver += order.WindowOver ? 1 : 0;
                break;
            default:
                var owed = kind == DeadlineKind.Balance ? DueBy(order, deadline.Due) : 0;
                Change(order);
                order.Deadlines.Remove(kind);
                if (kind == DeadlineKind.Balance) order.MissedDate = deadline.Due;
                if (kind == DeadlineKind.Delivery) order.MissedDelivery = true;
                Missed.Add(kind);
                Raise(kind == DeadlineKind.Stall ? ExceptionKind.Stalled : ExceptionKind.DeadlineMissed, order, 0, owed, kind);
                break;
        }
    }

    // How much it matters, and who looks into it: goods or a promise to the buyer lost is HIGH, what only has to be done is MEDIUM.
    private static (Grade Grade, Role Owner) CareFor(ExceptionKind kind, DeadlineKind deadline, bool goesOn) => (kind, deadline) switch
    {
        (ExceptionKind.ShortPick, _) or (ExceptionKind.DeadlineMissed, DeadlineKind.Release) => (Grade.Medium, Role.Warehouse),
        (ExceptionKind.LostParcel or ExceptionKind.Deallocated, _) or (ExceptionKind.DeadlineMissed, DeadlineKind.Delivery) => (Grade.High, Role.Support),
        // Money that came too late and is to be sent back; the order that it came for goes on otherwise.
        (ExceptionKind.LateMoney, _) => (goesOn ? Grade.Low : Grade.High, Role.Finance),
        (ExceptionKind.RefundDue, _) or (ExceptionKind.DeadlineMissed, DeadlineKind.Balance or DeadlineKind.Payment) => (Grade.Medium, Role.Finance),
        (ExceptionKind.ReviewDue, _) or (ExceptionKind.DeadlineMissed, DeadlineKind.Review) => (Grade.Medium, Role.Reviewer),
        (ExceptionKind.Stalled, _) or (ExceptionKind.DeadlineMissed, DeadlineKind.Confirmation or DeadlineKind.ReturnClose) => (Grade.Medium, Role.Support),
        (ExceptionKind.DeadlineMissed, DeadlineKind.ReturnArrival) => (Grade.Low, Role.Support),
        _ => throw new InvalidOperationException($"Who looks into {kind} of {deadline}?"),
    };

    private void Raise(ExceptionKind kind, ModelOrder order, int line, long quantity, DeadlineKind deadline = DeadlineKind.None, int location = 0, bool goesOn = false)
    {
        var (grade, owner) = CareFor(kind, deadline, goesOn);
        Exceptions.Add(new ModelException(kind, order.Number, line, quantity, deadline) { Grade = grade, Owner = owner, Sku = line == 0 ? 0 : order.Lines[line - 1].Sku, Location = location });
        Change(order);
        Exceptions[^1].Version = Sequence;
    }

    public int WindowsOver { get; private set; }

    // What the exceptions of an order ask for was done; the newest first.
    private void ResolveOpen(ModelOrder order, ExceptionKind kind, DeadlineKind deadline, string how)
    {
        foreach (var exception in Enumerable.Reverse(Exceptions).Where(e => e.Open && e.Order == order.Number && e.Kind == kind && e.Deadline == deadline).ToList())
        {
            Change(order);
            exception.Open = false;
            exception.Version = Sequence;
            (exception.Resolution, exception.Resolver) = (how, Text(_command.Actor));
            ResolvedByEngine++;
        }
    }

    public int ResolvedByEngine { get; private set; }

    private Outcome Resolve(ResolveException resolve)
    {
        if (resolve.Exception < 1 || resolve.Exception > Exceptions.Count) return Outcome.ExceptionNotFound;
        var exception = Exceptions[(int)resolve.Exception - 1];
        if (resolve.ExpectedVersion != 0 && resolve.ExpectedVersion != exception.Version) return Outcome.EtagMismatch;
        if (!exception.Open) return Outcome.ExceptionNotOpen;
        if (exception.Order == 0) Event();
        else Change(Orders[(int)exception.Order - 1]);
        exception.Open = false;
        exception.Version = Sequence;
        (exception.Resolution, exception.Resolver) = (Text(resolve.Resolution), Text(resolve.Actor));
        return Outcome.Ok;
    }
}
