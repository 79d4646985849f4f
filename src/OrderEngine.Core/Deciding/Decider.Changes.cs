// Deciding what those ask who look after an accepted order: holds.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    private Outcome Place(PlaceHold hold)
    {
        var refusal = FindOrder(hold.Order, out var order);
        if (refusal != Outcome.Ok) return refusal;
        if ((order.Head.Holds & hold.Hold) != 0) return Refuse(Outcome.HoldAlreadyOpen, hold.Order);
        WriteHold(EventKind.HoldPlaced, hold.Order, in order.Head, order.Head.State, hold.Hold, order.Head.Holds | hold.Hold);
        return Outcome.Ok;
    }

    private Outcome Release(ReleaseHold hold)
    {
        var refusal = FindOrder(hold.Order, out var order);
        if (refusal != Outcome.Ok) return refusal;
        if ((order.Head.Holds & hold.Hold) == 0) return Refuse(Outcome.HoldNotOpen, hold.Order);
        var open = order.Head.Holds & ~hold.Hold;
        WriteHold(EventKind.HoldReleased, hold.Order, in order.Head, order.Head.State, hold.Hold, open);
        if ((open & (OrderHolds.Risk | OrderHolds.Credit)) == 0) ResolveOpen(hold.Order, order, ExceptionKind.ReviewDue, DeadlineKind.None, "released"u8);
        return Outcome.Ok;
    }

    private void WriteHold(EventKind kind, long number, in OrderHead head, OrderState after, OrderHolds hold, OrderHolds open, bool answers = true)
    {
        BeginOrderEvent(number, in head, after, answers);
        _events.BeginBody(kind);
        _events.Number(1, (long)hold);
        _events.Number(2, (long)open);
        if (answers) EndAnswer();
        else EndEvent();
    }
}
