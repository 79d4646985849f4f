// A real Prometheus with our rules on a real engine: each alert is brought about by what it is there for, and goes away when that is mended.
using Grpc.Core;
using Grpc.Net.Client;
using OrderEngine.Contracts.V1;
using OrderEngine.System.Tests.Harness;

namespace OrderEngine.System.Tests;

[Collection(Alone.Name)]
public sealed class PrometheusTests(ITestOutputHelper log)
{
    private const long SmallestLowMark = 96L << 20;
    private long _last;

    [PrometheusFact]
    public async Task A_killed_engine_and_one_that_recovers()
    {
        await using var server = await Server.StartNewAsync(log, new Dictionary<string, string?> { ["OrderEngine__TraceTo"] = "http://127.0.0.1:1", ["OrderEngine__TraceOneIn"] = "1" });
        await using var prometheus = await Prometheus.StartAsync(server);
        await prometheus.UntilAsync(async () => await prometheus.CountAsync("orderengine_phase == 2") > 0, "sees it serve");
        await SetUpAsync(server);
        await prometheus.UntilAsync(async () => (await prometheus.TracesAsync("orderengine_commit_duration_seconds_bucket")).Any(trace => trace.Length == 32), "keeps an exemplar");
        Assert.Equal(0, await prometheus.FiringAsync("OrderEngineDown") + await prometheus.FiringAsync("OrderEngineNotServing"));

        await server.KillAsync();
        await prometheus.UntilFiringAsync("OrderEngineDown");
        // A disk on which the first read of the journal takes eight seconds.
        var journal = Directory.GetFiles(Path.Combine(server.DataDirectory, "journal")).SelectMany(file => new[] { "-P", file });
        server.Launch(["strace", "-D", "-f", "-qq", "-o", "/dev/null", .. journal, "-e", "trace=pread64", "-e", "inject=pread64:delay_enter=8000000:when=1"]);
        await prometheus.UntilFiringAsync("OrderEngineNotServing");
        await server.WaitUntilServingAsync();
        await prometheus.UntilQuietAsync("OrderEngineDown", "OrderEngineNotServing");
    }

    [PrometheusFact]
    public async Task A_disk_that_fills()
    {
        var disk = new SmallDisk();
        await using var server = await Server.StartNewAsync(log, new Dictionary<string, string?> { ["OrderEngine__LowDiskBytes"] = $"{SmallestLowMark}", ["OrderEngine__LowDiskPercent"] = "90" }, disk.MountAsync);
        // Gone before the server's folder goes.
        await using var mounted = disk;
        await using var prometheus = await Prometheus.StartAsync(server);
        await prometheus.UntilAsync(async () => await prometheus.CountAsync("orderengine_phase == 2") > 0, "sees it serve");
        Assert.Equal(0, await prometheus.FiringAsync("OrderEngineDiskLow") + await prometheus.FiringAsync("OrderEngineDiskFillsSoon"));

        await prometheus.UntilAsync(async () =>
        {
            await disk.FillAsync(megabytes: 2);
            return await prometheus.FiringAsync("OrderEngineDiskFillsSoon") > 0;
        }, "foresees the end");
        await disk.FillAsync(leaveFree: SmallestLowMark / 2);
        await prometheus.UntilFiringAsync("OrderEngineDiskLow");
        disk.Empty();
        await prometheus.UntilQuietAsync("OrderEngineDiskLow", "OrderEngineDiskFillsSoon");
    }

    [PrometheusFact]
    public async Task A_disk_that_is_slow_and_more_orders_than_it_can_take()
    {
        string[] alerts = ["OrderEngineCommitsSlow", "OrderEngineQueueNearlyFull", "OrderEngineRefusesForLoad"];
        await using var server = await Server.StartNewAsync(log, new Dictionary<string, string?> { ["OrderEngine__NormalQueueCapacity"] = "8" });
        await SetUpAsync(server);
        await using var prometheus = await Prometheus.StartAsync(server);
        Assert.Equal(0, (await Task.WhenAll(alerts.Select(prometheus.FiringAsync))).Sum());

        using var channel = GrpcChannel.ForAddress(server.Address);
        var orders = new OrderService.OrderServiceClient(channel);
        using var enough = new CancellationTokenSource();
        var clients = Enumerable.Range(0, 64).Select(_ => SubmitUntilAsync(orders, enough.Token)).ToList();
        await using (var slow = ChildProcess.Start("strace", ["-f", "-qq", "-o", "/dev/null", "-p", $"{server.ProcessId}", "-e", "trace=pwrite64", "-e", "inject=pwrite64:delay_enter=400000"]))
        {
            await prometheus.UntilFiringAsync(alerts);
            await enough.CancelAsync();
            await Task.WhenAll(clients);
            await slow.TerminateAsync();
            await slow.WaitAsync();
        }
        await prometheus.UntilQuietAsync(alerts);
        await server.StopAsync();
    }

    [PrometheusFact]
    public async Task A_reader_that_does_not_read_and_a_snapshot_that_nobody_takes()
    {
        await using var server = await Server.StartNewAsync(log);
        await SetUpAsync(server);
        await using var prometheus = await Prometheus.StartAsync(server);
        using var channel = GrpcChannel.ForAddress(server.Address);
        var orders = new OrderService.OrderServiceClient(channel);
        using (var watch = new TrackingService.TrackingServiceClient(channel).WatchOrders(new WatchOrdersRequest()))
        {
            await prometheus.UntilAsync(async () => await prometheus.CountAsync("orderengine_subscribers{stream=\"orders\"} == 1") > 0, "sees the reader");
            await prometheus.UntilAsync(async () =>
            {
                var bulk = new BulkSubmitOrdersRequest();
                for (var i = 0; i < 500; i++) bulk.Requests.Add(Order());
                await orders.BulkSubmitOrdersAsync(bulk);
                return await prometheus.FiringAsync("OrderEngineSubscriberBehind") > 0 && await prometheus.FiringAsync("OrderEngineSnapshotOld") > 0;
            }, "fires OrderEngineSubscriberBehind and OrderEngineSnapshotOld");
        }
        await prometheus.UntilQuietAsync("OrderEngineSubscriberBehind");
        (await server.OrderctlAsync("checkpoint")).Succeeded();
        await prometheus.UntilQuietAsync("OrderEngineSnapshotOld");
    }

    [PrometheusFact]
    public async Task A_caller_with_a_wrong_key_and_a_certificate_that_ends()
    {
        await using var server = await Server.StartSecureAsync(log);
        await using var prometheus = await Prometheus.StartAsync(server);
        // The tests' certificates are good for a day.
        await prometheus.UntilFiringAsync("OrderEngineCertificateEnds");
        using (var channel = server.OpenChannel())
        {
            var admin = new AdminService.AdminServiceClient(channel);
            await prometheus.UntilAsync(async () =>
            {
                for (var i = 0; i < 10; i++)
                {
                    var refused = await Assert.ThrowsAsync<RpcException>(async () => await admin.GetEngineStatusAsync(new GetEngineStatusRequest(), new Metadata { { "authorization", "Bearer wrong" } }));
                    Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
                }
                return await prometheus.FiringAsync("OrderEngineRefusesCallers") > 0;
            }, "fires OrderEngineRefusesCallers");
        }
        using var renewed = new TestCertificates("localhost", days: 60);
        await File.WriteAllTextAsync(Path.Combine(server.Folder, "server.pem"), renewed.ServerPem);
        await prometheus.UntilQuietAsync("OrderEngineRefusesCallers", "OrderEngineCertificateEnds");
    }

    [PrometheusFact]
    public async Task A_defect_in_a_decision()
    {
        await using var server = await Server.StartNewAsync(log, new Dictionary<string, string?> { ["DOTNET_STARTUP_HOOKS"] = typeof(PrometheusTests).Assembly.Location });
        await SetUpAsync(server);
        await using var prometheus = await Prometheus.StartAsync(server);
        // The counter stands at 0 before anything is wrong: of one that begins at 1 no increase would be seen.
        await prometheus.UntilAsync(async () => await prometheus.CountAsync("orderengine_decide_errors_total == 0") > 0, "sees that nothing is wrong");
        using var channel = GrpcChannel.ForAddress(server.Address);
        var orders = new OrderService.OrderServiceClient(channel);
        var order = await orders.SubmitOrderAsync(Order());
        var failed = await Assert.ThrowsAsync<RpcException>(async () => await orders.AddNoteAsync(new AddNoteRequest { RequestId = Id(), OrderId = order.OrderId, Text = "Ring twice." }));
        Assert.Equal(StatusCode.Internal, failed.StatusCode);
        await prometheus.UntilFiringAsync("OrderEngineDecideErrors");
        await orders.SubmitOrderAsync(Order());
        await prometheus.UntilQuietAsync("OrderEngineDecideErrors");
        await server.StopAsync();
    }

    private async Task SetUpAsync(Server server)
    {
        using var client = server.Connect();
        await client.Catalog.UpsertLocationAsync(new UpsertLocationRequest { RequestId = Id(), Location = new Location { LocationId = "L1" } });
        await client.Catalog.UpsertSkuAsync(new UpsertSkuRequest { RequestId = Id(), Sku = new Sku { SkuId = "A", Name = "A" } });
        await client.Catalog.UpsertChannelAsync(new UpsertChannelRequest { RequestId = Id(), Channel = new Channel { ChannelId = "WEB" } });
        await client.Inventory.ReceiveStockAsync(new ReceiveStockRequest { RequestId = Id(), LocationId = "L1", Items = { new ReservationItem { SkuId = "A", Quantity = 1_000_000 } } });
    }

    private async Task SubmitUntilAsync(OrderService.OrderServiceClient orders, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            try
            {
                await orders.SubmitOrderAsync(Order(), cancellationToken: CancellationToken.None);
            }
            catch (RpcException refused) when (refused.StatusCode is StatusCode.ResourceExhausted)
            {
                // QUEUE_FULL: as it shall be. Others have their turn before the next try.
                await Task.Yield();
            }
        }
    }

    private SubmitOrderRequest Order() => new()
    {
        RequestId = Id(), Order = new OrderDraft
        {
            ChannelId = "WEB", ExternalOrderId = Id(), CurrencyCode = "GBP", Lines = { new OrderLineDraft { SkuId = "A", Quantity = 1, UnitPriceMinor = 100 } },
        },
    };

    private string Id() => $"p-{Interlocked.Increment(ref _last)}";

    /// <summary>A file system in memory for the data of one server, which can be filled without harm to the machine's own.</summary>
    private sealed class SmallDisk : IAsyncDisposable
    {
        private const int Megabytes = 400;
        private string? _at;
        private int _files;

        public async Task MountAsync(Server server)
        {
            Directory.CreateDirectory(server.DataDirectory);
            (await ChildProcess.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={Megabytes}m", "tmpfs", server.DataDirectory])).Succeeded();
            _at = server.DataDirectory;
        }

        public async Task FillAsync(int megabytes) =>
            (await ChildProcess.RunAsync("fallocate", ["-l", $"{megabytes}M", Path.Combine(_at!, $"filler-{_files++}")])).Succeeded();

        public Task FillAsync(long leaveFree) => FillAsync((int)((new DriveInfo(_at!).AvailableFreeSpace - leaveFree) >> 20));

        public void Empty()
        {
            foreach (var file in Directory.GetFiles(_at!, "filler-*")) File.Delete(file);
        }

        public async ValueTask DisposeAsync()
        {
            if (_at is not null) await ChildProcess.RunAsync("umount", ["-l", _at]);
        }
    }
}
