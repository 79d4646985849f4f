// Rules 1 and 4: one writer, group commits, nothing visible before it is durable.

using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Journal;

namespace OrderEngine.Engine.Tests;

public sealed class CommitTests
{
    [Fact]
    public async Task Nothing_is_visible_before_the_commit_and_everything_after_it()
    {
        await using var host = await Host.Serving();
        await host.WhenDispatched();
        var before = host.Engine.View.DurableSequence;
        using var feed = host.Engine.Orders.Subscribe(OrderFilter.All, before);
        using var stock = host.Engine.Stock.Subscribe([], [], before);
        host.Journal.IsManual = true;
        var appends = host.Journal.Appends;

        var answer = host.Execute(Host.Submit()).AsTask();
        var page = feed.ReadAsync(10, TimeSpan.FromHours(1), default).AsTask();
        var stockPage = stock.ReadAsync(10, TimeSpan.FromHours(1), default).AsTask();
        var seen = host.Engine.View.WaitForAsync(before + 1, default).AsTask();
        await host.Journal.WhenAppended(appends + 1);

        Assert.False(answer.IsCompleted);
        Assert.False(page.IsCompleted);
        Assert.False(stockPage.IsCompleted);
        Assert.False(seen.IsCompleted);
        Assert.Equal(before, host.Engine.View.DurableSequence);
        Assert.Equal(before, host.Engine.View.Summary.Sequence);
        Assert.Equal(0, host.Engine.View.Summary.Orders);

        host.Journal.Commit();
        Assert.Equal(Outcome.Ok, (await answer).Outcome);
        await seen;
        Assert.Equal(1, host.Engine.View.Summary.Orders);
        Assert.Equal(before + 1, Assert.Single((await page).Events.Select(Sequence)));
        Assert.Equal([1L], (await stockPage).Slots);
    }

    [Fact]
    public async Task An_answer_carries_its_event_and_implies_that_the_view_shows_it()
    {
        await using var host = await Host.Serving();
        for (var i = 1; i <= 200; i++)
        {
            var answer = await host.Execute(Host.Submit());
            Assert.True(host.Engine.View.DurableSequence >= answer.Sequence);
            Assert.True(host.Engine.View.Summary.Orders >= i);
            Assert.Equal(answer.Sequence, Sequence(answer.Event));
            using var guard = host.Engine.View.Reader.Enter();
            Assert.True(host.Engine.View.Reader.Order(i, host.Engine.View.DurableSequence).Exists);
        }
    }

    [Fact]
    public async Task The_view_is_published_before_the_first_answer_of_a_large_batch()
    {
        await using var host = await Host.Serving();
        for (var round = 0; round < 20; round++)
        {
            host.Journal.IsManual = true;
            var inFlight = await IntakeTests.BlockWriter(host);
            var first = host.Execute(Host.Submit());
            var rest = Enumerable.Range(0, 2_000).Select(_ => host.Execute(Host.Submit()).AsTask()).ToList();
            host.Journal.GoAutomatic();
            // Without a continuation in between: the moment the answer is there.
            while (!first.IsCompleted) Thread.SpinWait(1);
            var durable = host.Engine.View.DurableSequence;
            Assert.True(durable >= (await first).Sequence);
            await Task.WhenAll([.. inFlight, .. rest]);
        }
    }

    [Fact]
    public async Task Commands_that_come_during_a_commit_form_the_next_batch()
    {
        await using var host = await Host.Serving(new EngineOptions { MaxBatchCommands = EngineBounds.WorthOverlapping });
        host.Journal.IsManual = true;
        var batches = host.Journal.Batches.Count;
        var appends = host.Journal.Appends;
        var answers = await IntakeTests.BlockWriter(host);
        // One more than a batch takes: it is left over, and not worth a commit of its own beside that one.
        for (var i = 0; i <= EngineBounds.WorthOverlapping; i++) answers.Add(host.Execute(Host.Submit()).AsTask());
        Assert.Equal(EngineBounds.WorthOverlapping + 1, host.Engine.QueueLength(Lane.Normal));
        host.Journal.Commit();
        await host.Journal.WhenAppended(appends + 2);
        await IntakeTests.WhenBlocked(host);
        for (var i = 0; i < 10; i++) answers.Add(host.Execute(Host.Submit()).AsTask());
        host.Journal.Commit();
        await host.Journal.WhenAppended(appends + 3);
        Assert.Equal(1, host.Journal.InFlight);
        host.Journal.Commit();
        await Task.WhenAll(answers);
        Assert.Equal([1, EngineBounds.WorthOverlapping, 11], Sizes(host, batches));
    }

    [Fact]
    public async Task A_second_commit_begins_beside_one_when_many_wait_and_a_third_never()
    {
        await using var host = await Host.Serving(new EngineOptions { MaxBatchCommands = 1 });
        host.Journal.IsManual = true;
        var appends = host.Journal.Appends;
        var answers = await IntakeTests.BlockWriterWithTwo(host, EngineBounds.WorthOverlapping);
        // The journal takes no third one: it would throw.
        for (var i = 0; i < 50; i++) answers.Add(host.Execute(Host.Submit()).AsTask());
        Assert.Equal(2, host.Journal.InFlight);
        Assert.Equal(appends + 3, host.Journal.Appends);

        host.Journal.Commit();
        await host.Journal.WhenAppended(appends + 4);
        await answers[0];
        Assert.False(answers[1].IsCompleted);
        host.Journal.GoAutomatic();
        Assert.All(await Task.WhenAll(answers), answer => Assert.Equal(Outcome.Ok, answer.Outcome));
    }

    [Fact]
    public async Task A_batch_is_closed_at_its_limits()
    {
        await using var host = await Host.Serving(new EngineOptions { MaxBatchCommands = 7, MaxBatchBytes = 100_000 });
        host.Journal.IsManual = true;
        var batches = host.Journal.Batches.Count;
        var first = await IntakeTests.BlockWriter(host);
        var rest = Enumerable.Range(0, 20).Select(_ => host.Execute(Host.Submit()).AsTask()).ToList();
        host.Journal.GoAutomatic();
        await Task.WhenAll([.. first, .. rest]);
        Assert.Equal([1, 7, 7, 6], Sizes(host, batches));
    }

    [Fact]
    public async Task Large_commands_never_make_a_batch_that_the_journal_refuses()
    {
        await using var host = await Host.Serving(new EngineOptions { MaxBatchBytes = EngineBounds.MaxBatchBytes });
        host.Journal.IsManual = true;
        var batches = host.Journal.Batches.Count;
        var first = await IntakeTests.BlockWriter(host);
        // About 35 KB each, 4 MB together.
        var rest = Enumerable.Range(0, 120).Select(_ => host.Execute(Large()).AsTask()).ToList();
        host.Journal.GoAutomatic();
        var answers = await Task.WhenAll([.. first, .. rest]);
        Assert.All(answers, answer => Assert.Equal(Outcome.Ok, answer.Outcome));
        Assert.All(host.Journal.Batches, batch => Assert.InRange(batch.Payload.Length, 1, IJournal.MaxPayloadBytes));
        Assert.True(host.Journal.Batches.Count - batches < 10);
    }

    [Fact]
    public async Task Answers_without_events_wait_for_what_they_were_decided_on_and_no_longer()
    {
        await using var host = await Host.Serving();
        var first = Host.Submit(key: 77, digest: 1);
        await host.Ok(first);
        var batches = host.Journal.Batches.Count;
        // Nothing is in flight: they go out without a commit.
        var replay = await host.Execute(Host.Submit(key: 77, digest: 1));
        Assert.True(replay.Replayed);
        Assert.Equal(Outcome.Ok, replay.Outcome);
        Assert.Equal(Outcome.RequestIdReused, (await host.Execute(Host.Submit(key: 77, digest: 2))).Outcome);
        Assert.Equal(Outcome.RoleNotAllowed, (await host.Execute(new CancelOrder { Order = 1, Role = Role.Carrier })).Outcome);
        Assert.Equal(batches, host.Journal.Batches.Count);
    }

    [Fact]
    public async Task An_answer_without_events_that_was_decided_during_a_commit_waits_for_it()
    {
        const int Batch = EngineBounds.LookAhead;
        await using var host = await Host.Serving(new EngineOptions { MaxBatchCommands = Batch });
        host.Journal.IsManual = true;
        var appends = host.Journal.Appends;
        var batches = host.Journal.Batches.Count;
        var before = await IntakeTests.BlockWriter(host);
        var order = host.Execute(Host.Submit(key: 78, digest: 1)).AsTask();
        var beside = Enumerable.Range(1, Batch - 1).Select(_ => host.Execute(Host.Submit()).AsTask()).ToList();
        var retries = Enumerable.Range(0, Batch).Select(_ => host.Execute(Host.Submit(key: 78, digest: 1)).AsTask()).ToList();
        var check = host.Engine.CheckAsync(Host.Submit(), default).AsTask();
        var rest = Enumerable.Range(0, EngineBounds.WorthOverlapping).Select(_ => host.Execute(Host.Submit()).AsTask()).ToList();
        host.Journal.Commit();
        await Task.WhenAll(before);
        // So many wait that the retries, a batch of them, are decided beside the commit, on a state that is not durable yet; the check waits behind them.
        while (host.Engine.QueueLength(Lane.Normal) > rest.Count + 1) await Task.Yield();
        await IntakeTests.WhenBlocked(host);
        Assert.Equal(appends + 2, host.Journal.Appends);
        Assert.All(retries, retry => Assert.False(retry.IsCompleted));
        Assert.False(check.IsCompleted);
        host.Journal.Commit();
        var sequence = Sequence((await order).Event);
        Assert.All(await Task.WhenAll(retries), retry => Assert.Equal((true, sequence), (retry.Replayed, Sequence(retry.Event))));
        host.Journal.GoAutomatic();
        Assert.Equal(Outcome.Ok, (await check).Outcome);
        await Task.WhenAll([.. beside, .. rest]);
        // Neither a retry nor the check has left an event.
        Assert.Equal(before.Count + 1 + beside.Count + rest.Count, Sizes(host, batches).Sum());
    }

    [Fact]
    public async Task A_check_answers_with_the_event_that_would_come_and_changes_nothing()
    {
        await using var host = await Host.Serving(units: 5);
        var before = host.Engine.View.Summary;
        var good = await host.Engine.CheckAsync(Host.Submit(units: 5), default);
        var bad = await host.Engine.CheckAsync(Host.Submit(units: 6), default);
        Assert.Equal((Outcome.Ok, EventKind.OrderSubmitted), (good.Outcome, new EventView(good.Event.Span).Kind));
        Assert.Equal((Outcome.OutOfStock, EventKind.RequestRefused), (bad.Outcome, new EventView(bad.Event.Span).Kind));
        Assert.False(good.Replayed);
        Assert.Equal(before, host.Engine.View.Summary);
        await host.Ok(Host.Submit(units: 5));
    }

    [Fact]
    public async Task Parallel_submits_for_the_last_units_yield_exactly_those()
    {
        await using var host = await Host.Serving(units: 40);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            var accepted = 0;
            for (var i = 0; i < 25; i++)
                if ((await host.Execute(Host.Submit(), worker % 2 == 0 ? Lane.Normal : Lane.Priority)).Outcome == Outcome.Ok) accepted++;
            return accepted;
        })));
        Assert.Equal(40, answers.Sum());
        Assert.Equal(40, host.Engine.View.Summary.Committed - 0);
    }

    [Fact]
    public async Task A_reader_can_wait_for_a_sequence_and_give_up()
    {
        await using var host = await Host.Serving();
        var next = host.Engine.View.DurableSequence + 1;
        using var cancel = new CancellationTokenSource();
        var never = host.Engine.View.WaitForAsync(next + 1_000, cancel.Token).AsTask();
        var soon = host.Engine.View.WaitForAsync(next, default).AsTask();
        await host.Ok(Host.Submit());
        await soon;
        Assert.False(never.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => never);
        var left = host.Engine.View.WaitForAsync(next + 1_000, default).AsTask();
        await host.Engine.StopAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
    }

    private static SubmitOrder Large() => new()
    {
        Channel = 1,
        ExternalId = Host.Utf8("big" + Guid.NewGuid().ToString("N")),
        CurrencyCode = Currency.Pack("GBP"u8),
        Policy = AllocationPolicy.AllOrNothing,
        Terms = PaymentTerms.CashOnDelivery,
        Lines = [.. Enumerable.Range(0, Limits.LinesPerOrder).Select(i => new DraftLine(1 + i % 4, 1, 1_000_000_000))],
        Role = Role.Channel,
    };

    private static IEnumerable<int> Sizes(Host host, int from) => host.Journal.Batches.Skip(from).Select(batch => (int)(batch.LastSequence - batch.FirstSequence + 1));

    private static long Sequence(ReadOnlyMemory<byte> encoded) => new EventView(encoded.Span).Sequence;
}
