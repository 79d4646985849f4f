// What can be asked of stock that is held without an order. As Commands.cs.

namespace OrderEngine.Core;

/// <summary>Holds stock for a while.</summary>
public sealed class CreateReservation() : Command(CommandKind.CreateReservation)
{
    /// <summary>Number of the channel.</summary>
    public required int Channel { get; init; }
    /// <summary>Number of the customer; 0: none.</summary>
    public int Customer { get; init; }
    /// <summary>What to hold.</summary>
    public required SkuQuantity[] Items { get; init; }
    /// <summary>For how long from now, microseconds.</summary>
    public required long TtlMicros { get; init; }
}

/// <summary>Gives a reservation a new time to live.</summary>
public sealed class ExtendReservation() : Command(CommandKind.ExtendReservation)
{
    /// <summary>Its number.</summary>
    public required long Reservation { get; init; }
    /// <summary>From now, microseconds.</summary>
    public required long TtlMicros { get; init; }
}

/// <summary>Lets a reservation go.</summary>
public sealed class ReleaseReservation() : Command(CommandKind.ReleaseReservation)
{
    /// <summary>Its number.</summary>
    public required long Reservation { get; init; }
}
