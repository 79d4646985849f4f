// Money for clients: balances from events and rows, settlements from row and history. Reads run inside one read guard that the caller holds.

using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using Journaled = OrderEngine.Contracts.Journal;

namespace OrderEngine.Server.Mapping;

/// <summary>Makes the contract's balances and settlements.</summary>
internal static class PaymentReads
{
    /// <summary>Where the payment of an order stands.</summary>
    public static Balance Balance(Core.OrderState state, long payable, long paid, long refunded) => new()
    {
        State = (Contracts.V1.PaymentState)PaymentStates.Of(state, payable, paid, refunded), PayableMinor = payable, PaidMinor = paid, RefundedMinor = refunded,
        OutstandingMinor = Math.Max(0, payable - paid + refunded), RefundDueMinor = Math.Max(0, paid - refunded - payable),
    };

    /// <summary>A recorded payment, from orderengine.journal.PaymentRecorded.</summary>
    public static RecordPaymentResponse Paid(in CommandAnswer answer)
    {
        var e = new EventView(answer.Event.Span);
        var recorded = Journaled.PaymentRecorded.Parser.ParseFrom(e.Body);
        return new RecordPaymentResponse
        {
            OrderId = Texts.Order(e.Order), Sequence = e.Sequence, State = (Contracts.V1.OrderState)e.After, Etag = Texts.Etag(e.Sequence), Replayed = answer.Replayed,
            Effect = (Contracts.V1.PaymentEffect)recorded.Effect, Balance = Balance(e.After, (long)recorded.Payable, (long)recorded.Paid, (long)recorded.Refunded),
        };
    }

    /// <summary>A recorded refund, from orderengine.journal.RefundRecorded.</summary>
    public static RecordRefundResponse Refunded(in CommandAnswer answer)
    {
        var e = new EventView(answer.Event.Span);
        var recorded = Journaled.RefundRecorded.Parser.ParseFrom(e.Body);
        return new RecordRefundResponse
        {
            OrderId = Texts.Order(e.Order), Sequence = e.Sequence, State = (Contracts.V1.OrderState)e.After, Etag = Texts.Etag(e.Sequence), Replayed = answer.Replayed,
            Balance = Balance(e.After, (long)recorded.Payable, (long)recorded.Paid, (long)recorded.Refunded),
        };
    }

    /// <summary>For those who follow the order.</summary>
    public static void SetChange(OrderEvent mapped, Journaled.Event e, StateReader reader)
    {
        switch (e.BodyCase)
        {
            case Journaled.Event.BodyOneofCase.PaymentRecorded:
                var paid = e.PaymentRecorded;
                mapped.PaymentRecorded = new PaymentRecorded
                {
                    AmountMinor = (long)paid.Amount, Reference = paid.Reference, PaymentTime = Texts.Time((long)paid.PaidTime), Effect = (Contracts.V1.PaymentEffect)paid.Effect,
                    Balance = Balance((Core.OrderState)e.StateAfter, (long)paid.Payable, (long)paid.Paid, (long)paid.Refunded),
                };
                foreach (var line in paid.Reinstated)
                {
                    var reinstated = new ReinstatedLine { LineNumber = (int)line.Line, Backordered = (int)line.Backordered, Cancelled = (int)line.Cancelled };
                    foreach (var part in line.Reserved)
                        reinstated.Reserved.Add(new LocationQuantity { LocationId = Texts.Location(reader, (int)part.Location), Quantity = (int)part.Quantity });
                    mapped.PaymentRecorded.Reinstated.Add(reinstated);
                }
                break;
            case Journaled.Event.BodyOneofCase.RefundRecorded:
                var refunded = e.RefundRecorded;
                mapped.RefundRecorded = new RefundRecorded
                {
                    AmountMinor = (long)refunded.Amount, Reference = refunded.Reference, RefundTime = Texts.Time((long)refunded.RefundedTime),
                    Balance = Balance((Core.OrderState)e.StateAfter, (long)refunded.Payable, (long)refunded.Paid, (long)refunded.Refunded),
                };
                break;
            case Journaled.Event.BodyOneofCase.OrderExpired:
                mapped.Expired = new OrderExpired();
                foreach (var line in e.OrderExpired.Lines)
                    mapped.Expired.Lines.Add(new Contracts.V1.LineQuantity { LineNumber = (int)line.Line, Quantity = (int)(line.Backordered + line.Reserved.Sum(part => part.Quantity)) });
                break;
            case Journaled.Event.BodyOneofCase.OrderCompleted:
                mapped.Completed = new OrderCompleted();
                break;
        }
    }

    /// <summary>The settlement of an order at a sequence; null when there is none.</summary>
    /// <param name="reader">The state.</param>
    /// <param name="number">Of the order.</param>
    /// <param name="at">The sequence.</param>
    /// <param name="now">By the engine's clock, for what is due; microseconds since 1970.</param>
    /// <param name="whole">Also instalments and movements.</param>
    public static Settlement? Settlement(StateReader reader, long number, long at, long now, bool whole)
    {
        var order = reader.Order(number, at);
        if (!order.Exists) return null;
        ref readonly var head = ref order.Head;
        var balance = Balance(head.State, PaymentStates.Payable(head.State, order.Lines), head.Paid, head.Refunded);
        var settlement = new Settlement
        {
            OrderId = Texts.Order(number), CurrencyCode = Currency.Text(head.Currency), State = (Contracts.V1.OrderState)head.State,
            PaymentTerms = (Contracts.V1.PaymentTerms)head.Terms, OrderedMinor = head.Total, CancelledMinor = head.CancelledTotal, Balance = balance, Sequence = at,
            Settled = balance.OutstandingMinor + balance.RefundDueMinor == 0 && IsOver(head.State),
        };
        var taken = 0L;
        foreach (ref readonly var line in order.Lines)
        {
            settlement.DeliveredMinor += line.Delivered * line.UnitPrice;
            settlement.LostMinor += line.Lost * line.UnitPrice;
            settlement.ReturnedMinor += line.Credited * line.UnitPrice;
            taken += Math.Max(0, line.Delivered - line.Credited) * line.UnitPrice;
        }
        var called = head.Terms == Core.PaymentTerms.Instalment ? InstalmentPlan.DueBy(new EventView(reader.FirstEvent(number)).Body, now, balance.PayableMinor) : 0;
        var due = PaymentStates.Due(head.Terms, balance.PayableMinor, taken, called);
        settlement.DueNowMinor = Math.Max(0, due - head.Paid + head.Refunded);
        if (whole) AddParts(settlement, reader, number, at);
        return settlement;
    }

    private static bool IsOver(Core.OrderState state) => state is Core.OrderState.Delivered or Core.OrderState.Completed or Core.OrderState.Cancelled
        or Core.OrderState.Rejected or Core.OrderState.Expired or Core.OrderState.Lost;

    private static void AddParts(Settlement settlement, StateReader reader, long number, long at)
    {
        foreach (var instalment in Journaled.OrderSubmitted.Parser.ParseFrom(new EventView(reader.FirstEvent(number)).Body).Instalments)
            settlement.Instalments.Add(new Contracts.V1.Instalment { DueTime = Texts.Time((long)instalment.DueTime), AmountMinor = (long)instalment.Amount });
        var newestFirst = new List<MoneyMovement>();
        for (var cursor = 0L; reader.PreviousEvent(number, at, ref cursor, out var bytes);)
        {
            var e = new EventView(bytes);
            if (e.Kind == EventKind.PaymentRecorded)
            {
                var paid = Journaled.PaymentRecorded.Parser.ParseFrom(e.Body);
                newestFirst.Add(new MoneyMovement { Sequence = e.Sequence, AmountMinor = (long)paid.Amount, Reference = paid.Reference, Time = Texts.Time((long)paid.PaidTime) });
            }
            else if (e.Kind == EventKind.RefundRecorded)
            {
                var refunded = Journaled.RefundRecorded.Parser.ParseFrom(e.Body);
                newestFirst.Add(new MoneyMovement { Sequence = e.Sequence, AmountMinor = -(long)refunded.Amount, Reference = refunded.Reference, Time = Texts.Time((long)refunded.RefundedTime) });
            }
        }
        newestFirst.Reverse();
        settlement.Movements.Add(newestFirst);
    }
}
