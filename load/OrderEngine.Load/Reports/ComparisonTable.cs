// A comparison as a Markdown table.

using System.Globalization;
using System.Text;
using OrderEngine.Load.Comparing;

namespace OrderEngine.Load.Reports;

/// <summary>Markdown of a comparison.</summary>
public static class ComparisonTable
{
    public static string Render(ComparisonResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var text = new StringBuilder();
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Line($"{result.Started:yyyy-MM-dd HH:mm} UTC; {result.Machine.Cpu}, {result.Machine.Cores} cores shared by client and server; {result.Machine.Runtime}; median of {result.RoundCount} rounds of {result.Seconds:0.#} s, in brackets the lowest and the highest.");
        Line($"Disk: write and flush of 4 KiB p50 {string.Join(", ", result.DiskFlush.Select(d => d.P50Ms.ToString("0.##", CultureInfo.InvariantCulture)))} ms, p99 {string.Join(", ", result.DiskFlush.Select(d => d.P99Ms.ToString("0.##", CultureInfo.InvariantCulture)))} ms (each round).");
        Line($"");
        Line($"| scenario | a second | unit | p50 ms | p99 ms | ceiling a second | of the ceiling | ledger |");
        Line($"|---|---:|---|---:|---:|---:|---:|---|");
        foreach (var row in result.Rows)
        {
            var ceiling = row.CeilingOrdersPerSecond is { } rate ? rate.ToString("N0", CultureInfo.InvariantCulture) : "-";
            var ratio = row.CeilingRatio is { } part ? part.ToString("0.00", CultureInfo.InvariantCulture) : "-";
            Line($"| {row.Scenario} | {row.OrdersPerSecond:N0} ({row.Rounds.Min():N0} to {row.Rounds.Max():N0}) | {row.Unit} | {row.P50Ms:0.##} | {row.P99Ms:0.##} | {ceiling} | {ratio} | {(row.Passed ? "passed" : "FAILED")} |");
        }
        if (result.Rows.Any(r => r.Peers.Count > 0))
        {
            Line($"");
            Line($"| scenario | peer | a second | engine / peer | its best was with |");
            Line($"|---|---|---:|---:|---|");
            foreach (var (row, peer) in result.Rows.SelectMany(r => r.Peers.Select(p => (r, p))))
                Line($"| {row.Scenario} | {peer.Name} | {peer.OrdersPerSecond:N0} ({peer.Rounds.Min(r => r.OrdersPerSecond):N0} to {peer.Rounds.Max(r => r.OrdersPerSecond):N0}) | {peer.Ratio:0.00} ({peer.RatioLowest:0.00} to {peer.RatioHighest:0.00}) | {string.Join("; ", peer.Rounds.Select(Shape).Distinct())} |");
        }
        foreach (var row in result.Rows.Where(r => r.P99ToFlush is not null)) Line($"\n{row.Scenario}: the p99 is {row.P99ToFlush:0.0} times the disk's p99 flush in the same run.");
        foreach (var error in result.Errors) Line($"\nNot measured: {error}");
        return text.ToString();
    }

    private static string Shape(PeerLine line) => string.Create(CultureInfo.InvariantCulture, $"{line.Variant}, {line.Clients} {(line.Clients == 1 ? "client" : "clients")}");

    /// <summary>A peer's line.</summary>
    public static string Peer(PeerLine line)
    {
        ArgumentNullException.ThrowIfNull(line);
        return string.Create(CultureInfo.InvariantCulture,
            $"{line.Peer,-26} {line.Variant,-12} {line.Clients,3} clients {line.OrdersPerSecond,10:N0} a second   p50 {line.P50Ms:0.###} ms   p99 {line.P99Ms:0.###} ms");
    }
}
