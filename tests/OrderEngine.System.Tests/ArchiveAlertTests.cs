// The alert of the archive, as PrometheusTests has the others: apart from them, because it waits for the archiver, which looks once a minute, and may do so
// beside other tests.
using OrderEngine.Contracts.V1;
using OrderEngine.System.Tests.Harness;

namespace OrderEngine.System.Tests;

public sealed class ArchiveAlertTests(ITestOutputHelper log)
{
    // Of a day long ago, since no order may leave memory before it is a day old.
    [PrometheusFact]
    public async Task An_archive_that_cannot_be_written()
    {
        await using var server = await Server.StartNewAsync(log, new Dictionary<string, string?> { ["OrderEngine__ArchiveAfterDays"] = "1" }, server =>
        {
            Golden.Unpack(Directory.CreateDirectory(server.DataDirectory).FullName);
            return Task.CompletedTask;
        });
        var requests = 0;
        // A file stands where its directory is to be.
        var archive = Path.Combine(server.DataDirectory, "archive");
        await File.WriteAllTextAsync(archive, "");
        await using var prometheus = await Prometheus.StartAsync(server);
        // The counter stands at 0 before anything is wrong, as in PrometheusTests.
        await prometheus.UntilAsync(async () => await prometheus.CountAsync("orderengine_archive_failures_total == 0") > 0, "sees that nothing is wrong");
        using var client = server.Connect();
        await prometheus.UntilAsync(async () =>
        {
            // With each command the engine forgets some of the answers that keep orders in memory; all are taken.
            await client.Inventory.ReceiveStockAsync(new ReceiveStockRequest { RequestId = $"archive-{requests++}", LocationId = "NORTH", Items = { new ReservationItem { SkuId = "CUP", Quantity = 1 } } });
            return await prometheus.FiringAsync("OrderEngineArchiveFails") > 0;
        }, "fires OrderEngineArchiveFails");
        Assert.Equal(0, await prometheus.CountAsync("orderengine_archive_orders > 0"));
        File.Delete(archive);
        await prometheus.UntilQuietAsync("OrderEngineArchiveFails");
        await prometheus.UntilAsync(async () => await prometheus.CountAsync("orderengine_archive_orders > 0") > 0, "sees orders in the archive");
        await server.StopAsync();
    }
}
