// Generated clients derive from these. A client is a name for a call invoker: cheap, stateless, safe for concurrent use.

namespace Grpc.Core;

/// <summary>A generated client that can be copied with another host.</summary>
/// <typeparam name="T">The client itself.</typeparam>
public abstract class ClientBase<T> : ClientBase
    where T : ClientBase<T>
{
    /// <summary>A client that cannot call; for mocks that override its methods.</summary>
    protected ClientBase() { }

    /// <summary>A client with a configuration taken from another one.</summary>
    protected ClientBase(ClientBaseConfiguration configuration) : base(configuration) { }

    /// <summary>A client over a channel.</summary>
    public ClientBase(ChannelBase channel) : base(channel) { }

    /// <summary>A client over a call invoker.</summary>
    public ClientBase(CallInvoker callInvoker) : base(callInvoker) { }

    /// <summary>The same client, asking for this host wherever the call does not name one.</summary>
    public T WithHost(string host) => NewInstance(Configuration.WithHost(host));

    /// <summary>Makes a client of the derived type with this configuration.</summary>
    protected abstract T NewInstance(ClientBaseConfiguration configuration);
}

/// <summary>What every generated client has.</summary>
public abstract class ClientBase
{
    private readonly ClientBaseConfiguration? _configuration;

    /// <summary>A client that cannot call; for mocks that override its methods.</summary>
    protected ClientBase() { }

    /// <summary>A client with a configuration taken from another one.</summary>
    protected ClientBase(ClientBaseConfiguration configuration) =>
        _configuration = configuration ?? throw new ArgumentNullException(nameof(configuration));

    /// <summary>A client over a channel.</summary>
    public ClientBase(ChannelBase channel) : this(channel.CreateCallInvoker()) { }

    /// <summary>A client over a call invoker.</summary>
    public ClientBase(CallInvoker callInvoker) : this(new ClientBaseConfiguration(callInvoker, null)) { }

    /// <summary>What the derived client starts its calls with.</summary>
    protected CallInvoker CallInvoker => Configuration.CreateDecoratedCallInvoker();

    internal ClientBaseConfiguration Configuration => _configuration
        ?? throw new InvalidOperationException($"This {GetType()} was made without a channel, for mocking: it cannot call.");

    /// <summary>The invoker of a client, with the host it asks for.</summary>
    protected internal class ClientBaseConfiguration
    {
        private readonly CallInvoker _invoker;

        internal ClientBaseConfiguration(CallInvoker invoker, string? host)
        {
            ArgumentNullException.ThrowIfNull(invoker);
            _invoker = host is null ? invoker : new HostCallInvoker(invoker, host);
        }

        internal CallInvoker CreateDecoratedCallInvoker() => _invoker;

        internal ClientBaseConfiguration WithHost(string host) => new(_invoker, host);
    }

    // The host that was named last wins: it is the outermost invoker.
    private sealed class HostCallInvoker(CallInvoker inner, string defaultHost) : CallInvoker
    {
        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            inner.BlockingUnaryCall(method, host ?? defaultHost, options, request);

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            inner.AsyncUnaryCall(method, host ?? defaultHost, options, request);

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            inner.AsyncServerStreamingCall(method, host ?? defaultHost, options, request);

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) =>
            inner.AsyncClientStreamingCall(method, host ?? defaultHost, options);

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) =>
            inner.AsyncDuplexStreamingCall(method, host ?? defaultHost, options);
    }
}
