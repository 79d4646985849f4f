// What goes into the engine and what comes out of it, in the words that the server uses. Values only; any thread.

using System.Runtime.CompilerServices;
using OrderEngine.Core;

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
/// <param name="Outcome">How it ended; see <see cref="WasDecided"/> for those that never reached the core.</param>
/// <param name="Sequence">The sequence of its first event, or of the state it was decided on; 0 when it was not decided.</param>
/// <param name="Event">The encoded event (orderengine.journal.Event) that answers it; empty when there is none.</param>
/// <param name="Replayed">True: the recorded answer to an earlier request with the same id.</param>
public readonly record struct CommandAnswer(Outcome Outcome, long Sequence, ReadOnlyMemory<byte> Event, bool Replayed)
{
    /// <summary>False: the command was never looked at (queue full, recovering, draining, disk low, deadline passed) or deciding it failed.</summary>
    public bool WasDecided => Outcome is not (Outcome.QueueFull or Outcome.EngineRecovering or Outcome.EngineDraining or Outcome.DeadlinePassed
        or Outcome.InternalError or Outcome.DiskLow);
}

/// <summary>A command that has its place in the queue. Await it once for its answer; awaiting it again is an error.</summary>
public readonly struct PendingAnswer
{
    private readonly ValueTask<CommandAnswer> _answer;

    internal PendingAnswer(ValueTask<CommandAnswer> answer) => _answer = answer;

    /// <summary>True when the answer is there.</summary>
    public bool IsCompleted => _answer.IsCompleted;

    /// <summary>For <c>await</c>.</summary>
    public ValueTaskAwaiter<CommandAnswer> GetAwaiter() => _answer.GetAwaiter();
}

/// <summary>Where the engine is in its life.</summary>
public enum EnginePhase
{
    /// <summary>Reading the journal.</summary>
    Recovering = 1,
    /// <summary>Taking commands.</summary>
    Serving = 2,
    /// <summary>Answering what is in flight, taking nothing new. Also after a failure, until the process has ended.</summary>
    Draining = 3,
}

/// <summary>How far recovery has come, or how it went.</summary>
/// <param name="BytesDone">Journal bytes read; 0 when the journal does not report them (<see cref="Engine.ReportRecovery"/>).</param>
/// <param name="BytesTotal">Journal bytes to read.</param>
/// <param name="Sequence">The last sequence replayed.</param>
/// <param name="Seconds">Seconds since it began; its whole length once it is done.</param>
public readonly record struct RecoveryStatus(long BytesDone, long BytesTotal, long Sequence, double Seconds);

/// <summary>How an import ended.</summary>
public enum ImportStatus
{
    /// <summary>All events are loaded and durable.</summary>
    Imported = 0,
    /// <summary>The engine is recovering or stopping.</summary>
    NotServing = 1,
    /// <summary>The engine holds events already, or another import runs.</summary>
    NotEmpty = 2,
    /// <summary>An event does not follow, does not fit, or the state that all of them give breaks an invariant. Nothing was written.</summary>
    Invalid = 3,
    /// <summary>The disk has no room to spare.</summary>
    DiskLow = 4,
}

/// <summary>What an import came to.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="LastSequence">The sequence of the last event imported; 0 when nothing was.</param>
/// <param name="EventIndex">With <see cref="ImportStatus.Invalid"/>: 0-based index of the event that does not fit; -1: the state as a whole.</param>
/// <param name="Problem">With <see cref="ImportStatus.Invalid"/>: what is wrong, in a sentence; otherwise empty.</param>
public sealed record ImportResult(ImportStatus Status, long LastSequence, int EventIndex, string Problem);
