// Requests of ReturnService to commands. Any thread.

using Google.Protobuf;
using Google.Protobuf.Collections;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using RpcStatus = Google.Rpc.Status;

namespace OrderEngine.Server.Mapping;

/// <summary>Maps what is asked of returns.</summary>
internal static class ReturnRequests
{
    /// <summary>A request that units may come back.</summary>
    public static Mapped<RequestReturn> Map(RequestReturnRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.RequestReturn, request.RequestId, request.Actor);
        var references = new References(reader);
        var order = references.Order(ref violations, request.OrderId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        var externalId = Fields.OptionalId(ref violations, "external_return_id", request.ExternalReturnId);
        var reason = Fields.Reason(ref violations, "reason", request.Reason);
        var lines = LineQuantities.Map(ref violations, request.Lines);
        var replacements = request.ReplacementLines.Count == 0 ? [] : OrderRequests.Lines(ref violations, ref references, "replacement_lines", request.ReplacementLines, Limits.ReplacementLines);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new RequestReturn
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, Reason = reason, ExpectedVersion = etag, Order = order, ExternalId = externalId,
            Lines = lines, Replacements = replacements,
        };
    }

    /// <summary>A step that says nothing but itself.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="request">For its digest.</param>
    /// <param name="of">Its fields.</param>
    /// <param name="reader">For ids.</param>
    /// <param name="vault">For the digest.</param>
    public static Mapped<ReturnStep> Map(CommandKind kind, IMessage request, in StepFields of, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var head = Head(ref violations, kind, in of, reader, out var references);
        var reason = Fields.Reason(ref violations, "reason", of.Reason);
        if (head.Asker.Refuse(violations, references) is { } refusal) return refusal;
        return new ReturnStep(kind)
        {
            RequestKey = RequestIdentity.Key(0, of.RequestId), BodyDigest = vault.Digest(kind, request),
            Actor = head.Asker.Actor, Role = head.Asker.Role, Reason = reason, ExpectedVersion = head.Etag, Return = head.Return,
        };
    }

    /// <summary>A parcel of a return.</summary>
    public static Mapped<CarryReturn> Map(CommandKind kind, IMessage request, in StepFields of, string carrier, string trackingNumber, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var head = Head(ref violations, kind, in of, reader, out var references);
        var by = Fields.OptionalId(ref violations, "carrier", carrier, Limits.ReferenceBytes);
        var tracking = Fields.OptionalId(ref violations, "tracking_number", trackingNumber, Limits.ReferenceBytes);
        if (head.Asker.Refuse(violations, references) is { } refusal) return refusal;
        return new CarryReturn(kind)
        {
            RequestKey = RequestIdentity.Key(0, of.RequestId), BodyDigest = vault.Digest(kind, request),
            Actor = head.Asker.Actor, Role = head.Asker.Role, ExpectedVersion = head.Etag, Return = head.Return, Carrier = by, TrackingNumber = tracking,
        };
    }

    /// <summary>Units that arrived.</summary>
    public static Mapped<ReceiveReturn> Map(ReceiveReturnRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var of = new StepFields(request.RequestId, request.Actor, request.ReturnId, request.Etag);
        var head = Head(ref violations, CommandKind.ReceiveReturn, in of, reader, out var references);
        Fields.CheckId(ref violations, "location_id", request.LocationId);
        var location = references.Location("location_id", request.LocationId);
        var units = Units(ref violations, request.Units);
        if (head.Asker.Refuse(violations, references) is { } refusal) return refusal;
        return new ReceiveReturn
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(CommandKind.ReceiveReturn, request),
            Actor = head.Asker.Actor, Role = head.Asker.Role, ExpectedVersion = head.Etag, Return = head.Return, Location = location, Units = units,
        };
    }

    private static (Asker Asker, long Return, long Etag) Head(ref Violations violations, CommandKind kind, in StepFields of, StateReader reader, out References references)
    {
        var asker = Asker.Read(ref violations, kind, of.RequestId, of.Actor);
        references = new References(reader);
        Fields.CheckId(ref violations, "return_id", of.ReturnId);
        return (asker, references.Return("return_id", of.ReturnId), Fields.Etag(ref violations, "etag", of.Etag));
    }

    private static ReturnedUnits[] Units(ref Violations violations, RepeatedField<ReceivedUnits> list)
    {
        const string Path = "units";
        if (!Fields.CheckCount(ref violations, Path, list.Count, 1, Limits.ReceivedPerRequest)) return [];
        var units = new ReturnedUnits[list.Count];
        var seen = new HashSet<(int, Contracts.V1.Disposition)>(list.Count);
        for (var i = 0; i < units.Length; i++)
        {
            var one = list[i];
            Fields.CheckRange(ref violations, new FieldPath(Path, i, "line_number"), one.LineNumber, 1, Limits.LinesPerOrder);
            Fields.CheckQuantity(ref violations, new FieldPath(Path, i, "quantity"), one.Quantity);
            Fields.CheckChosen(ref violations, new FieldPath(Path, i, "disposition"), one.Disposition);
            if (!seen.Add((one.LineNumber, one.Disposition))) violations.Add(new FieldPath(Path, i), "must not name a line and disposition twice");
            units[i] = new ReturnedUnits(one.LineNumber, one.Quantity, (Core.Disposition)one.Disposition);
        }
        return units;
    }
}

/// <summary>The fields that every step of a return has.</summary>
/// <param name="RequestId">As sent.</param>
/// <param name="Actor">As sent.</param>
/// <param name="ReturnId">As sent.</param>
/// <param name="Etag">As sent.</param>
/// <param name="Reason">As sent; empty where the request has none.</param>
internal readonly record struct StepFields(string RequestId, Actor? Actor, string ReturnId, string Etag, string Reason = "");
