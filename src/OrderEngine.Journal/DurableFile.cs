// A file whose writes are on the disk when they return, and the few system calls behind that.
// Linux: opened with O_DSYNC, so that one pwrite is one flush of data (and of the size, were it to change) and not of times.
// Elsewhere: FileOptions.WriteThrough. A file is written by one thread at a time.

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OrderEngine.Journal;

internal sealed class DurableFile : IDisposable
{
    /// <summary>Zeros are written in pieces of this size, so that preparing a segment does not hold up commits for long.</summary>
    private const int ZeroChunk = 1 << 20;

    private readonly SafeFileHandle handle;
    private readonly Disk disk;

    private DurableFile(string path, SafeFileHandle handle, Disk disk)
    {
        Path = path;
        this.handle = handle;
        this.disk = disk;
    }

    public string Path { get; }

    public long Length => RandomAccess.GetLength(handle);

    /// <summary>Opens for reading and writing; creates it (mode 0600) when <paramref name="create"/> is set.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static DurableFile Open(string path, bool create, Disk disk) =>
        new(path, OperatingSystem.IsLinux() ? Posix.OpenDataSync(path, create) : OpenWriteThrough(path, create), disk);

    private static SafeFileHandle OpenWriteThrough(string path, bool create) => File.OpenHandle(
        path, create ? FileMode.OpenOrCreate : FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete,
        FileOptions.WriteThrough);

    /// <summary>Writes all of <paramref name="bytes"/>; they are durable on return.</summary>
    public void Write(ReadOnlySpan<byte> bytes, long offset) => disk.Write(handle, Path, bytes, offset, durable: true);

    /// <summary>Reads up to the end of the file; returns the bytes read.</summary>
    public int Read(Span<byte> bytes, long offset)
    {
        var done = 0;
        while (done < bytes.Length)
        {
            var count = disk.Read(handle, Path, bytes[done..], offset + done);
            if (count == 0) break;
            done += count;
        }
        return done;
    }

    /// <summary>
    /// Writes zeros from <paramref name="offset"/> to <paramref name="length"/>, so that later writes change no metadata:
    /// blocks that were only reserved would cost a journal commit of the file system at their first write.
    /// </summary>
    public void ZeroFill(long offset, long length)
    {
        var zeros = new byte[(int)Math.Min(ZeroChunk, Math.Max(0, length - offset))];
        for (var at = offset; at < length; at += zeros.Length)
        {
            Write(zeros.AsSpan(0, (int)Math.Min(zeros.Length, length - at)), at);
        }
    }

    public void Dispose() => handle.Dispose();
}

/// <summary>Linux calls that .NET does not offer: open with O_DSYNC, and fsync of a directory.</summary>
internal static class Posix
{
    private const int ReadOnly = 0, ReadWrite = 2, Create = 0x40, CloseOnExec = 0x80000, DataSync = 0x1000, DontNeed = 4;
    private const int OwnerReadWrite = 0x180; // 0600

    public static SafeFileHandle OpenDataSync(string path, bool create)
    {
        var descriptor = Open(path, ReadWrite | DataSync | CloseOnExec | (create ? Create : 0), OwnerReadWrite);
        if (descriptor < 0) throw Error("open", path);
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>Makes names created, renamed or removed in a directory durable. Other systems than Linux do so by themselves or not at all.</summary>
    public static void FlushDirectory(string path)
    {
        if (!OperatingSystem.IsLinux()) return;
        var descriptor = Open(path, ReadOnly | CloseOnExec, 0);
        if (descriptor < 0) throw Error("open", path);
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (Fsync(descriptor) != 0) throw Error("fsync", path);
    }

    /// <summary>Asks the system to forget its copy of a file, so that the next read comes from the disk. A hint: its result does not matter.</summary>
    public static void DropFromCache(SafeFileHandle file)
    {
        if (OperatingSystem.IsLinux()) _ = Advise((int)file.DangerousGetHandle(), 0, 0, DontNeed);
    }

    private static IOException Error(string call, string path) =>
        new($"{call} of '{path}' failed: {Marshal.GetLastPInvokeErrorMessage()}");

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, int mode);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Fsync(int descriptor);

    [DllImport("libc", EntryPoint = "posix_fadvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Advise(int descriptor, long offset, long length, int advice);
}
