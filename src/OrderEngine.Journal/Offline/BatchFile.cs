// The batches of a backup, one after the other. Little-endian.
//
//     | length u32 | frame as in the journal (Frame.cs) | ... |      each frame's previous crc: the one before it, 0 in the first

using System.Buffers.Binary;

namespace OrderEngine.Journal.Offline;

internal static class BatchFile
{
    public const string Name = "batches";

    /// <summary>Appends a batch; returns the crc for the next.</summary>
    public static uint Append(Stream file, in JournalBatch batch, uint previousCrc)
    {
        var frame = new byte[FrameHeader.EntrySize(batch.Payload.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(frame, frame.Length - FrameHeader.EntryHeaderSize);
        var crc = FrameHeader.Encode(frame.AsSpan(FrameHeader.EntryHeaderSize), previousCrc, batch);
        file.Write(frame);
        return crc;
    }

    /// <summary>Every batch, verified; they follow each other.</summary>
    /// <exception cref="JournalException">Damaged.</exception>
    public static IEnumerable<JournalBatch> Read(string path, long firstSequence)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
        var length = new byte[FrameHeader.EntryHeaderSize];
        var chain = new Chain(0, firstSequence - 1, 0);
        while (file.ReadAtLeast(length, length.Length, throwOnEndOfStream: false) is var count && count > 0)
        {
            var size = BinaryPrimitives.ReadInt32LittleEndian(length);
            if (count < length.Length || size < FrameHeader.Size || size > FrameHeader.FrameSize(IJournal.MaxPayloadBytes)) throw Damaged(path, file.Position, "a length is impossible");
            var frame = new byte[size];
            if (file.ReadAtLeast(frame, size, throwOnEndOfStream: false) < size) throw Damaged(path, file.Position, "it is cut short");
            var problem = FrameHeader.TryDecode(frame, out var header) ?? chain.Refuse(header);
            if (problem is not null) throw Damaged(path, file.Position - size, problem);
            chain = Chain.After(header);
            yield return new JournalBatch(header.Epoch, header.FirstSequence, header.LastSequence, frame.AsMemory(FrameHeader.Size, header.PayloadLength));
        }
    }

    private static JournalException Damaged(string path, long at, string what) => new($"'{path}' is damaged before byte {at}: {what}. Use another backup.");
}
