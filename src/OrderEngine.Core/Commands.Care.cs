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

/// <summary>Adds a note to an order.</summary>
public sealed class AddNote() : Command(CommandKind.AddNote), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>Its text, under the key of the order's person.</summary>
    public required SealedData Text { get; init; }
    /// <summary>Ids of the review rules whose keywords it holds.</summary>
    public byte[][] NoteRules { get; init; } = [];
}
