// Rows of money: payments, refunds, settlements, instalments.

using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.BadInput;

internal static class PaymentTable
{
    private const long Most = 1_000_000_000_000_000;

    public static IEnumerable<Case> Rows() => [.. Payments(), .. Refunds(), .. Settlements()];

    // Every sound payment has a reference of its own: the table's order takes 200 of them, so most rows ask for one that is not the order's currency.
    private static IEnumerable<Case> Payments()
    {
        var pay = Rpc<RecordPaymentRequest>.Unary("RecordPayment",
            world => new RecordPaymentRequest { RequestId = Shop.NewId(), OrderId = world.OrderId, AmountMinor = 1, CurrencyCode = "XTS", Reference = Shop.NewId("p") },
            async (server, request) => await server.Orders.RecordPaymentAsync(request)).LeadingTo(ErrorReason.PaymentCurrencyMismatch);
        foreach (var row in Money(pay, (request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, (request, id) => request.OrderId = id,
            (request, etag) => request.Etag = etag, (request, reason) => request.Reason = reason, (request, amount) => request.AmountMinor = amount,
            (request, code) => request.CurrencyCode = code, (request, reference) => request.Reference = reference)) yield return row;
        foreach (var row in Times(pay, "payment_time", (request, time) => request.PaymentTime = time)) yield return row;
    }

    private static IEnumerable<Case> Refunds()
    {
        var refund = Rpc<RecordRefundRequest>.Unary("RecordRefund",
            world => new RecordRefundRequest { RequestId = Shop.NewId(), OrderId = world.OrderId, AmountMinor = 1, CurrencyCode = "XTS", Reference = Shop.NewId("f") },
            async (server, request) => await server.Orders.RecordRefundAsync(request)).LeadingTo(ErrorReason.PaymentCurrencyMismatch);
        foreach (var row in Money(refund, (request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, (request, id) => request.OrderId = id,
            (request, etag) => request.Etag = etag, (request, reason) => request.Reason = reason, (request, amount) => request.AmountMinor = amount,
            (request, code) => request.CurrencyCode = code, (request, reference) => request.Reference = reference)) yield return row;
        foreach (var row in Times(refund, "refund_time", (request, time) => request.RefundTime = time)) yield return row;
    }

    private static IEnumerable<Case> Money<T>(Rpc<T> rpc, Action<T, string> requestId, Action<T, Actor> actor, Action<T, string> order, Action<T, string> etag,
        Action<T, string> reason, Action<T, long> amount, Action<T, string> currency, Action<T, string> reference) where T : IMessage<T>
    {
        foreach (var row in rpc.Asker(requestId, actor, Role.Finance, Role.Channel, Role.System)) yield return row;
        foreach (var row in rpc.Id("order_id", order, unknown: ErrorReason.OrderNotFound)) yield return row;
        foreach (var row in rpc.Etag("etag", etag)) yield return row;
        yield return rpc.Ok("reason", "of 64 letters", request => reason(request, new string('A', 64)));
        yield return rpc.Bad("reason", "of 65 letters", request => reason(request, new string('A', 65)));
        foreach (var row in rpc.Number("amount_minor", amount, 1, Most)) yield return row;
        yield return rpc.Bad("amount_minor", "negative", request => amount(request, -1));
        yield return rpc.Bad("amount_minor", "overflowing", request => amount(request, long.MinValue));
        yield return rpc.Bad("currency_code", "empty", request => currency(request, ""));
        yield return rpc.Bad("currency_code", "in lower case", request => currency(request, "gbp"));
        foreach (var row in rpc.Id("reference", reference)) yield return row;
    }

    private static IEnumerable<Case> Times<T>(Rpc<T> rpc, string field, Action<T, Timestamp> set) where T : IMessage<T>
    {
        yield return rpc.Ok(field, "of 2026", request => set(request, new Timestamp { Seconds = 1_790_000_000 }));
        yield return rpc.Bad(field, "zero", request => set(request, new Timestamp()));
        yield return rpc.Bad(field, "negative", request => set(request, new Timestamp { Seconds = -1 }));
        yield return rpc.Bad(field, "beyond the year 9999", request => set(request, new Timestamp { Seconds = 253_402_300_800 }));
    }

    private static IEnumerable<Case> Settlements()
    {
        var get = Rpc<GetSettlementRequest>.Unary("GetSettlement", world => new GetSettlementRequest { OrderId = world.OrderId }, async (server, request) => await server.Orders.GetSettlementAsync(request));
        foreach (var row in get.Id("order_id", (request, id) => request.OrderId = id, unknown: ErrorReason.OrderNotFound)) yield return row;
        foreach (var row in get.MinSequence((request, value) => request.MinSequence = value)) yield return row;
    }

    /// <summary>Rows of a draft's instalments. Amounts are what a sum leaves of the draft's value, then others.</summary>
    public static IEnumerable<Case> Instalments<T>(Rpc<T> rpc, Func<T, OrderDraft> draft) where T : IMessage<T>
    {
        const string Field = "order.instalments";
        yield return rpc.Ok(Field + ".amount_minor", "that sum to the total", request => Set(request, -1, 1));
        yield return rpc.Bad(Field + ".amount_minor", "that sum to less", request => Set(request, -1), Field);
        yield return rpc.Bad(Field + ".amount_minor", "zero", request => Set(request, 0, 0), Field + "[1].amount_minor");
        yield return rpc.Bad(Field + ".amount_minor", "negative", request => Set(request, 1, -1), Field + "[1].amount_minor");
        yield return rpc.Bad(Field + ".amount_minor", "overflowing", request => Set(request, long.MaxValue / 2, long.MaxValue), Field + "[0].amount_minor");
        yield return rpc.Bad(Field + ".amount_minor", "of 25", request => Set(request, [.. Enumerable.Repeat(1L, 25)]), Field);
        yield return rpc.Bad(Field + ".due_time", "missing", request =>
        {
            Set(request, 0);
            draft(request).Instalments[0].DueTime = null;
        }, Field + "[0].due_time");
        yield return rpc.Bad(Field + ".due_time", "twice", request =>
        {
            Set(request, -1, 1);
            draft(request).Instalments[1].DueTime = draft(request).Instalments[0].DueTime;
        }, Field + "[1].due_time");
        yield return rpc.Bad(Field + ".amount_minor", "with other terms", request =>
        {
            Set(request, 0);
            draft(request).PaymentTerms = PaymentTerms.Credit;
        }, Field);

        // The first amount is the draft's value and so much more.
        void Set(T request, params long[] amounts)
        {
            amounts[0] += draft(request).Lines.Sum(line => line.Quantity * line.UnitPriceMinor);
            draft(request).PaymentTerms = PaymentTerms.Instalment;
            draft(request).Instalments.Clear();
            for (var i = 0; i < amounts.Length; i++)
                draft(request).Instalments.Add(new Instalment { DueTime = new Timestamp { Seconds = 1_790_000_000 + i }, AmountMinor = amounts[i] });
        }
    }
}
