// The model's stock policies, announced supply, transfers, reordering, and counts that take stock away from orders. One thread.

namespace OrderEngine.Core.Tests.Model;

internal sealed partial class NaiveModel
{
    public readonly List<ModelIncoming> Incoming = [];

    /// <summary>Units that come to a level: from outside, and from another location.</summary>
    public (long Incoming, long InTransit) Coming(int sku, int location)
    {
        var open = Incoming.Where(i => i.Sku == sku && i.Location == location).ToList();
        return (open.Where(i => i.Kind != SupplyKind.Transfer).Sum(i => (long)i.Open), open.Where(i => i.Kind == SupplyKind.Transfer).Sum(i => (long)i.Open));
    }

    private Outcome Set(SetStockPolicy policy)
    {
        Event();
        var level = LevelOf(policy.Sku, policy.Location);
        level.Safety = policy.Safety;
        level.ReorderPoint = policy.ReorderPoint;
        return Outcome.Ok;
    }

    private Outcome Announce(AnnounceIncoming announce)
    {
        if (announce.Incoming != 0)
        {
            var refusal = Find(announce.Incoming, announce.ExpectedVersion, out var present);
            if (refusal != Outcome.Ok) return refusal;
            if (present.Kind == SupplyKind.Transfer && announce.Quantity > present.Open) return Outcome.TransferExceeded;
            present.Version = Event();
            var less = present.Open - announce.Quantity;
            present.Open = announce.Quantity;
            present.ExpectedAt = announce.ExpectedAt;
            LevelOf(present.Sku, present.Location);
            if (present.Kind != SupplyKind.Transfer) return Outcome.Ok;
            LevelOf(present.Sku, present.From).OnHand += less;
            return Outcome.Ok;
        }
        var unfit = Answers(announce.Request, announce.Sku);
        if (unfit != Outcome.Ok) return unfit;
        var sequence = Event();
        Incoming.Add(new ModelIncoming(announce.Sku, announce.Location, 0, announce.Supply, announce.Quantity, Text(announce.Reference)) { ExpectedAt = announce.ExpectedAt, Version = sequence });
        LevelOf(announce.Sku, announce.Location);
        Answered(announce.Request, announce.Quantity);
        return Outcome.Ok;
    }

    private Outcome Transfer(TransferStock transfer)
    {
        var unfit = Answers(transfer.Request, transfer.Sku);
        if (unfit != Outcome.Ok) return unfit;
        if ((Stock.GetValueOrDefault((transfer.Sku, transfer.From))?.Free ?? 0) < transfer.Quantity) return Outcome.StockBelowCommitted;
        var sequence = Event();
        LevelOf(transfer.Sku, transfer.From).OnHand -= transfer.Quantity;
        Incoming.Add(new ModelIncoming(transfer.Sku, transfer.To, transfer.From, SupplyKind.Transfer, transfer.Quantity, Text(transfer.Reference)) { ExpectedAt = transfer.ExpectedAt, Version = sequence });
        LevelOf(transfer.Sku, transfer.To);
        Answered(transfer.Request, transfer.Quantity);
        return Outcome.Ok;
    }

    private Outcome Find(long number, long expected, out ModelIncoming incoming)
    {
        incoming = null!;
        if (number <= 0 || number > Incoming.Count) return Outcome.IncomingNotFound;
        incoming = Incoming[(int)number - 1];
        if (expected != 0 && expected != incoming.Version) return Outcome.EtagMismatch;
        return incoming.Open == 0 ? Outcome.IncomingClosed : Outcome.Ok;
    }

    private Outcome Announced(ReceiveStock receive)
    {
        if (receive.Incoming == 0) return Outcome.Ok;
        var refusal = Find(receive.Incoming, receive.ExpectedVersion, out var incoming);
        if (refusal != Outcome.Ok) return refusal;
        if (receive.Location != incoming.Location || receive.Items.Any(item => item.Sku != incoming.Sku)) return Outcome.IncomingMismatch;
        return incoming.Kind == SupplyKind.Transfer && receive.Items.Sum(item => (long)item.Quantity) > incoming.Open ? Outcome.TransferExceeded : Outcome.Ok;
    }

    private void Came(ReceiveStock receive)
    {
        if (receive.Incoming == 0) return;
        var incoming = Incoming[(int)receive.Incoming - 1];
        var units = receive.Items.Sum(item => (long)item.Quantity);
        incoming.Received += units;
        incoming.Open -= (int)Math.Min(units, incoming.Open);
        incoming.Version = Sequence;
    }

    // In Turn, after everything else: what was told about a level and is not so any more, in the order in which the levels came to be.
    private void Reorder()
    {
        foreach (var ((sku, location), level) in Stock.ToList())
        {
            var (incoming, inTransit) = Coming(sku, location);
            var due = level.ReorderPoint > 0 && level.Free + incoming + inTransit <= level.ReorderPoint;
            if (due == level.ReorderDue) continue;
            Event();
            LevelOf(sku, location).ReorderDue = due;
            Reorders++;
        }
    }

    public int Reorders { get; private set; }

    // domain.md: the lowest rank loses first, and waits again. Released units cannot be taken away.
    private bool Deallocate(int sku, int location, long units)
    {
        var losers = Orders.SelectMany(order => order.Allocations.Where(a => a.Location == location && a.Reserved > 0 && order.Lines[a.Line - 1].Sku == sku).Select(a => (order, a)))
            .OrderByDescending(l => l.order.Place(l.a.Line)).ToList();
        if (losers.Sum(l => (long)l.a.Reserved) < units) return false;
        foreach (var (order, allocation) in losers)
        {
            if (units == 0) break;
            var taken = (int)Math.Min(units, allocation.Reserved);
            units -= taken;
            Raise(ExceptionKind.Deallocated, order, allocation.Line, taken, location: location);
            Change(order);
            var line = order.Lines[allocation.Line - 1];
            allocation.Reserved -= taken;
            line.Reserved -= taken;
            line.Backordered += taken;
            LevelOf(sku, location).Committed -= taken;
            Deallocations++;
        }
        return true;
    }

    public int Deallocations { get; private set; }
}
