using OrderEngine.Load.Measuring;
using OrderEngine.Load.Model;
using OrderEngine.Load.Running;
using OrderEngine.Load.Scenarios;

namespace OrderEngine.Load.Tests;

public class ScenarioRunnerTests
{
    private const long Ms = MachineClock.Millisecond;

    [Fact]
    public async Task Keep_constant_has_just_so_many_runs_going_and_times_each_from_its_own_beginning()
    {
        var clock = new VirtualClock();
        var scenario = new TogetherScenario(clock, together: 3, lasting: 10 * Ms);
        var phases = await new ScenarioRunner(clock).RunAsync(scenario, [LoadSimulation.KeepConstant(3, TimeSpan.FromMilliseconds(100))], TimeSpan.Zero, CancellationToken.None);
        var phase = Assert.Single(phases);
        Assert.Equal(30, phase.Main.Items);
        Assert.Equal([0, 1, 2], scenario.Copies.Order());
        Assert.Equal(10, phase.Main.Latency.MaxNanos / 1e6);
        Assert.Equal(10, phase.Main.Latency.MinNanos / 1e6);
        Assert.Equal(0, phase.SendLag.Count);
    }

    [Fact]
    public async Task The_warm_up_is_run_and_not_counted()
    {
        var clock = new VirtualClock();
        var scenario = new TogetherScenario(clock, together: 2, lasting: 10 * Ms);
        var phases = await new ScenarioRunner(clock).RunAsync(scenario, [LoadSimulation.KeepConstant(2, TimeSpan.FromMilliseconds(50))],
            TimeSpan.FromMilliseconds(30), CancellationToken.None);
        Assert.Equal([ScenarioRunner.WarmUpPhase, "keep-constant"], scenario.Phases);
        Assert.Equal(10, Assert.Single(phases).Main.Items);
        Assert.Equal(16, scenario.Runs);
    }

    [Theory]
    [InlineData(new[] { 60, 10, 20, 10 })]
    [InlineData(new[] { 1, 1 })]
    [InlineData(new[] { 3 })]
    public void A_mix_has_its_parts_in_the_proportion_of_their_weights(int[] weights)
    {
        var turns = MixedScenario.Turns(weights);
        for (var part = 0; part < weights.Length; part++) Assert.Equal(weights[part], turns.Count(t => t == part));
        // Spread, not in blocks: a tenth of the turns has about a tenth of the heaviest part.
        var tenth = turns.Take(turns.Length / 10).Count(t => t == 0);
        Assert.InRange(tenth, weights[0] / 10 - 1, weights[0] / 10 + 1);
    }

    /// <summary>Runs come back only when as many as expected are inside at once, after virtual time has passed: it hangs with fewer.</summary>
    private sealed class TogetherScenario(VirtualClock clock, int together, long lasting) : IScenario
    {
        private readonly Lock _gate = new();
        private TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _inside;

        public string Name => "together";

        public string Description => "";

        public List<string> Phases { get; } = [];

        public int Runs { get; private set; }

        public HashSet<long> Copies { get; } = [];

        public IReadOnlyList<LoadSimulation> Simulations(TimeSpan during) => [];

        public Task BeginPhaseAsync(PhaseRecorderView phase, CancellationToken cancellationToken)
        {
            Phases.Add(phase.Name);
            return Task.CompletedTask;
        }

        public async ValueTask<Response> RunAsync(Invocation invocation)
        {
            Task all;
            lock (_gate)
            {
                Runs++;
                Copies.Add(invocation.Copy);
                all = _all.Task;
                if (++_inside > together) return Response.Fail("TOO_MANY");
                if (_inside == together)
                {
                    _inside = 0;
                    clock.WaitUntil(clock.Now + lasting);
                    _all.SetResult();
                    _all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }
            await all;
            return Response.Ok();
        }
    }
}
