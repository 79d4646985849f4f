// What the tests of the journal share: a directory of their own, batches from a seed, a small geometry, a clock by hand.

using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace OrderEngine.Journal.Tests;

/// <summary>A fresh directory, removed at the end.</summary>
public sealed class TestDirectory : IDisposable
{
    /// <param name="inMemory">Where only the bytes matter, not the disk: in memory, if the system offers that.</param>
    public TestDirectory(bool inMemory = false)
    {
        Path = inMemory && Directory.Exists(MemoryDirectory)
            ? Directory.CreateDirectory(System.IO.Path.Combine(MemoryDirectory, "journal-test-" + Guid.NewGuid().ToString("N"))).FullName
            : Directory.CreateTempSubdirectory("journal-test-").FullName;
        this.inMemory = inMemory;
    }

    private const string MemoryDirectory = "/dev/shm";

    private readonly bool inMemory;

    public string Path { get; }

    internal DataDirectory Layout => new(Path);

    public TestDirectory Copy()
    {
        var copy = new TestDirectory(inMemory);
        foreach (var file in Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories))
        {
            var target = System.IO.Path.Combine(copy.Path, System.IO.Path.GetRelativePath(Path, file));
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
        return copy;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

internal static class Support
{
    /// <summary>16 KiB pages in 64 KiB segments: page and segment ends come often, and damage is tried quickly.</summary>
    public static readonly JournalGeometry Small = new(14, 16);

    public static Disk Watched(BeforeWrite? beforeWrite) => beforeWrite is null ? Disk.Real : new WatchedDisk(beforeWrite);

    public static JournalOptions Options(string directory, JournalGeometry? geometry = null, BeforeWrite? beforeWrite = null, TimeProvider? time = null) => new()
    {
        Directory = directory,
        Geometry = geometry ?? Small,
        Disk = Watched(beforeWrite),
        TimeProvider = time ?? TimeProvider.System,
    };

    public static FasterJournal Open(string directory, long from = 1, Action<JournalBatch>? replay = null, JournalGeometry? geometry = null,
        BeforeWrite? beforeWrite = null, TimeProvider? time = null) =>
        FasterJournal.Open(Options(directory, geometry, beforeWrite, time), from, replay ?? (_ => { }));

    /// <summary>A batch after <paramref name="last"/> with random content.</summary>
    public static JournalBatch Batch(Random random, long last, int length, long epoch = 1)
    {
        var payload = new byte[length];
        random.NextBytes(payload);
        return new JournalBatch(epoch, last + 1, last + 1 + random.Next(5), payload);
    }

    /// <summary>Appends batches of random sizes, two at a time, and returns them.</summary>
    public static async Task<List<JournalBatch>> Fill(FasterJournal journal, Random random, int count, int maxLength)
    {
        var batches = new List<JournalBatch>();
        ValueTask? before = null;
        var last = journal.LastSequence;
        for (var i = 0; i < count; i++)
        {
            var batch = Batch(random, last, 1 + random.Next(maxLength));
            last = batch.LastSequence;
            batches.Add(batch);
            var append = journal.AppendAsync(batch);
            if (before is { } earlier) await earlier;
            before = append;
        }
        if (before is { } final) await final;
        return batches;
    }

    public static List<JournalBatch> Replayed(string directory, JournalGeometry? geometry = null)
    {
        var found = new List<JournalBatch>();
        var journal = Open(directory, 1, batch => found.Add(batch with { Payload = batch.Payload.ToArray() }), geometry);
        journal.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return found;
    }

    public static void Equal(IReadOnlyList<JournalBatch> expected, IReadOnlyList<JournalBatch> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
        {
            Assert.Equal((expected[i].Epoch, expected[i].FirstSequence, expected[i].LastSequence),
                (actual[i].Epoch, actual[i].FirstSequence, actual[i].LastSequence));
            Assert.True(expected[i].Payload.Span.SequenceEqual(actual[i].Payload.Span), $"payload of batch {i}");
        }
    }

    /// <summary>A seed that a failing run prints and ORDERENGINE_TEST_SEED repeats.</summary>
    public static int Seed { get; } = int.TryParse(Environment.GetEnvironmentVariable("ORDERENGINE_TEST_SEED"), out var seed)
        ? seed
        : RandomNumberGenerator.GetInt32(int.MaxValue);
}

/// <summary>Called before every write with the file's path, the offset and the length in bytes; throws or blocks to play a failing or stalling disk.</summary>
internal delegate void BeforeWrite(string path, long offset, int length);

internal sealed class WatchedDisk(BeforeWrite beforeWrite) : Disk
{
    public override void Write(SafeFileHandle file, string path, ReadOnlySpan<byte> bytes, long offset, bool durable)
    {
        beforeWrite(path, offset, bytes.Length);
        base.Write(file, path, bytes, offset, durable);
    }
}

/// <summary>Allows no rename of a file with bytes that a power cut would take, and no deletion while it would take a name given before.</summary>
internal sealed class OrderlyDisk : Disk
{
    private readonly HashSet<string> unflushed = [];
    private readonly HashSet<string> unflushedDirectories = [];

    /// <summary>Nothing is left that a power cut would take: neither bytes nor names.</summary>
    public bool IsSettled => unflushed.Count == 0 && unflushedDirectories.Count == 0;

    public int Renamed { get; private set; }
    public int Deleted { get; private set; }

    public override void Write(SafeFileHandle file, string path, ReadOnlySpan<byte> bytes, long offset, bool durable)
    {
        if (!durable) unflushed.Add(path);
        base.Write(file, path, bytes, offset, durable);
    }

    public override void Flush(SafeFileHandle file, string path)
    {
        unflushed.Remove(path);
        base.Flush(file, path);
    }

    public override void Move(string from, string to)
    {
        Assert.DoesNotContain(from, unflushed);
        unflushedDirectories.Add(Path.GetDirectoryName(to)!);
        Renamed++;
        base.Move(from, to);
    }

    public override void Delete(string path)
    {
        if (!File.Exists(path)) return;
        Assert.DoesNotContain(Path.GetDirectoryName(path)!, unflushedDirectories);
        Deleted++;
        base.Delete(path);
    }

    public override void FlushDirectory(string path)
    {
        unflushedDirectories.Remove(path);
        base.FlushDirectory(path);
    }
}

/// <summary>A clock that stands until it is moved; its timers fire on the mover's thread.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly List<ManualTimer> timers = [];
    private long ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref ticks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(() => callback(state));
        lock (timers) timers.Add(timer);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        Interlocked.Add(ref ticks, by.Ticks);
        lock (timers) timers.ForEach(timer => timer.Fire());
    }

    private sealed class ManualTimer(Action fire) : ITimer
    {
        private bool disposed;

        public void Fire()
        {
            if (!disposed) fire();
        }

        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose() => disposed = true;

        public ValueTask DisposeAsync()
        {
            disposed = true;
            return default;
        }
    }
}

/// <summary>A disk on which log and commit records are written when a test says so.</summary>
internal sealed class SteppedDisk : Disk, IDeviceSteps
{
    private readonly Queue<(Action Write, Action Complete)> _log = new();
    private Action? _record;

    public override IDeviceSteps Steps => this;

    public void Add(long endAddress, Action write, Action complete) => _log.Enqueue((write, complete));

    public void AddRecord(Action write) => _record = write;

    /// <summary>All writes of the log, also those that follow from them.</summary>
    public void WriteLog()
    {
        while (_log.TryDequeue(out var next))
        {
            next.Write();
            next.Complete();
        }
    }

    /// <summary>What is to be recorded.</summary>
    public void WriteRecord()
    {
        var record = _record!;
        _record = null;
        record();
    }
}
