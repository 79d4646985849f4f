// What the warehouse and the carrier report of an order. As Commands.cs.

namespace OrderEngine.Core;

/// <summary>Units of an order's line at a location.</summary>
/// <param name="Line">1-based.</param>
/// <param name="Location">Number of the location.</param>
/// <param name="Quantity">Units.</param>
public readonly record struct LineMovement(int Line, int Location, int Quantity);

/// <summary>Released units of an order's line that could not be picked.</summary>
/// <param name="Line">1-based.</param>
/// <param name="Location">Number of the location.</param>
/// <param name="Quantity">Units.</param>
/// <param name="Cause">What became of them.</param>
public readonly record struct ShortPick(int Line, int Location, int Quantity, ShortPickCause Cause);

/// <summary>Hands reserved units to the warehouse.</summary>
public sealed class ReleaseShipment() : Command(CommandKind.ReleaseShipment), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>Empty: all that is reserved. A line and location at most once.</summary>
    public LineMovement[] Lines { get; init; } = [];
}

/// <summary>Says that released units left in a parcel.</summary>
public sealed class ConfirmShipment() : Command(CommandKind.ConfirmShipment), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>Empty: all that is released and not in <see cref="Short"/>, if at one location. A line and location at most once, one location only.</summary>
    public LineMovement[] Lines { get; init; } = [];
    /// <summary>Released units that could not be picked, of the same location. A line at most once.</summary>
    public ShortPick[] Short { get; init; } = [];
    /// <summary>Who carries it.</summary>
    public byte[] Carrier { get; init; } = [];
    /// <summary>The carrier's number.</summary>
    public byte[] TrackingNumber { get; init; } = [];
}

/// <summary>Says that shipped units arrived.</summary>
public sealed class RecordDelivery() : Command(CommandKind.RecordDelivery), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>Empty: all that is under way. A line at most once.</summary>
    public LineQuantity[] Lines { get; init; } = [];
    /// <summary>Only of this parcel, 1-based; 0: of any, the oldest first.</summary>
    public int Parcel { get; init; }
}

/// <summary>Says that shipped units are lost.</summary>
public sealed class RecordLoss() : Command(CommandKind.RecordLoss), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>Empty: all that is under way. A line at most once.</summary>
    public LineQuantity[] Lines { get; init; } = [];
    /// <summary>Only of this parcel, 1-based; 0: of any, the oldest first.</summary>
    public int Parcel { get; init; }
}

/// <summary>Takes released units back from the warehouse: they are reserved again.</summary>
public sealed class RecallShipment() : Command(CommandKind.RecallShipment), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>Empty: all that is released. A line and location at most once.</summary>
    public LineMovement[] Lines { get; init; } = [];
}
