// How much room a file system has. Any thread.

namespace OrderEngine.Journal;

/// <summary>The room of a file system.</summary>
/// <param name="FreeBytes">Bytes that this process may still write.</param>
/// <param name="TotalBytes">Its size, bytes.</param>
public readonly record struct DiskSpace(long FreeBytes, long TotalBytes)
{
    /// <summary>The room of the file system under a directory that exists.</summary>
    /// <exception cref="IOException">The system does not say.</exception>
    public static DiskSpace Of(string directory)
    {
        var drive = new DriveInfo(Path.GetFullPath(directory));
        return new DiskSpace(drive.AvailableFreeSpace, drive.TotalSize);
    }
}
