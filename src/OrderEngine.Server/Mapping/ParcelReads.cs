// An order's parcels, for clients: what left from its history, where each is from its row. Runs inside a read guard that the caller holds.

using Google.Protobuf.Collections;
using OrderEngine.Contracts.V1;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using Journaled = OrderEngine.Contracts.Journal;

namespace OrderEngine.Server.Mapping;

/// <summary>Makes the contract's parcels.</summary>
internal static class ParcelReads
{
    /// <summary>Adds an order's parcels, oldest first; of more than <see cref="ServerLimits.ParcelBytes"/> only the newest.</summary>
    public static void Add(StateReader reader, RepeatedField<Parcel> parcels, long number, OrderView order, long at)
    {
        var newestFirst = new List<Parcel>();
        var rows = order.ParcelLines;
        var cursor = 0L;
        var length = 0;
        while (length < ServerLimits.ParcelBytes && reader.PreviousEvent(number, at, ref cursor, out var bytes))
        {
            var e = new EventView(bytes);
            if (e.Kind != EventKind.ShipmentConfirmed) continue;
            var parcel = Parcel(reader, in e);
            // Both lie in the order of the parcels: what has been looked at is cut off.
            while (rows.Length > 0 && rows[^1].Parcel == parcel.ParcelNumber)
            {
                parcel.Delivered += rows[^1].Delivered;
                parcel.Lost += rows[^1].Lost;
                rows = rows[..^1];
            }
            parcel.State = StateOf(parcel);
            newestFirst.Add(parcel);
            length += parcel.CalculateSize();
        }
        newestFirst.Reverse();
        parcels.Add(newestFirst);
    }

    private static Parcel Parcel(StateReader reader, in EventView e)
    {
        var shipped = Journaled.ShipmentConfirmed.Parser.ParseFrom(e.Body);
        var parcel = new Parcel
        {
            ParcelNumber = (int)shipped.Parcel, Carrier = shipped.Carrier, TrackingNumber = shipped.TrackingNumber, ShipTime = Texts.Time(e.Time),
            LocationId = shipped.Lines.Count == 0 ? "" : Texts.Location(reader, (int)shipped.Lines[0].Location),
        };
        foreach (var line in shipped.Lines)
            parcel.Lines.Add(new LineQuantity { LineNumber = (int)line.Line, Quantity = (int)line.Quantity });
        return parcel;
    }

    private static ParcelState StateOf(Parcel parcel)
    {
        var units = parcel.Lines.Sum(line => line.Quantity);
        if (parcel.Lost == units) return ParcelState.Lost;
        if (parcel.Delivered + parcel.Lost == units) return ParcelState.Delivered;
        return parcel.Delivered + parcel.Lost > 0 ? ParcelState.PartiallyDelivered : ParcelState.Shipped;
    }
}
