// Orders as they stand, for clients. Every method runs inside one read guard that the caller holds; personal data is unsealed outside of it.

using System.Text;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using Journaled = OrderEngine.Contracts.Journal;

namespace OrderEngine.Server.Mapping;

/// <summary>Makes the contract's orders from rows and history.</summary>
internal static class OrderReads
{
    /// <summary>One order as it stands at a sequence; null when there is none. Without delivery.</summary>
    public static Order? Read(StateReader reader, long number, long at)
    {
        var view = reader.Order(number, at);
        if (!view.Exists) return null;
        ref readonly var head = ref view.Head;
        var order = new Order
        {
            OrderId = Texts.Order(number),
            ChannelId = Texts.Channel(reader, head.Channel),
            ExternalOrderId = Encoding.UTF8.GetString(reader.ExternalId(number)),
            CustomerId = Texts.Customer(reader, head.Customer),
            Type = (Contracts.V1.OrderType)head.Type,
            AllocationPolicy = (Contracts.V1.AllocationPolicy)head.Policy,
            PaymentTerms = (Contracts.V1.PaymentTerms)head.Terms,
            Priority = (Contracts.V1.Priority)head.Priority,
            CurrencyCode = Currency.Text(head.Currency),
            State = (Contracts.V1.OrderState)head.State,
            RequestedTime = Texts.Time(head.RequestedAt),
            AcceptTime = Texts.Time(head.AcceptedAt),
            UpdateTime = Texts.Time(head.ChangedAt),
            TotalMinor = head.Total,
            CancelledMinor = head.CancelledTotal,
            PaidMinor = head.Paid,
            RefundedMinor = head.Refunded,
            ReservationId = Texts.Reservation(head.Reservation),
            Sequence = head.Version,
            Etag = Texts.Etag(head.Version),
            Erased = (head.Details & OrderDetails.Erased) != 0 || reader.ErasedAt(head.Customer, at) != 0,
        };
        order.ShippingPolicy = (head.Details & OrderDetails.ShipComplete) != 0 ? Contracts.V1.ShippingPolicy.Complete : Contracts.V1.ShippingPolicy.Partial;
        order.Earmarks = (head.Details & OrderDetails.Earmarks) != 0;
        if ((head.Details & OrderDetails.HasRegion) != 0) order.ShipToRegion = Encoding.UTF8.GetString(OrderReading.Region(new EventView(reader.FirstEvent(number)).Body));
        order.PayableMinor = PaymentStates.Payable(head.State, view.Lines);
        order.PaymentState = (Contracts.V1.PaymentState)PaymentStates.Of(head.State, order.PayableMinor, head.Paid, head.Refunded);
        foreach (ref readonly var deadline in reader.Deadlines(number, at))
            if (deadline.Kind == OrderStates.DeadlineOf(head.State)) order.StateDeadline = Texts.Time(deadline.Due);
        if (head.ReviewReasons > 0)
            ReviewReads.AddReasons(order.ReviewReasons, Journaled.OrderSubmitted.Parser.ParseFrom(new EventView(reader.FirstEvent(number)).Body).ReviewReasons);
        AddLines(reader, order, view);
        if (AnyWaits(view.Lines)) Shortages.Add(order.Shortages, reader, Journaled.OrderSubmitted.Parser.ParseFrom(new EventView(reader.FirstEvent(number)).Body));
        foreach (ref readonly var promise in reader.Promises(number, at)) order.Lines[promise.Line - 1].PromisedTime = Texts.Time(promise.PromisedAt);
        FollowUpReads.AddTo(order, reader, number, in head, at);
        if (head.Parcels > 0) ParcelReads.Add(reader, order.Parcels, number, view, at);
        ReturnReads.AddTo(order, reader, number, view, at);
        if (head.Holds != Core.OrderHolds.None) AddHolds(reader, order, head.Holds, number, at);
        if ((head.Details & OrderDetails.Attributes) != 0) order.Extras = CareReads.Attributes(Journaled.OrderSubmitted.Parser.ParseFrom(new EventView(reader.FirstEvent(number)).Body));
        order.Care = ComplaintReads.Care(reader, number, at);
        if (head.Notes > 0) CareReads.AddNotes(reader, order, head.Notes, number, at);
        return order;
    }

    /// <summary>What the buyer may see of an order; null when there is none.</summary>
    public static OrderTracking? Track(StateReader reader, long number, long at)
    {
        var view = reader.Order(number, at);
        if (!view.Exists) return null;
        var tracking = new OrderTracking
        {
            OrderId = Texts.Order(number), ExternalOrderId = Encoding.UTF8.GetString(reader.ExternalId(number)),
            State = (Contracts.V1.OrderState)view.Head.State, Sequence = view.Head.Version,
            AwaitsConfirmation = (view.Head.Holds & Core.OrderHolds.Confirmation) != 0,
        };
        var lines = view.Lines;
        for (var i = 0; i < lines.Length; i++)
        {
            ref readonly var line = ref lines[i];
            tracking.Lines.Add(new TrackedLine
            {
                LineNumber = i + 1, SkuId = Texts.Sku(reader, line.Sku), Quantity = line.Ordered, Cancelled = line.Cancelled,
                Backordered = line.Backordered + line.Unallocated, Shipped = line.Shipped, Delivered = line.Delivered, Lost = line.Lost,
            });
        }
        var milestones = new List<Milestone>();
        var cursor = 0L;
        while (reader.PreviousEvent(number, at, ref cursor, out var bytes))
        {
            var e = new EventView(bytes);
            if (e.Before != e.After) milestones.Add(new Milestone { State = (Contracts.V1.OrderState)e.After, Time = Texts.Time(e.Time) });
        }
        milestones.Reverse();
        tracking.Milestones.Add(milestones);
        if (view.Head.Parcels > 0) ParcelReads.Add(reader, tracking.Parcels, number, view, at);
        return tracking;
    }

    /// <summary>A copy of an order's sealed delivery; its key is 0 when it has none.</summary>
    /// <param name="reader">Inside a guard.</param>
    /// <param name="number">An order that exists.</param>
    /// <param name="at">As of which sequence.</param>
    /// <param name="version">The amendment that it stands in; 0: the acceptance.</param>
    public static SealedData SealedDelivery(StateReader reader, long number, long at, out long version)
    {
        if ((reader.Order(number, at).Head.Details & OrderDetails.AmendedDelivery) != 0) return NewestDelivery(reader, number, at, out version);
        version = 0;
        return SealedIn(new EventView(reader.FirstEvent(number)).Body, PersonalFields.SubmittedDelivery);
    }

    /// <summary>As <see cref="SealedDelivery"/>, for any sequence of the past: walks the order's history.</summary>
    public static SealedData NewestDelivery(StateReader reader, long number, long at, out long version)
    {
        for (var cursor = 0L; reader.PreviousEvent(number, at, ref cursor, out var bytes);)
        {
            var e = new EventView(bytes);
            if (e.Kind != EventKind.OrderAmended || !Amendments.HasDelivery(e.Body)) continue;
            version = e.Sequence;
            return SealedIn(e.Body, Amendments.DeliveryField);
        }
        version = 0;
        return SealedIn(new EventView(reader.FirstEvent(number)).Body, PersonalFields.SubmittedDelivery);
    }

    /// <summary>A copy of a sealed field of an event's body; its key is 0 when it has none.</summary>
    public static SealedData SealedIn(ReadOnlySpan<byte> body, int sealedField)
    {
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == sealedField) return SealedData.Read(reader.Bytes());
            reader.Skip(wireType);
        }
        return default;
    }

    private static bool AnyWaits(ReadOnlySpan<LineRow> lines)
    {
        foreach (ref readonly var line in lines)
            if (line.Backordered > 0) return true;
        return false;
    }

    private static void AddLines(StateReader reader, Order order, OrderView view)
    {
        var lines = view.Lines;
        order.Lines.Capacity = lines.Length;
        for (var i = 0; i < lines.Length; i++)
        {
            ref readonly var line = ref lines[i];
            order.Lines.Add(new OrderLine
            {
                LineNumber = i + 1, SkuId = Texts.Sku(reader, line.Sku), Quantity = line.Ordered, UnitPriceMinor = line.UnitPrice,
                Cancelled = line.Cancelled, Unallocated = line.Unallocated, Backordered = line.Backordered, Reserved = line.Reserved,
                Released = line.Released, Shipped = line.Shipped, Delivered = line.Delivered, Lost = line.Lost, Returned = line.Returned, ReturnOpen = line.ReturnOpen,
            });
        }
        foreach (ref readonly var allocation in view.Allocations)
        {
            if (allocation.Reserved + allocation.Released + allocation.Shipped == 0) continue;
            order.Lines[allocation.Line - 1].Allocations.Add(new LineAllocation
            {
                LocationId = Texts.Location(reader, allocation.Location), Reserved = allocation.Reserved, Released = allocation.Released,
                Shipped = allocation.Shipped,
            });
        }
    }

    // Who placed each open hold and why stands in the last event that placed one of its kind; a confirmation's is the acceptance.
    private static void AddHolds(StateReader reader, Order order, Core.OrderHolds open, long number, long at)
    {
        var cursor = 0L;
        while (open != Core.OrderHolds.None && reader.PreviousEvent(number, at, ref cursor, out var bytes))
        {
            var e = new EventView(bytes);
            var hold = e.Kind switch
            {
                EventKind.HoldPlaced => (Core.OrderHolds)Journaled.HoldPlaced.Parser.ParseFrom(e.Body).Hold,
                EventKind.NoteAdded when Journaled.NoteAdded.Parser.ParseFrom(e.Body).ReviewRules.Count > 0 => Core.OrderHolds.Manual,
                EventKind.OrderSubmitted => Core.OrderHolds.Confirmation,
                _ => Core.OrderHolds.None,
            };
            if ((open & hold) == 0) continue;
            open &= ~hold;
            order.Holds.Add(new OrderHold
            {
                Kind = Holds.KindsOf(hold).Single(), Reason = e.Kind == EventKind.NoteAdded ? "NOTE_KEYWORD" : Encoding.UTF8.GetString(e.Reason), PlaceTime = Texts.Time(e.Time),
                Actor = new Actor { Id = Encoding.UTF8.GetString(e.Actor), Role = (Contracts.V1.Role)e.Role },
            });
        }
    }
}
