// Where events hold personal data: the fields of their bodies that are orderengine.journal.Sealed. One place, for import, export and erasure.

namespace OrderEngine.Core.Events;

/// <summary>The sealed fields of events.</summary>
public static class PersonalFields
{
    /// <summary>Of OrderSubmitted.</summary>
    public const int SubmittedDelivery = 9, SubmittedSpecialRequests = 242;

    /// <summary>Of NoteAdded.</summary>
    public const int NoteText = 1;

    /// <summary>Of ComplaintOpened, ComplaintResolved, FeedbackRecorded.</summary>
    public const int ComplaintText = 4, ResolutionText = 3, FeedbackText = 2;

    /// <summary>True when a field of an event's body is personal data.</summary>
    public static bool IsSealed(EventKind kind, int field) => kind switch
    {
        EventKind.CustomerDefined => field == 4,
        EventKind.OrderSubmitted => field is SubmittedDelivery or SubmittedSpecialRequests,
        EventKind.OrderAmended => field == Amendments.DeliveryField,
        EventKind.NoteAdded => field == NoteText,
        EventKind.ComplaintOpened => field == ComplaintText,
        EventKind.ComplaintResolved => field == ResolutionText,
        EventKind.FeedbackRecorded => field == FeedbackText,
        _ => false,
    };

    /// <summary>True when a field of an event's body is the number of a key that was destroyed: it means nothing in another engine.</summary>
    public static bool IsKey(EventKind kind, int field) => kind == EventKind.CustomerErased && field == 2 || kind == EventKind.OrderErased && field == 1;

    /// <summary>True when an event of this kind may hold personal data.</summary>
    public static bool MayHold(EventKind kind) => kind is EventKind.CustomerDefined or EventKind.OrderSubmitted or EventKind.OrderAmended or EventKind.NoteAdded
        or EventKind.ComplaintOpened or EventKind.ComplaintResolved or EventKind.FeedbackRecorded;
}
