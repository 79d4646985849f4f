// The engine's settings and fixed bounds. Read once at construction; any thread.

using OrderEngine.Journal;

namespace OrderEngine.Engine;

/// <summary>What a user may set of the engine. Check with <see cref="Problems"/> before use.</summary>
public sealed record EngineOptions
{
    /// <summary>
    /// Commands of single calls that wait in the normal lane at most, and as many of streams. Of single calls, what is more is refused at once, so this
    /// also bounds the wait; streams are slowed down.
    /// </summary>
    public int NormalQueueCapacity { get; init; } = 4_096;

    /// <summary>The same in the priority lane.</summary>
    public int PriorityQueueCapacity { get; init; } = 2_048;

    /// <summary>Commands decided into one commit at most.</summary>
    public int MaxBatchCommands { get; init; } = 2_048;

    /// <summary>Bytes of events from which on a batch takes no further command.</summary>
    public int MaxBatchBytes { get; init; } = 512 * 1024;

    /// <summary>A commit that takes longer ends the process (found within a quarter of it).</summary>
    public TimeSpan CommitDeadline { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Committed batches kept in memory for subscribers at most; who falls further behind reads the journal.</summary>
    public int FeedWindowBatches { get; init; } = 8_192;

    /// <summary>Bytes of committed batches kept in memory for subscribers at most (the newest is always kept).</summary>
    public long FeedWindowBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>Events waiting for one subscriber at most; one that lets more wait goes on from the journal.</summary>
    public int SubscriberBufferEvents { get; init; } = 4_096;

    /// <summary>Order subscriptions open at once.</summary>
    public int MaxOrderSubscribers { get; init; } = 2_000;

    /// <summary>Stock subscriptions open at once.</summary>
    public int MaxStockSubscribers { get; init; } = 1_000;

    /// <summary>
    /// Bytes of committed events after which a snapshot is taken, or <see cref="SnapshotGrowthPercent"/> of the newest, whichever is more: what a recovery
    /// replays at most, about.
    /// </summary>
    public long SnapshotJournalBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>
    /// Of the newest snapshot's bytes, so many hundredths must have been committed since. A snapshot costs what there is, not what is new: so that what is
    /// written stays within a few times what is committed, however much there is. 0: <see cref="SnapshotJournalBytes"/> alone.
    /// </summary>
    public int SnapshotGrowthPercent { get; init; } = 50;

    /// <summary>A snapshot is taken at least this often, if anything has happened since the last.</summary>
    public TimeSpan SnapshotInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Bytes of committed events after which a graceful stop takes a snapshot: replaying less takes no time worth waiting for.</summary>
    public long SnapshotAtStopBytes { get; init; } = 16L * 1024 * 1024;

    /// <summary>After a failed snapshot the next is tried no sooner.</summary>
    public TimeSpan SnapshotRetry { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Events that stay in the journal below the older snapshot, so that streams can resume there. An order's own history never gets shorter.
    /// </summary>
    public long StreamHistoryEvents { get; init; } = 5_000_000;

    /// <summary>A closed order leaves memory for the archive so long after its last change; zero: none does.</summary>
    public TimeSpan ArchiveAfter { get; init; } = TimeSpan.FromDays(30);

    /// <summary>The least that <see cref="LowDiskBytes"/> may be; the mark is never lower.</summary>
    public const long LeastLowDiskBytes = EngineBounds.DiskFloorBytes;

    /// <summary>The most days that <see cref="ArchiveAfter"/> may be.</summary>
    public const long MostArchiveDays = 36_500;

    /// <summary>Changes are refused while the disk has less room than this, or than <see cref="LowDiskPercent"/> if that is less; bytes.</summary>
    public long LowDiskBytes { get; init; } = 1024L * 1024 * 1024;

    /// <summary>Changes are refused while less than this share of the disk is free, or than <see cref="LowDiskBytes"/> if that is less.</summary>
    public int LowDiskPercent { get; init; } = 5;

    /// <summary>What is wrong with the settings, a sentence each that names the setting, its value and its bounds; empty when all is well.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        Check(nameof(NormalQueueCapacity), NormalQueueCapacity, 1, 1_000_000, "commands");
        Check(nameof(PriorityQueueCapacity), PriorityQueueCapacity, 1, 1_000_000, "commands");
        Check(nameof(MaxBatchCommands), MaxBatchCommands, 1, 100_000, "commands");
        Check(nameof(MaxBatchBytes), MaxBatchBytes, 1, EngineBounds.MaxBatchBytes, "bytes");
        Check(nameof(CommitDeadline), (long)CommitDeadline.TotalMilliseconds, 100, 600_000, "milliseconds");
        Check(nameof(FeedWindowBatches), FeedWindowBatches, 1, 1_000_000, "batches");
        Check(nameof(FeedWindowBytes), FeedWindowBytes, 1, 16L * 1024 * 1024 * 1024, "bytes");
        Check(nameof(SubscriberBufferEvents), SubscriberBufferEvents, 1, 1_000_000, "events");
        Check(nameof(MaxOrderSubscribers), MaxOrderSubscribers, 0, 100_000, "subscribers");
        Check(nameof(MaxStockSubscribers), MaxStockSubscribers, 0, 100_000, "subscribers");
        Check(nameof(SnapshotJournalBytes), SnapshotJournalBytes, 1, 1L << 50, "bytes");
        Check(nameof(SnapshotGrowthPercent), SnapshotGrowthPercent, 0, 1_000, "hundredths");
        Check(nameof(SnapshotInterval), (long)SnapshotInterval.TotalSeconds, 1, 30 * 24 * 3600, "seconds");
        Check(nameof(SnapshotAtStopBytes), SnapshotAtStopBytes, 1, 1L << 50, "bytes");
        Check(nameof(SnapshotRetry), (long)SnapshotRetry.TotalSeconds, 1, 24 * 3600, "seconds");
        Check(nameof(StreamHistoryEvents), StreamHistoryEvents, 0, 1L << 50, "events");
        Check(nameof(ArchiveAfter), (long)ArchiveAfter.TotalSeconds, 0, MostArchiveDays * 24 * 3600, "seconds");
        Check(nameof(LowDiskBytes), LowDiskBytes, EngineBounds.DiskFloorBytes, 1L << 50, "bytes");
        Check(nameof(LowDiskPercent), LowDiskPercent, 1, 90, "percent");
        return problems;

        void Check(string name, long value, long least, long most, string unit)
        {
            if (value < least || value > most) problems.Add($"{name} is {value} {unit}; it must be {least} to {most}.");
        }
    }
}

/// <summary>The engine's bounds that nobody needs to set.</summary>
internal static class EngineBounds
{
    /// <summary>Bytes of events that one command, or one turn of timers and queues, may add; the core keeps within it.</summary>
    public const int MaxStepBytes = 512 * 1024;

    /// <summary>Single calls of a batch that are answered by one thread before another one helps.</summary>
    public const int CallsPerShare = 16;

    /// <summary>A batch that has not reached its limit takes one more command and one turn, and must still fit a journal frame.</summary>
    public const int MaxBatchBytes = IJournal.MaxPayloadBytes - 2 * MaxStepBytes;

    /// <summary>
    /// The least room at which changes are still taken: two segments of the journal written ahead, and what the queues may hold, written within a
    /// <see cref="DiskLook"/>. Snapshots leave so much, too.
    /// </summary>
    public const long DiskFloorBytes = 96L * 1024 * 1024;

    /// <summary>Changes are taken again when there is this share more room than the mark at which they were refused: a quarter.</summary>
    public const int DiskRecoveryShare = 4;

    /// <summary>How often the room on the disk is looked at.</summary>
    public static readonly TimeSpan DiskLook = TimeSpan.FromSeconds(1);

    /// <summary>How often closed orders are looked for whose window is over.</summary>
    public static readonly TimeSpan ArchiveLook = TimeSpan.FromMinutes(1);

    /// <summary>Orders looked at under one read guard to find some.</summary>
    public const int ArchiveLooks = 4_096;

    /// <summary>Bytes of orders from which on no more are archived by one command.</summary>
    public const int ArchiveBytes = 4 * 1024 * 1024;

    /// <summary>Priority commands taken in a row while normal ones wait: the normal lane gets at least one command in nine.</summary>
    public const int PriorityBurst = 8;

    /// <summary>Commands that wait for which a second commit is begun beside one under way. Two durable writes cost the processors as much as deciding some thirty.</summary>
    public const int WorthOverlapping = 64;

    /// <summary>Commands that the writer takes from the lanes at a time, so that memory fetches what the next ones need meanwhile.</summary>
    public const int LookAhead = 16;

    /// <summary>Completions kept for reuse.</summary>
    public const int PooledCommands = 8_192;

    /// <summary>The longest a due timer is set for, microseconds; it is set again when it rings early.</summary>
    public const long MaxTimerMicros = 3_600L * 1_000_000;

    /// <summary>How often within its deadline a commit is looked at.</summary>
    public const int CommitChecks = 4;

    /// <summary>Subscribers with few events that are woken in one <see cref="WakeRound"/>: 4,000 small messages a second, of some 20 us each, and as much for who reads them.</summary>
    public const int WakesPerRound = 20;

    /// <summary>See <see cref="WakesPerRound"/>. A thousand subscribers that all have something all the time hear four times a second each.</summary>
    public static readonly TimeSpan WakeRound = TimeSpan.FromMilliseconds(5);

    /// <summary>Who has so many events waiting is woken at once.</summary>
    public const int EventsWorthWaking = 256;

    /// <summary>A snapshot that has worked for so long rests for as long: whoever answers is short of processors and memory, and nobody waits for a snapshot.</summary>
    public static readonly TimeSpan WalkTurn = TimeSpan.FromMilliseconds(2);

    /// <summary>The longest of such rests: work that stood still before the disk needs none.</summary>
    public static readonly TimeSpan LongestRest = TimeSpan.FromMilliseconds(10);

    /// <summary>Subscribers that read the journal at once; others wait their turn, so that stragglers do not take the machine.</summary>
    public const int JournalReaders = 2;

    /// <summary>Batches that a straggler reads before it lets the next one have its turn.</summary>
    public const int CatchUpBatches = 64;

    /// <summary>A straggler within this many batches of the live end joins it; the dispatcher waits for so much of its filtering at most.</summary>
    public const int JoinBatches = 8;

    /// <summary>Changed slots that wait for one stock subscriber; beyond it the stock table is scanned instead.</summary>
    public const int DirtyStockSlots = 65_536;

    /// <summary>Stock slots looked at under one read guard.</summary>
    public const int SlotsPerGuard = 1_024;

    /// <summary>Stock slots that one read may scan before it answers.</summary>
    public const int SlotsPerScan = 1_048_576;

    /// <summary>Customers whose first key is not in the state yet: more than can be queued, so the oldest is never in flight.</summary>
    public const int PendingCustomerKeys = 65_536;
}
