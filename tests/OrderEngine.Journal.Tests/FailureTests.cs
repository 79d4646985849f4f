// Failing and stalling disks, wrong callers, two owners, truncation, and a process killed while it appends.

using System.Diagnostics;
using System.Globalization;

namespace OrderEngine.Journal.Tests;

public sealed class FailureTests
{
    private const int KillRounds = 20;

    [Theory]
    [InlineData("commit")]
    [InlineData("log.000000")]
    public async Task A_failed_write_is_final_and_what_was_acknowledged_is_there_afterwards(string file)
    {
        using var directory = new TestDirectory();
        var failing = false;
        var writesAfterwards = 0;
        var journal = Support.Open(directory.Path, beforeWrite: (path, _, _) =>
        {
            if (!failing) return;
            if (path.EndsWith(file, StringComparison.Ordinal) && writesAfterwards++ == 0) throw new IOException("no space left on device");
        });
        var all = await Support.Fill(journal, new Random(1), 20, 300);
        failing = true;
        var error = await Assert.ThrowsAsync<JournalException>(async () => await journal.AppendAsync(Support.Batch(new Random(2), journal.LastSequence, 50)));
        Assert.Contains("no space left", error.Message, StringComparison.Ordinal);
        var again = await Assert.ThrowsAsync<JournalException>(async () => await journal.AppendAsync(Support.Batch(new Random(2), journal.LastSequence, 50)));
        Assert.Same(error, again);
        await Assert.ThrowsAsync<JournalException>(async () => await journal.TruncateBelowAsync(5));
        Assert.Equal(all[^1].LastSequence, journal.LastSequence);
        Assert.Equal(1, writesAfterwards);
        Support.Equal(all, journal.Read(1).ToList()); // reads are still served
        await journal.DisposeAsync();

        Support.Equal(all, Support.Replayed(directory.Path).Take(all.Count).ToList());
    }

    [Theory]
    [InlineData("commit")]
    [InlineData("log.000000")]
    public async Task A_commit_past_its_deadline_fails_and_closing_does_not_hang(string file)
    {
        using var directory = new TestDirectory();
        var time = new ManualTime();
        using var release = new ManualResetEventSlim();
        using var stalled = new ManualResetEventSlim();
        var stall = false;
        var journal = Support.Open(directory.Path, time: time, beforeWrite: (path, _, _) =>
        {
            if (!stall || !path.EndsWith(file, StringComparison.Ordinal)) return;
            stalled.Set();
            // Let go below; or here, so that a journal without a deadline fails the test instead of hanging it.
            release.Wait(TimeSpan.FromSeconds(30));
        });
        var all = await Support.Fill(journal, new Random(1), 5, 300);
        stall = true;
        var append = journal.AppendAsync(Support.Batch(new Random(2), journal.LastSequence, 50)).AsTask();
        stalled.Wait();
        time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(append.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.2));
        var error = await Assert.ThrowsAsync<JournalException>(() => append);
        Assert.Contains("longer than 10 s", error.Message, StringComparison.Ordinal);
        Assert.Equal(all[^1].LastSequence, journal.LastSequence);

        var clock = Stopwatch.StartNew();
        var closing = journal.DisposeAsync().AsTask();
        release.Set(); // the write comes back from the kernel while the journal closes
        await closing;
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30));
        var found = Support.Replayed(directory.Path);
        Support.Equal(all, found.Take(all.Count).ToList());
    }

    [Fact]
    public async Task While_a_write_is_stuck_the_directory_stays_locked()
    {
        using var directory = new TestDirectory();
        var time = new ManualTime();
        using var release = new ManualResetEventSlim();
        using var stalled = new ManualResetEventSlim();
        var stall = false;
        var journal = Support.Open(directory.Path, time: time, beforeWrite: (path, _, _) =>
        {
            if (!stall || !path.EndsWith("log.000000", StringComparison.Ordinal)) return;
            stalled.Set();
            release.Wait();
        });
        stall = true;
        var append = journal.AppendAsync(Support.Batch(new Random(2), 0, 50)).AsTask();
        stalled.Wait();
        time.Advance(TimeSpan.FromSeconds(11));
        await Assert.ThrowsAsync<JournalException>(() => append);
        await journal.DisposeAsync();
        Assert.Throws<JournalException>(() => Support.Open(directory.Path));
        release.Set();
    }

    [Fact]
    public async Task A_gap_an_older_epoch_or_an_empty_batch_ends_the_journal()
    {
        foreach (var wrong in new[]
        {
            new JournalBatch(2, 12, 12, new byte[1]), new JournalBatch(2, 10, 10, new byte[1]), new JournalBatch(2, 11, 10, new byte[1]),
            new JournalBatch(1, 11, 11, new byte[1]), new JournalBatch(2, 11, 11, ReadOnlyMemory<byte>.Empty),
            new JournalBatch(2, 11, 11, new byte[Support.Small.MaxPayloadBytes + 1]),
        })
        {
            using var directory = new TestDirectory();
            await using (var journal = Support.Open(directory.Path))
            {
                await journal.AppendAsync(new JournalBatch(2, 1, 10, new byte[30]));
                await Assert.ThrowsAsync<JournalException>(async () => await journal.AppendAsync(wrong));
                await Assert.ThrowsAsync<JournalException>(async () => await journal.AppendAsync(new JournalBatch(2, 11, 11, new byte[1])));
                Assert.Equal(10, journal.LastSequence);
            }
            Assert.Single(Support.Replayed(directory.Path));
        }
    }

    [Fact]
    public async Task Closing_waits_for_what_is_under_way_and_accepts_nothing_afterwards()
    {
        using var directory = new TestDirectory();
        var journal = Support.Open(directory.Path);
        var one = journal.AppendAsync(Support.Batch(new Random(1), 0, 50)).AsTask();
        await journal.DisposeAsync();
        await one;
        await journal.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await journal.AppendAsync(Support.Batch(new Random(1), 1, 50)));
        Assert.Single(Support.Replayed(directory.Path));
    }

    [Fact]
    public async Task A_directory_has_one_owner()
    {
        using var directory = new TestDirectory();
        await using (Support.Open(directory.Path))
        {
            var second = Assert.Throws<JournalException>(() => Support.Open(directory.Path));
            Assert.Contains($"in use by process {Environment.ProcessId}", second.Message, StringComparison.Ordinal);
            Assert.Throws<JournalException>(() => JournalVerifier.Verify(directory.Path));
        }
        Assert.True(JournalVerifier.Verify(directory.Path).IsIntact);
    }

    [Fact]
    public async Task Replay_that_throws_releases_the_directory()
    {
        using var directory = new TestDirectory();
        await using (var journal = Support.Open(directory.Path)) await Support.Fill(journal, new Random(1), 3, 50);
        Assert.Throws<InvalidOperationException>(() => Support.Open(directory.Path, 1, _ => throw new InvalidOperationException()));
        Assert.Equal(3, Support.Replayed(directory.Path).Count);
    }

    [Fact]
    public async Task Truncation_removes_whole_segments_below_and_nothing_else_also_after_reopening()
    {
        using var directory = new TestDirectory();
        var random = new Random(3);
        List<JournalBatch> all;
        long first;
        await using (var journal = Support.Open(directory.Path))
        {
            all = await Support.Fill(journal, random, 120, Support.Small.MaxPayloadBytes);
            var files = DataDirectory.SegmentsIn(directory.Layout.Journal).Count;
            var size = journal.SizeBytes;
            var sequence = all[80].FirstSequence;
            await journal.TruncateBelowAsync(sequence);
            first = journal.FirstSequence;
            Assert.InRange(first, 2, sequence);
            Assert.True(DataDirectory.SegmentsIn(directory.Layout.Journal).Count < files);
            Assert.True(journal.SizeBytes < size);
            Assert.Throws<ArgumentOutOfRangeException>(() => journal.Read(first - 1));
            Support.Equal(all.Where(batch => batch.FirstSequence >= first).ToList(), journal.Read(first).ToList());

            await journal.TruncateBelowAsync(1); // nothing to do
            Assert.Equal(first, journal.FirstSequence);
            all.AddRange(await Support.Fill(journal, random, 30, 2000));
        }
        Assert.Throws<JournalException>(() => Support.Open(directory.Path, first - 1));
        await using (var journal = Support.Open(directory.Path, first))
        {
            Assert.Equal(first, journal.FirstSequence);
            Support.Equal(all.Where(batch => batch.FirstSequence >= first).ToList(), journal.Read(first).ToList());
            await journal.TruncateBelowAsync(long.MaxValue);
            all.AddRange(await Support.Fill(journal, random, 30, 2000));
            first = journal.FirstSequence;
        }
        var report = JournalVerifier.Verify(directory.Path);
        Assert.True(report.IsIntact, report.Damage);
        Assert.Equal((first, all[^1].LastSequence), (report.FirstSequence, report.LastSequence));
    }

    [Fact]
    public async Task A_segment_that_cannot_be_deleted_fails_the_truncation_and_the_journal()
    {
        using var directory = new TestDirectory();
        var disk = new UndeletingDisk();
        List<JournalBatch> all;
        await using (var journal = FasterJournal.Open(Support.Options(directory.Path) with { Disk = disk }, 1, _ => { }))
        {
            all = await Support.Fill(journal, new Random(3), 120, Support.Small.MaxPayloadBytes);
            disk.IsBroken = true;
            var error = await Assert.ThrowsAsync<JournalException>(() => journal.TruncateBelowAsync(all[80].FirstSequence).AsTask().WaitAsync(TimeSpan.FromMinutes(1)));
            Assert.Contains("Input/output error", error.Message, StringComparison.Ordinal);
            await Assert.ThrowsAsync<JournalException>(async () => await journal.AppendAsync(Support.Batch(new Random(2), journal.LastSequence, 50)));
        }
        var report = JournalVerifier.Verify(directory.Path);
        Assert.True(report.IsIntact, report.Damage);
        Assert.Equal(all[^1].LastSequence, report.LastSequence);
    }

    private sealed class UndeletingDisk : Disk
    {
        public bool IsBroken { get; set; }

        public override void Delete(string path)
        {
            if (IsBroken) throw new IOException("Input/output error");
            base.Delete(path);
        }
    }

    [Fact]
    public async Task Truncation_goes_on_beside_appends()
    {
        using var directory = new TestDirectory();
        await using var journal = Support.Open(directory.Path);
        var random = new Random(4);
        var all = new List<JournalBatch>();
        for (var round = 0; round < 10; round++)
        {
            var appends = Support.Fill(journal, random, 30, Support.Small.MaxPayloadBytes);
            await journal.TruncateBelowAsync(journal.LastSequence);
            all.AddRange(await appends);
        }
        Assert.True(DataDirectory.SegmentsIn(directory.Layout.Journal).Count < 12);
        Support.Equal(all.Where(batch => batch.FirstSequence >= journal.FirstSequence).ToList(), journal.Read(journal.FirstSequence).ToList());
    }

    [Fact]
    public async Task Leftover_segments_of_an_interrupted_truncation_are_removed()
    {
        using var directory = new TestDirectory();
        long first;
        byte[] old;
        await using (var journal = Support.Open(directory.Path))
        {
            await Support.Fill(journal, new Random(5), 60, Support.Small.MaxPayloadBytes);
            old = await File.ReadAllBytesAsync(directory.Layout.Segment(0));
            await journal.TruncateBelowAsync(journal.LastSequence);
            first = journal.FirstSequence;
        }
        await File.WriteAllBytesAsync(directory.Layout.Segment(0), old);
        await using var again = Support.Open(directory.Path, first);
        Assert.False(File.Exists(directory.Layout.Segment(0)));
        Assert.Equal(first, again.Read(first).First().FirstSequence);
    }

    [Fact]
    public void Every_batch_that_a_killed_process_reported_is_there()
    {
        using var directory = new TestDirectory();
        var random = new Random(Support.Seed);
        var reported = 0L;
        for (var round = 0; round < KillRounds; round++)
        {
            reported = Math.Max(reported, AppendAndKill(directory.Path, random.Next(), 1 + random.Next(120)));
            if (round % 4 == 3) Assert.True(JournalVerifier.Verify(directory.Path).IsIntact);
        }
        var found = Support.Replayed(directory.Path);
        Assert.True(found[^1].LastSequence >= reported, $"{reported} was durable, {found[^1].LastSequence} is there");
        Support.Equal(found.Select(batch => Program.BatchAt(batch.FirstSequence)).ToList(), found);
        Assert.True(reported > KillRounds);
    }

    /// <summary>Runs a child until it has reported some batches, kills it, and returns the last one it reported.</summary>
    private static long AppendAndKill(string directory, int seed, int reports)
    {
        using var child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!)
        {
            ArgumentList = { "exec", typeof(FailureTests).Assembly.Location, "append", directory, seed.ToString(CultureInfo.InvariantCulture) },
            RedirectStandardOutput = true,
        })!;
        var last = 0L;
        for (var i = 0; i < reports; i++)
        {
            last = long.Parse(child.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the child ended by itself"), CultureInfo.InvariantCulture);
        }
        child.Kill();
        while (child.StandardOutput.ReadLine() is { } line) last = long.Parse(line, CultureInfo.InvariantCulture);
        child.WaitForExit();
        return last;
    }
}
