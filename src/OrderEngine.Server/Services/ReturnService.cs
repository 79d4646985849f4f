// ReturnService: what comes back. Thin: map in, ask the engine, map out.

using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Engine;
using OrderEngine.Server.Access;
using OrderEngine.Server.Mapping;
using V1 = OrderEngine.Contracts.V1;

namespace OrderEngine.Server.Services;

/// <summary>Serves orderengine.v1.ReturnService.</summary>
internal sealed class ReturnService(EngineCalls calls) : V1.ReturnService.ReturnServiceBase
{
    /// <inheritdoc/>
    public override Task<Return> RequestReturn(RequestReturnRequest request, ServerCallContext context) =>
        ExecuteAsync(ReturnRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), context);

    /// <inheritdoc/>
    public override Task<Return> ApproveReturn(ApproveReturnRequest request, ServerCallContext context) =>
        StepAsync(CommandKind.ApproveReturn, request, new StepFields(request.RequestId, request.Actor, request.ReturnId, request.Etag), context);

    /// <inheritdoc/>
    public override Task<Return> RejectReturn(RejectReturnRequest request, ServerCallContext context) =>
        StepAsync(CommandKind.RejectReturn, request, new StepFields(request.RequestId, request.Actor, request.ReturnId, request.Etag, request.Reason), context);

    /// <inheritdoc/>
    public override Task<Return> RecordRepair(RecordRepairRequest request, ServerCallContext context) =>
        StepAsync(CommandKind.RecordRepair, request, new StepFields(request.RequestId, request.Actor, request.ReturnId, request.Etag), context);

    /// <inheritdoc/>
    public override Task<Return> CloseReturn(CloseReturnRequest request, ServerCallContext context) =>
        StepAsync(CommandKind.CloseReturn, request, new StepFields(request.RequestId, request.Actor, request.ReturnId, request.Etag, request.Reason), context);

    /// <inheritdoc/>
    public override Task<Return> SendReturn(SendReturnRequest request, ServerCallContext context) => ExecuteAsync(
        ReturnRequests.Map(CommandKind.SendReturn, request, new StepFields(request.RequestId, request.Actor, request.ReturnId, request.Etag),
            request.Carrier, request.TrackingNumber, calls.Reader, calls.Vault).OrThrow(), context);

    /// <inheritdoc/>
    public override Task<Return> ShipBackReturn(ShipBackReturnRequest request, ServerCallContext context) => ExecuteAsync(
        ReturnRequests.Map(CommandKind.ShipBackReturn, request, new StepFields(request.RequestId, request.Actor, request.ReturnId, request.Etag),
            request.Carrier, request.TrackingNumber, calls.Reader, calls.Vault).OrThrow(), context);

    /// <inheritdoc/>
    public override Task<Return> ReceiveReturn(ReceiveReturnRequest request, ServerCallContext context) =>
        ExecuteAsync(ReturnRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), context);

    /// <inheritdoc/>
    public override async Task<Return> GetReturn(GetReturnRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Fields.CheckId(ref violations, "return_id", request.ReturnId);
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        var references = new References(calls.Reader);
        var number = references.Return("return_id", request.ReturnId);
        violations.ThrowIfAny(references);
        await calls.WaitForAsync(request.MinSequence, context);
        using var guard = calls.Reader.Enter();
        return ReturnReads.Read(calls.Reader, number, calls.Engine.View.DurableSequence)
            ?? throw Errors.Exception(ErrorReason.ReturnNotFound, ("return_id", request.ReturnId));
    }

    /// <inheritdoc/>
    public override async Task<ListReturnsResponse> ListReturns(ListReturnsRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Fields.CheckOptionalId(ref violations, "order_id", request.OrderId);
        Fields.CheckEnum(ref violations, "state", request.State);
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        var size = Fields.PageSize(ref violations, request.PageSize);
        var references = new References(calls.Reader);
        var order = request.OrderId.Length == 0 ? 0 : references.Order("order_id", request.OrderId);
        var token = Token.Read(ref violations, "page_token", request.PageToken, TokenKind.Returns, (ulong)order);
        violations.ThrowIfAny(references);
        await calls.WaitForAsync(request.MinSequence, context);
        return List(request, order, token.A, size);
    }

    // An order's returns are chained newest first; all returns are numbered.
    private ListReturnsResponse List(ListReturnsRequest request, long order, long after, int size)
    {
        var reader = calls.Reader;
        using var guard = reader.Enter();
        var at = calls.Engine.View.DurableSequence;
        if (order != 0 && !reader.Order(order, at).Exists) throw Errors.Exception(ErrorReason.OrderNotFound, ("order_id", request.OrderId));
        long Before(long number) => order != 0 ? reader.Return(number, at).Head.Previous : number - 1;
        var number = after != 0 ? Before(after) : order != 0 ? reader.AfterSale(order, at).LastReturn : reader.LastReturn;
        var caller = Grant.Current.Caller;
        var response = new ListReturnsResponse();
        var last = after;
        var (length, looked) = (0, 0);
        for (; number > 0 && response.Returns.Count < size && length < ServerLimits.PageBytes && looked < ServerLimits.RowsLookedAt; number = Before(last), looked++)
        {
            last = number;
            // The newest may not be durable yet.
            var view = reader.Return(number, at);
            if (!view.Exists || caller.IsBound && !caller.Sees(reader.Order(view.Head.Order, at).Head.Channel)) continue;
            if (request.State != V1.ReturnState.Unspecified && (V1.ReturnState)view.Head.State != request.State) continue;
            response.Returns.Add(ReturnReads.ReadRow(reader, number, at)!);
            length += response.Returns[^1].CalculateSize();
        }
        if (number > 0) response.NextPageToken = new Token(TokenKind.Returns, last, 0, (ulong)order).ToString();
        return response;
    }

    private Task<Return> StepAsync(CommandKind kind, Google.Protobuf.IMessage request, in StepFields fields, ServerCallContext context) =>
        ExecuteAsync(ReturnRequests.Map(kind, request, in fields, calls.Reader, calls.Vault).OrThrow(), context);

    private async Task<Return> ExecuteAsync(Command command, ServerCallContext context)
    {
        var answer = await calls.ExecuteAsync(command, Lane.Priority, context);
        using var guard = calls.Reader.Enter();
        return ReturnReads.Answer(answer, calls.Reader, calls.Engine.View.DurableSequence);
    }
}
