// The report as Markdown, for issues and pages.

using System.Globalization;
using System.Text;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Reports;

/// <summary>Markdown of one result.</summary>
public static class MarkdownReport
{
    public static string Render(RunResult run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var text = new StringBuilder();
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

        Line($"# {run.Scenario}: {(run.Passed ? "passed" : "FAILED")}");
        Line($"{run.Description}");
        Line($"");
        Line($"{run.OrdersPerSecond:N0} {run.Unit} a second, p50 {run.P50Ms:0.###} ms, p99 {run.P99Ms:0.###} ms.");
        Line($"");
        Line($"{run.Started:yyyy-MM-dd HH:mm} UTC; {run.Machine.Cpu}, {run.Machine.Cores} cores, {run.Machine.MemoryGiB:0.#} GiB; {run.Machine.Os}; {run.Machine.Runtime}; client on the same machine unless the server is elsewhere ({run.Address}).");
        Line($"");
        foreach (var load in run.Load) Line($"- {load}");
        Line($"");
        Line($"| phase | step | {run.Unit} | a second | refused | failed | p50 ms | p95 ms | p99 ms | p99.9 ms | max ms |");
        Line($"|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        foreach (var phase in run.Phases)
        {
            foreach (var step in phase.Steps)
            {
                var rate = step == phase.Main ? phase.OrdersPerSecond : step.ItemsPerSecond;
                Line($"| {phase.Phase} | {step.Step} | {step.Items:N0} | {rate:N0} | {step.Refused:N0} | {step.Failed:N0} | {step.Latency.P50Ms:0.###} | {step.Latency.P95Ms:0.###} | {step.Latency.P99Ms:0.###} | {step.Latency.P999Ms:0.###} | {step.Latency.MaxMs:0.###} |");
            }
        }
        Line($"");
        Line($"| phase | client cores | server cores | server memory, first to last (peak) | send lag p99 ms |");
        Line($"|---|---:|---:|---|---:|");
        foreach (var phase in run.Phases)
        {
            Line($"| {phase.Phase} | {Cores(phase.Client)} | {Cores(phase.Server)} | {Memory(phase.Server)} | {(phase.SendLag is { } lag ? lag.P99Ms.ToString("0.###", CultureInfo.InvariantCulture) : "closed loop")} |");
        }
        if (DiskText(run) is { } disk) Line($"\n{disk}");
        AppendStatuses(run, Line);
        AppendLedger(run, Line);
        foreach (var threshold in run.Thresholds)
            Line($"- threshold `{threshold.Threshold}`: {(threshold.Passed ? "passed" : "FAILED")} ({(threshold.Value is { } value ? value.ToString("0.###", CultureInfo.InvariantCulture) : "no such figure")})");
        foreach (var note in run.Notes) Line($"- {note}");
        foreach (var failure in run.Failures) Line($"- FAILED: {failure}");
        return text.ToString();
    }

    internal static string Cores(Measuring.ProcessFigures? figures) => figures is null ? "not seen" : figures.CpuCores.ToString("0.00", CultureInfo.InvariantCulture);

    internal static string Memory(Measuring.ProcessFigures? figures)
    {
        static string MiB(long bytes) => (bytes / (1 << 20)).ToString("N0", CultureInfo.InvariantCulture);
        return figures is null ? "not seen" : $"{MiB(figures.ResidentBytesFirst)} to {MiB(figures.ResidentBytesLast)} MiB ({MiB(figures.ResidentBytesPeak)})";
    }

    /// <summary>The disk in a sentence; null when it was not timed.</summary>
    internal static string? DiskText(RunResult run) => run.DiskFlush is not { } flush ? null : string.Create(CultureInfo.InvariantCulture,
        $"Disk: write and flush of 4 KiB p50 {flush.P50Ms:0.###} ms, p99 {flush.P99Ms:0.###} ms, before and after the load. The p99 of {run.MainPhase} is {run.P99ToFlush:0.0} times the disk's.");

    /// <summary>The ledger in a sentence.</summary>
    internal static string LedgerText(RunResult run)
    {
        var ledger = run.Ledger;
        return ledger.NotChecked.Length > 0
            ? $"Ledger not checked: {ledger.NotChecked}."
            : string.Create(CultureInfo.InvariantCulture,
                $"Ledger {(ledger.Passed ? "passed" : "FAILED")}: {ledger.Acknowledged:N0} acknowledged, {ledger.Confirmed:N0} confirmed, {ledger.Missing:N0} missing, {ledger.Doubled:N0} doubled, {ledger.Altered:N0} altered, {ledger.RefusedButThere:N0} refused but there, {ledger.Unanswered:N0} there without an answer; {ledger.Violations.Count} violated invariants ({ledger.Mode.ToString().ToUpperInvariant()}, {ledger.Seconds:0.0} s).");
    }

    private static void AppendStatuses(RunResult run, Action<FormattableString> line)
    {
        line($"");
        foreach (var phase in run.Phases)
        {
            foreach (var (status, count) in phase.Main.Statuses.OrderByDescending(s => s.Value))
                line($"- {phase.Phase}: {count:N0} x {status}");
        }
    }

    private static void AppendLedger(RunResult run, Action<FormattableString> line)
    {
        line($"- {LedgerText(run)}");
        foreach (var example in run.Ledger.Examples) line($"  - {example}");
        foreach (var violation in run.Ledger.Violations) line($"  - invariant: {violation}");
    }
}
