// Putting back orders: row, queue places, history, external id. Same thread as the rest of the load.

using System.Runtime.InteropServices;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Snapshots;

public sealed partial class SnapshotLoader
{
    private LineRow[] _lines = new LineRow[16];
    private AllocationRow[] _allocations = new AllocationRow[16];
    private byte[] _row = new byte[4096];
    private long _lastEvent;

    // Not null: one order alone is read, into this, and the state stays as it is.
    private readonly ArchivedOrder? _single;

    /// <summary>Reads one order of the archive.</summary>
    internal SnapshotLoader(EngineState state, ArchivedOrder single, int format)
    {
        if (format is < 1 or > SnapshotFormat.Version) throw new SnapshotContentException($"An archived order is of format {format}, this program knows formats 1 to {SnapshotFormat.Version}.");
        _core = null!;
        _state = state;
        _single = single;
        _format = format;
        _sequence = long.MaxValue;
    }

    /// <summary>Takes the next block of the order.</summary>
    internal void AddSingle(ReadOnlySpan<byte> block)
    {
        var reader = new ProtoReader(block);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == SnapshotFormat.Orders) ReadOrder(reader.Bytes());
            else if (field == SnapshotFormat.OrderEvents) ReadOrderEvents(reader.Bytes());
            else if (field == SnapshotFormat.Number) reader.Skip(wireType);
            else throw Unknown(field, "archived order");
        }
    }

    // Numbers that no order has are those of archived ones.
    private void AddGap(long next)
    {
        var last = _state.Orders.Count;
        if (next <= last) throw Wrong($"Order {next} does not follow {last}.");
        if (next > last + 1) _gaps.Add((last + 1, next - 1));
    }

    private void ReadOrder(ReadOnlySpan<byte> record)
    {
        long number = 0;
        var head = new OrderHead();
        var hasEvents = false;
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1:
                    number = reader.Long();
                    if (_single is not null) break;
                    CheckHistoryEnd();
                    AddGap(number);
                    break;
                case 20: ReadLine(reader.Bytes(), ref head.LineCount); break;
                case 21: ReadAllocation(reader.Bytes(), ref head.AllocationCount); break;
                case 50: ReadParcelLine(reader.Bytes(), ref head.ParcelLineCount); break;
                case 22:
                    // The row comes before its events.
                    if (!hasEvents)
                    {
                        if (_format < FirstFormatWithParcels) ReadEarlierParcels(record, ref head);
                        Restore(number, ref head);
                    }
                    AddEvent(number, reader.Bytes(), isFirst: !hasEvents);
                    hasEvents = true;
                    break;
                default:
                    ReadHead(ref reader, field, ref head);
                    break;
            }
        }
        if (!hasEvents) throw Wrong($"Order {number} has no history.");
        _orders++;
    }

    private void ReadHead(ref ProtoReader reader, int field, ref OrderHead head)
    {
        switch (field)
        {
            case 2: head.Version = Version(reader.Long()); break;
            case 3: head.Channel = reader.Int(); break;
            case 4: head.Customer = reader.Int(); break;
            case 5: head.State = (OrderState)checked((byte)reader.Varint()); break;
            case 6: head.Type = (OrderType)checked((byte)reader.Varint()); break;
            case 7: head.Policy = (AllocationPolicy)checked((byte)reader.Varint()); break;
            case 8: head.Terms = (PaymentTerms)checked((byte)reader.Varint()); break;
            case 9: head.Priority = (Priority)checked((byte)reader.Varint()); break;
            case 10: head.Tier = checked((byte)reader.Varint()); break;
            case 11: head.Currency = Currency.Pack(reader.Bytes()); break;
            case 12: head.Parcels = checked((ushort)reader.Varint()); break;
            case 13: head.AcceptedAt = reader.Long(); break;
            case 14: head.AcceptedSequence = reader.Long(); break;
            case 15: head.RequestedAt = reader.Long(); break;
            case 16: head.ChangedAt = reader.Long(); break;
            case 17: head.Total = reader.Long(); break;
            case 18: head.CancelledTotal = reader.Long(); break;
            case 19: head.Reservation = reader.Long(); break;
            case 40: head.ReviewReasons = checked((byte)reader.Varint()); break;
            case 41: head.Paid = reader.Long(); break;
            case 42: head.Refunded = reader.Long(); break;
            case 70: head.LastException = reader.Int(); break;
            case 71: head.OpenExceptions = reader.Int(); break;
            case 80: head.Holds = (OrderHolds)checked((byte)reader.Varint()); break;
            case 81: head.Details = (OrderDetails)checked((byte)reader.Varint()); break;
            case 240: head.Notes = checked((byte)reader.Varint()); break;
            default: throw Unknown(field, "order");
        }
    }

    private void ReadLine(ReadOnlySpan<byte> record, ref ushort count)
    {
        if (count == _lines.Length) Array.Resize(ref _lines, count * 2);
        ref var line = ref _lines[checked(count++)];
        line = default;
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: line.Sku = reader.Int(); break;
                case 2: line.Ordered = reader.Int(); break;
                case 3: line.UnitPrice = reader.Long(); break;
                case 4: line.Cancelled = reader.Int(); break;
                case 5: line.Unallocated = reader.Int(); break;
                case 6: line.Backordered = reader.Int(); break;
                case 7: line.Reserved = reader.Int(); break;
                case 8: line.Released = reader.Int(); break;
                case 9: line.Shipped = reader.Int(); break;
                case 10: line.Delivered = reader.Int(); break;
                case 11: line.Lost = reader.Int(); break;
                case 12: line.Returned = reader.Int(); break;
                case 60: line.ReturnOpen = reader.Int(); break;
                case 62: line.Exchanged = reader.Int(); break;
                default: throw Unknown(field, "line");
            }
        }
        Within(line.Sku, _state.Catalog.SkuIds.Count, "SKU");
    }

    private void ReadAllocation(ReadOnlySpan<byte> record, ref int count)
    {
        if (count == _allocations.Length) Array.Resize(ref _allocations, count * 2);
        ref var allocation = ref _allocations[count++];
        allocation = default;
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: allocation.Line = reader.Int(); break;
                case 2: allocation.Location = reader.Int(); break;
                case 3: allocation.Reserved = reader.Int(); break;
                case 4: allocation.Released = reader.Int(); break;
                case 5: allocation.Shipped = reader.Int(); break;
                default: throw Unknown(field, "allocation");
            }
        }
        Within(allocation.Location, _state.Catalog.LocationIds.Count, "location");
    }

    private unsafe void Restore(long number, ref OrderHead head)
    {
        Within(head.Channel, _state.Catalog.ChannelIds.Count, "channel");
        Within(head.Customer, _state.Catalog.CustomerIds.Count, "customer", orNone: true);
        var row = Row(sizeof(OrderHead) + head.LineCount * sizeof(LineRow) + head.AllocationCount * sizeof(AllocationRow) + head.ParcelLineCount * sizeof(ParcelLineRow));
        MemoryMarshal.Write(row, in head);
        var lines = _lines.AsSpan(0, head.LineCount);
        MemoryMarshal.AsBytes(lines).CopyTo(row[sizeof(OrderHead)..]);
        foreach (ref readonly var allocation in _allocations.AsSpan(0, head.AllocationCount)) Within(allocation.Line, head.LineCount, "line");
        var allocationsAt = sizeof(OrderHead) + head.LineCount * sizeof(LineRow);
        MemoryMarshal.AsBytes(_allocations.AsSpan(0, head.AllocationCount)).CopyTo(row[allocationsAt..]);
        foreach (ref readonly var line in _parcelLines.AsSpan(0, head.ParcelLineCount))
        {
            Within(line.Line, head.LineCount, "line");
            Within(line.Parcel, head.Parcels, "parcel");
        }
        MemoryMarshal.AsBytes(_parcelLines.AsSpan(0, head.ParcelLineCount)).CopyTo(row[(allocationsAt + head.AllocationCount * sizeof(AllocationRow))..]);
        if (_single is not null)
        {
            (_single.Number, _single.Row) = (number, row.ToArray());
            return;
        }
        _state.Orders.Restore(number, head.Version, row);
        _state.Index.Add(number, in head);
        _state.CountForCustomer(_state.Order(number), comes: true);
        for (var i = 0; i < lines.Length; i++)
            if (lines[i].Backordered > 0) _state.Queues.Set(lines[i].Sku, BackorderKey.Of(in head, number, i + 1), lines[i].Backordered, head.IsFilledWhole);
    }

    private void ReadOrderEvents(ReadOnlySpan<byte> record)
    {
        long number = 0;
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            if (field == 1) number = reader.Long();
            else if (field == 2 && number != 0 && number == (_single?.Number ?? _state.Orders.Count)) AddEvent(number, reader.Bytes(), isFirst: false);
            else throw Wrong($"Events of order {number} do not follow it.");
        }
    }

    private void AddEvent(long number, ReadOnlySpan<byte> bytes, bool isFirst)
    {
        var reader = new ProtoReader(bytes);
        if (!reader.Next(out var field, out _) || field != 1) throw Wrong($"An event of order {number} has no sequence.");
        var sequence = Version(reader.Long());
        if (!isFirst && sequence <= _lastEvent) throw Wrong($"Event {sequence} of order {number} does not follow {_lastEvent}.");
        _lastEvent = sequence;
        if (_single is not null) _single.Events.Add((sequence, bytes.ToArray()));
        else _state.History.Add(number, sequence, bytes);
        _events++;
        if (isFirst) BindExternalId(number, ref reader);
    }

    // The order's first event says its channel and, first of all in its body, the external id.
    private void BindExternalId(long number, ref ProtoReader reader)
    {
        var channel = 0;
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 5)
            {
                channel = reader.Int();
                continue;
            }
            if (field != (int)EventKind.OrderSubmitted || wireType != 2)
            {
                reader.Skip(wireType);
                continue;
            }
            var body = new ProtoReader(reader.Bytes());
            var externalId = body.Next(out var first, out var type) && first == 1 && type == 2 ? body.Bytes() : default;
            if (_single is not null) _single.ExternalId = externalId.ToArray();
            else _state.ExternalIds.Add(channel, externalId, number);
            return;
        }
        throw Wrong($"The history of order {number} does not begin with its submission.");
    }

    // The last event of an order is the one that made its row's version.
    private void CheckHistoryEnd()
    {
        var last = _state.Orders.Count;
        if (last > 0 && _lastEvent != _state.Order(last).Head.Version) throw Wrong($"The history of order {last} ends at {_lastEvent}, not at {_state.Order(last).Head.Version}.");
    }

    private Span<byte> Row(int length)
    {
        if (length > _row.Length) _row = new byte[length * 2];
        return _row.AsSpan(0, length);
    }
}
