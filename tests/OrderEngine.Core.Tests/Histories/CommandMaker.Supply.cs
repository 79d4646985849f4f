// Random commands on stock policies, announced supply and transfers. One thread.

namespace OrderEngine.Core.Tests.Histories;

internal sealed partial class CommandMaker
{
    private Command Supply() => _random.Next(10) switch
    {
        0 or 1 => new SetStockPolicy
        {
            Sku = _random.Next(1, SkuCount + 1), Location = _random.Next(1, LocationCount + 1), Safety = _random.Next(3) == 0 ? _random.Next(8) : 0,
            ReorderPoint = _random.Next(2) * _random.Next(12), RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Manager),
        },
        2 or 3 => Announce(),
        4 => Reannounce(),
        5 or 6 => Transfer(),
        _ => Receipt(),
    };

    // Mostly what was asked for, or some of it.
    private AnnounceIncoming Announce()
    {
        var open = Enumerable.Range(1, model.Requests.Count).Where(n => model.Requests[n - 1].Quantity > 0).ToList();
        if (open.Count == 0 || _random.Next(3) == 0) return AnnounceAny();
        var number = open[_random.Next(open.Count)];
        var request = model.Requests[number - 1];
        return new AnnounceIncoming
        {
            Sku = request.Sku, Location = request.Location == 0 || _random.Next(4) == 0 ? _random.Next(1, LocationCount + 1) : request.Location, Supply = SupplyKind.Purchase,
            Quantity = (int)Math.Max(1, request.Quantity + _random.Next(-8, 3)), ExpectedAt = model.Time + _random.Next(1, 10) * Day, Request = number,
            RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Warehouse),
        };
    }

    private AnnounceIncoming AnnounceAny() => new()
    {
        Sku = _random.Next(1, SkuCount + 1), Location = _random.Next(1, LocationCount + 1), Supply = _random.Next(2) == 0 ? SupplyKind.Purchase : SupplyKind.Production,
        Quantity = _random.Next(1, 30), ExpectedAt = model.Time + _random.Next(1, 10) * Day, Reference = Bytes($"PO-{_random.Next(9)}"),
        Request = _random.Next(8) == 0 ? _random.Next(1, model.Requests.Count + 3) : 0,
        RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Warehouse),
    };

    private AnnounceIncoming Reannounce()
    {
        var number = AnyIncoming();
        return new AnnounceIncoming
        {
            Incoming = number, Quantity = _random.Next(0, 20), ExpectedAt = model.Time + _random.Next(1, 10) * Day,
            RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Warehouse), ExpectedVersion = Etag(number <= model.Incoming.Count ? model.Incoming[(int)number - 1].Version : 1),
        };
    }

    private TransferStock Transfer()
    {
        var from = _random.Next(1, LocationCount + 1);
        var sku = _random.Next(1, SkuCount + 1);
        var free = (int)Math.Clamp(model.Stock.GetValueOrDefault((sku, from))?.Free ?? 0, 0, 30);
        return new TransferStock
        {
            Sku = sku, From = from, To = from % LocationCount + 1, Quantity = _random.Next(1, free + 3), ExpectedAt = model.Time + _random.Next(1, 5) * Day,
            Request = _random.Next(6) == 0 ? _random.Next(1, model.Requests.Count + 3) : 0, Reference = Bytes("T"), RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Warehouse),
        };
    }

    // Mostly what was announced, a little more or less of it; sometimes another place or SKU.
    private ReceiveStock Receipt()
    {
        var number = AnyIncoming();
        var incoming = number <= model.Incoming.Count ? model.Incoming[(int)number - 1] : null;
        return new ReceiveStock
        {
            Incoming = number, Location = incoming is null || _random.Next(10) == 0 ? 1 : incoming.Location,
            Items = [new SkuQuantity(incoming is null || _random.Next(10) == 0 ? 1 : incoming.Sku, Math.Max(1, (incoming?.Open ?? 1) + _random.Next(-8, 2)))],
            RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Warehouse),
        };
    }

    private long AnyIncoming()
    {
        var open = Enumerable.Range(1, model.Incoming.Count).Where(n => model.Incoming[n - 1].Open > 0).ToList();
        return open.Count == 0 || _random.Next(10) == 0 ? _random.Next(1, model.Incoming.Count + 3) : open[_random.Next(open.Count)];
    }
}
