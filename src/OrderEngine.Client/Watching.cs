// Owns the resumption of a watch: after any break the stream is opened again from the last token. Each enumeration is used by one
// reader at a time and opens its own stream.
using System.Runtime.CompilerServices;
using Grpc.Core;

namespace OrderEngine.Client;

internal static class Watching
{
    /// <summary>Messages of a server stream, over as many streams as it takes.</summary>
    /// <param name="open">Opens a stream; called again after each break, by when the caller has taken the last message's token.</param>
    /// <param name="backoff">The waits between; a message resets it.</param>
    /// <param name="onBreak">Told of each break before the wait.</param>
    /// <param name="cancellationToken">Ends the watch with <see cref="OperationCanceledException"/>.</param>
    public static async IAsyncEnumerable<TResponse> ReadAsync<TResponse>(
        Func<CancellationToken, AsyncServerStreamingCall<TResponse>> open, Backoff backoff, Action<OrderEngineError>? onBreak,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            OrderEngineException? failure = null;
            using (var call = open(cancellationToken))
            {
                while (failure is null)
                {
                    try
                    {
                        if (!await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
                            failure = new OrderEngineException(OrderEngineError.Unavailable("The engine closed the stream."));
                    }
                    catch (RpcException broken)
                    {
                        cancellationToken.ThrowIfCancellationRequested();
                        failure = OrderEngineError.OfStream(broken);
                    }

                    if (failure is not null)
                        break;
                    backoff.Reset();
                    yield return call.ResponseStream.Current;
                }
            }

            if (!failure!.Error.Retryable)
                throw failure;
            onBreak?.Invoke(failure.Error);
            if (!await backoff.WaitAsync(failure.Error.RetryDelay, cancellationToken).ConfigureAwait(false))
                throw failure;
        }
    }
}
