// Putting back what left in which parcel. Format 1 did not say it: there it follows from the order's history and its lines.
// Same thread as the rest of the load.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Snapshots;

public sealed partial class SnapshotLoader
{
    private const int FirstFormatWithParcels = 2;
    private const int EventField = 22;
    private ParcelLineRow[] _parcelLines = new ParcelLineRow[16];

    private void ReadParcelLine(ReadOnlySpan<byte> record, ref ushort count)
    {
        ref var line = ref NextParcelLine(ref count);
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: line.Parcel = reader.Int(); break;
                case 2: line.Line = reader.Int(); break;
                case 3: line.Quantity = reader.Int(); break;
                case 4: line.Delivered = reader.Int(); break;
                case 5: line.Lost = reader.Int(); break;
                default: throw Unknown(field, "parcel line");
            }
        }
    }

    private ref ParcelLineRow NextParcelLine(ref ushort count)
    {
        if (count == _parcelLines.Length) Array.Resize(ref _parcelLines, count * 2);
        ref var line = ref _parcelLines[count];
        count = checked((ushort)(count + 1));
        line = default;
        return ref line;
    }

    // Each shipment said what it held. Deliveries named no parcel: they count for those that left first, as they would today.
    private void ReadEarlierParcels(ReadOnlySpan<byte> record, ref OrderHead head)
    {
        if (head.Parcels == 0) return;
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out var wireType))
        {
            if (field != EventField)
            {
                reader.Skip(wireType);
                continue;
            }
            var e = new EventView(reader.Bytes());
            if (e.Kind == EventKind.ShipmentConfirmed) ReadShipment(e.Body, ref head.ParcelLineCount);
        }
        for (var i = 0; i < head.LineCount; i++) Spread(i + 1, ref head);
    }

    private void ReadShipment(ReadOnlySpan<byte> body, ref ushort count)
    {
        var parcel = 0;
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1)
            {
                parcel = reader.Int();
            }
            else if (field == 4)
            {
                ref var line = ref NextParcelLine(ref count);
                ReadLineAndUnits(reader.Bytes(), out line.Line, out line.Quantity);
                line.Parcel = parcel;
            }
            else
            {
                reader.Skip(wireType);
            }
        }
    }

    private static void ReadLineAndUnits(ReadOnlySpan<byte> movement, out int line, out int quantity)
    {
        line = quantity = 0;
        var reader = new ProtoReader(movement);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) line = reader.Int();
            else if (field == 3) quantity = reader.Int();
            else reader.Skip(wireType);
        }
    }

    // What a long history tells in later records is in none of those read so far: it counts for the parcel that left last.
    private void Spread(int line, ref OrderHead head)
    {
        var (missing, delivered) = (_lines[line - 1].Shipped, _lines[line - 1].Delivered);
        foreach (ref readonly var known in _parcelLines.AsSpan(0, head.ParcelLineCount))
            if (known.Line == line) missing -= known.Quantity;
        if (missing > 0)
        {
            ref var rest = ref NextParcelLine(ref head.ParcelLineCount);
            (rest.Parcel, rest.Line, rest.Quantity) = (head.Parcels, line, missing);
        }
        foreach (ref var known in _parcelLines.AsSpan(0, head.ParcelLineCount))
        {
            if (known.Line != line) continue;
            known.Delivered = Math.Min(delivered, known.Quantity);
            delivered -= known.Delivered;
        }
    }
}
