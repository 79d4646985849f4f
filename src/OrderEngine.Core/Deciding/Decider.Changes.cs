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
        return WriteHold(EventKind.HoldPlaced, hold.Order, order, hold.Hold, order.Head.Holds | hold.Hold);
    }

    private Outcome Release(ReleaseHold hold)
    {
        var refusal = FindOrder(hold.Order, out var order);
        if (refusal != Outcome.Ok) return refusal;
        if ((order.Head.Holds & hold.Hold) == 0) return Refuse(Outcome.HoldNotOpen, hold.Order);
        var open = order.Head.Holds & ~hold.Hold;
        WriteHold(EventKind.HoldReleased, hold.Order, order, hold.Hold, open);
        if ((open & (OrderHolds.Risk | OrderHolds.Credit)) == 0) ResolveOpen(hold.Order, order, ExceptionKind.ReviewDue, DeadlineKind.None, "released"u8);
        return Outcome.Ok;
    }

    private Outcome WriteHold(EventKind kind, long number, OrderView order, OrderHolds hold, OrderHolds open)
    {
        BeginOrderEvent(number, in order.Head, order.Head.State);
        _events.BeginBody(kind);
        _events.Number(1, (long)hold);
        _events.Number(2, (long)open);
        EndAnswer();
        return Outcome.Ok;
    }
}
