// CPU and memory of a process of this machine, from /proc, four times a second.

using System.Diagnostics;
using System.Globalization;

namespace OrderEngine.Load.Measuring;

/// <summary>One look at a process.</summary>
/// <param name="At">By the run's clock.</param>
/// <param name="CpuSeconds">User and system time since it began.</param>
/// <param name="ResidentBytes">Memory in use.</param>
public readonly record struct ProcessSample(long At, double CpuSeconds, long ResidentBytes);

/// <summary>A process over a stretch of time.</summary>
/// <param name="CpuCores">Cores kept busy on average.</param>
/// <param name="ResidentBytesFirst">At its start.</param>
/// <param name="ResidentBytesLast">At its end.</param>
/// <param name="ResidentBytesPeak">At most.</param>
public sealed record ProcessFigures(double CpuCores, long ResidentBytesFirst, long ResidentBytesLast, long ResidentBytesPeak);

/// <summary>Samples one process until disposed. Its own thread; samples are read by any.</summary>
public sealed class ProcessSampler : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    // USER_HZ is 100 on every Linux that .NET runs on.
    private const double TicksPerSecond = 100;

    private static readonly string[] Tables = ["/proc/net/tcp", "/proc/net/tcp6"];

    private readonly List<ProcessSample> _samples = [];
    private readonly Timer _timer;
    private readonly ILoadClock _clock;
    private readonly int _pid;

    public ProcessSampler(int pid, ILoadClock clock)
    {
        _pid = pid;
        _clock = clock;
        _timer = new Timer(_ => Sample(), null, TimeSpan.Zero, Interval);
    }

    public int Pid => _pid;

    public IReadOnlyList<ProcessSample> Samples
    {
        get
        {
            lock (_samples) return [.. _samples];
        }
    }

    /// <summary>Takes a sample now.</summary>
    public void Sample()
    {
        lock (_samples)
        {
            if (Read(_pid, _clock.Now) is { } sample) _samples.Add(sample);
        }
    }

    /// <summary>What the process used between two moments, from the samples around them; null when it was not seen at both.</summary>
    public ProcessFigures? Between(long start, long end) => Between(Samples, start, end);

    internal static ProcessFigures? Between(IReadOnlyList<ProcessSample> samples, long start, long end)
    {
        if (end <= start || At(samples, start) is not { } first || At(samples, end) is not { } last) return null;
        var peak = samples.Where(s => s.At > start && s.At < end).Select(s => s.ResidentBytes).Append(first.ResidentBytes).Append(last.ResidentBytes).Max();
        return new ProcessFigures((last.CpuSeconds - first.CpuSeconds) / ((end - start) / 1e9), first.ResidentBytes, last.ResidentBytes, peak);
    }

    // On the straight line between the two samples around the moment: a phase rarely begins with a sample.
    private static ProcessSample? At(IReadOnlyList<ProcessSample> samples, long moment)
    {
        for (var i = 1; i < samples.Count; i++)
        {
            var (before, after) = (samples[i - 1], samples[i]);
            if (moment < before.At || moment > after.At || after.At == before.At) continue;
            var part = (double)(moment - before.At) / (after.At - before.At);
            return new ProcessSample(moment, before.CpuSeconds + part * (after.CpuSeconds - before.CpuSeconds),
                before.ResidentBytes + (long)(part * (after.ResidentBytes - before.ResidentBytes)));
        }
        return null;
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>Reads a process; null when it is gone or this is not Linux.</summary>
    public static ProcessSample? Read(int pid, long at)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            // The second field, the name in brackets, may hold spaces; what is wanted stands after it: user and system ticks are fields 14 and 15.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            var ticks = double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture);
            var pages = long.Parse(fields[21], CultureInfo.InvariantCulture);
            return new ProcessSample(at, ticks / TicksPerSecond, pages * Environment.SystemPageSize);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The process of this machine that listens on a port; null when there is none or it may not be seen.</summary>
    public static int? ListeningOn(int port)
    {
        if (!OperatingSystem.IsLinux()) return null;
        var inodes = Tables.Where(File.Exists).SelectMany(f => File.ReadLines(f).Skip(1))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            // Field 1 is the local address and port in hexadecimal, 3 the state (0A: listening), 9 the inode of the socket.
            .Where(f => f.Length > 9 && f[3] == "0A" && f[1].EndsWith(string.Create(CultureInfo.InvariantCulture, $":{port:X4}"), StringComparison.Ordinal))
            .Select(f => $"socket:[{f[9]}]").ToHashSet(StringComparer.Ordinal);
        if (inodes.Count == 0) return null;
        foreach (var process in Process.GetProcesses())
        {
            using (process)
            {
                if (Holds(process.Id, inodes)) return process.Id;
            }
        }
        return null;
    }

    private static bool Holds(int pid, HashSet<string> inodes)
    {
        try
        {
            return Directory.EnumerateFiles($"/proc/{pid}/fd").Any(fd => File.ResolveLinkTarget(fd, false) is { } target && inodes.Contains(Path.GetFileName(target.FullName)));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false; // Another user's process, or one that has just ended.
        }
    }
}
