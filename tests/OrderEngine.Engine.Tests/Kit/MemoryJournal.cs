// A journal in memory whose commits the test completes by hand, or at once.

using OrderEngine.Journal;

namespace OrderEngine.Engine.Tests;

internal sealed class MemoryJournal : IJournal
{
    /// <summary>A test that waits for so long has failed.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock _sync = new();
    private readonly List<JournalBatch> _batches = [];
    private readonly Queue<(JournalBatch Batch, TaskCompletionSource Done)> _inFlight = new();
    private TaskCompletionSource _appended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _appends;

    /// <summary>True: commits wait for <see cref="Commit"/>.</summary>
    public bool IsManual { get; set; }

    public bool FailTruncation { get; set; }

    public bool IsDisposed { get; private set; }

    public int Reads { get; private set; }

    public ulong Identity => 1;

    public Guid CreationId => Guid.Empty;

    public long FirstSequence { get; set; } = 1;

    public long LastSequence { get; private set; }

    public long SizeBytes => _batches.Sum(batch => (long)batch.Payload.Length);

    /// <summary>What is durable.</summary>
    public IReadOnlyList<JournalBatch> Batches
    {
        get
        {
            lock (_sync) return [.. _batches];
        }
    }

    public int Appends
    {
        get
        {
            lock (_sync) return _appends;
        }
    }

    public int InFlight
    {
        get
        {
            lock (_sync) return _inFlight.Count;
        }
    }

    public ValueTask AppendAsync(JournalBatch batch)
    {
        lock (_sync)
        {
            var expected = (_inFlight.Count > 0 ? _inFlight.Last().Batch.LastSequence : LastSequence) + 1;
            if (batch.FirstSequence != expected) throw new JournalException($"{batch.FirstSequence} does not follow {expected - 1}.");
            if (batch.Payload.Length is 0 or > IJournal.MaxPayloadBytes) throw new JournalException($"{batch.Payload.Length} bytes.");
            _appends++;
            var appended = _appended;
            _appended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            appended.SetResult();
            if (!IsManual)
            {
                Keep(batch);
                return ValueTask.CompletedTask;
            }
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _inFlight.Enqueue((batch, done));
            if (_inFlight.Count > IJournal.MaxAppendsInFlight) throw new JournalException("Too many appends in flight.");
            return new ValueTask(done.Task);
        }
    }

    /// <summary>Completes when the engine has handed over so many batches in all.</summary>
    public async Task WhenAppended(int count)
    {
        while (true)
        {
            Task next;
            lock (_sync)
            {
                if (_appends >= count) return;
                next = _appended.Task;
            }
            await next.WaitAsync(Patience);
        }
    }

    /// <summary>Makes the oldest batch in flight durable.</summary>
    public void Commit()
    {
        TaskCompletionSource done;
        lock (_sync)
        {
            (var batch, done) = _inFlight.Dequeue();
            Keep(batch);
        }
        done.SetResult();
    }

    /// <summary>Fails the oldest batch in flight.</summary>
    public void Fail(Exception exception)
    {
        TaskCompletionSource done;
        lock (_sync) (_, done) = _inFlight.Dequeue();
        done.SetException(exception);
    }

    /// <summary>Lets everything go through from now on.</summary>
    public void GoAutomatic()
    {
        List<TaskCompletionSource> all = [];
        lock (_sync)
        {
            IsManual = false;
            while (_inFlight.TryDequeue(out var next))
            {
                Keep(next.Batch);
                all.Add(next.Done);
            }
        }
        foreach (var done in all) done.SetResult();
    }

    public IEnumerable<JournalBatch> Read(long fromSequence, CancellationToken cancellationToken = default)
    {
        lock (_sync)
        {
            Reads++;
            ArgumentOutOfRangeException.ThrowIfLessThan(fromSequence, FirstSequence);
            return From(fromSequence, LastSequence);
        }

        // Like the real one: a reader that truncation overtakes learns so at its next step.
        IEnumerable<JournalBatch> From(long sequence, long until)
        {
            while (sequence <= until)
            {
                JournalBatch batch;
                lock (_sync)
                {
                    ArgumentOutOfRangeException.ThrowIfLessThan(sequence, FirstSequence);
                    batch = _batches[IndexOf(sequence)];
                }
                yield return batch;
                sequence = batch.LastSequence + 1;
            }
        }
    }

    public ValueTask TruncateBelowAsync(long sequence)
    {
        if (FailTruncation) return ValueTask.FromException(new JournalException("The commit record cannot be written."));
        lock (_sync)
        {
            _batches.RemoveAll(batch => batch.LastSequence < sequence);
            FirstSequence = _batches.Count > 0 ? _batches[0].FirstSequence : LastSequence + 1;
        }
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return ValueTask.CompletedTask;
    }

    // Binary search: the batch that holds the sequence.
    private int IndexOf(long sequence)
    {
        int low = 0, high = _batches.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_batches[middle].LastSequence < sequence) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private void Keep(JournalBatch batch)
    {
        _batches.Add(batch with { Payload = batch.Payload.ToArray() });
        LastSequence = batch.LastSequence;
    }
}
