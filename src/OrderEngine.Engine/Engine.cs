// The engine: intake lanes, the writer, commits, publication, and what reads beside them.

using OrderEngine.Core;
using OrderEngine.Core.State;

namespace OrderEngine.Engine;

/// <summary>Which intake lane a command takes. Order is kept within a lane for one caller, not between lanes.</summary>
public enum Lane
{
    /// <summary>New orders and reservations.</summary>
    Normal = 0,
    /// <summary>What finishes things that were begun (fulfilment, cancels, commits of reservations), stock, and orders of high priority.</summary>
    Priority = 1,
}

/// <summary>The answer to a command, given after its commit.</summary>
/// <param name="Outcome">How it ended; from <see cref="Outcome.QueueFull"/> on: it was not decided at all.</param>
/// <param name="Sequence">The sequence of its first event, or of the state it was decided on.</param>
/// <param name="Event">The encoded event (orderengine.journal.Event) that answers it; empty when there is none.</param>
/// <param name="Replayed">True: the recorded answer to an earlier request with the same id.</param>
public readonly record struct CommandAnswer(Outcome Outcome, long Sequence, ReadOnlyMemory<byte> Event, bool Replayed);

/// <summary>Where the engine is in its life.</summary>
public enum EnginePhase
{
    /// <summary>Reading the journal.</summary>
    Recovering = 1,
    /// <summary>Taking commands.</summary>
    Serving = 2,
    /// <summary>Answering what is in flight, taking nothing new.</summary>
    Draining = 3,
}

/// <summary>Which orders' events a subscriber wants: all lists given must match, an empty one matches everything.</summary>
/// <param name="Channels">Channel numbers.</param>
/// <param name="Customers">Customer numbers.</param>
/// <param name="Orders">Order numbers.</param>
/// <param name="States">Matches when the state before or after is one of these.</param>
public sealed record OrderFilter(int[] Channels, int[] Customers, long[] Orders, OrderState[] States);

/// <summary>Events for a subscriber.</summary>
/// <param name="Events">Matching encoded events, in sequence; empty: a heartbeat.</param>
/// <param name="Through">Everything that matches up to here has been handed out: the position to resume after.</param>
/// <param name="HighWatermark">What was durable when this was made.</param>
public readonly record struct FeedPage(IReadOnlyList<ReadOnlyMemory<byte>> Events, long Through, long HighWatermark);

/// <summary>Stock slots that changed for a subscriber: read their levels at HighWatermark or later.</summary>
/// <param name="Slots">Slots, each once; empty: a heartbeat.</param>
/// <param name="Through">Every change up to here is covered.</param>
/// <param name="HighWatermark">What was durable when this was made.</param>
public readonly record struct StockPage(IReadOnlyList<long> Slots, long Through, long HighWatermark);
