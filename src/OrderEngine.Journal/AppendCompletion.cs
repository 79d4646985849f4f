// The pooled completion of one append.

using System.Threading.Tasks.Sources;

namespace OrderEngine.Journal;

/// <param name="giveBack">Takes it back once it was looked at.</param>
/// <param name="isInline">True: who waits goes on on the thread that completes; otherwise, and with a failure, on the thread pool.</param>
internal sealed class AppendCompletion(Action<AppendCompletion> giveBack, bool isInline) : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> core = new() { RunContinuationsAsynchronously = !isInline };

    public long EndAddress { get; private set; }
    public long LastSequence { get; private set; }
    public uint Crc { get; private set; }
    public long StartedAt { get; private set; }

    public ValueTask Start(long endAddress, long lastSequence, uint crc, long startedAt)
    {
        (EndAddress, LastSequence, Crc, StartedAt) = (endAddress, lastSequence, crc, startedAt);
        return new ValueTask(this, core.Version);
    }

    public void Complete() => core.SetResult(true);

    // The last thing that is said of it: failures come from any thread, under the journal's lock.
    public void Fail(JournalException error)
    {
        core.RunContinuationsAsynchronously = true;
        core.SetException(error);
    }

    public void GetResult(short token)
    {
        try
        {
            core.GetResult(token);
        }
        finally
        {
            core.Reset();
            giveBack(this);
        }
    }

    public ValueTaskSourceStatus GetStatus(short token) => core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        core.OnCompleted(continuation, state, token, flags);
}
