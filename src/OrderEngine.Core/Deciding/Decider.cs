// Deciding: from the state and a command to an outcome and the events that follow, written straight into the batch's buffer.
// Changes nothing but that buffer. Writer thread only. One ladder a command: refuse early, then write what must happen.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

/// <summary>Decides commands. The event that answers a command is where <see cref="AnswerOffset"/> says.</summary>
internal sealed partial class Decider(EngineState state)
{
    private readonly Allocator _allocator = new(state);
    private EventBuffer _events = new(0);
    private Command _command = null!;
    private long _now;
    private long _sequence;

    /// <summary>Where the event that answers the command begins in the buffer; -1 when it has none.</summary>
    public int AnswerOffset { get; private set; }

    /// <summary>Bytes of the event that answers the command.</summary>
    public int AnswerLength { get; private set; }

    /// <summary>Decides one command; role and request id have been looked at.</summary>
    public Outcome Decide(Command command, long now, EventBuffer events)
    {
        Start(command, now, events);
        return command switch
        {
            SubmitOrder submit => Submit(submit),
            CancelOrder cancel => Cancel(cancel),
            ApproveOrder approve => Approve(approve),
            RejectOrder reject => Reject(reject),
            RecordPayment payment => Record(payment),
            RecordRefund refund => Record(refund),
            AmendOrder amend => Amend(amend),
            PlaceHold hold => Place(hold),
            ReleaseHold hold => Release(hold),
            ResolveException resolve => Resolve(resolve),
            SetDeadlines set => Define(set),
            ReleaseShipment release => Release(release),
            ConfirmShipment confirm => Confirm(confirm),
            RecallShipment recall => Recall(recall),
            RecordDelivery delivery => Deliver(delivery),
            RecordLoss loss => Lose(loss),
            CreateReservation create => Create(create),
            ExtendReservation extend => Extend(extend),
            ReleaseReservation release => Release(release),
            ReceiveStock receive => Receive(receive),
            AdjustStock adjust => Adjust(adjust),
            SetStockPolicy policy => Set(policy),
            AnnounceIncoming announce => announce.Incoming == 0 ? Announce(announce) : Change(announce),
            TransferStock transfer => Transfer(transfer),
            RequestReturn request => Request(request),
            ReturnStep step => Step(step),
            CarryReturn carry => Carry(carry),
            ReceiveReturn receive => Receive(receive),
            ArchiveOrders archive => Archive(archive),
            RestoreOrder restore => Restore(restore),
            ConfirmOrder confirm => Confirm(confirm),
            AddNote note => Add(note),
            OpenComplaint complaint => Open(complaint),
            AssignComplaint assign => Assign(assign),
            ResolveComplaint resolve => Resolve(resolve),
            RecordFeedback feedback => Record(feedback),
            EraseCustomer erase => Erase(erase),
            EraseOrder erase => Erase(erase),
            DefineSku sku => Define(sku),
            DefineLocation location => Define(location),
            DefineChannel channel => Define(channel),
            DefineCustomer customer => Define(customer),
            SetReviewRules set => Define(set),
            _ => throw new ArgumentException($"The core does not know {command.GetType().Name}.", nameof(command)),
        };
    }

    /// <summary>Writes the event that ends a reservation whose time has run out.</summary>
    private void Expire(long reservation)
    {
        BeginEvent();
        _events.BeginBody(EventKind.ReservationExpired);
        _events.Number(1, reservation);
        EndEvent();
    }

    private void RemindOfHold(long reservation, long expires)
    {
        BeginEvent();
        _events.BeginBody(EventKind.ReservationReminded);
        _events.Number(1, reservation);
        _events.Number(2, expires);
        EndEvent();
    }

    private void Start(Command command, long now, EventBuffer events)
    {
        _command = command;
        _now = now;
        _events = events;
        _sequence = state.Sequence;
        AnswerOffset = -1;
        AnswerLength = 0;
        _subject = default;
        _raised = 0;
    }

    /// <summary>Refuses for good: recorded under the request id.</summary>
    private Outcome Refuse(Outcome outcome, long subject = 0, ReadOnlySpan<Shortfall> shortfalls = default, OrderState before = OrderState.None,
        OrderHolds holds = OrderHolds.None, ReturnState returnState = ReturnState.None, int line = 0)
    {
        BeginEvent();
        Origin();
        _events.Number(7, (long)before);
        _events.BeginBody(EventKind.RequestRefused);
        _events.Number(1, (long)outcome);
        WriteShortages(2, shortfalls, withAllowed: true);
        _events.Number(3, subject);
        _events.Number(60, (long)returnState);
        _events.Number(80, (long)holds);
        _events.Number(81, line);
        EndAnswer();
        return outcome;
    }

    private int _eventStart;

    private void BeginEvent()
    {
        _eventStart = _events.BeginEvent();
        _events.Number(1, ++_sequence);
        _events.Number(2, _now);
    }

    /// <summary>Begins an event of an order. One decision may write several of the same order: each goes on from the state that the one before left.</summary>
    private void BeginOrderEvent(long order, in OrderHead head, OrderState after, bool answers = true)
    {
        BeginEvent();
        if (_command is not null) Origin(answers);
        if (_subject.Order != order) _subject = new Subject(order, head.Channel, head.Customer, head.State);
        WriteSubject(after);
    }

    private void WriteSubject(OrderState after)
    {
        _events.Number(4, _subject.Order);
        _events.Number(5, _subject.Channel);
        _events.Number(6, _subject.Customer);
        _events.Number(7, (long)_subject.State);
        _events.Number(8, (long)after);
        if (after != _subject.State && WaitIn(after) is > 0 and var wait) _events.Number(9, _now + wait);
        _subject = _subject with { State = after };
    }

    // The order of the decision's last event of an order, as that event leaves it.
    private Subject _subject;

    private readonly record struct Subject(long Order, int Channel, int Customer, OrderState State);

    // Who asked, and the request id under which the answer is kept. An event that does not answer carries no id.
    private void Origin(bool answers = true)
    {
        var nested = _events.BeginNested(3);
        if (answers && _command.RequestKey != 0)
        {
            _events.Wide(1, _command.RequestKey);
            _events.Wide(2, _command.BodyDigest);
        }
        _events.Bytes(3, _command.Actor);
        _events.Number(4, (long)_command.Role);
        _events.Bytes(5, _command.Reason);
        _events.EndNested(nested);
    }

    private void EndEvent() => _events.EndEvent();

    private void EndAnswer()
    {
        _events.EndEvent();
        AnswerOffset = _eventStart;
        AnswerLength = _events.Length - _eventStart;
    }

    /// <summary>A nested message { 1: what, 2: quantity }.</summary>
    private void Quantity(int field, int what, long quantity)
    {
        var nested = _events.BeginNested(field);
        _events.Number(1, what);
        _events.Number(2, quantity);
        _events.EndNested(nested);
    }

    /// <summary>A nested message { 1: line, 2: location, 3: quantity }.</summary>
    private void Movement(int field, int line, int location, int quantity)
    {
        var nested = _events.BeginNested(field);
        _events.Number(1, line);
        _events.Number(2, location);
        _events.Number(3, quantity);
        _events.EndNested(nested);
    }

    private void Sealed(int field, in SealedData data)
    {
        if (data.Key == 0) return;
        var nested = _events.BeginNested(field);
        _events.Number(1, data.Key);
        _events.Bytes(2, data.Ciphertext);
        _events.EndNested(nested);
    }
}
