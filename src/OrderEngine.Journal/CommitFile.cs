// The commit file: two slots used in turn, each with two copies of its record in blocks of their own.
//
//     0        4096      8192      12288     16384
//     | slot 0 copy A | slot 0 copy B | slot 1 copy A | slot 1 copy B |
//
// While appending, a slot is written with one write of both copies, after the log it speaks of is durable. A crash can
// tear both copies of that slot; the other slot then holds the record before, and the log must reach beyond it. So:
//   - one copy lost            the other one speaks
//   - one slot lost            the other one is the floor, and the log must hold more than it promises; if it does not,
//                              the lost slot may have promised more, and the journal is refused
//   - both slots lost          refused
// Records that add nothing to the log's end (at open, at truncation) are written copy by copy, so that no crash can tear
// both copies of a slot then. One thread at a time (CommitWriter's, or Open).

namespace OrderEngine.Journal;

/// <summary>What the commit file says.</summary>
/// <param name="Newest">The floor; null when both slots are lost.</param>
/// <param name="SlotLost">One slot's copies are both unreadable.</param>
/// <param name="CopiesLost">How many of the four copies are unreadable.</param>
internal readonly record struct CommitFileContent(CommitRecord? Newest, bool SlotLost, int CopiesLost);

internal sealed class CommitFile : IDisposable
{
    public const int Slots = 2, Copies = 2;
    public const int CopySize = JournalGeometry.BlockSize;
    public const int SlotSize = Copies * CopySize;
    public const int FileSize = Slots * SlotSize;

    private readonly DurableFile file;
    private readonly byte[] buffer = new byte[SlotSize];

    private CommitFile(DurableFile file) => this.file = file;

    /// <summary>The newest record written or read.</summary>
    public CommitRecord? Newest { get; private set; }

    /// <summary>Reads a commit file without opening it for writing.</summary>
    public static CommitFileContent Inspect(string path, Disk disk)
    {
        var bytes = new byte[FileSize];
        try
        {
            using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            for (var done = 0; done < FileSize;)
            {
                var read = disk.Read(handle, path, bytes.AsSpan(done), done);
                if (read == 0) break;
                done += read;
            }
        }
        catch (FileNotFoundException)
        {
            return new CommitFileContent(null, true, Slots * Copies);
        }

        CommitRecord? newest = null;
        var copiesLost = 0;
        var slotLost = false;
        for (var slot = 0; slot < Slots; slot++)
        {
            var lostHere = 0;
            for (var copy = 0; copy < Copies; copy++)
            {
                var record = CommitRecord.TryDecode(bytes.AsSpan(slot * SlotSize + copy * CopySize));
                if (record is null) lostHere++;
                else if (newest is null || record.Number > newest.Number) newest = record;
            }
            copiesLost += lostHere;
            slotLost |= lostHere == Copies;
        }
        return new CommitFileContent(newest, slotLost, copiesLost);
    }

    public static CommitFile Open(string path, bool create, Disk disk)
    {
        var file = DurableFile.Open(path, create, disk);
        if (file.Length < FileSize) file.ZeroFill(file.Length, FileSize);
        return new CommitFile(file);
    }

    /// <summary>The hot path: both copies of the next slot in one durable write. The log it speaks of must be durable.</summary>
    public void Advance(CommitRecord record)
    {
        var slot = Fill(record);
        file.Write(buffer, slot * SlotSize);
        Newest = record;
    }

    /// <summary>Writes a record that promises no more of the log's end than the one before, copy by copy.</summary>
    public void Replace(CommitRecord record)
    {
        var slot = Fill(record);
        for (var copy = 0; copy < Copies; copy++)
        {
            file.Write(buffer.AsSpan(copy * CopySize, CopySize), slot * SlotSize + copy * CopySize);
        }
        Newest = record;
    }

    private int Fill(CommitRecord record)
    {
        buffer.AsSpan().Clear();
        for (var copy = 0; copy < Copies; copy++) record.Encode(buffer.AsSpan(copy * CopySize));
        return (int)(record.Number % Slots);
    }

    public void Dispose() => file.Dispose();
}
