// Putting back catalog, stock, reservations and answers. Same thread as the rest of the load.

using System.Runtime.InteropServices;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Snapshots;

public sealed partial class SnapshotLoader
{
    private HeldRow[] _items = new HeldRow[16];

    private void ReadCatalog(ReadOnlySpan<byte> record)
    {
        long version = 0, key = 0, since = 0;
        var kind = EventKind.None;
        ReadOnlySpan<byte> body = default;
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: version = Version(reader.Long()); break;
                case 2: key = reader.Long(); break;
                case 3: since = reader.Long(); break;
                case (int)EventKind.SkuDefined or (int)EventKind.LocationDefined or (int)EventKind.ChannelDefined or (int)EventKind.CustomerDefined
                    or (int)EventKind.ReviewRulesDefined or (int)EventKind.DeadlinesDefined:
                    kind = (EventKind)field;
                    body = reader.Bytes();
                    break;
                default: throw Unknown(field, "catalog row");
            }
        }
        var catalog = _state.Catalog;
        switch (kind)
        {
            case EventKind.SkuDefined:
                Expect(body, catalog.SkuIds.Count);
                catalog.DefineSku(body, version, restore: true);
                break;
            case EventKind.LocationDefined:
                Expect(body, catalog.LocationIds.Count);
                catalog.DefineLocation(body, version, restore: true);
                break;
            case EventKind.ChannelDefined:
                Expect(body, catalog.ChannelIds.Count);
                catalog.DefineChannel(body, version, restore: true);
                break;
            case EventKind.CustomerDefined:
                Expect(body, catalog.CustomerIds.Count);
                if (key != 0) catalog.RestoreKeys(key, catalog.CustomerIds.Count + 1, key, Version(since));
                catalog.DefineCustomer(body, version, restore: true);
                break;
            case EventKind.ReviewRulesDefined:
                Expect(body, (int)catalog.ReviewRuleRows.Count);
                catalog.DefineReviewRules(body, version, restore: true);
                break;
            case EventKind.DeadlinesDefined:
                Expect(body, (int)catalog.DeadlineRuleRows.Count);
                catalog.DefineDeadlines(body, version, restore: true);
                break;
            default: throw Wrong("A catalog row defines nothing.");
        }
        _catalog++;
    }

    // Field 1 of every definition is its number.
    private void Expect(ReadOnlySpan<byte> body, int last)
    {
        var reader = new ProtoReader(body);
        if (!reader.Next(out var field, out _) || field != 1) throw Wrong("A definition has no number.");
        Follows(reader.Long(), last, "A definition");
    }

    private void ReadLevel(ReadOnlySpan<byte> record)
    {
        long slot = 0, version = 0;
        var row = new StockRow();
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: slot = reader.Long(); break;
                case 2: version = Version(reader.Long()); break;
                case 3: row.Sku = reader.Int(); break;
                case 4: row.Location = reader.Int(); break;
                case 5: row.OnHand = reader.Long(); break;
                case 6: row.Unavailable = reader.Long(); break;
                case 7: row.Held = reader.Long(); break;
                case 8: row.Committed = reader.Long(); break;
                case 9: row.Safety = reader.Long(); break;
                case 10: row.ReorderPoint = reader.Int(); break;
                case 11: row.ReorderDue = reader.Int(); break;
                case 12: row.Incoming = reader.Long(); break;
                case 13: row.InTransit = reader.Long(); break;
                default: throw Unknown(field, "stock level");
            }
        }
        Follows(slot, _state.Stock.Levels.Count, "Stock slot");
        Within(row.Sku, _state.Catalog.SkuIds.Count, "SKU");
        Within(row.Location, _state.Catalog.LocationIds.Count, "location");
        _state.Stock.Restore(slot, in row, version);
        _levels++;
    }

    private void ReadBackorder(ReadOnlySpan<byte> record)
    {
        int sku = 0;
        long version = 0, units = 0;
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: sku = reader.Int(); break;
                case 2: version = Version(reader.Long()); break;
                case 3: units = reader.Long(); break;
                default: throw Unknown(field, "backorder row");
            }
        }
        Within(sku, _state.Catalog.SkuIds.Count, "SKU");
        _state.Stock.RestoreWaiting(sku, units, version);
        _backorders++;
    }

    private void ReadReservation(ReadOnlySpan<byte> record)
    {
        long number = 0;
        var head = new ReservationHead();
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2: head.Version = Version(reader.Long()); break;
                case 3: head.Channel = reader.Int(); break;
                case 4: head.Customer = reader.Int(); break;
                case 5: head.State = (ReservationState)checked((byte)reader.Varint()); break;
                case 6: head.CreatedAt = reader.Long(); break;
                case 7: head.CreatedSequence = reader.Long(); break;
                case 8: head.ExpiresAt = reader.Long(); break;
                case 9: head.Order = reader.Long(); break;
                case 10: ReadItem(reader.Bytes(), ref head.ItemCount); break;
                case 294: head.RemindSeconds = checked((ushort)reader.Varint()); break;
                case 295: head.Reminded = checked((byte)reader.Varint()); break;
                default: throw Unknown(field, "reservation");
            }
        }
        Follows(number, _state.Reservations.Count, "Reservation");
        Within(head.Channel, _state.Catalog.ChannelIds.Count, "channel", orNone: true);
        Within(head.Customer, _state.Catalog.CustomerIds.Count, "customer", orNone: true);
        Restore(number, in head);
        _reservations++;
    }

    private void ReadItem(ReadOnlySpan<byte> record, ref int count)
    {
        if (count == _items.Length) Array.Resize(ref _items, count * 2);
        ref var item = ref _items[count++];
        item = default;
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: item.Sku = reader.Int(); break;
                case 2: item.Location = reader.Int(); break;
                case 3: item.Quantity = reader.Int(); break;
                default: throw Unknown(field, "held item");
            }
        }
        Within(item.Sku, _state.Catalog.SkuIds.Count, "SKU");
    }

    private unsafe void Restore(long number, in ReservationHead head)
    {
        var row = Row(sizeof(ReservationHead) + head.ItemCount * sizeof(HeldRow));
        MemoryMarshal.Write(row, in head);
        MemoryMarshal.AsBytes(_items.AsSpan(0, head.ItemCount)).CopyTo(row[sizeof(ReservationHead)..]);
        _state.Reservations.Restore(number, head.Version, row);
        if (head.State != ReservationState.Held) return;
        _state.Timers.Set(head.Timer(number));
        _state.CountOpen(head.Channel, head.Customer, 1);
    }

    private void ReadRequest(ReadOnlySpan<byte> record)
    {
        long order = 0, sequence = 0, time = 0;
        var forgotten = false;
        ReadOnlySpan<byte> own = default;
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: order = reader.Long(); break;
                case 2: sequence = reader.Long(); break;
                case 3: own = reader.Bytes(); break;
                case 4: forgotten = reader.Varint() != 0; break;
                case 5: time = reader.Long(); break;
                default: throw Unknown(field, "request");
            }
        }
        _requests++;
        if (forgotten)
        {
            _state.Requests.RestoreForgotten(time, _sequence);
            return;
        }
        var owns = !own.IsEmpty;
        var address = owns ? 0 : _state.History.Find(order, sequence);
        if (!owns && address == 0) throw Wrong($"A request was answered by event {sequence} of order {order}, which is not there.");
        var e = new EventView(owns ? own : OrderHistory.Read(_state.Heap, address));
        if (e.RequestKey == 0 || Version(e.Sequence) == 0) throw Wrong($"Event {e.Sequence} answers no request.");
        if (owns) address = OrderHistory.Store(_state.Heap, e.Sequence, 0, own);
        _state.Requests.Restore(e.RequestKey, e.BodyDigest, e.Time, e.Sequence, address, owns);
    }

    private void Follows(long number, long last, string what)
    {
        if (number != last + 1) throw Wrong($"{what} {number} does not follow {last}.");
    }

    private void Within(long number, long count, string what, bool orNone = false)
    {
        if (number > count || number < (orNone ? 0 : 1)) throw Wrong($"There is no {what} {number}.");
    }

    // The last orders may be archived: how many there are is only told at the end.
    private void WithinOrders(long number, bool orNone = false)
    {
        Within(number, long.MaxValue, "order", orNone);
        _highestOrder = Math.Max(_highestOrder, number);
    }

    private long Version(long sequence) =>
        sequence >= 1 && sequence <= _sequence ? sequence : throw Wrong($"A change at sequence {sequence} is in a snapshot at {_sequence}.");
}
