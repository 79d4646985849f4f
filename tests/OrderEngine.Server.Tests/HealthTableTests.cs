// Health over HTTP and over gRPC say the same, in every phase, and what docs/OPERATING.md says.

using Microsoft.Extensions.DependencyInjection;
using OrderEngine.Contracts.Grpc.Health.V1;
using OrderEngine.Contracts.V1;
using OrderEngine.Journal;
using OrderEngine.Server.Protocol;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed class HealthTableTests
{
    private const long Giga = 1024L * 1024 * 1024;
    private readonly ManualTime _time = new();
    private long _free = 100 * Giga;

    [Fact]
    public async Task Pages_and_services_say_what_the_table_says_in_every_phase()
    {
        using var go = new ManualResetEventSlim();
        await using var server = await TestServer.ListenAsync(services => services
            .AddSingleton<TimeProvider>(_time).AddSingleton<Func<DiskSpace>>(() => new DiskSpace(Volatile.Read(ref _free), 1_000 * Giga))
            .AddSingleton<OpenJournal>(_ => (directory, from, replay, progress) =>
            {
                progress.Report(new RecoveryProgress(500, 2_000, 7, 1));
                go.Wait(TestServer.HeldStart);
                return FasterJournal.Open(new JournalOptions { Directory = directory }, from, replay, progress);
            }));
        using var http = new HttpClient { BaseAddress = new Uri(server.MetricsAddress) };
        string page;
        do page = await http.GetStringAsync(new Uri("/healthz", UriKind.Relative));
        while (!page.Contains("\"recoveredBytes\":500,\"recoveryTotalBytes\":2000", StringComparison.Ordinal));
        await CheckAsync("RECOVERING");
        go.Set();
        await UntilAsync(EnginePhase.Serving);
        await CheckAsync("SERVING");
        Volatile.Write(ref _free, Giga - 1);
        _time.Advance(TimeSpan.FromSeconds(1));
        await UntilAsync(EnginePhase.LowDisk);
        await CheckAsync("LOW_DISK");

        async Task CheckAsync(string phase)
        {
            var row = Row(phase);
            string[] pages = ["/healthz", "/startupz", "/readyz"];
            foreach (var (path, expected) in pages.Zip(row))
            {
                using var answer = await http.GetAsync(new Uri(path, UriKind.Relative));
                Assert.True($"{(int)answer.StatusCode}" == expected, $"{phase}: {path} is {(int)answer.StatusCode}");
                Assert.Contains($"\"phase\":\"{phase}\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            }
            var statuses = (await server.Health.ListAsync(new HealthListRequest())).Statuses;
            Assert.Equal(Contract.Services.Count + 2, statuses.Count);
            foreach (var (service, status) in statuses)
            {
                var expected = service switch { HealthStatus.WholeServer => row[3], HealthStatus.Liveness => row[6], _ => Contract.ReadOnly.Contains(service) ? row[5] : row[4] };
                Assert.True(expected.Replace("_", "", StringComparison.Ordinal).Equals($"{status.Status}", StringComparison.OrdinalIgnoreCase), $"{phase}: {service} is {status.Status}");
            }
        }

        // Health is told beside the phase: the whole server's is what is watched.
        async Task UntilAsync(EnginePhase phase)
        {
            await server.WaitAsync(phase == EnginePhase.Serving ? HealthCheckResponse.Types.ServingStatus.Serving : HealthCheckResponse.Types.ServingStatus.NotServing);
            Assert.Equal(phase, (await server.StatusAsync()).Phase);
        }
    }

    private static string[] Row(string phase)
    {
        var root = AppContext.BaseDirectory[..AppContext.BaseDirectory.IndexOf("/tests/", StringComparison.Ordinal)];
        var line = File.ReadLines(Path.Combine(root, "docs", "OPERATING.md")).Single(line => line.StartsWith($"| {phase} |", StringComparison.Ordinal));
        return [.. line.Trim('|').Split('|').Skip(1).Select(cell => cell.Trim())];
    }
}
