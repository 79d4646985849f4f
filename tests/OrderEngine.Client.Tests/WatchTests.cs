// Watches: no gap and no repeat over breaks, the token in the caller's hand, and errors that end a watch.
using Grpc.Core;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client.Tests;

public sealed class WatchTests
{
    private static OrderEngineClientOptions Options => new() { TimeProvider = new JumpingTime(), RandomSeed = 7 };

    private static WatchOrdersResponse Events(params long[] sequences) => new()
    {
        Events = new OrderEventPage { Events = { sequences.Select(s => new OrderEvent { Sequence = s, OrderId = "o1" }) } },
        ResumeToken = $"t{sequences[^1]}",
        HighWatermark = sequences[^1],
    };

    [Fact]
    public async Task Breaks_are_mended_with_the_last_token_and_nothing_is_missed_or_repeated()
    {
        var asked = new List<WatchOrdersRequest>();
        var heard = new TaskCompletionSource();
        var services = new FakeServices();
        services.Tracking.OnWatch = async (request, answers, context) =>
        {
            asked.Add(request);
            switch (asked.Count)
            {
                case 1:
                    await answers.WriteAsync(new WatchOrdersResponse
                    {
                        Snapshot = new OrderPage { Orders = { new Order { OrderId = "o1", Sequence = 3 } } }, ResumeToken = "page-1",
                    });
                    throw new RpcException(new Status(StatusCode.Unavailable, "gone"));
                case 2:
                    await answers.WriteAsync(new WatchOrdersResponse
                    {
                        Snapshot = new OrderPage { Orders = { new Order { OrderId = "o2", Sequence = 4 } }, Last = true }, ResumeToken = "t4",
                    });
                    await answers.WriteAsync(Events(5, 6));
                    return;
                case 3:
                    // An engine that repeats what it has said: the reader must not see it twice.
                    await answers.WriteAsync(Events(6, 7));
                    await answers.WriteAsync(new WatchOrdersResponse { Heartbeat = new Heartbeat(), ResumeToken = "t9" });
                    await heard.Task;
                    context.GetHttpContext().Abort();
                    return;
                default:
                    await answers.WriteAsync(Events(10));
                    return;
            }
        };
        await using var engine = await FakeEngine.StartAsync(services);
        using var client = new OrderEngineClient(engine.Address, Options);

        var seen = new List<string>();
        var breaks = 0;
        var filter = new WatchFilter { ChannelIds = { "web" } };
        await foreach (var update in client.WatchOrdersAsync(filter, snapshotFirst: true, onBreak: _ => breaks++))
        {
            seen.AddRange(update.Orders.Select(order => order.OrderId));
            seen.AddRange(update.Events.Select(e => $"#{e.Sequence}"));
            if (update.IsHeartbeat)
            {
                seen.Add("beat");
                heard.SetResult();
            }

            if (update.ResumeToken == "t10")
                break;
        }

        Assert.Equal(["o1", "o2", "#5", "#6", "#7", "beat", "#10"], seen);
        Assert.Equal(["", "page-1", "t6", "t9"], asked.Select(request => request.ResumeToken));
        Assert.Equal([true, false, false, false], asked.Select(request => request.SnapshotFirst));
        Assert.All(asked, request => Assert.Equal("web", Assert.Single(request.Filter.ChannelIds)));
        Assert.Equal(3, breaks);
    }

    [Fact]
    public async Task A_truncated_token_ends_the_watch_and_names_the_earliest()
    {
        var services = new FakeServices();
        services.Tracking.OnWatch = (_, _, _) => throw Errors.Exception(StatusCode.OutOfRange, "RESUME_TOKEN_TRUNCATED",
            metadata: new Dictionary<string, string> { ["earliest_token"] = "t50" });
        await using var engine = await FakeEngine.StartAsync(services);
        using var client = new OrderEngineClient(engine.Address, Options);

        var failure = await Assert.ThrowsAsync<ResumeTokenException>(async () =>
        {
            await foreach (var _ in client.WatchOrdersAsync(resumeToken: "t1"))
            {
            }
        });

        Assert.Equal("t50", failure.EarliestToken);
        Assert.False(failure.IsAhead);
    }

    [Fact]
    public async Task A_budget_ends_a_watch_that_finds_no_engine()
    {
        var services = new FakeServices();
        services.Tracking.OnWatch = (_, _, _) => throw Errors.Exception(StatusCode.Unavailable, "ENGINE_RECOVERING", retryAfter: TimeSpan.FromSeconds(4));
        await using var engine = await FakeEngine.StartAsync(services);
        using var client = new OrderEngineClient(engine.Address, Options with { WatchRetry = new RetrySettings { Budget = TimeSpan.FromSeconds(10) } });

        var breaks = 0;
        var failure = await Assert.ThrowsAsync<OrderEngineException>(async () =>
        {
            await foreach (var _ in client.WatchOrdersAsync(onBreak: _ => breaks++))
            {
            }
        });

        Assert.Equal(ErrorReason.EngineRecovering, failure.Error.Reason);
        Assert.Equal(3, breaks);
    }

    [Theory]
    [InlineData("reset")]
    [InlineData("internal")]
    [InlineData("cancelled")]
    public async Task A_stream_that_is_cut_off_by_a_stopping_server_is_resumed(string how)
    {
        var asked = new List<string>();
        var services = new FakeServices();
        services.Tracking.OnWatch = async (request, answers, context) =>
        {
            asked.Add(request.ResumeToken);
            await answers.WriteAsync(Events(asked.Count));
            if (asked.Count > 1)
                return;
            if (how == "reset")
                context.GetHttpContext().Abort();
            throw new RpcException(new Grpc.Core.Status(how == "cancelled" ? StatusCode.Cancelled : StatusCode.Internal, "the stream was reset"));
        };
        await using var engine = await FakeEngine.StartAsync(services);
        using var client = new OrderEngineClient(engine.Address, Options);

        var breaks = new List<StatusCode>();
        // A reset may overtake the update before it, so which updates arrive is not looked at.
        await foreach (var _ in client.WatchOrdersAsync(onBreak: error => breaks.Add(error.StatusCode)))
        {
            if (asked.Count == 2)
                break;
        }

        Assert.Equal(2, asked.Count);
        Assert.Single(breaks);
    }

    [Fact]
    public async Task Cancelling_ends_a_watch()
    {
        var services = new FakeServices();
        services.Tracking.OnWatch = async (_, answers, context) =>
        {
            await answers.WriteAsync(Events(1));
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
        };
        await using var engine = await FakeEngine.StartAsync(services);
        using var client = new OrderEngineClient(engine.Address, Options);
        using var stop = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in client.WatchOrdersAsync(cancellationToken: stop.Token))
                await stop.CancelAsync();
        });
    }

    [Fact]
    public async Task A_stock_snapshot_that_breaks_starts_again_without_repeating_levels()
    {
        static WatchStockResponse Levels(string token, params (string Sku, long Sequence)[] levels) => new()
        {
            ResumeToken = token, Levels = { levels.Select(l => new StockLevel { SkuId = l.Sku, LocationId = "MAIN", Sequence = l.Sequence }) },
        };
        var asked = new List<WatchStockRequest>();
        var services = new FakeServices();
        services.Inventory.OnWatch = async (request, answers, _) =>
        {
            asked.Add(request);
            if (asked.Count == 1)
            {
                await answers.WriteAsync(Levels("", ("A", 1), ("B", 2)));
                throw new RpcException(new Status(StatusCode.Unavailable, "gone"));
            }

            if (asked.Count == 2)
            {
                await answers.WriteAsync(Levels("", ("A", 1), ("B", 5)));
                await answers.WriteAsync(Levels("t6", ("C", 3)));
                return;
            }

            await answers.WriteAsync(Levels("t7", ("A", 7)));
        };
        await using var engine = await FakeEngine.StartAsync(services);
        using var client = new OrderEngineClient(engine.Address, Options);

        var seen = new List<string>();
        await foreach (var update in client.WatchStockAsync(snapshotFirst: true))
        {
            seen.AddRange(update.Levels.Select(level => $"{level.SkuId}{level.Sequence}"));
            if (update.ResumeToken == "t7")
                break;
        }

        Assert.Equal(["A1", "B2", "B5", "C3", "A7"], seen);
        Assert.Equal([true, true, false], asked.Select(request => request.SnapshotFirst));
    }
}
