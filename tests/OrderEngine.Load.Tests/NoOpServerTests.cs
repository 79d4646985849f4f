using System.Globalization;
using Microsoft.AspNetCore.Builder;
using OrderEngine.Load.Ledger;
using OrderEngine.Load.Measuring;
using OrderEngine.Load.NoOp;
using OrderEngine.Load.Running;
using OrderEngine.Load.Scenarios;

namespace OrderEngine.Load.Tests;

public class NoOpServerTests
{
    public static TheoryData<string> WithCeiling => [.. ScenarioCatalog.Names.Where(name => ScenarioCatalog.Create(name)!.HasCeiling)];

    [Theory]
    [MemberData(nameof(WithCeiling))]
    public async Task It_answers_everything_that_a_scenario_with_a_ceiling_asks(string name)
    {
        await using var app = NoOpServer.Build(0);
        await app.StartAsync();
        var scenario = ScenarioCatalog.Create(name)!;
        var settings = new RunSettings { Address = app.Urls.First(), During = TimeSpan.FromMilliseconds(1), WarmUp = TimeSpan.Zero };
        using var run = new RunContext(settings, ScenarioCatalog.Workload(name, "test", hot: false, Workload.DefaultSkus, backorders: 0), MachineClock.Instance) { ServerIsNoOp = true };
        Assert.Equal(LoadRun.NoOpVersion, (await SetUp.WaitUntilServingAsync(run.First, TimeSpan.FromSeconds(10), CancellationToken.None)).Version);
        await SetUp.PrepareAsync(run, CancellationToken.None);
        await scenario.InitAsync(run, CancellationToken.None);
        var phase = new PhaseRecorder("test", name, 0);
        for (var i = 0; i < 12; i++)
        {
            var response = await scenario.RunAsync(new Invocation(i, i, run.Clock.Now, run.Clock, phase, CancellationToken.None));
            Assert.True(response is { Items: > 0, Failed: 0, Refused: 0 }, response.Status);
        }
        Assert.Empty((await scenario.CleanAsync(run, CancellationToken.None)).Failures);
        Assert.NotEqual("", (await LedgerCheck.RunAsync(run, CancellationToken.None)).NotChecked);
    }

    [Theory]
    [InlineData("Composition.cs", "StreamWindowBytes", NoOpServer.StreamWindowBytes)]
    [InlineData("Composition.cs", "ConnectionWindowBytes", NoOpServer.ConnectionWindowBytes)]
    [InlineData("ServerLimits.cs", "MessageBytes", NoOpServer.MessageBytes)]
    [InlineData("ServerLimits.cs", "CallsPerConnection", NoOpServer.CallsPerConnection)]
    public void It_has_the_transport_settings_of_the_engines_server(string file, string name, int value)
    {
        var source = File.ReadAllText(Path.Combine(ServerSource(), file));
        var line = source.Split('\n').First(l => l.Contains($" {name} = ", StringComparison.Ordinal));
        var product = line[(line.IndexOf('=', StringComparison.Ordinal) + 1)..].Trim().TrimEnd(';').Split('*')
            .Aggregate(1, (sum, factor) => sum * int.Parse(factor.Trim(), CultureInfo.InvariantCulture));
        Assert.Equal(product, value);
    }

    [Fact]
    public void It_leaves_nothing_of_the_servers_transport_settings_out()
    {
        // Who may connect, and with how much, is the engine's own business: it changes nothing in what a call costs.
        string[] own =
        [
            "kestrel.ConfigureHttpsDefaults", "kestrel.ConfigureEndpointDefaults",
            "kestrel.Limits.MaxConcurrentConnections", "kestrel.Limits.MaxRequestHeadersTotalSize",
        ];
        string[] Settings(string path) => [.. File.ReadAllLines(path).Where(line => line.Contains(" kestrel.", StringComparison.Ordinal)).Select(Name).Except(own).Order(StringComparer.Ordinal)];
        static string Name(string line) => line[line.IndexOf("kestrel.", StringComparison.Ordinal)..].Split(['=', '('])[0].TrimEnd();
        var server = ServerSource();
        var noOp = Path.Combine(server, "..", "..", "load", "OrderEngine.Load", "NoOp", "NoOpServer.cs");
        Assert.Equal(Settings(Path.Combine(server, "Composition.cs")), Settings(noOp));
    }

    private static string ServerSource()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var source = Path.Combine(folder.FullName, "src", "OrderEngine.Server");
            if (Directory.Exists(source)) return source;
        }
        throw new DirectoryNotFoundException("src/OrderEngine.Server");
    }
}
