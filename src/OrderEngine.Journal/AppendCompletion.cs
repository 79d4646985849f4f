// The pooled completion of one append. Continuations run on the thread pool, never on the thread that completes.

using System.Threading.Tasks.Sources;

namespace OrderEngine.Journal;

internal sealed class AppendCompletion : IValueTaskSource
{
    private readonly Action<AppendCompletion> giveBack;
    private ManualResetValueTaskSourceCore<bool> core = new() { RunContinuationsAsynchronously = true };

    public AppendCompletion(Action<AppendCompletion> giveBack) => this.giveBack = giveBack;

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

    public void Fail(JournalException error) => core.SetException(error);

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
