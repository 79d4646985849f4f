// Metrics are text that Prometheus reads.

using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderEngine.Contracts.V1;
using OrderEngine.Journal;
using OrderEngine.Server.Mapping;
using OrderEngine.Server.Metrics;
using OrderEngine.Server.Tests.Kit;
using static OrderEngine.Core.Outcomes;
using Outcome = OrderEngine.Core.Outcome;
using Serving = OrderEngine.Contracts.Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace OrderEngine.Server.Tests;

public sealed class MetricsTextTests
{
    [Fact]
    public async Task Metrics_are_text_that_Prometheus_reads()
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        var request = Shop.Submit();
        for (var i = 0; i < 3; i++) await server.Orders.SubmitOrderAsync(request);
        for (var i = 0; i < 4; i++) await server.Orders.CheckFulfillabilityAsync(new CheckFulfillabilityRequest { Order = Shop.Draft() });
        using var http = new HttpClient();
        using var response = await http.GetAsync(server.MetricsAddress);
        var lines = (await response.Content.ReadAsStringAsync()).Split('\n');

        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        Assert.Equal("", lines[^1]);
        var types = new Dictionary<string, string>();
        foreach (var line in lines[..^1])
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal)) Assert.True(types.TryAdd(line.Split(' ')[2], line.Split(' ')[3]), line);
            if (line.StartsWith('#')) continue;
            Assert.Matches("""^[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.]+([eE][-+]?[0-9]+)?|[+-]Inf|NaN)$""", line);
        }
        Assert.Contains("orderengine_commands_total{kind=\"SubmitOrder\",outcome=\"Ok\"} 1", lines);
        Assert.Contains("orderengine_commands_total{kind=\"SubmitOrder\",outcome=\"Replayed\"} 2", lines);
        Assert.Contains("orderengine_commands_total{kind=\"SubmitOrder\",outcome=\"Checked\"} 4", lines);
        Assert.Contains("orderengine_orders 1", lines);
        Assert.Equal("histogram", types["orderengine_commit_duration_seconds"]);
        Assert.Equal("counter", types["orderengine_commands_total"]);
        Assert.Equal("gauge", types["orderengine_queue_length"]);
        Assert.Contains(lines, line => line.StartsWith("orderengine_commit_duration_seconds_bucket{le=\"+Inf\"}", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("http_server_request_duration_seconds_bucket{", StringComparison.Ordinal));
        Assert.Contains(types.Keys, name => name.StartsWith("dotnet_process_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_host_counts_its_own_calls_and_goes_on_counting_when_another_host_of_the_process_ends()
    {
        await using var server = await TestServer.StartAsync();
        using var http = new HttpClient();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await using (var other = await TestServer.StartAsync())
        {
            await Shop.OpenAsync(other);
            while (!await CountsAsync(other)) patience.Token.ThrowIfCancellationRequested();
            Assert.False(await CountsAsync(server));
        }
        await Shop.OpenAsync(server);
        // The duration of a call counts when all of it is over, a moment after its caller has the answer.
        while (!await CountsAsync(server)) patience.Token.ThrowIfCancellationRequested();

        async Task<bool> CountsAsync(TestServer of) => (await http.GetStringAsync(new Uri(of.MetricsAddress))).Split('\n')
            .Any(line => line.StartsWith("http_server_request_duration_seconds_count{", StringComparison.Ordinal) && line.Contains("/orderengine.v1.", StringComparison.Ordinal));
    }

    [Fact]
    public void A_family_that_comes_twice_stands_in_one_place_under_one_head()
    {
        var text = new PrometheusText();
        text.Family("a", "", "gauge");
        text.Sample("a", "port=\"1\"", 1);
        text.Family("b", "", "gauge");
        text.Sample("b", "", 2);
        text.Family("a", "", "gauge");
        text.Sample("a", "port=\"2\"", 3);
        Assert.Equal("# TYPE a gauge\na{port=\"1\"} 1\na{port=\"2\"} 3\n# TYPE b gauge\nb 2\n", text.ToString());
    }

    [Fact]
    public void Names_labels_and_numbers_are_written_as_Prometheus_has_them()
    {
        var text = new PrometheusText();
        text.Family("a_total", "Back\\slash\nand line", "counter");
        var labels = new System.Text.StringBuilder();
        PrometheusText.Label(labels, "http.route", "say \"hi\"\\\n");
        text.Sample("a_total", labels.ToString(), double.PositiveInfinity);

        Assert.Equal("# HELP a_total Back\\\\slash\\nand line\n# TYPE a_total counter\na_total{http_route=\"say \\\"hi\\\"\\\\\\n\"} +Inf\n", text.ToString());
        Assert.Equal("orderengine_batch_size_bytes", PrometheusText.Name("orderengine.batch.size", "By", isCounter: false));
        Assert.Equal("a_seconds_total", PrometheusText.Name("a", "s", isCounter: true));
        Assert.Equal("dotnet_timer", PrometheusText.Name("dotnet.timer.count", "{timer}", isCounter: false));
        Assert.Equal("_1_2", PrometheusText.Name("1-2", null, isCounter: false));
    }
}
