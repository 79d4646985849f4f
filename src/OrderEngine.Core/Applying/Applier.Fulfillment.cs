// Applying what warehouse and carrier report: release, recall, parcels, short picks, delivery, loss.

using OrderEngine.Core.Events;

namespace OrderEngine.Core.Applying;

internal sealed partial class Applier
{
    // Released to the warehouse, or (back) recalled from it.
    private void Released(in EventView e, bool back)
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
            if (back) quantity = -quantity;
            ref var allocation = ref order.Allocation(index, location);
            allocation.Reserved -= quantity;
            allocation.Released += quantity;
            order.Line(index).Reserved -= quantity;
            order.Line(index).Released += quantity;
        }
    }

    private void Shipped(in EventView e)
    {
        const int Movement = 4;
        var order = Change(in e, moreParcelLines: CountOf(e.Body, Movement));
        var parcel = ++order.Head.Parcels;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field != Movement)
            {
                reader.Skip(wireType);
                continue;
            }
            ProtoReader.ReadThree(reader.Bytes(), out var index, out var location, out var quantity);
            ref var allocation = ref order.Allocation(index, location);
            allocation.Released -= quantity;
            allocation.Shipped += quantity;
            order.Line(index).Released -= quantity;
            order.Line(index).Shipped += quantity;
            ref var parcelLine = ref order.ParcelLines[order.Head.ParcelLineCount++];
            parcelLine.Parcel = parcel;
            parcelLine.Line = index;
            parcelLine.Quantity = quantity;
            state.Stock.Change(order.Line(index).Sku, location, e.Sequence, onHand: -quantity, committed: -quantity);
        }
    }

    private static int CountOf(ReadOnlySpan<byte> body, int wanted)
    {
        var count = 0;
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == wanted) count++;
            reader.Skip(wireType);
        }
        return count;
    }

    private void FellShort(in EventView e)
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
            var nested = reader.Bytes();
            ProtoReader.ReadThree(nested, out var index, out var location, out var quantity);
            var damaged = CauseOf(nested) == ShortPickCause.Damaged;
            order.Allocation(index, location).Released -= quantity;
            ref var line = ref order.Line(index);
            line.Released -= quantity;
            line.Backordered += quantity;
            state.Stock.Change(line.Sku, location, e.Sequence, onHand: damaged ? 0 : -quantity, unavailable: damaged ? quantity : 0, committed: -quantity);
            Wait(in order.Head, e.Order, index, in line, quantity, e.Sequence);
            // Another location may have them.
            state.Queues.MarkPending(line.Sku);
        }
    }

    private static ShortPickCause CauseOf(ReadOnlySpan<byte> shortPick)
    {
        var cause = ShortPickCause.None;
        var reader = new ProtoReader(shortPick);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 4) cause = (ShortPickCause)reader.Varint();
            else reader.Skip(wireType);
        }
        return cause;
    }

    // Delivered or lost: units of one parcel, or of the oldest that have some under way.
    private void Arrived(in EventView e, bool lost)
    {
        var order = Change(in e);
        var parcel = ParcelOf(e.Body);
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field != 1)
            {
                reader.Skip(wireType);
                continue;
            }
            ReadPair(reader.Bytes(), out var index, out var quantity);
            if (lost) order.Line(index).Lost += quantity;
            else order.Line(index).Delivered += quantity;
            foreach (ref var line in order.ParcelLines)
            {
                if (line.Line != index || parcel != 0 && line.Parcel != parcel) continue;
                var units = Math.Min(quantity, line.Open);
                if (lost) line.Lost += units;
                else line.Delivered += units;
                quantity -= units;
            }
            if (quantity != 0) throw new ApplyException($"{quantity} units of line {index} of order {e.Order} arrived that are in no parcel.");
        }
    }

    private static int ParcelOf(ReadOnlySpan<byte> body)
    {
        var parcel = 0;
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 2) parcel = reader.Int();
            else reader.Skip(wireType);
        }
        return parcel;
    }
}
