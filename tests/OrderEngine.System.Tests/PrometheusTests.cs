// A real Prometheus with our rules scrapes a real engine: it finds what the rules ask for, and an alert goes on when the engine dies and off
// when it is back.
using System.Net.Http;
using System.Text.Json;
using OrderEngine.System.Tests.Harness;

namespace OrderEngine.System.Tests;

public sealed class PrometheusTests(ITestOutputHelper log)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    [PrometheusFact]
    public async Task A_real_prometheus_scrapes_the_engine_and_raises_and_clears_an_alert()
    {
        await using var server = await Server.StartNewAsync(log);
        var folder = Path.Combine(server.Folder, "prometheus");
        Directory.CreateDirectory(folder);
        var deploy = Path.Combine(Setting.Root, "deploy");
        // The rules as they are, but that nothing must last before it counts.
        var rules = await File.ReadAllTextAsync(Path.Combine(deploy, "alerts.yml"));
        await File.WriteAllTextAsync(Path.Combine(folder, "alerts.yml"), global::System.Text.RegularExpressions.Regex.Replace(rules, "\n +for: [0-9]+m", ""));
        var settings = (await File.ReadAllTextAsync(Path.Combine(deploy, "prometheus.yml")))
            .Replace("127.0.0.1:9464", $"127.0.0.1:{server.MetricsPort}", StringComparison.Ordinal).Replace("interval: 15s", "interval: 1s", StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(folder, "prometheus.yml"), settings);
        var port = Server.FreePort();
        await using var prometheus = ChildProcess.Start("prometheus",
            [$"--config.file={folder}/prometheus.yml", $"--storage.tsdb.path={folder}/data", $"--web.listen-address=127.0.0.1:{port}"]);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

        await UntilAsync(async () => (await QueryAsync(http, "up{job=\"orderengine\"} == 1")) > 0);
        await UntilAsync(async () => (await QueryAsync(http, "orderengine_phase == 2")) > 0);
        Assert.Equal(0, await FiringAsync(http));
        await server.KillAsync();
        await UntilAsync(async () => (await FiringAsync(http)) > 0);
        await server.StartAsync();
        await UntilAsync(async () => (await FiringAsync(http)) == 0);

        async Task UntilAsync(Func<Task<bool>> holds)
        {
            using var timer = new PeriodicTimer(Poll);
            using var deadline = new CancellationTokenSource(Setting.Patience);
            while (!await holds())
            {
                Assert.False(prometheus.HasExited, prometheus.Describe());
                await timer.WaitForNextTickAsync(deadline.Token);
            }
        }
    }

    private static Task<int> FiringAsync(HttpClient http) => QueryAsync(http, "ALERTS{alertname=\"OrderEngineDown\",alertstate=\"firing\"}");

    // How many series answer; none while Prometheus itself starts.
    private static async Task<int> QueryAsync(HttpClient http, string query)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri($"/api/v1/query?query={Uri.EscapeDataString(query)}", UriKind.Relative));
            if (!answer.IsSuccessStatusCode) return 0;
            using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
            return document.RootElement.GetProperty("data").GetProperty("result").GetArrayLength();
        }
        catch (HttpRequestException)
        {
            return 0;
        }
    }
}

/// <summary>A test that runs Debian's Prometheus; in CI it always runs.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PrometheusFactAttribute : FactAttribute
{
    public PrometheusFactAttribute() => Skip = Setting.IsCi || File.Exists("/usr/bin/prometheus") ? null : "needs Prometheus (apt-get install prometheus)";
}
