// Virtual time: waiting moves it, and what is due on the way happens on the way. Everything runs on the waiting thread.

using OrderEngine.Load.Measuring;

namespace OrderEngine.Load.Tests;

internal sealed class VirtualClock : ILoadClock
{
    private readonly PriorityQueue<TaskCompletionSource, long> _timers = new();
    private readonly Lock _gate = new();
    private long _now;

    public long Now => Interlocked.Read(ref _now);

    /// <summary>Completes when virtual time reaches the moment, inside the call that moves it there.</summary>
    public Task At(long moment)
    {
        var timer = new TaskCompletionSource();
        lock (_gate)
        {
            if (moment <= Now) return Task.CompletedTask;
            _timers.Enqueue(timer, moment);
        }
        return timer.Task;
    }

    public void WaitUntil(long moment)
    {
        while (true)
        {
            TaskCompletionSource timer;
            lock (_gate)
            {
                if (!_timers.TryPeek(out timer!, out var due) || due > moment)
                {
                    _now = Math.Max(_now, moment);
                    return;
                }
                _timers.Dequeue();
                _now = Math.Max(_now, due);
            }
            timer.SetResult();
        }
    }

    public Task WaitUntilAsync(long moment, CancellationToken cancellationToken) => At(moment).WaitAsync(cancellationToken);
}
