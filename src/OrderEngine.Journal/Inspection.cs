// Reads a journal from its first stored frame to its end and decides what it is worth: shared by recovery and the verifier.
// Read-only. The chain of frames says where the log ends; the commit record is the floor under that end.

namespace OrderEngine.Journal;

/// <summary>What a walk over the whole journal found.</summary>
internal sealed class Inspection
{
    public required Manifest Manifest { get; init; }
    public required CommitFileContent Commit { get; init; }

    /// <summary>Where the first stored frame lies, and the crc before it.</summary>
    public long BeginAddress { get; private set; }
    public uint AnchorCrc { get; private set; }

    /// <summary>First sequence of the first stored frame; 0 when that is the genesis frame.</summary>
    public long FirstFrameSequence { get; private set; }

    public long EndAddress { get; private set; }
    public Chain End { get; private set; } = Chain.Start;

    /// <summary>Frames of events, the genesis frame not counted.</summary>
    public long Frames { get; private set; }
    public long Events { get; private set; }

    /// <summary>Bytes behind the end that are not zero: a frame that was under way when the process died.</summary>
    public long TornBytes { get; private set; }

    /// <summary>What is damaged, where, and what to do; null when the journal is intact.</summary>
    public string? Damage { get; private set; }

    /// <summary>MANIFEST, commit file and log do not belong together.</summary>
    public bool Mixed { get; private set; }

    public long FirstSequence => Math.Max(1, FirstFrameSequence);
    public long LastSequence => Math.Max(0, End.LastSequence);

    /// <summary>Walks the journal. <paramref name="onFrame"/> gets every verified frame, genesis included.</summary>
    /// <exception cref="JournalException">The MANIFEST is missing, damaged or newer.</exception>
    public static Inspection Run(DataDirectory directory, Action<ScannedFrame>? onFrame, IProgress<RecoveryProgress>? progress)
    {
        var manifest = Manifest.Load(directory.Manifest);
        var inspection = new Inspection { Manifest = manifest, Commit = CommitFile.Inspect(directory.Commit, directory.Disk) };
        inspection.Walk(directory, onFrame, progress);
        return inspection;
    }

    private void Walk(DataDirectory directory, Action<ScannedFrame>? onFrame, IProgress<RecoveryProgress>? progress)
    {
        var geometry = Manifest.Geometry;
        var segments = DataDirectory.SegmentsIn(directory.Journal);
        var floor = Commit.Newest;
        if (floor is null)
        {
            Damage = $"Both records of '{directory.Commit}' are unreadable, so that nothing tells which batches were acknowledged. " +
                "Restore the data directory from a backup.";
        }
        else if (floor.CreationId != Manifest.CreationId)
        {
            Damage = $"'{directory.Commit}' belongs to another journal than '{directory.Manifest}'. Restore both from the same backup.";
            floor = null;
            Mixed = true;
        }

        // Without a floor the walk only serves the report: it starts where the oldest file does.
        BeginAddress = floor?.BeginAddress ?? Math.Max(JournalGeometry.FirstAddress, geometry.StartOfSegment(segments.FirstOrDefault()));
        AnchorCrc = floor?.AnchorCrc ?? 0;
        FirstFrameSequence = floor?.FirstSequence ?? 0;
        var start = floor is null ? Chain.Start : new Chain(floor.AnchorCrc, floor.FirstSequence - 1, 0);
        using var scanner = new FrameScanner(directory, geometry, FrameScanner.LargeWindow, BeginAddress, start)
        {
            TrustNext = floor is null,
        };
        var total = floor is null ? 0 : floor.UntilAddress - floor.BeginAddress;
        var reported = BeginAddress;
        var first = true;
        while (scanner.TryNext(out var frame))
        {
            if (first && floor is null) FirstFrameSequence = frame.Header.FirstSequence;
            first = false;
            if (floor is not null && !Agrees(frame.Header, floor))
            {
                Damage = Foreign(directory, frame.Address);
                Mixed = true;
                break;
            }
            if (frame.Header.FirstSequence > 0)
            {
                Frames++;
                Events += frame.Header.LastSequence - frame.Header.FirstSequence + 1;
            }
            onFrame?.Invoke(frame);
            End = scanner.Chain;
            EndAddress = scanner.Address;
            if (EndAddress - reported < geometry.PageSize) continue;
            reported = EndAddress;
            progress?.Report(new RecoveryProgress(EndAddress - BeginAddress, total, LastSequence, Frames));
        }
        EndAddress = Math.Max(EndAddress, BeginAddress);
        progress?.Report(new RecoveryProgress(EndAddress - BeginAddress, total, LastSequence, Frames));

        if (Damage is null) JudgeEnd(directory, geometry, floor!, scanner.Stop);
        TornBytes = Leftovers.Count(directory, geometry, segments, EndAddress);
    }

    private void JudgeEnd(DataDirectory directory, JournalGeometry geometry, CommitRecord floor, string stop)
    {
        if (EndAddress == BeginAddress || End.LastSequence < floor.LastSequence)
        {
            var segment = geometry.SegmentOf(EndAddress);
            var missing = File.Exists(directory.Segment(segment)) ? "" : " (the file is missing)";
            Damage = $"'{directory.Segment(segment)}'{missing} is damaged at byte {geometry.OffsetInSegment(EndAddress)}, sequence " +
                $"{End.LastSequence + 1}: {stop}. Everything up to sequence {floor.LastSequence} was acknowledged, so nothing may be cut. " +
                "Keep the directory as it is; restore a backup, or see what orderctl journal repair can keep.";
        }
        else if (Commit.SlotLost && End.LastSequence == floor.LastSequence)
        {
            Damage = $"One of the two records of '{directory.Commit}' is unreadable in both copies, and the log ends exactly where the other " +
                $"one does (sequence {floor.LastSequence}): the lost record may have promised more. Restore a backup.";
        }
    }

    /// <summary>The frame that holds the floor's sequence ends there and has its checksum (which covers the creation id, by the chain).</summary>
    private static bool Agrees(in FrameHeader frame, CommitRecord floor) =>
        frame.FirstSequence > floor.LastSequence || frame.LastSequence < floor.LastSequence
        || (frame.LastSequence == floor.LastSequence && frame.Crc == floor.LastCrc);

    private static string Foreign(DataDirectory directory, long address) =>
        $"The log at address {address} in '{directory.Journal}' is not the one that MANIFEST and commit file belong to: files of " +
        "different journals or of different times were mixed. Restore all of them from one backup.";
}

/// <summary>What lies behind the end of the log: counted by the verifier, overwritten with zeros by recovery.</summary>
internal static class Leftovers
{
    public static long Count(DataDirectory directory, JournalGeometry geometry, List<int> segments, long end)
    {
        var count = 0L;
        Visit(directory, geometry, segments, end, (_, _, bytes) => count += bytes.Length - bytes.Count((byte)0));
        return count;
    }

    /// <summary>Makes everything behind the end zero, durably, so that nothing cut can ever join the chain again.</summary>
    public static void Erase(DataDirectory directory, JournalGeometry geometry, List<int> segments, long end)
    {
        Visit(directory, geometry, segments, end, (path, offset, bytes) =>
        {
            using var file = DurableFile.Open(path, create: false, directory.Disk);
            file.ZeroFill(offset, offset + bytes.Length);
        });
    }

    private delegate void Found(string path, long offset, ReadOnlySpan<byte> bytes);

    /// <summary>Calls <paramref name="found"/> with the stretches behind the end that are not zero, at most one per window read.</summary>
    private static void Visit(DataDirectory directory, JournalGeometry geometry, List<int> segments, long end, Found found)
    {
        var window = new byte[1 << 20];
        foreach (var number in segments)
        {
            if (geometry.StartOfSegment(number + 1) <= end) continue;
            var path = directory.Segment(number);
            using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var offset = Math.Max(0, end - geometry.StartOfSegment(number));
            while (true)
            {
                var read = directory.Disk.Read(handle, path, window, offset);
                if (read == 0) break;
                var first = window.AsSpan(0, read).IndexOfAnyExcept((byte)0);
                if (first >= 0)
                {
                    var last = window.AsSpan(0, read).LastIndexOfAnyExcept((byte)0);
                    found(path, offset + first, window.AsSpan(first, last - first + 1));
                }
                offset += read;
            }
        }
    }
}
