// What happened to each order: its encoded events, newest first, as a chain through the heap. The writer adds; any thread reads.
// These are the journal's own bytes: there is no second history.

using System.Runtime.InteropServices;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>The events of every order.</summary>
internal sealed class OrderHistory(RowHeap heap)
{
    [StructLayout(LayoutKind.Sequential)]
    private struct Record
    {
        public long Sequence;
        public long Previous;
        public int Length;
        public int Unused;
    }

    private const int RecordBytes = 24;
    private readonly ChunkedArray<long> _newest = new();
    private readonly ChunkedArray<long> _first = new();

    /// <summary>Appends an event to an order's chain and returns where it lies. Writer only.</summary>
    public long Add(long order, long sequence, ReadOnlySpan<byte> bytes)
    {
        var address = Store(heap, sequence, _newest[order], bytes);
        if (_newest[order] == 0) Volatile.Write(ref _first[order], address);
        Volatile.Write(ref _newest[order], address);
        return address;
    }

    /// <summary>The event that accepted an order; empty when there is none.</summary>
    public ReadOnlySpan<byte> First(long order) => _first.TryRead(order, out var address) && address != 0 ? Read(heap, address) : default;

    /// <summary>Walks an order's chain backwards; see <see cref="StateReader.PreviousEvent"/>.</summary>
    public bool Previous(long order, long at, ref long cursor, out ReadOnlySpan<byte> bytes)
    {
        long address;
        if (cursor != 0) address = Head(cursor).Previous;
        else _newest.TryRead(order, out address);
        while (address != 0 && Head(address).Sequence > at) address = Head(address).Previous;
        cursor = address;
        bytes = address == 0 ? default : Read(heap, address);
        return address != 0;
    }

    /// <summary>Forgets the history of an order that no reader can see any more; returns how many blocks it lets go of. Writer only.</summary>
    public int Unlink(long order, Reclaimer reclaimer, long sequence)
    {
        var address = _newest[order];
        Volatile.Write(ref _newest[order], 0);
        Volatile.Write(ref _first[order], 0);
        var blocks = 0;
        for (; address != 0; address = Head(address).Previous, blocks++) reclaimer.Retire(address, BlockLength(heap, address), sequence);
        return blocks;
    }

    /// <summary>As <see cref="VersionedRows.Release"/>.</summary>
    public void Release(long order)
    {
        _newest.Release(order);
        _first.Release(order);
    }

    /// <summary>As <see cref="VersionedRows.Revive"/>.</summary>
    public void Revive(long order)
    {
        _newest.Revive(order);
        _first.Revive(order);
    }

    /// <summary>Where the event of an order with this sequence lies; 0 when there is none.</summary>
    public long Find(long order, long sequence)
    {
        _newest.TryRead(order, out var address);
        while (address != 0 && Head(address).Sequence > sequence) address = Head(address).Previous;
        return address != 0 && Head(address).Sequence == sequence ? address : 0;
    }

    /// <summary>Puts an event into the heap outside of any chain (<see cref="RequestTable"/>).</summary>
    public static long Store(RowHeap heap, long sequence, long previous, ReadOnlySpan<byte> bytes)
    {
        var address = heap.Allocate(RecordBytes + bytes.Length);
        var block = heap.At(address, RecordBytes + bytes.Length);
        MemoryMarshal.Write(block, new Record { Sequence = sequence, Previous = previous, Length = bytes.Length });
        bytes.CopyTo(block[RecordBytes..]);
        return address;
    }

    /// <summary>The event at an address.</summary>
    public static ReadOnlySpan<byte> Read(RowHeap heap, long address)
    {
        var length = MemoryMarshal.Read<Record>(heap.At(address, RecordBytes)).Length;
        return heap.At(address, RecordBytes + length)[RecordBytes..];
    }

    /// <summary>The length of the block at an address.</summary>
    public static int BlockLength(RowHeap heap, long address) => RecordBytes + MemoryMarshal.Read<Record>(heap.At(address, RecordBytes)).Length;

    private ref readonly Record Head(long address) => ref MemoryMarshal.AsRef<Record>(heap.At(address, RecordBytes));
}
