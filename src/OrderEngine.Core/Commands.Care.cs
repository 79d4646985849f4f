// What is asked for the customer's sake: the customer's word on an order, notes, and what an order has beside the ordinary. As Commands.cs.

namespace OrderEngine.Core;

/// <summary>What only some orders have: kept in the event that accepts them, not in their row.</summary>
public sealed class OrderExtras
{
    /// <summary>Data of the adapter's own, at most <see cref="Limits.Attributes"/>, a key at most once; nothing personal.</summary>
    public OrderAttribute[] Attributes { get; init; } = [];
    /// <summary>What the customer asks for, under the key of the delivery.</summary>
    public SealedData SpecialRequests { get; init; }
}

/// <summary>One attribute.</summary>
/// <param name="Key">1 to <see cref="Limits.AttributeKeyBytes"/>.</param>
/// <param name="Value">At most <see cref="Limits.AttributeValueBytes"/>.</param>
public readonly record struct OrderAttribute(byte[] Key, byte[] Value);

/// <summary>Says that the customer wants the order: ends <see cref="OrderHolds.Confirmation"/>.</summary>
public sealed class ConfirmOrder() : Command(CommandKind.ConfirmOrder), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
}

/// <summary>A command with a text about a person.</summary>
public interface ISealedText
{
    /// <summary>The text, under the key of the order's person; may be none. Set when all else of the request is sound, before the command is handed over.</summary>
    SealedData Text { get; set; }
}

/// <summary>Adds a note to an order.</summary>
public sealed class AddNote() : Command(CommandKind.AddNote), IOrderCommand, ISealedText
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>Its text, under the key of the order's person.</summary>
    public SealedData Text { get; set; }
    /// <summary>Ids of the review rules whose keywords it holds.</summary>
    public byte[][] NoteRules { get; init; } = [];
}

/// <summary>Opens a complaint about an order.</summary>
public sealed class OpenComplaint() : Command(CommandKind.OpenComplaint), IOrderCommand, ISealedText
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>What it is about.</summary>
    public required ComplaintCategory Category { get; init; }
    /// <summary>Who has to look into it.</summary>
    public required Role Owner { get; init; }
    /// <summary>What the customer says, under the key of the order's person.</summary>
    public SealedData Text { get; set; }
    /// <summary>A return of the same order that it goes with; 0: none yet.</summary>
    public long Return { get; init; }
}

/// <summary>A command on a complaint.</summary>
/// <param name="kind">What is asked.</param>
public abstract class ComplaintCommand(CommandKind kind) : Command(kind)
{
    /// <summary>Number of the complaint.</summary>
    public required long Complaint { get; init; }
}

/// <summary>Gives a complaint to somebody.</summary>
public sealed class AssignComplaint() : ComplaintCommand(CommandKind.AssignComplaint)
{
    /// <summary>Who has to look into it.</summary>
    public required Role Owner { get; init; }
    /// <summary>Who of them: a staff number of at most <see cref="Limits.IdBytes"/>; empty: whoever comes first.</summary>
    public byte[] Assignee { get; init; } = [];
}

/// <summary>Ends a complaint.</summary>
public sealed class ResolveComplaint() : ComplaintCommand(CommandKind.ResolveComplaint), ISealedText
{
    /// <summary>What came of it.</summary>
    public required ComplaintResolution Resolution { get; init; }
    /// <summary>What was done or said, under the key of the order's person; may be none.</summary>
    public SealedData Text { get; set; }
    /// <summary>A return or repair of the same order that it led to; 0: the one that it has, if any.</summary>
    public long Return { get; init; }
}

/// <summary>What the customer thinks of an order that came.</summary>
public sealed class RecordFeedback() : Command(CommandKind.RecordFeedback), IOrderCommand, ISealedText
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>1 to <see cref="Limits.Rating"/>.</summary>
    public required int Rating { get; init; }
    /// <summary>In the customer's words, under the key of the order's person; may be none.</summary>
    public SealedData Text { get; set; }
}

/// <summary>Erases a customer's personal data: destroys the key under which all of it is sealed.</summary>
public sealed class EraseCustomer() : Command(CommandKind.EraseCustomer)
{
    /// <summary>Number of the customer.</summary>
    public required int Customer { get; init; }
}

/// <summary>Erases the personal data of a guest's order.</summary>
public sealed class EraseOrder() : Command(CommandKind.EraseOrder), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
}
