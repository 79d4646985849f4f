// HTTP/2 frames and header blocks as bytes, sound or not: nothing here stops anyone from writing nonsense. RFC 9113 and 7541; header fields
// are written without compression unless an attack wants it. Pure.

using System.Buffers.Binary;
using System.Text;

namespace OrderEngine.Attacks;

internal enum FrameType : byte
{
    Data = 0, Headers = 1, Priority = 2, Reset = 3, Settings = 4, Push = 5, Ping = 6, GoAway = 7, WindowUpdate = 8, Continuation = 9,
}

internal static class Frames
{
    public const int HeaderBytes = 9;
    public const byte EndStream = 1, Ack = 1, EndHeaders = 4, Padded = 8;

    /// <summary>Of the server attacked; http where it speaks in the clear.</summary>
    public static string Scheme { get; set; } = "https";

    /// <summary>What every connection begins with.</summary>
    public static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    public static byte[] Of(FrameType type, byte flags, int stream, ReadOnlySpan<byte> payload) => Of((byte)type, flags, stream, payload, payload.Length);

    /// <summary>A frame that says of itself what length it likes.</summary>
    public static byte[] Of(byte type, byte flags, int stream, ReadOnlySpan<byte> payload, int length)
    {
        var frame = new byte[HeaderBytes + payload.Length];
        frame[0] = (byte)(length >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(1), (ushort)length);
        frame[3] = type;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(HeaderBytes));
        return frame;
    }

    public static byte[] Settings() => Of(FrameType.Settings, 0, 0, []);

    public static byte[] Setting(ushort name, uint value)
    {
        var payload = new byte[6];
        BinaryPrimitives.WriteUInt16BigEndian(payload, name);
        BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan(2), value);
        return Of(FrameType.Settings, 0, 0, payload);
    }

    public static byte[] Reset(int stream, uint code = 8) => Of(FrameType.Reset, 0, stream, Number(code));

    public static byte[] WindowUpdate(int stream, uint bytes) => Of(FrameType.WindowUpdate, 0, stream, Number(bytes));

    /// <summary>The headers of a gRPC call.</summary>
    public static byte[] Call(int stream, string path, string? credential, byte flags = EndHeaders) => Of(FrameType.Headers, flags, stream, CallBlock(path, credential));

    public static byte[] CallBlock(string path, string? credential)
    {
        List<(string, string)> fields = [(":method", "POST"), (":scheme", Scheme), (":path", path), (":authority", "localhost"), ("content-type", "application/grpc"), ("te", "trailers")];
        if (credential is not null) fields.Add(("authorization", $"Bearer {credential}"));
        return [.. fields.SelectMany(field => Literal(field.Item1, field.Item2))];
    }

    /// <summary>A field that is written out and not remembered, or (0x40) remembered in the dynamic table.</summary>
    public static byte[] Literal(string name, string value, byte kind = 0) => [kind, .. Text(name), .. Text(value)];

    /// <summary>A gRPC message with whatever prefix.</summary>
    public static byte[] Message(ReadOnlySpan<byte> body, uint? length = null, byte compressed = 0)
    {
        var message = new byte[5 + body.Length];
        message[0] = compressed;
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(1), length ?? (uint)body.Length);
        body.CopyTo(message.AsSpan(5));
        return message;
    }

    private static byte[] Number(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] Text(string text)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        var length = new List<byte>();
        if (bytes.Length < 127)
        {
            length.Add((byte)bytes.Length);
        }
        else
        {
            length.Add(127);
            var rest = bytes.Length - 127;
            for (; rest >= 128; rest >>= 7) length.Add((byte)(rest | 128));
            length.Add((byte)rest);
        }
        return [.. length, .. bytes];
    }
}
