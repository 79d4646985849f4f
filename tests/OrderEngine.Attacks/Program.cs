// The assembly as a process of its own:
//   attack NAME PORT SCALE SECONDS plain|tls    attacks the server on that port of this machine; prints what came of it as one line of JSON.
//                                               The key it was given, if any, is in the variable OE_ATTACK_KEY.
//   full [ROUNDS [NAME...]]                     every attack (or these) in earnest, each beside a good client, and the table of docs/ACCESS.md
//   promised [ROUNDS [NAME...]]                 the attacks of which a bound is promised (or these), shorter; exit code 1 when one was broken

using System.Globalization;

namespace OrderEngine.Attacks;

internal static class Program
{
    public static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["attack", var name, var port, var scale, var seconds, var transport]:
                var counters = new Counters();
                if (transport == "plain") Frames.Scheme = "http";
                using (var until = new CancellationTokenSource(TimeSpan.FromSeconds(Number(seconds))))
                    await Attack.Named(name).Body(new Target(Number(port), transport == "tls", Environment.GetEnvironmentVariable("OE_ATTACK_KEY"), Number(scale)), counters, until.Token);
                Console.WriteLine(counters);
                return 0;
            case ["full", .. var rest]:
                return await FullRun.RunAsync(rest.Length > 0 ? Number(rest[0]) : 3, rest.Length > 1 ? [.. rest[1..].Select(Attack.Named)] : Attack.All, Times.Full) ? 0 : 1;
            case ["promised", .. var rest]:
                return await FullRun.RunAsync(rest.Length > 0 ? Number(rest[0]) : 2, rest.Length > 1 ? [.. rest[1..].Select(Attack.Named)] : [.. Attack.All.Where(attack => attack.Promise is not null)], Times.Brief) ? 0 : 1;
            default:
                await Console.Error.WriteLineAsync("attack NAME PORT SCALE SECONDS plain|tls | full [ROUNDS [NAME...]] | promised [ROUNDS [NAME...]]");
                return 2;
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
