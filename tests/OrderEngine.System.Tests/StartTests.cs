// What the server does when it cannot start: it says why, and what to do, and exits with the number that the table in ExitCodes gives.
using OrderEngine.System.Tests.Harness;

namespace OrderEngine.System.Tests;

public sealed class StartTests(ITestOutputHelper log)
{
    private const int BadSettings = 78;
    private const int RecoveryFailed = 80;

    [Theory]
    [InlineData("OrderEngine__MetricsPort", "70000", "OrderEngine:MetricsPort is '70000'")]
    [InlineData("OrderEngine__MetricsAddress", "everywhere", "OrderEngine:MetricsAddress is 'everywhere'")]
    [InlineData("OrderEngine__DataDirectory", " ", "OrderEngine:DataDirectory is empty")]
    [InlineData("OrderEngine__DataDirectry", "data", "OrderEngine:DataDirectry is not a setting")]
    public async Task A_wrong_setting_is_named(string name, string value, string problem)
    {
        var ended = await ChildProcess.RunAsync(Setting.Dotnet, ["exec", Setting.ServerDll, "--urls", "http://127.0.0.1:0"],
            new Dictionary<string, string?> { [name] = value });
        Assert.True(ended.ExitCode == BadSettings && ended.Errors.Contains(problem, StringComparison.Ordinal), ended.ToString());
    }

    [Fact]
    public async Task A_data_directory_has_one_engine_and_a_port_one_server()
    {
        await using var server = await Server.StartNewAsync(log);
        var second = await ChildProcess.RunAsync(Setting.Dotnet, ["exec", Setting.ServerDll, "--urls", "http://127.0.0.1:0"],
            new Dictionary<string, string?> { ["OrderEngine__DataDirectory"] = server.DataDirectory, ["OrderEngine__MetricsPort"] = "0", ["ASPNETCORE_ENVIRONMENT"] = "Development" });
        Assert.True(second.ExitCode == RecoveryFailed && (second.Output + second.Errors).Contains($"{server.ProcessId}", StringComparison.Ordinal), second.ToString());

        var samePort = await ChildProcess.RunAsync(Setting.Dotnet, ["exec", Setting.ServerDll, "--urls", server.Address],
            new Dictionary<string, string?> { ["OrderEngine__DataDirectory"] = server.DataDirectory + "2", ["OrderEngine__MetricsPort"] = "0", ["ASPNETCORE_ENVIRONMENT"] = "Development" });
        Assert.True(samePort.ExitCode == BadSettings && samePort.Errors.Contains("--urls", StringComparison.Ordinal), samePort.ToString());
        await server.StopAsync();
    }
}
