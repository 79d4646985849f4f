// The model's orders: submit and cancel. One thread.

namespace OrderEngine.Core.Tests.Model;

internal sealed partial class NaiveModel
{
    private Outcome Submit(SubmitOrder submit, bool byEngine = false)
    {
        // errors.proto: the object itself, external id, state of the object, stock.
        var reservation = Find(submit.Reservation);
        if (submit.Reservation != 0 && reservation is null) return Outcome.ReservationNotFound;
        if (Orders.Any(o => o.Submitted.Channel == submit.Channel && o.Submitted.ExternalId.AsSpan().SequenceEqual(submit.ExternalId))) return Outcome.ExternalIdTaken;
        if (!byEngine && ErasedCustomers.ContainsKey(submit.Customer)) return Outcome.PersonErased;
        foreach (var data in new[] { submit.Delivery, submit.Extras?.SpecialRequests ?? default })
            if (!byEngine && MayTake(submit.Customer, data) is not Outcome.Ok and var taking) return taking;
        if (reservation is not null)
        {
            if (reservation.State != ReservationState.Held) return Outcome.ReservationNotHeld;
            if (reservation.Channel != submit.Channel || reservation.Customer != submit.Customer) return Outcome.ReservationMismatch;
        }
        var channel = Rules[submit.Channel];
        if (!byEngine && IsTooMuch(submit, channel)) return Outcome.ChannelLimitExceeded;
        var policy = submit.Policy == AllocationPolicy.None ? channel.Policy : submit.Policy;
        var lines = submit.Lines.Select(line => (line.Sku, line.Quantity)).ToArray();
        var complete = (submit.Shipping == ShippingPolicy.None ? channel.Shipping : submit.Shipping) == ShippingPolicy.Complete;
        if (Allot(lines, policy, channel, reservation?.Items ?? [], Text(submit.Region), complete) is not { } allotted) return Outcome.OutOfStock;

        var own = submit.Customer == 0 ? PaymentTerms.None : Buyers[submit.Customer].Terms;
        var terms = submit.Terms != PaymentTerms.None ? submit.Terms : own != PaymentTerms.None ? own : channel.Terms;
        var reasons = byEngine ? [] : Reasons(submit, terms);
        if (reservation is not null) Close(reservation, ReservationState.Committed, Orders.Count + 1);
        var order = new ModelOrder
        {
            Number = Orders.Count + 1, Submitted = submit, Policy = policy, Terms = terms, Reasons = reasons,
            Stored = reasons.Count > 0 ? OrderState.PendingReview : terms == PaymentTerms.Prepaid ? OrderState.AwaitingPayment : OrderState.None,
            Complete = complete, Region = Text(submit.Region), Tier = TierOf(submit.Customer), RequestedAt = submit.RequestedAt, AcceptedAt = _now, AcceptedSequence = Event(),
        };
        for (var i = 0; i < lines.Length; i++) order.Lines.Add(Line(order, i + 1, submit.Lines[i], allotted[i]));
        order.Version = order.AcceptedSequence;
        order.ChangedAt = _now;
        if (!byEngine) AskForConfirmation(order);
        Took(submit.Customer, submit.Delivery, order);
        Took(submit.Customer, submit.Extras?.SpecialRequests ?? default, order);
        order.DeliveryKey = submit.Delivery.Key;
        Orders.Add(order);
        TouchedOrders.Add(order.Number);
        NoteLines(order);
        return Outcome.Ok;
    }

    private ModelLine Line(ModelOrder order, int number, DraftLine draft, List<(int Location, int Units)> allotted)
    {
        var line = new ModelLine(number, draft.Sku, draft.Quantity, draft.UnitPrice);
        foreach (var (location, units) in allotted)
        {
            order.At(number, location).Reserved += units;
            LevelOf(draft.Sku, location).Committed += units;
            line.Reserved += units;
        }
        if (order.Policy == AllocationPolicy.PartialBackorder) line.Backordered = line.Ordered - line.Reserved;
        else line.Cancelled = line.Ordered - line.Reserved;
        return line;
    }

    private void Change(ModelOrder order)
    {
        order.Version = Event();
        order.ChangedAt = _now;
        TouchedOrders.Add(order.Number);
    }

    // The object, its etag, its state.
    private Outcome Find(long number, long expected, OrderState[] from, out ModelOrder order)
    {
        order = null!;
        if (number <= 0 || number > Orders.Count) return Outcome.OrderNotFound;
        order = Orders[(int)number - 1];
        if (expected != 0 && expected != order.Version) return Outcome.EtagMismatch;
        return from.Contains(order.State) ? Outcome.Ok : Outcome.IllegalTransition;
    }

    private Outcome Cancel(CancelOrder cancel)
    {
        var refusal = Find(cancel.Order, cancel.ExpectedVersion,
            [OrderState.Backordered, OrderState.PartiallyReserved, OrderState.Ready, OrderState.Fulfilling, OrderState.PartiallyShipped,
                OrderState.PendingReview, OrderState.AwaitingPayment, OrderState.Expired], out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (cancel.Lines.Any(l => l.Line > order.Lines.Count)) return Outcome.QuantityNotAvailable;
        var wanted = order.Lines.ToDictionary(line => line.Number,
            line => cancel.Lines.Length == 0 ? line.Ordered - line.Cancelled : cancel.Lines.Where(l => l.Line == line.Number).Sum(l => l.Quantity));
        if (order.Lines.Any(line => wanted[line.Number] > line.Unallocated + line.Backordered + line.Reserved + line.Released)) return Outcome.NotCancellable;
        if (order.Lines.Any(line => wanted[line.Number] > line.Unallocated + line.Backordered + line.Reserved)) return Outcome.ReleasedToWarehouse;

        var surplus = Surplus(order);
        Change(order);
        foreach (var line in order.Lines)
        {
            line.Cancelled += wanted[line.Number];
            // Unallocated units go first, then waiting ones, then reserved ones, from the allocation made last.
            var unallocated = Math.Min(line.Unallocated, wanted[line.Number]);
            line.Unallocated -= unallocated;
            var waiting = Math.Min(line.Backordered, wanted[line.Number] - unallocated);
            line.GiveUp(waiting);
            var reserved = wanted[line.Number] - unallocated - waiting;
            line.Reserved -= reserved;
            foreach (var allocation in Enumerable.Reverse(order.Allocations).Where(a => a.Line == line.Number))
            {
                var units = Math.Min(allocation.Reserved, reserved);
                if (units == 0) continue;
                allocation.Reserved -= units;
                reserved -= units;
                LevelOf(line.Sku, allocation.Location).Committed -= units;
            }
        }
        if (cancel.Role == Role.Customer) order.CancelledByCustomer += wanted.Values.Sum();
        NoteLines(order);
        RaiseSurplus(order, surplus);
        CreditFor(order);
        return Outcome.Ok;
    }
}
