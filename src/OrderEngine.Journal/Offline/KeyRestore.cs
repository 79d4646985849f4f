// The keys of a restored data directory, from a backup of the keys. A file older than the data does not reach as far as the data does: what is missing
// is entered as destroyed, so that the engine starts and says of that personal data what is true, that it cannot be read.

namespace OrderEngine.Journal.Offline;

/// <summary>Keys for a restored data directory.</summary>
public static class KeyRestore
{
    /// <summary>A new file of keys in which all that were used are destroyed.</summary>
    internal static void Without(DataDirectory directory, long highestKey)
    {
        KeyRing.CreateFile(directory);
        using var file = DurableFile.Open(directory.Keys, create: false, Disk.Real);
        Destroyed(file, 1, highestKey);
    }

    /// <summary>Checks every slot of a file of keys.</summary>
    /// <param name="bytes">All of it.</param>
    /// <param name="path">For the message.</param>
    /// <returns>How many slots it has, the engine's secret included.</returns>
    /// <exception cref="JournalException">It is damaged or no file of keys.</exception>
    public static long Check(ReadOnlySpan<byte> bytes, string path)
    {
        if (bytes.Length < KeySlot.OffsetOf(1) || !KeySlot.IsHeader(bytes[..KeySlot.HeaderSize])) throw new JournalException($"'{path}' is not a file of keys, or a damaged one. Use another backup of the keys.");
        var slots = (bytes.Length - KeySlot.HeaderSize) / KeySlot.Size;
        Span<byte> key = stackalloc byte[KeySlot.KeySize];
        for (var number = 0L; number < slots; number++)
        {
            if (!KeySlot.TryDecode(bytes.Slice((int)KeySlot.OffsetOf(number), KeySlot.Size), number, out _, key))
                throw new JournalException($"'{path}' is damaged at key {number}. Use another backup of the keys.");
        }
        key.Clear();
        return slots;
    }

    /// <summary>Copies a file of keys; returns how many it lacks.</summary>
    /// <exception cref="JournalException">It is damaged or no file of keys.</exception>
    internal static long From(DataDirectory directory, string path, long highestKey)
    {
        var bytes = File.ReadAllBytes(path);
        var slots = Check(bytes, path);
        using var file = DurableFile.Open(directory.Keys, create: true, Disk.Real);
        file.Write(bytes, 0);
        Array.Clear(bytes);
        var missing = Math.Max(0, highestKey - (slots - 1));
        if (missing > 0) Destroyed(file, slots, missing);
        return missing;
    }

    private static void Destroyed(DurableFile file, long first, long count)
    {
        const int atOnce = 4096;
        for (var done = 0L; done < count; done += atOnce)
        {
            var slots = new byte[(int)Math.Min(atOnce, count - done) * KeySlot.Size];
            for (var i = 0; i < slots.Length / KeySlot.Size; i++) KeySlot.Encode(slots.AsSpan(i * KeySlot.Size), first + done + i, KeySlotState.Destroyed, default);
            file.Write(slots, KeySlot.OffsetOf(first + done));
        }
    }
}
