// Promise 1: N parallel submits for k units yield exactly k. Through the engine with its lanes, its writer and its journal, from many threads at
// once; every policy, holds and splits in the core alone: OversellTests (OrderEngine.Core.Tests).

using OrderEngine.Core;
using OrderEngine.Core.State;

namespace OrderEngine.Engine.Tests.Promises;

public sealed class Promise01
{
    private const int Threads = 16, PerThread = 125;
    // Takes a second.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(777, 1)]
    [InlineData(1_000, 3)]
    public async Task Parallel_submits_for_k_units_yield_exactly_k(int units, int each)
    {
        await using var host = await Host.Serving(units: units);
        using var ready = new Barrier(Threads);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Factory.StartNew(() =>
        {
            ready.SignalAndWait();
            var pending = new List<Task<CommandAnswer>>();
            for (var i = 0; i < PerThread; i++) pending.Add(host.Execute(Host.Submit(units: each), i % 5 == 0 ? Lane.Priority : Lane.Normal).AsTask());
            return pending;
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray());
        var answered = Task.WhenAll(outcomes.SelectMany(tasks => tasks));
        // An engine that has failed answers nobody: the process would be gone. Here the test ends, and says why.
        await Task.WhenAny(answered, host.FailStop.Failed).WaitAsync(s_patience);
        if (!answered.IsCompleted)
        {
            var (code, reason, cause) = await host.FailStop.Failed;
            Assert.Fail($"The engine ended with {code}: {reason} {cause?.Message}");
        }
        var answers = await answered;

        var accepted = answers.Count(answer => answer.Outcome == Outcome.Ok);
        Assert.Equal(Math.Min(units / each, Threads * PerThread), accepted);
        Assert.All(answers, answer => Assert.True(answer.Outcome is Outcome.Ok or Outcome.OutOfStock, $"{answer.Outcome}"));

        var reader = host.Engine.View.Reader;
        using var guard = reader.Enter();
        var at = host.Engine.View.DurableSequence;
        Assert.True(reader.Stock(reader.FirstStockSlot(1), at, out var level, out _));
        Assert.Equal((units, accepted * each), ((int)level.OnHand, (int)level.Committed));
        Assert.Empty(Invariants.Check(reader, at).Violations);
    }
}
