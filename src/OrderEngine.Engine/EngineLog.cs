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

    [LoggerMessage(10, LogLevel.Information, "Snapshot at sequence {Sequence} loaded: {Orders} orders from {Bytes} bytes in {Seconds:F2} s.")]
    public static partial void SnapshotLoaded(ILogger logger, long sequence, long orders, long bytes, double seconds);

    [LoggerMessage(11, LogLevel.Error, "The snapshot at sequence {Sequence} is of no use and will be set aside; an older one, or the journal from its beginning, takes its place.")]
    public static partial void SnapshotDamaged(ILogger logger, long sequence, Exception cause);

    [LoggerMessage(12, LogLevel.Information, "Snapshot at sequence {Sequence} taken: {Bytes} bytes in {Seconds:F2} s.")]
    public static partial void SnapshotTaken(ILogger logger, long sequence, long bytes, double seconds);

    [LoggerMessage(13, LogLevel.Error, "No snapshot could be taken; the next attempt is not before {Seconds} s. Recovery takes longer meanwhile, nothing else.")]
    public static partial void SnapshotFailed(ILogger logger, double seconds, Exception cause);

    [LoggerMessage(14, LogLevel.Information, "The journal begins at sequence {FirstSequence} now and has {Bytes} bytes.")]
    public static partial void Truncated(ILogger logger, long firstSequence, long bytes);

    [LoggerMessage(15, LogLevel.Error, "The snapshots cannot be listed; the journal is not truncated.")]
    public static partial void TruncationPutOff(ILogger logger, Exception cause);

    [LoggerMessage(16, LogLevel.Information, "Archive opened: {Records} records in {Bytes} bytes; {Orders} orders are there and not in memory.")]
    public static partial void ArchiveOpened(ILogger logger, long records, long bytes, long orders);

    [LoggerMessage(17, LogLevel.Error, "Closed orders cannot be archived; they stay in memory, and the next attempt is in {Seconds} s. Nothing else suffers.")]
    public static partial void ArchivingFailed(ILogger logger, double seconds, Exception cause);

    [LoggerMessage(18, LogLevel.Information, "Closed orders are archived again.")]
    public static partial void ArchivingAgain(ILogger logger);

    [LoggerMessage(180, LogLevel.Error, "The disk is low: {FreeBytes} bytes are free, fewer than {LowBytes}. Changes are refused until there is room; reads and streams go on.")]
    public static partial void DiskLow(ILogger logger, long freeBytes, long lowBytes);

    [LoggerMessage(181, LogLevel.Information, "The disk has room again: {FreeBytes} bytes. Changes are taken.")]
    public static partial void DiskRecovered(ILogger logger, long freeBytes);

    [LoggerMessage(182, LogLevel.Error, "The room on the disk cannot be looked at; the last look stands.")]
    public static partial void DiskUnknown(ILogger logger, Exception cause);
}
