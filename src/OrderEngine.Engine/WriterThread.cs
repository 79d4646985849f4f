// The writer's thread: a thin shell around WriterLoop. It waits for room in the journal first, then for something to do, so that
// commands that come in while both commits are under way wake nobody and form the next batch.

using OrderEngine.Core;
using OrderEngine.Journal;

namespace OrderEngine.Engine;

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

    public void Start() => new Thread(Run) { Name = "engine-writer", IsBackground = true }.Start();

    private void Run()
    {
        using var timer = new DueTimer(_time, _intake.Wake);
        try
        {
            while (NextBatch(timer) is { } batch) _publisher.Begin(batch);
        }
        catch (Exception exception)
        {
            _failure.Fail(exception is JournalException ? ExitCodes.JournalFailed : ExitCodes.StateUntrusted,
                exception is JournalException ? "The journal does not take a batch." : "The writer cannot go on: " + exception.Message, exception);
        }
        _ended.SetResult();
    }

    /// <summary>Waits for room, then for work; null when the engine stops or has failed.</summary>
    private Batch? NextBatch(DueTimer timer)
    {
        _publisher.WaitForSlot();
        while (!_failure.HasFailed)
        {
            var batch = _loop.Turn(out var now);
            if (batch is not null) return batch;
            if (_loop.IsFinished) return null;
            if (_loop.HasMoreToDo) continue;
            timer.Arm(_loop.NextDue, now);
            _intake.WaitForWork();
        }
        return null;
    }
}
