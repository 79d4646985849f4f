// Applying amendments: lines are changed and added in scratch, then the row is written anew; stock and queues follow line by line.

using System.Runtime.InteropServices;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Applying;

internal sealed partial class Applier
{
    private ParcelLineRow[] _parcelLines = [];

    private unsafe void Amended(in EventView e)
    {
        var head = BeginRewrite(in e);
        // Said anew, but for 0, which is left out.
        head.Total = 0;
        var fields = AmendedFields.None;
        var (watched, regardsPromises) = (false, false);
        var before = state.Order(e.Order).Head.State;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1:
                    fields = (AmendedFields)reader.Varint();
                    if ((fields & AmendedFields.RequestedTime) != 0) MoveInQueues(ref head, e.Order, RequestedAfter(e.Body));
                    break;
                case 2:
                    ProtoReader.ReadThree(reader.Bytes(), out var index, out var location, out var quantity);
                    Free(index, location, quantity, e.Sequence);
                    break;
                case 3: AmendLine(reader.Bytes(), ref head, in e); break;
                case Amendments.DeliveryField: state.Catalog.NoteKey(e.Customer, reader.Bytes(), e.Sequence); break;
                case 9: head.Total = reader.Long(); break;
                case Amendments.WatchedField: watched = reader.Varint() != 0; break;
                case Amendments.RegardsPromisesField: regardsPromises = reader.Varint() != 0; break;
                default: reader.Skip(wireType); break;
            }
        }
        if ((fields & AmendedFields.Delivery) != 0) head.Details |= OrderDetails.AmendedDelivery;
        head.LineCount = checked((ushort)_lineCount);
        head.AllocationCount = _allocationCount;
        var row = state.Orders.Resize(e.Order, RowBytes(_lineCount, _allocationCount, head.ParcelLineCount), e.Sequence);
        MemoryMarshal.AsRef<OrderHead>(row) = head;
        MemoryMarshal.AsBytes(_lines.AsSpan(0, _lineCount)).CopyTo(row[sizeof(OrderHead)..]);
        MemoryMarshal.AsBytes(_allocations.AsSpan(0, _allocationCount)).CopyTo(row[(sizeof(OrderHead) + _lineCount * sizeof(LineRow))..]);
        MemoryMarshal.AsBytes(_parcelLines.AsSpan(0, head.ParcelLineCount)).CopyTo(row[RowBytes(_lineCount, _allocationCount, 0)..]);
        if (!watched) return;
        Watch(in e, before, e.After, 0);
        if (regardsPromises) MoveDelivery(e.Order, in head, e.Sequence);
        else if ((fields & AmendedFields.RequestedTime) != 0) ForgetPromisesInDelivery(in e, in head);
    }

    // Amendments of before let the requested date alone say when it is due, until the next promise. New ones: MoveDelivery.
    private void ForgetPromisesInDelivery(in EventView e, in OrderHead head)
    {
        var after = state.Catalog.DeadlineRules.Delivery;
        if (after == 0 || !state.Deadlines.Has(e.Order, DeadlineKind.Delivery)) return;
        state.Deadlines.Set(e.Order, DeadlineKind.Delivery, head.RequestedAt > e.Time ? head.RequestedAt : head.AcceptedAt + after, e.Sequence);
    }

    /// <summary>The order's lines and allocations in scratch; answers its head as it will be but for what the event changes.</summary>
    private OrderHead BeginRewrite(in EventView e)
    {
        var present = state.Order(e.Order);
        if (!present.Exists) throw new ApplyException($"Event {e.Sequence} is of order {e.Order}, which does not exist.");
        _lineCount = present.Lines.Length;
        _allocationCount = present.Allocations.Length;
        if (_lines.Length < _lineCount) Array.Resize(ref _lines, _lineCount);
        if (_allocations.Length < _allocationCount) Array.Resize(ref _allocations, _allocationCount);
        present.Lines.CopyTo(_lines);
        present.Allocations.CopyTo(_allocations);
        if (_parcelLines.Length < present.ParcelLines.Length) _parcelLines = new ParcelLineRow[present.ParcelLines.Length];
        present.ParcelLines.CopyTo(_parcelLines);
        var head = present.Head;
        state.Index.Move(e.Order, head.State, e.After, e.Sequence);
        head.State = e.After;
        if (e.Before != e.After) MoveDeadline(in e);
        head.ChangedAt = e.Time;
        head.Version = e.Sequence;
        return head;
    }

    // The requested date is a part of the place in the queue.
    private void MoveInQueues(ref OrderHead head, long order, long requestedAt)
    {
        for (var i = 1; i <= _lineCount; i++)
            if (_lines[i - 1].Backordered > 0) TakePlaces(in head, order, i, in _lines[i - 1], leave: true);
        head.RequestedAt = requestedAt;
        for (var i = 1; i <= _lineCount; i++)
        {
            if (_lines[i - 1].Backordered == 0) continue;
            TakePlaces(in head, order, i, in _lines[i - 1]);
            state.Queues.MarkPending(_lines[i - 1].Sku);
        }
    }

    private static long RequestedAfter(ReadOnlySpan<byte> body)
    {
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 7) return reader.Long();
            reader.Skip(wireType);
        }
        return 0;
    }

    private void Free(int line, int location, int quantity, long sequence)
    {
        foreach (ref var allocation in _allocations.AsSpan(0, _allocationCount))
        {
            if (allocation.Line != line || allocation.Location != location) continue;
            allocation.Reserved -= quantity;
            _lines[line - 1].Reserved -= quantity;
            state.Stock.Change(_lines[line - 1].Sku, location, sequence, committed: -quantity);
            state.Queues.MarkPending(_lines[line - 1].Sku);
            return;
        }
        throw new ApplyException($"Line {line} has nothing at location {location}.");
    }

    private void AmendLine(ReadOnlySpan<byte> nested, ref OrderHead head, in EventView e)
    {
        var index = 0;
        var (waiting, added) = (0, 0);
        var reader = new ProtoReader(nested);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1:
                    index = reader.Int();
                    AddLineIfNew(index, e.Sequence);
                    head.CancelledTotal -= _lines[index - 1].Cancelled * _lines[index - 1].UnitPrice;
                    // Said anew, but for 0, which is left out.
                    _lines[index - 1].Ordered = 0;
                    _lines[index - 1].UnitPrice = 0;
                    break;
                case 2:
                    _lines[index - 1].Sku = reader.Int();
                    CheckKnown(_lines[index - 1].Sku, state.Catalog.SkuIds, "SKU");
                    break;
                case 4: _lines[index - 1].Ordered = reader.Int(); break;
                case 6: _lines[index - 1].UnitPrice = reader.Long(); break;
                case 7: waiting = checked((int)reader.SignedLong()); break;
                case 8: _lines[index - 1].Unallocated += checked((int)reader.SignedLong()); break;
                case 9: _lines[index - 1].Cancelled += reader.Int(); break;
                case 10:
                    ReadPair(reader.Bytes(), out var location, out var quantity);
                    Gain(index, location, quantity, e.Sequence);
                    break;
                case Amendments.AddedWaitingField: added = reader.Int(); break;
                default: reader.Skip(wireType); break;
            }
        }
        ref var line = ref _lines[index - 1];
        line.Backordered += waiting;
        if (added > 0) Add(in head, index, in line, added, in e);
        if (waiting != 0) Wait(in head, e.Order, index, in line, waiting, e.Sequence);
        head.CancelledTotal += line.Cancelled * line.UnitPrice;
        if (line.Ordered != line.Cancelled + line.Unallocated + line.Backordered + line.Reserved + line.Released + line.Shipped)
            throw new ApplyException($"Line {index} of event {e.Sequence} does not add up.");
    }

    // What was added before and still waits comes along to the newer place.
    private void Add(in OrderHead head, int index, in LineRow line, int units, in EventView e)
    {
        var present = state.AddedUnits.Of(e.Order, index);
        if (present.Units > 0) state.Queues.Set(line.Sku, BackorderKey.Of(in head, e.Order, in present), 0, head.IsFilledWhole);
        state.AddedUnits.Set(e.Order, new AddedRow { AddedAt = e.Time, Sequence = e.Sequence, Line = index, Units = present.Units + units }, e.Sequence);
    }

    private void AddLineIfNew(int number, long sequence)
    {
        if (number <= _lineCount) return;
        if (number != _lineCount + 1) throw new ApplyException($"Line {number} of event {sequence} does not follow {_lineCount}.");
        if (_lineCount == _lines.Length) Array.Resize(ref _lines, _lineCount * 2);
        _lines[_lineCount++] = default;
    }

    private void Gain(int line, int location, int quantity, long sequence)
    {
        CheckPlace(_lines[line - 1].Sku, location);
        _lines[line - 1].Reserved += quantity;
        state.Stock.Change(_lines[line - 1].Sku, location, sequence, committed: quantity);
        foreach (ref var allocation in _allocations.AsSpan(0, _allocationCount))
        {
            if (allocation.Line != line || allocation.Location != location) continue;
            allocation.Reserved += quantity;
            return;
        }
        if (_allocationCount == _allocations.Length) Array.Resize(ref _allocations, _allocationCount * 2);
        _allocations[_allocationCount++] = new AllocationRow { Line = line, Location = location, Reserved = quantity };
    }
}
