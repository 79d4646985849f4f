using OrderEngine.Load.Measuring;
using OrderEngine.Load.Model;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.Tests;

public class OpenLoopTests
{
    private const long Ms = MachineClock.Millisecond;

    [Fact]
    public void A_stalled_server_shows_as_latency_of_all_that_was_due_meanwhile()
    {
        // 1,000 arrivals a second for a second; the server answers within 1 ms, except from 300 ms to 800 ms, when it answers nothing.
        var phase = Pump(1_000, TimeSpan.FromSeconds(1), (clock, due) => due is >= 300 * Ms and < 800 * Ms ? 800 * Ms : clock.Now + Ms);
        Assert.Equal(1_000, phase.Main.Latency.Count);
        // Those due at 300, 301, ... 799 ms waited 500, 499, ... 1 ms: a closed loop would have seen one slow request.
        Assert.Equal(1.0, phase.Main.Latency.PercentileMs(50), tolerance: 0.01);
        Assert.Equal(251, phase.Main.Latency.PercentileMs(75), tolerance: 1);
        Assert.Equal(491, phase.Main.Latency.PercentileMs(99), tolerance: 1);
        Assert.Equal(500, phase.Main.Latency.MaxNanos / 1e6);
    }

    [Fact]
    public void A_generator_that_is_late_itself_is_part_of_the_latency_and_is_told()
    {
        var clock = new VirtualClock();
        var phase = new PhaseRecorder("inject", "test", 0);
        OpenLoop.Pump(new ArrivalSchedule(100, 100, TimeSpan.FromSeconds(1)), 0, clock, phase, arrival =>
        {
            if (arrival.Number == 50) clock.WaitUntil(clock.Now + 200 * Ms); // The machine gave the generator no time.
            phase.RecordMain(Response.Ok(), arrival.Due, clock.Now);
        }, CancellationToken.None);
        Assert.Equal(200, phase.Main.Latency.MaxNanos / 1e6);
        Assert.Equal(190, phase.SendLag.MaxNanos / 1e6);
        Assert.Equal(100, phase.Main.Latency.Count);
    }

    [Fact]
    public void Nothing_is_sent_before_it_is_due()
    {
        var clock = new VirtualClock();
        var sent = new List<(long Due, long At)>();
        OpenLoop.Pump(new ArrivalSchedule(250, 250, TimeSpan.FromSeconds(2)), 0, clock, new PhaseRecorder("inject", "test", 0),
            arrival => sent.Add((arrival.Due, clock.Now)), CancellationToken.None);
        Assert.Equal(500, sent.Count);
        Assert.All(sent, s => Assert.Equal(s.Due, s.At));
        Assert.Equal(4 * Ms, sent[1].Due);
        Assert.Equal(1_996 * Ms, sent[^1].Due);
    }

    [Fact]
    public void A_run_that_throws_is_a_failed_one()
    {
        var clock = new VirtualClock();
        var phase = new PhaseRecorder("inject", "test", 0);
        var invocation = new Invocation(0, 0, 0, clock, phase, CancellationToken.None);
        var run = OpenLoop.RunOneAsync(_ => throw new InvalidOperationException("defect"), invocation, phase);
        Assert.True(run.IsCompletedSuccessfully);
        Assert.Equal(1, phase.Main.Failed);
        Assert.Equal(1, phase.Main.Statuses[nameof(InvalidOperationException)]);
    }

    [Theory]
    [InlineData(0, 100, 10, 500)]
    [InlineData(100, 100, 3, 300)]
    [InlineData(200, 50, 4, 500)]
    [InlineData(50, 0, 2, 50)]
    public void A_ramp_owes_the_area_under_it(double from, double to, int seconds, long total)
    {
        var schedule = new ArrivalSchedule(from, to, TimeSpan.FromSeconds(seconds));
        Assert.Equal(total, schedule.Total);
        var dues = Enumerable.Range(0, (int)total).Select(n => schedule.DueNanos(n)).ToList();
        Assert.Equal(dues.Order(), dues);
        Assert.All(dues, due => Assert.InRange(due, 0, seconds * MachineClock.Second));
        // At any moment as many are due as the rate has owed by then: from * t + (to - from) * t^2 / 2T.
        for (var t = 0.25; t < seconds; t += 0.25)
        {
            var owed = from * t + (to - from) * t * t / (2 * seconds);
            Assert.InRange(dues.Count(due => due < t * 1e9), owed - 1, owed + 1);
        }
    }

    private static PhaseRecorder Pump(double rate, TimeSpan during, Func<ILoadClock, long, long> answeredAt)
    {
        var clock = new VirtualClock();
        var phase = new PhaseRecorder("inject", "test", 0);
        var runs = new List<Task>();
        OpenLoop.Pump(new ArrivalSchedule(rate, rate, during), 0, clock, phase, arrival => runs.Add(OpenLoop.RunOneAsync(async invocation =>
        {
            await clock.At(answeredAt(clock, invocation.Begun));
            return Response.Ok();
        }, new Invocation(arrival.Number, arrival.Number, arrival.Due, clock, phase, CancellationToken.None), phase)), CancellationToken.None);
        clock.WaitUntil(10 * MachineClock.Second);
        Assert.All(runs, run => Assert.True(run.IsCompletedSuccessfully));
        return phase;
    }
}
