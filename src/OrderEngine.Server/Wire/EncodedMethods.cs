// Binds services to gRPC: every rpc as the generated code has it, but for those at which the most is taken in or given out (orders one by one and in
// streams, the events of WatchOrders), whose messages stay encoded (EncodedMessage). On the wire nothing differs.

using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using OrderEngine.Server.Services;
using OrderService = OrderEngine.Server.Services.OrderService;
using TrackingService = OrderEngine.Server.Services.TrackingService;
using V1 = OrderEngine.Contracts.V1;

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

    private sealed class Binder(ServiceMethodProviderContext<OrderService> context) : EncodedMethods<OrderService>(context)
    {
        private readonly ServiceMethodProviderContext<OrderService> _context = context;

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
        {
            if (method.Name == nameof(OrderService.SubmitOrder)) _context.AddUnaryMethod(Encoded(method), [], static (service, request, call) => service.SubmitOrder(request, call));
            else base.AddMethod(method, handler);
        }

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
        {
            if (method.Name == nameof(OrderService.StreamSubmitOrders))
                _context.AddDuplexStreamingMethod(Encoded(method), [], static (service, requests, responses, call) => service.StreamSubmitOrders(requests, responses, call));
            else base.AddMethod(method, handler);
        }

        private static Method<EncodedMessage, EncodedMessage> Encoded(IMethod method) =>
            new(method.Type, method.ServiceName, method.Name, EncodedMessage.Marshaller, EncodedMessage.Marshaller);
    }
}

/// <summary>Gives gRPC the methods of TrackingService, once, while the server starts.</summary>
internal sealed class WatchMethods : IServiceMethodProvider<TrackingService>
{
    /// <summary>As <see cref="SubmitMethods.BindNothing"/>.</summary>
    public static void BindNothing(ServiceBinderBase binder, TrackingService service)
    {
    }

    /// <inheritdoc/>
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<TrackingService> context) => V1.TrackingService.BindService(new Binder(context), null);

    private sealed class Binder(ServiceMethodProviderContext<TrackingService> context) : EncodedMethods<TrackingService>(context)
    {
        private readonly ServiceMethodProviderContext<TrackingService> _context = context;

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
        {
            if (method is Method<V1.WatchOrdersRequest, V1.WatchOrdersResponse> watch)
            {
                _context.AddServerStreamingMethod(
                    new Method<V1.WatchOrdersRequest, EncodedMessage>(watch.Type, watch.ServiceName, watch.Name, watch.RequestMarshaller, EncodedMessage.Marshaller),
                    [], static (service, request, responses, call) => service.WatchOrders(request, responses, call));
            }
            else
            {
                base.AddMethod(method, handler);
            }
        }
    }
}

/// <summary>Binds every rpc of a service as the generated code has it.</summary>
internal abstract class EncodedMethods<TService>(ServiceMethodProviderContext<TService> context) : ServiceBinderBase where TService : class
{
    /// <inheritdoc/>
    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
        context.AddUnaryMethod(method, [], Invoker<UnaryServerMethod<TService, TRequest, TResponse>>(method));

    /// <inheritdoc/>
    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
        context.AddClientStreamingMethod(method, [], Invoker<ClientStreamingServerMethod<TService, TRequest, TResponse>>(method));

    /// <inheritdoc/>
    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
        context.AddServerStreamingMethod(method, [], Invoker<ServerStreamingServerMethod<TService, TRequest, TResponse>>(method));

    /// <inheritdoc/>
    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
        context.AddDuplexStreamingMethod(method, [], Invoker<DuplexStreamingServerMethod<TService, TRequest, TResponse>>(method));

    // The service's method as a delegate that takes the service first.
    private static TDelegate Invoker<TDelegate>(IMethod method) where TDelegate : Delegate
    {
        var parameters = typeof(TDelegate).GetMethod("Invoke")!.GetParameters()[1..];
        return typeof(TService).GetMethod(method.Name, [.. parameters.Select(one => one.ParameterType)])!.CreateDelegate<TDelegate>();
    }
}
