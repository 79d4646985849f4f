// What the process says to scripts.

namespace OrderEngine.Load;

/// <summary>Exit codes.</summary>
public static class ExitCodes
{
    /// <summary>Everything was measured and nothing was wrong.</summary>
    public const int Passed = 0;

    /// <summary>A threshold was not met.</summary>
    public const int ThresholdFailed = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>An acknowledged order is missing, doubled or altered, an invariant is violated, or a stream had a gap.</summary>
    public const int LedgerFailed = 3;

    /// <summary>It could not be run: no server, set-up refused, scripts missing.</summary>
    public const int CannotRun = 4;

    /// <summary>The worst of a run's findings.</summary>
    public static int Of(Running.RunResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        if (!result.LedgerPassed) return LedgerFailed;
        return result.ThresholdsPassed ? Passed : ThresholdFailed;
    }
}
