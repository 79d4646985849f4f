// The exports of orders that are under way, or whose stream broke and may be gone on with: each has its orders, as of one sequence, in a spool on the disk.
// A spool has no name: it is unlinked as soon as it is open, so that nothing of it is left behind when the process ends. Any thread.

using System.Security.Cryptography;
using OrderEngine.Contracts.V1;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using OrderEngine.Server.Mapping;

namespace OrderEngine.Server.Services;

/// <summary>An export and its place among the others.</summary>
/// <param name="id">What its tokens carry.</param>
/// <param name="owner">Who asked for it.</param>
/// <param name="request">What was asked for.</param>
internal sealed class KeptExport(uint id, string owner, ulong request)
{
    public uint Id => id;
    public string Owner => owner;
    public ulong Request => request;

    /// <summary>Its orders; null while they are captured.</summary>
    public OrderExport? Orders { get; set; }

    /// <summary>Held by the stream that sends it; at first by the one that captures it.</summary>
    public SemaphoreSlim Turn { get; } = new(0);

    /// <summary>Streams that send it or wait for their turn.</summary>
    public int Users { get; set; } = 1;

    /// <summary>Ends the stream that took it last.</summary>
    public CancellationTokenSource Stream { get; set; } = new();

    /// <summary>Rings when it was kept long enough.</summary>
    public ITimer? Clock { get; set; }

    /// <summary>Since when nobody uses it, in ticks of the clock.</summary>
    public long IdleSince { get; set; }
}

/// <summary>All of them.</summary>
internal sealed class OrderExports(EngineCalls calls, TimeProvider time, string directory) : IDisposable
{
    private const string SpoolName = "export.spool";
    private const int BufferBytes = 1 << 16;

    private readonly Lock _sync = new();
    private readonly List<KeptExport> _kept = [];

    /// <summary>Captures orders for a new export; its stream has its turn, and ends when another one takes it over.</summary>
    /// <exception cref="Grpc.Core.RpcException">There are too many, or the disk has no room.</exception>
    public async Task<(KeptExport Export, CancellationToken TakenOver)> BeginAsync(OrderQuery query, string owner, ulong request, CancellationToken ct)
    {
        var export = Reserve(owner, request);
        var takenOver = export.Stream.Token;
        try
        {
            export.Orders = await calls.Engine.ExportOrdersAsync(query, OpenSpool(), ct);
            return (export, takenOver);
        }
        catch (Exception error)
        {
            lock (_sync) _kept.Remove(export);
            export.Turn.Release();
            if (error is IOException or UnauthorizedAccessException) throw Errors.Status(ErrorReason.DiskLow, error.Message).ToException();
            throw;
        }
    }

    /// <summary>Takes an export over for another stream, and ends the one that still sends it.</summary>
    /// <exception cref="Grpc.Core.RpcException">It is not kept, or was of another request.</exception>
    public async Task<(KeptExport Export, CancellationToken TakenOver)> ResumeAsync(uint id, string owner, ulong request, CancellationToken ct)
    {
        KeptExport export;
        var stream = new CancellationTokenSource();
        lock (_sync)
        {
            export = _kept.Find(one => one.Id == id && one.Owner == owner) ?? throw Errors.Exception(ErrorReason.ExportEnded);
            if (export.Request != request) throw Errors.InvalidField("resume_token", "must come of an export with the same request").ToException();
            export.Users++;
            export.Stream.Cancel();
            export.Stream = stream;
        }
        using var any = CancellationTokenSource.CreateLinkedTokenSource(ct, stream.Token);
        try
        {
            await export.Turn.WaitAsync(any.Token);
        }
        catch (OperationCanceledException)
        {
            Forget(export);
            ct.ThrowIfCancellationRequested();
            throw Errors.Exception(ErrorReason.ExportEnded);
        }
        if (export.Orders is not null) return (export, stream.Token);
        export.Turn.Release();
        throw Errors.Exception(ErrorReason.ExportEnded);
    }

    /// <summary>Ends a stream's turn. Also what is whole is kept for a while: nobody knows whether the last message has come to its client.</summary>
    public void Leave(KeptExport export)
    {
        export.Turn.Release();
        Forget(export);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_sync)
        {
            foreach (var export in _kept.Where(one => one.Users == 0).ToList()) Drop(export);
        }
    }

    private KeptExport Reserve(string owner, ulong request)
    {
        lock (_sync)
        {
            if (_kept.Count(one => one.Owner == owner) >= ServerLimits.OrderExportsPerClient) DropIdlest(one => one.Owner == owner);
            if (_kept.Count >= ServerLimits.OrderExports) DropIdlest(_ => true);
            uint id;
            do id = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint)));
            while (id == 0 || _kept.Exists(one => one.Id == id));
            var export = new KeptExport(id, owner, request);
            _kept.Add(export);
            return export;
        }
    }

    private void DropIdlest(Func<KeptExport, bool> among) =>
        Drop(_kept.Where(one => one.Users == 0 && among(one)).MinBy(one => one.IdleSince) ?? throw Errors.Exception(ErrorReason.AlreadyRunning));

    private void Forget(KeptExport export)
    {
        lock (_sync)
        {
            if (--export.Users > 0 || !_kept.Contains(export)) return;
            export.IdleSince = time.GetTimestamp();
            export.Clock ??= time.CreateTimer(_ => DropIdle(export), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            export.Clock.Change(ServerLimits.ExportKept, Timeout.InfiniteTimeSpan);
        }
    }

    private void DropIdle(KeptExport export)
    {
        lock (_sync)
        {
            // Taken up again, or left again, since the clock was set.
            if (export.Users == 0 && time.GetElapsedTime(export.IdleSince) >= ServerLimits.ExportKept) Drop(export);
        }
    }

    private void Drop(KeptExport export)
    {
        _kept.Remove(export);
        export.Clock?.Dispose();
        export.Orders?.Dispose();
    }

    // One at a time under the name: it is gone before the next opens it.
    private FileStream OpenSpool()
    {
        lock (_sync)
        {
            var path = Path.Combine(directory, SpoolName);
            File.Delete(path);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Delete, BufferSize = BufferBytes };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            var spool = new FileStream(path, options);
            File.Delete(path);
            return spool;
        }
    }
}
