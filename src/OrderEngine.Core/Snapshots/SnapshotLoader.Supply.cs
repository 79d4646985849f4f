// Putting back announced supply. Same thread as the rest of the load.

using System.Runtime.InteropServices;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Snapshots;

public sealed partial class SnapshotLoader
{
    private long _incoming;

    private unsafe void ReadIncoming(ReadOnlySpan<byte> record)
    {
        long number = 0;
        var head = new IncomingHead();
        ReadOnlySpan<byte> reference = default;
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2: head.Version = Version(reader.Long()); break;
                case 3: head.Sku = reader.Int(); break;
                case 4: head.Location = reader.Int(); break;
                case 5: head.From = reader.Int(); break;
                case 6: head.Kind = (SupplyKind)checked((byte)reader.Varint()); break;
                case 7: head.Quantity = reader.Int(); break;
                case 8: head.Received = reader.Long(); break;
                case 9: head.Open = reader.Int(); break;
                case 10: head.ExpectedAt = reader.Long(); break;
                case 11: head.AnnouncedAt = reader.Long(); break;
                case 12: head.AnnouncedSequence = Version(reader.Long()); break;
                case 13: reference = reader.Bytes(); break;
                default: throw Unknown(field, "announcement");
            }
        }
        Follows(number, _state.Supply.Rows.Count, "Announcement");
        Within(head.Sku, _state.Catalog.SkuIds.Count, "SKU");
        Within(head.Location, _state.Catalog.LocationIds.Count, "location");
        Within(head.From, _state.Catalog.LocationIds.Count, "location", orNone: true);
        head.ReferenceLength = checked((ushort)reference.Length);
        var row = Row(sizeof(IncomingHead) + reference.Length);
        MemoryMarshal.Write(row, in head);
        reference.CopyTo(row[sizeof(IncomingHead)..]);
        _state.Supply.Restore(number, row);
        _incoming++;
    }
}
