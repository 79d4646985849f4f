// Opening: lock, create or check, recover, cut what was torn, renew the floor, hand the end over to FASTER. On the caller's thread.

using System.Buffers.Binary;
using FASTER.core;

namespace OrderEngine.Journal;

public sealed partial class FasterJournal
{
    /// <summary>
    /// Opens the journal of a data directory, creating both when there is none, and verifies every stored frame. Every batch that
    /// holds <paramref name="fromSequence"/> or later ones goes to <paramref name="replay"/>, in order; its payload is valid during
    /// the call only. A torn end that was never acknowledged is cut.
    /// </summary>
    /// <param name="options">Where the journal lies.</param>
    /// <param name="fromSequence">The first sequence the caller needs: 1, or the one behind its snapshot.</param>
    /// <param name="replay">Gets the batches. When it throws, the journal is closed again.</param>
    /// <param name="progress">Told how far verification has come.</param>
    /// <exception cref="JournalException">The directory is in use, damaged, of a newer format, or does not reach
    /// <paramref name="fromSequence"/>. The message says what to do.</exception>
    public static FasterJournal Open(JournalOptions options, long fromSequence, Action<JournalBatch> replay,
        IProgress<RecoveryProgress>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(replay);
        ArgumentOutOfRangeException.ThrowIfLessThan(fromSequence, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.CommitDeadline, JournalOptions.MinCommitDeadline);
        var directory = new DataDirectory(options.Directory, options.Disk);
        FileStream? held = null;
        CommitFile? commit = null;
        try
        {
            directory.Create();
            held = directory.TakeLock();
            JournalCreation.CreateIfNone(directory, options);
            KeyRing.RefuseNewer(directory);
            var index = new SequenceIndex(Manifest.Load(directory.Manifest).Geometry);
            var found = Recover(directory, options, index, fromSequence, replay, progress);
            commit = RenewFloor(directory, options.Geometry, found);
            return new FasterJournal(options, directory, held, index, found, commit);
        }
        catch (Exception error)
        {
            commit?.Dispose();
            held?.Dispose();
            if (error is IOException or UnauthorizedAccessException)
            {
                throw new JournalException($"The data directory '{directory.Root}' cannot be read or written: {error.Message}", error);
            }
            throw;
        }
    }

    private static Inspection Recover(DataDirectory directory, JournalOptions options, SequenceIndex index, long fromSequence,
        Action<JournalBatch> replay, IProgress<RecoveryProgress>? progress)
    {
        var manifest = Manifest.Load(directory.Manifest);
        if (manifest.Geometry != options.Geometry)
        {
            throw new JournalException($"'{directory.Manifest}' gives pages of 2^{manifest.PageBits} and segments of 2^{manifest.SegmentBits} bytes; " +
                $"this program uses 2^{options.Geometry.PageBits} and 2^{options.Geometry.SegmentBits}. Use the version that created the journal.");
        }
        var reaches = false;
        var found = Inspection.Run(directory, frame =>
        {
            index.Add(frame.Header, frame.Address);
            if (frame.Header.LastSequence < fromSequence) return;
            // Before the first batch is handed over: it would not follow what the caller has.
            if (!reaches && frame.Header.FirstSequence > fromSequence) throw Short(directory, fromSequence, frame.Header.FirstSequence);
            reaches = true;
            replay(frame.Batch);
        }, progress);
        if (found.Damage is not null) throw new JournalException(found.Damage);
        if (fromSequence < found.FirstSequence) throw Short(directory, fromSequence, found.FirstSequence);
        if (fromSequence > found.LastSequence + 1)
        {
            throw new JournalException($"A snapshot covers sequence {fromSequence - 1}, but '{directory.Journal}' ends at {found.LastSequence}: " +
                "acknowledged batches are missing. Restore journal and snapshots from the same backup.");
        }
        return found;
    }

    private static JournalException Short(DataDirectory directory, long fromSequence, long first) =>
        new($"Sequence {fromSequence} is needed, but '{directory.Journal}' begins at {first}: " +
            "what lies before was let go of when a snapshot covered it. Restore that snapshot.");

    /// <summary>
    /// Cuts the torn end, brings the files to full size, and makes what was recovered the new floor in both slots before anyone
    /// can see it.
    /// </summary>
    private static CommitFile RenewFloor(DataDirectory directory, JournalGeometry geometry, Inspection found)
    {
        var firstSegment = geometry.SegmentOf(found.BeginAddress);
        var segments = DataDirectory.SegmentsIn(directory.Journal);
        foreach (var leftover in segments.Where(number => number < firstSegment)) directory.Disk.Delete(directory.Segment(leftover));
        segments.RemoveAll(number => number < firstSegment);
        Leftovers.Erase(directory, geometry, segments, found.EndAddress);
        for (var number = firstSegment; number <= LastSegment(geometry, segments, found); number++)
        {
            SegmentDevice.CreateSegment(directory.Segment(number), geometry.SegmentSize, directory.Disk);
        }
        directory.Disk.FlushDirectory(directory.Journal);

        var commit = CommitFile.Open(directory.Commit, create: false, directory.Disk);
        var record = found.Commit.Newest! with
        {
            UntilAddress = found.EndAddress,
            LastSequence = found.End.LastSequence,
            LastCrc = found.End.Crc,
        };
        // The newest record's slot is written last, so that one good slot is there all the time.
        for (var slot = 0; slot < CommitFile.Slots; slot++)
        {
            record = record with { Number = record.Number + 1 };
            commit.Replace(record);
        }
        return commit;
    }

    private static int LastSegment(JournalGeometry geometry, List<int> segments, Inspection found) =>
        Math.Max(geometry.SegmentOf(found.EndAddress), segments.Count == 0 ? 0 : segments[^1]);

    private FasterJournal(JournalOptions options, DataDirectory directory, FileStream held, SequenceIndex index, Inspection found,
        CommitFile commit)
    {
        this.options = options;
        this.directory = directory;
        this.index = index;
        directoryLock = held;
        geometry = options.Geometry;
        chain = found.End;
        CreationId = found.Manifest.CreationId;
        Identity = BinaryPrimitives.ReadUInt64LittleEndian(found.Manifest.CreationId.ToByteArray());
        beginAddress = found.BeginAddress;
        durableAddress = found.EndAddress;
        firstSequence = found.FirstSequence;
        lastSequence = found.LastSequence;

        var lastSegment = LastSegment(geometry, DataDirectory.SegmentsIn(directory.Journal), found);
        commits = new CommitWriter(commit, this, directory.Disk.Steps);
        device = new SegmentDevice(directory, geometry, geometry.SegmentOf(beginAddress), lastSegment, OnDeviceError, commits.Wake);
        var recovered = new FasterLogRecoveryInfo { BeginAddress = beginAddress, UntilAddress = durableAddress, CommitNum = 1 };
        log = new FasterLog(new FasterLogSettings
        {
            LogDevice = device,
            LogCommitManager = new NoCommits(recovered),
            PageSize = geometry.PageSize,
            SegmentSize = geometry.SegmentSize,
            MemorySize = geometry.PageSize * JournalGeometry.MemoryPages,
            LogChecksum = LogChecksumType.None,
            TryRecoverLatest = false,
        });
        try
        {
            log.Recover();
            // Recover swallows errors and opens empty; what it took on must be exactly what we verified.
            if (failure is not null) throw failure;
            if (log.BeginAddress != beginAddress || log.TailAddress != durableAddress || log.CommittedUntilAddress != durableAddress)
            {
                throw new JournalException($"FASTER recovered {log.BeginAddress}-{log.TailAddress} instead of {beginAddress}-{durableAddress}.");
            }
        }
        catch
        {
            log.Dispose();
            device.Dispose();
            throw;
        }
        commits.Start();
        var period = options.CommitDeadline / JournalLimits.DeadlineChecks;
        deadlineTimer = options.TimeProvider.CreateTimer(_ => CheckDeadline(), null, period, period);
    }
}
