// The commit record behind each write of the log. FASTER would have it written by a task of the thread pool, where it stands in line behind
// whatever the process does: at full load that took longer than the two writes. So FASTER's commit manager does nothing here, and the
// record is written by a thread that has nothing else to do, "journal-commit", which then completes the appends. The log of the next batch is
// written beside it ("journal-writer"). A simulation gets each record as a step and runs it when it likes.

using FASTER.core;

namespace OrderEngine.Journal;

internal sealed class CommitWriter : IDisposable
{
    private readonly CommitFile file;
    private readonly ICommitSource source;
    private readonly IDeviceSteps? steps;
    private readonly AutoResetEvent wake = new(false);
    private readonly Thread? thread;
    private bool hasStep;
    private volatile bool busy;
    private volatile bool stopped;

    /// <param name="file">Where records go; disposed with this.</param>
    /// <param name="source">Says what to write, and is told.</param>
    /// <param name="steps">Null: a thread of its own.</param>
    public CommitWriter(CommitFile file, ICommitSource source, IDeviceSteps? steps)
    {
        this.file = file;
        this.source = source;
        this.steps = steps;
        if (steps is null) thread = new Thread(Run) { Name = "journal-commit", IsBackground = true };
    }

    /// <summary>A record is being written right now, or those who waited for it are being told.</summary>
    public bool Busy => busy;

    /// <summary>Begins; what was asked for before is looked at then.</summary>
    public void Start() => thread?.Start();

    /// <summary>There may be something to record. Any thread.</summary>
    public void Wake()
    {
        if (steps is null)
        {
            wake.Set();
            return;
        }
        if (hasStep) return;
        hasStep = true;
        steps.AddRecord(Step);
    }

    private void Step()
    {
        hasStep = false;
        WriteNext();
    }

    private void Run()
    {
        PromptThread.AskFor();
        while (!stopped)
        {
            busy = true;
            WriteNext();
            busy = false;
            wake.WaitOne();
        }
    }

    private void WriteNext()
    {
        try
        {
            while (source.NextRecord(file.Newest!) is { } record)
            {
                if (record.LastSequence > file.Newest!.LastSequence) file.Advance(record);
                else file.Replace(record);
                source.Written(record);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            source.Fail(error);
        }
    }

    /// <summary>Ends the thread and closes the file.</summary>
    public void Dispose()
    {
        stopped = true;
        wake.Set();
        // Stuck in the kernel: the file stays open until the process ends.
        if (thread is { IsAlive: true } && !thread.Join(JournalLimits.DisposeDeadline)) return;
        file.Dispose();
        wake.Dispose();
    }
}

/// <summary>What the record's writer needs of the journal.</summary>
internal interface ICommitSource
{
    /// <summary>The record for what is durable of the log; null when the newest one already says as much, or the journal has failed.</summary>
    CommitRecord? NextRecord(CommitRecord newest);

    /// <summary>The record is durable. Completes those who waited for it, who may go on within.</summary>
    void Written(CommitRecord record);

    void Fail(Exception error);
}

/// <summary>FASTER's commit manager, which tells it where the recovered log ends and keeps nothing.</summary>
internal sealed class NoCommits(FasterLogRecoveryInfo recovered) : ILogCommitManager
{
    public void Commit(long beginAddress, long untilAddress, byte[] commitMetadata, long commitNum, bool forceWriteMetadata) { }

    public byte[] GetCommitMetadata(long commitNum) => recovered.ToByteArray();

    public IEnumerable<long> ListCommits() => [recovered.CommitNum];

    public void RemoveCommit(long commitNum) { }

    public void RemoveAllCommits() { } // FASTER calls this for its own files only

    public void OnRecovery(long commitNum) { } // recovery is ours and done before FASTER's begins

    public void Dispose() { }
}
