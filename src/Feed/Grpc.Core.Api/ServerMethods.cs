// The shapes of a service's methods, as generated code binds them. A handler runs on a pool thread, one call each.

namespace Grpc.Core;

/// <summary>Handles a call: one request, one response.
/// An <see cref="RpcException"/> becomes its status; any other exception becomes UNKNOWN.</summary>
public delegate Task<TResponse> UnaryServerMethod<TRequest, TResponse>(
    TRequest request,
    ServerCallContext context)
    where TRequest : class
    where TResponse : class;

/// <summary>Handles a call: many requests, one response.
/// An <see cref="RpcException"/> becomes its status; any other exception becomes UNKNOWN.</summary>
public delegate Task<TResponse> ClientStreamingServerMethod<TRequest, TResponse>(
    IAsyncStreamReader<TRequest> requestStream,
    ServerCallContext context)
    where TRequest : class
    where TResponse : class;

/// <summary>Handles a call: one request, many responses.
/// An <see cref="RpcException"/> becomes its status; any other exception becomes UNKNOWN.</summary>
public delegate Task ServerStreamingServerMethod<TRequest, TResponse>(
    TRequest request,
    IServerStreamWriter<TResponse> responseStream,
    ServerCallContext context)
    where TRequest : class
    where TResponse : class;

/// <summary>Handles a call: many requests, many responses.
/// An <see cref="RpcException"/> becomes its status; any other exception becomes UNKNOWN.</summary>
public delegate Task DuplexStreamingServerMethod<TRequest, TResponse>(
    IAsyncStreamReader<TRequest> requestStream,
    IServerStreamWriter<TResponse> responseStream,
    ServerCallContext context)
    where TRequest : class
    where TResponse : class;
