// Clients that share nothing with this repository but the contract: Debian's Python and npm's JavaScript gRPC (tests/foreign).
using System.Text.Json;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;
using OrderEngine.System.Tests.Harness;

namespace OrderEngine.System.Tests;

public sealed class ForeignClientTests(ITestOutputHelper log)
{
    private const int EventsPerLife = 30;

    [PythonFact]
    public Task Python_submits_and_reads_every_refusal() => SubmitsAndReadsEveryRefusalAsync(ForeignClient.Python);

    [NodeFact]
    public Task Node_submits_and_reads_every_refusal() => SubmitsAndReadsEveryRefusalAsync(ForeignClient.Node);

    [PythonFact]
    public Task Python_submits_over_TLS_with_a_key() => SubmitsSecurelyAsync(ForeignClient.Python);

    [NodeFact]
    public Task Node_submits_over_TLS_with_a_key() => SubmitsSecurelyAsync(ForeignClient.Node);

    [PythonFact]
    public Task Python_follows_a_stream_across_a_kill() => FollowsAcrossAKillAsync(ForeignClient.Python);

    [NodeFact]
    public Task Node_follows_a_stream_across_a_kill() => FollowsAcrossAKillAsync(ForeignClient.Node);

    private async Task SubmitsAndReadsEveryRefusalAsync(ForeignClient foreign)
    {
        await using var server = await Server.StartNewAsync(log, new Dictionary<string, string?> { ["OrderEngine__MaxOrderSubscribers"] = "1" });
        using var client = server.Connect();
        await PrepareAsync(client);
        var steps = Steps((await foreign.RunAsync(server, "submit", "first")).Succeeded());

        var accepted = steps["accepted"];
        Assert.Equal("ORDER_STATE_READY", accepted.GetProperty("state").GetString());
        Assert.False(accepted.GetProperty("replayed").GetBoolean());
        var order = await client.Orders.LookupOrderAsync(new LookupOrderRequest { ChannelId = "WEB", ExternalOrderId = "first-1" });
        Assert.Equal((order.OrderId, order.Sequence), (accepted.GetProperty("orderId").GetString(), accepted.GetProperty("sequence").GetInt64()));
        Assert.Equal((order.OrderId, true), (steps["retried"].GetProperty("orderId").GetString(), steps["retried"].GetProperty("replayed").GetBoolean()));

        var shortage = AssertRefused(steps["shortage"], 9, "OUT_OF_STOCK");
        Assert.Equal("""[{"sku":"CUP","requested":1800000,"available":99,"missing":1799901,"lines":[1,2]}]""", Compact(shortage.GetProperty("shortages")));
        var malformed = AssertRefused(steps["malformed"], 3, "INVALID_FIELD");
        Assert.Equal("""["order.lines[0].quantity"]""", Compact(malformed.GetProperty("fields")));
        AssertRefused(steps["reused"], 6, "REQUEST_ID_REUSED");

        var results = steps["stream"].GetProperty("results");
        Assert.Equal([1, 2, 3], results.EnumerateArray().Select(result => result.GetProperty("seq").GetInt32()));
        Assert.Equal("OUT_OF_STOCK", results[1].GetProperty("refused").GetProperty("reason").GetString());
        Assert.Equal("ORDER_STATE_READY", results[2].GetProperty("state").GetString());

        // The only watch there may be is taken, so the foreign one is sent away for a while.
        using var over = new CancellationTokenSource(Setting.Patience);
        await using var watch = client.WatchOrdersAsync(snapshotFirst: true, cancellationToken: over.Token).GetAsyncEnumerator();
        Assert.True(await watch.MoveNextAsync());
        var busy = AssertRefused(Steps((await foreign.RunAsync(server, "busy")).Succeeded())["busy"], 8, "SUBSCRIBER_LIMIT_REACHED");
        Assert.InRange(busy.GetProperty("retryDelayMs").GetDouble(), 1, 60_000);
    }

    // As it ships: a key of one channel, made by orderctl, its holder's name on what it changed, and its end when it is revoked.
    private async Task SubmitsSecurelyAsync(ForeignClient foreign)
    {
        await using var server = await Server.StartSecureAsync(log);
        using var client = server.Connect();
        await PrepareAsync(client);
        var key = await server.CreateKeyAsync("foreign-adapter", "submit,track", "WEB");
        // The server looks at its keys every second: a key that was just made may be unknown to it yet. Each try is a process.
        var first = await SubmitOneAsync("first");
        for (var tries = 0; first.TryGetProperty("refused", out var unknown); tries++)
        {
            Assert.Equal("CREDENTIAL_INVALID", unknown.GetProperty("reason").GetString());
            Assert.True(tries < 100, "A new key is never taken up.");
            first = await SubmitOneAsync("first");
        }
        Assert.Equal("ORDER_STATE_READY", first.GetProperty("state").GetString());
        var order = await client.Orders.LookupOrderAsync(new LookupOrderRequest { ChannelId = "WEB", ExternalOrderId = "first-1" });
        var events = await client.Orders.ListOrderEventsAsync(new ListOrderEventsRequest { OrderId = order.OrderId });
        Assert.Equal("foreign-adapter", events.Events[0].Actor.Id);

        (await Orderctl.RunAsync("keys", "revoke", key[..key.IndexOf('.', StringComparison.Ordinal)], "--file", server.KeyFile)).Succeeded();
        for (var tries = 0; ; tries++)
        {
            Assert.True(tries < 100, "A revoked key goes on.");
            if (!(await SubmitOneAsync($"again{tries}")).TryGetProperty("refused", out var refused)) continue;
            Assert.Equal("CREDENTIAL_INVALID", refused.GetProperty("reason").GetString());
            return;
        }

        async Task<JsonElement> SubmitOneAsync(string prefix) => Steps((await foreign.RunWithAsync(key, server, "once", prefix)).Succeeded())["accepted"];
    }

    private async Task FollowsAcrossAKillAsync(ForeignClient foreign)
    {
        await using var server = await Server.StartNewAsync(log);
        using var client = server.Connect();
        await PrepareAsync(client);
        await using var follower = foreign.Start(server, "watch", $"{2 * EventsPerLife}");
        var events = new List<(long Sequence, string Order)>();
        var breaks = 0;
        await ReadAsync("open");

        await SubmitAsync(client, 0, EventsPerLife);
        while (events.Count == 0)
            await ReadAsync("event"); // it follows: kill the server somewhere in the middle of the rest
        await server.KillAsync();
        await server.StartAsync();
        await SubmitAsync(client, EventsPerLife, EventsPerLife);
        while (events.Count < 2 * EventsPerLife)
            await ReadAsync(null);
        (await follower.WaitAsync()).Succeeded();

        var history = (await Expect.OrdersAsync(client)).Select(order => (order.Sequence, order.ExternalOrderId)).Order().ToList();
        Assert.Equal(history, events);
        // The kill was noticed. How often a client knocks until the engine has recovered is its own affair.
        Assert.True(breaks >= 1, "The stream did not break: nothing was resumed.");

        async Task ReadAsync(string? wanted)
        {
            while (true)
            {
                var line = await follower.ReadLineAsync();
                using var document = JsonDocument.Parse(line);
                var step = document.RootElement.GetProperty("step").GetString();
                if (step == "event")
                    events.Add((document.RootElement.GetProperty("sequence").GetInt64(), document.RootElement.GetProperty("externalId").GetString()!));
                breaks += step == "break" ? 1 : 0;
                if (step == wanted || wanted is null)
                    return;
            }
        }
    }

    private static JsonElement AssertRefused(JsonElement step, int code, string reason)
    {
        var refused = step.GetProperty("refused");
        Assert.Equal((code, code, reason, "orderengine.v1"), (refused.GetProperty("grpcCode").GetInt32(), refused.GetProperty("code").GetInt32(),
            refused.GetProperty("reason").GetString(), refused.GetProperty("domain").GetString()));
        Assert.NotEqual("", refused.GetProperty("message").GetString());
        return refused;
    }

    private static string Compact(JsonElement element) => element.GetRawText().Replace(" ", "", StringComparison.Ordinal);

    private static Dictionary<string, JsonElement> Steps(Ended ended) => ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => JsonDocument.Parse(line).RootElement).ToDictionary(element => element.GetProperty("step").GetString()!);

    private static async Task PrepareAsync(OrderEngineClient client)
    {
        await client.Catalog.UpsertLocationAsync(new UpsertLocationRequest { Location = new Location { LocationId = "MAIN" } });
        await client.Catalog.UpsertChannelAsync(new UpsertChannelRequest { Channel = new Contracts.V1.Channel { ChannelId = "WEB" } });
        await client.Catalog.UpsertSkuAsync(new UpsertSkuRequest { Sku = new Sku { SkuId = "TEA" } });
        await client.Catalog.UpsertSkuAsync(new UpsertSkuRequest { Sku = new Sku { SkuId = "CUP" } });
        await client.Inventory.ReceiveStockAsync(new ReceiveStockRequest
        {
            LocationId = "MAIN", Items = { new ReservationItem { SkuId = "TEA", Quantity = 1_000 }, new ReservationItem { SkuId = "CUP", Quantity = 100 } },
        });
    }

    private static async Task SubmitAsync(OrderEngineClient client, int first, int count)
    {
        for (var i = first; i < first + count; i++)
        {
            var outcome = await client.SubmitAsync(new OrderDraft
            {
                ChannelId = "WEB", ExternalOrderId = $"W{i}", CurrencyCode = "GBP",
                Lines = { new OrderLineDraft { SkuId = "TEA", Quantity = 1, UnitPriceMinor = 250 } },
            });
            Assert.True(outcome.IsAccepted, outcome.Refused?.ToString());
        }
    }
}
