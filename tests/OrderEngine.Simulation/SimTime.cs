// Time of the simulated machine: a monotonic clock that only the simulation moves, and a wall clock that may be set forward and back.
// Timers ring on the thread that moves the time. It outlives the simulated processes; each forgets its predecessor's timers.

namespace OrderEngine.Simulation;

internal sealed class SimTime : TimeProvider
{
    private static readonly DateTimeOffset s_epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly List<SimTimer> _timers = [];
    private TimeSpan _now;

    /// <summary>How far the wall clock is off the monotonic one.</summary>
    public TimeSpan WallOffset { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _now.Ticks + 1;

    public override DateTimeOffset GetUtcNow() => s_epoch + _now + WallOffset;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimTimer(this, callback, state);
        lock (_timers) _timers.Add(timer);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>The process that set them is gone.</summary>
    public void ForgetTimers()
    {
        lock (_timers) _timers.Clear();
    }

    /// <summary>Moves the monotonic clock, ringing each timer at its time.</summary>
    public void Advance(TimeSpan by)
    {
        var until = _now + by;
        while (true)
        {
            SimTimer? next;
            lock (_timers) next = _timers.Where(timer => timer.Due <= until).MinBy(timer => timer.Due);
            if (next is null) break;
            if (next.Due > _now) _now = next.Due;
            next.Ring();
        }
        _now = until;
    }

    private sealed class SimTimer(SimTime time, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;

        public TimeSpan Due { get; private set; } = TimeSpan.MaxValue;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _period = period;
            Due = dueTime == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : time._now + dueTime;
            return true;
        }

        public void Ring()
        {
            // A period of nothing would ring for ever at one instant.
            Due = _period <= TimeSpan.Zero ? TimeSpan.MaxValue : time._now + _period;
            callback(state);
        }

        public void Dispose()
        {
            lock (time._timers) time._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
