// Keys over time: taken up, expired, revoked, broken files; and what becomes of what is open with them.

using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using OrderEngine.Access;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Access;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.Access;

public sealed class CredentialTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_revoked_key_ends_its_streams_and_no_others()
    {
        var time = new ManualTime();
        await using var keyed = await KeyedServer.StartAsync(services: services => services.AddSingleton<TimeProvider>(time));
        var (gone, stays) = (keyed.Create("web", "WEB", Scopes.Submit | Scopes.Track), keyed.Create("web", "WEB", Scopes.Submit | Scopes.Track));
        using var watch = new TrackingService.TrackingServiceClient(keyed.As(gone)).WatchOrders(new WatchOrdersRequest());
        using var submit = new OrderService.OrderServiceClient(keyed.As(gone)).StreamSubmitOrders();
        using var other = new OrderService.OrderServiceClient(keyed.As(stays)).StreamSubmitOrders();
        Assert.True(await watch.ResponseStream.MoveNext(default));
        await SubmitAsync(submit, 1);
        await SubmitAsync(other, 1);

        keyed.Revoke(gone);

        // The stream of orders ends at once, though nobody sends anything; the watch with the next thing it would have said.
        Assert.Equal("CREDENTIAL_INVALID", (await Refusal.ExpectAsync(() => submit.ResponseStream.MoveNext(default).WaitAsync(Patience))).Reason);
        await SubmitAsync(other, 2);
        var seen = 0;
        Assert.Equal("CREDENTIAL_INVALID", (await Refusal.ExpectAsync(async () =>
        {
            while (await watch.ResponseStream.MoveNext(default).WaitAsync(Patience)) seen += watch.ResponseStream.Current.Events?.Events.Count ?? 0;
        })).Reason);
        Assert.True(seen <= 2, "What happened after the key was revoked is told to its holder.");
        Assert.Equal("CREDENTIAL_INVALID", (await Refusal.ExpectAsync(() => SubmitOnceAsync(keyed.As(gone)))).Reason);
        await SubmitOnceAsync(keyed.As(stays));
    }

    [Fact]
    public async Task A_key_ends_at_its_time_and_so_does_what_is_open_with_it()
    {
        var time = new ManualTime();
        await using var keyed = await KeyedServer.StartAsync(services: services => services.AddSingleton<TimeProvider>(time));
        var caller = keyed.As(keyed.Create("web", "WEB", Scopes.Submit, time.GetUtcNow() + TimeSpan.FromHours(1)));
        using var submit = new OrderService.OrderServiceClient(caller).StreamSubmitOrders();
        await SubmitAsync(submit, 1);
        await SubmitOnceAsync(caller);

        time.Advance(TimeSpan.FromHours(1));

        Assert.Equal("CREDENTIAL_INVALID", (await Refusal.ExpectAsync(() => submit.ResponseStream.MoveNext(default))).Reason);
        Assert.Equal("CREDENTIAL_INVALID", (await Refusal.ExpectAsync(() => SubmitOnceAsync(caller))).Reason);
    }

    [Fact]
    public async Task A_key_whose_scopes_change_opens_what_they_say_now()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var text = keyed.Create("web", "WEB", Scopes.Submit);
        var caller = keyed.As(text);
        await SubmitOnceAsync(caller);
        keyed.Change(keys => [.. keys.Select(key => text.StartsWith(key.Id, StringComparison.Ordinal) ? key with { Scopes = Scopes.Track } : key)]);
        Assert.Equal("SCOPE_MISSING", (await Refusal.ExpectAsync(() => SubmitOnceAsync(caller))).Reason);
    }

    [Fact]
    public async Task A_broken_file_leaves_the_keys_as_they_were()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var text = keyed.Create("web", "WEB", Scopes.Submit);
        var good = await File.ReadAllTextAsync(keyed.KeyFile);
        foreach (var broken in new[] { "", "{", "{\"version\":2,\"keys\":[]}", good.Replace("\"submit\"", "\"everything\"", StringComparison.Ordinal) })
        {
            await File.WriteAllTextAsync(keyed.KeyFile, broken);
            keyed.Server.Service<CredentialStore>().Reload();
            await SubmitOnceAsync(keyed.As(text));
        }
        await File.WriteAllTextAsync(keyed.KeyFile, good);
        keyed.Revoke(text);
        Assert.Equal("CREDENTIAL_INVALID", (await Refusal.ExpectAsync(() => SubmitOnceAsync(keyed.As(text)))).Reason);
    }

    [Fact]
    public async Task A_running_server_notices_a_change_of_the_file_by_itself()
    {
        var time = new ManualTime();
        await using var keyed = await KeyedServer.StartAsync(services: services => services.AddSingleton<TimeProvider>(time));
        var (key, text) = ApiKey.Create("web", "WEB", Scopes.Submit, DateTimeOffset.UnixEpoch, null);
        ApiKeyFile.Change(keyed.KeyFile, keys => [.. keys, key]);
        Assert.Equal("CREDENTIAL_INVALID", (await Refusal.ExpectAsync(() => SubmitOnceAsync(keyed.As(text)))).Reason);
        time.Advance(ServerLimits.CredentialPoll);
        await SubmitOnceAsync(keyed.As(text));
    }

    [Fact]
    public async Task One_connection_may_show_different_credentials_in_turn()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var (submit, track) = (keyed.Create("a", "WEB", Scopes.Submit), keyed.Create("b", "WEB", Scopes.Track));
        for (var i = 0; i < 5; i++)
        {
            await SubmitOnceAsync(keyed.As(submit));
            Assert.Equal("SCOPE_MISSING", (await Refusal.ExpectAsync(() => SubmitOnceAsync(keyed.As(track)))).Reason);
            Assert.Equal("CREDENTIAL_INVALID", (await Refusal.ExpectAsync(() => SubmitOnceAsync(keyed.As(submit + "A")))).Reason);
        }
    }

    private static Task<SubmitOrderResponse> SubmitOnceAsync(CallInvoker caller) => new OrderService.OrderServiceClient(caller).SubmitOrderAsync(Shop.Submit()).ResponseAsync;

    private static async Task SubmitAsync(AsyncDuplexStreamingCall<StreamSubmitOrdersRequest, StreamSubmitOrdersResponse> stream, ulong seq)
    {
        await stream.RequestStream.WriteAsync(new StreamSubmitOrdersRequest { Orders = { new StreamedOrder { ClientSeq = seq, Request = Shop.Submit() } } });
        Assert.True(await stream.ResponseStream.MoveNext(default).WaitAsync(Patience));
        Assert.NotNull(stream.ResponseStream.Current.Results[0].Accepted);
    }
}
