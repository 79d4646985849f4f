// Between a connection and Kestrel's HTTP/2: looks at the heads of frames as they pass, and holds those back that begin a call until the call has its
// turn. Everything else passes as it comes, TLS included, which is told by its first byte. It knows how long a call lay there, and says so when it was too
// long for a while (ShownCredential.TurnsAway): more is asked than can be done, and AccessGate refuses. One reader, as for every pipe.

using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace OrderEngine.Server.Access;

/// <summary>A connection whose transport, also that which TLS puts in the place of the first, is read in turns.</summary>
internal sealed class TurnConnection : ConnectionContext
{
    private readonly ConnectionContext _inner;
    private readonly ConnectionTurns _turns;
    private readonly ShownCredential _shown;
    private IDuplexPipe? _transport;

    /// <param name="inner">The connection.</param>
    /// <param name="turns">Its turns.</param>
    /// <param name="shown">What it has shown.</param>
    public TurnConnection(ConnectionContext inner, ConnectionTurns turns, ShownCredential shown) => (_inner, _turns, _shown) = (inner, turns, shown);

    /// <inheritdoc/>
    public override IDuplexPipe Transport
    {
        get => _transport ??= Wrap(_inner.Transport);
        set => _transport = Wrap(value);
    }

    /// <inheritdoc/>
    public override string ConnectionId
    {
        get => _inner.ConnectionId;
        set => _inner.ConnectionId = value;
    }

    /// <inheritdoc/>
    public override IFeatureCollection Features => _inner.Features;

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items
    {
        get => _inner.Items;
        set => _inner.Items = value;
    }

    /// <inheritdoc/>
    public override CancellationToken ConnectionClosed
    {
        get => _inner.ConnectionClosed;
        set => _inner.ConnectionClosed = value;
    }

    /// <inheritdoc/>
    public override System.Net.EndPoint? LocalEndPoint
    {
        get => _inner.LocalEndPoint;
        set => _inner.LocalEndPoint = value;
    }

    /// <inheritdoc/>
    public override System.Net.EndPoint? RemoteEndPoint
    {
        get => _inner.RemoteEndPoint;
        set => _inner.RemoteEndPoint = value;
    }

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason) => _inner.Abort(abortReason);

    /// <inheritdoc/>
    public override void Abort() => _inner.Abort();

    private Pipes Wrap(IDuplexPipe transport) => transport as Pipes ?? new Pipes(new TurnReader(transport.Input, _turns, _shown), transport.Output);

    private sealed class Pipes(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}

/// <summary>Reads a connection so far as the calls that its bytes begin have their turn.</summary>
/// <param name="inner">The connection's bytes.</param>
/// <param name="turns">The connection's.</param>
/// <param name="shown">Says whose turn it is.</param>
internal sealed class TurnReader(PipeReader inner, ConnectionTurns turns, ShownCredential shown) : PipeReader
{
    private const int PrefaceBytes = 24;
    private const int HeadBytes = 9;
    private const byte Headers = 1;

    private Speech _speech;
    // Where the bytes that have passed end: so many more belong to a frame whose head has passed, and this is the last call that has begun.
    private (long Left, uint Call) _at = (PrefaceBytes, 0);
    // Passed, and not consumed yet.
    private long _known;
    private ReadOnlySequence<byte> _passed;
    // Counted from the connection's beginning.
    private long _consumed;
    // Bytes that had to wait: up to where, and when they had come. The newest are apart, and grow.
    private readonly Queue<(long End, long At)> _held = new();
    private (long End, long At) _newest;
    private long? _lateSince;
    private long _lastLate;
    private bool _turnsAway;
    private volatile bool _isCancelled;

    private enum Speech
    {
        Unknown,
        Http2,
        Other,
    }

    private enum Verdict
    {
        Pass,
        NeedMore,
        Wait,
    }

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var read = inner.ReadAsync(cancellationToken);
        if (_speech == Speech.Other) return read;
        if (!read.IsCompletedSuccessfully) return PassAsync(read, cancellationToken);
        var result = read.Result;
        return Look(ref result) == Verdict.Pass ? new ValueTask<ReadResult>(result) : PassAsync(new ValueTask<ReadResult>(result), cancellationToken);
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        if (!inner.TryRead(out result)) return false;
        if (_speech == Speech.Other || Look(ref result) == Verdict.Pass) return true;
        inner.AdvanceTo(result.Buffer.Start);
        result = default;
        return false;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_speech == Speech.Http2)
        {
            _consumed += _passed.Length;
            _known = consumed.Equals(_passed.End) ? 0 : _passed.Slice(consumed).Length;
            _consumed -= _known;
        }
        _passed = default;
        inner.AdvanceTo(consumed, examined);
    }

    /// <inheritdoc/>
    public override void CancelPendingRead()
    {
        if (_speech == Speech.Http2)
        {
            _isCancelled = true;
            turns.Cancel();
        }
        inner.CancelPendingRead();
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    /// <inheritdoc/>
    public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> PassAsync(ValueTask<ReadResult> read, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await read;
            var verdict = Look(ref result);
            if (verdict == Verdict.Pass) return result;
            if (verdict == Verdict.NeedMore)
            {
                inner.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                read = inner.ReadAsync(cancellationToken);
                continue;
            }
            var turn = turns.WaitAsync(shown.Client);
            if (_isCancelled) turns.Cancel();
            var places = await turn;
            if (places > 0)
            {
                PassWith(places, ref result);
                return result;
            }
            _isCancelled = false;
            _passed = result.Buffer.Slice(0, _known);
            return new ReadResult(_passed, isCanceled: true, isCompleted: false);
        }
    }

    // Passes as much as may; otherwise says why nothing may.
    private Verdict Look(ref ReadResult result)
    {
        _passed = result.Buffer;
        if (result.IsCanceled) _isCancelled = false;
        if (_speech == Speech.Unknown && !result.Buffer.IsEmpty) _speech = result.Buffer.FirstSpan[0] == (byte)'P' ? Speech.Http2 : Speech.Other;
        if (_speech != Speech.Http2 || result.IsCanceled) return Verdict.Pass;
        Walk(result.Buffer, ServerLimits.CallsThatBegin, out var calls, out _);
        return PassWith(calls == 0 ? 0 : turns.TryTake(calls), ref result);
    }

    private Verdict PassWith(int places, ref ReadResult result)
    {
        var end = Walk(result.Buffer, places, out var calls, out var at);
        if (places > calls) turns.GiveBack(places - calls);
        var length = result.Buffer.Length;
        if (calls > 0) shown.TurnsAway = MustTurnAway(LaidTooLong(_consumed + _known));
        var isHalfHead = length - end is > 0 and < HeadBytes;
        // The rest of a head is what the client owes. Where such a piece lies behind calls that wait it is as old as they are.
        if (end < length && !isHalfHead) Hold(_consumed + length);
        if (end == length || isHalfHead && end == _known && result.IsCompleted)
        {
            _at = at;
            _passed = result.Buffer;
            return Verdict.Pass;
        }
        if (end == _known) return isHalfHead ? Verdict.NeedMore : Verdict.Wait;
        _at = at;
        _passed = result.Buffer.Slice(0, end);
        result = new ReadResult(_passed, isCanceled: false, isCompleted: false);
        return Verdict.Pass;
    }

    private void Hold(long end)
    {
        if (end <= _newest.End) return;
        // Younger than they are said to be by no more than this.
        if (_newest.End > 0 && turns.Age(_newest.At) < ServerLimits.LongestUnread / 8)
        {
            _newest.End = end;
            return;
        }
        if (_newest.End > 0) _held.Enqueue(_newest);
        _newest = (end, turns.Now);
    }

    // True: the byte at this place came too long ago. Places rise from call to call.
    private bool LaidTooLong(long place)
    {
        while (_newest.End > 0 && (_held.TryPeek(out var oldest) ? oldest : _newest) is var (end, at))
        {
            if (place < end) return turns.Age(at) > ServerLimits.LongestUnread;
            if (!_held.TryDequeue(out _)) _newest = default;
        }
        return false;
    }

    // A burst is no overload: only when every call has been late for a while, and then until none has been late for longer.
    private bool MustTurnAway(bool isLate)
    {
        // What was late long ago is no part of it.
        if (turns.Age(_lastLate) >= ServerLimits.EndOfOverload) (_turnsAway, _lateSince) = (false, null);
        if (!isLate)
        {
            _lateSince = null;
            return false;
        }
        _lastLate = turns.Now;
        _lateSince ??= _lastLate;
        _turnsAway |= turns.Age(_lateSince.Value) >= ServerLimits.LongestBurst;
        return _turnsAway;
    }

    // How far the bytes may pass when so many calls may begin, how many do, and where that leaves the walk.
    private long Walk(in ReadOnlySequence<byte> bytes, int most, out int calls, out (long Left, uint Call) at)
    {
        calls = 0;
        var (left, call) = _at;
        var length = bytes.Length;
        var next = _known + left;
        Span<byte> head = stackalloc byte[HeadBytes];
        var reader = new SequenceReader<byte>(bytes);
        while (next < length)
        {
            reader.Advance(next - reader.Consumed);
            if (!reader.TryCopyTo(head)) break;
            // RFC 9113, 4.1: length, type, flags, stream. Headers of a stream that is open end it and begin no call.
            var stream = BinaryPrimitives.ReadUInt32BigEndian(head[5..]) & int.MaxValue;
            if (head[3] == Headers && stream > call)
            {
                if (calls == most) break;
                calls++;
                call = stream;
            }
            next += HeadBytes + (head[0] << 16 | BinaryPrimitives.ReadUInt16BigEndian(head[1..]));
        }
        var end = Math.Min(next, length);
        at = (next - end, call);
        return end;
    }
}
