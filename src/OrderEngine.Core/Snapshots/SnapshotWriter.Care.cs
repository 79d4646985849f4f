// Writing complaints, feedback and erasures. Same thread as the rest of the walk.

using OrderEngine.Core.State;

namespace OrderEngine.Core.Snapshots;

public sealed partial class SnapshotWriter
{
    private long _complaints, _care, _erasures;

    private void WriteComplaint(long number)
    {
        var rows = _state.Complaints.Rows;
        var row = rows.At(number, _at, out var version);
        if (row.IsEmpty) return;
        _hash += rows.RowHash(number, row);
        _complaints++;
        var view = new ComplaintView(row);
        ref readonly var head = ref view.Head;
        CheckVersion("Complaint", number, head.Version, version);
        var start = _block.BeginNested(SnapshotFormat.Complaints);
        _block.Number(1, number);
        _block.Number(2, version);
        _block.Number(3, head.Order);
        _block.Number(4, head.Previous);
        _block.Number(5, head.OpenedAt);
        _block.Number(6, head.OpenedSequence);
        _block.Number(7, head.ResolvedAt);
        _block.Number(8, head.Return);
        _block.Number(9, (long)head.Category);
        _block.Number(10, (long)head.State);
        _block.Number(11, (long)head.Owner);
        _block.Number(12, (long)head.Resolution);
        _block.Bytes(13, view.Assignee);
        EndRecord(start);
    }

    private void WriteCare(long order)
    {
        var rows = _state.Complaints.Orders;
        if (!rows.TryAt<CareRow>(order, _at, out var row, out var version)) return;
        _hash += rows.RowHash(order, rows.At(order, _at, out _));
        _care++;
        var start = _block.BeginNested(SnapshotFormat.Care);
        _block.Number(1, order);
        _block.Number(2, version);
        _block.Number(3, row.LastComplaint);
        _block.Number(4, row.Feedback);
        _block.Number(5, row.Complaints);
        _block.Number(6, row.OpenComplaints);
        _block.Number(7, row.Rating);
        _block.Number(8, row.Customer);
        EndRecord(start);
    }

    private void WriteErasure(long number)
    {
        var rows = _state.Erasures.Rows;
        if (!rows.TryAt<ErasureRow>(number, _at, out var row, out var version)) return;
        _hash += rows.RowHash(number, rows.At(number, _at, out _));
        _erasures++;
        var start = _block.BeginNested(SnapshotFormat.Erasures);
        _block.Number(1, number);
        _block.Number(2, version);
        _block.Number(3, row.Customer);
        _block.Number(4, row.Order);
        _block.Number(5, row.Key);
        _block.Number(6, row.ErasedAt);
        EndRecord(start);
    }
}
