// The lanes: bounded, fair, in order; deadlines and withdrawals while queued (rules 8 and 14).

using Microsoft.Extensions.Logging.Abstractions;
using OrderEngine.Core;
using OrderEngine.Core.Events;

namespace OrderEngine.Engine.Tests;

public sealed class IntakeTests
{
    [Fact]
    public void The_priority_lane_goes_first_but_never_starves_the_normal_one()
    {
        using var intake = new Intake(new EngineOptions());
        var pool = new PendingCommandPool();
        var normal = Fill(intake, pool, Lane.Normal, 20);
        var priority = Fill(intake, pool, Lane.Priority, 100);
        var taken = new List<bool>();
        var order = new List<PendingCommand>();
        while (intake.Take() is { } pending)
        {
            taken.Add(priority.Contains(pending));
            order.Add(pending);
        }
        // Eight of the priority lane, one of the normal, as long as there are both.
        for (var i = 0; i < 108; i++) Assert.Equal(i % (EngineBounds.PriorityBurst + 1) != EngineBounds.PriorityBurst, taken[i]);
        Assert.All(taken.Skip(112), isPriority => Assert.False(isPriority));
        Assert.Equal(normal, order.Where(normal.Contains));
        Assert.Equal(priority, order.Where(priority.Contains));
    }

    [Fact]
    public async Task A_priority_command_overtakes_normal_ones()
    {
        await using var host = await Host.Serving();
        host.Journal.IsManual = true;
        var inFlight = await BlockWriter(host);
        var normal = host.Execute(Host.Submit()).AsTask();
        var priority = host.Execute(Host.Submit(), Lane.Priority).AsTask();
        host.Journal.GoAutomatic();
        await Task.WhenAll(inFlight);
        Assert.True(Order(await priority) < Order(await normal));
    }

    [Fact]
    public async Task A_full_lane_refuses_at_once_and_the_other_one_does_not()
    {
        await using var host = await Host.Serving(new EngineOptions { NormalQueueCapacity = 4, PriorityQueueCapacity = 4 });
        host.Journal.IsManual = true;
        var inFlight = await BlockWriter(host);
        var queued = Enumerable.Range(0, 4).Select(_ => host.Execute(Host.Submit()).AsTask()).ToList();
        var refused = host.Execute(Host.Submit());
        Assert.True(refused.IsCompletedSuccessfully);
        Assert.Equal(Outcome.QueueFull, (await refused).Outcome);
        var check = host.Engine.CheckAsync(Host.Submit(), default);
        Assert.True(check.IsCompletedSuccessfully);
        Assert.Equal(Outcome.QueueFull, (await check).Outcome);
        var priority = host.Execute(Host.Submit(), Lane.Priority).AsTask();
        Assert.False(priority.IsCompleted);
        host.Journal.GoAutomatic();
        Assert.All(await Task.WhenAll([.. inFlight, .. queued, priority]), answer => Assert.Equal(Outcome.Ok, answer.Outcome));
        Assert.Equal(2, host.Metrics.Count(CommandKind.SubmitOrder, Outcome.QueueFull));
        await host.Ok(Host.Submit());
    }

    [Fact]
    public async Task A_stream_waits_for_room_and_keeps_its_order()
    {
        await using var host = await Host.Serving(new EngineOptions { NormalQueueCapacity = 4 });
        host.Journal.IsManual = true;
        var inFlight = await BlockWriter(host);
        var queued = new List<PendingAnswer>();
        for (var i = 0; i < 4; i++) queued.Add(await host.Engine.EnqueueAsync(Host.Submit(), Lane.Normal, 0, default));
        var waiting = host.Engine.EnqueueAsync(Host.Submit(), Lane.Normal, 0, default).AsTask();
        using var cancel = new CancellationTokenSource();
        var withdrawn = host.Engine.EnqueueAsync(Host.Submit(), Lane.Normal, 0, cancel.Token).AsTask();
        Assert.False(waiting.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => withdrawn);
        host.Journal.GoAutomatic();
        queued.Add(await waiting);
        var orders = new List<long>();
        foreach (var answer in queued) orders.Add(Order(await answer));
        await Task.WhenAll(inFlight);
        Assert.Equal([2L, 3, 4, 5, 6], orders);
    }

    [Fact]
    public async Task Streams_that_found_the_lane_full_go_on_when_half_of_it_is_empty_or_it_is_closed()
    {
        using var intake = new Intake(new EngineOptions { NormalQueueCapacity = 8 });
        var pool = new PendingCommandPool();
        // Whoever goes on says so here first, at once.
        var context = new Posts();
        var put = context.Within(() => Enumerable.Range(0, 11).Select(_ => intake.PutAsync(Lane.Normal, Streamed(pool), default).AsTask()).ToList());
        Assert.Equal(8, put.Count(task => task.IsCompletedSuccessfully));
        for (var i = 0; i < 3; i++) Assert.NotNull(intake.Take());
        Assert.Equal((0, 5), (context.Count, intake.Length(Lane.Normal, streamed: true)));
        Assert.NotNull(intake.Take());
        context.RunAll();
        Assert.All(await Task.WhenAll(put), Assert.True);
        Assert.Equal(7, intake.Length(Lane.Normal, streamed: true));
        var last = context.Within(() => Enumerable.Range(0, 2).Select(_ => intake.PutAsync(Lane.Normal, Streamed(pool), default).AsTask()).ToList());
        Assert.Equal([true, false], last.Select(task => task.IsCompleted));
        intake.Close();
        context.RunAll();
        Assert.False(await last[1]);
        for (var i = 0; i < 8; i++) Assert.NotNull(intake.Take());
        Assert.Null(intake.Take());
        Assert.True(intake.IsDrained);
    }

    [Fact]
    public async Task Single_calls_have_room_and_their_turn_beside_streams_that_fill_the_lane()
    {
        const int Capacity = 8;
        await using var host = await Host.Serving(new EngineOptions { NormalQueueCapacity = Capacity });
        host.Journal.IsManual = true;
        var inFlight = await BlockWriter(host);
        var streamed = new List<PendingAnswer>();
        for (var i = 0; i < Capacity; i++) streamed.Add(await host.Engine.EnqueueAsync(Host.Submit(), Lane.Normal, 0, default));
        // One stream has all that streams may have, and more waits.
        var waiting = host.Engine.EnqueueAsync(Host.Submit(), Lane.Normal, 0, default).AsTask();
        Assert.False(waiting.IsCompleted);
        var single = Enumerable.Range(0, Capacity).Select(_ => host.Execute(Host.Submit()).AsTask()).ToList();
        Assert.Equal((2 * Capacity, Capacity, Capacity), (host.Engine.QueueLength(Lane.Normal), host.Engine.QueueLength(Lane.Normal, false), host.Engine.QueueLength(Lane.Normal, true)));
        Assert.Equal(Outcome.QueueFull, (await host.Execute(Host.Submit())).Outcome);
        host.Journal.GoAutomatic();
        await Task.WhenAll(inFlight);
        // By turns: the calls that came last are not behind the whole stream.
        var orders = new List<(long Order, bool IsSingle)>();
        foreach (var answer in single) orders.Add((Order(await answer), true));
        foreach (var answer in streamed) orders.Add((Order(await answer), false));
        orders.Sort();
        for (var i = 1; i < 2 * Capacity; i++) Assert.NotEqual(orders[i - 1].IsSingle, orders[i].IsSingle);
        Assert.Equal(Outcome.Ok, (await (await waiting)).Outcome);
    }

    [Fact]
    public async Task A_deadline_that_passes_in_the_queue_is_not_applied()
    {
        await using var host = await Host.Serving();
        host.Journal.IsManual = true;
        var inFlight = await BlockWriter(host);
        var now = host.Engine.NowMicros;
        var late = host.Execute(Host.Submit(), deadline: now + 1_000_000).AsTask();
        var good = host.Execute(Host.Submit(), deadline: now + 1_000_001).AsTask();
        host.Time.Advance(TimeSpan.FromSeconds(1));
        host.Journal.GoAutomatic();
        Assert.Equal((Outcome.DeadlinePassed, false), ((await late).Outcome, (await late).WasDecided));
        Assert.Equal(Outcome.Ok, (await good).Outcome);
        await Task.WhenAll(inFlight);
        Assert.Equal(2, host.Engine.View.Summary.Orders);
    }

    [Fact]
    public async Task A_command_withdrawn_in_the_queue_is_not_applied()
    {
        await using var host = await Host.Serving();
        host.Journal.IsManual = true;
        var inFlight = await BlockWriter(host);
        using var cancel = new CancellationTokenSource();
        var withdrawn = host.Execute(Host.Submit(), ct: cancel.Token).AsTask();
        await cancel.CancelAsync();
        host.Journal.GoAutomatic();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => withdrawn);
        await Task.WhenAll(inFlight);
        Assert.Equal(1, host.Engine.View.Summary.Orders);
    }

    [Fact]
    public async Task A_command_withdrawn_after_it_was_decided_is_answered()
    {
        await using var host = await Host.Serving();
        host.Journal.IsManual = true;
        using var cancel = new CancellationTokenSource();
        var appends = host.Journal.Appends;
        var answer = host.Execute(Host.Submit(), ct: cancel.Token).AsTask();
        await host.Journal.WhenAppended(appends + 1);
        await cancel.CancelAsync();
        host.Journal.GoAutomatic();
        Assert.Equal(Outcome.Ok, (await answer).Outcome);
    }

    [Fact]
    public void Settings_out_of_bounds_are_named()
    {
        var problems = new EngineOptions { NormalQueueCapacity = 0, CommitDeadline = TimeSpan.FromMilliseconds(1) }.Problems();
        Assert.Equal(2, problems.Count);
        Assert.Contains("NormalQueueCapacity is 0 commands; it must be 1 to 1000000.", problems);
        Assert.Empty(new EngineOptions().Problems());
        Assert.Throws<ArgumentException>(() => new Engine(new EngineOptions { MaxBatchBytes = EngineBounds.MaxBatchBytes + 1 }, (_, _) => new MemoryJournal(),
            _ => throw new InvalidOperationException(), new ManualTime(), new RecordingFailStop(), new EngineMetrics(), NullLogger<Engine>.Instance));
    }

    /// <summary>Puts a commit under way, so that the writer takes nothing more while few commands wait.</summary>
    internal static async Task<List<Task<CommandAnswer>>> BlockWriter(Host host)
    {
        var appends = host.Journal.Appends;
        var first = host.Execute(Host.Submit()).AsTask();
        await host.Journal.WhenAppended(appends + 1);
        await WhenBlocked(host);
        return [first];
    }

    /// <summary>Puts two commits of a command each under way. The engine's batches are of one command.</summary>
    /// <param name="host">The engine.</param>
    /// <param name="waiting">Commands that wait behind them: as many as are worth a further commit, or one less.</param>
    internal static async Task<List<Task<CommandAnswer>>> BlockWriterWithTwo(Host host, int waiting)
    {
        var appends = host.Journal.Appends;
        var before = await BlockWriter(host);
        var answers = Enumerable.Range(0, waiting + 2).Select(_ => host.Execute(Host.Submit()).AsTask()).ToList();
        host.Journal.Commit();
        await Task.WhenAll(before);
        await host.Journal.WhenAppended(appends + 3);
        await WhenBlocked(host);
        return answers;
    }

    /// <summary>Completes when the writer waits for a commit: what is queued from now on is decided after it.</summary>
    internal static async Task WhenBlocked(Host host)
    {
        var waited = System.Diagnostics.Stopwatch.StartNew();
        while (!host.Engine.WaitsForCommits)
        {
            Assert.True(waited.Elapsed < MemoryJournal.Patience, "The writer does not wait for the commit that is under way.");
            await Task.Yield();
        }
    }

    private static long Order(CommandAnswer answer) => new EventView(answer.Event.Span).Order;

    private sealed class Posts : SynchronizationContext
    {
        private readonly Queue<(SendOrPostCallback Callback, object? State)> _posts = [];

        public int Count => _posts.Count;

        public override void Post(SendOrPostCallback d, object? state) => _posts.Enqueue((d, state));

        public T Within<T>(Func<T> call)
        {
            var before = Current;
            SetSynchronizationContext(this);
            try
            {
                return call();
            }
            finally
            {
                SetSynchronizationContext(before);
            }
        }

        public void RunAll() => Within(() =>
        {
            while (_posts.TryDequeue(out var post)) post.Callback(post.State);
            return 0;
        });
    }

    private static PendingCommand Streamed(PendingCommandPool pool)
    {
        var pending = pool.Rent();
        pending.Set(new UnknownCommand(), isStreamed: true, isCheck: false, 0, default);
        return pending;
    }

    private static List<PendingCommand> Fill(Intake intake, PendingCommandPool pool, Lane lane, int count)
    {
        var put = new List<PendingCommand>();
        for (var i = 0; i < count; i++)
        {
            var pending = pool.Rent();
            pending.Set(new UnknownCommand(), isStreamed: false, isCheck: false, 0, default);
            Assert.True(intake.TryPut(lane, pending));
            put.Add(pending);
        }
        return put;
    }
}
