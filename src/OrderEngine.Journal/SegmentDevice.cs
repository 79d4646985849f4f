// FASTER's device: segment files of fixed size, zero-filled before they are used, each write durable when it returns.
// FASTER's own device is not used: it opens with O_SYNC (a journal commit of the file system for each new time stamp), lets files
// grow, and reports a failed write by a number only.
//
// One thread, "journal-writer", does all writes in the order given and runs FASTER's completion callbacks; reads (FASTER reads
// one page, at recovery) go to the thread pool. The first error is final: later writes are refused without touching the disk.

using FASTER.core;

namespace OrderEngine.Journal;

internal sealed unsafe class SegmentDevice : StorageDeviceBase
{
    private const uint Failed = 1; // FASTER's callbacks take any number but 0 for an error

    private readonly DataDirectory directory;
    private readonly JournalGeometry geometry;
    private readonly Disk disk;
    private readonly Action<Exception> onError;
    private readonly Action onWritten;
    private readonly Lock sync = new();
    private readonly AutoResetEvent wake = new(false);
    private readonly Queue<Write> writes = new();
    private readonly Dictionary<int, DurableFile> files = [];
    private readonly Thread? writer;
    private Task preparation = Task.CompletedTask;
    private int preparedUpTo;
    private int removedBelow;
    private bool writing;
    private bool stopped;
    private volatile bool broken;

    private readonly record struct Write(nint Source, int Segment, long Offset, int Length, DeviceIOCompletionCallback Callback, object Context);

    /// <param name="directory">Where the segments lie.</param>
    /// <param name="geometry">Their size.</param>
    /// <param name="firstSegment">The first one kept.</param>
    /// <param name="lastSegment">The last one that exists in full size.</param>
    /// <param name="onError">Gets the first error, on the writer's thread, before FASTER learns of it.</param>
    /// <param name="onWritten">Told of each write when FASTER has learnt of it, on the writer's thread.</param>
    public SegmentDevice(DataDirectory directory, JournalGeometry geometry, int firstSegment, int lastSegment,
        Action<Exception> onError, Action onWritten)
        : base(Path.Combine(directory.Journal, "log"), JournalGeometry.BlockSize, Devices.CAPACITY_UNSPECIFIED)
    {
        this.directory = directory;
        this.geometry = geometry;
        disk = directory.Disk;
        this.onError = onError;
        this.onWritten = onWritten;
        startSegment = removedBelow = firstSegment;
        preparedUpTo = lastSegment;
        if (disk.Steps is not null) return;
        writer = new Thread(RunWriter) { Name = "journal-writer", IsBackground = true };
        writer.Start();
    }

    /// <summary>No write is under way or waiting.</summary>
    public bool Idle
    {
        get { lock (sync) return !writing && writes.Count == 0; }
    }

    /// <summary>Refuses every later write. Does not wait for one that is under way.</summary>
    public void Break() => broken = true;

    public override void WriteAsync(IntPtr sourceAddress, int segmentId, ulong destinationAddress, uint numBytesToWrite,
        DeviceIOCompletionCallback callback, object context)
    {
        var write = new Write(sourceAddress, segmentId, (long)destinationAddress, (int)numBytesToWrite, callback, context);
        if (disk.Steps is { } steps)
        {
            AddSteps(steps, write);
            return;
        }
        lock (sync) writes.Enqueue(write);
        wake.Set();
    }

    private void AddSteps(IDeviceSteps steps, Write write)
    {
        var error = Failed;
        steps.Add(geometry.StartOfSegment(write.Segment) + write.Offset + write.Length, () => error = Execute(write), () => Complete(write, error));
    }

    private void RunWriter()
    {
        PromptThread.AskFor();
        while (true)
        {
            Write write;
            lock (sync)
            {
                writing = writes.TryDequeue(out write);
                if (!writing && stopped) return;
            }
            if (writing) Complete(write, Execute(write));
            else wake.WaitOne();
        }
    }

    private uint Execute(in Write write)
    {
        try
        {
            if (!broken)
            {
                FileOf(write.Segment).Write(new ReadOnlySpan<byte>((void*)write.Source, write.Length), write.Offset);
                PrepareNext(write.Segment, write.Offset + write.Length);
                return 0;
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            broken = true;
            onError(failure);
        }
        return Failed;
    }

    private void Complete(in Write write, uint error)
    {
        write.Callback(error, error == 0 ? (uint)write.Length : 0, write.Context);
        onWritten();
    }

    private DurableFile FileOf(int segment)
    {
        lock (sync)
        {
            if (files.TryGetValue(segment, out var open)) return open;
        }
        // Segments are entered in order, so the one before is closed: it is never written again.
        preparation.Wait();
        if (segment > preparedUpTo) Prepare(segment);
        var file = DurableFile.Open(directory.Segment(segment), create: false, disk);
        lock (sync)
        {
            foreach (var old in files.Keys.Where(number => number < segment - 1).ToList())
            {
                files.Remove(old, out var closed);
                closed?.Dispose();
            }
            files.Add(segment, file);
        }
        return file;
    }

    /// <summary>Makes the next segment in the background once this one is half full, so that no commit waits for it.</summary>
    private void PrepareNext(int segment, long written)
    {
        if (written < geometry.SegmentSize / 2 || segment < preparedUpTo || !preparation.IsCompleted) return;
        preparation = disk.Background(() =>
        {
            try
            {
                Prepare(segment + 1);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // A full disk need not be full any more when the segment is needed: FileOf tries again, and that is final.
            }
        });
    }

    private void Prepare(int segment)
    {
        CreateSegment(directory.Segment(segment), geometry.SegmentSize, disk);
        disk.FlushDirectory(directory.Journal);
        preparedUpTo = segment;
    }

    /// <summary>Creates a segment file, or brings a shorter one to its full size with zeros.</summary>
    public static void CreateSegment(string path, long size, Disk disk)
    {
        using var file = DurableFile.Open(path, create: true, disk);
        if (file.Length < size) file.ZeroFill(file.Length, size);
    }

    public override void ReadAsync(int segmentId, ulong sourceAddress, IntPtr destinationAddress, uint readLength,
        DeviceIOCompletionCallback callback, object context)
    {
        ThreadPool.UnsafeQueueUserWorkItem(_ =>
        {
            var error = Failed;
            try
            {
                using var file = DurableFile.Open(directory.Segment(segmentId), create: false, disk);
                var target = new Span<byte>((void*)destinationAddress, (int)readLength);
                target[file.Read(target, (long)sourceAddress)..].Clear();
                error = 0;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                broken = true;
                onError(failure);
            }
            callback(error, error == 0 ? readLength : 0, context);
        }, null);
    }

    /// <summary>Deletes the segments below <paramref name="segment"/>. The commit record no longer needs them.</summary>
    public void RemoveBelow(int segment)
    {
        lock (sync)
        {
            for (; removedBelow < segment; removedBelow++)
            {
                if (files.Remove(removedBelow, out var file)) file.Dispose();
                disk.Delete(directory.Segment(removedBelow));
            }
        }
        disk.FlushDirectory(directory.Journal);
    }

    /// <summary>Never asked for: FASTER is not told of truncations.</summary>
    public override void RemoveSegmentAsync(int segment, AsyncCallback callback, IAsyncResult result) =>
        throw new NotSupportedException("Segments are removed by the journal.");

    /// <summary>Ends the writer's thread when it is idle, and closes the files.</summary>
    public override void Dispose()
    {
        lock (sync) stopped = true;
        wake.Set();
        if (writer?.Join(JournalLimits.DisposeDeadline) == false) return; // stuck in the kernel: the files stay open until the process ends
        preparation.Wait();
        lock (sync)
        {
            foreach (var file in files.Values) file.Dispose();
            files.Clear();
        }
        wake.Dispose();
    }
}
