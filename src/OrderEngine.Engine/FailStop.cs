// Rule 5: what cannot be trusted any more ends the process. Any thread.

namespace OrderEngine.Engine;

/// <summary>Ends the process. The engine calls it at most once and answers nothing afterwards.</summary>
public interface IFailStop
{
    /// <summary>Ends the process; need not return.</summary>
    /// <param name="exitCode">One of <see cref="ExitCodes"/>.</param>
    /// <param name="reason">A sentence for the operator.</param>
    /// <param name="cause">What was thrown, if anything.</param>
    void Fail(int exitCode, string reason, Exception? cause);
}

/// <summary>Every exit code of the server process, in one place. Above 64 as sysexits.h begins there, below 128 as shells use those for signals.</summary>
public static class ExitCodes
{
    /// <summary>A graceful stop.</summary>
    public const int Stopped = 0;
    /// <summary>The settings are wrong; the message says which.</summary>
    public const int BadSettings = 78;
    /// <summary>The journal cannot be opened or is damaged, or its events do not fit: refused to start.</summary>
    public const int RecoveryFailed = 80;
    /// <summary>A journal write failed.</summary>
    public const int JournalFailed = 81;
    /// <summary>A commit took longer than its deadline.</summary>
    public const int CommitDeadlinePassed = 82;
    /// <summary>Applying an event failed, or the state is one that must not be: a defect of the engine.</summary>
    public const int StateUntrusted = 83;
    /// <summary>Publishing what was committed failed: a defect of the engine.</summary>
    public const int PublicationFailed = 84;
}

/// <summary>Latches the first failure: logs it, closes the engine's doors, ends the process.</summary>
internal sealed class FailureLatch(IFailStop failStop, ILogger logger)
{
    private int _failed;
    private Action? _onFailed;

    /// <summary>True once anything has failed: nothing is decided, committed or answered any more.</summary>
    public bool HasFailed => Volatile.Read(ref _failed) != 0;

    /// <summary>What the engine does before the process ends: stops taking commands and wakes its threads so that they see it.</summary>
    public void OnFailed(Action action) => _onFailed = action;

    /// <summary>The first call counts; later ones are its consequences.</summary>
    public void Fail(int exitCode, string reason, Exception? cause)
    {
        if (Interlocked.Exchange(ref _failed, 1) != 0) return;
        EngineLog.Failed(logger, exitCode, reason, cause);
        _onFailed?.Invoke();
        failStop.Fail(exitCode, reason, cause);
    }
}
