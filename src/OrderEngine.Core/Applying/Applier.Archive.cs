// Applying what left memory and what came back.

using OrderEngine.Core.Events;
using OrderEngine.Core.Snapshots;

namespace OrderEngine.Core.Applying;

internal sealed partial class Applier
{
    private void Archived(in EventView e)
    {
        long order = 0, position = 0;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) order = reader.Long();
            else if (field == 2) position = reader.Long();
            else reader.Skip(wireType);
        }
        if (!state.Order(order).Exists) throw new ApplyException($"Event {e.Sequence} archives order {order}, which does not exist.");
        // Imported: its record is in another engine's archive, so it stays.
        if (position == 0) return;
        state.Archive.Archive(order, position, e.Sequence);
    }

    private void Loaded(in EventView e)
    {
        long order = 0;
        ReadOnlySpan<byte> record = default;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) order = reader.Long();
            else if (field == 2) record = reader.Bytes();
            else reader.Skip(wireType);
        }
        if (order < 1 || order > state.Orders.Count) throw new ApplyException($"Event {e.Sequence} brings back order {order}, which never existed.");
        // Imported: it never left.
        if (state.Order(order).Exists) return;
        var archived = ArchiveEncoder.Decode(state, record);
        if (archived.Number != order) throw new ApplyException($"Event {e.Sequence} brings back order {order}, its record holds order {archived.Number}.");
        state.Archive.Restore(archived, e.Sequence);
    }
}
