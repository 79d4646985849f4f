// What is appended comes back: live, after reopening, across page and segment ends, at the largest batch, while appending.

using Xunit.Abstractions;

namespace OrderEngine.Journal.Tests;

public sealed class RoundTripTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_new_journal_is_empty_and_begins_at_one()
    {
        using var directory = new TestDirectory();
        await using var journal = Support.Open(directory.Path);
        Assert.Equal((1, 0), (journal.FirstSequence, journal.LastSequence));
        Assert.Empty(journal.Read(1));
    }

    [Fact]
    public async Task Random_batches_are_read_back_live_and_after_every_reopening()
    {
        for (var round = 0; round < 8; round++)
        {
            var seed = Support.Seed + round;
            output.WriteLine($"seed {seed}");
            var random = new Random(seed);
            using var directory = new TestDirectory();
            var all = new List<JournalBatch>();
            for (var start = 0; start < 5; start++)
            {
                var replayed = new List<JournalBatch>();
                await using var journal = Support.Open(directory.Path, 1, batch => replayed.Add(batch with { Payload = batch.Payload.ToArray() }));
                Support.Equal(all, replayed);
                Assert.Equal(all.Count == 0 ? 0 : all[^1].LastSequence, journal.LastSequence);
                all.AddRange(await Support.Fill(journal, random, random.Next(60), random.Next(2) == 0 ? 300 : Support.Small.MaxPayloadBytes));
                Support.Equal(all, journal.Read(1).ToList());
            }
            Support.Equal(all, Support.Replayed(directory.Path));
            var report = JournalVerifier.Verify(directory.Path);
            Assert.True(report.IsIntact, report.Damage);
            Assert.Equal((all.Count, all.Count == 0 ? 0 : all[^1].LastSequence), (report.Frames, report.LastSequence));
        }
    }

    [Fact]
    public async Task A_batch_that_fills_its_page_to_the_last_byte_is_followed_by_the_next_page_also_after_reopening()
    {
        var random = new Random(1);
        using var directory = new TestDirectory();
        var all = new List<JournalBatch>();
        var genesisEnd = JournalGeometry.FirstAddress + FrameHeader.EntrySize(16);
        var rooms = new[] { (int)(Support.Small.PageSize - genesisEnd), (int)Support.Small.PageSize, (int)Support.Small.PageSize };
        foreach (var room in rooms)
        {
            await using var journal = Support.Open(directory.Path);
            var first = Support.Batch(random, journal.LastSequence, Support.Small.MaxPayloadBytes);
            await journal.AppendAsync(first);
            var rest = room - FrameHeader.EntrySize(first.Payload.Length) - FrameHeader.EntrySize(0);
            var second = Support.Batch(random, first.LastSequence, rest);
            await journal.AppendAsync(second);
            all.AddRange([first, second]);
            Assert.Equal(0, (journal.SizeBytes + JournalGeometry.FirstAddress) % Support.Small.PageSize);
        }
        Support.Equal(all, Support.Replayed(directory.Path));
    }

    [Fact]
    public async Task Batches_of_the_largest_size_fit_the_standard_geometry()
    {
        var random = new Random(2);
        using var directory = new TestDirectory();
        var all = new List<JournalBatch>();
        await using (var journal = Support.Open(directory.Path, geometry: JournalGeometry.Standard))
        {
            for (var i = 0; i < 20; i++)
            {
                var batch = Support.Batch(random, journal.LastSequence, i % 3 == 2 ? 100 : IJournal.MaxPayloadBytes);
                await journal.AppendAsync(batch);
                all.Add(batch);
            }
        }
        Support.Equal(all, Support.Replayed(directory.Path, JournalGeometry.Standard));
    }

    [Fact]
    public async Task Reading_starts_at_the_batch_that_holds_the_sequence()
    {
        using var directory = new TestDirectory();
        await using var journal = Support.Open(directory.Path);
        var all = await Support.Fill(journal, new Random(3), 300, 200);
        foreach (var sequence in new[] { 1, 2, 77, journal.LastSequence / 2, journal.LastSequence })
        {
            Support.Equal(all.Where(batch => batch.LastSequence >= sequence).ToList(), journal.Read(sequence).ToList());
        }
        Assert.Empty(journal.Read(journal.LastSequence + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => journal.Read(0));
    }

    [Fact]
    public async Task Replay_hands_over_only_what_was_asked_for()
    {
        using var directory = new TestDirectory();
        List<JournalBatch> all;
        await using (var journal = Support.Open(directory.Path)) all = await Support.Fill(journal, new Random(4), 50, 200);
        var from = all[20].LastSequence;
        var found = new List<long>();
        await using (var journal = Support.Open(directory.Path, from, batch => found.Add(batch.FirstSequence)))
        {
            Assert.Equal(all.Skip(20).Select(batch => batch.FirstSequence), found);
            from = journal.LastSequence + 1;
        }
        await using (Support.Open(directory.Path, from, _ => Assert.Fail("nothing lies behind the end"))) { }
        var beyond = Assert.Throws<JournalException>(() => Support.Open(directory.Path, from + 1));
        Assert.Contains("snapshot", beyond.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Readers_see_whole_batches_while_appends_go_on()
    {
        using var directory = new TestDirectory();
        await using var journal = Support.Open(directory.Path);
        using var stop = new CancellationTokenSource();
        var reader = Task.Run(() =>
        {
            var most = 0;
            while (!stop.IsCancellationRequested)
            {
                var count = 0;
                var due = 1L;
                foreach (var batch in journal.Read(1))
                {
                    Assert.Equal(due, batch.FirstSequence);
                    due = batch.LastSequence + 1;
                    count++;
                }
                Assert.True(count >= most);
                most = count;
            }
        });
        await Support.Fill(journal, new Random(5), 300, 3000);
        await stop.CancelAsync();
        await reader;
    }

    [Fact]
    public async Task Progress_ends_at_the_last_sequence()
    {
        using var directory = new TestDirectory();
        await using (var journal = Support.Open(directory.Path)) await Support.Fill(journal, new Random(6), 40, 4000);
        var reports = new Reports();
        await using var again = FasterJournal.Open(Support.Options(directory.Path), 1, _ => { }, reports);
        Assert.True(reports.All.Count > 2);
        Assert.Equal((again.LastSequence, again.SizeBytes, again.SizeBytes, 40),
            (reports.All[^1].Sequence, reports.All[^1].BytesDone, reports.All[^1].BytesTotal, reports.All[^1].Frames));
    }

    private sealed class Reports : IProgress<RecoveryProgress>
    {
        public List<RecoveryProgress> All { get; } = [];

        public void Report(RecoveryProgress value) => All.Add(value);
    }
}
