// Writing promised dates, supply requests and what was added to orders that wait. Same thread as the rest of the walk.

using System.Runtime.InteropServices;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Snapshots;

public sealed partial class SnapshotWriter
{
    private long _promises, _supplyRequests, _added;

    private void WritePromises(long order)
    {
        var rows = _state.Promises.Rows;
        var row = rows.At(order, _at, out var version);
        if (row.IsEmpty) return;
        _hash += rows.RowHash(order, row);
        _promises++;
        var start = _block.BeginNested(SnapshotFormat.Promises);
        _block.Number(1, order);
        _block.Number(2, version);
        foreach (ref readonly var promise in MemoryMarshal.Cast<byte, PromiseRow>(row))
        {
            var nested = _block.BeginNested(3);
            _block.Number(1, promise.Line);
            _block.Number(2, promise.PromisedAt);
            _block.EndNested(nested);
        }
        EndRecord(start);
    }

    private void WriteAdded(long order)
    {
        var rows = _state.AddedUnits.Rows;
        var row = rows.At(order, _at, out var version);
        if (row.IsEmpty) return;
        _hash += rows.RowHash(order, row);
        _added++;
        var start = _block.BeginNested(SnapshotFormat.AddedUnits);
        _block.Number(1, order);
        _block.Number(2, version);
        foreach (ref readonly var added in MemoryMarshal.Cast<byte, AddedRow>(row))
        {
            var nested = _block.BeginNested(3);
            _block.Number(1, added.Line);
            _block.Number(2, added.Units);
            _block.Number(3, added.AddedAt);
            _block.Number(4, added.Sequence);
            _block.EndNested(nested);
        }
        EndRecord(start);
    }

    private void WriteSupplyRequest(long number)
    {
        var rows = _state.SupplyRequests.Rows;
        if (!rows.TryAt<SupplyRequestRow>(number, _at, out var row, out var version)) return;
        _hash += rows.RowHash(number, rows.At(number, _at, out _));
        _supplyRequests++;
        CheckVersion("Supply request", number, row.Version, version);
        var start = _block.BeginNested(SnapshotFormat.SupplyRequests);
        _block.Number(1, number);
        _block.Number(2, version);
        _block.Number(3, row.Sku);
        _block.Number(4, row.Location);
        _block.Number(5, (long)row.Kind);
        _block.Number(6, row.From);
        _block.Number(7, row.Quantity);
        _block.Number(8, row.NeededBy);
        _block.Number(9, row.Announced);
        _block.Number(10, row.LastIncoming);
        _block.Number(11, row.RaisedAt);
        EndRecord(start);
    }
}
