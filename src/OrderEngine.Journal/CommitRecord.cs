// The commit record: a floor under the end of the journal, and the anchor of its beginning. Every frame that was ever
// acknowledged lies at or below the floor of the newest record. Little-endian, 96 bytes.
//
//    0  magic and version         u32  "OEC1"
//    4  crc                       u32  CRC-32C of bytes 8 to 96
//    8  number                    i64  grows by one with every record written
//   16  begin address             i64  of the first frame kept
//   24  until address             i64  end of the last frame acknowledged
//   32  first sequence            i64  of the first frame kept (0: the genesis frame)
//   40  last sequence             i64  acknowledged
//   48  crc before the first frame  u32
//   52  crc of the last frame       u32
//   56  creation id               16 bytes
//   72  reserved, zero            24 bytes

using System.Buffers.Binary;

namespace OrderEngine.Journal;

internal sealed record CommitRecord(
    long Number, long BeginAddress, long UntilAddress, long FirstSequence, long LastSequence, uint AnchorCrc, uint LastCrc, Guid CreationId)
{
    public const int Size = 96;
    private const uint Magic = 0x3143454F; // "OEC1"
    private const int CrcStart = 8;

    public void Encode(Span<byte> to)
    {
        to[..Size].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(to, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], Number);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], BeginAddress);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], UntilAddress);
        BinaryPrimitives.WriteInt64LittleEndian(to[32..], FirstSequence);
        BinaryPrimitives.WriteInt64LittleEndian(to[40..], LastSequence);
        BinaryPrimitives.WriteUInt32LittleEndian(to[48..], AnchorCrc);
        BinaryPrimitives.WriteUInt32LittleEndian(to[52..], LastCrc);
        CreationId.TryWriteBytes(to[56..]);
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], Crc32C.Of(to[CrcStart..Size]));
    }

    public static CommitRecord? TryDecode(ReadOnlySpan<byte> from)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(from) != Magic) return null;
        if (BinaryPrimitives.ReadUInt32LittleEndian(from[4..]) != Crc32C.Of(from[CrcStart..Size])) return null;
        return new CommitRecord(
            BinaryPrimitives.ReadInt64LittleEndian(from[8..]),
            BinaryPrimitives.ReadInt64LittleEndian(from[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(from[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(from[32..]),
            BinaryPrimitives.ReadInt64LittleEndian(from[40..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[48..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[52..]),
            new Guid(from.Slice(56, 16)));
    }
}
