// FasterLog as it comes, with the settings of its samples, under single flipped bits: what our journal is compared with.

using FASTER.core;

namespace OrderEngine.Drills;

internal static class StockLog
{
    private const int Entries = 2_000;

    /// <summary>Flips bits, one at a time, of a log and its commit file, and opens and reads it each time.</summary>
    /// <returns>How often acknowledged entries were missing or different without an exception, with one, and not at all.</returns>
    public static async Task<(int Silent, int Refused, int Harmless)> FlipAsync(int flips, bool entryChecksums, Random random)
    {
        using var folder = new MemoryFolder();
        using (var log = Open(folder.Path, entryChecksums))
        {
            for (var i = 0; i < Entries; i++)
            {
                log.Enqueue(Entry(i));
                if (i % 10 == 9) await log.CommitAsync();
            }
        }
        var whole = ReadAll(folder.Path);
        var files = whole.Keys.Order(StringComparer.Ordinal).ToArray();
        var (silent, refused, harmless) = (0, 0, 0);
        for (var flip = 0; flip < flips; flip++)
        {
            var path = files[random.Next(files.Length)];
            var bytes = (byte[])whole[path].Clone();
            bytes[random.Next(Math.Max(1, bytes.AsSpan().LastIndexOfAnyExcept((byte)0) + 1))] ^= (byte)(1 << random.Next(8));
            await File.WriteAllBytesAsync(path, bytes);
            switch (Read(folder.Path, entryChecksums))
            {
                case true: harmless++; break;
                case false: silent++; break;
                case null: refused++; break;
            }
            foreach (var extra in Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories).Except(files)) File.Delete(extra);
            foreach (var (file, content) in whole) await File.WriteAllBytesAsync(file, content);
        }
        return (silent, refused, harmless);
    }

    // FASTER deletes commit files of before on a thread of its own, also after it was disposed of: what goes while it is read is not part of it.
    private static Dictionary<string, byte[]> ReadAll(string directory)
    {
        while (true)
        {
            try
            {
                return Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).ToDictionary(path => path, File.ReadAllBytes, StringComparer.Ordinal);
            }
            catch (FileNotFoundException)
            {
            }
        }
    }

    // True: all there; false: something is missing or different and nobody said so; null: an exception.
    private static bool? Read(string directory, bool entryChecksums)
    {
        try
        {
            using var log = Open(directory, entryChecksums);
            using var entries = log.Scan(log.BeginAddress, log.CommittedUntilAddress);
            var next = 0;
            while (entries.GetNext(out var entry, out _, out _))
            {
                if (!entry.AsSpan().SequenceEqual(Entry(next))) return false;
                next++;
            }
            return next == Entries;
        }
        catch (Exception error) when (error is FasterException or IOException or InvalidOperationException or ArgumentException or OverflowException or NullReferenceException)
        {
            return null;
        }
    }

    private static FasterLog Open(string directory, bool entryChecksums) => new(new FasterLogSettings
    {
        LogDevice = Devices.CreateLogDevice(Path.Combine(directory, "log")),
        LogCommitDir = directory,
        PageSizeBits = 14,
        MemorySizeBits = 17,
        SegmentSizeBits = 20,
        LogChecksum = entryChecksums ? LogChecksumType.PerEntry : LogChecksumType.None,
    });

    private static byte[] Entry(int number)
    {
        var entry = new byte[60 + number % 50];
        new Random(number).NextBytes(entry);
        return entry;
    }
}
