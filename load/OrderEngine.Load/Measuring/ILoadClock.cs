// The time of a run: a monotonic count of nanoseconds and a way to wait for a moment. Injected, so that tests run a schedule in virtual time.

using System.Diagnostics;
using System.Runtime.InteropServices;

namespace OrderEngine.Load.Measuring;

/// <summary>Monotonic time in nanoseconds since an arbitrary start.</summary>
public interface ILoadClock
{
    /// <summary>Now.</summary>
    long Now { get; }

    /// <summary>Blocks until <paramref name="moment"/>, or returns at once when it is past. Called by the arrival pump's own thread.</summary>
    void WaitUntil(long moment);

    /// <summary>The same without holding a thread; less exact.</summary>
    Task WaitUntilAsync(long moment, CancellationToken cancellationToken);
}

/// <summary>The machine's clock.</summary>
public sealed class MachineClock : ILoadClock
{
    public const long Second = 1_000_000_000;
    public const long Millisecond = 1_000_000;

    // Thread.Sleep rounds up to the millisecond or more; the system call is some 60 us late, and what lateness remains is inside the latency.
    private const long ShortestSleep = 20_000;

    public static readonly MachineClock Instance = new();

    public long Now => (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));

    public void WaitUntil(long moment)
    {
        for (var left = moment - Now; left > ShortestSleep; left = moment - Now)
        {
            if (OperatingSystem.IsLinux()) Sleep(left);
            else Thread.Sleep(TimeSpan.FromMilliseconds(Math.Max(1, left / Millisecond)));
        }
    }

    public async Task WaitUntilAsync(long moment, CancellationToken cancellationToken)
    {
        var left = moment - Now;
        if (left > 0) await Task.Delay(TimeSpan.FromTicks(left / 100), cancellationToken);
    }

    private static void Sleep(long nanos)
    {
        var request = new TimeSpec { Seconds = (nint)(nanos / Second), Nanos = (nint)(nanos % Second) };
        // Interrupted by a signal: the caller looks at the clock and sleeps again.
        _ = nanosleep(ref request, IntPtr.Zero);
    }

    [DllImport("libc", EntryPoint = "nanosleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int nanosleep(ref TimeSpec request, IntPtr remaining);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanos;
    }
}
