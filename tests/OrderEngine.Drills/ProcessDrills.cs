// Real processes on real disks: killed, cut off from power, given a failing, full, slow or read-only disk, stopped and woken. The ledger of
// acknowledgements is in this process, a third one looks whether everything is there. OE_DRILLS=full runs all rounds.

using System.Globalization;
using System.Text.RegularExpressions;
using OrderEngine.Engine;
using Xunit.Abstractions;

namespace OrderEngine.Drills;

public sealed partial class ProcessDrills(ITestOutputHelper log)
{
    private const int RoundsPerDirectory = 50;
    private readonly Random _random = new(Setting.Seed);
    private readonly Dictionary<long, long> _ledger = [];
    private long _rounds, _acknowledged, _unknown, _applied, _refusedStarts;
    private int _before;

    [DrillFact]
    public async Task Kill_9_loses_nothing_also_in_the_middle_of_a_snapshot()
    {
        for (var left = Setting.Rounds(8, 1_000); left > 0;)
        {
            // A new directory now and then: more kills, instead of ever more orders to ask for after each.
            using var folder = new TempFolder();
            Forget();
            for (var round = Math.Min(left, RoundsPerDirectory); round > 0; round--, left--)
            {
                using var worker = new Worker(folder.Path, _ledger);
                // A snapshot is taken every hundred orders or so: most kills hit one.
                await worker.ReadAsync(_random.Next(1, 800));
                await worker.EndAsync();
                await AssertNothingMissingAsync(folder.Path);
            }
        }
        Report("kill -9");
    }

    [DrillFact("mkfs.ext4")]
    public async Task A_power_cut_loses_nothing()
    {
        using var disk = new LoopDisk(160);
        for (var round = Setting.Rounds(6, 200); round > 0; round--)
        {
            using (var worker = new Worker(disk.Data, _ledger))
            {
                await worker.ReadAsync(_random.Next(1, 600));
                worker.Signal("STOP");
                disk.CutPower();
                await worker.EndAsync();
            }
            disk.Unmount();
            disk.Mount();
            await AssertNothingMissingAsync(disk.Data);
        }
        Report("power cut");
    }

    [DrillFact("strace")]
    public async Task A_write_that_fails_ends_the_process_and_loses_nothing()
    {
        foreach (var file in new[] { "log.000000", "commit" })
        {
            foreach (var fault in new[] { "error=EIO", "error=ENOSPC" })
            {
                for (var round = Setting.Rounds(1, 10); round > 0; round--)
                {
                    using var folder = new TempFolder();
                    Forget();
                    var at = _random.Next(30, 200);
                    using var worker = new Worker(folder.Path, _ledger, Strace(folder.Path, file, $"{fault}:when={at}+"));
                    var code = await worker.EndAsync(kill: false);
                    log.WriteLine($"{file} {fault} from write {at} on: exit code {code}");
                    Assert.Equal(ExitCodes.JournalFailed, code);
                    await AssertNothingMissingAsync(folder.Path);
                }
            }
        }
        Report("failing write");
    }

    /// <summary>The kernel says that it wrote 512 bytes and did not; the caller writes the rest. A disk that lies: the next start tells.</summary>
    [DrillFact("strace")]
    public async Task A_short_write_that_lies_is_refused_or_loses_nothing()
    {
        foreach (var file in new[] { "log.000000", "commit" })
        {
            for (var round = Setting.Rounds(1, 20); round > 0; round--)
            {
                using var folder = new TempFolder();
                Forget();
                using var worker = new Worker(folder.Path, _ledger, Strace(folder.Path, file, $"retval=512:when={_random.Next(50, 100)}"));
                await worker.ReadAsync(_random.Next(100, 900));
                await worker.EndAsync();
                var (code, said) = await Worker.CheckAsync(folder.Path, _ledger);
                log.WriteLine($"{file}: {said.TrimEnd()}");
                Assert.True(code is 0 or ExitCodes.RecoveryFailed, said);
                if (code == 0) Count(said);
                else _refusedStarts++;
            }
        }
        Report("write that lies");
    }

    [DrillFact("strace")]
    public async Task A_disk_that_takes_50_ms_a_write_is_slow_and_loses_nothing()
    {
        using var folder = new TempFolder();
        using var worker = new Worker(folder.Path, _ledger, Strace(folder.Path, "commit", "delay_exit=50000:when=40+"));
        Assert.True(await worker.ReadAsync(Setting.Rounds(400, 5_000)));
        await worker.EndAsync();
        await AssertNothingMissingAsync(folder.Path);
    }

    [DrillFact("mkfs.ext4")]
    public async Task A_full_disk_loses_nothing()
    {
        // Room for one segment and a little more.
        using var disk = new LoopDisk(64);
        using (var worker = new Worker(disk.Data, _ledger))
        {
            await worker.ReadAsync(200);
            File.WriteAllBytes(Path.Combine(disk.Root, "filler"), []);
            Fill(Path.Combine(disk.Root, "filler"));
            await worker.ReadAsync(2_000);
            await worker.EndAsync();
        }
        File.Delete(Path.Combine(disk.Root, "filler"));
        await AssertNothingMissingAsync(disk.Data);
    }

    [DrillFact("mkfs.ext4")]
    public async Task A_file_system_that_turns_read_only_ends_the_process_and_loses_nothing()
    {
        using var disk = new LoopDisk(160);
        for (var round = Setting.Rounds(1, 20); round > 0; round--)
        {
            using (var worker = new Worker(disk.Data, _ledger))
            {
                await worker.ReadAsync(_random.Next(50, 500));
                disk.TurnReadOnly();
                var code = await worker.EndAsync(kill: false);
                Assert.Contains(code, new[] { ExitCodes.JournalFailed, ExitCodes.CommitDeadlinePassed });
            }
            disk.Unmount();
            disk.Mount();
            await AssertNothingMissingAsync(disk.Data);
        }
        Report("read-only");
    }

    [DrillFact]
    public async Task A_second_process_is_refused_and_a_stopped_one_that_wakes_keeps_what_it_said()
    {
        using var folder = new TempFolder();
        using var worker = new Worker(folder.Path, _ledger);
        await worker.ReadAsync(100);
        worker.Signal("STOP");
        using (var second = new Worker(folder.Path, []))
        {
            Assert.Equal(ExitCodes.RecoveryFailed, await second.EndAsync(kill: false));
            Assert.Contains("in use", await second.Errors, StringComparison.Ordinal);
        }
        worker.Signal("CONT");
        // It may find a commit late and end, or go on: either way, what it said holds.
        await worker.ReadAsync(500);
        await worker.EndAsync();
        await AssertNothingMissingAsync(folder.Path);
    }

    private void Forget()
    {
        _ledger.Clear();
        _before = 0;
    }

    private async Task AssertNothingMissingAsync(string directory)
    {
        var (code, said) = await Worker.CheckAsync(directory, _ledger);
        log.WriteLine(said.TrimEnd());
        Assert.True(code == 0, $"OE_SEED={Setting.Seed.ToString(CultureInfo.InvariantCulture)}: {said}");
        Count(said);
    }

    // Of what was under way when a worker died, nobody was told whether it was done; the next worker asks for it again.
    private void Count(string said)
    {
        _rounds++;
        _acknowledged += _ledger.Count - _before;
        _unknown += Shop.AtOnce;
        _applied += long.Parse(Orders().Match(said).Groups[1].ValueSpan, CultureInfo.InvariantCulture) - _ledger.Count;
        _before = _ledger.Count;
    }

    private void Report(string what) => log.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{what}: {_rounds} rounds, {_acknowledged} acknowledged, 0 missing; {_unknown} under way and not answered, of which {_applied} were done; {_refusedStarts} starts refused"));

    [GeneratedRegex(" ([0-9]+) orders,")]
    private static partial Regex Orders();

    private static string[] Strace(string directory, string file, string inject) =>
        ["strace", "-f", "-qq", "-o", "/dev/null", "-P", Path.Combine(directory, "journal", file), "-e", "trace=pwrite64", "-e", "inject=pwrite64:" + inject];

    private static void Fill(string path)
    {
        using var file = new FileStream(path, FileMode.Append);
        var piece = new byte[1 << 16];
        try
        {
            while (true)
            {
                file.Write(piece);
                file.Flush(flushToDisk: true);
            }
        }
        catch (IOException)
        {
            // Full, which was the purpose.
        }
    }
}

/// <summary>A fresh folder, removed at the end.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("orderengine-drill-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
