// The process's life: recovering, serving, stopping, starting again.

using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrderEngine.Contracts.V1;
using OrderEngine.Journal;
using OrderEngine.Server.Mapping;
using OrderEngine.Server.Metrics;
using OrderEngine.Server.Tests.Kit;
using static OrderEngine.Core.Outcomes;
using Outcome = OrderEngine.Core.Outcome;
using Serving = OrderEngine.Contracts.Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace OrderEngine.Server.Tests;

public sealed class LifeTests
{
    [Theory]
    [InlineData(50, 100, 100)]
    [InlineData(150, 100, 150)]
    public async Task While_the_engine_recovers_status_health_and_metrics_answer_and_nothing_else(long done, long known, long total)
    {
        using var go = new ManualResetEventSlim();
        await using var server = await TestServer.ListenAsync(services => services.AddSingleton<OpenJournal>(_ => (directory, from, replay, progress) =>
        {
            progress.Report(new RecoveryProgress(done, known, 7, 1));
            go.Wait(TestServer.HeldStart);
            return FasterJournal.Open(new JournalOptions { Directory = directory }, from, replay, progress);
        }));

        await server.WaitAsync(Serving.NotServing);
        EngineStatus status;
        do status = await server.StatusAsync();
        while (status.RecoveryTotalBytes == 0);
        var refusal = await Refusal.ExpectAsync(async () => await server.Orders.SubmitOrderAsync(Shop.Submit()));
        using var http = new HttpClient();
        var metrics = await http.GetStringAsync(server.MetricsAddress);

        Assert.Equal((EnginePhase.Recovering, done, total), (status.Phase, status.RecoveredBytes, status.RecoveryTotalBytes));
        Assert.Equal((StatusCode.Unavailable, "ENGINE_RECOVERING"), (refusal.Code, refusal.Reason));
        Assert.True(refusal.Retry > TimeSpan.Zero);
        Assert.Contains("\norderengine_phase 1\n", metrics, StringComparison.Ordinal);

        go.Set();
        await server.WaitAsync(Serving.Serving);
        await Shop.OpenAsync(server);
        Assert.Equal(OrderState.Ready, (await Shop.OrderAsync(server)).State);
    }

    [Fact]
    public async Task An_address_that_is_taken_is_no_failure_of_the_engine_that_recovers_meanwhile()
    {
        await using var other = await TestServer.StartAsync();
        var directory = Directory.CreateTempSubdirectory("orderengine-server-").FullName;
        var failStop = new FailStops();
        Engine.Engine engine = null!;
        var app = TestServer.Build(directory, services => services.AddSingleton<Engine.IFailStop>(_ => failStop).AddSingleton<OpenJournal>(_ => (_, _, _, _) =>
        {
            // It is told in the midst of its work, as a long recovery would be.
            SpinWait.SpinUntil(() => engine.Phase == Engine.EnginePhase.Draining, TestServer.HeldStart);
            throw new OperationCanceledException();
        }), address: other.Address);
        engine = app.Services.GetRequiredService<Engine.Engine>();
        var host = app.Services.GetServices<Microsoft.Extensions.Hosting.IHostedService>().OfType<EngineHost>().Single();

        await Assert.ThrowsAsync<IOException>(() => app.StartAsync());
        await app.DisposeAsync();
        await host.StopAsync(default);

        Assert.Empty(failStop.Reasons);
        Directory.Delete(directory, recursive: true);
    }

    private sealed class FailStops : Engine.IFailStop
    {
        public List<string> Reasons { get; } = [];

        public void Fail(int exitCode, string reason, Exception? cause) => Reasons.Add(reason);
    }

    [Fact]
    public async Task A_stop_answers_what_is_in_flight_and_ends_streams_so_that_clients_come_back()
    {
        var directory = Directory.CreateTempSubdirectory("orderengine-server-").FullName;
        await using var server = await TestServer.StartAsync(directory: directory);
        await Shop.OpenAsync(server);
        using var watch = server.Tracking.WatchOrders(new WatchOrdersRequest());
        await watch.ResponseStream.MoveNext(default);
        using var stream = server.Orders.StreamSubmitOrders();
        var message = new StreamSubmitOrdersRequest();
        for (ulong seq = 1; seq <= 500; seq++) message.Orders.Add(new StreamedOrder { ClientSeq = seq, Request = Shop.Submit() });
        await stream.RequestStream.WriteAsync(message);
        await stream.ResponseStream.MoveNext(default);
        var answered = stream.ResponseStream.Current.Results.Count;

        var stopping = server.StopAsync();
        var end = await Refusal.ExpectAsync(async () =>
        {
            while (await stream.ResponseStream.MoveNext(default)) answered += stream.ResponseStream.Current.Results.Count;
        });
        var watchEnd = await Refusal.ExpectAsync(async () =>
        {
            while (await watch.ResponseStream.MoveNext(default)) { }
        });
        await stopping;

        Assert.True(end.Reason == "ENGINE_DRAINING", end.Reason);
        Assert.Equal((StatusCode.Unavailable, "ENGINE_DRAINING"), (watchEnd.Code, watchEnd.Reason));
        // Of the message some orders may not have been taken any more: those that were have their answers.
        await server.DisposeAsync();
        await using (var again = await TestServer.StartAsync(directory: directory)) Assert.Equal((await again.StatusAsync()).Orders, answered);
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_stop_in_the_middle_of_a_stream_answers_every_order_that_is_on_disk()
    {
        var directory = Directory.CreateTempSubdirectory("orderengine-server-").FullName;
        try
        {
            long answered = 0;
            await using (var server = await TestServer.StartAsync(directory: directory))
            {
                await Shop.OpenAsync(server);
                using var stream = server.Orders.StreamSubmitOrders();
                // Nobody reads: the answers pile up to their bound, and the server stands between a command and its place among them.
                var sending = SendUntilRefusedAsync(stream.RequestStream);
                await WhenOrdersStandStillAsync(server);

                var stopping = server.StopAsync();
                var end = await Refusal.ExpectAsync(async () =>
                {
                    while (await stream.ResponseStream.MoveNext(default))
                        answered += stream.ResponseStream.Current.Results.Count(result => result.Accepted is not null);
                });
                await stopping;
                Assert.Equal("ENGINE_DRAINING", end.Reason);
                await sending;
            }

            await using var again = await TestServer.StartAsync(directory: directory);
            Assert.Equal((await again.StatusAsync()).Orders, answered);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }

        static async Task SendUntilRefusedAsync(IClientStreamWriter<StreamSubmitOrdersRequest> requests)
        {
            try
            {
                for (ulong seq = 1; ;)
                {
                    var message = new StreamSubmitOrdersRequest();
                    for (var i = 0; i < 500; i++) message.Orders.Add(new StreamedOrder { ClientSeq = seq++, Request = Shop.Submit() });
                    await requests.WriteAsync(message);
                }
            }
            catch (Exception ended) when (ended is RpcException or InvalidOperationException)
            {
                // The server has ended the stream.
            }
        }

        static async Task WhenOrdersStandStillAsync(TestServer server)
        {
            long last = 0;
            for (var same = 0; same < 300; same++)
            {
                var now = (await server.StatusAsync()).Orders;
                if (now != last || now == 0) (last, same) = (now, 0);
            }
        }
    }

    [Fact]
    public async Task A_server_that_starts_again_has_the_same_state_and_replays_the_same_answers()
    {
        var directory = Directory.CreateTempSubdirectory("orderengine-server-").FullName;
        try
        {
            var request = Shop.Submit();
            SubmitOrderResponse first;
            EngineStatus before;
            string token;
            await using (var server = await TestServer.StartAsync(directory: directory))
            {
                await Shop.OpenAsync(server);
                using var watch = server.Tracking.WatchOrders(new WatchOrdersRequest());
                await watch.ResponseStream.MoveNext(default);
                token = watch.ResponseStream.Current.ResumeToken;
                first = await server.Orders.SubmitOrderAsync(request);
                before = await server.StatusAsync();
            }

            await using var again = await TestServer.StartAsync(directory: directory);
            var after = await again.StatusAsync();
            var replayed = await again.Orders.SubmitOrderAsync(request);
            using var resumed = again.Tracking.WatchOrders(new WatchOrdersRequest { ResumeToken = token });
            await resumed.ResponseStream.MoveNext(default);
            await resumed.ResponseStream.MoveNext(default);

            Assert.Equal((before.Sequence, before.StateHash, before.Orders, before.Stock), (after.Sequence, after.StateHash, after.Orders, after.Stock));
            Assert.True(replayed.Replayed);
            replayed.Replayed = false;
            Assert.Equal(first, replayed);
            Assert.Equal(first.Sequence, Assert.Single(resumed.ResponseStream.Current.Events.Events).Sequence);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task A_min_sequence_that_does_not_come_is_told_as_that()
    {
        var time = new ManualTime();
        await using var server = await TestServer.StartAsync(services => services.AddSingleton<TimeProvider>(time));
        var reading = Refusal.ExpectAsync(async () => await server.Inventory.GetStockAsync(new GetStockRequest { SkuId = "A", MinSequence = 5 }));
        while (!reading.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(60));
            await server.StatusAsync();
        }
        var refusal = await reading;

        Assert.Equal((StatusCode.DeadlineExceeded, "DEADLINE_PASSED"), (refusal.Code, refusal.Reason));
        Assert.Equal(("5", "0"), (refusal.Metadata["min_sequence"], refusal.Metadata["durable_sequence"]));
    }

    [Fact]
    public async Task The_log_leaves_out_what_clients_do_wrong_and_keeps_what_the_server_does_wrong()
    {
        await using var app = Composition.Build(WebApplication.CreateBuilder(), new ServerOptions { MetricsPort = 0 });
        var logs = app.Services.GetRequiredService<ILoggerFactory>();

        Assert.False(logs.CreateLogger("Grpc.AspNetCore.Server.ServerCallHandler").IsEnabled(LogLevel.Critical));
        Assert.False(logs.CreateLogger("Microsoft.AspNetCore.Server.Kestrel.Http2").IsEnabled(LogLevel.Critical));
        Assert.True(logs.CreateLogger(typeof(CallGuard).FullName!).IsEnabled(LogLevel.Error));
        Assert.True(logs.CreateLogger("Microsoft.AspNetCore.Server.Kestrel").IsEnabled(LogLevel.Error));
    }
}
