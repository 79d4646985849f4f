// Proves: a repair keeps all that can be kept, says what it cannot, loses nothing acknowledged unless told to, moves aside what it replaces; the verifier
// sees every damage; a backup is whole or none, and is restored to any commit in it.

using OrderEngine.Journal.Offline;

namespace OrderEngine.Journal.Tests;

public sealed class RepairTests
{
    private const int Batches = 60;

    [Fact]
    public async Task What_is_sound_is_left_alone_and_found_intact()
    {
        using var directory = await FilledAsync();
        using (var repair = new JournalRepair(directory.Path)) Assert.True(repair.Plan().Sound);
        var report = DirectoryVerifier.Verify(directory.Path);
        Assert.True(report.IsIntact, string.Join(" ", report.Damage));
        Assert.Equal(report.Snapshots[0].File.Sequence, report.StartsFrom);
    }

    [Fact]
    public async Task A_damaged_batch_costs_what_follows_it_and_only_if_that_is_accepted_by_carrying_it_out()
    {
        using var directory = await FilledAsync(snapshotsAt: []);
        var all = Support.Replayed(directory.Path);
        Flip(directory, AddressOf(directory, all[20].FirstSequence) + 60);
        Assert.Throws<JournalException>(() => Support.Replayed(directory.Path));
        var before = Contents(directory.Path);
        var lost = new List<long>();
        string aside;
        using (var repair = new JournalRepair(directory.Path))
        {
            var plan = repair.Plan(batch => lost.Add(batch.FirstSequence));
            Assert.Equal(before, Contents(directory.Path));
            Assert.Equal((1, all[19].LastSequence, all[^1].LastSequence, true), (plan.KeepFrom, plan.KeepTo, plan.Acknowledged, plan.Loses));
            // What is behind the damage can be read, but not be kept.
            Assert.Equal(all.Skip(21).Select(batch => batch.FirstSequence), lost);
            aside = repair.Carry(plan);
        }
        Support.Equal(all.Take(20).ToList(), Support.Replayed(directory.Path));
        Assert.True(Directory.Exists(Path.Combine(aside, "journal")));
        Assert.Equal(before["journal/commit"], Contents(aside)["journal/commit"]);
    }

    [Fact]
    public async Task What_a_snapshot_covers_is_not_lost_and_the_journal_stays_the_same_one()
    {
        using var directory = await FilledAsync(snapshotsAt: [30, 45]);
        var all = Support.Replayed(directory.Path);
        var identity = Identity(directory.Path);
        Flip(directory, AddressOf(directory, all[20].FirstSequence) + 60);
        using (var repair = new JournalRepair(directory.Path))
        {
            var plan = repair.Plan();
            Assert.Equal((all[21].FirstSequence, all[^1].LastSequence, false), (plan.KeepFrom, plan.KeepTo, plan.Loses));
            repair.Carry(plan);
        }
        await using (var journal = Support.Open(directory.Path, all[45].LastSequence + 1))
            Support.Equal(all.Skip(21).ToList(), journal.Read(all[21].FirstSequence).ToList());
        Assert.Equal(identity, Identity(directory.Path));
        var report = DirectoryVerifier.Verify(directory.Path);
        Assert.True(report.IsIntact, string.Join(" ", report.Damage));
        Assert.Equal(all[45].LastSequence, report.StartsFrom);
    }

    [Fact]
    public async Task A_damaged_newest_snapshot_leaves_the_one_before_and_the_journal()
    {
        using var directory = await FilledAsync();
        var newest = new SnapshotStore(directory.Path).List()[0];
        FlipFile(newest.Name, 100);
        var report = DirectoryVerifier.Verify(directory.Path);
        Assert.False(report.IsIntact);
        Assert.True(report.StartsFrom > 0 && report.StartsFrom < newest.Sequence);
        using (var repair = new JournalRepair(directory.Path))
        {
            var plan = repair.Plan();
            Assert.Equal((false, false), (plan.Sound, plan.Loses));
            repair.Carry(plan);
        }
        Assert.Equal([report.StartsFrom], new SnapshotStore(directory.Path).List().Select(snapshot => snapshot.Sequence));
        Assert.True(DirectoryVerifier.Verify(directory.Path).IsIntact);
    }

    [Fact]
    public async Task With_both_slots_of_the_commit_record_lost_nobody_can_tell_and_the_repair_says_so()
    {
        using var directory = await FilledAsync(snapshotsAt: []);
        var all = Support.Replayed(directory.Path);
        File.WriteAllBytes(directory.Layout.Commit, new byte[CommitFile.FileSize]);
        var identity = Identity(directory.Path);
        using (var repair = new JournalRepair(directory.Path))
        {
            var plan = repair.Plan();
            Assert.Equal((all[^1].LastSequence, -1, true), (plan.KeepTo, plan.Acknowledged, plan.Loses));
            repair.Carry(plan);
        }
        Support.Equal(all, Support.Replayed(directory.Path));
        Assert.NotEqual(identity, Identity(directory.Path));
    }

    [Fact]
    public async Task Without_anything_safe_it_refuses_and_says_what_to_do()
    {
        using var directory = await FilledAsync(snapshotsAt: [30, 45], truncate: true);
        foreach (var snapshot in new SnapshotStore(directory.Path).List()) FlipFile(snapshot.Name, 100);
        using (var repair = new JournalRepair(directory.Path))
        {
            var plan = repair.Plan();
            Assert.Contains("Restore a backup", plan.Refusal);
            Assert.Throws<InvalidOperationException>(() => repair.Carry(plan));
        }
        var report = DirectoryVerifier.Verify(directory.Path);
        Assert.Equal((false, -1), (report.IsIntact, report.StartsFrom));
    }

    [Fact]
    public async Task Files_of_two_journals_are_not_joined()
    {
        using var directory = await FilledAsync(snapshotsAt: []);
        using var other = await FilledAsync(snapshotsAt: [], seed: 99);
        File.Copy(other.Layout.Segment(1), directory.Layout.Segment(1), overwrite: true);
        File.Copy(other.Layout.Commit, directory.Layout.Commit, overwrite: true);
        using var repair = new JournalRepair(directory.Path);
        Assert.NotNull(repair.Plan().Refusal);
    }

    [Fact]
    public async Task Random_damage_is_never_silent_and_never_adds_anything()
    {
        var random = new Random(Support.Seed);
        using var pristine = await FilledAsync();
        var all = Support.Replayed(pristine.Path);
        var outcomes = new int[3];
        for (var round = 0; round < 120; round++)
        {
            using var directory = pristine.Copy();
            var files = Directory.EnumerateFiles(directory.Path, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != "lock").Order(StringComparer.Ordinal).ToList();
            var file = files[random.Next(files.Count)];
            Hurt(file, random);
            var verified = DirectoryVerifier.Verify(directory.Path);
            using var repair = new JournalRepair(directory.Path);
            var plan = repair.Plan();
            var what = $"seed {Support.Seed}, round {round}, {Path.GetFileName(file)}";
            Assert.Null(plan.Refusal); // one damage leaves something to keep
            if (plan.Sound)
            {
                outcomes[0]++;
                repair.Dispose();
                if (Path.GetFileName(file) == "keys") Assert.False(verified.IsIntact, what);
                else Support.Equal(all, Support.Replayed(directory.Path));
                continue;
            }
            Assert.False(verified.IsIntact, what);
            outcomes[plan.Loses ? 1 : 2]++;
            if (!plan.Loses) Assert.Equal(all[^1].LastSequence, plan.KeepTo);
            repair.Carry(plan);
            repair.Dispose();
            await using var journal = Support.Open(directory.Path, plan.Snapshot + 1, geometry: Manifest.Load(directory.Layout.Manifest).Geometry);
            Support.Equal(all.Where(batch => batch.FirstSequence >= plan.KeepFrom && batch.LastSequence <= plan.KeepTo).ToList(), journal.Read(plan.KeepFrom).ToList());
        }
        Assert.All(outcomes, count => Assert.True(count > 0, string.Join(", ", outcomes)));
    }

    private static void Hurt(string file, Random random)
    {
        var length = new FileInfo(file).Length;
        switch (random.Next(4))
        {
            case 0: FlipFile(file, random.NextInt64(length)); break;
            case 1:
                using (var zeroed = File.OpenHandle(file, access: FileAccess.Write)) RandomAccess.Write(zeroed, new byte[4096], random.NextInt64(length) & ~4095L);
                break;
            case 2:
                using (var cut = File.OpenWrite(file)) cut.SetLength(random.NextInt64(length));
                break;
            default: File.Delete(file); break;
        }
    }

    internal static async Task<TestDirectory> FilledAsync(int[]? snapshotsAt = null, bool truncate = false, int seed = 1)
    {
        var directory = new TestDirectory(inMemory: true);
        await using var journal = Support.Open(directory.Path);
        var all = await Support.Fill(journal, new Random(seed), Batches, 7_000);
        foreach (var at in snapshotsAt ?? [30, 45]) Snapshot(directory.Path, all[at].LastSequence);
        if (truncate) await journal.TruncateBelowAsync(all[30].FirstSequence);
        return directory;
    }

    internal static void Snapshot(string directory, long sequence) => new SnapshotStore(directory).Write(add =>
    {
        add("a block of a snapshot that is long enough to be damaged in the middle, and nothing that an engine could load"u8);
        return sequence;
    });

    private static ulong Identity(string directory) => BitConverter.ToUInt64(Manifest.Load(new DataDirectory(directory).Manifest).CreationId.ToByteArray());

    private static long AddressOf(TestDirectory directory, long sequence)
    {
        long address = 0;
        Inspection.Run(directory.Layout, frame => address = frame.Header.FirstSequence == sequence ? frame.Address : address, null);
        return address;
    }

    private static void Flip(TestDirectory directory, long address) =>
        FlipFile(directory.Layout.Segment(Support.Small.SegmentOf(address)), Support.Small.OffsetInSegment(address));

    internal static void FlipFile(string path, long offset)
    {
        using var file = File.OpenHandle(path, access: FileAccess.ReadWrite);
        var one = new byte[1];
        RandomAccess.Read(file, one, offset);
        one[0] ^= 16;
        RandomAccess.Write(file, one, offset);
    }

    private static SortedDictionary<string, string> Contents(string root)
    {
        var contents = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories))
            if (Path.GetFileName(path) != "lock") contents[Path.GetRelativePath(root, path)] = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)));
        return contents;
    }
}
