// The seam for growth (docs/ARCHITECTURE.md, rule 15): everything the engine knows of durable storage.
// Embedded it is FASTER (FasterJournal); tests and the simulation bring their own.

namespace OrderEngine.Journal;

/// <summary>
/// An append-only sequence of batches of events. Positions are logical sequence numbers, one per event and without gaps,
/// never addresses of a storage engine.
/// </summary>
/// <remarks>
/// Threading: one appender at a time (the next append may start as soon as the previous call returned its task, at most
/// <see cref="MaxAppendsInFlight"/> may be unfinished); any number of readers at once.
/// Errors: any failure to append or to read back is final for the process. The implementation throws
/// <see cref="JournalException"/> and every later append throws too; the caller ends the process (rule 5).
/// </remarks>
public interface IJournal : IAsyncDisposable
{
    /// <summary>How many appends may be unfinished at once: the one on its way to the disk and the one being handed over.</summary>
    const int MaxAppendsInFlight = 2;

    /// <summary>The largest payload of one batch, in bytes. The writer closes a batch before it would grow beyond this.</summary>
    const int MaxPayloadBytes = 2 * 1024 * 1024;

    /// <summary>Made at random with the journal and its own for ever: tells positions in it from positions in another one.</summary>
    ulong Identity { get; }

    /// <summary>The same in full: ties snapshots and backups to their journal.</summary>
    Guid CreationId { get; }

    /// <summary>The first sequence still stored: 1 until the journal is truncated. LastSequence + 1 when it is empty.</summary>
    long FirstSequence { get; }

    /// <summary>The last sequence that is durable; 0 when nothing ever was. Safe to read from any thread.</summary>
    long LastSequence { get; }

    /// <summary>
    /// Bytes of the log from its first to its last durable byte, frames and padding included; room reserved ahead is not counted.
    /// Safe to read from any thread.
    /// </summary>
    long SizeBytes { get; }

    /// <summary>
    /// Appends one batch, whole or not at all, and completes when it is durable: after a crash either all of its events are
    /// there or none is. <see cref="JournalBatch.FirstSequence"/> must follow the batch appended before.
    /// </summary>
    /// <exception cref="JournalException">The batch does not follow, its epoch is older than the journal's, or the write
    /// failed. The journal accepts nothing afterwards.</exception>
    ValueTask AppendAsync(JournalBatch batch);

    /// <summary>
    /// Reads durable batches in sequence, the first being the one that holds <paramref name="fromSequence"/>, up to what was
    /// durable when the call was made. Yields nothing when <paramref name="fromSequence"/> lies behind the end.
    /// The payload is the caller's to keep.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="fromSequence"/> lies below <see cref="FirstSequence"/>.</exception>
    /// <exception cref="JournalException">A stored frame is damaged.</exception>
    IEnumerable<JournalBatch> Read(long fromSequence, CancellationToken cancellationToken = default);

    /// <summary>
    /// Lets go of batches that lie wholly below <paramref name="sequence"/>; what is on disk shrinks by whole segments, so
    /// <see cref="FirstSequence"/> may stay lower. The caller has made sure that a verified snapshot covers them. Completes when the
    /// new beginning is durable. One call at a time; appends and reads may go on beside it, but a reader that stands below the new
    /// beginning gets <see cref="ArgumentOutOfRangeException"/>.
    /// </summary>
    ValueTask TruncateBelowAsync(long sequence);
}

/// <summary>What one commit made durable: consecutive events, encoded back to back as <c>orderengine.journal.Events</c>.</summary>
/// <param name="Epoch">The leader's term; grows when another writer takes over, so that a deposed one is fenced off. 1 when embedded.</param>
/// <param name="FirstSequence">The sequence of the first event, at least 1.</param>
/// <param name="LastSequence">The sequence of the last event, at least <paramref name="FirstSequence"/>.</param>
/// <param name="Payload">The encoded events, 1 to <see cref="IJournal.MaxPayloadBytes"/> bytes. Must not change after the call.</param>
public readonly record struct JournalBatch(long Epoch, long FirstSequence, long LastSequence, ReadOnlyMemory<byte> Payload);

/// <summary>The journal cannot go on: damage found, a write that failed, another process holding the directory, a newer format.</summary>
/// <remarks>The message says what was found, where (file, sequence), and what the operator should do.</remarks>
public sealed class JournalException : Exception
{
    /// <summary>Creates the exception with a message for the operator.</summary>
    public JournalException(string message) : base(message) { }

    /// <summary>Creates the exception with a message for the operator and its cause.</summary>
    public JournalException(string message, Exception innerException) : base(message, innerException) { }
}
