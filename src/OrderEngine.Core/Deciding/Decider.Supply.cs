// Deciding what is kept back, what will come and what is sent from one location to another; telling what should be reordered.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    private Outcome Set(SetStockPolicy policy)
    {
        BeginEvent();
        Origin();
        _events.BeginBody(EventKind.StockPolicySet);
        _events.Number(1, policy.Sku);
        _events.Number(2, policy.Location);
        _events.Number(3, policy.Safety);
        _events.Number(4, policy.ReorderPoint);
        EndAnswer();
        return Outcome.Ok;
    }

    private Outcome Announce(AnnounceIncoming announce)
    {
        // What is new has no version yet.
        if (announce.ExpectedVersion != 0) return Outcome.EtagMismatch;
        if (state.Supply.Open >= Limits.OpenIncoming) return Outcome.IncomingLimitReached;
        var refusal = CheckRequest(announce.Request, announce.Sku);
        if (refusal != Outcome.Ok) return refusal;
        BeginEvent();
        Origin();
        _events.BeginBody(EventKind.SupplyAnnounced);
        _events.Number(1, state.Supply.Rows.Count + 1);
        _events.Number(2, announce.Sku);
        _events.Number(3, announce.Location);
        _events.Number(4, (long)announce.Supply);
        _events.Number(5, announce.Quantity);
        _events.Number(6, announce.ExpectedAt);
        _events.Bytes(7, announce.Reference);
        _events.Number(220, announce.Request);
        EndAnswer();
        return Outcome.Ok;
    }

    private Outcome Change(AnnounceIncoming announce)
    {
        var refusal = FindIncoming(announce.Incoming, out var incoming);
        if (refusal != Outcome.Ok) return refusal;
        // Units that were sent can turn back on the way, but not become more.
        if (incoming.Head.Kind == SupplyKind.Transfer && announce.Quantity > incoming.Head.Open) return Refuse(Outcome.TransferExceeded);
        BeginEvent();
        Origin();
        _events.BeginBody(EventKind.SupplyChanged);
        _events.Number(1, announce.Incoming);
        _events.Number(2, announce.Quantity);
        _events.Number(3, announce.ExpectedAt);
        EndAnswer();
        return Outcome.Ok;
    }

    private Outcome Transfer(TransferStock transfer)
    {
        if (state.Supply.Open >= Limits.OpenIncoming) return Outcome.IncomingLimitReached;
        var refusal = CheckRequest(transfer.Request, transfer.Sku);
        if (refusal != Outcome.Ok) return refusal;
        var level = state.Stock.Level(transfer.Sku, transfer.From);
        if (level.OnHand - level.Unavailable - level.Held - level.Committed < transfer.Quantity) return Refuse(Outcome.StockBelowCommitted);
        BeginEvent();
        Origin();
        _events.BeginBody(EventKind.StockTransferred);
        _events.Number(1, state.Supply.Rows.Count + 1);
        _events.Number(2, transfer.Sku);
        _events.Number(3, transfer.From);
        _events.Number(4, transfer.To);
        _events.Number(5, transfer.Quantity);
        _events.Number(6, transfer.ExpectedAt);
        _events.Bytes(7, transfer.Reference);
        _events.Number(220, transfer.Request);
        EndAnswer();
        return Outcome.Ok;
    }

    // What answers a request must be of its SKU; it may come elsewhere, later or in other amounts, and when nobody waits any more.
    private Outcome CheckRequest(long number, int sku)
    {
        if (number == 0) return Outcome.Ok;
        if (!state.SupplyRequests.TryFind(number, out var request)) return Outcome.SupplyRequestNotFound;
        return request.Sku == sku ? Outcome.Ok : Refuse(Outcome.SupplyRequestMismatch);
    }

    /// <summary>Goods that come must be the announced ones; of a transfer no more than were sent.</summary>
    private Outcome CheckIncoming(ReceiveStock receive)
    {
        var refusal = FindIncoming(receive.Incoming, out var incoming);
        if (refusal != Outcome.Ok) return refusal;
        if (receive.Location != incoming.Head.Location) return Refuse(Outcome.IncomingMismatch);
        foreach (var item in receive.Items)
            if (item.Sku != incoming.Head.Sku) return Refuse(Outcome.IncomingMismatch);
        return incoming.Head.Kind == SupplyKind.Transfer && UnitsOf(incoming.Head.Sku, receive.Items) > incoming.Head.Open ? Refuse(Outcome.TransferExceeded) : Outcome.Ok;
    }

    private Outcome FindIncoming(long number, out IncomingView incoming)
    {
        incoming = state.Supply.Latest(number);
        if (!incoming.Exists) return Outcome.IncomingNotFound;
        if (_command.ExpectedVersion != 0 && _command.ExpectedVersion != incoming.Head.Version) return Outcome.EtagMismatch;
        return incoming.Head.Open == 0 ? Refuse(Outcome.IncomingClosed) : Outcome.Ok;
    }

    /// <summary>Writes that a level should be reordered, or need not be any more.</summary>
    public void SignalReorder(in StockRow level, long now, EventBuffer events)
    {
        Start(null!, now, events);
        BeginEvent();
        _events.BeginBody(EventKind.ReorderSignalled);
        _events.Number(1, level.Sku);
        _events.Number(2, level.Location);
        _events.Number(3, level.ReorderDue == 0 ? 1 : 0);
        _events.Number(4, level.Available);
        EndEvent();
    }
}
