// When one command that is traced came to each station of its way. Made by its caller, stamped by the writer and the publisher, read by its
// caller once it is answered; commands that are not traced have none.

using System.Diagnostics;

namespace OrderEngine.Engine;

/// <summary>The stations of a command, in their order.</summary>
internal enum Station
{
    /// <summary>It has its place in a lane.</summary>
    Queued = 0,
    /// <summary>The writer has taken it out.</summary>
    Taken = 1,
    /// <summary>It is decided and applied.</summary>
    Decided = 2,
    /// <summary>Its batch goes to the journal.</summary>
    Committing = 3,
    /// <summary>Its batch is durable.</summary>
    Durable = 4,
}

/// <summary>One step of a traced command, from one station to the next.</summary>
/// <param name="Name">queue, decide, batch, commit, answer.</param>
/// <param name="From">UTC.</param>
/// <param name="To">UTC.</param>
public readonly record struct TraceStep(string Name, DateTime From, DateTime To);

/// <summary>The way of one command through the engine.</summary>
/// <param name="span">The caller's span, of which the steps are parts.</param>
/// <param name="time">The engine's time.</param>
public sealed class CommandTrace(Activity span, TimeProvider time)
{
    private static readonly string[] StepNames = ["queue", "decide", "batch", "commit", "answer"];
    private readonly long[] _at = new long[StepNames.Length];
    private readonly DateTime _begun = time.GetUtcNow().UtcDateTime;
    private readonly long _beginning = time.GetTimestamp();

    /// <summary>The caller's span.</summary>
    internal Activity Span => span;

    /// <summary>Commands in its commit; 0: it came to none.</summary>
    public int BatchCommands { get; private set; }

    /// <summary>Bytes of events in its commit.</summary>
    public int BatchBytes { get; private set; }

    internal void Reach(Station station) => _at[(int)station] = time.GetTimestamp();

    internal void Commit(long handedOverAt, int commands, int bytes)
    {
        _at[(int)Station.Committing] = handedOverAt;
        Reach(Station.Durable);
        (BatchCommands, BatchBytes) = (commands, bytes);
    }

    /// <summary>The steps that it has taken until now, in their order; the last of them ends now. Its caller, when it has the answer.</summary>
    public IEnumerable<TraceStep> Steps()
    {
        var now = time.GetTimestamp();
        for (var i = 0; i < _at.Length && _at[i] != 0; i++)
        {
            var isLast = i + 1 == _at.Length || _at[i + 1] == 0;
            yield return new TraceStep(StepNames[i], Utc(_at[i]), Utc(isLast ? now : _at[i + 1]));
        }
    }

    private DateTime Utc(long timestamp) => _begun + time.GetElapsedTime(_beginning, timestamp);
}
