// Verifies a backup and restores a data directory from it: the newest state in it, or the state at an earlier commit. What is restored is a journal of its
// own (another creation id): the one that was backed up went on after the backup or after that commit, and nothing of it must ever be mixed in.

namespace OrderEngine.Journal.Offline;

/// <summary>What a restore made.</summary>
/// <param name="Sequence">The last one restored: the end of the backup, or of the last commit at or before the one asked for.</param>
/// <param name="FirstSequence">Where the restored journal begins: streams and exports can begin there.</param>
/// <param name="Snapshot">The snapshot that the engine will start from; 0: none.</param>
/// <param name="KeysMissing">Keys that the backup needs and the file of keys does not reach: that personal data cannot be read.</param>
public sealed record Restored(long Sequence, long FirstSequence, long Snapshot, long KeysMissing);

/// <summary>A finished backup.</summary>
public sealed class BackupReader
{
    private readonly string _directory;

    internal BackupReader(string directory, BackupManifest manifest) => (_directory, Manifest) = (Path.GetFullPath(directory), manifest);

    /// <summary>What it holds.</summary>
    public BackupManifest Manifest { get; }

    /// <summary>Whether a directory is a finished backup.</summary>
    public static bool IsBackup(string directory) => File.Exists(Path.Combine(directory, BackupManifest.FileName));

    /// <exception cref="JournalException">It is no backup, was never finished, or is of a newer format.</exception>
    public static BackupReader Open(string directory) => new(directory, BackupManifest.Load(directory));

    /// <summary>Reads every byte.</summary>
    /// <exception cref="JournalException">Something in it is damaged or missing.</exception>
    public void Verify()
    {
        foreach (var file in Manifest.Files)
        {
            var path = Path.Combine(_directory, file.Name);
            if (!File.Exists(path)) throw new JournalException($"'{path}' is missing. Use another backup.");
            if (OfflineFiles.Crc(path) != (file.Bytes, file.Crc)) throw new JournalException($"'{path}' is damaged: its checksum or length does not match. Use another backup.");
        }
        var last = Manifest.FirstSequence - 1;
        foreach (var batch in Batches()) last = batch.LastSequence;
        if (last != Manifest.LastSequence) throw new JournalException($"The backup promises sequence {Manifest.LastSequence}, its batches end at {last}. Use another backup.");
        if (ArchiveStore.Verify(_directory, Manifest.CreationId) is { Damage: [var damage, ..] }) throw new JournalException($"{damage} Use another backup.");
        var newest = 0L;
        foreach (var snapshot in Store.List())
        {
            ReadSnapshot(snapshot, _ => { });
            newest = Math.Max(newest, snapshot.Sequence);
        }
        if (newest < Manifest.FirstSequence - 1)
            throw new JournalException($"The backup begins at sequence {Manifest.FirstSequence} and has no snapshot that reaches so far. Use another backup.");
    }

    /// <summary>Makes a data directory. It gets its name when it is whole.</summary>
    /// <param name="target">Not there yet, or empty.</param>
    /// <param name="toSequence">The last sequence wanted; at most the backup's. The last commit at or before it is restored.</param>
    /// <param name="keys">The file of keys; null: none. Without them no personal data can be read, ever, and old request ids are not recognised.</param>
    /// <exception cref="JournalException">The backup is damaged, does not reach that sequence, or the target is not empty.</exception>
    public Restored Restore(string target, long toSequence, string? keys)
    {
        Verify();
        if (toSequence > Manifest.LastSequence) throw new JournalException($"The backup ends at sequence {Manifest.LastSequence}; {toSequence} is not in it. Use a later backup.");
        // Commits are whole or not at all: an event in the middle of one was never a state of the engine.
        var end = Batches().Select(batch => batch.LastSequence).TakeWhile(last => last <= toSequence).LastOrDefault(Manifest.FirstSequence == 1 ? 0 : -1);
        var snapshots = Store.List().Where(snapshot => snapshot.Sequence <= end).ToList();
        if (end < 0 || Manifest.FirstSequence > 1 && snapshots.Count == 0)
        {
            var earliest = Store.List().Select(snapshot => snapshot.Sequence).DefaultIfEmpty().Min();
            throw new JournalException($"The backup cannot go back to sequence {toSequence}: its journal begins at {Manifest.FirstSequence}, its oldest snapshot is at {earliest}. " +
                $"Ask for {Math.Max(earliest, Manifest.FirstSequence)} or later, or use an older backup.");
        }
        target = Path.GetFullPath(target);
        OfflineFiles.CreateEmpty(target);
        var making = new DataDirectory(target + ".restoring");
        if (Directory.Exists(making.Root)) Directory.Delete(making.Root, recursive: true);
        OfflineFiles.CreateDirectory(making.Root);

        var manifest = new Manifest(Journal.Manifest.CurrentFormat, Guid.NewGuid(), JournalGeometry.Standard.PageBits, JournalGeometry.Standard.SegmentBits);
        using (var builder = new JournalBuilder(making, manifest, Manifest.FirstSequence))
        {
            foreach (var batch in Batches().TakeWhile(batch => batch.LastSequence <= end)) builder.Add(batch);
            builder.Complete();
        }
        foreach (var snapshot in Enumerable.Reverse(snapshots)) Copy(snapshot, making);
        // Whole: a start drops the records of orders that were archived later than what is restored.
        ArchiveStore.Copy(new DataDirectory(_directory), making, manifest.CreationId);
        var missing = keys is null ? Manifest.HighestKey : 0;
        if (keys is null) KeyRestore.Without(making, Manifest.HighestKey);
        else missing = KeyRestore.From(making, keys, Manifest.HighestKey);
        JournalVerifier.MustBeIntact(making.Root);
        File.Delete(making.Lock);
        Directory.Delete(target);
        Directory.Move(making.Root, target);
        Posix.FlushDirectory(Path.GetDirectoryName(target)!);
        return new Restored(end, Manifest.FirstSequence, snapshots.Count == 0 ? 0 : snapshots[0].Sequence, missing);
    }

    private SnapshotStore Store => new(_directory, Disk.Real, Manifest.CreationId);

    private IEnumerable<JournalBatch> Batches() => BatchFile.Read(Path.Combine(_directory, BatchFile.Name), Manifest.FirstSequence);

    private void ReadSnapshot(SnapshotFile snapshot, Action<ReadOnlySpan<byte>> block)
    {
        try
        {
            Store.Read(snapshot, block);
        }
        catch (SnapshotFileException error)
        {
            throw new JournalException($"{error.Message} Use another backup.", error);
        }
    }

    /// <summary>The same blocks, under the new journal's id.</summary>
    private void Copy(SnapshotFile snapshot, DataDirectory making)
    {
        try
        {
            new SnapshotStore(making.Root).Write(add =>
            {
                ReadSnapshot(snapshot, block => add(block));
                return snapshot.Sequence;
            });
        }
        catch (SnapshotFileException error)
        {
            throw new JournalException(error.Message, error);
        }
    }
}
