// Writing announced supply. Same thread as the rest of the walk.

using OrderEngine.Core.State;

namespace OrderEngine.Core.Snapshots;

public sealed partial class SnapshotWriter
{
    private long _incoming;

    private void WriteIncoming(long number)
    {
        var rows = _state.Supply.Rows;
        var row = rows.At(number, _at, out var version);
        if (row.IsEmpty) return;
        _hash += rows.RowHash(number, row);
        _incoming++;
        var view = new IncomingView(row);
        ref readonly var head = ref view.Head;
        CheckVersion("Announcement", number, head.Version, version);
        var start = _block.BeginNested(SnapshotFormat.Incoming);
        _block.Number(1, number);
        _block.Number(2, version);
        _block.Number(3, head.Sku);
        _block.Number(4, head.Location);
        _block.Number(5, head.From);
        _block.Number(6, (long)head.Kind);
        _block.Number(7, head.Quantity);
        _block.Number(8, head.Received);
        _block.Number(9, head.Open);
        _block.Number(10, head.ExpectedAt);
        _block.Number(11, head.AnnouncedAt);
        _block.Number(12, head.AnnouncedSequence);
        _block.Bytes(13, view.Reference);
        EndRecord(start);
    }
}
