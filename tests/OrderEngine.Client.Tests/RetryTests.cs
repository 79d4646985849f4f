// Single calls: what is tried again, for how long, and under which request id.
using Grpc.Core;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client.Tests;

public sealed class RetryTests
{
    private static OrderDraft Draft(string id = "A-1") => new()
    {
        ChannelId = "web", ExternalOrderId = id, CurrencyCode = "GBP",
        Lines = { new OrderLineDraft { SkuId = "MUG", Quantity = 2, UnitPriceMinor = 250 } },
    };

    private static OrderEngineClientOptions Options(TimeProvider time) => new() { TimeProvider = time, RandomSeed = 7 };

    [Fact]
    public async Task An_order_is_sent_again_with_the_same_request_id_until_it_is_answered()
    {
        var seen = new List<string>();
        var services = new FakeServices();
        services.Orders.OnSubmit = request =>
        {
            seen.Add(request.RequestId);
            return seen.Count switch
            {
                1 => throw Errors.Exception(StatusCode.Unavailable, "ENGINE_RECOVERING", retryAfter: TimeSpan.FromSeconds(2)),
                2 => throw Errors.Exception(StatusCode.ResourceExhausted, "QUEUE_FULL", retryAfter: TimeSpan.FromSeconds(3)),
                3 => throw Errors.Exception(StatusCode.DeadlineExceeded, "DEADLINE_PASSED"),
                4 => throw new RpcException(new Status(StatusCode.Unavailable, "proxy says no")),
                _ => new SubmitOrderResponse { OrderId = "o1", Sequence = 9 },
            };
        };
        await using var engine = await FakeEngine.StartAsync(services);
        var time = new JumpingTime();
        using var client = new OrderEngineClient(engine.Address, Options(time));

        var outcome = await client.SubmitAsync(Draft());

        Assert.True(outcome.IsAccepted);
        Assert.Equal("o1", outcome.Accepted.OrderId);
        Assert.Equal(5, seen.Count);
        Assert.Equal(outcome.RequestId, Assert.Single(seen.Distinct()));
        Assert.Equal(7, Guid.Parse(outcome.RequestId).Version);

        // RetryInfo is a floor; above it, and without it, waits are drawn below a ceiling that doubles.
        Assert.Equal(4, time.Waits.Count);
        Assert.InRange(time.Waits[0], TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2.05));
        Assert.InRange(time.Waits[1], TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(3.1));
        Assert.InRange(time.Waits[2], TimeSpan.Zero, TimeSpan.FromSeconds(0.2));
        Assert.InRange(time.Waits[3], TimeSpan.Zero, TimeSpan.FromSeconds(0.4));
    }

    [Fact]
    public async Task The_budget_ends_the_retries_and_says_that_the_outcome_is_unknown()
    {
        var calls = 0;
        var services = new FakeServices();
        services.Orders.OnSubmit = _ =>
        {
            calls++;
            throw Errors.Exception(StatusCode.Unavailable, "ENGINE_DRAINING", retryAfter: TimeSpan.FromSeconds(4));
        };
        await using var engine = await FakeEngine.StartAsync(services);
        using var client = new OrderEngineClient(engine.Address, Options(new JumpingTime()) with
        {
            Retry = new RetrySettings { Budget = TimeSpan.FromSeconds(10) },
        });

        var failure = await Assert.ThrowsAsync<OrderEngineException>(() => client.SubmitAsync(Draft()));

        Assert.Equal(ErrorReason.EngineDraining, failure.Error.Reason);
        Assert.True(failure.Error.Retryable);
        Assert.Equal(3, calls);
    }

    [Fact]
    public async Task A_refusal_is_an_outcome_with_its_details_and_is_not_tried_again()
    {
        var calls = 0;
        var services = new FakeServices();
        services.Orders.OnSubmit = _ =>
        {
            calls++;
            throw Errors.Exception(StatusCode.FailedPrecondition, "OUT_OF_STOCK", "not enough", null,
                new Dictionary<string, string> { ["replayed"] = "true" },
                new StockShortage { SkuId = "MUG", Requested = 2, Available = 1, Missing = 1, LineNumbers = { 1 } });
        };
        await using var engine = await FakeEngine.StartAsync(services);
        using var client = new OrderEngineClient(engine.Address, Options(new JumpingTime()));

        var outcome = await client.SubmitAsync(Draft(), "my-id");

        Assert.False(outcome.IsAccepted);
        Assert.Equal("my-id", outcome.RequestId);
        Assert.Equal(ErrorReason.OutOfStock, outcome.Refused.Reason);
        Assert.Equal("OUT_OF_STOCK", outcome.Refused.ReasonName);
        Assert.Equal(StatusCode.FailedPrecondition, outcome.Refused.StatusCode);
        Assert.Equal(1, Assert.Single(outcome.Refused.Shortages).Missing);
        Assert.True(outcome.Refused.Replayed);
        Assert.Contains("PARTIAL_BACKORDER", outcome.Refused.Advice, StringComparison.Ordinal);
        Assert.Equal(1, calls);
    }

    [Fact]
    public async Task Malformed_fields_are_named()
    {
        var services = new FakeServices();
        services.Orders.OnSubmit = _ => throw Errors.Exception(StatusCode.InvalidArgument, "INVALID_FIELD", details: new Google.Rpc.BadRequest
        {
            FieldViolations = { new Google.Rpc.BadRequest.Types.FieldViolation { Field = "order.lines[0].quantity", Description = "1 to 1,000,000" } },
        });
        await using var engine = await FakeEngine.StartAsync(services);
        using var client = new OrderEngineClient(engine.Address, Options(new JumpingTime()));

        var outcome = await client.SubmitAsync(Draft());

        Assert.Equal(new FieldProblem("order.lines[0].quantity", "1 to 1,000,000"), Assert.Single(outcome.Refused!.FieldProblems));
    }

    [Fact]
    public async Task Resource_exhausted_that_waiting_does_not_help_is_not_tried_again()
    {
        var calls = 0;
        var services = new FakeServices();
        services.Inventory.OnCreate = _ =>
        {
            calls++;
            throw Errors.Exception(StatusCode.ResourceExhausted, "HOLD_LIMIT_REACHED");
        };
        await using var engine = await FakeEngine.StartAsync(services);
        using var client = new OrderEngineClient(engine.Address, Options(new JumpingTime()));

        var failure = await Assert.ThrowsAsync<OrderEngineException>(async () =>
            await client.Inventory.CreateReservationAsync(new CreateReservationRequest { ChannelId = "web" }));

        Assert.Equal(ErrorReason.HoldLimitReached, failure.Error.Reason);
        Assert.Equal(1, calls);
    }

    [Fact]
    public async Task A_change_without_request_id_or_actor_gets_them_and_a_read_stays_as_it_is()
    {
        CancelOrderRequest? received = null;
        var services = new FakeServices();
        services.Orders.OnCancel = request =>
        {
            received = request;
            return new CancelOrderResponse { OrderId = request.OrderId };
        };
        services.Orders.OnGet = request => new Order { OrderId = request.OrderId };
        await using var engine = await FakeEngine.StartAsync(services);
        using var client = new OrderEngineClient(engine.Address, Options(new JumpingTime()) with { Actor = new Actor { Id = "desk-4" } });

        var mine = new CancelOrderRequest { OrderId = "o1" };
        await client.Orders.CancelOrderAsync(mine);
        await client.Orders.GetOrderAsync(new GetOrderRequest { OrderId = "o1" });

        Assert.Equal(mine.RequestId, received!.RequestId);
        Assert.Equal(36, received.RequestId.Length);
        Assert.Equal("desk-4", received.Actor.Id);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_unavailable_and_cancelling_ends_the_waiting()
    {
        var services = new FakeServices();
        var gone = await FakeEngine.StartAsync(services);
        await gone.DisposeAsync();
        using var client = new OrderEngineClient(gone.Address, Options(new JumpingTime()) with { Retry = new RetrySettings { Budget = TimeSpan.Zero } });

        var failure = await Assert.ThrowsAsync<OrderEngineException>(() => client.SubmitAsync(Draft()));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);

        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.SubmitAsync(Draft(), cancellationToken: cancelled.Token));
    }

    [Theory]
    [InlineData("127.0.0.1:5080")]
    [InlineData("ftp://127.0.0.1")]
    [InlineData("engine")]
    public void An_address_that_is_none_is_refused(string address) =>
        Assert.Throws<ArgumentException>(() => new OrderEngineClient(address));
}
