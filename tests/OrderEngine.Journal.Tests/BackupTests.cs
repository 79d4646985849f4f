// Proves: a backup is whole or none; every byte of it counts; it is restored to any commit in it, as a journal of its own; keys are apart.

using OrderEngine.Journal.Offline;

namespace OrderEngine.Journal.Tests;

public sealed class BackupTests
{
    [Fact]
    public async Task A_backup_is_restored_to_its_end_and_to_every_commit_that_a_snapshot_reaches()
    {
        using var source = await RepairTests.FilledAsync(truncate: true);
        using var scratch = new TestDirectory(inMemory: true);
        var (all, backup) = await BackUpAsync(source, Path.Combine(scratch.Path, "backup"));
        var reader = BackupReader.Open(backup);
        var old = Manifest.Load(source.Layout.Manifest).CreationId;
        foreach (var at in new[] { all[^1].LastSequence, all[50 - Skipped(all)].LastSequence, all[35 - Skipped(all)].LastSequence })
        {
            var target = Path.Combine(scratch.Path, $"at-{at}");
            var restored = reader.Restore(target, at, source.Layout.Keys);
            Assert.Equal((at, 0), (restored.Sequence, restored.KeysMissing));
            Assert.NotEqual(old, Manifest.Load(new DataDirectory(target).Manifest).CreationId);
            var report = DirectoryVerifier.Verify(target);
            Assert.True(report.IsIntact, string.Join(" ", report.Damage));
            Assert.Equal(restored.Snapshot, report.StartsFrom);
            await using var journal = Support.Open(target, restored.Snapshot + 1, geometry: JournalGeometry.Standard);
            Support.Equal(all.Where(batch => batch.LastSequence <= at).ToList(), journal.Read(journal.FirstSequence).ToList());
            // It goes on from there.
            await journal.AppendAsync(new JournalBatch(1, at + 1, at + 1, new byte[9]));
        }
        // Within a commit: the one before it.
        var wide = all.Last(batch => batch.LastSequence > batch.FirstSequence);
        Assert.Equal(wide.FirstSequence - 1, reader.Restore(Path.Combine(scratch.Path, "within"), wide.FirstSequence, source.Layout.Keys).Sequence);
        // Before the oldest snapshot of a journal that was cut: no.
        Assert.Contains("or later", Assert.Throws<JournalException>(() => reader.Restore(Path.Combine(scratch.Path, "early"), all[0].LastSequence, source.Layout.Keys)).Message);
        Assert.Contains("ends at", Assert.Throws<JournalException>(() => reader.Restore(Path.Combine(scratch.Path, "late"), all[^1].LastSequence + 1, source.Layout.Keys)).Message);
        Assert.Contains("not empty", Assert.Throws<JournalException>(() => reader.Restore(backup, all[^1].LastSequence, source.Layout.Keys)).Message);
    }

    [Fact]
    public async Task An_unfinished_backup_is_none_and_every_damaged_byte_is_found()
    {
        using var source = await RepairTests.FilledAsync();
        using var scratch = new TestDirectory(inMemory: true);
        var unfinished = Path.Combine(scratch.Path, "unfinished");
        await using (var journal = Support.Open(source.Path, 1))
        using (var writer = new BackupWriter(unfinished, journal.CreationId, 1))
        {
            foreach (var batch in journal.Read(1).Take(5)) writer.Add(batch);
            Assert.Throws<JournalException>(() => writer.Complete(journal.LastSequence, "0", 0, DateTime.UtcNow));
        }
        Assert.False(BackupReader.IsBackup(unfinished));
        Assert.Contains("never finished", Assert.Throws<JournalException>(() => BackupReader.Open(unfinished)).Message);

        var (_, backup) = await BackUpAsync(source, Path.Combine(scratch.Path, "backup"));
        var random = new Random(Support.Seed);
        foreach (var file in Directory.EnumerateFiles(backup, "*", SearchOption.AllDirectories).ToList())
        {
            for (var round = 0; round < 20; round++)
            {
                var at = random.NextInt64(new FileInfo(file).Length);
                RepairTests.FlipFile(file, at);
                Assert.Throws<JournalException>(() => BackupReader.Open(backup).Restore(Path.Combine(scratch.Path, "x"), 1, source.Layout.Keys));
                RepairTests.FlipFile(file, at);
            }
        }
        BackupReader.Open(backup).Verify();
        Assert.False(Directory.Exists(Path.Combine(scratch.Path, "x")));
    }

    [Fact]
    public async Task Keys_are_not_in_a_backup_and_an_older_file_of_them_is_filled_up_with_destroyed_ones()
    {
        using var source = await RepairTests.FilledAsync(snapshotsAt: []);
        using var scratch = new TestDirectory(inMemory: true);
        var secret = new byte[KeyRing.KeySize];
        var early = Path.Combine(scratch.Path, "early-keys");
        var highest = 0L;
        using (var ring = KeyRing.Open(source.Path, 0)) Assert.True(ring.TryGet(ring.Take(), secret));
        File.Copy(source.Layout.Keys, early);
        using (var ring = KeyRing.Open(source.Path, 1))
        {
            while (highest < 6_000) highest = ring.Take();
            ring.Destroy(2);
        }
        var (_, backup) = await BackUpAsync(source, Path.Combine(scratch.Path, "backup"), highest);
        Assert.DoesNotContain(Directory.EnumerateFiles(backup, "*", SearchOption.AllDirectories), file => File.ReadAllBytes(file).AsSpan().IndexOf(secret) >= 0);

        var now = BackupReader.Open(backup).Restore(Path.Combine(scratch.Path, "now"), BackupReader.Open(backup).Manifest.LastSequence, source.Layout.Keys);
        Assert.Equal(0, now.KeysMissing);
        using (var ring = KeyRing.Open(Path.Combine(scratch.Path, "now"), highest)) Assert.Equal((true, false), (ring.TryGet(1, secret), ring.TryGet(2, secret)));

        var then = BackupReader.Open(backup).Restore(Path.Combine(scratch.Path, "then"), BackupReader.Open(backup).Manifest.LastSequence, early);
        Assert.True(then.KeysMissing > 0);
        using (var ring = KeyRing.Open(Path.Combine(scratch.Path, "then"), highest)) Assert.Equal((true, true, false), (ring.TryGet(1, secret), ring.TryGet(2, secret), ring.TryGet(highest, secret)));

        var none = BackupReader.Open(backup).Restore(Path.Combine(scratch.Path, "none"), BackupReader.Open(backup).Manifest.LastSequence, null);
        Assert.Equal(highest, none.KeysMissing);
        using (var ring = KeyRing.Open(Path.Combine(scratch.Path, "none"), highest)) Assert.False(ring.TryGet(1, secret));
    }

    // How many of the 60 batches were cut off.
    private static int Skipped(List<JournalBatch> all) => 60 - all.Count;

    private static async Task<(List<JournalBatch> All, string Backup)> BackUpAsync(TestDirectory source, string target, long highestKey = 0)
    {
        var store = new SnapshotStore(source.Path);
        var from = store.List().Select(snapshot => snapshot.Sequence).DefaultIfEmpty().Max() + 1;
        await using var journal = Support.Open(source.Path, from);
        var all = journal.Read(journal.FirstSequence).ToList();
        using var writer = new BackupWriter(target, journal.CreationId, journal.FirstSequence);
        foreach (var snapshot in store.List())
        {
            await using var bytes = store.Open(snapshot);
            var part = new byte[50];
            while (await bytes.ReadAtLeastAsync(part, part.Length, throwOnEndOfStream: false) is var count && count > 0) writer.AddSnapshot(snapshot.Sequence, part.AsSpan(0, count));
        }
        foreach (var batch in all) writer.Add(batch);
        writer.Complete(journal.LastSequence, "0123456789abcdef", highestKey, DateTime.UtcNow);
        return (all, target);
    }
}
