// Reads a message as Google.Protobuf itself would have written it: fields in ascending order, each at most once, nothing that is zero or empty,
// numbers in their shortest form. Anything else is not refused here but said to be not plain. Any thread; allocates nothing.

using System.Runtime.CompilerServices;

namespace OrderEngine.Server.Wire;

/// <summary>A walk through one message's fields in the order of the contract. Each step returns false when the message is not plain.</summary>
/// <param name="message">The encoded message.</param>
internal ref struct PlainReader(ReadOnlySpan<byte> message)
{
    private readonly ReadOnlySpan<byte> _message = message;
    private int _position;

    /// <summary>Bytes read.</summary>
    public readonly int Position => _position;

    /// <summary>True when nothing is left.</summary>
    public readonly bool AtEnd => _position == _message.Length;

    /// <summary>True when the next field has this tag.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool IsNext(byte tag) => (uint)_position < (uint)_message.Length && _message[_position] == tag;

    /// <summary>A field of bytes, text or a message; empty when it is not there.</summary>
    public bool Optional(byte tag, out ReadOnlySpan<byte> value)
    {
        value = default;
        return !IsNext(tag) || Required(tag, out value) && value.Length > 0;
    }

    /// <summary>A field of bytes, text or a message that must be there.</summary>
    public bool Required(byte tag, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!IsNext(tag)) return false;
        _position++;
        if (!Varint(out var length) || length > (ulong)(_message.Length - _position)) return false;
        value = _message.Slice(_position, (int)length);
        _position += (int)length;
        return true;
    }

    /// <summary>A number's field up to a bound; 0 when it is not there.</summary>
    public bool Number(byte tag, ulong max, out ulong value)
    {
        value = 0;
        if (!IsNext(tag)) return true;
        _position++;
        return Varint(out value) && value != 0 && value <= max;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Varint(out ulong value)
    {
        var position = _position;
        if ((uint)position >= (uint)_message.Length || _message[position] >= 0x80) return LongVarint(out value);
        _position = position + 1;
        value = _message[position];
        return true;
    }

    // Up to 63 bits, which is more than any bound.
    private bool LongVarint(out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 63 && _position < _message.Length; shift += 7)
        {
            var b = _message[_position++];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80) return b != 0;
        }
        return false;
    }
}
