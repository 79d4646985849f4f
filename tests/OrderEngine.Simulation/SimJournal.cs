// The real FasterJournal, seen through the simulation's clockwork: its completions come when the simulation says so, on its thread.

using OrderEngine.Journal;

namespace OrderEngine.Simulation;

internal sealed class SimJournal(FasterJournal inner, SimDisk disk) : IJournal
{
    private readonly Queue<(Task Real, TaskCompletionSource Shown)> _under = new();

    public ulong Identity => inner.Identity;
    public Guid CreationId => inner.CreationId;
    public long FirstSequence => inner.FirstSequence;
    public long LastSequence => inner.LastSequence;
    public long SizeBytes => inner.SizeBytes;

    /// <summary>A commit record is to be written.</summary>
    public bool IsCommitting => disk.HasRecord;

    public ValueTask AppendAsync(JournalBatch batch) => Show(inner.AppendAsync(batch).AsTask());

    public ValueTask TruncateBelowAsync(long sequence) => Show(inner.TruncateBelowAsync(sequence).AsTask());

    public IEnumerable<JournalBatch> Read(long fromSequence, CancellationToken cancellationToken = default) => inner.Read(fromSequence, cancellationToken);

    /// <summary>The log's writes reach the disk; their record is to be written.</summary>
    public void WriteLog()
    {
        disk.RunSteps();
        Settle();
    }

    /// <summary>The commit record is written.</summary>
    public void WriteCommit()
    {
        disk.RunRecord();
        Settle();
    }

    /// <summary>Shows what is finished.</summary>
    private void Settle()
    {
        while (_under.TryPeek(out var first) && (first.Real.IsCompleted || inner.HasFailed))
        {
            // Failures come through the thread pool.
            ((IAsyncResult)first.Real).AsyncWaitHandle.WaitOne();
            _under.Dequeue();
            if (first.Real.IsCompletedSuccessfully) first.Shown.SetResult();
            else first.Shown.SetException(first.Real.Exception!.InnerException!);
        }
    }

    /// <summary>Blocks until the files are closed.</summary>
    public ValueTask DisposeAsync()
    {
        while (_under.Count > 0 && !disk.IsOff)
        {
            WriteLog();
            if (IsCommitting) WriteCommit();
        }
        if (!Task.Run(async () => await inner.DisposeAsync()).Wait(TimeSpan.FromMinutes(2))) throw new TimeoutException("The journal does not close.");
        return ValueTask.CompletedTask;
    }

    private ValueTask Show(Task real)
    {
        var shown = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _under.Enqueue((real, shown));
        Settle();
        return new ValueTask(shown.Task);
    }
}
