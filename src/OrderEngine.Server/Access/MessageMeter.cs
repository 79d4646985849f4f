// What a client's calls hold in messages: a message is collected until it is whole, and what it says lies in memory until its call is answered. Each
// call may hold a little freely; what is more comes out of its client's share, and a call that finds the share used up ends. Waits for a single message
// before the call goes on (SlowMessages watches). One object a call, used again for later ones; one reader, as for every pipe.

using System.Buffers;
using System.IO.Pipelines;
using Grpc.Core;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.ObjectPool;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Mapping;

namespace OrderEngine.Server.Access;

/// <summary>Stands between a call's body and its reader, and counts.</summary>
internal sealed class MessageMeter : PipeReader, IRequestBodyPipeFeature
{
    private static readonly ObjectPool<MessageMeter> Spare = new DefaultObjectPool<MessageMeter>(new DefaultPooledObjectPolicy<MessageMeter>(), ServerLimits.OpenCallsPerClient);

    private HttpContext? _context;
    private IRequestBodyPipeFeature? _body;
    private PipeReader _inner = null!;
    private ClientShare _share = null!;
    private AccessMetrics _metrics = null!;
    private SlowMessages _slow = null!;
    private bool _isStream;
    private ReadOnlySequence<byte> _seen;
    private long _held;
    private long _came;
    private bool _isRefused;

    public MessageMeter() => Waiting = new LinkedListNode<MessageMeter>(this);

    /// <inheritdoc/>
    public PipeReader Reader => this;

    /// <summary>Its place among the calls that wait for their message. This and the next two belong to <see cref="SlowMessages"/>.</summary>
    internal LinkedListNode<MessageMeter> Waiting { get; }

    /// <summary>Since when it waits, as the clock's timestamp.</summary>
    internal long Since { get; set; }

    /// <summary>When it was looked at last, or began to wait.</summary>
    internal long LookedAt { get; set; }

    /// <summary>What has come of the message.</summary>
    internal long Bytes => Volatile.Read(ref _came);

    /// <summary>The call's; while the call lasts.</summary>
    internal IConnectionLifetimeFeature Connection => _context!.Features.GetRequiredFeature<IConnectionLifetimeFeature>();

    /// <summary>Puts a meter in front of a call's body.</summary>
    /// <param name="context">The call.</param>
    /// <param name="share">Its client's.</param>
    /// <param name="isStream">True: messages are done with one by one; false: what came is held until the call ends.</param>
    /// <param name="slow">Watches over a message that is not there yet.</param>
    /// <param name="metrics">Counts those that end.</param>
    public static MessageMeter Attach(HttpContext context, ClientShare share, bool isStream, SlowMessages slow, AccessMetrics metrics)
    {
        var meter = isStream ? new MessageMeter() : Spare.Get();
        meter._context = context;
        meter._inner = context.Request.BodyReader;
        meter._body = context.Features.Get<IRequestBodyPipeFeature>();
        meter._share = share;
        meter._isStream = isStream;
        meter._slow = slow;
        meter._metrics = metrics;
        context.Features.Set<IRequestBodyPipeFeature>(meter);
        return meter;
    }

    /// <summary>
    /// Waits for the single message of a call, or the first <see cref="ServerLimits.FreeMessageBytes"/> of it; false: the call has broken off. A call that breaks off
    /// further on costs several times as much, in exceptions.
    /// </summary>
    public ValueTask<bool> ArrivesAsync()
    {
        var read = _inner.ReadAsync();
        if (!read.IsCompletedSuccessfully) return ArrivesLateAsync(read);
        return IsThere(read.Result) ? new ValueTask<bool>(true) : ArrivesLateAsync(_inner.ReadAsync());
    }

    /// <summary>The call has ended.</summary>
    public void Release()
    {
        _share.Hold(-_held);
        _held = 0;
        _context!.Features.Set(_body);
        _context = null;
        // A stream's last read may have been left behind: its meter is not used again.
        if (_isStream) return;
        (_body, _inner, _share, _seen, _came, _isRefused) = (null, null!, null!, default, 0, false);
        Spare.Return(this);
    }

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (_isRefused)
        {
            var status = Errors.Status(ErrorReason.MessageShareUsedUp);
            _metrics.Refused(status);
            throw status.ToException(isCounted: true);
        }
        var read = _inner.ReadAsync(cancellationToken);
        return read.IsCompletedSuccessfully ? new ValueTask<ReadResult>(Seen(read.Result)) : SeenAsync(read);
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        if (!_inner.TryRead(out result)) return false;
        Seen(result);
        return true;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        var left = _seen.Length - (_seen.Length == 0 ? 0 : _seen.Slice(0, consumed).Length);
        // Of a single message what was consumed is still held, as what it said.
        var holds = Math.Max(0, (_isStream ? left : _seen.Length) - ServerLimits.FreeMessageBytes);
        if (_context is not null && (holds > _held || _isStream && holds != _held))
        {
            _isRefused = !_share.Hold(holds - _held);
            _held = holds;
        }
        _seen = default;
        _inner.AdvanceTo(consumed, examined);
    }

    /// <inheritdoc/>
    public override void CancelPendingRead() => _inner.CancelPendingRead();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => _inner.Complete(exception);

    private async ValueTask<ReadResult> SeenAsync(ValueTask<ReadResult> read) => Seen(await read);

    private ReadResult Seen(ReadResult result)
    {
        _seen = result.Buffer;
        return result;
    }
    private async ValueTask<bool> ArrivesLateAsync(ValueTask<ReadResult> read)
    {
        _slow.Enter(this);
        try
        {
            while (!IsThere(await read)) read = _inner.ReadAsync();
            return true;
        }
        catch (BadHttpRequestException)
        {
            // Its reader meets it again, and answers.
            return true;
        }
        catch (Exception broken) when (broken is IOException or OperationCanceledException)
        {
            return false;
        }
        finally
        {
            _slow.Leave(this);
        }
    }

    private bool IsThere(ReadResult result)
    {
        Volatile.Write(ref _came, result.Buffer.Length);
        var isThere = result.IsCompleted || result.IsCanceled || result.Buffer.Length >= ServerLimits.FreeMessageBytes;
        _inner.AdvanceTo(result.Buffer.Start, isThere ? result.Buffer.Start : result.Buffer.End);
        return isThere;
    }
}
