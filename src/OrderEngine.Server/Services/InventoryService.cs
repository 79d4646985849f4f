// InventoryService: reservations, stock changes and stock levels. Thin; the watch stands in StockWatch.

using Google.Protobuf.Collections;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Engine;
using OrderEngine.Server.Mapping;
using V1 = OrderEngine.Contracts.V1;

namespace OrderEngine.Server.Services;

/// <summary>Serves orderengine.v1.InventoryService.</summary>
internal sealed partial class InventoryService(EngineCalls calls) : V1.InventoryService.InventoryServiceBase
{
    /// <inheritdoc/>
    public override async Task<Reservation> CreateReservation(CreateReservationRequest request, ServerCallContext context) =>
        Answer(await calls.ExecuteAsync(InventoryRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Normal, context));

    /// <inheritdoc/>
    public override async Task<Reservation> ExtendReservation(ExtendReservationRequest request, ServerCallContext context) =>
        Answer(await calls.ExecuteAsync(InventoryRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Priority, context));

    /// <inheritdoc/>
    public override async Task<SubmitOrderResponse> CommitReservation(CommitReservationRequest request, ServerCallContext context)
    {
        var mapped = await OrderRequests.MapAsync(request, calls.Reader, calls.Vault);
        return OrderAnswers.Submitted(await calls.ExecuteAsync(mapped.OrThrow(), Lane.Priority, context), calls.Reader, explains: true);
    }

    /// <inheritdoc/>
    public override async Task<Reservation> ReleaseReservation(ReleaseReservationRequest request, ServerCallContext context) =>
        Answer(await calls.ExecuteAsync(InventoryRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Priority, context));

    /// <inheritdoc/>
    public override async Task<Reservation> GetReservation(GetReservationRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Fields.CheckId(ref violations, "reservation_id", request.ReservationId);
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        var references = new References(calls.Reader);
        var number = references.Reservation("reservation_id", request.ReservationId);
        violations.ThrowIfAny(references);
        await calls.WaitForAsync(request.MinSequence, context);
        using var guard = calls.Reader.Enter();
        return InventoryReads.Reservation(calls.Reader, number, calls.Engine.View.DurableSequence)
            ?? throw Errors.Exception(ErrorReason.ReservationNotFound, ("reservation_id", request.ReservationId));
    }

    /// <inheritdoc/>
    public override async Task<StockChangeResponse> ReceiveStock(ReceiveStockRequest request, ServerCallContext context) =>
        Changed(await calls.ExecuteAsync(InventoryRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Priority, context));

    /// <inheritdoc/>
    public override async Task<StockChangeResponse> AdjustStock(AdjustStockRequest request, ServerCallContext context) =>
        Changed(await calls.ExecuteAsync(InventoryRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Priority, context));

    /// <inheritdoc/>
    public override async Task<Stock> GetStock(GetStockRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Fields.CheckId(ref violations, "sku_id", request.SkuId);
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        violations.ThrowIfAny();
        await calls.WaitForAsync(request.MinSequence, context);
        var references = new References(calls.Reader);
        var sku = references.Sku("sku_id", request.SkuId);
        violations.ThrowIfAny(references);
        using var guard = calls.Reader.Enter();
        return InventoryReads.Stock(calls.Reader, sku, calls.Engine.View.DurableSequence);
    }

    /// <inheritdoc/>
    public override async Task<BatchGetStockResponse> BatchGetStock(BatchGetStockRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        if (Fields.CheckCount(ref violations, "sku_ids", request.SkuIds.Count, 1, ServerLimits.SkusPerBatchGet))
        {
            for (var i = 0; i < request.SkuIds.Count; i++) Fields.CheckId(ref violations, new FieldPath("sku_ids", i), request.SkuIds[i]);
        }
        violations.ThrowIfAny();
        await calls.WaitForAsync(request.MinSequence, context);
        var references = new References(calls.Reader);
        var skus = new int[request.SkuIds.Count];
        for (var i = 0; i < skus.Length; i++) skus[i] = references.Sku(new FieldPath("sku_ids", i), request.SkuIds[i]);
        violations.ThrowIfAny(references);

        var response = new BatchGetStockResponse();
        using var guard = calls.Reader.Enter();
        var at = calls.Engine.View.DurableSequence;
        var levels = 0;
        foreach (var sku in skus)
        {
            var stock = InventoryReads.Stock(calls.Reader, sku, at);
            levels += stock.Levels.Count;
            if (levels > ServerLimits.LevelsPerBatchGet)
                throw Errors.InvalidField("sku_ids", "must have at most 15,000 stock levels in all: ask for fewer SKUs at once, or list them with ListStock").ToException();
            response.Stocks.Add(stock);
        }
        return response;
    }

    /// <inheritdoc/>
    public override async Task<ListStockResponse> ListStock(ListStockRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Fields.CheckOptionalId(ref violations, "location_id", request.LocationId);
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        var size = Fields.PageSize(ref violations, request.PageSize);
        violations.ThrowIfAny();
        await calls.WaitForAsync(request.MinSequence, context);
        var references = new References(calls.Reader);
        var location = request.LocationId.Length == 0 ? 0 : references.Location("location_id", request.LocationId);
        var token = Token.Read(ref violations, "page_token", request.PageToken, TokenKind.StockLevels, (ulong)location);
        violations.ThrowIfAny(references);

        var response = new ListStockResponse();
        response.NextPageToken = Fill(response.Levels, size, token, TokenKind.StockLevels, (ulong)location, () => calls.Reader.LastStockSlot, context, (slot, at) =>
            calls.Reader.Stock(slot, at, out var row, out var version) && (location == 0 || row.Location == location) ? InventoryReads.Level(calls.Reader, in row, version, at) : null);
        return response;
    }

    /// <inheritdoc/>
    public override Task WatchStock(WatchStockRequest request, IServerStreamWriter<WatchStockResponse> responseStream, ServerCallContext context) =>
        new StockWatch(calls, responseStream, context).RunAsync(request);

    // Fills a page with the numbered rows that are wanted, from where the token says; answers the next page's token, empty at the end. Step by step, so
    // that rows are not kept for the length of a walk over everything.
    private string Fill<T>(RepeatedField<T> page, int size, Token token, TokenKind kind, ulong list, Func<long> last, ServerCallContext context, Func<long, long, T?> read)
        where T : class
    {
        var number = token.A + 1;
        while (page.Count < size && number <= last())
        {
            context.CancellationToken.ThrowIfCancellationRequested();
            using var guard = calls.Reader.Enter();
            var at = calls.Engine.View.DurableSequence;
            var end = Math.Min(last(), number + ServerLimits.ScanStep - 1);
            for (; number <= end && page.Count < size; number++)
                if (read(number, at) is { } row) page.Add(row);
        }
        return number <= last() ? new Token(kind, number - 1, 0, list).ToString() : "";
    }

    private Reservation Answer(in CommandAnswer answer)
    {
        using var guard = calls.Reader.Enter();
        return InventoryReads.Answered(answer, calls.Reader, calls.Engine.View.DurableSequence);
    }

    private StockChangeResponse Changed(in CommandAnswer answer)
    {
        using var guard = calls.Reader.Enter();
        return InventoryReads.Changed(answer, calls.Reader, calls.Engine.View.DurableSequence);
    }
}
