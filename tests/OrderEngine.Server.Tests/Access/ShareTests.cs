// What one client may use of the server, what it hears beyond it, and that others do not notice; and paths that only look like an rpc's.

using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using OrderEngine.Access;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Access;
using OrderEngine.Server.Tests.Abuse;
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
        using var share = new ClientShare(1_000_000, new RefusalAllowance(1, TimeProvider.System));
        for (var i = 0; i < ServerLimits.OpenCallsPerClient; i++) Assert.Null(share.TryEnter(false, out _));
        Assert.Equal(ErrorReason.CallLimitReached, share.TryEnter(false, out _));
        share.Leave(false);
        Assert.Null(share.TryEnter(false, out _));
    }

    [Fact]
    public void All_clients_together_have_so_many_calls_open_and_no_more()
    {
        using var shares = new ClientShares(1_000_000, 1, 1, TimeProvider.System);
        for (var i = 0; i < ServerLimits.OpenCalls; i++) Assert.Null(shares.Of($"{i % 15}", null).TryEnter(false, out _));
        Assert.Equal(ErrorReason.CallLimitReached, shares.Of("another", "WEB").TryEnter(false, out var retry));
        Assert.True(retry > TimeSpan.Zero);
        shares.Of("3", null).Leave(false);
        Assert.Null(shares.Of("another", "WEB").TryEnter(false, out _));
        Assert.Equal(ErrorReason.CallLimitReached, shares.Of("3", null).TryEnter(false, out _));
    }

    [Fact]
    public void Lists_are_fewer_at_once_and_count_as_many_calls()
    {
        using var share = new ClientShare(1_000_000, new RefusalAllowance(1, TimeProvider.System));
        for (var i = 0; i < ServerLimits.ListsPerClient; i++) Assert.Null(share.TryEnter(true, out _));
        Assert.Equal(ErrorReason.CallLimitReached, share.TryEnter(true, out _));
        Assert.Null(share.TryEnter(false, out _));
        share.Leave(true);
        Assert.Null(share.TryEnter(true, out _));

        using var slow = new ClientShare(100, new RefusalAllowance(1, TimeProvider.System));
        var lists = 0;
        for (; slow.TryEnter(true, out _) is null; lists++) slow.Leave(true);
        Assert.InRange(lists, 2, 20);
        // A client that may make fewer calls than a list counts for may list all the same.
        using var slowest = new ClientShare(1, new RefusalAllowance(1, TimeProvider.System));
        Assert.Null(slowest.TryEnter(true, out _));
    }

    [Fact]
    public void What_refusals_leave_behind_is_bounded_and_sinks_in_a_day()
    {
        const long Bytes = 1_000_000;
        var time = new ManualTime();
        var refusals = new RefusalAllowance(Bytes, time);
        var taken = 0;
        for (; !refusals.IsSpent(out _); taken++) refusals.Take(840);
        Assert.Equal(Bytes / 1_000, taken);
        Assert.True(refusals.IsSpent(out var retry));
        Assert.InRange(retry, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(3));
        time.Advance(retry);
        Assert.False(refusals.IsSpent(out _));
        refusals.Take(840);
        Assert.True(refusals.IsSpent(out _));
        // Looking often does not hold it up, and waiting long gives no more than there is.
        for (var i = 0; i < 100_000; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            refusals.IsSpent(out _);
        }
        Assert.False(refusals.IsSpent(out _));
        time.Advance(TimeSpan.FromDays(10));
        for (taken = 0; !refusals.IsSpent(out _); taken++) refusals.Take(840);
        Assert.Equal(Bytes / 1_000, taken);
    }

    [Fact]
    public async Task A_channel_that_repeats_what_is_refused_is_stopped_and_others_are_not()
    {
        var time = new ManualTime();
        await using var keyed = await KeyedServer.StartAsync(options => options with { RefusalBytesPerDay = 5_000 }, services => services.AddSingleton<TimeProvider>(time));
        var web = new OrderService.OrderServiceClient(keyed.As(keyed.Create("web", "WEB", Scopes.Submit)));
        var ebay = new OrderService.OrderServiceClient(keyed.As(keyed.Create("ebay", "EBAY", Scopes.Submit)));
        SubmitOrderRequest last;
        Refusal refused;
        var recorded = 0;
        do
        {
            last = Shop.Submit("EMPTY");
            refused = await Refusal.ExpectAsync(() => web.SubmitOrderAsync(last).ResponseAsync);
        }
        while (refused.Reason == "OUT_OF_STOCK" && ++recorded < 100);
        Assert.Equal((StatusCode.ResourceExhausted, "REFUSAL_LIMIT_REACHED"), (refused.Code, refused.Reason));
        Assert.True(refused.Retry >= TimeSpan.FromSeconds(1));
        Assert.InRange(recorded, 5, 5_000 / RefusalAllowance.BytesEach);
        var sequence = (await keyed.Server.StatusAsync()).Sequence;

        // Whichever way it asks.
        var bulk = new BulkSubmitOrdersRequest { Requests = { Shop.Submit("EMPTY") } };
        Assert.Equal("REFUSAL_LIMIT_REACHED", (await Refusal.ExpectAsync(() => web.BulkSubmitOrdersAsync(bulk).ResponseAsync)).Reason);
        using var stream = web.StreamSubmitOrders();
        await stream.RequestStream.WriteAsync(new StreamSubmitOrdersRequest { Orders = { new StreamedOrder { ClientSeq = 1, Request = Shop.Submit("EMPTY") } } });
        Assert.Equal("REFUSAL_LIMIT_REACHED", (await Refusal.ExpectAsync(() => stream.ResponseStream.MoveNext(default))).Reason);
        Assert.Equal(sequence, (await keyed.Server.StatusAsync()).Sequence);

        var theirs = Shop.Submit();
        theirs.Order.ChannelId = "EBAY";
        await ebay.SubmitOrderAsync(theirs);
        // Dry runs leave nothing behind, and what was not taken was not recorded.
        Assert.Equal("OUT_OF_STOCK", Refusal.Of((await web.CheckFulfillabilityAsync(new CheckFulfillabilityRequest { Order = last.Order })).Refusal).Reason);
        time.Advance(refused.Retry!.Value);
        var again = await Refusal.ExpectAsync(() => web.SubmitOrderAsync(last).ResponseAsync);
        Assert.Equal(("OUT_OF_STOCK", false), (again.Reason, again.Metadata.ContainsKey("replayed")));
    }

    [Fact]
    public async Task Recorded_refusals_in_bulk_and_in_streams_count_and_replays_do_not()
    {
        await using var keyed = await KeyedServer.StartAsync(services: services => services.AddSingleton<TimeProvider>(new ManualTime()));
        var web = new OrderService.OrderServiceClient(keyed.As(keyed.Create("web", "WEB", Scopes.Submit)));
        var share = keyed.Server.Service<ClientShares>().Of("web", "WEB");
        var request = Shop.Submit("EMPTY");
        await Refusal.ExpectAsync(() => web.SubmitOrderAsync(request).ResponseAsync);
        var one = share.Refusals.Level;
        Assert.InRange(one, RefusalAllowance.BytesEach + 20, RefusalAllowance.BytesEach + 400);
        await Refusal.ExpectAsync(() => web.SubmitOrderAsync(request).ResponseAsync);
        await web.SubmitOrderAsync(Shop.Submit());
        Assert.Equal(one, share.Refusals.Level);
        await web.BulkSubmitOrdersAsync(new BulkSubmitOrdersRequest { Requests = { Shop.Submit("EMPTY"), Shop.Submit("EMPTY") } });
        Assert.InRange(share.Refusals.Level, 2 * one, 3 * one + 100);
        using var stream = web.StreamSubmitOrders();
        await stream.RequestStream.WriteAsync(new StreamSubmitOrdersRequest { Orders = { new StreamedOrder { ClientSeq = 1, Request = Shop.Submit("EMPTY") } } });
        Assert.True(await stream.ResponseStream.MoveNext(default));
        Assert.InRange(share.Refusals.Level, 3 * one, 4 * one + 100);
    }

    [Fact]
    public async Task Calls_of_one_client_hold_so_many_bytes_of_messages_and_no_more()
    {
        const int Half = 4 * 1024 * 1024 - 1;
        using var share = new ClientShare(1_000_000, new RefusalAllowance(1, TimeProvider.System));
        using var metrics = new AccessMetrics(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>(), TimeProvider.System, []);
        using var slow = new SlowMessages(TimeProvider.System, metrics);
        var calls = new List<(Pipe Pipe, MessageMeter Meter)>();
        RpcException? refused = null;
        while (refused is null)
        {
            var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
            var context = new DefaultHttpContext();
            context.Features.Set<IRequestBodyPipeFeature>(new Body(pipe.Reader));
            var meter = MessageMeter.Attach(context, share, isStream: calls.Count % 2 == 1, slow, metrics);
            Assert.Same(meter, context.Request.BodyReader);
            calls.Add((pipe, meter));
            Assert.True(calls.Count < 100, "A hundred halves were never too many.");
            await pipe.Writer.WriteAsync(new byte[Half]);
            var read = await meter.ReadAsync();
            meter.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            refused = await Record.ExceptionAsync(async () => await meter.ReadAsync(new CancellationToken(true))) as RpcException;
        }
        Assert.Equal("MESSAGE_SHARE_USED_UP", Refusal.Of(refused).Reason);
        Assert.Equal(ServerLimits.MessageBytesPerClient / (4 * 1024 * 1024) + 1, calls.Count);
        // What is done with is given back: of a stream with its message, of a single call with the call.
        foreach (var (pipe, meter) in calls.Where((_, i) => i % 2 == 1))
        {
            await pipe.Writer.WriteAsync(new byte[1]);
            var read = await meter.ReadAsync();
            meter.AdvanceTo(read.Buffer.End);
        }
        Assert.Equal((calls.Count + 1) / 2 * (long)(Half - ServerLimits.FreeMessageBytes), share.Held);
        foreach (var (_, meter) in calls) meter.Release();
        Assert.Equal(0, share.Held);
    }

    [Fact]
    public async Task A_large_message_that_is_allowed_passes_and_is_given_back()
    {
        await using var keyed = await KeyedServer.StartAsync();
        var web = new OrderService.OrderServiceClient(keyed.As(keyed.Create("web", "WEB", Scopes.Submit)));
        var bulk = new BulkSubmitOrdersRequest();
        for (var i = 0; i < 1_000; i++) bulk.Requests.Add(Shop.Submit());
        Assert.True(bulk.CalculateSize() > 2 * ServerLimits.FreeMessageBytes);
        Assert.Equal(1_000, (await web.BulkSubmitOrdersAsync(bulk)).Results.Count(result => result.Accepted is not null));
        var share = keyed.Server.Service<ClientShares>().Of("web", "WEB");
        // The share is left when the answer has been sent: the client may know of it first.
        await web.CheckFulfillabilityAsync(Check("WEB"));
        SpinWait.SpinUntil(() => share.Held == 0, TimeSpan.FromSeconds(30));
        Assert.Equal(0, share.Held);
    }

    [Fact]
    public async Task Calls_that_need_no_credential_are_bounded_on_each_connection_and_nothing_else_waits_for_them()
    {
        var time = new ManualTime();
        await using var keyed = await KeyedServer.StartAsync(services: services => services.AddSingleton<TimeProvider>(time));
        var web = new OrderService.OrderServiceClient(keyed.As(keyed.Create("web", "WEB", Scopes.Submit)));
        using var other = Grpc.Net.Client.GrpcChannel.ForAddress(keyed.Server.Address);
        time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < ServerLimits.OpenCallsPerSecond; i++) await keyed.Server.Health.CheckAsync(new());
        var refused = await Refusal.ExpectAsync(() => keyed.Server.Health.CheckAsync(new()).ResponseAsync);
        Assert.Equal((StatusCode.ResourceExhausted, "RATE_LIMITED"), (refused.Code, refused.Reason));
        await web.CheckFulfillabilityAsync(Check("WEB"));
        await new Contracts.Grpc.Health.V1.Health.HealthClient(other).CheckAsync(new());
        time.Advance(TimeSpan.FromSeconds(1));
        await keyed.Server.Health.CheckAsync(new());
    }

    [Fact]
    public async Task A_deadline_far_away_and_none_count_as_the_longest()
    {
        var time = new ManualTime();
        await using var server = await TestServer.StartAsync(services => services.AddSingleton<TimeProvider>(time));
        var calls = server.Service<EngineCalls>();
        using var context = new DirectCall("any");
        Assert.Equal(DateTime.MaxValue, context.Deadline);
        Assert.Equal(calls.Engine.NowMicros + (long)ServerLimits.LongestDeadline.TotalMicroseconds, calls.Deadline(context));
        // In the queue of a server whose clock stands still nothing else could end it: the engine's own deadline does, on the wire too.
        using var far = new DirectCall("any") { Ends = DateTime.UtcNow.AddDays(3) };
        Assert.Equal(calls.Engine.NowMicros + (long)ServerLimits.LongestDeadline.TotalMicroseconds, calls.Deadline(far));
        using var near = new DirectCall("any") { Ends = DateTime.UtcNow.AddSeconds(30) };
        Assert.InRange(calls.Deadline(near) - calls.Engine.NowMicros, 1, 30_000_000);
        using var past = new DirectCall("any") { Ends = DateTime.UtcNow.AddSeconds(-30) };
        Assert.InRange(calls.Deadline(past), 1, calls.Engine.NowMicros);
    }

    private sealed record Body(PipeReader Reader) : IRequestBodyPipeFeature;

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
