// Random commands on what comes after the sale. One thread.

using OrderEngine.Core.Tests.Model;

namespace OrderEngine.Core.Tests.Histories;

internal sealed partial class CommandMaker
{
    private Command AfterSale() => _random.Next(100) switch
    {
        < 35 => AskBack(),
        < 50 => Step(_random.Next(6) == 0 ? CommandKind.RejectReturn : CommandKind.ApproveReturn, ReturnState.Requested),
        < 57 => Carry(CommandKind.SendReturn, ReturnState.Approved),
        < 79 => TakeBack(),
        < 85 => Step(CommandKind.RecordRepair, ReturnState.Received),
        < 91 => Carry(CommandKind.ShipBackReturn, ReturnState.Repaired),
        _ => Step(CommandKind.CloseReturn, _random.Next(3) == 0 ? ReturnState.ShippedBack : ReturnState.Received),
    };

    private RequestReturn AskBack()
    {
        var order = AnyOrder(o => o.Lines.Any(l => l.Shipped > l.Returned));
        return new RequestReturn
        {
            Order = order,
            ExternalId = _random.Next(3) == 0 ? Bytes($"RMA{_random.Next(2)}") : [],
            Lines = _random.Next(4) == 0 ? [] : LinesOf(order, line => line.Shipped - line.Lost - line.Returned - model.ToComeBack(order, line.Number)),
            Replacements = _random.Next(3) == 0 ? Lines() : [],
            RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Customer), Reason = Bytes("TOO_SMALL"), ExpectedVersion = Etag(OrderVersion(order)),
        };
    }

    private ReturnStep Step(CommandKind kind, ReturnState from)
    {
        var number = AnyReturn(r => r.State == from && (kind != CommandKind.RecordRepair || r.HasRepairs));
        return new ReturnStep(kind)
        {
            Return = number, RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Warehouse), ExpectedVersion = Etag(ReturnVersion(number)),
        };
    }

    private CarryReturn Carry(CommandKind kind, ReturnState from)
    {
        var number = AnyReturn(r => r.State == from);
        return new CarryReturn(kind)
        {
            Return = number, Carrier = Bytes("UPS"), TrackingNumber = Bytes($"B{_random.Next()}"), RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Warehouse),
            ExpectedVersion = Etag(ReturnVersion(number)),
        };
    }

    private ReceiveReturn TakeBack()
    {
        var number = AnyReturn(r => r.State is ReturnState.Approved or ReturnState.InTransit or ReturnState.Received && r.Requested.Any(line => line.Value > r.Came(line.Key)));
        var units = new List<ReturnedUnits>();
        if (number > 0 && number <= model.Returns.Count)
        {
            var asked = model.Returns[(int)number - 1];
            foreach (var (line, quantity) in asked.Requested)
            {
                var expected = quantity - asked.Came(line);
                if (expected == 0 || _random.Next(5) == 0) continue;
                var some = _random.Next(1, expected + (_random.Next(12) == 0 ? 3 : 1));
                units.Add(new ReturnedUnits(line, some, (Disposition)_random.Next(1, 5)));
                if (some < expected && _random.Next(2) == 0) units.Add(new ReturnedUnits(line, expected - some, (Disposition)(1 + (int)units[^1].Disposition % 4)));
            }
        }
        if (units.Count == 0) units.Add(new ReturnedUnits(_random.Next(1, 4), 1, Disposition.Restock));
        return new ReceiveReturn
        {
            Return = number, Location = _random.Next(1, LocationCount + 1), Units = [.. units], RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Warehouse),
            ExpectedVersion = Etag(ReturnVersion(number)),
        };
    }

    private long AnyReturn(Func<ModelReturn, bool> fits)
    {
        var count = model.Returns.Count;
        if (count == 0 || _random.Next(60) == 0) return count + _random.Next(1, 4);
        if (_random.Next(8) == 0) return _random.Next(1, count + 1);
        var fitting = model.Returns.Where(fits).TakeLast(6).ToList();
        return fitting.Count == 0 ? count : fitting[_random.Next(fitting.Count)].Number;
    }

    private long ReturnVersion(long number) => number > model.Returns.Count ? 1 : model.Returns[(int)number - 1].Version;
}
