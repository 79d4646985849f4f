// What the engine asks of itself to keep closed orders out of memory. As Commands.cs; nobody outside may send them.

namespace OrderEngine.Core;

/// <summary>An order to archive, and the version that was written to the archive.</summary>
/// <param name="Order">Number of the order.</param>
/// <param name="Version">Its version as written: an order that has changed since stays.</param>
public readonly record struct ArchivedVersion(long Order, long Version);

/// <summary>Lets go of orders that are closed, past their window, and durable in the archive. At most <see cref="Limits.ArchivedPerCommand"/>.</summary>
public sealed class ArchiveOrders() : Command(CommandKind.ArchiveOrders)
{
    /// <summary>Which.</summary>
    public required ArchivedVersion[] Orders { get; init; }
    /// <summary>Behind their records in the archive.</summary>
    public required long Position { get; init; }
    /// <summary>Microseconds since its last change after which a closed order goes.</summary>
    public required long WindowMicros { get; init; }
}

/// <summary>Brings an archived order back, since a command wants it.</summary>
public sealed class RestoreOrder() : Command(CommandKind.RestoreOrder)
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>Its newest record in the archive.</summary>
    public required byte[] Record { get; init; }
}
