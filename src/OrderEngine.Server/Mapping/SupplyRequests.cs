// Requests of InventoryService about stock policies, announced supply and transfers to commands. Any thread.

using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Engine;

namespace OrderEngine.Server.Mapping;

/// <summary>Maps what is said of stock to keep and stock to come.</summary>
internal static class SupplyRequests
{
    /// <summary>Safety stock and reorder point.</summary>
    public static Mapped<SetStockPolicy> Map(SetStockPolicyRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.SetStockPolicy, request.RequestId, request.Actor);
        var references = new References(reader);
        var (sku, location) = Place(ref violations, ref references, request.SkuId, "location_id", request.LocationId);
        Fields.CheckRange(ref violations, "safety", request.Safety, 0, Limits.StockAdjustment);
        Fields.CheckRange(ref violations, "reorder_point", request.ReorderPoint, 0, Limits.StockAdjustment);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new SetStockPolicy
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, Sku = sku, Location = location, Safety = request.Safety, ReorderPoint = request.ReorderPoint,
        };
    }

    /// <summary>A new announcement, or a change of one.</summary>
    public static Mapped<AnnounceIncoming> Map(AnnounceIncomingRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.AnnounceIncoming, request.RequestId, request.Actor);
        var references = new References(reader);
        var expectedAt = Expected(ref violations, request.ExpectedTime);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        var isNew = request.IncomingId.Length == 0;
        Fields.CheckRange(ref violations, "quantity", request.Quantity, isNew ? 1 : 0, Limits.QuantityPerLine);
        var reference = Fields.OptionalId(ref violations, "reference", request.Reference, Limits.ReferenceBytes);
        Fields.CheckEnum(ref violations, "kind", request.Kind);
        Fields.CheckOptionalId(ref violations, "incoming_id", request.IncomingId);
        var incoming = references.Incoming("incoming_id", request.IncomingId);
        var (sku, location) = isNew ? Place(ref violations, ref references, request.SkuId, "location_id", request.LocationId) : default;
        if (isNew && request.Kind is Contracts.V1.SupplyKind.Unspecified or Contracts.V1.SupplyKind.Transfer)
            violations.Add("kind", "must be PURCHASE or PRODUCTION; a transfer is announced by TransferStock");
        if (!isNew) CheckUnchanged(ref violations, request);
        Fields.CheckOptionalId(ref violations, "supply_request_id", request.SupplyRequestId);
        var answered = references.SupplyRequest("supply_request_id", request.SupplyRequestId);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new AnnounceIncoming
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = etag, Incoming = incoming, Sku = sku, Location = location,
            Supply = (Core.SupplyKind)request.Kind, Quantity = request.Quantity, ExpectedAt = expectedAt, Reference = reference,
            Request = answered,
        };
    }

    /// <summary>A transfer.</summary>
    public static Mapped<TransferStock> Map(TransferStockRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.TransferStock, request.RequestId, request.Actor);
        var references = new References(reader);
        var (sku, from) = Place(ref violations, ref references, request.SkuId, "from_location_id", request.FromLocationId);
        Fields.CheckId(ref violations, "to_location_id", request.ToLocationId);
        var to = references.Location("to_location_id", request.ToLocationId);
        if (request.FromLocationId == request.ToLocationId) violations.Add("to_location_id", "must be another location than from_location_id");
        Fields.CheckQuantity(ref violations, "quantity", request.Quantity);
        var expectedAt = Expected(ref violations, request.ExpectedTime);
        var reference = Fields.OptionalId(ref violations, "reference", request.Reference, Limits.ReferenceBytes);
        Fields.CheckOptionalId(ref violations, "supply_request_id", request.SupplyRequestId);
        var answered = references.SupplyRequest("supply_request_id", request.SupplyRequestId);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new TransferStock
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, Sku = sku, From = from, To = to, Quantity = request.Quantity, ExpectedAt = expectedAt, Reference = reference,
            Request = answered,
        };
    }

    private static (int Sku, int Location) Place(ref Violations violations, ref References references, string sku, string path, string location)
    {
        Fields.CheckId(ref violations, "sku_id", sku);
        Fields.CheckId(ref violations, path, location);
        return (references.Sku("sku_id", sku), references.Location(path, location));
    }

    private static long Expected(ref Violations violations, Google.Protobuf.WellKnownTypes.Timestamp? time)
    {
        Fields.CheckPresent(ref violations, "expected_time", time);
        return Fields.Time(ref violations, "expected_time", time);
    }

    private static void CheckUnchanged(ref Violations violations, AnnounceIncomingRequest request)
    {
        const string Rule = "must not be given with incoming_id: it does not change";
        if (request.SkuId.Length > 0) violations.Add("sku_id", Rule);
        if (request.LocationId.Length > 0) violations.Add("location_id", Rule);
        if (request.Kind != Contracts.V1.SupplyKind.Unspecified) violations.Add("kind", Rule);
        if (request.Reference.Length > 0) violations.Add("reference", Rule);
        if (request.SupplyRequestId.Length > 0) violations.Add("supply_request_id", Rule);
    }
}
