// Asking a process to end, as an operator would: it then stops what it started and tidies up.

using System.Diagnostics;
using System.Runtime.InteropServices;

namespace OrderEngine.Load.Comparing;

/// <summary>Ends processes that this program has started.</summary>
internal static class Signals
{
    private const int SigTerm = 15;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Asks the process, or the whole group that it leads, to end; kills it when it takes longer than 20 s. Returns when it has ended.</summary>
    public static async Task EndAsync(Process process, bool group)
    {
        if (process.HasExited) return;
        if (OperatingSystem.IsWindows() || kill(group ? -process.Id : process.Id, SigTerm) != 0) process.Kill(entireProcessTree: true);
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int kill(int pid, int signal);
}
