// How archived orders lie on the disk. Pure; any thread.
//
//     archive/
//       000000.seg    records, appended only; the last one grows
//       000000.idx    where to find them (ArchiveIndex), once the segment is full; made anew from it when it is lost
//
//     segment:  | "OEARCH01" | creation id of the journal, 16 | secret, 64 | number u32 | crc before u32 | end of the segment before i64 | 4 | crc u32 |
//               record | record | ...
//     record:   | length u32 | crc u32 | crc of the payload u32 | crc before u32 | order i64 | key u64 | version i64 |  payload
//               '- the first crc covers the rest of the head and where the record lies -'
//
// "crc before" is the crc of the record before, so that what is stale or was cut off once never passes for what belongs there. A payload that is
// damaged is found when it is read, and hides no other record; a damaged head is found by whoever walks over it.

using System.Buffers.Binary;

namespace OrderEngine.Journal;

/// <summary>An order on its way into the archive.</summary>
/// <param name="Order">Its number.</param>
/// <param name="Key">What its external id is found by; 0: it has none.</param>
/// <param name="Version">Its version.</param>
/// <param name="Record">What is kept of it.</param>
public readonly record struct ArchiveEntry(long Order, ulong Key, long Version, ReadOnlyMemory<byte> Record);

/// <summary>The head of a record.</summary>
internal readonly record struct ArchiveHead(int Length, uint Crc, uint PayloadCrc, uint Before, long Order, ulong Key, long Version)
{
    public const int Bytes = 40;

    private const int CrcAt = 4, CoveredAt = 8;

    public static ArchiveHead Of(in ArchiveEntry entry, uint before, long position)
    {
        Span<byte> head = stackalloc byte[Bytes];
        var made = new ArchiveHead(entry.Record.Length, 0, Crc32C.Of(entry.Record.Span), before, entry.Order, entry.Key, entry.Version);
        made.Write(head);
        return made with { Crc = CrcOf(head, position) };
    }

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt32LittleEndian(to, Length);
        BinaryPrimitives.WriteUInt32LittleEndian(to[CrcAt..], Crc);
        BinaryPrimitives.WriteUInt32LittleEndian(to[8..], PayloadCrc);
        BinaryPrimitives.WriteUInt32LittleEndian(to[12..], Before);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], Order);
        BinaryPrimitives.WriteUInt64LittleEndian(to[24..], Key);
        BinaryPrimitives.WriteInt64LittleEndian(to[32..], Version);
    }

    /// <summary>Reads a head; false when it is not one that was written at this position.</summary>
    public static bool TryRead(ReadOnlySpan<byte> from, long position, out ArchiveHead head)
    {
        head = default;
        if (from.Length < Bytes) return false;
        head = new ArchiveHead(BinaryPrimitives.ReadInt32LittleEndian(from), BinaryPrimitives.ReadUInt32LittleEndian(from[CrcAt..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[8..]), BinaryPrimitives.ReadUInt32LittleEndian(from[12..]), BinaryPrimitives.ReadInt64LittleEndian(from[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(from[24..]), BinaryPrimitives.ReadInt64LittleEndian(from[32..]));
        return head.Crc == CrcOf(from, position) && head.Length is > 0 and <= ArchiveStore.MaxRecordBytes;
    }

    private static uint CrcOf(ReadOnlySpan<byte> head, long position)
    {
        Span<byte> covered = stackalloc byte[Bytes + sizeof(int)];
        BinaryPrimitives.WriteInt64LittleEndian(covered, position);
        head[..CrcAt].CopyTo(covered[8..]);
        head[CoveredAt..Bytes].CopyTo(covered[12..]);
        return Crc32C.Of(covered);
    }
}

/// <summary>The beginning of a segment.</summary>
/// <param name="CreationId">Of the journal that it belongs to.</param>
/// <param name="Secret">Under which external ids are hashed; the same in all segments.</param>
/// <param name="Number">Its number.</param>
/// <param name="EndBefore">Behind the last record of the segment before; 0: there is none before.</param>
/// <param name="CrcBefore">The crc of that record.</param>
internal sealed record ArchiveHeader(Guid CreationId, byte[] Secret, int Number, long EndBefore, uint CrcBefore)
{
    public const int Bytes = 112, SecretBytes = 64;

    private const int SecretAt = 24, NumberAt = 88, CrcBeforeAt = 92, EndBeforeAt = 96, CrcAt = 108;

    private static ReadOnlySpan<byte> Magic => "OEARCH01"u8;

    /// <summary>What the first record has for the crc before it. Not of the journal's id: a restored archive belongs to another one.</summary>
    public uint Anchor => Crc32C.Of(Secret, BitConverter.GetBytes(CrcBefore));

    public byte[] Encode()
    {
        var bytes = new byte[Bytes];
        Magic.CopyTo(bytes);
        CreationId.TryWriteBytes(bytes.AsSpan(Magic.Length));
        Secret.CopyTo(bytes, SecretAt);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(NumberAt), Number);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(CrcBeforeAt), CrcBefore);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(EndBeforeAt), EndBefore);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(CrcAt), Crc32C.Of(bytes.AsSpan(0, CrcAt)));
        return bytes;
    }

    /// <summary>Reads a header; null when it is damaged.</summary>
    public static ArchiveHeader? TryRead(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Bytes || !bytes.StartsWith(Magic) || BinaryPrimitives.ReadUInt32LittleEndian(bytes[CrcAt..]) != Crc32C.Of(bytes[..CrcAt])) return null;
        return new ArchiveHeader(new Guid(bytes.Slice(Magic.Length, 16)), bytes.Slice(SecretAt, SecretBytes).ToArray(), BinaryPrimitives.ReadInt32LittleEndian(bytes[NumberAt..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[EndBeforeAt..]), BinaryPrimitives.ReadUInt32LittleEndian(bytes[CrcBeforeAt..]));
    }
}

/// <summary>Places in the archive: segment * 2^40 + byte.</summary>
internal static class ArchivePosition
{
    private const int Bits = 40;

    public static long Of(int segment, long offset) => ((long)segment << Bits) | offset;

    public static int Segment(long position) => checked((int)(position >> Bits));

    public static long Offset(long position) => position & ((1L << Bits) - 1);
}
