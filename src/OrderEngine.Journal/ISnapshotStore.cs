// The seam beside IJournal: where snapshots are kept. Embedded it is a directory (SnapshotStore); a simulation brings its own.

namespace OrderEngine.Journal;

/// <summary>A snapshot that is kept.</summary>
/// <param name="Name">Where it lies, for messages.</param>
/// <param name="Sequence">Everything up to here is in it.</param>
/// <param name="Bytes">Its length.</param>
public sealed record SnapshotFile(string Name, long Sequence, long Bytes);

/// <summary>Keeps snapshots as sequences of blocks. One caller at a time.</summary>
public interface ISnapshotStore
{
    /// <summary>How many are kept: the newest, and the one to fall back to.</summary>
    const int Kept = 2;

    /// <summary>The longest block, in bytes.</summary>
    const int MaxBlockBytes = 8 * 1024 * 1024;

    /// <summary>The snapshots present, newest first. Whether they are intact shows when they are read.</summary>
    IReadOnlyList<SnapshotFile> List();

    /// <summary>Reads a snapshot, handing its blocks on in order, each valid during the call.</summary>
    /// <exception cref="SnapshotFileException">It is damaged or cannot be read: use an older one.</exception>
    /// <exception cref="JournalException">It belongs to another journal.</exception>
    void Read(SnapshotFile snapshot, Action<ReadOnlySpan<byte>> block);

    /// <summary>The bytes of a snapshot as they are stored; they stay readable although it is deleted meanwhile.</summary>
    /// <exception cref="SnapshotFileException">It cannot be read.</exception>
    Stream Open(SnapshotFile snapshot);

    /// <summary>
    /// Writes a snapshot: whole, verified and durable on return, or not at all. Afterwards the <see cref="Kept"/> newest are kept.
    /// </summary>
    /// <param name="walk">Hands the blocks to the action it gets and returns the snapshot's sequence. What it throws ends the attempt.</param>
    /// <exception cref="SnapshotFileException">It could not be written or verified; those before are still there.</exception>
    SnapshotFile Write(Func<Action<ReadOnlySpan<byte>>, long> walk);

    /// <summary>Removes what an attempt left that a crash cut short; such leftovers are never listed.</summary>
    /// <exception cref="SnapshotFileException">It could not.</exception>
    void RemoveLeftovers();

    /// <summary>Takes a damaged snapshot out of the list, for good, but keeps its bytes for whoever wants to know why.</summary>
    /// <exception cref="SnapshotFileException">It could not.</exception>
    void SetAside(SnapshotFile snapshot);
}

/// <summary>A snapshot is damaged, or could not be written or read. Others may be intact: the message says what was found and where.</summary>
public sealed class SnapshotFileException : Exception
{
    /// <summary>Creates the exception.</summary>
    public SnapshotFileException(string message) : base(message) { }

    /// <summary>Creates the exception with its cause.</summary>
    public SnapshotFileException(string message, Exception innerException) : base(message, innerException) { }
}
