// A unary call on its way over a LeanConnection. Begun by any thread; answered on the connection's reading thread.

using System.Buffers;
using Grpc.Core;

namespace OrderEngine.Load.Transport;

/// <summary>What the connection knows of a call, whatever its answer is.</summary>
internal abstract class LeanCall
{
    private LeanConnection? _connection;
    private CancellationTokenRegistration _cancellation;
    private bool _hasEnded;

    /// <summary>The stream that it is; 0: none yet. Under the connection's lock.</summary>
    public int Stream { get; set; }

    /// <summary>Parts of an answer that did not come in one frame; null: none. The reading thread.</summary>
    public ArrayBufferWriter<byte>? Parts { get; set; }

    /// <summary>Null until the call has ended.</summary>
    public Status? Status { get; private set; }

    /// <summary>What came with the status.</summary>
    public Metadata Trailers { get; private set; } = Metadata.Empty;

    /// <summary>Reads the answer. The reading thread, before the call ends.</summary>
    /// <exception cref="Exception">Whatever the answer's reader throws.</exception>
    public abstract void Read(DeserializationContext answer);

    /// <summary>True: nobody waits for an answer any more.</summary>
    public bool HasEnded => Volatile.Read(ref _hasEnded);

    /// <summary>The call is this connection's. Under the connection's lock, before <see cref="HasEnded"/> is looked at: who ends it then knows where, or it is not sent.</summary>
    public void BelongsTo(LeanConnection connection) => Interlocked.Exchange(ref _connection, connection);

    /// <summary>Withdraws the call with a token. Once, by who makes it, before it is begun.</summary>
    public void CancelWith(CancellationToken cancellation)
    {
        if (!cancellation.CanBeCanceled) return;
        _cancellation = cancellation.UnsafeRegister(static call => ((LeanCall)call!).Cancel(), this);
    }

    /// <summary>Ends the call; who comes first says how. Who awaits it goes on here and now.</summary>
    public void End(Status status, Metadata trailers)
    {
        if (!Interlocked.Exchange(ref _hasEnded, true)) Tell(status, trailers);
    }

    /// <summary>Ends the call as unavailable, on the pool: who goes on may ask again and fail at once, for as long as the server is gone, and others would wait for him.</summary>
    public void FailLater(string why) =>
        ThreadPool.UnsafeQueueUserWorkItem(static end => end.Call.End(new Status(StatusCode.Unavailable, end.Why), Metadata.Empty), (Call: this, Why: why), preferLocal: false);

    /// <summary>Withdraws the call, if it has not ended. Any thread.</summary>
    public void Cancel()
    {
        if (Interlocked.Exchange(ref _hasEnded, true)) return;
        Volatile.Read(ref _connection)?.Withdraw(this);
        Tell(new Status(StatusCode.Cancelled, "Call canceled by the client."), Metadata.Empty);
    }

    private void Tell(Status status, Metadata trailers)
    {
        (Trailers, Status) = (trailers, status);
        _cancellation.Unregister();
        Complete(status, trailers);
    }

    protected abstract void Complete(Status status, Metadata trailers);
}

/// <summary>A call and who waits for it.</summary>
/// <param name="read">Reads the answer.</param>
internal sealed class LeanCall<TResponse>(Func<DeserializationContext, TResponse> read) : LeanCall
    where TResponse : class
{
    // Who waits goes on, on the reading thread, which needs no other thread to be woken; what it sends goes out when everything that came in has been looked at.
    private readonly TaskCompletionSource<TResponse> _answered = new();
    private TResponse? _answer;

    public Task<TResponse> Answer => _answered.Task;

    public override void Read(DeserializationContext answer) => _answer = read(answer);

    protected override void Complete(Status status, Metadata trailers)
    {
        if (status.StatusCode == StatusCode.OK && _answer is not null) _answered.SetResult(_answer);
        else if (status.StatusCode == StatusCode.OK) _answered.SetException(new RpcException(new Status(StatusCode.Internal, "The answer has no message."), trailers));
        else _answered.SetException(new RpcException(status, trailers));
    }
}
