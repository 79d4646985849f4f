// What subscribers ask for, get, and are refused. Values only; any thread.

using OrderEngine.Core;

namespace OrderEngine.Engine;

/// <summary>Which orders' events a subscriber wants: all lists given must match, an empty one matches everything.</summary>
/// <param name="Channels">Channel numbers.</param>
/// <param name="Customers">Customer numbers.</param>
/// <param name="Orders">Order numbers.</param>
/// <param name="States">Matches when the state before or after is one of these.</param>
public sealed record OrderFilter(int[] Channels, int[] Customers, long[] Orders, OrderState[] States)
{
    /// <summary>Matches every event of every order.</summary>
    public static OrderFilter All { get; } = new([], [], [], []);
}

/// <summary>Events for a subscriber.</summary>
/// <param name="Events">Matching encoded events, in sequence; empty: a heartbeat.</param>
/// <param name="Through">Everything that matches up to here has been handed out: the position to resume after.</param>
/// <param name="HighWatermark">What was durable when this was made.</param>
public readonly record struct FeedPage(IReadOnlyList<ReadOnlyMemory<byte>> Events, long Through, long HighWatermark);

/// <summary>Stock slots that changed for a subscriber: read their levels at HighWatermark or later.</summary>
/// <param name="Slots">Slots, each once; empty: a heartbeat.</param>
/// <param name="Through">Every change up to here is covered: the position to resume after.</param>
/// <param name="HighWatermark">What was durable when this was made.</param>
public readonly record struct StockPage(IReadOnlyList<long> Slots, long Through, long HighWatermark);

/// <summary>As many subscriptions are open as are allowed.</summary>
public sealed class SubscriberLimitException : Exception
{
    /// <summary>Creates the exception.</summary>
    public SubscriberLimitException(int limit) : base($"{limit} subscriptions are open, which is the limit.") => Limit = limit;

    /// <summary>How many are allowed.</summary>
    public int Limit { get; }
}

/// <summary>How far a subscriber is behind.</summary>
/// <param name="Owner">Who reads.</param>
/// <param name="Lag">Sequences between what it has been handed and what is durable.</param>
public readonly record struct SubscriberLag(string Owner, long Lag)
{
    /// <summary>Those that are furthest behind, the worst first; none of those that are not behind.</summary>
    internal static IReadOnlyList<SubscriberLag> Worst(IEnumerable<SubscriberLag> subscribers, int count) =>
        [.. subscribers.Where(one => one.Lag > 0).OrderByDescending(one => one.Lag).Take(count)];
}

/// <summary>The journal no longer reaches back to the position asked for.</summary>
public sealed class PositionTruncatedException : Exception
{
    /// <summary>Creates the exception.</summary>
    public PositionTruncatedException(long earliest) : base($"Events behind that position are no longer kept; the earliest position is {earliest}.") => Earliest = earliest;

    /// <summary>The earliest position that can be resumed after.</summary>
    public long Earliest { get; }
}

/// <summary>The position asked for lies behind everything that is durable here: it is of another engine, or of a state since lost.</summary>
public sealed class PositionAheadException : Exception
{
    /// <summary>Creates the exception.</summary>
    public PositionAheadException(long position, long durable) : base($"Position {position} lies ahead of {durable}, the last durable one.") => Durable = durable;

    /// <summary>The last durable position.</summary>
    public long Durable { get; }
}

/// <summary>The engine has stopped and everything was handed out.</summary>
public sealed class FeedClosedException : Exception
{
    /// <summary>Creates the exception.</summary>
    public FeedClosedException() : base("The engine has stopped; nothing more will come.") { }
}
