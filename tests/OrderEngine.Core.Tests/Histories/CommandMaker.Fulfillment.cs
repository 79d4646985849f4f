// Random reports of the warehouse and the carrier.

using OrderEngine.Core.Tests.Model;

namespace OrderEngine.Core.Tests.Histories;

internal sealed partial class CommandMaker
{
    private ReleaseShipment Release()
    {
        var order = AnyOrder(o => o.Lines.Any(l => l.Reserved > 0));
        return new ReleaseShipment
        {
            Order = order, Lines = _random.Next(2) == 0 ? [] : MovesOf(order, a => a.Reserved),
            RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Warehouse), ExpectedVersion = Etag(OrderVersion(order)),
        };
    }

    private ConfirmShipment Confirm()
    {
        var order = AnyOrder(o => o.Lines.Any(l => l.Released > 0));
        return new ConfirmShipment
        {
            Order = order, Lines = _random.Next(3) == 0 ? [] : MovesOf(order, a => a.Released), Short = _random.Next(5) == 0 ? ShortOf(order) : [], Carrier = Bytes("DPD"), TrackingNumber = Bytes($"T{_random.Next()}"),
            RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Warehouse), ExpectedVersion = Etag(OrderVersion(order)),
        };
    }

    private RecordDelivery Deliver()
    {
        var order = AnyOrder(o => o.Lines.Any(l => l.Shipped > l.Delivered + l.Lost));
        return new RecordDelivery
        {
            Order = order, Lines = _random.Next(2) == 0 ? [] : LinesOf(order, line => line.Shipped - line.Delivered - line.Lost), Parcel = AnyParcel(order),
            RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Carrier), ExpectedVersion = Etag(OrderVersion(order)),
        };
    }

    private RecordLoss Lose()
    {
        var order = AnyOrder(o => o.Lines.Any(l => l.Shipped > l.Delivered + l.Lost));
        return new RecordLoss
        {
            Order = order, Lines = _random.Next(2) == 0 ? [] : LinesOf(order, line => line.Shipped - line.Delivered - line.Lost), Parcel = AnyParcel(order),
            RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Carrier), ExpectedVersion = Etag(OrderVersion(order)),
        };
    }

    private RecallShipment Recall()
    {
        var order = AnyOrder(o => o.Lines.Any(l => l.Released > 0));
        return new RecallShipment
        {
            Order = order, Lines = _random.Next(2) == 0 ? [] : MovesOf(order, a => a.Released),
            RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Warehouse), ExpectedVersion = Etag(OrderVersion(order)),
        };
    }

    private LineMovement[] MovesOf(long number, Func<ModelAllocation, int> units)
    {
        if (number <= 0 || number > model.Orders.Count) return [new LineMovement(1, 1, 1)];
        var allocations = model.Orders[(int)number - 1].Allocations.Where(a => units(a) > 0).ToList();
        var location = allocations.Count == 0 ? 1 : allocations[_random.Next(allocations.Count)].Location;
        var mixed = _random.Next(10) == 0;
        var moves = allocations.Where(a => a.Location == location || mixed)
            .Select(a => new LineMovement(a.Line, a.Location, _random.Next(8) == 0 ? _random.Next(1, units(a) + 3) : units(a))).ToArray();
        return moves.Length > 0 ? moves : [new LineMovement(1, _random.Next(1, LocationCount + 1), 1)];
    }

    // Some of what is released somewhere, a line at most once; now and then more than there is.
    private ShortPick[] ShortOf(long number)
    {
        if (number <= 0 || number > model.Orders.Count) return [new ShortPick(1, 1, 1, ShortPickCause.Missing)];
        var released = model.Orders[(int)number - 1].Allocations.Where(a => a.Released > 0).ToList();
        var location = released.Count == 0 ? 1 : released[_random.Next(released.Count)].Location;
        return [.. released.Where(a => a.Location == location && _random.Next(2) == 0)
            .Select(a => new ShortPick(a.Line, a.Location, _random.Next(10) == 0 ? a.Released + 1 : _random.Next(1, a.Released + 1), (ShortPickCause)_random.Next(3)))];
    }

    // Mostly any, else mostly one that there is.
    private int AnyParcel(long number) =>
        _random.Next(2) == 0 || number <= 0 || number > model.Orders.Count ? 0 : _random.Next(1, model.Orders[(int)number - 1].Parcels.Count + (_random.Next(10) == 0 ? 4 : 2));
}
