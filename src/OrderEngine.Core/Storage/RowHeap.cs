// Owns: the bytes under the rows. Large pinned chunks that the collector neither walks nor moves, cut into blocks.
// Runs on: Allocate, Free and TryOrderChunk on the writer thread; MakeChunk on whichever it has the chunk made; At on any thread.
//
//   address = chunk number << 22 | offset in the chunk        0 = none (the first 16 bytes of chunk 0 are never given out)
//   free block = [ address of the next free block of the class : 8 ] [ unused ... ]

using System.Numerics;
using System.Runtime.InteropServices;

namespace OrderEngine.Core.Storage;

/// <summary>
/// Allocates blocks of 1 byte to <see cref="MaxBlock"/> by bumping a position in the newest chunk, and hands freed blocks out
/// again by size class. A block keeps its class for ever; chunks are never given back.
/// </summary>
/// <remarks>
/// Blocks start at multiples of <see cref="Alignment"/> in their chunk, so that 8-byte words in them are read and written
/// whole. What a block holds when it is handed out is undefined. Debug builds overwrite freed blocks.
/// </remarks>
public sealed class RowHeap
{
    /// <summary>The largest block, in bytes.</summary>
    public const int MaxBlock = 1 << 20;

    /// <summary>Bytes of one chunk.</summary>
    public const int ChunkBytes = 1 << ChunkShift;

    /// <summary>The most chunks that a heap takes: 256 GiB.</summary>
    public const int MaxChunks = 1 << 16;

    /// <summary>The step of the small size classes and the alignment of blocks within their chunk, in bytes.</summary>
    public const int Alignment = 16;

    private const int ChunkShift = 22;
    private const int SmallLimit = 1024;
    private const int SmallClasses = SmallLimit / Alignment;
    // Above the small ones four classes to a doubling: steps of 1.14 to 1.25.
    private const int ClassesPerDoubling = 4;
    private const int ClassCount = SmallClasses + ClassesPerDoubling * (20 - 10);
    private const byte FreedByte = 0xDD;

    // Preallocated at its full length, so that a reader never sees the table itself move.
    private readonly byte[]?[] _chunks = new byte[MaxChunks][];
    private readonly long[] _free = new long[ClassCount];
    // The chunk after the newest one, when it was made ahead of need, and whether it is ordered or there.
    private byte[]? _ahead;
    private bool _isOrdered;
    private int _chunkCount;
    private int _position = ChunkBytes;
    private long _usedBytes;

    /// <summary>Bytes of all chunks. Any thread.</summary>
    public long ResidentBytes => (long)Volatile.Read(ref _chunkCount) << ChunkShift;

    /// <summary>Bytes of the blocks in use, each rounded up to its size class. Any thread.</summary>
    public long UsedBytes => Volatile.Read(ref _usedBytes);

    /// <summary>Hands out a block of at least <paramref name="length"/> bytes, contents undefined. Writer only.</summary>
    /// <returns>Its address, never 0.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="length"/> is not 1 to <see cref="MaxBlock"/>.</exception>
    /// <exception cref="InvalidOperationException">The heap holds <see cref="MaxChunks"/> chunks already.</exception>
    public long Allocate(int length)
    {
        var sizeClass = ClassOf(length);
        var size = SizeOf(sizeClass);
        var address = _free[sizeClass];
        if (address != 0)
            _free[sizeClass] = MemoryMarshal.Read<long>(At(address, sizeof(long)));
        else
            address = Bump(size);
        Volatile.Write(ref _usedBytes, _usedBytes + size);
        return address;
    }

    /// <summary>
    /// Takes back the block that <see cref="Allocate"/> gave for <paramref name="length"/>. Writer only; the caller has made
    /// sure that no reader looks at it any more (<see cref="Reclaimer"/>).
    /// </summary>
    public void Free(long address, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(address);
        var sizeClass = ClassOf(length);
        var size = SizeOf(sizeClass);
#if DEBUG
        At(address, size).Fill(FreedByte);
#endif
        Push(address, sizeClass);
        Volatile.Write(ref _usedBytes, _usedBytes - size);
    }

    /// <summary>The <paramref name="length"/> bytes at an address that Allocate returned. Any thread.</summary>
    public Span<byte> At(long address, int length) =>
        Volatile.Read(ref _chunks[address >> ChunkShift]).AsSpan((int)address & (ChunkBytes - 1), length);

    /// <summary>True: the next chunk is not under way, and who asks now has another thread call <see cref="MakeChunk"/>, once. Writer only.</summary>
    public bool TryOrderChunk() => !_isOrdered && (_isOrdered = true);

    /// <summary>Makes the next chunk and gets its memory from the system, which takes the longer the more the system has to do for it. Any thread, once for each <see cref="TryOrderChunk"/>.</summary>
    public void MakeChunk()
    {
        try
        {
            var chunk = NewChunk();
            Cache.Touch(chunk);
            Volatile.Write(ref _ahead, chunk);
        }
        catch (OutOfMemoryException)
        {
            // Nobody needs it yet. Who does makes it itself, and then says so.
        }
    }

    /// <summary>The bytes that a block of <paramref name="length"/> takes: its size class.</summary>
    internal static int BlockBytes(int length) => SizeOf(ClassOf(length));

    private long Bump(int size)
    {
        if (_position > ChunkBytes - size)
        {
            DonateRest();
            if (_chunkCount == MaxChunks)
                throw new InvalidOperationException($"The row heap is full: {MaxChunks} chunks of {ChunkBytes} bytes.");
            Volatile.Write(ref _chunks[_chunkCount], TakeAhead() ?? NewChunk());
            _position = _chunkCount == 0 ? Alignment : 0;
            Volatile.Write(ref _chunkCount, _chunkCount + 1);
        }
        var address = ((long)(_chunkCount - 1) << ChunkShift) | (uint)_position;
        _position += size;
        return address;
    }

    // Ordered and not there yet: it is the one after this.
    private byte[]? TakeAhead()
    {
        var made = Interlocked.Exchange(ref _ahead, null);
        if (made is not null) _isOrdered = false;
        return made;
    }

    private static byte[] NewChunk() => GC.AllocateUninitializedArray<byte>(ChunkBytes, pinned: true);

    // What is left of a chunk goes to the free lists in the largest pieces that fit; a dozen pieces at most.
    private void DonateRest()
    {
        var rest = ChunkBytes - _position;
        while (rest >= Alignment)
        {
            var sizeClass = rest >= MaxBlock ? ClassCount - 1 : ClassOf(rest);
            if (SizeOf(sizeClass) > rest) sizeClass--;
            Push(((long)(_chunkCount - 1) << ChunkShift) | (uint)_position, sizeClass);
            _position += SizeOf(sizeClass);
            rest = ChunkBytes - _position;
        }
    }

    private void Push(long address, int sizeClass)
    {
        MemoryMarshal.Write(At(address, sizeof(long)), in _free[sizeClass]);
        _free[sizeClass] = address;
    }

    private static int ClassOf(int length)
    {
        if ((uint)(length - 1) >= MaxBlock)
            throw new ArgumentOutOfRangeException(nameof(length), length, $"A block has 1 to {MaxBlock} bytes.");
        var last = length - 1;
        if (last < SmallLimit) return last / Alignment;
        // last lies in [2^d, 2^(d+1)): the two bits below the leading one tell the quarter.
        var doubling = BitOperations.Log2((uint)last);
        return SmallClasses + (doubling - 10) * ClassesPerDoubling + ((last >> (doubling - 2)) & 3);
    }

    private static int SizeOf(int sizeClass)
    {
        if (sizeClass < SmallClasses) return (sizeClass + 1) * Alignment;
        var step = sizeClass - SmallClasses;
        var doubling = 10 + step / ClassesPerDoubling;
        return (1 << doubling) + (step % ClassesPerDoubling + 1) * (1 << (doubling - 2));
    }
}
