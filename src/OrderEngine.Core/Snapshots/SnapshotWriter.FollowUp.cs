// Writing deadlines and exceptions. Same thread as the rest of the walk.

using System.Runtime.InteropServices;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Snapshots;

public sealed partial class SnapshotWriter
{
    private void WriteDeadlines(long order)
    {
        var rows = _state.Deadlines.Rows;
        var row = rows.At(order, _at, out var version);
        if (row.IsEmpty) return;
        _hash += rows.RowHash(order, row);
        _deadlines++;
        var start = _block.BeginNested(SnapshotFormat.Deadlines);
        _block.Number(1, order);
        _block.Number(2, version);
        foreach (ref readonly var deadline in MemoryMarshal.Cast<byte, DeadlineRow>(row))
        {
            var nested = _block.BeginNested(3);
            _block.Number(1, (long)deadline.Kind);
            _block.Number(2, deadline.Due);
            _block.Number(3, deadline.Sequence);
            _block.Number(4, deadline.RemindAt);
            _block.EndNested(nested);
        }
        EndRecord(start);
    }

    private void WriteException(long number)
    {
        var rows = _state.Exceptions.Rows;
        var row = rows.At(number, _at, out var version);
        if (row.IsEmpty) return;
        _hash += rows.RowHash(number, row);
        _exceptions++;
        var view = new ExceptionView(row);
        ref readonly var head = ref view.Head;
        CheckVersion("Exception", number, head.Version, version);
        var start = _block.BeginNested(SnapshotFormat.Exceptions);
        _block.Number(1, number);
        _block.Number(2, version);
        _block.Number(3, head.Order);
        _block.Number(4, head.Previous);
        _block.Number(5, head.RaisedAt);
        _block.Number(6, head.RaisedSequence);
        _block.Number(7, head.ResolvedAt);
        _block.Number(8, head.Quantity);
        _block.Number(9, head.Line);
        _block.Number(10, head.Sku);
        _block.Number(11, head.Location);
        _block.Number(12, (long)head.Kind);
        _block.Number(13, (long)head.Grade);
        _block.Number(14, (long)head.Owner);
        _block.Number(15, (long)head.ResolvedBy);
        _block.Number(16, (long)head.Deadline);
        _block.Bytes(17, view.Detail);
        _block.Bytes(18, view.Resolution);
        _block.Bytes(19, view.Resolver);
        EndRecord(start);
    }
}
