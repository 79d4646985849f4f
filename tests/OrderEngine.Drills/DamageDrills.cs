// Damage at rest, byte by byte, to a directory that an engine has filled: every start is refused, saying so, or everything acknowledged is
// there. The same flips are given to stock FasterLog, for comparison.

using OrderEngine.Engine;
using OrderEngine.Journal;
using Xunit.Abstractions;

namespace OrderEngine.Drills;

public sealed class DamageDrills(ITestOutputHelper log)
{
    private const int Orders = 1_500, Block = 4096;
    // Small files, so that a start takes milliseconds: the layout is the same.
    private static readonly JournalGeometry s_geometry = new(14, 16);
    private readonly Random _random = new(Setting.Seed);
    private readonly Dictionary<long, long> _ledger = [];
    private Dictionary<string, byte[]> _earlier = [];

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
            var code = await Shop.CheckAsync(folder.Path, _ledger, said, s_geometry);
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

    // What an engine leaves that was killed after a good while, with two snapshots; and what there was somewhat earlier.
    private async Task FillAsync(string directory)
    {
        for (var half = 0; half < 2; half++)
        {
            var shop = new Shop(directory, s_geometry, 30_000) { StaysAlive = true };
            await shop.StartAsync();
            for (var number = half * Orders + 1; number <= (half + 1) * Orders; number++)
            {
                var answer = await shop.Engine.ExecuteAsync(Shop.Order(number), Lane.Normal, 0, default);
                _ledger[number] = answer.Sequence;
            }
            await shop.DisposeAsync();
            if (half == 0) _earlier = Copy(directory);
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
        for (var i = Setting.Rounds(60, 200); i > 0; i--)
        {
            var path = files[_random.Next(files.Length)];
            var bytes = (byte[])whole[path].Clone();
            var block = _random.Next((Used(bytes) + Block - 1) / Block) * Block;
            var isStale = i % 2 == 0 && _earlier.TryGetValue(path, out var old) && old.Length >= Math.Min(block + Block, bytes.Length);
            var target = bytes.AsSpan(block..Math.Min(block + Block, bytes.Length));
            if (isStale) _earlier[path].AsSpan(block, target.Length).CopyTo(target);
            else target.Clear();
            yield return (isStale ? "stale block" : "zeroed block", path, bytes);
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

    private static int Used(byte[] bytes) => Math.Max(1, bytes.AsSpan().LastIndexOfAnyExcept((byte)0) + 1);

    private static string NameOf(string path) => Path.GetFileName(path) is var name && name.Contains('.', StringComparison.Ordinal) ? name[..name.IndexOf('.', StringComparison.Ordinal)] : name;

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
