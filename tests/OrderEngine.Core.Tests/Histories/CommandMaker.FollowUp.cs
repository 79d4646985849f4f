// Random deadlines, and ends of exceptions.

namespace OrderEngine.Core.Tests.Histories;

internal sealed partial class CommandMaker
{
    // Short ones, so that they pass; now and then none at all.
    private SetDeadlines Deadlines()
    {
        long After() => _random.Next(4) == 0 ? 0 : _random.Next(1, _random.Next(3) == 0 ? 90_000 : 3_000);
        OrderState[] states = [OrderState.Backordered, OrderState.PartiallyReserved, OrderState.Ready, OrderState.Fulfilling, OrderState.PartiallyShipped, OrderState.Shipped, OrderState.AwaitingPayment];
        return new SetDeadlines
        {
            ReleaseSeconds = After(), DeliverySeconds = After(), RemindSeconds = _random.Next(3) == 0 ? 0 : _random.Next(1, 2_000),
            PaymentSeconds = After(), CashSeconds = After(), ReturnArrivalSeconds = After(), ReturnCloseSeconds = After(), EarmarkSeconds = After(),
            Stalls = [.. states.Where(_ => _random.Next(3) == 0).Select(state => new StallTime(state, _random.Next(1, 4_000)))],
            RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Manager), ExpectedVersion = Etag(Math.Max(1, model.DeadlinesEntry.Version)),
            HoldRemindSeconds = _random.Next(3) == 0 ? 0 : _random.Next(1, 1_500),
        };
    }

    private ResolveException Resolve()
    {
        var number = _random.Next(15) == 0 ? model.Exceptions.Count + 1L : _random.Next(1, Math.Max(1, model.Exceptions.Count) + 1);
        var open = model.Exceptions.FindLastIndex(exception => exception.Open);
        if (open >= 0 && _random.Next(3) > 0) number = open + 1;
        return new ResolveException
        {
            Exception = number, Resolution = _random.Next(2) == 0 ? Bytes("called the buyer") : [], RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Warehouse),
            Actor = Bytes("anna"), ExpectedVersion = number > model.Exceptions.Count ? 0 : Etag(model.Exceptions[(int)number - 1].Version),
        };
    }
}
