using OrderEngine.Load.NoOp;
using OrderEngine.Load.Running;
using OrderEngine.Load.Scenarios;

namespace OrderEngine.Load.Tests;

public class HalfLoadTests
{
    [Fact]
    public async Task Half_of_the_best_rate_is_offered_and_its_figures_stand_beside_the_disks()
    {
        await using var server = NoOpServer.Build(0);
        await server.StartAsync();
        // Warm and long enough that the best phase answers something even where the machine has little time: half of nothing is nothing.
        var settings = new RunSettings { Address = server.Urls.First(), During = TimeSpan.FromSeconds(3), WarmUp = TimeSpan.FromSeconds(1), Disk = Path.GetTempPath() };
        var result = await LoadRun.RunAsync("half-load", settings, [], null, CancellationToken.None);
        Assert.True(result.LedgerPassed);
        // Where the machine stands still for a moment, arrivals are left out, which is no fault of the tool's; nothing else may happen to them.
        Assert.All(result.Phases, phase => Assert.All(phase.Main.Statuses.Keys, status => Assert.Equal(OpenLoop.NotSent, status)));
        Assert.Equal(["best", "at-0.5"], result.Phases.Select(p => p.Phase));
        Assert.Equal("at-0.5", result.MainPhase);
        var (best, half) = (result.Phases[0], result.Phases[1]);
        Assert.True(half.Main.Items > half.Main.Failed, $"{half.Main.Failed} of {half.Main.Items + half.Main.Failed} were left out");
        Assert.InRange((half.Main.Items + half.Main.Failed) / half.Seconds / (best.Main.Items / best.Seconds), 0.49, 0.51);
        Assert.Equal(half.Main.Latency.P99Ms, result.P99Ms);
        Assert.Null(best.SendLag);
        Assert.Equal(half.Main.Items, half.SendLag!.Count);
        Assert.Equal(half.Main.Items, half.Steps.Single(s => s.Step == OpenLoop.FromSending).Items);
        // 300 flushes before and 300 after.
        Assert.Equal(600, result.DiskFlush!.Count);
        Assert.Equal(result.P99Ms / result.DiskFlush.P99Ms, result.P99ToFlush!.Value, tolerance: 0.01);
        Assert.DoesNotContain(result.Notes, n => n.Contains("--disk", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_disk_the_report_says_how_to_have_it()
    {
        await using var server = NoOpServer.Build(0);
        await server.StartAsync();
        var settings = new RunSettings { Address = server.Urls.First(), During = TimeSpan.FromSeconds(0.3), WarmUp = TimeSpan.Zero };
        var result = await LoadRun.RunAsync("half-load", settings, [], null, CancellationToken.None);
        Assert.Null(result.DiskFlush);
        Assert.Contains(result.Notes, n => n.Contains("--disk", StringComparison.Ordinal));
    }
}
