// Owns: an array of elements, none of which lies in two lines of the processor's cache, that grows chunk by chunk and never moves one.
// Runs on: Ensure on the writer thread; the indexer on any thread, for what was there when it was told of it.

using System.Runtime.CompilerServices;

namespace OrderEngine.Core.Storage;

/// <summary>
/// Elements that fill a line of the cache, or a half or a quarter of one: a look at an element waits for memory once. Arrays of the runtime begin 16 bytes
/// into a line.
/// </summary>
/// <typeparam name="T">An element whose size divides <see cref="LineBytes"/>; zero at first.</typeparam>
internal sealed unsafe class CacheLines<T> where T : unmanaged
{
    /// <summary>Bytes of a line.</summary>
    public const int LineBytes = 64;

    private const int ChunkBytes = 256 * 1024;
    private const int FirstTableLength = 1;
    private static int ChunkLength => ChunkBytes / sizeof(T);

    // Keeps the chunks alive, which are pinned.
    private byte[][] _memory = new byte[FirstTableLength][];
    // Where the first line of each is. Doubles by copying: a reader with the older table finds every line that it knows of.
    private nint[] _chunks = new nint[FirstTableLength];
    private int _count;

    /// <summary>Without elements.</summary>
    /// <exception cref="InvalidOperationException">An element would lie in two lines.</exception>
    public CacheLines()
    {
        if (LineBytes % sizeof(T) != 0) throw new InvalidOperationException($"{typeof(T).Name} has {sizeof(T)} bytes, which do not divide {LineBytes}.");
    }

    /// <summary>An element that exists.</summary>
    public ref T this[long index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref Unsafe.AsRef<T>((T*)Volatile.Read(ref _chunks)[(ulong)index / (uint)ChunkLength] + (ulong)index % (uint)ChunkLength);
    }

    /// <summary>Grows until an element exists. Writer only.</summary>
    public void Ensure(long index)
    {
        while (index / ChunkLength >= _count)
        {
            if (_count == _chunks.Length)
            {
                Array.Resize(ref _memory, 2 * _count);
                var table = new nint[2 * _count];
                _chunks.CopyTo(table, 0);
                Volatile.Write(ref _chunks, table);
            }
            // Room for as much as the first line may have to be moved up.
            var memory = GC.AllocateArray<byte>(ChunkBytes + LineBytes, pinned: true);
            Cache.Touch(memory);
            var start = (nint)Unsafe.AsPointer(ref memory[0]);
            _memory[_count] = memory;
            _chunks[_count++] = start + (-start & (LineBytes - 1));
        }
    }
}
