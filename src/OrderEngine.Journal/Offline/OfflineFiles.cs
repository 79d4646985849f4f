// Files written by the tools: readable by their owner only, flushed with their directory.

namespace OrderEngine.Journal.Offline;

/// <summary>How the tools write files.</summary>
public static class OfflineFiles
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Creates a directory, or takes an empty one.</summary>
    /// <exception cref="JournalException">It holds something.</exception>
    internal static void CreateEmpty(string path)
    {
        if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
            throw new JournalException($"'{path}' is not empty. Give a directory that is not there yet, or an empty one: nothing is overwritten.");
        CreateDirectory(path);
    }

    internal static void CreateDirectory(string path)
    {
        if (Directory.Exists(path)) return;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
        if (Path.GetDirectoryName(path) is { } parent) Posix.FlushDirectory(parent);
    }

    /// <summary>Opens a file to append to it.</summary>
    internal static FileStream Append(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, BufferSize = 1 << 20 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        return new FileStream(path, options);
    }

    /// <summary>Writes a small file under another name, flushes it and gives it its own: it is there whole or not at all.</summary>
    public static void WriteWhole(string path, ReadOnlySpan<byte> bytes)
    {
        var temporary = path + ".creating";
        File.Delete(temporary);
        using (var file = Append(temporary))
        {
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path);
        Posix.FlushDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>Length and CRC-32C of a file.</summary>
    internal static (long Bytes, uint Crc) Crc(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan);
        var part = new byte[1 << 20];
        var (bytes, crc) = (0L, 0u);
        while (file.ReadAtLeast(part, part.Length, throwOnEndOfStream: false) is var count && count > 0)
        {
            crc = Crc32C.Continue(crc, part.AsSpan(0, count));
            bytes += count;
        }
        return (bytes, crc);
    }
}
