// The disk under one simulated process. The bytes lie in real files in memory (tmpfs), which play the platter: what is written and not yet
// flushed is remembered, so that a crash can take it back. Faults are drawn at every access. One thread at a time (Baton).

using Microsoft.Win32.SafeHandles;
using OrderEngine.Journal;

namespace OrderEngine.Simulation;

internal sealed class SimDisk(Choices choices, FaultCount faults, Baton baton, Trace trace, string root) : Disk, IDeviceSteps
{
    private const int Sector = 512, Block = 4096;
    private readonly Queue<(Action Write, Action Complete)> _steps = new();
    private Action? _record;
    private readonly List<Undo> _undo = [];
    private readonly HashSet<string> _durableNames = new(Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories), StringComparer.Ordinal);
    private bool _full;

    // By name. What was written to a file stays with it when it gets another name.
    private readonly Dictionary<string, OnDisk> _files = new(StringComparer.Ordinal);

    // What a crash may take back: bytes of a file, or a name in a directory.
    private readonly record struct Undo(string Directory, OnDisk? File, Action TakeBack)
    {
        public bool IsName => File is null;
    }

    /// <summary>A file, whatever it is called; null: it has no name any more.</summary>
    private sealed class OnDisk(string path)
    {
        public string? Path { get; set; } = path;
    }

    /// <summary>One access in so many goes wrong; 0: none.</summary>
    public int FaultOneIn { get; set; }

    /// <summary>Whether the disk may lie: say that it wrote what it did not. At most once a process.</summary>
    public bool MayLie { get; set; }

    /// <summary>The machine is off: whatever the dead process still asks fails.</summary>
    public bool IsOff { get; private set; }

    /// <summary>The disk has lied.</summary>
    public bool HasLied { get; private set; }

    /// <summary>Something failed that the process was told of.</summary>
    public bool HasFailed { get; private set; }

    public override IDeviceSteps Steps => this;

    public int PendingSteps => _steps.Count;

    /// <summary>A commit record is to be written.</summary>
    public bool HasRecord => _record is not null;

    public void Add(long endAddress, Action write, Action complete) => _steps.Enqueue((write, complete));

    public void AddRecord(Action write) => _record = write;

    /// <summary>Writes the commit record, if there is one to be written.</summary>
    public void RunRecord()
    {
        var record = _record;
        _record = null;
        record?.Invoke();
    }

    /// <summary>Carries out every write that FASTER has asked for, and those that it asks for then.</summary>
    public void RunSteps()
    {
        while (_steps.TryDequeue(out var step))
        {
            step.Write();
            step.Complete();
        }
    }

    public override Task Background(Action work)
    {
        work();
        return Task.CompletedTask;
    }

    public override int Read(SafeFileHandle file, string path, Span<byte> bytes, long offset)
    {
        Enter(path);
        if (!Goes()) return base.Read(file, path, bytes, offset);
        switch (choices.Weighted([2, 1, MayLie && !HasLied ? 1 : 0]))
        {
            case 0:
                Note(Fault.ShortRead, path, offset);
                return base.Read(file, path, bytes[..((bytes.Length + 1) / 2)], offset);
            case 1:
                Fail(Fault.ReadError, path, offset);
                throw new IOException("Input/output error");
            default:
                var count = base.Read(file, path, bytes, offset);
                if (count == 0) return 0;
                Lie(Fault.ReadFlip, path, offset);
                Flip(bytes[..count]);
                return count;
        }
    }

    public override void Write(SafeFileHandle file, string path, ReadOnlySpan<byte> bytes, long offset, bool durable)
    {
        Enter(path);
        trace.Line($"disk write {Short(path)} {offset}+{bytes.Length}");
        if (_full) throw new IOException("No space left on device");
        RememberCreation(path);
        if (!durable) RememberBytes(path, offset, bytes.Length);
        if (!Goes())
        {
            base.Write(file, path, bytes, offset, durable);
            return;
        }
        WriteBadly(file, path, bytes, offset, durable);
    }

    private void WriteBadly(SafeFileHandle file, string path, ReadOnlySpan<byte> bytes, long offset, bool durable)
    {
        var lie = MayLie && !HasLied ? 4 : 0;
        switch (choices.Weighted([3, 3, 3, 2, 2, 1, lie, lie, lie]))
        {
            case 0:
                base.Write(file, path, bytes, offset, durable);
                Note(Fault.CrashAfterWrite, path, offset);
                throw Off();
            case 1:
                Note(Fault.CrashBeforeWrite, path, offset);
                throw Off();
            case 2:
                Note(Fault.TornWrite, path, offset);
                for (var at = 0; at < bytes.Length; at += Sector)
                    if (choices.Next(2) == 1) base.Write(file, path, bytes.Slice(at, Math.Min(Sector, bytes.Length - at)), offset + at, durable);
                throw Off();
            case 3:
                Fail(Fault.WriteError, path, offset);
                throw new IOException("Input/output error");
            case 4:
                Fail(Fault.ShortWrite, path, offset);
                base.Write(file, path, bytes[..choices.Next(bytes.Length)], offset, durable);
                throw new IOException("Input/output error");
            case 5:
                Fail(Fault.DiskFull, path, offset);
                base.Write(file, path, bytes[..choices.Next(bytes.Length)], offset, durable);
                _full = true;
                throw new IOException("No space left on device");
            case 6:
                Lie(Fault.LostWrite, path, offset);
                break;
            case 7:
                Lie(Fault.MisdirectedWrite, path, offset);
                var length = RandomAccess.GetLength(file);
                base.Write(file, path, bytes, (offset + Block * (1 + choices.Next((int)Math.Max(1, length / Block)))) % Math.Max(Block, length), durable);
                break;
            default:
                Lie(Fault.WriteFlip, path, offset);
                var flipped = bytes.ToArray();
                Flip(flipped);
                base.Write(file, path, flipped, offset, durable);
                break;
        }
    }

    public override void Flush(SafeFileHandle file, string path)
    {
        Name("flush", path);
        _undo.RemoveAll(undo => undo.File?.Path == path);
    }

    public override void Move(string from, string to)
    {
        Name("rename", to);
        var isDirectory = Directory.Exists(from);
        var replaced = !isDirectory && File.Exists(to) ? File.ReadAllBytes(to) : null;
        base.Move(from, to);
        _durableNames.Remove(from);
        var before = Unname(to);
        Rename(from, to);
        _undo.Add(new Undo(Path.GetDirectoryName(to)!, null, () =>
        {
            if (isDirectory && Directory.Exists(to)) Directory.Move(to, from);
            else if (File.Exists(to)) File.Move(to, from, overwrite: true);
            Rename(to, from);
            if (replaced is null) return;
            File.WriteAllBytes(to, replaced);
            Name(before, to);
        }));
    }

    public override void Delete(string path)
    {
        if (!File.Exists(path)) return;
        Name("delete", path);
        var bytes = File.ReadAllBytes(path);
        base.Delete(path);
        _durableNames.Remove(path);
        var file = Unname(path);
        _undo.Add(new Undo(Path.GetDirectoryName(path)!, null, () =>
        {
            File.WriteAllBytes(path, bytes);
            Name(file, path);
        }));
    }

    public override void FlushDirectory(string path)
    {
        Name("flush of the directory", path);
        _undo.RemoveAll(undo => undo.IsName && undo.Directory == path);
        foreach (var file in Directory.EnumerateFiles(path)) _durableNames.Add(file);
    }

    /// <summary>The machine loses its power, or only the process dies.</summary>
    public void SwitchOff() => IsOff = true;

    /// <summary>After a power cut: takes back what was not flushed, or parts of it. The process is gone.</summary>
    public void LoseUnflushed()
    {
        var bytesLost = false;
        // Names come and go in the order in which they were changed: a crash takes back the last so many.
        var names = choices.Next(_undo.Count(undo => undo.IsName) + 1);
        for (var i = _undo.Count - 1; i >= 0; i--)
        {
            var undo = _undo[i];
            if (undo.IsName ? names-- <= 0 : choices.Next(2) == 0) continue;
            faults.Fired(undo.IsName ? Fault.NamesLost : Fault.UnflushedLost);
            bytesLost |= !undo.IsName;
            undo.TakeBack();
        }
        trace.Line($"power back; unflushed {(bytesLost ? "bytes lost" : "bytes kept")}");
        _undo.Clear();
    }

    private void RememberCreation(string path)
    {
        if (!_durableNames.Add(path)) return;
        _undo.Add(new Undo(Path.GetDirectoryName(path)!, null, () => File.Delete(path)));
    }

    private void RememberBytes(string path, long offset, int length)
    {
        var before = new byte[length];
        using (var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)) RandomAccess.Read(file, before, offset);
        if (!_files.TryGetValue(path, out var written)) _files.Add(path, written = new OnDisk(path));
        _undo.Add(new Undo(Path.GetDirectoryName(path)!, written, () =>
        {
            if (written.Path is not { } now || !File.Exists(now)) return;
            using var file = File.OpenHandle(now, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            RandomAccess.Write(file, before, offset);
        }));
    }

    // A file, or all that lie in a directory.
    private void Rename(string from, string to)
    {
        foreach (var path in _files.Keys.Where(path => path == from || path.StartsWith(from + "/", StringComparison.Ordinal)).ToList()) Name(Unname(path), to + path[from.Length..]);
    }

    private OnDisk? Unname(string path)
    {
        if (_files.Remove(path, out var file)) file.Path = null;
        return file;
    }

    private void Name(OnDisk? file, string path)
    {
        if (file is null) return;
        file.Path = path;
        _files[path] = file;
    }

    private void Name(string what, string path)
    {
        Enter(path);
        trace.Line($"disk {what} {Short(path)}");
        if (!Goes()) return;
        if (choices.Next(2) == 0)
        {
            Note(Fault.CrashAtName, path, 0);
            throw Off();
        }
        Fail(Fault.NameError, path, 0);
        throw new IOException("Input/output error");
    }

    private void Enter(string path)
    {
        if (Thread.CurrentThread.Name is { } name && name.StartsWith(SimThreads.Walk, StringComparison.Ordinal)) baton.Park(name);
        if (IsOff) throw new IOException($"The process that wants '{Path.GetFileName(path)}' is dead.");
    }

    private bool Goes() => FaultOneIn > 0 && choices.OneIn(FaultOneIn);

    private void Flip(Span<byte> bytes) => bytes[choices.Next(bytes.Length)] ^= (byte)(1 << choices.Next(8));

    private void Lie(Fault fault, string path, long offset)
    {
        HasLied = true;
        Note(fault, path, offset);
    }

    private void Fail(Fault fault, string path, long offset)
    {
        HasFailed = true;
        Note(fault, path, offset);
    }

    private void Note(Fault fault, string path, long offset)
    {
        faults.Fired(fault);
        trace.Line($"FAULT {fault} {Short(path)} {offset}");
    }

    private IOException Off()
    {
        IsOff = true;
        return new IOException("The power failed.");
    }

    private string Short(string path) => Path.GetRelativePath(root, path);
}
