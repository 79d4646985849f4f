// Orders that left memory, as segments of a data directory (ArchiveFormat draws them). One thread appends, any thread reads.
//
// The journal says how long the archive is: an order is let go of by an event that names the place behind its record, which was flushed and read back
// before. So a start keeps what lies in front of the last such place and nothing else; what a crash left behind it is of orders that are in memory.
//
// An order's number is looked for in the segment that grows (in memory) and in the index files of the others, the newest first; a key that no segment has
// is told by a filter. Memory: 2 to 4 bytes an order for the filter, 0.13 for the indexes, and at most some 10 MB for the segment that grows.

using Microsoft.Win32.SafeHandles;

namespace OrderEngine.Journal;

/// <summary>The archive of a data directory. Appending holds the directory's lock (an open FasterJournal does).</summary>
public sealed partial class ArchiveStore
{
    /// <summary>The longest record, in bytes.</summary>
    public const int MaxRecordBytes = 1 << 20;

    /// <summary>A segment that has reached this many bytes is full.</summary>
    public const long SegmentBytes = 64L * 1024 * 1024;

    private readonly DataDirectory _directory;
    private readonly Disk _disk;
    private readonly long _segmentBytes;
    // Guards what the growing segment holds: readers look something up, the appender adds.
    private readonly Lock _sync = new();
    private ArchiveEntries _growing = new();
    // By number, all but the one that grows.
    private ArchiveIndex[] _full = [];
    private ArchiveFilter _filter = new(0);
    private ArchiveHeader? _header;
    private byte[] _frames = [];
    // The growing segment has its header, durable.
    private bool _isThere;
    private long _offset;
    private uint _crc;
    private long _keys;
    private long _end;
    private long _records;

    /// <summary>Names the place; touches nothing.</summary>
    /// <param name="directory">The data directory.</param>
    public ArchiveStore(string directory) : this(directory, Disk.Real, SegmentBytes) { }

    /// <param name="directory">The data directory.</param>
    /// <param name="disk">What it lies on.</param>
    /// <param name="segmentBytes">A segment of so many is full; small in tests.</param>
    internal ArchiveStore(string directory, Disk disk, long segmentBytes)
    {
        _directory = new DataDirectory(directory, disk);
        (_disk, _segmentBytes) = (disk, segmentBytes);
    }

    /// <summary>Behind the last record: segment * 2^40 + byte; 0: there is none. Any thread.</summary>
    public long End => Volatile.Read(ref _end);

    /// <summary>Records, those that a later one of the same order has overtaken too. Any thread.</summary>
    public long Records => Volatile.Read(ref _records);

    /// <summary>Bytes of all segments. Any thread.</summary>
    public long SizeBytes
    {
        get
        {
            var size = _full.Sum(segment => segment.End);
            return End == 0 ? 0 : size + ArchivePosition.Offset(End);
        }
    }

    /// <summary>Bytes of memory that the filter and the indexes' first entries take. Any thread.</summary>
    public long FilterBytes => _filter.Bytes;

    /// <summary>64 random bytes that came with the archive, under which external ids are hashed to keys. Set once it is open.</summary>
    public ReadOnlyMemory<byte> Secret => _header?.Secret ?? throw new InvalidOperationException("The archive is not open.");

    /// <summary>False: certainly no archived order has this key. Costs one look at memory. Any thread.</summary>
    public bool MayHave(ulong key) => Volatile.Read(ref _filter).MayHave(key);

    /// <summary>The newest record of an order; null when there is none. Any thread; reads from the disk.</summary>
    /// <exception cref="JournalException">It is damaged, or cannot be read.</exception>
    public byte[]? Read(long order) => Read(order, long.MaxValue);

    /// <summary>
    /// The newest record of an order in front of a place; null when there is none. What was appended later is passed over, which in the segment of the
    /// place itself takes a walk over it: it happens to an order that came back and left again meanwhile. Any thread; reads from the disk.
    /// </summary>
    /// <param name="order">Its number.</param>
    /// <param name="before">A place behind a record, as <see cref="End"/> was once; 0: there was none.</param>
    /// <exception cref="JournalException">It is damaged, or cannot be read.</exception>
    public byte[]? Read(long order, long before)
    {
        if (before == 0) return null;
        long offset;
        int segment;
        ArchiveIndex[] full;
        lock (_sync)
        {
            (full, segment) = (_full, _full.Length);
            offset = _growing.Orders.GetValueOrDefault(order);
        }
        while (true)
        {
            if (offset != 0 && ArchivePosition.Of(segment, offset) >= before) offset = segment == ArchivePosition.Segment(before) ? LastBefore(order, before) : 0;
            if (offset != 0) return ArchiveFile.ReadRecord(_disk, _directory.ArchiveSegment(segment), segment, offset, order);
            if (segment == 0) return null;
            offset = full[--segment].Find(order);
        }
    }

    /// <summary>The orders with this key. Any thread; reads from the disk if the filter lets the key pass.</summary>
    /// <exception cref="JournalException">An index is damaged, or cannot be read.</exception>
    public IReadOnlyList<long> Find(ulong key)
    {
        if (key == 0 || !MayHave(key)) return [];
        var orders = new List<long>();
        ArchiveIndex[] full;
        lock (_sync)
        {
            full = _full;
            foreach (var (candidate, order) in _growing.Keys)
                if (candidate == key) orders.Add(order);
        }
        foreach (var segment in full) segment.Find(key, orders);
        return [.. orders.Distinct()];
    }

    /// <summary>
    /// Appends records: durable and read back on return, or not there at all. One thread at a time.
    /// </summary>
    /// <returns>The place behind the last one: <see cref="End"/>.</returns>
    /// <exception cref="JournalException">They could not be written; the archive is as it was, and the next call may succeed.</exception>
    public long Append(IReadOnlyList<ArchiveEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        if (_header is null) throw new InvalidOperationException("The archive is not open.");
        foreach (var entry in entries)
            if (entry.Record.Length is 0 or > MaxRecordBytes) throw new ArgumentException($"A record has 1 to {MaxRecordBytes} bytes, not {entry.Record.Length}.", nameof(entries));
        try
        {
            if (_offset >= _segmentBytes) BeginNextSegment();
            var path = _directory.ArchiveSegment(_full.Length);
            if (!_isThere) Create(_disk, path, _header.Encode());
            _isThere = true;
            var (length, crc, added) = Frame(entries);
            Write(path, _frames.AsSpan(0, length));
            Take(entries, added, length, crc);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new JournalException($"The archive in '{_directory.Archive}' cannot be written: {error.Message}", error);
        }
        return End;
    }

    private (int Length, uint Crc, List<long> Offsets) Frame(IReadOnlyList<ArchiveEntry> entries)
    {
        var length = entries.Sum(entry => ArchiveHead.Bytes + entry.Record.Length);
        if (_frames.Length < length) _frames = new byte[length];
        var (at, crc, offsets) = (0, _crc, new List<long>(entries.Count));
        foreach (var entry in entries)
        {
            var head = ArchiveHead.Of(entry, crc, ArchivePosition.Of(_full.Length, _offset + at));
            head.Write(_frames.AsSpan(at));
            entry.Record.Span.CopyTo(_frames.AsSpan(at + ArchiveHead.Bytes));
            offsets.Add(_offset + at);
            at += ArchiveHead.Bytes + entry.Record.Length;
            crc = head.Crc;
        }
        return (at, crc, offsets);
    }

    // Read back, since memory lets go of what was written: a disk that only says that it has it must not be believed.
    private void Write(string path, ReadOnlySpan<byte> frames)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        _disk.Write(file, path, frames, _offset, durable: false);
        _disk.Flush(file, path);
        Posix.DropFromCache(file);
        var back = new byte[frames.Length];
        if (ArchiveFile.Read(_disk, file, path, back, _offset) != back.Length || !frames.SequenceEqual(back))
            throw Untrusted(path);
    }

    private void Take(IReadOnlyList<ArchiveEntry> entries, List<long> offsets, int length, uint crc)
    {
        if (_keys + entries.Count > _filter.Capacity) Volatile.Write(ref _filter, FilterFor(2 * (_keys + entries.Count)));
        lock (_sync)
        {
            for (var i = 0; i < entries.Count; i++) _growing.Add(entries[i].Order, entries[i].Key, offsets[i]);
        }
        foreach (var entry in entries) _filter.Add(entry.Key);
        _keys += entries.Count;
        _offset += length;
        _crc = crc;
        Volatile.Write(ref _records, _records + entries.Count);
        Volatile.Write(ref _end, ArchivePosition.Of(_full.Length, _offset));
    }

    private void BeginNextSegment()
    {
        var number = _full.Length;
        var path = _directory.ArchiveIndex(number);
        ArchiveIndex.Write(_disk, path, _header!.CreationId, number, _offset, _crc, _growing);
        var index = ArchiveIndex.TryOpen(_disk, path, _header.CreationId, number) ?? throw Untrusted(path);
        var header = _header with { Number = number + 1, EndBefore = _offset, CrcBefore = _crc };
        Create(_disk, _directory.ArchiveSegment(number + 1), header.Encode());
        lock (_sync)
        {
            _full = [.. _full, index];
            _growing = new ArchiveEntries();
        }
        (_header, _offset, _crc) = (header, ArchiveHeader.Bytes, header.Anchor);
    }

    private ArchiveFilter FilterFor(long capacity)
    {
        var filter = new ArchiveFilter(capacity);
        foreach (var segment in _full) segment.AddKeys(filter);
        foreach (var (key, _) in _growing.Keys) filter.Add(key);
        return filter;
    }

    /// <summary>Makes a file of the archive, whole and durable under its name, or not at all.</summary>
    internal static void Create(Disk disk, string path, ReadOnlySpan<byte> bytes)
    {
        var directory = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(directory))
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(directory);
            else Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            disk.FlushDirectory(Path.GetDirectoryName(directory)!);
        }
        var temporary = path + ".creating";
        disk.Delete(temporary);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (new FileStream(temporary, options)) { }
        using (var file = File.OpenHandle(temporary, FileMode.Open, FileAccess.ReadWrite))
        {
            disk.Write(file, temporary, bytes, 0, durable: false);
            disk.Flush(file, temporary);
            Posix.DropFromCache(file);
            var back = new byte[bytes.Length];
            if (ArchiveFile.Read(disk, file, temporary, back, 0) != back.Length || !bytes.SequenceEqual(back)) throw Untrusted(path);
        }
        disk.Move(temporary, path);
        disk.FlushDirectory(directory);
    }
}
