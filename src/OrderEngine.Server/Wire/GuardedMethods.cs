// Binds services to gRPC, in place of the framework's own provider: every rpc as the generated code has it, within CallGuard. Rpcs at which the most is
// taken in or given out (orders one by one and in streams, the events of WatchOrders) have a method whose messages stay encoded (EncodedMessage); on the
// wire nothing differs. While the server starts.

using System.Reflection;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;

namespace OrderEngine.Server.Wire;

/// <summary>Gives gRPC the methods of a service, once.</summary>
internal sealed class GuardedMethods<TService>(CallGuard guard) : IServiceMethodProvider<TService> where TService : class
{
    // As the framework has it.
    private static readonly object[] Metadata = [new HttpMethodMetadata([HttpMethods.Post], acceptCorsPreflight: true)];

    /// <inheritdoc/>
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<TService> context)
    {
        var generated = typeof(TService).BaseType!;
        var binding = generated.GetCustomAttribute<BindServiceMethodAttribute>()!;
        binding.BindType.GetMethod(binding.BindMethodName, [typeof(ServiceBinderBase), generated])!.Invoke(null, [new Binder(context, guard), null]);
    }

    private sealed class Binder(ServiceMethodProviderContext<TService> context, CallGuard guard) : ServiceBinderBase
    {
        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
        {
            if (Find<UnaryServerMethod<TService, EncodedMessage, EncodedMessage>>(method) is { } encoded) context.AddUnaryMethod(Encoded(method), Metadata, guard.Around(encoded));
            else context.AddUnaryMethod(method, Metadata, guard.Around(Find<UnaryServerMethod<TService, TRequest, TResponse>>(method)!));
        }

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
            context.AddClientStreamingMethod(method, Metadata, guard.Around(Find<ClientStreamingServerMethod<TService, TRequest, TResponse>>(method)!));

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
        {
            if (Find<ServerStreamingServerMethod<TService, TRequest, EncodedMessage>>(method) is { } encoded)
                context.AddServerStreamingMethod(With(method, method.RequestMarshaller, EncodedMessage.Marshaller), Metadata, guard.Around(encoded));
            else context.AddServerStreamingMethod(method, Metadata, guard.Around(Find<ServerStreamingServerMethod<TService, TRequest, TResponse>>(method)!));
        }

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
        {
            if (Find<DuplexStreamingServerMethod<TService, EncodedMessage, EncodedMessage>>(method) is { } encoded) context.AddDuplexStreamingMethod(Encoded(method), Metadata, guard.Around(encoded));
            else context.AddDuplexStreamingMethod(method, Metadata, guard.Around(Find<DuplexStreamingServerMethod<TService, TRequest, TResponse>>(method)!));
        }

        private static Method<EncodedMessage, EncodedMessage> Encoded(IMethod method) => With(method, EncodedMessage.Marshaller, EncodedMessage.Marshaller);

        private static Method<TRequest, TResponse> With<TRequest, TResponse>(IMethod method, Marshaller<TRequest> requests, Marshaller<TResponse> responses) =>
            new(method.Type, method.ServiceName, method.Name, requests, responses);

        // The service's method on these messages as a delegate that takes the service first; null: it has none.
        private static TDelegate? Find<TDelegate>(IMethod method) where TDelegate : Delegate
        {
            var parameters = typeof(TDelegate).GetMethod("Invoke")!.GetParameters()[1..];
            return typeof(TService).GetMethod(method.Name, [.. parameters.Select(one => one.ParameterType)])?.CreateDelegate<TDelegate>();
        }
    }
}
