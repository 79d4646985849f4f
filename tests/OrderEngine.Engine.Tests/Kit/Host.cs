// An engine with a journal in memory, a clock by hand, and short words for the commands that tests need.

using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Journal;

namespace OrderEngine.Engine.Tests;

internal sealed class RecordingFailStop : IFailStop
{
    private readonly TaskCompletionSource<(int Code, string Reason, Exception? Cause)> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _calls;

    public int Calls => Volatile.Read(ref _calls);

    public Task<(int Code, string Reason, Exception? Cause)> Failed => _failed.Task;

    public void Fail(int exitCode, string reason, Exception? cause)
    {
        Interlocked.Increment(ref _calls);
        _failed.TrySetResult((exitCode, reason, cause));
    }
}

/// <summary>A command that the core does not know, in a role that may submit: deciding it throws.</summary>
internal sealed class UnknownCommand() : Command(CommandKind.SubmitOrder);

internal sealed class Host : IAsyncDisposable
{
    private static long s_requests;
    private readonly DirectoryInfo _directory;
    private readonly bool _ownsDirectory;

    public Host(EngineOptions? options = null, MemoryJournal? journal = null, ManualTime? time = null, DirectoryInfo? directory = null,
        ISnapshotStore? snapshots = null, Func<DiskSpace>? space = null, EngineThreads? threads = null)
    {
        _ownsDirectory = directory is null;
        _directory = directory ?? Directory.CreateTempSubdirectory("orderengine-engine-");
        Journal = journal ?? new MemoryJournal();
        Time = time ?? new ManualTime();
        Engine = new Engine(options ?? new EngineOptions(), Open, highest => KeyRing.Open(_directory.FullName, highest), Time, FailStop, Metrics, NullLogger<Engine>.Instance, snapshots,
            threads ?? EngineThreads.Real, space);
    }

    public Engine Engine { get; }

    public MemoryJournal Journal { get; }

    public ManualTime Time { get; }

    public RecordingFailStop FailStop { get; } = new();

    public EngineMetrics Metrics { get; } = new();

    public DirectoryInfo Folder => _directory;

    /// <summary>A serving engine with channels 1 and 2, location 1, SKUs 1 to 4, and units of each on hand.</summary>
    public static async Task<Host> Serving(EngineOptions? options = null, int units = 1_000_000)
    {
        var host = new Host(options);
        await host.Engine.StartAsync(default);
        await host.Define(units);
        return host;
    }

    public async Task Define(int units)
    {
        await Ok(new DefineLocation { Id = Utf8("L1"), Role = Role.Manager });
        await Ok(new DefineChannel { Id = Utf8("web"), Role = Role.Manager });
        await Ok(new DefineChannel { Id = Utf8("shop"), Role = Role.Manager });
        for (var sku = 1; sku <= 4; sku++) await Ok(new DefineSku { Id = Utf8("S" + sku), Role = Role.Manager });
        if (units > 0) await Ok(Receive(units, 1, 2, 3, 4));
    }

    /// <summary>Completes when what was committed so far has been handed to those who follow; who subscribes to stock earlier is told of it, too.</summary>
    public async Task WhenDispatched()
    {
        while (Engine.Stock.DispatchedThrough < Engine.View.DurableSequence) await Task.Yield();
    }

    public async Task<CommandAnswer> Ok(Command command, Lane lane = Lane.Normal)
    {
        var answer = await Execute(command, lane);
        Assert.Equal(Outcome.Ok, answer.Outcome);
        return answer;
    }

    public ValueTask<CommandAnswer> Execute(Command command, Lane lane = Lane.Normal, long deadline = 0, CancellationToken ct = default) =>
        Engine.ExecuteAsync(command, lane, deadline, ct);

    public static ReceiveStock Receive(int units, params int[] skus) => new()
    {
        Location = 1,
        Items = [.. skus.Select(sku => new SkuQuantity(sku, units))],
        Role = Role.Warehouse,
    };

    public static SubmitOrder Submit(int sku = 1, int units = 1, int channel = 1, int customer = 0, UInt128 key = default, UInt128 digest = default,
        AllocationPolicy policy = AllocationPolicy.AllOrNothing, long reservation = 0) => new(reservation == 0 ? CommandKind.SubmitOrder : CommandKind.CommitReservation)
    {
        Channel = channel,
        Customer = customer,
        ExternalId = Utf8("x" + Interlocked.Increment(ref s_requests).ToString(CultureInfo.InvariantCulture)),
        CurrencyCode = Currency.Pack("GBP"u8),
        Policy = policy,
        Terms = PaymentTerms.CashOnDelivery,
        Lines = [new DraftLine(sku, units, 100)],
        Role = Role.Channel,
        RequestKey = key,
        BodyDigest = digest,
        Reservation = reservation,
    };

    public static CreateReservation Hold(int sku, int units, TimeSpan ttl) => new()
    {
        Channel = 1,
        Items = [new SkuQuantity(sku, units)],
        TtlMicros = (long)ttl.TotalMicroseconds,
        Role = Role.Channel,
    };

    /// <summary>Every durable event, in sequence.</summary>
    public List<byte[]> Events() => EventsOf(Journal.Batches);

    public static List<byte[]> EventsOf(IEnumerable<JournalBatch> batches)
    {
        var events = new List<byte[]>();
        foreach (var batch in batches)
        {
            var walk = new EventEnumerator(batch.Payload.Span);
            while (walk.MoveNext()) events.Add(walk.Current.ToArray());
        }
        return events;
    }

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    public async ValueTask DisposeAsync()
    {
        Journal.GoAutomatic();
        await Engine.DisposeAsync();
        Metrics.Dispose();
        if (_ownsDirectory) _directory.Delete(recursive: true);
    }

    private MemoryJournal Open(long from, Action<JournalBatch> replay)
    {
        foreach (var batch in Journal.Read(from)) replay(batch);
        return Journal;
    }
}
