// One WatchStock call: levels first if asked, then the newest level of whatever changed. Conflated: a slow reader gets fewer messages.

using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Engine;
using OrderEngine.Server.Access;
using OrderEngine.Server.Mapping;

namespace OrderEngine.Server.Services;

/// <summary>One call's stream of stock levels.</summary>
internal sealed class StockWatch(EngineCalls calls, IServerStreamWriter<WatchStockResponse> responses, ServerCallContext context)
{
    private int[] _skus = [];
    private int[] _locations = [];

    /// <summary>Runs until the client leaves or the server stops.</summary>
    public Task RunAsync(WatchStockRequest request) => Watches.RunAsync(TokenKind.Stock, calls, () => WatchAsync(request));

    private async Task WatchAsync(WatchStockRequest request)
    {
        var token = Resolve(request);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, calls.Stopping);
        using var abandon = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, calls.Abandoning);
        var start = request.ResumeToken.Length > 0 ? token.A : calls.Engine.View.DurableSequence;
        using var subscription = calls.Engine.Stock.Subscribe(_skus, _locations, start);
        subscription.Owner = Grant.Current.Caller.Name;
        // The client has a position from the first moment on: with the snapshot's last page, or at once.
        if (request.ResumeToken.Length == 0 && request.SnapshotFirst) await SendAllAsync(start, abandon.Token);
        else await responses.WriteAsync(Levels(new StockPage([], start, calls.Engine.View.DurableSequence)), abandon.Token);
        while (true)
        {
            var page = await subscription.ReadAsync(ServerLimits.EventsPerMessage, ServerLimits.Heartbeat, stop.Token);
            await responses.WriteAsync(Levels(page), abandon.Token);
        }
    }

    private Token Resolve(WatchStockRequest request)
    {
        var violations = new Violations();
        var references = new References(calls.Reader);
        var token = Token.ReadResume(ref violations, "resume_token", request.ResumeToken, TokenKind.Stock, calls.JournalIdentity);
        if (Fields.CheckCount(ref violations, "sku_ids", request.SkuIds.Count, 0, ServerLimits.FilterEntries))
        {
            _skus = new int[request.SkuIds.Count];
            for (var i = 0; i < _skus.Length; i++)
            {
                Fields.CheckId(ref violations, new FieldPath("sku_ids", i), request.SkuIds[i]);
                _skus[i] = references.Sku(new FieldPath("sku_ids", i), request.SkuIds[i]);
            }
        }
        if (Fields.CheckCount(ref violations, "location_ids", request.LocationIds.Count, 0, ServerLimits.LocationFilterEntries))
        {
            _locations = new int[request.LocationIds.Count];
            for (var i = 0; i < _locations.Length; i++)
            {
                Fields.CheckId(ref violations, new FieldPath("location_ids", i), request.LocationIds[i]);
                _locations[i] = references.Location(new FieldPath("location_ids", i), request.LocationIds[i]);
            }
        }
        violations.ThrowIfAny(references);
        token.ThrowIfForeign(calls.JournalIdentity);
        return token;
    }

    private Token TokenAt(long sequence) => new(TokenKind.Stock, sequence, 0, calls.JournalIdentity);

    // The token comes with the last page: a snapshot of stock is cheap to take again.
    private async Task SendAllAsync(long start, CancellationToken abandon)
    {
        var skus = _skus.ToHashSet();
        var locations = _locations.ToHashSet();
        var slot = 1L;
        while (true)
        {
            var response = new WatchStockResponse();
            using (calls.Reader.Enter())
            {
                var at = calls.Engine.View.DurableSequence;
                var end = Math.Min(calls.Reader.LastStockSlot, slot + ServerLimits.ScanStep - 1);
                for (; slot <= end && response.Levels.Count < ServerLimits.EventsPerMessage; slot++)
                {
                    if (calls.Reader.Stock(slot, at, out var row, out var version)
                        && (skus.Count == 0 || skus.Contains(row.Sku)) && (locations.Count == 0 || locations.Contains(row.Location)))
                        response.Levels.Add(InventoryReads.Level(calls.Reader, in row, version, at));
                }
                response.HighWatermark = at;
            }
            var last = slot > calls.Reader.LastStockSlot;
            if (last) response.ResumeToken = TokenAt(start).ToString();
            if (last || response.Levels.Count > 0) await responses.WriteAsync(response, abandon);
            if (last) return;
        }
    }

    private WatchStockResponse Levels(StockPage page)
    {
        var response = new WatchStockResponse { ResumeToken = TokenAt(page.Through).ToString(), HighWatermark = page.HighWatermark };
        if (page.Slots.Count == 0) return response;
        using var guard = calls.Reader.Enter();
        var at = calls.Engine.View.DurableSequence;
        foreach (var slot in page.Slots)
            if (calls.Reader.Stock(slot, at, out var row, out var version)) response.Levels.Add(InventoryReads.Level(calls.Reader, in row, version, at));
        return response;
    }
}

/// <summary>What both watches share.</summary>
internal static class Watches
{
    /// <summary>Runs a watch; a position that cannot be served becomes a status.</summary>
    public static async Task RunAsync(TokenKind kind, EngineCalls calls, Func<Task> watch)
    {
        try
        {
            await watch();
        }
        catch (SubscriberLimitException)
        {
            throw Errors.Exception(ErrorReason.SubscriberLimitReached);
        }
        catch (PositionTruncatedException truncated)
        {
            throw Errors.Exception(ErrorReason.ResumeTokenTruncated, ("earliest_token", new Token(kind, truncated.Earliest, 0, calls.JournalIdentity).ToString()));
        }
        catch (PositionAheadException)
        {
            throw Errors.Exception(ErrorReason.ResumeTokenAhead);
        }
    }
}
