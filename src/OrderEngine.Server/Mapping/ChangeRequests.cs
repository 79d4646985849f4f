// Requests of OrderService that change an accepted order, to commands. Any thread.

using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Engine;

namespace OrderEngine.Server.Mapping;

/// <summary>Maps what those ask who look after an accepted order.</summary>
internal static class ChangeRequests
{
    /// <summary>A hold.</summary>
    public static Mapped<PlaceHold> Map(PlaceHoldRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.PlaceHold, request.RequestId, request.Actor);
        var references = new References(reader);
        var order = references.Order(ref violations, request.OrderId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        var reason = Fields.Reason(ref violations, "reason", request.Reason);
        var hold = Holds.Kind(ref violations, "kind", request.Kind);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new PlaceHold
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, Reason = reason, ExpectedVersion = etag, Order = order, Hold = hold,
        };
    }

    /// <summary>The end of a hold.</summary>
    public static Mapped<ReleaseHold> Map(ReleaseHoldRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.ReleaseHold, request.RequestId, request.Actor);
        var references = new References(reader);
        var order = references.Order(ref violations, request.OrderId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        var reason = Fields.Reason(ref violations, "reason", request.Reason);
        var hold = Holds.Kind(ref violations, "kind", request.Kind);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new ReleaseHold
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, Reason = reason, ExpectedVersion = etag, Order = order, Hold = hold,
        };
    }
}

/// <summary>Kinds of holds, between the contract's numbers and the core's bits.</summary>
internal static class Holds
{
    private static readonly HoldKind[] Kinds = [.. Enum.GetValues<HoldKind>().Where(kind => kind != HoldKind.Unspecified)];

    /// <summary>A required kind as its bit.</summary>
    public static OrderHolds Kind(ref Violations violations, FieldPath path, HoldKind kind)
    {
        if (kind == HoldKind.Unspecified) violations.Add(path, "is required");
        else if (kind == HoldKind.Confirmation) violations.Add(path, "must not be CONFIRMATION: it opens with the order, and ConfirmOrder ends it");
        else Fields.CheckEnum(ref violations, path, kind);
        return Bit(kind);
    }

    /// <summary>The kinds in a set, in the order of their numbers.</summary>
    public static IEnumerable<HoldKind> KindsOf(OrderHolds holds) => Kinds.Where(kind => (holds & Bit(kind)) != 0);

    private static OrderHolds Bit(HoldKind kind) => (OrderHolds)(1 << (int)kind - 1);
}
