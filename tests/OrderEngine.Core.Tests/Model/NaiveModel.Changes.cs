// The model's changes of accepted orders: holds, amendments. One thread.

namespace OrderEngine.Core.Tests.Model;

internal sealed partial class NaiveModel
{
    private static readonly OrderState[] NotAtTheirEnd =
    [
        OrderState.PendingReview, OrderState.AwaitingPayment, OrderState.Backordered, OrderState.PartiallyReserved, OrderState.Ready, OrderState.Fulfilling,
        OrderState.PartiallyShipped, OrderState.Shipped, OrderState.Delivered,
    ];

    private Outcome Place(PlaceHold hold)
    {
        var refusal = Find(hold.Order, hold.ExpectedVersion, NotAtTheirEnd, out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (!order.Holds.Add(hold.Hold)) return Outcome.HoldAlreadyOpen;
        Change(order);
        return Outcome.Ok;
    }

    private Outcome Release(ReleaseHold hold)
    {
        var refusal = Find(hold.Order, hold.ExpectedVersion, NotAtTheirEnd, out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (!order.Holds.Remove(hold.Hold)) return Outcome.HoldNotOpen;
        Change(order);
        if (!order.Holds.Contains(OrderHolds.Risk) && !order.Holds.Contains(OrderHolds.Credit)) ResolveOpen(order, ExceptionKind.ReviewDue, DeadlineKind.None, "released");
        return Outcome.Ok;
    }

    // --- amendments: all or nothing; what a line gains is new demand, with what the amendment itself frees first ---

    private void ServeAheadOf(AmendOrder amend)
    {
        if (amend.Order <= 0 || amend.Order > Orders.Count) return;
        var order = Orders[(int)amend.Order - 1];
        var requestedAt = amend.Fields.HasFlag(AmendedFields.RequestedTime) ? amend.RequestedAt : order.RequestedAt;
        foreach (var wanted in amend.Lines.TakeWhile(l => l.Line <= order.Lines.Count))
        {
            var line = order.Lines.ElementAtOrDefault(wanted.Line - 1);
            if (line is null || wanted.Quantity > line.Ordered) ServeAheadOf(line?.Sku ?? wanted.Sku, ModelOrder.PlaceOf(_now, order.Tier, requestedAt, Sequence + 1, 0));
        }
    }

    private Outcome Amend(AmendOrder amend)
    {
        OrderState[] from =
        [
            OrderState.PendingReview, OrderState.AwaitingPayment, OrderState.Backordered, OrderState.PartiallyReserved, OrderState.Ready, OrderState.Fulfilling,
            OrderState.PartiallyShipped,
        ];
        var refusal = Find(amend.Order, amend.ExpectedVersion, from, out var order);
        if (refusal != Outcome.Ok) return refusal;
        var (delivery, date, lines) = (amend.Fields.HasFlag(AmendedFields.Delivery), amend.Fields.HasFlag(AmendedFields.RequestedTime), amend.Fields.HasFlag(AmendedFields.Lines));
        if (delivery && amend.DeliveryVersion != order.AmendedDelivery.Since) return Outcome.EtagMismatch;
        if (delivery && MayTake(order.Submitted.Customer, amend.Delivery, order) is not Outcome.Ok and var taking) return taking;
        if ((delivery || date) && order.Lines.Any(l => l.Released > 0)) return Outcome.NotAmendable;
        var requestedAt = date ? amend.RequestedAt : order.RequestedAt;
        var wanted = lines ? amend.Lines : [];
        var allotted = Array.Empty<List<(int Location, int Units)>>();
        var gains = wanted.Where(w => w.Line == 0 || w.Line <= order.Lines.Count && w.Quantity > order.Lines[w.Line - 1].Ordered).ToList();
        long growth = 0;
        HashSet<OrderHolds> holds = [];
        if (lines)
        {
            refusal = MayBe(order, wanted);
            if (refusal == Outcome.Ok) refusal = CheckGrowth(order, wanted, out growth, out holds);
            if (refusal != Outcome.Ok) return refusal;
            var freed = wanted.SelectMany(w => Freeable(order, w)).Select(f => (order.Lines[f.Line - 1].Sku, f.Location, f.Quantity)).ToList();
            var demand = gains.Select(w => w.Line == 0 ? (w.Sku, w.Quantity) : (order.Lines[w.Line - 1].Sku, w.Quantity - order.Lines[w.Line - 1].Ordered)).ToArray();
            if (demand.Length > 0)
            {
                if (Allot(demand, order.Policy, Rules[order.Submitted.Channel], freed, order.Region, order.WholeOnly, order.WholeOnly && StillWaits(order, wanted)) is not { } found) return Outcome.OutOfStock;
                allotted = found;
            }
        }

        // orders.proto, AmendOrder: words that a rule looks for are looked at by a reviewer, as what makes it larger is.
        if (amend.NoteRules.Length > 0) holds.Add(OrderHolds.Risk);

        // From here on it is done.
        var surplus = Surplus(order);
        Change(order);
        order.RequestedAt = requestedAt;
        foreach (var (line, location, quantity) in wanted.SelectMany(w => Freeable(order, w)).ToList()) GiveBack(order, line, location, quantity);
        foreach (var one in wanted)
        {
            var gain = gains.IndexOf(one);
            Rewrite(order, one, gain < 0 ? [] : allotted[gain]);
        }
        NoteLines(order);
        // What was promised follows the date that is wanted now.
        Forget(order);
        if (date) MoveDelivery(order);
        if (delivery)
        {
            order.AmendedDelivery = (amend.Delivery.Key, Convert.ToHexString(amend.Delivery.Ciphertext), order.Version);
            Took(order.Submitted.Customer, amend.Delivery, order);
            order.DeliveryKey = amend.Delivery.Key;
        }
        HoldForReview(order, holds, growth);
        RaiseSurplus(order, surplus);
        CreditFor(order);
        return Outcome.Ok;
    }

    // Whether anything of the order would wait, but for what its lines gain.
    private static bool StillWaits(ModelOrder order, AmendedLine[] wanted) =>
        order.Lines.Any(l => l.Backordered > 0 && wanted.Where(w => w.Line == l.Number && w.Quantity >= 0).All(w => l.Ordered - w.Quantity < l.Backordered));

    // The lines as they would be: none below what is cancelled or gone, no new price for what is gone, something left, within the bounds.
    private static Outcome MayBe(ModelOrder order, AmendedLine[] wanted)
    {
        var live = order.Lines.Sum(l => l.Ordered - l.Cancelled);
        var total = order.Lines.Aggregate((Int128)0, (sum, l) => sum + (Int128)l.Ordered * l.Price);
        foreach (var one in wanted)
        {
            if (one.Line > order.Lines.Count) return Outcome.QuantityNotAvailable;
            if (one.Line == 0)
            {
                live += one.Quantity;
                total += (Int128)one.Quantity * one.UnitPrice;
                continue;
            }
            var line = order.Lines[one.Line - 1];
            var gone = line.Released + line.Shipped;
            var (quantity, price) = (one.Quantity < 0 ? line.Ordered : one.Quantity, one.UnitPrice < 0 ? line.Price : one.UnitPrice);
            if (price != line.Price && gone > 0 || quantity < line.Cancelled + gone) return Outcome.NotAmendable;
            live += quantity - line.Ordered;
            total += (Int128)quantity * price - (Int128)line.Ordered * line.Price;
        }
        if (total > 1_000_000_000_000_000) return Outcome.OrderLimitReached;
        return live > 0 ? Outcome.Ok : Outcome.NotAmendable;
    }

    // Reserved units that a line gives back: waiting ones go first, then reserved ones, from the allocation made last.
    private static IEnumerable<(int Line, int Location, int Quantity)> Freeable(ModelOrder order, AmendedLine wanted)
    {
        if (wanted.Line == 0 || wanted.Quantity < 0) yield break;
        var line = order.Lines[wanted.Line - 1];
        var less = line.Ordered - wanted.Quantity - line.Backordered;
        foreach (var allocation in Enumerable.Reverse(order.Allocations).Where(a => a.Line == line.Number && a.Reserved > 0))
        {
            if (less <= 0) yield break;
            yield return (line.Number, allocation.Location, Math.Min(less, allocation.Reserved));
            less -= allocation.Reserved;
        }
    }

    private void GiveBack(ModelOrder order, int line, int location, int quantity)
    {
        order.At(line, location).Reserved -= quantity;
        order.Lines[line - 1].Reserved -= quantity;
        LevelOf(order.Lines[line - 1].Sku, location).Committed -= quantity;
    }

    private void Rewrite(ModelOrder order, AmendedLine wanted, List<(int Location, int Units)> gained)
    {
        if (wanted.Line == 0) order.Lines.Add(new ModelLine(order.Lines.Count + 1, wanted.Sku, 0, wanted.UnitPrice));
        var line = wanted.Line == 0 ? order.Lines[^1] : order.Lines[wanted.Line - 1];
        if (wanted.UnitPrice >= 0) line.Price = wanted.UnitPrice;
        if (wanted.Quantity < 0) return;
        foreach (var (location, units) in gained)
        {
            order.At(line.Number, location).Reserved += units;
            LevelOf(line.Sku, location).Committed += units;
            line.Reserved += units;
        }
        var change = wanted.Quantity - line.Ordered;
        line.Ordered = wanted.Quantity;
        var rest = line.Ordered - line.Cancelled - line.Backordered - line.Reserved - line.Released - line.Shipped;
        if (rest < 0) line.GiveUp(-rest);
        else if (order.Policy != AllocationPolicy.PartialBackorder) line.Cancelled += rest;
        else if (rest > 0)
        {
            line.Backordered += rest;
            // What was added before and still waits joins it.
            (line.Added, line.AddedAt, line.AddedSequence) = (line.Added + rest, _now, order.Version);
        }
    }
}
