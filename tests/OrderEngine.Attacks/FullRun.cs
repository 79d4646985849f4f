// Every attack in earnest, several rounds, and what it cost a good client: the table of docs/ACCESS.md on standard output, progress on standard error.

using System.Globalization;

namespace OrderEngine.Attacks;

internal static class FullRun
{
    private const long Mebibyte = 1024 * 1024;
    private static readonly TimeSpan Alone = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Lasting = TimeSpan.FromSeconds(30);

    public static async Task RunAsync(int rounds, IReadOnlyList<Attack> attacks)
    {
        var load = (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0];
        Console.WriteLine($"{Environment.ProcessorCount} processors, load {load} when it began; {rounds} rounds, {Lasting.TotalSeconds} s each; medians (least to most).");
        Console.WriteLine();
        Console.WriteLine("| attack | scale | p99 before, ms | during, ms | ratio | answered, of calls | MiB before | peak | the attacker |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
        foreach (var attack in attacks)
        {
            var trials = new List<Trial>();
            for (var round = 0; round < rounds; round++)
            {
                // A server of its own: nobody pays for the attack before.
                await using var rig = await Rig.StartAsync(new Errors());
                trials.Add(await rig.TryAsync(attack, attack.Scale, Alone, attack.Takes ?? Lasting, polite: true));
                await Console.Error.WriteLineAsync($"{attack.Name} {round + 1}: {trials[^1].Before.P99.TotalMilliseconds:F1} ms, {trials[^1].During.P99.TotalMilliseconds:F1} ms, {trials[^1].During.Failures.Count} failed");
            }
            var last = trials[^1];
            Console.WriteLine($"| {attack.Name} | {attack.Scale} | {Spread(trials, t => t.Before.P99.TotalMilliseconds)} | {Spread(trials, t => t.During.P99.TotalMilliseconds)} | "
                + $"{Spread(trials, t => t.During.P99 / t.Before.P99)} | {last.During.Calls - last.During.Failures.Count} of {last.During.Calls} | "
                + $"{Spread(trials, t => t.MemoryBefore / Mebibyte, "F0")} | {Spread(trials, t => t.MemoryPeak / Mebibyte, "F0")} | {last.Attacker} |");
        }
    }

    private static string Spread(List<Trial> trials, Func<Trial, double> of, string format = "F1")
    {
        var values = trials.Select(of).Order().ToList();
        return string.Create(CultureInfo.InvariantCulture, $"{values[values.Count / 2].ToString(format, CultureInfo.InvariantCulture)} ({values[0].ToString(format, CultureInfo.InvariantCulture)} to {values[^1].ToString(format, CultureInfo.InvariantCulture)})");
    }

    private sealed class Errors : ITestOutputHelper
    {
        public void WriteLine(string message) => Console.Error.WriteLine(message);

        public void WriteLine(string format, params object[] args) => Console.Error.WriteLine(format, args);
    }
}
