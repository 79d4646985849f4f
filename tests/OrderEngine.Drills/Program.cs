// The assembly as a process of its own:
//   work DIR FIRST     submits orders from number FIRST on until it is killed; prints "number sequence" for each acknowledged one
//   check DIR          reads such lines from its input, asks each order again and compares; prints what it found
// Exit codes: 0 all is well; 3 something acknowledged is missing or different; 80 the start was refused; else the engine's own.

namespace OrderEngine.Drills;

internal static class Program
{
    public const int Missing = 3;

    public static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["work", var directory, var first]:
                await new Shop(directory).WorkAsync(long.Parse(first, null), Console.OpenStandardOutput());
                return 0;
            case ["check", var directory]:
                var ledger = new Dictionary<long, long>();
                while (await Console.In.ReadLineAsync() is { } line) Ledgers.Enter(ledger, line);
                return await Shop.CheckAsync(directory, ledger, Console.Out);
            default:
                await Console.Error.WriteLineAsync("work DIR FIRST | check DIR");
                return 2;
        }
    }
}

internal static class Ledgers
{
    /// <summary>Enters a line "number sequence"; a line that a kill cut short does not count.</summary>
    /// <exception cref="InvalidDataException">The same order was acknowledged before, as another one.</exception>
    public static void Enter(Dictionary<long, long> ledger, string line)
    {
        if (line.Split(' ') is not [var first, var second, "."]) return;
        var (number, sequence) = (long.Parse(first, null), long.Parse(second, null));
        if (!ledger.TryAdd(number, sequence) && ledger[number] != sequence)
            throw new InvalidDataException($"Order {number} was acknowledged at {ledger[number]} and again at {sequence}.");
    }
}
