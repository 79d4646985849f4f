// Owns: an array that grows chunk by chunk and never moves an element.
// Runs on: the indexer and Ensure on the writer thread; TryRead and Capacity on any thread.

using System.Numerics;
using System.Runtime.CompilerServices;

namespace OrderEngine.Core.Storage;

/// <summary>
/// Elements without references, indexed from 0. Growing adds a chunk of <see cref="ChunkBytes"/> at most (or of one element):
/// nothing is copied but the small table of chunks, and a reference to an element stays good until its chunk is released.
/// </summary>
/// <typeparam name="T">The element; up to 8 aligned bytes are read whole, larger ones may be seen half written by a reader
/// that has no other proof that they are complete.</typeparam>
public sealed class ChunkedArray<T> where T : unmanaged
{
    /// <summary>The target size of one chunk, in bytes.</summary>
    public const int ChunkBytes = 256 * 1024;

    /// <summary>The most chunks that an array takes.</summary>
    public const int MaxChunks = 1 << 20;

    private const int FirstTableLength = 16;
    // Stands in for every chunk that was let go of: all default, never written.
    private static readonly T[] Released = GC.AllocateArray<T>(1 << BitOperations.Log2((uint)Math.Max(1, ChunkBytes / Unsafe.SizeOf<T>())), pinned: true);
    private static readonly int Shift = BitOperations.Log2((uint)Math.Max(1, ChunkBytes / Unsafe.SizeOf<T>()));
    private static readonly int Mask = (1 << Shift) - 1;

    // The table doubles by copying. A reader with the older table still finds every element that it knows of,
    // because both tables name the same chunks.
    private T[][] _chunks = new T[FirstTableLength][];
    private long _capacity;

    /// <summary>Elements of one chunk.</summary>
    internal static int ChunkLength => 1 << Shift;

    /// <summary>How many elements exist, in use or not. Any thread.</summary>
    public long Capacity => Volatile.Read(ref _capacity);

    /// <summary>The element at an index; the array grows to hold it. Writer only.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index is negative or beyond <see cref="MaxChunks"/> chunks.</exception>
    public ref T this[long index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if ((ulong)index >= (ulong)_capacity) Ensure(index);
            return ref _chunks[index >> Shift][index & Mask];
        }
    }

    /// <summary>Grows until <paramref name="index"/> exists; new elements are default. Writer only.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index is negative or beyond <see cref="MaxChunks"/> chunks.</exception>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Ensure(long index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index >> Shift, MaxChunks, nameof(index));
        while (index >= _capacity)
        {
            var next = (int)(_capacity >> Shift);
            if (next == _chunks.Length)
            {
                var table = new T[_chunks.Length * 2][];
                _chunks.CopyTo(table, 0);
                Volatile.Write(ref _chunks, table);
            }
            _chunks[next] = NewChunk();
            // The chunk is in the table before the capacity tells of it.
            Volatile.Write(ref _capacity, _capacity + (1L << Shift));
        }
    }

    /// <summary>
    /// Lets go of the memory of the chunk that holds an index, all elements of which are default and will be only read. Readers go on seeing default.
    /// Writer only.
    /// </summary>
    public void Release(long index)
    {
        if ((ulong)index < (ulong)_capacity) Volatile.Write(ref _chunks[index >> Shift], Released);
    }

    /// <summary>Gives a chunk memory again, so that its elements may be written. Writer only.</summary>
    public void Revive(long index)
    {
        if ((ulong)index < (ulong)_capacity && ReferenceEquals(_chunks[index >> Shift], Released))
            Volatile.Write(ref _chunks[index >> Shift], NewChunk());
    }

    private static T[] NewChunk()
    {
        var chunk = GC.AllocateArray<T>(1 << Shift, pinned: true);
        Cache.Touch(chunk);
        return chunk;
    }

    /// <summary>Copies the element at an index; false when the array does not reach that far. Any thread.</summary>
    public bool TryRead(long index, out T value)
    {
        ref readonly var element = ref Peek(index);
        if (Unsafe.IsNullRef(in element))
        {
            value = default;
            return false;
        }
        value = element;
        return true;
    }

    /// <summary>The element at an index, or a null reference when the array does not reach that far. Any thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref T Peek(long index)
    {
        if ((ulong)index >= (ulong)Volatile.Read(ref _capacity)) return ref Unsafe.NullRef<T>();
        return ref Volatile.Read(ref _chunks)[index >> Shift][index & Mask];
    }
}
