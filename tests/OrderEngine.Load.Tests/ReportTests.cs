using System.Text.Json;
using System.Xml;
using OrderEngine.Load.Comparing;
using OrderEngine.Load.Model;
using OrderEngine.Load.Reports;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Tests;

public class ReportTests
{
    [Fact]
    public void Json_has_the_figures_by_their_documented_names_and_as_a_row()
    {
        var json = JsonDocument.Parse(JsonReport.Render(LoadRun.Judge(SampleResults.Run(), [Threshold.Parse("failed=0")]))).RootElement;
        Assert.Equal("submit-unary", json.GetProperty("scenario").GetString());
        Assert.Equal(500, json.GetProperty("ordersPerSecond").GetDouble());
        Assert.Equal(5, json.GetProperty("p50Ms").GetDouble(), tolerance: 0.01);
        Assert.Equal(9.9, json.GetProperty("p99Ms").GetDouble(), tolerance: 0.01);
        Assert.True(json.GetProperty("passed").GetBoolean());
        var row = json.GetProperty("rows")[0];
        foreach (var name in (string[])["scenario", "ordersPerSecond", "p50Ms", "p99Ms", "ceilingRatio"]) Assert.True(row.TryGetProperty(name, out _), name);
        Assert.Equal(1_000, json.GetProperty("ledger").GetProperty("confirmed").GetInt64());
        Assert.Equal(1, json.GetProperty("phases")[0].GetProperty("steps")[0].GetProperty("statuses").GetProperty("QUEUE_FULL").GetInt64());
    }

    [Fact]
    public void Csv_has_a_line_for_each_step_and_quotes_what_needs_it()
    {
        var run = SampleResults.Run();
        var lines = CsvReport.Render([run with { Scenario = "odd, \"name\"" }]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        Assert.StartsWith("\"odd, \"\"name\"\"\",keep-constant,submit-unary,orders,2,1000,1,0,500,", lines[1], StringComparison.Ordinal);
        Assert.Equal(lines[0].Split(',').Length, CsvReport.Render([run]).Split("\r\n")[1].Split(',').Length);
    }

    [Fact]
    public void Markdown_has_figures_load_machine_and_ledger()
    {
        var text = MarkdownReport.Render(SampleResults.Run());
        foreach (var part in (string[])["500 orders a second", "keep 64 copies", "Processor, 2 cores", "| keep-constant | submit-unary | 1,000 | 500 | 1 | 0 |", "1 x QUEUE_FULL", "1,000 confirmed", "| 1.25 | 100 to 110 MiB (120) | 0.25 |"])
            Assert.Contains(part, text, StringComparison.Ordinal);
    }

    [Fact]
    public void Html_stands_alone_and_is_well_formed()
    {
        var html = HtmlReport.Render([SampleResults.Run()]);
        foreach (var fetched in (string[])["<script", "src=", "href=", "@import", "url("]) Assert.DoesNotContain(fetched, html, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(5, html.Split("<svg").Length - 1);
        Assert.Contains("<b>500</b>orders a second", html, StringComparison.Ordinal);
        // The charts are XML by themselves, with every point inside the picture.
        foreach (var part in html.Split("<svg").Skip(1))
        {
            var svg = new XmlDocument();
            svg.LoadXml("<svg" + part[..part.IndexOf("</svg>", StringComparison.Ordinal)] + "</svg>");
            foreach (XmlElement line in svg.GetElementsByTagName("polyline"))
            {
                foreach (var point in line.GetAttribute("points").Split(' '))
                {
                    var (x, y) = (double.Parse(point.Split(',')[0]), double.Parse(point.Split(',')[1]));
                    Assert.InRange(x, 0, 720);
                    Assert.InRange(y, 0, 240);
                }
            }
        }
    }

    [Fact]
    public void Html_shows_text_as_text() =>
        Assert.Contains("a &lt;b&gt; &amp; c", HtmlReport.Render([SampleResults.Run("a <b> & c")]), StringComparison.Ordinal);

    [Fact]
    public void A_lost_order_stands_in_every_report_for_people()
    {
        var run = SampleResults.Run(missing: 1);
        foreach (var text in (string[])[MarkdownReport.Render(run), HtmlReport.Render([run])])
        {
            Assert.Contains("1 missing", text, StringComparison.Ordinal);
            Assert.Contains("x-7 was acknowledged and is not there", text, StringComparison.Ordinal);
            Assert.Contains("FAILED", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0.7, 1)]
    [InlineData(1.3, 2)]
    [InlineData(30, 50)]
    [InlineData(60, 100)]
    [InlineData(0, 1)]
    public void A_chart_counts_in_ones_twos_and_fives(double wish, double step) => Assert.Equal(step, SvgChart.NiceStep(wish), tolerance: 1e-9);

    [Fact]
    public void A_comparison_says_medians_and_the_median_of_the_rounds_ratios()
    {
        var engine = ((double[])[100, 300, 200]).Select(Rate).ToList();
        var ceiling = ((double[])[400, 400, 1_000]).Select(Rate).ToList();
        var row = Comparison.ToRow(engine, ceiling, []);
        Assert.Equal(200, row.OrdersPerSecond);
        Assert.Equal(400, row.CeilingOrdersPerSecond);
        Assert.Equal(0.25, row.CeilingRatio); // 0.25, 0.75 and 0.2: neighbours are compared, not medians.
        Assert.Null(Comparison.ToRow(engine, [], []).CeilingRatio);
        Assert.False(Comparison.ToRow([SampleResults.Run(missing: 1)], [], []).Passed);
    }

    [Fact]
    public void The_disks_flush_stands_beside_the_p99_in_every_report_and_is_a_figure_for_thresholds()
    {
        var flush = new LatencyFigures(600, 0.1, 0.1, 0.1, 0.1, 0.2, 0.2, 0.25, 0.5, 0.5);
        var run = SampleResults.Run() with { DiskFlush = flush };
        var times = run.P99Ms / 0.25;
        Assert.Equal(times, run.P99ToFlush!.Value, tolerance: 0.001);
        Assert.Equal(times, run.Figure("", "p99ToFlush")!.Value, tolerance: 0.001);
        foreach (var text in (string[])[MarkdownReport.Render(run), HtmlReport.Render([run])])
            Assert.Contains("Disk: write and flush of 4 KiB p50 0.1 ms, p99 0.25 ms, before and after the load. The p99 of keep-constant is 39.6 times the disk", text, StringComparison.Ordinal);
        // The median of the rounds' own: 39.6, 19.8 and 79.2.
        Assert.Equal(times, Comparison.ToRow([run, run with { DiskFlush = flush with { P99Ms = 0.5 } }, run with { DiskFlush = flush with { P99Ms = 0.125 } }], [], []).P99ToFlush!.Value, tolerance: 0.01);
        Assert.Null(SampleResults.Run().P99ToFlush);
        Assert.Null(Comparison.ToRow([run, SampleResults.Run()], [], []).P99ToFlush);
    }

    [Fact]
    public void A_peers_line_is_read_and_everything_else_is_not()
    {
        Assert.Equal(new PeerLine("pg-function", "uniform", 32, 5_120, 5.9, 12.25), PeerLine.Parse("pg-function\tuniform\t32\t5120\t5.9\t12.25"));
        Assert.Null(PeerLine.Parse("# peer\tvariant\tclients\torders/s\tp50 ms\tp99 ms"));
        Assert.Null(PeerLine.Parse("waiting for server to start"));
        Assert.Null(PeerLine.Parse("pg-function\tuniform\t32\t\t\t"));
    }

    private static RunResult Rate(double rate)
    {
        var run = SampleResults.Run();
        return run with { Phases = [run.Phases[0] with { OrdersPerSecond = rate }] };
    }
}
