// The journal on FASTER: one frame per batch, in a chain; one commit per batch. docs/JOURNAL.md draws it.
//
// What a commit costs: one durable write of the log's new blocks (O_DSYNC), then one durable write of a commit slot.
// Could the second be saved, the chain being the truth? No: a frame whose bytes are damaged looks exactly like a frame that a
// crash tore. Only a record outside the frame tells whether it had been acknowledged, so the record must be durable before
// every acknowledgement. The two overlap: the log of the next batch is written while the slot of this one is.
//
// Threads: AppendAsync on the engine's writer; "journal-writer" writes the log; "journal-commit" writes the slot and completes appends; a
// timer looks at the deadline. `sync` guards the state they share and is held for memory work only. FASTER's epoch is entered under it only, by
// one thread at a time: with two, it can lose a flush.

using System.Diagnostics;
using FASTER.core;

namespace OrderEngine.Journal;

/// <summary>The embedded journal: durable, verified, one process at a time. See docs/JOURNAL.md.</summary>
public sealed partial class FasterJournal : IJournal, ICommitSource
{
    private readonly JournalOptions options;
    private readonly JournalGeometry geometry;
    private readonly DataDirectory directory;
    private readonly FileStream directoryLock;
    private readonly SequenceIndex index;
    private readonly SegmentDevice device;
    private readonly CommitWriter commits;
    private readonly FasterLog log;
    private readonly ITimer deadlineTimer;

    private readonly Lock sync = new();
    private readonly Queue<AppendCompletion> pending = new(IJournal.MaxAppendsInFlight);
    private readonly Stack<AppendCompletion> spare = new();
    private readonly FrameEntry entry = new();
    private Chain chain;
    private JournalException? failure;
    private bool closing;
    private TaskCompletionSource? drained;
    private (IndexEntry Start, TaskCompletionSource Done, long StartedAt)? truncation;

    // Durable state: written under `sync`, read from anywhere.
    private long beginAddress;
    private long firstSequence;
    private long lastSequence;
    private long durableAddress;

    /// <inheritdoc/>
    public ulong Identity { get; }

    /// <inheritdoc/>
    public Guid CreationId { get; }

    /// <inheritdoc/>
    public long FirstSequence => Volatile.Read(ref firstSequence);

    /// <inheritdoc/>
    public long LastSequence => Volatile.Read(ref lastSequence);

    /// <inheritdoc/>
    public long SizeBytes => Volatile.Read(ref durableAddress) - Volatile.Read(ref beginAddress);

    /// <summary>Where the last append ends in the log.</summary>
    internal long TailAddress => log.TailAddress;

    /// <summary>Whether it has given up: whatever was unfinished fails.</summary>
    internal bool HasFailed
    {
        get { lock (sync) return failure is not null; }
    }

    /// <summary>Where FASTER believes the log to begin: where it began when it was opened. See <see cref="TruncateBelowAsync"/>.</summary>
    internal long BeginAddressOfFaster => log.BeginAddress;

    /// <inheritdoc/>
    public ValueTask AppendAsync(JournalBatch batch)
    {
        lock (sync)
        {
            if (failure is not null) return ValueTask.FromException(failure);
            if (closing) return ValueTask.FromException(new ObjectDisposedException(nameof(FasterJournal)));
            if (Refusal(batch) is { } refusal) return Refused(new JournalException(refusal));
            try
            {
                entry.Set(batch, chain.Crc);
                // Four pages of memory and at most two unfinished batches of half a page each: there is always room.
                if (!log.TryEnqueue(entry, out var address)) return Refused(new JournalException("FASTER's memory is full, which must not happen."));

                var header = new FrameHeader(entry.Crc, chain.Crc, batch.Payload.Length, batch.Epoch, batch.FirstSequence, batch.LastSequence);
                chain = Chain.After(header);
                index.Add(header, address);
                if (!spare.TryPop(out var completion)) completion = new AppendCompletion(GiveBack, options.CompletesInline);
                var task = completion.Start(address + FrameHeader.EntrySize(batch.Payload.Length), batch.LastSequence, entry.Crc,
                    options.TimeProvider.GetTimestamp());
                pending.Enqueue(completion);
                log.CommitStrongly(out _, out _, spinWait: false);
                return task;
            }
            catch (Exception error)
            {
                return Refused(new JournalException($"Appending to '{directory.Journal}' failed: {error.Message}", error));
            }
        }
    }

    private string? Refusal(in JournalBatch batch)
    {
        if (pending.Count == IJournal.MaxAppendsInFlight) return $"More than {IJournal.MaxAppendsInFlight} appends at once.";
        if (batch.Payload.Length is 0 || batch.Payload.Length > geometry.MaxPayloadBytes)
        {
            return $"A batch holds 1 to {geometry.MaxPayloadBytes} bytes, not {batch.Payload.Length}.";
        }
        if (batch.FirstSequence != chain.LastSequence + 1 || batch.LastSequence < batch.FirstSequence)
        {
            return $"Batch {batch.FirstSequence}-{batch.LastSequence} does not follow sequence {chain.LastSequence}.";
        }
        return batch.Epoch < chain.Epoch ? $"The batch is of epoch {batch.Epoch}, the journal of {chain.Epoch}: another writer has taken over." : null;
    }

    private ValueTask Refused(JournalException error)
    {
        FailWith(error);
        return ValueTask.FromException(failure!);
    }

    private void GiveBack(AppendCompletion completion)
    {
        lock (sync) spare.Push(completion);
    }

    CommitRecord? ICommitSource.NextRecord(CommitRecord newest)
    {
        lock (sync)
        {
            if (failure is not null) return null;
            var record = newest;
            // One append a record: a slot that is lost then speaks of one frame more than the other, and the log shows whether that frame is there.
            var until = log.FlushedUntilAddress;
            if (pending.TryPeek(out var append) && append.EndAddress <= until)
            {
                record = record with { UntilAddress = append.EndAddress, LastSequence = append.LastSequence, LastCrc = append.Crc };
            }
            if (truncation is { } cut)
            {
                record = record with
                {
                    BeginAddress = cut.Start.Address,
                    FirstSequence = cut.Start.FirstSequence,
                    AnchorCrc = cut.Start.PreviousCrc,
                };
            }
            return ReferenceEquals(record, newest) || record == newest ? null : record with { Number = newest.Number + 1 };
        }
    }

    void ICommitSource.Written(CommitRecord record)
    {
        TaskCompletionSource? truncated = null, wake = null;
        AppendCompletion? finished = null;
        lock (sync)
        {
            if (failure is not null) return;
            durableAddress = record.UntilAddress;
            Volatile.Write(ref lastSequence, record.LastSequence);
            // A record speaks of one append at most: NextRecord.
            if (pending.TryPeek(out var first) && first.EndAddress <= durableAddress) finished = pending.Dequeue();
            if (pending.Count == 0) wake = drained;
            if (truncation is { } cut && record.BeginAddress == cut.Start.Address)
            {
                index.RemoveBelow(record.BeginAddress);
                Volatile.Write(ref beginAddress, record.BeginAddress);
                Volatile.Write(ref firstSequence, record.FirstSequence);
                truncated = cut.Done;
                truncation = null;
            }
        }
        // Outside the lock: whoever waits may go on here.
        finished?.Complete();
        wake?.TrySetResult();
        if (truncated is null) return;
        try
        {
            device.RemoveBelow(geometry.SegmentOf(record.BeginAddress));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            truncated.TrySetException(new JournalException($"Deleting segments of the log in '{directory.Journal}' failed ({error.Message}). Check the disk, then start again.", error));
            throw;
        }
        truncated.TrySetResult();
    }

    void ICommitSource.Fail(Exception error) => FailWith(new JournalException(
        $"Writing '{directory.Commit}' failed ({error.Message}). Nothing further is acknowledged; check the disk, then start again.", error));

    private void OnDeviceError(Exception error) => FailWith(new JournalException(
        $"Writing the log in '{directory.Journal}' failed ({error.Message}). Nothing further is acknowledged; check the disk, then start again.", error));

    /// <summary>The first failure is final: whatever is unfinished fails with it, and nothing more is written.</summary>
    private void FailWith(JournalException error)
    {
        TaskCompletionSource? wake;
        lock (sync)
        {
            if (failure is not null) return;
            failure = error;
            device.Break();
            while (pending.TryDequeue(out var append)) append.Fail(error);
            truncation?.Done.TrySetException(error);
            truncation = null;
            wake = drained;
        }
        wake?.TrySetResult();
    }

    private void CheckDeadline()
    {
        lock (sync)
        {
            var oldest = pending.TryPeek(out var append) ? append.StartedAt : truncation?.StartedAt;
            if (oldest is null || options.TimeProvider.GetElapsedTime(oldest.Value) < options.CommitDeadline) return;
        }
        FailWith(new JournalException(
            $"A commit to '{directory.Journal}' took longer than {options.CommitDeadline.TotalSeconds:0.###} s. " +
            "Whether it became durable is known at the next start; check the disk, then start again."));
    }

    /// <inheritdoc/>
    /// <remarks>Commits at once; the returned task completes when the files are gone. One call at a time.</remarks>
    public ValueTask TruncateBelowAsync(long sequence)
    {
        lock (sync)
        {
            if (failure is not null) return ValueTask.FromException(failure);
            if (closing) return ValueTask.FromException(new ObjectDisposedException(nameof(FasterJournal)));
            if (truncation is not null) return ValueTask.FromException(new InvalidOperationException("A truncation is under way."));
            if (index.SegmentStartAtOrBefore(Math.Min(sequence, lastSequence)) is not { } start || start.Address <= beginAddress) return default;
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            truncation = (start, done, options.TimeProvider.GetTimestamp());
            // FASTER is not told where the log begins. It would move its own beginning on its worker, inside its epoch, and its epoch can
            // lose the flush that an append defers meanwhile (docs/JOURNAL.md).
            commits.Wake();
            return new ValueTask(done.Task);
        }
    }

    /// <summary>
    /// Waits for what is unfinished (no longer than the commit deadline), then closes and releases the lock. When a write is stuck
    /// in the kernel the lock stays until the process ends: it could still reach the disk under the next owner.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        Task unfinished;
        lock (sync)
        {
            if (closing) return;
            closing = true;
            drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            unfinished = pending.Count == 0 ? Task.CompletedTask : drained.Task; // the deadline ends it, by failing
        }
        await unfinished;
        await deadlineTimer.DisposeAsync();
        device.Break();
        var closed = Task.Run(Close);
        await Task.WhenAny(closed, Task.Delay(JournalLimits.DisposeDeadline));
        if (closed.IsCompletedSuccessfully && device.Idle && !commits.Busy) await directoryLock.DisposeAsync();
    }

    private void Close()
    {
        // Once broken the device writes nothing more, so that both fall idle unless the kernel holds a write.
        var waited = Stopwatch.StartNew();
        while (!device.Idle || commits.Busy)
        {
            if (waited.Elapsed > JournalLimits.DisposeDeadline) return;
            Thread.Sleep(1);
        }
        log.Dispose();
        device.Dispose();
        commits.Dispose();
    }
}
