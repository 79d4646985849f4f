// Proves, with real processes: a backup taken under load is one state of the engine; restored, the engine has the same state hash, answers repeated
// requests the same and refuses positions in the old engine's streams; an earlier commit can be restored; a backup that was killed is none.
using System.Text.Json;
using Grpc.Core;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;
using OrderEngine.System.Tests.Harness;

namespace OrderEngine.System.Tests;

public sealed class BackupTests(ITestOutputHelper log)
{
    private const int Before = 300, Beside = 3_000;

    [Fact]
    public async Task A_backup_under_load_is_restored_with_the_same_state_and_the_same_answers()
    {
        // Small snapshots, so that they and the cutting of the journal go on beside the backup.
        await using var server = await Server.StartNewAsync(log, new Dictionary<string, string?>
        {
            ["OrderEngine__SnapshotJournalBytes"] = "65536", ["OrderEngine__StreamHistoryEvents"] = "1000",
        });
        var backup = Path.Combine(server.Folder, "backup");
        var keys = Path.Combine(server.Folder, "keys.backup");
        JsonElement made;
        string token;
        var answers = new Dictionary<string, SubmitOrderResponse>();
        using (var client = server.Connect())
        {
            await OpenAsync(client);
            for (var i = 0; i < Before; i++) answers[$"early-{i}"] = await SubmitAsync(client, $"early-{i}");
            var load = Parallel.ForEachAsync(Enumerable.Range(0, Beside), new ParallelOptions { MaxDegreeOfParallelism = 16 },
                async (i, _) => await SubmitAsync(client, $"beside-{i}"));
            made = Expect.Json(await server.OrderctlAsync("backup", backup, "--with-keys", keys, "--json"));
            await load;
            using var watch = client.Tracking.WatchOrders(new WatchOrdersRequest());
            Assert.True(await watch.ResponseStream.MoveNext(default));
            token = watch.ResponseStream.Current.ResumeToken;
        }
        var sequence = made.GetProperty("sequence").GetInt64();
        Assert.True(sequence >= answers.Values.Max(answer => answer.Sequence));
        Assert.True(Expect.Json(await Orderctl.RunAsync("journal", "verify", backup, "--json")).GetProperty("intact").GetBoolean());
        await server.StopAsync();

        // The whole backup.
        Directory.Delete(server.DataDirectory, recursive: true);
        var restored = Expect.Json(await Orderctl.RunAsync("restore", backup, "--data", server.DataDirectory, "--keys", keys, "--json"));
        Assert.Equal((sequence, 0), (restored.GetProperty("sequence").GetInt64(), restored.GetProperty("keysMissing").GetInt64()));
        await server.StartAsync();
        var status = await server.StatusAsync();
        Assert.Equal((sequence, made.GetProperty("stateHash").GetString()), (status.Sequence, status.StateHash));
        using (var client = server.Connect())
        {
            await Expect.HoldsAsync(client);
            foreach (var (id, answer) in answers.Take(50))
            {
                var again = await SubmitAsync(client, id);
                Assert.Equal((answer.OrderId, answer.Sequence, true), (again.OrderId, again.Sequence, again.Replayed));
            }
            var order = await client.Orders.GetOrderAsync(new GetOrderRequest { OrderId = answers["early-7"].OrderId, IncludeDelivery = true });
            Assert.Equal("Buyer of early-7", order.Delivery.Name);
            using var watch = client.Tracking.WatchOrders(new WatchOrdersRequest { ResumeToken = token });
            var refused = await Assert.ThrowsAsync<RpcException>(async () => await watch.ResponseStream.MoveNext(default));
            Assert.Equal(StatusCode.OutOfRange, refused.StatusCode);
            await SubmitAsync(client, "afterwards");
        }
        await server.StopAsync();

        // An earlier commit.
        var earlier = answers["early-250"].Sequence;
        Directory.Delete(server.DataDirectory, recursive: true);
        var point = await Orderctl.RunAsync("restore", backup, "--data", server.DataDirectory, "--to-sequence", $"{earlier}", "--keys", keys, "--json");
        if (point.ExitCode != 0)
        {
            // The journal had been cut beyond it: it says which is the earliest.
            Assert.Contains("or later", point.Errors, StringComparison.Ordinal);
            return;
        }
        await server.StartAsync();
        Assert.InRange((await server.StatusAsync()).Sequence, earlier, earlier + 1);
        using var last = server.Connect();
        await Expect.HoldsAsync(last);
        Assert.True((await SubmitAsync(last, "early-250")).Replayed);
        Assert.False((await SubmitAsync(last, "beside-7")).Replayed);
    }

    [Fact]
    public async Task A_killed_backup_is_none_and_the_engine_goes_on()
    {
        await using var server = await Server.StartNewAsync(log);
        using var client = server.Connect();
        await OpenAsync(client);
        await Parallel.ForEachAsync(Enumerable.Range(0, Beside), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) => await SubmitAsync(client, $"o-{i}"));
        var whole = 0;
        for (var round = 0; round < 6; round++)
        {
            var backup = Path.Combine(server.Folder, $"backup-{round}");
            await using var orderctl = Orderctl.Start("backup", backup, "--address", server.Address);
            // Killed as soon as something lies there, which is in the middle of it more often than not.
            using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
            while (!orderctl.HasExited && !File.Exists(Path.Combine(backup, "batches"))) await poll.WaitForNextTickAsync();
            if (!orderctl.HasExited) await orderctl.KillAsync();
            var restored = await Orderctl.RunAsync("restore", backup, "--data", Path.Combine(server.Folder, $"restored-{round}"), "--without-keys");
            if (File.Exists(Path.Combine(backup, "BACKUP"))) whole++;
            else Assert.True(restored.ExitCode == 1 && restored.Errors.Contains("never finished", StringComparison.Ordinal), restored.ToString());
        }
        Assert.True(whole < 6, "none was caught in the middle");
        (await server.OrderctlAsync("backup", Path.Combine(server.Folder, "good"))).Succeeded();

        // And the other end of it.
        var cut = Orderctl.Start("backup", Path.Combine(server.Folder, "cut"), "--address", server.Address, "--retry-for", "0s");
        await server.KillAsync();
        var ended = await cut.WaitAsync();
        await cut.DisposeAsync();
        if (ended.ExitCode != 0) Assert.False(File.Exists(Path.Combine(server.Folder, "cut", "BACKUP")));
        await server.StartAsync();
        await Expect.HoldsAsync(client);
    }

    private static async Task OpenAsync(OrderEngineClient client)
    {
        await client.Catalog.UpsertLocationAsync(new UpsertLocationRequest { Location = new Location { LocationId = "MAIN" } });
        await client.Catalog.UpsertSkuAsync(new UpsertSkuRequest { Sku = new Sku { SkuId = "MUG" } });
        await client.Catalog.UpsertChannelAsync(new UpsertChannelRequest { Channel = new Contracts.V1.Channel { ChannelId = "web" } });
        await client.Inventory.ReceiveStockAsync(new ReceiveStockRequest { LocationId = "MAIN", Items = { new ReservationItem { SkuId = "MUG", Quantity = 1_000_000 } } });
    }

    private static async Task<SubmitOrderResponse> SubmitAsync(OrderEngineClient client, string id)
    {
        var answer = await client.SubmitAsync(new OrderDraft
        {
            ChannelId = "web", ExternalOrderId = id, CurrencyCode = "GBP", PaymentTerms = PaymentTerms.Credit, AllocationPolicy = AllocationPolicy.AllOrNothing,
            Delivery = new PersonalDetails { Name = "Buyer of " + id },
            Lines = { new OrderLineDraft { SkuId = "MUG", Quantity = 1, UnitPriceMinor = 250 } },
        }, "backup-" + id);
        Assert.True(answer.IsAccepted, $"{id}: {answer.Refused}");
        return answer.Accepted;
    }
}
