// Named bounds of the journal that no user needs to set.

namespace OrderEngine.Journal;

internal static class JournalLimits
{
    /// <summary>How long closing waits for FASTER and the writer's thread before it leaves them to the end of the process.</summary>
    public static readonly TimeSpan DisposeDeadline = TimeSpan.FromSeconds(2);

    /// <summary>The commit deadline is looked at this many times within its length.</summary>
    public const int DeadlineChecks = 10;
}
