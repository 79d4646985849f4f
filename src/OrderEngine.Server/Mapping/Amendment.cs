// Requests to amend an order: the mask, the delivery as it shall be, lines. Any thread.

using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Engine;

namespace OrderEngine.Server.Mapping;

/// <summary>Maps amendments.</summary>
internal static class Amendment
{
    private const string DeliveryPath = "delivery", RequestedTimePath = "requested_time", LinesPath = "lines";
    private const int MostPaths = 16;
    private const int NoteBit = 1 << PersonalDetails.NoteFieldNumber;

    // The fields of the delivery by the paths that name them, each with how one value of it is put in the place of another.
    private static readonly Dictionary<string, (int Bit, Action<PersonalDetails, PersonalDetails> Copy)> DeliveryFields = PersonalDetails.Descriptor.Fields.InDeclarationOrder()
        .ToDictionary(field => $"{DeliveryPath}.{field.Name}", field => (1 << field.FieldNumber, Copier(field)));

    /// <summary>An amendment. Personal data is merged with what the order has, and sealed under the same key.</summary>
    /// <param name="request">The request.</param>
    /// <param name="reader">For ids and the order's delivery.</param>
    /// <param name="vault">Seals it.</param>
    /// <param name="at">A sequence at which to read the delivery.</param>
    public static async ValueTask<Mapped<AmendOrder>> MapAsync(AmendOrderRequest request, StateReader reader, PersonalVault vault, long at)
    {
        var violations = new Violations();
        var (fields, personal) = Mask(ref violations, request.UpdateMask);
        var kind = (fields & AmendedFields.Lines) != 0 ? CommandKind.AmendLines : CommandKind.AmendOrder;
        var mapped = Read(request, reader, vault, violations, fields, kind);
        if (mapped.Command is not { } amend || (fields & AmendedFields.Delivery) == 0) return mapped;

        var (present, version, customer, channel) = Delivery(reader, amend.Order, at);
        var before = vault.Unseal(present);
        var after = request.Order.Delivery?.Clone() ?? new PersonalDetails();
        if (personal != 0) after = Merged(before, after, personal);
        if (after.CalculateSize() > PersonalVault.MaxPlaintext) return Errors.InvalidField("order.delivery", $"must be at most {PersonalVault.MaxPlaintext} bytes in all");
        var delivery = present.Key != 0
            ? vault.SealUnder(present.Key, after)
            : await vault.SealAsync(Texts.Customer(reader, customer), customer, after);
        var different = Differences(before ?? new PersonalDetails(), after);
        return new AmendOrder(kind)
        {
            RequestKey = amend.RequestKey, BodyDigest = amend.BodyDigest, Actor = amend.Actor, Role = amend.Role, Reason = amend.Reason,
            ExpectedVersion = amend.ExpectedVersion, Order = amend.Order, Fields = fields, RequestedAt = amend.RequestedAt, Lines = amend.Lines,
            Delivery = delivery, DeliveryVersion = version, DeliveryFields = different,
            NoteRules = (different & NoteBit) != 0 && after.Note.Length > 0 ? ReviewRequests.NoteRules([after.Note], channel, reader) : [],
        };
    }

    /// <summary>The paths of what an amendment changed.</summary>
    /// <param name="fields">What.</param>
    /// <param name="personal">Bits of the delivery's fields.</param>
    public static IEnumerable<string> Paths(AmendedFields fields, int personal)
    {
        if ((fields & AmendedFields.RequestedTime) != 0) yield return RequestedTimePath;
        if ((fields & AmendedFields.Lines) != 0) yield return LinesPath;
        foreach (var (path, (bit, _)) in DeliveryFields)
            if ((personal & bit) != 0) yield return path;
    }

    /// <summary>True for a path of personal data.</summary>
    public static bool IsPersonal(string path) => DeliveryFields.ContainsKey(path);

    private static Mapped<AmendOrder> Read(AmendOrderRequest request, StateReader reader, PersonalVault vault, Violations violations, AmendedFields fields, CommandKind kind)
    {
        var asker = Asker.Read(ref violations, kind, request.RequestId, request.Actor);
        var references = new References(reader);
        var order = references.Order(ref violations, request.OrderId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        var reason = Fields.Reason(ref violations, "reason", request.Reason);
        var (requestedAt, lines) = (0L, Array.Empty<Core.AmendedLine>());
        if (Fields.CheckPresent(ref violations, "order", request.Order))
        {
            if ((fields & AmendedFields.Delivery) != 0) Fields.CheckPersonal(ref violations, "order.delivery", request.Order.Delivery);
            if ((fields & AmendedFields.RequestedTime) != 0) requestedAt = Fields.Time(ref violations, "order.requested_time", request.Order.RequestedTime);
            if ((fields & AmendedFields.Lines) != 0) lines = Lines(ref violations, ref references, request.Order.Lines);
        }
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new AmendOrder(kind)
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, Reason = reason, ExpectedVersion = etag, Order = order, Fields = fields, RequestedAt = requestedAt, Lines = lines,
        };
    }

    /// <summary>What the mask names, and which fields of the delivery; 0: the whole.</summary>
    private static (AmendedFields Fields, int Personal) Mask(ref Violations violations, FieldMask? mask)
    {
        const string Path = "update_mask";
        var (fields, personal, whole) = (AmendedFields.None, 0, false);
        var paths = mask?.Paths ?? [];
        if (!Fields.CheckCount(ref violations, Path, paths.Count, 1, MostPaths)) return default;
        for (var i = 0; i < paths.Count; i++)
        {
            if (paths.IndexOf(paths[i]) < i) violations.Add(new FieldPath(Path, i), "must not come twice");
            switch (paths[i])
            {
                case RequestedTimePath: fields |= AmendedFields.RequestedTime; break;
                case LinesPath: fields |= AmendedFields.Lines; break;
                case DeliveryPath:
                    fields |= AmendedFields.Delivery;
                    whole = true;
                    break;
                case var inside when DeliveryFields.TryGetValue(inside, out var one):
                    fields |= AmendedFields.Delivery;
                    personal |= one.Bit;
                    break;
                default: violations.Add(new FieldPath(Path, i), "must be delivery, a field of it as in delivery.city, requested_time or lines"); break;
            }
        }
        if (whole && personal != 0) violations.Add(Path, "must not name delivery and a field of it");
        return (fields, personal);
    }

    private static Core.AmendedLine[] Lines(ref Violations violations, ref References references, RepeatedField<LineAmendment> list)
    {
        const string Path = "order.lines";
        if (!Fields.CheckCount(ref violations, Path, list.Count, 1, Limits.LinesPerOrder)) return [];
        var lines = new Core.AmendedLine[list.Count];
        var seen = new HashSet<int>(list.Count);
        for (var i = 0; i < lines.Length; i++)
        {
            var line = list[i];
            Fields.CheckRange(ref violations, new FieldPath(Path, i, "line_number"), line.LineNumber, 0, Limits.LinesPerOrder);
            if (line.LineNumber != 0 && !seen.Add(line.LineNumber)) violations.Add(new FieldPath(Path, i, "line_number"), "must not come twice");
            if (line.HasUnitPriceMinor) Fields.CheckRange(ref violations, new FieldPath(Path, i, "unit_price_minor"), line.UnitPriceMinor, 0, Limits.UnitPrice);
            if (line.HasQuantity) Fields.CheckRange(ref violations, new FieldPath(Path, i, "quantity"), line.Quantity, line.LineNumber == 0 ? 1 : 0, Limits.QuantityPerLine);
            var sku = line.LineNumber == 0 ? NewLine(ref violations, ref references, line, i) : 0;
            if (line.LineNumber != 0 && line.SkuId.Length > 0) violations.Add(new FieldPath(Path, i, "sku_id"), "must be empty for a line that is there: its SKU cannot change");
            lines[i] = new Core.AmendedLine(line.LineNumber, sku, line.HasQuantity ? line.Quantity : -1, line.HasUnitPriceMinor ? line.UnitPriceMinor : -1);
        }
        return lines;

        static int NewLine(ref Violations violations, ref References references, LineAmendment line, int i)
        {
            Fields.CheckId(ref violations, new FieldPath(Path, i, "sku_id"), line.SkuId);
            if (!line.HasQuantity) violations.Add(new FieldPath(Path, i, "quantity"), "is required for a new line");
            if (!line.HasUnitPriceMinor) violations.Add(new FieldPath(Path, i, "unit_price_minor"), "is required for a new line");
            return references.Sku(new FieldPath(Path, i, "sku_id"), line.SkuId);
        }
    }

    private static (SealedData Present, long Version, int Customer, int Channel) Delivery(StateReader reader, long order, long at)
    {
        using var guard = reader.Enter();
        var view = reader.Order(order, at);
        if (!view.Exists) return default;
        var present = OrderReads.SealedDelivery(reader, order, at, out var version);
        return (present, version, view.Head.Customer, view.Head.Channel);
    }

    private static PersonalDetails Merged(PersonalDetails? before, PersonalDetails values, int personal)
    {
        var merged = before?.Clone() ?? new PersonalDetails();
        foreach (var (bit, copy) in DeliveryFields.Values)
            if ((personal & bit) != 0) copy(values, merged);
        return merged;
    }

    private static int Differences(PersonalDetails before, PersonalDetails after)
    {
        var different = 0;
        foreach (var field in PersonalDetails.Descriptor.Fields.InDeclarationOrder())
            if (!field.Accessor.GetValue(before).Equals(field.Accessor.GetValue(after))) different |= 1 << field.FieldNumber;
        return different;
    }

    private static Action<PersonalDetails, PersonalDetails> Copier(Google.Protobuf.Reflection.FieldDescriptor field) => field.IsRepeated
        ? (from, to) =>
        {
            to.AddressLines.Clear();
            to.AddressLines.Add(from.AddressLines);
        }
        : (from, to) => field.Accessor.SetValue(to, field.Accessor.GetValue(from));
}
