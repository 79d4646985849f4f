// Owns: texts (SKU codes, channel names, external ids ...) and their dense numbers.
// Runs on: Add on the writer thread; everything else on any thread.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OrderEngine.Core.Storage;

/// <summary>
/// UTF-8 text to a number from 1 and back, append-only. The empty text is number 0 and takes no room. Texts as short as most ids are lie with their length:
/// who compares one waits for memory once.
/// </summary>
/// <param name="heap">Where longer texts lie.</param>
/// <param name="hash">Under a secret: clients choose the texts.</param>
public sealed class SymbolTable(RowHeap heap, KeyedHash hash)
{
    /// <summary>The longest text, in bytes.</summary>
    public const int MaxBytes = 4096;

    private const int ShortBytes = 28;

    private readonly CacheLines<Entry> _entries = new();
    private readonly HashIndex _index = new();
    private int _count;

    /// <summary>How many texts there are: the highest number. Any thread.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The number of a text; 0 when it is unknown or empty. Any thread.</summary>
    public int Find(ReadOnlySpan<byte> utf8) => utf8.IsEmpty ? 0 : Find(hash.Of(utf8), utf8);

    /// <summary>The number of a text, which is added if need be. Writer only.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The text is longer than <see cref="MaxBytes"/>.</exception>
    public int Add(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty) return 0;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(utf8.Length, MaxBytes, nameof(utf8));
        var place = hash.Of(utf8);
        var number = Find(place, utf8);
        if (number != 0) return number;

        number = checked(_count + 1);
        _entries.Ensure(number);
        ref var entry = ref _entries[number];
        entry.Length = utf8.Length;
        if (utf8.Length <= ShortBytes)
        {
            utf8.CopyTo(entry.Short);
        }
        else
        {
            entry.Address = heap.Allocate(utf8.Length);
            utf8.CopyTo(heap.At(entry.Address, utf8.Length));
        }
        // The entry and its bytes are complete before either of these tells of them.
        Volatile.Write(ref _count, number);
        _index.Add(place, number);
        return number;
    }

    /// <summary>The text of a number; empty for 0. Good for ever. Any thread.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such number.</exception>
    public ReadOnlySpan<byte> Text(int number)
    {
        if (number == 0) return default;
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, Count);
        ref readonly var entry = ref _entries[number];
        return entry.Length <= ShortBytes ? ((ReadOnlySpan<byte>)entry.Short)[..entry.Length] : heap.At(entry.Address, entry.Length);
    }

    /// <summary>Compares two texts byte by byte, which for UTF-8 is by code point. Any thread.</summary>
    public int CompareOrdinal(int a, int b) => a == b ? 0 : Text(a).SequenceCompareTo(Text(b));

    // The candidates need not be zeroed first: only those found are looked at.
    [SkipLocalsInit]
    private int Find(ulong place, ReadOnlySpan<byte> utf8)
    {
        Span<long> candidates = stackalloc long[HashIndex.MaxCandidates];
        var found = _index.Find(place, candidates);
        foreach (var candidate in candidates[..found])
            if (Text((int)candidate).SequenceEqual(utf8))
                return (int)candidate;
        return 0;
    }

    [InlineArray(ShortBytes)]
    private struct ShortText
    {
        private byte _first;
    }

    // Half a line of the cache.
    [StructLayout(LayoutKind.Explicit, Size = 32)]
    private struct Entry
    {
        [FieldOffset(0)]
        public int Length;
        [FieldOffset(4)]
        public ShortText Short;
        // Of a longer text.
        [FieldOffset(8)]
        public long Address;
    }
}
