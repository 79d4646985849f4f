// Keys: never the same number twice, destroyed for ever, refused when damaged.

namespace OrderEngine.Journal.Tests;

public sealed class KeyRingTests
{
    private static byte[] Key(KeyRing keys, long number)
    {
        var key = new byte[KeyRing.KeySize];
        Assert.True(keys.TryGet(number, key), $"key {number}");
        return key;
    }

    [Fact]
    public async Task Keys_are_numbered_from_one_differ_and_survive_reopening()
    {
        using var directory = new TestDirectory();
        byte[] secret;
        var taken = new Dictionary<long, byte[]>();
        using (var keys = KeyRing.Open(directory.Path, 0))
        {
            secret = keys.EngineSecret.ToArray();
            for (var i = 1; i <= 3000; i++)
            {
                var number = i % 2 == 0 ? keys.Take() : await keys.TakeAsync();
                Assert.Equal(i, number);
                taken.Add(number, Key(keys, number));
            }
            Assert.False(keys.TryGet(3001, new byte[32]));
            Assert.False(keys.TryGet(0, new byte[32]));
        }
        Assert.Equal(3000, taken.Values.Select(Convert.ToHexString).Distinct().Count());
        Assert.Contains(secret, one => one != 0);
        using var again = KeyRing.Open(directory.Path, 3000);
        Assert.Equal(secret, again.EngineSecret.ToArray());
        foreach (var (number, key) in taken) Assert.Equal(key, Key(again, number));
    }

    [Fact]
    public void No_number_is_handed_out_twice_over_restarts_and_threads()
    {
        using var directory = new TestDirectory();
        var all = new HashSet<long>();
        for (var start = 0; start < 5; start++)
        {
            using var keys = KeyRing.Open(directory.Path, 0); // as after a crash in which nothing became durable
            var taken = new System.Collections.Concurrent.ConcurrentBag<long>();
            Parallel.For(0, 4, _ =>
            {
                for (var i = 0; i < 700; i++) taken.Add(keys.Take());
            });
            foreach (var number in taken) Assert.True(all.Add(number), $"{number} twice");
        }
    }

    [Fact]
    public void A_key_is_durable_before_its_number_is_handed_out()
    {
        using var directory = new TestDirectory();
        using var keys = KeyRing.Open(directory.Path, 0);
        for (var i = 0; i < 5000; i++)
        {
            var number = keys.Take();
            if (i % 100 == 0) Assert.True(new FileInfo(directory.Layout.Keys).Length >= KeySlot.OffsetOf(number + 1));
        }
    }

    [Fact]
    public void A_destroyed_key_is_gone_for_ever()
    {
        using var directory = new TestDirectory();
        byte[] key;
        using (var keys = KeyRing.Open(directory.Path, 0))
        {
            keys.Take();
            key = Key(keys, keys.Take());
            keys.Destroy(2);
            keys.Destroy(2);
            Assert.False(keys.TryGet(2, new byte[32]));
            Assert.True(keys.TryGet(1, new byte[32]));
            Assert.Throws<ArgumentOutOfRangeException>(() => keys.Destroy(99));
        }
        Assert.True(File.ReadAllBytes(directory.Layout.Keys).AsSpan().IndexOf(key) < 0, "the key is still in the file");
        using var again = KeyRing.Open(directory.Path, 2);
        Assert.False(again.TryGet(2, new byte[32]));
        Assert.True(again.TryGet(1, new byte[32]));
    }

    [Fact]
    public void A_destruction_that_was_cut_off_is_finished_by_the_next_start()
    {
        using var directory = new TestDirectory();
        byte[] key;
        using (var keys = KeyRing.Open(directory.Path, 0)) key = Key(keys, keys.Take());
        var live = File.ReadAllBytes(directory.Layout.Keys);
        using (var keys = KeyRing.Open(directory.Path, 1)) keys.Destroy(1);
        var destroyed = File.ReadAllBytes(directory.Layout.Keys)[..live.Length];
        var at = (int)KeySlot.OffsetOf(1);
        var writes = new List<(long Offset, int Length)>();
        using (var keys = KeyRing.Open(directory.Path, 1, new WatchedDisk((_, offset, length) => writes.Add((offset, length))))) keys.Destroy(keys.Take());
        Assert.Equal([KeySlot.CrcStart, 0L], writes.Where(write => write.Length < KeySlot.Size).Select(write => (write.Offset - KeySlot.HeaderSize) % KeySlot.Size));
        for (var written = 0; written <= KeySlot.Size; written++)
        {
            // From byte 8 on to the end, then the first 8.
            var torn = (byte[])live.Clone();
            for (var i = 0; i < written; i++)
            {
                var place = at + (KeySlot.CrcStart + i) % KeySlot.Size;
                torn[place] = destroyed[place];
            }
            File.WriteAllBytes(directory.Layout.Keys, torn);
            using var again = KeyRing.Open(directory.Path, 1);
            // The number does not change: what differs first is the state.
            var isLive = written <= 8;
            Assert.Equal(isLive, again.TryGet(1, new byte[32]));
            var left = File.ReadAllBytes(directory.Layout.Keys).AsSpan(at, KeySlot.Size);
            Assert.Equal(isLive ? key : new byte[32], left[24..56].ToArray());
        }
    }

    [Fact]
    public void A_flipped_bit_in_a_key_that_is_in_use_is_refused()
    {
        using var directory = new TestDirectory();
        using (var keys = KeyRing.Open(directory.Path, 0))
        {
            for (var i = 0; i < 40; i++) keys.Take();
        }
        var whole = File.ReadAllBytes(directory.Layout.Keys);
        var random = new Random(Support.Seed);
        for (var i = 0; i < 200; i++)
        {
            var damaged = (byte[])whole.Clone();
            damaged[random.Next((int)KeySlot.OffsetOf(41))] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(directory.Layout.Keys, damaged);
            var refused = Assert.Throws<JournalException>(() => KeyRing.Open(directory.Path, 40));
            Assert.Contains("damaged", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_torn_block_that_nothing_uses_is_given_up_and_one_in_use_is_refused()
    {
        using var directory = new TestDirectory();
        using (var keys = KeyRing.Open(directory.Path, 0)) keys.Take();
        using (var file = new FileStream(directory.Layout.Keys, FileMode.Open)) file.SetLength(KeySlot.OffsetOf(500) + 17);
        using (var keys = KeyRing.Open(directory.Path, 1))
        {
            Assert.Equal(501, keys.Take());
            Assert.False(keys.TryGet(500, new byte[32]));
            Assert.True(keys.TryGet(499, new byte[32]));
        }
        using (var keys = KeyRing.Open(directory.Path, 501)) Assert.True(keys.TryGet(501, new byte[32]));
        Assert.Throws<JournalException>(() => KeyRing.Open(directory.Path, 1_000_000));
    }

    [Fact]
    public async Task Missing_keys_are_refused_when_the_journal_is_there()
    {
        using var directory = new TestDirectory();
        await using (Support.Open(directory.Path)) { }
        using (var keys = KeyRing.Open(directory.Path, 0)) Assert.Equal(1, keys.Take());
        File.Delete(directory.Layout.Keys);
        Assert.Throws<JournalException>(() => KeyRing.Open(directory.Path, 0));
        using var empty = new TestDirectory();
        Assert.Throws<JournalException>(() => KeyRing.Open(empty.Path, 1));
    }

    [Fact]
    public void The_file_is_for_its_owner_only()
    {
        if (OperatingSystem.IsWindows()) return;
        using var directory = new TestDirectory();
        using var keys = KeyRing.Open(directory.Path, 0);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(directory.Layout.Keys));
    }

    [Fact]
    public async Task A_failed_write_is_final()
    {
        using var directory = new TestDirectory();
        var failing = false;
        using var keys = KeyRing.Open(directory.Path, 0, new WatchedDisk((_, _, _) =>
        {
            if (failing) throw new IOException("no space left on device");
        }));
        keys.Take();
        failing = true;
        Assert.Throws<JournalException>(() => keys.Destroy(1));
        await Assert.ThrowsAsync<JournalException>(async () => await keys.TakeAsync());
    }
}
