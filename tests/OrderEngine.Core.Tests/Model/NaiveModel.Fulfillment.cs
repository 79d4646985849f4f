// The model's warehouse and carrier: release, recall, ship with short picks, deliver, lose. One thread.

namespace OrderEngine.Core.Tests.Model;

internal sealed partial class NaiveModel
{
    private Outcome Release(ReleaseShipment release)
    {
        var refusal = Find(release.Order, release.ExpectedVersion,
            [OrderState.PartiallyReserved, OrderState.Ready, OrderState.Fulfilling, OrderState.PartiallyShipped], out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (order.Holds.Count > 0) return Outcome.OrderOnHold;
        if (order.Complete && order.Lines.Any(l => l.Backordered + l.Unallocated > 0)) return Outcome.OrderNotComplete;
        if (order.Terms == PaymentTerms.Prepaid && order.Paid - order.Refunded < ValueOf(order)) return Outcome.PaymentOutstanding;
        var moves = Moves(order, release.Lines, allocation => allocation.Reserved);
        if (moves is null) return Outcome.QuantityNotAvailable;
        Change(order);
        order.ReleasedAt ??= _now;
        Hand(order, moves, 1);
        return Outcome.Ok;
    }

    private Outcome Recall(RecallShipment recall)
    {
        var refusal = Find(recall.Order, recall.ExpectedVersion, [OrderState.Fulfilling, OrderState.PartiallyShipped], out var order);
        if (refusal != Outcome.Ok) return refusal;
        var moves = Moves(order, recall.Lines, allocation => allocation.Released);
        if (moves is null) return Outcome.QuantityNotAvailable;
        Change(order);
        Hand(order, moves, -1);
        return Outcome.Ok;
    }

    private static void Hand(ModelOrder order, List<LineMovement> moves, int sign)
    {
        foreach (var move in moves)
        {
            var allocation = order.At(move.Line, move.Location);
            allocation.Reserved -= sign * move.Quantity;
            allocation.Released += sign * move.Quantity;
            order.Lines[move.Line - 1].Reserved -= sign * move.Quantity;
            order.Lines[move.Line - 1].Released += sign * move.Quantity;
        }
    }

    private Outcome Confirm(ConfirmShipment confirm)
    {
        var refusal = Find(confirm.Order, confirm.ExpectedVersion, [OrderState.Fulfilling, OrderState.PartiallyShipped], out var order);
        if (refusal != Outcome.Ok) return refusal;
        int ShortAt(int line, int location) => confirm.Short.Where(s => s.Line == line && s.Location == location).Sum(s => s.Quantity);
        var released = order.Allocations.Where(a => a.Released > 0).ToList();
        if (released.Count == 0 || confirm.Short.Any(s => released.Where(a => a.Line == s.Line && a.Location == s.Location).Sum(a => a.Released) < s.Quantity)) return Outcome.QuantityNotAvailable;
        // What is short is not shipped; with no lines named, all else is.
        var moves = confirm.Lines.Length == 0
            ? released.Select(a => new LineMovement(a.Line, a.Location, a.Released - ShortAt(a.Line, a.Location))).Where(m => m.Quantity > 0).ToList()
            : [.. confirm.Lines];
        if (moves.Any(m => released.Where(a => a.Line == m.Line && a.Location == m.Location).Sum(a => a.Released) < m.Quantity + ShortAt(m.Line, m.Location))) return Outcome.QuantityNotAvailable;
        // A parcel leaves one place.
        if (moves.Select(m => m.Location).Concat(confirm.Short.Select(s => s.Location)).Distinct().Count() != 1) return Outcome.QuantityNotAvailable;

        if (moves.Count > 0) Ship(order, moves);
        if (confirm.Short.Length > 0) FallShort(order, confirm.Short);
        return Outcome.Ok;
    }

    private void Ship(ModelOrder order, List<LineMovement> moves)
    {
        Change(order);
        var parcel = new ModelParcel();
        order.Parcels.Add(parcel);
        foreach (var move in moves)
        {
            var line = order.Lines[move.Line - 1];
            var allocation = order.At(move.Line, move.Location);
            allocation.Released -= move.Quantity;
            allocation.Shipped += move.Quantity;
            line.Released -= move.Quantity;
            line.Shipped += move.Quantity;
            parcel.Lines[move.Line] = (move.Quantity, 0, 0);
            var level = LevelOf(line.Sku, move.Location);
            level.OnHand -= move.Quantity;
            level.Committed -= move.Quantity;
        }
        NoteParcel(order, moves);
    }

    private void FallShort(ModelOrder order, ShortPick[] missed)
    {
        order.FellShort = true;
        foreach (var one in missed) Raise(ExceptionKind.ShortPick, order, one.Line, one.Quantity, location: one.Location);
        Change(order);
        foreach (var one in missed)
        {
            var line = order.Lines[one.Line - 1];
            order.At(one.Line, one.Location).Released -= one.Quantity;
            line.Released -= one.Quantity;
            line.Backordered += one.Quantity;
            var level = LevelOf(line.Sku, one.Location);
            level.Committed -= one.Quantity;
            if (one.Cause == ShortPickCause.Damaged) level.Unavailable += one.Quantity;
            else level.OnHand -= one.Quantity;
        }
    }

    private static List<LineMovement>? Moves(ModelOrder order, LineMovement[] wanted, Func<ModelAllocation, int> available)
    {
        var all = order.Allocations.Where(a => available(a) > 0).Select(a => new LineMovement(a.Line, a.Location, available(a))).ToList();
        if (wanted.Length == 0) return all.Count > 0 ? all : null;
        return wanted.All(w => all.Any(a => a.Line == w.Line && a.Location == w.Location && a.Quantity >= w.Quantity)) ? [.. wanted] : null;
    }

    private Outcome Deliver(RecordDelivery delivery)
    {
        var outcome = Arriving(delivery.Order, delivery.ExpectedVersion, delivery.Parcel, delivery.Lines, out var order, out var arrived);
        if (outcome != Outcome.Ok) return outcome;
        Change(order);
        foreach (var (line, quantity) in arrived)
        {
            order.Lines[line - 1].Delivered += quantity;
            Spread(order, delivery.Parcel, line, quantity, lost: false);
        }
        return Outcome.Ok;
    }

    private Outcome Lose(RecordLoss loss)
    {
        var outcome = Arriving(loss.Order, loss.ExpectedVersion, loss.Parcel, loss.Lines, out var order, out var gone);
        if (outcome != Outcome.Ok) return outcome;
        // What came back, or is to, cannot be lost.
        if (gone.Any(g => order.Lines[g.Line - 1] is var l && l.Returned + ToComeBack(order.Number, l.Number) > l.Shipped - l.Lost - g.Quantity)) return Outcome.QuantityNotAvailable;
        var surplus = Surplus(order);
        Raise(ExceptionKind.LostParcel, order, 0, gone.Sum(l => (long)l.Quantity));
        Change(order);
        foreach (var (line, quantity) in gone)
        {
            order.Lines[line - 1].Lost += quantity;
            Spread(order, loss.Parcel, line, quantity, lost: true);
        }
        RaiseSurplus(order, surplus);
        CreditFor(order);
        return Outcome.Ok;
    }

    private Outcome Arriving(long number, long expected, int parcel, LineQuantity[] named, out ModelOrder order, out List<LineQuantity> arrived)
    {
        arrived = [];
        var refusal = Find(number, expected, [OrderState.PartiallyShipped, OrderState.Shipped], out order);
        if (refusal != Outcome.Ok) return refusal;
        if (parcel > order.Parcels.Count) return Outcome.ParcelNotFound;
        var parcels = parcel == 0 ? order.Parcels : [order.Parcels[parcel - 1]];
        int Open(int line) => parcels.Sum(p => p.Open(line));
        arrived = named.Length > 0 ? [.. named] : order.Lines.Where(l => Open(l.Number) > 0).Select(l => new LineQuantity(l.Number, Open(l.Number))).ToList();
        return arrived.Count > 0 && arrived.All(a => Open(a.Line) >= a.Quantity) ? Outcome.Ok : Outcome.QuantityNotAvailable;
    }

    // The oldest parcels first.
    private static void Spread(ModelOrder order, int parcel, int line, int quantity, bool lost)
    {
        for (var i = 0; i < order.Parcels.Count; i++)
        {
            if (parcel != 0 && parcel != i + 1) continue;
            var units = Math.Min(quantity, order.Parcels[i].Open(line));
            if (units == 0) continue;
            var present = order.Parcels[i].Lines[line];
            order.Parcels[i].Lines[line] = lost ? present with { Lost = present.Lost + units } : present with { Delivered = present.Delivered + units };
            quantity -= units;
        }
    }
}
