// The report as one HTML page: style and charts inside, nothing fetched, readable in light and dark and on paper.

using System.Globalization;
using System.Net;
using System.Text;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Reports;

/// <summary>HTML of results.</summary>
public static class HtmlReport
{
    private const string Style = """
        :root { color-scheme: light dark; --ink: #1c2330; --paper: #fff; --quiet: #667085; --line: #d7dce3; --a: #1f6feb; --b: #c2410c; --c: #15803d; --bad: #b42318; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --paper: #14171c; --quiet: #98a2b3; --line: #343a44; --a: #6ea8fe; --b: #fb923c; --c: #4ade80; --bad: #f97066; } }
        body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin-top: 2rem; } .quiet { color: var(--quiet); } .bad { color: var(--bad); font-weight: 600; }
        .figures { display: flex; flex-wrap: wrap; gap: 2rem; margin: 1rem 0; } .figures b { display: block; font-size: 1.6rem; font-variant-numeric: tabular-nums; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
        th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left; } figure { margin: 1rem 0; } svg { width: 100%; height: auto; }
        svg text { fill: var(--quiet); font: 11px system-ui, sans-serif; } svg .title { fill: var(--ink); font-size: 13px; font-weight: 600; } .end { text-anchor: end; } .mid { text-anchor: middle; }
        .grid { stroke: var(--line); } .line { fill: none; stroke-width: 2; stroke-linejoin: round; } .line.a { stroke: var(--a); } .line.b { stroke: var(--b); } .line.c { stroke: var(--c); }
        .dot.a, svg .legend.a { fill: var(--a); } .dot.b, svg .legend.b { fill: var(--b); } .dot.c, svg .legend.c { fill: var(--c); }
        """;

    public static string Render(IReadOnlyList<RunResult> runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        var html = new StringBuilder();
        html.Append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">")
            .Append("<title>OrderEngine load: ").Append(Text(string.Join(", ", runs.Select(r => r.Scenario)))).Append("</title><style>").Append(Style)
            .Append("</style></head><body>\n");
        foreach (var run in runs) AppendRun(html, run);
        return html.Append("</body></html>\n").ToString();
    }

    private static void AppendRun(StringBuilder html, RunResult run)
    {
        void Add(FormattableString text) => html.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Add($"<h1>{Text(run.Scenario)} <span class=\"{(run.Passed ? "quiet" : "bad")}\">{(run.Passed ? "passed" : "failed")}</span></h1>");
        Add($"<p>{Text(run.Description)}</p>");
        Add($"<div class=\"figures\"><div><b>{run.OrdersPerSecond:N0}</b>{Text(run.Unit)} a second</div><div><b>{run.P50Ms:0.###} ms</b>p50</div><div><b>{run.P99Ms:0.###} ms</b>p99</div><div><b>{run.MainFigures.Main.Refused:N0}</b>refused</div><div><b>{run.MainFigures.Main.Failed:N0}</b>failed</div></div>");
        Add($"<p class=\"quiet\">{run.Started:yyyy-MM-dd HH:mm:ss} UTC. {Text(run.Machine.Cpu)}, {run.Machine.Cores} cores, {run.Machine.MemoryGiB:0.#} GiB, {Text(run.Machine.Os)}, {Text(run.Machine.Runtime)}. {Text(run.Address)}</p>");
        Add($"<ul>{string.Concat(run.Load.Select(l => $"<li>{Text(l)}</li>"))}</ul>");
        AppendCharts(html, run);
        AppendSteps(Add, run);
        AppendResources(Add, run);
        Add($"<h2>Checks</h2><ul>");
        Add($"<li class=\"{(run.Ledger.Passed ? "" : "bad")}\">{Text(MarkdownReport.LedgerText(run))}</li>");
        foreach (var example in run.Ledger.Examples.Concat(run.Ledger.Violations).Concat(run.Failures)) Add($"<li class=\"bad\">{Text(example)}</li>");
        foreach (var t in run.Thresholds) Add($"<li class=\"{(t.Passed ? "" : "bad")}\">{Text(t.Threshold)}: {(t.Passed ? "passed" : "failed")} ({t.Value:0.###})</li>");
        foreach (var note in run.Notes) Add($"<li>{Text(note)}</li>");
        Add($"</ul>");
    }

    private static void AppendCharts(StringBuilder html, RunResult run)
    {
        // The phases one after another on one axis.
        var items = new List<(double, double)>();
        var notDone = new List<(double, double)>();
        var p50 = new List<(double, double)>();
        var p99 = new List<(double, double)>();
        double offset = 0;
        foreach (var phase in run.Phases)
        {
            // A second that the phase does not fill would look like a drop; what came after its end is in the table.
            foreach (var second in phase.Series.Where(s => s.Second + 1 <= phase.Seconds + 0.05 || phase.Seconds < 1))
            {
                var x = offset + second.Second + 0.5;
                items.Add((x, second.Items));
                notDone.Add((x, second.NotDone));
                p50.Add((x, second.P50Ms));
                p99.Add((x, second.P99Ms));
            }
            offset += phase.Seconds;
        }
        html.Append(SvgChart.Render($"{run.Unit} answered each second", "seconds", "", notDone.Exists(n => n.Item2 > 0)
            ? [new ChartLine("answered", "a", items), new ChartLine("refused or failed", "b", notDone)]
            : [new ChartLine("answered", "a", items)]));
        html.Append(SvgChart.Render("latency each second", "seconds", "ms", [new ChartLine("p50", "a", p50), new ChartLine("p99", "b", p99)]));
        // Nines on the axis: 1 is 90 %, 2 is 99 %, 3 is 99.9 %.
        html.Append(SvgChart.Render($"latency by percentile, phase {run.MainPhase}", "nines (1: 90 %, 2: 99 %, 3: 99.9 %, 4: 99.99 %)", "ms",
            [new ChartLine("latency", "a", [.. run.MainFigures.Curve.Where(c => c.Percent < 100).Select(c => (-Math.Log10(1 - c.Percent / 100), c.Ms))])]));
        html.Append(SvgChart.Render("processor time", "seconds", "cores",
        [
            new ChartLine("client", "a", [.. run.Resources.Where(r => r.ClientCores is not null).Select(r => (r.Second, r.ClientCores!.Value))]),
            new ChartLine("server", "b", [.. run.Resources.Where(r => r.ServerCores is not null).Select(r => (r.Second, r.ServerCores!.Value))]),
        ]));
        html.Append(SvgChart.Render("memory", "seconds", "MiB",
        [
            new ChartLine("client", "a", [.. run.Resources.Where(r => r.ClientBytes is not null).Select(r => (r.Second, r.ClientBytes!.Value / 1048576.0))]),
            new ChartLine("server", "b", [.. run.Resources.Where(r => r.ServerBytes is not null).Select(r => (r.Second, r.ServerBytes!.Value / 1048576.0))]),
        ]));
    }

    private static void AppendSteps(Action<FormattableString> add, RunResult run)
    {
        add($"<h2>Steps</h2><div class=\"scroll\"><table><tr><th>phase</th><th>step</th><th>{Text(run.Unit)}</th><th>a second</th><th>refused</th><th>failed</th><th>min</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>max ms</th></tr>");
        foreach (var phase in run.Phases)
        {
            foreach (var step in phase.Steps)
            {
                var rate = step == phase.Main ? phase.OrdersPerSecond : step.ItemsPerSecond;
                add($"<tr><td>{Text(phase.Phase)}</td><td>{Text(step.Step)}</td><td>{step.Items:N0}</td><td>{rate:N0}</td><td>{step.Refused:N0}</td><td>{step.Failed:N0}</td><td>{step.Latency.MinMs:0.###}</td><td>{step.Latency.P50Ms:0.###}</td><td>{step.Latency.P90Ms:0.###}</td><td>{step.Latency.P99Ms:0.###}</td><td>{step.Latency.P999Ms:0.###}</td><td>{step.Latency.MaxMs:0.###}</td></tr>");
            }
        }
        add($"</table></div>");
        foreach (var phase in run.Phases.Where(p => p.Main.Statuses.Count > 0))
            add($"<p>{Text(phase.Phase)}: {Text(string.Join(", ", phase.Main.Statuses.OrderByDescending(s => s.Value).Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Value:N0} x {s.Key}"))))}</p>");
    }

    private static void AppendResources(Action<FormattableString> add, RunResult run)
    {
        add($"<h2>Machine</h2><div class=\"scroll\"><table><tr><th>phase</th><th>seconds</th><th>client cores</th><th>server cores</th><th>server memory</th><th>send lag p99</th></tr>");
        foreach (var phase in run.Phases)
            add($"<tr><td>{Text(phase.Phase)}</td><td>{phase.Seconds:0.##}</td><td>{MarkdownReport.Cores(phase.Client)}</td><td>{MarkdownReport.Cores(phase.Server)}</td><td>{MarkdownReport.Memory(phase.Server)}</td><td>{(phase.SendLag is { } lag ? lag.P99Ms.ToString("0.### ms", CultureInfo.InvariantCulture) : "closed loop")}</td></tr>");
        add($"</table></div>");
        if (MarkdownReport.DiskText(run) is { } disk) add($"<p>{Text(disk)}</p>");
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
