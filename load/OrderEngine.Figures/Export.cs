// An export of orders that are in memory and of orders that are archived, as ExportOrders makes it, up to the contract's messages: captured into a spool on the
// disk, then read order by order with history. Without mapping, network and whoever writes the file; the files come from the disk's cache.
// dotnet run -c Release --project load/OrderEngine.Figures -- export [orders in memory] [archived orders] [rounds]

using System.Diagnostics;
using OrderEngine.Core.State;

namespace OrderEngine.Figures;

internal sealed class Export(int live, int archived, int rounds) : IDisposable
{
    private const int Skus = 100, AtOnce = 200, ArchiveAfterDays = 1;
    private readonly Traffic _traffic = new(ArchiveAfterDays, Skus);

    public void Dispose() => _traffic.Dispose();

    public async Task RunAsync()
    {
        await using var engine = await _traffic.StartAsync();
        await _traffic.DefineAsync(engine);
        await OrdersAsync(engine, archived, deliver: true);
        while (engine.View.Summary.Archived < archived)
        {
            // Each command lets the engine forget some of the answers that keep orders in memory.
            for (var i = 0; i < 100; i++) await _traffic.ReceiveAsync(engine, 1);
            _traffic.Time.Advance(TimeSpan.FromHours(1));
            await engine.Archiving;
        }
        await OrdersAsync(engine, live, deliver: false);
        Console.WriteLine($"{live} orders in memory, {archived} archived, of three lines; orders and MB of events a second; all: the capture included");
        Traffic.Say("capture s", "spool MB", "in memory", "MB", "archived", "MB", "all", "MB");
        for (var round = 0; round < rounds; round++) await MeasureAsync(engine);
    }

    private async Task OrdersAsync(Engine.Engine engine, int count, bool deliver)
    {
        for (var left = count; left > 0; left -= AtOnce)
        {
            await _traffic.ReceiveAsync(engine, AtOnce);
            await _traffic.OrderAsync(engine, Math.Min(left, AtOnce), deliver);
        }
    }

    private async Task MeasureAsync(Engine.Engine engine)
    {
        var path = Path.Combine(_traffic.Directory, "figures.spool");
        var spool = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16);
        var started = Stopwatch.GetTimestamp();
        using var export = await engine.ExportOrdersAsync(new OrderQuery(), spool, default);
        var captured = Stopwatch.GetElapsedTime(started);
        var spooled = spool.Length;
        var (of, from) = (new Rate[2], Stopwatch.GetTimestamp());
        while (export.Next(default) is { } order)
        {
            long bytes = 0;
            for (var i = 0; i < order.Events; i++) bytes += order.Event(i).Length;
            var now = Stopwatch.GetTimestamp();
            of[order.IsArchived ? 1 : 0].Add(bytes, now - from);
            from = now;
        }
        if (of[0].Orders != live || of[1].Orders != archived) throw new InvalidOperationException($"The export has {of[0].Orders} and {of[1].Orders} orders.");
        var all = new Rate { Orders = of[0].Orders + of[1].Orders, Bytes = of[0].Bytes + of[1].Bytes, Ticks = of[0].Ticks + of[1].Ticks + (long)(captured.TotalSeconds * Stopwatch.Frequency) };
        Traffic.Say($"{captured.TotalSeconds:F2}", Traffic.Mega(spooled), of[0].PerSecond, of[0].MegaPerSecond, of[1].PerSecond, of[1].MegaPerSecond, all.PerSecond, all.MegaPerSecond);
    }

    private struct Rate
    {
        public long Orders, Bytes, Ticks;

        public readonly string PerSecond => $"{Orders / Seconds:F0}";
        public readonly string MegaPerSecond => $"{Bytes / 1e6 / Seconds:F1}";
        private readonly double Seconds => Math.Max(1, Ticks) / (double)Stopwatch.Frequency;

        public void Add(long bytes, long ticks)
        {
            Orders++;
            Bytes += bytes;
            Ticks += ticks;
        }
    }
}
