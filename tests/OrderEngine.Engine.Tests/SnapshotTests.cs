// Proves: an engine that starts from a snapshot and the journal's rest is the engine that stopped; snapshots come by bytes, by time, on demand and at a
// stop; the journal shrinks below the older one, never further; damage falls back or is refused; a failed snapshot costs nothing else.

using Microsoft.Extensions.Logging.Abstractions;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Journal;

namespace OrderEngine.Engine.Tests;

public sealed class SnapshotTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("orderengine-engine-");
    private readonly RecordingFailStop _failStop = new();
    private readonly ManualTime _time = new();

    // Small batches in small segments (64 KiB), so that the journal has many.
    private static readonly EngineOptions Small = new()
    {
        MaxBatchBytes = 2_000, MaxBatchCommands = 8, StreamHistoryEvents = 100, SnapshotJournalBytes = 1L << 40, SnapshotAtStopBytes = 1L << 40,
    };

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Snapshot_and_the_rest_of_the_journal_give_back_the_same_engine()
    {
        StateSummary live;
        SealedData details;
        List<byte[]> history;
        CommandAnswer first;
        long journalFirst;
        await using (var engine = await Start())
        {
            await Define(engine);
            details = await engine.Vault.SealForCustomerAsync("c1", 0, "Ann"u8.ToArray());
            await Ok(engine, new DefineCustomer { Id = Host.Utf8("c1"), Role = Role.Channel, Details = details });
            first = await Ok(engine, Host.Submit(units: 3, customer: 1, key: 77, digest: 1));
            await Orders(engine, 1_200);
            Assert.Equal(CheckpointStatus.Created, (await engine.CreateCheckpointAsync()).Status);
            Assert.Equal(1, engine.Journal!.FirstSequence);
            await Ok(engine, new ReleaseShipment { Order = 1, Role = Role.Warehouse });
            await Orders(engine, 1_200);
            var (before, onDisk) = (engine.JournalBytes, SegmentBytes());
            var second = await engine.CreateCheckpointAsync();
            Assert.Equal(second.Snapshot!.Sequence, engine.Snapshot.Sequence);
            journalFirst = engine.Journal.FirstSequence;
            Assert.InRange(journalFirst, 200, Store().List()[1].Sequence + 1 - Small.StreamHistoryEvents);
            Assert.True(engine.JournalBytes < before * 3 / 4, $"{before} bytes before, {engine.JournalBytes} after");
            Assert.InRange(SegmentBytes(), 1, onDisk * 3 / 4);
            await Ok(engine, new ConfirmShipment { Order = 1, Role = Role.Warehouse });
            await Ok(engine, Host.Hold(2, 4, TimeSpan.FromHours(1)));
            live = engine.View.Summary;
            history = HistoryOf(engine, 1);
        }

        await using var again = await Start();
        Assert.Equal(live, again.View.Summary);
        Assert.Equal(history.Select(Convert.ToHexString), HistoryOf(again, 1).Select(Convert.ToHexString));
        Assert.Equal(3, history.Count);
        Assert.Empty(Invariants.Check(again.View.Reader, live.Sequence).Violations);
        Assert.True(again.Vault.TryUnseal(details.Key, details.Ciphertext, out var plain));
        Assert.Equal("Ann"u8.ToArray(), plain);
        // The request id of the first order is remembered though its event is not in the journal any more.
        var replayed = await again.ExecuteAsync(Host.Submit(units: 3, customer: 1, key: 77, digest: 1), Lane.Normal, 0, default);
        Assert.True(replayed.Replayed);
        Assert.Equal(first.Event.ToArray(), replayed.Event.ToArray());

        Assert.Equal(journalFirst - 1, Assert.Throws<PositionTruncatedException>(() => again.Orders.Subscribe(OrderFilter.All, journalFirst - 2)).Earliest);
        using var feed = again.Orders.Subscribe(OrderFilter.All, journalFirst - 1);
        Assert.NotEmpty((await feed.ReadAsync(64, TimeSpan.FromMinutes(1), default)).Events);
        await Orders(again, 10);
    }

    [Fact]
    public async Task Snapshots_come_by_bytes_and_the_journal_stays_short()
    {
        var options = Small with { SnapshotJournalBytes = 100_000 };
        var store = new WatchedSnapshots(Store());
        StateSummary live;
        await using (var engine = await Start(options, store))
        {
            await Define(engine);
            for (var taken = 1; taken <= 6; taken++)
            {
                while (!store.WhenWritten(taken).IsCompleted) await Orders(engine, 50);
            }
            live = engine.View.Summary;
            await engine.StopAsync();
            Assert.InRange(engine.Journal!.FirstSequence, 1_000, live.Sequence);
        }
        Assert.Equal(ISnapshotStore.Kept, Store().List().Count);
        await using var again = await Start(options);
        Assert.Equal(live, again.View.Summary);
    }

    [Fact]
    public async Task A_large_state_is_not_written_again_before_much_of_it_is_new()
    {
        var store = new WatchedSnapshots(Store());
        await using var engine = await Start(Small with { SnapshotJournalBytes = 10_000, SnapshotGrowthPercent = 100, StreamHistoryEvents = 1L << 40 }, store);
        await Define(engine);
        await Orders(engine, 2_000);
        while (!store.WhenWritten(1).IsCompleted) await Orders(engine, 50);
        await Done(engine);
        var large = store.List()[0];
        var before = engine.Journal!.SizeBytes;
        while (store.List()[0].Sequence == large.Sequence) await Orders(engine, 50);
        Assert.InRange(engine.Journal.SizeBytes - before, large.Bytes, long.MaxValue);
    }

    [Fact]
    public async Task Snapshots_come_by_time_if_anything_happened()
    {
        var store = new WatchedSnapshots();
        await using var host = new Host(Small with { SnapshotInterval = TimeSpan.FromMinutes(4) }, time: _time, directory: _folder, snapshots: store);
        await host.Engine.StartAsync(default);
        _time.Advance(TimeSpan.FromMinutes(5));
        await host.Define(10);
        Assert.Empty(store.List());
        _time.Advance(TimeSpan.FromMinutes(5));
        await store.WhenWritten(1);
        await Done(host.Engine);
        Assert.Equal(host.Engine.View.DurableSequence, store.List()[0].Sequence);
        _time.Advance(TimeSpan.FromMinutes(5));
        await host.Ok(Host.Receive(1, 1));
        _time.Advance(TimeSpan.FromMinutes(5));
        await store.WhenWritten(2);
        Assert.Equal(2, store.List().Count);
    }

    [Fact]
    public async Task A_graceful_stop_takes_one_when_enough_has_happened()
    {
        await using (var engine = await Start()) await Define(engine);
        Assert.Empty(Store().List());
        StateSummary live;
        await using (var engine = await Start(Small with { SnapshotAtStopBytes = 100 }))
        {
            await Orders(engine, 20);
            live = engine.View.Summary;
        }
        Assert.Equal(live.Sequence, Assert.Single(Store().List()).Sequence);
        await using (var engine = await Start(Small with { SnapshotAtStopBytes = 100 })) Assert.Equal(live, engine.View.Summary);
        Assert.Single(Store().List());
    }

    [Fact]
    public async Task One_rests_for_as_long_as_it_works_unless_a_stop_waits_for_it()
    {
        double[] work = [1.5, 1, 40];
        var store = new WatchedSnapshots();
        var threads = new RestingThreads();
        await using var host = new Host(Small with { SnapshotAtStopBytes = 1 }, time: _time, directory: _folder, snapshots: store, threads: threads);
        await host.Engine.StartAsync(default);
        await host.Define(1_000_000);
        await host.Ok(Host.Submit());
        var expected = new List<TimeSpan>();
        var worked = 0.0;
        store.BeforeBlock = number =>
        {
            var now = work[number % work.Length];
            _time.Advance(TimeSpan.FromMilliseconds(now));
            worked += now;
            if (worked < 2) return;
            // What stood still before the disk for longer was no work.
            expected.Add(TimeSpan.FromMilliseconds(Math.Min(worked, 10)));
            worked = 0;
        };
        Assert.Equal(CheckpointStatus.Created, (await host.Engine.CreateCheckpointAsync()).Status);
        Assert.Contains(TimeSpan.FromMilliseconds(10), expected);
        Assert.Equal(expected, threads.Rests);

        await host.Ok(Host.Submit());
        await host.Engine.StopAsync();
        await store.WhenWritten(2);
        Assert.Equal(2, store.List().Count);
        Assert.Equal(threads.Rests, expected[..threads.Rests.Count]);
        Assert.True(expected.Count > threads.Rests.Count);
    }

    private sealed class RestingThreads : EngineThreads
    {
        public List<TimeSpan> Rests { get; } = [];

        public override void Rest(TimeSpan time) => Rests.Add(time);
    }

    [Fact]
    public async Task On_demand_says_what_it_did_and_a_failure_costs_nothing_else()
    {
        var store = new WatchedSnapshots();
        await using var host = new Host(Small, time: _time, directory: _folder, snapshots: store);
        Assert.Equal(CheckpointStatus.NotServing, (await host.Engine.CreateCheckpointAsync()).Status);
        await host.Engine.StartAsync(default);
        await host.Define(10);
        store.BeforeBlock = _ => throw new IOException("No space left on device");
        var failed = await host.Engine.CreateCheckpointAsync();
        Assert.Equal((CheckpointStatus.Failed, null, "No space left on device"), (failed.Status, failed.Snapshot, failed.Reason));
        await host.Ok(Host.Submit());
        store.BeforeBlock = null;
        // Tried again by itself after a while.
        _time.Advance(TimeSpan.FromMinutes(2));
        await store.WhenWritten(1);
        await Done(host.Engine);
        await host.Ok(Host.Submit());

        // Held up in the middle: the writer goes on, a second one is refused.
        using var reached = new SemaphoreSlim(0);
        using var go = new SemaphoreSlim(0);
        store.BeforeBlock = number =>
        {
            if (number != 1) return;
            reached.Release();
            go.Wait();
        };
        var expected = host.Engine.View.Summary;
        var held = host.Engine.CreateCheckpointAsync();
        await reached.WaitAsync();
        for (var i = 0; i < 50; i++) await host.Ok(i % 10 == 0 ? Host.Receive(20, 1) : Host.Submit());
        Assert.Equal(CheckpointStatus.AlreadyRunning, (await host.Engine.CreateCheckpointAsync()).Status);
        go.Release();
        var taken = await held;
        Assert.Equal((CheckpointStatus.Created, expected.Sequence), (taken.Status, taken.Snapshot!.Sequence));
        store.BeforeBlock = null;
        await host.Engine.CreateCheckpointAsync();
        Assert.Equal(CheckpointStatus.Unchanged, (await host.Engine.CreateCheckpointAsync()).Status);
        Assert.Equal(0, host.FailStop.Calls);
    }

    [Fact]
    public async Task A_damaged_snapshot_falls_back_to_the_older_one_and_is_set_aside()
    {
        StateSummary live;
        await using (var engine = await Start())
        {
            await Define(engine);
            for (var i = 0; i < 3; i++)
            {
                await Orders(engine, 700);
                await engine.CreateCheckpointAsync();
            }
            await Orders(engine, 20);
            live = engine.View.Summary;
        }
        var kept = Store().List();
        Flip(kept[0].Name);
        File.WriteAllText(Path.Combine(_folder.FullName, "snapshots", "creating"), "half a snapshot");
        await using (var engine = await Start())
        {
            Assert.False(File.Exists(Path.Combine(_folder.FullName, "snapshots", "creating")));
            Assert.Equal((live, kept[1].Sequence), (engine.View.Summary, engine.Snapshot.Sequence));
            await Orders(engine, 20);
            // The next one counts with the older: the journal still reaches back to that.
            await engine.CreateCheckpointAsync();
            Assert.True(engine.Journal!.FirstSequence <= kept[1].Sequence + 1);
            live = engine.View.Summary;
        }
        Assert.True(File.Exists(kept[0].Name + ".damaged"));

        foreach (var file in Store().List()) Flip(file.Name);
        Assert.Contains("begins at", (await Assert.ThrowsAsync<JournalException>(() => Start())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_holds_the_journals_beginning_until_it_is_done()
    {
        await using var engine = await Start();
        await Define(engine);
        using (await engine.HoldJournalAsync())
        {
            for (var i = 0; i < 4; i++)
            {
                await Orders(engine, 700);
                await engine.CreateCheckpointAsync();
            }
            Assert.Equal(1, engine.Journal!.FirstSequence);
        }
        await Orders(engine, 700);
        await engine.CreateCheckpointAsync();
        Assert.True(engine.Journal!.FirstSequence > 1);
    }

    [Fact]
    public async Task While_the_journal_is_whole_it_replaces_every_snapshot()
    {
        StateSummary live;
        await using (var engine = await Start(Small with { StreamHistoryEvents = 1_000_000 }))
        {
            await Define(engine);
            for (var i = 0; i < 3; i++)
            {
                await Orders(engine, 100);
                await engine.CreateCheckpointAsync();
            }
            Assert.Equal(1, engine.Journal!.FirstSequence);
            live = engine.View.Summary;
        }
        foreach (var file in Store().List()) Flip(file.Name);
        await using var again = await Start();
        Assert.Equal((live, default), (again.View.Summary, again.Snapshot with { AgeSeconds = 0 }));
        // Also without one it has an age, which tells that none succeeds.
        Assert.True(again.Snapshot.AgeSeconds > 0);
    }

    [Fact]
    public async Task A_journal_older_than_its_snapshot_is_refused()
    {
        var copy = Path.Combine(_folder.FullName, "older");
        var directory = Path.Combine(_folder.FullName, "data");
        await using (var engine = await Start(directory: directory)) await Define(engine);
        Copy(Path.Combine(directory, "journal"), copy);
        await using (var engine = await Start(directory: directory))
        {
            await Orders(engine, 20);
            await engine.CreateCheckpointAsync();
        }
        Directory.Delete(Path.Combine(directory, "journal"), recursive: true);
        Directory.Move(copy, Path.Combine(directory, "journal"));
        Assert.Contains("acknowledged batches are missing", (await Assert.ThrowsAsync<JournalException>(() => Start(directory: directory))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_journal_that_cannot_be_truncated_ends_the_process()
    {
        await using var host = new Host(Small with { StreamHistoryEvents = 0 }, time: _time, directory: _folder, snapshots: new WatchedSnapshots());
        await host.Engine.StartAsync(default);
        await host.Define(10);
        await host.Engine.CreateCheckpointAsync();
        await host.Ok(Host.Submit());
        host.Journal.FailTruncation = true;
        await host.Engine.CreateCheckpointAsync();
        Assert.Equal(ExitCodes.JournalFailed, (await host.FailStop.Failed).Code);
    }

    private SnapshotStore Store() => new(_folder.FullName);

    private async Task<Engine> Start(EngineOptions? options = null, ISnapshotStore? store = null, string? directory = null)
    {
        directory ??= _folder.FullName;
        var engine = new Engine(options ?? Small,
            (from, replay) => FasterJournal.Open(new JournalOptions { Directory = directory, Geometry = new JournalGeometry(14, 16) }, from, replay),
            highest => KeyRing.Open(directory, highest), TimeProvider.System, _failStop, new EngineMetrics(), NullLogger<Engine>.Instance, store ?? new SnapshotStore(directory));
        await engine.StartAsync(default);
        return engine;
    }

    private static async Task Define(Engine engine)
    {
        await Ok(engine, new DefineLocation { Id = Host.Utf8("L1"), Role = Role.Manager });
        await Ok(engine, new DefineChannel { Id = Host.Utf8("web"), Role = Role.Manager });
        for (var sku = 1; sku <= 4; sku++) await Ok(engine, new DefineSku { Id = Host.Utf8("S" + sku), Role = Role.Manager });
        await Ok(engine, Host.Receive(1_000_000, 1, 2, 3, 4));
    }

    // A snapshot that is written has still to be noted. Nothing has happened since, so that asking starts none.
    private static async Task Done(Engine engine)
    {
        while ((await engine.CreateCheckpointAsync()).Status == CheckpointStatus.AlreadyRunning) await Task.Yield();
    }

    private static async Task<CommandAnswer> Ok(Engine engine, Command command)
    {
        var answer = await engine.ExecuteAsync(command, Lane.Normal, 0, default);
        Assert.Equal(Outcome.Ok, answer.Outcome);
        return answer;
    }

    private static async Task Orders(Engine engine, int count)
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, count).Select(i => engine.ExecuteAsync(Host.Submit(i % 4 + 1), Lane.Normal, 0, default).AsTask()));
        Assert.All(answers, answer => Assert.Equal(Outcome.Ok, answer.Outcome));
    }

    private static List<byte[]> HistoryOf(Engine engine, long order)
    {
        var events = new List<byte[]>();
        using var guard = engine.View.Reader.Enter();
        var at = engine.View.DurableSequence;
        for (long cursor = 0; engine.View.Reader.PreviousEvent(order, at, ref cursor, out var bytes);) events.Add(bytes.ToArray());
        return events;
    }

    private long SegmentBytes() => Directory.EnumerateFiles(Path.Combine(_folder.FullName, "journal"), "log.*").Sum(file => new FileInfo(file).Length);

    private static void Flip(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 4;
        File.WriteAllBytes(path, bytes);
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }
}
