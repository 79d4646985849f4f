// What the gate does when calls have waited too long (TurnsTests says when that is): new business and reads are refused with a delay, and nothing else is.

using Google.Rpc;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using OrderEngine.Access;
using OrderEngine.Server.Access;
using OrderEngine.Server.Mapping;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.Access;

public sealed class OverloadTests
{
    private const Scopes All = Scopes.Submit | Scopes.Reserve | Scopes.Track | Scopes.Fulfil | Scopes.Finance | Scopes.Review | Scopes.Stock | Scopes.Admin;

    [Theory]
    [InlineData("OrderService/SubmitOrder", true)]
    [InlineData("OrderService/BulkSubmitOrders", true)]
    [InlineData("OrderService/CheckFulfillability", true)]
    [InlineData("OrderService/GetOrder", true)]
    [InlineData("OrderService/ListOrders", true)]
    [InlineData("InventoryService/CreateReservation", true)]
    [InlineData("InventoryService/BatchGetStock", true)]
    [InlineData("TrackingService/TrackOrder", true)]
    [InlineData("InventoryService/CommitReservation", false)]
    [InlineData("OrderService/CancelOrder", false)]
    [InlineData("OrderService/RecordPayment", false)]
    [InlineData("FulfillmentService/ConfirmShipment", false)]
    [InlineData("ReturnService/ReceiveReturn", false)]
    [InlineData("AdminService/GetEngineStatus", false)]
    public async Task New_business_and_reads_are_turned_away_and_what_finishes_something_is_not(string rpc, bool isTurnedAway)
    {
        await using var keyed = await KeyedServer.StartAsync(options => options with { RequestsPerSecond = 1_000_000 });
        var (gate, context, shown, served) = Made(keyed, rpc, MethodType.Unary);
        var life = new Life();
        context.Features.Set<IConnectionLifetimeFeature>(life);
        context.Request.Headers.Authorization = "Bearer " + keyed.Create("web", null, All);
        await gate.InvokeAsync(context);
        Assert.Equal(1, served());

        shown.TurnsAway = true;
        // It is no fault of the client's: however often, its connection stays.
        for (var i = 0; i < 2 * ServerLimits.WastedCalls; i++) await gate.InvokeAsync(context);
        Assert.Equal(isTurnedAway ? 1 : 1 + 2 * ServerLimits.WastedCalls, served());
        Assert.Equal(0, life.Aborts);
        if (isTurnedAway)
        {
            var told = Google.Rpc.Status.Parser.ParseFrom(Base64(context.Response.Headers[Errors.DetailsTrailer].ToString()));
            Assert.Equal(((int)StatusCode.ResourceExhausted, "8"), (told.Code, context.Response.Headers["grpc-status"].ToString()));
            Assert.Equal("QUEUE_FULL", told.Details[0].Unpack<ErrorInfo>().Reason);
            Assert.True(told.Details[1].Unpack<RetryInfo>().RetryDelay.ToTimeSpan() > TimeSpan.Zero);
        }

        shown.TurnsAway = false;
        context.Response.Headers.Clear();
        await gate.InvokeAsync(context);
        Assert.False(context.Response.Headers.ContainsKey("grpc-status"));
    }

    [Fact]
    public async Task A_stream_is_not_turned_away_and_who_has_no_credential_is_not_told_of_the_load()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var (gate, context, shown, served) = Made(keyed, "OrderService/StreamSubmitOrders", MethodType.DuplexStreaming);
        shown.TurnsAway = true;
        context.Request.Headers.Authorization = "Bearer " + keyed.Create("web", null, All);
        await gate.InvokeAsync(context);
        Assert.Equal(1, served());

        (gate, context, shown, served) = Made(keyed, "OrderService/SubmitOrder", MethodType.Unary);
        shown.TurnsAway = true;
        await gate.InvokeAsync(context);
        Assert.Equal((0, "16"), (served(), context.Response.Headers["grpc-status"].ToString()));
    }

    [Fact]
    public async Task Who_has_used_up_a_share_is_told_that_whatever_the_load()
    {
        await using var keyed = await KeyedServer.StartAsync(options => options with { RequestsPerSecond = 20 });
        var (gate, context, shown, served) = Made(keyed, "OrderService/SubmitOrder", MethodType.Unary);
        context.Request.Headers.Authorization = "Bearer " + keyed.Create("web", null, All);
        shown.TurnsAway = true;
        var reasons = new List<string>();
        for (var i = 0; i < 200; i++)
        {
            await gate.InvokeAsync(context);
            reasons.Add(Google.Rpc.Status.Parser.ParseFrom(Base64(context.Response.Headers[Errors.DetailsTrailer].ToString())).Details[0].Unpack<ErrorInfo>().Reason);
        }
        Assert.Equal((0, "QUEUE_FULL", "RATE_LIMITED"), (served(), reasons[0], reasons[^1]));
    }

    private static (AccessGate Gate, HttpContext Context, ShownCredential Shown, Func<int> Served) Made(KeyedServer keyed, string rpc, MethodType type)
    {
        var served = 0;
        var gate = new AccessGate(_ =>
        {
            served++;
            return Task.CompletedTask;
        }, new AccessPolicy(false), keyed.Server.Service<CredentialStore>(), TimeProvider.System, keyed.Server.Service<AccessMetrics>(), keyed.Server.Service<SlowMessages>(), null);
        var connection = new DefaultConnectionContext("one");
        var shown = ShownCredential.Attach(connection);
        var context = new DefaultHttpContext();
        context.Features.Set<IConnectionItemsFeature>(connection);
        context.Request.Path = RpcTable.Prefix + rpc;
        var cut = rpc.IndexOf('/', StringComparison.Ordinal);
        var bytes = Marshallers.Create<byte[]>(b => b, b => b);
        var method = new Method<byte[], byte[]>(type, RpcTable.Prefix[1..] + rpc[..cut], rpc[(cut + 1)..], bytes, bytes);
        context.SetEndpoint(new Endpoint(null, new EndpointMetadataCollection(new GrpcMethodMetadata(typeof(Services.OrderService), method)), null));
        return (gate, context, shown, () => served);
    }

    private sealed class Life : IConnectionLifetimeFeature
    {
        public int Aborts { get; private set; }

        public CancellationToken ConnectionClosed { get; set; }

        public void Abort() => Aborts++;
    }

    private static byte[] Base64(string text) => Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='));
}
