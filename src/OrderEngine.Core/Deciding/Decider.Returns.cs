// Deciding returns: requested, approved or rejected, on their way, received unit by unit, repaired and shipped back, closed.
// An exchange's replacement order is accepted by the decision that approves the return.

using System.Text;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    private const int DeliveryField = 9;

    private Outcome Request(RequestReturn request)
    {
        var order = state.Order(request.Order);
        if (!order.Exists) return NoOrder(request.Order);
        var taken = FindReturn(request.Order, request.ExternalId);
        if (taken != 0) return Refuse(Outcome.ReturnIdTaken, taken);
        var over = order.Head.State == OrderState.Completed || (order.Head.Details & OrderDetails.ReturnWindowOver) != 0;
        if (over && (request.ExpectedVersion == 0 || request.ExpectedVersion == order.Head.Version))
            return Refuse(Outcome.ReturnWindowOver, request.Order);
        var refusal = FindOrder(request.Order, out order);
        if (refusal != Outcome.Ok) return refusal;
        if (state.AfterSale(request.Order).Returns >= Limits.ReturnsPerOrder) return Outcome.ReturnLimitReached;
        if (!WantLines(order.Lines, request.Lines)) return Refuse(Outcome.QuantityNotAvailable, request.Order);
        if (!WantReturnable(order.Lines, all: request.Lines.Length == 0)) return Refuse(Outcome.NotReturnable, request.Order);

        BeginOrderEvent(request.Order, in order.Head, order.Head.State);
        _events.BeginBody(EventKind.ReturnRequested);
        _events.Number(1, state.Returns.Count + 1);
        _events.Bytes(2, request.ExternalId);
        for (var i = 0; i < _lineCount; i++)
            if (_wanted[i] > 0) Quantity(3, i + 1, _wanted[i]);
        foreach (ref readonly var line in request.Replacements.AsSpan())
        {
            var nested = _events.BeginNested(4);
            _events.Number(1, line.Sku);
            _events.Number(2, line.Quantity);
            _events.Number(3, line.UnitPrice);
            _events.EndNested(nested);
        }
        EndAnswer();
        return Outcome.Ok;
    }

    // What is wanted is bounded by what left, was not lost, and is neither back nor on its way back.
    private bool WantReturnable(ReadOnlySpan<LineRow> lines, bool all)
    {
        var any = false;
        for (var i = 0; i < _lineCount; i++)
        {
            ref readonly var line = ref lines[i];
            var returnable = line.Shipped - line.Lost - line.Returned - line.ReturnOpen;
            if (all) _wanted[i] = returnable;
            if (_wanted[i] > returnable) return false;
            any |= _wanted[i] > 0;
        }
        return any;
    }

    private long FindReturn(long order, ReadOnlySpan<byte> externalId)
    {
        if (externalId.IsEmpty) return 0;
        for (var number = state.AfterSale(order).LastReturn; number != 0; number = state.Return(number).Head.Previous)
            if (state.Return(number).ExternalId.SequenceEqual(externalId)) return number;
        return 0;
    }

    private Outcome Step(ReturnStep step)
    {
        var refusal = FindReturn(step, out var found);
        if (refusal != Outcome.Ok) return refusal;
        var replacement = 0L;
        var kind = step.Kind switch
        {
            CommandKind.ApproveReturn => EventKind.ReturnApproved,
            CommandKind.RejectReturn => EventKind.ReturnRejected,
            CommandKind.RecordRepair => EventKind.ReturnRepaired,
            _ => EventKind.ReturnClosed,
        };
        switch (kind)
        {
            case EventKind.ReturnApproved when found.Head.ReplacementCount > 0:
                refusal = SubmitReplacement(step.Return, found, out replacement);
                if (refusal != Outcome.Ok) return refusal;
                break;
            case EventKind.ReturnRepaired when !HasRepairs(found.Lines):
            case EventKind.ReturnClosed when found.Head.State != ReturnState.ShippedBack && HasRepairs(found.Lines):
                return Refuse(Outcome.RepairNotDone, step.Return);
        }
        BeginReturnEvent(found, kind, step.Return);
        _events.Number(2, replacement);
        EndAnswer();
        if (kind is EventKind.ReturnClosed or EventKind.ReturnRejected) CompleteWithLast(found.Head.Order);
        return Outcome.Ok;
    }

    // The order waited for its last return: the time for others is over.
    private void CompleteWithLast(long number)
    {
        ref readonly var head = ref state.Order(number).Head;
        if ((head.Details & OrderDetails.ReturnWindowOver) == 0 || state.AfterSale(number).OpenReturns > 1) return;
        if (Transitions.Allows(CommandKind.CompleteOrder, head.State)) Complete(number, in head);
    }

    private Outcome Carry(CarryReturn carry)
    {
        var refusal = FindReturn(carry, out var found);
        if (refusal != Outcome.Ok) return refusal;
        BeginReturnEvent(found, carry.Kind == CommandKind.SendReturn ? EventKind.ReturnSent : EventKind.ReturnShippedBack, carry.Return);
        _events.Bytes(2, carry.Carrier);
        _events.Bytes(3, carry.TrackingNumber);
        EndAnswer();
        return Outcome.Ok;
    }

    private Outcome Receive(ReceiveReturn receive)
    {
        var refusal = FindReturn(receive, out var found);
        if (refusal != Outcome.Ok) return refusal;
        var lines = state.Order(found.Head.Order).Lines;
        RoomForLines(lines.Length);
        Array.Clear(_wanted, 0, _lineCount);
        foreach (ref readonly var line in found.Lines) _wanted[line.Line - 1] = line.Expected;
        var refund = 0L;
        foreach (ref readonly var units in receive.Units.AsSpan())
        {
            if (units.Line > _lineCount || _wanted[units.Line - 1] < units.Quantity) return Refuse(Outcome.NotExpected, receive.Return);
            _wanted[units.Line - 1] -= units.Quantity;
            if (units.Disposition != Disposition.Repair && !found.Head.IsExchange) refund += units.Quantity * lines[units.Line - 1].UnitPrice;
        }
        if (!HasRoomFor(receive, lines)) return Refuse(Outcome.StockOverflow);

        BeginReturnEvent(found, EventKind.ReturnReceived, receive.Return);
        _events.Number(2, receive.Location);
        foreach (ref readonly var units in receive.Units.AsSpan()) Movement(3, units.Line, units.Quantity, (int)units.Disposition);
        _events.Number(4, refund);
        if (found.Head.IsExchange) _events.Number(OrderReturns.ExchangedField, 1);
        EndAnswer();
        return Outcome.Ok;
    }

    // Several lines may be of the same SKU: the sum of all bounds each SKU's own, which is looked at near the limit only.
    private bool HasRoomFor(ReceiveReturn receive, ReadOnlySpan<LineRow> lines)
    {
        var total = 0L;
        foreach (ref readonly var units in receive.Units.AsSpan()) total += units.Quantity;
        foreach (ref readonly var units in receive.Units.AsSpan())
        {
            var sku = lines[units.Line - 1].Sku;
            var onHand = state.Stock.Level(sku, receive.Location).OnHand;
            if (onHand + total <= Limits.StockLevel) continue;
            foreach (ref readonly var other in receive.Units.AsSpan())
                if (lines[other.Line - 1].Sku == sku && other.Disposition is Disposition.Restock or Disposition.Quarantine) onHand += other.Quantity;
            if (onHand > Limits.StockLevel) return false;
        }
        return true;
    }

    private static bool HasRepairs(ReadOnlySpan<ReturnLineRow> lines)
    {
        foreach (ref readonly var line in lines)
            if (line.Repaired > 0) return true;
        return false;
    }

    /// <summary>The return, if it exists, is the version that the caller has seen, and may be asked this in its state.</summary>
    private Outcome FindReturn(ReturnCommand command, out ReturnView found)
    {
        found = state.Return(command.Return);
        if (!found.Exists) return Outcome.ReturnNotFound;
        if (command.ExpectedVersion != 0 && command.ExpectedVersion != found.Head.Version) return Outcome.EtagMismatch;
        return Transitions.Allows(command.Kind, found.Head.State) ? Outcome.Ok
            : Refuse(Outcome.IllegalReturnTransition, command.Return, returnState: found.Head.State);
    }

    private void BeginReturnEvent(ReturnView found, EventKind kind, long number)
    {
        ref readonly var head = ref state.Order(found.Head.Order).Head;
        BeginOrderEvent(found.Head.Order, in head, head.State);
        _events.BeginBody(kind);
        _events.Number(1, number);
    }

    // Goods for goods: to the same customer and address, on account, waiting where stock does not cover it.
    private Outcome SubmitReplacement(long number, ReturnView found, out long order)
    {
        order = 0;
        ref readonly var head = ref state.Order(found.Head.Order).Head;
        var submit = new SubmitOrder
        {
            Channel = head.Channel,
            Customer = head.Customer,
            ExternalId = Encoding.UTF8.GetBytes("return/" + PublicId.Format(PublicId.Return, number)),
            Type = OrderType.Replacement,
            Terms = PaymentTerms.Credit,
            Priority = head.Priority,
            CurrencyCode = head.Currency,
            Lines = LinesOf(found.Replacements),
            Delivery = DeliveryOf(found.Head.Order),
            Region = state.RegionTextOf(found.Head.Order, in head).ToArray(),
        };
        var taken = state.ExternalIds.Find(submit.Channel, submit.ExternalId);
        if (taken != 0) return Refuse(Outcome.ExternalIdTaken, taken);
        const AllocationPolicy Policy = AllocationPolicy.PartialBackorder;
        var rules = state.Catalog.Rules(submit.Channel);
        var tier = state.Catalog.Tier(submit.Customer);
        var place = BackorderKey.Of(_now, tier, 0, state.Sequence + 1, 0, 0);
        if (!Allocate(submit.Lines, Policy, new Sourcing(rules, state.Catalog.FindRegion(submit.Region)), in place, default)) return Refuse(Outcome.OutOfStock, 0, _allocator.Shortfalls);
        order = state.Orders.Count + 1;
        PlanLines(submit, Policy);
        // Who approves the return has looked at it: no review.
        _reasons.Clear();
        WriteSubmitted(submit, order, Policy, submit.Terms, ShippingPolicy.Partial, tier, number);
        return Outcome.Ok;
    }

    /// <summary>
    /// Goods for goods, and no goods came: when the order that the decision is about is a replacement, and ended without a delivery, the order that
    /// paid for it is credited with what came back. A replacement is on account and not reviewed, so it is neither rejected nor expires.
    /// </summary>
    /// <param name="replacement">The order that the decision is about.</param>
    private void CreditExchange(long replacement)
    {
        if (_subject.State is not (OrderState.Cancelled or OrderState.Lost) || state.AfterSale(replacement).ForReturn is 0) return;
        var number = state.AfterSale(replacement).ForReturn;
        var found = state.Return(number);
        var original = found.Head.Order;
        var order = state.Order(original);
        // Archived before orders stayed as long as a replacement of theirs was under way.
        if (!order.Exists) return;
        WantExchanged(original, number, order.Lines.Length);
        var refund = 0L;
        for (var i = 0; i < _lineCount; i++) refund += _wanted[i] * order.Lines[i].UnitPrice;
        BeginOrderEvent(original, in order.Head, order.Head.State, answers: false);
        _events.BeginBody(EventKind.ExchangeCredited);
        _events.Number(1, number);
        for (var i = 0; i < _lineCount; i++)
            if (_wanted[i] > 0) Quantity(2, i + 1, _wanted[i]);
        _events.Number(3, refund);
        EndEvent();
        if (refund > 0) RaiseRefundDue(original, order, PaymentStates.Payable(order.Head.State, order.Lines) - refund);
    }

    // From what was said when they came: units that came before exchanges were told apart are credited already, and rows do not tell.
    private void WantExchanged(long order, long number, int lines)
    {
        RoomForLines(lines);
        Array.Clear(_wanted, 0, _lineCount);
        for (long cursor = 0; state.History.Previous(order, state.Sequence, ref cursor, out var bytes);)
        {
            var e = new EventView(bytes);
            if (e.Kind == EventKind.ReturnReceived && OrderReturns.AreExchanged(e.Body)) OrderReturns.CountForGood(e.Body, number, _wanted);
        }
    }

    private static DraftLine[] LinesOf(ReadOnlySpan<ReplacementRow> replacements)
    {
        var lines = new DraftLine[replacements.Length];
        for (var i = 0; i < lines.Length; i++) lines[i] = new DraftLine(replacements[i].Sku, replacements[i].Quantity, replacements[i].UnitPrice);
        return lines;
    }

    // The delivery as it stands: of the newest amendment that changed it, or of the acceptance.
    private SealedData DeliveryOf(long order)
    {
        if ((state.Order(order).Head.Details & OrderDetails.AmendedDelivery) != 0)
        {
            for (long cursor = 0; state.History.Previous(order, state.Sequence, ref cursor, out var bytes);)
            {
                var e = new EventView(bytes);
                if (e.Kind == EventKind.OrderAmended && Amendments.HasDelivery(e.Body)) return SealedIn(e.Body, Amendments.DeliveryField);
            }
        }
        return SealedIn(new EventView(state.History.First(order)).Body, DeliveryField);
    }

    private static SealedData SealedIn(ReadOnlySpan<byte> body, int sealedField)
    {
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == sealedField) return SealedData.Read(reader.Bytes());
            reader.Skip(wireType);
        }
        return default;
    }
}
