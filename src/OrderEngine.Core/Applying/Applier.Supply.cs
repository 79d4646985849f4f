// Applying what is said of stock to come and of stock to keep, and what a count took away from orders.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Applying;

internal sealed partial class Applier
{
    private void PolicySet(in EventView e)
    {
        int sku = 0, location = 0, reorderPoint = 0;
        long safety = 0;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: sku = reader.Int(); break;
                case 2: location = reader.Int(); break;
                case 3: safety = reader.Long(); break;
                case 4: reorderPoint = reader.Int(); break;
                default: reader.Skip(wireType); break;
            }
        }
        CheckPlace(sku, location);
        if (state.Stock.SetPolicy(sku, location, e.Sequence, safety, reorderPoint)) state.Queues.MarkPending(sku);
    }

    private void Announced(in EventView e)
    {
        long number = 0, request = 0;
        ReadOnlySpan<byte> reference = default;
        var head = new IncomingHead { AnnouncedAt = e.Time, AnnouncedSequence = e.Sequence, Version = e.Sequence };
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2: head.Sku = reader.Int(); break;
                case 3: head.Location = reader.Int(); break;
                case 4: head.Kind = (SupplyKind)reader.Varint(); break;
                case 5: head.Quantity = reader.Int(); break;
                case 6: head.ExpectedAt = reader.Long(); break;
                case 7: reference = reader.Bytes(); break;
                case 220: request = reader.Long(); break;
                default: reader.Skip(wireType); break;
            }
        }
        Announce(number, ref head, reference, e.Sequence);
        if (request != 0) Answered(request, head.Sku, number, head.Quantity, e.Sequence);
    }

    private void Transferred(in EventView e)
    {
        long number = 0, request = 0;
        ReadOnlySpan<byte> reference = default;
        var head = new IncomingHead { Kind = SupplyKind.Transfer, AnnouncedAt = e.Time, AnnouncedSequence = e.Sequence, Version = e.Sequence };
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2: head.Sku = reader.Int(); break;
                case 3: head.From = reader.Int(); break;
                case 4: head.Location = reader.Int(); break;
                case 5: head.Quantity = reader.Int(); break;
                case 6: head.ExpectedAt = reader.Long(); break;
                case 7: reference = reader.Bytes(); break;
                case 220: request = reader.Long(); break;
                default: reader.Skip(wireType); break;
            }
        }
        CheckPlace(head.Sku, head.From);
        state.Stock.Change(head.Sku, head.From, e.Sequence, onHand: -head.Quantity);
        Announce(number, ref head, reference, e.Sequence);
        if (request != 0) Answered(request, head.Sku, number, head.Quantity, e.Sequence);
    }

    private void Announce(long number, ref IncomingHead head, ReadOnlySpan<byte> reference, long sequence)
    {
        if (number != state.Supply.Rows.Count + 1) throw new ApplyException($"Announcement {number} does not follow {state.Supply.Rows.Count}.");
        CheckPlace(head.Sku, head.Location);
        head.Open = head.Quantity;
        head.ReferenceLength = checked((ushort)reference.Length);
        state.Supply.Announce(number, in head, reference, sequence);
        state.Stock.ChangeComing(head.Sku, head.Location, sequence, head.Kind == SupplyKind.Transfer, head.Open);
    }

    private void SupplyChanged(in EventView e)
    {
        long number = 0, expectedAt = 0;
        var open = 0;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2: open = reader.Int(); break;
                case 3: expectedAt = reader.Long(); break;
                default: reader.Skip(wireType); break;
            }
        }
        var before = state.Supply.Latest(number).Head;
        state.Supply.Change(number, open, expectedAt, e.Sequence);
        state.Stock.ChangeComing(before.Sku, before.Location, e.Sequence, before.Kind == SupplyKind.Transfer, open - before.Open);
        if (before.Kind != SupplyKind.Transfer) return;
        // What does not travel on is back where it came from.
        state.Stock.Change(before.Sku, before.From, e.Sequence, onHand: before.Open - open);
        state.Queues.MarkPending(before.Sku);
    }

    // Goods that were announced have come.
    private void Came(long number, long units, long sequence)
    {
        var before = state.Supply.Latest(number).Head;
        var came = (int)Math.Min(units, before.Open);
        ref var head = ref state.Supply.Change(number, before.Open - came, before.ExpectedAt, sequence);
        head.Received += units;
        state.Stock.ChangeComing(before.Sku, before.Location, sequence, before.Kind == SupplyKind.Transfer, -came);
    }

    private void ReorderSignalled(in EventView e)
    {
        int sku = 0, location = 0;
        var due = false;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: sku = reader.Int(); break;
                case 2: location = reader.Int(); break;
                case 3: due = reader.Varint() != 0; break;
                default: reader.Skip(wireType); break;
            }
        }
        CheckPlace(sku, location);
        state.Stock.SignalReorder(sku, location, e.Sequence, due);
    }

    private void Deallocated(in EventView e)
    {
        var order = Change(in e);
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field != 1)
            {
                reader.Skip(wireType);
                continue;
            }
            ProtoReader.ReadThree(reader.Bytes(), out var index, out var location, out var quantity);
            order.Allocation(index, location).Reserved -= quantity;
            ref var line = ref order.Line(index);
            line.Reserved -= quantity;
            line.Backordered += quantity;
            state.Stock.Change(line.Sku, location, e.Sequence, committed: -quantity);
            Wait(in order.Head, e.Order, index, in line, quantity, e.Sequence);
            state.Queues.MarkPending(line.Sku);
        }
    }
}
