// The model's changes of accepted orders: holds. One thread.

namespace OrderEngine.Core.Tests.Model;

internal sealed partial class NaiveModel
{
    private static readonly OrderState[] NotAtTheirEnd =
    [
        OrderState.PendingReview, OrderState.AwaitingPayment, OrderState.Backordered, OrderState.PartiallyReserved, OrderState.Ready, OrderState.Fulfilling,
        OrderState.PartiallyShipped, OrderState.Shipped, OrderState.Delivered,
    ];

    private Outcome Place(PlaceHold hold)
    {
        var refusal = Find(hold.Order, hold.ExpectedVersion, NotAtTheirEnd, out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (!order.Holds.Add(hold.Hold)) return Outcome.HoldAlreadyOpen;
        Change(order);
        return Outcome.Ok;
    }

    private Outcome Release(ReleaseHold hold)
    {
        var refusal = Find(hold.Order, hold.ExpectedVersion, NotAtTheirEnd, out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (!order.Holds.Remove(hold.Hold)) return Outcome.HoldNotOpen;
        Change(order);
        return Outcome.Ok;
    }
}
