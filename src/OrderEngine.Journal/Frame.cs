// The layout of a frame: the body of one FASTER entry, one batch. Little-endian.
//
//   FASTER's entry    length u32 | frame, padded to 4 bytes
//
//   frame   0  magic and version  u32   "OEF1"
//           4  crc                u32   CRC-32C of bytes 8 to the end of the payload
//           8  previous crc       u32   the crc of the frame before: the chain (0 in the genesis frame)
//          12  payload length     i32
//          16  epoch              i64
//          24  first sequence     i64   (0 in the genesis frame)
//          32  last sequence      i64   (0 in the genesis frame)
//          40  payload, then zeros to a multiple of 4
//
// The genesis frame holds the creation id of the journal, so that no frame of another journal ever fits the chain.

using System.Buffers.Binary;

namespace OrderEngine.Journal;

/// <summary>A frame's header, and where it lies.</summary>
internal readonly record struct FrameHeader(uint Crc, uint PreviousCrc, int PayloadLength, long Epoch, long FirstSequence, long LastSequence)
{
    public const uint Magic = 0x3146454F; // "OEF1"
    public const int Size = 40;
    private const int CrcStart = 8;

    /// <summary>FASTER's length word before each entry (its own checksums are off: ours cover the frame).</summary>
    public const int EntryHeaderSize = 4;

    /// <summary>The largest frame of a payload of this length.</summary>
    public static int FrameSize(int payloadLength) => (Size + payloadLength + 3) & ~3;

    public static int EntrySize(int payloadLength) => EntryHeaderSize + FrameSize(payloadLength);

    /// <summary>Writes a frame of <see cref="FrameSize"/> bytes; returns its crc.</summary>
    public static uint Encode(Span<byte> to, uint previousCrc, in JournalBatch batch)
    {
        var payload = batch.Payload.Span;
        BinaryPrimitives.WriteUInt32LittleEndian(to, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(to[8..], previousCrc);
        BinaryPrimitives.WriteInt32LittleEndian(to[12..], payload.Length);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], batch.Epoch);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], batch.FirstSequence);
        BinaryPrimitives.WriteInt64LittleEndian(to[32..], batch.LastSequence);
        payload.CopyTo(to[Size..]);
        to[(Size + payload.Length)..FrameSize(payload.Length)].Clear();
        var crc = Crc32C.Of(to[CrcStart..(Size + payload.Length)]);
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], crc);
        return crc;
    }

    /// <summary>Reads a frame that fills <paramref name="frame"/>; says what is wrong, or null.</summary>
    public static string? TryDecode(ReadOnlySpan<byte> frame, out FrameHeader header)
    {
        header = default;
        if (frame.Length < Size || BinaryPrimitives.ReadUInt32LittleEndian(frame) != Magic) return "no frame begins here";
        header = new FrameHeader(
            BinaryPrimitives.ReadUInt32LittleEndian(frame[4..]),
            BinaryPrimitives.ReadUInt32LittleEndian(frame[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(frame[12..]),
            BinaryPrimitives.ReadInt64LittleEndian(frame[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(frame[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(frame[32..]));
        if (header.PayloadLength < 0 || header.PayloadLength > IJournal.MaxPayloadBytes || FrameSize(header.PayloadLength) != frame.Length)
        {
            return "the frame's length and the entry's differ";
        }
        return Crc32C.Of(frame[CrcStart..(Size + header.PayloadLength)]) == header.Crc ? null : "the frame's checksum does not match";
    }
}

/// <summary>What the next frame must follow.</summary>
/// <param name="Crc">The crc of the last frame.</param>
/// <param name="LastSequence">Its last sequence.</param>
/// <param name="Epoch">Its epoch: later ones may only grow.</param>
internal readonly record struct Chain(uint Crc, long LastSequence, long Epoch)
{
    public static readonly Chain Start = new(0, -1, 0);

    /// <summary>The chain after <paramref name="header"/>.</summary>
    public static Chain After(in FrameHeader header) => new(header.Crc, header.LastSequence, header.Epoch);

    /// <summary>Says why a frame does not follow, or null.</summary>
    public string? Refuse(in FrameHeader next)
    {
        if (next.PreviousCrc != Crc) return "the frame does not continue the chain";
        if (next.FirstSequence != LastSequence + 1) return $"the frame begins at sequence {next.FirstSequence}, {LastSequence + 1} was due";
        if (next.LastSequence < next.FirstSequence) return "the frame's sequences run backwards";
        return next.Epoch < Epoch ? $"the frame is of epoch {next.Epoch}, after epoch {Epoch}" : null;
    }
}
