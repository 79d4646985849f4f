// Proves: what was archived is read again, the newest of it, by number and by key, after a restart too; damage anywhere is never silent; what lies behind the
// place that the journal relies on is dropped, what lies before is never missed unnoticed; a write that fails or that the disk only pretends changes nothing.

using Microsoft.Win32.SafeHandles;

namespace OrderEngine.Journal.Tests;

public sealed class ArchiveStoreTests : IDisposable
{
    private const long SmallSegment = 3_000;
    private readonly TestDirectory directory = new(inMemory: true);

    public ArchiveStoreTests() => Support.Open(directory.Path).DisposeAsync().AsTask().GetAwaiter().GetResult();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void What_was_archived_is_read_by_number_and_key_also_after_a_restart()
    {
        var random = new Random(Support.Seed);
        var store = Open(0);
        Assert.Equal((0, 0), (store.End, store.SizeBytes));
        Assert.Null(store.Read(1));
        var records = new Dictionary<long, byte[]>();
        for (var round = 0; round < 60; round++)
        {
            // Some of them again: the newest counts.
            var entries = Enumerable.Range(0, 1 + random.Next(20)).Select(_ => (long)random.Next(1, 600)).Distinct().Select(order => Entry(order, random.Next(1, 400))).ToList();
            Assert.Equal(store.Append(entries), store.End);
            foreach (var entry in entries) records[entry.Order] = entry.Record.ToArray();
        }
        Assert.True(directory.Layout.ArchiveSegments().Count > 10);
        Same(store, records);
        var again = Open(store.End);
        Assert.Equal((store.End, store.Records, store.SizeBytes), (again.End, again.Records, again.SizeBytes));
        Assert.Equal(store.Secret.ToArray(), again.Secret.ToArray());
        Same(again, records);
        again.Append([Entry(1_000, 10)]);
        Assert.NotNull(again.Read(1_000));
        var report = Verify(again.End);
        Assert.Empty(report.Damage);
        Assert.Equal((again.Records, again.End), (report.Records, report.End));
    }

    [Fact]
    public void As_of_a_place_the_newest_record_in_front_of_it_counts()
    {
        var random = new Random(Support.Seed);
        var store = Open(0);
        var then = new List<(long End, Dictionary<long, byte[]> Records)> { (0, []) };
        for (var round = 0; round < 40; round++)
        {
            var entries = Enumerable.Range(0, 1 + random.Next(20)).Select(_ => (long)random.Next(1, 30)).Distinct().Select(order => Entry(order, random.Next(1, 400))).ToList();
            var records = new Dictionary<long, byte[]>(then[^1].Records);
            store.Append(entries);
            foreach (var entry in entries) records[entry.Order] = entry.Record.ToArray();
            then.Add((store.End, records));
        }
        foreach (var known in new[] { store, Open(store.End) })
        foreach (var (end, records) in then)
        {
            for (var order = 1; order <= 30; order++) Assert.Equal(records.GetValueOrDefault(order), known.Read(order, end));
        }
        // A head that cannot be read hides what lies behind it: that is said.
        var path = directory.Layout.ArchiveSegment(0);
        var bytes = File.ReadAllBytes(path);
        bytes[120] ^= 1;
        File.WriteAllBytes(path, bytes);
        Assert.Throws<JournalException>(() => Enumerable.Range(1, 30).Select(order => store.Read(order, then[1].End)).ToList());
    }

    [Fact]
    public void The_filter_knows_nearly_all_keys_that_are_not_there()
    {
        var store = Open(0);
        for (var chunk = 0; chunk < 40; chunk++) store.Append([.. Enumerable.Range(chunk * 500 + 1, 500).Select(order => Entry(order, 1))]);
        for (var order = 1; order <= 20_000; order++) Assert.True(store.MayHave(KeyOf(order)));
        Assert.InRange(Enumerable.Range(20_001, 100_000).Count(order => store.MayHave(KeyOf(order))), 0, 500);
        Assert.InRange(store.FilterBytes, 20_000, 20_000 * 8);
    }

    [Fact]
    public void Orders_with_the_same_key_are_all_found_wherever_they_lie()
    {
        var store = Open(0);
        for (var order = 1; order <= 600; order++) store.Append([new ArchiveEntry(order, order % 2 == 0 ? 7UL : KeyOf(order), order, new byte[20])]);
        var wanted = Enumerable.Range(1, 600).Where(order => order % 2 == 0).Select(order => (long)order);
        Assert.Equal(wanted, store.Find(7).Order());
        Assert.Equal(wanted, Open(store.End).Find(7).Order());
        Assert.Equal([31L], store.Find(KeyOf(31)));
    }

    [Fact]
    public void Damage_at_every_byte_is_never_silent()
    {
        var store = Open(0);
        store.Append([Entry(1, 30), Entry(2, 5)]);
        store.Append([Entry(3, 40)]);
        var path = directory.Layout.ArchiveSegment(0);
        var bytes = File.ReadAllBytes(path);
        var (refusedStarts, refusedReads) = (0, 0);
        for (var at = 0; at < bytes.Length; at++)
        {
            var damaged = bytes.ToArray();
            damaged[at] ^= (byte)(1 << at % 8);
            File.WriteAllBytes(path, damaged);
            Assert.NotEmpty(Verify(store.End).Damage);
            ArchiveStore opened;
            try
            {
                opened = Open(store.End);
            }
            catch (JournalException)
            {
                refusedStarts++;
                continue;
            }
            var lost = 0;
            for (var order = 1; order <= 3; order++)
            {
                try
                {
                    Assert.Equal(Entry(order, order == 1 ? 30 : order == 2 ? 5 : 40).Record.ToArray(), opened.Read(order));
                }
                catch (JournalException error)
                {
                    Assert.Contains($"order {order}", error.Message, StringComparison.Ordinal);
                    lost++;
                }
            }
            // What is wrong in one record takes no other with it.
            Assert.Equal(1, lost);
            refusedReads++;
        }
        Assert.Equal((bytes.Length - 75, 75), (refusedStarts, refusedReads));
    }

    [Fact]
    public void Every_cut_in_front_of_what_the_journal_relies_on_is_refused_and_everything_behind_is_dropped()
    {
        var store = Open(0);
        store.Append([Entry(1, 30)]);
        var relied = store.Append([Entry(2, 5)]);
        store.Append([Entry(3, 40)]);
        var path = directory.Layout.ArchiveSegment(0);
        var bytes = File.ReadAllBytes(path);
        for (var length = 0; length <= bytes.Length; length++)
        {
            File.WriteAllBytes(path, bytes[..length]);
            if (length < ArchivePosition.Offset(relied))
            {
                Assert.Throws<JournalException>(() => Open(relied));
                Assert.NotEmpty(Verify(relied).Damage);
                continue;
            }
            Assert.Empty(Verify(relied).Damage);
            var opened = Open(relied);
            Assert.Equal(relied, opened.End);
            Assert.NotNull(opened.Read(2));
            Assert.Null(opened.Read(3));
            Assert.False(opened.MayHave(KeyOf(3)));
            // What is appended then is found, and nothing of before behind it.
            var end = opened.Append([Entry(4, 3)]);
            Assert.Equal(4 - 1, Open(end).Records);
        }
    }

    [Fact]
    public void A_start_can_go_back_over_segments()
    {
        var store = Open(0);
        var ends = Enumerable.Range(1, 40).Select(order => store.Append([Entry(order, 300)])).ToList();
        Assert.True(directory.Layout.ArchiveSegments().Count > 3);
        var back = Open(ends[4]);
        Assert.Single(directory.Layout.ArchiveSegments());
        Assert.NotNull(back.Read(5));
        Assert.Null(back.Read(6));
        for (var order = 100; order <= 140; order++) back.Append([Entry(order, 200)]);
        var again = Open(back.End);
        Assert.NotNull(again.Read(140));
        Assert.Null(again.Read(6));
        Assert.Empty(Verify(again.End).Damage);
        Assert.Equal(0, Open(0).End);
        Assert.Empty(directory.Layout.ArchiveSegments());
    }

    [Fact]
    public void A_lost_or_damaged_index_is_made_anew_and_one_that_is_damaged_later_is_noticed()
    {
        var store = Open(0);
        for (var order = 1; order <= 40; order++) store.Append([Entry(order, 300)]);
        var index = directory.Layout.ArchiveIndex(0);
        var bytes = File.ReadAllBytes(index);
        File.Delete(index);
        Assert.NotNull(Open(store.End).Read(1));
        Assert.Equal(bytes, File.ReadAllBytes(index));
        for (var at = 0; at < bytes.Length; at += 37)
        {
            var damaged = bytes.ToArray();
            damaged[at] ^= 1;
            File.WriteAllBytes(index, damaged);
            if (at < ArchiveIndex.BlockBytes * 3) Assert.NotEmpty(Verify(store.End).Damage);
            // The head is only read at a start.
            if (at is >= ArchiveIndex.BlockBytes and < 2 * ArchiveIndex.BlockBytes) Assert.Throws<JournalException>(() => store.Read(1));
            if (at >= 2 * ArchiveIndex.BlockBytes) Assert.Throws<JournalException>(() => store.Find(KeyOf(1)));
            Assert.Equal([1L], Open(store.End).Find(KeyOf(1)));
            Assert.Equal(bytes, File.ReadAllBytes(index));
        }
    }

    [Fact]
    public async Task A_missing_or_foreign_segment_is_refused()
    {
        var store = Open(0);
        for (var order = 1; order <= 40; order++) store.Append([Entry(order, 300)]);
        for (var number = 0; number < directory.Layout.ArchiveSegments().Count; number++)
        {
            var path = directory.Layout.ArchiveSegment(number);
            File.Move(path, path + ".away");
            Assert.Contains("missing", Assert.Throws<JournalException>(() => Open(store.End)).Message, StringComparison.Ordinal);
            File.Move(path + ".away", path);
        }
        using var other = new TestDirectory(inMemory: true);
        await Support.Open(other.Path).DisposeAsync();
        Directory.CreateDirectory(other.Layout.Archive);
        foreach (var file in Directory.EnumerateFiles(directory.Layout.Archive)) File.Copy(file, Path.Combine(other.Layout.Archive, Path.GetFileName(file)));
        foreach (var position in new[] { store.End, 0 })
            Assert.Contains("another journal", Assert.Throws<JournalException>(() => new ArchiveStore(other.Path, Disk.Real, SmallSegment).Open(position)).Message, StringComparison.Ordinal);
        Assert.Equal(directory.Layout.ArchiveSegments(), other.Layout.ArchiveSegments());
    }

    [Theory]
    [InlineData(DiskTrouble.Error)]
    [InlineData(DiskTrouble.Lost)]
    [InlineData(DiskTrouble.Flipped)]
    [InlineData(DiskTrouble.FlushError)]
    public void A_write_that_does_not_arrive_changes_nothing_and_the_next_succeeds(DiskTrouble trouble)
    {
        var disk = new TroubledDisk();
        var store = new ArchiveStore(directory.Path, disk, SmallSegment);
        store.Open(0);
        // Wherever it happens: the first segment's header, a record, an index, the next segment's header.
        var written = new List<long>();
        for (var order = 1; order <= 60; order++)
        {
            for (var failures = 0; failures < 3; failures++)
            {
                (disk.Trouble, disk.After) = (trouble, failures);
                var end = store.End;
                try
                {
                    store.Append([Entry(order, 200)]);
                    break;
                }
                catch (JournalException)
                {
                    Assert.Equal(end, store.End);
                    Assert.Null(store.Read(order));
                }
            }
            disk.Trouble = DiskTrouble.None;
            if (store.Read(order) is null) store.Append([Entry(order, 200)]);
            written.Add(order);
        }
        Assert.True(disk.Count > 60);
        var again = Open(store.End);
        Assert.All(written, order => Assert.Equal(Entry(order, 200).Record.ToArray(), again.Read(order)));
        Assert.Empty(Verify(again.End).Damage);
    }

    [Fact]
    public void What_was_appended_is_beyond_the_reach_of_a_power_cut()
    {
        var disk = new OrderlyDisk();
        var store = new ArchiveStore(directory.Path, disk, SmallSegment);
        store.Open(0);
        for (var order = 1; order <= 60; order++)
        {
            store.Append([Entry(order, 200)]);
            Assert.True(disk.IsSettled);
        }
        Assert.True(disk.Renamed > 2);
    }

    private ArchiveStore Open(long position)
    {
        var store = new ArchiveStore(directory.Path, Disk.Real, SmallSegment);
        store.Open(position);
        return store;
    }

    private ArchiveReport Verify(long position) => ArchiveStore.Verify(directory.Path, Manifest.Load(directory.Layout.Manifest).CreationId, position);

    private static void Same(ArchiveStore store, Dictionary<long, byte[]> records)
    {
        for (var order = 1; order <= 600; order++)
        {
            Assert.Equal(records.GetValueOrDefault(order), store.Read(order));
            Assert.Equal(records.ContainsKey(order) ? [order] : [], store.Find(KeyOf(order)));
        }
    }

    private static ulong KeyOf(long order) => (ulong)order * 0x9E37_79B9_7F4A_7C15 ^ (ulong)order << 40 | 1;

    private static ArchiveEntry Entry(long order, int length)
    {
        var bytes = new byte[length];
        new Random((int)order * 1_000 + length).NextBytes(bytes);
        return new ArchiveEntry(order, KeyOf(order), order * 3, bytes);
    }

    /// <summary>What goes wrong.</summary>
    public enum DiskTrouble
    {
        /// <summary>Nothing.</summary>
        None,
        /// <summary>A write fails.</summary>
        Error,
        /// <summary>A write says that it succeeded, and did not.</summary>
        Lost,
        /// <summary>A write turns a bit, and says nothing of it.</summary>
        Flipped,
        /// <summary>A flush fails.</summary>
        FlushError,
    }

    private sealed class TroubledDisk : Disk
    {
        public DiskTrouble Trouble { get; set; }

        /// <summary>So many go well first.</summary>
        public int After { get; set; }

        public int Count { get; private set; }

        public override void Write(SafeFileHandle file, string path, ReadOnlySpan<byte> bytes, long offset, bool durable)
        {
            if (Trouble is DiskTrouble.Error or DiskTrouble.Lost or DiskTrouble.Flipped && After-- == 0)
            {
                Count++;
                if (Trouble == DiskTrouble.Lost) return;
                if (Trouble == DiskTrouble.Flipped)
                {
                    var flipped = bytes.ToArray();
                    flipped[^1] ^= 1;
                    base.Write(file, path, flipped, offset, durable);
                    return;
                }
                base.Write(file, path, bytes[..(bytes.Length / 2)], offset, durable);
                throw new IOException("Input/output error");
            }
            base.Write(file, path, bytes, offset, durable);
        }

        public override void Flush(SafeFileHandle file, string path)
        {
            if (Trouble == DiskTrouble.FlushError && After-- == 0)
            {
                Count++;
                throw new IOException("Input/output error");
            }
            base.Flush(file, path);
        }
    }
}
