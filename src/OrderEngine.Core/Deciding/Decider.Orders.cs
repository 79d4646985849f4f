// Deciding what happens to orders: submit (and commit of a reservation) and cancel.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    // The lines as they will be: scratch to derive the state from; and the state that is stored beside them, if it is one that is.
    private LineRow[] _lines = new LineRow[16];
    private int _lineCount;
    private OrderState _stored;
    // Paid and not refunded.
    private long _kept;
    private int[] _wanted = new int[16];

    private Outcome Submit(SubmitOrder submit)
    {
        var reservation = state.Reservation(submit.Reservation);
        if (submit.Reservation != 0 && !reservation.Exists) return Outcome.ReservationNotFound;
        var taken = submit.ExternalId.Length == 0 ? 0 : state.ExternalIds.Find(submit.Channel, submit.ExternalId);
        if (taken == 0 && state.Archive.Total - submit.ArchiveAsked > Limits.RecentlyArchived) return Outcome.QueueFull;
        if (taken == 0) taken = submit.TakenByArchived;
        if (taken != 0) return Refuse(Outcome.ExternalIdTaken, taken);
        if (submit.Customer != 0 && state.Erasures.Of(submit.Customer) != 0) return Refuse(Outcome.PersonErased);
        if (MayTake(submit.Customer, submit.Delivery) is not Outcome.Ok and var refusal) return refusal;
        if (submit.Extras is { } extras && MayTake(submit.Customer, extras.SpecialRequests) is not Outcome.Ok and var second) return second;

        ReadOnlySpan<HeldRow> held = default;
        if (submit.Reservation != 0)
        {
            if (reservation.Head.State != ReservationState.Held) return Refuse(Outcome.ReservationNotHeld, submit.Reservation);
            if (reservation.Head.Channel != submit.Channel || reservation.Head.Customer != submit.Customer)
                return Refuse(Outcome.ReservationMismatch, submit.Reservation);
            held = reservation.Items;
        }

        var rules = state.Catalog.Rules(submit.Channel);
        if (rules.HasBounds && Exceeds(submit, rules.Limits)) return Refuse(Outcome.ChannelLimitExceeded);
        var policy = submit.Policy == AllocationPolicy.None ? rules.Policy : submit.Policy;
        var customer = state.Catalog.Customer(submit.Customer);
        var tier = customer.Tier;
        var sequence = state.Sequence + (submit.Reservation == 0 ? 1 : 2);
        var place = BackorderKey.Of(_now, tier, submit.RequestedAt, sequence, 0, 0);
        var shipping = submit.Shipping == ShippingPolicy.None ? rules.Shipping : submit.Shipping;
        var sourcing = new Sourcing(rules, state.Catalog.FindRegion(submit.Region), shipping == ShippingPolicy.Complete ? FreeStock.OnlyWhole : FreeStock.Any);
        if (!Allocate(submit.Lines, policy, in sourcing, in place, held)) return Refuse(Outcome.OutOfStock, 0, _allocator.Shortfalls);

        // From here on the order is accepted.
        var order = state.Orders.Count + 1;
        if (submit.Reservation != 0) WriteCommitted(submit.Reservation, order);
        PlanLines(submit, policy);
        var terms = submit.Terms != PaymentTerms.None ? submit.Terms : customer.Terms != PaymentTerms.None ? customer.Terms : rules.Terms;
        FindReasons(submit, terms);
        if (_reasons.Count > 0) _stored = OrderState.PendingReview;
        else if (terms == PaymentTerms.Prepaid) _stored = OrderState.AwaitingPayment;
        WriteSubmitted(submit, order, policy, terms, shipping, tier, confirmBy: rules.Limits.RequiresConfirmation ? _now + ConfirmationWait(rules.Limits) : 0);
        return Outcome.Ok;
    }

    private void PlanLines(SubmitOrder submit, AllocationPolicy policy)
    {
        RoomForLines(submit.Lines.Length);
        _stored = OrderState.None;
        _kept = 0;
        for (var i = 0; i < _lineCount; i++)
        {
            ref readonly var draft = ref submit.Lines[i];
            var reserved = _allocator.ReservedOf(i);
            var rest = draft.Quantity - reserved;
            _lines[i] = new LineRow
            {
                Sku = draft.Sku,
                Ordered = draft.Quantity,
                UnitPrice = draft.UnitPrice,
                Reserved = reserved,
                Backordered = policy == AllocationPolicy.PartialBackorder ? rest : 0,
                Cancelled = policy == AllocationPolicy.PartialBackorder ? 0 : rest,
            };
        }
    }

    private void WriteCommitted(long reservation, long order)
    {
        BeginEvent();
        Origin(answers: false);
        _events.BeginBody(EventKind.ReservationCommitted);
        _events.Number(1, reservation);
        _events.Number(2, order);
        EndEvent();
    }

    // An order that is made for a return does not answer the request: the return's own event does.
    private void WriteSubmitted(
        SubmitOrder submit, long order, AllocationPolicy policy, PaymentTerms terms, ShippingPolicy shipping, int tier, long forReturn = 0, long confirmBy = 0)
    {
        BeginEvent();
        Origin(answers: forReturn == 0);
        _subject = new Subject(order, submit.Channel, submit.Customer, OrderState.None);
        WriteSubject(Derived());
        _events.BeginBody(EventKind.OrderSubmitted);
        _events.Bytes(1, submit.ExternalId);
        // Ahead of the lines, where it is found at once.
        _events.Bytes(OrderReading.RegionField, submit.Region);
        _events.Number(2, (long)(submit.Type == OrderType.None ? OrderType.Sale : submit.Type));
        _events.Number(3, (long)policy);
        _events.Number(4, (long)terms);
        _events.Number(5, (long)(submit.Priority == Priority.None ? Priority.Normal : submit.Priority));
        Span<byte> currency = stackalloc byte[3];
        _events.Bytes(6, currency[..Currency.Unpack(submit.CurrencyCode, currency)]);
        _events.Number(7, submit.RequestedAt);
        var takes = _allocator.Takes;
        for (var i = 0; i < _lineCount; i++)
        {
            ref readonly var line = ref _lines[i];
            var nested = _events.BeginNested(8);
            _events.Number(1, line.Sku);
            _events.Number(2, line.Ordered);
            _events.Number(3, line.UnitPrice);
            _events.Number(4, line.Backordered);
            _events.Number(5, line.Cancelled);
            for (; takes.Length > 0 && takes[0].Line == i + 1; takes = takes[1..]) Quantity(6, takes[0].Location, takes[0].Quantity);
            _events.EndNested(nested);
        }
        Sealed(9, submit.Delivery);
        _events.Number(10, submit.Reservation);
        _events.Number(11, tier);
        WriteReasons(40);
        foreach (var instalment in submit.Instalments)
        {
            var nested = _events.BeginNested(41);
            _events.Number(1, instalment.DueAt);
            _events.Number(2, instalment.Amount);
            _events.EndNested(nested);
        }
        _events.Number(60, forReturn);
        if (shipping == ShippingPolicy.Complete) _events.Number(221, (long)shipping);
        if (_allocator.Shortfalls.Length > 0) WriteShortages(222, _allocator.Shortfalls, withAllowed: _allocator.Takes.Length == 0);
        _events.Number(240, confirmBy);
        if (submit.Extras is { } extras) WriteExtras(extras);
        if (forReturn == 0) EndAnswer();
        else EndEvent();
    }

    private Outcome Cancel(CancelOrder cancel)
    {
        var refusal = FindOrder(cancel.Order, out var order);
        if (refusal != Outcome.Ok) return refusal;
        ref readonly var head = ref order.Head;
        if (!WantLines(order.Lines, cancel.Lines)) return Refuse(Outcome.QuantityNotAvailable, cancel.Order);
        var lines = order.Lines;
        var withWarehouse = false;
        for (var i = 0; i < _lineCount; i++)
        {
            ref readonly var line = ref lines[i];
            if (cancel.Lines.Length == 0) _wanted[i] = line.Ordered - line.Cancelled;
            var free = line.Unallocated + line.Backordered + line.Reserved;
            if (_wanted[i] > free + line.Released) return Refuse(Outcome.NotCancellable, cancel.Order);
            if (_wanted[i] > free) withWarehouse = true;
        }
        if (withWarehouse) return Refuse(Outcome.ReleasedToWarehouse, cancel.Order);

        CopyLines(order);
        for (var i = 0; i < _lineCount; i++)
        {
            ref var line = ref _lines[i];
            line.Cancelled += _wanted[i];
            var left = _wanted[i];
            left -= Drain(ref line.Unallocated, left);
            left -= Drain(ref line.Backordered, left);
            line.Reserved -= left;
        }
        BeginOrderEvent(cancel.Order, in head, Derived());
        _events.BeginBody(EventKind.OrderCancelled);
        for (var i = 0; i < _lineCount; i++)
            if (_wanted[i] > 0) WriteCancelledLine(order, i);
        EndAnswer();
        RaiseRefundDue(cancel.Order, order, PaymentStates.Payable(_subject.State, Planned));
        CreditExchange(cancel.Order);
        return Outcome.Ok;
    }

    // Reserved units are given back from the allocation made last.
    private void WriteCancelledLine(OrderView order, int index)
    {
        ref readonly var before = ref order.Lines[index];
        ref readonly var after = ref _lines[index];
        var nested = _events.BeginNested(1);
        _events.Number(1, index + 1);
        _events.Number(2, before.Backordered - after.Backordered);
        WriteGivenBack(3, order, index, before.Reserved - after.Reserved);
        _events.Number(4, before.Unallocated - after.Unallocated);
        _events.EndNested(nested);
    }

    private void WriteGivenBack(int field, OrderView order, int index, int reserved)
    {
        var allocations = order.Allocations;
        for (var i = allocations.Length - 1; i >= 0 && reserved > 0; i--)
        {
            if (allocations[i].Line != index + 1 || allocations[i].Reserved == 0) continue;
            var quantity = Math.Min(reserved, allocations[i].Reserved);
            Quantity(field, allocations[i].Location, quantity);
            reserved -= quantity;
        }
    }

    /// <summary>The order, if it exists, may be asked this in its state, and is the version that the caller has seen.</summary>
    private Outcome FindOrder(long number, out OrderView order)
    {
        order = state.Order(number);
        if (!order.Exists) return NoOrder(number);
        if (_command.ExpectedVersion != 0 && _command.ExpectedVersion != order.Head.Version) return Outcome.EtagMismatch;
        return Transitions.Allows(_command.Kind, order.Head.State) ? Outcome.Ok
            : Refuse(Outcome.IllegalTransition, number, default, order.Head.State);
    }

    // One that was archived after it was looked for: sent again, the command finds it brought back.
    private Outcome NoOrder(long number) => number >= 1 && number <= state.Orders.Count ? Outcome.QueueFull : Outcome.OrderNotFound;

    /// <summary>Notes the units wanted of each line in <see cref="_wanted"/>; false when a line does not exist.</summary>
    private bool WantLines(ReadOnlySpan<LineRow> lines, LineQuantity[] wanted)
    {
        RoomForLines(lines.Length);
        Array.Clear(_wanted, 0, _lineCount);
        foreach (var line in wanted)
        {
            if (line.Line > _lineCount) return false;
            _wanted[line.Line - 1] = line.Quantity;
        }
        return true;
    }

    private void CopyLines(OrderView order)
    {
        RoomForLines(order.Lines.Length);
        order.Lines.CopyTo(_lines);
        _stored = order.Head.State;
        _kept = order.Head.Paid - order.Head.Refunded;
    }

    private void RoomForLines(int count)
    {
        _lineCount = count;
        if (_lines.Length >= count) return;
        Array.Resize(ref _lines, count);
        Array.Resize(ref _wanted, count);
    }

    /// <summary>The state that the planned lines amount to, in the stored state that the order has (<see cref="CopyLines"/>) or will have.</summary>
    private OrderState Derived() => OrderStates.Derive(_stored == OrderState.AwaitingPayment && IsCovered() ? OrderState.None : _stored, Planned);

    private ReadOnlySpan<LineRow> Planned => _lines.AsSpan(0, _lineCount);

    // Also when units are cancelled that were not paid.
    private bool IsCovered() => _kept >= PaymentStates.ValueOf(Planned);

    private static int Drain(ref int from, int wanted)
    {
        var quantity = Math.Min(from, wanted);
        from -= quantity;
        return quantity;
    }
}
