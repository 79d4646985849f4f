// Deciding what has to be followed up: what comes of a timer that is due, and exceptions, which any decision may raise beside its own events.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    // Exceptions raised by this decision: they are not in the state yet, but have their numbers.
    private int _raised;

    /// <summary>Writes what comes of a timer that is due. The events must take the timer away when they are applied, or the engine stops.</summary>
    /// <remarks>Another area's kind of timer: one line here that writes its event.</remarks>
    public void Fire(in TimerKey timer, long now, EventBuffer events)
    {
        Start(null!, now, events);
        if (timer.Kind != DeadlineKind.Reservation && state.Deadlines.IsReminder(timer.Subject, timer.Kind, out var due))
        {
            WriteDeadline(EventKind.DeadlineReminded, in timer, due);
            return;
        }
        switch (timer.Kind)
        {
            case DeadlineKind.Reservation:
                ref readonly var hold = ref state.Reservation(timer.Subject).Head;
                if (hold.IsReminder) RemindOfHold(timer.Subject, hold.ExpiresAt);
                else Expire(timer.Subject);
                break;
            case DeadlineKind.Earmark: Earmark(in timer); break;
            case DeadlineKind.Review or DeadlineKind.Payment when Transitions.Allows(CommandKind.ExpireOrder, state.Order(timer.Subject).Head.State):
                ExpireOrder(in timer);
                break;
            case DeadlineKind.ReturnWindow when Transitions.Allows(CommandKind.CompleteOrder, state.Order(timer.Subject).Head.State):
                EndReturnWindow(in timer);
                break;
            default: Miss(in timer); break;
        }
    }

    /// <summary>A deadline of an order that nothing else comes of: it is noted as missed, and somebody has to look into it.</summary>
    private void Miss(in TimerKey timer)
    {
        WriteDeadline(EventKind.DeadlineMissed, in timer, timer.Due);
        var (grade, owner) = Care(timer.Kind);
        var order = state.Order(timer.Subject);
        var owed = timer.Kind == DeadlineKind.Balance
            ? DueNow(timer.Subject, order.Head.Terms, order.Head.State, order.Lines, order.Head.Paid - order.Head.Refunded, timer.Due) : 0;
        RaiseException(timer.Kind == DeadlineKind.Stall ? ExceptionKind.Stalled : ExceptionKind.DeadlineMissed, grade, owner, timer.Subject, quantity: owed, deadline: timer.Kind);
    }

    private void WriteDeadline(EventKind what, in TimerKey timer, long due)
    {
        ref readonly var head = ref state.Order(timer.Subject).Head;
        BeginOrderEvent(timer.Subject, in head, head.State);
        _events.BeginBody(what);
        _events.Number(1, (long)timer.Kind);
        _events.Number(2, due);
        EndEvent();
    }

    private Outcome Define(SetDeadlines set)
    {
        StartBody(1, []);
        DeadlineRules.Write(_body, set);
        return Put(EventKind.DeadlinesDefined, state.Catalog.DeadlineRuleRows, 1, 1);
    }

    /// <summary>How grave it is to miss a deadline, and whose business.</summary>
    private static (Grade Grade, Role Owner) Care(DeadlineKind kind) => kind switch
    {
        DeadlineKind.Payment => (Grade.Medium, Role.Finance),
        DeadlineKind.Review => (Grade.Medium, Role.Reviewer),
        DeadlineKind.Release => (Grade.Medium, Role.Warehouse),
        DeadlineKind.Delivery => (Grade.High, Role.Support),
        DeadlineKind.Stall or DeadlineKind.Confirmation => (Grade.Medium, Role.Support),
        DeadlineKind.Balance => (Grade.Medium, Role.Finance),
        DeadlineKind.ReturnClose => (Grade.Medium, Role.Support),
        _ => (Grade.Low, Role.Support),
    };

    private Outcome Resolve(ResolveException resolve)
    {
        var exception = state.Exceptions.Of(resolve.Exception);
        if (!exception.Exists) return Outcome.ExceptionNotFound;
        if (_command.ExpectedVersion != 0 && _command.ExpectedVersion != exception.Head.Version) return Outcome.EtagMismatch;
        if (!exception.IsOpen) return Refuse(Outcome.ExceptionNotOpen, resolve.Exception);
        var number = exception.Head.Order;
        if (number != 0)
        {
            ref readonly var head = ref state.Order(number).Head;
            BeginOrderEvent(number, in head, head.State);
        }
        else
        {
            BeginEvent();
            Origin();
        }
        _events.BeginBody(EventKind.ExceptionResolved);
        _events.Number(1, resolve.Exception);
        _events.Bytes(2, resolve.Resolution);
        EndAnswer();
        return Outcome.Ok;
    }

    /// <summary>Resolves an order's open exceptions of a kind: the decision did what they ask for.</summary>
    /// <param name="number">Of the order that the decision's event is about.</param>
    /// <param name="order">As it was before.</param>
    /// <param name="kind">What happened.</param>
    /// <param name="deadline">Of a missed deadline: which.</param>
    /// <param name="resolution">What was done.</param>
    private void ResolveOpen(long number, OrderView order, ExceptionKind kind, DeadlineKind deadline, ReadOnlySpan<byte> resolution)
    {
        var open = order.Head.OpenExceptions;
        for (long exception = order.Head.LastException; open > 0; exception = state.Exceptions.Of(exception).Head.Previous)
        {
            var found = state.Exceptions.Of(exception);
            if (!found.IsOpen) continue;
            open--;
            if (found.Head.Kind != kind || found.Head.Deadline != deadline) continue;
            BeginOrderEvent(number, in order.Head, _subject.State, answers: false);
            _events.BeginBody(EventKind.ExceptionResolved);
            _events.Number(1, exception);
            _events.Bytes(2, resolution);
            EndEvent();
        }
    }

    /// <summary>
    /// Raises an exception: appends its event to those of the decision. Any decision may call it, before or after the event that answers the
    /// command, but outside of any event that has begun. The order may be the one that the decision is about, or another.
    /// </summary>
    /// <param name="kind">What happened.</param>
    /// <param name="grade">How grave.</param>
    /// <param name="owner">Who has to look into it.</param>
    /// <param name="order">Number of the order; 0: it is not about one order.</param>
    /// <param name="line">1-based line; 0: no one line.</param>
    /// <param name="sku">Number of the SKU; 0: no one SKU.</param>
    /// <param name="location">Number of the location; 0: no one location.</param>
    /// <param name="quantity">Units or minor units concerned; 0: not said.</param>
    /// <param name="deadline">Of a missed deadline: which.</param>
    /// <param name="detail">What else is known, at most <see cref="Limits.ExceptionTextBytes"/> of UTF-8; nothing personal.</param>
    private void RaiseException(ExceptionKind kind, Grade grade, Role owner, long order = 0, int line = 0, int sku = 0, int location = 0,
        long quantity = 0, DeadlineKind deadline = DeadlineKind.None, ReadOnlySpan<byte> detail = default)
    {
        BeginEvent();
        if (_command is not null) Origin(answers: false);
        if (order != 0)
        {
            if (_subject.Order != order)
            {
                ref readonly var head = ref state.Order(order).Head;
                _subject = new Subject(order, head.Channel, head.Customer, head.State);
            }
            WriteSubject(_subject.State);
        }
        _events.BeginBody(EventKind.ExceptionRaised);
        _events.Number(1, state.Exceptions.Rows.Count + ++_raised);
        _events.Number(2, (long)kind);
        _events.Number(3, (long)grade);
        _events.Number(4, (long)owner);
        _events.Number(5, line);
        _events.Number(6, sku);
        _events.Number(7, location);
        _events.Number(8, quantity);
        _events.Number(9, (long)deadline);
        _events.Bytes(10, detail);
        EndEvent();
    }
}
