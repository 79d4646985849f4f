// Makes a backup out of what a running engine sends: snapshots, the archive, then the journal's batches, then what they come to. Everything is flushed, read back
// and compared before BACKUP is written, so that an unfinished backup is never taken for a whole one. One thread.
//
//     DIR/                                  mode 0700
//       snapshots/snapshot.0000000000004711 as in a data directory (SnapshotStore)
//       archive/000000.seg                  as in a data directory (ArchiveStore), without indexes
//       batches                             the journal from its beginning (BatchFile)
//       BACKUP                              what there is, with checksums (BackupManifest); last

namespace OrderEngine.Journal.Offline;

/// <summary>Writes one backup. Personal data in it is encrypted; its keys are not in it.</summary>
public sealed class BackupWriter : IDisposable
{
    private readonly string _directory;
    private readonly Guid _creationId;
    private readonly long _firstSequence;
    private readonly Dictionary<string, uint> _crcs = new(StringComparer.Ordinal);
    private FileStream? _file;
    private uint _frameCrc;
    private long _last;

    /// <param name="directory">Not there yet, or empty.</param>
    /// <param name="creationId">Of the journal.</param>
    /// <param name="firstSequence">Of the first batch.</param>
    /// <exception cref="JournalException">The directory holds something.</exception>
    public BackupWriter(string directory, Guid creationId, long firstSequence)
    {
        _directory = Path.GetFullPath(directory);
        (_creationId, _firstSequence, _last) = (creationId, firstSequence, firstSequence - 1);
        OfflineFiles.CreateEmpty(_directory);
        Open(BatchFile.Name); // there also when nothing has happened yet
    }

    /// <summary>The last sequence written.</summary>
    public long LastSequence => _last;

    /// <summary>A part of a snapshot, in order, one snapshot after the other.</summary>
    public void AddSnapshot(long sequence, ReadOnlySpan<byte> part) => Write(Path.GetRelativePath(_directory, new DataDirectory(_directory).Snapshot(sequence)), part);

    /// <summary>A part of the archive, in order, one segment after the other.</summary>
    public void AddArchive(int segment, ReadOnlySpan<byte> part) => Write(Path.GetRelativePath(_directory, new DataDirectory(_directory).ArchiveSegment(segment)), part);

    /// <summary>A batch; it follows the one before.</summary>
    public void Add(in JournalBatch batch)
    {
        if (batch.FirstSequence != _last + 1) throw new JournalException($"The engine sent batch {batch.FirstSequence} after sequence {_last}.");
        Open(BatchFile.Name);
        _frameCrc = BatchFile.Append(_file!, batch, _frameCrc);
        _last = batch.LastSequence;
    }

    /// <summary>Flushes and reads everything back, and only then declares the backup whole.</summary>
    /// <exception cref="JournalException">What lies on the disk is not what was sent.</exception>
    public BackupManifest Complete(long lastSequence, string stateHash, long highestKey, DateTime taken)
    {
        if (_last != lastSequence) throw new JournalException($"The engine promised sequence {lastSequence} and sent {_last}: begin again.");
        Close();
        var files = new List<BackupFile>();
        foreach (var path in Directory.EnumerateFiles(_directory, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var name = Path.GetRelativePath(_directory, path);
            var (bytes, crc) = OfflineFiles.Crc(path);
            if (_crcs.TryGetValue(name, out var sent) && sent != crc) throw new JournalException($"'{path}' reads back differently from what was written: the disk is not to be trusted.");
            files.Add(new BackupFile(name, bytes, crc));
        }
        var manifest = new BackupManifest(_creationId, _firstSequence, lastSequence, stateHash, highestKey, taken, files);
        new BackupReader(_directory, manifest).Verify();
        foreach (var inner in Directory.EnumerateDirectories(_directory)) Posix.FlushDirectory(inner);
        OfflineFiles.WriteWhole(Path.Combine(_directory, BackupManifest.FileName), manifest.Encode());
        return manifest;
    }

    private void Write(string name, ReadOnlySpan<byte> bytes)
    {
        Open(name);
        _file!.Write(bytes);
        _crcs[name] = Crc32C.Continue(_crcs.GetValueOrDefault(name), bytes);
    }

    private void Open(string name)
    {
        var path = Path.Combine(_directory, name);
        if (_file?.Name == path) return;
        Close();
        OfflineFiles.CreateDirectory(Path.GetDirectoryName(path)!);
        _file = OfflineFiles.Append(path);
    }

    private void Close()
    {
        if (_file is null) return;
        _file.Flush(flushToDisk: true);
        Posix.DropFromCache(_file.SafeFileHandle);
        _file.Dispose();
        _file = null;
    }

    /// <summary>Closes the files; without <see cref="Complete"/> what lies there is no backup.</summary>
    public void Dispose() => _file?.Dispose();
}
