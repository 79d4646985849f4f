// The simulation by hand, as long as one likes:
//   dotnet run -c Release --project tests/OrderEngine.Simulation -- --first-seed 1 --seeds 100000
// Ends with 1 at the first broken promise, printing its seed and a shrunk history; --trace prints the whole history of the first seed.

using System.Globalization;

namespace OrderEngine.Simulation;

internal static class Program
{
    // Much of a history is waiting for the one thread whose turn it is: more histories than cores keep the cores busy.
    private static readonly int Threads = 8 * Environment.ProcessorCount;

    public static int Main(string[] arguments)
    {
        var first = Number(arguments, "--first-seed") ?? 1;
        var seeds = Number(arguments, "--seeds") ?? 1_000;
        if (arguments.Contains("--trace"))
        {
            Console.WriteLine(History.Run(first, keepTrace: true).Text);
            return 0;
        }
        var totals = new Totals();
        var started = TimeProvider.System.GetTimestamp();
        if (Many(first, seeds, totals) is { } failure)
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
    public static string? Many(ulong first, ulong seeds, Totals totals)
    {
        string? failure = null;
        Parallel.For(0L, (long)seeds, new ParallelOptions { MaxDegreeOfParallelism = Threads }, (index, loop) =>
        {
            var seed = first + (ulong)index;
            var result = History.Run(seed, totals);
            if (result.Broken is null) return;
            loop.Stop();
            var shrunk = History.Shrink(result);
            Interlocked.CompareExchange(ref failure, $"seed {seed}: {result.Message}\nrepeat: --first-seed {seed} --seeds 1\nshrunk from {result.Choices.Count} to {shrunk.Choices.Count} decisions:\n{shrunk.Text}", null);
        });
        return failure;
    }

    private static ulong? Number(string[] arguments, string name)
    {
        var at = Array.IndexOf(arguments, name);
        return at >= 0 && at + 1 < arguments.Length ? ulong.Parse(arguments[at + 1], CultureInfo.InvariantCulture) : null;
    }
}
