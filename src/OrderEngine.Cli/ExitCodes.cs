// Owns the exit codes of orderctl: scripts rely on them, so they never change their meaning.
namespace OrderEngine.Cli;

/// <summary>How a command ended, for the shell.</summary>
internal static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>The engine refused, or what was checked is not as it should be.</summary>
    public const int Failed = 1;

    /// <summary>The command line or a file given on it is wrong; nothing was sent.</summary>
    public const int Usage = 2;

    /// <summary>The engine cannot be reached, or is not ready; the same command may be given again.</summary>
    public const int Unavailable = 3;

    /// <summary>Interrupted (Ctrl-C).</summary>
    public const int Interrupted = 130;
}
