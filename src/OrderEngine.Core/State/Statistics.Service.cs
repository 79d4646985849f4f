// How well orders were served: times from acceptance to release, parcel and delivery; what was late, not as ordered, returned, complained about; and
// what each region shipped. Where a figure depends on what an order went through, its own history is asked, once, when it is delivered or brings
// goods back: rows need no marks for it. Same thread as the rest.

using OrderEngine.Core.Events;

namespace OrderEngine.Core.State;

internal sealed partial class Statistics
{
    private bool _promised;

    // What an order went through, as far as it matters.
    private struct Past
    {
        public bool Flawed;
        public bool Missed;
        public long CancelledByCustomer;

        public void Look(in EventView e)
        {
            switch (e.Kind)
            {
                case EventKind.PickFellShort or EventKind.LossRecorded: Flawed = true; break;
                case EventKind.ReturnReceived: Flawed |= UnitsOf(e.Body).Faulty > 0; break;
                case EventKind.OrderCancelled when e.Role == Role.Customer: CancelledByCustomer += CancelledUnits(e.Body); break;
                case EventKind.DeadlineMissed: Missed |= FirstNumber(e.Body) == (long)DeadlineKind.Delivery; break;
            }
        }
    }

    /// <summary>A complaint about an order was opened.</summary>
    /// <param name="channel">The order's.</param>
    /// <param name="isFirst">True: there was none about this order before.</param>
    /// <param name="sequence">Of the event.</param>
    public void ComplaintOpened(int channel, bool isFirst, long sequence)
    {
        foreach (var of in (ReadOnlySpan<int>)[0, channel])
        {
            ref var row = ref ServiceOf(of, sequence);
            row.Complaints++;
            if (isFirst) row.Complained++;
        }
    }

    private static bool IsDelivery(in EventView e) => e.After == OrderState.Delivered && e.Before != OrderState.Delivered;

    private bool HasPromise(long order)
    {
        foreach (ref readonly var deadline in state.Deadlines.Of(order))
            if (deadline.Kind == DeadlineKind.Delivery) return true;
        return false;
    }

    private void CountService(in EventView e, OrderView order)
    {
        ref readonly var head = ref order.Head;
        var took = e.Time - head.AcceptedAt;
        switch (e.Kind)
        {
            case EventKind.ShipmentReleased when head.Parcels == 0 && !WasReleased(e.Order):
                ServiceOf(0, e.Sequence).ToRelease.Add(took);
                ServiceOf(head.Channel, e.Sequence).ToRelease.Add(took);
                break;
            case EventKind.ShipmentConfirmed:
                CountRegions(in e, order);
                if (head.Parcels > 1) break;
                ServiceOf(0, e.Sequence).ToShip.Add(took);
                ServiceOf(head.Channel, e.Sequence).ToShip.Add(took);
                break;
            case EventKind.ReturnReceived:
                CountReturn(in e, order);
                break;
        }
        if (IsDelivery(in e)) CountDelivery(e.Time, LookBack(e.Order, in e), _promised, order, e.Sequence);
    }

    private void CountDelivery(long time, Past past, bool promised, OrderView order, long sequence)
    {
        ref readonly var head = ref order.Head;
        var requested = head.RequestedAt > head.AcceptedAt;
        var dated = requested || promised || past.Missed;
        var late = requested ? time > head.RequestedAt : past.Missed;
        var asOrdered = IsAsOrdered(in past, order);
        foreach (var channel in (ReadOnlySpan<int>)[0, head.Channel])
        {
            ref var row = ref ServiceOf(channel, sequence);
            row.ToDelivery.Add(time - head.AcceptedAt);
            if (dated) row.Dated++;
            if (dated && late) row.Late++;
            if (asOrdered) row.AsOrdered++;
        }
    }

    private void CountReturn(in EventView e, OrderView order)
    {
        var (good, faulty) = UnitsOf(e.Body);
        var returned = 0L;
        foreach (ref readonly var line in order.Lines) returned += line.Returned;
        var isFirst = good > 0 && returned == good;
        // A repair is no return, but neither is the order as it should be. Before its delivery nothing was said of it yet.
        var spoils = faulty > 0 && (e.Before is OrderState.Delivered or OrderState.Completed) && WasAsOrdered(e.Order, order);
        if (!isFirst && !spoils) return;
        foreach (var channel in (ReadOnlySpan<int>)[0, order.Head.Channel])
        {
            ref var row = ref ServiceOf(channel, e.Sequence);
            if (isFirst) row.Returned++;
            if (spoils) row.AsOrdered--;
        }
    }

    // Every cancelled unit was cancelled by the customer, and nothing went wrong.
    private static bool IsAsOrdered(in Past past, OrderView order)
    {
        var cancelled = 0L;
        foreach (ref readonly var line in order.Lines) cancelled += line.Cancelled;
        return !past.Flawed && cancelled == past.CancelledByCustomer;
    }

    private bool WasAsOrdered(long number, OrderView order)
    {
        var past = new Past();
        // The first flaw, from the end, ends the walk: so all walks of an order together look at its history about once.
        for (var cursor = 0L; !past.Flawed && state.History.Previous(number, long.MaxValue, ref cursor, out var bytes);) past.Look(new EventView(bytes));
        return IsAsOrdered(in past, order);
    }

    private Past LookBack(long order, in EventView now)
    {
        var past = new Past();
        past.Look(in now);
        for (var cursor = 0L; state.History.Previous(order, long.MaxValue, ref cursor, out var bytes);) past.Look(new EventView(bytes));
        return past;
    }

    // Looks back no further than to the last release or recall: so all walks of an order together look at its history about once.
    private bool WasReleased(long order)
    {
        for (var cursor = 0L; state.History.Previous(order, long.MaxValue, ref cursor, out var bytes);)
            if (new EventView(bytes).Kind is EventKind.ShipmentReleased or EventKind.ShipmentRecalled) return true;
        return false;
    }

    // A parcel leaves one place; an order counts in a region with its first.
    private void CountRegions(in EventView e, OrderView order)
    {
        SeriesOf(0, order.Head.Currency, e.Sequence, out var currency);
        var valued = CurrencyAt(currency) == order.Head.Currency;
        Regions.Begin();
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field != 4)
            {
                reader.Skip(wireType);
                continue;
            }
            ProtoReader.ReadThree(reader.Bytes(), out var line, out var location, out var quantity);
            var region = Regions.Of(location);
            var isFirst = Regions.IsNew(region) && ShippedFrom(order, region) == UnitsFrom(e.Body, region);
            Regions.Add(currency, region, new OrderFigures(isFirst ? 1 : 0, valued ? quantity * order.Lines[line - 1].UnitPrice : 0, 0), e.Sequence);
        }
    }

    private long ShippedFrom(OrderView order, int region)
    {
        var units = 0L;
        foreach (ref readonly var allocation in order.Allocations)
            if (Regions.Of(allocation.Location) == region) units += allocation.Shipped;
        return units;
    }

    private long UnitsFrom(ReadOnlySpan<byte> shipment, int region)
    {
        var units = 0L;
        var reader = new ProtoReader(shipment);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 4)
            {
                ProtoReader.ReadThree(reader.Bytes(), out _, out var location, out var quantity);
                if (Regions.Of(location) == region) units += quantity;
            }
            else
            {
                reader.Skip(wireType);
            }
        }
        return units;
    }

    private void RecountService(long number, OrderView order, int currency, long sequence)
    {
        ref readonly var head = ref order.Head;
        long released = 0, shipped = 0, delivered = 0;
        var past = new Past();
        var complained = false;
        for (var cursor = 0L; state.History.Previous(number, long.MaxValue, ref cursor, out var bytes);)
        {
            var e = new EventView(bytes);
            past.Look(in e);
            if (e.Kind == EventKind.ShipmentReleased) released = e.Time;
            if (e.Kind == EventKind.ShipmentConfirmed) shipped = e.Time;
            if (IsDelivery(in e)) delivered = e.Time;
            if (e.Kind != EventKind.ComplaintOpened) continue;
            ComplaintOpened(head.Channel, isFirst: !complained, sequence);
            complained = true;
        }
        var returned = false;
        foreach (ref readonly var line in order.Lines) returned |= line.Returned > 0;
        foreach (var channel in (ReadOnlySpan<int>)[0, head.Channel])
        {
            if (released != 0) ServiceOf(channel, sequence).ToRelease.Add(released - head.AcceptedAt);
            if (shipped != 0) ServiceOf(channel, sequence).ToShip.Add(shipped - head.AcceptedAt);
            if (returned) ServiceOf(channel, sequence).Returned++;
        }
        // Whether a delivery deadline was kept is no longer known.
        if (delivered != 0) CountDelivery(delivered, past, promised: false, order, sequence);
        RecountRegions(order, currency, sequence);
    }

    private void RecountRegions(OrderView order, int currency, long sequence)
    {
        var valued = CurrencyAt(currency) == order.Head.Currency;
        Regions.Begin();
        foreach (ref readonly var allocation in order.Allocations)
        {
            if (allocation.Shipped == 0) continue;
            var region = Regions.Of(allocation.Location);
            Regions.Add(currency, region, new OrderFigures(Regions.IsNew(region) ? 1 : 0, valued ? allocation.Shipped * order.Lines[allocation.Line - 1].UnitPrice : 0, 0), sequence);
        }
    }

    private ref ServiceRow ServiceOf(int channel, long sequence)
    {
        if (Service.Latest(channel + 1).IsEmpty) return ref Service.CreateAs<ServiceRow>(channel + 1, sequence);
        return ref Service.UpdateAs<ServiceRow>(channel + 1, sequence);
    }

    // Of goods received back: units that came for good, and units that cannot be sold again as they are.
    private static (long Good, long Faulty) UnitsOf(ReadOnlySpan<byte> received)
    {
        long good = 0, faulty = 0;
        var reader = new ProtoReader(received);
        while (reader.Next(out var field, out var wireType))
        {
            if (field != 3)
            {
                reader.Skip(wireType);
                continue;
            }
            ProtoReader.ReadThree(reader.Bytes(), out _, out var quantity, out var disposition);
            if ((Disposition)disposition != Disposition.Repair) good += quantity;
            if ((Disposition)disposition != Disposition.Restock) faulty += quantity;
        }
        return (good, faulty);
    }

    private static long CancelledUnits(ReadOnlySpan<byte> cancelled)
    {
        var units = 0L;
        var reader = new ProtoReader(cancelled);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) units += CancelledUnitsOfLine(reader.Bytes());
            else reader.Skip(wireType);
        }
        return units;
    }

    private static long CancelledUnitsOfLine(ReadOnlySpan<byte> line)
    {
        var units = 0L;
        var reader = new ProtoReader(line);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 2 or 4: units += reader.Int(); break;
                case 3:
                    ProtoReader.ReadThree(reader.Bytes(), out _, out var quantity, out _);
                    units += quantity;
                    break;
                default: reader.Skip(wireType); break;
            }
        }
        return units;
    }

    private static long FirstNumber(ReadOnlySpan<byte> body)
    {
        var reader = new ProtoReader(body);
        return reader.Next(out var field, out _) && field == 1 ? reader.Long() : 0;
    }
}
