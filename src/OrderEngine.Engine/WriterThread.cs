// The writer's thread: a thin shell around WriterLoop. It waits for room in the journal first, then for something to do, so that
// commands that come in while both commits are under way wake nobody and form the next batch.

using OrderEngine.Core;
using OrderEngine.Journal;

namespace OrderEngine.Engine;

/// <summary>How a step of the writer ended.</summary>
internal enum WriterStep
{
    /// <summary>The commit of a batch has begun: the next step needs the next slot.</summary>
    Committed,
    /// <summary>There was nothing to do: wait for work.</summary>
    Idle,
    /// <summary>The engine stops or has failed: no further step.</summary>
    Ended,
}

internal sealed class WriterThread
{
    private readonly WriterLoop _loop;
    private readonly Intake _intake;
    private readonly Publisher _publisher;
    private readonly FailureLatch _failure;
    private readonly TimeProvider _time;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public WriterThread(WriterLoop loop, Intake intake, Publisher publisher, FailureLatch failure, TimeProvider time)
    {
        _loop = loop;
        _intake = intake;
        _publisher = publisher;
        _failure = failure;
        _time = time;
    }

    /// <summary>Completes when the thread has come to its end; never fails.</summary>
    public Task Ended => _ended.Task;

    /// <summary>The thread: waits for room, then for work, until the engine stops or has failed.</summary>
    public void Run()
    {
        using var timer = new DueTimer(_time, _intake.Wake);
        _publisher.WaitForSlot();
        while (true)
        {
            switch (Step(timer))
            {
                case WriterStep.Committed: WaitForRoom(); break;
                case WriterStep.Idle: _intake.WaitForWork(); break;
                case WriterStep.Ended: return;
            }
        }
    }

    // A second commit beside one under way for the sake of a few commands would cost them and everybody more than it saves: those that come until the first
    // has ended share the next.
    private void WaitForRoom()
    {
        if (_loop.Ready < EngineBounds.WorthOverlapping) _publisher.WaitForCommits();
        else _publisher.WaitForSlot();
    }

    /// <summary>Whether there is room for a step that follows a commit; takes it.</summary>
    public bool TryEnter() => _publisher.TryWaitForSlot();

    /// <summary>One turn, in a slot that was waited for.</summary>
    public WriterStep Step(DueTimer timer)
    {
        try
        {
            while (!_failure.HasFailed)
            {
                if (_loop.Turn(out var now) is { } batch)
                {
                    _publisher.Begin(batch);
                    return WriterStep.Committed;
                }
                if (_loop.IsFinished) break;
                if (_loop.HasMoreToDo) continue;
                timer.Arm(_loop.NextDue, now);
                return WriterStep.Idle;
            }
        }
        catch (Exception exception)
        {
            _failure.Fail(exception is JournalException ? ExitCodes.JournalFailed : ExitCodes.StateUntrusted,
                exception is JournalException ? "The journal does not take a batch." : "The writer cannot go on: " + exception.Message, exception);
        }
        _ended.TrySetResult();
        return WriterStep.Ended;
    }
}
