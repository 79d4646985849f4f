// Commits and what follows them. Begin runs on the writer's thread; what follows a commit runs on the thread on which the journal completes it
// (its own, when it completes inline), one batch after the other: first the read view, then the answers, which single calls get side by side on
// other threads, and the feeds (rule 4). A watchdog ends the process when a commit is overdue.

using System.Diagnostics;
using OrderEngine.Core.State;
using OrderEngine.Journal;

namespace OrderEngine.Engine;

internal sealed class Publisher : IDisposable
{
    /// <summary>The leader's term of an embedded engine: there is only one.</summary>
    private const long EmbeddedEpoch = 1;

    private readonly CommitSlots _slots = new(IJournal.MaxAppendsInFlight);
    private readonly Lock _sync = new();
    private readonly Queue<Batch> _inFlight = new(IJournal.MaxAppendsInFlight);
    private readonly IJournal _journal;
    private readonly ReadView _view;
    private readonly FeedWindow _feed;
    private readonly EngineThreads _threads;
    private readonly FailureLatch _failure;
    private readonly EngineMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly TimeSpan _deadline;
    private readonly ITimer _watchdog;
    private readonly Snapshotter? _snapshotter;
    private readonly PersonalVault _vault;
    // What becomes of the newest batch, and so of all: false, the engine has failed. Writer, and whoever has seen it end.
    private Task<bool> _newest = Task.FromResult(true);

    public Publisher(IJournal journal, ReadView view, FeedWindow feed, EngineThreads threads, FailureLatch failure, EngineMetrics metrics,
        TimeProvider time, TimeSpan commitDeadline, Snapshotter? snapshotter, PersonalVault vault)
    {
        _journal = journal;
        _view = view;
        _feed = feed;
        _threads = threads;
        _failure = failure;
        _metrics = metrics;
        _time = time;
        _deadline = commitDeadline;
        _snapshotter = snapshotter;
        _vault = vault;
        var period = commitDeadline / EngineBounds.CommitChecks;
        _watchdog = time.CreateTimer(static publisher => ((Publisher)publisher!).CheckDeadline(), this, period, period);
    }

    /// <summary>Blocks the writer while as many commits as may be are under way.</summary>
    public void WaitForSlot() => _slots.Take();

    /// <summary>The writer is blocked. For tests: what is queued from then on is decided after a commit.</summary>
    public bool BlocksWriter => _slots.Blocks;

    /// <summary>Blocks the writer while any commit is under way.</summary>
    public void WaitForCommits() => _slots.TakeFirst();

    /// <summary>As <see cref="WaitForSlot"/>, but false instead of blocking.</summary>
    public bool TryWaitForSlot() => _slots.TryTake();

    /// <summary>Lets the writer pass, so that it sees that the engine has failed.</summary>
    public void ReleaseWriter() => _slots.Open();

    /// <summary>Starts the commit of a batch, or only queues it for its answers when it has no events. Writer; a slot was waited for.</summary>
    public void Begin(Batch batch)
    {
        batch.HandedOverAt = _time.GetTimestamp();
        lock (_sync) _inFlight.Enqueue(batch);
        var commit = batch.Payload is null
            ? ValueTask.CompletedTask
            : _journal.AppendAsync(new JournalBatch(EmbeddedEpoch, batch.FirstSequence, batch.LastSequence, batch.Payload));
        _newest = FinishAsync(_newest, batch, commit);
    }

    /// <summary>Ends when everything that was begun is published, or when the engine has failed. Never throws. Once the writer has ended.</summary>
    public Task EndAsync() => _newest;

    // False: the engine has failed.
    private async Task<bool> FinishAsync(Task<bool> before, Batch batch, ValueTask commit)
    {
        if (!await before) return false;
        try
        {
            await commit;
        }
        catch (Exception exception)
        {
            _failure.Fail(ExitCodes.JournalFailed, $"The batch of sequences {batch.FirstSequence} to {batch.LastSequence} could not be made durable.", exception);
            return false;
        }
        if (_failure.HasFailed) return false;
        try
        {
            Publish(batch);
        }
        catch (JournalException exception)
        {
            _failure.Fail(ExitCodes.JournalFailed, "A key could not be destroyed.", exception);
            return false;
        }
        catch (Exception exception)
        {
            _failure.Fail(ExitCodes.PublicationFailed, $"Publishing through sequence {batch.LastSequence} failed.", exception);
            return false;
        }
        return true;
    }

    public void Dispose() => _watchdog.Dispose();

    /// <summary>Makes a durable batch visible and frees its slot.</summary>
    private void Publish(Batch batch)
    {
        // Before anybody is told: once answered, nobody finds the batch overdue.
        lock (_sync) _inFlight.Dequeue();
        var isTraced = batch.Traces is not null;
        if (isTraced) Durable(batch);
        if (batch.Summary is { } summary)
        {
            _metrics.Committed(batch.Count, batch.Payload!.Length, _time.GetElapsedTime(batch.HandedOverAt));
            _view.Publish(summary);
            // Whoever is told that somebody was erased must find the key gone.
            _vault.Shred(summary.Sequence);
            _snapshotter?.Committed(batch.Payload!.Length);
        }
        if (isTraced) Activity.Current = null;
        batch.Import?.Complete(_view.DurableSequence);
        // The batch is used again as soon as everybody is answered.
        var (first, last, payload, touched) = (batch.FirstSequence, batch.LastSequence, batch.Payload, batch.TouchedStock);
        batch.Answer(_threads);
        if (payload is not null) _feed.Add(first, last, payload, touched);
        _slots.Release();
    }

    // The exemplars of the commit name the trace that they find around them: that of the first command that has one.
    private static void Durable(Batch batch)
    {
        foreach (var trace in batch.Traces!) trace.Commit(batch.HandedOverAt, batch.Count, batch.Payload?.Length ?? 0);
        Activity.Current = batch.Traces[0].Span;
    }

    private void CheckDeadline()
    {
        lock (_sync)
        {
            if (!_inFlight.TryPeek(out var oldest) || _time.GetElapsedTime(oldest.HandedOverAt) <= _deadline) return;
        }
        _failure.Fail(ExitCodes.CommitDeadlinePassed, $"A commit took longer than {_deadline.TotalSeconds:0.###} s. Check the disk.", null);
    }
}
