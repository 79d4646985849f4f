// Putting back what came after the sale. Same thread as the rest of the load.

using System.Runtime.InteropServices;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Snapshots;

public sealed partial class SnapshotLoader
{
    private ReturnLineRow[] _returnLines = new ReturnLineRow[16];
    private ReplacementRow[] _replacements = new ReplacementRow[16];
    private long _returns, _afterSales, _highestOrder;

    private void ReadReturn(ReadOnlySpan<byte> record)
    {
        long number = 0;
        var head = new ReturnHead();
        ReadOnlySpan<byte> externalId = default;
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2: head.Version = Version(reader.Long()); break;
                case 3: head.Order = reader.Long(); break;
                case 4: head.State = (ReturnState)checked((byte)reader.Varint()); break;
                case 5: head.RequestedAt = reader.Long(); break;
                case 6: head.RequestedSequence = reader.Long(); break;
                case 7: head.ChangedAt = reader.Long(); break;
                case 8: head.Replacement = reader.Long(); break;
                case 9: head.Previous = reader.Long(); break;
                case 10: head.Refund = reader.Long(); break;
                case 11: head.Location = reader.Int(); break;
                case 12: externalId = reader.Bytes(); break;
                case 13: ReadReturnLine(reader.Bytes(), ref head.LineCount); break;
                case 14: ReadReplacement(reader.Bytes(), ref head.ReplacementCount); break;
                case 296: head.Credited = checked((byte)reader.Varint()); break;
                default: throw Unknown(field, "return");
            }
        }
        head.ExternalIdLength = externalId.Length;
        Follows(number, _state.Returns.Count, "Return");
        WithinOrders(head.Order);
        WithinOrders(head.Replacement, orNone: true);
        Within(head.Previous, number - 1, "return", orNone: true);
        Within(head.Location, _state.Catalog.LocationIds.Count, "location", orNone: true);
        Restore(number, in head, externalId);
        _returns++;
    }

    private unsafe void Restore(long number, in ReturnHead head, ReadOnlySpan<byte> externalId)
    {
        // Of an archived order the archive has the lines.
        var order = _state.Order(head.Order);
        foreach (ref readonly var line in _returnLines.AsSpan(0, head.LineCount)) Within(line.Line, order.Exists ? order.Lines.Length : Limits.LinesPerOrder, "line");
        var row = Row(ReturnView.RowBytes(in head));
        MemoryMarshal.Write(row, in head);
        MemoryMarshal.AsBytes(_returnLines.AsSpan(0, head.LineCount)).CopyTo(row[sizeof(ReturnHead)..]);
        MemoryMarshal.AsBytes(_replacements.AsSpan(0, head.ReplacementCount)).CopyTo(row[(sizeof(ReturnHead) + head.LineCount * sizeof(ReturnLineRow))..]);
        externalId.CopyTo(row[^externalId.Length..]);
        _state.Returns.Restore(number, head.Version, row);
    }

    private void ReadReturnLine(ReadOnlySpan<byte> record, ref int count)
    {
        if (count == _returnLines.Length) Array.Resize(ref _returnLines, count * 2);
        ref var line = ref _returnLines[count++];
        line = default;
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: line.Line = reader.Int(); break;
                case 2: line.Requested = reader.Int(); break;
                case 3: line.Restocked = reader.Int(); break;
                case 4: line.Quarantined = reader.Int(); break;
                case 5: line.Scrapped = reader.Int(); break;
                case 6: line.Repaired = reader.Int(); break;
                default: throw Unknown(field, "return's line");
            }
        }
    }

    private void ReadReplacement(ReadOnlySpan<byte> record, ref int count)
    {
        if (count == _replacements.Length) Array.Resize(ref _replacements, count * 2);
        ref var line = ref _replacements[count++];
        line = default;
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: line.Sku = reader.Int(); break;
                case 2: line.Quantity = reader.Int(); break;
                case 3: line.UnitPrice = reader.Long(); break;
                default: throw Unknown(field, "replacement line");
            }
        }
        Within(line.Sku, _state.Catalog.SkuIds.Count, "SKU");
    }

    private void ReadAfterSale(ReadOnlySpan<byte> record)
    {
        long order = 0, version = 0;
        var row = new AfterSaleRow();
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: order = reader.Long(); break;
                case 2: version = Version(reader.Long()); break;
                case 3: row.LastReturn = reader.Long(); break;
                case 4: row.Returns = reader.Int(); break;
                case 5: row.OpenReturns = reader.Int(); break;
                case 6: row.Refund = reader.Long(); break;
                case 7: row.ForReturn = reader.Long(); break;
                default: throw Unknown(field, "after-sale row");
            }
        }
        WithinOrders(order);
        Within(row.LastReturn, _state.Returns.Count, "return", orNone: true);
        Within(row.ForReturn, _state.Returns.Count, "return", orNone: true);
        _state.AfterSales.Restore(order, version, MemoryMarshal.AsBytes(new ReadOnlySpan<AfterSaleRow>(in row)));
        _afterSales++;
    }
}
