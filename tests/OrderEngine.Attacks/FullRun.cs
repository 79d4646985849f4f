// Attacks in earnest, several rounds, and what they cost a good client: the table of docs/ACCESS.md on standard output, progress on standard error. Rounds
// go over all attacks in turn, so that what the machine does beside it falls on all of them.

using System.Globalization;

namespace OrderEngine.Attacks;

/// <summary>How long a good client is measured by itself, and how long an attack lasts unless it says otherwise.</summary>
internal sealed record Times(TimeSpan Alone, TimeSpan Lasting)
{
    public static Times Full { get; } = new(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30));

    /// <summary>For the attacks of which a bound is promised: at 100 orders a second p99 is the twentieth worst of 2,000.</summary>
    public static Times Brief { get; } = new(TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(20));
}

internal static class FullRun
{
    private const long Mebibyte = 1024 * 1024;

    /// <summary>Runs the attacks; false when one of them broke a bound that is promised.</summary>
    public static async Task<bool> RunAsync(int rounds, IReadOnlyList<Attack> attacks, Times times)
    {
        var load = (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0];
        Console.WriteLine($"{Environment.ProcessorCount} processors, load {load} when it began; {rounds} rounds, {times.Lasting.TotalSeconds} s each; medians (least to most).");
        Console.WriteLine();
        Console.WriteLine("| attack | connections | p99 before, ms | during, ms | ratio | promised | longest as it ends, ms | goodput kept | answered, of orders | MiB before | most | open at most | the attacker |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        var trials = attacks.ToDictionary(attack => attack, _ => new List<Trial>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var attack in attacks)
            {
                // A server of its own: nobody pays for the attack before.
                await using var rig = await Rig.StartAsync(new Errors(), null, attack);
                var trial = await rig.TryAsync(attack, attack.Scale, times.Alone, attack.Takes ?? times.Lasting, polite: true);
                trials[attack].Add(trial);
                await Console.Error.WriteLineAsync($"{attack.Name} {round + 1}: {trial.Before.P99.TotalMilliseconds:F1} ms, {trial.During.P99.TotalMilliseconds:F1} ms, {trial.Ending.Worst.TotalMilliseconds:F0} ms as it ends, "
                    + $"{trial.During.Failures.Count + trial.Ending.Failures.Count} failed, {trial.MostConnections} connections; {trial.Attacker}");
            }
        }
        foreach (var attack in attacks) Console.WriteLine(Row(attack, trials[attack]));
        var broken = attacks.Where(attack => attack.Promise is { } promise && !promise.IsKept(Median(trials[attack], Ratio), Median(trials[attack], Goodput))).ToList();
        Console.WriteLine();
        Console.WriteLine(broken.Count == 0 ? "Every promised bound was kept." : $"Beyond what is promised: {string.Join(", ", broken.Select(attack => attack.Name))}.");
        return broken.Count == 0;
    }

    private static string Row(Attack attack, List<Trial> trials) =>
        $"| {attack.Name} | {attack.Scale} | {Spread(trials, t => t.Before.P99.TotalMilliseconds)} | {Spread(trials, t => t.During.P99.TotalMilliseconds)} | {Spread(trials, Ratio)} | "
        + $"{(attack.Promise is { } promise ? promise.ToString() : "")} | {Spread(trials, t => t.Ending.Worst.TotalMilliseconds, "F0")} | {Spread(trials, t => 100 * Goodput(t), "F0")} % | "
        + $"{trials.Sum(t => t.During.Calls - t.During.Failures.Count + t.Ending.Calls - t.Ending.Failures.Count)} of {trials.Sum(t => t.During.Calls + t.Ending.Calls)} | {Spread(trials, t => t.MemoryBefore / Mebibyte, "F0")} | "
        + $"{Spread(trials, t => t.MemoryPeak / Mebibyte, "F0")} | {trials.Max(t => t.MostConnections)} | {trials[^1].Attacker} |";

    private static double Ratio(Trial trial) => trial.During.P99 / trial.Before.P99;

    private static double Goodput(Trial trial) => trial.During.PerSecond / trial.Before.PerSecond;

    private static double Median(List<Trial> trials, Func<Trial, double> of) => trials.Select(of).Order().ElementAt(trials.Count / 2);

    private static string Spread(List<Trial> trials, Func<Trial, double> of, string format = "F1")
    {
        var values = trials.Select(of).Order().Select(value => value.ToString(format, CultureInfo.InvariantCulture)).ToList();
        return $"{values[values.Count / 2]} ({values[0]} to {values[^1]})";
    }

    private sealed class Errors : ITestOutputHelper
    {
        public void WriteLine(string message) => Console.Error.WriteLine(message);

        public void WriteLine(string format, params object[] args) => Console.Error.WriteLine(format, args);
    }
}
