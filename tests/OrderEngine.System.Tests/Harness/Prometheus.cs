// Owns a real Prometheus with our rules on a server of a test. Its numbers are the rules' own but for time: nothing must last before it counts, and
// what is looked back on is seconds instead of minutes and hours. Closed orders are looked for once a minute, so the archive's alert looks back a little longer.
using System.Net.Http;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace OrderEngine.System.Tests.Harness;

internal sealed partial class Prometheus : IAsyncDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);
    private readonly ChildProcess _process;
    private readonly HttpClient _http;

    private Prometheus(ChildProcess process, int port)
    {
        _process = process;
        _http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
    }

    public static async Task<Prometheus> StartAsync(Server server)
    {
        var folder = Path.Combine(server.Folder, "prometheus");
        Directory.CreateDirectory(folder);
        var deploy = Path.Combine(Setting.Root, "deploy");
        var rules = await File.ReadAllTextAsync(Path.Combine(deploy, "alerts.yml"));
        rules = Lasting().Replace(rules, "");
        rules = Window().Replace(rules, "[10s]").Replace("3 * 3600", "5", StringComparison.Ordinal).Replace("> 100000", "> 1000", StringComparison.Ordinal);
        const string archive = "archive_failures_total[10s]) > 3";
        Assert.Contains(archive, rules, StringComparison.Ordinal);
        rules = rules.Replace(archive, "archive_failures_total[70s]) > 0", StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(folder, "alerts.yml"), rules);
        var settings = (await File.ReadAllTextAsync(Path.Combine(deploy, "prometheus.yml")))
            .Replace("127.0.0.1:9464", $"127.0.0.1:{server.MetricsPort}", StringComparison.Ordinal).Replace("interval: 15s", "interval: 500ms", StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(folder, "prometheus.yml"), settings);
        var port = Server.FreePort();
        var prometheus = new Prometheus(ChildProcess.Start("prometheus",
            [$"--config.file={folder}/prometheus.yml", $"--storage.tsdb.path={folder}/data", $"--web.listen-address=127.0.0.1:{port}", "--enable-feature=exemplar-storage"]), port);
        await prometheus.UntilAsync(async () => await prometheus.CountAsync("up{job=\"orderengine\"} == 1") > 0, "scrapes the engine");
        return prometheus;
    }

    /// <summary>How many series answer; none while Prometheus itself starts.</summary>
    public async Task<int> CountAsync(string query)
    {
        using var answer = await AskAsync($"/api/v1/query?query={Uri.EscapeDataString(query)}");
        return answer?.RootElement.GetProperty("data").GetProperty("result").GetArrayLength() ?? 0;
    }

    /// <summary>The traces that exemplars of a series name.</summary>
    public async Task<IReadOnlyList<string>> TracesAsync(string series)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        using var answer = await AskAsync($"/api/v1/query_exemplars?query={Uri.EscapeDataString(series)}&start={now - 3600}&end={now + 60}");
        if (answer is null) return [];
        return [.. answer.RootElement.GetProperty("data").EnumerateArray().SelectMany(one => one.GetProperty("exemplars").EnumerateArray())
            .Select(exemplar => exemplar.GetProperty("labels").GetProperty("trace_id").GetString()!)];
    }

    /// <summary>Waits until alerts fire, all of them.</summary>
    public Task UntilFiringAsync(params string[] alerts) =>
        UntilAsync(async () => await Task.WhenAll(alerts.Select(FiringAsync)) is var firing && firing.All(count => count > 0), $"fires {string.Join(", ", alerts)}");

    /// <summary>Waits until none of these alerts fires.</summary>
    public Task UntilQuietAsync(params string[] alerts) =>
        UntilAsync(async () => await Task.WhenAll(alerts.Select(FiringAsync)) is var firing && firing.All(count => count == 0), $"lets go of {string.Join(", ", alerts)}");

    public Task<int> FiringAsync(string alert) => CountAsync($"ALERTS{{alertname=\"{alert}\",alertstate=\"firing\"}}");

    public async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        using var timer = new PeriodicTimer(Poll);
        using var deadline = new CancellationTokenSource(Setting.Patience);
        while (!await holds())
        {
            Assert.False(_process.HasExited, _process.Describe());
            Assert.False(deadline.IsCancellationRequested, $"Prometheus never {what}; firing: {await FiringNowAsync()}");
            await timer.WaitForNextTickAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.DisposeAsync();
    }

    private async Task<string> FiringNowAsync()
    {
        using var answer = await AskAsync("/api/v1/query?query=ALERTS");
        return answer?.RootElement.GetProperty("data").GetRawText() ?? "";
    }

    private async Task<JsonDocument?> AskAsync(string path)
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri(path, UriKind.Relative));
            return answer.IsSuccessStatusCode ? JsonDocument.Parse(await answer.Content.ReadAsStringAsync()) : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    [GeneratedRegex("\n +for: [0-9]+m")]
    private static partial Regex Lasting();

    [GeneratedRegex(@"\[[0-9]+[mh]\]")]
    private static partial Regex Window();
}

/// <summary>A test that runs Debian's Prometheus and acts on the server as root, with strace; in CI it always runs.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PrometheusFactAttribute : FactAttribute
{
    public PrometheusFactAttribute()
    {
        if (Setting.IsCi) return;
        if (!File.Exists("/usr/bin/prometheus") || !File.Exists("/usr/bin/strace")) Skip = "needs Prometheus and strace (apt-get install prometheus strace)";
        else if (!Environment.IsPrivilegedProcess) Skip = "needs root, to fill a disk and to slow one down";
    }
}
