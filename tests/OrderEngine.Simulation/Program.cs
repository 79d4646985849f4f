// The simulation by hand, as long as one likes:
//   dotnet run -c Release --project tests/OrderEngine.Simulation -- --first-seed 1 --seeds 100000
// Ends with 1 at the first broken promise, printing its seed and a shrunk history (--whole: as it was, at once); --trace prints the whole history of the
// first seed.

using System.Globalization;

namespace OrderEngine.Simulation;

internal static class Program
{
    // Much of a history is waiting for the one thread whose turn it is: more histories than cores keep the cores busy.
    private static readonly int s_threads = 4 * Environment.ProcessorCount;

    public static int Main(string[] arguments)
    {
        var first = Number(arguments, "--first-seed") ?? 1;
        var seeds = Number(arguments, "--seeds") ?? 1_000;
        if (arguments.Contains("--trace"))
        {
            var run = History.Run(first, keepTrace: true);
            Console.WriteLine(run.Text);
            Console.WriteLine(run.Message);
            return 0;
        }
        var totals = new Totals();
        var started = TimeProvider.System.GetTimestamp();
        if (Many(first, seeds, totals, arguments.Contains("--whole")) is { } failure)
        {
            Console.WriteLine(failure);
            return 1;
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{seeds} seeds from {first}: no promise broken, {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0} s"));
        Console.WriteLine(totals);
        return 0;
    }

    /// <summary>Runs seeds side by side; what to print about the first failure, or null.</summary>
    public static string? Many(ulong first, ulong seeds, Totals totals, bool whole = false)
    {
        string? failure = null;
        SideBySide(seeds, index =>
        {
            var seed = first + index;
            var result = History.Run(seed, totals);
            if (result.Broken is null) return true;
            // Each run of one that stands still takes a minute.
            var shrunk = whole || result.Broken == nameof(TimeoutException) ? result : History.Shrink(result);
            Interlocked.CompareExchange(ref failure, $"seed {seed}: {result.Message}\nrepeat: --first-seed {seed} --seeds 1\n" +
                $"shrunk from {result.Choices.Count} to {shrunk.Choices.Count} decisions:\n{shrunk.Text}", null);
            return false;
        });
        return failure;
    }

    /// <summary>Runs something for each number below <paramref name="count"/> until it says false, on threads of its own: they wait for walks, and FASTER wants the pool's.</summary>
    public static void SideBySide(ulong count, Func<ulong, bool> run)
    {
        var next = 0UL;
        var threads = Enumerable.Range(0, s_threads).Select(_ => new Thread(() =>
        {
            while (Interlocked.Increment(ref next) is var number && number <= count)
                if (!run(number - 1)) Interlocked.Add(ref next, count);
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
    }

    private static ulong? Number(string[] arguments, string name)
    {
        var at = Array.IndexOf(arguments, name);
        return at >= 0 && at + 1 < arguments.Length ? ulong.Parse(arguments[at + 1], CultureInfo.InvariantCulture) : null;
    }
}
