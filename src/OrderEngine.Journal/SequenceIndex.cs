// A sparse map from sequence to address: one entry per 64 frames, and one at the first frame of every segment (24 bytes each).
// Guarded by its owner's lock.

using System.Runtime.InteropServices;

namespace OrderEngine.Journal;

/// <summary>Where a frame lies, and the crc before it.</summary>
internal readonly record struct IndexEntry(long FirstSequence, long Address, uint PreviousCrc);

internal sealed class SequenceIndex(JournalGeometry geometry)
{
    private const int FramesPerEntry = 64;

    private readonly List<IndexEntry> entries = [];
    private int sinceLast;

    public void Add(in FrameHeader header, long address)
    {
        if (entries.Count > 0 && ++sinceLast < FramesPerEntry && !geometry.IsSegmentStart(address)) return;
        entries.Add(new IndexEntry(header.FirstSequence, address, header.PreviousCrc));
        sinceLast = 0;
    }

    /// <summary>The last entry at or before <paramref name="sequence"/>; there is always one for a sequence that is stored.</summary>
    public IndexEntry AtOrBefore(long sequence) => entries[LastAtOrBefore(sequence)];

    /// <summary>The last segment's first frame at or before <paramref name="sequence"/>, if any.</summary>
    public IndexEntry? SegmentStartAtOrBefore(long sequence)
    {
        for (var i = LastAtOrBefore(sequence); i >= 0; i--)
        {
            if (geometry.IsSegmentStart(entries[i].Address)) return entries[i];
        }
        return null;
    }

    public void RemoveBelow(long address) => entries.RemoveAll(entry => entry.Address < address);

    private int LastAtOrBefore(long sequence)
    {
        int low = 0, high = entries.Count;
        var span = CollectionsMarshal.AsSpan(entries);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (span[middle].FirstSequence <= sequence) low = middle + 1;
            else high = middle;
        }
        return low - 1;
    }
}
