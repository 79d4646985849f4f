// The core's front: one object that owns the state, decides commands and applies events. One thread writes (the engine's writer);
// StateReader reads from any thread. No clock, no I/O: time comes in as microseconds since 1970 and never runs backwards.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core;

/// <summary>What a command came to.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Sequence">The sequence of its first event, or the last sequence applied when it was decided (no event, replay).
/// The answer may be given once this sequence is durable.</param>
/// <param name="Offset">Where the event that answers it lies in the batch's buffer; -1: not in this batch.</param>
/// <param name="Length">Bytes of that event.</param>
/// <param name="Recorded">For a replay: a copy of the event recorded when the request came first; otherwise null.</param>
public readonly record struct Decision(Outcome Outcome, long Sequence, int Offset, int Length, byte[]? Recorded)
{
    /// <summary>True: the recorded answer to an earlier request with the same id.</summary>
    public bool Replayed => Recorded is not null;
}

/// <summary>Figures of the whole state at one sequence.</summary>
/// <param name="Sequence">At which they are true.</param>
/// <param name="Time">Time of the last event, microseconds since 1970.</param>
/// <param name="StateHash">Over all durable state, independent of its layout in memory.</param>
/// <param name="Orders">Orders accepted, ever.</param>
/// <param name="OpenReservations">Reservations that are held.</param>
/// <param name="OnHand">Units on hand, all SKUs and locations.</param>
/// <param name="Committed">Units reserved for orders, released included.</param>
/// <param name="Held">Units held by reservations.</param>
/// <param name="Backordered">Units that orders wait for.</param>
public sealed record StateSummary(long Sequence, long Time, ulong StateHash, long Orders, long OpenReservations,
    long OnHand, long Committed, long Held, long Backordered);

/// <summary>The core. All members are for the writer's thread but for <see cref="Reader"/>.</summary>
public sealed partial class OrderCore
{
    /// <summary>
    /// Decides one command at <paramref name="now"/> and applies what follows from it. The events are appended to <paramref name="events"/>.
    /// A deadline that has passed on the command's object is fired first; the queue of a SKU that has stock to hand out is served first.
    /// An exception from deciding leaves state and buffer as they were and answers INTERNAL; one from applying is final (rule 5).
    /// </summary>
    /// <exception cref="ApplyException">Applying failed: the process must end.</exception>
    public Decision Execute(Command command, long now, EventBuffer events) => throw new NotImplementedException();

    /// <summary>Decides a submission and changes nothing: the events it would cause are left in <paramref name="scratch"/> (cleared first).</summary>
    public Decision Check(SubmitOrder command, long now, EventBuffer scratch) => throw new NotImplementedException();

    /// <summary>Does what is due without being asked: fires timers, serves backorder queues; bounded by <see cref="Limits"/>.</summary>
    /// <returns>True when more is left to do now.</returns>
    public bool Turn(long now, EventBuffer events) => throw new NotImplementedException();

    /// <summary>When the next timer is due, microseconds since 1970; <see cref="long.MaxValue"/> when none is pending.</summary>
    public long NextDue => throw new NotImplementedException();

    /// <summary>True when a queue has stock to hand out: <see cref="Turn"/> has work.</summary>
    public bool HasPendingFills => throw new NotImplementedException();

    /// <summary>Ends a batch: what was applied since the last call becomes one version of the state. Returns the figures at its end.</summary>
    public StateSummary Seal() => throw new NotImplementedException();

    /// <summary>Stock slots changed since the last <see cref="Seal"/>; for the stock watch. Valid until the next call into the core.</summary>
    public ReadOnlySpan<long> TouchedStock => throw new NotImplementedException();

    /// <summary>Frees superseded row versions that nobody can see any more, a bounded number.</summary>
    /// <param name="durableSequence">The last sequence published to readers.</param>
    public void Reclaim(long durableSequence) => throw new NotImplementedException();

    /// <summary>Applies one recorded event: recovery, import, a standby. Events must come in sequence. Call <see cref="Seal"/> now and then.</summary>
    /// <exception cref="ApplyException">The event does not follow or does not fit the state.</exception>
    public void Replay(ReadOnlySpan<byte> eventBytes) => throw new NotImplementedException();

    /// <summary>The last sequence applied.</summary>
    public long Sequence => throw new NotImplementedException();

    /// <summary>The time of the last event, microseconds since 1970: time never runs behind it.</summary>
    public long Time => throw new NotImplementedException();

    /// <summary>The read side; any thread.</summary>
    public StateReader Reader => throw new NotImplementedException();
}

/// <summary>An event could not be applied: the state can no longer be trusted and the process must end (rule 5).</summary>
public sealed class ApplyException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ApplyException(string message) : base(message) { }

    /// <summary>Creates the exception with its cause.</summary>
    public ApplyException(string message, Exception innerException) : base(message, innerException) { }
}
