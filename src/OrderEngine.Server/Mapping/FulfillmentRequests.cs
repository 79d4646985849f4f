// Requests of FulfillmentService to commands. Any thread.

using Google.Protobuf.Collections;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Engine;

namespace OrderEngine.Server.Mapping;

/// <summary>Maps what warehouses and carriers report.</summary>
internal static class FulfillmentRequests
{
    /// <summary>A release to the warehouse.</summary>
    public static Mapped<ReleaseShipment> Map(ReleaseShipmentRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.ReleaseShipment, request.RequestId, request.Actor);
        var references = new References(reader);
        var order = references.Order(ref violations, request.OrderId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        var lines = Movements(ref violations, ref references, request.Lines);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new ReleaseShipment
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = etag, Order = order, Lines = lines,
        };
    }

    /// <summary>A parcel that left.</summary>
    public static Mapped<ConfirmShipment> Map(ConfirmShipmentRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.ConfirmShipment, request.RequestId, request.Actor);
        var references = new References(reader);
        var order = references.Order(ref violations, request.OrderId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        var carrier = Fields.OptionalId(ref violations, "carrier", request.Carrier, Limits.ReferenceBytes);
        var tracking = Fields.OptionalId(ref violations, "tracking_number", request.TrackingNumber, Limits.ReferenceBytes);
        var lines = Movements(ref violations, ref references, request.Lines);
        for (var i = 1; i < lines.Length; i++)
        {
            if (request.Lines[i].LocationId != request.Lines[0].LocationId)
                violations.Add(new FieldPath("lines", i, "location_id"), "must be the location of the first line: a parcel leaves one place");
        }
        var missed = ShortPicks(ref violations, ref references, request);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new ConfirmShipment
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = etag, Order = order, Lines = lines,
            Short = missed, Carrier = carrier, TrackingNumber = tracking,
        };
    }

    /// <summary>A recall.</summary>
    public static Mapped<RecallShipment> Map(RecallShipmentRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.RecallShipment, request.RequestId, request.Actor);
        var references = new References(reader);
        var order = references.Order(ref violations, request.OrderId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        var lines = Movements(ref violations, ref references, request.Lines);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new RecallShipment
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = etag, Order = order, Lines = lines,
        };
    }

    /// <summary>A delivery.</summary>
    public static Mapped<RecordDelivery> Map(RecordDeliveryRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.RecordDelivery, request.RequestId, request.Actor);
        var references = new References(reader);
        var report = Arrival(ref violations, ref references, request.OrderId, request.Etag, request.Lines, request.ParcelNumber);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new RecordDelivery
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = report.Etag, Order = report.Order, Lines = report.Lines, Parcel = request.ParcelNumber,
        };
    }

    /// <summary>A loss.</summary>
    public static Mapped<RecordLoss> Map(RecordLossRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.RecordLoss, request.RequestId, request.Actor);
        var references = new References(reader);
        var report = Arrival(ref violations, ref references, request.OrderId, request.Etag, request.Lines, request.ParcelNumber);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new RecordLoss
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = report.Etag, Order = report.Order, Lines = report.Lines, Parcel = request.ParcelNumber,
        };
    }

    // What reports of delivery and of loss have in common.
    private static (long Order, long Etag, Core.LineQuantity[] Lines) Arrival(ref Violations violations, ref References references,
        string orderId, string etag, RepeatedField<Contracts.V1.LineQuantity> lines, int parcel)
    {
        var order = references.Order(ref violations, orderId);
        Fields.CheckRange(ref violations, "parcel_number", parcel, 0, Limits.ParcelsPerOrder);
        return (order, Fields.Etag(ref violations, "etag", etag), LineQuantities.Map(ref violations, lines));
    }

    private static Core.ShortPick[] ShortPicks(ref Violations violations, ref References references, ConfirmShipmentRequest request)
    {
        const string Path = "short_picks";
        var list = request.ShortPicks;
        if (list.Count == 0 || !Fields.CheckCount(ref violations, Path, list.Count, 0, Limits.LinesPerOrder)) return [];
        var missed = new Core.ShortPick[list.Count];
        var seen = new HashSet<int>(list.Count);
        var location = request.Lines.Count > 0 ? request.Lines[0].LocationId : list[0].LocationId;
        for (var i = 0; i < missed.Length; i++)
        {
            var one = list[i];
            Fields.CheckRange(ref violations, new FieldPath(Path, i, "line_number"), one.LineNumber, 1, Limits.LinesPerOrder);
            Fields.CheckId(ref violations, new FieldPath(Path, i, "location_id"), one.LocationId);
            Fields.CheckQuantity(ref violations, new FieldPath(Path, i, "quantity"), one.Quantity);
            Fields.CheckEnum(ref violations, new FieldPath(Path, i, "cause"), one.Cause);
            if (one.LocationId != location) violations.Add(new FieldPath(Path, i, "location_id"), "must be the location of the parcel: what is missing was to leave the same place");
            if (!seen.Add(one.LineNumber)) violations.Add(new FieldPath(Path, i), "must not name a line twice");
            missed[i] = new Core.ShortPick(one.LineNumber, references.Location(new FieldPath(Path, i, "location_id"), one.LocationId), one.Quantity, (Core.ShortPickCause)one.Cause);
        }
        return missed;
    }

    private static Core.LineMovement[] Movements(ref Violations violations, ref References references, RepeatedField<LineAtLocation> list)
    {
        const string Path = "lines";
        if (list.Count == 0 || !Fields.CheckCount(ref violations, Path, list.Count, 0, Limits.MovementsPerRequest)) return [];
        var lines = new Core.LineMovement[list.Count];
        var seen = new HashSet<(int, string)>(list.Count);
        for (var i = 0; i < lines.Length; i++)
        {
            var line = list[i];
            Fields.CheckRange(ref violations, new FieldPath(Path, i, "line_number"), line.LineNumber, 1, Limits.LinesPerOrder);
            Fields.CheckId(ref violations, new FieldPath(Path, i, "location_id"), line.LocationId);
            Fields.CheckQuantity(ref violations, new FieldPath(Path, i, "quantity"), line.Quantity);
            if (!seen.Add((line.LineNumber, line.LocationId))) violations.Add(new FieldPath(Path, i), "must not name a line and location twice");
            lines[i] = new Core.LineMovement(line.LineNumber, references.Location(new FieldPath(Path, i, "location_id"), line.LocationId), line.Quantity);
        }
        return lines;
    }
}
