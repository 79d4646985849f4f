// A small ext4 of its own on a loop device, whose power can fail. Needs root.

using System.Runtime.InteropServices;

namespace OrderEngine.Drills;

internal sealed class LoopDisk : IDisposable
{
    // _IOR('X', 125, __u32) and "do not flush the log": what has not been flushed is lost, as when the power fails.
    private const ulong Shutdown = 0x8004587D;
    private const uint NoLogFlush = 2;
    private const int ReadOnlyDirectory = 0x10000;
    private readonly string _folder = Directory.CreateTempSubdirectory("orderengine-disk-").FullName;
    private bool _mounted;

    public LoopDisk(int megabytes)
    {
        using (var image = new FileStream(Image, FileMode.CreateNew)) image.SetLength(megabytes * 1024L * 1024);
        Tools.Run("mkfs.ext4", "-q", "-F", Image);
        Directory.CreateDirectory(Root);
        Mount();
    }

    /// <summary>Where it is mounted.</summary>
    public string Root => Path.Combine(_folder, "mnt");

    public string Data => Path.Combine(Root, "data");

    private string Image => Path.Combine(_folder, "image");

    public void Mount()
    {
        Tools.Run("mount", "-o", "loop", Image, Root);
        _mounted = true;
    }

    public void Unmount()
    {
        if (_mounted) Tools.Run("umount", Root);
        _mounted = false;
    }

    public void CutPower()
    {
        var directory = Open(Root, ReadOnlyDirectory, 0);
        var how = NoLogFlush;
        var failed = directory < 0 || Control(directory, Shutdown, ref how) != 0;
        var error = Marshal.GetLastPInvokeErrorMessage();
        if (directory >= 0) _ = Close(directory);
        if (failed) throw new InvalidOperationException($"The shutdown of the file system failed: {error}");
    }

    /// <summary>The kernel gives up on the file system, as after an error of its own: read-only from now on.</summary>
    public void TurnReadOnly() => Tools.Run("mount", "-o", "remount,abort", Root);

    public void Dispose()
    {
        Unmount();
        Directory.Delete(_folder, recursive: true);
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, int mode);

    [DllImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Control(int descriptor, ulong request, ref uint argument);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}

/// <summary>A drill for root on Linux with the tools it names: skipped with a reason elsewhere, never in CI.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DrillFactAttribute : FactAttribute
{
    /// <param name="tools">What must be installed.</param>
    public DrillFactAttribute(params string[] tools)
    {
        if (Environment.GetEnvironmentVariable("CI") == "true") return;
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root") Skip = "needs root on Linux";
        else if (tools.FirstOrDefault(tool => !Tools.Has(tool)) is { } missing) Skip = $"needs {missing}";
        else if (tools.Contains("mkfs.ext4") && !File.Exists("/dev/loop-control")) Skip = "needs loop devices";
    }
}

internal static class Setting
{
    /// <summary>Rounds of a drill: few in every run, all of them with OE_DRILLS=full.</summary>
    public static int Rounds(int few, int full) => Environment.GetEnvironmentVariable("OE_DRILLS") == "full" ? full : few;

    /// <summary>OE_SEED repeats the drawn points of a run.</summary>
    public static int Seed { get; } = int.TryParse(Environment.GetEnvironmentVariable("OE_SEED"), out var seed) ? seed : Environment.TickCount & 0xFFFFFF;
}
