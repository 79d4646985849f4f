// The model's orders: submit, cancel, release, ship, deliver. One thread.

namespace OrderEngine.Core.Tests.Model;

internal sealed partial class NaiveModel
{
    private Outcome Submit(SubmitOrder submit)
    {
        // errors.proto: the object itself, external id, state of the object, stock.
        var reservation = Find(submit.Reservation);
        if (submit.Reservation != 0 && reservation is null) return Outcome.ReservationNotFound;
        if (Orders.Any(o => o.Submitted.Channel == submit.Channel && o.Submitted.ExternalId.AsSpan().SequenceEqual(submit.ExternalId))) return Outcome.ExternalIdTaken;
        if (reservation is not null)
        {
            if (reservation.State != ReservationState.Held) return Outcome.ReservationNotHeld;
            if (reservation.Channel != submit.Channel || reservation.Customer != submit.Customer) return Outcome.ReservationMismatch;
        }
        var channel = Rules[submit.Channel];
        var policy = submit.Policy == AllocationPolicy.None ? channel.Policy : submit.Policy;
        var lines = submit.Lines.Select(line => (line.Sku, line.Quantity)).ToArray();
        if (Allot(lines, policy, channel, reservation?.Items ?? []) is not { } allotted) return Outcome.OutOfStock;

        if (reservation is not null) Close(reservation, ReservationState.Committed, Orders.Count + 1);
        var order = new ModelOrder
        {
            Number = Orders.Count + 1, Submitted = submit, Policy = policy, Terms = submit.Terms == PaymentTerms.None ? channel.Terms : submit.Terms,
            Tier = TierOf(submit.Customer), RequestedAt = submit.RequestedAt, AcceptedAt = _now, AcceptedSequence = Event(),
        };
        for (var i = 0; i < lines.Length; i++) order.Lines.Add(Line(order, i + 1, submit.Lines[i], allotted[i]));
        order.Version = order.AcceptedSequence;
        order.ChangedAt = _now;
        Orders.Add(order);
        TouchedOrders.Add(order.Number);
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
            [OrderState.Backordered, OrderState.PartiallyReserved, OrderState.Ready, OrderState.Fulfilling, OrderState.PartiallyShipped], out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (cancel.Lines.Any(l => l.Line > order.Lines.Count)) return Outcome.QuantityNotAvailable;
        var wanted = order.Lines.ToDictionary(line => line.Number,
            line => cancel.Lines.Length == 0 ? line.Ordered - line.Cancelled : cancel.Lines.Where(l => l.Line == line.Number).Sum(l => l.Quantity));
        if (order.Lines.Any(line => wanted[line.Number] > line.Backordered + line.Reserved)) return Outcome.NotCancellable;

        Change(order);
        foreach (var line in order.Lines)
        {
            line.Cancelled += wanted[line.Number];
            // Waiting units go first, then reserved ones, from the allocation made last.
            var waiting = Math.Min(line.Backordered, wanted[line.Number]);
            line.Backordered -= waiting;
            var reserved = wanted[line.Number] - waiting;
            line.Reserved -= reserved;
            foreach (var allocation in Enumerable.Reverse(order.Allocations).Where(a => a.Line == line.Number))
            {
                var units = Math.Min(allocation.Reserved, reserved);
                if (units == 0) continue;
                allocation.Reserved -= units;
                reserved -= units;
                LevelOf(line.Sku, allocation.Location).Committed -= units;
                Freed(line.Sku);
            }
        }
        return Outcome.Ok;
    }

    private Outcome Release(ReleaseShipment release)
    {
        var refusal = Find(release.Order, release.ExpectedVersion,
            [OrderState.PartiallyReserved, OrderState.Ready, OrderState.Fulfilling, OrderState.PartiallyShipped], out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (order.Holds.Count > 0) return Outcome.OrderOnHold;
        var moves = Moves(order, release.Lines, allocation => allocation.Reserved);
        if (moves is null) return Outcome.QuantityNotAvailable;
        Change(order);
        foreach (var move in moves)
        {
            var allocation = order.At(move.Line, move.Location);
            allocation.Reserved -= move.Quantity;
            allocation.Released += move.Quantity;
            order.Lines[move.Line - 1].Reserved -= move.Quantity;
            order.Lines[move.Line - 1].Released += move.Quantity;
        }
        return Outcome.Ok;
    }

    private Outcome Confirm(ConfirmShipment confirm)
    {
        var refusal = Find(confirm.Order, confirm.ExpectedVersion, [OrderState.Fulfilling, OrderState.PartiallyShipped], out var order);
        if (refusal != Outcome.Ok) return refusal;
        var moves = Moves(order, confirm.Lines, allocation => allocation.Released);
        // A parcel leaves one place.
        if (moves is null || moves.Select(move => move.Location).Distinct().Count() > 1) return Outcome.QuantityNotAvailable;
        Change(order);
        order.Parcels++;
        foreach (var move in moves)
        {
            var allocation = order.At(move.Line, move.Location);
            var line = order.Lines[move.Line - 1];
            allocation.Released -= move.Quantity;
            allocation.Shipped += move.Quantity;
            line.Released -= move.Quantity;
            line.Shipped += move.Quantity;
            var level = LevelOf(line.Sku, move.Location);
            level.OnHand -= move.Quantity;
            level.Committed -= move.Quantity;
        }
        return Outcome.Ok;
    }

    private static List<LineMovement>? Moves(ModelOrder order, LineMovement[] wanted, Func<ModelAllocation, int> available)
    {
        var all = order.Allocations.Where(a => available(a) > 0).Select(a => new LineMovement(a.Line, a.Location, available(a))).ToList();
        if (wanted.Length == 0) return all.Count > 0 ? all : null;
        return wanted.All(w => all.Any(a => a.Line == w.Line && a.Location == w.Location && a.Quantity >= w.Quantity)) ? [.. wanted] : null;
    }

    private Outcome Deliver(RecordDelivery delivery)
    {
        var refusal = Find(delivery.Order, delivery.ExpectedVersion, [OrderState.PartiallyShipped, OrderState.Shipped], out var order);
        if (refusal != Outcome.Ok) return refusal;
        var arrived = delivery.Lines.Length > 0
            ? delivery.Lines
            : order.Lines.Where(line => line.Shipped > line.Delivered).Select(line => new LineQuantity(line.Number, line.Shipped - line.Delivered)).ToArray();
        if (arrived.Length == 0 || arrived.Any(a => a.Line > order.Lines.Count || order.Lines[a.Line - 1].Shipped - order.Lines[a.Line - 1].Delivered < a.Quantity))
            return Outcome.QuantityNotAvailable;
        Change(order);
        foreach (var (line, quantity) in arrived) order.Lines[line - 1].Delivered += quantity;
        return Outcome.Ok;
    }
}
