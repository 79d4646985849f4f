// Proves through the wire: on a low disk changes are refused with RESOURCE_EXHAUSTED, a reason and a delay; reads and streams go on; status, health
// and metrics tell it; and it ends by itself.

using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using OrderEngine.Contracts.Grpc.Health.V1;
using OrderEngine.Contracts.V1;
using OrderEngine.Journal;
using OrderEngine.Server.Protocol;
using OrderEngine.Server.Tests.Kit;
using Serving = OrderEngine.Contracts.Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace OrderEngine.Server.Tests;

public sealed class DiskTests
{
    private const long Giga = 1024L * 1024 * 1024;
    private readonly ManualTime _time = new();
    private long _free = 100 * Giga;

    [Fact]
    public async Task A_low_disk_refuses_changes_and_serves_everything_else()
    {
        await using var server = await StartAsync();
        await Shop.OpenAsync(server);
        var order = (await server.Orders.SubmitOrderAsync(Shop.Submit())).OrderId;

        Set(Giga - 1);
        await server.WaitAsync(Serving.NotServing);
        var sealing = Shop.Submit();
        sealing.Order.Delivery = new PersonalDetails { Name = "Ada" };
        foreach (var refused in new[]
        {
            await Refusal.ExpectAsync(async () => await server.Orders.SubmitOrderAsync(Shop.Submit())),
            await Refusal.ExpectAsync(async () => await server.Orders.SubmitOrderAsync(sealing)),
            await Refusal.ExpectAsync(async () => await server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = order })),
            await Refusal.ExpectAsync(async () => await server.Customers.UpsertCustomerAsync(new UpsertCustomerRequest
            {
                RequestId = Shop.NewId(), Customer = new Customer { CustomerId = "NEW", Details = new PersonalDetails { Name = "Bob" } },
            })),
            Refusal.Of((await server.Orders.BulkSubmitOrdersAsync(new BulkSubmitOrdersRequest { Requests = { Shop.Submit() } })).Results[0].Refused),
        })
        {
            Assert.Equal((StatusCode.ResourceExhausted, "DISK_LOW"), (refused.Code, refused.Reason));
            Assert.True(refused.Retry > TimeSpan.Zero);
        }

        Assert.Equal(OrderState.Ready, (await server.Orders.GetOrderAsync(new GetOrderRequest { OrderId = order })).State);
        Assert.True((await server.Orders.CheckFulfillabilityAsync(new CheckFulfillabilityRequest { Order = Shop.Draft() })).Acceptable);
        using (var watch = server.Tracking.WatchOrders(new WatchOrdersRequest { SnapshotFirst = true }))
        {
            Assert.True(await watch.ResponseStream.MoveNext(default));
            Assert.Equal(order, watch.ResponseStream.Current.Snapshot.Orders.Single().OrderId);
        }

        var status = await server.StatusAsync();
        Assert.Equal((EnginePhase.LowDisk, Giga - 1, Giga), (status.Phase, status.DiskFreeBytes, status.DiskLowBytes));
        var health = (await server.Health.ListAsync(new HealthListRequest())).Statuses;
        Assert.All(health, one => Assert.Equal(
            one.Key is HealthStatus.Liveness or "orderengine.v1.TrackingService" or "orderengine.v1.AdminService" ? Serving.Serving : Serving.NotServing, one.Value.Status));
        var metrics = await new HttpClient().GetStringAsync(new Uri(server.MetricsAddress));
        Assert.Contains($"orderengine_disk_free_bytes {Giga - 1}", metrics, StringComparison.Ordinal);
        Assert.Contains("orderengine_phase 4", metrics, StringComparison.Ordinal);

        Set(2 * Giga);
        await server.WaitAsync(Serving.Serving);
        await server.Orders.SubmitOrderAsync(sealing);
        Assert.Equal(EnginePhase.Serving, (await server.StatusAsync()).Phase);
        Assert.All((await server.Health.ListAsync(new HealthListRequest())).Statuses, one => Assert.Equal(Serving.Serving, one.Value.Status));
    }

    [Fact]
    public async Task The_process_is_alive_before_it_is_ready_and_a_full_disk_keeps_neither_from_starting()
    {
        _free = 0;
        var opening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TestServer.ListenAsync(services =>
        {
            AddDisk(services);
            services.AddSingleton<OpenJournal>(_ => (directory, from, replay, progress) =>
            {
                opening.Task.Wait(TestServer.HeldStart);
                return FasterJournal.Open(new JournalOptions { Directory = directory }, from, replay, progress);
            });
        });
        Assert.Equal(Serving.Serving, await AskAsync(server, HealthStatus.Liveness));
        Assert.Equal(Serving.NotServing, await AskAsync(server, "orderengine.v1.TrackingService"));
        Assert.Equal(EnginePhase.Recovering, (await server.StatusAsync()).Phase);
        opening.SetResult();
        using var watch = server.Health.Watch(new HealthCheckRequest { Service = "orderengine.v1.TrackingService" });
        while (watch.ResponseStream.Current?.Status != Serving.Serving) Assert.True(await watch.ResponseStream.MoveNext(default));
        Assert.Equal(EnginePhase.LowDisk, (await server.StatusAsync()).Phase);
        Assert.Equal(Serving.NotServing, await AskAsync(server, HealthStatus.WholeServer));
    }

    private static async Task<Serving> AskAsync(TestServer server, string service) =>
        (await server.Health.CheckAsync(new HealthCheckRequest { Service = service })).Status;

    private Task<TestServer> StartAsync() => TestServer.StartAsync(AddDisk);

    private void AddDisk(IServiceCollection services)
    {
        services.AddSingleton<TimeProvider>(_time);
        services.AddSingleton<Func<DiskSpace>>(() => new DiskSpace(Volatile.Read(ref _free), 1_000 * Giga));
    }

    private void Set(long free)
    {
        Volatile.Write(ref _free, free);
        _time.Advance(TimeSpan.FromSeconds(1));
    }
}
