// Every line that the engine logs: edges of its life and failures, never a line per command. Any thread.

namespace OrderEngine.Engine;

internal static partial class EngineLog
{
    [LoggerMessage(1, LogLevel.Information, "Recovery begins at sequence {FromSequence}.")]
    public static partial void RecoveryBegins(ILogger logger, long fromSequence);

    [LoggerMessage(2, LogLevel.Information, "Serving: recovered through sequence {Sequence} in {Seconds:F2} s, state hash {StateHash:x16}, {Orders} orders.")]
    public static partial void Serving(ILogger logger, long sequence, double seconds, ulong stateHash, long orders);

    [LoggerMessage(3, LogLevel.Critical, "Recovery failed behind sequence {Sequence}; the engine does not start.")]
    public static partial void RecoveryFailed(ILogger logger, long sequence, Exception cause);

    [LoggerMessage(4, LogLevel.Information, "Draining: {Queued} commands are queued and will be answered.")]
    public static partial void Draining(ILogger logger, int queued);

    [LoggerMessage(5, LogLevel.Information, "Stopped at sequence {Sequence}.")]
    public static partial void Stopped(ILogger logger, long sequence);

    [LoggerMessage(6, LogLevel.Critical, "The process ends with exit code {ExitCode}: {Reason}")]
    public static partial void Failed(ILogger logger, int exitCode, string reason, Exception? cause);

    [LoggerMessage(7, LogLevel.Error, "Deciding a {Kind} failed; nothing was changed, the caller is answered INTERNAL.")]
    public static partial void DecideFailed(ILogger logger, OrderEngine.Core.CommandKind kind, Exception cause);

    [LoggerMessage(8, LogLevel.Warning, "The feeds fell {Batches} batches behind the commits; every subscriber goes on from the journal.")]
    public static partial void FeedOverrun(ILogger logger, long batches);

    [LoggerMessage(9, LogLevel.Information, "Imported {Events} events.")]
    public static partial void Imported(ILogger logger, int events);
}
