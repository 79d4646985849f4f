// Finds every whole frame of a damaged journal, also behind the damage: runs of frames that continue each other. For repair, which must know what is
// there before it says what would be lost. Read-only; one thread.

using System.Buffers.Binary;

namespace OrderEngine.Journal.Offline;

/// <summary>Frames that continue each other without a gap.</summary>
/// <param name="FirstSequence">Of the first (1 also where the genesis frame stands before it).</param>
/// <param name="LastSequence">Of the last.</param>
internal sealed record FrameRun(long FirstSequence, long LastSequence)
{
    public bool Covers(long sequence) => sequence >= FirstSequence && sequence <= LastSequence;
}

internal static class FrameSearch
{
    /// <summary>The runs, in order. <paramref name="found"/> gets every batch with the number of its run; its payload is valid during the call.</summary>
    public static List<FrameRun> Run(DataDirectory directory, JournalGeometry geometry, long beginAddress, Action<int, JournalBatch>? found = null)
    {
        var runs = new List<FrameRun>();
        Chain? chain = null;
        var page = new byte[geometry.PageSize];
        foreach (var segment in DataDirectory.SegmentsIn(directory.Journal))
        {
            using var file = File.OpenHandle(directory.Segment(segment), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
            for (var start = geometry.StartOfSegment(segment); start < geometry.StartOfSegment(segment + 1); start += geometry.PageSize)
            {
                var length = ReadPage(directory, file, segment, geometry.OffsetInSegment(start), page);
                for (var at = (int)Math.Max(0, beginAddress - start); at + FrameHeader.EntryHeaderSize + FrameHeader.Size <= length;)
                {
                    var size = BinaryPrimitives.ReadInt32LittleEndian(page.AsSpan(at));
                    var end = at + FrameHeader.EntryHeaderSize + size;
                    if (size < FrameHeader.Size || end > length || end < 0
                        || FrameHeader.TryDecode(page.AsSpan(at + FrameHeader.EntryHeaderSize, size), out var header) is not null
                        || chain is { } before && header.FirstSequence <= before.LastSequence)
                    {
                        at += sizeof(int); // entries lie at multiples of four; what is stale (an older sequence) is passed over too
                        continue;
                    }
                    if (chain is null || chain.Value.Refuse(header) is not null) runs.Add(new FrameRun(Math.Max(1, header.FirstSequence), header.LastSequence));
                    else runs[^1] = runs[^1] with { LastSequence = header.LastSequence };
                    chain = Chain.After(header);
                    if (header.FirstSequence > 0)
                    {
                        found?.Invoke(runs.Count - 1, new JournalBatch(header.Epoch, header.FirstSequence, header.LastSequence,
                            page.AsMemory(at + FrameHeader.EntryHeaderSize + FrameHeader.Size, header.PayloadLength)));
                    }
                    at = end;
                }
            }
        }
        return runs;
    }

    private static int ReadPage(DataDirectory directory, Microsoft.Win32.SafeHandles.SafeFileHandle file, int segment, long offset, byte[] page)
    {
        var done = 0;
        while (done < page.Length)
        {
            var count = directory.Disk.Read(file, directory.Segment(segment), page.AsSpan(done), offset + done);
            if (count == 0) break;
            done += count;
        }
        return done;
    }
}
