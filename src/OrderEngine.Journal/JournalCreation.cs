// Creating a journal: everything is made and flushed in journal.creating, which then becomes journal by a rename. A journal
// directory is therefore whole or damaged, never half made.

using System.Buffers.Binary;

namespace OrderEngine.Journal;

internal static class JournalCreation
{
    /// <exception cref="JournalException">Other files show that a journal was here.</exception>
    public static void CreateIfNone(DataDirectory directory, JournalOptions options)
    {
        if (Directory.Exists(directory.Journal)) return;
        if (File.Exists(directory.Keys) && !Directory.Exists(directory.JournalInCreation))
        {
            throw new JournalException($"'{directory.Keys}' is there but '{directory.Journal}' is not: the journal was lost or moved. " +
                "Restore it; or, to begin anew, use an empty data directory.");
        }
        if (directory.SnapshotSequences().Count > 0)
        {
            throw new JournalException($"'{directory.Snapshots}' holds snapshots but '{directory.Journal}' is not there: the journal was lost or moved. " +
                "Restore it; or, to begin anew, use an empty data directory.");
        }
        if (Directory.Exists(directory.JournalInCreation)) Directory.Delete(directory.JournalInCreation, recursive: true);
        var inCreation = directory.JournalInCreation;
        Directory.CreateDirectory(inCreation);

        var geometry = options.Geometry;
        var manifest = new Manifest(Manifest.CurrentFormat, Guid.NewGuid(), geometry.PageBits, geometry.SegmentBits);
        var record = WriteGenesis(Path.Combine(inCreation, DataDirectory.SegmentName(0)), manifest, directory.Disk);
        using (var commit = CommitFile.Open(Path.Combine(inCreation, DataDirectory.CommitName), create: true, directory.Disk))
        {
            for (var slot = 0; slot < CommitFile.Slots; slot++) commit.Replace(record with { Number = record.Number + slot });
        }
        KeyRing.CreateFile(directory);
        using (var file = DurableFile.Open(Path.Combine(inCreation, DataDirectory.ManifestName), create: true, directory.Disk))
        {
            file.Write(manifest.Encode(), 0);
        }
        directory.Disk.FlushDirectory(inCreation);
        directory.Disk.Move(inCreation, directory.Journal);
        directory.Disk.FlushDirectory(directory.Root);
    }

    private static CommitRecord WriteGenesis(string path, Manifest manifest, Disk disk)
    {
        var batch = new JournalBatch(0, 0, 0, manifest.CreationId.ToByteArray());
        var frame = new byte[FrameHeader.EntrySize(batch.Payload.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(frame, FrameHeader.FrameSize(batch.Payload.Length));
        var crc = FrameHeader.Encode(frame.AsSpan(FrameHeader.EntryHeaderSize), Chain.Start.Crc, batch);

        SegmentDevice.CreateSegment(path, manifest.Geometry.SegmentSize, disk);
        using var segment = DurableFile.Open(path, create: false, disk);
        segment.Write(frame, JournalGeometry.FirstAddress);
        return new CommitRecord(1, JournalGeometry.FirstAddress, JournalGeometry.FirstAddress + frame.Length, 0, 0, Chain.Start.Crc, crc,
            manifest.CreationId);
    }
}
