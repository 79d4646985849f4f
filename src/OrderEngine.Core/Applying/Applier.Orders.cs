// Applying what happened to orders: rows, stock, queues and external ids move together.

using System.Runtime.InteropServices;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Applying;

internal sealed partial class Applier
{
    private LineRow[] _lines = new LineRow[16];
    private AllocationRow[] _allocations = new AllocationRow[16];
    private int _lineCount;
    private int _allocationCount;

    private unsafe void Submitted(in EventView e)
    {
        if (e.Order != state.Orders.Count + 1) throw new ApplyException($"Order {e.Order} does not follow {state.Orders.Count}.");
        CheckParties(in e);
        var head = new OrderHead
        {
            Channel = e.Channel,
            Customer = e.Customer,
            State = e.After,
            AcceptedAt = e.Time,
            AcceptedSequence = e.Sequence,
            ChangedAt = e.Time,
            Version = e.Sequence,
        };
        ReadOnlySpan<byte> externalId = default;
        var confirmBy = 0L;
        _lineCount = _allocationCount = 0;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: externalId = reader.Bytes(); break;
                case 2: head.Type = (OrderType)reader.Varint(); break;
                case 3: head.Policy = (AllocationPolicy)reader.Varint(); break;
                case 4: head.Terms = (PaymentTerms)reader.Varint(); break;
                case 5: head.Priority = (Priority)reader.Varint(); break;
                case 6: head.Currency = Currency.Pack(reader.Bytes()); break;
                case 7: head.RequestedAt = reader.Long(); break;
                case 8: ReadLine(reader.Bytes(), e.Sequence, ref head); break;
                case 9: state.Catalog.NoteKey(e.Customer, reader.Bytes(), e.Sequence); break;
                case 10: head.Reservation = reader.Long(); break;
                case OrderReading.RegionField:
                    head.Details |= OrderDetails.HasRegion;
                    reader.Skip(wireType);
                    break;
                case 221:
                    if ((ShippingPolicy)reader.Varint() == ShippingPolicy.Complete) head.Details |= OrderDetails.ShipComplete;
                    break;
                case 11: head.Tier = (byte)reader.Varint(); break;
                case 60: state.ChangeAfterSale(e.Order, e.Sequence).ForReturn = reader.Long(); break;
                case 40:
                    head.ReviewReasons++;
                    reader.Skip(wireType);
                    break;
                case 240:
                    head.Holds = OrderHolds.Confirmation;
                    confirmBy = reader.Long();
                    break;
                case 241:
                    head.Details |= OrderDetails.Attributes;
                    reader.Skip(wireType);
                    break;
                case PersonalFields.SubmittedSpecialRequests:
                    head.Details |= OrderDetails.SpecialRequests;
                    state.Catalog.NoteKey(e.Customer, reader.Bytes(), e.Sequence);
                    break;
                default: reader.Skip(wireType); break;
            }
        }
        head.LineCount = (ushort)_lineCount;
        head.AllocationCount = _allocationCount;
        var row = state.Orders.Create(e.Order, RowBytes(_lineCount, _allocationCount, 0), e.Sequence);
        MemoryMarshal.AsRef<OrderHead>(row) = head;
        MemoryMarshal.AsBytes(_lines.AsSpan(0, _lineCount)).CopyTo(row[sizeof(OrderHead)..]);
        MemoryMarshal.AsBytes(_allocations.AsSpan(0, _allocationCount)).CopyTo(row[(sizeof(OrderHead) + _lineCount * sizeof(LineRow))..]);
        state.ExternalIds.Add(e.Channel, externalId, e.Order);
        if (e.Deadline != 0) MoveDeadline(in e);
        state.Index.Add(e.Order, in head);
        Watch(in e, OrderState.None, head.State, head.RequestedAt);
        if (confirmBy != 0) state.Deadlines.Set(e.Order, DeadlineKind.Confirmation, confirmBy, e.Sequence);
        for (var i = 0; i < _lineCount; i++)
            if (_lines[i].Backordered > 0) Wait(in head, e.Order, i + 1, in _lines[i], _lines[i].Backordered, e.Sequence);
    }

    private void ReadLine(ReadOnlySpan<byte> nested, long sequence, ref OrderHead head)
    {
        if (_lineCount == _lines.Length) Array.Resize(ref _lines, _lineCount * 2);
        ref var line = ref _lines[_lineCount++];
        line = default;
        var reader = new ProtoReader(nested);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1:
                    line.Sku = reader.Int();
                    CheckKnown(line.Sku, state.Catalog.SkuIds, "SKU");
                    break;
                case 2: line.Ordered = reader.Int(); break;
                case 3: line.UnitPrice = reader.Long(); break;
                case 4: line.Backordered = reader.Int(); break;
                case 5: line.Cancelled = reader.Int(); break;
                case 6:
                    ReadPair(reader.Bytes(), out var location, out var quantity);
                    CheckPlace(line.Sku, location);
                    line.Reserved += quantity;
                    AddAllocation(_lineCount, location, quantity);
                    state.Stock.Change(line.Sku, location, sequence, committed: quantity);
                    break;
                default: reader.Skip(wireType); break;
            }
        }
        if (line.Ordered != line.Reserved + line.Backordered + line.Cancelled) throw new ApplyException($"Line {_lineCount} of event {sequence} does not add up.");
        head.Total += line.Ordered * line.UnitPrice;
        head.CancelledTotal += line.Cancelled * line.UnitPrice;
    }

    // A line that takes held and free units of one location in turns has them as one allocation.
    private void AddAllocation(int line, int location, int quantity)
    {
        for (var i = _allocationCount - 1; i >= 0 && _allocations[i].Line == line; i--)
        {
            if (_allocations[i].Location != location) continue;
            _allocations[i].Reserved += quantity;
            return;
        }
        if (_allocationCount == _allocations.Length) Array.Resize(ref _allocations, _allocationCount * 2);
        _allocations[_allocationCount++] = new AllocationRow { Line = line, Location = location, Reserved = quantity };
    }

    private void Cancelled(in EventView e)
    {
        var order = Change(in e);
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) CancelLine(reader.Bytes(), order, in e);
            else reader.Skip(wireType);
        }
    }

    private void CancelLine(ReadOnlySpan<byte> nested, OrderChange order, in EventView e)
    {
        var index = 0;
        var cancelled = 0;
        var reader = new ProtoReader(nested);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: index = reader.Int(); break;
                case 2:
                    var waiting = reader.Int();
                    order.Line(index).Backordered -= waiting;
                    cancelled += waiting;
                    Wait(in order.Head, e.Order, index, in order.Line(index), -waiting, e.Sequence);
                    break;
                case 3:
                    ReadPair(reader.Bytes(), out var location, out var quantity);
                    order.Allocation(index, location).Reserved -= quantity;
                    order.Line(index).Reserved -= quantity;
                    cancelled += quantity;
                    state.Stock.Change(order.Line(index).Sku, location, e.Sequence, committed: -quantity);
                    state.Queues.MarkPending(order.Line(index).Sku);
                    break;
                case 4:
                    var unallocated = reader.Int();
                    order.Line(index).Unallocated -= unallocated;
                    cancelled += unallocated;
                    break;
                default: reader.Skip(wireType); break;
            }
        }
        order.Line(index).Cancelled += cancelled;
        order.Head.CancelledTotal += cancelled * order.Line(index).UnitPrice;
    }

    private void Filled(in EventView e)
    {
        var index = 0;
        _allocationCount = 0;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1)
            {
                index = reader.Int();
            }
            else if (field == 2)
            {
                ReadPair(reader.Bytes(), out var location, out var quantity);
                CheckKnown(location, state.Catalog.LocationIds, "location");
                AddAllocation(index, location, quantity);
            }
            else
            {
                reader.Skip(wireType);
            }
        }
        var order = Change(in e, CountNew(state.Order(e.Order)));
        ref var line = ref order.Line(index);
        for (var i = 0; i < _allocationCount; i++)
        {
            var quantity = _allocations[i].Reserved;
            order.AllocationOrNew(index, _allocations[i].Location).Reserved += quantity;
            line.Backordered -= quantity;
            line.Reserved += quantity;
            state.Stock.Change(line.Sku, _allocations[i].Location, e.Sequence, committed: quantity);
            Wait(in order.Head, e.Order, index, in line, -quantity, e.Sequence, filled: true);
        }
    }

    private int CountNew(OrderView order)
    {
        var fresh = _allocationCount;
        for (var i = 0; i < _allocationCount; i++)
            foreach (ref readonly var present in order.Allocations)
                if (present.Line == _allocations[i].Line && present.Location == _allocations[i].Location) fresh--;
        return fresh;
    }

    // Units that wait more (or fewer): the queue holds what the line says, the totals follow.
    private void Wait(in OrderHead head, long order, int index, in LineRow line, int change, long sequence, bool filled = false)
    {
        if (change < 0 && state.AddedUnits.Of(order, index) is { Units: > 0 } added)
        {
            var left = filled ? Math.Min(added.Units, line.Backordered) : Math.Max(0, added.Units + change);
            if (left == 0) state.Queues.Set(line.Sku, BackorderKey.Of(in head, order, in added), 0, head.IsFilledWhole);
            if (left != added.Units) state.AddedUnits.Set(order, added with { Units = left }, sequence);
        }
        TakePlaces(in head, order, index, in line);
        state.Stock.ChangeWaiting(line.Sku, sequence, change);
        if (line.Backordered == 0) state.Promises.Set(order, index, line.Sku, 0, sequence);
    }

    // A line waits at its order's place, and what was added to it at its own.
    private void TakePlaces(in OrderHead head, long order, int index, in LineRow line, bool leave = false)
    {
        var added = state.AddedUnits.Of(order, index);
        state.Queues.Set(line.Sku, BackorderKey.Of(in head, order, index), leave ? 0 : line.Backordered - added.Units, head.IsFilledWhole);
        if (added.Units > 0) state.Queues.Set(line.Sku, BackorderKey.Of(in head, order, in added), leave ? 0 : added.Units, head.IsFilledWhole);
    }

    /// <summary>The order's next version, with room for more allocations or more parcel lines.</summary>
    private unsafe OrderChange Change(in EventView e, int moreAllocations = 0, int moreParcelLines = 0)
    {
        var present = state.Order(e.Order);
        if (!present.Exists) throw new ApplyException($"Event {e.Sequence} is of order {e.Order}, which does not exist.");
        var (lines, allocations, parcelLines) = (present.Head.LineCount, present.Head.AllocationCount, present.Head.ParcelLineCount);
        Span<byte> row;
        if (moreAllocations + moreParcelLines == 0)
        {
            row = state.Orders.Update(e.Order, e.Sequence);
        }
        else
        {
            row = state.Orders.Resize(e.Order, RowBytes(lines, allocations + moreAllocations, parcelLines + moreParcelLines), e.Sequence);
            MoveParcelLines(row, RowBytes(lines, allocations, 0), RowBytes(lines, allocations + moreAllocations, 0), parcelLines * sizeof(ParcelLineRow));
        }
        var order = new OrderChange(row);
        var from = order.Head.State;
        state.Index.Move(e.Order, from, e.After, e.Sequence);
        order.Head.State = e.After;
        order.Head.ChangedAt = e.Time;
        order.Head.Version = e.Sequence;
        if (e.Before != e.After) MoveDeadline(in e);
        Watch(in e, from, e.After, 0);
        return order;
    }

    // Parcel lines lie behind the allocations and make room for more of those.
    private static void MoveParcelLines(Span<byte> row, int from, int to, int length)
    {
        if (from == to || length == 0) return;
        row.Slice(from, length).CopyTo(row[to..]);
        row[from..to].Clear();
    }

    private static unsafe int RowBytes(int lines, int allocations, int parcelLines) =>
        sizeof(OrderHead) + lines * sizeof(LineRow) + allocations * sizeof(AllocationRow) + parcelLines * sizeof(ParcelLineRow);

    /// <summary>An order's row while it is being changed.</summary>
    private readonly unsafe ref struct OrderChange(Span<byte> row)
    {
        private readonly Span<byte> _row = row;

        public ref OrderHead Head => ref MemoryMarshal.AsRef<OrderHead>(_row);

        public ref LineRow Line(int number) => ref MemoryMarshal.Cast<byte, LineRow>(_row.Slice(sizeof(OrderHead), Head.LineCount * sizeof(LineRow)))[number - 1];

        private Span<AllocationRow> Allocations => MemoryMarshal.Cast<byte, AllocationRow>(_row[(sizeof(OrderHead) + Head.LineCount * sizeof(LineRow))..]);

        /// <summary>What left in which parcel; complete once the allocations are.</summary>
        public Span<ParcelLineRow> ParcelLines => MemoryMarshal.Cast<byte, ParcelLineRow>(_row[RowBytes(Head.LineCount, Head.AllocationCount, 0)..]);

        public ref AllocationRow Allocation(int line, int location)
        {
            foreach (ref var allocation in Allocations[..Head.AllocationCount])
                if (allocation.Line == line && allocation.Location == location) return ref allocation;
            throw new ApplyException($"Line {line} has nothing at location {location}.");
        }

        public ref AllocationRow AllocationOrNew(int line, int location)
        {
            foreach (ref var allocation in Allocations[..Head.AllocationCount])
                if (allocation.Line == line && allocation.Location == location) return ref allocation;
            ref var fresh = ref Allocations[Head.AllocationCount++];
            fresh.Line = line;
            fresh.Location = location;
            return ref fresh;
        }
    }
}
