// Random commands for the customer's sake. One thread.

namespace OrderEngine.Core.Tests.Histories;

internal sealed partial class CommandMaker
{
    // Mostly confirmations, so that orders of channels that ask for them get somewhere.
    private Command Care() => _random.Next(100) switch
    {
        < 2 => new EraseCustomer { Customer = _random.Next(1, CustomerCount + 1), RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Manager), Reason = Bytes("ASKED") },
        < 8 => Erase(),
        < 42 => ConfirmIt(),
        < 60 => Note(),
        < 74 => Complain(),
        < 90 => Answer(),
        _ => Rate(),
    };

    private EraseOrder Erase()
    {
        var order = AnyOrder(o => o.Submitted.Customer == 0);
        return new EraseOrder { Order = order, RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Support), ExpectedVersion = Etag(OrderVersion(order)) };
    }

    // Of a customer mostly under the key that the customer has, or is to have; rarely under another. Guests share keys now and then, as orders that replace others do.
    private SealedData Sealed(int customer, int bytes) => new(
        customer == 0 ? _random.Next(1, 1000) : _random.Next(40) == 0 ? 5_000 + _random.Next(3) : model.CustomerKeys.GetValueOrDefault(customer, 10_000 + customer), RandomBytes(bytes));

    private SealedData SealedOf(long order, int bytes) => Sealed(order > 0 && order <= model.Orders.Count ? model.Orders[(int)order - 1].Submitted.Customer : 0, bytes);

    private OpenComplaint Complain()
    {
        var order = AnyOrder(o => o.State is OrderState.Delivered or OrderState.Shipped);
        return new OpenComplaint
        {
            Order = order, Category = (ComplaintCategory)_random.Next(1, 9), Owner = (Role)_random.Next(1, 9), Text = SealedOf(order, 70),
            Return = ReturnFor(order), RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Customer), ExpectedVersion = Etag(OrderVersion(order)),
        };
    }

    private Command Answer()
    {
        var open = model.Complaints.Where(c => c.State != ComplaintState.Resolved).TakeLast(4).ToList();
        var number = open.Count == 0 || _random.Next(6) == 0 ? _random.Next(1, model.Complaints.Count + 3) : open[_random.Next(open.Count)].Number;
        var complaint = number > model.Complaints.Count ? null : model.Complaints[(int)number - 1];
        return _random.Next(3) == 0
            ? new AssignComplaint
            {
                Complaint = number, Owner = (Role)_random.Next(1, 9), Assignee = _random.Next(3) == 0 ? [] : Bytes($"staff-{_random.Next(1000)}"),
                RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Support), ExpectedVersion = Etag(complaint?.Version ?? 1),
            }
            : new ResolveComplaint
            {
                Complaint = number, Resolution = (ComplaintResolution)_random.Next(1, 7), Text = _random.Next(2) == 0 ? default : SealedOf(complaint?.Opened.Order ?? 0, 40),
                Return = ReturnFor(complaint?.Opened.Order ?? 0), RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Manager), ExpectedVersion = Etag(complaint?.Version ?? 1),
            };
    }

    // Mostly none, then mostly one of the order, if it has any.
    private long ReturnFor(long order) => _random.Next(2) == 0 ? 0
        : _random.Next(8) == 0 ? _random.Next(1, model.Returns.Count + 2) : model.Returns.LastOrDefault(r => r.Order == order)?.Number ?? 0;

    private RecordFeedback Rate()
    {
        var order = AnyOrder(o => o.State is OrderState.Delivered or OrderState.Completed);
        return new RecordFeedback
        {
            Order = order, Rating = _random.Next(1, 6), Text = _random.Next(2) == 0 ? default : SealedOf(order, 80),
            RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Customer), ExpectedVersion = Etag(OrderVersion(order)),
        };
    }

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
            Order = order, Text = SealedOf(order, 50), NoteRules = _random.Next(8) == 0 ? [Bytes("urgent"), Bytes("second")] : [],
            RequestKey = Key(), BodyDigest = Digest(), Actor = Bytes("desk-2"), Role = Of(Role.Support), ExpectedVersion = Etag(OrderVersion(order)),
        };
    }

    private OrderExtras SomeExtras(int customer) => new()
    {
        Attributes = [.. Enumerable.Range(0, _random.Next(4)).Select(i => new OrderAttribute(Bytes($"key.{i}"), Bytes(new string('v', _random.Next(0, 200)))))],
        SpecialRequests = _random.Next(2) == 0 ? Sealed(customer, _random.Next(40, 900)) : default,
    };
}
