// A year of steady traffic on the whole engine (journal, snapshots, archive on a disk) under a clock by hand: what stays in memory, what goes to the disk.
// dotnet run -c Release --project load/OrderEngine.Figures -- year [orders a day] [days] [archive after days; 0: never]

using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using OrderEngine.Core;
using OrderEngine.Engine;
using OrderEngine.Journal;
using OrderEngine.Tests;

namespace OrderEngine.Figures;

internal sealed class Year(int perDay, int days, int archiveAfter) : IFailStop
{
    private const int Skus = 100, HoursPerDay = 24;
    private readonly ManualTime _time = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("orderengine-year-").FullName;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private ulong _requests;
    private long _orders;

    public static async Task<int> RunAsync(string[] args)
    {
        int Argument(int index, int fallback) => args.Length > index ? int.Parse(args[index], CultureInfo.InvariantCulture) : fallback;
        return await new Year(Argument(1, 960), Argument(2, 365), Argument(3, 30)).RunAsync();
    }

    public void Fail(int exitCode, string reason, Exception? cause) => Environment.FailFast($"{exitCode} {reason}", cause);

    private async Task<int> RunAsync()
    {
        try
        {
            var engine = Make();
            await engine.StartAsync(default);
            await Ok(engine, new DefineLocation { Id = "MAIN"u8.ToArray(), Role = Role.Manager });
            await Ok(engine, new DefineChannel { Id = "web"u8.ToArray(), Role = Role.Manager });
            for (var sku = 1; sku <= Skus; sku++) await Ok(engine, new DefineSku { Id = Text($"SKU-{sku}"), Role = Role.Manager });
            Say("day", "orders", "in memory", "archived", "rows MB", "managed MB", "process MB", "archive MB", "journal MB", "seconds");
            for (var day = 1; day <= days; day++)
            {
                await Ok(engine, new ReceiveStock { Location = 1, Role = Role.Warehouse, Items = [.. Enumerable.Range(1, Skus).Select(sku => new SkuQuantity(sku, perDay))], RequestKey = ++_requests });
                for (var hour = 0; hour < HoursPerDay; hour++)
                {
                    // A commit that the clock overtakes by an hour would be past its deadline.
                    await engine.Archiving;
                    _time.Advance(TimeSpan.FromHours(1));
                    await Orders(engine, perDay / HoursPerDay);
                }
                if (day % 30 == 5 || day == days) await ShowAsync(engine, day);
            }
            await engine.DisposeAsync();
            var started = Stopwatch.GetTimestamp();
            engine = Make();
            await engine.StartAsync(default);
            Console.WriteLine($"started again in {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s");
            started = Stopwatch.GetTimestamp();
            const int looks = 1_000;
            for (var i = 1; i <= looks; i++) Look(engine, _orders / looks * i);
            Console.WriteLine($"read by external id, with history: {Stopwatch.GetElapsedTime(started).TotalMicroseconds / looks:F0} us each");
            await engine.DisposeAsync();
            return 0;
        }
        finally
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    private Engine.Engine Make() => new(
        new EngineOptions { ArchiveAfter = TimeSpan.FromDays(archiveAfter), SnapshotInterval = TimeSpan.FromDays(7), SnapshotJournalBytes = 1L << 40, StreamHistoryEvents = 100_000 },
        (from, replay) => FasterJournal.Open(new JournalOptions { Directory = _directory }, from, replay), highest => KeyRing.Open(_directory, highest), _time, this, new EngineMetrics(),
        NullLogger<Engine.Engine>.Instance, new SnapshotStore(_directory), null, new ArchiveStore(_directory));

    // Each order is submitted, released, shipped and delivered in its hour, and every command has a request id.
    private async Task Orders(Engine.Engine engine, int count)
    {
        var first = _orders + 1;
        _orders += count;
        await All(number => new SubmitOrder
        {
            Channel = 1, ExternalId = Text($"web-{number}"), CurrencyCode = Currency.Pack("GBP"u8), Policy = AllocationPolicy.AllOrNothing, Terms = PaymentTerms.CashOnDelivery,
            Lines = [.. Enumerable.Range(0, 3).Select(line => new DraftLine((int)((number + line) % Skus) + 1, 1, 100))], Role = Role.Channel, RequestKey = ++_requests, BodyDigest = 1,
        });
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

    private async Task ShowAsync(Engine.Engine engine, int day)
    {
        await engine.Archiving;
        var managed = GC.GetTotalMemory(forceFullCollection: true);
        using var process = Process.GetCurrentProcess();
        var summary = engine.View.Summary;
        Say(day, summary.Orders, summary.Orders - summary.Archived, summary.Archived, Mega(engine.StateBytes), Mega(managed), Mega(process.WorkingSet64), Mega(engine.ArchiveBytes),
            Mega(engine.JournalBytes), $"{_clock.Elapsed.TotalSeconds:F0}");
    }

    private static void Look(Engine.Engine engine, long number)
    {
        var reader = engine.View.Reader;
        using var guard = reader.Enter();
        var at = engine.View.DurableSequence;
        var events = 0;
        if (reader.FindOrder(1, Text($"web-{number}")) != number || !reader.Order(number, at).Exists) throw new InvalidOperationException($"Order {number} is not found.");
        for (long cursor = 0; reader.PreviousEvent(number, at, ref cursor, out _);) events++;
        if (events != 4) throw new InvalidOperationException($"Order {number} has {events} events.");
    }

    private static async Task Ok(Engine.Engine engine, Command command)
    {
        if ((await engine.ExecuteAsync(command, Lane.Normal, 0, default)).Outcome is not Outcome.Ok and var outcome) throw new InvalidOperationException($"A command was answered {outcome}.");
    }

    private static string Mega(long bytes) => (bytes / 1e6).ToString("F1", CultureInfo.InvariantCulture);

    private static void Say(params object[] columns) => Console.WriteLine(string.Join(' ', columns.Select(column => $"{Convert.ToString(column, CultureInfo.InvariantCulture),10}")));

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);
}
