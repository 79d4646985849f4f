// The model's customer care: confirmation, notes. One thread.

namespace OrderEngine.Core.Tests.Model;

internal sealed partial class NaiveModel
{
    private static readonly Outcome[] BoundInCare = [Outcome.NothingToConfirm];

    // The comments of the rpcs, "Usual role" and "Allowed".
    private static Role[]? CareRoles(CommandKind kind) => kind switch
    {
        CommandKind.ConfirmOrder => [Role.Customer, Role.Support],
        CommandKind.AddNote => [Role.Support, Role.Customer, Role.Channel, Role.Reviewer, Role.Finance, Role.Warehouse, Role.Carrier],
        _ => null,
    };

    // catalog.proto, Channel: what asks for a confirmation, and how long it is waited for.
    private void AskForConfirmation(ModelOrder order)
    {
        var limits = Rules[order.Submitted.Channel].Limits;
        if (!limits.RequiresConfirmation) return;
        order.Holds.Add(OrderHolds.Confirmation);
        order.ConfirmBy = (_now + (limits.ConfirmationDueSeconds > 0 ? limits.ConfirmationDueSeconds : 3 * 86_400) * 1_000_000, order.AcceptedSequence);
    }

    private Outcome Confirm(ConfirmOrder confirm)
    {
        var refusal = Find(confirm.Order, confirm.ExpectedVersion, NotAtTheirEnd, out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (!order.Holds.Remove(OrderHolds.Confirmation)) return Outcome.NothingToConfirm;
        order.ConfirmBy = null;
        Change(order);
        return Outcome.Ok;
    }

    // Nothing but an exception comes of it.
    private void MissConfirmation(ModelOrder order)
    {
        if (order.ConfirmBy is null) return;
        order.ConfirmBy = null;
        Change(order);
        Raise(ExceptionKind.DeadlineMissed, order, 0, 0);
    }

    private void FireDue(ModelOrder order)
    {
        var confirmationFirst = order.ConfirmBy is { } confirm && (order.Deadline is not { } deadline || confirm.CompareTo(deadline) < 0);
        if (confirmationFirst && order.ConfirmBy?.Due <= _now) MissConfirmation(order);
        if (order.Deadline?.Due <= _now) FireDeadline(order);
        if (order.ConfirmBy?.Due <= _now) MissConfirmation(order);
    }

    private Outcome Add(AddNote note)
    {
        var refusal = Find(note.Order, note.ExpectedVersion, Enum.GetValues<OrderState>(), out var order);
        if (refusal != Outcome.Ok) return refusal;
        if (order.Notes.Count == 100) return Outcome.NoteLimitReached;
        Change(order);
        order.Notes.Add((Sequence, Convert.ToHexString(note.Text.Ciphertext)));
        // orders.proto, AddNote: held back, unless all of it has left.
        if (note.NoteRules.Length > 0 && NotAtTheirEnd.Contains(order.State) && order.State is not (OrderState.Shipped or OrderState.Delivered)) order.Holds.Add(OrderHolds.Manual);
        return Outcome.Ok;
    }
}
