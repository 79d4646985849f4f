// A clock that moves only when the test says so; timers ring on the thread that moves it.

namespace OrderEngine.Tests;

internal sealed class ManualTime : TimeProvider
{
    private readonly Lock _sync = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private TaskCompletionSource _timerSet = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public long Micros => (GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / 10;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_sync) return _now;
    }

    public override long GetTimestamp() => GetUtcNow().UtcTicks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves the clock and rings what became due.</summary>
    public void Advance(TimeSpan by)
    {
        List<ManualTimer> due;
        lock (_sync)
        {
            _now += by;
            due = [.. _timers.Where(timer => timer.Due <= _now).OrderBy(timer => timer.Due)];
            foreach (var timer in due) timer.Rang(_now);
        }
        foreach (var timer in due) timer.Ring();
    }

    /// <summary>Completes when a timer rings at this time or before: the engine has seen that it has to wait.</summary>
    public async Task WhenTimerSetBy(DateTimeOffset due)
    {
        while (true)
        {
            Task next;
            lock (_sync)
            {
                if (_timers.Any(timer => timer.Due <= due)) return;
                next = _timerSet.Task;
            }
            await next;
        }
    }

    private sealed class ManualTimer(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;

        public DateTimeOffset Due { get; private set; } = DateTimeOffset.MaxValue;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            TaskCompletionSource set;
            lock (time._sync)
            {
                time._timers.Remove(this);
                time._timers.Add(this);
                _period = period;
                Due = dueTime == Timeout.InfiniteTimeSpan ? DateTimeOffset.MaxValue : time._now + dueTime;
                set = time._timerSet;
                time._timerSet = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            set.TrySetResult();
            return true;
        }

        public void Rang(DateTimeOffset now) => Due = _period == Timeout.InfiniteTimeSpan ? DateTimeOffset.MaxValue : now + _period;

        public void Ring() => callback(state);

        public void Dispose()
        {
            lock (time._sync) time._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
