// Writes protobuf's wire format into room that is known to suffice (protobuf.dev/programming-guides/encoding). Any thread; allocates nothing.

using Google.Protobuf.WellKnownTypes;

namespace OrderEngine.Server.Wire;

/// <summary>A message under way, in a span that it fits into.</summary>
/// <param name="room">Where it goes.</param>
internal ref struct WireWriter(Span<byte> room)
{
    /// <summary>The wire type of numbers, in the last three bits of a tag.</summary>
    public const byte Numeric = 0;

    /// <summary>The wire type of texts, bytes and messages.</summary>
    public const byte Delimited = 2;

    private const ulong MicrosPerSecond = 1_000_000;
    private readonly Span<byte> _room = room;

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>Writes a varint; returns its bytes.</summary>
    public static int Varint(Span<byte> room, ulong value)
    {
        var length = 0;
        for (; value >= 0x80; value >>= 7) room[length++] = (byte)(value | 0x80);
        room[length++] = (byte)value;
        return length;
    }

    /// <summary>Writes a google.protobuf.Timestamp's fields; returns their bytes, at most 16.</summary>
    /// <param name="room">Where they go.</param>
    /// <param name="micros">Microseconds since 1970.</param>
    public static int Time(Span<byte> room, long micros)
    {
        var writer = new WireWriter(room);
        writer.Number(Timestamp.SecondsFieldNumber << 3 | Numeric, (ulong)micros / MicrosPerSecond);
        writer.Number(Timestamp.NanosFieldNumber << 3 | Numeric, (ulong)micros % MicrosPerSecond * 1_000);
        return writer.Length;
    }

    /// <summary>A number's field; nothing for 0, as proto3 has it.</summary>
    /// <param name="tag">Number of the field and, in the last three bits, the wire type.</param>
    /// <param name="value">Its value.</param>
    public void Number(uint tag, ulong value)
    {
        if (value == 0) return;
        Tag(tag);
        Length += Varint(_room[Length..], value);
    }

    /// <summary>The head of a field of so many bytes.</summary>
    public void Head(uint tag, int length)
    {
        Tag(tag);
        Length += Varint(_room[Length..], (ulong)length);
    }

    /// <summary>A text's field; nothing for an empty one, as proto3 has it.</summary>
    public void Text(uint tag, scoped ReadOnlySpan<byte> value)
    {
        if (value.Length > 0) Bytes(tag, value);
    }

    /// <summary>A field of bytes or a message, also when it is empty.</summary>
    public void Bytes(uint tag, scoped ReadOnlySpan<byte> value)
    {
        Head(tag, value.Length);
        value.CopyTo(_room[Length..]);
        Length += value.Length;
    }

    private void Tag(uint tag)
    {
        if (tag < 0x80) _room[Length++] = (byte)tag;
        else Length += Varint(_room[Length..], tag);
    }
}
