// Runs a scenario under its load simulations, phase by phase, and collects the figures.

using OrderEngine.Load.Measuring;
using OrderEngine.Load.Model;

namespace OrderEngine.Load.Running;

/// <summary>How a run stands, for the terminal.</summary>
public sealed record RunProgress(string Scenario, string Unit, PhaseRecorder Phase, TimeSpan Elapsed, TimeSpan During);

/// <summary>Runs one scenario. One run at a time.</summary>
/// <param name="clock">Times everything.</param>
/// <param name="phaseBegins">Told of every phase.</param>
/// <param name="tick">The open loop's; <see cref="OpenLoop.DefaultTick"/> when left out.</param>
public sealed class ScenarioRunner(ILoadClock clock, Action<RunProgress>? phaseBegins = null, TimeSpan? tick = null)
{
    /// <summary>The phase before the first, of which nothing is kept.</summary>
    public const string WarmUpPhase = "warm-up";

    /// <summary>How long unanswered runs of an open loop are waited for after a phase; then they count as failed.</summary>
    public static readonly TimeSpan Drain = TimeSpan.FromSeconds(10);

    private readonly TimeSpan _tick = tick ?? OpenLoop.DefaultTick;
    private long _runs;

    /// <summary>Runs warm-up and all simulations; Init and Clean are the caller's.</summary>
    public async Task<IReadOnlyList<PhaseRecorder>> RunAsync(IScenario scenario, IReadOnlyList<LoadSimulation> simulations, TimeSpan warmUp,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        ArgumentNullException.ThrowIfNull(simulations);
        var phases = new List<PhaseRecorder>();
        if (warmUp > TimeSpan.Zero && simulations.FirstOrDefault(s => s is not Pause) is { } first)
            await PhaseAsync(scenario, first with { During = warmUp, Phase = WarmUpPhase }, [], 0, 0, cancellationToken);
        double rate = 0;
        var copies = 0;
        foreach (var simulation in simulations)
        {
            var phase = await PhaseAsync(scenario, simulation, phases, rate, copies, cancellationToken);
            if (simulation is not Pause) phases.Add(phase);
            rate = simulation switch { Inject inject => Rate(inject, phases), RampingInject ramp => ramp.Rate, _ => 0 };
            copies = simulation switch { KeepConstant keep => keep.Copies, RampingConstant ramp => ramp.Copies, _ => 0 };
        }
        return phases;
    }

    private async Task<PhaseRecorder> PhaseAsync(IScenario scenario, LoadSimulation simulation, IReadOnlyList<PhaseRecorder> before,
        double rate, int copies, CancellationToken cancellationToken)
    {
        PhaseRecorder? begun = null;
        await scenario.BeginPhaseAsync(
            new PhaseRecorderView(simulation.Phase, (step, response, nanos) => Volatile.Read(ref begun)?.Step(step).Record(response, nanos)), cancellationToken);
        var recorder = new PhaseRecorder(simulation.Phase, scenario.Name, clock.Now);
        Volatile.Write(ref begun, recorder);
        phaseBegins?.Invoke(new RunProgress(scenario.Name, scenario.Unit, recorder, TimeSpan.Zero, simulation.During));
        switch (simulation)
        {
            case Inject inject:
                var constant = Rate(inject, before);
                await InjectAsync(scenario, new ArrivalSchedule(constant, constant, inject.During), recorder, inject.During, cancellationToken);
                break;
            case RampingInject ramp:
                await InjectAsync(scenario, new ArrivalSchedule(rate, ramp.Rate, ramp.During), recorder, ramp.During, cancellationToken);
                break;
            case KeepConstant keep:
                await CopiesAsync(scenario, keep.Copies, keep.Copies, recorder, keep.During, cancellationToken);
                break;
            case RampingConstant ramp:
                await CopiesAsync(scenario, copies, ramp.Copies, recorder, ramp.During, cancellationToken);
                break;
            default:
                await clock.WaitUntilAsync(recorder.Start + (long)simulation.During.TotalNanoseconds, cancellationToken);
                recorder.End = clock.Now;
                break;
        }
        return recorder;
    }

    // A relative rate is in runs of the scenario, so what the phase reached in items is divided by the items of a run.
    private static double Rate(Inject inject, IReadOnlyList<PhaseRecorder> before)
    {
        if (inject.RelativeTo is not { } name) return inject.Rate;
        var phase = before.FirstOrDefault(p => p.Name == name);
        if (phase is null) return 1; // The warm-up: there is nothing to relate to yet.
        return Math.Max(1, inject.Rate * phase.Main.Latency.Count / phase.Seconds);
    }

    private async Task InjectAsync(IScenario scenario, ArrivalSchedule schedule, PhaseRecorder recorder, TimeSpan during, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var runs = new OpenLoopRuns(scenario, clock, recorder, () => Interlocked.Increment(ref _runs) - 1, stop.Token);
        var pump = new Thread(() => OpenLoop.Pump(schedule, recorder.Start, clock, _tick, runs.Launch, cancellationToken)) { IsBackground = true, Name = "arrivals" };
        pump.Start();
        await clock.WaitUntilAsync(recorder.Start + (long)during.TotalNanoseconds, cancellationToken);
        await Task.Run(pump.Join, CancellationToken.None);
        recorder.End = Math.Max(recorder.Start + (long)during.TotalNanoseconds, 0);
        var until = clock.Now + (long)Drain.TotalNanoseconds;
        while (runs.Unanswered > 0 && clock.Now < until)
            await clock.WaitUntilAsync(clock.Now + 5 * MachineClock.Millisecond, cancellationToken);
        // What is still unanswered is told to stop, fails as STOPPED, and is counted.
        if (runs.Unanswered > 0) await stop.CancelAsync();
        while (runs.Unanswered > 0)
            await clock.WaitUntilAsync(clock.Now + 5 * MachineClock.Millisecond, cancellationToken);
    }

    private async Task CopiesAsync(IScenario scenario, int from, int to, PhaseRecorder recorder, TimeSpan during, CancellationToken cancellationToken)
    {
        var length = (long)during.TotalNanoseconds;
        var end = recorder.Start + length;
        var all = Math.Max(from, to);
        var tasks = new Task[all];
        for (var copy = 0; copy < all; copy++)
        {
            // Copies that both ends have run throughout; of the others, the k-th joins (or leaves) at its even share of the stretch.
            var share = recorder.Start + (from == to ? 0 : (long)(length * ((double)(copy - Math.Min(from, to)) / Math.Abs(to - from))));
            var begin = copy >= from ? share : recorder.Start;
            var leave = copy >= to ? end - (share - recorder.Start) : end;
            var number = copy;
            tasks[copy] = Task.Run(() => CopyAsync(scenario, number, begin, leave, recorder, cancellationToken), cancellationToken);
        }
        await clock.WaitUntilAsync(end, cancellationToken);
        recorder.End = clock.Now;
        await Task.WhenAll(tasks);
    }

    private async Task CopyAsync(IScenario scenario, int copy, long begin, long end, PhaseRecorder recorder, CancellationToken cancellationToken)
    {
        await clock.WaitUntilAsync(begin, cancellationToken);
        for (var now = clock.Now; now < end && !cancellationToken.IsCancellationRequested; now = clock.Now)
        {
            var invocation = new Invocation(copy, Interlocked.Increment(ref _runs) - 1, now, clock, recorder, cancellationToken);
            await OpenLoop.RunOneAsync(scenario.RunAsync, invocation, recorder);
        }
    }
}
