// The standard health service, over a socket, and the status table behind it.

using Grpc.Core;
using OrderEngine.Contracts.Grpc.Health.V1;
using OrderEngine.Server.Protocol;
using OrderEngine.Server.Tests.Kit;
using Xunit;
using ServingStatus = OrderEngine.Contracts.Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace OrderEngine.Server.Tests.Protocol;

public sealed class HealthTests : IAsyncLifetime
{
    private const string Orders = "orderengine.v1.OrderService";

    private readonly HealthStatus _health = new(Orders);
    private ProtocolHost _host = null!;
    private Health.HealthClient _client = null!;

    public async Task InitializeAsync()
    {
        _host = await ProtocolHost.Start(_health, []);
        _client = new Health.HealthClient(_host.Channel);
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Everything_begins_as_NOT_SERVING_and_is_what_was_set_last()
    {
        Assert.Equal(ServingStatus.NotServing, await Check(HealthStatus.WholeServer));
        Assert.Equal(ServingStatus.NotServing, await Check(Orders));
        _health.Set(Orders, ServingStatus.Serving);
        Assert.Equal(ServingStatus.Serving, await Check(Orders));
        Assert.Equal(ServingStatus.NotServing, await Check(HealthStatus.WholeServer));
        _health.SetAll(ServingStatus.Serving);
        Assert.Equal(ServingStatus.Serving, await Check(HealthStatus.WholeServer));
    }

    [Fact]
    public async Task There_is_a_bound_for_all_watches_together_and_who_leaves_makes_room()
    {
        var service = new HealthService(_health);
        var watchers = Enumerable.Range(0, ServerLimits.HealthWatches).Select(_ => new Abuse.DirectCall("/grpc.health.v1.Health/Watch")).ToList();
        var watches = watchers.Select(watcher => service.Watch(new HealthCheckRequest(), new Nowhere(), watcher)).ToList();
        using var more = new Abuse.DirectCall("/grpc.health.v1.Health/Watch");
        var refused = Refusal.Of(await Assert.ThrowsAnyAsync<RpcException>(() => service.Watch(new HealthCheckRequest(), new Nowhere(), more)));
        Assert.Equal((StatusCode.ResourceExhausted, "SUBSCRIBER_LIMIT_REACHED"), (refused.Code, refused.Reason));
        watchers[0].Leave();
        await watches[0];
        var next = service.Watch(new HealthCheckRequest(), new Nowhere(), more);
        Assert.False(next.IsCompleted);
        more.Leave();
        watchers.ForEach(watcher => watcher.Leave());
        await Task.WhenAll([.. watches, next]);
        watchers.ForEach(watcher => watcher.Dispose());
    }

    private sealed class Nowhere : IServerStreamWriter<HealthCheckResponse>
    {
        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(HealthCheckResponse message) => Task.CompletedTask;

        public Task WriteAsync(HealthCheckResponse message, CancellationToken cancellationToken) => Task.CompletedTask;
    }

    [Fact]
    public async Task An_unknown_service_is_NOT_FOUND()
    {
        var refused = await Assert.ThrowsAsync<RpcException>(() => Check("orderengine.v1.Nobody"));
        Assert.Equal(StatusCode.NotFound, refused.StatusCode);
    }

    [Fact]
    public async Task List_tells_all_at_once()
    {
        _health.Set(Orders, ServingStatus.Serving);
        var list = await _client.ListAsync(new());
        Assert.Equal(2, list.Statuses.Count);
        Assert.Equal(ServingStatus.NotServing, list.Statuses[""].Status);
        Assert.Equal(ServingStatus.Serving, list.Statuses[Orders].Status);
    }

    [Fact]
    public async Task A_watch_tells_the_status_now_and_each_change_but_not_what_stays()
    {
        using var watch = Watch(Orders);
        Assert.Equal(ServingStatus.NotServing, await Next(watch));
        _health.Set(Orders, ServingStatus.Serving);
        Assert.Equal(ServingStatus.Serving, await Next(watch));
        _health.Set(Orders, ServingStatus.Serving);
        _health.Set(HealthStatus.WholeServer, ServingStatus.Serving);
        _health.Set(Orders, ServingStatus.NotServing);
        Assert.Equal(ServingStatus.NotServing, await Next(watch));
    }

    [Fact]
    public async Task A_watch_of_an_unknown_service_says_so_and_goes_on_until_it_is_known()
    {
        using var watch = Watch("late");
        Assert.Equal(ServingStatus.ServiceUnknown, await Next(watch));
        _health.Set("late", ServingStatus.Serving);
        Assert.Equal(ServingStatus.Serving, await Next(watch));
    }

    [Fact]
    public async Task A_stopping_server_says_NOT_SERVING_and_ends_its_watches()
    {
        _health.SetAll(ServingStatus.Serving);
        using var watch = Watch(Orders);
        Assert.Equal(ServingStatus.Serving, await Next(watch));

        var stopped = _host.Stop();
        Assert.Equal(ServingStatus.NotServing, await Next(watch));
        var ended = await Assert.ThrowsAsync<RpcException>(() => Next(watch));
        Assert.Equal(StatusCode.Unavailable, ended.StatusCode);
        Assert.Equal("The server is stopping.", ended.Status.Detail);
        await stopped;
    }

    [Fact]
    public async Task A_watch_that_the_client_leaves_is_cancelled()
    {
        using var source = new CancellationTokenSource();
        using var watch = _client.Watch(new HealthCheckRequest { Service = Orders }, cancellationToken: source.Token);
        Assert.Equal(ServingStatus.NotServing, await Next(watch));
        await source.CancelAsync();
        var ended = await Assert.ThrowsAsync<RpcException>(() => Next(watch));
        Assert.Equal(StatusCode.Cancelled, ended.StatusCode);
    }

    [Fact]
    public async Task A_slow_watcher_sees_the_newest_status_only()
    {
        var health = new HealthStatus();
        await using var watch = health.Watch("").GetAsyncEnumerator();
        Assert.True(await watch.MoveNextAsync());
        Assert.Equal(ServingStatus.NotServing, watch.Current);
        health.SetAll(ServingStatus.Serving);
        health.SetAll(ServingStatus.NotServing);
        health.SetAll(ServingStatus.Serving);
        Assert.True(await watch.MoveNextAsync());
        Assert.Equal(ServingStatus.Serving, watch.Current);
        var next = watch.MoveNextAsync();
        Assert.False(next.IsCompleted);
        health.Stop();
        Assert.True(await next);
        Assert.Equal(ServingStatus.NotServing, watch.Current);
        Assert.False(await watch.MoveNextAsync());
    }

    [Fact]
    public async Task A_change_and_its_reversal_that_nobody_saw_are_not_told()
    {
        var health = new HealthStatus();
        await using var watch = health.Watch("").GetAsyncEnumerator();
        Assert.True(await watch.MoveNextAsync());
        var next = watch.MoveNextAsync();
        health.Set("other", ServingStatus.Serving);
        health.Set("", ServingStatus.NotServing);
        Assert.False(next.IsCompleted);
        health.Set("", ServingStatus.Serving);
        Assert.True(await next);
        Assert.Equal(ServingStatus.Serving, watch.Current);
    }

    [Fact]
    public void Nothing_serves_again_after_Stop()
    {
        _health.Stop();
        _health.Stop();
        _health.SetAll(ServingStatus.Serving);
        _health.Set("new", ServingStatus.Serving);
        Assert.All(_health.All().Values, status => Assert.Equal(ServingStatus.NotServing, status));
        Assert.False(_health.TryGet("new", out _));
    }

    [Theory]
    [InlineData(ServingStatus.Unknown)]
    [InlineData(ServingStatus.ServiceUnknown)]
    [InlineData((ServingStatus)9)]
    public void Only_SERVING_and_NOT_SERVING_can_be_set(ServingStatus status)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => _health.Set(Orders, status));
        Assert.Throws<ArgumentOutOfRangeException>(() => _health.SetAll(status));
    }

    private async Task<ServingStatus> Check(string service) =>
        (await _client.CheckAsync(new HealthCheckRequest { Service = service })).Status;

    private AsyncServerStreamingCall<HealthCheckResponse> Watch(string service) =>
        _client.Watch(new HealthCheckRequest { Service = service });

    private static async Task<ServingStatus> Next(AsyncServerStreamingCall<HealthCheckResponse> watch)
    {
        Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
        return watch.ResponseStream.Current.Status;
    }
}
