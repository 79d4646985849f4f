// The short way of an order: from the wire's bytes to the command, without protobuf objects and strings in between. Taken by orders whose encoding
// is the usual one and that hold no rare field and nothing to refuse; null sends an order the long way (OrderRequests), which refuses what
// is wrong and says why. Both ways make the same command, down to the digest of the body: PlainOrderTests holds them together. Any thread.

using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using OrderEngine.Server.Access;
using OrderEngine.Server.Wire;
using static OrderEngine.Server.Wire.WireWriter;

namespace OrderEngine.Server.Mapping;

/// <summary>Maps encoded SubmitOrderRequests that are plain.</summary>
internal static class PlainOrders
{
    // Tags of the contract's fields: number and wire type. All numbers here are below 16, so each is one byte.
    private const byte RequestId = SubmitOrderRequest.RequestIdFieldNumber << 3 | Delimited;
    private const byte ActorTag = SubmitOrderRequest.ActorFieldNumber << 3 | Delimited;
    private const byte Order = SubmitOrderRequest.OrderFieldNumber << 3 | Delimited;
    private const byte ActorId = Actor.IdFieldNumber << 3 | Delimited;
    private const byte ActorRole = Actor.RoleFieldNumber << 3 | Numeric;
    private const byte ChannelId = OrderDraft.ChannelIdFieldNumber << 3 | Delimited;
    private const byte ExternalOrderId = OrderDraft.ExternalOrderIdFieldNumber << 3 | Delimited;
    private const byte CustomerId = OrderDraft.CustomerIdFieldNumber << 3 | Delimited;
    private const byte TypeTag = OrderDraft.TypeFieldNumber << 3 | Numeric;
    private const byte Policy = OrderDraft.AllocationPolicyFieldNumber << 3 | Numeric;
    private const byte Terms = OrderDraft.PaymentTermsFieldNumber << 3 | Numeric;
    private const byte PriorityTag = OrderDraft.PriorityFieldNumber << 3 | Numeric;
    private const byte CurrencyCode = OrderDraft.CurrencyCodeFieldNumber << 3 | Delimited;
    private const byte Lines = OrderDraft.LinesFieldNumber << 3 | Delimited;
    private const byte SkuId = OrderLineDraft.SkuIdFieldNumber << 3 | Delimited;
    private const byte Quantity = OrderLineDraft.QuantityFieldNumber << 3 | Numeric;
    private const byte UnitPrice = OrderLineDraft.UnitPriceMinorFieldNumber << 3 | Numeric;

    // Orders of one adapter name the same actor time and again.
    private static byte[] _lastActor = [];

    /// <summary>The command; null when the order has to go the long way.</summary>
    /// <param name="request">An encoded SubmitOrderRequest. One byte of it changes for a moment while its digest is made.</param>
    /// <param name="grant">What the call may.</param>
    /// <param name="reader">The catalog.</param>
    /// <param name="vault">Makes the digest.</param>
    public static SubmitOrder? Map(Span<byte> request, Grant grant, StateReader reader, PersonalVault vault)
    {
        var wire = new PlainReader(request);
        if (!wire.Required(RequestId, out var requestId) || !IsPlainId(requestId) || !wire.Optional(ActorTag, out var actorMessage)) return null;
        var bodyStart = wire.Position;
        if (!wire.Required(Order, out var orderMessage) || !wire.AtEnd) return null;

        var actorWire = new PlainReader(actorMessage);
        if (!actorWire.Optional(ActorId, out var actorId) || !actorId.IsEmpty && !IsPlainId(actorId)) return null;
        if (!actorWire.Number(ActorRole, (ulong)Core.Role.System, out var namedRole) || !actorWire.AtEnd) return null;
        var role = namedRole == 0 ? grant.UsualRole(Transitions.Of(CommandKind.SubmitOrder)) : (Core.Role)namedRole;
        if (!Transitions.Allows(CommandKind.SubmitOrder, role) || !grant.Allows(role)) return null;

        var order = new PlainReader(orderMessage);
        if (!order.Required(ChannelId, out var channelId) || !order.Required(ExternalOrderId, out var externalId) || !IsPlainId(externalId)) return null;
        if (!order.Optional(CustomerId, out var customerId)) return null;
        if (!order.Number(TypeTag, (ulong)Core.OrderType.Replacement, out var type)) return null;
        if (!order.Number(Policy, (ulong)Core.AllocationPolicy.PartialCancelRest, out var policy)) return null;
        // Orders paid in instalments have a schedule, which is rare.
        if (!order.Number(Terms, (ulong)Core.PaymentTerms.Prepaid, out var terms)) return null;
        if (!order.Number(PriorityTag, (ulong)Core.Priority.High, out var priority)) return null;
        if (!order.Required(CurrencyCode, out var currency) || currency.Length != 3 || currency.ContainsAnyExceptInRange((byte)'A', (byte)'Z')) return null;

        var channel = reader.Channels.Find(channelId);
        var customer = customerId.IsEmpty ? 0 : reader.Customers.Find(customerId);
        if (channel == 0 || !grant.Caller.Sees(channel) || customer == 0 && !customerId.IsEmpty) return null;
        if (ReadLines(orderMessage[order.Position..], reader) is not { } lines) return null;

        return new SubmitOrder
        {
            RequestKey = RequestIdentity.KeyIn(grant.RequestScope(channel), requestId), BodyDigest = Digest(request, bodyStart, vault),
            Actor = grant.Caller.IsTrusted ? ActorOf(actorId) : grant.Caller.Actor, Role = role,
            Channel = channel, Customer = customer, ExternalId = externalId.ToArray(),
            Type = (Core.OrderType)type, Policy = (Core.AllocationPolicy)policy, Terms = (Core.PaymentTerms)terms, Priority = (Core.Priority)priority,
            CurrencyCode = Core.Currency.Pack(currency), Lines = lines,
        };
    }

    // The lines, and nothing behind them: what follows in the contract is rare.
    private static DraftLine[]? ReadLines(ReadOnlySpan<byte> rest, StateReader reader)
    {
        var count = 0;
        for (var counting = new PlainReader(rest); !counting.AtEnd; count++)
            if (!counting.Required(Lines, out _)) return null;
        if (count is 0 or > Limits.LinesPerOrder) return null;
        var lines = new DraftLine[count];
        var all = new PlainReader(rest);
        long total = 0;
        for (var i = 0; i < lines.Length; i++)
        {
            all.Required(Lines, out var message);
            var line = new PlainReader(message);
            if (!line.Required(SkuId, out var skuId) || !line.Number(Quantity, Limits.QuantityPerLine, out var quantity) || quantity == 0) return null;
            if (!line.Number(UnitPrice, Limits.UnitPrice, out var price) || !line.AtEnd) return null;
            var sku = reader.Skus.Find(skuId);
            // Within bounds a line is worth at most 10^18: no overflow before the sum has passed its own bound.
            if (sku == 0 || (total += (long)(quantity * price)) > Limits.OrderTotal) return null;
            lines[i] = new DraftLine(sku, (int)quantity, (long)price);
        }
        return lines;
    }

    // Over the kind of command and the body, as RequestIdentity.Digest: the kind takes the place of the byte before the body.
    private static UInt128 Digest(Span<byte> request, int bodyStart, PersonalVault vault)
    {
        ref var before = ref request[bodyStart - 1];
        var kept = before;
        before = (byte)CommandKind.SubmitOrder;
        var digest = vault.BodyDigest(request[(bodyStart - 1)..]);
        before = kept;
        return digest;
    }

    private static byte[] ActorOf(ReadOnlySpan<byte> id)
    {
        if (id.IsEmpty) return Fields.Anonymous;
        var last = _lastActor;
        return last.AsSpan().SequenceEqual(id) ? last : _lastActor = id.ToArray();
    }

    // What is in the catalog is sound already; an id that comes in is plain when it is printable ASCII. Others are for the long way to judge.
    private static bool IsPlainId(ReadOnlySpan<byte> id) =>
        id.Length is > 0 and <= Limits.IdBytes && !id.ContainsAnyExceptInRange((byte)'!', (byte)'~');
}
