// The load tool against the engine: every scenario runs, and every acknowledged order is there, once. No times are judged.
using OrderEngine.System.Tests.Harness;

namespace OrderEngine.System.Tests;

public sealed class LoadSmokeTests(ITestOutputHelper log)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task Every_scenario_passes_with_its_ledger()
    {
        var names = (await ChildProcess.RunAsync(Setting.Dotnet, ["exec", Setting.LoadDll, "list"])).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(names.Length >= 19, $"{names.Length} scenarios");
        var smoke = await ChildProcess.RunAsync(Setting.Dotnet, ["exec", Setting.LoadDll, "smoke", "--server", Setting.ServerDll], patience: s_patience);
        log.WriteLine(smoke.Errors);
        log.WriteLine(smoke.Output);
        Assert.Contains($"{names.Length} of {names.Length} scenarios passed", smoke.Succeeded().Output, StringComparison.Ordinal);
        Assert.DoesNotContain(", 0 orders confirmed", smoke.Output, StringComparison.Ordinal);
    }
}
