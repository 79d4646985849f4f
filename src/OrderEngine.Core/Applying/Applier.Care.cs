// Applying what was asked for the customer's sake: confirmation, notes, erasures.

using OrderEngine.Core.Events;

namespace OrderEngine.Core.Applying;

internal sealed partial class Applier
{
    // The deadline may have passed before: then somebody looked into it, and it is gone.
    private void Confirmed(in EventView e)
    {
        var order = Change(in e, 0);
        order.Head.Holds &= ~OrderHolds.Confirmation;
        state.Deadlines.Clear(e.Order, DeadlineKind.Confirmation, e.Sequence);
    }

    private void NoteAdded(in EventView e)
    {
        var order = Change(in e, 0);
        order.Head.Notes = checked((byte)(order.Head.Notes + 1));
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == PersonalFields.NoteText) state.Catalog.NoteKey(e.Customer, reader.Bytes(), e.Sequence);
            else if (field == 2) order.Head.Holds = (OrderHolds)checked((byte)reader.Varint());
            else reader.Skip(wireType);
        }
    }

    private void CustomerErased(in EventView e)
    {
        ReadNumbers(e.Body, out var customer, out var key);
        CheckKnown(checked((int)customer), state.Catalog.CustomerIds, "customer");
        state.Erasures.Add((int)customer, 0, key, e.Time, e.Sequence);
    }

    private void OrderErased(in EventView e)
    {
        var order = Change(in e, 0);
        order.Head.Details |= OrderDetails.Erased;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) state.Erasures.Add(0, e.Order, reader.Long(), e.Time, e.Sequence);
            else reader.Skip(wireType);
        }
    }
}
