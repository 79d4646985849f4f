// Where the records of a full segment are: a file of sorted blocks beside it, of which memory holds the first entry of each, 0.13 bytes an order. Written once;
// every block has its checksum, also when it is read for one order. Any thread reads.
//
//     | "OEAIDX01" | creation id 16 | number u32 | order blocks u32 | key blocks u32 | end of the segment i64 | crc of its last record u32 | records u32 | ... crc |
//     block:  | 255 x (order i64, offset i64), or (key u64, order i64), sorted | entries u32 | 4 bytes | ... | crc u32 |          4 KiB each, as the head

using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace OrderEngine.Journal;

internal sealed class ArchiveIndex
{
    public const int BlockBytes = 4096, EntryBytes = 16, EntriesPerBlock = 255;
    private const int CountAt = EntriesPerBlock * EntryBytes, CrcAt = BlockBytes - sizeof(uint);

    private readonly Disk _disk;
    private readonly string _path;
    private readonly int _number;
    private readonly long[] _firstOrders;
    private readonly ulong[] _firstKeys;
    private readonly long _lastOrder;

    private ArchiveIndex(Disk disk, string path, int number, Head head, long[] firstOrders, ulong[] firstKeys, long lastOrder)
    {
        (_disk, _path, _number, _firstOrders, _firstKeys, _lastOrder) = (disk, path, number, firstOrders, firstKeys, lastOrder);
        (End, LastCrc, Records) = (head.End, head.LastCrc, head.Records);
    }

    private readonly record struct Head(int OrderBlocks, int KeyBlocks, long End, uint LastCrc, int Records);

    private static ReadOnlySpan<byte> Magic => "OEAIDX01"u8;

    /// <summary>Behind the segment's last record.</summary>
    public long End { get; }

    /// <summary>The crc of the segment's last record.</summary>
    public uint LastCrc { get; }

    /// <summary>Records in the segment.</summary>
    public int Records { get; }

    /// <summary>Where an order's newest record of this segment is; 0: there is none.</summary>
    /// <exception cref="JournalException">The index is damaged.</exception>
    public long Find(long order)
    {
        if (order > _lastOrder || _firstOrders.Length == 0 || order < _firstOrders[0]) return 0;
        var at = Array.BinarySearch(_firstOrders, order);
        if (at < 0) at = ~at - 1;
        using var file = ArchiveFile.OpenToRead(_path);
        var block = Load(file, at);
        var (low, high) = (0, CountOf(block) - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var found = BinaryPrimitives.ReadInt64LittleEndian(block.AsSpan(middle * EntryBytes));
            if (found == order) return BinaryPrimitives.ReadInt64LittleEndian(block.AsSpan(middle * EntryBytes + 8));
            if (found < order) low = middle + 1;
            else high = middle - 1;
        }
        return 0;
    }

    /// <summary>Adds the orders that have this key.</summary>
    /// <exception cref="JournalException">The index is damaged.</exception>
    public void Find(ulong key, List<long> orders)
    {
        if (_firstKeys.Length == 0 || key < _firstKeys[0]) return;
        var at = Array.BinarySearch(_firstKeys, key);
        if (at < 0) at = ~at - 1;
        // Equal keys may begin in a block before.
        while (at > 0 && _firstKeys[at] == key) at--;
        using var file = ArchiveFile.OpenToRead(_path);
        for (; at < _firstKeys.Length && _firstKeys[at] <= key; at++)
        {
            var block = Load(file, _firstOrders.Length + at);
            for (var i = 0; i < CountOf(block); i++)
                if (BinaryPrimitives.ReadUInt64LittleEndian(block.AsSpan(i * EntryBytes)) == key) orders.Add(BinaryPrimitives.ReadInt64LittleEndian(block.AsSpan(i * EntryBytes + 8)));
        }
    }

    /// <summary>Every key in it.</summary>
    public void AddKeys(ArchiveFilter filter)
    {
        using var file = ArchiveFile.OpenToRead(_path);
        for (var at = 0; at < _firstKeys.Length; at++)
        {
            var block = Load(file, _firstOrders.Length + at);
            for (var i = 0; i < CountOf(block); i++) filter.Add(BinaryPrimitives.ReadUInt64LittleEndian(block.AsSpan(i * EntryBytes)));
        }
    }

    /// <summary>Writes the index of a segment, durable and under its name on return.</summary>
    /// <param name="disk">What it lies on.</param>
    /// <param name="path">Its name.</param>
    /// <param name="creationId">Of the journal.</param>
    /// <param name="number">Of the segment.</param>
    /// <param name="end">Behind the last record.</param>
    /// <param name="lastCrc">Its crc.</param>
    /// <param name="entries">What is in the segment.</param>
    public static void Write(Disk disk, string path, Guid creationId, int number, long end, uint lastCrc, ArchiveEntries entries)
    {
        var orders = entries.Orders.OrderBy(entry => entry.Key).Select(entry => ((ulong)entry.Key, entry.Value)).ToList();
        var keys = entries.Keys.Where(entry => entry.Key != 0).Distinct().OrderBy(entry => entry.Key).ThenBy(entry => entry.Order).ToList();
        var (orderBlocks, keyBlocks) = (Blocks(orders.Count), Blocks(keys.Count));
        var bytes = new byte[(1L + orderBlocks + keyBlocks) * BlockBytes];
        var head = bytes.AsSpan(0, BlockBytes);
        Magic.CopyTo(head);
        creationId.TryWriteBytes(head[8..]);
        BinaryPrimitives.WriteInt32LittleEndian(head[24..], number);
        BinaryPrimitives.WriteInt32LittleEndian(head[28..], orderBlocks);
        BinaryPrimitives.WriteInt32LittleEndian(head[32..], keyBlocks);
        BinaryPrimitives.WriteInt64LittleEndian(head[36..], end);
        BinaryPrimitives.WriteUInt32LittleEndian(head[44..], lastCrc);
        BinaryPrimitives.WriteInt32LittleEndian(head[48..], entries.Records);
        for (var i = 0; i < orders.Count; i++) Put(bytes, 1, i, orders[i].Item1, orders[i].Value);
        for (var i = 0; i < keys.Count; i++) Put(bytes, 1 + orderBlocks, i, keys[i].Key, keys[i].Order);
        for (var block = 0; block < bytes.Length / BlockBytes; block++)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(block * BlockBytes + CrcAt), CrcOf(bytes.AsSpan(block * BlockBytes, CrcAt), number, block));
        ArchiveStore.Create(disk, path, bytes);
    }

    /// <summary>Opens an index and checks all of it; null when it is missing, damaged, or another segment's: it can be made anew.</summary>
    public static ArchiveIndex? TryOpen(Disk disk, string path, Guid creationId, int number)
    {
        if (!File.Exists(path)) return null;
        using var file = ArchiveFile.OpenToRead(path);
        var block = new byte[BlockBytes];
        if (!TryLoad(disk, file, path, number, 0, block) || !block.AsSpan().StartsWith(Magic) || new Guid(block.AsSpan(8, 16)) != creationId
            || BinaryPrimitives.ReadInt32LittleEndian(block.AsSpan(24)) != number) return null;
        var head = new Head(BinaryPrimitives.ReadInt32LittleEndian(block.AsSpan(28)), BinaryPrimitives.ReadInt32LittleEndian(block.AsSpan(32)),
            BinaryPrimitives.ReadInt64LittleEndian(block.AsSpan(36)), BinaryPrimitives.ReadUInt32LittleEndian(block.AsSpan(44)), BinaryPrimitives.ReadInt32LittleEndian(block.AsSpan(48)));
        var (orders, keys) = (new long[head.OrderBlocks], new ulong[head.KeyBlocks]);
        var last = 0L;
        for (var i = 0; i < orders.Length + keys.Length; i++)
        {
            if (!TryLoad(disk, file, path, number, i + 1, block)) return null;
            if (i >= orders.Length)
            {
                keys[i - orders.Length] = BinaryPrimitives.ReadUInt64LittleEndian(block);
                continue;
            }
            orders[i] = BinaryPrimitives.ReadInt64LittleEndian(block);
            last = BinaryPrimitives.ReadInt64LittleEndian(block.AsSpan((CountOf(block) - 1) * EntryBytes));
        }
        return new ArchiveIndex(disk, path, number, head, orders, keys, last);
    }

    private static int Blocks(int entries) => (entries + EntriesPerBlock - 1) / EntriesPerBlock;

    private static void Put(byte[] bytes, int firstBlock, int index, ulong key, long value)
    {
        var block = bytes.AsSpan((firstBlock + index / EntriesPerBlock) * BlockBytes, BlockBytes);
        var entry = index % EntriesPerBlock;
        BinaryPrimitives.WriteUInt64LittleEndian(block[(entry * EntryBytes)..], key);
        BinaryPrimitives.WriteInt64LittleEndian(block[(entry * EntryBytes + 8)..], value);
        BinaryPrimitives.WriteInt32LittleEndian(block[CountAt..], entry + 1);
    }

    private static int CountOf(byte[] block) => BinaryPrimitives.ReadInt32LittleEndian(block.AsSpan(CountAt));

    private static uint CrcOf(ReadOnlySpan<byte> covered, int number, int block)
    {
        Span<byte> place = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(place, number);
        BinaryPrimitives.WriteInt32LittleEndian(place[4..], block);
        return Crc32C.Of(place, covered);
    }

    private byte[] Load(SafeFileHandle file, int entryBlock)
    {
        var block = new byte[BlockBytes];
        if (TryLoad(_disk, file, _path, _number, entryBlock + 1, block)) return block;
        throw new JournalException($"'{_path}' is damaged at byte {(entryBlock + 1L) * BlockBytes}: archived orders cannot be found by it. Restart: a start makes it anew.");
    }

    private static bool TryLoad(Disk disk, SafeFileHandle file, string path, int number, int index, byte[] block) =>
        ArchiveFile.Read(disk, file, path, block, (long)index * BlockBytes) == BlockBytes
        && BinaryPrimitives.ReadUInt32LittleEndian(block.AsSpan(CrcAt)) == CrcOf(block.AsSpan(0, CrcAt), number, index);
}

/// <summary>What is in a segment that is not full yet. One thread at a time.</summary>
internal sealed class ArchiveEntries
{
    /// <summary>Offset of the newest record by order.</summary>
    public Dictionary<long, long> Orders { get; } = [];

    /// <summary>Keys and orders, as they came.</summary>
    public List<(ulong Key, long Order)> Keys { get; } = [];

    /// <summary>Records, those of the same order too.</summary>
    public int Records { get; private set; }

    public void Add(long order, ulong key, long offset)
    {
        Orders[order] = offset;
        Keys.Add((key, order));
        Records++;
    }
}
