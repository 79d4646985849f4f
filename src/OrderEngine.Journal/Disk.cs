// What the journal, the keys and the snapshots ask of a disk. One implementation is real; the simulation and the tests put their own beneath the
// same code, to play torn, lost and misdirected writes, full disks, errors and crashes. Called by whoever reads or writes; any thread.

using Microsoft.Win32.SafeHandles;

namespace OrderEngine.Journal;

/// <summary>The real disk. What fails throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>.</summary>
internal class Disk
{
    public static readonly Disk Real = new();

    /// <summary>Null: log and commit records are written by threads of their own. A simulation gets each write of the log as two steps and each record as one, and runs them when it likes.</summary>
    public virtual IDeviceSteps? Steps => null;

    /// <summary>Reads some bytes; 0 at the end of the file.</summary>
    public virtual int Read(SafeFileHandle file, string path, Span<byte> bytes, long offset) => RandomAccess.Read(file, bytes, offset);

    /// <summary>Writes all bytes. Those of a file that was opened for it (<see cref="DurableFile"/>) are durable on return, others after <see cref="Flush"/>.</summary>
    public virtual void Write(SafeFileHandle file, string path, ReadOnlySpan<byte> bytes, long offset, bool durable) => RandomAccess.Write(file, bytes, offset);

    /// <summary>Makes what was written to a file durable.</summary>
    public virtual void Flush(SafeFileHandle file, string path) => RandomAccess.FlushToDisk(file);

    /// <summary>Renames a file, over one that is there, or a directory. Durable once the directory is flushed, like <see cref="Delete"/>.</summary>
    public virtual void Move(string from, string to)
    {
        if (Directory.Exists(from)) Directory.Move(from, to);
        else File.Move(from, to, overwrite: true);
    }

    /// <summary>Deletes a file, if it is there.</summary>
    public virtual void Delete(string path) => File.Delete(path);

    /// <summary>Makes names created, renamed or removed in a directory durable.</summary>
    public virtual void FlushDirectory(string path) => Posix.FlushDirectory(path);

    /// <summary>Runs work beside everything else.</summary>
    public virtual Task Background(Action work) => Task.Run(work);
}

/// <summary>Takes the place of the device's thread.</summary>
internal interface IDeviceSteps
{
    /// <summary>A write of the log, to be run in the order given, each completed at some time after it was written.</summary>
    /// <param name="endAddress">Where in the log it ends.</param>
    /// <param name="write">Writes; does not throw.</param>
    /// <param name="complete">Tells FASTER.</param>
    void Add(long endAddress, Action write, Action complete);

    /// <summary>A commit record, at most one at a time, to be written when it likes.</summary>
    /// <param name="write">Writes what is to be recorded by then, and completes those who waited for it; does not throw.</param>
    void AddRecord(Action write);
}
