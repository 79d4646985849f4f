// Proves: a snapshot is kept whole and verified or not at all; two are kept; every flipped bit and every cut is refused; what a crash or a full disk
// left is never taken for a snapshot; another journal's is refused.

namespace OrderEngine.Journal.Tests;

public sealed class SnapshotStoreTests : IDisposable
{
    private readonly TestDirectory directory = new(inMemory: true);
    private readonly SnapshotStore store;

    public SnapshotStoreTests()
    {
        Support.Open(directory.Path).DisposeAsync().AsTask().GetAwaiter().GetResult();
        store = new SnapshotStore(directory.Path);
    }

    public void Dispose() => directory.Dispose();

    [Fact]
    public void What_was_written_is_read()
    {
        var random = new Random(Support.Seed);
        var blocks = Blocks(random, [1, 100, 300_000, 2_000_000, 7]);
        var written = Write(store, 42, blocks);
        Assert.Equal(written, Assert.Single(store.List()));
        Assert.Equal((42, new FileInfo(written.Name).Length), (written.Sequence, written.Bytes));
        Assert.Equal(blocks, Read(store, written));
        Assert.False(File.Exists(directory.Layout.SnapshotInCreation));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(written.Name));
    }

    [Fact]
    public void Two_are_kept_newest_first()
    {
        for (var sequence = 1; sequence <= 5; sequence++)
        {
            Write(store, sequence * 10, Blocks(new Random(sequence), [50]));
            Assert.Equal(sequence == 1 ? [10] : [sequence * 10, sequence * 10 - 10], store.List().Select(file => file.Sequence));
        }
        // The same sequence again replaces itself.
        Write(store, 50, Blocks(new Random(5), [50]));
        Assert.Equal([50L, 40L], store.List().Select(file => file.Sequence));
    }

    [Fact]
    public void Every_flipped_bit_is_refused()
    {
        var written = Write(store, 9, Blocks(new Random(1), [20, 90, 3]));
        var bytes = File.ReadAllBytes(written.Name);
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
            File.WriteAllBytes(written.Name, bytes);
            Assert.Throws<SnapshotFileException>(() => Read(store, written));
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
        }
        File.WriteAllBytes(written.Name, bytes);
        Assert.Equal(3, Read(store, written).Count);
    }

    [Fact]
    public void Every_cut_and_everything_behind_the_end_is_refused()
    {
        var written = Write(store, 9, Blocks(new Random(1), [20, 90, 3]));
        var bytes = File.ReadAllBytes(written.Name);
        for (var length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(written.Name, bytes[..length]);
            Assert.Throws<SnapshotFileException>(() => Read(store, written));
        }
        File.WriteAllBytes(written.Name, [.. bytes, 0]);
        Assert.Contains("follows", Assert.Throws<SnapshotFileException>(() => Read(store, written)).Message, StringComparison.Ordinal);
        // Blocks that are whole, but elsewhere: the chain says so.
        File.WriteAllBytes(written.Name, [.. bytes[..28], .. bytes[56..154], .. bytes[28..56], .. bytes[154..]]);
        Assert.Throws<SnapshotFileException>(() => Read(store, written));
    }

    [Fact]
    public void Zeroed_and_stale_blocks_are_refused()
    {
        var random = new Random(Support.Seed);
        var older = File.ReadAllBytes(Write(store, 8, Blocks(new Random(1), [60_000])).Name);
        var written = Write(store, 9, Blocks(new Random(2), [60_000]));
        var bytes = File.ReadAllBytes(written.Name);
        for (var round = 0; round < 100; round++)
        {
            var at = random.Next(bytes.Length / 4096) * 4096;
            var damaged = bytes.ToArray();
            if (round % 2 == 0) damaged.AsSpan(at, 4096).Clear();
            else older.AsSpan(at, 4096).CopyTo(damaged.AsSpan(at));
            File.WriteAllBytes(written.Name, damaged);
            Assert.Throws<SnapshotFileException>(() => Read(store, written));
        }
    }

    [Fact]
    public void A_failed_attempt_leaves_what_was_there()
    {
        Write(store, 1, Blocks(new Random(1), [100]));
        Assert.Throws<InvalidOperationException>(() => store.Write(add =>
        {
            add(new byte[] { 1, 2, 3 });
            throw new InvalidOperationException("the walk failed");
        }));
        for (var failing = 0; failing < 5; failing++)
        {
            var writes = 0;
            var full = new SnapshotStore(directory.Path, new WatchedDisk((_, _, _) =>
            {
                if (writes++ == failing) throw new IOException("No space left on device");
            }));
            var error = Assert.Throws<SnapshotFileException>(() => Write(full, 2, Blocks(new Random(1), [100, 100, 100])));
            Assert.Contains("No space left", error.Message, StringComparison.Ordinal);
        }
        Assert.Equal(1, Assert.Single(store.List()).Sequence);
        Assert.False(File.Exists(directory.Layout.SnapshotInCreation));
        Assert.Single(Read(store, store.List()[0]));
    }

    [Fact]
    public void A_snapshot_that_does_not_read_back_gets_no_name()
    {
        Write(store, 1, Blocks(new Random(1), [100]));
        // Something flips a bit of the first block while the second is on its way.
        var lying = new SnapshotStore(directory.Path, new WatchedDisk((path, offset, _) =>
        {
            if (offset < 100) return;
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            file.Position = 60;
            file.WriteByte(0xEE);
        }));
        Assert.Contains("checksum", Assert.Throws<SnapshotFileException>(() => Write(lying, 2, [new byte[200], new byte[200]])).Message, StringComparison.Ordinal);
        Assert.Equal(1, Assert.Single(store.List()).Sequence);
    }

    [Fact]
    public void A_snapshot_gets_its_name_when_its_bytes_are_durable_and_an_older_one_goes_when_the_name_is()
    {
        var disk = new OrderlyDisk();
        var orderly = new SnapshotStore(directory.Path, disk);
        for (var sequence = 1; sequence <= 4; sequence++) Write(orderly, sequence, Blocks(new Random(sequence), [100, 300_000, 7]));
        Assert.Equal((4, 2), (disk.Renamed, disk.Deleted));
        Assert.Equal([4L, 3L], store.List().Select(file => file.Sequence));
    }

    [Fact]
    public void Leftovers_are_ignored_replaced_and_removed()
    {
        Directory.CreateDirectory(directory.Layout.Snapshots);
        File.WriteAllText(directory.Layout.SnapshotInCreation, "half a snapshot");
        Assert.Empty(store.List());
        Write(store, 3, Blocks(new Random(1), [10]));
        Assert.False(File.Exists(directory.Layout.SnapshotInCreation));
        File.WriteAllText(directory.Layout.SnapshotInCreation, "half a snapshot");
        store.RemoveLeftovers();
        Assert.False(File.Exists(directory.Layout.SnapshotInCreation));
        Assert.Equal(3, Assert.Single(store.List()).Sequence);
    }

    [Fact]
    public void A_damaged_one_is_set_aside_and_counts_no_more()
    {
        Write(store, 1, Blocks(new Random(1), [10]));
        var newest = Write(store, 2, Blocks(new Random(1), [10]));
        store.SetAside(newest);
        Assert.Equal([1L], store.List().Select(file => file.Sequence));
        Assert.True(File.Exists(newest.Name + ".damaged"));
        Write(store, 3, Blocks(new Random(1), [10]));
        Assert.Equal([3L, 1L], store.List().Select(file => file.Sequence));
        store.SetAside(store.List()[0]);
        Assert.Single(Directory.GetFiles(directory.Layout.Snapshots, "*.damaged"));
    }

    [Fact]
    public async Task Another_journals_snapshot_is_refused_and_a_lost_journal_noticed()
    {
        using var other = new TestDirectory(inMemory: true);
        await Support.Open(other.Path).DisposeAsync();
        var foreign = Write(new SnapshotStore(other.Path), 5, Blocks(new Random(1), [10]));
        Directory.CreateDirectory(directory.Layout.Snapshots);
        File.Copy(foreign.Name, directory.Layout.Snapshot(5));
        Assert.Contains("another journal", Assert.Throws<JournalException>(() => Read(store, store.List()[0])).Message, StringComparison.Ordinal);

        Directory.Delete(directory.Layout.Journal, recursive: true);
        File.Delete(directory.Layout.Keys);
        Assert.Contains("snapshots", Assert.Throws<JournalException>(() => Support.Open(directory.Path)).Message, StringComparison.Ordinal);
    }

    private static List<byte[]> Blocks(Random random, int[] lengths)
    {
        var blocks = new List<byte[]>();
        foreach (var length in lengths)
        {
            blocks.Add(new byte[length]);
            random.NextBytes(blocks[^1]);
        }
        return blocks;
    }

    private static SnapshotFile Write(SnapshotStore store, long sequence, List<byte[]> blocks) => store.Write(add =>
    {
        foreach (var block in blocks) add(block);
        return sequence;
    });

    private static List<byte[]> Read(SnapshotStore store, SnapshotFile file)
    {
        var blocks = new List<byte[]>();
        store.Read(file, block => blocks.Add(block.ToArray()));
        return blocks;
    }
}
