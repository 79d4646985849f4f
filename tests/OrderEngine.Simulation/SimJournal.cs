// The real FasterJournal, seen through the simulation's clockwork: its completions come when the simulation says so, on its thread.

using OrderEngine.Journal;

namespace OrderEngine.Simulation;

internal sealed class SimJournal(FasterJournal inner, SimDisk disk, Baton baton) : IJournal
{
    private readonly Queue<(Task Real, long Last, TaskCompletionSource Shown)> _under = new();

    public ulong Identity => inner.Identity;
    public Guid CreationId => inner.CreationId;
    public long FirstSequence => inner.FirstSequence;
    public long LastSequence => inner.LastSequence;
    public long SizeBytes => inner.SizeBytes;

    /// <summary>FASTER's worker stands before the commit file.</summary>
    public bool IsCommitting => baton.IsParked(SimDisk.Commit);

    public ValueTask AppendAsync(JournalBatch batch) => Show(inner.AppendAsync(batch).AsTask(), batch.LastSequence);

    public ValueTask TruncateBelowAsync(long sequence) => Show(inner.TruncateBelowAsync(sequence).AsTask(), long.MaxValue);

    public IEnumerable<JournalBatch> Read(long fromSequence, CancellationToken cancellationToken = default) => inner.Read(fromSequence, cancellationToken);

    /// <summary>The log's writes reach the disk; FASTER's worker comes to the commit file.</summary>
    public void WriteLog()
    {
        disk.RunSteps();
        Settle();
    }

    /// <summary>The write of the commit file at which FASTER's worker stands is carried out.</summary>
    public void WriteCommit()
    {
        var first = _under.Peek().Real;
        baton.Go(SimDisk.Commit, () => first.IsCompleted);
        Settle();
    }

    /// <summary>Waits until everything has come as far as it can without another write, and shows what is finished.</summary>
    private void Settle()
    {
        while (_under.TryPeek(out var first))
        {
            if (!first.Real.IsCompleted)
            {
                if (disk.PendingSteps > 0) return;
                baton.WaitFor(SimDisk.Commit, () => first.Real.IsCompleted);
                // The worker may stand before the next commit while the pool has yet to carry the news of this one.
                if (!first.Real.IsCompleted && inner.LastSequence < first.Last) return;
                ((IAsyncResult)first.Real).AsyncWaitHandle.WaitOne();
            }
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

    private ValueTask Show(Task real, long last)
    {
        var shown = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _under.Enqueue((real, last, shown));
        if (disk.PendingSteps == 0) Settle();
        return new ValueTask(shown.Task);
    }
}
