// The whole engine (journal, snapshots, archive on a disk) under a clock by hand, and orders for it. For the figures that need more than the core.

using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using OrderEngine.Core;
using OrderEngine.Engine;
using OrderEngine.Journal;
using OrderEngine.Tests;

namespace OrderEngine.Figures;

/// <summary>One data directory, gone with it.</summary>
internal sealed class Traffic(int archiveAfterDays, int skus) : IFailStop, IDisposable
{
    private ulong _requests;

    public ManualTime Time { get; } = new();

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("orderengine-figures-").FullName;

    /// <summary>Orders so far.</summary>
    public long Count { get; private set; }

    public void Fail(int exitCode, string reason, Exception? cause) => Environment.FailFast($"{exitCode} {reason}", cause);

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);

    /// <summary>An engine on the directory, serving.</summary>
    public async Task<Engine.Engine> StartAsync()
    {
        var engine = new Engine.Engine(
            new EngineOptions { ArchiveAfter = TimeSpan.FromDays(archiveAfterDays), SnapshotInterval = TimeSpan.FromDays(7), SnapshotJournalBytes = 1L << 40, StreamHistoryEvents = 100_000 },
            (from, replay) => FasterJournal.Open(new JournalOptions { Directory = Directory }, from, replay), highest => KeyRing.Open(Directory, highest), Time, this, new EngineMetrics(),
            NullLogger<Engine.Engine>.Instance, new SnapshotStore(Directory), null, new ArchiveStore(Directory));
        await engine.StartAsync(default);
        return engine;
    }

    /// <summary>One location, one channel, all SKUs.</summary>
    public async Task DefineAsync(Engine.Engine engine)
    {
        await OkAsync(engine, new DefineLocation { Id = "MAIN"u8.ToArray(), Role = Role.Manager });
        await OkAsync(engine, new DefineChannel { Id = "web"u8.ToArray(), Role = Role.Manager });
        for (var sku = 1; sku <= skus; sku++) await OkAsync(engine, new DefineSku { Id = Text($"SKU-{sku}"), Role = Role.Manager });
    }

    /// <summary>So many units of each SKU.</summary>
    public Task ReceiveAsync(Engine.Engine engine, int units) => OkAsync(engine,
        new ReceiveStock { Location = 1, Role = Role.Warehouse, Items = [.. Enumerable.Range(1, skus).Select(sku => new SkuQuantity(sku, units))], RequestKey = ++_requests });

    /// <summary>Orders of three lines, all commands with a request id.</summary>
    /// <param name="engine">Takes them.</param>
    /// <param name="count">How many.</param>
    /// <param name="deliver">False: they stay as they were accepted; true: released, shipped and delivered at once.</param>
    public async Task OrderAsync(Engine.Engine engine, int count, bool deliver)
    {
        var first = Count + 1;
        Count += count;
        await All(number => new SubmitOrder
        {
            Channel = 1, ExternalId = Text($"web-{number}"), CurrencyCode = Currency.Pack("GBP"u8), Policy = AllocationPolicy.AllOrNothing, Terms = PaymentTerms.CashOnDelivery,
            Lines = [.. Enumerable.Range(0, 3).Select(line => new DraftLine((int)((number + line) % skus) + 1, 1, 100))], Role = Role.Channel, RequestKey = ++_requests, BodyDigest = 1,
        });
        if (!deliver) return;
        await All(number => new ReleaseShipment { Order = number, Lines = [], Role = Role.Warehouse, RequestKey = ++_requests, BodyDigest = 1 });
        await All(number => new ConfirmShipment { Order = number, Lines = [], Role = Role.Warehouse, Carrier = [], TrackingNumber = [], RequestKey = ++_requests, BodyDigest = 1 });
        await All(number => new RecordDelivery { Order = number, Lines = [], Role = Role.Carrier, RequestKey = ++_requests, BodyDigest = 1 });

        async Task All(Func<long, Command> make)
        {
            var answers = new Task<CommandAnswer>[count];
            for (var i = 0; i < count; i++) answers[i] = engine.ExecuteAsync(make(first + i), Lane.Normal, 0, default).AsTask();
            foreach (var answer in await Task.WhenAll(answers))
                if (answer.Outcome != Outcome.Ok) throw new InvalidOperationException($"A command was answered {answer.Outcome}.");
        }
    }

    public static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>A line of a table.</summary>
    public static void Say(params object[] columns) => Console.WriteLine(string.Join(' ', columns.Select(column => $"{Convert.ToString(column, CultureInfo.InvariantCulture),10}")));

    public static string Mega(long bytes) => (bytes / 1e6).ToString("F1", CultureInfo.InvariantCulture);

    private static async Task OkAsync(Engine.Engine engine, Command command)
    {
        if ((await engine.ExecuteAsync(command, Lane.Normal, 0, default)).Outcome is not Outcome.Ok and var outcome) throw new InvalidOperationException($"A command was answered {outcome}.");
    }
}
