// The real engine on real files, with one SKU and orders whose content follows from their number, so that another process can ask again.

using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Engine;
using OrderEngine.Journal;

namespace OrderEngine.Drills;

internal sealed class Shop : IFailStop, IAsyncDisposable
{
    /// <summary>Orders under way while it works.</summary>
    public const int AtOnce = 16;
    private const long OpeningStock = 1_000_000_000;
    // Several files of some hundred orders.
    private const long ArchiveSegmentBytes = 16 * 1024;
    private readonly Engine.Engine _engine;
    private readonly EngineMetrics _metrics = new();
    private readonly string _directory;
    private readonly JournalGeometry _geometry;

    /// <param name="directory">The data directory.</param>
    /// <param name="geometry">Smaller than the standard one where only the bytes matter.</param>
    /// <param name="snapshotBytes">A snapshot after so many bytes of events.</param>
    /// <param name="time">The clock; left out: the system's.</param>
    public Shop(string directory, JournalGeometry? geometry = null, long snapshotBytes = 20_000, TimeProvider? time = null)
    {
        _directory = directory;
        _geometry = geometry ?? JournalGeometry.Standard;
        var options = new EngineOptions { SnapshotJournalBytes = snapshotBytes, CommitDeadline = TimeSpan.FromSeconds(30), StreamHistoryEvents = 50, ArchiveAfter = TimeSpan.FromHours(1) };
        _engine = new Engine.Engine(options, OpenJournal, highest => KeyRing.Open(directory, highest), time ?? TimeProvider.System, this, _metrics,
            NullLogger<Engine.Engine>.Instance, new SnapshotStore(directory), archive: new ArchiveStore(directory, Disk.Real, ArchiveSegmentBytes));
    }

    /// <summary>When set, a failing engine does not end this process.</summary>
    public bool StaysAlive { get; init; }

    public Engine.Engine Engine => _engine;

    /// <summary>Submits orders until the process is killed; each acknowledged one is told at once.</summary>
    public async Task WorkAsync(long first, Stream output)
    {
        try
        {
            await StartAsync();
        }
        catch (Exception refusal) when (refusal is not OperationCanceledException)
        {
            await Console.Error.WriteLineAsync(refusal.Message);
            Environment.Exit(ExitCodes.RecoveryFailed);
        }
        var next = first - 1;
        var gate = new Lock();
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            while (true)
            {
                var number = Interlocked.Increment(ref next);
                var answer = await _engine.ExecuteAsync(Order(number), Lane.Normal, 0, default);
                if (answer.Outcome != Outcome.Ok) continue;
                var line = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{number} {SequenceOf(answer)} .\n"));
                lock (gate) output.Write(line);
            }
        }));
    }

    /// <summary>Starts, and makes what orders refer to.</summary>
    /// <param name="isNew">False: that was done long ago.</param>
    public async Task StartAsync(bool isNew = true)
    {
        await _engine.StartAsync(default);
        if (!isNew) return;
        foreach (var command in new Command[]
        {
            new DefineLocation { Id = "L"u8.ToArray(), Role = Role.Manager, RequestKey = 1, BodyDigest = 1 },
            new DefineChannel { Id = "C"u8.ToArray(), Role = Role.Manager, RequestKey = 2, BodyDigest = 1 },
            new DefineSku { Id = "S"u8.ToArray(), Role = Role.Manager, RequestKey = 3, BodyDigest = 1 },
            new AdjustStock { Location = 1, Sku = 1, Adjustment = AdjustmentKind.OnHandDelta, Value = OpeningStock, Role = Role.Warehouse, RequestKey = 4, BodyDigest = 1 },
        })
        {
            var answer = await _engine.ExecuteAsync(command, Lane.Normal, 0, default);
            if (answer.Outcome != Outcome.Ok) throw new InvalidOperationException($"{command.Kind}: {answer.Outcome}");
        }
    }

    /// <summary>
    /// Asks every acknowledged order again: the same answer, told to be a repetition. Those of the archive are read by their number, looked for by
    /// their external id, and not accepted again.
    /// </summary>
    public static async Task<int> CheckAsync(string directory, IReadOnlyDictionary<long, long> ledger, TextWriter said, JournalGeometry? geometry = null,
        IReadOnlyDictionary<long, Archived>? archived = null)
    {
        await using var shop = new Shop(directory, geometry, 1L << 40) { StaysAlive = true };
        try
        {
            await shop._engine.StartAsync(default);
        }
        catch (Exception refusal) when (refusal is not OperationCanceledException)
        {
            await said.WriteLineAsync($"refused: {refusal.Message}");
            return ExitCodes.RecoveryFailed;
        }
        var missing = 0;
        foreach (var part in ledger.Chunk(512))
        {
            var answers = await Task.WhenAll(part.Select(async entry => (entry, Answer: await shop._engine.ExecuteAsync(Order(entry.Key), Lane.Normal, 0, default))));
            foreach (var ((number, sequence), answer) in answers)
            {
                if (answer is { Outcome: Outcome.Ok, Replayed: true } && SequenceOf(answer) == sequence) continue;
                missing++;
                await said.WriteLineAsync($"order {number} was acknowledged at {sequence} and is not there: {answer.Outcome} at {SequenceOf(answer)}");
            }
        }
        var unreadable = 0;
        foreach (var (number, was) in archived ?? new Dictionary<long, Archived>())
        {
            try
            {
                var order = Order(number);
                var isThere = shop._engine.View.Reader.FindOrder(1, order.ExternalId) == was.Order && shop.HistoryOf(was.Order).SequenceEqual(was.History, StringComparer.Ordinal)
                    && (await shop._engine.ExecuteAsync(order, Lane.Normal, 0, default)).Outcome == Outcome.ExternalIdTaken;
                if (isThere) continue;
                missing++;
                await said.WriteLineAsync($"order {was.Order}, archived as {number}, is not what it was");
            }
            catch (JournalException refusal)
            {
                if (unreadable++ == 0) await said.WriteLineAsync($"told when asked: {refusal.Message}");
            }
        }
        var summary = shop._engine.View.Summary;
        if (ledger.Count > 0 && summary.Sequence < ledger.Values.Max()) missing++;
        if (summary.Sequence > 3 && summary.OnHand is not (OpeningStock or 0) || summary.Committed != summary.Orders - (archived?.Count ?? 0)) missing++;
        await said.WriteLineAsync($"{ledger.Count} acknowledged, {missing} missing, {summary.Orders} orders, sequence {summary.Sequence}");
        return missing > 0 ? Program.Missing : unreadable > 0 ? ExitCodes.RecoveryFailed : 0;
    }

    /// <summary>Everything that happened to an order, wherever it lies.</summary>
    public List<string> HistoryOf(long order)
    {
        var history = new List<string>();
        var reader = _engine.View.Reader;
        using var guard = reader.Enter();
        for (long cursor = 0; reader.PreviousEvent(order, _engine.View.DurableSequence, ref cursor, out var bytes);) history.Add(Convert.ToHexString(bytes));
        return history;
    }

    // Of the event that accepted it, also where the answer is a repetition.
    private static long SequenceOf(in CommandAnswer answer) => answer.Event.IsEmpty ? 0 : EventView.SequenceOf(answer.Event.Span);

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        // Meters are known to the whole process: without this none of its engines would ever leave memory.
        _metrics.Dispose();
    }

    /// <summary>An order, the same for the same number.</summary>
    public static SubmitOrder Order(long number) => new(CommandKind.SubmitOrder)
    {
        Channel = 1,
        ExternalId = Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)),
        CurrencyCode = Currency.Pack("GBP"u8),
        Policy = AllocationPolicy.AllOrNothing,
        Terms = PaymentTerms.CashOnDelivery,
        Lines = [new DraftLine(1, 1, 100)],
        Role = Role.Channel,
        RequestKey = (UInt128)number + 1_000,
        BodyDigest = 1,
    };

    void IFailStop.Fail(int exitCode, string reason, Exception? cause)
    {
        if (StaysAlive) return;
        Console.Error.WriteLine($"{reason} {cause?.Message}");
        // As the server does it: at once, with nothing tidied up.
        Environment.Exit(exitCode);
    }

    private FasterJournal OpenJournal(long from, Action<JournalBatch> replay) =>
        FasterJournal.Open(new JournalOptions { Directory = _directory, Geometry = _geometry, CommitDeadline = TimeSpan.FromSeconds(20) }, from, replay);
}

/// <summary>What is known of an order that went to the archive.</summary>
/// <param name="Order">Its number.</param>
/// <param name="History">Its events, newest first.</param>
internal sealed record Archived(long Order, List<string> History);
