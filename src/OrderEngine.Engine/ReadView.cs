// What readers may see: one immutable summary behind one volatile reference. Published by the publisher, read by any thread.

using OrderEngine.Core;
using OrderEngine.Core.State;

namespace OrderEngine.Engine;

/// <summary>The durable state for readers. Enter a guard of <see cref="Reader"/>, then take <see cref="DurableSequence"/>, then look.</summary>
public sealed class ReadView
{
    private readonly Lock _sync = new();
    private readonly PriorityQueue<TaskCompletionSource, long> _waiters = new();
    private StateSummary _summary = new(0, 0, 0, 0, 0, 0, 0, 0, 0);
    private bool _closed;

    internal ReadView(StateReader reader) => Reader = reader;

    /// <summary>The last sequence that is durable and visible. An answer's sequence is never above it once the answer is given.</summary>
    public long DurableSequence => Summary.Sequence;

    /// <summary>The figures of the whole state, true at <see cref="DurableSequence"/>.</summary>
    public StateSummary Summary => Volatile.Read(ref _summary);

    /// <summary>The rows.</summary>
    public StateReader Reader { get; }

    /// <summary>Waits until <paramref name="minSequence"/> is durable and visible; completes at once when it is.</summary>
    /// <exception cref="OperationCanceledException">Cancelled, or the engine stopped before it got there.</exception>
    public ValueTask WaitForAsync(long minSequence, CancellationToken cancellationToken)
    {
        if (DurableSequence >= minSequence) return ValueTask.CompletedTask;
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_sync)
        {
            if (_closed) return ValueTask.FromCanceled(new CancellationToken(true));
            // Checked again: Publish looks for waiters under this lock, after its write.
            if (DurableSequence >= minSequence) return ValueTask.CompletedTask;
            _waiters.Enqueue(waiter, minSequence);
        }
        return cancellationToken.CanBeCanceled ? Cancellable(waiter, cancellationToken) : new ValueTask(waiter.Task);
    }

    internal void Publish(StateSummary summary)
    {
        Volatile.Write(ref _summary, summary);
        lock (_sync)
        {
            while (_waiters.TryPeek(out var waiter, out var sequence) && sequence <= summary.Sequence)
            {
                _waiters.Dequeue();
                waiter.TrySetResult();
            }
        }
    }

    /// <summary>Nothing will be published any more: who still waits is cancelled.</summary>
    internal void Close()
    {
        lock (_sync)
        {
            _closed = true;
            while (_waiters.TryDequeue(out var waiter, out _)) waiter.TrySetCanceled();
        }
    }

    private async ValueTask Cancellable(TaskCompletionSource waiter, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(static (state, token) =>
        {
            var (view, waiter) = ((ReadView, TaskCompletionSource))state!;
            lock (view._sync) view._waiters.Remove(waiter, out _, out _);
            waiter.TrySetCanceled(token);
        }, (this, waiter));
        await waiter.Task;
    }
}
