// Owns: a set of dense numbers, in order, as bits.
// Runs on: Add and Remove on the writer thread; everything else on any thread.
//
//   level 0: one bit a number | level 1: one bit for each word of level 0 that is not zero | level 2, level 3: likewise
//
// A reader beside the writer sees any mixture of old and new bits. Add sets the bit before those above it, Remove clears it before them, so a
// number that was added before the reader began (and is not removed meanwhile) is found; one that comes or goes meanwhile may be or not.

using System.Numerics;

namespace OrderEngine.Core.Storage;

/// <summary>A set of numbers from 1; one bit a number up to the highest. Finding the next member costs a few words, however many there are.</summary>
public sealed class NumberSet
{
    private const int Top = 3;
    private const int FirstUpperLength = 64;
    private readonly ChunkedArray<ulong> _bits = new();
    // Levels 1 to 3. A table that grows is copied: a reader with the older one still finds everything that was there when it began.
    private readonly ulong[][] _upper = [new ulong[FirstUpperLength], new ulong[FirstUpperLength], new ulong[FirstUpperLength]];
    private long _count;

    /// <summary>The set at an index, made when it is first wanted. Writer only; readers read the element as volatile.</summary>
    public static NumberSet In(NumberSet?[] sets, int index)
    {
        ref var set = ref sets[index];
        if (set is null) Volatile.Write(ref set, new NumberSet());
        return set!;
    }

    /// <summary>How many members there are. Any thread; beside the writer only a glimpse.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>True for a member. Any thread.</summary>
    public bool Contains(long number) => (Word(0, number >> 6) & Bit(number)) != 0;

    /// <summary>Puts a number in; false when it is a member already. Writer only.</summary>
    public bool Add(long number)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(number);
        ref var word = ref _bits[number >> 6];
        if ((word & Bit(number)) != 0) return false;
        var isFirst = word == 0;
        Volatile.Write(ref word, word | Bit(number));
        Volatile.Write(ref _count, _count + 1);
        var index = number >> 6;
        for (var level = 0; isFirst && level < Top; level++, index >>= 6)
        {
            ref var upper = ref UpperWord(level, index >> 6);
            isFirst = upper == 0;
            Volatile.Write(ref upper, upper | Bit(index));
        }
        return true;
    }

    /// <summary>Takes a number out; false when it is no member. Writer only.</summary>
    public bool Remove(long number)
    {
        if (!Contains(number)) return false;
        ref var word = ref _bits[number >> 6];
        Volatile.Write(ref word, word & ~Bit(number));
        Volatile.Write(ref _count, _count - 1);
        var isEmpty = word == 0;
        var index = number >> 6;
        for (var level = 0; isEmpty && level < Top; level++, index >>= 6)
        {
            ref var upper = ref UpperWord(level, index >> 6);
            Volatile.Write(ref upper, upper & ~Bit(index));
            isEmpty = upper == 0;
        }
        return true;
    }

    /// <summary>The lowest member at or above a number; 0 when there is none. Any thread.</summary>
    public long Next(long from)
    {
        var level = 0;
        var index = Math.Max(from, 1);
        while (true)
        {
            var at = index >> 6;
            var word = Word(level, at) & (ulong.MaxValue << (int)(index & 63));
            if (word != 0)
            {
                index = at << 6 | (long)BitOperations.TrailingZeroCount(word);
                if (level == 0) return index;
                level--;
                index <<= 6;
            }
            else if (level == Top)
            {
                index = (at + 1) << 6;
                if (at + 1 >= Words(Top)) return 0;
            }
            else
            {
                level++;
                index = at + 1;
            }
        }
    }

    /// <summary>The highest member at or below a number; 0 when there is none. Any thread.</summary>
    public long Previous(long from)
    {
        var level = 0;
        var index = from;
        while (index >= 0)
        {
            index = Math.Min(index, (Words(level) << 6) - 1);
            var at = index >> 6;
            var word = Word(level, at) & (ulong.MaxValue >> (int)(63 - (index & 63)));
            if (word != 0)
            {
                index = at << 6 | (long)(63 - BitOperations.LeadingZeroCount(word));
                if (level == 0) return index;
                level--;
                index = index << 6 | 63;
            }
            else if (level == Top)
            {
                index = (at << 6) - 1;
            }
            else
            {
                level++;
                index = at - 1;
            }
        }
        return 0;
    }

    private static ulong Bit(long index) => 1UL << (int)(index & 63);

    private long Words(int level) => level == 0 ? _bits.Capacity : Volatile.Read(ref _upper[level - 1]).Length;

    private ulong Word(int level, long at)
    {
        if (level == 0) return _bits.TryRead(at, out var word) ? word : 0;
        var table = Volatile.Read(ref _upper[level - 1]);
        return at < table.Length ? table[at] : 0;
    }

    private ref ulong UpperWord(int below, long at)
    {
        ref var table = ref _upper[below];
        if (at >= table.Length)
        {
            var grown = new ulong[Math.Max(at + 1, table.Length * 2L)];
            table.CopyTo(grown, 0);
            Volatile.Write(ref table, grown);
        }
        return ref table[at];
    }
}
