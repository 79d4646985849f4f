// Recovery, timers, failure and the graceful stop (rules 5, 6, 10).

using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Journal;

namespace OrderEngine.Engine.Tests;

public sealed class LifeTests
{
    [Fact]
    public async Task Recovery_gives_the_state_that_was_live()
    {
        await using var first = await Host.Serving(units: 50);
        for (var i = 0; i < 40; i++) await first.Execute(Host.Submit(sku: 1 + i % 4, units: 1 + i % 3, policy: AllocationPolicy.PartialBackorder, key: (UInt128)(1_000 + i)));
        await first.Ok(Host.Hold(2, 3, TimeSpan.FromHours(1)));
        await first.Ok(Host.Receive(5, 1, 3));
        var live = first.Engine.View.Summary;
        await first.Engine.StopAsync();
        Assert.True(first.Journal.IsDisposed);

        await using var second = new Host(journal: first.Journal, time: first.Time, directory: first.Folder);
        Assert.Equal(EnginePhase.Recovering, second.Engine.Phase);
        Assert.Equal(Outcome.EngineRecovering, (await second.Execute(Host.Submit())).Outcome);
        await second.Engine.StartAsync(default);
        Assert.Equal(EnginePhase.Serving, second.Engine.Phase);
        Assert.Equal(live.Sequence, second.Engine.Recovery.Sequence);
        // Queues that were pending at the stop may be served now: compare after one command on both would differ, so compare what was read.
        Assert.Equal(live, second.Engine.View.Summary);
        Assert.Empty(Invariants.Check(second.Engine.View.Reader, live.Sequence).Violations);
        // Same request id, same answer, across the restart.
        var replay = await second.Execute(Host.Submit(sku: 1, units: 1, policy: AllocationPolicy.PartialBackorder, key: 1_000));
        Assert.True(replay.Replayed);
    }

    [Fact]
    public async Task A_journal_that_does_not_fit_stops_the_start()
    {
        await using var first = await Host.Serving();
        await first.Ok(Host.Submit());
        await first.Engine.StopAsync();
        await using var second = new Host(directory: first.Folder);
        var batches = first.Journal.Batches;
        for (var i = 0; i < batches.Count; i++)
            if (i != 3) await AppendUnchecked(second.Journal, batches[i]);
        await Assert.ThrowsAsync<ApplyException>(() => second.Engine.StartAsync(default));
        Assert.NotEqual(EnginePhase.Serving, second.Engine.Phase);
    }

    [Fact]
    public async Task The_clock_never_runs_behind_what_is_recorded()
    {
        await using var first = await Host.Serving();
        first.Time.Advance(TimeSpan.FromDays(2));
        await first.Ok(Host.Submit());
        var recorded = first.Engine.View.Summary.Time;
        await first.Engine.StopAsync();

        await using var second = new Host(journal: first.Journal, time: new ManualTime(), directory: first.Folder);
        await second.Engine.StartAsync(default);
        Assert.True(second.Time.Micros < recorded);
        Assert.Equal(recorded, second.Engine.NowMicros);
        Assert.Equal(Outcome.Ok, (await second.Execute(Host.Submit(), deadline: second.Engine.NowMicros + 1)).Outcome);
        Assert.Equal(recorded, second.Engine.View.Summary.Time);
    }

    [Fact]
    public async Task A_hold_expires_by_itself_as_a_recorded_event()
    {
        await using var host = await Host.Serving(units: 10);
        await host.Ok(Host.Hold(1, 4, TimeSpan.FromSeconds(90)));
        await host.Ok(Host.Hold(2, 4, TimeSpan.FromSeconds(30)));
        Assert.Equal(8, host.Engine.View.Summary.Held);
        var next = host.Engine.View.DurableSequence + 1;
        await host.Time.WhenTimerSetBy(host.Time.GetUtcNow().AddSeconds(30));
        host.Time.Advance(TimeSpan.FromSeconds(30));
        await host.Engine.View.WaitForAsync(next, default);
        Assert.Equal(4, host.Engine.View.Summary.Held);
        await host.Time.WhenTimerSetBy(host.Time.GetUtcNow().AddSeconds(60));
        host.Time.Advance(TimeSpan.FromSeconds(60));
        await host.Engine.View.WaitForAsync(next + 1, default);
        Assert.Equal(0, host.Engine.View.Summary.Held);
        Assert.All(host.Events().TakeLast(2), e => Assert.Equal(EventKind.ReservationExpired, new EventView(e).Kind));
    }

    [Fact]
    public async Task Received_stock_fills_the_queue_in_the_same_batch()
    {
        await using var host = await Host.Serving(units: 0);
        await host.Ok(Host.Receive(1, 1));
        for (var i = 0; i < 5; i++) await host.Ok(Host.Submit(units: 2, policy: AllocationPolicy.PartialBackorder));
        Assert.Equal(9, host.Engine.View.Summary.Backordered);
        await host.Ok(Host.Receive(100, 1));
        Assert.Equal(0, host.Engine.View.Summary.Backordered);
        Assert.Equal(10, host.Engine.View.Summary.Committed);
    }

    [Fact]
    public async Task An_exception_in_deciding_answers_INTERNAL_and_leaves_everything_as_it_was()
    {
        await using var host = await Host.Serving();
        var before = host.Engine.View.Summary;
        var answer = await host.Execute(new UnknownCommand { Role = Role.Channel });
        Assert.Equal((Outcome.InternalError, false), (answer.Outcome, answer.WasDecided));
        Assert.Equal(before, host.Engine.View.Summary);
        Assert.Equal(0, host.FailStop.Calls);

        // In the middle of a batch: its neighbours are committed, and the journal replays.
        host.Journal.IsManual = true;
        var inFlight = await IntakeTests.BlockWriter(host);
        var a = host.Execute(Host.Submit()).AsTask();
        var bad = host.Execute(new UnknownCommand { Role = Role.Channel }).AsTask();
        var b = host.Execute(Host.Submit()).AsTask();
        host.Journal.GoAutomatic();
        await Task.WhenAll(inFlight);
        Assert.Equal([Outcome.Ok, Outcome.InternalError, Outcome.Ok], [(await a).Outcome, (await bad).Outcome, (await b).Outcome]);
        Assert.Equal(host.Engine.View.Summary, Replayed(host));
        Assert.Equal(2, host.Metrics.Count(CommandKind.SubmitOrder, Outcome.InternalError));
    }

    [Fact]
    public async Task What_was_done_ahead_of_a_failed_decision_stays()
    {
        await using var host = await Host.Serving(units: 0);
        await host.Ok(Host.Receive(1, 1));
        await host.Ok(Host.Submit(units: 5, policy: AllocationPolicy.PartialBackorder));
        host.Journal.IsManual = true;
        var appends = host.Journal.Appends;
        var first = host.Execute(Host.Receive(1, 2)).AsTask();
        await host.Journal.WhenAppended(appends + 1);
        // One batch: the goods that the order waits for, and a submission that is served after it and then fails: there is no such channel.
        var goods = host.Execute(Host.Receive(7, 1)).AsTask();
        var bad = host.Execute(Host.Submit(channel: -1)).AsTask();
        var good = host.Execute(Host.Submit(units: 4)).AsTask();
        host.Journal.GoAutomatic();
        await Task.WhenAll(first, goods);
        Assert.Equal(Outcome.InternalError, (await bad).Outcome);
        Assert.Equal(Outcome.OutOfStock, (await good).Outcome);
        Assert.Equal((0L, 5L), (host.Engine.View.Summary.Backordered, host.Engine.View.Summary.Committed));
        Assert.Equal([EventKind.StockReceived, EventKind.BackorderFilled, EventKind.RequestRefused], host.Events().Select(e => new EventView(e).Kind).Where(kind => kind is not (EventKind.SupplyRequested or EventKind.ExceptionResolved)).TakeLast(3));
        Assert.Equal(0, host.FailStop.Calls);
        Assert.Equal(host.Engine.View.Summary, Replayed(host));
    }

    [Fact]
    public async Task A_failed_commit_ends_the_process_and_answers_nobody()
    {
        await using var host = await Host.Serving(new EngineOptions { MaxBatchCommands = 1 });
        host.Journal.IsManual = true;
        // The writer waits for both.
        var inFlight = await IntakeTests.BlockWriterWithTwo(host, EngineBounds.WorthOverlapping - 1);
        var before = host.Engine.View.Summary;
        var queued = host.Execute(Host.Submit()).AsTask();
        var cause = new JournalException("The disk is gone.");
        host.Journal.Fail(cause);
        var (code, _, thrown) = await host.FailStop.Failed;
        Assert.Equal((ExitCodes.JournalFailed, cause), (code, thrown));
        // The second commit succeeds, too late.
        host.Journal.Commit();
        await host.Engine.StopAsync();
        Assert.All(inFlight, answer => Assert.False(answer.IsCompleted));
        Assert.False(queued.IsCompleted);
        Assert.Equal(before, host.Engine.View.Summary);
        Assert.Equal(1, host.FailStop.Calls);
        Assert.Equal(Outcome.EngineDraining, (await host.Execute(Host.Submit())).Outcome);
    }

    [Fact]
    public async Task A_commit_past_its_deadline_ends_the_process()
    {
        await using var host = await Host.Serving(new EngineOptions { CommitDeadline = TimeSpan.FromSeconds(8) });
        host.Journal.IsManual = true;
        var appends = host.Journal.Appends;
        var answer = host.Execute(Host.Submit()).AsTask();
        await host.Journal.WhenAppended(appends + 1);
        host.Time.Advance(TimeSpan.FromSeconds(8));
        Assert.Equal(0, host.FailStop.Calls);
        host.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(ExitCodes.CommitDeadlinePassed, (await host.FailStop.Failed).Code);
        host.Journal.Commit();
        await host.Engine.StopAsync();
        Assert.False(answer.IsCompleted);
    }

    [Fact]
    public async Task A_graceful_stop_answers_what_is_in_flight_and_refuses_what_comes()
    {
        var host = await Host.Serving(new EngineOptions { NormalQueueCapacity = 4 });
        host.Journal.IsManual = true;
        var inFlight = await IntakeTests.BlockWriter(host);
        var queued = Enumerable.Range(0, 4).Select(_ => host.Execute(Host.Submit()).AsTask()).ToList();
        for (var i = 0; i < 4; i++)
        {
            var streamed = await host.Engine.EnqueueAsync(Host.Submit(), Lane.Normal, 0, default);
            queued.Add(AnswerAsync(streamed));
        }
        var waiting = host.Engine.EnqueueAsync(Host.Submit(), Lane.Normal, 0, default).AsTask();
        Assert.False(waiting.IsCompleted);
        using var feed = host.Engine.Orders.Subscribe(OrderFilter.All, host.Engine.View.DurableSequence);
        var stopping = host.Engine.StopAsync();
        while (host.Engine.Phase != EnginePhase.Draining) await Task.Yield();
        Assert.Equal(Outcome.EngineDraining, (await host.Execute(Host.Submit())).Outcome);
        Assert.Equal(Outcome.EngineDraining, (await await host.Engine.EnqueueAsync(Host.Submit(), Lane.Normal, 0, default)).Outcome);
        Assert.Equal(Outcome.EngineDraining, (await await waiting).Outcome);
        Assert.False(stopping.IsCompleted);
        host.Journal.GoAutomatic();
        await stopping;
        Assert.All(await Task.WhenAll([.. inFlight, .. queued]), answer => Assert.Equal(Outcome.Ok, answer.Outcome));
        Assert.True(host.Journal.IsDisposed);
        // Subscribers get everything, then the end.
        var page = await feed.ReadAsync(100, TimeSpan.FromHours(1), default);
        Assert.Equal(9, page.Events.Count);
        await Assert.ThrowsAsync<FeedClosedException>(async () => await feed.ReadAsync(100, TimeSpan.FromHours(1), default));
        await host.DisposeAsync();

        static async Task<CommandAnswer> AnswerAsync(PendingAnswer answer) => await answer;
    }

    [Fact]
    public async Task An_engine_can_be_stopped_before_it_serves()
    {
        await using var host = new Host();
        await host.Engine.StopAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => host.Engine.StartAsync(default));
        Assert.True(host.Journal.IsDisposed);
        Assert.Equal(EnginePhase.Draining, host.Engine.Phase);
    }

    /// <summary>The figures of a fresh core after everything in the journal.</summary>
    private static StateSummary Replayed(Host host)
    {
        var core = new OrderCore();
        foreach (var e in host.Events()) core.Replay(e);
        Assert.Empty(core.CheckIndexes());
        return core.Seal();
    }

    private static async Task AppendUnchecked(MemoryJournal journal, JournalBatch batch)
    {
        // The journal checks positions; the payload keeps the wrong ones.
        var first = journal.LastSequence + 1;
        await journal.AppendAsync(batch with { FirstSequence = first, LastSequence = first + batch.LastSequence - batch.FirstSequence });
    }
}
