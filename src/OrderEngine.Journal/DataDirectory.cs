// The names of everything in a data directory, in one place, and its exclusive lock.

using System.Globalization;

namespace OrderEngine.Journal;

/// <summary>The layout of a data directory. See docs/JOURNAL.md.</summary>
public sealed class DataDirectory
{
    /// <summary>Names the layout under <paramref name="path"/>; touches nothing.</summary>
    public DataDirectory(string path) : this(path, Disk.Real) { }

    internal DataDirectory(string path, Disk disk)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        Root = Path.GetFullPath(path);
        Disk = disk;
    }

    /// <summary>What the files lie on.</summary>
    internal Disk Disk { get; }

    /// <summary>The data directory itself, as an absolute path.</summary>
    public string Root { get; }

    /// <summary>The file that a process holds locked while it uses the directory.</summary>
    public string Lock => Path.Combine(Root, "lock");

    /// <summary>The keys of personal data (<see cref="KeyRing"/>). Belongs in no ordinary backup.</summary>
    public string Keys => Path.Combine(Root, "keys");

    /// <summary>The journal's own directory.</summary>
    public string Journal => Path.Combine(Root, "journal");

    /// <summary>Where snapshots lie (<see cref="SnapshotStore"/>).</summary>
    public string Snapshots => Path.Combine(Root, "snapshots");

    /// <summary>Where orders lie that left memory (<see cref="ArchiveStore"/>).</summary>
    public string Archive => Path.Combine(Root, ArchiveName);

    /// <summary>Where a new journal is made before it is renamed to <see cref="Journal"/>; a leftover holds nothing of worth.</summary>
    internal string JournalInCreation => Path.Combine(Root, "journal.creating");

    internal const string ManifestName = "MANIFEST";
    internal const string CommitName = "commit";
    internal const string SegmentPrefix = "log.";

    internal const string SnapshotPrefix = "snapshot.";
    internal const string SnapshotInCreationName = "creating";
    internal const string DamagedSuffix = ".damaged";

    internal string Snapshot(long sequence) => Path.Combine(Snapshots, SnapshotPrefix + sequence.ToString("D20", CultureInfo.InvariantCulture));
    internal string SnapshotInCreation => Path.Combine(Snapshots, SnapshotInCreationName);

    internal const string ArchiveName = "archive";
    internal const string ArchiveSegmentSuffix = ".seg";

    internal string ArchiveSegment(int number) => Path.Combine(Archive, number.ToString("D6", CultureInfo.InvariantCulture) + ArchiveSegmentSuffix);
    internal string ArchiveIndex(int number) => Path.Combine(Archive, number.ToString("D6", CultureInfo.InvariantCulture) + ".idx");

    /// <summary>The segments of the archive present, by number, ascending.</summary>
    internal List<int> ArchiveSegments()
    {
        var numbers = new List<int>();
        if (!Directory.Exists(Archive)) return numbers;
        foreach (var file in Directory.EnumerateFiles(Archive, "*" + ArchiveSegmentSuffix))
            if (int.TryParse(Path.GetFileNameWithoutExtension(file), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) numbers.Add(number);
        numbers.Sort();
        return numbers;
    }

    /// <summary>The sequences of the snapshot files present, highest first.</summary>
    internal List<long> SnapshotSequences()
    {
        var sequences = new List<long>();
        if (!Directory.Exists(Snapshots)) return sequences;
        foreach (var file in Directory.EnumerateFiles(Snapshots, SnapshotPrefix + "*"))
        {
            var suffix = Path.GetFileName(file).AsSpan(SnapshotPrefix.Length);
            if (long.TryParse(suffix, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)) sequences.Add(sequence);
        }
        sequences.Sort((a, b) => b.CompareTo(a));
        return sequences;
    }

    internal string Manifest => Path.Combine(Journal, ManifestName);
    internal string Commit => Path.Combine(Journal, CommitName);
    internal string Segment(int number) => Path.Combine(Journal, SegmentName(number));

    internal static string SegmentName(int number) => SegmentPrefix + number.ToString("D6", CultureInfo.InvariantCulture);

    /// <summary>The segment files present, by number, ascending.</summary>
    internal static List<int> SegmentsIn(string journalDirectory)
    {
        var numbers = new List<int>();
        foreach (var file in Directory.EnumerateFiles(journalDirectory, SegmentPrefix + "*"))
        {
            var suffix = Path.GetFileName(file).AsSpan(SegmentPrefix.Length);
            if (int.TryParse(suffix, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) numbers.Add(number);
        }
        numbers.Sort();
        return numbers;
    }

    internal void Create()
    {
        if (Directory.Exists(Root)) return;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(Root);
        else Directory.CreateDirectory(Root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (Path.GetDirectoryName(Root) is { } parent) Disk.FlushDirectory(parent);
    }

    /// <summary>Takes the directory for this process (flock; the kernel lets go of it when the process dies).</summary>
    /// <exception cref="JournalException">Another process, or another journal in this one, holds it.</exception>
    internal FileStream TakeLock()
    {
        FileStream stream;
        try
        {
            stream = new FileStream(Lock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new JournalException(
                $"The data directory '{Root}' is in use{Holder()}, or its lock file cannot be opened ({error.Message}). " +
                "Only one process may use it: stop the other one, or give this one a directory of its own.", error);
        }
        stream.SetLength(0);
        stream.Write(System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n")));
        stream.Flush();
        return stream;
    }

    /// <summary>The holder's process id, if the lock file tells. Opened without a lock of its own, which FileStream would take.</summary>
    private string Holder()
    {
        try
        {
            using var file = DurableFile.Open(Lock, create: false, Disk);
            Span<byte> text = stackalloc byte[16];
            var id = System.Text.Encoding.ASCII.GetString(text[..file.Read(text, 0)]).Trim();
            return id.Length > 0 ? $" by process {id}" : "";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return ""; // the number only serves the message
        }
    }
}
