// kill -9 of the server, and every other time of orderctl too, during orderctl's import: started again, it imports the whole file, and once.
using OrderEngine.Client;
using OrderEngine.Contracts.V1;
using OrderEngine.System.Tests.Harness;

namespace OrderEngine.System.Tests;

public sealed class OrderctlKillTests(ITestOutputHelper log)
{
    private const decimal Share = 0.5m; // refusals must survive too
    private const int RoundsPerKill = 10; // of KillTests' rounds

    [RetailFact]
    public async Task Orderctl_imports_the_whole_file_whatever_is_killed()
    {
        var random = new Random(Setting.Seed);
        var rounds = Math.Max(2, Setting.KillRounds / RoundsPerKill);
        log.WriteLine($"{rounds} rounds, OE_SEED={Setting.Seed}");
        await using var server = await Server.StartNewAsync(log);
        using var client = server.Connect();
        var rejects = Path.Combine(server.Folder, "rejects.csv");
        string[] command = ["import", Setting.RetailFile, "--format", "online-retail", "--open-stock", "0.5", "--rejects", rejects,
            "--address", server.Address, "--json"];
        var orderctl = Orderctl.Start(command);
        try
        {
            for (var round = 0; round < rounds; round++)
            {
                // The first rounds hit the catalog and the stock, the later ones the orders.
                var status = await server.StatusAsync();
                await ReachAsync(client, orderctl, status.Sequence + random.Next(1, 2 * ExpectedEvents / rounds));
                await server.KillAsync();
                var alsoOrderctl = orderctl.HasExited || random.Next(2) == 0;
                if (alsoOrderctl && !orderctl.HasExited)
                    await orderctl.KillAsync();
                await server.RestartAsync(random);
                if (!alsoOrderctl)
                    continue;
                await orderctl.DisposeAsync();
                orderctl = Orderctl.Start(command);
            }

            (await orderctl.WaitAsync(Setting.Patience * 4)).Succeeded();
        }
        finally
        {
            await orderctl.DisposeAsync();
        }

        var expected = Retail.File.DecideWithReturns(Share);
        await Expect.MatchesAsync(client, expected);
        var again = Expect.Json(await ImportTests.ImportAsync(server, "0.5", rejects));
        Assert.Equal((0, 10_031), (again.GetProperty("accepted").GetInt32(), again.GetProperty("duplicates").GetInt32()));
    }

    // An event an order, SKU, customer; orders make a little more than half of them.
    private static int ExpectedEvents => Retail.File.Orders.Count + Retail.File.OpeningStock(1).Count + 2_000;

    // Waits until the engine has got so far, or the import is over. The watch tells of orders; the catalog before them is polled.
    private static async Task ReachAsync(OrderEngineClient client, ChildProcess orderctl, long sequence)
    {
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!orderctl.HasExited && (await client.Admin.GetEngineStatusAsync(new GetEngineStatusRequest())).Sequence < sequence)
            await poll.WaitForNextTickAsync();
    }
}
