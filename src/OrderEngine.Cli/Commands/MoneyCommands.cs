// Owns order pay, refund and settlement. One thread.
using System.CommandLine;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal static class MoneyCommands
{
    public static Command Pay(Runner run)
    {
        var command = new Command("pay", "Record money that came for an order. It is recorded in every state.");
        var movement = new MovementOptions("payment", "When it came");
        var id = OrderCommands.OrderId();
        OrderCommands.Add(command, id, movement.Options);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var given = movement.Read(session, session.Get(id));
            var answer = await session.Client.Orders.RecordPaymentAsync(given, cancellationToken: cancellationToken);
            return session.Answer(answer, s =>
            {
                s.Say((answer.Replayed ? "Recorded before: " : "Recorded: ") + Effect(answer.Effect));
                Show(s, answer.OrderId, answer.State, answer.Balance, given.CurrencyCode, answer.Sequence, answer.Etag);
            });
        });
    }

    public static Command Refund(Runner run)
    {
        var command = new Command("refund", "Record money that went back to the customer; at most what was paid.");
        var movement = new MovementOptions("refund", "When it went");
        var id = OrderCommands.OrderId();
        OrderCommands.Add(command, id, movement.Options);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var given = movement.Read(session, session.Get(id));
            var answer = await session.Client.Orders.RecordRefundAsync(new RecordRefundRequest
            {
                RequestId = given.RequestId, OrderId = given.OrderId, Etag = given.Etag, Reason = given.Reason, AmountMinor = given.AmountMinor,
                CurrencyCode = given.CurrencyCode, Reference = given.Reference, RefundTime = given.PaymentTime,
            }, cancellationToken: cancellationToken);
            return session.Answer(answer, s =>
            {
                s.Say(answer.Replayed ? "Recorded before." : "Recorded.");
                Show(s, answer.OrderId, answer.State, answer.Balance, given.CurrencyCode, answer.Sequence, answer.Etag);
            });
        });
    }

    public static Command Settlement(Runner run)
    {
        var command = new Command("settlement", "Show what an order comes to, what was paid and refunded, and what is due.");
        var id = OrderCommands.OrderId();
        command.Add(id);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var found = await session.Client.Orders.GetSettlementAsync(new GetSettlementRequest { OrderId = session.Get(id) }, cancellationToken: cancellationToken);
            return session.Answer(found, s =>
            {
                string Money(long minor) => minor == 0 ? "" : Session.Money(minor, found.CurrencyCode);
                var balance = found.Balance ?? new Balance();
                s.Fields(("order", found.OrderId), ("state", Values.Upper(found.State)), ("terms", Values.Upper(found.PaymentTerms)),
                    ("ordered", Session.Money(found.OrderedMinor, found.CurrencyCode)), ("cancelled", Money(found.CancelledMinor)), ("delivered", Money(found.DeliveredMinor)),
                    ("lost", Money(found.LostMinor)), ("returned", Money(found.ReturnedMinor)), ("payable", Session.Money(balance.PayableMinor, found.CurrencyCode)),
                    ("paid", Money(balance.PaidMinor)), ("refunded", Money(balance.RefundedMinor)), ("outstanding", Money(balance.OutstandingMinor)), ("due now", Money(found.DueNowMinor)),
                    ("to be refunded", Money(balance.RefundDueMinor)), ("payment", Values.Upper(balance.State)), ("settled", found.Settled ? "yes" : "no"), ("sequence", Session.Number(found.Sequence)));
                if (found.Instalments.Count > 0)
                    s.Table(["instalment due", ">amount"], found.Instalments.Select(part => new[] { Session.Time(part.DueTime), Session.Money(part.AmountMinor, found.CurrencyCode) }));
                if (found.Movements.Count > 0)
                {
                    s.Table(["time", ">amount", "reference", ">sequence"], found.Movements.Select(one => new[]
                    {
                        Session.Time(one.Time), Session.Money(one.AmountMinor, found.CurrencyCode), one.Reference, Session.Number(one.Sequence),
                    }));
                }
            });
        });
    }

    private static string Effect(PaymentEffect effect) => effect switch
    {
        PaymentEffect.Partial => "a part of what is to be paid.",
        PaymentEffect.Covered => "the order is paid.",
        PaymentEffect.Overpaid => "the order is paid, and more than that: the difference is to be refunded.",
        PaymentEffect.Reinstated => "late; the order had expired and goes on.",
        PaymentEffect.RefundDue => "the order comes to nothing any more: the money is to be refunded.",
        _ => Values.Upper(effect) + ".",
    };

    private static void Show(Session session, string orderId, OrderState state, Balance? of, string currency, long sequence, string etag)
    {
        var balance = of ?? new Balance();
        session.Fields(("order", orderId), ("state", Values.Upper(state)), ("payment", Values.Upper(balance.State)), ("payable", Session.Money(balance.PayableMinor, currency)),
            ("paid", Session.Money(balance.PaidMinor, currency)), ("refunded", balance.RefundedMinor == 0 ? "" : Session.Money(balance.RefundedMinor, currency)),
            ("outstanding", balance.OutstandingMinor == 0 ? "" : Session.Money(balance.OutstandingMinor, currency)),
            ("to be refunded", balance.RefundDueMinor == 0 ? "" : Session.Money(balance.RefundDueMinor, currency)), ("sequence", Session.Number(sequence)), ("etag", etag));
    }

    /// <summary>The options of money that moves.</summary>
    private sealed class MovementOptions(string what, string when)
    {
        private readonly Option<long> _amount = new("--amount") { Description = "In minor units of the order's currency (250 is 2.50).", HelpName = "MINOR", Required = true };
        private readonly Option<string> _currency = new("--currency") { Description = "ISO 4217: the order's.", HelpName = "CODE", Required = true };
        private readonly Option<string> _reference = new("--reference") { Description = $"What the bank or provider calls the {what}; each once on an order. Not personal data.", HelpName = "ID", Required = true };
        private readonly Option<string?> _time = new("--time") { Description = $"{when} (2026-03-01 or 2026-03-01T12:00:00Z); left out: now.", HelpName = "TIME" };
        private readonly Option<string?> _reason = OrderCommands.Reason("BANK_TRANSFER");
        private readonly Option<string?> _etag = OrderCommands.Etag();
        private readonly Option<string?> _requestId = OrderCommands.RequestId();

        public Option[] Options => [_amount, _currency, _reference, _time, _reason, _etag, _requestId];

        public RecordPaymentRequest Read(Session session, string orderId) => new()
        {
            RequestId = session.Get(_requestId) ?? "", OrderId = orderId, Etag = session.Get(_etag) ?? "", Reason = session.Get(_reason) ?? "", AmountMinor = session.Get(_amount),
            CurrencyCode = session.Get(_currency)!, Reference = session.Get(_reference)!, PaymentTime = session.Get(_time) is { } time ? Values.Time("--time", time) : null,
        };
    }
}
