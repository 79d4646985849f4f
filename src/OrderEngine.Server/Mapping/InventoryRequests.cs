// Requests of InventoryService to commands; the commit of a reservation stands with the orders. Any thread.

using Google.Protobuf.Collections;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Engine;

namespace OrderEngine.Server.Mapping;

/// <summary>Maps reservations and stock changes.</summary>
internal static class InventoryRequests
{
    /// <summary>A new reservation.</summary>
    public static Mapped<CreateReservation> Map(CreateReservationRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.CreateReservation, request.RequestId, request.Actor);
        var references = new References(reader);
        Fields.CheckId(ref violations, "channel_id", request.ChannelId);
        Fields.CheckOptionalId(ref violations, "customer_id", request.CustomerId);
        var channel = references.Channel("channel_id", request.ChannelId);
        var customer = references.Customer("customer_id", request.CustomerId);
        var items = Items(ref violations, ref references, request.Items);
        var ttl = Fields.Ttl(ref violations, "ttl", request.Ttl);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new CreateReservation
        {
            RequestKey = RequestIdentity.Key(channel, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, Channel = channel, Customer = customer, Items = items, TtlMicros = ttl,
        };
    }

    /// <summary>A longer life.</summary>
    public static Mapped<ExtendReservation> Map(ExtendReservationRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.ExtendReservation, request.RequestId, request.Actor);
        var references = new References(reader);
        Fields.CheckId(ref violations, "reservation_id", request.ReservationId);
        var reservation = references.Reservation("reservation_id", request.ReservationId);
        var ttl = Fields.Ttl(ref violations, "ttl", request.Ttl);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new ExtendReservation
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = etag, Reservation = reservation, TtlMicros = ttl,
        };
    }

    /// <summary>Letting go.</summary>
    public static Mapped<ReleaseReservation> Map(ReleaseReservationRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.ReleaseReservation, request.RequestId, request.Actor);
        var references = new References(reader);
        Fields.CheckId(ref violations, "reservation_id", request.ReservationId);
        var reservation = references.Reservation("reservation_id", request.ReservationId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new ReleaseReservation
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = etag, Reservation = reservation,
        };
    }

    /// <summary>Goods that came in.</summary>
    public static Mapped<ReceiveStock> Map(ReceiveStockRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.ReceiveStock, request.RequestId, request.Actor);
        var references = new References(reader);
        Fields.CheckId(ref violations, "location_id", request.LocationId);
        var location = references.Location("location_id", request.LocationId);
        var items = Items(ref violations, ref references, request.Items);
        var reference = Fields.OptionalId(ref violations, "reference", request.Reference, Limits.ReferenceBytes);
        Fields.CheckOptionalId(ref violations, "incoming_id", request.IncomingId);
        var incoming = references.Incoming("incoming_id", request.IncomingId);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new ReceiveStock
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, Location = location, Items = items, Reference = reference, Incoming = incoming,
        };
    }

    /// <summary>A correction.</summary>
    public static Mapped<AdjustStock> Map(AdjustStockRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.AdjustStock, request.RequestId, request.Actor);
        var references = new References(reader);
        Fields.CheckId(ref violations, "location_id", request.LocationId);
        Fields.CheckId(ref violations, "sku_id", request.SkuId);
        var location = references.Location("location_id", request.LocationId);
        var sku = references.Sku("sku_id", request.SkuId);
        var (kind, value) = Change(ref violations, request);
        var reason = Fields.Reason(ref violations, "reason", request.Reason);
        Fields.CheckEnum(ref violations, "below_committed", request.BelowCommitted);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new AdjustStock
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, Reason = reason, Location = location, Sku = sku, Adjustment = kind, Value = value,
            Deallocate = request.BelowCommitted == BelowCommitted.Deallocate,
        };
    }

    private static (AdjustmentKind, long) Change(ref Violations violations, AdjustStockRequest request)
    {
        switch (request.ChangeCase)
        {
            case AdjustStockRequest.ChangeOneofCase.OnHandDelta:
                Fields.CheckRange(ref violations, "on_hand_delta", request.OnHandDelta, -Limits.StockAdjustment, Limits.StockAdjustment);
                return (AdjustmentKind.OnHandDelta, request.OnHandDelta);
            case AdjustStockRequest.ChangeOneofCase.CountedOnHand:
                Fields.CheckRange(ref violations, "counted_on_hand", request.CountedOnHand, 0, Limits.StockAdjustment);
                return (AdjustmentKind.CountedOnHand, request.CountedOnHand);
            case AdjustStockRequest.ChangeOneofCase.UnavailableDelta:
                Fields.CheckRange(ref violations, "unavailable_delta", request.UnavailableDelta, -Limits.StockAdjustment, Limits.StockAdjustment);
                return (AdjustmentKind.UnavailableDelta, request.UnavailableDelta);
            default:
                violations.Add("change", "must be exactly one of on_hand_delta, counted_on_hand and unavailable_delta");
                return default;
        }
    }

    private static SkuQuantity[] Items(ref Violations violations, ref References references, RepeatedField<ReservationItem> list)
    {
        const string Path = "items";
        if (!Fields.CheckCount(ref violations, Path, list.Count, 1, Limits.ItemsPerRequest)) return [];
        var items = new SkuQuantity[list.Count];
        for (var i = 0; i < items.Length; i++)
        {
            Fields.CheckId(ref violations, new FieldPath(Path, i, "sku_id"), list[i].SkuId);
            Fields.CheckQuantity(ref violations, new FieldPath(Path, i, "quantity"), list[i].Quantity);
            items[i] = new SkuQuantity(references.Sku(new FieldPath(Path, i, "sku_id"), list[i].SkuId), list[i].Quantity);
        }
        return items;
    }
}
