// Snapshots as files of a data directory. proto/orderengine/journal/snapshot.proto draws the file.
//
//     snapshots/
//       snapshot.00000000000000004711    by sequence; whole and verified, for it got its name after that
//       snapshot.00000000000000004240
//       snapshot.N.damaged               set aside at a start; the last one is kept
//       creating                         being written, or left by a crash: worth nothing
//
// Written, flushed, dropped from the system's cache, read back and verified, renamed, the directory flushed; then older ones are deleted.
// Written in the page cache and flushed piece by piece, so that the journal's small writes never wait behind one great flush.

using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace OrderEngine.Journal;

/// <summary>The snapshots of a data directory. The caller holds its lock (an open FasterJournal does) when it writes or sets aside.</summary>
public sealed class SnapshotStore : ISnapshotStore
{
    private const int HeaderBytes = 28, HeaderCrcAt = 24, FrameHeaderBytes = 8, CrcInputBytes = 8;
    private const int FlushBytes = 8 * 1024 * 1024;

    private readonly DataDirectory _directory;
    private readonly Disk _disk;
    private readonly Guid? _creationId;

    /// <summary>Names the place; touches nothing.</summary>
    /// <param name="directory">The data directory.</param>
    public SnapshotStore(string directory) : this(directory, Disk.Real) { }

    /// <param name="directory">The data directory, or one that has its snapshots laid out like one.</param>
    /// <param name="disk">What it lies on.</param>
    /// <param name="creationId">Of the journal that the snapshots belong to; left out: as its MANIFEST says.</param>
    internal SnapshotStore(string directory, Disk disk, Guid? creationId = null)
    {
        _directory = new DataDirectory(directory, disk);
        _disk = disk;
        _creationId = creationId;
    }

    private static ReadOnlySpan<byte> Magic => "OESNAP01"u8;

    /// <inheritdoc/>
    public IReadOnlyList<SnapshotFile> List()
    {
        try
        {
            return [.. _directory.SnapshotSequences().Select(sequence =>
                new SnapshotFile(_directory.Snapshot(sequence), sequence, new FileInfo(_directory.Snapshot(sequence)).Length))];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new SnapshotFileException($"'{_directory.Snapshots}' cannot be read: {error.Message}", error);
        }
    }

    /// <inheritdoc/>
    public void Read(SnapshotFile snapshot, Action<ReadOnlySpan<byte>> block)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        ArgumentNullException.ThrowIfNull(block);
        var path = _directory.Snapshot(snapshot.Sequence);
        using var file = Guarded(path, "read", () => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.SequentialScan));
        Scan(file, path, block);
    }

    /// <inheritdoc/>
    public Stream Open(SnapshotFile snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        var path = _directory.Snapshot(snapshot.Sequence);
        return Guarded(path, "read", () => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16, FileOptions.SequentialScan));
    }

    /// <inheritdoc/>
    public SnapshotFile Write(Func<Action<ReadOnlySpan<byte>>, long> walk)
    {
        ArgumentNullException.ThrowIfNull(walk);
        var path = _directory.SnapshotInCreation;
        try
        {
            long sequence;
            using (var file = Guarded(path, "written", CreateFile))
            {
                var writer = new Writer(file, path, Header(), _disk);
                sequence = walk(writer.Add);
                Guarded(path, "written", () => writer.End());
                Guarded(path, "flushed", () => _disk.Flush(file, path));
                Posix.DropFromCache(file);
            }
            using (var file = Guarded(path, "read back", () => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.SequentialScan)))
            {
                Scan(file, path, _ => { });
            }
            return Guarded(path, "renamed", () => Name(sequence));
        }
        catch
        {
            RemoveCreating();
            throw;
        }
    }

    /// <inheritdoc/>
    public void SetAside(SnapshotFile snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        var path = _directory.Snapshot(snapshot.Sequence);
        Guarded(path, "set aside", () =>
        {
            foreach (var older in Directory.EnumerateFiles(_directory.Snapshots, "*" + DataDirectory.DamagedSuffix)) _disk.Delete(older);
            _disk.Move(path, path + DataDirectory.DamagedSuffix);
            _disk.FlushDirectory(_directory.Snapshots);
        });
    }

    /// <inheritdoc/>
    public void RemoveLeftovers()
    {
        if (!Directory.Exists(_directory.Snapshots)) return;
        Guarded(_directory.SnapshotInCreation, "removed", () => _disk.Delete(_directory.SnapshotInCreation));
    }

    private SafeFileHandle CreateFile()
    {
        if (!Directory.Exists(_directory.Snapshots))
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(_directory.Snapshots);
            else Directory.CreateDirectory(_directory.Snapshots, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            _disk.FlushDirectory(_directory.Root);
        }
        // A leftover is replaced, so that it cannot lend the new one its mode or its bytes.
        _disk.Delete(_directory.SnapshotInCreation);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (new FileStream(_directory.SnapshotInCreation, options)) { }
        return File.OpenHandle(_directory.SnapshotInCreation, FileMode.Open, FileAccess.ReadWrite);
    }

    private SnapshotFile Name(long sequence)
    {
        var path = _directory.Snapshot(sequence);
        _disk.Move(_directory.SnapshotInCreation, path);
        _disk.FlushDirectory(_directory.Snapshots);
        foreach (var old in _directory.SnapshotSequences().Skip(ISnapshotStore.Kept)) _disk.Delete(_directory.Snapshot(old));
        _disk.FlushDirectory(_directory.Snapshots);
        return new SnapshotFile(path, sequence, new FileInfo(path).Length);
    }

    private void RemoveCreating()
    {
        try
        {
            _disk.Delete(_directory.SnapshotInCreation);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // What went wrong first is being told; a leftover is replaced by the next attempt.
        }
    }

    private byte[] Header()
    {
        var header = new byte[HeaderBytes];
        Magic.CopyTo(header);
        (_creationId ?? Manifest.Load(_directory.Manifest).CreationId).TryWriteBytes(header.AsSpan(Magic.Length));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(HeaderCrcAt), Crc32C.Of(header.AsSpan(0, HeaderCrcAt)));
        return header;
    }

    // Walks a file to its end, verifying every checksum. Gives each block on only after its own has been verified.
    private void Scan(SafeFileHandle file, string path, Action<ReadOnlySpan<byte>> found)
    {
        var header = new byte[HeaderBytes];
        long offset = ReadAll(file, path, header, 0);
        var crc = Crc32C.Of(header.AsSpan(0, HeaderCrcAt));
        if (offset < HeaderBytes || !header.AsSpan().StartsWith(Magic) || crc != BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(HeaderCrcAt)))
            throw Damaged(path, 0, "it does not begin as a snapshot does");
        if (!header.AsSpan().SequenceEqual(Header()))
        {
            throw new JournalException($"'{path}' was written for another journal than '{_directory.Journal}'. " +
                "Restore journal and snapshots from the same backup, or move the file away to start without it.");
        }
        var block = new byte[1 << 20];
        Span<byte> frame = stackalloc byte[FrameHeaderBytes];
        while (true)
        {
            if (ReadAll(file, path, frame, offset) < FrameHeaderBytes) throw Damaged(path, offset, "it ends before its end mark");
            var length = BinaryPrimitives.ReadUInt32LittleEndian(frame);
            if (length > ISnapshotStore.MaxBlockBytes) throw Damaged(path, offset, $"a block of {length} bytes");
            if (length > block.Length) block = new byte[length];
            var bytes = block.AsSpan(0, (int)length);
            if (ReadAll(file, path, bytes, offset + FrameHeaderBytes) < bytes.Length) throw Damaged(path, offset, "a block is cut short");
            crc = Next(crc, bytes);
            if (crc != BinaryPrimitives.ReadUInt32LittleEndian(frame[4..])) throw Damaged(path, offset, "a checksum does not match");
            offset += FrameHeaderBytes + bytes.Length;
            if (length == 0) break;
            found(bytes);
        }
        if (ReadAll(file, path, frame, offset) > 0) throw Damaged(path, offset, "something follows its end mark");
    }

    private int ReadAll(SafeFileHandle file, string path, Span<byte> bytes, long offset)
    {
        var done = 0;
        try
        {
            while (done < bytes.Length)
            {
                var count = _disk.Read(file, path, bytes[done..], offset + done);
                if (count == 0) break;
                done += count;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new SnapshotFileException($"'{path}' cannot be read at byte {offset + done}: {error.Message}", error);
        }
        return done;
    }

    private static uint Next(uint crc, ReadOnlySpan<byte> block)
    {
        Span<byte> first = stackalloc byte[CrcInputBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(first, crc);
        BinaryPrimitives.WriteInt32LittleEndian(first[4..], block.Length);
        return Crc32C.Of(first, block);
    }

    private static SnapshotFileException Damaged(string path, long offset, string what) =>
        new($"'{path}' is damaged at byte {offset}: {what}.");

    private static void Guarded(string path, string what, Action action) => Guarded(path, what, () =>
    {
        action();
        return true;
    });

    private static T Guarded<T>(string path, string what, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new SnapshotFileException($"'{path}' cannot be {what}: {error.Message}", error);
        }
    }

    /// <summary>Appends frames to a new file.</summary>
    private sealed class Writer
    {
        private readonly SafeFileHandle _file;
        private readonly string _path;
        private readonly Disk _disk;
        private byte[] _frame = new byte[FrameHeaderBytes + (1 << 19)];
        private uint _crc;
        private long _offset;
        private long _flushed;

        public Writer(SafeFileHandle file, string path, byte[] header, Disk disk)
        {
            (_file, _path, _disk) = (file, path, disk);
            _crc = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(HeaderCrcAt));
            Write(header);
        }

        public void Add(ReadOnlySpan<byte> block)
        {
            if (block.Length is 0 or > ISnapshotStore.MaxBlockBytes) throw new SnapshotFileException($"A block holds 1 to {ISnapshotStore.MaxBlockBytes} bytes, not {block.Length}.");
            AddFrame(block);
        }

        public void End() => AddFrame(default);

        private void AddFrame(ReadOnlySpan<byte> block)
        {
            _crc = Next(_crc, block);
            var length = FrameHeaderBytes + block.Length;
            if (length > _frame.Length) _frame = new byte[length];
            BinaryPrimitives.WriteInt32LittleEndian(_frame, block.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(_frame.AsSpan(4), _crc);
            block.CopyTo(_frame.AsSpan(FrameHeaderBytes));
            Write(_frame.AsSpan(0, length));
        }

        private void Write(ReadOnlySpan<byte> bytes)
        {
            try
            {
                _disk.Write(_file, _path, bytes, _offset, durable: false);
                _offset += bytes.Length;
                if (_offset - _flushed < FlushBytes) return;
                _disk.Flush(_file, _path);
                _flushed = _offset;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new SnapshotFileException($"'{_path}' cannot be written at byte {_offset}: {error.Message}", error);
            }
        }
    }
}
