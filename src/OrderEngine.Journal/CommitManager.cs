// FASTER's commit manager over the commit file. FASTER calls Commit on its worker when the log is durable up to untilAddress;
// what it hands over as metadata is not stored: our record says more, and our recovery tells FASTER where the log ends.
// FASTER swallows exceptions thrown here, so an error goes to the journal, which acknowledges nothing afterwards.

using FASTER.core;

namespace OrderEngine.Journal;

internal sealed class CommitManager(CommitFile file, FasterLogRecoveryInfo recovered, ICommitSource source) : ILogCommitManager
{
    private int busy;

    /// <summary>A record is being written right now.</summary>
    public bool Busy => Volatile.Read(ref busy) != 0;

    public void Commit(long beginAddress, long untilAddress, byte[] commitMetadata, long commitNum, bool forceWriteMetadata)
    {
        Interlocked.Increment(ref busy);
        try
        {
            if (source.RecordFor(untilAddress, file.Newest!) is not { } record) return;
            if (record.LastSequence > file.Newest!.LastSequence) file.Advance(record);
            else file.Replace(record);
            source.Written(record);
        }
        catch (Exception error)
        {
            source.Fail(error);
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref busy);
        }
    }

    public byte[] GetCommitMetadata(long commitNum) => recovered.ToByteArray();

    public IEnumerable<long> ListCommits() => [recovered.CommitNum];

    public void RemoveCommit(long commitNum) { } // there is one commit, and it is replaced in place

    public void RemoveAllCommits() { } // FASTER calls this for its own files only

    public void OnRecovery(long commitNum) { } // recovery is ours and done before FASTER's begins

    public void Dispose() => file.Dispose();
}

/// <summary>What the commit manager needs of the journal.</summary>
internal interface ICommitSource
{
    /// <summary>The record for a log durable up to this address; null when the newest one already says as much, or the journal has failed.</summary>
    CommitRecord? RecordFor(long untilAddress, CommitRecord newest);

    /// <summary>The record is durable.</summary>
    void Written(CommitRecord record);

    void Fail(Exception error);
}
