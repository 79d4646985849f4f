// A filter of keys: "certainly not there" in one cache line (a split block Bloom filter; Putze, Sanders, Singler 2007). One thread adds, any thread asks:
// bits only ever appear, and who asks for a key has been told of it by other means before it can miss it.

using System.Runtime.CompilerServices;

namespace OrderEngine.Journal;

internal sealed class ArchiveFilter
{
    // One key in some 1,000 that are not there passes.
    private const int KeysPerBlock = 16, WordsPerBlock = 8, LeastBlocks = 1 << 8;

    private readonly uint[] _words;

    /// <summary>A filter for so many keys.</summary>
    public ArchiveFilter(long capacity)
    {
        var blocks = Math.Max(LeastBlocks, (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)(capacity + KeysPerBlock - 1) / KeysPerBlock));
        Capacity = blocks * KeysPerBlock;
        _words = new uint[blocks * WordsPerBlock];
    }

    /// <summary>Keys that it is made for; beyond them more and more pass.</summary>
    public long Capacity { get; }

    public long Bytes => (long)_words.Length * sizeof(uint);

    public void Add(ulong key)
    {
        var block = Block(key);
        var bits = (uint)key;
        for (var word = 0; word < WordsPerBlock; word++) _words[block + word] |= Bit(bits, word);
    }

    public bool MayHave(ulong key)
    {
        var block = Block(key);
        var bits = (uint)key;
        for (var word = 0; word < WordsPerBlock; word++)
            if ((_words[block + word] & Bit(bits, word)) == 0) return false;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Block(ulong key) => (int)(((key >> 32) * (ulong)(_words.Length / WordsPerBlock)) >> 32) * WordsPerBlock;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Bit(uint bits, int word) => 1u << (int)((bits * Salt(word)) >> 27);

    // Odd, unrelated: those of the Parquet format.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Salt(int word) => word switch
    {
        0 => 0x47b6137b, 1 => 0x44974d91, 2 => 0x8824ad5b, 3 => 0xa2b7289d, 4 => 0x705495c7, 5 => 0x2df1424b, 6 => 0x9efc4947, _ => 0x5c6bfb31,
    };
}
