// Pipelines: order, packing, back-pressure, and what is sent again after a break.
using Grpc.Core;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client.Tests;

public sealed class PipelineTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static OrderDraft Draft(int number) => new()
    {
        ChannelId = "web", ExternalOrderId = $"A-{number}", CurrencyCode = "GBP",
        Lines = { new OrderLineDraft { SkuId = "MUG", Quantity = 1 } },
    };

    private static OrderEngineClientOptions Options(TimeProvider? time = null) => new() { TimeProvider = time ?? new JumpingTime(), RandomSeed = 7 };

    private static SubmitResult Accept(StreamedOrder order) => new()
    {
        ClientSeq = order.ClientSeq, Accepted = new SubmitOrderResponse { OrderId = order.Request.Order.ExternalOrderId },
    };

    /// <summary>A test that fails must not wait for answers that never come.</summary>
    private sealed class Abort(OrderPipeline pipeline) : IDisposable
    {
        public void Dispose() => pipeline.Abort();
    }

    [Fact]
    public async Task Orders_arrive_in_order_packed_together_and_each_task_gets_its_own_answer()
    {
        var received = new List<StreamedOrder>();
        var largest = 0;
        var services = new FakeServices();
        services.Orders.OnStream = async (orders, answers, _) =>
        {
            await foreach (var message in orders.ReadAllAsync())
            {
                largest = Math.Max(largest, message.Orders.Count);
                received.AddRange(message.Orders);
                var answer = new StreamSubmitOrdersResponse();
                foreach (var order in message.Orders)
                {
                    answer.Results.Add(order.Request.Order.ExternalOrderId.EndsWith('3')
                        ? new SubmitResult { ClientSeq = order.ClientSeq, Refused = Errors.Status(StatusCode.FailedPrecondition, "OUT_OF_STOCK") }
                        : Accept(order));
                }

                await answers.WriteAsync(answer);
            }
        };
        await using var engine = await FakeEngine.StartAsync(services);
        using var client = new OrderEngineClient(engine.Address, Options());

        var tasks = new List<Task<Outcome<SubmitOrderResponse>>>();
        await using (var pipeline = client.OpenOrderPipeline(new PipelineOptions { ItemsPerMessage = 16 }))
        {
            for (var i = 0; i < 500; i++)
                tasks.Add(await pipeline.SubmitAsync(Draft(i), $"r-{i}"));
        }

        Assert.All(tasks, task => Assert.True(task.IsCompletedSuccessfully));
        for (var i = 0; i < 500; i++)
        {
            var outcome = await tasks[i];
            Assert.Equal($"r-{i}", outcome.RequestId);
            Assert.Equal(i % 10 != 3, outcome.IsAccepted);
            Assert.Equal(outcome.IsAccepted ? $"A-{i}" : "OUT_OF_STOCK", outcome.Accepted?.OrderId ?? outcome.Refused!.ReasonName);
        }

        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"A-{i}"), received.Select(order => order.Request.Order.ExternalOrderId));
        Assert.Equal(Enumerable.Range(1, 500).Select(i => (ulong)i), received.Select(order => order.ClientSeq));
        Assert.InRange(largest, 2, 16);
    }

    [Fact]
    public async Task An_order_too_large_for_a_message_is_refused_alone_and_large_ones_go_in_messages_that_fit()
    {
        var services = new FakeServices();
        services.Orders.OnStream = async (orders, answers, _) =>
        {
            await foreach (var message in orders.ReadAllAsync())
                await answers.WriteAsync(new StreamSubmitOrdersResponse { Results = { message.Orders.Select(Accept) } });
        };
        await using var engine = await FakeEngine.StartAsync(services);
        using var client = new OrderEngineClient(engine.Address, Options());
        var most = PipelineOptions.MostBytesPerMessage;

        var tasks = new List<Task<Outcome<SubmitOrderResponse>>>();
        await using (var pipeline = client.OpenOrderPipeline(new PipelineOptions { BytesPerMessage = most }))
        {
            using var abort = new Abort(pipeline);
            foreach (var bytes in new[] { 0, most / 3, most, most / 2, most / 2, most - 200, most - 10, 0 })
            {
                var draft = Draft(tasks.Count);
                draft.Lines[0].SkuId = new string('x', bytes);
                tasks.Add(await pipeline.SubmitAsync(draft, $"r-{tasks.Count}"));
            }

            await Task.WhenAll(tasks).WaitAsync(Patience);
            Assert.Equal(0, pipeline.Reconnects);
        }

        var outcomes = await Task.WhenAll(tasks);
        Assert.Equal([true, true, false, true, true, true, false, true], outcomes.Select(outcome => outcome.IsAccepted));
        var refusal = outcomes[2].Refused!;
        Assert.Equal((ErrorReason.MessageTooLarge, StatusCode.ResourceExhausted, false), (refusal.Reason, refusal.StatusCode, refusal.Retryable));
        Assert.Equal("r-2", outcomes[2].RequestId);
    }

    [Fact]
    public async Task A_full_window_makes_the_caller_wait_until_an_answer_makes_room()
    {
        var mayAnswer = new SemaphoreSlim(0);
        var services = new FakeServices();
        services.Orders.OnStream = async (orders, answers, context) =>
        {
            await foreach (var message in orders.ReadAllAsync())
            {
                foreach (var order in message.Orders)
                {
                    await mayAnswer.WaitAsync(context.CancellationToken);
                    await answers.WriteAsync(new StreamSubmitOrdersResponse { Results = { Accept(order) } });
                }
            }
        };
        await using var engine = await FakeEngine.StartAsync(services);
        using var client = new OrderEngineClient(engine.Address, Options());
        await using var pipeline = client.OpenOrderPipeline(new PipelineOptions { Window = 3 });
        using var atTheEnd = new Abort(pipeline);

        var first = await pipeline.SubmitAsync(Draft(1));
        await pipeline.SubmitAsync(Draft(2));
        await pipeline.SubmitAsync(Draft(3));
        var fourth = pipeline.SubmitAsync(Draft(4)).AsTask();
        Assert.False(fourth.IsCompleted);
        Assert.Equal(3, pipeline.Unanswered);

        mayAnswer.Release();
        await first.WaitAsync(Patience);
        await fourth.WaitAsync(Patience);
        Assert.Equal(3, pipeline.Unanswered);

        using var impatient = new CancellationTokenSource();
        var fifth = pipeline.SubmitAsync(Draft(5), cancellationToken: impatient.Token).AsTask();
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fifth);
    }

    [Fact]
    public async Task After_a_break_exactly_the_unanswered_are_sent_again_in_order_under_the_same_ids()
    {
        var streams = new List<List<StreamedOrder>>();
        var decided = new Dictionary<string, int>();
        var services = new FakeServices();
        services.Orders.OnStream = async (orders, answers, _) =>
        {
            var mine = new List<StreamedOrder>();
            streams.Add(mine);
            await foreach (var message in orders.ReadAllAsync())
            {
                foreach (var order in message.Orders)
                {
                    mine.Add(order);
                    var again = !decided.TryAdd(order.Request.RequestId, decided.Count);

                    // The first two streams break with orders decided whose answers never leave.
                    if (streams.Count < 3 && mine.Count > 4)
                    {
                        if (mine.Count == 8)
                            throw new RpcException(new Status(StatusCode.Unavailable, "gone"));
                        continue;
                    }

                    var answer = Accept(order);
                    answer.Accepted.Replayed = again;
                    await answers.WriteAsync(new StreamSubmitOrdersResponse { Results = { answer } });
                }
            }
        };
        await using var engine = await FakeEngine.StartAsync(services);
        using var client = new OrderEngineClient(engine.Address, Options());

        var tasks = new List<Task<Outcome<SubmitOrderResponse>>>();
        await using (var pipeline = client.OpenOrderPipeline(new PipelineOptions { ItemsPerMessage = 1 }))
        {
            for (var i = 0; i < 40; i++)
                tasks.Add(await pipeline.SubmitAsync(Draft(i)));
            await Task.WhenAll(tasks).WaitAsync(Patience);
            Assert.Equal(2, pipeline.Reconnects);
        }

        Assert.Equal(3, streams.Count);
        Assert.Equal(Enumerable.Range(0, 8).Select(i => $"A-{i}"), streams[0].Select(order => order.Request.Order.ExternalOrderId));
        Assert.Equal("A-4", streams[1][0].Request.Order.ExternalOrderId);
        Assert.Equal("A-8", streams[2][0].Request.Order.ExternalOrderId);
        Assert.Equal(Enumerable.Range(8, 32).Select(i => $"A-{i}"), streams[2].Select(order => order.Request.Order.ExternalOrderId));
        Assert.Equal(40, decided.Count);
        Assert.Equal(streams[0][4].Request.RequestId, streams[1][0].Request.RequestId);
        Assert.Equal([4, 5, 6, 7, 8, 9, 10, 11], (await Task.WhenAll(tasks)).Select((outcome, i) => (outcome, i)).Where(x => x.outcome.Accepted!.Replayed).Select(x => x.i));
    }

    [Fact]
    public async Task An_order_that_should_be_tried_again_keeps_its_place()
    {
        var streams = 0;
        var sent = new List<string>();
        var services = new FakeServices();
        services.Orders.OnStream = async (orders, answers, _) =>
        {
            streams++;
            await foreach (var message in orders.ReadAllAsync())
            {
                foreach (var order in message.Orders)
                {
                    sent.Add(order.Request.Order.ExternalOrderId);
                    var result = streams == 1 && sent.Count == 2
                        ? new SubmitResult { ClientSeq = order.ClientSeq, Refused = Errors.Status(StatusCode.Unavailable, "ENGINE_DRAINING", retryAfter: TimeSpan.FromSeconds(1)) }
                        : Accept(order);
                    await answers.WriteAsync(new StreamSubmitOrdersResponse { Results = { result } });
                    if (result.Refused is not null)
                        return;
                }
            }
        };
        await using var engine = await FakeEngine.StartAsync(services);
        var time = new JumpingTime();
        using var client = new OrderEngineClient(engine.Address, Options(time));
        var tasks = new List<Task<Outcome<SubmitOrderResponse>>>();
        await using (var pipeline = client.OpenOrderPipeline(new PipelineOptions { ItemsPerMessage = 1 }))
        {
            for (var i = 0; i < 4; i++)
                tasks.Add(await pipeline.SubmitAsync(Draft(i)));
        }

        Assert.All(await Task.WhenAll(tasks), outcome => Assert.True(outcome.IsAccepted));
        Assert.Equal(["A-0", "A-1", "A-1", "A-2", "A-3"], sent);
        Assert.InRange(Assert.Single(time.Waits), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1.05));
    }

    [Fact]
    public async Task When_the_budget_is_used_up_every_unanswered_task_fails_and_so_do_new_ones()
    {
        var services = new FakeServices();
        services.Orders.OnStream = (_, _, _) => throw Errors.Exception(StatusCode.Unavailable, "ENGINE_RECOVERING", retryAfter: TimeSpan.FromSeconds(5));
        await using var engine = await FakeEngine.StartAsync(services);
        using var client = new OrderEngineClient(engine.Address, Options());
        await using var pipeline = client.OpenOrderPipeline(new PipelineOptions { Window = 8 });

        var first = await pipeline.SubmitAsync(Draft(1));
        var failure = await Assert.ThrowsAsync<OrderEngineException>(() => first.WaitAsync(Patience));
        Assert.Equal(ErrorReason.EngineRecovering, failure.Error.Reason);
        await Assert.ThrowsAsync<OrderEngineException>(() => pipeline.SubmitAsync(Draft(2)).AsTask());
    }

    [Fact]
    public async Task A_stream_that_is_refused_for_good_is_not_tried_again()
    {
        var streams = 0;
        var services = new FakeServices();
        services.Orders.OnStream = (_, _, _) =>
        {
            streams++;
            throw Errors.Exception(StatusCode.PermissionDenied, "ROLE_NOT_ALLOWED");
        };
        await using var engine = await FakeEngine.StartAsync(services);
        using var client = new OrderEngineClient(engine.Address, Options());
        await using var pipeline = client.OpenOrderPipeline();

        var failure = await Assert.ThrowsAsync<OrderEngineException>(async () => await (await pipeline.SubmitAsync(Draft(1))).WaitAsync(Patience));
        Assert.Equal(ErrorReason.RoleNotAllowed, failure.Error.Reason);
        Assert.Equal(1, streams);
    }

    [Fact]
    public async Task Orders_survive_a_server_that_goes_away_and_comes_back()
    {
        var decided = new List<string>();
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        FakeServices Services(bool answering)
        {
            var services = new FakeServices();
            services.Orders.OnStream = async (orders, answers, _) =>
            {
                await foreach (var message in orders.ReadAllAsync())
                {
                    foreach (var order in message.Orders)
                    {
                        if (!answering && decided.Count == 3)
                        {
                            answered.TrySetResult();
                            continue;
                        }

                        decided.Add(order.Request.RequestId);
                        await answers.WriteAsync(new StreamSubmitOrdersResponse { Results = { Accept(order) } });
                    }
                }
            };
            return services;
        }

        var first = await FakeEngine.StartAsync(Services(answering: false));
        using var client = new OrderEngineClient(first.Address, Options(TimeProvider.System));
        await using var pipeline = client.OpenOrderPipeline();
        using var atTheEnd = new Abort(pipeline);
        var tasks = new List<Task<Outcome<SubmitOrderResponse>>>();
        for (var i = 0; i < 10; i++)
            tasks.Add(await pipeline.SubmitAsync(Draft(i), $"r-{i}"));
        await answered.Task.WaitAsync(Patience);
        await Task.WhenAll(tasks.Take(3)).WaitAsync(Patience);
        await first.DisposeAsync();
        await using var second = await FakeEngine.StartAsync(Services(answering: true), first.Port);

        Assert.All(await Task.WhenAll(tasks).WaitAsync(Patience), outcome => Assert.True(outcome.IsAccepted));
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"r-{i}"), decided);
    }

    [Fact]
    public async Task Status_reports_share_the_stream_and_keep_their_order()
    {
        var received = new List<string>();
        var services = new FakeServices();
        services.Fulfillment.OnStream = async (reports, answers, _) =>
        {
            await foreach (var message in reports.ReadAllAsync())
            {
                var answer = new StreamStatusReportsResponse();
                foreach (var report in message.Reports)
                {
                    received.Add($"{report.ReportCase} {report.Release?.RequestId}{report.Ship?.RequestId}{report.Deliver?.RequestId}");
                    answer.Results.Add(report.ReportCase == StatusReport.ReportOneofCase.Deliver
                        ? new StatusReportResult { ClientSeq = report.ClientSeq, Refused = Errors.Status(StatusCode.FailedPrecondition, "QUANTITY_NOT_AVAILABLE") }
                        : new StatusReportResult { ClientSeq = report.ClientSeq, Accepted = new FulfillmentResponse { OrderId = "o1" } });
                }

                await answers.WriteAsync(answer);
            }
        };
        await using var engine = await FakeEngine.StartAsync(services);
        using var client = new OrderEngineClient(engine.Address, Options());
        await using var pipeline = client.OpenStatusReportPipeline();

        var released = await pipeline.ReleaseAsync(new ReleaseShipmentRequest { RequestId = "a", OrderId = "o1" });
        var shipped = await pipeline.ShipAsync(new ConfirmShipmentRequest { RequestId = "b", OrderId = "o1" });
        var delivered = await pipeline.DeliverAsync(new RecordDeliveryRequest { RequestId = "c", OrderId = "o1" });

        Assert.True((await released.WaitAsync(Patience)).IsAccepted);
        Assert.True((await shipped.WaitAsync(Patience)).IsAccepted);
        Assert.Equal(ErrorReason.QuantityNotAvailable, (await delivered.WaitAsync(Patience)).Refused!.Reason);
        Assert.Equal(["Release a", "Ship b", "Deliver c"], received);
    }
}
