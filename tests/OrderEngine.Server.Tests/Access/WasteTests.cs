// Who wastes the server's time: withdrawn calls go no further, a connection of no use is closed, its client waits and its address with it, and nobody
// else notices. And that one client's long answers are made one after another.

using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using OrderEngine.Access;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Access;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.Access;

public sealed class WasteTests
{
    private static readonly Marshaller<byte[]> AsIs = Marshallers.Create<byte[]>(bytes => bytes, bytes => bytes);
    private static readonly Method<byte[], byte[]> Check = new(MethodType.Unary, "orderengine.v1.OrderService", "CheckFulfillability", AsIs, AsIs);
    private static readonly byte[] Broken = [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f];

    [Fact]
    public async Task Who_sends_messages_that_are_none_is_closed_and_waits_and_others_do_not()
    {
        var time = new ManualTime();
        await using var keyed = await KeyedServer.StartAsync(services: services => services.AddSingleton<TimeProvider>(time));
        var (web, also, ebay) = (keyed.Create("web", "WEB", Scopes.Submit), keyed.Create("web-2", "WEB", Scopes.Submit), keyed.Create("ebay", "EBAY", Scopes.Submit));
        using var bad = GrpcChannel.ForAddress(keyed.Server.Address);
        using var other = GrpcChannel.ForAddress(keyed.Server.Address);
        await CallAsync(other, ebay, Good("EBAY"));
        var told = 0;
        Refusal? refused;
        while ((refused = await Refusal.OfAsync(() => CallAsync(bad, web, Broken)))?.Reason == "INVALID_FIELD") Assert.True(++told < 10 * ServerLimits.WastedCalls, "It is never closed.");
        Assert.InRange(told, ServerLimits.WastedCalls - 1, ServerLimits.WastedCalls);
        // The connection went while the last was under way.
        Assert.Equal(StatusCode.Unavailable, refused!.Code);

        // All keys of the channel, also over a new connection.
        using var anew = GrpcChannel.ForAddress(keyed.Server.Address);
        refused = await Refusal.ExpectAsync(() => CallAsync(anew, also, Good("WEB")));
        Assert.Equal((StatusCode.ResourceExhausted, "CLIENT_PAUSED"), (refused.Code, refused.Reason));
        Assert.InRange(refused.Retry!.Value, TimeSpan.FromSeconds(1), ServerLimits.PauseOfWaste);
        await CallAsync(other, ebay, Good("EBAY"));
        time.Advance(ServerLimits.PauseOfWaste);
        await CallAsync(anew, also, Good("WEB"));
    }

    [Fact]
    public async Task Who_errs_less_often_than_not_stays()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var web = keyed.Create("web", "WEB", Scopes.Submit);
        using var channel = GrpcChannel.ForAddress(keyed.Server.Address);
        for (var i = 0; i < 2 * ServerLimits.WastedCalls; i++)
        {
            await CallAsync(channel, web, Good("WEB"));
            Assert.Equal("INVALID_FIELD", (await Refusal.ExpectAsync(() => CallAsync(channel, web, Broken))).Reason);
        }
    }

    [Fact]
    public async Task A_call_that_was_withdrawn_before_it_began_goes_no_further_and_its_place_is_free()
    {
        await using var keyed = await KeyedServer.StartAsync();
        using var turns = new Turns(1, 1, TimeProvider.System);
        using var connection = turns.Join();
        var made = new DefaultConnectionContext("one");
        ShownCredential.Attach(made).Serve(connection, new object(), _ => { });
        var served = 0;
        var first = new UnreadMessages(_ =>
        {
            served++;
            return Task.CompletedTask;
        }, keyed.Server.Service<AccessMetrics>(), keyed.Server.Service<IServiceProvider>());
        foreach (var isWithdrawn in new[] { true, false })
        {
            var context = new DefaultHttpContext { RequestAborted = new CancellationToken(isWithdrawn) };
            context.Features.Set<IConnectionItemsFeature>(made);
            Assert.Equal(1, connection.TryTake(1));
            await first.InvokeAsync(context);
            Assert.Equal((isWithdrawn ? 0 : 1, 0), (served, turns.Taken));
        }
    }

    [Fact]
    public async Task Lists_of_one_client_are_made_one_after_another_and_nothing_else_waits_for_them()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var web = new CatalogService.CatalogServiceClient(keyed.As(keyed.Create("web", "WEB", Scopes.Submit)));
        var ebay = new CatalogService.CatalogServiceClient(keyed.As(keyed.Create("ebay", "EBAY", Scopes.Submit)));
        var share = keyed.Server.Service<ClientShares>().Of("web", "WEB");
        await share.BeginListAsync(default);
        var list = web.ListSkusAsync(new ListSkusRequest()).ResponseAsync;
        await web.GetChannelAsync(new GetChannelRequest { ChannelId = "WEB" });
        await ebay.ListSkusAsync(new ListSkusRequest());
        Assert.False(list.IsCompleted);
        share.EndList();
        Assert.NotEmpty((await list).Skus);
        // And what fails gives the next one its turn.
        for (var i = 0; i < 3; i++) await Refusal.ExpectAsync(() => web.ListSkusAsync(new ListSkusRequest { PageToken = "none" }).ResponseAsync);
        await web.ListSkusAsync(new ListSkusRequest());
    }

    private static byte[] Good(string channel)
    {
        var order = Shop.Submit().Order;
        order.ChannelId = channel;
        return new CheckFulfillabilityRequest { Order = order }.ToByteArray();
    }

    private static Task<byte[]> CallAsync(GrpcChannel channel, string key, byte[] message) =>
        channel.CreateCallInvoker().AsyncUnaryCall(Check, null, new CallOptions(new Metadata { { "authorization", $"Bearer {key}" } }), message).ResponseAsync;
}
