// What all changes share on their way in: request keys, body digests, personal data, refusals of references and roles. Any thread.

using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Google.Protobuf;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Core.Storage;
using OrderEngine.Engine;
using OrderEngine.Server.Access;
using RpcStatus = Google.Rpc.Status;

namespace OrderEngine.Server.Mapping;

/// <summary>A request as the core wants it, or why it is refused before it gets there. Exactly one is set.</summary>
internal readonly record struct Mapped<T>(T? Command, RpcStatus? Refusal) where T : Command
{
    public static implicit operator Mapped<T>(T command) => new(command, null);

    public static implicit operator Mapped<T>(RpcStatus refusal) => new(null, refusal);

    /// <summary>The same, whatever kind of command it is.</summary>
    public Mapped<Command> AsCommand() => new(Command, Refusal);

    /// <summary>The command.</summary>
    /// <exception cref="Grpc.Core.RpcException">It was refused.</exception>
    public T OrThrow() => Command ?? throw Refusal!.ToException();
}

/// <summary>Personal data on its way into the vault.</summary>
internal static class Sealing
{
    /// <summary>Seals details under the customer's key, or a key of the order's own for a guest.</summary>
    public static ValueTask<SealedData> SealAsync(this PersonalVault vault, string customerId, int customer, IMessage? details)
    {
        if (details is null) return ValueTask.FromResult(default(SealedData));
        var plaintext = details.ToByteArray();
        return customerId.Length == 0 ? vault.SealForGuestAsync(plaintext) : vault.SealForCustomerAsync(customerId, customer, plaintext);
    }

    /// <summary>Seals details under a key that is there.</summary>
    public static SealedData SealUnder(this PersonalVault vault, long key, IMessage details) => vault.Seal(key, details.ToByteArray());

    /// <summary>Unseals details; null when there are none or their key was destroyed.</summary>
    public static PersonalDetails? Unseal(this PersonalVault vault, SealedData data) =>
        data.Key != 0 && vault.TryUnseal(data.Key, data.Ciphertext, out var plaintext) ? PersonalDetails.Parser.ParseFrom(plaintext) : null;
}

/// <summary>Keys and digests of requests.</summary>
internal static class RequestIdentity
{
    private const int RequestIdField = 1;
    private const int ActorField = 2;

    /// <summary>The key under which a request is remembered: a hash of its scope and id, never 0.</summary>
    /// <param name="channel">The channel that the request names; 0: none.</param>
    /// <param name="requestId">A sound id.</param>
    public static UInt128 Key(int channel, string requestId)
    {
        Span<byte> utf8 = stackalloc byte[Limits.IdBytes];
        return KeyIn(Grant.Current.RequestScope(channel), utf8[..Encoding.UTF8.GetBytes(requestId, utf8)]);
    }

    /// <summary>The same of an id as UTF-8 in a scope (<see cref="Grant.RequestScope"/>).</summary>
    public static UInt128 KeyIn(int scope, scoped ReadOnlySpan<byte> requestId)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int) + Limits.IdBytes];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, scope);
        requestId.CopyTo(bytes[sizeof(int)..]);
        var key = StableHash.Of128(bytes[..(sizeof(int) + requestId.Length)]);
        return key == UInt128.Zero ? UInt128.One : key;
    }

    /// <summary>
    /// A keyed digest of a request's body: the kind of command, then the encoded request without request id and actor, which are fields 1
    /// and 2 of every change.
    /// </summary>
    public static UInt128 Digest(this PersonalVault vault, CommandKind kind, IMessage request)
    {
        var size = request.CalculateSize();
        var buffer = ArrayPool<byte>.Shared.Rent(1 + size);
        request.WriteTo(buffer.AsSpan(1, size));
        var skip = HeaderLength(buffer.AsSpan(1, size));
        // The kind takes the place of the last byte before the body.
        buffer[skip] = (byte)kind;
        var digest = vault.BodyDigest(buffer.AsSpan(skip, 1 + size - skip));
        // It may hold personal data.
        ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        return digest;
    }

    // Fields are written in the order of their numbers, so id and actor come first.
    private static int HeaderLength(ReadOnlySpan<byte> encoded)
    {
        var reader = new ProtoReader(encoded);
        var end = 0;
        while (reader.Next(out var field, out var wireType) && field is RequestIdField or ActorField)
        {
            reader.Skip(wireType);
            end = reader.Position;
        }
        return end;
    }
}

/// <summary>
/// Finds the numbers of the ids that a request names, and remembers the first that is unknown. What the caller may not see is answered as
/// what does not exist, here and nowhere else: everything behind works on the number of something that is not there.
/// </summary>
/// <param name="reader">The catalog.</param>
internal ref struct References(StateReader reader)
{
    private readonly StateReader _reader = reader;
    private readonly Caller _caller = Grant.Current.Caller;

    private RpcStatus? _unknownObject;

    /// <summary>NOT_FOUND for the first id that the catalog does not know, in the order of the fields; null: all are known.</summary>
    public RpcStatus? MissingEntry { get; private set; }

    /// <summary>NOT_FOUND for the first unknown id of any kind; null: all are known so far.</summary>
    public readonly RpcStatus? Missing => MissingEntry ?? _unknownObject;

    /// <summary>The number of a SKU; 0 when unknown.</summary>
    public int Sku(FieldPath path, string id) => Find(_reader.Skus, ErrorReason.SkuNotFound, "sku_id", path, id);

    /// <summary>The number of a location; 0 when unknown.</summary>
    public int Location(FieldPath path, string id) => Find(_reader.Locations, ErrorReason.LocationNotFound, "location_id", path, id);

    /// <summary>The number of a channel; 0 when unknown.</summary>
    public int Channel(FieldPath path, string id) => Find(_reader.Channels, ErrorReason.ChannelNotFound, "channel_id", path, id, own: true);

    /// <summary>The number of a customer; 0 when unknown or none is named.</summary>
    public int Customer(FieldPath path, string id) =>
        id.Length == 0 ? 0 : Find(_reader.Customers, ErrorReason.CustomerNotFound, "customer_id", path, id);

    /// <summary>The number of an order; 0 when there can be none with this id.</summary>
    public long Order(FieldPath path, string id)
    {
        var number = Parse(PublicId.Order, ErrorReason.OrderNotFound, "order_id", path, id);
        if (number == 0 || !_caller.IsBound) return number;
        using var guard = _reader.Enter();
        var order = _reader.Order(number, long.MaxValue);
        return order.Exists && _caller.Sees(order.Head.Channel) ? number : PublicId.LastNumber;
    }

    /// <summary>The number of the order that a request is about: its field order_id, which is required.</summary>
    public long Order(ref Violations violations, string id)
    {
        Fields.CheckId(ref violations, "order_id", id);
        return Order("order_id", id);
    }

    /// <summary>The number of a reservation; 0 when there can be none with this id.</summary>
    public long Reservation(FieldPath path, string id)
    {
        var number = Parse(PublicId.Reservation, ErrorReason.ReservationNotFound, "reservation_id", path, id);
        if (number == 0 || !_caller.IsBound) return number;
        using var guard = _reader.Enter();
        var reservation = _reader.Reservation(number, long.MaxValue);
        return reservation.Exists && _caller.Sees(reservation.Head.Channel) ? number : PublicId.LastNumber;
    }

    /// <summary>The number of announced supply; 0 when none is named or there can be none with this id.</summary>
    public long Incoming(FieldPath path, string id) =>
        id.Length == 0 ? 0 : Parse(PublicId.Incoming, ErrorReason.IncomingNotFound, "incoming_id", path, id);

    /// <summary>The number of a supply request; 0 when none is named or there can be none with this id.</summary>
    public long SupplyRequest(FieldPath path, string id) =>
        id.Length == 0 ? 0 : Parse(PublicId.SupplyRequest, ErrorReason.SupplyRequestNotFound, "supply_request_id", path, id);

    /// <summary>The number of an exception; 0 when there can be none with this id.</summary>
    public long Exception(FieldPath path, string id) => Parse(PublicId.Exception, ErrorReason.ExceptionNotFound, "exception_id", path, id);

    /// <summary>The number of a return; 0 when there can be none with this id.</summary>
    public long Return(FieldPath path, string id)
    {
        var number = Parse(PublicId.Return, ErrorReason.ReturnNotFound, "return_id", path, id);
        if (number == 0 || !_caller.IsBound) return number;
        using var guard = _reader.Enter();
        var made = _reader.Return(number, long.MaxValue);
        return made.Exists && _caller.Sees(_reader.Order(made.Head.Order, long.MaxValue).Head.Channel) ? number : PublicId.LastNumber;
    }

    /// <summary>The number of a complaint; 0 when there can be none with this id.</summary>
    public long Complaint(FieldPath path, string id)
    {
        var number = Parse(PublicId.Complaint, ErrorReason.ComplaintNotFound, "complaint_id", path, id);
        if (number == 0 || !_caller.IsBound) return number;
        using var guard = _reader.Enter();
        var complaint = _reader.Complaint(number, long.MaxValue);
        return complaint.Exists && _caller.Sees(_reader.Order(complaint.Head.Order, long.MaxValue).Head.Channel) ? number : PublicId.LastNumber;
    }

    private int Find(SymbolTable table, ErrorReason reason, string kind, FieldPath path, string id, bool own = false)
    {
        Span<byte> utf8 = stackalloc byte[Limits.IdBytes];
        var number = Encoding.UTF8.TryGetBytes(id, utf8, out var length) ? table.Find(utf8[..length]) : 0;
        if (own && !_caller.Sees(number)) number = 0;
        if (number == 0) MissingEntry ??= Errors.Status(reason, ("field", path.ToString()), (kind, id));
        return number;
    }

    private long Parse(char letter, ErrorReason reason, string kind, FieldPath path, string id)
    {
        if (PublicId.TryParse(letter, id, out var number)) return number;
        _unknownObject ??= Errors.Status(reason, ("field", path.ToString()), (kind, id));
        return 0;
    }
}

/// <summary>Who asks, in which role, under which id: fields 1 and 2 of every change.</summary>
/// <param name="Kind">What is asked.</param>
/// <param name="RequestId">As sent.</param>
/// <param name="Actor">As UTF-8.</param>
/// <param name="Role">The usual role of the command when none was named.</param>
internal readonly record struct Asker(CommandKind Kind, string RequestId, byte[] Actor, Core.Role Role)
{
    /// <summary>Reads and checks both.</summary>
    public static Asker Read(ref Violations violations, CommandKind kind, string requestId, Actor? actor)
    {
        Fields.CheckId(ref violations, "request_id", requestId);
        return new Asker(kind, requestId, Fields.Actor(ref violations, actor), Fields.Role(ref violations, actor, kind));
    }

    /// <summary>
    /// What stands in the way of a request before the core sees it, in the order that errors.proto gives: malformed, references by name, role,
    /// and an object that cannot exist. Null: nothing.
    /// </summary>
    public RpcStatus? Refuse(in Violations violations, in References references)
    {
        if (violations.Any) return violations.ToStatus();
        if (references.MissingEntry is { } missing) return missing;
        return Transitions.Allows(Kind, Role) && Grant.Current.Allows(Role) ? references.Missing : Errors.Status(ErrorReason.RoleNotAllowed, ("role", RoleName()));
    }

    private string RoleName() => Role.ToString().ToUpperInvariant();
}
