// TrackingService: following orders. Thin; the watch stands in OrderWatch.

using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Mapping;
using OrderEngine.Server.Wire;
using V1 = OrderEngine.Contracts.V1;

namespace OrderEngine.Server.Services;

/// <summary>Serves orderengine.v1.TrackingService.</summary>
internal sealed class TrackingService(EngineCalls calls, TimeProvider time) : V1.TrackingService.TrackingServiceBase
{
    private readonly EncodedEvents _events = new();

    /// <inheritdoc/>
    public override async Task<OrderTracking> TrackOrder(TrackOrderRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        var byId = request.OrderId.Length > 0;
        if (byId)
        {
            Fields.CheckId(ref violations, "order_id", request.OrderId);
            if (request.ChannelId.Length + request.ExternalOrderId.Length > 0)
                violations.Add("order_id", "must stand alone: give either order_id, or channel_id and external_order_id");
        }
        else
        {
            Fields.CheckId(ref violations, "channel_id", request.ChannelId);
            Fields.CheckId(ref violations, "external_order_id", request.ExternalOrderId);
        }
        var references = new References(calls.Reader);
        var number = byId ? references.Order("order_id", request.OrderId) : 0;
        var channel = byId ? 0 : references.Channel("channel_id", request.ChannelId);
        violations.ThrowIfAny(references);
        await calls.WaitForAsync(request.MinSequence, context);

        if (!byId) number = calls.Reader.FindOrder(channel, System.Text.Encoding.UTF8.GetBytes(request.ExternalOrderId));
        using var guard = calls.Reader.Enter();
        var tracking = number == 0 ? null : OrderReads.Track(calls.Reader, number, calls.Engine.View.DurableSequence);
        return tracking ?? throw Errors.Exception(ErrorReason.OrderNotFound);
    }

    /// <summary>WatchOrders, with encoded messages.</summary>
    public Task WatchOrders(WatchOrdersRequest request, IServerStreamWriter<EncodedMessage> responseStream, ServerCallContext context) =>
        new OrderWatch(calls, _events, time, responseStream, context).RunAsync(request);
}
