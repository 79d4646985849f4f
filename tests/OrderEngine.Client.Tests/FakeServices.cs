// Owns the fakes: each call goes to a delegate that the test sets; one that is not set answers UNIMPLEMENTED.
using Grpc.Core;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client.Tests;

internal sealed class FakeServices
{
    public FakeOrders Orders { get; init; } = new();

    public FakeInventory Inventory { get; init; } = new();

    public FakeFulfillment Fulfillment { get; init; } = new();

    public FakeReturns Returns { get; init; } = new();

    public FakeTracking Tracking { get; init; } = new();

    public FakeCatalog Catalog { get; init; } = new();

    public FakeCustomers Customers { get; init; } = new();

    public FakeAdmin Admin { get; init; } = new();
}

internal static class Fake
{
    public static Task<TAnswer> Answer<TRequest, TAnswer>(Func<TRequest, TAnswer>? handle, TRequest request) =>
        handle is null ? throw new RpcException(new Status(StatusCode.Unimplemented, "The test does not expect this call.")) : Task.FromResult(handle(request));

    public static Task Stream<TIn, TOut>(Func<TIn, TOut, ServerCallContext, Task>? handle, TIn input, TOut output, ServerCallContext context) =>
        handle is null ? throw new RpcException(new Status(StatusCode.Unimplemented, "The test does not expect this call.")) : handle(input, output, context);
}

internal sealed class FakeOrders : OrderService.OrderServiceBase
{
    public Func<SubmitOrderRequest, SubmitOrderResponse>? OnSubmit { get; set; }

    public Func<IAsyncStreamReader<StreamSubmitOrdersRequest>, IServerStreamWriter<StreamSubmitOrdersResponse>, ServerCallContext, Task>? OnStream { get; set; }

    public Func<CheckFulfillabilityRequest, CheckFulfillabilityResponse>? OnCheck { get; set; }

    public Func<GetOrderRequest, Order>? OnGet { get; set; }

    public Func<LookupOrderRequest, Order>? OnLookup { get; set; }

    public Func<ListOrderEventsRequest, ListOrderEventsResponse>? OnEvents { get; set; }

    public Func<ExportOrdersRequest, IServerStreamWriter<ExportedOrders>, ServerCallContext, Task>? OnExport { get; set; }

    public override Task ExportOrders(ExportOrdersRequest request, IServerStreamWriter<ExportedOrders> responseStream, ServerCallContext context) =>
        Fake.Stream(OnExport, request, responseStream, context);

    public Func<ListOrdersRequest, ListOrdersResponse>? OnList { get; set; }

    public Func<CancelOrderRequest, CancelOrderResponse>? OnCancel { get; set; }

    public Func<AmendOrderRequest, AmendOrderResponse>? OnAmend { get; set; }

    public Func<PlaceHoldRequest, HoldResponse>? OnHold { get; set; }

    public Func<ReleaseHoldRequest, HoldResponse>? OnUnhold { get; set; }

    public Func<ConfirmOrderRequest, HoldResponse>? OnConfirm { get; set; }

    public Func<AddNoteRequest, AddNoteResponse>? OnNote { get; set; }

    public override Task<HoldResponse> ConfirmOrder(ConfirmOrderRequest request, ServerCallContext context) => Fake.Answer(OnConfirm, request);

    public override Task<AddNoteResponse> AddNote(AddNoteRequest request, ServerCallContext context) => Fake.Answer(OnNote, request);

    public Func<RecordPaymentRequest, RecordPaymentResponse>? OnPay { get; set; }

    public Func<GetSettlementRequest, Settlement>? OnSettlement { get; set; }

    public override Task<RecordPaymentResponse> RecordPayment(RecordPaymentRequest request, ServerCallContext context) => Fake.Answer(OnPay, request);

    public override Task<Settlement> GetSettlement(GetSettlementRequest request, ServerCallContext context) => Fake.Answer(OnSettlement, request);

    public override Task<SubmitOrderResponse> SubmitOrder(SubmitOrderRequest request, ServerCallContext context) => Fake.Answer(OnSubmit, request);

    public override Task StreamSubmitOrders(IAsyncStreamReader<StreamSubmitOrdersRequest> requestStream,
        IServerStreamWriter<StreamSubmitOrdersResponse> responseStream, ServerCallContext context) =>
        Fake.Stream(OnStream, requestStream, responseStream, context);

    public override Task<CheckFulfillabilityResponse> CheckFulfillability(CheckFulfillabilityRequest request, ServerCallContext context) => Fake.Answer(OnCheck, request);

    public override Task<Order> GetOrder(GetOrderRequest request, ServerCallContext context) => Fake.Answer(OnGet, request);

    public override Task<Order> LookupOrder(LookupOrderRequest request, ServerCallContext context) => Fake.Answer(OnLookup, request);

    public override Task<ListOrdersResponse> ListOrders(ListOrdersRequest request, ServerCallContext context) => Fake.Answer(OnList, request);

    public override Task<ListOrderEventsResponse> ListOrderEvents(ListOrderEventsRequest request, ServerCallContext context) => Fake.Answer(OnEvents, request);

    public override Task<CancelOrderResponse> CancelOrder(CancelOrderRequest request, ServerCallContext context) => Fake.Answer(OnCancel, request);

    public override Task<AmendOrderResponse> AmendOrder(AmendOrderRequest request, ServerCallContext context) => Fake.Answer(OnAmend, request);

    public override Task<HoldResponse> PlaceHold(PlaceHoldRequest request, ServerCallContext context) => Fake.Answer(OnHold, request);

    public override Task<HoldResponse> ReleaseHold(ReleaseHoldRequest request, ServerCallContext context) => Fake.Answer(OnUnhold, request);
}

internal sealed class FakeInventory : InventoryService.InventoryServiceBase
{
    public Func<CreateReservationRequest, Reservation>? OnCreate { get; set; }

    public Func<ReceiveStockRequest, StockChangeResponse>? OnReceive { get; set; }

    public Func<AdjustStockRequest, StockChangeResponse>? OnAdjust { get; set; }

    public Func<GetStockRequest, Stock>? OnGetStock { get; set; }

    public Func<BatchGetStockRequest, BatchGetStockResponse>? OnBatchGet { get; set; }

    public Func<ListStockRequest, ListStockResponse>? OnList { get; set; }

    public Func<WatchStockRequest, IServerStreamWriter<WatchStockResponse>, ServerCallContext, Task>? OnWatch { get; set; }

    public override Task<Reservation> CreateReservation(CreateReservationRequest request, ServerCallContext context) => Fake.Answer(OnCreate, request);

    public override Task<StockChangeResponse> ReceiveStock(ReceiveStockRequest request, ServerCallContext context) => Fake.Answer(OnReceive, request);

    public override Task<StockChangeResponse> AdjustStock(AdjustStockRequest request, ServerCallContext context) => Fake.Answer(OnAdjust, request);

    public override Task<Stock> GetStock(GetStockRequest request, ServerCallContext context) => Fake.Answer(OnGetStock, request);

    public override Task<BatchGetStockResponse> BatchGetStock(BatchGetStockRequest request, ServerCallContext context) => Fake.Answer(OnBatchGet, request);

    public override Task<ListStockResponse> ListStock(ListStockRequest request, ServerCallContext context) => Fake.Answer(OnList, request);

    public override Task WatchStock(WatchStockRequest request, IServerStreamWriter<WatchStockResponse> responseStream, ServerCallContext context) =>
        Fake.Stream(OnWatch, request, responseStream, context);
}

internal sealed class FakeFulfillment : FulfillmentService.FulfillmentServiceBase
{
    public Func<ReleaseShipmentRequest, FulfillmentResponse>? OnRelease { get; set; }

    public Func<ConfirmShipmentRequest, FulfillmentResponse>? OnShip { get; set; }

    public Func<RecordDeliveryRequest, FulfillmentResponse>? OnDeliver { get; set; }

    public Func<IAsyncStreamReader<StreamStatusReportsRequest>, IServerStreamWriter<StreamStatusReportsResponse>, ServerCallContext, Task>? OnStream { get; set; }

    public override Task<FulfillmentResponse> ReleaseShipment(ReleaseShipmentRequest request, ServerCallContext context) => Fake.Answer(OnRelease, request);

    public override Task<FulfillmentResponse> RecordDelivery(RecordDeliveryRequest request, ServerCallContext context) => Fake.Answer(OnDeliver, request);

    public override Task<FulfillmentResponse> ConfirmShipment(ConfirmShipmentRequest request, ServerCallContext context) => Fake.Answer(OnShip, request);

    public override Task StreamStatusReports(IAsyncStreamReader<StreamStatusReportsRequest> requestStream,
        IServerStreamWriter<StreamStatusReportsResponse> responseStream, ServerCallContext context) =>
        Fake.Stream(OnStream, requestStream, responseStream, context);
}

internal sealed class FakeTracking : TrackingService.TrackingServiceBase
{
    public Func<TrackOrderRequest, OrderTracking>? OnTrack { get; set; }

    public Func<WatchOrdersRequest, IServerStreamWriter<WatchOrdersResponse>, ServerCallContext, Task>? OnWatch { get; set; }

    public override Task<OrderTracking> TrackOrder(TrackOrderRequest request, ServerCallContext context) => Fake.Answer(OnTrack, request);

    public override Task WatchOrders(WatchOrdersRequest request, IServerStreamWriter<WatchOrdersResponse> responseStream, ServerCallContext context) =>
        Fake.Stream(OnWatch, request, responseStream, context);
}

internal sealed class FakeCatalog : CatalogService.CatalogServiceBase
{
    public Func<GetSkuRequest, Sku>? OnGetSku { get; set; }

    public Func<UpsertSkuRequest, Sku>? OnUpsertSku { get; set; }

    public Func<ListSkusRequest, ListSkusResponse>? OnListSkus { get; set; }

    public Func<GetLocationRequest, Location>? OnGetLocation { get; set; }

    public Func<UpsertLocationRequest, Location>? OnUpsertLocation { get; set; }

    public Func<GetChannelRequest, Channel>? OnGetChannel { get; set; }

    public Func<UpsertChannelRequest, Channel>? OnUpsertChannel { get; set; }

    public Func<SetReviewRulesRequest, ReviewRules>? OnSetReviewRules { get; set; }

    public override Task<ReviewRules> SetReviewRules(SetReviewRulesRequest request, ServerCallContext context) => Fake.Answer(OnSetReviewRules, request);

    public override Task<Sku> GetSku(GetSkuRequest request, ServerCallContext context) => Fake.Answer(OnGetSku, request);

    public override Task<Sku> UpsertSku(UpsertSkuRequest request, ServerCallContext context) => Fake.Answer(OnUpsertSku, request);

    public override Task<ListSkusResponse> ListSkus(ListSkusRequest request, ServerCallContext context) => Fake.Answer(OnListSkus, request);

    public override Task<Location> GetLocation(GetLocationRequest request, ServerCallContext context) => Fake.Answer(OnGetLocation, request);

    public override Task<Location> UpsertLocation(UpsertLocationRequest request, ServerCallContext context) => Fake.Answer(OnUpsertLocation, request);

    public override Task<Channel> GetChannel(GetChannelRequest request, ServerCallContext context) => Fake.Answer(OnGetChannel, request);

    public override Task<Channel> UpsertChannel(UpsertChannelRequest request, ServerCallContext context) => Fake.Answer(OnUpsertChannel, request);
}

internal sealed class FakeCustomers : CustomerService.CustomerServiceBase
{
    public Func<GetCustomerRequest, Customer>? OnGet { get; set; }

    public Func<UpsertCustomerRequest, Customer>? OnUpsert { get; set; }

    public override Task<Customer> GetCustomer(GetCustomerRequest request, ServerCallContext context) => Fake.Answer(OnGet, request);

    public Func<GetStatementRequest, Statement>? OnStatement { get; set; }

    public override Task<Statement> GetStatement(GetStatementRequest request, ServerCallContext context) => Fake.Answer(OnStatement, request);

    public override Task<Customer> UpsertCustomer(UpsertCustomerRequest request, ServerCallContext context) => Fake.Answer(OnUpsert, request);

    public Func<EraseCustomerRequest, EraseResponse>? OnErase { get; set; }

    public Func<EraseOrderRequest, EraseResponse>? OnEraseOrder { get; set; }

    public override Task<EraseResponse> EraseCustomer(EraseCustomerRequest request, ServerCallContext context) => Fake.Answer(OnErase, request);

    public override Task<EraseResponse> EraseOrder(EraseOrderRequest request, ServerCallContext context) => Fake.Answer(OnEraseOrder, request);

    public Func<OpenComplaintRequest, ComplaintResponse>? OnOpen { get; set; }

    public Func<AssignComplaintRequest, ComplaintResponse>? OnAssign { get; set; }

    public Func<ResolveComplaintRequest, ComplaintResponse>? OnResolve { get; set; }

    public Func<GetComplaintRequest, Complaint>? OnComplaint { get; set; }

    public Func<ListComplaintsRequest, ListComplaintsResponse>? OnComplaints { get; set; }

    public Func<RecordFeedbackRequest, FeedbackResponse>? OnFeedback { get; set; }

    public override Task<ComplaintResponse> OpenComplaint(OpenComplaintRequest request, ServerCallContext context) => Fake.Answer(OnOpen, request);

    public override Task<ComplaintResponse> AssignComplaint(AssignComplaintRequest request, ServerCallContext context) => Fake.Answer(OnAssign, request);

    public override Task<ComplaintResponse> ResolveComplaint(ResolveComplaintRequest request, ServerCallContext context) => Fake.Answer(OnResolve, request);

    public override Task<Complaint> GetComplaint(GetComplaintRequest request, ServerCallContext context) => Fake.Answer(OnComplaint, request);

    public override Task<ListComplaintsResponse> ListComplaints(ListComplaintsRequest request, ServerCallContext context) => Fake.Answer(OnComplaints, request);

    public override Task<FeedbackResponse> RecordFeedback(RecordFeedbackRequest request, ServerCallContext context) => Fake.Answer(OnFeedback, request);
}

internal sealed class FakeAdmin : AdminService.AdminServiceBase
{
    public Func<GetEngineStatusRequest, EngineStatus>? OnStatus { get; set; }

    public Func<VerifyInvariantsRequest, VerifyInvariantsResponse>? OnVerify { get; set; }

    public Func<SetLogLevelRequest, SetLogLevelResponse>? OnLogLevel { get; set; }

    public Func<ListExceptionsRequest, ListExceptionsResponse>? OnExceptions { get; set; }

    public Func<ResolveExceptionRequest, ResolveExceptionResponse>? OnResolve { get; set; }

    public Func<ExportEventsRequest, IServerStreamWriter<ExportedEvents>, ServerCallContext, Task>? OnExport { get; set; }

    public Func<IAsyncStreamReader<ImportEventsRequest>, Task<ImportEventsResponse>>? OnImport { get; set; }

    public override Task<EngineStatus> GetEngineStatus(GetEngineStatusRequest request, ServerCallContext context) => Fake.Answer(OnStatus, request);

    public Func<GetStatsRequest, Stats>? OnStats { get; set; }

    public override Task<Stats> GetStats(GetStatsRequest request, ServerCallContext context) => Fake.Answer(OnStats, request);

    public override Task<SetLogLevelResponse> SetLogLevel(SetLogLevelRequest request, ServerCallContext context) => Fake.Answer(OnLogLevel, request);

    public override Task<ListExceptionsResponse> ListExceptions(ListExceptionsRequest request, ServerCallContext context) => Fake.Answer(OnExceptions, request);

    public override Task<ResolveExceptionResponse> ResolveException(ResolveExceptionRequest request, ServerCallContext context) => Fake.Answer(OnResolve, request);

    public override Task<VerifyInvariantsResponse> VerifyInvariants(VerifyInvariantsRequest request, ServerCallContext context) => Fake.Answer(OnVerify, request);

    public override Task ExportEvents(ExportEventsRequest request, IServerStreamWriter<ExportedEvents> responseStream, ServerCallContext context) =>
        Fake.Stream(OnExport, request, responseStream, context);

    public override Task<ImportEventsResponse> ImportEvents(IAsyncStreamReader<ImportEventsRequest> requestStream, ServerCallContext context) =>
        OnImport is null ? throw new RpcException(new Status(StatusCode.Unimplemented, "The test does not expect this call.")) : OnImport(requestStream);
}
