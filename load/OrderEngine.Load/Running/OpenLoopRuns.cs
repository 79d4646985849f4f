// The runs of an open loop: a slot for each that is unanswered, used again for the next, so that starting and timing a run allocates nothing.
// Started by the pump's thread; when many are due at once, by the pool's too. Ended by whatever thread has the answer.

using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using OrderEngine.Load.Measuring;
using OrderEngine.Load.Model;

namespace OrderEngine.Load.Running;

/// <summary>The runs of one phase.</summary>
/// <param name="scenario">What is run; its MaxUnanswered bounds the slots.</param>
/// <param name="clock">The run's clock.</param>
/// <param name="recorder">Gets every answer, and how late each run was sent.</param>
/// <param name="nextRun">Numbers the runs of the scenario over all phases.</param>
/// <param name="stop">Given to every run.</param>
public sealed class OpenLoopRuns(IScenario scenario, ILoadClock clock, PhaseRecorder recorder, Func<long> nextRun, CancellationToken stop)
{
    // So many the pump starts itself after it woke, which saves waking another thread; more would make the last of them late, and the pool helps.
    private const int StartedByPump = 32;

    // Neighbours go out on one connection, in one write, instead of waking every connection for a call each.
    private const int OnOneConnection = 8;

    private readonly ConcurrentQueue<Slot> _free = new();
    private readonly StepRecorder _fromSending = recorder.Step(OpenLoop.FromSending);
    private int _slots;
    private long _unanswered;

    /// <summary>Runs that have begun, or wait for a thread, and are not answered.</summary>
    public long Unanswered => Interlocked.Read(ref _unanswered);

    /// <summary>Starts a run, or counts the arrival as not sent when as many as may be are unanswered. The pump's thread only.</summary>
    public void Launch(Arrival arrival)
    {
        if (!_free.TryDequeue(out var slot))
        {
            if (_slots >= scenario.MaxUnanswered)
            {
                recorder.RecordMain(Response.Fail(OpenLoop.NotSent), arrival.Due, clock.Now);
                return;
            }
            _slots++;
            slot = new Slot(this);
        }
        Interlocked.Increment(ref _unanswered);
        slot.Invocation = new Invocation(arrival.Number / OnOneConnection, nextRun(), arrival.Due, clock, recorder, stop);
        if (arrival.SinceWaking < StartedByPump) slot.Execute();
        else ThreadPool.UnsafeQueueUserWorkItem(slot, preferLocal: false);
    }

    private sealed class Slot : IThreadPoolWorkItem
    {
        private readonly OpenLoopRuns _runs;
        private readonly Action _answered;
        private ConfiguredValueTaskAwaitable<Response>.ConfiguredValueTaskAwaiter _awaiter;
        private long _sent;

        public Slot(OpenLoopRuns runs) => (_runs, _answered) = (runs, Answered);

        public Invocation Invocation { get; set; }

        public void Execute()
        {
            _sent = Invocation.Clock.Now;
            Invocation.Phase.SendLag.Record(_sent - Invocation.Begun);
            try
            {
                _awaiter = _runs.Run(Invocation);
            }
            catch (Exception exception)
            {
                End(Outcomes.FromException(exception));
                return;
            }
            if (_awaiter.IsCompleted) Answered();
            else _awaiter.UnsafeOnCompleted(_answered);
        }

        private void Answered()
        {
            Response response;
            try
            {
                response = _awaiter.GetResult();
            }
            catch (Exception exception)
            {
                response = Outcomes.FromException(exception);
            }
            End(response);
        }

        private void End(in Response response)
        {
            var now = Invocation.Clock.Now;
            Invocation.Phase.RecordMain(response, Invocation.Begun, now);
            _runs._fromSending.Record(response, now - _sent);
            _awaiter = default;
            _runs._free.Enqueue(this);
            Interlocked.Decrement(ref _runs._unanswered);
        }
    }

    // The answer is taken once, by the slot.
#pragma warning disable CA2012
    private ConfiguredValueTaskAwaitable<Response>.ConfiguredValueTaskAwaiter Run(in Invocation invocation) => scenario.RunAsync(invocation).ConfigureAwait(false).GetAwaiter();
#pragma warning restore CA2012
}
