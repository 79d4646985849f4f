// Deciding complaints and feedback.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    private Outcome Open(OpenComplaint open)
    {
        var refusal = FindOrder(open.Order, out var order);
        if (refusal != Outcome.Ok) return refusal;
        refusal = MayTake(order.Head.Customer, open.Text, open.Order, order.Head.Details);
        if (refusal != Outcome.Ok) return refusal;
        if (state.Complaints.OfOrder(open.Order).Complaints >= Limits.ComplaintsPerOrder) return Outcome.ComplaintLimitReached;
        if (open.Return != 0 && !state.Return(open.Return).Exists) return Outcome.ReturnNotFound;
        if (!IsReturnOf(open.Return, open.Order)) return Refuse(Outcome.ComplaintReturnMismatch, open.Order);
        BeginOrderEvent(open.Order, in order.Head, order.Head.State);
        _events.BeginBody(EventKind.ComplaintOpened);
        _events.Number(1, state.Complaints.Rows.Count + 1);
        _events.Number(2, (long)open.Category);
        _events.Number(3, (long)open.Owner);
        Sealed(PersonalFields.ComplaintText, open.Text);
        _events.Number(5, open.Return);
        EndAnswer();
        return Outcome.Ok;
    }

    private Outcome Assign(AssignComplaint assign)
    {
        var refusal = FindComplaint(assign, out var complaint);
        if (refusal != Outcome.Ok) return refusal;
        BeginComplaintEvent(EventKind.ComplaintAssigned, assign.Complaint, complaint);
        _events.Number(2, (long)assign.Owner);
        _events.Bytes(3, assign.Assignee);
        EndAnswer();
        return Outcome.Ok;
    }

    private Outcome Resolve(ResolveComplaint resolve)
    {
        var refusal = FindComplaint(resolve, out var complaint);
        if (refusal != Outcome.Ok) return refusal;
        if (resolve.Return != 0 && !state.Return(resolve.Return).Exists) return Outcome.ReturnNotFound;
        ref readonly var head = ref state.Order(complaint.Head.Order).Head;
        refusal = MayTake(head.Customer, resolve.Text, resolve.Complaint, head.Details);
        if (refusal != Outcome.Ok) return refusal;
        if (!IsReturnOf(resolve.Return, complaint.Head.Order)) return Refuse(Outcome.ComplaintReturnMismatch, resolve.Complaint);
        BeginComplaintEvent(EventKind.ComplaintResolved, resolve.Complaint, complaint);
        _events.Number(2, (long)resolve.Resolution);
        Sealed(PersonalFields.ResolutionText, resolve.Text);
        _events.Number(4, resolve.Return);
        EndAnswer();
        return Outcome.Ok;
    }

    private Outcome Record(RecordFeedback feedback)
    {
        var refusal = FindOrder(feedback.Order, out var order);
        if (refusal != Outcome.Ok) return refusal;
        refusal = MayTake(order.Head.Customer, feedback.Text, feedback.Order, order.Head.Details);
        if (refusal != Outcome.Ok) return refusal;
        if (state.Complaints.OfOrder(feedback.Order).Feedback != 0) return Refuse(Outcome.FeedbackGiven, feedback.Order);
        BeginOrderEvent(feedback.Order, in order.Head, order.Head.State);
        _events.BeginBody(EventKind.FeedbackRecorded);
        _events.Number(1, feedback.Rating);
        Sealed(PersonalFields.FeedbackText, feedback.Text);
        EndAnswer();
        return Outcome.Ok;
    }

    /// <summary>The complaint, if it exists, is the version that the caller has seen, and is not resolved.</summary>
    private Outcome FindComplaint(ComplaintCommand command, out ComplaintView complaint)
    {
        complaint = state.Complaints.Of(command.Complaint);
        if (!complaint.Exists) return Outcome.ComplaintNotFound;
        if (_command.ExpectedVersion != 0 && _command.ExpectedVersion != complaint.Head.Version) return Outcome.EtagMismatch;
        return complaint.Head.State != ComplaintState.Resolved ? Outcome.Ok : Refuse(Outcome.ComplaintClosed, command.Complaint);
    }

    private void BeginComplaintEvent(EventKind kind, long number, ComplaintView complaint)
    {
        ref readonly var head = ref state.Order(complaint.Head.Order).Head;
        BeginOrderEvent(complaint.Head.Order, in head, head.State);
        _events.BeginBody(kind);
        _events.Number(1, number);
    }

    private bool IsReturnOf(long number, long order)
    {
        if (number == 0) return true;
        var found = state.Return(number);
        return found.Exists && found.Head.Order == order;
    }
}
