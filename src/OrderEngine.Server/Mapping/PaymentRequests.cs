// Requests about money to commands. Any thread.

using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Engine;

namespace OrderEngine.Server.Mapping;

/// <summary>Maps payments, refunds and instalments.</summary>
internal static class PaymentRequests
{
    /// <summary>A payment.</summary>
    public static Mapped<RecordPayment> Map(RecordPaymentRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.RecordPayment, request.RequestId, request.Actor);
        var references = new References(reader);
        var order = references.Order(ref violations, request.OrderId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        var reason = Fields.Reason(ref violations, "reason", request.Reason);
        var currency = Money(ref violations, request.AmountMinor, request.CurrencyCode);
        var reference = Fields.Id(ref violations, "reference", request.Reference);
        var time = Fields.Time(ref violations, "payment_time", request.PaymentTime);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new RecordPayment
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, Reason = reason, ExpectedVersion = etag, Order = order,
            Amount = request.AmountMinor, CurrencyCode = currency, Reference = reference, PaidAt = time,
        };
    }

    /// <summary>A refund.</summary>
    public static Mapped<RecordRefund> Map(RecordRefundRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.RecordRefund, request.RequestId, request.Actor);
        var references = new References(reader);
        var order = references.Order(ref violations, request.OrderId);
        var etag = Fields.Etag(ref violations, "etag", request.Etag);
        var reason = Fields.Reason(ref violations, "reason", request.Reason);
        var currency = Money(ref violations, request.AmountMinor, request.CurrencyCode);
        var reference = Fields.Id(ref violations, "reference", request.Reference);
        var time = Fields.Time(ref violations, "refund_time", request.RefundTime);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new RecordRefund
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, Reason = reason, ExpectedVersion = etag, Order = order,
            Amount = request.AmountMinor, CurrencyCode = currency, Reference = reference, RefundedAt = time,
        };
    }

    /// <summary>The instalments of a draft: they sum to the value of its lines.</summary>
    public static Core.Instalment[] Instalments(ref Violations violations, OrderDraft draft, DraftLine[] lines)
    {
        const string Path = "order.instalments";
        var list = draft.Instalments;
        if (list.Count == 0 || !Fields.CheckCount(ref violations, Path, list.Count, 0, Limits.Instalments)) return [];
        if (draft.PaymentTerms != Contracts.V1.PaymentTerms.Instalment) violations.Add(Path, "must be empty unless payment_terms is INSTALMENT");
        var instalments = new Core.Instalment[list.Count];
        var sum = 0L;
        for (var i = 0; i < instalments.Length; i++)
        {
            if (Fields.CheckPresent(ref violations, new FieldPath(Path, i, "due_time"), list[i].DueTime))
                instalments[i] = new Core.Instalment(Fields.Time(ref violations, new FieldPath(Path, i, "due_time"), list[i].DueTime), list[i].AmountMinor);
            if (i > 0 && instalments[i].DueAt <= instalments[i - 1].DueAt) violations.Add(new FieldPath(Path, i, "due_time"), "must lie behind the one before");
            Fields.CheckRange(ref violations, new FieldPath(Path, i, "amount_minor"), list[i].AmountMinor, 1, Limits.OrderTotal);
            // 24 amounts within bounds stay far below 2^63.
            if (!violations.Any) sum += list[i].AmountMinor;
        }
        if (!violations.Any && sum != lines.Sum(line => line.Quantity * line.UnitPrice)) violations.Add(Path, "must sum to the value of the lines");
        return instalments;
    }

    private static int Money(ref Violations violations, long amount, string currency)
    {
        Fields.CheckRange(ref violations, "amount_minor", amount, 1, Limits.OrderTotal);
        return Fields.Currency(ref violations, "currency_code", currency, required: true);
    }
}
