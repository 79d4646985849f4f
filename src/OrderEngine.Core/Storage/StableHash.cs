// Owns: hashing of bytes with the same result in every process and on every machine.
// Runs on: any thread; pure functions.
// The state hash, keys of requests, some index buckets and treap priorities all come from here, so a change of
// any constant changes what is journaled and compared: the golden values in StableHashTests hold them fast.

using System.Buffers.Binary;

namespace OrderEngine.Core.Storage;

/// <summary>
/// A fast hash after the pattern of wyhash: 64x64 to 128-bit multiplications whose halves are folded together. Not
/// seeded per process and not cryptographic: it tells equal from unequal, it does not resist who builds collisions.
/// </summary>
public static class StableHash
{
    // Odd, half of the bits set, found by digits of pi; any such constants would do.
    private const ulong Key0 = 0x243f_6a88_85a3_08d3;
    private const ulong Key1 = 0xa409_3822_299f_31d1;
    private const ulong Key2 = 0x4528_21e6_38d0_1377;
    private const ulong Key3 = 0xc0ac_29b7_c97c_50dd;
    private const ulong Key4 = 0x9216_d5d9_8979_fb1b;

    /// <summary>The 64-bit hash of <paramref name="bytes"/>. Different seeds give unrelated hashes.</summary>
    public static ulong Of(ReadOnlySpan<byte> bytes, ulong seed = 0) => Lane(bytes, seed, Key1);

    /// <summary>Mixes two words into one; the order of the two matters.</summary>
    public static ulong Mix(ulong a, ulong b)
    {
        var high = Math.BigMul(a ^ Key0, b ^ Key1, out var low);
        return Fold(low ^ Key0, high ^ Key1);
    }

    /// <summary>A 128-bit hash of <paramref name="bytes"/>: two lanes that share neither seed nor keys.</summary>
    public static UInt128 Of128(ReadOnlySpan<byte> bytes) => new(Lane(bytes, Key2, Key1), Lane(bytes, Key3, Key4));

    private static ulong Lane(ReadOnlySpan<byte> bytes, ulong seed, ulong key)
    {
        var length = (ulong)bytes.Length;
        var state = seed ^ Fold(seed ^ Key0, key);
        ulong a, b;
        if (bytes.Length <= 16)
        {
            (a, b) = ReadShort(bytes);
        }
        else
        {
            // The last 16 bytes are always read apart; they may overlap what the loops took.
            var tail = bytes[^16..];
            if (bytes.Length > 32)
            {
                var second = state ^ Key4;
                do
                {
                    state = Fold(Word(bytes) ^ key, Word(bytes[8..]) ^ state);
                    second = Fold(Word(bytes[16..]) ^ Key2, Word(bytes[24..]) ^ second);
                    bytes = bytes[32..];
                }
                while (bytes.Length > 32);
                state = Fold(state ^ Key3, second);
            }
            if (bytes.Length > 16) state = Fold(Word(bytes) ^ key, Word(bytes[8..]) ^ state);
            a = Word(tail);
            b = Word(tail[8..]);
        }
        var high = Math.BigMul(a ^ key, b ^ state, out var low);
        return Fold(a ^ low ^ Key0 ^ length, b ^ high ^ key);
    }

    private static (ulong First, ulong Last) ReadShort(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length >= 8) return (Word(bytes), Word(bytes[^8..]));
        if (bytes.Length >= 4)
            return (BinaryPrimitives.ReadUInt32LittleEndian(bytes), BinaryPrimitives.ReadUInt32LittleEndian(bytes[^4..]));
        if (bytes.IsEmpty) return (0, 0);
        return (((ulong)bytes[0] << 16) | ((ulong)bytes[bytes.Length >> 1] << 8) | bytes[^1], 0);
    }

    private static ulong Word(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64LittleEndian(bytes);

    // Folding the factors back in keeps what they held when one of them happens to be zero.
    private static ulong Fold(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out var low);
        return a ^ low ^ b ^ high;
    }
}
