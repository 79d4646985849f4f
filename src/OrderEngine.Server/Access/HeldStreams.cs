// Long streams are let in once and live for days: these two look again before every message, either way, and end the stream when its
// credential is no good any more. One object a call; the gRPC rules of one reader and one writer hold.

using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Mapping;

namespace OrderEngine.Server.Access;

/// <summary>Until when a call's credential is good: cancelled when it is revoked or has come to its end.</summary>
internal sealed class CredentialLife : IDisposable
{
    // What a timer can be set for; a stream that lives longer is looked at again at its next message anyway.
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(40);

    private readonly CancellationTokenSource _expired;
    private readonly CancellationTokenSource _any;

    /// <param name="caller">Whose.</param>
    /// <param name="time">The server's clock.</param>
    public CredentialLife(Caller caller, TimeProvider time)
    {
        var left = caller.Ends - time.GetUtcNow();
        _expired = new CancellationTokenSource(left > LongestTimer ? LongestTimer : left < TimeSpan.Zero ? TimeSpan.Zero : left, time);
        _any = CancellationTokenSource.CreateLinkedTokenSource(_expired.Token, caller.Revoked);
    }

    /// <summary>Cancelled at its end.</summary>
    public CancellationToken Ended => _any.Token;

    /// <summary>Ends the call.</summary>
    /// <exception cref="RpcException">The credential is no good any more.</exception>
    public void Check()
    {
        if (_any.IsCancellationRequested) throw Errors.Exception(ErrorReason.CredentialInvalid);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _any.Dispose();
        _expired.Dispose();
    }
}

/// <summary>Reads while the credential is good and at the rate that its holder may; a read that waits ends with it.</summary>
internal sealed class HeldReader<T>(IAsyncStreamReader<T> inner, CredentialLife life, ClientShare? share) : IAsyncStreamReader<T>
{
    /// <inheritdoc/>
    public T Current => inner.Current;

    /// <inheritdoc/>
    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        life.Check();
        var next = inner.MoveNext(cancellationToken);
        try
        {
            var more = await next.WaitAsync(life.Ended);
            life.Check();
            // A stream is not refused but slowed: what is not read holds its sender back.
            if (more && share is not null) await share.WaitAsync(life.Ended);
            return more;
        }
        catch (OperationCanceledException) when (life.Ended.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // The read is left behind; it ends with the call.
            _ = next.ContinueWith(static left => left.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            throw Errors.Exception(ErrorReason.CredentialInvalid);
        }
    }
}

/// <summary>Writes while the credential is good.</summary>
internal sealed class HeldWriter<T>(IServerStreamWriter<T> inner, CredentialLife life) : IServerStreamWriter<T>
{
    /// <inheritdoc/>
    public WriteOptions? WriteOptions
    {
        get => inner.WriteOptions;
        set => inner.WriteOptions = value;
    }

    /// <inheritdoc/>
    public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

    /// <inheritdoc/>
    public Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        life.Check();
        return inner.WriteAsync(message, cancellationToken);
    }
}
