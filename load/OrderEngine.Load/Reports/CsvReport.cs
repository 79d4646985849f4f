// The report as CSV: one line for each step of each phase, for spreadsheets.

using System.Globalization;
using System.Text;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Reports;

/// <summary>CSV of results (RFC 4180, invariant numbers).</summary>
public static class CsvReport
{
    private const string Header = "scenario,phase,step,unit,seconds,items,refused,failed,itemsPerSecond,minMs,meanMs,p50Ms,p75Ms,p90Ms,p95Ms,p99Ms,p999Ms,maxMs,sendLagP99Ms,clientCores,serverCores,serverBytesPeak,passed";

    public static string Render(IEnumerable<RunResult> results)
    {
        ArgumentNullException.ThrowIfNull(results);
        var text = new StringBuilder(Header).Append("\r\n");
        foreach (var run in results)
        {
            foreach (var phase in run.Phases)
            {
                foreach (var step in phase.Steps) AppendLine(text, run, phase, step);
            }
        }
        return text.ToString();
    }

    private static void AppendLine(StringBuilder text, RunResult run, PhaseResult phase, StepResult step)
    {
        object?[] fields =
        [
            run.Scenario, phase.Phase, step.Step, run.Unit, phase.Seconds, step.Items, step.Refused, step.Failed,
            step == phase.Main ? phase.OrdersPerSecond : step.ItemsPerSecond,
            step.Latency.MinMs, step.Latency.MeanMs, step.Latency.P50Ms, step.Latency.P75Ms, step.Latency.P90Ms, step.Latency.P95Ms, step.Latency.P99Ms,
            step.Latency.P999Ms, step.Latency.MaxMs, phase.SendLag?.P99Ms, phase.Client?.CpuCores, phase.Server?.CpuCores, phase.Server?.ResidentBytesPeak,
            run.Passed ? "true" : "false",
        ];
        text.AppendJoin(',', fields.Select(Field)).Append("\r\n");
    }

    private static string Field(object? value)
    {
        var text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
