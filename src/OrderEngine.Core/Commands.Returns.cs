// What can be asked after the sale: returns, exchanges and repairs. As Commands.cs: not changed once handed over.

namespace OrderEngine.Core;

/// <summary>Asks that shipped units may come back, for a refund, in exchange or to be repaired.</summary>
public sealed class RequestReturn() : Command(CommandKind.RequestReturn), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>The caller's own id of the return, unique within the order; may be empty.</summary>
    public byte[] ExternalId { get; init; } = [];
    /// <summary>Empty: all that can be returned. A line at most once.</summary>
    public LineQuantity[] Lines { get; init; } = [];
    /// <summary>Not empty: an exchange. At most <see cref="Limits.ReplacementLines"/>; the price is what the customer pays on top.</summary>
    public DraftLine[] Replacements { get; init; } = [];
}

/// <summary>A command on a return that exists.</summary>
public abstract class ReturnCommand(CommandKind kind) : Command(kind)
{
    /// <summary>Its number.</summary>
    public required long Return { get; init; }
}

/// <summary>A step of a return that says nothing but itself: approve, reject, repaired, closed.</summary>
public sealed class ReturnStep(CommandKind kind) : ReturnCommand(kind);

/// <summary>A parcel of a return: on its way to the seller, or, repaired, back to the customer.</summary>
public sealed class CarryReturn(CommandKind kind) : ReturnCommand(kind)
{
    /// <summary>Who carries it.</summary>
    public byte[] Carrier { get; init; } = [];
    /// <summary>The carrier's number.</summary>
    public byte[] TrackingNumber { get; init; } = [];
}

/// <summary>Units of an order's line that came back, and what becomes of them.</summary>
/// <param name="Line">1-based line of the order.</param>
/// <param name="Quantity">Units.</param>
/// <param name="Disposition">What becomes of them.</param>
public readonly record struct ReturnedUnits(int Line, int Quantity, Disposition Disposition);

/// <summary>Says that units of a return arrived.</summary>
public sealed class ReceiveReturn() : ReturnCommand(CommandKind.ReceiveReturn)
{
    /// <summary>Number of the location.</summary>
    public required int Location { get; init; }
    /// <summary>1 to <see cref="Limits.ReceivedPerRequest"/>; a line and disposition at most once.</summary>
    public required ReturnedUnits[] Units { get; init; }
}
