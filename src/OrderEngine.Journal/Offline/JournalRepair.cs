// Offline repair of a data directory. Cuts only what was never acknowledged, or what the owner has agreed to lose after being told what it is. What it
// replaces is moved aside, never deleted. A repair that loses something makes a journal of its own (another creation id), so that nothing that was
// seen of the old one can be mixed with what comes after. One thread; holds the directory's lock.
//
//     DIR/repairing/      the new journal and snapshots, while they are made
//     DIR/repaired.1/     what was there before: journal, snapshots; the highest number is the latest

using System.Globalization;

namespace OrderEngine.Journal.Offline;

/// <summary>What a repair would do.</summary>
/// <param name="Sound">Nothing needs a repair: an engine starts on it as it is.</param>
/// <param name="Damage">What was found; empty when nothing was.</param>
/// <param name="KeepFrom">The first sequence of the repaired journal.</param>
/// <param name="KeepTo">The last sequence that can be kept.</param>
/// <param name="Snapshot">The snapshot that a start will need; 0: none.</param>
/// <param name="Acknowledged">What the commit record promises; -1: both copies of a slot are lost, and nobody can tell.</param>
/// <param name="Refusal">Why nothing safe can be done, and what to do instead; null: it can be repaired.</param>
public sealed record RepairPlan(bool Sound, IReadOnlyList<string> Damage, long KeepFrom, long KeepTo, long Snapshot, long Acknowledged, string? Refusal)
{
    /// <summary>Acknowledged batches would be lost, or it cannot be told whether any would.</summary>
    public bool Loses => !Sound && Refusal is null && (Acknowledged < 0 || KeepTo < Acknowledged);

    internal int Run { get; init; }
    internal Manifest? Manifest { get; init; }
    internal long BeginAddress { get; init; }
    internal IReadOnlyList<SnapshotFile> Snapshots { get; init; } = [];
}

/// <summary>Repairs a data directory that no process has open.</summary>
public sealed class JournalRepair : IDisposable
{
    private readonly DataDirectory _directory;
    private readonly FileStream _held;

    /// <exception cref="JournalException">There is no journal, or a process has it open.</exception>
    public JournalRepair(string directory)
    {
        _directory = new DataDirectory(directory);
        if (!Directory.Exists(_directory.Journal))
            throw new JournalException($"'{_directory.Root}' holds no journal ('{_directory.Journal}' does not exist). If a repair was cut short, move it back from '{Path.Combine(_directory.Root, "repaired.N")}'; else restore a backup.");
        _held = _directory.TakeLock();
    }

    /// <summary>Looks at everything, and says what could be done. Changes nothing.</summary>
    /// <param name="lost">Gets each readable batch that would be lost.</param>
    public RepairPlan Plan(Action<JournalBatch>? lost = null)
    {
        var damage = new List<string>();
        var commit = CommitFile.Inspect(_directory.Commit, _directory.Disk);
        if (FindManifest(commit.Newest, damage) is not { } manifest)
            return Refuse(damage, "MANIFEST and commit file are both unreadable: nothing tells how the journal was written. Restore a backup.");
        var inspected = damage.Count == 0 ? Inspection.Run(_directory, null, null) : null;
        if (inspected?.Damage is { } found) damage.Add(found);
        if (inspected is { Mixed: true }) return Refuse(damage, "What belongs to which journal cannot be told.");
        var snapshots = Intact(manifest.CreationId, damage);

        var begin = commit.Newest?.BeginAddress ?? Math.Max(JournalGeometry.FirstAddress, manifest.Geometry.StartOfSegment(DataDirectory.SegmentsIn(_directory.Journal).FirstOrDefault()));
        var runs = FrameSearch.Run(_directory, manifest.Geometry, begin);
        var best = Best(runs, snapshots);
        var promised = commit.Newest is null || commit.SlotLost && inspected?.Damage is not null ? -1 : commit.Newest.LastSequence;
        if (best is not { } kept)
        {
            return Refuse(damage, runs.Count == 0
                ? "Not one batch of the journal is readable. Restore a backup."
                : $"No intact snapshot joins what is left of the journal ({string.Join(", ", runs.Select(run => string.Create(CultureInfo.InvariantCulture, $"{run.FirstSequence} to {run.LastSequence}")))}). Restore a backup.");
        }
        var sound = damage.Count == 0;
        if (lost is not null && !sound)
        {
            FrameSearch.Run(_directory, manifest.Geometry, begin, (_, batch) =>
            {
                if (batch.FirstSequence > kept.To) lost(batch);
            });
        }
        var run = runs[kept.Run];
        return new RepairPlan(sound, damage, run.FirstSequence, kept.To, kept.Snapshot, promised, null)
        {
            Run = kept.Run, Manifest = manifest, BeginAddress = begin, Snapshots = [.. snapshots.Where(snapshot => snapshot.Sequence <= kept.To)],
        };
    }

    /// <summary>Carries a plan out; returns where the former files lie.</summary>
    /// <param name="plan">Of this object; not refused, not sound.</param>
    /// <exception cref="JournalException">What was made cannot be read back; nothing was replaced.</exception>
    public string Carry(RepairPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (plan.Refusal is not null || plan.Sound) throw new InvalidOperationException("There is nothing to carry out.");
        var making = new DataDirectory(Path.Combine(_directory.Root, "repairing"));
        if (Directory.Exists(making.Root)) Directory.Delete(making.Root, recursive: true);
        OfflineFiles.CreateDirectory(making.Root);
        var manifest = plan.Loses ? plan.Manifest! with { CreationId = Guid.NewGuid() } : plan.Manifest!;
        using (var builder = new JournalBuilder(making, manifest, plan.KeepFrom))
        {
            FrameSearch.Run(_directory, manifest.Geometry, plan.BeginAddress, (run, batch) =>
            {
                if (run == plan.Run && batch.LastSequence <= plan.KeepTo) builder.Add(batch);
            });
            builder.Complete();
        }
        var old = new SnapshotStore(_directory.Root, _directory.Disk, plan.Manifest!.CreationId);
        foreach (var snapshot in plan.Snapshots.Reverse())
        {
            new SnapshotStore(making.Root).Write(add =>
            {
                old.Read(snapshot, block => add(block));
                return snapshot.Sequence;
            });
        }
        JournalVerifier.MustBeIntact(making.Root);
        // A journal of its own has an archive of its own.
        if (plan.Loses) ArchiveStore.Copy(_directory, making, manifest.CreationId);
        return Replace(making);
    }

    /// <summary>Lets go of the directory.</summary>
    public void Dispose() => _held.Dispose();

    /// <summary>Between the moves the directory has no journal: an engine refuses it, and both halves are there.</summary>
    private string Replace(DataDirectory making)
    {
        var number = 1;
        while (Directory.Exists(Aside(number))) number++;
        var aside = Aside(number);
        OfflineFiles.CreateDirectory(aside);
        Directory.Move(_directory.Journal, Path.Combine(aside, "journal"));
        if (Directory.Exists(_directory.Snapshots)) Directory.Move(_directory.Snapshots, Path.Combine(aside, "snapshots"));
        if (Directory.Exists(making.Archive)) Directory.Move(_directory.Archive, Path.Combine(aside, DataDirectory.ArchiveName));
        Posix.FlushDirectory(aside);
        if (Directory.Exists(making.Archive)) Directory.Move(making.Archive, _directory.Archive);
        if (Directory.Exists(making.Snapshots)) Directory.Move(making.Snapshots, _directory.Snapshots);
        Directory.Move(making.Journal, _directory.Journal);
        Posix.FlushDirectory(_directory.Root);
        Directory.Delete(making.Root, recursive: true);
        return aside;
    }

    private string Aside(int number) => Path.Combine(_directory.Root, string.Create(CultureInfo.InvariantCulture, $"repaired.{number}"));

    private static RepairPlan Refuse(List<string> damage, string why) => new(false, damage, 0, 0, 0, -1, why);

    /// <summary>The manifest, or the one that must have been there: the commit record has its id, and there is one geometry.</summary>
    private Manifest? FindManifest(CommitRecord? record, List<string> damage)
    {
        try
        {
            return Manifest.Load(_directory.Manifest);
        }
        catch (JournalException error) when (!error.Message.Contains("newer version", StringComparison.Ordinal))
        {
            damage.Add(error.Message);
            return record is null ? null : new Manifest(Manifest.CurrentFormat, record.CreationId, JournalGeometry.Standard.PageBits, JournalGeometry.Standard.SegmentBits);
        }
    }

    private List<SnapshotFile> Intact(Guid creationId, List<string> damage)
    {
        var store = new SnapshotStore(_directory.Root, _directory.Disk, creationId);
        var intact = new List<SnapshotFile>();
        foreach (var snapshot in store.List())
        {
            try
            {
                store.Read(snapshot, _ => { });
                intact.Add(snapshot);
            }
            catch (Exception error) when (error is SnapshotFileException or JournalException)
            {
                damage.Add(error.Message);
            }
        }
        return intact;
    }

    /// <summary>The run that leads furthest from a state that there is: nothing, or an intact snapshot that joins it.</summary>
    private static (int Run, long To, long Snapshot)? Best(List<FrameRun> runs, List<SnapshotFile> snapshots)
    {
        (int Run, long To, long Snapshot)? best = null;
        for (var i = 0; i < runs.Count; i++)
        {
            var bases = snapshots.Select(snapshot => snapshot.Sequence).Where(sequence => runs[i].Covers(sequence) || sequence == runs[i].FirstSequence - 1).ToList();
            if (runs[i].FirstSequence != 1 && bases.Count == 0) continue;
            if (best is null || runs[i].LastSequence > best.Value.To) best = (i, runs[i].LastSequence, bases.DefaultIfEmpty().Max());
        }
        return best;
    }
}
