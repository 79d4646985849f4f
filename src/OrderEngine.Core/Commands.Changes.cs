// What can be asked of an accepted order by those who look after it: holds. As Commands.cs.

namespace OrderEngine.Core;

/// <summary>Keeps an order from being released to the warehouse.</summary>
public sealed class PlaceHold() : Command(CommandKind.PlaceHold)
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>One kind.</summary>
    public required OrderHolds Hold { get; init; }
}

/// <summary>Ends a hold.</summary>
public sealed class ReleaseHold() : Command(CommandKind.ReleaseHold)
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>One kind.</summary>
    public required OrderHolds Hold { get; init; }
}
