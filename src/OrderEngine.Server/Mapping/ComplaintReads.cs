// Complaints and feedback, for clients. Rows are read inside a read guard that the caller holds; texts are unsealed outside of it.

using System.Text;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using Journaled = OrderEngine.Contracts.Journal;
using V1 = OrderEngine.Contracts.V1;

namespace OrderEngine.Server.Mapping;

/// <summary>Makes the contract's complaints and feedback from rows and events.</summary>
internal static class ComplaintReads
{
    /// <summary>A complaint as it stands at a sequence; it exists there. Without its texts.</summary>
    public static Complaint Complaint(StateReader reader, long number, long at)
    {
        var view = reader.Complaint(number, at);
        ref readonly var head = ref view.Head;
        return new Complaint
        {
            ComplaintId = Texts.Complaint(number),
            OrderId = Texts.Order(head.Order),
            CustomerId = Texts.Customer(reader, reader.Order(head.Order, at).Head.Customer),
            Category = (V1.ComplaintCategory)head.Category,
            State = (V1.ComplaintState)head.State,
            Owner = (V1.Role)head.Owner,
            Assignee = Encoding.UTF8.GetString(view.Assignee),
            Resolution = (V1.ComplaintResolution)head.Resolution,
            ReturnId = Texts.Return(head.Return),
            Remedy = Remedy(reader, head.Return, at),
            OpenTime = Texts.Time(head.OpenedAt),
            ResolveTime = Texts.Time(head.ResolvedAt),
            Sequence = head.Version,
            Etag = Texts.Etag(head.Version),
        };
    }

    /// <summary>The sealed texts of a complaint: what was said, and what was done.</summary>
    public static (SealedData Text, SealedData Resolution) SealedTexts(StateReader reader, long number, long at)
    {
        ref readonly var head = ref reader.Complaint(number, at).Head;
        SealedData text = default, resolution = default;
        for (var cursor = 0L; text.Key == 0 && reader.PreviousEvent(head.Order, at, ref cursor, out var bytes);)
        {
            var e = new EventView(bytes);
            if (e.Sequence == head.Version && e.Kind == EventKind.ComplaintResolved) resolution = OrderReads.SealedIn(e.Body, PersonalFields.ResolutionText);
            if (e.Sequence == head.OpenedSequence) text = OrderReads.SealedIn(e.Body, PersonalFields.ComplaintText);
            if (e.Sequence <= head.OpenedSequence) break;
        }
        return (text, resolution);
    }

    /// <summary>What an order has of complaints and feedback; null when it has neither. Without text.</summary>
    public static OrderCare? Care(StateReader reader, long order, long at)
    {
        var row = reader.Care(order, at);
        if (row.Complaints == 0 && row.Feedback == 0) return null;
        var care = new OrderCare { Complaints = row.Complaints, OpenComplaints = row.OpenComplaints, Rating = row.Rating };
        if (row.Feedback != 0) care.FeedbackTime = Texts.Time(new EventView(reader.Event(order, row.Feedback)).Time);
        return care;
    }

    /// <summary>The sealed text of an order's feedback.</summary>
    public static SealedData SealedFeedback(StateReader reader, long order, long at)
    {
        var row = reader.Care(order, at);
        return row.Feedback == 0 ? default : OrderReads.SealedIn(new EventView(reader.Event(order, row.Feedback)).Body, PersonalFields.FeedbackText);
    }

    /// <summary>A complaint that was opened, assigned or resolved.</summary>
    public static ComplaintResponse Changed(in CommandAnswer answer)
    {
        var e = new EventView(answer.Event.Span);
        // The number is field 1 of each.
        var number = (long)Journaled.ComplaintAssigned.Parser.ParseFrom(e.Body).Complaint;
        return new ComplaintResponse
        {
            ComplaintId = Texts.Complaint(number), OrderId = Texts.Order(e.Order), Sequence = e.Sequence, Etag = Texts.Etag(e.Sequence), Replayed = answer.Replayed,
            State = e.Kind switch
            {
                EventKind.ComplaintOpened => V1.ComplaintState.Open,
                EventKind.ComplaintAssigned => V1.ComplaintState.Owned,
                _ => V1.ComplaintState.Resolved,
            },
        };
    }

    /// <summary>Feedback that was recorded.</summary>
    public static FeedbackResponse Recorded(in CommandAnswer answer)
    {
        var e = new EventView(answer.Event.Span);
        return new FeedbackResponse
        {
            OrderId = Texts.Order(e.Order), Sequence = e.Sequence, State = (V1.OrderState)e.After, Etag = Texts.Etag(e.Sequence), Replayed = answer.Replayed,
        };
    }

    /// <summary>Sets an event's change, if it is one of these.</summary>
    public static void SetChange(OrderEvent mapped, Journaled.Event e)
    {
        switch (e.BodyCase)
        {
            case Journaled.Event.BodyOneofCase.ComplaintOpened:
                mapped.ComplaintOpened = new ComplaintOpened
                {
                    ComplaintId = Texts.Complaint((long)e.ComplaintOpened.Complaint), Category = (V1.ComplaintCategory)e.ComplaintOpened.Category,
                    Owner = (V1.Role)e.ComplaintOpened.Owner, ReturnId = Texts.Return((long)e.ComplaintOpened.Return),
                };
                break;
            case Journaled.Event.BodyOneofCase.ComplaintAssigned:
                mapped.ComplaintAssigned = new ComplaintAssigned
                {
                    ComplaintId = Texts.Complaint((long)e.ComplaintAssigned.Complaint), Owner = (V1.Role)e.ComplaintAssigned.Owner, Assignee = e.ComplaintAssigned.Assignee,
                };
                break;
            case Journaled.Event.BodyOneofCase.ComplaintResolved:
                mapped.ComplaintResolved = new ComplaintResolved
                {
                    ComplaintId = Texts.Complaint((long)e.ComplaintResolved.Complaint), Resolution = (V1.ComplaintResolution)e.ComplaintResolved.Resolution,
                    ReturnId = Texts.Return((long)e.ComplaintResolved.Return),
                };
                break;
            case Journaled.Event.BodyOneofCase.FeedbackRecorded:
                mapped.FeedbackRecorded = new FeedbackRecorded { Rating = (int)e.FeedbackRecorded.Rating };
                break;
        }
    }

    /// <summary>Adds the text of an event to it, if it is one that has a text.</summary>
    /// <returns>True when it is.</returns>
    public static bool AddText(PersonalVault vault, OrderEvent happened, EventView e)
    {
        switch (e.Kind)
        {
            case EventKind.NoteAdded: happened.NoteAdded.Text = Text(vault, OrderReads.SealedIn(e.Body, PersonalFields.NoteText)); return true;
            case EventKind.ComplaintOpened: happened.ComplaintOpened.Text = Text(vault, OrderReads.SealedIn(e.Body, PersonalFields.ComplaintText)); return true;
            case EventKind.ComplaintResolved: happened.ComplaintResolved.Text = Text(vault, OrderReads.SealedIn(e.Body, PersonalFields.ResolutionText)); return true;
            case EventKind.FeedbackRecorded: happened.FeedbackRecorded.Text = Text(vault, OrderReads.SealedIn(e.Body, PersonalFields.FeedbackText)); return true;
            default: return false;
        }
    }

    /// <summary>A sealed text; empty when there is none, or its person was erased.</summary>
    public static string Text(PersonalVault vault, SealedData data) => vault.Unseal(data)?.Note ?? "";

    private static ComplaintRemedy Remedy(StateReader reader, long number, long at)
    {
        if (number == 0) return ComplaintRemedy.Unspecified;
        foreach (ref readonly var line in reader.Return(number, at).Lines)
            if (line.Repaired > 0) return ComplaintRemedy.Repair;
        return ComplaintRemedy.Return;
    }
}
