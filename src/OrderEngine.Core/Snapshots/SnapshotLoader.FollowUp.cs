// Putting back deadlines and exceptions. Same thread as the rest of the load.

using System.Runtime.InteropServices;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Snapshots;

public sealed partial class SnapshotLoader
{
    private readonly List<DeadlineRow> _due = [];

    private void ReadDeadlines(ReadOnlySpan<byte> record)
    {
        long order = 0, version = 0;
        _due.Clear();
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: order = reader.Long(); break;
                case 2: version = Version(reader.Long()); break;
                case 3: _due.Add(ReadDeadline(reader.Bytes())); break;
                default: throw Unknown(field, "row of deadlines");
            }
        }
        Within(order, _state.Orders.Count, "order");
        _state.Deadlines.Restore(order, CollectionsMarshal.AsSpan(_due), version);
        _deadlines++;
    }

    private DeadlineRow ReadDeadline(ReadOnlySpan<byte> record)
    {
        var deadline = new DeadlineRow();
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: deadline.Kind = (DeadlineKind)checked((byte)reader.Varint()); break;
                case 2: deadline.Due = reader.Long(); break;
                case 3: deadline.Sequence = Version(reader.Long()); break;
                case 4: deadline.RemindAt = reader.Long(); break;
                default: throw Unknown(field, "deadline");
            }
        }
        return deadline;
    }

    private unsafe void ReadException(ReadOnlySpan<byte> record)
    {
        long number = 0;
        var head = new ExceptionHead();
        ReadOnlySpan<byte> detail = default, resolution = default, resolver = default;
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2: head.Version = Version(reader.Long()); break;
                case 3: head.Order = reader.Long(); break;
                case 4: head.Previous = reader.Long(); break;
                case 5: head.RaisedAt = reader.Long(); break;
                case 6: head.RaisedSequence = Version(reader.Long()); break;
                case 7: head.ResolvedAt = reader.Long(); break;
                case 8: head.Quantity = reader.Long(); break;
                case 9: head.Line = reader.Int(); break;
                case 10: head.Sku = reader.Int(); break;
                case 11: head.Location = reader.Int(); break;
                case 12: head.Kind = (ExceptionKind)checked((byte)reader.Varint()); break;
                case 13: head.Grade = (Grade)checked((byte)reader.Varint()); break;
                case 14: head.Owner = (Role)checked((byte)reader.Varint()); break;
                case 15: head.ResolvedBy = (Role)checked((byte)reader.Varint()); break;
                case 16: head.Deadline = (DeadlineKind)checked((byte)reader.Varint()); break;
                case 17: detail = reader.Bytes(); break;
                case 18: resolution = reader.Bytes(); break;
                case 19: resolver = reader.Bytes(); break;
                default: throw Unknown(field, "exception");
            }
        }
        Follows(number, _state.Exceptions.Rows.Count, "Exception");
        WithinOrders(head.Order, orNone: true);
        Within(head.Previous, number - 1, "exception", orNone: true);
        Within(head.Sku, _state.Catalog.SkuIds.Count, "SKU", orNone: true);
        Within(head.Location, _state.Catalog.LocationIds.Count, "location", orNone: true);
        head.DetailLength = checked((ushort)detail.Length);
        head.ResolutionLength = checked((ushort)resolution.Length);
        head.ResolverLength = checked((ushort)resolver.Length);
        var row = Row(sizeof(ExceptionHead) + detail.Length + resolution.Length + resolver.Length);
        MemoryMarshal.Write(row, in head);
        detail.CopyTo(row[sizeof(ExceptionHead)..]);
        resolution.CopyTo(row[(sizeof(ExceptionHead) + detail.Length)..]);
        resolver.CopyTo(row[(sizeof(ExceptionHead) + detail.Length + resolution.Length)..]);
        _state.Exceptions.Restore(number, row, head.Version);
        if (head.Order != 0 && head.ResolvedAt == 0) _state.Index.Raise(head.Order, head.Kind);
        _exceptions++;
    }
}
