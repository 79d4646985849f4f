// The two threads that everybody waits for, the engine's writer and the journal's, run for some microseconds and then wait. Linux lets whoever runs
// finish its turn (up to 4 ms) before it wakes them, unless they ask for shorter turns than others (since Linux 6.12, sched_setattr(2): the runtime of
// a thread of the ordinary policy is the length of its turn). It takes nothing from others: a shorter turn comes sooner and ends sooner.

using System.Runtime.InteropServices;

namespace OrderEngine.Journal;

/// <summary>Short turns for the calling thread.</summary>
public static class PromptThread
{
    /// <summary>The shortest that Linux takes; nanoseconds.</summary>
    internal const ulong Turn = 100_000;

    /// <summary>Asks for short turns. A wish: older systems, and others than Linux, go on as before.</summary>
    /// <returns>False: it was not granted.</returns>
    public static bool AskFor()
    {
        if (!OperatingSystem.IsLinux() || Numbers is not { } call) return false;
        var attributes = default(Attributes);
        if (Get(call.Get, 0, ref attributes, (uint)Marshal.SizeOf<Attributes>(), 0) != 0) return false;
        attributes.Size = (uint)Marshal.SizeOf<Attributes>();
        attributes.Runtime = Turn;
        return Set(call.Set, 0, ref attributes, 0) == 0;
    }

    /// <summary>The length of the calling thread's turns, nanoseconds; 0: the system does not say.</summary>
    internal static ulong Asked()
    {
        var attributes = default(Attributes);
        return OperatingSystem.IsLinux() && Numbers is { } call && Get(call.Get, 0, ref attributes, (uint)Marshal.SizeOf<Attributes>(), 0) == 0 ? attributes.Runtime : 0;
    }

    // The C library has no functions for them.
    private static (nint Set, nint Get)? Numbers => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => (314, 315),
        Architecture.Arm64 => (274, 275),
        _ => null,
    };

    [DllImport("libc", EntryPoint = "syscall")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Get(nint number, int thread, ref Attributes attributes, uint size, uint flags);

    [DllImport("libc", EntryPoint = "syscall")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Set(nint number, int thread, ref Attributes attributes, uint flags);

    // struct sched_attr, first version.
    [StructLayout(LayoutKind.Sequential)]
    private struct Attributes
    {
        public uint Size;
        public uint Policy;
        public ulong Flags;
        public int Nice;
        public uint Priority;
        public ulong Runtime;
        public ulong Deadline;
        public ulong Period;
    }
}
