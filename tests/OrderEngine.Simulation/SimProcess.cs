// One life of the engine's process: the real Engine on the real FasterJournal, SnapshotStore and ArchiveStore, on the simulated disk, clock and threads.

using Microsoft.Extensions.Logging.Abstractions;
using OrderEngine.Engine;
using OrderEngine.Journal;

namespace OrderEngine.Simulation;

internal sealed class SimProcess : IFailStop, IDisposable
{
    // 4 KiB pages, one a segment: page ends, segment ends and truncation within a short run.
    private static readonly JournalGeometry s_geometry = new(12, 12);
    private const long ArchiveSegmentBytes = 2_000;

    private readonly Baton _baton = new();
    private readonly SimTime _time;
    private readonly string _root;
    private readonly EngineMetrics _metrics = new();
    private FasterJournal? _files;

    public SimProcess(Choices choices, FaultCount faults, Trace trace, SimTime time, string root)
    {
        _time = time;
        _root = root;
        Disk = new SimDisk(choices, faults, _baton, trace, root);
        Threads = new SimThreads(_baton);
        Engine = new Engine.Engine(s_options, OpenJournal, highest => KeyRing.Open(root, highest, Disk), time, this, _metrics,
            NullLogger<Engine.Engine>.Instance, new SnapshotStore(root, Disk), Threads, archive: new ArchiveStore(root, Disk, ArchiveSegmentBytes));
    }

    private static readonly EngineOptions s_options = new()
    {
        NormalQueueCapacity = 24,
        PriorityQueueCapacity = 16,
        MaxBatchCommands = 6,
        MaxBatchBytes = 600,
        FeedWindowBatches = 6,
        FeedWindowBytes = 4_000,
        SubscriberBufferEvents = 5,
        SnapshotJournalBytes = 1_500,
        SnapshotGrowthPercent = 0,
        SnapshotAtStopBytes = 500,
        SnapshotInterval = TimeSpan.FromMinutes(10),
        StreamHistoryEvents = 8,
        ArchiveAfter = TimeSpan.FromHours(1),
    };

    public SimDisk Disk { get; }
    public SimThreads Threads { get; }
    public Engine.Engine Engine { get; }
    public SimJournal? Journal { get; private set; }

    /// <summary>Why the engine ended itself; null while it goes on.</summary>
    public string? Failed { get; private set; }

    /// <summary>Recovers and begins to serve. What the engine throws on a start that it refuses comes out.</summary>
    public void Start()
    {
        Engine.StartAsync(default).GetAwaiter().GetResult();
    }

    /// <summary>The process is no more. Whatever it still wants of the disk fails.</summary>
    public void Dispose()
    {
        Disk.SwitchOff();
        _baton.Release();
        Disk.RunSteps();
        Disk.RunRecord();
        while (Threads.Walks > 0) Thread.Yield();
        _files?.DisposeAsync().AsTask().Wait();
        _time.ForgetTimers();
        _metrics.Dispose();
    }

    void IFailStop.Fail(int exitCode, string reason, Exception? cause) => Failed ??= $"{exitCode} {reason} {cause?.Message}";

    private SimJournal OpenJournal(long from, Action<JournalBatch> replay)
    {
        _files = FasterJournal.Open(new JournalOptions { Directory = _root, Geometry = s_geometry, TimeProvider = _time, Disk = Disk, CompletesInline = true }, from, replay);
        return Journal = new SimJournal(_files, Disk);
    }
}
