// An array of longs that grows without moving, written by many threads: one slot belongs to one order of the run.

namespace OrderEngine.Load.Ledger;

/// <summary>Slots by dense index; unwritten ones are 0.</summary>
public sealed class ChunkedLongs
{
    private const int ChunkBits = 16;
    private const int MaxChunks = 1 << 14;

    private readonly long[]?[] _chunks = new long[MaxChunks][];

    /// <summary>Slots at most: over a thousand million.</summary>
    public const long Capacity = (long)MaxChunks << ChunkBits;

    public long this[long index]
    {
        get => _chunks[index >> ChunkBits] is { } chunk ? Volatile.Read(ref chunk[index & ((1 << ChunkBits) - 1)]) : 0;
        set => Volatile.Write(ref Slot(index), value);
    }

    /// <summary>Writes <paramref name="value"/> where nothing was written yet; returns what was there.</summary>
    public long SetOnce(long index, long value) => Interlocked.CompareExchange(ref Slot(index), value, 0);

    private ref long Slot(long index)
    {
        ref var place = ref _chunks[index >> ChunkBits];
        var chunk = Volatile.Read(ref place);
        if (chunk is null)
        {
            var made = new long[1 << ChunkBits];
            chunk = Interlocked.CompareExchange(ref place, made, null) ?? made;
        }
        return ref chunk[index & ((1 << ChunkBits) - 1)];
    }
}
