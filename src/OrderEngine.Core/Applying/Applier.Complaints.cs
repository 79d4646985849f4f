// Applying complaints and feedback: the complaint's row and what its order has of them move together.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Applying;

internal sealed partial class Applier
{
    private void ComplaintOpened(in EventView e)
    {
        Change(in e, 0);
        long number = 0;
        var head = new ComplaintHead { Order = e.Order, OpenedAt = e.Time, OpenedSequence = e.Sequence, Version = e.Sequence, State = ComplaintState.Open };
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2: head.Category = (ComplaintCategory)checked((byte)reader.Varint()); break;
                case 3: head.Owner = (Role)checked((byte)reader.Varint()); break;
                case PersonalFields.ComplaintText: state.Catalog.NoteKey(e.Customer, reader.Bytes(), e.Sequence); break;
                case 5: head.Return = ReturnOf(reader.Long(), e.Order); break;
                default: reader.Skip(wireType); break;
            }
        }
        if (number != state.Complaints.Rows.Count + 1) throw new ApplyException($"Complaint {number} does not follow {state.Complaints.Rows.Count}.");
        ref var care = ref state.Complaints.ChangeOrder(e.Order, e.Sequence);
        head.Previous = care.LastComplaint;
        care.LastComplaint = number;
        care.Complaints++;
        care.OpenComplaints++;
        var isFirst = care.Complaints == 1;
        state.Complaints.Add(number, e.Customer, in head, e.Sequence);
        state.Statistics.ComplaintOpened(state.Order(e.Order).Head.Channel, isFirst, e.Sequence);
    }

    private void ComplaintAssigned(in EventView e)
    {
        Change(in e, 0);
        long number = 0;
        var owner = Role.None;
        ReadOnlySpan<byte> assignee = default;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2: owner = (Role)checked((byte)reader.Varint()); break;
                case 3: assignee = reader.Bytes(); break;
                default: reader.Skip(wireType); break;
            }
        }
        CheckOpen(number, e.Order);
        state.Complaints.Assign(number, owner, assignee, e.Sequence);
    }

    private void ComplaintResolved(in EventView e)
    {
        Change(in e, 0);
        long number = 0, withReturn = 0;
        var resolution = ComplaintResolution.None;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: number = reader.Long(); break;
                case 2: resolution = (ComplaintResolution)checked((byte)reader.Varint()); break;
                case PersonalFields.ResolutionText: state.Catalog.NoteKey(e.Customer, reader.Bytes(), e.Sequence); break;
                case 4: withReturn = ReturnOf(reader.Long(), e.Order); break;
                default: reader.Skip(wireType); break;
            }
        }
        CheckOpen(number, e.Order);
        state.Complaints.Resolve(number, resolution, withReturn, e.Time, e.Sequence);
        state.Complaints.ChangeOrder(e.Order, e.Sequence).OpenComplaints--;
    }

    private void FeedbackRecorded(in EventView e)
    {
        Change(in e, 0);
        ref var care = ref state.Complaints.ChangeOrder(e.Order, e.Sequence);
        care.Feedback = e.Sequence;
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) care.Rating = reader.Int();
            else if (field == PersonalFields.FeedbackText) state.Catalog.NoteKey(e.Customer, reader.Bytes(), e.Sequence);
            else reader.Skip(wireType);
        }
    }

    private void CheckOpen(long number, long order)
    {
        var complaint = state.Complaints.Of(number);
        if (!complaint.Exists || complaint.Head.State == ComplaintState.Resolved || complaint.Head.Order != order)
            throw new ApplyException($"Complaint {number} of order {order} is not open.");
    }

    private long ReturnOf(long number, long order)
    {
        var found = state.Return(number);
        if (!found.Exists || found.Head.Order != order) throw new ApplyException($"Return {number} is not of order {order}.");
        return number;
    }
}
