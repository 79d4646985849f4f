// The model's customer care: confirmation, notes, complaints, feedback. One thread.

namespace OrderEngine.Core.Tests.Model;

internal sealed class ModelComplaint
{
    public required long Number { get; init; }
    public required OpenComplaint Opened { get; init; }
    public required long OpenedAt { get; init; }
    public required long OpenedSequence { get; init; }
    public ComplaintState State = ComplaintState.Open;
    public ComplaintResolution Resolution;
    public Role Owner;
    public string Assignee = "";
    public long Return, Version, ResolvedAt;
}

internal sealed partial class NaiveModel
{
    public readonly List<ModelComplaint> Complaints = [];
    /// <summary>By order: sequence and rating.</summary>
    public readonly Dictionary<long, (long Sequence, int Rating)> Feedback = [];

    private static readonly Outcome[] BoundInCare = [Outcome.PersonErased, Outcome.NothingToConfirm, Outcome.ComplaintClosed, Outcome.ComplaintReturnMismatch, Outcome.FeedbackGiven];

    // The comments of the rpcs, "Usual role" and "Allowed".
    private static Role[]? CareRoles(CommandKind kind) => kind switch
    {
        CommandKind.ConfirmOrder => [Role.Customer, Role.Support],
        CommandKind.AddNote => [Role.Support, Role.Customer, Role.Channel, Role.Reviewer, Role.Finance, Role.Warehouse, Role.Carrier],
        CommandKind.OpenComplaint or CommandKind.RecordFeedback => [Role.Customer, Role.Support, Role.Channel],
        CommandKind.AssignComplaint or CommandKind.ResolveComplaint or CommandKind.EraseCustomer or CommandKind.EraseOrder => [Role.Support, Role.Manager],
        _ => null,
    };

    // catalog.proto, Channel: what asks for a confirmation, and how long it is waited for.
    private void AskForConfirmation(ModelOrder order)
    {
        var limits = Rules[order.Submitted.Channel].Limits;
        if (!limits.RequiresConfirmation) return;
        order.Holds.Add(OrderHolds.Confirmation);
        Set(order, DeadlineKind.Confirmation, _now + (limits.ConfirmationDueSeconds > 0 ? limits.ConfirmationDueSeconds : 3 * 86_400) * 1_000_000);
    }

    private Outcome Confirm(ConfirmOrder confirm)
    {
        var refusal = Find(confirm.Order, confirm.ExpectedVersion, NotAtTheirEnd, out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (!order.Holds.Remove(OrderHolds.Confirmation)) return Outcome.NothingToConfirm;
        order.Deadlines.Remove(DeadlineKind.Confirmation);
        Change(order);
        return Outcome.Ok;
    }

    private Outcome Add(AddNote note)
    {
        var refusal = Find(note.Order, note.ExpectedVersion, Enum.GetValues<OrderState>(), out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (MayTake(order.Submitted.Customer, note.Text, order) is not Outcome.Ok and var taking) return taking;
        if (order.Notes.Count == 100) return Outcome.NoteLimitReached;
        Change(order);
        Took(order.Submitted.Customer, note.Text, order);
        order.Notes.Add((Sequence, Convert.ToHexString(note.Text.Ciphertext)));
        // orders.proto, AddNote: held back, unless all of it has left.
        if (note.NoteRules.Length > 0 && NotAtTheirEnd.Contains(order.State) && order.State is not (OrderState.Shipped or OrderState.Delivered)) order.Holds.Add(OrderHolds.Manual);
        return Outcome.Ok;
    }

    // --- complaints and feedback ---

    private bool IsReturnOf(long number, long order) => number == 0 || FindReturn(number)?.Order == order;

    private Outcome Open(OpenComplaint open)
    {
        var refusal = Find(open.Order, open.ExpectedVersion, Enum.GetValues<OrderState>(), out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (MayTake(order.Submitted.Customer, open.Text, order) is not Outcome.Ok and var taking) return taking;
        if (Complaints.Count(c => c.Opened.Order == open.Order) == 100) return Outcome.ComplaintLimitReached;
        if (open.Return != 0 && FindReturn(open.Return) is null) return Outcome.ReturnNotFound;
        if (!IsReturnOf(open.Return, open.Order)) return Outcome.ComplaintReturnMismatch;
        Change(order);
        Took(order.Submitted.Customer, open.Text, order);
        Complaints.Add(new ModelComplaint
        {
            Number = Complaints.Count + 1, Opened = open, OpenedAt = _now, OpenedSequence = Sequence, Version = Sequence, Owner = open.Owner, Return = open.Return,
        });
        return Outcome.Ok;
    }

    private Outcome OfComplaint(ComplaintCommand asked)
    {
        if (asked.Complaint < 1 || asked.Complaint > Complaints.Count) return Outcome.ComplaintNotFound;
        var complaint = Complaints[(int)asked.Complaint - 1];
        if (asked.ExpectedVersion != 0 && asked.ExpectedVersion != complaint.Version) return Outcome.EtagMismatch;
        if (complaint.State == ComplaintState.Resolved) return Outcome.ComplaintClosed;
        if (asked is ResolveComplaint { Return: > 0 } named && FindReturn(named.Return) is null) return Outcome.ReturnNotFound;
        var about = Orders[(int)complaint.Opened.Order - 1];
        var said = asked is ResolveComplaint { Text: var text } ? text : default;
        if (MayTake(about.Submitted.Customer, said, about) is not Outcome.Ok and var taking) return taking;
        if (asked is ResolveComplaint { Return: > 0 } led && !IsReturnOf(led.Return, complaint.Opened.Order)) return Outcome.ComplaintReturnMismatch;
        Change(about);
        Took(about.Submitted.Customer, said, about);
        complaint.Version = Sequence;
        if (asked is AssignComplaint assign)
        {
            (complaint.State, complaint.Owner, complaint.Assignee) = (ComplaintState.Owned, assign.Owner, Text(assign.Assignee));
            return Outcome.Ok;
        }
        var resolve = (ResolveComplaint)asked;
        (complaint.State, complaint.Resolution, complaint.ResolvedAt) = (ComplaintState.Resolved, resolve.Resolution, _now);
        if (resolve.Return != 0) complaint.Return = resolve.Return;
        return Outcome.Ok;
    }

    private Outcome Record(RecordFeedback feedback)
    {
        var refusal = Find(feedback.Order, feedback.ExpectedVersion, [OrderState.Delivered, OrderState.Completed], out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (MayTake(order.Submitted.Customer, feedback.Text, order) is not Outcome.Ok and var taking) return taking;
        if (Feedback.ContainsKey(feedback.Order)) return Outcome.FeedbackGiven;
        Change(order);
        Took(order.Submitted.Customer, feedback.Text, order);
        Feedback[feedback.Order] = (Sequence, feedback.Rating);
        return Outcome.Ok;
    }
}
