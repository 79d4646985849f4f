// The layout of the keys file. Little-endian.
//
//   header   one block of 4096 bytes: magic "OER" and the format, a letter of its own from '1' on; crc u32 of bytes 8 to 4096; the rest zero
//   slot n   64 bytes at 4096 + 64 n; slot 0 holds the engine's secret
//
//   slot     0  magic   u32   "OEK1"
//            4  crc     u32   CRC-32C of bytes 8 to 64
//            8  number  i64   n
//           16  state   u32   1 live, 2 destroyed (the key is zero then)
//           20  reserved u32
//           24  key     32 bytes
//           56  reserved 8 bytes
//
// A slot is destroyed from byte 8 on, magic and checksum last. Wherever that is cut off, the slot is as live as before or says that it is destroyed, which
// counts without a checksum, too: no single flipped bit makes 2 of 1. The next start finishes it.

using System.Buffers.Binary;

namespace OrderEngine.Journal;

internal enum KeySlotState { Live = 1, Destroyed = 2 }

internal static class KeySlot
{
    public const int Size = 64;
    public const int KeySize = 32;
    public const int HeaderSize = JournalGeometry.BlockSize;
    private const uint Magic = 0x314B454F; // "OEK1"
    private const uint HeaderMagic = 0x3152454F; // "OER1"
    private const int KeyStart = 24;

    /// <summary>Where the checksum begins to cover a slot.</summary>
    public const int CrcStart = 8;

    public static long OffsetOf(long number) => HeaderSize + number * Size;

    public static void Encode(Span<byte> to, long number, KeySlotState state, ReadOnlySpan<byte> key)
    {
        to[..Size].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(to, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], number);
        BinaryPrimitives.WriteUInt32LittleEndian(to[16..], (uint)state);
        if (state == KeySlotState.Live) key.CopyTo(to[KeyStart..]);
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], Crc32C.Of(to[CrcStart..Size]));
    }

    /// <summary>False when the slot is damaged. The key is copied only from a live slot. One whose destruction was cut off is destroyed.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> from, long number, out KeySlotState state, Span<byte> key)
    {
        state = (KeySlotState)BinaryPrimitives.ReadUInt32LittleEndian(from[16..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(from) != Magic || BinaryPrimitives.ReadInt64LittleEndian(from[8..]) != number) return false;
        if (state == KeySlotState.Destroyed) return true;
        if (state != KeySlotState.Live || BinaryPrimitives.ReadUInt32LittleEndian(from[4..]) != Crc32C.Of(from[CrcStart..Size])) return false;
        from.Slice(KeyStart, KeySize).CopyTo(key);
        return true;
    }

    /// <summary>True: destroyed to the last byte.</summary>
    public static bool IsWhollyDestroyed(ReadOnlySpan<byte> from, long number)
    {
        Span<byte> destroyed = stackalloc byte[Size];
        Encode(destroyed, number, KeySlotState.Destroyed, default);
        return from[..Size].SequenceEqual(destroyed);
    }

    public static byte[] EncodeHeader()
    {
        var header = new byte[HeaderSize];
        BinaryPrimitives.WriteUInt32LittleEndian(header, HeaderMagic);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), Crc32C.Of(header.AsSpan(CrcStart)));
        return header;
    }

    public static bool IsHeader(ReadOnlySpan<byte> block) => block.SequenceEqual(EncodeHeader());

    /// <summary>True: an intact header of a later format than this one.</summary>
    public static bool IsNewerHeader(ReadOnlySpan<byte> block) =>
        block[..3].SequenceEqual("OER"u8) && block[3] > (byte)'1' && BinaryPrimitives.ReadUInt32LittleEndian(block[4..]) == Crc32C.Of(block[CrcStart..]);
}
