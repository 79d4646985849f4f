// Damage of every kind to a closed journal: either everything acknowledged is returned, or the journal is refused. Never silent.

using Xunit.Abstractions;

namespace OrderEngine.Journal.Tests;

public sealed class DamageTests(ITestOutputHelper output)
{
    private const int BitFlips = 700;

    private readonly Dictionary<string, int> verdicts = [];

    /// <summary>Small batches first, so that the last frames are short, and a few that make it span several segments.</summary>
    private static async Task<(TestDirectory Directory, List<JournalBatch> Acknowledged)> Written(int seed, int large = 25, int small = 12)
    {
        var directory = new TestDirectory(inMemory: true);
        await using var journal = Support.Open(directory.Path);
        var all = await Support.Fill(journal, new Random(seed), large, Support.Small.MaxPayloadBytes);
        all.AddRange(await Support.Fill(journal, new Random(seed + 1), small, 60));
        return (directory, all);
    }

    /// <summary>The verdict of verifier and recovery on a directory; both must agree, and neither may lose anything acknowledged.</summary>
    private void Judge(TestDirectory directory, List<JournalBatch> acknowledged, string what, int unacknowledged = 0)
    {
        var report = JournalVerifier.Verify(directory.Path);
        if (!report.IsIntact)
        {
            Assert.False(string.IsNullOrWhiteSpace(report.Damage));
            Count("refused");
            return;
        }
        Count("intact");
        using var copy = directory.Copy();
        var found = Support.Replayed(copy.Path);
        Assert.InRange(found.Count, acknowledged.Count, acknowledged.Count + unacknowledged);
        Support.Equal(acknowledged, found.Take(acknowledged.Count).ToList());

        // What was cut stays cut: appending and reopening shows the same and the new batch.
        var journal = Support.Open(copy.Path);
        var next = Support.Batch(new Random(9), journal.LastSequence, 40);
        journal.AppendAsync(next).AsTask().GetAwaiter().GetResult();
        journal.DisposeAsync().AsTask().GetAwaiter().GetResult();
        Support.Equal([.. found, next], Support.Replayed(copy.Path));
        Assert.True(JournalVerifier.Verify(copy.Path).IsIntact, what);
    }

    private void Count(string verdict) => verdicts[verdict] = verdicts.GetValueOrDefault(verdict) + 1;

    private void Print() => output.WriteLine(string.Join(", ", verdicts.Select(pair => $"{pair.Key} {pair.Value}")));

    private static string TailSegment(TestDirectory directory, out long end)
    {
        var inspection = Inspection.Run(directory.Layout, null, null);
        end = Support.Small.OffsetInSegment(inspection.EndAddress);
        return directory.Layout.Segment(Support.Small.SegmentOf(inspection.EndAddress));
    }

    [Fact]
    public async Task Cut_at_every_byte_of_the_last_acknowledged_frames_it_is_refused_and_behind_them_it_is_intact()
    {
        var (directory, all) = await Written(Support.Seed);
        using var _ = directory;
        var path = TailSegment(directory, out var end);
        var whole = File.ReadAllBytes(path);
        // The last frame may be the first of its segment.
        for (var length = Math.Max(0, end - 300); length <= end + 2; length++)
        {
            await File.WriteAllBytesAsync(path, whole[..(int)length]);
            var intact = JournalVerifier.Verify(directory.Path).IsIntact;
            // Zeros at the end of a frame, of its padding or its own, read the same when they are cut.
            if (length < end && whole.AsSpan((int)length..(int)end).ContainsAnyExcept((byte)0)) Assert.False(intact, $"seed {Support.Seed}, cut at {length} of {end}");
            if (length >= end) Assert.True(intact, $"cut at {length} of {end}");
            if (intact || length % 50 == 0) Judge(directory, all, $"cut at {length}");
        }
        Print();
    }

    [Fact]
    public async Task An_unacknowledged_frame_cut_at_any_byte_is_dropped_and_a_whole_one_is_kept()
    {
        using var directory = new TestDirectory(inMemory: true);
        List<JournalBatch> all;
        var failing = false;
        await using (var journal = Support.Open(directory.Path, beforeWrite: (path, _, _) =>
        {
            if (failing && path.EndsWith("commit", StringComparison.Ordinal)) throw new IOException("the disk is gone");
        }))
        {
            all = await Support.Fill(journal, new Random(2), 20, 500);
            failing = true;
            await Assert.ThrowsAsync<JournalException>(async () => await journal.AppendAsync(Support.Batch(new Random(3), journal.LastSequence, 70)));
        }
        var path = TailSegment(directory, out var end);
        var frame = FrameHeader.EntrySize(70);
        var whole = File.ReadAllBytes(path);
        for (var length = end - frame; length <= end; length++)
        {
            await File.WriteAllBytesAsync(path, whole[..(int)length]);
            var report = JournalVerifier.Verify(directory.Path);
            Assert.True(report.IsIntact, $"cut at {length}: {report.Damage}");
            if (length % 16 == 0 || length >= end - 4) Judge(directory, all, $"cut at {length}", unacknowledged: 1);
        }
        // The same torn in the middle, with the file at its full length.
        for (var at = end - frame; at < end; at += 7)
        {
            var torn = (byte[])whole.Clone();
            torn.AsSpan((int)at, (int)(end - at)).Clear();
            await File.WriteAllBytesAsync(path, torn);
            Judge(directory, all, $"torn at {at}", unacknowledged: 1);
        }
        Print();
    }

    [Fact]
    public async Task A_single_flipped_bit_anywhere_is_never_silent()
    {
        var seed = Support.Seed;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var (directory, all) = await Written(seed, large: 15);
        using var _ = directory;
        var files = Directory.GetFiles(directory.Layout.Journal);
        for (var i = 0; i < BitFlips; i++)
        {
            var path = files[random.Next(files.Length)];
            using (var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite))
            {
                // Half of the flips hit where something is known to lie: the first bytes of a block.
                var at = random.Next(2) == 0 ? random.NextInt64(file.Length) : random.NextInt64((file.Length + 4095) / 4096) * 4096 + random.Next(128);
                at = Math.Min(at, file.Length - 1);
                var bit = (byte)(1 << random.Next(8));
                Flip(file, at, bit);
                file.Flush();
                Judge(directory, all, $"flip {i} at {at} of {Path.GetFileName(path)}");
                Flip(file, at, bit);
            }
        }
        Assert.True(verdicts["refused"] > BitFlips / 10 && verdicts["intact"] > BitFlips / 10);
        Print();
    }

    private static void Flip(FileStream file, long at, byte bit)
    {
        file.Position = at;
        var value = (byte)file.ReadByte();
        file.Position = at;
        file.WriteByte((byte)(value ^ bit));
        file.Flush();
    }

    [Fact]
    public async Task Every_bit_of_the_last_acknowledged_frame_is_guarded()
    {
        var (directory, all) = await Written(5, large: 3);
        using var _ = directory;
        var path = TailSegment(directory, out var end);
        var size = FrameHeader.EntrySize(all[^1].Payload.Length);
        var padding = size - FrameHeader.EntryHeaderSize - FrameHeader.Size - all[^1].Payload.Length;
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        for (var at = end - size; at < end - padding; at++)
        {
            Flip(file, at, 1 << 4);
            Assert.False(JournalVerifier.Verify(directory.Path).IsIntact, $"byte {at - end + size} of the frame");
            Flip(file, at, 1 << 4);
        }
    }

    [Fact]
    public async Task Zeroed_and_stale_blocks_are_never_silent()
    {
        using var directory = new TestDirectory(inMemory: true);
        List<JournalBatch> all;
        TestDirectory stale;
        await using (var journal = Support.Open(directory.Path))
        {
            all = await Support.Fill(journal, new Random(7), 12, Support.Small.MaxPayloadBytes);
            all.AddRange(await Support.Fill(journal, new Random(8), 9, 60));
        }
        stale = directory.Copy();
        using var __ = stale;
        await using (var journal = Support.Open(directory.Path))
        {
            all.AddRange(await Support.Fill(journal, new Random(9), 7, 60));
            all.AddRange(await Support.Fill(journal, new Random(10), 8, Support.Small.MaxPayloadBytes));
            all.AddRange(await Support.Fill(journal, new Random(11), 5, 60));
        }
        foreach (var path in Directory.GetFiles(directory.Layout.Journal))
        {
            var whole = await File.ReadAllBytesAsync(path);
            var oldPath = Path.Combine(stale.Layout.Journal, Path.GetFileName(path));
            var old = File.Exists(oldPath) ? await File.ReadAllBytesAsync(oldPath) : new byte[whole.Length];
            for (var at = 0; at < whole.Length; at += JournalGeometry.BlockSize)
            {
                var length = Math.Min(JournalGeometry.BlockSize, whole.Length - at);
                foreach (var replacement in new[] { new byte[length], old.AsSpan(at, length).ToArray() })
                {
                    if (whole.AsSpan(at, length).SequenceEqual(replacement)) continue;
                    var damaged = (byte[])whole.Clone();
                    replacement.CopyTo(damaged, at);
                    await File.WriteAllBytesAsync(path, damaged);
                    Judge(directory, all, $"block {at} of {Path.GetFileName(path)}");
                    if (Path.GetFileName(path) == DataDirectory.CommitName) Assert.True(JournalVerifier.Verify(directory.Path).IsIntact);
                }
            }
            await File.WriteAllBytesAsync(path, whole);
        }
        Assert.True(verdicts["refused"] > 20);
        Print();
    }

    [Fact]
    public async Task One_lost_commit_slot_is_survived_only_while_the_log_reaches_beyond_the_other()
    {
        var (directory, all) = await Written(11);
        using var _ = directory;
        var commit = await File.ReadAllBytesAsync(directory.Layout.Commit);
        var numbers = Enumerable.Range(0, 2).Select(slot => CommitRecord.TryDecode(commit.AsSpan(slot * CommitFile.SlotSize))!.Number).ToArray();
        var newest = numbers[0] > numbers[1] ? 0 : 1;

        // The newest one lost: the log reaches beyond the older record, as after a crash during the write.
        await File.WriteAllBytesAsync(directory.Layout.Commit, Without(commit, newest));
        Judge(directory, all, "newest slot");
        Assert.Equal(1, verdicts["intact"]);

        // ... and the frame it spoke of lost as well: must not pass for a torn end.
        var path = TailSegment(directory, out var end);
        var log = await File.ReadAllBytesAsync(path);
        var torn = (byte[])log.Clone();
        torn[end - 8] ^= 1;
        await File.WriteAllBytesAsync(path, torn);
        var report = JournalVerifier.Verify(directory.Path);
        Assert.False(report.IsIntact);
        Assert.Contains("may have promised more", report.Damage, StringComparison.Ordinal);
        await File.WriteAllBytesAsync(path, log);

        // Both lost.
        await File.WriteAllBytesAsync(directory.Layout.Commit, Without(Without(commit, 0), 1));
        report = JournalVerifier.Verify(directory.Path);
        Assert.Equal((false, 4, (long)all.Count), (report.IsIntact, report.CommitCopiesLost, report.Frames));
        var refused = Assert.Throws<JournalException>(() => Support.Open(directory.Path));
        Assert.Contains("Restore", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Appends_that_become_durable_together_have_a_record_each()
    {
        using var directory = new TestDirectory();
        var disk = new SteppedDisk();
        await using var journal = FasterJournal.Open(Support.Options(directory.Path) with { Disk = disk, CompletesInline = true }, 1, _ => { });
        var one = journal.AppendAsync(new JournalBatch(1, 1, 3, new byte[50])).AsTask();
        var other = journal.AppendAsync(new JournalBatch(1, 4, 9, new byte[50])).AsTask();
        disk.WriteLog();
        Assert.False(one.IsCompleted);

        disk.WriteRecord();

        Assert.True(one.IsCompletedSuccessfully && other.IsCompletedSuccessfully);
        var commit = await File.ReadAllBytesAsync(directory.Layout.Commit);
        var records = Enumerable.Range(0, CommitFile.Slots).Select(slot => CommitRecord.TryDecode(commit.AsSpan(slot * CommitFile.SlotSize))!).OrderBy(record => record.Number);
        Assert.Equal([3L, 9], records.Select(record => record.LastSequence));
    }

    private static byte[] Without(byte[] commit, int slot)
    {
        var damaged = (byte[])commit.Clone();
        damaged.AsSpan(slot * CommitFile.SlotSize, CommitFile.SlotSize).Clear();
        return damaged;
    }

    [Theory]
    [InlineData(DataDirectory.ManifestName)]
    [InlineData(DataDirectory.CommitName)]
    [InlineData("log.000000")]
    [InlineData("log.000001")]
    public async Task A_missing_file_is_refused(string name)
    {
        var (directory, _) = await Written(12);
        using var __ = directory;
        File.Delete(Path.Combine(directory.Layout.Journal, name));
        Assert.False(JournalVerifier.Verify(directory.Path).IsIntact);
        var refused = Assert.Throws<JournalException>(() => Support.Open(directory.Path));
        Assert.Contains("estore", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_valid_frame_that_does_not_continue_the_chain_is_cut_and_erased()
    {
        var (directory, all) = await Written(16, large: 1);
        using var _ = directory;
        using var fork = directory.Copy();
        var last = all[^1].LastSequence;
        await AppendOne(directory, new JournalBatch(1, last + 1, last + 1, new byte[] { 1, 1, 1, 1 }));
        await AppendOne(fork, new JournalBatch(1, last + 1, last + 1, new byte[] { 2, 2, 2, 2 }));
        await AppendOne(fork, new JournalBatch(1, last + 2, last + 2, new byte[] { 3, 3, 3, 3 }));
        // The other branch's last frame lies exactly where the next one would: right length, checksum and sequence.
        var path = TailSegment(directory, out var end);
        var log = await File.ReadAllBytesAsync(path);
        var other = await File.ReadAllBytesAsync(TailSegment(fork, out var forkEnd));
        Assert.Equal(FrameHeader.EntrySize(4), forkEnd - end);
        other.AsSpan((int)end, (int)(forkEnd - end)).CopyTo(log.AsSpan((int)end));
        await File.WriteAllBytesAsync(path, log);

        var report = JournalVerifier.Verify(directory.Path);
        Assert.Equal((true, last + 1), (report.IsIntact, report.LastSequence));
        Assert.True(report.TornBytes > 0);
        Assert.Equal(last + 1, Support.Replayed(directory.Path)[^1].LastSequence);
        Assert.Equal(0, JournalVerifier.Verify(directory.Path).TornBytes);
    }

    [Fact]
    public async Task A_lost_journal_directory_is_not_replaced_by_an_empty_one()
    {
        var (directory, _) = await Written(13, large: 1);
        using var __ = directory;
        Directory.Delete(directory.Layout.Journal, recursive: true);
        Assert.Throws<JournalException>(() => Support.Open(directory.Path));
    }

    [Fact]
    public void A_creation_that_was_interrupted_is_begun_again()
    {
        using var directory = new TestDirectory(inMemory: true);
        Assert.Throws<JournalException>(() => Support.Open(directory.Path, beforeWrite: (path, _, _) =>
        {
            if (path.EndsWith(DataDirectory.ManifestName, StringComparison.Ordinal)) throw new IOException("killed here");
        }));
        Assert.True(Directory.Exists(directory.Layout.JournalInCreation));
        Assert.Empty(Support.Replayed(directory.Path));
        Assert.False(Directory.Exists(directory.Layout.JournalInCreation));
    }

    [Fact]
    public async Task Files_of_two_journals_do_not_mix()
    {
        var (one, _) = await Written(14, large: 1);
        using var __ = one;
        var (other, _) = await Written(14, large: 1);
        using var ___ = other;
        foreach (var name in new[] { "commit", "MANIFEST", "log.000000" })
        {
            using var mixed = one.Copy();
            File.Copy(Path.Combine(other.Layout.Journal, name), Path.Combine(mixed.Layout.Journal, name), overwrite: true);
            Assert.False(JournalVerifier.Verify(mixed.Path).IsIntact, name);
            Assert.Throws<JournalException>(() => Support.Open(mixed.Path));
        }
    }

    [Fact]
    public async Task A_log_that_went_another_way_than_the_commit_record_is_refused()
    {
        var (directory, all) = await Written(17, large: 1);
        using var _ = directory;
        var last = all[^1].LastSequence;
        using var equal = directory.Copy();
        using var spanning = directory.Copy();
        await AppendOne(directory, new JournalBatch(1, last + 1, last + 1, new byte[] { 1, 1, 1, 1 }));
        await AppendOne(equal, new JournalBatch(1, last + 1, last + 1, new byte[] { 2, 2, 2, 2 }));
        await AppendOne(spanning, new JournalBatch(1, last + 1, last + 5, new byte[] { 3, 3, 3, 3 }));
        foreach (var other in new[] { equal, spanning })
        {
            var path = TailSegment(other, out var __);
            File.Copy(path, Path.Combine(directory.Layout.Journal, Path.GetFileName(path)), overwrite: true);
            var refused = Assert.Throws<JournalException>(() => Support.Open(directory.Path));
            Assert.Contains("mixed", refused.Message, StringComparison.Ordinal);
        }
    }

    private static async Task AppendOne(TestDirectory directory, JournalBatch batch)
    {
        await using var journal = Support.Open(directory.Path);
        await journal.AppendAsync(batch);
    }

    [Fact]
    public async Task Another_page_size_and_a_newer_format_are_refused()
    {
        var (directory, _) = await Written(15, large: 1);
        using var __ = directory;
        var manifest = Manifest.Load(directory.Layout.Manifest);
        var size = Assert.Throws<JournalException>(() => Support.Open(directory.Path, geometry: JournalGeometry.Standard));
        Assert.Contains("pages", size.Message, StringComparison.Ordinal);

        await File.WriteAllBytesAsync(directory.Layout.Manifest, (manifest with { Format = 2 }).Encode());
        var newer = Assert.Throws<JournalException>(() => Support.Open(directory.Path));
        Assert.Contains("newer version", newer.Message, StringComparison.Ordinal);
        Assert.False(JournalVerifier.Verify(directory.Path).IsIntact);
    }
}
