// The bytes of a batch under construction: events encoded back to back as orderengine.journal.Events. Writer thread only.
//
// Lengths of events and bodies are written as varints padded to three bytes, so that nothing is moved when they become known;
// protobuf readers accept padded varints (protobuf.dev/programming-guides/encoding). Lines take one length byte, and are moved by
// one or two bytes in the rare case that they are 128 bytes or longer.

using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace OrderEngine.Core.Events;

/// <summary>A growing buffer of encoded events with the marks to undo the last ones.</summary>
public sealed class EventBuffer
{
    private const int PaddedLength = 3;
    private byte[] _bytes;
    private int _length;
    private int _eventStart = -1;
    private int _bodyStart = -1;

    /// <summary>Creates a buffer that starts with room for <paramref name="capacity"/> bytes.</summary>
    public EventBuffer(int capacity = 64 * 1024) => _bytes = new byte[capacity];

    /// <summary>Bytes written.</summary>
    public int Length => _length;

    /// <summary>What was written.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    /// <summary>Forgets everything behind <paramref name="length"/>: undoes what a command began.</summary>
    public void Truncate(int length)
    {
        _length = length;
        _eventStart = _bodyStart = -1;
    }

    /// <summary>Starts an event: what follows are the fields of its header, then <see cref="BeginBody"/>.</summary>
    /// <returns>Where the event's own bytes (without tag and length) begin.</returns>
    public int BeginEvent()
    {
        Reserve(1 + PaddedLength);
        _bytes[_length] = 1 << 3 | 2;
        _eventStart = _length + 1;
        _length += 1 + PaddedLength;
        return _length;
    }

    /// <summary>Starts the event's body, the message in field <paramref name="kind"/>.</summary>
    public void BeginBody(EventKind kind)
    {
        Tag((int)kind, 2);
        Reserve(PaddedLength);
        _bodyStart = _length;
        _length += PaddedLength;
    }

    /// <summary>Ends body and event.</summary>
    public void EndEvent()
    {
        Patch(_bodyStart);
        Patch(_eventStart);
        _eventStart = _bodyStart = -1;
    }

    /// <summary>Starts a nested message in field <paramref name="field"/>; give the result to <see cref="EndNested"/>.</summary>
    public int BeginNested(int field)
    {
        Tag(field, 2);
        Reserve(1);
        return _length++;
    }

    /// <summary>Ends the nested message that <see cref="BeginNested"/> began.</summary>
    public void EndNested(int start)
    {
        var length = _length - start - 1;
        if (length < 0x80)
        {
            _bytes[start] = (byte)length;
            return;
        }
        var extra = length < 1 << 14 ? 1 : length < 1 << 21 ? 2 : throw new InvalidOperationException("A nested message of 2 MiB.");
        Reserve(extra);
        Buffer.BlockCopy(_bytes, start + 1, _bytes, start + 1 + extra, length);
        _length += extra;
        for (var i = 0; i < extra; i++, length >>= 7) _bytes[start + i] = (byte)(length & 0x7F | 0x80);
        _bytes[start + extra] = (byte)length;
    }

    /// <summary>Writes a number; 0 is left out, as proto3 does.</summary>
    public void Number(int field, long value)
    {
        if (value == 0) return;
        Tag(field, 0);
        Varint((ulong)value);
    }

    /// <summary>Writes a signed number in zig-zag form (sint64); 0 is left out.</summary>
    public void Signed(int field, long value)
    {
        if (value == 0) return;
        Tag(field, 0);
        Varint((ulong)(value << 1) ^ (ulong)(value >> 63));
    }

    /// <summary>Writes a string or bytes; empty is left out.</summary>
    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty) return;
        Tag(field, 2);
        Varint((ulong)value.Length);
        Reserve(value.Length);
        value.CopyTo(_bytes.AsSpan(_length));
        _length += value.Length;
    }

    /// <summary>Writes 16 bytes, little-endian.</summary>
    public void Wide(int field, UInt128 value)
    {
        Tag(field, 2);
        Reserve(17);
        _bytes[_length] = 16;
        BinaryPrimitives.WriteUInt128LittleEndian(_bytes.AsSpan(_length + 1), value);
        _length += 17;
    }

    /// <summary>Writes numbers as a packed repeated field; empty is left out.</summary>
    public void Packed(int field, ReadOnlySpan<int> values)
    {
        if (values.IsEmpty) return;
        var start = BeginNested(field);
        foreach (var value in values) Varint((uint)value);
        EndNested(start);
    }

    /// <summary>Copies bytes that are encoded already.</summary>
    public void Raw(ReadOnlySpan<byte> encoded)
    {
        Reserve(encoded.Length);
        encoded.CopyTo(_bytes.AsSpan(_length));
        _length += encoded.Length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Tag(int field, int wireType) => Varint((uint)(field << 3 | wireType));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Varint(ulong value)
    {
        Reserve(10);
        var bytes = _bytes;
        var length = _length;
        while (value >= 0x80)
        {
            bytes[length++] = (byte)(value | 0x80);
            value >>= 7;
        }
        bytes[length] = (byte)value;
        _length = length + 1;
    }

    private void Patch(int at)
    {
        var length = _length - at - PaddedLength;
        if (length >= 1 << 21) throw new InvalidOperationException("An event of 2 MiB.");
        _bytes[at] = (byte)(length & 0x7F | 0x80);
        _bytes[at + 1] = (byte)((length >> 7) & 0x7F | 0x80);
        _bytes[at + 2] = (byte)(length >> 14);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Reserve(int count)
    {
        if (_bytes.Length - _length < count) Grow(count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(int count) => Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
}
