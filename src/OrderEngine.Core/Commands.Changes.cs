// What can be asked of an accepted order by those who look after it: holds, amendments. As Commands.cs.

namespace OrderEngine.Core;

/// <summary>Keeps an order from being released to the warehouse.</summary>
public sealed class PlaceHold() : Command(CommandKind.PlaceHold), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>One kind.</summary>
    public required OrderHolds Hold { get; init; }
}

/// <summary>Ends a hold.</summary>
public sealed class ReleaseHold() : Command(CommandKind.ReleaseHold), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>One kind.</summary>
    public required OrderHolds Hold { get; init; }
}

/// <summary>What an amendment changes; the numbers are stored.</summary>
[Flags]
public enum AmendedFields : byte
{
    /// <summary>Nothing.</summary>
    None = 0,
    /// <summary>Personal data of the delivery.</summary>
    Delivery = 1 << 0,
    /// <summary>When the customer wants it.</summary>
    RequestedTime = 1 << 1,
    /// <summary>Quantities, prices, lines.</summary>
    Lines = 1 << 2,
}

/// <summary>A line as it shall be.</summary>
/// <param name="Line">1-based; 0: a new one.</param>
/// <param name="Sku">Number of the SKU of a new line; otherwise 0.</param>
/// <param name="Quantity">Units ordered, cancelled ones included; -1: as it is.</param>
/// <param name="UnitPrice">Minor units; -1: as it is.</param>
public readonly record struct AmendedLine(int Line, int Sku, int Quantity, long UnitPrice);

/// <summary>Changes an order before it goes to the warehouse.</summary>
public sealed class AmendOrder(CommandKind kind) : Command(kind), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>What is changed: the other members count only where it says so.</summary>
    public required AmendedFields Fields { get; init; }
    /// <summary>The delivery as it shall be, under the key it had.</summary>
    public SealedData Delivery { get; init; }
    /// <summary>Sequence of the amendment whose delivery the caller started from; 0: the acceptance's.</summary>
    public long DeliveryVersion { get; init; }
    /// <summary>Which fields of the delivery change: bit n is field n of orderengine.v1.PersonalDetails.</summary>
    public int DeliveryFields { get; init; }
    /// <summary>Ids of the review rules whose keywords the delivery's note holds, if the note changes.</summary>
    public byte[][] NoteRules { get; init; } = [];
    /// <summary>Microseconds since 1970; 0: none.</summary>
    public long RequestedAt { get; init; }
    /// <summary>Lines that change or are added, 1 to <see cref="Limits.LinesPerOrder"/>; a line at most once.</summary>
    public AmendedLine[] Lines { get; init; } = [];
}
