// Proves: below the low mark changes are refused and nothing else; above the high mark they are taken again by itself; what is unknown refuses
// nothing; a snapshot is taken only where it leaves room.

using OrderEngine.Core;
using OrderEngine.Journal;

namespace OrderEngine.Engine.Tests;

public sealed class DiskTests
{
    private const long Mega = 1024 * 1024;
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private long _free = 100_000 * Mega;
    private bool _fails;

    [Fact]
    public async Task Changes_are_refused_below_the_low_mark_and_taken_again_above_the_high_mark()
    {
        await using var host = await ServingAsync(new EngineOptions { LowDiskBytes = 200 * Mega, LowDiskPercent = 90 });
        var changes = 0;
        host.Engine.DiskChanged += () => changes++;

        Set(host, 200 * Mega);
        Assert.Equal(new DiskStatus(200 * Mega, 200 * Mega, false), host.Engine.Disk);
        await host.Ok(Host.Submit());

        Set(host, 200 * Mega - 1);
        Assert.True(host.Engine.Disk.IsLow);
        var before = host.Journal.LastSequence;
        foreach (var lane in new[] { Lane.Normal, Lane.Priority })
        {
            Assert.Equal((Outcome.DiskLow, false), ((await host.Execute(Host.Submit(), lane)).Outcome, (await host.Execute(Host.Submit(), lane)).WasDecided));
            Assert.Equal(Outcome.DiskLow, (await await host.Engine.EnqueueAsync(Host.Submit(), lane, 0, default)).Outcome);
        }
        Assert.False(host.Engine.Vault.MaySeal);
        // What changes nothing is served.
        Assert.Equal(Outcome.Ok, (await host.Engine.CheckAsync(Host.Submit(), default)).Outcome);
        Assert.Equal(before, host.Journal.LastSequence);

        // Between the marks it stays refused.
        Set(host, 250 * Mega - 1);
        Assert.Equal(Outcome.DiskLow, (await host.Execute(Host.Submit())).Outcome);
        Set(host, 250 * Mega);
        await host.Ok(Host.Submit());
        Assert.True(host.Engine.Vault.MaySeal);
        Set(host, 200 * Mega);
        await host.Ok(Host.Submit());
        Assert.Equal(2, changes);
    }

    [Fact]
    public async Task Timers_go_on_below_the_mark()
    {
        await using var host = await ServingAsync(new EngineOptions());
        await host.Ok(Host.Hold(1, 5, TimeSpan.FromSeconds(60)));
        _free = 0;
        var last = host.Journal.LastSequence;
        host.Time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(Outcome.DiskLow, (await host.Execute(Host.Submit())).Outcome);
        await host.Engine.View.WaitForAsync(last + 1, default);
        Assert.Equal(0, host.Engine.View.Summary.OpenReservations);
    }

    [Fact]
    public async Task A_start_on_a_full_disk_serves_reads_and_takes_changes_when_there_is_room()
    {
        _free = 0;
        await using var host = await ServingAsync(new EngineOptions(), define: false);
        Assert.Equal(EnginePhase.Serving, host.Engine.Phase);
        Assert.Equal(Outcome.DiskLow, (await host.Execute(new DefineSku { Id = Host.Utf8("S"), Role = Role.Manager })).Outcome);
        Assert.Equal(ImportStatus.DiskLow, (await host.Engine.ImportAsync([[1]], default)).Status);
        Set(host, 10_000 * Mega);
        await host.Ok(new DefineSku { Id = Host.Utf8("S"), Role = Role.Manager });
    }

    [Fact]
    public async Task A_look_that_fails_leaves_the_last_one_standing()
    {
        await using var host = await ServingAsync(new EngineOptions());
        _free = 0;
        _fails = true;
        host.Time.Advance(Look);
        await host.Ok(Host.Submit());
        _fails = false;
        host.Time.Advance(Look);
        Assert.Equal(Outcome.DiskLow, (await host.Execute(Host.Submit())).Outcome);
        _fails = true;
        host.Time.Advance(Look);
        Assert.Equal(Outcome.DiskLow, (await host.Execute(Host.Submit())).Outcome);
    }

    [Theory]
    // The smaller of bytes and share, but not less than the floor.
    [InlineData(100_000, 500)]
    [InlineData(4_000, 200)]
    [InlineData(500, 96)]
    public async Task The_mark_follows_the_size_of_the_disk(long size, long mark)
    {
        await using var host = new Host(new EngineOptions { LowDiskBytes = 500 * Mega }, space: () => new DiskSpace(size * Mega, size * Mega));
        await host.Engine.StartAsync(default);
        Assert.Equal(mark * Mega, host.Engine.Disk.LowBytes);
    }

    [Fact]
    public async Task A_snapshot_is_taken_only_where_it_leaves_room()
    {
        var folder = Directory.CreateTempSubdirectory("orderengine-disk-");
        try
        {
            await using var host = new Host(directory: folder, snapshots: new WatchedSnapshots(), space: Measure);
            await host.Engine.StartAsync(default);
            await host.Define(10);
            Set(host, 97 * Mega);
            var refused = await host.Engine.CreateCheckpointAsync();
            Assert.Equal(CheckpointStatus.Failed, refused.Status);
            Assert.Contains("too full", refused.Reason, StringComparison.Ordinal);
            // Low, but it fits: the rows take a few chunks of 4 MiB.
            Set(host, 300 * Mega);
            Assert.True(host.Engine.Disk.IsLow);
            Assert.Equal(CheckpointStatus.Created, (await host.Engine.CreateCheckpointAsync()).Status);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData(96 * Mega - 1, 5, "LowDiskBytes")]
    [InlineData(1024 * Mega, 0, "LowDiskPercent")]
    [InlineData(1024 * Mega, 91, "LowDiskPercent")]
    public void Wrong_marks_are_named(long bytes, int percent, string name) =>
        Assert.Contains(name, Assert.Single(new EngineOptions { LowDiskBytes = bytes, LowDiskPercent = percent }.Problems()), StringComparison.Ordinal);

    [Fact]
    public void The_room_of_a_real_directory_is_known()
    {
        var space = DiskSpace.Of(Path.GetTempPath());
        Assert.InRange(space.FreeBytes, 1, space.TotalBytes);
    }

    private DiskSpace Measure() => _fails ? throw new IOException("The disk does not answer.") : new DiskSpace(_free, 1_000_000 * Mega);

    private void Set(Host host, long free)
    {
        _free = free;
        host.Time.Advance(Look);
    }

    private async Task<Host> ServingAsync(EngineOptions options, bool define = true)
    {
        _free = define ? 1_000_000 * Mega : _free;
        var host = new Host(options, space: Measure);
        await host.Engine.StartAsync(default);
        if (define) await host.Define(1_000_000);
        return host;
    }
}
