// Proves through the wire: an export lets go of a reader that does not read, of a stream that takes too long, and begins only where the disk has room for it;
// whoever was cut off goes on at the token that it had, every order once; and nothing of an export stays on the disk.

using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests;

public sealed partial class ExportOrdersTests
{
    private const int SeveralMessages = 500;

    [Fact]
    public async Task A_reader_that_does_not_read_is_let_go_of_and_goes_on_where_it_stopped()
    {
        await using var server = await StartAsync();
        await Shop.OpenAsync(server);
        await FillAsync(server, SeveralMessages);
        var request = new ExportOrdersRequest { IncludeHistory = true };
        var expected = Merge(await ReadAsync(server, request));
        var had = new List<ExportedOrders>();
        using (var first = server.Orders.ExportOrders(request))
        {
            Assert.True(await first.ResponseStream.MoveNext(default));
            had.Add(first.ResponseStream.Current);
        }
        var goOn = new ExportOrdersRequest(request) { ResumeToken = had[0].ResumeToken };

        var stalled = server.Orders.ExportOrders(goOn);
        await BlockedAsync(stalled);
        _time.Advance(ServerLimits.ExportPatience);
        // What lies on the way when it reads at last, and then why there is no more.
        var late = new List<ExportedOrders>();
        IsCutOff(await Refusal.ExpectAsync(() => ReadAsync(stalled, late)));
        Assert.Null(late.LastOrDefault()?.End);
        stalled.Dispose();

        Assert.Equal(expected, Merge([.. had, .. await ReadAsync(server, goOn)]));
        had.AddRange(late);
        Assert.Equal(expected, Merge([.. had, .. await ReadAsync(server, new ExportOrdersRequest(request) { ResumeToken = had[^1].ResumeToken })]));
        // Two exports, and nobody holds one of them.
        Assert.Equal(2, Spools(server));
        _time.Advance(ServerLimits.ExportKept);
        Assert.Equal(0, Spools(server));

        // One that never reads is not asked whether it may be let go of.
        using var never = server.Orders.ExportOrders(request);
        await BlockedAsync(never);
        Assert.Equal(1, Spools(server));
        _time.Advance(ServerLimits.ExportPatience);
        for (var minute = 0; minute < 60 && Spools(server) > 0; minute++)
        {
            await server.StatusAsync();
            _time.Advance(TimeSpan.FromMinutes(1));
        }
        Assert.Equal(0, Spools(server));
        // Nor does what it has not read wait for it: the call was reset, and nothing says why.
        Assert.NotEqual("EXPORT_READER_SLOW", (await Refusal.ExpectAsync(() => ReadAsync(never, []))).Reason);
    }

    [Fact]
    public async Task A_stream_that_takes_too_long_is_cut_off_and_another_one_goes_on()
    {
        var time = new SlowMessages(_time);
        await using var server = await StartAsync(time);
        await Shop.OpenAsync(server);
        await FillAsync(server, SeveralMessages);
        var request = new ExportOrdersRequest { IncludeHistory = true };
        var expected = Merge(await ReadAsync(server, request));

        // Read at once, but slow to make: the second of a stream is too late.
        time.Each = ServerLimits.LongestExport / 2;
        var parts = new List<ExportedOrders>();
        var cutOff = 0;
        for (Refusal? refused = null; parts.Count == 0 || refused is not null; cutOff += refused is null ? 0 : 1)
        {
            Assert.True(cutOff < 20, "The export does not get on.");
            var before = parts.Count;
            refused = await Refusal.OfAsync(() => ReadAsync(server, new ExportOrdersRequest(request) { ResumeToken = parts.LastOrDefault()?.ResumeToken ?? "" }, parts));
            if (refused is null) continue;
            IsCutOff(refused);
            Assert.InRange(parts.Count - before, 1, 2);
        }
        Assert.True(cutOff > 0, "It fits into one stream.");
        Assert.Equal(expected, Merge(parts));
        Assert.Equal(SeveralMessages, parts[^1].End.Orders);
        Assert.All(parts, part => Assert.Equal(parts[0].Sequence, part.Sequence));
        time.Each = TimeSpan.Zero;
        _time.Advance(ServerLimits.ExportKept);
        Assert.Equal(0, Spools(server));
    }

    [Fact]
    public async Task An_export_begins_only_where_the_disk_has_room_for_as_much_as_the_state()
    {
        await using var server = await StartAsync();
        await Shop.OpenAsync(server);
        var ids = await FillAsync(server, 20);
        var needed = Engine.EngineOptions.LeastLowDiskBytes + server.Service<Engine.Engine>().StateBytes;
        Set(needed - 1);
        // More often than a client may have exports: one that is refused takes up no place.
        for (var i = 0; i <= ServerLimits.OrderExportsPerClient; i++)
        {
            var refused = await Refusal.ExpectAsync(() => ReadAsync(server, new ExportOrdersRequest()));
            Assert.Equal((StatusCode.ResourceExhausted, "DISK_LOW"), (refused.Code, refused.Reason));
            Assert.True(refused.Retry > TimeSpan.Zero);
            Assert.Equal(0, Spools(server));
            Assert.Empty(Directory.GetFiles(server.DataDirectory, "export*"));
        }
        Assert.Equal(EnginePhase.Serving, (await server.StatusAsync()).Phase);
        Set(needed);
        Assert.Equal(ids, Merge(await ReadAsync(server, new ExportOrdersRequest())).Select(one => one.Order.OrderId));
        Assert.Equal(1, Spools(server));
        Assert.Empty(Directory.GetFiles(server.DataDirectory, "export*"));
    }

    // It has begun with a message that is longer than what a connection takes unread.
    private static async Task BlockedAsync(AsyncServerStreamingCall<ExportedOrders> call) => await call.ResponseHeadersAsync;

    private static void IsCutOff(Refusal refused)
    {
        Assert.Equal((StatusCode.ResourceExhausted, "EXPORT_READER_SLOW"), (refused.Code, refused.Reason));
        Assert.True(refused.Retry > TimeSpan.Zero);
    }

    // Spools that are open: a spool has no name, so only the process knows of it.
    private static int Spools(TestServer server) => new DirectoryInfo("/proc/self/fd").EnumerateFileSystemInfos()
        .Count(file => file.LinkTarget is { } target && target.StartsWith(Path.Combine(server.DataDirectory, "export."), StringComparison.Ordinal));

    private void Set(long free)
    {
        Volatile.Write(ref _free, free);
        _time.Advance(TimeSpan.FromSeconds(1));
    }

    /// <summary>Lets time pass while each message of an export is made, before anybody waits for it to be taken.</summary>
    private sealed class SlowMessages(ManualTime time) : TimeProvider
    {
        public TimeSpan Each { get; set; }

        public override long TimestampFrequency => time.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => time.GetUtcNow();

        public override long GetTimestamp() => time.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime == ServerLimits.ExportPatience) time.Advance(Each);
            return time.CreateTimer(callback, state, dueTime, period);
        }
    }
}
