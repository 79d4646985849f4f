// Owns how a single call is tried again: the same message, so the same request id, until it is answered or the budget is used up.
// Streams pass through: the pipelines and watches know how to resume. Any thread.
using Google.Protobuf;
using Grpc.Core;

namespace OrderEngine.Client;

/// <summary>Stands between the generated clients and the channel.</summary>
internal sealed class RetryingCallInvoker(CallInvoker inner, OrderEngineClientOptions settings, Jitter jitter) : CallInvoker
{
    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        if (request is IMessage message)
            RequestIds.Complete(message, settings.Actor, settings.TimeProvider);
        var attempts = new Attempts<TRequest, TResponse>(this, method, host, options, request);
        var answer = attempts.RunAsync();
        return new AsyncUnaryCall<TResponse>(answer, attempts.Headers, attempts.GetStatus, attempts.GetTrailers, attempts.Cancel);
    }

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        AsyncUnaryCall(method, host, options, request).ResponseAsync.ConfigureAwait(false).GetAwaiter().GetResult();

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        inner.AsyncServerStreamingCall(method, host, options, request);

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        inner.AsyncClientStreamingCall(method, host, options);

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        inner.AsyncDuplexStreamingCall(method, host, options);

    private sealed class Attempts<TRequest, TResponse>(
        RetryingCallInvoker owner, Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        where TRequest : class
        where TResponse : class
    {
        private readonly TaskCompletionSource<Metadata> _headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly CancellationTokenSource _cancel = CancellationTokenSource.CreateLinkedTokenSource(options.CancellationToken);
        private Status _status = Status.DefaultSuccess;
        private Metadata _trailers = Metadata.Empty;
        private bool _over;

        public Task<Metadata> Headers => _headers.Task;

        public Status GetStatus() => _over ? _status : throw new InvalidOperationException("The call is not finished.");

        public Metadata GetTrailers() => _over ? _trailers : throw new InvalidOperationException("The call is not finished.");

        public void Cancel()
        {
            if (!_over)
                _cancel.Cancel();
        }

        public async Task<TResponse> RunAsync()
        {
            var settings = owner.Settings;
            var backoff = new Backoff(settings.Retry, settings.TimeProvider, owner.Jitter);
            try
            {
                while (true)
                {
                    try
                    {
                        return await AttemptAsync(settings).ConfigureAwait(false);
                    }
                    catch (RpcException failed) when (!_cancel.IsCancellationRequested)
                    {
                        var failure = OrderEngineException.From(failed);
                        (_status, _trailers) = (failed.Status, failed.Trailers);
                        if (!failure.Error.Retryable || DeadlinePassed(settings)
                            || !await backoff.WaitAsync(failure.Error.RetryDelay, _cancel.Token).ConfigureAwait(false))
                            throw failure;
                    }
                    catch (RpcException)
                    {
                        throw new OperationCanceledException(_cancel.Token);
                    }
                }
            }
            finally
            {
                _over = true;
                _headers.TrySetResult(Metadata.Empty);
                _cancel.Dispose();
            }
        }

        private async Task<TResponse> AttemptAsync(OrderEngineClientOptions settings)
        {
            var deadline = options.Deadline ?? settings.TimeProvider.GetUtcNow().UtcDateTime + settings.CallTimeout;
            using var call = owner.Inner.AsyncUnaryCall(
                method, host, options.WithDeadline(deadline).WithCancellationToken(_cancel.Token), request);
            var answer = await call.ResponseAsync.ConfigureAwait(false);
            _headers.TrySetResult(await call.ResponseHeadersAsync.ConfigureAwait(false));
            (_status, _trailers) = (call.GetStatus(), call.GetTrailers());
            return answer;
        }

        private bool DeadlinePassed(OrderEngineClientOptions settings) =>
            options.Deadline is { } deadline && settings.TimeProvider.GetUtcNow().UtcDateTime >= deadline;
    }

    private CallInvoker Inner => inner;

    private OrderEngineClientOptions Settings => settings;

    private Jitter Jitter => jitter;
}
