// Random commands for the customer's sake. One thread.

namespace OrderEngine.Core.Tests.Histories;

internal sealed partial class CommandMaker
{
    // Mostly confirmations, so that orders of channels that ask for them get somewhere.
    private Command Care() => _random.Next(100) switch
    {
        < 60 => ConfirmIt(),
        _ => Note(),
    };

    private ConfirmOrder ConfirmIt()
    {
        var order = AnyOrder(o => o.Holds.Contains(OrderHolds.Confirmation));
        return new ConfirmOrder { Order = order, RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Customer), ExpectedVersion = Etag(OrderVersion(order)) };
    }

    private AddNote Note()
    {
        var order = AnyOrder(_ => true);
        return new AddNote
        {
            Order = order, Text = new SealedData(_random.Next(1, 1000), RandomBytes(50)), NoteRules = _random.Next(8) == 0 ? [Bytes("urgent"), Bytes("second")] : [],
            RequestKey = Key(), BodyDigest = Digest(), Actor = Bytes("desk-2"), Role = Of(Role.Support), ExpectedVersion = Etag(OrderVersion(order)),
        };
    }

    private OrderExtras SomeExtras() => new()
    {
        Attributes = [.. Enumerable.Range(0, _random.Next(4)).Select(i => new OrderAttribute(Bytes($"key.{i}"), Bytes(new string('v', _random.Next(0, 200)))))],
        SpecialRequests = _random.Next(2) == 0 ? new SealedData(_random.Next(1, 1000), RandomBytes(_random.Next(40, 900))) : default,
    };
}
