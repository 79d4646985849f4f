// What those who run the engine read and load is true: the settings and exit codes of docs/OPERATING.md, the alerts and their runbooks, the
// metrics that alerts and dashboard ask for, the health pages.

using System.Diagnostics;
using System.Net;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using OrderEngine.Access;
using OrderEngine.Contracts.V1;
using OrderEngine.Engine;
using OrderEngine.Server.Tests.Access;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed partial class OperationsTests
{
    private static readonly string Root = FindRoot();
    private static readonly string Operating = File.ReadAllText(Path.Combine(Root, "docs", "OPERATING.md"));
    private static readonly string Alerts = File.ReadAllText(Path.Combine(Root, "deploy", "alerts.yml"));

    [Fact]
    public void The_table_of_settings_is_the_codes()
    {
        var empty = new ConfigurationBuilder().Build();
        Assert.True(ServerOptions.TryRead(empty, out var defaults, out _));
        // What is unknown is refused with a list of what is known.
        var wrong = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["OrderEngine:Nonsense"] = "1" }).Build();
        ServerOptions.TryRead(wrong, out _, out var problems);
        var known = problems.Single()[(problems.Single().IndexOf(" are ", StringComparison.Ordinal) + 5)..].TrimEnd('.').Split(", ");

        var rows = Rows("settings").ToDictionary(cells => cells[0].Trim('`'), cells => cells[1].Trim('`'));
        Assert.Equal(known.Order(), rows.Keys.Order());
        foreach (var (name, value) in rows)
            Assert.True(value == Default(defaults, name), $"{name}: the table says '{value}', the code '{Default(defaults, name)}'.");
    }

    [Fact]
    public void The_table_of_exit_codes_is_the_codes()
    {
        var codes = typeof(ExitCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => $"{field.GetRawConstantValue()}");
        Assert.Equal(codes.Order(), Rows("exits").Select(cells => cells[0]).Order());
    }

    [Fact]
    public void Every_alert_has_its_runbook_and_every_runbook_its_alert()
    {
        var alerts = AlertName().Matches(Alerts).Select(match => match.Groups[1].Value).ToList();
        Assert.NotEmpty(alerts);
        var runbooks = Regex.Matches(Operating, "^### (\\w+)$", RegexOptions.Multiline).Select(match => match.Groups[1].Value);
        Assert.Equal(alerts.Order(), runbooks.Order());
        Assert.All(alerts, alert => Assert.Contains($"runbook_url: docs/OPERATING.md#{alert.ToLowerInvariant()}\n", Alerts, StringComparison.Ordinal));
        var tests = File.ReadAllText(Path.Combine(Root, "deploy", "alerts.test.yml"));
        Assert.All(alerts, alert => Assert.Contains($"alertname: {alert}\n", tests, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Alerts_and_dashboard_ask_for_metrics_that_there_are()
    {
        using var certificates = new TestCertificates("localhost");
        var pem = Path.Combine(Directory.CreateTempSubdirectory("orderengine-metrics-").FullName, "server.pem");
        await File.WriteAllTextAsync(pem, certificates.ServerPem);
        await using var server = await TestServer.StartAsync(options: settings => settings with { TlsCertificate = pem });
        await Shop.OpenAsync(server);
        await Shop.OrderAsync(server);
        await Refusal.ExpectAsync(() => server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = "o-nowhere" }).ResponseAsync);
        server.Use("wrong");
        await Refusal.ExpectAsync(() => server.StatusAsync());
        using var http = new HttpClient();
        var page = await http.GetStringAsync(new Uri(server.MetricsAddress));

        var asked = MetricName().Matches(Alerts + await File.ReadAllTextAsync(Path.Combine(Root, "deploy", "grafana-dashboard.json"))).Select(match => match.Value).Distinct();
        var missing = asked.Where(name => !Regex.IsMatch(page, $"^{name}[ {{]", RegexOptions.Multiline)).ToList();
        Assert.Empty(missing);
        await CheckWithPromtoolAsync(page);
    }

    [Fact]
    public async Task Health_pages_say_ready_only_while_changes_are_taken()
    {
        await using var server = await TestServer.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(server.MetricsAddress) };
        foreach (var page in new[] { "/healthz", "/readyz", "/startupz" })
        {
            using var answer = await http.GetAsync(new Uri(page, UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Contains("\"phase\":\"SERVING\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Status_names_the_readers_that_are_behind()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var watcher = new TrackingService.TrackingServiceClient(keyed.As(keyed.Create("slowpoke", null, Scopes.Track)));
        using (var watch = watcher.WatchOrders(new WatchOrdersRequest()))
        {
            Assert.True(await watch.ResponseStream.MoveNext(default));
            // More than what lies in the buffers of a connection that nobody reads.
            for (var bulk = 0; bulk < 6; bulk++)
            {
                var orders = new BulkSubmitOrdersRequest();
                for (var i = 0; i < 500; i++) orders.Requests.Add(Shop.Submit());
                await keyed.Server.Orders.BulkSubmitOrdersAsync(orders);
            }
            var behind = Assert.Single((await keyed.Server.StatusAsync()).SlowestSubscribers);
            Assert.Equal(("WatchOrders", "slowpoke"), (behind.Rpc, behind.Client));
            Assert.InRange(behind.Events, 1, 3_000);
        }
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while ((await keyed.Server.StatusAsync()).SlowestSubscribers.Count > 0) patience.Token.ThrowIfCancellationRequested();
    }

    [PromtoolFact]
    public async Task The_rules_are_sound_and_every_alert_goes_on_and_off()
    {
        await RunAsync("promtool", ["check", "rules", "alerts.yml"], "");
        await RunAsync("promtool", ["test", "rules", "alerts.test.yml"], "");
        await RunAsync("promtool", ["check", "config", "--syntax-only", "prometheus.yml"], "");
    }

    private static async Task CheckWithPromtoolAsync(string page)
    {
        if (PromtoolFactAttribute.IsThere) await RunAsync("promtool", ["check", "metrics"], page);
    }

    private static async Task RunAsync(string program, string[] arguments, string input)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Path.Combine(Root, "deploy"), RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {string.Join('\n', await said)}");
    }

    private static IEnumerable<string[]> Rows(string table)
    {
        var begin = Operating.IndexOf($"<!-- {table}:begin -->", StringComparison.Ordinal);
        var end = Operating.IndexOf($"<!-- {table}:end -->", StringComparison.Ordinal);
        return Operating[begin..end].Split('\n').Where(line => line.StartsWith('|')).Skip(2)
            .Select(line => line.Trim('|').Split('|').Select(cell => cell.Trim()).ToArray());
    }

    private static string Default(ServerOptions options, string name)
    {
        if (name == "ArchiveAfterDays") return $"{options.Engine.ArchiveAfter.TotalDays}";
        if (name == "SnapshotIntervalSeconds") return $"{options.Engine.SnapshotInterval.TotalSeconds}";
        var owner = typeof(ServerOptions).GetProperty(name) is null ? (object)options.Engine : options;
        var value = owner.GetType().GetProperty(name)!.GetValue(owner);
        return value is null || value.Equals(Weakenings.None) ? "" : $"{value}";
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "OrderEngine.sln"))) folder = folder.Parent;
        return folder.FullName;
    }

    [GeneratedRegex("- alert: (\\w+)")]
    private static partial Regex AlertName();

    [GeneratedRegex("\\b(orderengine|http|dotnet)_[a-z_]+")]
    private static partial Regex MetricName();
}

/// <summary>A test that needs Prometheus' promtool (Debian: prometheus). Without it skipped, in CI failed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PromtoolFactAttribute : FactAttribute
{
    public PromtoolFactAttribute()
    {
        if (!IsThere && Environment.GetEnvironmentVariable("CI") != "true") Skip = "needs promtool (apt-get install prometheus)";
    }

    internal static bool IsThere { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "promtool")));
}
