// Applying: from the state and an event to the next state. The same code runs live, in recovery and on a standby, and it cannot refuse:
// an event that does not fit is damage or a defect and ends the process (rule 5). Writer thread only.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.Applying;

/// <summary>Folds events into the state.</summary>
internal sealed partial class Applier(EngineState state)
{
    /// <summary>Applies one event (its bytes without tag and length).</summary>
    /// <exception cref="ApplyException">The event does not follow the last one or does not fit the state.</exception>
    public void Apply(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var e = new EventView(bytes);
            if (e.Sequence != state.Sequence + 1) throw new ApplyException($"Event {e.Sequence} does not follow {state.Sequence}.");
            if (e.Time < state.Time) throw new ApplyException($"Event {e.Sequence} lies before the one it follows.");
            state.Sequence = e.Sequence;
            state.Time = e.Time;
            var exposed = e.Customer != 0 && e.Before != OrderState.None ? PaymentStates.Exposure(state.Order(e.Order)) : 0;
            var collectable = e.Order != 0 && e.Before != OrderState.None && state.Catalog.DeadlineRules.WatchesMoney ? CollectableOf(e.Order) : 0;
            if (e.Order != 0) state.Statistics.Before(in e);
            ApplyBody(in e);
            if (e.Order != 0)
            {
                state.Statistics.After(in e);
                if (state.Order(e.Order) is { Exists: true } order && order.Head.IsFilledWhole) FollowWhole(in e, order);
            }
            if (e.Customer != 0 && e.Order != 0) CountForCustomer(in e, exposed);
            var address = e.Order != 0 ? state.History.Add(e.Order, e.Sequence, bytes) : 0;
            if (e.Order != 0) WatchMoney(in e, collectable);
            if (e.RequestKey != 0) Remember(in e, address);
        }
        catch (Exception exception) when (exception is not ApplyException)
        {
            throw new ApplyException($"The event after {state.Sequence} cannot be applied: {exception.Message}", exception);
        }
    }

    private void Remember(in EventView e, long address)
    {
        var owns = address == 0;
        if (owns) address = OrderHistory.Store(state.Heap, e.Sequence, 0, e.Bytes);
        state.Requests.Add(e.RequestKey, e.BodyDigest, e.Time, e.Sequence, address, owns);
    }

    private void ApplyBody(in EventView e)
    {
        switch (e.Kind)
        {
            case EventKind.OrderSubmitted: Submitted(in e); break;
            case EventKind.OrderCancelled: Cancelled(in e); break;
            case EventKind.OrderRejected: Cancelled(in e); break;
            case EventKind.OrderApproved or EventKind.OrderCompleted: Change(in e); break;
            case EventKind.PaymentRecorded: Paid(in e); break;
            case EventKind.RefundRecorded: Refunded(in e); break;
            case EventKind.OrderExpired: ExpiredOrder(in e); break;
            case EventKind.BackorderFilled: Filled(in e); break;
            case EventKind.EarmarkingBegan: Earmarks(in e); break;
            case EventKind.BackorderPromised: Promised(in e); break;
            case EventKind.SupplyRequested: Requested(in e); break;
            case EventKind.ShipmentReleased: Released(in e, back: false); break;
            case EventKind.ShipmentConfirmed: Shipped(in e); break;
            case EventKind.DeliveryRecorded: Arrived(in e, lost: false); break;
            case EventKind.LossRecorded: Arrived(in e, lost: true); break;
            case EventKind.PickFellShort: FellShort(in e); break;
            case EventKind.ShipmentRecalled: Released(in e, back: true); break;
            case EventKind.OrderAmended: Amended(in e); break;
            case EventKind.HoldPlaced or EventKind.HoldReleased: HoldsChanged(in e); break;
            case EventKind.ReservationCreated: Created(in e); break;
            case EventKind.ReservationExtended: Extended(in e); break;
            case EventKind.ReservationCommitted: Closed(in e, ReservationState.Committed); break;
            case EventKind.ReservationReleased: Closed(in e, ReservationState.Released); break;
            case EventKind.ReservationExpired: Closed(in e, ReservationState.Expired); break;
            case EventKind.ReservationReminded: HoldReminded(in e); break;
            case EventKind.StockReceived: Received(in e); break;
            case EventKind.StockAdjusted: Adjusted(in e); break;
            case EventKind.StockPolicySet: PolicySet(in e); break;
            case EventKind.SupplyAnnounced: Announced(in e); break;
            case EventKind.SupplyChanged: SupplyChanged(in e); break;
            case EventKind.StockTransferred: Transferred(in e); break;
            case EventKind.ReorderSignalled: ReorderSignalled(in e); break;
            case EventKind.OrderDeallocated: Deallocated(in e); break;
            case EventKind.SkuDefined:
                state.Catalog.DefineSku(e.Body, e.Sequence);
                state.Statistics.Categories.Define(e.Body, e.Sequence);
                break;
            case EventKind.LocationDefined:
                if (state.Catalog.DefineLocation(e.Body, e.Sequence)) state.Queues.MarkAllPending();
                state.Statistics.Regions.Define(e.Body, e.Sequence);
                break;
            case EventKind.ChannelDefined:
                if (state.Catalog.DefineChannel(e.Body, e.Sequence)) state.Queues.MarkAllPending();
                break;
            case EventKind.CustomerDefined: state.Catalog.DefineCustomer(e.Body, e.Sequence); break;
            case EventKind.ReturnRequested: ReturnRequested(in e); break;
            case EventKind.ReturnApproved: ReturnApproved(in e); break;
            case EventKind.ReturnRejected: ReturnEnded(in e, ReturnState.Rejected); break;
            case EventKind.ReturnSent: ReturnMoved(in e, ReturnState.InTransit); break;
            case EventKind.ReturnReceived: ReturnReceived(in e); break;
            case EventKind.ReturnRepaired: ReturnMoved(in e, ReturnState.Repaired); break;
            case EventKind.ReturnShippedBack: ReturnMoved(in e, ReturnState.ShippedBack); break;
            case EventKind.ReturnClosed: ReturnEnded(in e, ReturnState.Closed); break;
            case EventKind.ReturnWindowOver: WindowOver(in e); break;
            case EventKind.ExchangeCredited: ExchangeCredited(in e); break;
            case EventKind.DeadlineReminded: Reminded(in e); break;
            case EventKind.DeadlineMissed: Missed(in e); break;
            case EventKind.DeadlinesDefined: state.Catalog.DefineDeadlines(e.Body, e.Sequence); break;
            case EventKind.ExceptionRaised: Raised(in e); break;
            case EventKind.ExceptionResolved: Resolved(in e); break;
            case EventKind.OrderArchived: Archived(in e); break;
            case EventKind.ArchivedOrderLoaded: Loaded(in e); break;
            case EventKind.OrderRestored: Change(in e); break;
            case EventKind.ReviewRulesDefined: state.Catalog.DefineReviewRules(e.Body, e.Sequence); break;
            case EventKind.OrderConfirmed: Confirmed(in e); break;
            case EventKind.NoteAdded: NoteAdded(in e); break;
            case EventKind.ComplaintOpened: ComplaintOpened(in e); break;
            case EventKind.ComplaintAssigned: ComplaintAssigned(in e); break;
            case EventKind.ComplaintResolved: ComplaintResolved(in e); break;
            case EventKind.FeedbackRecorded: FeedbackRecorded(in e); break;
            case EventKind.CustomerErased: CustomerErased(in e); break;
            case EventKind.OrderErased: OrderErased(in e); break;
            case EventKind.RequestRefused: break;
            default: throw new ApplyException($"Event {e.Sequence} is of kind {(int)e.Kind}, which this engine does not know: it was written by a newer one.");
        }
    }

    private void Received(in EventView e)
    {
        var location = 0;
        long incoming = 0, units = 0;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1)
            {
                location = reader.Int();
            }
            else if (field == 2)
            {
                ReadPair(reader.Bytes(), out var sku, out var quantity);
                CheckPlace(sku, location);
                state.Stock.Change(sku, location, e.Sequence, onHand: quantity);
                state.Queues.MarkPending(sku);
                units += quantity;
            }
            else if (field == 4)
            {
                incoming = reader.Long();
            }
            else
            {
                reader.Skip(wireType);
            }
        }
        if (incoming != 0) Came(incoming, units, e.Sequence);
    }

    private void Adjusted(in EventView e)
    {
        int location = 0, sku = 0;
        long onHand = 0, unavailable = 0;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: location = reader.Int(); break;
                case 2: sku = reader.Int(); break;
                case 3: onHand = reader.SignedLong(); break;
                case 4: unavailable = reader.SignedLong(); break;
                default: reader.Skip(wireType); break;
            }
        }
        CheckPlace(sku, location);
        state.Stock.Change(sku, location, e.Sequence, onHand: onHand, unavailable: unavailable);
        if (onHand - unavailable > 0) state.Queues.MarkPending(sku);
    }

    // Numbers index tables that grow to hold them: one that names nothing would take memory by its size, and fail only when somebody reads it.
    private void CheckPlace(int sku, int location)
    {
        CheckKnown(sku, state.Catalog.SkuIds, "SKU");
        CheckKnown(location, state.Catalog.LocationIds, "location");
    }

    private void CheckParties(in EventView e)
    {
        CheckKnown(e.Channel, state.Catalog.ChannelIds, "channel");
        if (e.Customer != 0) CheckKnown(e.Customer, state.Catalog.CustomerIds, "customer");
    }

    private static void CheckKnown(int number, SymbolTable ids, string what)
    {
        if (number < 1 || number > ids.Count) throw new ApplyException($"There is no {what} {number}.");
    }

    /// <summary>A nested message { 1: what, 2: quantity }.</summary>
    private static void ReadPair(ReadOnlySpan<byte> nested, out int what, out int quantity)
    {
        what = quantity = 0;
        var reader = new ProtoReader(nested);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) what = reader.Int();
            else if (field == 2) quantity = reader.Int();
            else reader.Skip(wireType);
        }
    }
}
