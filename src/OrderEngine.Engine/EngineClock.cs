// The engine's time: the wall clock in microseconds, held so that it never runs backwards. Any thread.

namespace OrderEngine.Engine;

/// <summary>
/// Wall-clock time that never runs behind what was seen or recorded before. While the wall clock is behind that (it was set back, or had been
/// ahead), time goes on at half its pace until the wall clock has caught up: deadlines and holds still end.
/// </summary>
internal sealed class EngineClock(TimeProvider time)
{
    /// <param name="Micros">The latest time that anybody was given for keeps.</param>
    /// <param name="Timestamp">When that was, by the monotonic clock.</param>
    private sealed record Floor(long Micros, long Timestamp);

    private Floor _floor = new(0, 0);

    /// <summary>Microseconds since 1970.</summary>
    public long Now
    {
        get
        {
            var floor = Volatile.Read(ref _floor);
            var wall = Wall();
            return wall >= floor.Micros ? wall : floor.Micros + (long)time.GetElapsedTime(floor.Timestamp).TotalMicroseconds / 2;
        }
    }

    /// <summary>Now, as the writer's next time: nobody sees an earlier one afterwards. Writer only.</summary>
    public long Advance()
    {
        var now = Now;
        Volatile.Write(ref _floor, new Floor(now, time.GetTimestamp()));
        return now;
    }

    /// <summary>Never runs behind <paramref name="micros"/> from now on: the time of recorded events. Writer, or before it starts.</summary>
    public void RaiseTo(long micros)
    {
        if (micros > Volatile.Read(ref _floor).Micros) Volatile.Write(ref _floor, new Floor(micros, time.GetTimestamp()));
    }

    private long Wall() => (time.GetUtcNow().UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond;
}

/// <summary>Wakes the writer when the core's next timer is due. Set by the writer; rings on a pool thread.</summary>
internal sealed class DueTimer : IDisposable
{
    private readonly ITimer _timer;
    private long _armedFor = long.MaxValue;

    public DueTimer(TimeProvider time, Action ring) =>
        _timer = time.CreateTimer(static ring => ((Action)ring!)(), ring, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>
    /// Rings at <paramref name="due"/> or somewhat before. Left alone when it rings early enough already: an early ring costs an empty
    /// turn, setting the timer at every commit costs more.
    /// </summary>
    public void Arm(long due, long now)
    {
        if (due == long.MaxValue || _armedFor > now && _armedFor <= due) return;
        var delay = Math.Clamp(due - now, 0, EngineBounds.MaxTimerMicros);
        _armedFor = now + delay;
        // Timers count in milliseconds: round up, so that the ring finds the deadline passed.
        _timer.Change(TimeSpan.FromMilliseconds((delay + 999) / 1000), Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer.Dispose();
}
