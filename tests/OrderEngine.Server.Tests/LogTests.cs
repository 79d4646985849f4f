// What is logged, and how that is changed while the server runs: by the rpc and by the settings file.

using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;
using OrderEngine.Server.Tests.Traces;

namespace OrderEngine.Server.Tests;

public sealed class LogTests
{
    [Fact]
    public async Task A_level_is_changed_while_the_server_runs_and_back()
    {
        var log = new Captured();
        await using var server = await TestServer.StartAsync(services => services.AddSingleton<ILoggerProvider>(new Provider(log)));
        Assert.Empty(log.Lines);
        await Shop.OpenAsync(server);
        await server.Admin.CreateCheckpointAsync(new CreateCheckpointRequest());
        Assert.Empty(log.Lines);

        var changed = await server.Admin.SetLogLevelAsync(new SetLogLevelRequest { Category = "OrderEngine", Level = LogThreshold.Information });
        Assert.Equal(new CategoryLevel { Category = "OrderEngine", Level = LogThreshold.Information }, Assert.Single(changed.Changed));
        Assert.Contains(log.Lines, line => line.Contains("OrderEngine is logged from Information on, by a caller without a credential", StringComparison.Ordinal));
        await Shop.OrderAsync(server);
        await server.Admin.CreateCheckpointAsync(new CreateCheckpointRequest());
        Assert.Contains(log.Lines, line => line.Contains("Snapshot at sequence", StringComparison.Ordinal));

        Assert.Empty((await server.Admin.SetLogLevelAsync(new SetLogLevelRequest { Category = "OrderEngine" })).Changed);
        var before = log.Lines.Count;
        await Shop.OrderAsync(server);
        await server.Admin.CreateCheckpointAsync(new CreateCheckpointRequest());
        Assert.Equal(before, log.Lines.Count);
    }

    [Fact]
    public void A_changed_settings_file_changes_levels_and_a_broken_one_nothing()
    {
        var folder = Directory.CreateTempSubdirectory("orderengine-levels-");
        var file = Path.Combine(folder.FullName, "appsettings.json");
        var written = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        Write("""{ "Logging": { "LogLevel": { "Default": "Warning", "OrderEngine": "Information" } } }""");
        using var levels = new LogLevels([file]);
        var configuration = new ConfigurationBuilder().AddJsonFile(file).Add(levels).Build();
        var log = new Captured();
        levels.Watch(new ManualTime(), log);
        levels.Reload();
        Assert.Empty(levels.Changed);

        Write("""{ "Logging": { "LogLevel": { "Default": "Warning", "OrderEngine": "Debug" } }, "OrderEngine": { "MetricsPort": 1 }, "Kestrel": { "Endpoints": { "a": { "Url": "http://0.0.0.0:1" } } } }""");
        levels.Reload();
        Assert.Equal([("OrderEngine", LogLevel.Debug)], levels.Changed);
        Assert.Equal(("Debug", "Warning"), (configuration["Logging:LogLevel:OrderEngine"], configuration["Logging:LogLevel:Default"]));
        // Nothing else of the file is taken up: not a port, nor an address that nobody has checked.
        Assert.Null(configuration["OrderEngine:MetricsPort"]);
        Assert.Null(configuration["Kestrel:Endpoints:a:Url"]);
        Assert.Contains("OrderEngine is logged from Debug on, by the settings file", Assert.Single(log.Lines), StringComparison.Ordinal);

        Write("{ this is no JSON");
        levels.Reload();
        levels.Reload();
        Assert.Equal([("OrderEngine", LogLevel.Debug)], levels.Changed);
        Assert.Single(log.Lines, line => line.Contains("The log levels stay as they were", StringComparison.Ordinal));

        Write("""{ "Logging": { "LogLevel": { "Default": "Warning" } } }""");
        levels.Reload();
        Assert.Empty(levels.Changed);
        Assert.Equal("Information", configuration["Logging:LogLevel:OrderEngine"]);
        folder.Delete(recursive: true);

        void Write(string text)
        {
            File.WriteAllText(file, text);
            File.SetLastWriteTimeUtc(file, written = written.AddSeconds(1));
        }
    }

    [Fact]
    public void Nothing_logs_but_the_two_files_of_generated_messages()
    {
        var root = AppContext.BaseDirectory[..AppContext.BaseDirectory.IndexOf("/tests/", StringComparison.Ordinal)];
        var sources = Directory.EnumerateFiles(Path.Combine(root, "src"), "*.cs", SearchOption.AllDirectories).Where(file => !file.Contains("/obj/", StringComparison.Ordinal)).ToList();
        Assert.True(sources.Count > 100);
        var others = sources.Where(file => Path.GetFileName(file) is not ("ServerLog.cs" or "EngineLog.cs"))
            .Where(file => Regex.IsMatch(File.ReadAllText(file), @"\[LoggerMessage|\.Log(Trace|Debug|Information|Warning|Error|Critical)?\(")).ToList();
        Assert.Empty(others);
    }

    private sealed class Provider(ILogger log) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => log;

        public void Dispose() { }
    }
}
