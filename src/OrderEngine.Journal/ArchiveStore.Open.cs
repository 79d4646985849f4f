// Opening the archive as far as the journal relies on it, and reading all of it to see whether it is intact.

using System.Security.Cryptography;
using OrderEngine.Journal.Offline;

namespace OrderEngine.Journal;

/// <summary>What an archive is worth.</summary>
/// <param name="Records">Records read.</param>
/// <param name="End">Behind the last one; 0: there is none.</param>
/// <param name="Bytes">Of its files.</param>
/// <param name="Damage">What is damaged, and what to do; empty: nothing.</param>
public sealed record ArchiveReport(long Records, long End, long Bytes, IReadOnlyList<string> Damage);

public sealed partial class ArchiveStore
{
    /// <summary>
    /// Opens the archive once the journal is open: keeps everything in front of <paramref name="position"/> and drops what a crash left behind it.
    /// </summary>
    /// <param name="position">How far the journal relies on it; 0: not at all.</param>
    /// <exception cref="JournalException">It does not reach so far, is damaged there, or belongs to another journal.</exception>
    public void Open(long position)
    {
        try
        {
            var creationId = Manifest.Load(_directory.Manifest).CreationId;
            var last = position == 0 ? -1 : ArchivePosition.Segment(position);
            DropBehind(last, creationId);
            if (last < 0)
            {
                _header = new ArchiveHeader(creationId, RandomNumberGenerator.GetBytes(ArchiveHeader.SecretBytes), 0, 0, 0);
                (_offset, _crc) = (ArchiveHeader.Bytes, _header.Anchor);
                return;
            }
            _header = HeaderOf(last, creationId);
            _full = [.. Enumerable.Range(0, last).Select(number => OpenFull(number, creationId))];
            _disk.Delete(_directory.ArchiveIndex(last));
            (_offset, _crc) = Load(_header, ArchivePosition.Offset(position), _growing);
            if (_offset != ArchivePosition.Offset(position)) throw Short(last, _offset, position);
            _records = _full.Sum(segment => (long)segment.Records) + _growing.Records;
            _keys = _records;
            _filter = FilterFor(_keys);
            _isThere = true;
            Volatile.Write(ref _end, position);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new JournalException($"The archive in '{_directory.Archive}' cannot be opened: {error.Message}", error);
        }
    }

    /// <summary>What a backup has to copy: each segment's number and the bytes of it that count, as they are now. Any thread.</summary>
    public IReadOnlyList<(int Number, long Bytes)> Segments()
    {
        var end = End;
        if (end == 0) return [];
        var full = _full;
        return [.. full.Take(ArchivePosition.Segment(end)).Select((segment, number) => (number, segment.End)), (ArchivePosition.Segment(end), ArchivePosition.Offset(end))];
    }

    /// <summary>The bytes of a segment as they are stored. Any thread.</summary>
    /// <exception cref="JournalException">It cannot be opened.</exception>
    public Stream OpenSegment(int number) => new FileStream(ArchiveFile.OpenToRead(_directory.ArchiveSegment(number)), FileAccess.Read, 1 << 16);

    /// <summary>Copies an archive for a journal of its own. The indexes are left to the next start.</summary>
    internal static void Copy(DataDirectory from, DataDirectory to, Guid creationId)
    {
        foreach (var number in from.ArchiveSegments())
        {
            OfflineFiles.CreateDirectory(to.Archive);
            using var source = new FileStream(from.ArchiveSegment(number), FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.SequentialScan);
            using var target = OfflineFiles.Append(to.ArchiveSegment(number));
            var header = new byte[ArchiveHeader.Bytes];
            var read = source.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
            // One that a crash tore at its beginning is copied as it is: no journal relies on it, or the start says so.
            target.Write(ArchiveHeader.TryRead(header.AsSpan(0, read)) is { } known ? (known with { CreationId = creationId }).Encode() : header.AsSpan(0, read));
            source.CopyTo(target);
            target.Flush(flushToDisk: true);
        }
        if (Directory.Exists(to.Archive)) Posix.FlushDirectory(to.Archive);
    }

    /// <summary>Reads every byte of an archive that no process has open.</summary>
    /// <param name="directory">The data directory, or a backup.</param>
    /// <param name="creationId">Of the journal that it must belong to.</param>
    /// <param name="position">How far the journal relies on it; what is behind may be torn. Left out: as far as it goes.</param>
    public static ArchiveReport Verify(string directory, Guid creationId, long position = 0)
    {
        var store = new ArchiveStore(directory);
        var damage = new List<string>();
        var (records, bytes, end) = (0L, 0L, 0L);
        var last = store._directory.ArchiveSegments().DefaultIfEmpty(-1).Max();
        for (var number = 0; number <= last; number++)
        {
            try
            {
                var walked = store.VerifySegment(number, number == last, creationId, damage);
                records += walked.Records;
                bytes += walked.End;
                end = ArchivePosition.Of(number, walked.End);
            }
            catch (JournalException error)
            {
                damage.Add(error.Message);
            }
        }
        if (position > 0 && end < position) damage.Add(Short(ArchivePosition.Segment(position), ArchivePosition.Offset(end), position).Message);
        return new ArchiveReport(records, end, bytes, damage);
    }

    private (int Records, long End) VerifySegment(int number, bool isLast, Guid creationId, List<string> damage)
    {
        var header = HeaderOf(number, creationId);
        var next = isLast ? null : HeaderOf(number + 1, creationId);
        var path = _directory.ArchiveSegment(number);
        var entries = new ArchiveEntries();
        using var file = ArchiveFile.OpenToRead(path);
        var (end, crc) = ArchiveFile.Walk(_disk, file, path, header, next?.EndBefore ?? long.MaxValue, (in ArchiveHead head, long offset, ReadOnlySpan<byte> payload) =>
        {
            if (Crc32C.Of(payload) != head.PayloadCrc) damage.Add(ArchiveFile.Damaged(path, offset, head.Order).Message);
            entries.Add(head.Order, head.Key, offset);
        });
        if (next is null) return (entries.Records, end);
        if ((end, crc) != (next.EndBefore, next.CrcBefore)) damage.Add(Cut(path, end).Message);
        var indexPath = _directory.ArchiveIndex(number);
        var index = ArchiveIndex.TryOpen(_disk, indexPath, creationId, number);
        if (index is null ? File.Exists(indexPath) : (index.End, index.LastCrc) == (end, crc) && entries.Orders.Any(entry => index.Find(entry.Key) != entry.Value))
            damage.Add($"'{indexPath}' is damaged. Remove it: a start makes it anew.");
        return (entries.Records, end);
    }

    // Files of segments that the journal does not rely on: of a crash, or of a time that a restore went back from.
    private void DropBehind(int last, Guid creationId)
    {
        var dropped = false;
        foreach (var number in _directory.ArchiveSegments().Where(number => number > last))
        {
            var path = _directory.ArchiveSegment(number);
            using (var file = ArchiveFile.OpenToRead(path))
                if (ArchiveFile.Header(_disk, file, path, number) is { } header && header.CreationId != creationId) throw Foreign(path);
            _disk.Delete(_directory.ArchiveIndex(number));
            _disk.Delete(path);
            dropped = true;
        }
        if (dropped) _disk.FlushDirectory(_directory.Archive);
    }

    private ArchiveHeader HeaderOf(int number, Guid creationId)
    {
        var path = _directory.ArchiveSegment(number);
        if (!File.Exists(path)) throw new JournalException($"'{path}' is missing: archived orders are in it. Restore it from a backup.");
        using var file = ArchiveFile.OpenToRead(path);
        var header = ArchiveFile.Header(_disk, file, path, number) ?? throw new JournalException($"'{path}' is damaged at byte 0: it does not begin as a segment does. Restore it from a backup.");
        return header.CreationId == creationId ? header : throw Foreign(path);
    }

    private ArchiveIndex OpenFull(int number, Guid creationId)
    {
        var header = HeaderOf(number, creationId);
        var next = HeaderOf(number + 1, creationId);
        var path = _directory.ArchiveIndex(number);
        if (ArchiveIndex.TryOpen(_disk, path, creationId, number) is { } index && (index.End, index.LastCrc) == (next.EndBefore, next.CrcBefore)) return index;
        var entries = new ArchiveEntries();
        var (end, crc) = Load(header, next.EndBefore, entries);
        if ((end, crc) != (next.EndBefore, next.CrcBefore)) throw Cut(_directory.ArchiveSegment(number), end);
        ArchiveIndex.Write(_disk, path, creationId, number, end, crc, entries);
        return ArchiveIndex.TryOpen(_disk, path, creationId, number) ?? throw Untrusted(path);
    }

    private (long End, uint Crc) Load(ArchiveHeader header, long end, ArchiveEntries entries)
    {
        var path = _directory.ArchiveSegment(header.Number);
        using var file = ArchiveFile.OpenToRead(path);
        return ArchiveFile.Walk(_disk, file, path, header, end, (in ArchiveHead head, long offset, ReadOnlySpan<byte> _) => entries.Add(head.Order, head.Key, offset));
    }

    // Where the order's newest record in front of a place is, in the segment of that place; 0: there is none.
    private long LastBefore(long order, long before)
    {
        var (number, end) = (ArchivePosition.Segment(before), ArchivePosition.Offset(before));
        var path = _directory.ArchiveSegment(number);
        var found = 0L;
        using var file = ArchiveFile.OpenToRead(path);
        var header = ArchiveFile.Header(_disk, file, path, number) ?? throw Cut(path, 0);
        var (walked, _) = ArchiveFile.Walk(_disk, file, path, header, end, (in ArchiveHead head, long offset, ReadOnlySpan<byte> _) =>
        {
            if (head.Order == order) found = offset;
        });
        return walked == end ? found : throw Cut(path, walked);
    }

    private static JournalException Untrusted(string path) => new($"'{path}' reads back differently from what was written: the disk is not to be trusted.");

    private static JournalException Cut(string path, long offset) =>
        new($"'{path}' is damaged at byte {offset}: the archived orders behind it cannot be found. Restore the file from a backup.");

    private static JournalException Foreign(string path) =>
        new($"'{path}' was written for another journal. Restore journal and archive from the same backup.");

    private static JournalException Short(int segment, long offset, long position) => new(
        $"The archive is damaged: the journal relies on it up to segment {ArchivePosition.Segment(position)}, byte {ArchivePosition.Offset(position)}, and it can be walked over up to " +
        $"segment {segment}, byte {offset}. Archived orders are missing. Restore journal and archive from the same backup.");
}
