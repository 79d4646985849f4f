// Putting back complaints, feedback and erasures. Same thread as the rest of the load.

using System.Runtime.InteropServices;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Snapshots;

public sealed partial class SnapshotLoader
{
    private long _complaints, _care, _erasures;

    private unsafe void ReadComplaint(ReadOnlySpan<byte> record)
    {
        long number = 0;
        var head = new ComplaintHead();
        ReadOnlySpan<byte> assignee = default;
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2: head.Version = Version(reader.Long()); break;
                case 3: head.Order = reader.Long(); break;
                case 4: head.Previous = reader.Long(); break;
                case 5: head.OpenedAt = reader.Long(); break;
                case 6: head.OpenedSequence = Version(reader.Long()); break;
                case 7: head.ResolvedAt = reader.Long(); break;
                case 8: head.Return = reader.Long(); break;
                case 9: head.Category = (ComplaintCategory)checked((byte)reader.Varint()); break;
                case 10: head.State = (ComplaintState)checked((byte)reader.Varint()); break;
                case 11: head.Owner = (Role)checked((byte)reader.Varint()); break;
                case 12: head.Resolution = (ComplaintResolution)checked((byte)reader.Varint()); break;
                case 13: assignee = reader.Bytes(); break;
                default: throw Unknown(field, "complaint");
            }
        }
        Follows(number, _state.Complaints.Rows.Count, "Complaint");
        WithinOrders(head.Order);
        Within(head.Previous, number - 1, "complaint", orNone: true);
        Within(head.Return, _state.Returns.Count, "return", orNone: true);
        head.AssigneeLength = checked((ushort)assignee.Length);
        var row = Row(sizeof(ComplaintHead) + assignee.Length);
        MemoryMarshal.Write(row, in head);
        assignee.CopyTo(row[sizeof(ComplaintHead)..]);
        _state.Complaints.Restore(number, row, head.Version);
        _complaints++;
    }

    private void ReadCare(ReadOnlySpan<byte> record)
    {
        long order = 0, version = 0;
        var row = new CareRow();
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: order = reader.Long(); break;
                case 2: version = Version(reader.Long()); break;
                case 3: row.LastComplaint = reader.Long(); break;
                case 4: row.Feedback = reader.Long(); break;
                case 5: row.Complaints = reader.Int(); break;
                case 6: row.OpenComplaints = reader.Int(); break;
                case 7: row.Rating = reader.Int(); break;
                case 8: row.Customer = reader.Int(); break;
                default: throw Unknown(field, "care row");
            }
        }
        WithinOrders(order);
        Within(row.Customer, _state.Catalog.CustomerIds.Count, "customer", orNone: true);
        Within(row.LastComplaint, _state.Complaints.Rows.Count, "complaint", orNone: true);
        _state.Complaints.Orders.Restore(order, version, MemoryMarshal.AsBytes(new ReadOnlySpan<CareRow>(in row)));
        _care++;
    }

    private void ReadErasure(ReadOnlySpan<byte> record)
    {
        long number = 0, version = 0;
        var row = new ErasureRow();
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2: version = Version(reader.Long()); break;
                case 3: row.Customer = reader.Int(); break;
                case 4: row.Order = reader.Long(); break;
                case 5: row.Key = reader.Long(); break;
                case 6: row.ErasedAt = reader.Long(); break;
                default: throw Unknown(field, "erasure");
            }
        }
        Follows(number, _state.Erasures.Rows.Count, "Erasure");
        Within(row.Customer, _state.Catalog.CustomerIds.Count, "customer", orNone: true);
        WithinOrders(row.Order, orNone: true);
        _state.Erasures.Restore(number, in row, version);
        _erasures++;
    }
}
