// Random changes of accepted orders.

namespace OrderEngine.Core.Tests.Histories;

internal sealed partial class CommandMaker
{
    // Released about as often as placed: an order is rarely held for long.
    private Command Hold()
    {
        var held = model.Orders.Where(o => o.Holds.Count > 0).TakeLast(20).ToList();
        if (held.Count == 0 || _random.Next(2) == 0)
        {
            var order = AnyOrder(o => o.Lines.Any(l => l.Reserved > 0));
            return new PlaceHold
            {
                Order = order, Hold = AnyHold(), RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Reviewer), Reason = Bytes("CHECK"),
                ExpectedVersion = Etag(OrderVersion(order)),
            };
        }
        var one = held[_random.Next(held.Count)];
        return new ReleaseHold
        {
            Order = one.Number, Hold = _random.Next(6) == 0 ? AnyHold() : one.Holds.First(), RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.System),
            ExpectedVersion = Etag(one.Version),
        };
    }

    private OrderHolds AnyHold() => (OrderHolds)(1 << _random.Next(4));
}
