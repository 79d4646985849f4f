// Deciding about money: payments and refunds in every state of an order, what late money brings about, and the ends that timers bring.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    private const long Second = 1_000_000;
    private DraftLine[] _again = new DraftLine[16];

    /// <summary>How long an order may stay in a state before a timer ends it, microseconds; 0: for ever.</summary>
    private long WaitIn(OrderState entered)
    {
        var kind = OrderStates.DeadlineOf(entered);
        if (kind == DeadlineKind.None) return 0;
        var limits = state.Catalog.Rules(_subject.Channel).Limits;
        var (own, usual) = kind switch
        {
            DeadlineKind.Review => (limits.ReviewExpirySeconds, Limits.DefaultReviewExpirySeconds),
            DeadlineKind.Payment => (limits.PaymentDueSeconds, Limits.DefaultPaymentDueSeconds),
            // Without a window an order stays DELIVERED.
            _ => (limits.ReturnWindowSeconds, 0),
        };
        return (own != 0 ? own : usual) * Second;
    }

    private Outcome Record(RecordPayment payment)
    {
        var refusal = FindOrder(payment.Order, out var order);
        if (refusal == Outcome.Ok) refusal = CheckMoney(order, payment.Order, payment.CurrencyCode, EventKind.PaymentRecorded, payment.Reference);
        if (refusal != Outcome.Ok) return refusal;
        ref readonly var head = ref order.Head;
        CopyLines(order);
        _kept += payment.Amount;
        var reinstated = head.State == OrderState.Expired && Reinstate(order, payment.Order);
        var after = reinstated ? OrderStates.Derive(OrderState.None, Planned) : Derived();
        var payable = PaymentStates.Payable(after, Planned);
        var effect = EffectOf(reinstated, payable);

        BeginOrderEvent(payment.Order, in head, after);
        _events.BeginBody(EventKind.PaymentRecorded);
        _events.Number(1, payment.Amount);
        _events.Bytes(2, payment.Reference);
        _events.Number(3, payment.PaidAt == 0 ? _now : payment.PaidAt);
        _events.Number(4, (long)effect);
        WriteBalance(head.Paid + payment.Amount, head.Refunded, payable);
        if (reinstated) WriteReinstated(order);
        EndAnswer();
        if (effect == PaymentEffect.RefundDue) RaiseException(ExceptionKind.LateMoney, Grade.High, Role.Finance, payment.Order, quantity: payment.Amount);
        if (reinstated) RaiseException(ExceptionKind.LateMoney, Grade.Low, Role.Finance, payment.Order, quantity: payment.Amount);
        if (effect != PaymentEffect.RefundDue) RaiseRefundDue(payment.Order, order, payable, payment.Amount);
        if (DueNow(payment.Order, head.Terms, after, Planned, _kept, _now) == 0) ResolveOpen(payment.Order, order, ExceptionKind.DeadlineMissed, DeadlineKind.Balance, "paid"u8);
        return Outcome.Ok;
    }

    private PaymentEffect EffectOf(bool reinstated, long payable)
    {
        if (reinstated) return PaymentEffect.Reinstated;
        if (payable == 0) return PaymentEffect.RefundDue;
        if (_kept < payable) return PaymentEffect.Partial;
        return _kept == payable ? PaymentEffect.Covered : PaymentEffect.Overpaid;
    }

    private Outcome Record(RecordRefund refund)
    {
        var refusal = FindOrder(refund.Order, out var order);
        if (refusal == Outcome.Ok) refusal = CheckMoney(order, refund.Order, refund.CurrencyCode, EventKind.RefundRecorded, refund.Reference);
        if (refusal != Outcome.Ok) return refusal;
        ref readonly var head = ref order.Head;
        if (refund.Amount > head.Paid - head.Refunded) return Refuse(Outcome.RefundExceedsPaid, refund.Order);
        BeginOrderEvent(refund.Order, in head, head.State);
        _events.BeginBody(EventKind.RefundRecorded);
        _events.Number(1, refund.Amount);
        _events.Bytes(2, refund.Reference);
        _events.Number(3, refund.RefundedAt == 0 ? _now : refund.RefundedAt);
        var payable = PaymentStates.Payable(head.State, order.Lines);
        WriteBalance(head.Paid, head.Refunded + refund.Amount, payable);
        EndAnswer();
        if (head.Paid - head.Refunded - refund.Amount <= payable) ResolveOpen(refund.Order, order, ExceptionKind.RefundDue, DeadlineKind.None, "refunded"u8);
        return Outcome.Ok;
    }

    /// <summary>Has finance look, when more is paid than the order comes to now, and more so than before; or no longer, when it comes to as much again.</summary>
    /// <param name="number">Of the order.</param>
    /// <param name="order">As it was.</param>
    /// <param name="payable">What it comes to now.</param>
    /// <param name="paid">What was paid just now.</param>
    private void RaiseRefundDue(long number, OrderView order, long payable, long paid = 0)
    {
        var kept = order.Head.Paid - order.Head.Refunded;
        var surplus = kept + paid - payable;
        if (surplus > Math.Max(0, kept - PaymentStates.Payable(order.Head.State, order.Lines)))
            RaiseException(ExceptionKind.RefundDue, Grade.Medium, Role.Finance, number, quantity: surplus);
        else if (surplus <= 0)
            ResolveOpen(number, order, ExceptionKind.RefundDue, DeadlineKind.None, "covered"u8);
    }

    /// <summary>What is due of an order by a time and not paid.</summary>
    private long DueNow(long number, PaymentTerms terms, OrderState at, ReadOnlySpan<LineRow> lines, long kept, long by)
    {
        if (terms == PaymentTerms.Instalment && PaymentStates.IsCollected(at))
        {
            var submitted = new EventView(state.History.First(number)).Body;
            if (InstalmentPlan.HasDates(submitted)) return Math.Max(0, InstalmentPlan.DueBy(submitted, by, PaymentStates.Payable(at, lines)) - kept);
        }
        return PaymentStates.Collectable(terms, at, lines, kept);
    }

    private void WriteBalance(long paid, long refunded, long payable)
    {
        _events.Number(5, paid);
        _events.Number(6, refunded);
        _events.Number(7, payable);
    }

    /// <summary>Currency, number and reference: what stands in the way of recording money of either kind.</summary>
    private Outcome CheckMoney(OrderView order, long number, int currency, EventKind kind, byte[] reference)
    {
        if (currency != order.Head.Currency) return Outcome.PaymentCurrencyMismatch;
        if ((kind == EventKind.PaymentRecorded ? order.Head.Paid : order.Head.Refunded) == 0) return Outcome.Ok;
        var count = 0;
        for (long cursor = 0; state.History.Previous(number, long.MaxValue, ref cursor, out var bytes);)
        {
            var past = new EventView(bytes);
            if (past.Kind != kind) continue;
            if (++count == Limits.PaymentsPerOrder) return Outcome.PaymentLimitReached;
            if (ReferenceOf(past.Body).SequenceEqual(reference)) return Refuse(Outcome.PaymentReferenceTaken, number);
        }
        return Outcome.Ok;
    }

    private static ReadOnlySpan<byte> ReferenceOf(ReadOnlySpan<byte> body)
    {
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 2) return reader.Bytes();
            reader.Skip(wireType);
        }
        return default;
    }

    /// <summary>
    /// Allots the units of an order again whose money came after it had expired unpaid: under its own policy, at its own place. False when the
    /// money does not cover it, when it had not been reviewed, or when its policy refuses what stock is there.
    /// </summary>
    private bool Reinstate(OrderView order, long number)
    {
        ref readonly var head = ref order.Head;
        if (head.Terms != PaymentTerms.Prepaid || !IsCovered() || ExpiredFrom(number) != OrderState.AwaitingPayment) return false;
        if (_again.Length < _lineCount) _again = new DraftLine[_lineCount];
        for (var i = 0; i < _lineCount; i++) _again[i] = new DraftLine(_lines[i].Sku, _lines[i].Unallocated, _lines[i].UnitPrice);
        var place = BackorderKey.Of(in head, number, 0);
        var sourcing = new Sourcing(state.Catalog.Rules(head.Channel), state.RegionOf(number, in head), head.IsFilledWhole ? FreeStock.OnlyWhole : FreeStock.Any);
        if (!Allocate(_again.AsSpan(0, _lineCount), head.Policy, in sourcing, in place, default)) return false;
        if (head.AllocationCount + _allocator.Takes.Length > Limits.AllocationsPerOrder) return false;
        for (var i = 0; i < _lineCount; i++)
        {
            ref var line = ref _lines[i];
            var rest = line.Unallocated - _allocator.ReservedOf(i);
            line.Reserved += _allocator.ReservedOf(i);
            if (head.Policy == AllocationPolicy.PartialBackorder) line.Backordered += rest;
            else line.Cancelled += rest;
            line.Unallocated = 0;
        }
        return true;
    }

    private OrderState ExpiredFrom(long number)
    {
        for (long cursor = 0; state.History.Previous(number, long.MaxValue, ref cursor, out var bytes);)
        {
            var past = new EventView(bytes);
            if (past.Kind == EventKind.OrderExpired) return past.Before;
        }
        return OrderState.None;
    }

    private void WriteReinstated(OrderView order)
    {
        var takes = _allocator.Takes;
        var before = order.Lines;
        for (var i = 0; i < _lineCount; i++)
        {
            if (before[i].Unallocated == 0) continue;
            var nested = _events.BeginNested(8);
            _events.Number(1, i + 1);
            _events.Number(2, _lines[i].Backordered - before[i].Backordered);
            _events.Number(3, _lines[i].Cancelled - before[i].Cancelled);
            for (; takes.Length > 0 && takes[0].Line == i + 1; takes = takes[1..]) Quantity(4, takes[0].Location, takes[0].Quantity);
            _events.EndNested(nested);
        }
    }

    /// <summary>Review or payment took too long: the order's stock is free, its units are unallocated.</summary>
    private void ExpireOrder(in TimerKey timer)
    {
        var order = state.Order(timer.Subject);
        BeginOrderEvent(timer.Subject, in order.Head, OrderState.Expired);
        _events.BeginBody(EventKind.OrderExpired);
        var lines = order.Lines;
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].Backordered + lines[i].Reserved == 0) continue;
            var nested = _events.BeginNested(1);
            _events.Number(1, i + 1);
            _events.Number(2, lines[i].Backordered);
            WriteGivenBack(3, order, i, lines[i].Reserved);
            _events.EndNested(nested);
        }
        EndEvent();
        // Nobody did what was to be done; a buyer who does not pay is nobody's business.
        RaiseRefundDue(timer.Subject, order, payable: 0);
        if (timer.Kind == DeadlineKind.Review) RaiseException(ExceptionKind.DeadlineMissed, Grade.Medium, Role.Reviewer, timer.Subject, deadline: timer.Kind);
    }

    /// <summary>The time for returns is over: the order is completed, or, while a return is open, will be with its last one.</summary>
    private void EndReturnWindow(in TimerKey timer)
    {
        ref readonly var head = ref state.Order(timer.Subject).Head;
        if (state.AfterSale(timer.Subject).OpenReturns == 0)
        {
            Complete(timer.Subject, in head);
            return;
        }
        BeginOrderEvent(timer.Subject, in head, head.State);
        _events.BeginBody(EventKind.ReturnWindowOver);
        EndEvent();
    }

    private void Complete(long number, in OrderHead head)
    {
        BeginOrderEvent(number, in head, OrderState.Completed, answers: false);
        _events.BeginBody(EventKind.OrderCompleted);
        EndEvent();
    }
}
