// Random entries of the catalog, and rules.

namespace OrderEngine.Core.Tests.Histories;

internal sealed partial class CommandMaker
{
    // Few rules at a time and strict ones, so that most orders pass.
    private SetReviewRules ReviewRules()
    {
        var rules = new List<ReviewRule>();
        if (_random.Next(2) == 0) rules.Add(new ReviewRule(Bytes("big"), ReviewCondition.OrderValue) { Amount = 1_000_000, CurrencyCode = Currency.Pack("EUR"u8) });
        if (_random.Next(3) == 0) rules.Add(new ReviewRule(Bytes("other"), ReviewCondition.OrderValue) { Amount = 1, CurrencyCode = Currency.Pack("USD"u8) });
        if (_random.Next(2) == 0) rules.Add(new ReviewRule(Bytes("credit"), ReviewCondition.CreditExposure));
        if (_random.Next(2) == 0) rules.Add(new ReviewRule(Bytes("risky"), ReviewCondition.RiskRating) { Threshold = _random.Next(5, 10), Channels = _random.Next(2) == 0 ? [2, 4] : [] });
        if (_random.Next(3) == 0) rules.Add(new ReviewRule(Bytes("new"), ReviewCondition.NewCustomer) { Threshold = _random.Next(1, 5), Channels = [3] });
        if (_random.Next(3) == 0) rules.Add(new ReviewRule(Bytes("cod"), ReviewCondition.PaymentTerms) { Terms = [PaymentTerms.CashOnDelivery], Channels = [_random.Next(1, ChannelCount + 1)] });
        if (_random.Next(2) == 0) rules.Add(new ReviewRule(Bytes("urgent"), ReviewCondition.NoteKeyword) { Keywords = ["加急", "custom"] });
        return new SetReviewRules { Rules = [.. rules], RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Manager), ExpectedVersion = Etag(Math.Max(1, model.ReviewRulesEntry.Version)) };
    }

    private long Wait() => _random.Next(5) == 0 ? 0 : _random.Next(60, _random.Next(3) == 0 ? 100_000 : 3_000);

    private ChannelLimits Bounds() => _random.Next(2) == 0 ? default : new ChannelLimits(
        _random.Next(3) == 0 ? _random.Next(100_000, 2_000_000) : 0, Currency.Pack(_random.Next(4) == 0 ? "USD"u8 : "EUR"u8), _random.Next(3) == 0 ? _random.Next(2, 8) : 0,
        Wait(), Wait(), Wait(),
        _random.Next(4) == 0 ? _random.Next(600, 80_000) : 0, _random.Next(3) == 0, Wait());

    private Command Define() => _random.Next(6) switch
    {
        0 => new DefineSku
        {
            Id = Bytes($"SKU-{_random.Next(1, SkuCount + 1)}"), Name = Bytes($"name {_random.Next(2)}"), Model = Bytes("m"), Specification = Bytes("s"), Category = Bytes(_ids % 3 == 0 ? "tools" : "c"), Unit = Bytes("box"),
            Price = 5, LeadTimeSeconds = 60, Substitutes = [1, 2], Replenishment = _random.Next(2) == 0 ? SupplyKind.None : SupplyKind.Production, RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Support),
            ExpectedVersion = Etag(model.Skus.Values.ElementAt(_random.Next(model.Skus.Count)).Version),
        },
        1 => new DefineLocation
        {
            Id = Bytes(model.LocationIds[_random.Next(1, LocationCount + 1)]), Region = _random.Next(3) == 0 ? [] : Bytes(AnyRegion()), Priority = _random.Next(3), RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Warehouse),
        },
        2 => new DefineChannel
        {
            Id = Bytes($"channel-{_random.Next(1, ChannelCount + 1)}"),
            AllowedLocations = [.. Enumerable.Range(1, LocationCount).Where(_ => _random.Next(3) > 0)],
            Sourcing = (SourcingRule)_random.Next(3), DefaultPolicy = (AllocationPolicy)_random.Next(5), DefaultShipping = (ShippingPolicy)_random.Next(3), DefaultTerms = (PaymentTerms)_random.Next(5), Limits = Bounds(),
            RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Manager),
        },
        3 => ReviewRules(),
        4 => Deadlines(),
        _ => Customer(_random.Next(1, CustomerCount + 1)),
    };

    private DefineCustomer Customer(int number) => new()
    {
        RiskRating = _random.Next(10), Terms = (PaymentTerms)_random.Next(5), CreditLimit = _random.Next(3) * 1_000_000, CreditCurrency = _random.Next(3) == 0 ? 0 : Currency.Pack("EUR"u8),
        Id = Bytes($"C{number}"), Tier = _random.Next(10), Details = _random.Next(2) == 0 ? default : Sealed(number, 40),
        RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Channel),
    };
}
