// Writing what came after the sale. Same thread as the rest of the walk.

using OrderEngine.Core.State;

namespace OrderEngine.Core.Snapshots;

public sealed partial class SnapshotWriter
{
    private long _returns, _afterSales;

    private void WriteReturn(long number)
    {
        var row = _state.Returns.At(number, _at, out var version);
        if (row.IsEmpty) return;
        _hash += _state.Returns.RowHash(number, row);
        _returns++;
        var view = new ReturnView(row);
        ref readonly var head = ref view.Head;
        CheckVersion("Return", number, head.Version, version);
        var start = _block.BeginNested(SnapshotFormat.Returns);
        _block.Number(1, number);
        _block.Number(2, version);
        _block.Number(3, head.Order);
        _block.Number(4, (long)head.State);
        _block.Number(5, head.RequestedAt);
        _block.Number(6, head.RequestedSequence);
        _block.Number(7, head.ChangedAt);
        _block.Number(8, head.Replacement);
        _block.Number(9, head.Previous);
        _block.Number(10, head.Refund);
        _block.Number(11, head.Location);
        _block.Bytes(12, view.ExternalId);
        foreach (ref readonly var line in view.Lines)
        {
            var nested = _block.BeginNested(13);
            _block.Number(1, line.Line);
            _block.Number(2, line.Requested);
            _block.Number(3, line.Restocked);
            _block.Number(4, line.Quarantined);
            _block.Number(5, line.Scrapped);
            _block.Number(6, line.Repaired);
            _block.EndNested(nested);
        }
        foreach (ref readonly var line in view.Replacements)
        {
            var nested = _block.BeginNested(14);
            _block.Number(1, line.Sku);
            _block.Number(2, line.Quantity);
            _block.Number(3, line.UnitPrice);
            _block.EndNested(nested);
        }
        _block.Number(296, head.Credited);
        EndRecord(start);
    }

    private void WriteAfterSale(long order)
    {
        if (!_state.AfterSales.TryAt<AfterSaleRow>(order, _at, out var row, out var version)) return;
        _hash += _state.AfterSales.RowHash(order, _state.AfterSales.At(order, _at, out _));
        _afterSales++;
        var start = _block.BeginNested(SnapshotFormat.AfterSales);
        _block.Number(1, order);
        _block.Number(2, version);
        _block.Number(3, row.LastReturn);
        _block.Number(4, row.Returns);
        _block.Number(5, row.OpenReturns);
        _block.Number(6, row.Refund);
        _block.Number(7, row.ForReturn);
        EndRecord(start);
    }
}
