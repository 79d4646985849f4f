// Writes protobuf's wire format into room that is known to suffice (protobuf.dev/programming-guides/encoding). Any thread; allocates nothing.

namespace OrderEngine.Server.Wire;

/// <summary>A message under way, in a span that it fits into.</summary>
/// <param name="room">Where it goes.</param>
internal ref struct WireWriter(Span<byte> room)
{
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

    /// <summary>A number's field; nothing for 0, as proto3 has it.</summary>
    public void Number(byte tag, ulong value)
    {
        if (value == 0) return;
        _room[Length++] = tag;
        Length += Varint(_room[Length..], value);
    }

    /// <summary>The head of a field of so many bytes.</summary>
    public void Head(byte tag, int length)
    {
        _room[Length++] = tag;
        Length += Varint(_room[Length..], (ulong)length);
    }

    /// <summary>A field of bytes or text.</summary>
    public void Bytes(byte tag, scoped ReadOnlySpan<byte> value)
    {
        Head(tag, value.Length);
        value.CopyTo(_room[Length..]);
        Length += value.Length;
    }
}
