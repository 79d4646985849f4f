// The writer's turn: takes what is ready, decides and applies it, and closes a batch. Synchronous and deterministic: given the same
// commands at the same times it does the same; a simulation drives it without threads (WriterThread is the shell for real life).
// Writer thread only.

using OrderEngine.Core;
using OrderEngine.Core.Events;

namespace OrderEngine.Engine;

/// <param name="core">The state; nobody else changes it.</param>
/// <param name="intake">Where commands come from.</param>
/// <param name="batches">Where batches come from.</param>
/// <param name="clock">The engine's time.</param>
/// <param name="view">What is published: rows superseded below it may be freed.</param>
/// <param name="options">The bounds of a batch.</param>
/// <param name="metrics">Told of what fails.</param>
/// <param name="logger">Told of what fails.</param>
internal sealed class WriterLoop(OrderCore core, Intake intake, BatchPool batches, EngineClock clock, ReadView view,
    EngineOptions options, EngineMetrics metrics, ILogger logger)
{
    private readonly EventBuffer _events = new();
    private readonly EventBuffer _scratch = new();
    // Taken from the lanes and not decided yet: while one is decided, memory fetches what the next will need.
    private readonly PendingCommand?[] _ahead = new PendingCommand?[EngineBounds.LookAhead];
    private int _aheadNext;
    private int _aheadEnd;
    private Batch _open = batches.Rent();
    private ImportJob? _import;

    /// <summary>True: there is more to do at once, without anything new coming in.</summary>
    public bool HasMoreToDo { get; private set; }

    /// <summary>True: everything that came in is decided, and nothing more will come.</summary>
    public bool IsFinished => Ready == 0 && intake.IsDrained && !HasMoreToDo && Volatile.Read(ref _import) is null;

    /// <summary>Commands that are there now.</summary>
    public int Ready => intake.Ready + _aheadEnd - _aheadNext;

    /// <summary>When the core wants a turn without being asked; <see cref="long.MaxValue"/>: not.</summary>
    public long NextDue => core.NextDue;

    /// <summary>Hands an import to the writer; false while another one runs. Any thread.</summary>
    public bool TryBeginImport(ImportJob import)
    {
        if (Interlocked.CompareExchange(ref _import, import, null) is not null) return false;
        intake.Wake();
        return true;
    }

    /// <summary>One turn at the clock's time. The batch it returns is to be committed before, or while, the next turn runs; null: none.</summary>
    /// <exception cref="ApplyException">The state can no longer be trusted (rule 5); so with any other exception.</exception>
    public Batch? Turn(out long now)
    {
        now = clock.Advance();
        core.Reclaim(view.DurableSequence);
        var first = core.Sequence + 1;
        HasMoreToDo = false;
        if (Volatile.Read(ref _import) is { } import)
        {
            // Nothing of our own in between: the imported events follow each other.
            TakeImport(import);
        }
        else
        {
            // First what is due: a hold whose time is over must not keep its stock from the commands of this batch.
            if (core.NextDue <= now) RunTimersAndQueues(now);
            TakeCommands(now);
            // Then what these commands set free, in the same batch: who sees the stock come in sees who got it.
            if (core.HasPendingFills) RunTimersAndQueues(now);
        }
        return _open.Count == 0 && _events.Length == 0 && _open.Import is null ? null : Close(first);
    }

    private void TakeCommands(long now)
    {
        // What is ready now: commands that come in meanwhile are the next batch's.
        var ready = Math.Min(Ready, options.MaxBatchCommands);
        var taken = 0;
        while (taken < ready && _events.Length < options.MaxBatchBytes && Next() is { } pending)
        {
            taken++;
            pending.Trace?.Reach(Station.Taken);
            if (pending.Cancellation.IsCancellationRequested)
            {
                pending.Cancel();
            }
            else if (pending.Deadline != 0 && pending.Deadline <= now)
            {
                metrics.Answered(pending.Command!.Kind, Outcome.DeadlinePassed);
                pending.CompleteLater(new CommandAnswer(Outcome.DeadlinePassed, 0, default, false));
            }
            else
            {
                Decide(pending, now);
            }
        }
        if (Ready > 0) HasMoreToDo = true;
    }

    private PendingCommand? Next()
    {
        if (_aheadNext == _aheadEnd) LookAhead();
        return _aheadNext < _aheadEnd ? _ahead[_aheadNext++] : null;
    }

    private void LookAhead()
    {
        _aheadNext = _aheadEnd = 0;
        while (_aheadEnd < _ahead.Length && intake.Take() is { } pending) _ahead[_aheadEnd++] = pending;
        foreach (var pending in _ahead.AsSpan(0, _aheadEnd)) core.Prefetch(pending!.Command!);
    }

    private void Decide(PendingCommand pending, long now)
    {
        var mark = _events.Length;
        var sequence = core.Sequence;
        var command = pending.Command!;
        try
        {
            if (pending.IsCheck) Check(pending, (SubmitOrder)command, now);
            else _open.Add(pending, core.Execute(command, now, _events), null);
        }
        catch (Exception exception) when (exception is not ApplyException)
        {
            KeepApplied(mark, sequence);
            metrics.DecideFailed();
            EngineLog.DecideFailed(logger, command.Kind, exception);
            _open.Add(pending, new Decision(Outcome.InternalError, core.Sequence, -1, 0, null), null);
        }
        if (pending.Trace is { } trace)
        {
            trace.Reach(Station.Decided);
            _open.Follow(trace);
        }
    }

    /// <summary>
    /// Cuts off what a failed decision may have left in the buffer. What was done ahead of it (a deadline fired, a queue served) is
    /// applied and stays.
    /// </summary>
    private void KeepApplied(int mark, long sequence)
    {
        var end = mark;
        if (core.Sequence != sequence)
        {
            var walk = new EventEnumerator(_events.Written[mark..]);
            do
            {
                if (!walk.MoveNext()) throw new ApplyException($"The state is at {core.Sequence}, but the batch does not hold that event.");
            }
            while (EventView.SequenceOf(walk.Current) != core.Sequence);
            end = mark + walk.Offset + walk.Current.Length;
        }
        _events.Truncate(end);
    }

    private void Check(PendingCommand pending, SubmitOrder command, long now)
    {
        var decision = core.Check(command, now, _scratch);
        // The scratch buffer is the next check's: the answer keeps a copy.
        var checkEvent = decision.Offset >= 0 ? _scratch.Written.Slice(decision.Offset, decision.Length).ToArray() : null;
        _open.Add(pending, decision, checkEvent);
    }

    private void RunTimersAndQueues(long now)
    {
        var from = _events.Length;
        if (core.Turn(now, _events)) HasMoreToDo = true;
        if (_events.Length > from) metrics.TurnDid(_events.Written[from..]);
    }

    private void TakeImport(ImportJob import)
    {
        HasMoreToDo = true;
        if (import.Next == 0 && core.Sequence != 0)
        {
            import.Refuse(ImportStatus.NotEmpty);
            Volatile.Write(ref _import, null);
            return;
        }
        while (import.Next < import.Events.Count && _events.Length < options.MaxBatchBytes)
        {
            var encoded = import.Events[import.Next++];
            core.Replay(encoded);
            _events.AppendEncoded(encoded);
        }
        clock.RaiseTo(core.Time);
        if (import.Next < import.Events.Count) return;
        _open.Import = import;
        Volatile.Write(ref _import, null);
    }

    private Batch Close(long first)
    {
        var batch = _open;
        _open = batches.Rent();
        if (_events.Length == 0) return batch;
        var touched = core.TouchedStock.ToArray();
        batch.Close(_events.Written.ToArray(), first, core.Seal(), touched);
        _events.Truncate(0);
        if (core.TryOrderMemory()) ThreadPool.UnsafeQueueUserWorkItem(static core => core.MakeMemory(), core, preferLocal: false);
        return batch;
    }
}
