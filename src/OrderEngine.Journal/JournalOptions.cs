// What a user may set of the journal, and the fixed geometry behind it. Everything else is a named constant.

namespace OrderEngine.Journal;

/// <summary>The settings of the journal.</summary>
public sealed record JournalOptions
{
    /// <summary>The data directory; created, with mode 0700, when it does not exist. Required.</summary>
    public required string Directory { get; init; }

    /// <summary>
    /// How long a commit may take before the journal gives up for good (the caller then ends the process). 10 s by default;
    /// at least 100 ms.
    /// </summary>
    public TimeSpan CommitDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The clock of the commit deadline; the system's by default.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>
    /// True: whoever awaits an append goes on on the thread that writes the commit records, and must neither block nor take long: the next
    /// commit waits. Saves the way through the thread pool. False by default.
    /// </summary>
    public bool CompletesInline { get; init; }

    internal static readonly TimeSpan MinCommitDeadline = TimeSpan.FromMilliseconds(100);

    /// <summary>Fixed for the life of a journal (the MANIFEST holds it); only tests make smaller ones.</summary>
    internal JournalGeometry Geometry { get; init; } = JournalGeometry.Standard;

    /// <summary>What lies beneath; simulation and tests bring their own.</summary>
    internal Disk Disk { get; init; } = Disk.Real;
}

/// <summary>How far recovery has come. Reported about once per page (4 MiB), and once at the end.</summary>
/// <param name="BytesDone">Bytes of the log verified.</param>
/// <param name="BytesTotal">Bytes of the log that the commit record promises; the end may lie a little further.</param>
/// <param name="Sequence">The last sequence verified.</param>
/// <param name="Frames">Batches verified.</param>
public readonly record struct RecoveryProgress(long BytesDone, long BytesTotal, long Sequence, long Frames);

/// <summary>Sizes that decide where a frame lies. Recorded in the MANIFEST, checked at every start.</summary>
/// <param name="PageBits">log2 of FASTER's page: an entry never crosses a page.</param>
/// <param name="SegmentBits">log2 of a segment file; whole pages.</param>
internal sealed record JournalGeometry(int PageBits, int SegmentBits)
{
    /// <summary>4 MiB pages (a 2 MiB batch always fits) in 32 MiB files.</summary>
    public static readonly JournalGeometry Standard = new(22, 25);

    /// <summary>Pages that FASTER keeps in memory. Two unfinished batches touch at most three.</summary>
    public const int MemoryPages = 4;

    /// <summary>FASTER's first usable address; the bytes before it are never read.</summary>
    public const long FirstAddress = 64;

    /// <summary>Unit of writes: what ext4 and most devices replace as one.</summary>
    public const int BlockSize = 4096;

    public long PageSize => 1L << PageBits;
    public long SegmentSize => 1L << SegmentBits;

    /// <summary>Half a page, so that at most one batch's worth of a page is left empty at its end.</summary>
    public int MaxPayloadBytes => (int)Math.Min(IJournal.MaxPayloadBytes, PageSize / 2);

    public int SegmentOf(long address) => (int)(address >> SegmentBits);
    public long OffsetInSegment(long address) => address & (SegmentSize - 1);
    public long StartOfSegment(int segment) => (long)segment << SegmentBits;
    public long OffsetInPage(long address) => address & (PageSize - 1);
    public long EndOfPage(long address) => (address | (PageSize - 1)) + 1;
    public bool IsSegmentStart(long address) => OffsetInSegment(address) == 0;
}
