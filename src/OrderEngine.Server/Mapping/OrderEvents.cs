// Journaled events of orders, for clients. Runs inside a read guard that the caller holds (external ids, lines of the order).

using System.Text;
using OrderEngine.Contracts.V1;
using OrderEngine.Core.State;
using Journaled = OrderEngine.Contracts.Journal;
using AmendedFields = OrderEngine.Core.AmendedFields;
using OrderHolds = OrderEngine.Core.OrderHolds;

namespace OrderEngine.Server.Mapping;

/// <summary>Makes the contract's order events from the journal's.</summary>
internal static class OrderEvents
{
    /// <summary>One event of an order. Personal data stays behind.</summary>
    /// <param name="reader">For ids.</param>
    /// <param name="bytes">The encoded event.</param>
    /// <param name="at">A sequence at which the order exists.</param>
    public static OrderEvent Map(StateReader reader, ReadOnlySpan<byte> bytes, long at)
    {
        var e = Journaled.Event.Parser.ParseFrom(bytes);
        var number = (long)e.Order;
        var mapped = new OrderEvent
        {
            Sequence = (long)e.Sequence,
            Time = Texts.Time((long)e.Time),
            OrderId = Texts.Order(number),
            ChannelId = Texts.Channel(reader, (int)e.Channel),
            ExternalOrderId = Encoding.UTF8.GetString(reader.ExternalId(number)),
            CustomerId = Texts.Customer(reader, (int)e.Customer),
            StateBefore = (OrderState)e.StateBefore,
            StateAfter = (OrderState)e.StateAfter,
            Actor = e.Origin is null ? new Actor { Role = Role.System } : new Actor { Id = e.Origin.Actor, Role = (Role)e.Origin.Role },
            Reason = e.Origin?.Reason ?? "",
        };
        SetChange(mapped, e, reader, at);
        return mapped;
    }

    private static void SetChange(OrderEvent mapped, Journaled.Event e, StateReader reader, long at)
    {
        switch (e.BodyCase)
        {
            case Journaled.Event.BodyOneofCase.OrderSubmitted:
                mapped.Submitted = Submitted(e.OrderSubmitted, reader);
                break;
            case Journaled.Event.BodyOneofCase.OrderCancelled:
                mapped.Cancelled = new OrderCancelled();
                mapped.Cancelled.Lines.Add(Cancelled(e.OrderCancelled.Lines));
                break;
            case Journaled.Event.BodyOneofCase.OrderApproved:
                mapped.Approved = new OrderApproved();
                break;
            case Journaled.Event.BodyOneofCase.OrderRejected:
                mapped.Rejected = new OrderRejected();
                mapped.Rejected.Lines.Add(Cancelled(e.OrderRejected.Lines));
                break;
            case Journaled.Event.BodyOneofCase.PaymentRecorded or Journaled.Event.BodyOneofCase.RefundRecorded
                or Journaled.Event.BodyOneofCase.OrderExpired or Journaled.Event.BodyOneofCase.OrderCompleted:
                PaymentReads.SetChange(mapped, e, reader);
                break;
            case Journaled.Event.BodyOneofCase.ReturnWindowOver:
                mapped.ReturnWindowOver = new ReturnWindowOver();
                break;
            case Journaled.Event.BodyOneofCase.ExchangeCredited:
                mapped.ExchangeCredited = new ExchangeCredited { ReturnId = Texts.Return((long)e.ExchangeCredited.Return), RefundMinor = (long)e.ExchangeCredited.Refund };
                foreach (var credited in e.ExchangeCredited.Lines) mapped.ExchangeCredited.Lines.Add(new LineQuantity { LineNumber = (int)credited.Line, Quantity = (int)credited.Quantity });
                break;
            case Journaled.Event.BodyOneofCase.ExceptionRaised:
                mapped.ExceptionRaised = FollowUpReads.Raised(reader, e);
                break;
            case Journaled.Event.BodyOneofCase.ExceptionResolved:
                mapped.ExceptionResolved = new ExceptionResolved
                {
                    ExceptionId = Texts.Exception((long)e.ExceptionResolved.Exception), Resolution = e.ExceptionResolved.Resolution,
                };
                break;
            case Journaled.Event.BodyOneofCase.DeadlineReminded:
                mapped.DeadlineReminded = new DeadlineReminded { Deadline = (Deadline)e.DeadlineReminded.Deadline, DueTime = Texts.Time((long)e.DeadlineReminded.DueTime) };
                break;
            case Journaled.Event.BodyOneofCase.DeadlineMissed:
                mapped.DeadlineMissed = new DeadlineMissed { Deadline = (Deadline)e.DeadlineMissed.Deadline, DueTime = Texts.Time((long)e.DeadlineMissed.DueTime) };
                break;
            case Journaled.Event.BodyOneofCase.BackorderFilled:
                var line = (int)e.BackorderFilled.Line;
                var lines = reader.Order((long)e.Order, at).Lines;
                mapped.BackorderFilled = new BackorderFilled { LineNumber = line, SkuId = Texts.Sku(reader, lines[line - 1].Sku) };
                foreach (var part in e.BackorderFilled.Reserved) mapped.BackorderFilled.Reserved.Add(Quantity(part, reader));
                break;
            case Journaled.Event.BodyOneofCase.ShipmentReleased:
                mapped.ShipmentReleased = new ShipmentReleased();
                foreach (var moved in e.ShipmentReleased.Lines) mapped.ShipmentReleased.Lines.Add(Movement(moved, reader));
                break;
            case Journaled.Event.BodyOneofCase.ShipmentConfirmed:
                var shipped = e.ShipmentConfirmed;
                mapped.ShipmentConfirmed = new ShipmentConfirmed
                {
                    ParcelNumber = (int)shipped.Parcel, Carrier = shipped.Carrier, TrackingNumber = shipped.TrackingNumber,
                };
                foreach (var moved in shipped.Lines) mapped.ShipmentConfirmed.Lines.Add(Movement(moved, reader));
                break;
            case Journaled.Event.BodyOneofCase.DeliveryRecorded:
                mapped.DeliveryRecorded = new DeliveryRecorded { ParcelNumber = (int)e.DeliveryRecorded.Parcel };
                mapped.DeliveryRecorded.Lines.Add(e.DeliveryRecorded.Lines.Select(Quantity));
                break;
            case Journaled.Event.BodyOneofCase.LossRecorded:
                mapped.LossRecorded = new LossRecorded { ParcelNumber = (int)e.LossRecorded.Parcel };
                mapped.LossRecorded.Lines.Add(e.LossRecorded.Lines.Select(Quantity));
                break;
            case Journaled.Event.BodyOneofCase.PickFellShort:
                mapped.PickFellShort = new PickFellShort();
                foreach (var missed in e.PickFellShort.Lines)
                    mapped.PickFellShort.Lines.Add(new LineMovement { LineNumber = (int)missed.Line, LocationId = Texts.Location(reader, (int)missed.Location), Quantity = (int)missed.Quantity });
                break;
            case Journaled.Event.BodyOneofCase.BackorderPromised:
                var promised = e.BackorderPromised;
                mapped.BackorderPromised = new BackorderPromised
                {
                    LineNumber = (int)promised.Line, SkuId = Texts.Sku(reader, reader.Order((long)e.Order, at).Lines[(int)promised.Line - 1].Sku), PromisedTime = Texts.Time((long)promised.PromisedTime),
                };
                break;
            case Journaled.Event.BodyOneofCase.EarmarkingBegan:
                mapped.EarmarkingBegan = new EarmarkingBegan();
                break;
            case Journaled.Event.BodyOneofCase.OrderDeallocated:
                mapped.Deallocated = new OrderDeallocated();
                foreach (var taken in e.OrderDeallocated.Lines) mapped.Deallocated.Lines.Add(Movement(taken, reader));
                break;
            case Journaled.Event.BodyOneofCase.ShipmentRecalled:
                mapped.ShipmentRecalled = new ShipmentRecalled();
                foreach (var moved in e.ShipmentRecalled.Lines) mapped.ShipmentRecalled.Lines.Add(Movement(moved, reader));
                break;
            case >= Journaled.Event.BodyOneofCase.ReturnRequested and <= Journaled.Event.BodyOneofCase.ReturnClosed:
                mapped.ReturnChanged = ReturnReads.Changed(e);
                break;
            case Journaled.Event.BodyOneofCase.OrderAmended:
                mapped.Amended = Amended(e.OrderAmended, reader);
                break;
            case Journaled.Event.BodyOneofCase.HoldPlaced:
                mapped.HoldPlaced = new HoldPlaced { Kind = Holds.KindsOf((OrderHolds)e.HoldPlaced.Hold).Single() };
                mapped.HoldPlaced.Open.Add(Holds.KindsOf((OrderHolds)e.HoldPlaced.Open));
                break;
            case Journaled.Event.BodyOneofCase.OrderConfirmed:
                mapped.Confirmed = new OrderConfirmed { Open = { Holds.KindsOf((OrderHolds)e.OrderConfirmed.Open) } };
                break;
            case Journaled.Event.BodyOneofCase.NoteAdded:
                mapped.NoteAdded = new NoteAdded { ReviewRuleIds = { e.NoteAdded.ReviewRules }, Open = { Holds.KindsOf((OrderHolds)e.NoteAdded.Open) } };
                break;
            case >= Journaled.Event.BodyOneofCase.ComplaintOpened and <= Journaled.Event.BodyOneofCase.FeedbackRecorded:
                ComplaintReads.SetChange(mapped, e);
                break;
            case Journaled.Event.BodyOneofCase.OrderErased:
                mapped.Erased = new OrderErased();
                break;
            case Journaled.Event.BodyOneofCase.HoldReleased:
                mapped.HoldReleased = new HoldReleased { Kind = Holds.KindsOf((OrderHolds)e.HoldReleased.Hold).Single() };
                mapped.HoldReleased.Open.Add(Holds.KindsOf((OrderHolds)e.HoldReleased.Open));
                break;
        }
    }

    /// <summary>Units cancelled by line, wherever they were.</summary>
    public static IEnumerable<LineQuantity> Cancelled(IEnumerable<Journaled.CancelledLine> lines)
    {
        foreach (var line in lines)
        {
            var units = line.Backordered + line.Unallocated;
            foreach (var part in line.Reserved) units += part.Quantity;
            yield return new LineQuantity { LineNumber = (int)line.Line, Quantity = (int)units };
        }
    }

    /// <summary>An amendment without personal data.</summary>
    public static OrderAmended Amended(Journaled.OrderAmended amended, StateReader reader)
    {
        var mapped = new OrderAmended
        {
            ChangedFields = { Amendment.Paths((AmendedFields)amended.Fields, (int)amended.DeliveryFields) },
            RequestedTimeBefore = Texts.Time((long)amended.RequestedTimeBefore), RequestedTime = Texts.Time((long)amended.RequestedTime),
            TotalMinorBefore = (long)amended.TotalBefore, TotalMinor = (long)amended.Total,
        };
        ReviewReads.AddReasons(mapped.ReviewReasons, amended.ReviewReasons);
        foreach (var line in amended.Lines)
        {
            var after = new AmendedLine
            {
                LineNumber = (int)line.Line, SkuId = Texts.Sku(reader, (int)line.Sku), QuantityBefore = (int)line.QuantityBefore, Quantity = (int)line.Quantity,
                UnitPriceMinorBefore = (long)line.UnitPriceBefore, UnitPriceMinor = (long)line.UnitPrice, BackorderedChange = line.BackorderedChange,
                UnallocatedChange = line.UnallocatedChange, Cancelled = (int)line.Cancelled,
            };
            foreach (var part in line.Reserved) after.Reserved.Add(Quantity(part, reader));
            foreach (var freed in amended.Freed)
                if (freed.Line == line.Line) after.Freed.Add(new LocationQuantity { LocationId = Texts.Location(reader, (int)freed.Location), Quantity = (int)freed.Quantity });
            mapped.Lines.Add(after);
        }
        return mapped;
    }

    private static OrderSubmitted Submitted(Journaled.OrderSubmitted submitted, StateReader reader)
    {
        var mapped = new OrderSubmitted { CurrencyCode = submitted.Currency, ReservationId = Texts.Reservation((long)submitted.Reservation) };
        (mapped.ShipToRegion, mapped.ShippingPolicy) = (submitted.ShipToRegion, submitted.ShippingPolicy == 0 ? ShippingPolicy.Partial : (ShippingPolicy)submitted.ShippingPolicy);
        ReviewReads.AddReasons(mapped.ReviewReasons, submitted.ReviewReasons);
        Shortages.Add(mapped.Shortages, reader, submitted);
        mapped.ConfirmDueTime = Texts.Time((long)submitted.ConfirmTime);
        mapped.Extras = CareReads.Attributes(submitted);
        for (var i = 0; i < submitted.Lines.Count; i++)
        {
            var line = submitted.Lines[i];
            var mappedLine = new SubmittedLine
            {
                LineNumber = i + 1, SkuId = Texts.Sku(reader, (int)line.Sku), Quantity = (int)line.Quantity, UnitPriceMinor = (long)line.UnitPrice,
                Backordered = (int)line.Backordered, Cancelled = (int)line.Cancelled,
            };
            foreach (var part in line.Reserved) mappedLine.Reserved.Add(Quantity(part, reader));
            mapped.TotalMinor += (long)(line.Quantity * line.UnitPrice);
            mapped.Lines.Add(mappedLine);
        }
        return mapped;
    }

    private static LocationQuantity Quantity(Journaled.Allocation part, StateReader reader) =>
        new() { LocationId = Texts.Location(reader, (int)part.Location), Quantity = (int)part.Quantity };

    private static LineQuantity Quantity(Journaled.DeliveredLine line) => new() { LineNumber = (int)line.Line, Quantity = (int)line.Quantity };

    private static LineMovement Movement(Journaled.Movement moved, StateReader reader) =>
        new() { LineNumber = (int)moved.Line, LocationId = Texts.Location(reader, (int)moved.Location), Quantity = (int)moved.Quantity };
}
