// Reading a segment of the archive: the walk over its records, and one record by its place. Every read opens the file anew, so that any number of
// segments costs nothing while nobody reads. Any thread.

using Microsoft.Win32.SafeHandles;

namespace OrderEngine.Journal;

internal static class ArchiveFile
{
    private const int WalkBytes = 1 << 20;

    // One read fetches most orders whole.
    private const int GuessBytes = 4096;

    /// <summary>Reads up to the end of the file; returns the bytes read.</summary>
    public static int Read(Disk disk, SafeFileHandle file, string path, Span<byte> bytes, long offset)
    {
        var done = 0;
        try
        {
            while (done < bytes.Length)
            {
                var count = disk.Read(file, path, bytes[done..], offset + done);
                if (count == 0) break;
                done += count;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new JournalException($"'{path}' cannot be read at byte {offset + done}: {error.Message}", error);
        }
        return done;
    }

    public static SafeFileHandle OpenToRead(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new JournalException($"'{path}', which holds archived orders, cannot be opened: {error.Message} Restore it from a backup.", error);
        }
    }

    /// <summary>The header of a segment; null when it is damaged or of another number.</summary>
    public static ArchiveHeader? Header(Disk disk, SafeFileHandle file, string path, int number)
    {
        var bytes = new byte[ArchiveHeader.Bytes];
        return Read(disk, file, path, bytes, 0) == bytes.Length && ArchiveHeader.TryRead(bytes) is { } header && header.Number == number ? header : null;
    }

    /// <summary>Walks over records from the first on, up to <paramref name="end"/> or the first that is none.</summary>
    /// <param name="disk">What the file lies on.</param>
    /// <param name="file">The segment.</param>
    /// <param name="path">Its name.</param>
    /// <param name="header">Its header.</param>
    /// <param name="end">Offset to stop at.</param>
    /// <param name="found">Gets the head, the offset and the payload of each, valid during the call.</param>
    /// <returns>The offset behind the last record, and its crc.</returns>
    public static (long End, uint Crc) Walk(Disk disk, SafeFileHandle file, string path, ArchiveHeader header, long end, RecordFound found)
    {
        var crc = header.Anchor;
        long offset = ArchiveHeader.Bytes, bufferAt = offset;
        var buffer = new byte[WalkBytes];
        var filled = 0;
        while (offset < end)
        {
            var head = Have(ArchiveHead.Bytes);
            if (!ArchiveHead.TryRead(head, ArchivePosition.Of(header.Number, offset), out var record) || record.Before != crc) break;
            var whole = Have(ArchiveHead.Bytes + record.Length);
            if (whole.Length < ArchiveHead.Bytes + record.Length) break;
            found(record, offset, whole[ArchiveHead.Bytes..]);
            offset += whole.Length;
            crc = record.Crc;
        }
        return (offset, crc);

        ReadOnlySpan<byte> Have(int count)
        {
            var at = (int)(offset - bufferAt);
            if (at + count > filled)
            {
                var kept = buffer.AsSpan(at, filled - at).ToArray();
                if (count > buffer.Length) buffer = new byte[count];
                kept.CopyTo(buffer, 0);
                var wanted = (int)Math.Min(buffer.Length, end - offset);
                filled = kept.Length;
                if (wanted > kept.Length) filled += Read(disk, file, path, buffer.AsSpan(kept.Length, wanted - kept.Length), offset + kept.Length);
                (bufferAt, at) = (offset, 0);
            }
            return buffer.AsSpan(at, Math.Min(count, filled - at));
        }
    }

    public delegate void RecordFound(in ArchiveHead head, long offset, ReadOnlySpan<byte> payload);

    /// <summary>The payload of the record at an offset.</summary>
    /// <exception cref="JournalException">It is damaged, or another order's.</exception>
    public static byte[] ReadRecord(Disk disk, string path, int segment, long offset, long order)
    {
        using var file = OpenToRead(path);
        var guess = new byte[GuessBytes];
        var count = Read(disk, file, path, guess, offset);
        if (!ArchiveHead.TryRead(guess.AsSpan(0, count), ArchivePosition.Of(segment, offset), out var head) || head.Order != order) throw Damaged(path, offset, order);
        var payload = new byte[head.Length];
        var have = Math.Min(count - ArchiveHead.Bytes, payload.Length);
        guess.AsSpan(ArchiveHead.Bytes, have).CopyTo(payload);
        if (have < payload.Length) Read(disk, file, path, payload.AsSpan(have), offset + ArchiveHead.Bytes + have);
        return Crc32C.Of(payload) == head.PayloadCrc ? payload : throw Damaged(path, offset, order);
    }

    public static JournalException Damaged(string path, long offset, long order) =>
        new($"'{path}' is damaged at byte {offset}: the archived order {order} cannot be read. Restore the file from a backup.");
}
