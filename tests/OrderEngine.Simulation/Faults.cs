// The kinds of faults, and a count of those that fired.

namespace OrderEngine.Simulation;

internal enum Fault
{
    /// <summary>A write fails and changes nothing (EIO).</summary>
    WriteError,
    /// <summary>A part is written, then the write fails.</summary>
    ShortWrite,
    /// <summary>The disk is full from now on (ENOSPC), in the middle of a write.</summary>
    DiskFull,
    /// <summary>The power fails in the middle of a write: some of its sectors are there, others are not.</summary>
    TornWrite,
    /// <summary>The power fails before a write.</summary>
    CrashBeforeWrite,
    /// <summary>The power fails after a write, before anybody is told.</summary>
    CrashAfterWrite,
    /// <summary>The power fails at a rename, a deletion or a flush.</summary>
    CrashAtName,
    /// <summary>A rename, a deletion or a flush fails.</summary>
    NameError,
    /// <summary>The process dies between two steps; what it had asked of the disk stays.</summary>
    Kill,
    /// <summary>The power fails between two steps; what was not flushed may be gone.</summary>
    PowerCut,
    /// <summary>Unflushed bytes were lost by a crash.</summary>
    UnflushedLost,
    /// <summary>Unflushed names (created, renamed, deleted) were lost by a crash.</summary>
    NamesLost,
    /// <summary>A read fails.</summary>
    ReadError,
    /// <summary>A read gives fewer bytes than there are.</summary>
    ShortRead,
    /// <summary>A bit is wrong in what a read gives; the disk is well.</summary>
    ReadFlip,
    /// <summary>The disk says that it wrote and did not.</summary>
    LostWrite,
    /// <summary>The disk writes to another place.</summary>
    MisdirectedWrite,
    /// <summary>The disk writes a wrong bit.</summary>
    WriteFlip,
    /// <summary>At rest: a bit of a file turns.</summary>
    BitFlip,
    /// <summary>At rest: a block of a file becomes zero.</summary>
    ZeroedBlock,
    /// <summary>At rest: a block of a file becomes what it was earlier.</summary>
    StaleBlock,
    /// <summary>At rest: a file loses its end.</summary>
    CutFile,
    /// <summary>At rest: a file is gone.</summary>
    MissingFile,
    /// <summary>A write takes longer than a commit may.</summary>
    SlowWrite,
    /// <summary>The wall clock is set forward.</summary>
    ClockForward,
    /// <summary>The wall clock is set back.</summary>
    ClockBack,
    /// <summary>Days pass before the next start: what was asked before is beyond the window of retries, and closed orders may leave memory.</summary>
    DaysPass,
    /// <summary>A request is sent again while the first is under way, or after its answer.</summary>
    Duplicate,
    /// <summary>Requests arrive in another order than they were made in.</summary>
    Reordered,
    /// <summary>A request id is used for another request.</summary>
    ReusedId,
    /// <summary>A request is withdrawn, or its deadline passes, while it waits.</summary>
    Withdrawn,
    /// <summary>A reader of the stream falls behind what is kept for it.</summary>
    SlowReader,
    /// <summary>The engine is stopped as it should be.</summary>
    GracefulStop,
}

internal sealed class FaultCount
{
    private readonly long[] _fired = new long[Enum.GetValues<Fault>().Length];

    public long this[Fault fault] => Interlocked.Read(ref _fired[(int)fault]);

    public void Fired(Fault fault) => Interlocked.Increment(ref _fired[(int)fault]);

    public void Add(FaultCount other)
    {
        for (var i = 0; i < _fired.Length; i++) Interlocked.Add(ref _fired[i], other._fired[i]);
    }
}
