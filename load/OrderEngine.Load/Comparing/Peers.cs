// What a user would run instead, on the same work: drives the scripts of the peers folder and reads their lines.

using System.Diagnostics;
using System.Globalization;

namespace OrderEngine.Load.Comparing;

/// <summary>One line of the scripts: peer, variant, clients, orders a second, p50, p99.</summary>
public sealed record PeerLine(string Peer, string Variant, int Clients, double OrdersPerSecond, double P50Ms, double P99Ms)
{
    /// <summary>Reads a line; null for anything else that the scripts print (headings, notes).</summary>
    public static PeerLine? Parse(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        var fields = line.Split('\t');
        if (fields.Length != 6 || fields[0].StartsWith('#')) return null;
        return int.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out var clients)
            && Number(fields[3], out var rate) && Number(fields[4], out var p50) && Number(fields[5], out var p99)
            ? new PeerLine(fields[0], fields[1], clients, rate, p50, p99)
            : null;
    }

    private static bool Number(string text, out double value) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
}

/// <summary>Drives the peers.</summary>
public static class Peers
{
    private const string PostgresRoot = "/usr/lib/postgresql";

    private static readonly string[] PostgresTools = ["initdb", "pg_ctl", "pgbench"];
    private static readonly string[] RedisTools = ["redis-server", "redis-benchmark", "redis-cli"];

    /// <summary>Where the scripts are looked for: --folder, then shared/peers beside the repository.</summary>
    public static string? FindFolder(string? given)
    {
        if (given is not null) return File.Exists(Path.Combine(given, "peers.sh")) ? Path.GetFullPath(given) : null;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var beside = Path.Combine(folder.FullName, "shared", "peers");
            if (File.Exists(Path.Combine(beside, "peers.sh"))) return beside;
        }
        return null;
    }

    /// <summary>What stands in the way of each group here, with what to install; empty: nothing.</summary>
    public static IReadOnlyList<string> Missing(string group) =>
        Missing(group, Environment.GetEnvironmentVariable("PATH") ?? "", Environment.GetEnvironmentVariable("PGBIN"), PostgresRoot);

    internal static IReadOnlyList<string> Missing(string group, string path, string? postgresBinaries, string postgresRoot)
    {
        var folders = path.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        bool OnPath(string tool) => folders.Any(folder => File.Exists(Path.Combine(folder, tool)));
        var missing = new List<string>();
        if (group is "pg" or "reads")
        {
            // As the scripts look: PGBIN, else Debian's folder of a version.
            var places = postgresBinaries is { } named ? [named]
                : Directory.Exists(postgresRoot) ? Directory.EnumerateDirectories(postgresRoot).Select(version => Path.Combine(version, "bin")) : [];
            if (!places.Any(place => PostgresTools.All(tool => File.Exists(Path.Combine(place, tool)))))
                missing.Add($"PostgreSQL ({string.Join(", ", PostgresTools)}) is not installed: apt-get install postgresql-15, or name the folder of its programs in PGBIN");
            if (!OnPath("psql")) missing.Add("psql is not installed: apt-get install postgresql-client-15");
        }
        // The scripts measure Redis along with PostgreSQL's reads.
        if (group is "redis" or "reads")
            missing.AddRange(RedisTools.Where(tool => !OnPath(tool)).Select(tool => $"{tool} is not installed: apt-get install redis-server redis-tools"));
        return missing;
    }

    /// <summary>Runs the scripts once for <paramref name="ask"/>, telling each line as it comes. Only what is durable before the answer is asked for.</summary>
    /// <exception cref="InvalidOperationException">The script failed, or a peer answered nothing; the message holds what it wrote.</exception>
    public static async Task<IReadOnlyList<PeerLine>> RunAsync(string folder, PeerAsk ask, int seconds, int rounds, string dataRoot,
        Action<PeerLine> tell, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ask);
        ArgumentNullException.ThrowIfNull(tell);
        var scratch = Path.Combine(Path.GetFullPath(dataRoot), $"orderengine-peers-{Guid.NewGuid():N}");
        Directory.CreateDirectory(scratch);
        // In a group of its own, so that the script and what it runs can be asked to end together; it then stops the servers, which are in none of ours.
        var grouped = OperatingSystem.IsLinux();
        var start = new ProcessStartInfo(grouped ? "setsid" : "bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        if (grouped) start.ArgumentList.Add("bash");
        start.ArgumentList.Add(Path.Combine(folder, "peers.sh"));
        start.ArgumentList.Add(ask.Group);
        foreach (var (name, value) in Narrowed(ask, seconds, rounds, scratch)) start.Environment[name] = value;
        var lines = new List<PeerLine>();
        try
        {
            using var process = Process.Start(start) ?? throw new InvalidOperationException("bash did not start");
            var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
            try
            {
                while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
                {
                    if (PeerLine.Parse(line) is not { } peer) continue;
                    lines.Add(peer);
                    tell(peer);
                }
                await process.WaitForExitAsync(cancellationToken);
            }
            finally
            {
                await Signals.EndAsync(process, grouped);
            }
            var wrote = (await errors).Trim();
            if (process.ExitCode != 0) throw new InvalidOperationException($"peers.sh {ask.Group} ended with {process.ExitCode}: {wrote}");
            // The scripts print a rate of 0 where the peer's own tool failed.
            if (lines.Find(l => l.OrdersPerSecond <= 0) is { } dead)
                throw new InvalidOperationException($"peers.sh {ask.Group}: {dead.Peer}, {dead.Variant}, {dead.Clients} clients answered nothing: {wrote}");
            return lines;
        }
        finally
        {
            if (Directory.Exists(scratch)) Directory.Delete(scratch, recursive: true);
        }
    }

    private static IEnumerable<(string Name, string Value)> Narrowed(PeerAsk ask, int seconds, int rounds, string scratch)
    {
        static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
        return
        [
            ("SECONDS_PER_RUN", Text(seconds)), ("ROUNDS", Text(rounds)), ("CLIENTS", ask.Clients), ("VARIANTS", ask.Variants), ("REDIS_FSYNC", "always"),
            // Ports that nobody has: the scripts would measure whatever answers on theirs.
            ("PGPORT_PEER", Text(ServerProcess.FreePort())), ("REDISPORT_PEER", Text(ServerProcess.FreePort())),
            ("SCRATCH", scratch), ("TMPDIR", scratch),
        ];
    }
}
