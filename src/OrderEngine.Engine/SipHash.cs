// SipHash-2-4 with 128 bits of output: a keyed hash for short messages that costs a few hundred nanoseconds less than HMAC-SHA-256, which
// counts because every request's body is digested. Pure; any thread.

using System.Buffers.Binary;
using OrderEngine.Core.Storage;

namespace OrderEngine.Engine;

/// <summary>
/// SipHash-2-4-128 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012; 128-bit output after the authors' reference code).
/// A pseudo-random function: without the key nobody can tell its output from noise, nor guess the message from it.
/// </summary>
internal static class SipHash
{
    /// <summary>Bytes of a key.</summary>
    public const int KeyBytes = 16;

    /// <summary>The digest of a message.</summary>
    /// <param name="key">At least <see cref="KeyBytes"/>; the first ones are the key.</param>
    /// <param name="message">Any length.</param>
    /// <returns>Read as little-endian: the first byte of the digest is the lowest.</returns>
    public static UInt128 Of128(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message)
    {
        var k0 = BinaryPrimitives.ReadUInt64LittleEndian(key);
        var k1 = BinaryPrimitives.ReadUInt64LittleEndian(key[8..]);
        var v0 = k0 ^ 0x736f_6d65_7073_6575;
        var v1 = k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee;
        var v2 = k0 ^ 0x6c79_6765_6e65_7261;
        var v3 = k1 ^ 0x7465_6462_7974_6573;
        var last = (ulong)message.Length << 56;
        for (; message.Length >= sizeof(ulong); message = message[sizeof(ulong)..])
        {
            var word = BinaryPrimitives.ReadUInt64LittleEndian(message);
            v3 ^= word;
            SipRound.Mix(ref v0, ref v1, ref v2, ref v3);
            SipRound.Mix(ref v0, ref v1, ref v2, ref v3);
            v0 ^= word;
        }
        for (var i = 0; i < message.Length; i++) last |= (ulong)message[i] << (8 * i);
        v3 ^= last;
        SipRound.Mix(ref v0, ref v1, ref v2, ref v3);
        SipRound.Mix(ref v0, ref v1, ref v2, ref v3);
        v0 ^= last;

        v2 ^= 0xee;
        for (var i = 0; i < 4; i++) SipRound.Mix(ref v0, ref v1, ref v2, ref v3);
        var low = v0 ^ v1 ^ v2 ^ v3;
        v1 ^= 0xdd;
        for (var i = 0; i < 4; i++) SipRound.Mix(ref v0, ref v1, ref v2, ref v3);
        return new UInt128(v0 ^ v1 ^ v2 ^ v3, low);
    }
}
