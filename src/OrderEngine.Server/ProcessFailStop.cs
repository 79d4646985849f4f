// Rule 5: what cannot be trusted any more ends the process, at once. No handler, finalizer or graceful stop may run: it could answer.

using System.Runtime.InteropServices;
using OrderEngine.Engine;

namespace OrderEngine.Server;

/// <summary>Ends this process with an exit code and a line on standard error.</summary>
internal sealed class ProcessFailStop(ILogger<ProcessFailStop> logger) : IFailStop
{
    /// <inheritdoc/>
    public void Fail(int exitCode, string reason, Exception? cause)
    {
        ServerLog.FailStop(logger, exitCode, reason);
        // The log is written by a thread that may not get to run again; this line is written here and now.
        var detail = cause is null || cause.Message == reason ? "" : $" ({cause.GetType().Name}: {cause.Message})";
        Console.Error.WriteLine($"orderengine: exit {exitCode}: {reason}{detail}");
        Console.Error.Flush();
        if (!OperatingSystem.IsWindows()) ExitNow(exitCode);
        Environment.Exit(exitCode);
    }

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [DllImport("libc", EntryPoint = "_exit")]
    private static extern void ExitNow(int status);
}
