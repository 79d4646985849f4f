// Binds OrderService to gRPC: every rpc as the generated code has it, but for those that take orders one by one and in streams, whose messages stay
// encoded (EncodedMessage). On the wire nothing differs.

using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using V1 = OrderEngine.Contracts.V1;
using OrderService = OrderEngine.Server.Services.OrderService;

namespace OrderEngine.Server.Wire;

/// <summary>Gives gRPC the methods of OrderService, once, while the server starts.</summary>
internal sealed class SubmitMethods : IServiceMethodProvider<OrderService>
{
    /// <summary>What the framework's own provider finds in place of the generated binding, which would bind every rpc a second time.</summary>
    public static void BindNothing(ServiceBinderBase binder, OrderService service)
    {
    }

    /// <inheritdoc/>
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<OrderService> context) => V1.OrderService.BindService(new Binder(context), null);

    private sealed class Binder(ServiceMethodProviderContext<OrderService> context) : ServiceBinderBase
    {
        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
        {
            if (method.Name == nameof(OrderService.SubmitOrder)) context.AddUnaryMethod(Encoded(method), [], static (service, request, call) => service.SubmitOrder(request, call));
            else context.AddUnaryMethod(method, [], Invoker<UnaryServerMethod<OrderService, TRequest, TResponse>>(method));
        }

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
            context.AddClientStreamingMethod(method, [], Invoker<ClientStreamingServerMethod<OrderService, TRequest, TResponse>>(method));

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
            context.AddServerStreamingMethod(method, [], Invoker<ServerStreamingServerMethod<OrderService, TRequest, TResponse>>(method));

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
        {
            if (method.Name == nameof(OrderService.StreamSubmitOrders))
                context.AddDuplexStreamingMethod(Encoded(method), [], static (service, requests, responses, call) => service.StreamSubmitOrders(requests, responses, call));
            else context.AddDuplexStreamingMethod(method, [], Invoker<DuplexStreamingServerMethod<OrderService, TRequest, TResponse>>(method));
        }

        private static Method<EncodedMessage, EncodedMessage> Encoded(IMethod method) =>
            new(method.Type, method.ServiceName, method.Name, EncodedMessage.Marshaller, EncodedMessage.Marshaller);

        // The service's method as a delegate that takes the service first.
        private static TDelegate Invoker<TDelegate>(IMethod method) where TDelegate : Delegate
        {
            var parameters = typeof(TDelegate).GetMethod("Invoke")!.GetParameters()[1..];
            return typeof(OrderService).GetMethod(method.Name, [.. parameters.Select(one => one.ParameterType)])!.CreateDelegate<TDelegate>();
        }
    }
}
