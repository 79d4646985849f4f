// The engine put together: intake lanes -> writer -> commits -> publication -> feeds, and its life from recovery to the last answer.

using OrderEngine.Core;
using OrderEngine.Journal;

namespace OrderEngine.Engine;

/// <summary>
/// One engine on one journal. Commands come in from any thread; one thread decides and applies them (rule 1), nothing is visible or
/// answered before it is durable (rule 4).
/// </summary>
public sealed partial class Engine : IAsyncDisposable
{
    private readonly EngineOptions _options;
    private readonly Func<long, Action<JournalBatch>, IJournal> _openJournal;
    private readonly Func<long, KeyRing> _openKeys;
    private readonly TimeProvider _time;
    private readonly EngineMetrics _metrics;
    private readonly ILogger _logger;
    private readonly OrderCore _core = new(IndexSecret.New());
    private readonly EngineClock _clock;
    private readonly Intake _intake;
    private readonly PendingCommandPool _commands = new();
    private readonly FeedWindow _window;
    private readonly FeedContext _feeds;
    private readonly FeedDispatcher _dispatcher;
    private readonly FailureLatch _failure;
    private readonly WriterLoop _loop;
    private readonly Recovery _recovery;
    private readonly EngineThreads _threads;
    private readonly DiskWatch _disk;
    private readonly ISnapshotStore? _snapshots;
    private readonly Snapshotter? _snapshotter;
    private readonly Lock _life = new();
    private readonly CancellationTokenSource _stop = new();
    private IJournal? _journal;
    private Publisher? _publisher;
    private WriterThread? _writer;
    private Task? _dispatching;
    private Task? _stopping;
    private int _phase = (int)EnginePhase.Recovering;

    /// <summary>Puts an engine together; nothing runs before <see cref="StartAsync"/>.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="openJournal">Opens the journal, handing every batch from the given sequence on to the given action, on the same thread.</param>
    /// <param name="openKeys">Opens the key ring of the same directory, after the journal; gets the highest key number in use.</param>
    /// <param name="time">The clock.</param>
    /// <param name="failStop">Ends the process.</param>
    /// <param name="metrics">Counts; one object an engine.</param>
    /// <param name="logger">The log.</param>
    /// <param name="snapshots">Where snapshots are kept, beside the journal; null: none are taken, and recovery reads the whole journal.</param>
    /// <param name="space">Tells the room on the disk; null: nobody knows, and nothing is refused for want of it.</param>
    /// <param name="archive">Where closed orders go, beside the journal; null: they stay in memory.</param>
    /// <exception cref="ArgumentException">The settings are wrong; the message says which and why.</exception>
    public Engine(EngineOptions options, Func<long, Action<JournalBatch>, IJournal> openJournal, Func<long, KeyRing> openKeys,
        TimeProvider time, IFailStop failStop, EngineMetrics metrics, ILogger<Engine> logger, ISnapshotStore? snapshots = null, Func<DiskSpace>? space = null,
        ArchiveStore? archive = null)
        : this(options, openJournal, openKeys, time, failStop, metrics, logger, snapshots, EngineThreads.Real, space, archive) { }

    internal Engine(EngineOptions options, Func<long, Action<JournalBatch>, IJournal> openJournal, Func<long, KeyRing> openKeys,
        TimeProvider time, IFailStop failStop, EngineMetrics metrics, ILogger<Engine> logger, ISnapshotStore? snapshots, EngineThreads threads,
        Func<DiskSpace>? space = null, ArchiveStore? archive = null)
    {
        if (options.Problems() is { Count: > 0 } problems) throw new ArgumentException(string.Join(" ", problems), nameof(options));
        _options = options;
        _openJournal = openJournal;
        _openKeys = openKeys;
        _time = time;
        _metrics = metrics;
        _logger = logger;
        _clock = new EngineClock(time);
        _intake = new Intake(options);
        View = new ReadView(_core.Reader);
        _window = new FeedWindow(options.FeedWindowBatches, options.FeedWindowBytes);
        _feeds = new FeedContext(View, _window, time, metrics);
        Orders = new OrderFeed(_feeds, options.MaxOrderSubscribers, options.SubscriberBufferEvents);
        Stock = new StockFeed(_feeds, options.MaxStockSubscribers);
        _failure = new FailureLatch(failStop, logger);
        _failure.OnFailed(WhenFailed);
        _disk = new DiskWatch(space, options, time, logger);
        Vault = new PersonalVault(_core.Reader, _disk, exception => _failure.Fail(ExitCodes.JournalFailed, "The key ring cannot be written.", exception));
        _dispatcher = new FeedDispatcher(_window, Orders, Stock, _failure, logger);
        _loop = new WriterLoop(_core, _intake, new BatchPool(metrics), _clock, View, options, metrics, logger);
        _recovery = new Recovery(_core, View, time, logger);
        _threads = threads;
        _snapshots = snapshots;
        if (snapshots is not null) _snapshotter = new Snapshotter(snapshots, View, options, _failure, metrics, time, _disk, threads, logger);
        if (archive is not null)
        {
            _archiveFiles = archive;
            View.Reader.Archive = _archive = new OrderArchive(archive, View);
            _archiver = new Archiver(archive, _archive, this, options, _failure, metrics, time, _disk, threads, logger);
        }
        metrics.Observe(this);
    }

    /// <summary>Where the engine is in its life.</summary>
    public EnginePhase Phase => (EnginePhase)Volatile.Read(ref _phase);

    /// <summary>How far recovery has come, or how it went.</summary>
    public RecoveryStatus Recovery => _recovery.Status;

    /// <summary>The room on the disk.</summary>
    public DiskStatus Disk => _disk.Status;

    /// <summary>The disk has become low, or has room again (<see cref="DiskStatus.IsLow"/>). Any thread.</summary>
    public event Action DiskChanged
    {
        add => _disk.Changed += value;
        remove => _disk.Changed -= value;
    }

    /// <summary>What readers may see.</summary>
    public ReadView View { get; }

    /// <summary>Every event of orders, to whoever subscribes.</summary>
    public OrderFeed Orders { get; }

    /// <summary>Changed stock levels, to whoever subscribes.</summary>
    public StockFeed Stock { get; }

    /// <summary>Seals and unseals personal data.</summary>
    public PersonalVault Vault { get; }

    /// <summary>The engine's clock, microseconds since 1970: what deadlines are compared with. Never runs backwards, also not behind a restart.</summary>
    public long NowMicros => _clock.Now;

    /// <summary>Bytes of the journal on disk; 0 before recovery is done.</summary>
    public long JournalBytes => Volatile.Read(ref _journal)?.SizeBytes ?? 0;

    /// <summary>Bytes of the state in memory.</summary>
    public long StateBytes => _core.Reader.ResidentBytes;

    /// <summary>The journal, for exports; null before recovery is done. Read no further than <see cref="ReadView.DurableSequence"/>.</summary>
    public IJournal? Journal => Volatile.Read(ref _journal);

    /// <summary>The newest snapshot.</summary>
    public SnapshotStatus Snapshot => _snapshotter?.Status ?? default;

    /// <summary>Commands that wait in a lane.</summary>
    public int QueueLength(Lane lane) => _intake.Length(lane);

    /// <summary>Commands of single calls, or of streams, that wait in a lane.</summary>
    public int QueueLength(Lane lane, bool streamed) => _intake.Length(lane, streamed);

    /// <summary>Commands of single calls that may wait in a lane, and as many of streams.</summary>
    public int QueueCapacity(Lane lane) => lane == Lane.Priority ? _options.PriorityQueueCapacity : _options.NormalQueueCapacity;

    /// <summary>The writer waits for commits that are under way.</summary>
    internal bool WaitsForCommits => _publisher?.BlocksWriter == true;

    /// <summary>For a journal that can tell how many bytes it has read and has to read while it opens. Any thread.</summary>
    public void ReportRecovery(long bytesDone, long bytesTotal) => _recovery.Report(bytesDone, bytesTotal);

    /// <summary>Opens the journal, replays it off the caller's thread, and begins to serve. Call once.</summary>
    /// <exception cref="JournalException">The journal or the key ring cannot be opened or is damaged.</exception>
    /// <exception cref="Core.Snapshots.SnapshotContentException">A snapshot cannot be loaded although it is as it was written.</exception>
    /// <exception cref="SnapshotFileException">The snapshots' directory cannot be read or tidied.</exception>
    /// <exception cref="ApplyException">The journal's events do not fit together.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while recovering; the journal is closed again.</exception>
    public Task StartAsync(CancellationToken cancellationToken) => Task.Run(() => StartServingAsync(cancellationToken), cancellationToken);

    /// <summary>
    /// Decides a command. Answers <see cref="Outcome.QueueFull"/> at once when the lane is full, otherwise after its commit. Never throws for
    /// an outcome. After a failure (rule 5) commands that were taken are never answered. Who awaits it goes on on a thread that others wait to be
    /// answered on: what blocks or takes long is to be done elsewhere.
    /// </summary>
    /// <param name="command">Not to be changed any more.</param>
    /// <param name="lane">Where it queues.</param>
    /// <param name="deadlineMicros">By <see cref="NowMicros"/>; from then on it is not applied any more and answers <see cref="Outcome.DeadlinePassed"/>. 0: none.</param>
    /// <param name="ct">Withdraws it while it is queued; once decided, the answer comes.</param>
    /// <param name="trace">Notes its way; null: nobody wants to know.</param>
    /// <exception cref="OperationCanceledException">Withdrawn in time: it was not applied.</exception>
    public ValueTask<CommandAnswer> ExecuteAsync(Command command, Lane lane, long deadlineMicros, CancellationToken ct, CommandTrace? trace = null) =>
        Put(command, isCheck: false, lane, deadlineMicros, trace, ct);

    /// <summary>Decides a submission and changes nothing. The answer's event is the OrderSubmitted or RequestRefused that would have come of it.</summary>
    /// <param name="command">Not to be changed any more.</param>
    /// <param name="ct">Withdraws it while it is queued.</param>
    /// <exception cref="OperationCanceledException">Withdrawn in time.</exception>
    public ValueTask<CommandAnswer> CheckAsync(SubmitOrder command, CancellationToken ct) => Put(command, isCheck: true, Lane.Normal, 0, null, ct);

    /// <summary>
    /// Queues a command, waiting while the lane is full: for streams, which are slowed down rather than refused. Completes when it has
    /// its place; the answer comes with the value. Commands of one caller that awaits each call keep their order.
    /// </summary>
    /// <param name="command">Not to be changed any more.</param>
    /// <param name="lane">Where it queues.</param>
    /// <param name="deadlineMicros">As for <see cref="ExecuteAsync"/>.</param>
    /// <param name="ct">Ends the wait and withdraws the command while it is queued.</param>
    /// <param name="trace">As for <see cref="ExecuteAsync"/>.</param>
    /// <exception cref="OperationCanceledException">Withdrawn while it waited for its place.</exception>
    public ValueTask<PendingAnswer> EnqueueAsync(Command command, Lane lane, long deadlineMicros, CancellationToken ct, CommandTrace? trace = null)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (NotTaking() is { } outcome) return ValueTask.FromResult(new PendingAnswer(Undecided(command, outcome)));
        return MissingOrder(command) is not 0 and var order
            ? RestoreThenEnqueueAsync(order, command, lane, deadlineMicros, trace, ct) : QueueStreamed(command, lane, deadlineMicros, trace, ct);
    }

    private ValueTask<PendingAnswer> QueueStreamed(Command command, Lane lane, long deadlineMicros, CommandTrace? trace, CancellationToken ct)
    {
        var pending = _commands.Rent();
        pending.Set(command, isStreamed: true, isCheck: false, deadlineMicros, ct, trace);
        trace?.Reach(Station.Queued);
        var answer = pending.Answer;
        return _intake.TryPut(lane, pending, isStreamed: true) ? ValueTask.FromResult(new PendingAnswer(answer)) : WaitForRoomAsync(pending, answer, lane, ct);
    }

    // A method of its own: one within the other would allocate for every command.
    private async ValueTask<PendingAnswer> WaitForRoomAsync(PendingCommand pending, ValueTask<CommandAnswer> answer, Lane lane, CancellationToken ct)
    {
        var command = pending.Command!;
        try
        {
            if (await _intake.PutAsync(lane, pending, ct)) return new PendingAnswer(answer);
        }
        catch (OperationCanceledException)
        {
            pending.Abandon();
            throw;
        }
        pending.Abandon();
        return new PendingAnswer(Undecided(command, Outcome.EngineDraining));
    }

    /// <summary>
    /// Loads events into an engine that holds nothing. Everything is replayed into a scratch core and its invariants are checked first;
    /// only then is any of it journaled. Commands queue meanwhile.
    /// </summary>
    /// <param name="events">Encoded events (orderengine.journal.Event), sequences from 1 without gaps. Personal data that came decrypted (Sealed.plaintext)
    /// is sealed under keys of this engine; what came without is left out. Not to be changed any more.</param>
    /// <param name="ct">Ends the check; once loading has begun it goes on to its end.</param>
    /// <exception cref="OperationCanceledException">Cancelled before loading began.</exception>
    public async Task<ImportResult> ImportAsync(IReadOnlyList<byte[]> events, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(events);
        if (NotServing() is not null) return new ImportResult(ImportStatus.NotServing, 0, -1, "");
        if (_disk.IsLow) return new ImportResult(ImportStatus.DiskLow, 0, -1, "");
        if (View.DurableSequence != 0) return new ImportResult(ImportStatus.NotEmpty, 0, -1, "");
        events = ImportedArchive.Undo(events);
        if (await Task.Run(() => ImportCheck.Problem(events), ct) is { } problem) return problem;
        ct.ThrowIfCancellationRequested();
        try
        {
            events = await new ImportSealing(Vault).ResealAsync(events);
        }
        catch (ImportSealingException exception)
        {
            return new ImportResult(ImportStatus.Invalid, 0, exception.EventIndex, exception.Message);
        }
        var import = new ImportJob(events);
        lock (_life)
        {
            if (NotServing() is not null) return new ImportResult(ImportStatus.NotServing, 0, -1, "");
            if (!_loop.TryBeginImport(import)) return new ImportResult(ImportStatus.NotEmpty, 0, -1, "");
        }
        var result = await import.Done;
        if (result.Status == ImportStatus.Imported) EngineLog.Imported(_logger, events.Count);
        return result;
    }

    /// <summary>Takes a snapshot now, beside everything else, and lets go of what the journal need not keep. Completes when it is verified and durable.</summary>
    public Task<CheckpointResult> CreateCheckpointAsync() =>
        _snapshotter?.CreateAsync() ?? Task.FromResult(new CheckpointResult(CheckpointStatus.NotServing, null, ""));

    /// <summary>The snapshots kept, for backups; null: none are taken.</summary>
    public ISnapshotStore? Snapshots => _snapshots;

    /// <summary>Keeps the journal's beginning where it is until what is returned is disposed of: for backups, which read it from there.</summary>
    public async Task<IDisposable?> HoldJournalAsync() => _snapshotter is null ? null : await _snapshotter.HoldAsync();

    /// <summary>Takes nothing new, answers what is in flight, ends the feeds, closes the journal. Safe to call more than once.</summary>
    public Task StopAsync()
    {
        lock (_life) return _stopping ??= _threads.Run(StopOnceAsync);
    }

    /// <summary>As <see cref="StopAsync"/>; no other call may be under way.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _intake.Dispose();
        _feeds.Dispose();
        _snapshotter?.Dispose();
        _archiver?.Dispose();
        _disk.Dispose();
        _stop.Dispose();
    }

    private async Task StartServingAsync(CancellationToken cancellationToken)
    {
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        _recovery.Begin();
        IJournal? journal = null;
        try
        {
            var from = _snapshots is null ? 1 : _recovery.LoadSnapshot(_snapshots, cancelled.Token);
            EngineLog.RecoveryBegins(_logger, from);
            journal = _openJournal(from, batch =>
            {
                cancelled.Token.ThrowIfCancellationRequested();
                _recovery.Replay(batch);
            });
            OpenArchive(View.Summary);
            if (_snapshots is not null) _recovery.TidySnapshots(_snapshots);
            _disk.Begin();
            Vault.Open(_openKeys(_core.Reader.HighestKey));
            Vault.Shred(_core.Sequence);
            _clock.RaiseTo(_core.Time);
            _recovery.End();
            Serve(journal);
        }
        catch (Exception exception)
        {
            if (exception is not OperationCanceledException) EngineLog.RecoveryFailed(_logger, _core.Sequence, exception);
            Vault.Close();
            if (journal is not null) await journal.DisposeAsync();
            throw;
        }
    }

    private void Serve(IJournal journal)
    {
        lock (_life)
        {
            _stop.Token.ThrowIfCancellationRequested();
            _feeds.Open(journal);
            Orders.BeginAfter(_core.Sequence);
            Stock.BeginAfter(_core.Sequence);
            _publisher = new Publisher(journal, View, _window, _threads, _failure, _metrics, _time, _options.CommitDeadline, _snapshotter, Vault);
            _writer = new WriterThread(_loop, _intake, _publisher, _failure, _time);
            Volatile.Write(ref _journal, journal);
            _snapshotter?.Begin(journal, _recovery.Loaded, _recovery.ReplayedBytes);
            _dispatching = _threads.Run(_dispatcher.RunAsync);
            var summary = View.Summary;
            EngineLog.Serving(_logger, summary.Sequence, _recovery.Status.Seconds, summary.StateHash, summary.Orders);
            Volatile.Write(ref _phase, (int)EnginePhase.Serving);
            _threads.RunWriter(_writer);
            _archiver?.Begin();
        }
    }

    private async Task StopOnceAsync()
    {
        lock (_life)
        {
            // From here on Serve does not begin any more, and nothing is put into the lanes.
            Volatile.Write(ref _phase, (int)EnginePhase.Draining);
            _stop.Cancel();
        }
        EngineLog.Draining(_logger, _intake.Length(Lane.Normal) + _intake.Length(Lane.Priority));
        _intake.Close();
        if (_journal is not null) await EndServingAsync();
        View.Close();
        EngineLog.Stopped(_logger, View.DurableSequence);
    }

    private async Task EndServingAsync()
    {
        await _writer!.Ended;
        // After a failure a commit may never end: nobody waits for it, and the journal is left to the end of the process.
        if (!_failure.HasFailed) await _publisher!.EndAsync();
        if (_archiver is not null) await _archiver.StopAsync();
        _publisher!.Dispose();
        _dispatcher.Close();
        await _dispatching!;
        if (!_failure.HasFailed && _snapshotter is not null) await _snapshotter.StopAsync();
        if (!_failure.HasFailed) await _journal!.DisposeAsync();
        Vault.Close();
    }

    private ValueTask<CommandAnswer> Put(Command command, bool isCheck, Lane lane, long deadlineMicros, CommandTrace? trace, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(command);
        if ((isCheck ? NotServing() : NotTaking()) is { } outcome) return Undecided(command, outcome);
        return MissingOrder(command) is not 0 and var order
            ? RestoreThenPutAsync(order, command, lane, deadlineMicros, trace, ct) : Queue(command, isCheck, lane, deadlineMicros, trace, ct);
    }

    private ValueTask<CommandAnswer> Queue(Command command, bool isCheck, Lane lane, long deadlineMicros, CommandTrace? trace, CancellationToken ct)
    {
        var pending = _commands.Rent();
        pending.Set(command, isStreamed: false, isCheck, deadlineMicros, ct, trace);
        trace?.Reach(Station.Queued);
        var answer = pending.Answer;
        if (_intake.TryPut(lane, pending)) return answer;
        pending.Abandon();
        return Undecided(command, NotServing() ?? Outcome.QueueFull);
    }

    private ValueTask<CommandAnswer> Undecided(Command command, Outcome outcome)
    {
        _metrics.Answered(command.Kind, outcome);
        return new ValueTask<CommandAnswer>(new CommandAnswer(outcome, 0, default, false));
    }

    private Outcome? NotTaking() => NotServing() ?? (_disk.IsLow ? Outcome.DiskLow : null);

    private Outcome? NotServing() => Phase switch
    {
        EnginePhase.Recovering => Outcome.EngineRecovering,
        EnginePhase.Draining => Outcome.EngineDraining,
        _ => null,
    };

    private void WhenFailed()
    {
        Volatile.Write(ref _phase, (int)EnginePhase.Draining);
        _intake.Close();
        _publisher?.ReleaseWriter();
    }
}
