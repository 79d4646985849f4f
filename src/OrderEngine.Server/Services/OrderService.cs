// OrderService: taking orders, reading them, cancelling them. Thin: map in, ask the engine, map out.

using Google.Protobuf.Collections;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using OrderEngine.Server.Access;
using OrderEngine.Server.Mapping;
using OrderEngine.Server.Traces;
using OrderEngine.Server.Wire;
using RpcStatus = Google.Rpc.Status;
using V1 = OrderEngine.Contracts.V1;

namespace OrderEngine.Server.Services;

/// <summary>Serves orderengine.v1.OrderService.</summary>
internal sealed class OrderService(EngineCalls calls, OrderExports exports) : V1.OrderService.OrderServiceBase
{
    /// <summary>SubmitOrder, on encoded messages.</summary>
    public async Task<EncodedMessage> SubmitOrder(EncodedMessage request, ServerCallContext context)
    {
        var command = PlainOrders.Map(request.Bytes, Grant.Current, calls.Reader, calls.Vault)
            ?? (await OrderRequests.MapAsync(EncodedMessage.Parse(SubmitOrderRequest.Parser, request.Bytes), calls.Reader, calls.Vault)).OrThrow();
        var answer = await calls.ExecuteAsync(command, OrderRequests.LaneOf(command.Priority), context);
        // The request's bytes make room for the answer's.
        request.Release();
        PlainAnswers.AddResponse(request, answer, calls.Reader);
        return request;
    }

    /// <inheritdoc/>
    public override async Task<BulkSubmitOrdersResponse> BulkSubmitOrders(BulkSubmitOrdersRequest request, ServerCallContext context)
    {
        var requests = request.Requests;
        if (requests.Count is 0 or > ServerLimits.ItemsPerMessage)
            throw Errors.InvalidField("requests", "must have 1 to 1,000 entries").ToException();
        if (requests.Sum(one => one.Order?.Lines.Count ?? 0) > ServerLimits.LinesPerBulk)
            throw Errors.InvalidField("requests", "must have at most 40,000 lines in all: send them in several calls or as a stream").ToException();
        calls.CheckAllowance();
        var lane = OrderRequests.LaneOf((Core.Priority)(requests[0].Order?.Priority ?? V1.Priority.Normal));
        var trace = calls.Traces is null ? null : CallTrace.Of(context);
        var queued = new (Command? Command, PendingAnswer Answer, RpcStatus? Refusal)[requests.Count];
        for (var i = 0; i < queued.Length; i++)
        {
            var mapped = await OrderRequests.MapAsync(requests[i], calls.Reader, calls.Vault);
            queued[i] = mapped.Command is { } command
                ? (command, await calls.EnqueueAsync(command, lane, context, trace), null)
                : (null, default, mapped.Refusal);
        }
        var response = new BulkSubmitOrdersResponse();
        foreach (var (command, pending, refusal) in queued)
        {
            if (refusal is null)
            {
                response.Results.Add(Result(0, await pending, command!));
                continue;
            }
            calls.Declined(refusal);
            response.Results.Add(new SubmitResult { Refused = refusal });
        }
        Fit(response.Results);
        return response;
    }

    /// <summary>StreamSubmitOrders, on encoded messages.</summary>
    public Task StreamSubmitOrders(IAsyncStreamReader<EncodedMessage> requestStream, IServerStreamWriter<EncodedMessage> responseStream, ServerCallContext context) =>
        new SubmitStream(calls, Grant.Current).RunAsync(requestStream, responseStream, context);

    /// <inheritdoc/>
    public override async Task<CheckFulfillabilityResponse> CheckFulfillability(CheckFulfillabilityRequest request, ServerCallContext context)
    {
        var command = OrderRequests.Map(request, calls.Reader).OrThrow();
        var answer = await calls.Engine.CheckAsync(command, context.CancellationToken);
        if (answer.Outcome == Outcome.Ok) return OrderAnswers.Checked(answer, calls.Reader);
        var refusal = Refusals.Of(answer, command, calls.Reader, ServerLimits.ItemDetailBytes);
        return answer.WasDecided
            ? new CheckFulfillabilityResponse { Refusal = refusal, Sequence = answer.Sequence }
            : throw refusal.ToException(isCounted: true);
    }

    /// <inheritdoc/>
    public override async Task<Order> GetOrder(GetOrderRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Fields.CheckId(ref violations, "order_id", request.OrderId);
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        var references = new References(calls.Reader);
        var number = references.Order("order_id", request.OrderId);
        violations.ThrowIfAny(references);
        await calls.WaitForAsync(request.MinSequence, context);
        return Read(number, request.IncludeDelivery) ?? throw Errors.Exception(ErrorReason.OrderNotFound, ("order_id", request.OrderId));
    }

    /// <inheritdoc/>
    public override async Task<Order> LookupOrder(LookupOrderRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Fields.CheckId(ref violations, "channel_id", request.ChannelId);
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        var externalId = Fields.Id(ref violations, "external_order_id", request.ExternalOrderId);
        var references = new References(calls.Reader);
        var channel = references.Channel("channel_id", request.ChannelId);
        violations.ThrowIfAny(references);
        await calls.WaitForAsync(request.MinSequence, context);
        var number = calls.Reader.FindOrder(channel, externalId);
        return Read(number, request.IncludeDelivery) ?? throw Errors.Exception(ErrorReason.OrderNotFound, ("external_order_id", request.ExternalOrderId));
    }

    /// <inheritdoc/>
    public override async Task<ListOrdersResponse> ListOrders(ListOrdersRequest request, ServerCallContext context)
    {
        var list = ListRequests.Map(request, calls.Reader);
        await calls.WaitForAsync(request.MinSequence, context);
        using var guard = calls.Reader.Enter();
        var at = calls.Engine.View.DurableSequence;
        var page = calls.Reader.ListOrders(list.Query, at, list.Token.A, list.Size, ServerLimits.ListLooks);
        var response = new ListOrdersResponse { Sequence = at };
        foreach (var number in page.Numbers) response.Orders.Add(FollowUpReads.Summary(calls.Reader, number, at));
        if (page.After != 0) response.NextPageToken = (list.Token with { A = page.After }).ToString();
        return response;
    }

    /// <inheritdoc/>
    public override Task ExportOrders(ExportOrdersRequest request, IServerStreamWriter<ExportedOrders> responseStream, ServerCallContext context) =>
        new OrderExportStream(calls, exports, responseStream, context).RunAsync(request);

    /// <inheritdoc/>
    public override async Task<ListOrderEventsResponse> ListOrderEvents(ListOrderEventsRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Fields.CheckId(ref violations, "order_id", request.OrderId);
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        var size = Fields.PageSize(ref violations, request.PageSize);
        var references = new References(calls.Reader);
        var number = references.Order("order_id", request.OrderId);
        var token = Token.Read(ref violations, "page_token", request.PageToken, TokenKind.OrderEvents, (ulong)number);
        violations.ThrowIfAny(references);
        await calls.WaitForAsync(request.MinSequence, context);
        return ReadEvents(number, token.A, size, request.IncludePersonalData) ?? throw Errors.Exception(ErrorReason.OrderNotFound, ("order_id", request.OrderId));
    }

    /// <inheritdoc/>
    public override async Task<CancelOrderResponse> CancelOrder(CancelOrderRequest request, ServerCallContext context)
    {
        var command = OrderRequests.Map(request, calls.Reader, calls.Vault).OrThrow();
        return OrderAnswers.Cancelled(await calls.ExecuteAsync(command, Lane.Priority, context));
    }

    /// <inheritdoc/>
    public override async Task<ReviewResponse> ApproveOrder(ApproveOrderRequest request, ServerCallContext context) =>
        OrderAnswers.Reviewed(await calls.ExecuteAsync(ReviewRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Normal, context));

    /// <inheritdoc/>
    public override async Task<ReviewResponse> RejectOrder(RejectOrderRequest request, ServerCallContext context) =>
        OrderAnswers.Reviewed(await calls.ExecuteAsync(ReviewRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Normal, context));

    /// <inheritdoc/>
    public override async Task<AmendOrderResponse> AmendOrder(AmendOrderRequest request, ServerCallContext context)
    {
        var mapped = await Amendment.MapAsync(request, calls.Reader, calls.Vault, calls.Engine.View.DurableSequence);
        return OrderAnswers.Amended(await calls.ExecuteAsync(mapped.OrThrow(), Lane.Priority, context), calls.Reader);
    }

    /// <inheritdoc/>
    public override async Task<HoldResponse> PlaceHold(PlaceHoldRequest request, ServerCallContext context)
    {
        var command = ChangeRequests.Map(request, calls.Reader, calls.Vault).OrThrow();
        return OrderAnswers.Held(await calls.ExecuteAsync(command, Lane.Priority, context));
    }

    /// <inheritdoc/>
    public override async Task<HoldResponse> ReleaseHold(ReleaseHoldRequest request, ServerCallContext context)
    {
        var command = ChangeRequests.Map(request, calls.Reader, calls.Vault).OrThrow();
        return OrderAnswers.Held(await calls.ExecuteAsync(command, Lane.Priority, context));
    }

    /// <inheritdoc/>
    public override async Task<HoldResponse> ConfirmOrder(ConfirmOrderRequest request, ServerCallContext context) =>
        OrderAnswers.Held(await calls.ExecuteAsync(CareRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Priority, context));

    /// <inheritdoc/>
    public override async Task<AddNoteResponse> AddNote(AddNoteRequest request, ServerCallContext context)
    {
        var mapped = await CareRequests.MapAsync(request, calls.Reader, calls.Vault);
        return OrderAnswers.Noted(await calls.ExecuteAsync(mapped.OrThrow(), Lane.Normal, context));
    }

    /// <inheritdoc/>
    public override async Task<RecordPaymentResponse> RecordPayment(RecordPaymentRequest request, ServerCallContext context) =>
        PaymentReads.Paid(await calls.ExecuteAsync(PaymentRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Normal, context));

    /// <inheritdoc/>
    public override async Task<RecordRefundResponse> RecordRefund(RecordRefundRequest request, ServerCallContext context) =>
        PaymentReads.Refunded(await calls.ExecuteAsync(PaymentRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Normal, context));

    /// <inheritdoc/>
    public override async Task<Settlement> GetSettlement(GetSettlementRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Fields.CheckId(ref violations, "order_id", request.OrderId);
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        var references = new References(calls.Reader);
        var number = references.Order("order_id", request.OrderId);
        violations.ThrowIfAny(references);
        await calls.WaitForAsync(request.MinSequence, context);
        return Read() ?? throw Errors.Exception(ErrorReason.OrderNotFound, ("order_id", request.OrderId));

        Settlement? Read()
        {
            using var guard = calls.Reader.Enter();
            return PaymentReads.Settlement(calls.Reader, number, calls.Engine.View.DurableSequence, calls.Engine.NowMicros, whole: true);
        }
    }

    /// <summary>Takes details from refusals, the last first, until a client takes the answer. What is accepted is bounded by its lines.</summary>
    private static void Fit(RepeatedField<SubmitResult> results)
    {
        var bytes = results.Sum(result => result.CalculateSize());
        for (var i = results.Count - 1; i >= 0 && bytes > ServerLimits.BulkAnswerBytes; i--)
        {
            if (results[i].Refused is not { } refused) continue;
            bytes -= results[i].CalculateSize();
            Refusals.DropDetails(refused);
            bytes += results[i].CalculateSize();
        }
    }

    private SubmitResult Result(ulong clientSeq, in CommandAnswer answer, Command command) => answer.Outcome == Outcome.Ok
        ? new SubmitResult { ClientSeq = clientSeq, Accepted = OrderAnswers.Submitted(answer, calls.Reader, explains: false) }
        : new SubmitResult { ClientSeq = clientSeq, Refused = calls.RefusalOf(answer, command, ServerLimits.ItemDetailBytes) };

    private Order? Read(long number, bool withDelivery) => number == 0 ? null : WholeOrders.Read(calls.Reader, calls.Vault, calls.Engine.View, number, withDelivery);

    // History is chained newest first; a page is oldest first. So walk back to where the page before ended and remember the way.
    private ListOrderEventsResponse? ReadEvents(long number, long after, int size, bool withPersonalData)
    {
        var reader = calls.Reader;
        using var guard = reader.Enter();
        var at = calls.Engine.View.DurableSequence;
        if (!reader.Order(number, at).Exists) return null;
        var way = new List<long>();
        var cursor = 0L;
        for (var before = cursor; reader.PreviousEvent(number, at, ref cursor, out var bytes) && EventView.SequenceOf(bytes) > after; before = cursor)
            way.Add(before);

        var response = new ListOrderEventsResponse();
        var last = after;
        var length = 0;
        var index = way.Count - 1;
        for (; index >= 0 && response.Events.Count < size && length < ServerLimits.PageBytes; index--)
        {
            cursor = way[index];
            reader.PreviousEvent(number, at, ref cursor, out var bytes);
            response.Events.Add(OrderEvents.Map(reader, bytes, at));
            if (withPersonalData) WholeOrders.AddPersonalData(response.Events[^1], new EventView(bytes), reader, calls.Vault, number);
            last = response.Events[^1].Sequence;
            length += response.Events[^1].CalculateSize();
        }
        if (index >= 0) response.NextPageToken = new Token(TokenKind.OrderEvents, last, 0, (ulong)number).ToString();
        return response;
    }
}
