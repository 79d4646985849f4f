// Where a service's methods are bound to their handlers. Generated code calls it; the server implements it.

namespace Grpc.Core;

/// <summary>Takes a service's methods one by one. A binder that does not override a kind of method does not serve it.</summary>
public abstract class ServiceBinderBase
{
    /// <summary>Binds a method: one request, one response. The handler is null when the server finds it by the method's name.</summary>
    public virtual void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
        where TRequest : class
        where TResponse : class => throw Unserved(method);

    /// <summary>Binds a method: many requests, one response. The handler is null when the server finds it by the method's name.</summary>
    public virtual void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
        where TRequest : class
        where TResponse : class => throw Unserved(method);

    /// <summary>Binds a method: one request, many responses. The handler is null when the server finds it by the method's name.</summary>
    public virtual void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
        where TRequest : class
        where TResponse : class => throw Unserved(method);

    /// <summary>Binds a method: many requests, many responses. The handler is null when the server finds it by the method's name.</summary>
    public virtual void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
        where TRequest : class
        where TResponse : class => throw Unserved(method);

    private NotSupportedException Unserved(IMethod method) => new($"{GetType()} does not serve {method.Type}: {method.FullName}.");
}
