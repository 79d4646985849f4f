// Writes a journal anew, offline, from batches: for restore and repair. Everything is made in `journal.creating` and becomes `journal` by a rename,
// as in JournalCreation. Pages are filled as FASTER fills them: an entry never crosses a page. One thread.

using System.Buffers.Binary;

namespace OrderEngine.Journal.Offline;

internal sealed class JournalBuilder : IDisposable
{
    private readonly DataDirectory _directory;
    private readonly Manifest _manifest;
    private readonly string _path;
    private readonly byte[] _page;
    private readonly uint _anchor;
    private readonly long _first;
    private DurableFile? _segment;
    private int _segmentNumber = -1;
    private long _address = JournalGeometry.FirstAddress;
    private Chain _chain;

    /// <param name="directory">The data directory; it holds no journal.</param>
    /// <param name="manifest">Its creation id is the new journal's.</param>
    /// <param name="firstSequence">Of the first batch. 1 begins with a genesis frame; a later one as a truncated journal does.</param>
    public JournalBuilder(DataDirectory directory, Manifest manifest, long firstSequence)
    {
        (_directory, _manifest, _path) = (directory, manifest, directory.JournalInCreation);
        if (Directory.Exists(_path)) Directory.Delete(_path, recursive: true);
        Directory.CreateDirectory(_path);
        _page = new byte[manifest.Geometry.PageSize];
        _first = firstSequence == 1 ? 0 : firstSequence;
        _anchor = _first == 0 ? Chain.Start.Crc : Crc32C.Of(manifest.CreationId.ToByteArray());
        _chain = new Chain(_anchor, _first - 1, 0);
        if (_first == 0) Add(new JournalBatch(0, 0, 0, manifest.CreationId.ToByteArray()));
    }

    /// <summary>Appends a batch; it must follow.</summary>
    public void Add(in JournalBatch batch)
    {
        var geometry = _manifest.Geometry;
        var size = FrameHeader.EntrySize(batch.Payload.Length);
        if (_address + size > geometry.EndOfPage(_address)) NextPage();
        var entry = _page.AsSpan((int)geometry.OffsetInPage(_address), size);
        BinaryPrimitives.WriteInt32LittleEndian(entry, FrameHeader.FrameSize(batch.Payload.Length));
        var crc = FrameHeader.Encode(entry[FrameHeader.EntryHeaderSize..], _chain.Crc, batch);
        var header = new FrameHeader(crc, _chain.Crc, batch.Payload.Length, batch.Epoch, batch.FirstSequence, batch.LastSequence);
        if (_chain.Refuse(header) is { } refusal) throw new JournalException($"The batches do not follow each other: {refusal}.");
        _chain = Chain.After(header);
        _address += size;
        if (geometry.OffsetInPage(_address) == 0) FlushPage(geometry.EndOfPage(_address - 1) - geometry.PageSize);
    }

    /// <summary>Makes it durable and gives it its name.</summary>
    public void Complete()
    {
        if (_chain.LastSequence < _first) throw new JournalException("A journal holds at least one batch.");
        var geometry = _manifest.Geometry;
        if (geometry.OffsetInPage(_address) != 0) FlushPage(_address - geometry.OffsetInPage(_address));
        _segment?.Dispose();
        _segment = null;
        // The segment of the end must be there, also when the end is the start of the next one.
        SegmentDevice.CreateSegment(SegmentPath(geometry.SegmentOf(_address)), geometry.SegmentSize, _directory.Disk);
        var record = new CommitRecord(1, JournalGeometry.FirstAddress, _address, _first, _chain.LastSequence, _anchor, _chain.Crc, _manifest.CreationId);
        using (var commit = CommitFile.Open(Path.Combine(_path, DataDirectory.CommitName), create: true, _directory.Disk))
        {
            for (var slot = 0; slot < CommitFile.Slots; slot++) commit.Replace(record with { Number = record.Number + slot });
        }
        using (var file = DurableFile.Open(Path.Combine(_path, DataDirectory.ManifestName), create: true, _directory.Disk)) file.Write(_manifest.Encode(), 0);
        _directory.Disk.FlushDirectory(_path);
        _directory.Disk.Move(_path, _directory.Journal);
        _directory.Disk.FlushDirectory(_directory.Root);
    }

    public void Dispose() => _segment?.Dispose();

    private string SegmentPath(int number) => Path.Combine(_path, DataDirectory.SegmentName(number));

    private void NextPage()
    {
        var page = _address - _manifest.Geometry.OffsetInPage(_address);
        FlushPage(page);
        _address = page + _manifest.Geometry.PageSize;
    }

    private void FlushPage(long page)
    {
        var geometry = _manifest.Geometry;
        var number = geometry.SegmentOf(page);
        if (number != _segmentNumber)
        {
            _segment?.Dispose();
            SegmentDevice.CreateSegment(SegmentPath(number), geometry.SegmentSize, _directory.Disk);
            _segment = DurableFile.Open(SegmentPath(number), create: false, _directory.Disk);
            _segmentNumber = number;
        }
        _segment!.Write(_page, geometry.OffsetInSegment(page));
        _page.AsSpan().Clear();
    }
}
