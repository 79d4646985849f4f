// An export loaded into an empty engine: all of it or nothing of it.

using OrderEngine.Core;
using OrderEngine.Core.State;

namespace OrderEngine.Engine.Tests;

public sealed class ImportTests
{
    [Fact]
    public async Task An_import_gives_the_state_that_was_exported_and_survives_a_restart()
    {
        await using var source = await Exported();
        await using var target = new Host(new EngineOptions { MaxBatchBytes = 500 });
        await target.Engine.StartAsync(default);
        var result = await target.Engine.ImportAsync(source.Events(), default);
        Assert.Equal(new ImportResult(ImportStatus.Imported, source.Engine.View.DurableSequence, -1, ""), result);
        Assert.Equal(source.Engine.View.Summary, target.Engine.View.Summary);
        Assert.True(target.Journal.Batches.Count > 3);
        // It goes on like any other engine.
        await target.Ok(Host.Submit());
        var live = target.Engine.View.Summary;
        await target.Engine.StopAsync();
        await using var again = new Host(journal: target.Journal, time: target.Time, directory: target.Folder);
        await again.Engine.StartAsync(default);
        Assert.Equal(live, again.Engine.View.Summary);
        Assert.Empty(Invariants.Check(again.Engine.View.Reader, live.Sequence).Violations);
    }

    [Fact]
    public async Task Commands_that_come_during_an_import_are_decided_after_it()
    {
        await using var source = await Exported();
        await using var target = new Host(new EngineOptions { MaxBatchBytes = 1_000 });
        await target.Engine.StartAsync(default);
        target.Journal.IsManual = true;
        var import = target.Engine.ImportAsync(source.Events(), default);
        await target.Journal.WhenAppended(2);
        var order = target.Execute(Host.Submit()).AsTask();
        var second = target.Engine.ImportAsync(source.Events(), default);
        Assert.False(import.IsCompleted);
        target.Journal.GoAutomatic();
        Assert.Equal(ImportStatus.Imported, (await import).Status);
        Assert.Equal(ImportStatus.NotEmpty, (await second).Status);
        Assert.Equal(source.Engine.View.DurableSequence + 1, (await order).Sequence);
    }

    [Fact]
    public async Task Events_that_do_not_fit_are_named_and_nothing_is_written()
    {
        await using var source = await Exported();
        var events = source.Events();
        await using var target = new Host();
        await target.Engine.StartAsync(default);

        var gap = events.ToList();
        gap.RemoveAt(5);
        var result = await target.Engine.ImportAsync(gap, default);
        Assert.Equal((ImportStatus.Invalid, 5), (result.Status, result.EventIndex));
        var garbage = events.ToList();
        garbage[7] = [0xFF, 0xFF, 0xFF];
        result = await target.Engine.ImportAsync(garbage, default);
        Assert.Equal((ImportStatus.Invalid, 7), (result.Status, result.EventIndex));
        Assert.Equal(ImportStatus.Invalid, (await target.Engine.ImportAsync([], default)).Status);
        Assert.Equal((0, 0L), (target.Journal.Appends, target.Engine.View.DurableSequence));
        Assert.Equal(0, target.FailStop.Calls);
        Assert.Equal(ImportStatus.Imported, (await target.Engine.ImportAsync(events, default)).Status);
    }

    [Fact]
    public async Task An_engine_that_holds_something_or_does_not_serve_refuses()
    {
        await using var source = await Exported();
        Assert.Equal(ImportStatus.NotEmpty, (await source.Engine.ImportAsync(source.Events(), default)).Status);
        await using var target = new Host();
        Assert.Equal(ImportStatus.NotServing, (await target.Engine.ImportAsync(source.Events(), default)).Status);
    }

    private static async Task<Host> Exported()
    {
        var host = await Host.Serving(units: 30);
        for (var i = 0; i < 30; i++) await host.Execute(Host.Submit(sku: 1 + i % 4, units: 2, policy: AllocationPolicy.PartialBackorder, key: (UInt128)(500 + i)));
        await host.Ok(Host.Hold(2, 3, TimeSpan.FromDays(1)));
        await host.Ok(Host.Receive(5, 1, 3));
        return host;
    }
}
