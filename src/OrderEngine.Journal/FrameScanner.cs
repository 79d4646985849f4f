// Walks the frames on disk in order, verifying each: the one reader behind recovery, Read, the verifier and dump.
// Reads segment files itself, in large blocks; FASTER's own scan is not used (docs/JOURNAL.md says why).
// Used by one thread at a time.

using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace OrderEngine.Journal;

/// <summary>A verified frame. The payload lies in the scanner's buffer and is overwritten by the next step.</summary>
internal readonly record struct ScannedFrame(long Address, long EndAddress, FrameHeader Header, ReadOnlyMemory<byte> Payload)
{
    public JournalBatch Batch => new(Header.Epoch, Header.FirstSequence, Header.LastSequence, Payload);
}

internal sealed class FrameScanner : IDisposable
{
    /// <summary>Reads of one page at a time suit recovery; a reader that resumes a stream is served with less.</summary>
    public const int LargeWindow = 4 << 20, SmallWindow = 128 << 10;

    private readonly DataDirectory directory;
    private readonly JournalGeometry geometry;
    private readonly int windowSize;
    private byte[] window;
    private long windowStart;
    private int windowLength;
    private SafeFileHandle? segment;
    private int segmentNumber = -1;

    public FrameScanner(DataDirectory directory, JournalGeometry geometry, int windowSize, long address, Chain chain)
    {
        this.directory = directory;
        this.geometry = geometry;
        this.windowSize = (int)Math.Min(windowSize, geometry.PageSize);
        window = new byte[this.windowSize];
        Address = address;
        Chain = chain;
    }

    /// <summary>Where the next frame is looked for; after the last frame, the end of the log.</summary>
    public long Address { get; private set; }

    /// <summary>What the next frame must follow.</summary>
    public Chain Chain { get; private set; }

    /// <summary>Why the walk ended: what was found at <see cref="Address"/>.</summary>
    public string Stop { get; private set; } = "";

    /// <summary>
    /// Takes the next frame's own word for what it follows, instead of the chain: for a start in the middle, where the
    /// frame before is not read.
    /// </summary>
    public bool TrustNext { get; set; }

    /// <summary>Steps to the next frame; false where no valid frame continues the chain.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public bool TryNext(out ScannedFrame frame)
    {
        var problem = Examine(Address, out frame);
        if (problem is null) return true;
        Stop = problem;

        // A frame that did not fit its page lies at the start of the next one; what is left of this page is then zero.
        if (!ReferenceEquals(problem, Nothing) || geometry.OffsetInPage(Address) is 0 or JournalGeometry.FirstAddress) return false;
        return Examine(geometry.EndOfPage(Address), out frame) is null;
    }

    private const string Nothing = "nothing is written here";

    private string? Examine(long address, out ScannedFrame frame)
    {
        frame = default;
        var room = (int)(geometry.EndOfPage(address) - address);
        if (room < FrameHeader.EntryHeaderSize + FrameHeader.Size) return Nothing;
        var length = BinaryPrimitives.ReadInt32LittleEndian(Bytes(address, FrameHeader.EntryHeaderSize).Span);
        if (length == 0) return Nothing;
        if (length < FrameHeader.Size || length > room - FrameHeader.EntryHeaderSize) return "the entry's length is impossible";

        var body = Bytes(address + FrameHeader.EntryHeaderSize, length);
        if (FrameHeader.TryDecode(body.Span, out var header) is { } damage) return damage;
        if (!TrustNext && Chain.Refuse(header) is { } refusal) return refusal;
        TrustNext = false;

        frame = new ScannedFrame(address, address + FrameHeader.EntryHeaderSize + length, header,
            body.Slice(FrameHeader.Size, header.PayloadLength));
        Address = frame.EndAddress;
        Chain = Chain.After(header);
        return null;
    }

    /// <summary>Bytes of one page; what no file holds reads as zero.</summary>
    private ReadOnlyMemory<byte> Bytes(long address, int count)
    {
        if (address < windowStart || address + count > windowStart + windowLength) Load(address, count);
        return window.AsMemory((int)(address - windowStart), count);
    }

    private void Load(long address, int count)
    {
        var start = address & ~(long)(JournalGeometry.BlockSize - 1);
        var end = Math.Min(geometry.EndOfPage(address), Math.Max(start + windowSize, address + count));
        windowLength = (int)(end - start);
        windowStart = start;
        if (window.Length < windowLength) window = new byte[windowLength];

        var filled = 0;
        if (Segment(geometry.SegmentOf(address)) is { } handle)
        {
            while (filled < windowLength)
            {
                var read = directory.Disk.Read(handle, directory.Segment(segmentNumber), window.AsSpan(filled, windowLength - filled),
                    geometry.OffsetInSegment(start) + filled);
                if (read == 0) break;
                filled += read;
            }
        }
        window.AsSpan(filled, windowLength - filled).Clear();
    }

    private SafeFileHandle? Segment(int number)
    {
        if (number == segmentNumber) return segment;
        segment?.Dispose();
        segment = null;
        segmentNumber = number;
        var path = directory.Segment(number);
        try
        {
            segment = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        }
        catch (FileNotFoundException)
        {
            segment = null; // reads as zeros: the chain ends here, and the commit record decides whether that is damage
        }
        return segment;
    }

    public void Dispose() => segment?.Dispose();
}
