// The simulated clients: they set up a small shop, then order, hold, cancel, ship and erase at random, repeat themselves, arrive in another order,
// reuse ids, and withdraw. What is asked follows from the drawn numbers alone.

using System.Globalization;
using System.Text;
using Google.Protobuf;
using OrderEngine.Contracts.Journal;
using OrderEngine.Core;

namespace OrderEngine.Simulation;

/// <summary>A request, and how to make its command again for another attempt.</summary>
/// <param name="Asked">What became of it.</param>
/// <param name="Key">Its request id.</param>
/// <param name="Make">Its command, of request id, digest of the body and what was sealed of a person.</param>
/// <param name="Person">What it says of a person, to be sealed before each attempt; empty: nothing.</param>
internal sealed record Request(Asked Asked, UInt128 Key, Func<UInt128, UInt128, SealedData, Command> Make, byte[] Person)
{
    public ByteString KeyBytes { get; } = KeyOf(Key);

    public Command Command(SealedData person = default) => Make(Key, Key + 1, person);

    /// <summary>The same request id, another body.</summary>
    public Command Impostor() => Make(Key, Key + 2, default);

    private static ByteString KeyOf(UInt128 key)
    {
        var bytes = new byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128LittleEndian(bytes, key);
        return ByteString.CopyFrom(bytes);
    }
}

internal sealed class Clients(Choices choices)
{
    private const int Skus = 4, Locations = 2, Channels = 2;
    private readonly List<ulong> _orders = [];
    private readonly List<ulong> _reservations = [];
    private readonly List<(int Channel, string Id)> _taken = [];
    private int _made;

    /// <summary>Every request made so far that may be asked again.</summary>
    public List<Request> Requests { get; } = [];

    /// <summary>Locations, channels, SKUs, opening stock: to be carried out one after the other, for their numbers follow from the order.</summary>
    public IEnumerable<Request> SetUp()
    {
        foreach (var id in new[] { "L1", "L2" })
            yield return New(id, (key, digest) => new DefineLocation { Id = Utf8(id), Role = Role.Manager, RequestKey = key, BodyDigest = digest });
        foreach (var id in new[] { "C1", "C2" })
            yield return New(id, (key, digest) => new DefineChannel { Id = Utf8(id), Role = Role.Manager, RequestKey = key, BodyDigest = digest });
        foreach (var id in new[] { "S1", "S2", "S3", "S4" })
            yield return New(id, (key, digest) => new DefineSku { Id = Utf8(id), Role = Role.Manager, RequestKey = key, BodyDigest = digest });
        yield return Receive(20);
    }

    /// <summary>A new request.</summary>
    public Request Make()
    {
        return choices.Weighted([10, 4, 3, 3, 2, 3, 7, 3, 2, 1, 2]) switch
        {
            0 => Submit(AllocationPolicy.AllOrNothing, 0),
            1 => Submit(AllocationPolicy.PartialBackorder, 0),
            2 => Hold(),
            3 => Receive(8),
            4 when _reservations.Count > 0 => Submit(AllocationPolicy.AllOrNothing, (long)Any(_reservations)),
            5 when _reservations.Count > 0 => Release((long)Any(_reservations)),
            6 when _orders.Count > 0 => Cancel((long)Any(_orders)),
            7 when _orders.Count > 0 => Ship((long)Any(_orders), isConfirm: false),
            8 when _orders.Count > 0 => Ship((long)Any(_orders), isConfirm: true),
            9 => Adjust(),
            10 when _orders.Count > 0 => Erase((long)Any(_orders)),
            _ => Submit(AllocationPolicy.PartialCancelRest, 0),
        };
    }

    /// <summary>Nothing asked so far is asked again; what it made may still be named.</summary>
    public void Forget() => Requests.Clear();

    /// <summary>What an answer tells about objects that later requests can name.</summary>
    public void Learn(ReadOnlySpan<byte> answer)
    {
        if (answer.IsEmpty) return;
        var e = Event.Parser.ParseFrom(answer);
        if (e.BodyCase == Event.BodyOneofCase.OrderSubmitted && !_orders.Contains(e.Order))
        {
            _orders.Add(e.Order);
            _taken.Add(((int)e.Channel, e.OrderSubmitted.ExternalOrderId));
        }
        if (e.BodyCase == Event.BodyOneofCase.ReservationCreated && !_reservations.Contains(e.ReservationCreated.Reservation)) _reservations.Add(e.ReservationCreated.Reservation);
    }

    private Request New(string what, Func<UInt128, UInt128, Command> make) => New(what, (key, digest, _) => make(key, digest), []);

    private Request New(string what, Func<UInt128, UInt128, SealedData, Command> make, byte[] person)
    {
        _made++;
        var request = new Request(new Asked($"{what} #{_made}", binds: true), (UInt128)_made << 32, make, person);
        Requests.Add(request);
        return request;
    }

    private Request Submit(AllocationPolicy policy, long reservation)
    {
        var lines = new DraftLine[1 + choices.Next(3)];
        for (var i = 0; i < lines.Length; i++) lines[i] = new DraftLine(1 + choices.Next(Skus), 1 + choices.Next(5), 100);
        var channel = 1 + choices.Next(Channels);
        var id = "x" + (_made + 1).ToString(CultureInfo.InvariantCulture);
        // Sometimes an id that another order of the channel has, or that a request may have that is still under way.
        if (choices.OneIn(10)) (channel, id) = _taken.Count > 0 && choices.Next(4) > 0 ? _taken[choices.Next(_taken.Count)] : (channel, "x" + (1 + choices.Next(_made + 1)).ToString(CultureInfo.InvariantCulture));
        var external = Utf8(id);
        // A guest, who may have left a name.
        var person = choices.Next(3) == 2 ? Utf8(Auditor.PersonOf(Encoding.UTF8.GetString(external))) : [];
        return New($"submit {policy} {reservation}", (key, digest, delivery) => new SubmitOrder(reservation == 0 ? CommandKind.SubmitOrder : CommandKind.CommitReservation)
        {
            Channel = channel,
            ExternalId = external,
            CurrencyCode = Currency.Pack("GBP"u8),
            Policy = policy,
            Terms = PaymentTerms.CashOnDelivery,
            Lines = lines,
            Role = Role.Channel,
            RequestKey = key,
            BodyDigest = digest,
            Reservation = reservation,
            Delivery = delivery,
        }, person);
    }

    private Request Hold()
    {
        var items = new[] { new Core.SkuQuantity(1 + choices.Next(Skus), 1 + choices.Next(4)) };
        var ttl = (1 + choices.Next(120)) * 1_000_000L;
        return New("hold", (key, digest) => new CreateReservation { Channel = 1, Items = items, TtlMicros = ttl, Role = Role.Channel, RequestKey = key, BodyDigest = digest });
    }

    private Request Receive(int most)
    {
        var items = new Core.SkuQuantity[Skus];
        for (var i = 0; i < Skus; i++) items[i] = new Core.SkuQuantity(i + 1, 1 + choices.Next(most));
        var location = 1 + choices.Next(Locations);
        return New("receive", (key, digest) => new ReceiveStock { Location = location, Items = items, Role = Role.Warehouse, RequestKey = key, BodyDigest = digest });
    }

    private Request Adjust()
    {
        var (sku, location, value) = (1 + choices.Next(Skus), 1 + choices.Next(Locations), choices.Next(9) - 4);
        return New("adjust", (key, digest) => new AdjustStock { Location = location, Sku = sku, Adjustment = AdjustmentKind.OnHandDelta, Value = value, Role = Role.Warehouse, RequestKey = key, BodyDigest = digest });
    }

    private Request Release(long reservation) =>
        New($"release hold {reservation}", (key, digest) => new ReleaseReservation { Reservation = reservation, Role = Role.Channel, RequestKey = key, BodyDigest = digest });

    private Request Cancel(long order) =>
        New($"cancel {order}", (key, digest) => new CancelOrder { Order = order, Role = Role.Customer, RequestKey = key, BodyDigest = digest });

    private Request Erase(long order) =>
        New($"erase {order}", (key, digest) => new EraseOrder { Order = order, Role = Role.Manager, RequestKey = key, BodyDigest = digest });

    private Request Ship(long order, bool isConfirm) => isConfirm
        ? New($"ship {order}", (key, digest) => new ConfirmShipment { Order = order, Role = Role.Warehouse, RequestKey = key, BodyDigest = digest })
        : New($"release {order}", (key, digest) => new ReleaseShipment { Order = order, Role = Role.Warehouse, RequestKey = key, BodyDigest = digest });

    private ulong Any(List<ulong> numbers) => numbers[choices.Next(numbers.Count)];

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
