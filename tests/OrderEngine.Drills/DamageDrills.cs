// Damage at rest, byte by byte, to a directory that an engine has filled: every start is refused, saying so, or everything acknowledged is
// there. The same flips are given to stock FasterLog, for comparison.

using OrderEngine.Core;
using OrderEngine.Engine;
using OrderEngine.Journal;
using Xunit.Abstractions;

namespace OrderEngine.Drills;

public sealed class DamageDrills(ITestOutputHelper log)
{
    private const int Orders = 3_000, CopyEach = 250, Old = 120, FirstOld = 100_001, Block = 4096;
    // Small files, so that a start takes milliseconds: the layout is the same.
    private static readonly JournalGeometry s_geometry = new(14, 16);
    private readonly Random _random = new(Setting.Seed);
    private readonly Dictionary<long, long> _ledger = [];
    private readonly Dictionary<long, Archived> _archived = [];
    private readonly List<Dictionary<string, byte[]>> _earlier = [];

    [Fact]
    public async Task No_flipped_bit_lost_or_stale_block_or_cut_is_silent()
    {
        using var folder = new MemoryFolder();
        await FillAsync(folder.Path);
        var whole = Copy(folder.Path);
        var table = new SortedDictionary<string, (int Refused, int Harmless)>(StringComparer.Ordinal);
        foreach (var (kind, path, damaged) in Damages(whole))
        {
            await File.WriteAllBytesAsync(path, damaged);
            var said = new StringWriter();
            var code = await Shop.CheckAsync(folder.Path, _ledger, said, s_geometry, _archived);
            Assert.True(code is 0 or ExitCodes.RecoveryFailed, $"OE_SEED={Setting.Seed}, {kind} of {path}: {said}");
            var row = $"{kind}, {NameOf(path)}";
            var (refused, harmless) = table.GetValueOrDefault(row);
            table[row] = code == 0 ? (refused, harmless + 1) : (refused + 1, harmless);
            Restore(folder.Path, whole);
        }
        foreach (var (row, (refused, harmless)) in table) log.WriteLine($"{row,-34} {refused,6} refused {harmless,6} without loss, 0 silent");
        Assert.True(table.Values.Sum(count => count.Refused) > 0 && table.Values.Sum(count => count.Harmless) > 0);
    }

    [Fact]
    public async Task Stock_FasterLog_on_the_same_flips_loses_records_and_says_nothing()
    {
        var flips = Setting.Rounds(200, 1_000);
        foreach (var entryChecksums in new[] { false, true })
        {
            var (silent, refused, harmless) = await StockLog.FlipAsync(flips, entryChecksums, _random);
            log.WriteLine($"stock FasterLog, entry checksums {(entryChecksums ? "on" : "off (default)")}: {flips} flips, {silent} silent, {refused} exceptions, {harmless} without loss");
            Assert.True(silent > 0);
        }
    }

    // What an engine leaves after a good while, with two snapshots and several files of archive; and what there was at times before.
    private async Task FillAsync(string directory)
    {
        // Closed, and beyond the window of retries before the others are accepted: ten days ago and five days ago.
        await RunAsync(directory, days: -10, isNew: true, (shop, _) => CloseAsync(shop, FirstOld));
        await RunAsync(directory, days: -5, isNew: false, async (shop, time) =>
        {
            await CloseAsync(shop, FirstOld + Old);
            await ArchiveAsync(shop, time, Old);
        });
        await RunAsync(directory, days: 0, isNew: false, async (shop, time) =>
        {
            for (var number = 1; number <= Orders; number++)
            {
                _ledger[number] = (await shop.Engine.ExecuteAsync(Shop.Order(number), Lane.Normal, 0, default)).Sequence;
                if (number == Orders - CopyEach / 2) await ArchiveAsync(shop, time, 2 * Old);
                if (number % CopyEach == 0) _earlier.Add(Copy(directory));
            }
        });
    }

    private static async Task RunAsync(string directory, int days, bool isNew, Func<Shop, ShiftedTime, Task> work)
    {
        var time = new ShiftedTime(TimeSpan.FromDays(days));
        await using var shop = new Shop(directory, s_geometry, 30_000, time) { StaysAlive = true };
        await shop.StartAsync(isNew);
        await work(shop, time);
    }

    private async Task CloseAsync(Shop shop, int first)
    {
        for (var number = first; number < first + Old; number++)
        {
            Assert.Equal(Outcome.Ok, (await shop.Engine.ExecuteAsync(Shop.Order(number), Lane.Normal, 0, default)).Outcome);
            var order = shop.Engine.View.Summary.Orders;
            var cancel = new CancelOrder { Order = order, Role = Role.Customer, RequestKey = (UInt128)number + 1_000_000, BodyDigest = 1 };
            Assert.Equal(Outcome.Ok, (await shop.Engine.ExecuteAsync(cancel, Lane.Normal, 0, default)).Outcome);
            _archived[number] = new Archived(order, shop.HistoryOf(order));
        }
    }

    private static async Task ArchiveAsync(Shop shop, ShiftedTime time, int orders)
    {
        time.Ring();
        var started = TimeProvider.System.GetTimestamp();
        while (shop.Engine.View.Summary.Archived < orders)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromMinutes(1), $"{shop.Engine.View.Summary.Archived} of {orders} orders were archived.");
            await Task.Yield();
        }
    }

    private IEnumerable<(string Kind, string Path, byte[] Bytes)> Damages(Dictionary<string, byte[]> whole)
    {
        // Each file gets its share: most bytes are the log's, but the commit file is four blocks that decide everything.
        var files = whole.Keys.Where(path => whole[path].Length > 0).Order(StringComparer.Ordinal).ToArray();
        for (var i = Setting.Rounds(150, 1_000); i > 0; i--)
        {
            var path = files[_random.Next(files.Length)];
            var bytes = (byte[])whole[path].Clone();
            bytes[_random.Next(Used(bytes))] ^= (byte)(1 << _random.Next(8));
            yield return ("bit flip", path, bytes);
        }
        for (var i = Setting.Rounds(40, 200); i > 0; i--)
        {
            var path = files[_random.Next(files.Length)];
            var bytes = (byte[])whole[path].Clone();
            var block = _random.Next((Used(bytes) + Block - 1) / Block) * Block;
            bytes.AsSpan(block..Math.Min(block + Block, bytes.Length)).Clear();
            yield return ("zeroed block", path, bytes);
        }
        var stale = Stale(whole).GroupBy(found => NameOf(found.Path)).Select(group => group.ToArray()).ToArray();
        Assert.Contains("archive", stale.Select(group => NameOf(group[0].Path)));
        for (var i = Setting.Rounds(40, 200); i > 0; i--)
        {
            var group = stale[i % stale.Length];
            var (path, block, content) = group[_random.Next(group.Length)];
            var bytes = (byte[])whole[path].Clone();
            content.CopyTo(bytes, block);
            yield return ("stale block", path, bytes);
        }
        // Both copies of a slot, and both slots.
        var commit = files.Single(path => path.EndsWith("/commit", StringComparison.Ordinal));
        foreach (var range in new[] { 0..8192, 8192..16384, 0..16384, 4096..12288 })
        {
            var bytes = (byte[])whole[commit].Clone();
            bytes.AsSpan(range).Clear();
            yield return ("lost slots", commit, bytes);
        }
        var last = files.Last(path => path.Contains("/log.", StringComparison.Ordinal) && whole[path].AsSpan().ContainsAnyExcept((byte)0));
        var end = Used(whole[last]);
        var step = Setting.Rounds(41, 1);
        for (var at = Math.Max(0, end - 2 * Block); at < end; at += step) yield return ("cut", last, whole[last][..at]);
    }

    // Blocks as they were at some time before and are no longer; also as the same block of another file of the kind was, whose place on the disk it has.
    private IEnumerable<(string Path, int Block, byte[] Content)> Stale(Dictionary<string, byte[]> whole)
    {
        foreach (var (path, now) in whole.OrderBy(file => file.Key, StringComparer.Ordinal))
        {
            var before = _earlier.SelectMany(copy => copy.Where(file => NameOf(file.Key) == NameOf(path))).OrderBy(file => file.Key, StringComparer.Ordinal).Select(file => file.Value).ToList();
            for (var block = 0; block < Used(now); block += Block)
            {
                foreach (var old in before.Where(old => old.Length > block))
                {
                    var content = new byte[Math.Min(Block, now.Length - block)];
                    old.AsSpan(block, Math.Min(content.Length, old.Length - block)).CopyTo(content);
                    if (!content.AsSpan().SequenceEqual(now.AsSpan(block, content.Length))) yield return (path, block, content);
                }
            }
        }
    }

    private static int Used(byte[] bytes) => Math.Max(1, bytes.AsSpan().LastIndexOfAnyExcept((byte)0) + 1);

    private static string NameOf(string path) => path.EndsWith(".seg", StringComparison.Ordinal) ? "archive" : path.EndsWith(".idx", StringComparison.Ordinal) ? "archive's index" : Path.GetFileName(path) is var name && name.Contains('.', StringComparison.Ordinal) ? name[..name.IndexOf('.', StringComparison.Ordinal)] : name;

    private static Dictionary<string, byte[]> Copy(string directory) => Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
        .Where(path => Path.GetFileName(path) != "lock").ToDictionary(path => path, File.ReadAllBytes, StringComparer.Ordinal);

    private static void Restore(string directory, Dictionary<string, byte[]> copy)
    {
        foreach (var path in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories))
            if (!copy.ContainsKey(path)) File.Delete(path);
        foreach (var (path, bytes) in copy) File.WriteAllBytes(path, bytes);
    }
}

/// <summary>A fresh folder in memory, if the system offers that.</summary>
internal sealed class MemoryFolder : IDisposable
{
    public string Path { get; } = Directory.Exists("/dev/shm")
        ? Directory.CreateDirectory("/dev/shm/orderengine-drill-" + Guid.NewGuid().ToString("N")).FullName
        : Directory.CreateTempSubdirectory("orderengine-drill-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

/// <summary>The system's clock, some days off; rings at once whatever rings now and then.</summary>
internal sealed class ShiftedTime(TimeSpan by) : TimeProvider
{
    private readonly List<Periodic> _timers = [];

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Periodic(base.CreateTimer(callback, state, dueTime, period), () => callback(state));
        lock (_timers) _timers.Add(timer);
        return timer;
    }

    public void Ring()
    {
        lock (_timers) _timers.ForEach(timer => timer.RingNow());
    }

    private sealed class Periodic(ITimer timer, Action ring) : ITimer
    {
        private bool _isOn;

        public void RingNow()
        {
            if (_isOn) ring();
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _isOn = period > TimeSpan.Zero;
            return timer.Change(dueTime, period);
        }

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
