// What one client may use of the server, what it hears beyond it, and that others do not notice; and paths that only look like an rpc's.

using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using OrderEngine.Access;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Access;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.Access;

public sealed class ShareTests
{
    [Fact]
    public async Task A_channel_that_calls_too_often_is_told_to_wait_and_others_are_not()
    {
        await using var keyed = await KeyedServer.StartAsync(options => options with { RequestsPerSecond = 100 });
        var hasty = new OrderService.OrderServiceClient(keyed.As(keyed.Create("web", "WEB", Scopes.Submit)));
        var also = new OrderService.OrderServiceClient(keyed.As(keyed.Create("web-2", "WEB", Scopes.Submit)));
        var other = new OrderService.OrderServiceClient(keyed.As(keyed.Create("ebay", "EBAY", Scopes.Submit)));
        Refusal? refused = null;
        for (var round = 0; refused is null; round++)
        {
            Assert.True(round < 1_000, "A hundred calls at once were never too many.");
            // All keys of a channel share what it may.
            var calls = Enumerable.Range(0, 150).Select(i => Refusal.OfAsync(() => (i % 2 == 0 ? hasty : also).CheckFulfillabilityAsync(Check("WEB")).ResponseAsync)).ToArray();
            refused = (await Task.WhenAll(calls)).FirstOrDefault(refusal => refusal is not null);
        }
        Assert.Equal((StatusCode.ResourceExhausted, "RATE_LIMITED"), (refused.Code, refused.Reason));
        Assert.InRange(refused.Retry!.Value, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(2));
        await other.CheckFulfillabilityAsync(Check("EBAY"));
    }

    [Fact]
    public void A_client_has_so_many_calls_open_and_no_more()
    {
        using var share = new ClientShare(1_000_000);
        for (var i = 0; i < ServerLimits.OpenCallsPerClient; i++) Assert.Null(share.TryEnter(out _));
        Assert.Equal(ErrorReason.CallLimitReached, share.TryEnter(out _));
        share.Leave();
        Assert.Null(share.TryEnter(out _));
    }

    [Theory]
    [InlineData("/orderengine.v1.AdminService/getenginestatus")]
    [InlineData("/ORDERENGINE.V1.AdminService/GetEngineStatus")]
    [InlineData("/orderengine.v1.AdminService/GetEngineStatus/")]
    [InlineData("/orderengine.v1.AdminService/GetEngine%53tatus")]
    [InlineData("//orderengine.v1.AdminService/GetEngineStatus")]
    public async Task A_path_that_only_looks_like_an_rpcs_is_no_way_around_the_gate(string path)
    {
        await using var keyed = await KeyedServer.StartAsync();
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(keyed.Server.Address + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }))
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent(new byte[5]),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        using var response = await client.SendAsync(request);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
        var status = response.Headers.TryGetValues("grpc-status", out var values) || response.TrailingHeaders.TryGetValues("grpc-status", out values) ? values.Single() : "none";
        Assert.True(status is "12" or "16" || !response.IsSuccessStatusCode, $"{path}: {status}");
    }

    [Fact]
    public async Task Connections_beyond_the_limit_of_an_address_are_closed_and_the_first_ones_live()
    {
        await using var keyed = await KeyedServer.StartAsync(options => options with { MaxConnectionsPerAddress = 3 });
        var port = new Uri(keyed.Server.Address).Port;
        var sockets = new List<System.Net.Sockets.TcpClient>();
        try
        {
            // The test's own channel is one of the three; of ten more at least eight are closed.
            for (var i = 0; i < 10; i++) sockets.Add(new System.Net.Sockets.TcpClient());
            var closed = sockets.Select(socket => EndsAsync(socket, port)).ToList();
            for (var i = 0; i < 8; i++)
            {
                var one = await Task.WhenAny(closed).WaitAsync(TimeSpan.FromMinutes(1));
                await one;
                closed.Remove(one);
            }
            Assert.True((await keyed.Server.StatusAsync()).Sequence > 0);
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    // The server greets each connection that it serves with its settings; one that it does not serve it closes without a word.
    private static async Task EndsAsync(System.Net.Sockets.TcpClient socket, int port)
    {
        var buffer = new byte[1_024];
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            var stream = socket.GetStream();
            while (await stream.ReadAsync(buffer) > 0) continue;
        }
        catch (Exception reset) when (reset is IOException or System.Net.Sockets.SocketException)
        {
            _ = reset; // as good an end as any
        }
    }

    private static CheckFulfillabilityRequest Check(string channel)
    {
        var draft = Shop.Draft();
        draft.ChannelId = channel;
        return new CheckFulfillabilityRequest { Order = draft };
    }
}
