// Writing orders: the row field by field, and the order's own history, oldest event first. Same thread as the rest of the walk.

using OrderEngine.Core.State;

namespace OrderEngine.Core.Snapshots;

public sealed partial class SnapshotWriter
{
    private void WriteOrder(long number)
    {
        var row = _state.Orders.At(number, _at, out var version);
        if (row.IsEmpty) return;
        var view = new OrderView(row);
        ref readonly var head = ref view.Head;
        CheckVersion("Order", number, head.Version, version);
        _hash += _state.Orders.RowHash(number, row) + ExternalIdIndex.EntryHash(head.Channel, _state.ExternalIds.Text(number), number);
        _orders++;
        var start = _block.BeginNested(SnapshotFormat.Orders);
        _block.Number(1, number);
        _block.Number(2, version);
        WriteHead(in head);
        foreach (ref readonly var line in view.Lines) WriteLine(in line);
        foreach (ref readonly var allocation in view.Allocations) WriteAllocation(in allocation);
        foreach (ref readonly var parcelLine in view.ParcelLines) WriteParcelLine(in parcelLine);
        WriteHistory(number, start);
    }

    private void WriteHead(in OrderHead head)
    {
        _block.Number(3, head.Channel);
        _block.Number(4, head.Customer);
        _block.Number(5, (long)head.State);
        _block.Number(6, (long)head.Type);
        _block.Number(7, (long)head.Policy);
        _block.Number(8, (long)head.Terms);
        _block.Number(9, (long)head.Priority);
        _block.Number(10, head.Tier);
        Span<byte> currency = stackalloc byte[3];
        _block.Bytes(11, currency[..Currency.Unpack(head.Currency, currency)]);
        _block.Number(12, head.Parcels);
        _block.Number(13, head.AcceptedAt);
        _block.Number(14, head.AcceptedSequence);
        _block.Number(15, head.RequestedAt);
        _block.Number(16, head.ChangedAt);
        _block.Number(17, head.Total);
        _block.Number(18, head.CancelledTotal);
        _block.Number(19, head.Reservation);
        _block.Number(40, head.ReviewReasons);
        _block.Number(41, head.Paid);
        _block.Number(42, head.Refunded);
        _block.Number(70, head.LastException);
        _block.Number(71, head.OpenExceptions);
        _block.Number(80, (long)head.Holds);
        _block.Number(81, (long)head.Details);
        _block.Number(240, head.Notes);
    }

    private void WriteLine(in LineRow line)
    {
        var start = _block.BeginNested(20);
        _block.Number(1, line.Sku);
        _block.Number(2, line.Ordered);
        _block.Number(3, line.UnitPrice);
        _block.Number(4, line.Cancelled);
        _block.Number(5, line.Unallocated);
        _block.Number(6, line.Backordered);
        _block.Number(7, line.Reserved);
        _block.Number(8, line.Released);
        _block.Number(9, line.Shipped);
        _block.Number(10, line.Delivered);
        _block.Number(11, line.Lost);
        _block.Number(12, line.Returned);
        _block.Number(60, line.ReturnOpen);
        _block.Number(62, line.Exchanged);
        _block.EndNested(start);
    }

    private void WriteAllocation(in AllocationRow allocation)
    {
        var start = _block.BeginNested(21);
        _block.Number(1, allocation.Line);
        _block.Number(2, allocation.Location);
        _block.Number(3, allocation.Reserved);
        _block.Number(4, allocation.Released);
        _block.Number(5, allocation.Shipped);
        _block.EndNested(start);
    }

    private void WriteParcelLine(in ParcelLineRow line)
    {
        var start = _block.BeginNested(50);
        _block.Number(1, line.Parcel);
        _block.Number(2, line.Line);
        _block.Number(3, line.Quantity);
        _block.Number(4, line.Delivered);
        _block.Number(5, line.Lost);
        _block.EndNested(start);
    }

    // The chain runs from the newest event back: its places are gathered first.
    private void WriteHistory(long number, int start)
    {
        var count = 0;
        for (long cursor = 0; _state.History.Previous(number, _at, ref cursor, out _);)
        {
            if (count == _addresses.Length) Array.Resize(ref _addresses, count * 2);
            _addresses[count++] = cursor;
        }
        _events += count;
        var field = 22;
        while (count > 0)
        {
            _block.Bytes(field, OrderHistory.Read(_state.Heap, _addresses[--count]));
            if (count == 0 || _block.Length < SnapshotFormat.BlockBytes) continue;
            EndRecord(start);
            start = _block.BeginNested(SnapshotFormat.OrderEvents);
            _block.Number(1, number);
            field = 2;
        }
        EndRecord(start);
    }
}
