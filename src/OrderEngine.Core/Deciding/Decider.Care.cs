// Deciding what is asked for the customer's sake: confirmation, notes.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    private static long ConfirmationWait(in ChannelLimits limits) =>
        (limits.ConfirmationDueSeconds != 0 ? limits.ConfirmationDueSeconds : Limits.DefaultConfirmationDueSeconds) * 1_000_000;

    private void WriteExtras(OrderExtras extras)
    {
        if (extras.Attributes.Length > 0)
        {
            var all = _events.BeginNested(241);
            foreach (var attribute in extras.Attributes)
            {
                var nested = _events.BeginNested(1);
                _events.Bytes(1, attribute.Key);
                _events.Bytes(2, attribute.Value);
                _events.EndNested(nested);
            }
            _events.EndNested(all);
        }
        Sealed(PersonalFields.SubmittedSpecialRequests, extras.SpecialRequests);
    }

    private Outcome Confirm(ConfirmOrder confirm)
    {
        var refusal = FindOrder(confirm.Order, out var order);
        if (refusal != Outcome.Ok) return refusal;
        if ((order.Head.Holds & OrderHolds.Confirmation) == 0) return Refuse(Outcome.NothingToConfirm, confirm.Order);
        BeginOrderEvent(confirm.Order, in order.Head, order.Head.State);
        _events.BeginBody(EventKind.OrderConfirmed);
        _events.Number(2, (long)(order.Head.Holds & ~OrderHolds.Confirmation));
        EndAnswer();
        return Outcome.Ok;
    }

    private Outcome Add(AddNote note)
    {
        var refusal = FindOrder(note.Order, out var order);
        if (refusal != Outcome.Ok) return refusal;
        refusal = MayTake(order.Head.Customer, note.Text, note.Order, order.Head.Details);
        if (refusal != Outcome.Ok) return refusal;
        if (order.Head.Notes >= Limits.NotesPerOrder) return Outcome.NoteLimitReached;
        BeginOrderEvent(note.Order, in order.Head, order.Head.State);
        _events.BeginBody(EventKind.NoteAdded);
        Sealed(PersonalFields.NoteText, note.Text);
        _events.Number(2, (long)(order.Head.Holds | HoldFor(note, in order.Head)));
        foreach (var rule in note.NoteRules) _events.Bytes(3, rule);
        EndAnswer();
        return Outcome.Ok;
    }

    // The keyword that would have held the order for review at intake holds it now, while anything of it can still go to the warehouse.
    private static OrderHolds HoldFor(AddNote note, in OrderHead head) =>
        note.NoteRules.Length > 0 && Transitions.Allows(CommandKind.PlaceHold, head.State) && head.State is not (OrderState.Shipped or OrderState.Delivered)
            ? OrderHolds.Manual : OrderHolds.None;
}
