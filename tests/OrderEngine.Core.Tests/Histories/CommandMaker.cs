// Makes random commands that fit what the model holds, so that shortages, splits, queues, expiries, retries, stale etags, wrong roles and
// unknown objects all happen. Everything about one command follows from its seed and the model. One thread.

using System.Text;
using OrderEngine.Core.Tests.Model;

namespace OrderEngine.Core.Tests.Histories;

internal sealed partial class CommandMaker(NaiveModel model)
{
    public const int SkuCount = 6, LocationCount = 4, ChannelCount = 5, CustomerCount = 5;
    public const long Second = 1_000_000, Hour = 3600 * Second, Day = 24 * Hour;

    private const int Remembered = 300;
    private readonly List<Command> _past = [];
    private Random _random = new(0);
    private ulong _ids;

    /// <summary>The catalog that every history begins with. Names are not in the order of the numbers.</summary>
    public static IEnumerable<Command> Catalog()
    {
        for (var i = 1; i <= SkuCount; i++) yield return new DefineSku { Id = Bytes($"SKU-{i}"), Category = Bytes(i == 1 ? "" : i % 2 == 0 ? "tools" : "toys"), Price = 100 * i, CurrencyCode = Currency.Pack("GBP"u8), Role = Role.Manager, RequestKey = (UInt128)(900 + i), BodyDigest = 1 };
        string[] locations = ["west", "north", "east", "south"];
        int[] priorities = [5, 7, 5, 1];
        for (var i = 0; i < LocationCount; i++) yield return new DefineLocation { Id = Bytes(locations[i]), Region = Bytes(i < 2 ? "main" : ""), Priority = priorities[i], Role = Role.Manager };
        yield return Channel(1, [], SourcingRule.Priority, AllocationPolicy.PartialBackorder);
        yield return Channel(2, [], SourcingRule.MostAvailable, AllocationPolicy.None);
        yield return Channel(3, [1, 3], SourcingRule.None, AllocationPolicy.PartialCancelRest);
        yield return Channel(4, [4, 2], SourcingRule.MostAvailable, AllocationPolicy.PartialBackorder);
        yield return Channel(5, [2, 3, 4], SourcingRule.Priority, AllocationPolicy.LineAllOrNothing);
        int[] tiers = [0, 0, 1, 3, 9];
        for (var i = 0; i < CustomerCount; i++) yield return new DefineCustomer { Id = Bytes($"C{i + 1}"), Tier = tiers[i], Role = Role.Channel };
    }

    private static DefineChannel Channel(int number, int[] allowed, SourcingRule sourcing, AllocationPolicy policy) =>
        new() { Id = Bytes($"channel-{number}"), AllowedLocations = allowed, Sourcing = sourcing, DefaultPolicy = policy, Limits = new ChannelLimits { ReturnWindowSeconds = 6_000 * number, PaymentDueSeconds = 1_800 * number }, Role = Role.Manager };

    /// <summary>The next command, by its seed.</summary>
    public Command Next(int seed)
    {
        _random = new Random(seed);
        var command = _random.Next(100) < 8 && _past.Count > 0 ? Again() : Fresh();
        if (_past.Count < Remembered) _past.Add(command);
        else _past[_random.Next(Remembered)] = command;
        return command;
    }

    /// <summary>How far the clock moves before the command: mostly not at all or a little, now and then by days, and sometimes back.</summary>
    public static long Pause(int seed)
    {
        var random = new Random(seed ^ 0x5EED);
        return random.Next(100) switch
        {
            < 45 => 0,
            < 80 => random.Next(1, 2_000_000),
            < 95 => random.NextInt64(Second, 600 * Second),
            < 97 => random.NextInt64(Hour, 12 * Hour),
            < 98 => random.NextInt64(Day - 2, Day + 3),
            _ => -random.NextInt64(Hour),
        };
    }

    // Out of the sum of all weights.
    private Command Fresh()
    {
        (int Weight, Func<Command> Make)[] makers =
        [
            (30, Submit), (6, Commit), (8, Create), (2, Extend), (2, () => Release(AnyReservation())), (10, Receive), (3, Supply), (4, Adjust),
            (7, Cancel), (4, Hold), (4, Amend), (7, Release), (1, Recall), (8, Confirm), (6, Deliver), (1, Lose),
            (3, Review), (2, Resolve), (7, Pay), (2, Refund), (18, AfterSale),
            (5, Define), (8, Care),
        ];
        var drawn = _random.Next(makers.Sum(maker => maker.Weight));
        return makers.First(maker => (drawn -= maker.Weight) < 0).Make();
    }

    // The same again, as a retry or as a request id used twice; or after its window.
    private Command Again()
    {
        var past = _past[_random.Next(_past.Count)];
        if (_random.Next(4) > 0) return past;
        return new ReceiveStock
        {
            Location = 1, Items = [new SkuQuantity(1, 1)], RequestKey = past.RequestKey, BodyDigest = Digest(), Role = Role.Warehouse,
        };
    }

    private SubmitOrder Submit()
    {
        var channel = _random.Next(1, ChannelCount + 1);
        var customer = _random.Next(0, CustomerCount + 1);
        return Draft(channel, customer, Lines(), 0, CommandKind.SubmitOrder);
    }

    private SubmitOrder Commit()
    {
        var number = AnyReservation();
        var reservation = number > 0 && number <= model.Reservations.Count ? model.Reservations[(int)number - 1] : null;
        var mismatch = _random.Next(10) == 0;
        var channel = reservation is null || mismatch ? _random.Next(1, ChannelCount + 1) : reservation.Channel;
        var customer = reservation is null || mismatch ? _random.Next(0, CustomerCount + 1) : reservation.Customer;
        var lines = Lines();
        if (reservation is not null)
        {
            // Mostly what is held, a little more or less of it, and sometimes something else besides.
            var held = reservation.Items.Select(i => new DraftLine(i.Sku, Math.Max(1, i.Quantity + _random.Next(-2, 3)), 250)).ToArray();
            lines = _random.Next(4) == 0 ? [.. held, .. lines] : held;
        }
        return Draft(channel, customer, lines, number, CommandKind.CommitReservation);
    }

    private SubmitOrder Draft(int channel, int customer, DraftLine[] lines, long reservation, CommandKind kind)
    {
        var terms = (PaymentTerms)_random.Next(0, 5);
        var taken = _random.Next(20) == 0 && model.Orders.Count > 0 ? model.Orders[_random.Next(model.Orders.Count)].Submitted : null;
        return new SubmitOrder(kind)
        {
            Channel = taken is null ? channel : taken.Channel,
            Customer = customer,
            ExternalId = taken?.ExternalId ?? Bytes($"X{++_ids}"),
            Type = (OrderType)_random.Next(0, 5),
            Policy = (AllocationPolicy)_random.Next(0, 5),
            Terms = terms,
            Instalments = terms == PaymentTerms.Instalment && _random.Next(4) > 0 ? Instalments(lines.Sum(l => l.Quantity * l.UnitPrice)) : [],
            Priority = (Priority)_random.Next(0, 3),
            CurrencyCode = CurrencyOf(channel),
            RequestedAt = _random.Next(3) == 0 ? model.Time + _random.Next(5) * Day : 0,
            Shipping = (ShippingPolicy)_random.Next(0, 3),
            Region = _random.Next(3) == 0 ? Bytes(_random.Next(8) == 0 ? "nowhere" : AnyRegion()) : [],
            Lines = lines,
            Delivery = _random.Next(5) == 0 ? Sealed(customer, 60) : default,
            Reservation = reservation,
            NoteRules = _random.Next(30) == 0 ? [Bytes("urgent")] : [],
            Extras = _random.Next(6) == 0 ? SomeExtras(customer) : null,
            RequestKey = Key(),
            BodyDigest = Digest(),
            Actor = Bytes("clerk-7"),
            Role = Of(Role.Channel),
            Reason = _random.Next(3) == 0 ? Bytes("PROMO") : [],
        };
    }

    // One channel sells in another currency as well.
    private int CurrencyOf(int channel) => Currency.Pack(channel == 4 && (_ids & 1) == 0 ? "GBP"u8 : "EUR"u8);

    private string AnyRegion() => _random.Next(3) == 0 ? "islands" : "mainland";

    // Up to four dates, minutes to days apart, which sum to the total; the first may have passed.
    private Instalment[] Instalments(long total)
    {
        if (total < 4) return [];
        var (dates, date) = (new List<Instalment>(), model.Time - _random.Next(100) * Second);
        for (var left = total; left > 0; left -= dates[^1].Amount)
        {
            date += _random.NextInt64(60 * Second, _random.Next(3) == 0 ? Day : Hour);
            dates.Add(new Instalment(date, dates.Count == 3 || _random.Next(3) == 0 ? left : _random.NextInt64(1, left + 1)));
        }
        return [.. dates];
    }

    private DraftLine[] Lines()
    {
        var lines = new DraftLine[_random.Next(8) == 0 ? _random.Next(4, 9) : _random.Next(1, 4)];
        for (var i = 0; i < lines.Length; i++)
            lines[i] = new DraftLine(_random.Next(1, SkuCount + 1), _random.Next(12) == 0 ? _random.Next(20, 60) : _random.Next(1, 11), _random.Next(5) == 0 ? 0 : _random.Next(1, 100_000));
        return lines;
    }

    private CreateReservation Create() => new()
    {
        Channel = _random.Next(1, ChannelCount + 1),
        Customer = _random.Next(0, CustomerCount + 1),
        Items = [.. Lines().Take(3).Select(l => new SkuQuantity(l.Sku, Math.Min(l.Quantity, 25)))],
        TtlMicros = Ttl(),
        RequestKey = Key(),
        BodyDigest = Digest(),
        Role = Of(Role.Channel),
    };

    private ExtendReservation Extend()
    {
        var reservation = AnyReservation();
        return new ExtendReservation
        {
            Reservation = reservation, TtlMicros = Ttl(), RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Channel), ExpectedVersion = Etag(ReservationVersion(reservation)),
        };
    }

    private ReleaseReservation Release(long reservation) =>
        new() { Reservation = reservation, RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Support), ExpectedVersion = Etag(ReservationVersion(reservation)) };

    private ReceiveStock Receive() => new()
    {
        Location = _random.Next(1, LocationCount + 1),
        Items = [.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => new SkuQuantity(_random.Next(1, SkuCount + 1), _random.Next(1, 21)))],
        Reference = Bytes("PO-1"),
        RequestKey = Key(),
        BodyDigest = Digest(),
        Role = Of(Role.Warehouse),
    };

    private AdjustStock Adjust()
    {
        var kind = (AdjustmentKind)_random.Next(1, 4);
        var sku = _random.Next(1, SkuCount + 1);
        var location = _random.Next(1, LocationCount + 1);
        // Now and then a SKU's stock is pushed to its upper bound.
        var huge = kind == AdjustmentKind.CountedOnHand && sku == SkuCount && _random.Next(6) == 0;
        return new AdjustStock
        {
            Sku = sku, Location = location, Adjustment = kind,
            Value = huge ? 1_000_000_000_000 - _random.Next(-2, 30) : kind == AdjustmentKind.CountedOnHand ? _random.Next(0, 25) : _random.Next(-8, 9),
            Deallocate = kind != AdjustmentKind.UnavailableDelta && _random.Next(2) == 0,
            RequestKey = Key(), BodyDigest = Digest(), Role = _random.Next(10) == 0 ? Role.Warehouse : Of(Role.Manager), Reason = Bytes("COUNT"),
        };
    }

    private CancelOrder Cancel()
    {
        var order = AnyOrder(o => o.State is OrderState.Backordered or OrderState.PartiallyReserved or OrderState.Ready);
        return new CancelOrder
        {
            Order = order, Lines = _random.Next(3) == 0 ? [] : LinesOf(order, line => line.Backordered + line.Reserved),
            RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Customer), Reason = Bytes("CHANGED_MIND"), ExpectedVersion = Etag(OrderVersion(order)),
        };
    }

    // Mostly what is missing, or less or more of it; money for orders that wait, that expired, and for any other.
    private RecordPayment Pay()
    {
        var order = AnyOrder(o => o.State is OrderState.AwaitingPayment or OrderState.Expired || o.Terms == PaymentTerms.Credit);
        var known = order <= model.Orders.Count ? model.Orders[(int)order - 1] : null;
        var missing = known is null ? 1 : Math.Max(1, known.Lines.Sum(l => (l.Ordered - l.Cancelled) * l.Price) - known.Paid + known.Refunded);
        return new RecordPayment
        {
            Order = order, Amount = _random.Next(3) == 0 ? _random.NextInt64(1, missing + 10) : missing, CurrencyCode = _random.Next(20) == 0 ? Currency.Pack("USD"u8) : known?.Submitted.CurrencyCode ?? Currency.Pack("EUR"u8),
            Reference = known is { Payments.Count: > 0 } && _random.Next(6) == 0 ? Bytes(known.Payments[0]) : Bytes($"P{++_ids}"), PaidAt = _random.Next(2) == 0 ? 0 : model.Time + 1,
            RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Finance), ExpectedVersion = Etag(OrderVersion(order)),
        };
    }

    private RecordRefund Refund()
    {
        var order = AnyOrder(o => o.Paid > o.Refunded);
        var known = order <= model.Orders.Count ? model.Orders[(int)order - 1] : null;
        return new RecordRefund
        {
            Order = order, Amount = Math.Max(1, (known?.Paid - known?.Refunded ?? 0) + _random.Next(-3, 2)), CurrencyCode = _random.Next(20) == 0 ? Currency.Pack("USD"u8) : known?.Submitted.CurrencyCode ?? Currency.Pack("EUR"u8),
            Reference = known is { Refunds.Count: > 0 } && _random.Next(4) == 0 ? Bytes(known.Refunds[0]) : Bytes($"F{++_ids}"),
            RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Finance), ExpectedVersion = Etag(OrderVersion(order)),
        };
    }

    private Command Review()
    {
        var order = AnyOrder(o => o.State == OrderState.PendingReview);
        return _random.Next(3) == 0
            ? new RejectOrder { Order = order, RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Reviewer), Reason = Bytes("FRAUD"), ExpectedVersion = Etag(OrderVersion(order)) }
            : new ApproveOrder { Order = order, RequestKey = Key(), BodyDigest = Digest(), Role = Of(Role.Reviewer), ExpectedVersion = Etag(OrderVersion(order)) };
    }

    // --- choices ---

    private LineQuantity[] LinesOf(long number, Func<ModelLine, int> units)
    {
        if (number <= 0 || number > model.Orders.Count) return [new LineQuantity(1, 1)];
        var order = model.Orders[(int)number - 1];
        if (_random.Next(25) == 0) return [new LineQuantity(order.Lines.Count + 1, 1)];
        var lines = order.Lines.Where(line => units(line) > 0 && _random.Next(3) > 0).Select(line => new LineQuantity(line.Number, _random.Next(1, units(line) + (_random.Next(8) == 0 ? 3 : 1)))).ToArray();
        return lines.Length > 0 ? lines : [new LineQuantity(1, _random.Next(1, 4))];
    }

    // Mostly an order that it may be asked of, and a young one, so that orders get somewhere; sometimes any order, rarely none at all.
    private long AnyOrder(Func<ModelOrder, bool> fits)
    {
        var count = model.Orders.Count;
        if (count == 0 || _random.Next(60) == 0) return count + _random.Next(1, 5);
        if (_random.Next(4) == 0) return _random.Next(1, count + 1);
        var fitting = model.Orders.Where(fits).TakeLast(6).ToList();
        return fitting.Count == 0 ? count : fitting[_random.Next(fitting.Count)].Number;
    }

    private long AnyReservation()
    {
        var count = model.Reservations.Count;
        if (count == 0 || _random.Next(40) == 0) return count + _random.Next(1, 5);
        var held = model.Reservations.Where(r => r.State == ReservationState.Held).ToList();
        return held.Count == 0 || _random.Next(4) == 0 ? Math.Max(1, count - _random.Next(6)) : held[_random.Next(held.Count)].Number;
    }

    private long OrderVersion(long order) => order > model.Orders.Count ? 1 : model.Orders[(int)order - 1].Version;

    private long ReservationVersion(long reservation) => reservation > model.Reservations.Count ? 1 : model.Reservations[(int)reservation - 1].Version;

    // Mostly none, then mostly the right one, else a stale one.
    private long Etag(long version) => _random.Next(4) > 0 ? 0 : _random.Next(3) > 0 ? version : Math.Max(1, version - 1);

    private long Ttl() => _random.Next(3) == 0 ? _random.NextInt64(Second, 60 * Second) : _random.NextInt64(600 * Second, Day);

    private Role Of(Role role) => _random.Next(40) == 0 ? (Role)_random.Next(1, 10) : role;

    private UInt128 Key() => _random.Next(50) == 0 ? 0 : ((UInt128)0x0F0F << 64) | (UInt128)(++_ids);

    private UInt128 Digest() => BodyDigest.OfSipHash(new((ulong)_random.NextInt64(), ++_ids));

    private byte[] RandomBytes(int count)
    {
        var bytes = new byte[count];
        _random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
