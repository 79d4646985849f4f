// Owns the two pipelines of the contract: orders in, and status reports in. Callers come from any thread.
using Grpc.Core;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client;

/// <summary>Submits many orders over StreamSubmitOrders. Orders are decided in the order in which SubmitAsync took them.</summary>
public sealed class OrderPipeline
    : Pipeline<SubmitOrderRequest, StreamSubmitOrdersRequest, StreamSubmitOrdersResponse, SubmitOrderResponse>
{
    private readonly OrderService.OrderServiceClient _orders;
    private readonly OrderEngineClientOptions _settings;

    internal OrderPipeline(OrderService.OrderServiceClient orders, PipelineOptions options, OrderEngineClientOptions settings, Jitter jitter)
        : base(options, settings.Retry, settings.TimeProvider, jitter)
    {
        _orders = orders;
        _settings = settings;
    }

    /// <summary>Queues an order; waits while the window is full. The inner task completes with its outcome.</summary>
    /// <param name="order">What to order. Do not change it afterwards.</param>
    /// <param name="requestId">The request id; null makes one (the outcome names it).</param>
    /// <param name="cancellationToken">Ends the waiting for room, not an order that is queued.</param>
    public ValueTask<Task<Outcome<SubmitOrderResponse>>> SubmitAsync(
        OrderDraft order, string? requestId = null, CancellationToken cancellationToken = default) =>
        SubmitAsync(new SubmitOrderRequest { Order = order, RequestId = requestId ?? "" }, cancellationToken);

    /// <summary>The same with the whole request: actor and request id as given, filled in where empty.</summary>
    public ValueTask<Task<Outcome<SubmitOrderResponse>>> SubmitAsync(
        SubmitOrderRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        RequestIds.Complete(request, _settings.Actor, _settings.TimeProvider);
        return EnqueueAsync(request.RequestId, request, cancellationToken);
    }

    private protected override AsyncDuplexStreamingCall<StreamSubmitOrdersRequest, StreamSubmitOrdersResponse> Open(
        CancellationToken cancellationToken) => _orders.StreamSubmitOrders(cancellationToken: cancellationToken);

    private protected override StreamSubmitOrdersRequest Pack(List<Entry> entries)
    {
        var message = new StreamSubmitOrdersRequest();
        foreach (var entry in entries)
            message.Orders.Add(new StreamedOrder { ClientSeq = entry.Seq, Request = entry.Item });
        return message;
    }

    private protected override void Unpack(StreamSubmitOrdersResponse response, List<Answer> answers)
    {
        foreach (var result in response.Results)
            answers.Add(new Answer(result.ClientSeq, result.Accepted, result.Refused));
    }

    private protected override int SizeOf(SubmitOrderRequest item) => item.CalculateSize();
}

/// <summary>Reports releases, shipments and deliveries over StreamStatusReports, decided in the order taken.</summary>
public sealed class StatusReportPipeline
    : Pipeline<StatusReport, StreamStatusReportsRequest, StreamStatusReportsResponse, FulfillmentResponse>
{
    private readonly FulfillmentService.FulfillmentServiceClient _fulfillment;
    private readonly OrderEngineClientOptions _settings;

    internal StatusReportPipeline(
        FulfillmentService.FulfillmentServiceClient fulfillment, PipelineOptions options, OrderEngineClientOptions settings, Jitter jitter)
        : base(options, settings.Retry, settings.TimeProvider, jitter)
    {
        _fulfillment = fulfillment;
        _settings = settings;
    }

    /// <summary>Queues a release to the warehouse; waits while the window is full. An empty request id is filled in.</summary>
    public ValueTask<Task<Outcome<FulfillmentResponse>>> ReleaseAsync(
        ReleaseShipmentRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        RequestIds.Complete(request, _settings.Actor, _settings.TimeProvider);
        return EnqueueAsync(request.RequestId, new StatusReport { Release = request }, cancellationToken);
    }

    /// <summary>Queues a shipment; waits while the window is full. An empty request id is filled in.</summary>
    public ValueTask<Task<Outcome<FulfillmentResponse>>> ShipAsync(
        ConfirmShipmentRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        RequestIds.Complete(request, _settings.Actor, _settings.TimeProvider);
        return EnqueueAsync(request.RequestId, new StatusReport { Ship = request }, cancellationToken);
    }

    /// <summary>Queues a delivery; waits while the window is full. An empty request id is filled in.</summary>
    public ValueTask<Task<Outcome<FulfillmentResponse>>> DeliverAsync(
        RecordDeliveryRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        RequestIds.Complete(request, _settings.Actor, _settings.TimeProvider);
        return EnqueueAsync(request.RequestId, new StatusReport { Deliver = request }, cancellationToken);
    }

    private protected override AsyncDuplexStreamingCall<StreamStatusReportsRequest, StreamStatusReportsResponse> Open(
        CancellationToken cancellationToken) => _fulfillment.StreamStatusReports(cancellationToken: cancellationToken);

    private protected override StreamStatusReportsRequest Pack(List<Entry> entries)
    {
        var message = new StreamStatusReportsRequest();
        foreach (var entry in entries)
        {
            // A report that is sent again gets the number of its entry, which it had before: the message itself need not be copied.
            entry.Item.ClientSeq = entry.Seq;
            message.Reports.Add(entry.Item);
        }

        return message;
    }

    private protected override void Unpack(StreamStatusReportsResponse response, List<Answer> answers)
    {
        foreach (var result in response.Results)
            answers.Add(new Answer(result.ClientSeq, result.Accepted, result.Refused));
    }

    private protected override int SizeOf(StatusReport item) => item.CalculateSize();
}
