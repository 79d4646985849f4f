// Requests of OrderService, and the commit of a reservation, to commands. Any thread.

using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using RpcStatus = Google.Rpc.Status;

namespace OrderEngine.Server.Mapping;

/// <summary>Maps orders and what is asked of them.</summary>
internal static class OrderRequests
{
    /// <summary>A submission.</summary>
    public static ValueTask<Mapped<SubmitOrder>> MapAsync(SubmitOrderRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.SubmitOrder, request.RequestId, request.Actor);
        var references = new References(reader);
        var draft = Draft(ref violations, ref references, request.Order, dryRun: false);
        if (asker.Refuse(violations, references) is { } refusal) return Refused(refusal);
        return CompleteAsync(draft, asker, 0, request.Order, reader, vault, vault.Digest(asker.Kind, request));
    }

    /// <summary>A commit of a reservation: a submission that takes what is held.</summary>
    public static ValueTask<Mapped<SubmitOrder>> MapAsync(CommitReservationRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.CommitReservation, request.RequestId, request.Actor);
        var references = new References(reader);
        Fields.CheckId(ref violations, "reservation_id", request.ReservationId);
        var reservation = references.Reservation("reservation_id", request.ReservationId);
        var draft = Draft(ref violations, ref references, request.Order, dryRun: false);
        if (asker.Refuse(violations, references) is { } refusal) return Refused(refusal);
        return CompleteAsync(draft, asker, reservation, request.Order, reader, vault, vault.Digest(asker.Kind, request));
    }

    /// <summary>A dry run: never journaled, so without request id, digest and personal data.</summary>
    public static Mapped<SubmitOrder> Map(CheckFulfillabilityRequest request, StateReader reader)
    {
        var violations = new Violations();
        var actor = Fields.Actor(ref violations, request.Actor);
        var role = Fields.Role(ref violations, request.Actor, CommandKind.SubmitOrder);
        var asker = new Asker(CommandKind.SubmitOrder, "", actor, role);
        var references = new References(reader);
        var draft = Draft(ref violations, ref references, request.Order, dryRun: true);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return Command(draft, asker, 0, request.Order, default, default, default, ReviewRequests.NoteRules(request.Order, draft.Channel, reader));
    }

    /// <summary>A cancellation.</summary>
    public static Mapped<CancelOrder> Map(CancelOrderRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.CancelOrder, request.RequestId, request.Actor);
        var references = new References(reader);
        var order = references.Order(ref violations, request.OrderId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        var reason = Fields.Reason(ref violations, "reason", request.Reason);
        var lines = LineQuantities.Map(ref violations, request.Lines);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new CancelOrder
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, Reason = reason, ExpectedVersion = etag, Order = order, Lines = lines,
        };
    }

    /// <summary>The lane that an order takes.</summary>
    public static Lane LaneOf(Core.Priority priority) => priority == Core.Priority.High ? Lane.Priority : Lane.Normal;

    private static ValueTask<Mapped<SubmitOrder>> Refused(RpcStatus refusal) => ValueTask.FromResult<Mapped<SubmitOrder>>(refusal);

    /// <summary>What of a draft is resolved: numbers and lines.</summary>
    private readonly record struct ResolvedDraft(int Channel, int Customer, int Currency, long RequestedAt, byte[] Region, DraftLine[] Lines, Core.Instalment[] Instalments);

    private static ResolvedDraft Draft(ref Violations violations, ref References references, OrderDraft? draft, bool dryRun)
    {
        if (!Fields.CheckPresent(ref violations, "order", draft)) return default;
        Fields.CheckId(ref violations, "order.channel_id", draft!.ChannelId);
        if (dryRun) Fields.CheckOptionalId(ref violations, "order.external_order_id", draft.ExternalOrderId);
        else Fields.CheckId(ref violations, "order.external_order_id", draft.ExternalOrderId);
        Fields.CheckOptionalId(ref violations, "order.customer_id", draft.CustomerId);
        Fields.CheckEnum(ref violations, "order.type", draft.Type);
        Fields.CheckEnum(ref violations, "order.allocation_policy", draft.AllocationPolicy);
        Fields.CheckEnum(ref violations, "order.payment_terms", draft.PaymentTerms);
        Fields.CheckEnum(ref violations, "order.priority", draft.Priority);
        var currency = Fields.Currency(ref violations, "order.currency_code", draft.CurrencyCode, required: true);
        var requestedAt = Fields.Time(ref violations, "order.requested_time", draft.RequestedTime);
        Fields.CheckEnum(ref violations, "order.shipping_policy", draft.ShippingPolicy);
        var region = draft.ShipToRegion.Length == 0 ? [] : Fields.Text(ref violations, "order.ship_to_region", draft.ShipToRegion, Limits.RegionBytes);
        Fields.CheckPersonal(ref violations, "order.delivery", draft.Delivery);
        var channel = references.Channel("order.channel_id", draft.ChannelId);
        var customer = references.Customer("order.customer_id", draft.CustomerId);
        var lines = Lines(ref violations, ref references, "order.lines", draft.Lines, Limits.LinesPerOrder);
        var instalments = PaymentRequests.Instalments(ref violations, draft, lines);
        Extras.Check(ref violations, draft.Extras, draft.Lines.Count);
        return new ResolvedDraft(channel, customer, currency, requestedAt, region, lines, instalments);
    }

    /// <summary>Lines as submitted: 1 to <paramref name="most"/>.</summary>
    public static DraftLine[] Lines(
        ref Violations violations, ref References references, string path, Google.Protobuf.Collections.RepeatedField<OrderLineDraft> list, int most)
    {
        if (!Fields.CheckCount(ref violations, path, list.Count, 1, most)) return [];
        var lines = new DraftLine[list.Count];
        long total = 0;
        for (var i = 0; i < lines.Length; i++)
        {
            var line = list[i];
            Fields.CheckId(ref violations, new FieldPath(path, i, "sku_id"), line.SkuId);
            Fields.CheckQuantity(ref violations, new FieldPath(path, i, "quantity"), line.Quantity);
            Fields.CheckRange(ref violations, new FieldPath(path, i, "unit_price_minor"), line.UnitPriceMinor, 0, Limits.UnitPrice);
            // Within bounds a line is worth at most 10^18, and the sum stops growing once it has passed its own bound: no overflow.
            if (!violations.Any && total <= Limits.OrderTotal) total += line.Quantity * line.UnitPriceMinor;
            lines[i] = new DraftLine(references.Sku(new FieldPath(path, i, "sku_id"), line.SkuId), line.Quantity, line.UnitPriceMinor);
        }
        if (total > Limits.OrderTotal) violations.Add(path, "must be worth at most 1,000,000,000,000,000 minor units in all");
        return lines;
    }

    private static ValueTask<Mapped<SubmitOrder>> CompleteAsync(ResolvedDraft draft, Asker asker, long reservation, OrderDraft order, StateReader reader,
        PersonalVault vault, UInt128 digest)
    {
        var key = RequestIdentity.Key(draft.Channel, asker.RequestId);
        var asksSpecially = order.Extras is { SpecialRequests.Count: > 0 };
        if (order.Delivery is null && !asksSpecially) return ValueTask.FromResult<Mapped<SubmitOrder>>(Command(draft, asker, reservation, order, key, digest, default, []));
        if (!vault.MaySeal) return ValueTask.FromResult<Mapped<SubmitOrder>>(Errors.Status(ErrorReason.DiskLow));
        var noteRules = ReviewRequests.NoteRules(order, draft.Channel, reader);
        return SealFirstAsync();

        async ValueTask<Mapped<SubmitOrder>> SealFirstAsync()
        {
            var delivery = await vault.SealAsync(order.CustomerId, draft.Customer, order.Delivery);
            if (!asksSpecially) return Command(draft, asker, reservation, order, key, digest, delivery, noteRules);
            var wishes = Extras.Requests(order.Extras);
            var requests = delivery.Key != 0 ? vault.SealUnder(delivery.Key, wishes) : await vault.SealAsync(order.CustomerId, draft.Customer, wishes);
            return Command(draft, asker, reservation, order, key, digest, delivery, noteRules, requests);
        }
    }

    private static SubmitOrder Command(ResolvedDraft draft, Asker asker, long reservation, OrderDraft order, UInt128 key, UInt128 digest,
        SealedData delivery, byte[][] noteRules, SealedData requests = default) =>
        new(asker.Kind)
        {
            RequestKey = key, BodyDigest = digest, Actor = asker.Actor, Role = asker.Role,
            Channel = draft.Channel, Customer = draft.Customer, ExternalId = System.Text.Encoding.UTF8.GetBytes(order.ExternalOrderId),
            Type = (Core.OrderType)order.Type, Policy = (Core.AllocationPolicy)order.AllocationPolicy,
            Terms = (Core.PaymentTerms)order.PaymentTerms, Priority = (Core.Priority)order.Priority,
            CurrencyCode = draft.Currency, RequestedAt = draft.RequestedAt, Lines = draft.Lines,
            Region = draft.Region, Shipping = (Core.ShippingPolicy)order.ShippingPolicy,
            Delivery = delivery, Reservation = reservation, NoteRules = noteRules,
            Instalments = draft.Instalments, Extras = Extras.Map(order.Extras, requests),
        };
}

/// <summary>Lists of line and quantity.</summary>
internal static class LineQuantities
{
    /// <summary>Maps quantities of lines: 0 to <see cref="Limits.LinesPerOrder"/>, each line at most once.</summary>
    public static Core.LineQuantity[] Map(ref Violations violations, Google.Protobuf.Collections.RepeatedField<Contracts.V1.LineQuantity> list)
    {
        const string Path = "lines";
        if (list.Count == 0 || !Fields.CheckCount(ref violations, Path, list.Count, 0, Limits.LinesPerOrder)) return [];
        var lines = new Core.LineQuantity[list.Count];
        var seen = new HashSet<int>(list.Count);
        for (var i = 0; i < lines.Length; i++)
        {
            var line = list[i];
            Fields.CheckRange(ref violations, new FieldPath(Path, i, "line_number"), line.LineNumber, 1, Limits.LinesPerOrder);
            Fields.CheckQuantity(ref violations, new FieldPath(Path, i, "quantity"), line.Quantity);
            if (!seen.Add(line.LineNumber)) violations.Add(new FieldPath(Path, i, "line_number"), "must not come twice");
            lines[i] = new Core.LineQuantity(line.LineNumber, line.Quantity);
        }
        return lines;
    }
}
