// Owns: hashing under a secret, for the indexes over what clients choose: external ids, request ids, ids of customers, and SKUs with their locations.
// Runs on: any thread; immutable.
// With a hash that everybody can compute a client could look for ids that all lie in one chain and make every search walk it. The secret comes
// from outside, is another one in every process, and decides where entries lie in memory and nothing else: no answer, event, snapshot or state hash
// depends on it.

using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace OrderEngine.Core.Storage;

/// <summary>Hashes under one secret.</summary>
public sealed class KeyedHash
{
    /// <summary>Bytes of a secret.</summary>
    public const int SecretBytes = 64;

    private readonly ulong _k0;
    private readonly ulong _k1;
    private readonly UInt128 _sum;
    private readonly UInt128 _low;
    private readonly UInt128 _high;

    /// <param name="secret"><see cref="SecretBytes"/> random bytes.</param>
    /// <exception cref="ArgumentException">It is shorter or longer.</exception>
    public KeyedHash(ReadOnlySpan<byte> secret)
    {
        if (secret.Length != SecretBytes) throw new ArgumentException($"A secret has {SecretBytes} bytes, not {secret.Length}.", nameof(secret));
        _k0 = BinaryPrimitives.ReadUInt64LittleEndian(secret);
        _k1 = BinaryPrimitives.ReadUInt64LittleEndian(secret[8..]);
        _sum = BinaryPrimitives.ReadUInt128LittleEndian(secret[16..]);
        _low = BinaryPrimitives.ReadUInt128LittleEndian(secret[32..]);
        _high = BinaryPrimitives.ReadUInt128LittleEndian(secret[48..]);
    }

    /// <summary>Under a secret that everybody knows: for tests, tools, and cores that no client reaches.</summary>
    public static KeyedHash Known { get; } = Numbered(0);

    /// <summary>As <see cref="Known"/>, one for each number.</summary>
    public static KeyedHash Numbered(int number)
    {
        Span<byte> secret = stackalloc byte[SecretBytes];
        for (var at = 0; at < SecretBytes; at += sizeof(ulong))
            BinaryPrimitives.WriteUInt64LittleEndian(secret[at..], StableHash.Mix((ulong)number, (ulong)at));
        return new KeyedHash(secret);
    }

    /// <summary>
    /// The hash of a text: SipHash-1-3 (Aumasson and Bernstein, 2012), made for tables whose keys come from outside. Each scope has a key of its own.
    /// </summary>
    /// <param name="text">Any length.</param>
    /// <param name="scope">Within which the text means something: a channel.</param>
    public ulong Of(ReadOnlySpan<byte> text, int scope = 0)
    {
        var k1 = _k1 ^ (uint)scope;
        var v0 = _k0 ^ 0x736f_6d65_7073_6575;
        var v1 = k1 ^ 0x646f_7261_6e64_6f6d;
        var v2 = _k0 ^ 0x6c79_6765_6e65_7261;
        var v3 = k1 ^ 0x7465_6462_7974_6573;
        var last = (ulong)text.Length << 56;
        for (; text.Length >= sizeof(ulong); text = text[sizeof(ulong)..])
        {
            var word = BinaryPrimitives.ReadUInt64LittleEndian(text);
            v3 ^= word;
            SipRound.Mix(ref v0, ref v1, ref v2, ref v3);
            v0 ^= word;
        }
        last |= Tail(text);
        v3 ^= last;
        SipRound.Mix(ref v0, ref v1, ref v2, ref v3);
        v0 ^= last;
        v2 ^= 0xff;
        SipRound.Mix(ref v0, ref v1, ref v2, ref v3);
        SipRound.Mix(ref v0, ref v1, ref v2, ref v3);
        SipRound.Mix(ref v0, ref v1, ref v2, ref v3);
        return v0 ^ v1 ^ v2 ^ v3;
    }

    /// <summary>
    /// The hash of two words: the upper half of a + b * low + c * high, modulo 2^128, with secret a, b and c. Strongly universal (Dietzfelbinger,
    /// 1996): whichever two keys somebody picks, they meet in a table of n places with a chance of 1 in n. What that asks for is that nobody sees
    /// hashes, and nobody does; it is a few multiplications where SipHash is sixty steps, for a key that is looked up four times an order.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Of(ulong low, ulong high) => (ulong)((_sum + _low * low + _high * high) >> 64);

    /// <summary>As <see cref="Of(ulong, ulong)"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Of(UInt128 key) => Of((ulong)key, (ulong)(key >> 64));

    // Fewer than eight bytes as a number, in two reads that may overlap instead of one a byte.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Tail(ReadOnlySpan<byte> bytes)
    {
        var length = bytes.Length;
        if (length >= 4)
            return BinaryPrimitives.ReadUInt32LittleEndian(bytes) | ((ulong)BinaryPrimitives.ReadUInt32LittleEndian(bytes[(length - 4)..]) << (8 * (length - 4)));
        if (length == 0) return 0;
        return bytes[0] | ((ulong)bytes[length >> 1] << (8 * (length >> 1))) | ((ulong)bytes[length - 1] << (8 * (length - 1)));
    }
}
