// What the no-op server answers: fresh objects of the engine's shape and size, as the engine must make them too.

using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Load.Running;

namespace OrderEngine.Load.NoOp;

/// <summary>Answers of the engine's size. Ids are as long as the engine's, numbers as large as after a million orders.</summary>
internal static class Answers
{
    public const string PageToken = "0123456789012345678901234567890123456789";
    private const string OrderId = "o0123456789abcd";
    private const string ReservationId = "r0123456789abcd";
    private const string Etag = "1234567";
    private const long Sequence = 1_234_567;
    private const string Sku = "LOAD-01234";
    private const string Location = "load-main";

    public static Timestamp Now() => Timestamp.FromDateTime(DateTime.UtcNow);

    public static SubmitOrderResponse Submitted() => new() { OrderId = OrderId, Sequence = Sequence, State = OrderState.Ready, Etag = Etag, AcceptTime = Now() };

    public static FulfillmentResponse Advanced() => new() { OrderId = OrderId, Sequence = Sequence, State = OrderState.Fulfilling, Etag = Etag };

    public static Reservation Held(IEnumerable<ReservationItem> items)
    {
        var answer = new Reservation
        {
            ReservationId = ReservationId, ChannelId = "load-0123456789", State = ReservationState.Held, CreateTime = Now(), ExpireTime = Now(), Sequence = Sequence, Etag = Etag,
        };
        foreach (var item in items) answer.Items.Add(new ReservedItem { SkuId = item.SkuId, LocationId = Location, Quantity = item.Quantity });
        return answer;
    }

    public static OrderSummary Summary() => new()
    {
        OrderId = OrderId, ChannelId = "load-0123456789abcdef", ExternalOrderId = "0123456789abcdef-1234567", Type = OrderType.Sale, State = OrderState.Ready,
        Priority = Priority.Normal, CurrencyCode = "GBP", TotalMinor = 60_000, Lines = Scenarios.Workload.LinesPerOrder, AcceptTime = Now(), UpdateTime = Now(), Sequence = Sequence, Etag = Etag,
    };

    public static StockLevel Level() => new()
    {
        SkuId = Sku, LocationId = Location, OnHand = 1_000_000, Committed = 1_000, Sellable = 999_000, Sequence = Sequence,
    };

    public static OrderTracking Tracking()
    {
        var answer = new OrderTracking { OrderId = OrderId, ExternalOrderId = "0123456789abcdef-1234567", State = OrderState.Ready, Sequence = Sequence };
        for (var line = 1; line <= Scenarios.Workload.LinesPerOrder; line++) answer.Lines.Add(new TrackedLine { LineNumber = line, SkuId = Sku, Quantity = 2 });
        answer.Milestones.Add(new Milestone { State = OrderState.Ready, Time = Now() });
        return answer;
    }

    public static OrderEvent Event()
    {
        var submitted = new OrderSubmitted { CurrencyCode = "GBP", TotalMinor = 60_000 };
        for (var line = 1; line <= Scenarios.Workload.LinesPerOrder; line++)
        {
            submitted.Lines.Add(new SubmittedLine
            {
                LineNumber = line, SkuId = Sku, Quantity = 2, UnitPriceMinor = 10_000, Reserved = { new LocationQuantity { LocationId = Location, Quantity = 2 } },
            });
        }
        return new OrderEvent
        {
            Sequence = Sequence, Time = Now(), OrderId = OrderId, ChannelId = "load-0123456789abcdef", ExternalOrderId = "0123456789abcdef-1234567",
            StateAfter = OrderState.Ready, Actor = new Actor { Id = "anonymous", Role = Role.Channel }, Submitted = submitted,
        };
    }
}

internal sealed class NoOpOrders : OrderService.OrderServiceBase
{
    public override Task<SubmitOrderResponse> SubmitOrder(SubmitOrderRequest request, ServerCallContext context) => Task.FromResult(Answers.Submitted());

    public override Task<BulkSubmitOrdersResponse> BulkSubmitOrders(BulkSubmitOrdersRequest request, ServerCallContext context)
    {
        var answer = new BulkSubmitOrdersResponse();
        for (var i = 0; i < request.Requests.Count; i++) answer.Results.Add(new SubmitResult { Accepted = Answers.Submitted() });
        return Task.FromResult(answer);
    }

    public override async Task StreamSubmitOrders(IAsyncStreamReader<StreamSubmitOrdersRequest> requestStream,
        IServerStreamWriter<StreamSubmitOrdersResponse> responseStream, ServerCallContext context)
    {
        await foreach (var message in requestStream.ReadAllAsync(context.CancellationToken))
        {
            var answer = new StreamSubmitOrdersResponse();
            foreach (var order in message.Orders) answer.Results.Add(new SubmitResult { ClientSeq = order.ClientSeq, Accepted = Answers.Submitted() });
            await responseStream.WriteAsync(answer, context.CancellationToken);
        }
    }

    public override Task<ListOrdersResponse> ListOrders(ListOrdersRequest request, ServerCallContext context)
    {
        var answer = new ListOrdersResponse { NextPageToken = Answers.PageToken };
        for (var i = 0; i < request.PageSize; i++) answer.Orders.Add(Answers.Summary());
        return Task.FromResult(answer);
    }

    public override Task<ListOrderEventsResponse> ListOrderEvents(ListOrderEventsRequest request, ServerCallContext context) =>
        Task.FromResult(new ListOrderEventsResponse { Events = { Answers.Event() } });
}

internal sealed class NoOpInventory : InventoryService.InventoryServiceBase
{
    public override Task<Reservation> CreateReservation(CreateReservationRequest request, ServerCallContext context) => Task.FromResult(Answers.Held(request.Items));

    public override Task<SubmitOrderResponse> CommitReservation(CommitReservationRequest request, ServerCallContext context) => Task.FromResult(Answers.Submitted());

    public override Task<Reservation> ReleaseReservation(ReleaseReservationRequest request, ServerCallContext context) => Task.FromResult(Answers.Held(
        Enumerable.Range(0, Scenarios.Workload.LinesPerOrder).Select(_ => new ReservationItem { SkuId = "LOAD-01234", Quantity = 2 })));

    public override Task<StockChangeResponse> ReceiveStock(ReceiveStockRequest request, ServerCallContext context) => Task.FromResult(new StockChangeResponse());

    public override Task<ListStockResponse> ListStock(ListStockRequest request, ServerCallContext context)
    {
        var answer = new ListStockResponse { NextPageToken = Answers.PageToken };
        for (var i = 0; i < request.PageSize; i++) answer.Levels.Add(Answers.Level());
        return Task.FromResult(answer);
    }
}

internal sealed class NoOpFulfillment : FulfillmentService.FulfillmentServiceBase
{
    public override Task<FulfillmentResponse> ReleaseShipment(ReleaseShipmentRequest request, ServerCallContext context) => Task.FromResult(Answers.Advanced());

    public override Task<FulfillmentResponse> ConfirmShipment(ConfirmShipmentRequest request, ServerCallContext context) => Task.FromResult(Answers.Advanced());

    public override Task<FulfillmentResponse> RecordDelivery(RecordDeliveryRequest request, ServerCallContext context) => Task.FromResult(Answers.Advanced());
}

internal sealed class NoOpTracking : TrackingService.TrackingServiceBase
{
    public override Task<OrderTracking> TrackOrder(TrackOrderRequest request, ServerCallContext context) => Task.FromResult(Answers.Tracking());
}

internal sealed class NoOpCatalog : CatalogService.CatalogServiceBase
{
    public override Task<Sku> UpsertSku(UpsertSkuRequest request, ServerCallContext context) => Task.FromResult(request.Sku);

    // Every SKU is known: nothing needs to be made.
    public override Task<Sku> GetSku(GetSkuRequest request, ServerCallContext context) => Task.FromResult(new Sku { SkuId = request.SkuId });

    public override Task<Location> UpsertLocation(UpsertLocationRequest request, ServerCallContext context) => Task.FromResult(request.Location);

    public override Task<Contracts.V1.Channel> UpsertChannel(UpsertChannelRequest request, ServerCallContext context) => Task.FromResult(request.Channel);
}

internal sealed class NoOpCustomers : CustomerService.CustomerServiceBase
{
    public override Task<Customer> UpsertCustomer(UpsertCustomerRequest request, ServerCallContext context) => Task.FromResult(request.Customer);
}

internal sealed class NoOpAdmin : AdminService.AdminServiceBase
{
    public override Task<EngineStatus> GetEngineStatus(GetEngineStatusRequest request, ServerCallContext context) =>
        Task.FromResult(new EngineStatus { Phase = EnginePhase.Serving, Version = LoadRun.NoOpVersion });
}
