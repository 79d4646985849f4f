// A protobuf message as its bytes, in a pooled buffer: requests that are read in place and answers that are written in place, without an object
// for each message within. One owner at a time; whoever ends with it gives the buffer back.

using System.Buffers;
using Google.Protobuf;
using Grpc.Core;
using OrderEngine.Server.Mapping;

namespace OrderEngine.Server.Wire;

/// <summary>The bytes of one message.</summary>
internal sealed class EncodedMessage
{
    private const int FirstBytes = 4_096;
    private const int LongestVarint = 10;

    private byte[] _buffer = [];
    private int _length;

    /// <summary>Hands messages to and takes them from gRPC. What is sent is released.</summary>
    public static Marshaller<EncodedMessage> Marshaller { get; } = new(Serialize, Deserialize);

    /// <summary>What has been written.</summary>
    public Span<byte> Bytes => _buffer.AsSpan(0, _length);

    /// <summary>Its length in bytes.</summary>
    public int Length => _length;

    /// <summary>Room for so many bytes behind what is written.</summary>
    public Span<byte> Reserve(int bytes)
    {
        if (_buffer.Length - _length < bytes) Grow(bytes);
        return _buffer.AsSpan(_length);
    }

    /// <summary>Takes so many of the reserved bytes.</summary>
    public void Advance(int bytes) => _length += bytes;

    /// <summary>Adds a field that is a message.</summary>
    /// <param name="tag">The field's tag; of a field below 16.</param>
    /// <param name="message">The message.</param>
    public void Add(byte tag, IMessage message)
    {
        var size = message.CalculateSize();
        var room = Reserve(1 + LongestVarint + size);
        room[0] = tag;
        Advance(1 + WireWriter.Varint(room[1..], (ulong)size));
        Write(message, size);
    }

    /// <summary>Bytes of a field below 16 whose content has so many.</summary>
    public static int FieldSize(int length) => 1 + CodedOutputStream.ComputeLengthSize(length) + length;

    /// <summary>Adds the fields of a message.</summary>
    public void Write(IMessage message) => Write(message, message.CalculateSize());

    private void Write(IMessage message, int size)
    {
        message.WriteTo(Reserve(size)[..size]);
        Advance(size);
    }

    /// <summary>A message of these bytes.</summary>
    public static EncodedMessage Of(ReadOnlySpan<byte> bytes)
    {
        var message = new EncodedMessage();
        bytes.CopyTo(message.Reserve(bytes.Length));
        message.Advance(bytes.Length);
        return message;
    }

    /// <summary>Parses encoded bytes.</summary>
    /// <exception cref="RpcException">INVALID_FIELD: they are not protobuf.</exception>
    public static T Parse<T>(MessageParser<T> parser, ReadOnlySpan<byte> bytes) where T : IMessage<T>
    {
        try
        {
            return parser.ParseFrom(bytes);
        }
        // The others are what Google.Protobuf throws at negative lengths of unknown fields.
        catch (Exception unread) when (unread is InvalidProtocolBufferException or ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            throw Errors.InvalidField("", "the message must be valid protobuf").ToException();
        }
    }

    /// <summary>Gives the buffer back. It may hold personal data, so its bytes are wiped.</summary>
    public void Release()
    {
        var buffer = _buffer;
        var length = _length;
        _buffer = [];
        _length = 0;
        if (buffer.Length == 0) return;
        buffer.AsSpan(0, length).Clear();
        ArrayPool<byte>.Shared.Return(buffer);
    }

    private void Grow(int bytes)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(FirstBytes, Math.Max(_length + bytes, 2 * _length)));
        Bytes.CopyTo(larger);
        var length = _length;
        Release();
        _buffer = larger;
        _length = length;
    }

    private static void Serialize(EncodedMessage message, SerializationContext context)
    {
        context.SetPayloadLength(message._length);
        context.GetBufferWriter().Write(message.Bytes);
        context.Complete();
        message.Release();
    }

    private static EncodedMessage Deserialize(DeserializationContext context)
    {
        var message = new EncodedMessage();
        var payload = context.PayloadAsReadOnlySequence();
        payload.CopyTo(message.Reserve((int)payload.Length));
        message.Advance((int)payload.Length);
        return message;
    }
}
