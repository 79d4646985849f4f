// What nobody should send: frames that break the rules of HTTP/2, one kind a connection; messages that break those of gRPC and protobuf;
// messages that are too large, or would be once they are unfolded. The pauses are the attackers' pace.

using System.Buffers.Binary;
using System.IO.Compression;

namespace OrderEngine.Attacks;

internal static class Nonsense
{
    private const string SomeCall = "/orderengine.v1.OrderService/CheckFulfillability";
    private const int TooLarge = 5 * 1024 * 1024;
    private const int FrameBytes = 16_384;

    private static readonly byte[][] BadFrames =
    [
        Frames.Of(FrameType.Settings, 0, 0, new byte[5]),
        Frames.Of(FrameType.Settings, Frames.Ack, 0, new byte[6]),
        Frames.Of(FrameType.Settings, 0, 1, []),
        Frames.Setting(4, 0x8000_0000),
        Frames.Setting(5, 1),
        Frames.Of(FrameType.Ping, 0, 0, new byte[7]),
        Frames.Of(FrameType.Ping, 0, 3, new byte[8]),
        Frames.Of(FrameType.WindowUpdate, 0, 0, new byte[3]),
        Frames.WindowUpdate(0, 0),
        [.. Frames.WindowUpdate(0, int.MaxValue), .. Frames.WindowUpdate(0, int.MaxValue)],
        Frames.Of(FrameType.Reset, 0, 1, new byte[3]),
        Frames.Reset(0),
        Frames.Reset(9),
        Frames.Of(FrameType.Priority, 0, 1, new byte[4]),
        Frames.Of(FrameType.Priority, 0, 1, [0, 0, 0, 1, 16]),
        Frames.Of(FrameType.Headers, Frames.EndHeaders, 0, Frames.CallBlock(SomeCall, null)),
        Frames.Of(FrameType.Headers, Frames.EndHeaders, 2, Frames.CallBlock(SomeCall, null)),
        Frames.Of(FrameType.Headers, Frames.EndHeaders | Frames.Padded, 1, [200, 1, 2, 3]),
        Frames.Of(FrameType.Headers, Frames.EndHeaders, 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        Frames.Of(FrameType.Headers, Frames.EndHeaders, 1, [0x80]),
        Frames.Of(FrameType.Data, 0, 1, new byte[10]),
        Frames.Of(FrameType.Data, 0, 0, new byte[10]),
        Frames.Of(FrameType.Continuation, Frames.EndHeaders, 1, []),
        [.. Frames.Call(1, SomeCall, null, flags: 0), .. Frames.Of(FrameType.Ping, 0, 0, new byte[8])],
        [.. Frames.Call(5, SomeCall, null), .. Frames.Call(3, SomeCall, null)],
        Frames.Of(FrameType.Push, Frames.EndHeaders, 1, [0, 0, 0, 2, 0x82]),
        Frames.Of((byte)FrameType.Data, 0, 1, [], 0xff_ffff),
        Frames.Of((byte)FrameType.Headers, Frames.EndHeaders, 1, [], FrameBytes + 1),
        Frames.Of(FrameType.GoAway, 0, 0, new byte[3]),
    ];

    // Bodies of one call, with whether it ends there.
    private static readonly (byte[] Body, bool Ends)[] BadMessages =
    [
        (Frames.Message(new byte[10], length: uint.MaxValue), true),
        (Frames.Message(new byte[10], length: 100), true),
        (Frames.Message(new byte[100], length: 10), true),
        (Frames.Message(new byte[10], compressed: 1), true),
        (Frames.Message(new byte[10], compressed: 255), true),
        (Frames.Message([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]), true),
        (Frames.Message([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), true),
        (Frames.Message([0x0b]), true),
        ([0, 0, 0], true),
        ([], true),
        ([.. Frames.Message([]), .. Frames.Message([])], true),
        ("POST / HTTP/1.1\r\n\r\n"u8.ToArray(), true),
        (Frames.Message(Enumerable.Repeat((byte)0x12, 2_000).ToArray()), true),
    ];

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static int _next;

    /// <summary>How many kinds of bad frames there are.</summary>
    public static int Kinds => BadFrames.Length;

    /// <summary>One kind of bad frame, then the wait for the server to hang up.</summary>
    public static async Task FramesAsync(Target target, Counters counters, CancellationToken until)
    {
        var kind = (int)((uint)Interlocked.Increment(ref _next) % (uint)BadFrames.Length);
        await using var wire = await Wire.OpenAsync(target, counters, until);
        await wire.SendAsync(BadFrames[kind], until);
        counters.Add("framesSent");
        // What is not answered by hanging up (a reset of one stream will do for some) is left when the server goes on as if nothing had been.
        var answered = wire.PingAsync(until);
        await Task.WhenAny(wire.Ended, answered, Task.Delay(Patience, until));
        counters.Add(wire.Ended.IsCompleted ? $"kind {kind:00} cut" : $"kind {kind:00} kept");
    }

    /// <summary>Calls whose message is no message.</summary>
    public static async Task MessagesAsync(Target target, Counters counters, CancellationToken until)
    {
        await using var wire = await Wire.OpenAsync(target, counters, until);
        while (!wire.Ended.IsCompleted)
        {
            foreach (var (body, ends) in BadMessages)
            {
                var stream = wire.NextStream();
                await wire.SendAsync((byte[])[.. Frames.Call(stream, SomeCall, target.Credential), .. Frames.Of(FrameType.Data, ends ? Frames.EndStream : (byte)0, stream, body)], until);
                counters.Add("messagesSent");
            }
            // As fast as answers come, so that streams are not refused for their number.
            await Task.Delay(5, until);
        }
    }

    /// <summary>Messages of some kilobytes that would unfold to the largest allowed and beyond.</summary>
    public static async Task CompressedAsync(Target target, Counters counters, CancellationToken until)
    {
        await using var wire = await Wire.OpenAsync(target, counters, until);
        while (!wire.Ended.IsCompleted)
        {
            var stream = wire.NextStream();
            byte[] block = [.. Frames.CallBlock(SomeCall, target.Credential), .. Frames.Literal("grpc-encoding", "gzip")];
            await wire.SendAsync((byte[])[.. Frames.Of(FrameType.Headers, Frames.EndHeaders, stream, block), .. Bomb.Value.SelectMany(piece => Frames.Of(FrameType.Data, 0, stream, piece)),
                .. Frames.Of(FrameType.Data, Frames.EndStream, stream, [])], until);
            counters.Add("bombsSent");
            await Task.Delay(5, until);
        }
    }

    // 64 MiB of nothing, folded into some frames.
    private static readonly Lazy<byte[][]> Bomb = new(() => [.. Fold().Chunk(FrameBytes)]);

    private static byte[] Fold()
    {
        var folded = new MemoryStream();
        using (var gzip = new GZipStream(folded, CompressionLevel.SmallestSize, leaveOpen: true)) gzip.Write(new byte[64 * 1024 * 1024]);
        return Frames.Message(folded.ToArray(), compressed: 1);
    }

    /// <summary>Messages above the limit, sent whole.</summary>
    public static async Task OversizedAsync(Target target, Counters counters, CancellationToken until)
    {
        await using var wire = await Wire.OpenAsync(target, counters, until);
        var chunk = Frames.Of(FrameType.Data, 0, 1, new byte[FrameBytes]);
        while (!wire.Ended.IsCompleted)
        {
            var stream = wire.NextStream();
            BinaryPrimitives.WriteInt32BigEndian(chunk.AsSpan(5), stream);
            await wire.SendAsync((byte[])[.. Frames.Call(stream, SomeCall, target.Credential), .. Frames.Of(FrameType.Data, 0, stream, Frames.Message([], length: TooLarge))], until);
            // Whatever the window says.
            for (var sent = 0; sent < TooLarge && !wire.Ended.IsCompleted; sent += FrameBytes) await wire.SendAsync(chunk, until);
            await wire.SendAsync(Frames.Of(FrameType.Data, Frames.EndStream, stream, []), until);
            counters.Add("messagesSent");
        }
    }
}
