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
        response.NextPageToken = Fill(response.Incoming, size, token, TokenKind.Incoming, list, () => calls.Reader.LastIncoming, context, (number, at) =>
        {
            var view = calls.Reader.Incoming(number, at);
            return !view.Exists || sku != 0 && view.Head.Sku != sku || view.Head.Open == 0 && !request.IncludeClosed ? null : SupplyReads.Read(calls.Reader, number, at);
        });
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
        response.NextPageToken = Fill(response.SupplyRequests, size, token, TokenKind.SupplyRequests, list, () => calls.Reader.LastSupplyRequest, context, (number, at) =>
            !calls.Reader.SupplyRequest(number, at, out var row) || sku != 0 && row.Sku != sku || row.Quantity == 0 && !request.IncludeClosed ? null : SupplyReads.Request(calls.Reader, number, in row));
        return response;
    }

    private async Task<Incoming> IncomingAsync(Command command, ServerCallContext context)
    {
        var answer = await calls.ExecuteAsync(command, Lane.Priority, context);
        using var guard = calls.Reader.Enter();
        return SupplyReads.Answered(answer, calls.Reader, calls.Engine.View.DurableSequence);
    }
}
