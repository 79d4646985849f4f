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
        var runs = Runs(clock, phase, invocation =>
        {
            if (invocation.Number == 50) clock.WaitUntil(clock.Now + 200 * Ms); // The machine gave the generator no time.
            return ValueTask.FromResult(Response.Ok());
        });
        OpenLoop.Pump(new ArrivalSchedule(100, 100, TimeSpan.FromSeconds(1)), 0, clock, OpenLoop.DefaultTick, runs.Launch, CancellationToken.None);
        Assert.Equal(200, phase.Main.Latency.MaxNanos / 1e6);
        Assert.Equal(190, phase.SendLag.MaxNanos / 1e6);
        Assert.Equal(190, phase.Main.Latency.PercentileMs(99), tolerance: 0.1);
        Assert.Equal(100, phase.Main.Latency.Count);
        // From sending, only the run that held everything up took long: those behind it waited for the generator.
        Assert.Equal(200, phase.Step(OpenLoop.FromSending).Latency.MaxNanos / 1e6);
        Assert.Equal(0, phase.Step(OpenLoop.FromSending).Latency.PercentileMs(98));
    }

    [Theory]
    [InlineData(250, 1)] // Rarer than the tick: each when it is due.
    [InlineData(10_000, 0)]
    public void Nothing_is_sent_before_it_is_due_nor_later_where_no_tick_stands_in_the_way(double rate, double tick)
    {
        var clock = new VirtualClock();
        var sent = new List<(long Due, long At)>();
        OpenLoop.Pump(new ArrivalSchedule(rate, rate, TimeSpan.FromSeconds(2)), 0, clock, TimeSpan.FromMilliseconds(tick), arrival => sent.Add((arrival.Due, clock.Now)), CancellationToken.None);
        Assert.Equal(2 * rate, sent.Count);
        Assert.All(sent, s => Assert.Equal(s.Due, s.At));
        Assert.Equal((long)(1_000 / rate * Ms), sent[1].Due);
        Assert.Equal(2 * MachineClock.Second, clock.Now);
    }

    [Fact]
    public void What_is_due_within_a_tick_is_sent_at_its_end_together_and_the_lateness_is_told()
    {
        var clock = new VirtualClock();
        var phase = new PhaseRecorder("inject", "test", 0);
        var runs = Runs(clock, phase, _ => ValueTask.FromResult(Response.Ok()));
        var wakings = new List<long>();
        OpenLoop.Pump(new ArrivalSchedule(10_000, 10_000, TimeSpan.FromSeconds(1)), 0, clock, OpenLoop.DefaultTick, arrival =>
        {
            Assert.InRange(clock.Now - arrival.Due, 0, Ms);
            if (arrival.SinceWaking == 0) wakings.Add(clock.Now);
            runs.Launch(arrival);
        }, CancellationToken.None);
        Assert.InRange(wakings.Count, 999, 1_001);
        Assert.All(wakings.Zip(wakings.Skip(1)), pair => Assert.Equal(Ms, pair.Second - pair.First));
        // Answered at once: what is left is what the tick added, and it is in the latency as in the send lag.
        Assert.Equal(10_000, phase.Main.Latency.Count);
        Assert.Equal(phase.SendLag.MeanNanos, phase.Main.Latency.MeanNanos);
        Assert.InRange(phase.SendLag.PercentileMs(50), 0.3, 0.6);
        Assert.InRange(phase.SendLag.PercentileMs(99), 0.8, 1);
        Assert.Equal(0, phase.Step(OpenLoop.FromSending).Latency.MaxNanos);
    }

    [Fact]
    public void Starting_and_timing_a_run_allocates_nothing()
    {
        var clock = new VirtualClock();
        var phase = new PhaseRecorder("inject", "test", 0);
        var runs = Runs(clock, phase, _ => ValueTask.FromResult(Response.Ok()));
        void Launch(int count)
        {
            for (var i = 0; i < count; i++) runs.Launch(new Arrival(i, 0, 0));
        }

        Launch(1_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Launch(100_000);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000);
        Assert.Equal(101_000, phase.Main.Items);
    }

    [Fact]
    public void More_than_may_be_unanswered_are_not_sent_and_places_come_free_with_the_answers()
    {
        // Whoever answers goes on at once, as on the pool.
        SynchronizationContext.SetSynchronizationContext(null);
        var clock = new VirtualClock();
        var phase = new PhaseRecorder("inject", "test", 0);
        var answers = new Queue<TaskCompletionSource<Response>>();
        var runs = Runs(clock, phase, _ =>
        {
            answers.Enqueue(new TaskCompletionSource<Response>());
            return new ValueTask<Response>(answers.Last().Task);
        }, maxUnanswered: 3);
        for (var i = 0; i < 5; i++) runs.Launch(new Arrival(i, 0, 0));
        Assert.Equal((3, 3), (answers.Count, runs.Unanswered));
        Assert.Equal(2, phase.Main.Statuses[OpenLoop.NotSent]);

        answers.Dequeue().SetResult(Response.Ok());
        answers.Dequeue().SetException(new InvalidOperationException("defect"));
        Assert.Equal(1, runs.Unanswered);
        for (var i = 5; i < 8; i++) runs.Launch(new Arrival(i, 0, 0));
        while (answers.TryDequeue(out var answer)) answer.SetResult(Response.Ok());
        Assert.Equal(0, runs.Unanswered);
        Assert.Equal((4, 3, 1), (phase.Main.Items, phase.Main.Statuses[OpenLoop.NotSent], phase.Main.Statuses[nameof(InvalidOperationException)]));

        // Far behind the pump's waking they go through the pool, and are answered all the same.
        var others = new PhaseRecorder("inject", "test", 0);
        var pooled = Runs(clock, others, _ => ValueTask.FromResult(Response.Ok()));
        for (var i = 0; i < 100; i++) pooled.Launch(new Arrival(i, 0, 1_000));
        Assert.True(SpinWait.SpinUntil(() => pooled.Unanswered == 0, TimeSpan.FromSeconds(30)));
        Assert.Equal((100, 0), (others.Main.Items, others.Main.Failed));
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
        OpenLoop.Pump(new ArrivalSchedule(rate, rate, during), 0, clock, OpenLoop.DefaultTick, arrival => runs.Add(OpenLoop.RunOneAsync(async invocation =>
        {
            await clock.At(answeredAt(clock, invocation.Begun));
            return Response.Ok();
        }, new Invocation(arrival.Number, arrival.Number, arrival.Due, clock, phase, CancellationToken.None), phase)), CancellationToken.None);
        clock.WaitUntil(10 * MachineClock.Second);
        Assert.All(runs, run => Assert.True(run.IsCompletedSuccessfully));
        return phase;
    }

    private static OpenLoopRuns Runs(ILoadClock clock, PhaseRecorder phase, Func<Invocation, ValueTask<Response>> run, int maxUnanswered = OpenLoop.MaxUnanswered)
    {
        long number = -1;
        return new OpenLoopRuns(new Lambda(run, maxUnanswered), clock, phase, () => Interlocked.Increment(ref number), CancellationToken.None);
    }

    private sealed class Lambda(Func<Invocation, ValueTask<Response>> run, int maxUnanswered) : IScenario
    {
        public string Name => "test";

        public string Description => "";

        public int MaxUnanswered => maxUnanswered;

        public IReadOnlyList<LoadSimulation> Simulations(TimeSpan during) => [];

        public ValueTask<Response> RunAsync(Invocation invocation) => run(invocation);
    }
}
