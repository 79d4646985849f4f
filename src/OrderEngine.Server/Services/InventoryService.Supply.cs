// InventoryService: stock policies, announced supply, transfers. Thin.

using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Engine;
using OrderEngine.Server.Mapping;

namespace OrderEngine.Server.Services;

internal sealed partial class InventoryService
{
    /// <inheritdoc/>
    public override async Task<StockChangeResponse> SetStockPolicy(SetStockPolicyRequest request, ServerCallContext context) =>
        Changed(await calls.ExecuteAsync(SupplyRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Priority, context));

    /// <inheritdoc/>
    public override Task<Incoming> AnnounceIncoming(AnnounceIncomingRequest request, ServerCallContext context) =>
        IncomingAsync(SupplyRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), context);

    /// <inheritdoc/>
    public override Task<Incoming> TransferStock(TransferStockRequest request, ServerCallContext context) =>
        IncomingAsync(SupplyRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), context);

    /// <inheritdoc/>
    public override async Task<ListIncomingResponse> ListIncoming(ListIncomingRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Fields.CheckOptionalId(ref violations, "sku_id", request.SkuId);
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        var size = Fields.PageSize(ref violations, request.PageSize);
        violations.ThrowIfAny();
        await calls.WaitForAsync(request.MinSequence, context);
        var references = new References(calls.Reader);
        var sku = request.SkuId.Length == 0 ? 0 : references.Sku("sku_id", request.SkuId);
        // A token goes on in the same list only.
        var list = (ulong)sku * 2 + (request.IncludeClosed ? 1u : 0u);
        var token = Token.Read(ref violations, "page_token", request.PageToken, TokenKind.Incoming, list);
        violations.ThrowIfAny(references);

        var response = new ListIncomingResponse();
        var number = token.A + 1;
        while (response.Incoming.Count < size && number <= calls.Reader.LastIncoming)
        {
            context.CancellationToken.ThrowIfCancellationRequested();
            using var guard = calls.Reader.Enter();
            var at = calls.Engine.View.DurableSequence;
            var end = Math.Min(calls.Reader.LastIncoming, number + ServerLimits.ScanStep - 1);
            for (; number <= end && response.Incoming.Count < size; number++)
            {
                var view = calls.Reader.Incoming(number, at);
                if (!view.Exists || sku != 0 && view.Head.Sku != sku || view.Head.Open == 0 && !request.IncludeClosed) continue;
                if (SupplyReads.Read(calls.Reader, number, at) is { } incoming) response.Incoming.Add(incoming);
            }
        }
        if (number <= calls.Reader.LastIncoming) response.NextPageToken = new Token(TokenKind.Incoming, number - 1, 0, list).ToString();
        return response;
    }

    /// <inheritdoc/>
    public override async Task<ListSupplyRequestsResponse> ListSupplyRequests(ListSupplyRequestsRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Fields.CheckOptionalId(ref violations, "sku_id", request.SkuId);
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        var size = Fields.PageSize(ref violations, request.PageSize);
        violations.ThrowIfAny();
        await calls.WaitForAsync(request.MinSequence, context);
        var references = new References(calls.Reader);
        var sku = request.SkuId.Length == 0 ? 0 : references.Sku("sku_id", request.SkuId);
        // A token goes on in the same list only.
        var list = (ulong)sku * 2 + (request.IncludeClosed ? 1u : 0u);
        var token = Token.Read(ref violations, "page_token", request.PageToken, TokenKind.SupplyRequests, list);
        violations.ThrowIfAny(references);

        var response = new ListSupplyRequestsResponse();
        var number = token.A + 1;
        while (response.SupplyRequests.Count < size && number <= calls.Reader.LastSupplyRequest)
        {
            context.CancellationToken.ThrowIfCancellationRequested();
            using var guard = calls.Reader.Enter();
            var at = calls.Engine.View.DurableSequence;
            var end = Math.Min(calls.Reader.LastSupplyRequest, number + ServerLimits.ScanStep - 1);
            for (; number <= end && response.SupplyRequests.Count < size; number++)
            {
                if (!calls.Reader.SupplyRequest(number, at, out var row) || sku != 0 && row.Sku != sku || row.Quantity == 0 && !request.IncludeClosed) continue;
                response.SupplyRequests.Add(SupplyReads.Request(calls.Reader, number, in row));
            }
        }
        if (number <= calls.Reader.LastSupplyRequest) response.NextPageToken = new Token(TokenKind.SupplyRequests, number - 1, 0, list).ToString();
        return response;
    }

    private async Task<Incoming> IncomingAsync(Command command, ServerCallContext context)
    {
        var answer = await calls.ExecuteAsync(command, Lane.Priority, context);
        using var guard = calls.Reader.Enter();
        return SupplyReads.Answered(answer, calls.Reader, calls.Engine.View.DurableSequence);
    }
}
