// The engine's clock: never backwards, and never standing still.

namespace OrderEngine.Engine.Tests;

public sealed class ClockTests
{
    private const long Second = 1_000_000;

    /// <summary>A wall clock that can be set apart from the monotonic one.</summary>
    private sealed class TwoClocks : TimeProvider
    {
        public long WallMicros { get; set; } = 1_000 * Second;

        public long Elapsed { get; set; }

        public override long TimestampFrequency => Second;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddMicroseconds(WallMicros);

        public override long GetTimestamp() => Elapsed;
    }

    [Fact]
    public void A_wall_clock_set_back_lets_time_go_on_at_half_its_pace_until_it_has_caught_up()
    {
        var time = new TwoClocks();
        var clock = new EngineClock(time);
        var start = clock.Advance();
        Assert.Equal(time.WallMicros, start);

        time.WallMicros -= 60 * Second;
        Assert.Equal(start, clock.Now);
        Pass(time, 10 * Second);
        Assert.Equal(start + 5 * Second, clock.Advance());
        Pass(time, 100 * Second);
        // The wall clock is ahead again, and counts.
        Assert.Equal(time.WallMicros, clock.Advance());
        Assert.Equal(start + 50 * Second, clock.Now);
    }

    [Fact]
    public void Recorded_time_ahead_of_the_wall_clock_is_a_floor_that_moves()
    {
        var time = new TwoClocks();
        var clock = new EngineClock(time);
        var ahead = time.WallMicros + 3_600 * Second;
        clock.RaiseTo(ahead);
        Assert.Equal(ahead, clock.Now);
        Pass(time, 2 * Second);
        Assert.Equal(ahead + Second, clock.Now);
        clock.RaiseTo(ahead - Second);
        Assert.True(clock.Now >= ahead);
    }

    private static void Pass(TwoClocks time, long micros)
    {
        time.WallMicros += micros;
        time.Elapsed += micros;
    }
}
