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
    private static readonly string[] RedisTools = ["redis-server", "redis-benchmark", "redis-cli"];

    /// <summary>Where the scripts are looked for: --peers, then beside the repository.</summary>
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
    public static IReadOnlyList<string> Missing(string group) => group switch
    {
        "pg" when PostgresBinary("pgbench") is null => ["PostgreSQL and pgbench are not installed: apt-get install postgresql-15"],
        "redis" => [.. RedisTools.Where(tool => OnPath(tool) is null)
            .Select(tool => $"{tool} is not installed: apt-get install redis-server redis-tools")],
        _ => [],
    };

    /// <summary>Runs pg-function and pg-batch100 (group pg) or redis-lua-fsync-always (group redis), telling each line as it comes.</summary>
    /// <exception cref="InvalidOperationException">The script failed; the message holds what it wrote.</exception>
    public static async Task<IReadOnlyList<PeerLine>> RunAsync(string folder, string group, int seconds, int rounds, string clients, string dataRoot,
        Action<PeerLine> tell, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tell);
        var scratch = Path.Combine(dataRoot, $"orderengine-peers-{Guid.NewGuid():N}");
        var start = new ProcessStartInfo("bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(folder, "peers.sh"));
        start.ArgumentList.Add(group);
        start.Environment["SECONDS_PER_RUN"] = seconds.ToString(CultureInfo.InvariantCulture);
        start.Environment["ROUNDS"] = rounds.ToString(CultureInfo.InvariantCulture);
        start.Environment["CLIENTS"] = clients;
        start.Environment["REDIS_FSYNC"] = "always";
        start.Environment["SCRATCH"] = scratch;
        var lines = new List<PeerLine>();
        try
        {
            using var process = Process.Start(start) ?? throw new InvalidOperationException("bash did not start");
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            using var stop = cancellationToken.Register(() => process.Kill(entireProcessTree: true));
            while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
            {
                if (PeerLine.Parse(line) is not { } peer) continue;
                lines.Add(peer);
                tell(peer);
            }
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode != 0) throw new InvalidOperationException($"peers.sh {group} ended with {process.ExitCode}: {(await errors).Trim()}");
            return lines;
        }
        finally
        {
            if (Directory.Exists(scratch)) Directory.Delete(scratch, recursive: true);
        }
    }

    private static string? PostgresBinary(string name)
    {
        const string root = "/usr/lib/postgresql";
        if (!Directory.Exists(root)) return OnPath(name);
        return Directory.EnumerateDirectories(root).Select(version => Path.Combine(version, "bin", name)).FirstOrDefault(File.Exists) ?? OnPath(name);
    }

    private static string? OnPath(string tool) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, tool)).FirstOrDefault(File.Exists);
}
