// How many connections there may be, and how many new ones in a second: in all, from one address, of one client; and that others are served meanwhile.

using System.Net;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using OrderEngine.Access;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Access;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.Access;

public sealed class ConnectionTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly AccessMetrics _metrics;

    private readonly Turns _turns = new(32, 1, TimeProvider.System);
    private int _collections;

    public ConnectionTests() => _metrics = new AccessMetrics(_services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>(), _time, []);

    public void Dispose()
    {
        _metrics.Dispose();
        _turns.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task There_are_so_many_in_all_and_one_that_ends_makes_room()
    {
        using var limit = Limit(new ServerOptions { MaxConnections = 3 });
        var served = Enumerable.Range(1, 3).Select(i => Open(limit, $"10.0.0.{i}")).ToList();
        Assert.All(served, one => Assert.True(one.IsServed));
        Assert.True(Open(limit, "10.0.0.9").IsClosed);
        await served[0].EndAsync();
        Assert.True(Open(limit, "10.0.0.9").IsServed);
    }

    [Fact]
    public async Task One_address_has_its_share_and_others_have_theirs()
    {
        using var limit = Limit(new ServerOptions { MaxConnectionsPerAddress = 3 });
        var greedy = Enumerable.Range(0, 10).Select(_ => Open(limit, "10.0.0.1")).ToList();
        Assert.Equal(3, greedy.Count(one => one.IsServed));
        Assert.Equal(7, greedy.Count(one => one.IsClosed));
        Assert.True(Open(limit, "10.0.0.2").IsServed);
        await greedy[0].EndAsync();
        Assert.True(Open(limit, "10.0.0.1").IsServed);
        Assert.True(Open(limit, "10.0.0.1").IsClosed);
    }

    [Theory]
    [InlineData("10.0.0.1", "::ffff:10.0.0.1", true)]
    [InlineData("10.0.0.1", "10.0.0.2", false)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::77", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("::", "0.0.0.0", false)]
    public void An_address_is_one_however_it_is_written(string one, string other, bool isSame) =>
        Assert.Equal(isSame, ConnectionLimit.AddressOf(At(one)) == ConnectionLimit.AddressOf(At(other)));

    [Fact]
    public void New_ones_from_an_address_come_at_its_pace_and_those_of_others_do_not_wait()
    {
        using var limit = Limit(new ServerOptions { NewConnectionsPerSecondPerAddress = 100, NewConnectionsPerSecond = 10_000 });
        var hasty = Enumerable.Range(0, 500).Select(_ => Open(limit, "10.0.0.1")).ToList();
        // A twentieth of a second's worth at once, two seconds' worth in waiting; the others are closed, but not so soon that they could try again at once.
        Assert.Equal((5, 0), (hasty.Count(one => one.IsServed), hasty.Count(one => one.IsClosed)));
        Assert.True(Open(limit, "10.0.0.2").IsServed);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(105, Served(hasty, 105));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(205, Served(hasty, 205));
        Assert.Equal(0, hasty.Count(one => one.IsClosed));
        // Nor all at the same moment.
        _time.Advance(ServerLimits.RefusedConnectionHold - TimeSpan.FromSeconds(1));
        SpinWait.SpinUntil(() => hasty.Any(one => one.IsClosed), TimeSpan.FromSeconds(30));
        Assert.InRange(hasty.Count(one => one.IsClosed), 1, 294);
        _time.Advance(ServerLimits.RefusedConnectionHold);
        SpinWait.SpinUntil(() => hasty.Count(one => one.IsClosed) == 295, TimeSpan.FromSeconds(30));
        Assert.Equal((205, 295), (hasty.Count(one => one.IsServed), hasty.Count(one => one.IsClosed)));
        Assert.Equal(5, Enumerable.Range(0, 6).Count(_ => Open(limit, "10.0.0.1").IsServed));
    }

    [Fact]
    public void New_ones_of_all_come_at_a_pace_of_which_one_address_gets_its_part()
    {
        using var limit = Limit(new ServerOptions { NewConnectionsPerSecondPerAddress = 100, NewConnectionsPerSecond = 150 });
        Assert.Equal(5, Enumerable.Range(0, 1_000).Count(_ => Open(limit, "10.0.0.1").IsServed));
        // What the first address was refused did not use up the others' turns.
        var others = Enumerable.Range(0, 3).Select(_ => Open(limit, "10.0.0.2")).ToList();
        _time.Advance(ServerLimits.LongestConnectionWait);
        Assert.Equal(3, Served(others, 3));
        Assert.True(Open(limit, "10.0.0.3").IsServed);
    }

    [Fact]
    public void An_address_of_a_connection_that_was_cut_off_waits_for_the_next_and_others_do_not()
    {
        using var limit = Limit(new ServerOptions { NewConnectionsPerSecondPerAddress = 40, NewConnectionsPerSecond = 1_000 });
        var wasteful = Open(limit, "10.0.0.1");
        var context = new Microsoft.AspNetCore.Http.DefaultHttpContext();
        context.Features.Set<Microsoft.AspNetCore.Connections.Features.IConnectionItemsFeature>(wasteful);
        context.Features.Set<Microsoft.AspNetCore.Connections.Features.IConnectionLifetimeFeature>(wasteful);
        for (var i = 1; i < ServerLimits.WastedCalls; i++) ShownCredential.Count(context, isWasted: true);
        Assert.False(wasteful.IsClosed);
        Assert.True(Open(limit, "10.0.0.1").IsServed);
        for (var i = 0; i < 10; i++) ShownCredential.Count(context, isWasted: true);
        Assert.True(wasteful.IsClosed);

        // Counted once: 25 new ones, of which 40 come in a second; it comes after them and after the two that came.
        var next = Open(limit, "10.0.0.1");
        Assert.False(next.IsServed || next.IsClosed);
        Assert.True(Open(limit, "10.0.0.2").IsServed);
        _time.Advance(TimeSpan.FromSeconds(0.6));
        Assert.False(next.IsServed);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(1, Served([next], 1));
    }

    [Fact]
    public async Task One_that_leaves_while_it_waits_is_not_served_and_gives_back_its_place()
    {
        using var limit = Limit(new ServerOptions { NewConnectionsPerSecondPerAddress = 1, MaxConnectionsPerAddress = 2 });
        Assert.True(Open(limit, "10.0.0.1").IsServed);
        var waiting = Open(limit, "10.0.0.1");
        Assert.False(waiting.IsServed || waiting.IsClosed);
        Assert.True(Open(limit, "10.0.0.1").IsClosed);
        await waiting.EndAsync();
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.False(waiting.IsServed);
        Assert.True(Open(limit, "10.0.0.1").IsServed);
    }

    [Fact]
    public async Task Addresses_of_which_nothing_is_left_are_forgotten()
    {
        using var limit = Limit(new ServerOptions { NewConnectionsPerSecond = 1_000_000 });
        var stays = Open(limit, "10.0.0.1");
        for (var i = 0; i < 20_000; i++)
        {
            await Open(limit, $"10.{1 + (i >> 16)}.{i >> 8 & 255}.{i & 255}").EndAsync();
            if (i % 100 == 0) _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.InRange(limit.Addresses, 2, 2_048);
        Assert.True(stays.IsServed);
    }

    [Fact]
    public async Task What_is_young_is_collected_for_so_many_that_come_or_go_and_not_more_often_than_that()
    {
        using var limit = Limit(new ServerOptions { NewConnectionsPerSecondPerAddress = 10_000, NewConnectionsPerSecond = 10_000 });
        var open = Enumerable.Range(0, ServerLimits.ConnectionsPerCollection - 1).Select(_ => Open(limit, "10.0.0.1")).ToList();
        Assert.Equal(0, _collections);
        Open(limit, "10.0.0.1");
        Assert.Equal(1, _collections);

        for (var i = 0; i < 10 * ServerLimits.ConnectionsPerCollection; i++) Open(limit, "10.0.0.1");
        Assert.Equal(1, _collections);
        _time.Advance(ServerLimits.LeastBetweenCollections);
        Open(limit, "10.0.0.1");
        Assert.Equal(2, _collections);

        _time.Advance(ServerLimits.LeastBetweenCollections);
        foreach (var one in open) await one.EndAsync();
        Assert.Equal(2, _collections);
        Open(limit, "10.0.0.1");
        Assert.Equal(3, _collections);
    }

    [Fact]
    public async Task A_client_has_so_many_connections_whichever_of_its_keys_it_shows_and_others_are_served()
    {
        await using var keyed = await KeyedServer.StartAsync(options => options with { MaxConnectionsPerClient = 2 });
        var (one, two, other) = (keyed.Create("web", "WEB", Scopes.Submit), keyed.Create("web-2", "WEB", Scopes.Submit), keyed.Create("ebay", "EBAY", Scopes.Submit));
        var first = GrpcChannel.ForAddress(keyed.Server.Address);
        using var second = GrpcChannel.ForAddress(keyed.Server.Address);
        using var third = GrpcChannel.ForAddress(keyed.Server.Address);
        await SubmitAsync(first, one);
        await SubmitAsync(second, two);
        // Once more over a connection that counts already, with the other key: still one.
        await SubmitAsync(second, one);

        var refused = await Refusal.ExpectAsync(() => SubmitAsync(third, one));

        Assert.Equal((StatusCode.ResourceExhausted, "CONNECTION_LIMIT_REACHED"), (refused.Code, refused.Reason));
        Assert.True(refused.Retry > TimeSpan.Zero);
        await SubmitAsync(third, other, "EBAY");
        first.Dispose();
        // The server learns of the end by and by.
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (await Refusal.OfAsync(() => SubmitAsync(third, one)) is { } still)
        {
            Assert.Equal("CONNECTION_LIMIT_REACHED", still.Reason);
            patience.Token.ThrowIfCancellationRequested();
        }
    }

    // Whose turn has come goes on by itself, a moment later.
    private static int Served(List<Connection> connections, int expected)
    {
        SpinWait.SpinUntil(() => connections.Count(one => one.IsServed) >= expected, TimeSpan.FromSeconds(30));
        return connections.Count(one => one.IsServed);
    }

    private static async Task SubmitAsync(GrpcChannel channel, string credential, string channelId = "WEB")
    {
        var order = Shop.Submit();
        order.Order.ChannelId = channelId;
        await new OrderService.OrderServiceClient(channel).SubmitOrderAsync(order, new Metadata { { "authorization", $"Bearer {credential}" } });
    }

    private ConnectionLimit Limit(ServerOptions options) => new(options, _time, _metrics, _turns, () => _collections++);

    private static IPEndPoint At(string address) => new(IPAddress.Parse(address), 4711);

    private static Connection Open(ConnectionLimit limit, string from)
    {
        var connection = new Connection(At(from));
        connection.Serving = limit.ServeAsync(connection, connection.ServeAsync);
        return connection;
    }

    // A connection that is served until the test ends it.
    private sealed class Connection : DefaultConnectionContext
    {
        private readonly TaskCompletionSource _end = new();
        private readonly CancellationTokenSource _closed = new();

        public Connection(EndPoint from)
        {
            RemoteEndPoint = from;
            ConnectionClosed = _closed.Token;
        }

        public Task Serving { get; set; } = Task.CompletedTask;

        public bool IsServed { get; private set; }

        public bool IsClosed { get; private set; }

        public override void Abort(ConnectionAbortedException abortReason) => IsClosed = true;

        public Task ServeAsync(ConnectionContext connection)
        {
            IsServed = true;
            return _end.Task;
        }

        public async Task EndAsync()
        {
            _end.SetResult();
            await _closed.CancelAsync();
            await Serving;
        }
    }
}
