// Random changes of accepted orders.

namespace OrderEngine.Core.Tests.Histories;

internal sealed partial class CommandMaker
{
    // Released about as often as placed: an order is rarely held for long.
    private Command Hold()
    {
        var held = model.Orders.Where(o => o.Holds.Any(IsForPeople)).TakeLast(20).ToList();
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
            Order = one.Number, Hold = _random.Next(6) == 0 ? AnyHold() : one.Holds.First(IsForPeople), RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.System),
            ExpectedVersion = Etag(one.Version),
        };
    }

    private static bool IsForPeople(OrderHolds hold) => hold != OrderHolds.Confirmation;

    private OrderHolds AnyHold() => (OrderHolds)(1 << _random.Next(4));

    // Mostly something of its own lines: more, fewer, another price; sometimes new lines, another date, another address, or all at once.
    private AmendOrder Amend()
    {
        var onAccount = _random.Next(2) == 0;
        var number = AnyOrder(o => o.State is (OrderState.Backordered or OrderState.PartiallyReserved or OrderState.Ready or OrderState.Fulfilling)
            && (!onAccount || o.Terms == PaymentTerms.Credit && o.Submitted.Customer != 0));
        var order = number > model.Orders.Count ? null : model.Orders[(int)number - 1];
        var fields = _random.Next(3) switch { 0 => (AmendedFields)_random.Next(1, 4), 1 => AmendedFields.Lines, _ => (AmendedFields)_random.Next(4, 8) };
        var lines = (fields & AmendedFields.Lines) != 0;
        return new AmendOrder(lines ? CommandKind.AmendLines : CommandKind.AmendOrder)
        {
            Order = number, Fields = fields, RequestedAt = _random.Next(3) == 0 ? 0 : model.Time + _random.Next(5) * Day, Lines = lines ? AmendedLines(order) : [],
            Delivery = SealedOf(number, 60), DeliveryVersion = _random.Next(10) == 0 ? 1 : order?.AmendedDelivery.Since ?? 0, DeliveryFields = 1 << _random.Next(1, 9),
            NoteRules = (fields & AmendedFields.Delivery) != 0 && _random.Next(6) == 0 ? [Bytes("urgent")] : [],
            RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Support), Reason = Bytes("ASKED"), ExpectedVersion = Etag(OrderVersion(number)),
        };
    }

    private AmendedLine[] AmendedLines(Model.ModelOrder? order)
    {
        var lines = new List<AmendedLine>();
        foreach (var line in order?.Lines ?? [])
        {
            if (_random.Next(3) == 0) continue;
            var quantity = _random.Next(5) switch { 0 => -1, 1 => 0, 2 => Math.Max(0, line.Ordered - _random.Next(1, 8)), _ => line.Ordered + _random.Next(0, 9) };
            lines.Add(new AmendedLine(line.Number, 0, quantity, _random.Next(3) > 0 ? -1 : _random.Next(200) == 0 ? 1_000_000_000_000 : _random.Next(0, _random.Next(3) == 0 ? 900_000 : 50_000)));
        }
        if (_random.Next(3) == 0) lines.Add(new AmendedLine(0, _random.Next(1, SkuCount + 1), _random.Next(1, 9), _random.Next(0, 900)));
        if (lines.Count == 0 || _random.Next(30) == 0) lines.Add(new AmendedLine((order?.Lines.Count ?? 0) + 1, 0, 1, -1));
        return [.. lines.OrderBy(_ => _random.Next())];
    }
}
