// The archive's place in the engine: opened behind the journal, asked before a command is queued, on the caller's thread; and the export of all orders,
// wherever they are.

using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Journal;

namespace OrderEngine.Engine;

public sealed partial class Engine
{
    private readonly ArchiveStore? _archiveFiles;
    private readonly OrderArchive? _archive;
    private readonly Archiver? _archiver;

    /// <summary>Bytes of the archive on disk.</summary>
    public long ArchiveBytes => _archiveFiles?.SizeBytes ?? 0;

    /// <summary>The archive, for backups; null: there is none.</summary>
    public ArchiveStore? Archive => _archiveFiles;

    /// <summary>Captures orders at the sequence that is durable now, to be read at any pace. While it lasts rows that are superseded stay in memory.</summary>
    /// <param name="query">Channel, states, times of acceptance.</param>
    /// <param name="spool">Empty, read and written; the export's from here on. It grows to what the orders take in memory.</param>
    /// <param name="ct">Gives up.</param>
    /// <exception cref="IOException">The spool cannot be written, or the disk has no room for it.</exception>
    public async Task<OrderExport> ExportOrdersAsync(OrderQuery query, Stream spool, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(spool);
        try
        {
            if (!_disk.HasRoomFor(StateBytes)) throw new IOException($"The disk has no room for the {StateBytes} bytes that an export may take.");
            return await _threads.RunLong(() => Task.FromResult(OrderExport.Capture(View, query, spool, ct)));
        }
        catch
        {
            await spool.DisposeAsync();
            throw;
        }
    }

    /// <summary>The look at closed orders that is under way, or the last one: false, if it failed. For tests.</summary>
    internal Task<bool> Archiving => _archiver!.Running;

    private void OpenArchive(StateSummary summary)
    {
        if (_archive is null && summary.Archived > 0)
            throw new JournalException($"{summary.Archived} orders are in an archive, and this engine was given none.");
        _archive?.Open(summary.ArchivePosition);
        if (summary.ArchivePosition > 0) EngineLog.ArchiveOpened(_logger, _archiveFiles!.Records, _archiveFiles.SizeBytes, summary.Archived);
    }

    // What the archive has to say before a command is queued: the writer never reads from it.
    private long MissingOrder(Command command)
    {
        if (_archive is null) return 0;
        if (command is not SubmitOrder submit) return _archive.Missing(command);
        _archive.Ask(submit);
        return 0;
    }

    private async ValueTask<CommandAnswer> RestoreThenPutAsync(long order, Command command, Lane lane, long deadlineMicros, CommandTrace? trace, CancellationToken ct) =>
        await RestoreAsync(order, ct) is not Outcome.Ok and var outcome ? await Undecided(command, outcome) : await Queue(command, false, lane, deadlineMicros, trace, ct);

    private async ValueTask<PendingAnswer> RestoreThenEnqueueAsync(long order, Command command, Lane lane, long deadlineMicros, CommandTrace? trace, CancellationToken ct) =>
        await RestoreAsync(order, ct) is not Outcome.Ok and var outcome
            ? new PendingAnswer(Undecided(command, outcome)) : await QueueStreamed(command, lane, deadlineMicros, trace, ct);

    // Brought back ahead of everything else: its caller waits, and there are few.
    private async ValueTask<Outcome> RestoreAsync(long order, CancellationToken ct)
    {
        // Younger than what is durable, or back since: the command finds out.
        if (_archive!.Read(order) is not { } record) return Outcome.Ok;
        return (await Queue(new RestoreOrder { Role = Role.System, Order = order, Record = record }, false, Lane.Priority, 0, null, ct)).Outcome;
    }
}
