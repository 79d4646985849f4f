// CRC-32C (Castagnoli) over bytes; BitOperations uses the processor's instruction where it has one.

using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace OrderEngine.Journal;

internal static class Crc32C
{
    /// <summary>The checksum of <paramref name="bytes"/>.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => ~Add(uint.MaxValue, bytes);

    /// <summary>The checksum of two spans, as if they were one.</summary>
    public static uint Of(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second) => ~Add(Add(uint.MaxValue, first), second);

    /// <summary>The checksum of what came before and <paramref name="bytes"/>, as if they were one; 0: nothing came before.</summary>
    public static uint Continue(uint crc, ReadOnlySpan<byte> bytes) => ~Add(~crc, bytes);

    private static uint Add(uint crc, ReadOnlySpan<byte> bytes)
    {
        if (BitConverter.IsLittleEndian)
        {
            var words = MemoryMarshal.Cast<byte, ulong>(bytes);
            foreach (var word in words) crc = BitOperations.Crc32C(crc, word);
            bytes = bytes[(words.Length * sizeof(ulong))..];
        }
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }
        foreach (var one in bytes) crc = BitOperations.Crc32C(crc, one);
        return crc;
    }
}
