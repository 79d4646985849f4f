// A year of steady traffic on the whole engine (journal, snapshots, archive on a disk) under a clock by hand: what stays in memory, what goes to the disk.
// dotnet run -c Release --project load/OrderEngine.Figures -- year [orders a day] [days] [archive after days; 0: never]

using System.Diagnostics;

namespace OrderEngine.Figures;

internal sealed class Year(int perDay, int days, int archiveAfter) : IDisposable
{
    private const int Skus = 100, HoursPerDay = 24;
    private readonly Traffic _traffic = new(archiveAfter, Skus);
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public void Dispose() => _traffic.Dispose();

    public async Task RunAsync()
    {
        var engine = await _traffic.StartAsync();
        await _traffic.DefineAsync(engine);
        Traffic.Say("day", "orders", "in memory", "archived", "rows MB", "managed MB", "process MB", "archive MB", "journal MB", "seconds");
        for (var day = 1; day <= days; day++)
        {
            await _traffic.ReceiveAsync(engine, perDay);
            for (var hour = 0; hour < HoursPerDay; hour++)
            {
                // A commit that the clock overtakes by an hour would be past its deadline.
                await engine.Archiving;
                _traffic.Time.Advance(TimeSpan.FromHours(1));
                await _traffic.OrderAsync(engine, perDay / HoursPerDay, deliver: true);
            }
            if (day % 30 == 5 || day == days) await ShowAsync(engine, day);
        }
        await engine.DisposeAsync();
        var started = Stopwatch.GetTimestamp();
        engine = await _traffic.StartAsync();
        Console.WriteLine($"started again in {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s");
        started = Stopwatch.GetTimestamp();
        const int looks = 1_000;
        for (var i = 1; i <= looks; i++) Look(engine, _traffic.Count / looks * i);
        Console.WriteLine($"read by external id, with history: {Stopwatch.GetElapsedTime(started).TotalMicroseconds / looks:F0} us each");
        await engine.DisposeAsync();
    }

    private async Task ShowAsync(Engine.Engine engine, int day)
    {
        await engine.Archiving;
        var managed = GC.GetTotalMemory(forceFullCollection: true);
        using var process = Process.GetCurrentProcess();
        var summary = engine.View.Summary;
        Traffic.Say(day, summary.Orders, summary.Orders - summary.Archived, summary.Archived, Traffic.Mega(engine.StateBytes), Traffic.Mega(managed), Traffic.Mega(process.WorkingSet64),
            Traffic.Mega(engine.ArchiveBytes), Traffic.Mega(engine.JournalBytes), $"{_clock.Elapsed.TotalSeconds:F0}");
    }

    private static void Look(Engine.Engine engine, long number)
    {
        var reader = engine.View.Reader;
        using var guard = reader.Enter();
        var at = engine.View.DurableSequence;
        var events = 0;
        if (reader.FindOrder(1, Traffic.Text($"web-{number}")) != number || !reader.Order(number, at).Exists) throw new InvalidOperationException($"Order {number} is not found.");
        for (long cursor = 0; reader.PreviousEvent(number, at, ref cursor, out _);) events++;
        if (events != 4) throw new InvalidOperationException($"Order {number} has {events} events.");
    }
}
