// How the load tool's unary calls reach the server by default: over LeanConnections, because on a machine that client and server share the standard client
// takes nearly as much of it as the engine does (docs/LOAD.md). Everything else (streams, deadlines, headers, long requests, TLS) goes by Grpc.Net.Client.
// Any thread.

using System.Buffers;
using System.Collections.Concurrent;
using Grpc.Core;

namespace OrderEngine.Load.Transport;

/// <summary>Invokes calls of generated clients. Opens a connection with the first call, and further ones when those that there are have no room.</summary>
/// <remarks>Who awaits an answer goes on on the thread that reads the connection, and holds up all answers of that connection while it does not wait again.</remarks>
/// <param name="address">http://host:port.</param>
/// <param name="other">Takes what is not a plain unary call.</param>
internal sealed class LeanInvoker(Uri address, CallInvoker other) : CallInvoker, IDisposable
{
    [ThreadStatic]
    private static Request? _request;

    private readonly ConcurrentDictionary<IMethod, byte[]> _headers = new(ReferenceEqualityComparer.Instance);
    private readonly Func<IMethod, byte[]> _headersOf = method => RequestHeaders.Of(method.FullName, address.Authority);
    private readonly Lock _opening = new();
    private LeanConnection[] _connections = [];
    private bool _isDisposed;

    /// <inheritdoc/>
    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        if (host is not null || options.Deadline is not null || options.Headers is { Count: > 0 } || options.Credentials is not null)
            return other.AsyncUnaryCall(method, host, options, request);
        var message = _request ??= new Request();
        message.Clear();
        method.RequestMarshaller.ContextualSerializer(request, message);
        if (message.Written.Length > LeanConnection.MostRequestBytes) return other.AsyncUnaryCall(method, host, options, request);
        var call = new LeanCall<TResponse>(method.ResponseMarshaller.ContextualDeserializer);
        call.CancelWith(options.CancellationToken);
        if (!call.HasEnded) Begin(call, _headers.GetOrAdd(method, _headersOf), message.Written);
        return new AsyncUnaryCall<TResponse>(call.Answer, static _ => Task.FromResult(Metadata.Empty),
            static call => ((LeanCall)call).Status ?? throw new InvalidOperationException("The call has not ended."), static call => ((LeanCall)call).Trailers,
            static call => ((LeanCall)call).Cancel(), call);
    }

    /// <inheritdoc/>
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        other.BlockingUnaryCall(method, host, options, request);

    /// <inheritdoc/>
    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => other.AsyncServerStreamingCall(method, host, options, request);

    /// <inheritdoc/>
    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        other.AsyncClientStreamingCall(method, host, options);

    /// <inheritdoc/>
    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        other.AsyncDuplexStreamingCall(method, host, options);

    /// <summary>Closes the connections; calls that are under way fail.</summary>
    public void Dispose()
    {
        lock (_opening)
        {
            _isDisposed = true;
            foreach (var connection in _connections) connection.Dispose();
        }
    }

    // Never waits: who begins a call may be the thread that the answers of others, or an arrival that is due, wait for.
    private void Begin(LeanCall call, byte[] headers, ReadOnlySpan<byte> message)
    {
        foreach (var connection in Volatile.Read(ref _connections))
            if (connection.TryBegin(call, headers, message)) return;
        var why = "The client is closed, or the connection was at once.";
        try
        {
            lock (_opening)
            {
                if (!_isDisposed)
                {
                    // Another thread may have opened one meanwhile.
                    foreach (var connection in _connections)
                        if (connection.TryBegin(call, headers, message)) return;
                    var opened = new LeanConnection(address.Host, address.Port, unsent => Begin(unsent.Call, unsent.Headers, unsent.Message));
                    Volatile.Write(ref _connections, [.. _connections.Where(one => !one.HasEnded), opened]);
                    if (opened.TryBegin(call, headers, message)) return;
                }
            }
        }
        catch (Exception exception)
        {
            // No socket is to be had, or no thread: nobody but the call could be told.
            why = exception.Message;
        }
        call.FailLater($"{address.Authority}: {why}");
    }

    /// <summary>A request as bytes; one a thread.</summary>
    private sealed class Request : SerializationContext
    {
        private readonly ArrayBufferWriter<byte> _bytes = new(4096);

        public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

        public void Clear() => _bytes.ResetWrittenCount();

        public override void Complete(byte[] payload) => _bytes.Write(payload);

        public override void Complete()
        {
        }

        public override void SetPayloadLength(int payloadLength)
        {
        }

        public override IBufferWriter<byte> GetBufferWriter() => _bytes;
    }
}
