// Reads protobuf's wire format from a span (protobuf.dev/programming-guides/encoding). Any thread; allocates nothing.

using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace OrderEngine.Core.Events;

/// <summary>A forward reader over one encoded message. Malformed input throws <see cref="FormatException"/>.</summary>
/// <param name="bytes">The message without its own length.</param>
public ref struct ProtoReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _position;

    /// <summary>Reads a message of up to three numbers, { 1: what, 2: where or how many, 3: how many or how }; those that are not there are 0.</summary>
    public static void ReadThree(ReadOnlySpan<byte> message, out int first, out int second, out int third)
    {
        first = second = third = 0;
        var reader = new ProtoReader(message);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) first = reader.Int();
            else if (field == 2) second = reader.Int();
            else if (field == 3) third = reader.Int();
            else reader.Skip(wireType);
        }
    }

    /// <summary>Bytes already read.</summary>
    public readonly int Position => _position;

    /// <summary>Moves to the next field; false at the end.</summary>
    /// <param name="field">Its number.</param>
    /// <param name="wireType">0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes.</param>
    public bool Next(out int field, out int wireType)
    {
        if (_position >= _bytes.Length)
        {
            field = wireType = 0;
            return false;
        }
        var tag = Varint();
        field = (int)(tag >> 3);
        wireType = (int)(tag & 7);
        if (field == 0 || tag > uint.MaxValue) throw new FormatException($"Field number {tag >> 3} at byte {_position} of an event.");
        return true;
    }

    /// <summary>Reads a varint of up to 64 bits. Most are one byte long: those are read where the call stands.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Varint()
    {
        var position = _position;
        if ((uint)position >= (uint)_bytes.Length || _bytes[position] >= 0x80) return LongVarint();
        _position = position + 1;
        return _bytes[position];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong LongVarint()
    {
        var bytes = _bytes;
        var position = _position;
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if ((uint)position >= (uint)bytes.Length) break;
            var b = bytes[position++];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                _position = position;
                return value;
            }
        }
        throw new FormatException($"A number that does not end at byte {position} of an event.");
    }

    /// <summary>Reads the next number of a packed list; false at its end.</summary>
    public bool TryVarint(out ulong value)
    {
        var more = _position < _bytes.Length;
        value = more ? Varint() : 0;
        return more;
    }

    /// <summary>Reads a varint as int; the value must fit.</summary>
    public int Int() => checked((int)Varint());

    /// <summary>Reads a varint as long; the value must fit.</summary>
    public long Long() => checked((long)Varint());

    /// <summary>Reads a zig-zag varint (sint64).</summary>
    public long SignedLong()
    {
        var value = Varint();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    /// <summary>Reads a length-delimited field in place.</summary>
    public ReadOnlySpan<byte> Bytes()
    {
        var length = Varint();
        if (length > (ulong)(_bytes.Length - _position)) throw new FormatException($"A field longer than its event at byte {_position}.");
        var value = _bytes.Slice(_position, (int)length);
        _position += (int)length;
        return value;
    }

    /// <summary>Reads 16 bytes as a number, little-endian.</summary>
    public UInt128 Wide()
    {
        var bytes = Bytes();
        return bytes.Length == 16 ? BinaryPrimitives.ReadUInt128LittleEndian(bytes) : throw new FormatException("A hash that is not 16 bytes long.");
    }

    /// <summary>Passes over a field that the reader does not know: written by a newer engine.</summary>
    public void Skip(int wireType)
    {
        switch (wireType)
        {
            case 0: Varint(); break;
            case 1: Advance(8); break;
            case 2: Bytes(); break;
            case 5: Advance(4); break;
            default: throw new FormatException($"Wire type {wireType} at byte {_position} of an event.");
        }
    }

    private void Advance(int count)
    {
        if (count > _bytes.Length - _position) throw new FormatException("A field longer than its event.");
        _position += count;
    }
}
