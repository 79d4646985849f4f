// Verifies everything in a data directory: journal, commit file, MANIFEST, snapshots, archive, keys; and whether what is intact of it fits together, so that an
// engine would start. Read-only but for the lock file; one thread.

namespace OrderEngine.Journal.Offline;

/// <summary>What a data directory is worth.</summary>
/// <param name="Journal">The journal with commit file and MANIFEST.</param>
/// <param name="Snapshots">Every snapshot, newest first, and what is wrong with it; null: nothing.</param>
/// <param name="Keys">How many keys there are, destroyed ones included.</param>
/// <param name="Damage">What is damaged, where, and what to do; empty when everything is intact.</param>
/// <param name="StartsFrom">The snapshot that a start would load; 0: none, it reads the whole journal; -1: a start would be refused.</param>
public sealed record DirectoryReport(JournalReport Journal, IReadOnlyList<(SnapshotFile File, string? Damage)> Snapshots, long Keys, IReadOnlyList<string> Damage, long StartsFrom)
{
    /// <summary>The archive.</summary>
    public ArchiveReport Archive { get; init; } = new(0, 0, 0, []);

    /// <summary>Nothing is damaged.</summary>
    public bool IsIntact => Damage.Count == 0;
}

/// <summary>Reads out of events and snapshots how far the archive must reach; 0: nothing is said. Only who knows their contents can.</summary>
/// <param name="OfEvents">Of a batch's payload.</param>
/// <param name="OfBlock">Of a snapshot's block.</param>
public sealed record ArchiveReliance(Func<ReadOnlyMemory<byte>, long> OfEvents, Func<byte[], long> OfBlock);

/// <summary>Verifies a data directory that no process has open.</summary>
public static class DirectoryVerifier
{
    /// <param name="directory">The data directory.</param>
    /// <param name="reliance">Tells how far the archive must reach; left out: a cut end of it is not noticed.</param>
    /// <exception cref="JournalException">There is no journal, or another process holds the directory.</exception>
    public static DirectoryReport Verify(string directory, ArchiveReliance? reliance = null)
    {
        var position = 0L;
        var journal = JournalVerifier.Read(directory, batch => position = Math.Max(position, reliance?.OfEvents(batch.Payload) ?? 0));
        var damage = new List<string>();
        if (journal.Damage is not null) damage.Add(journal.Damage);
        var snapshots = Snapshots(directory, journal, reliance, ref position);
        damage.AddRange(snapshots.Where(snapshot => snapshot.Damage is not null).Select(snapshot => snapshot.Damage!));
        var intact = snapshots.Where(snapshot => snapshot.Damage is null).Select(snapshot => snapshot.File.Sequence).ToList();
        var from = intact.FirstOrDefault();
        if (journal.IsIntact && from > journal.LastSequence)
        {
            damage.Add($"The snapshot of sequence {from} reaches beyond the journal, which ends at {journal.LastSequence}: acknowledged batches are missing. Restore journal and snapshots from the same backup.");
        }
        if (journal.IsIntact && journal.FirstSequence > from + 1)
        {
            damage.Add($"The journal begins at sequence {journal.FirstSequence}, and no intact snapshot reaches so far. Restore a backup.");
        }
        var keys = Keys(new DataDirectory(directory).Keys, damage);
        var archive = Archive(directory, position, journal);
        damage.AddRange(archive.Damage);
        var starts = journal.IsIntact && keys >= 0 && archive.End >= position && from <= journal.LastSequence && journal.FirstSequence <= from + 1;
        return new DirectoryReport(journal, snapshots, Math.Max(0, keys), damage, starts ? from : -1) { Archive = archive };
    }

    private static ArchiveReport Archive(string directory, long position, JournalReport journal)
    {
        try
        {
            return ArchiveStore.Verify(directory, Manifest.Load(new DataDirectory(directory).Manifest).CreationId, position);
        }
        catch (JournalException error)
        {
            // A lost MANIFEST is told with the journal.
            return new ArchiveReport(0, 0, 0, journal.IsIntact ? [error.Message] : []);
        }
    }

    private static List<(SnapshotFile File, string? Damage)> Snapshots(string directory, JournalReport journal, ArchiveReliance? reliance, ref long position)
    {
        var store = new SnapshotStore(directory);
        var found = new List<(SnapshotFile, string?)>();
        foreach (var snapshot in store.List())
        {
            string? damage = null;
            var relied = 0L;
            try
            {
                store.Read(snapshot, block => relied = Math.Max(relied, reliance?.OfBlock(block.ToArray()) ?? 0));
                position = Math.Max(position, relied);
            }
            catch (SnapshotFileException error)
            {
                damage = $"{error.Message} A start sets it aside and takes the one before, if the journal reaches back to it.";
            }
            catch (JournalException error)
            {
                // Without its MANIFEST the journal cannot be compared; that is told with the journal.
                damage = journal.AcknowledgedSequence < 0 && !journal.IsIntact ? $"'{snapshot.Name}' cannot be told to belong to this journal." : error.Message;
            }
            found.Add((snapshot, damage));
        }
        return found;
    }

    /// <summary>How many keys there are; -1: a start would be refused.</summary>
    private static long Keys(string path, List<string> damage)
    {
        const string remedy = "Restore it from the backup of the keys.";
        if (!File.Exists(path))
        {
            damage.Add($"'{path}' is missing: without its keys no personal data can be read, and an engine does not start. {remedy}");
            return -1;
        }
        var bytes = File.ReadAllBytes(path);
        if (bytes.Length < KeySlot.OffsetOf(1) || !KeySlot.IsHeader(bytes.AsSpan(0, KeySlot.HeaderSize)))
        {
            damage.Add($"'{path}' is damaged: its header or the engine's secret is unreadable. {remedy}");
            return -1;
        }
        var slots = (bytes.Length - KeySlot.HeaderSize + KeySlot.Size - 1) / KeySlot.Size;
        var lost = new List<long>();
        Span<byte> key = stackalloc byte[KeySlot.KeySize];
        for (var number = 0L; number < slots; number++)
        {
            var slot = bytes.AsSpan((int)KeySlot.OffsetOf(number));
            if (slot.Length < KeySlot.Size || !KeySlot.TryDecode(slot[..KeySlot.Size], number, out _, key)) lost.Add(number);
        }
        key.Clear();
        Array.Clear(bytes);
        // A block that a crash cut short stands at the end; none of its keys was handed out, and the next start gives them up.
        if (lost.Count == 0 || lost[0] > 0 && lost[^1] == slots - 1 && lost.Count == slots - lost[0]) return slots - 1 - lost.Count;
        damage.Add($"'{path}' is damaged: {(lost[0] == 0 ? "the engine's secret" : $"key {lost[0]}")}{(lost.Count > 1 ? $" and {lost.Count - 1} more" : "")} cannot be read. An engine that uses them does not start. {remedy}");
        return -1;
    }
}
