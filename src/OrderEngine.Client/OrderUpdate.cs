// Owns what a watch hands to its reader. Immutable, any thread.
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client;

/// <summary>One step of a watch of orders. Keep <see cref="ResumeToken"/> once you have dealt with the step: it starts the next one.</summary>
public sealed class OrderUpdate
{
    internal OrderUpdate(IReadOnlyList<OrderEvent> events, IReadOnlyList<Order> orders, bool snapshotComplete, string token, long highWatermark)
    {
        Events = events;
        Orders = orders;
        SnapshotComplete = snapshotComplete;
        ResumeToken = token;
        HighWatermark = highWatermark;
    }

    /// <summary>Changes, in sequence. Empty in a page of the snapshot and in a heartbeat.</summary>
    public IReadOnlyList<OrderEvent> Events { get; }

    /// <summary>A page of the snapshot. An order's later events are those with a sequence above its own.</summary>
    public IReadOnlyList<Order> Orders { get; }

    /// <summary>True on the snapshot's last page.</summary>
    public bool SnapshotComplete { get; }

    /// <summary>Where the next step starts; empty only before the engine gave one.</summary>
    public string ResumeToken { get; }

    /// <summary>What the engine had made durable when this was sent.</summary>
    public long HighWatermark { get; }

    /// <summary>True when nothing happened but the token moved on.</summary>
    public bool IsHeartbeat => Events.Count == 0 && Orders.Count == 0 && !SnapshotComplete;
}

/// <summary>One step of a watch of stock: the newest levels of what changed.</summary>
public sealed class StockUpdate
{
    internal StockUpdate(IReadOnlyList<StockLevel> levels, string token, long highWatermark)
    {
        Levels = levels;
        ResumeToken = token;
        HighWatermark = highWatermark;
    }

    /// <summary>Levels; empty in a heartbeat.</summary>
    public IReadOnlyList<StockLevel> Levels { get; }

    /// <summary>Where the next step starts; empty while a snapshot is under way.</summary>
    public string ResumeToken { get; }

    /// <summary>What the engine had made durable when this was sent.</summary>
    public long HighWatermark { get; }

    /// <summary>True when nothing changed but the token moved on.</summary>
    public bool IsHeartbeat => Levels.Count == 0;
}
