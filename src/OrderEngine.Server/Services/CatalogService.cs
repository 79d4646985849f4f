// CatalogService: SKUs, locations, channels. Thin. Entries are listed by their dense numbers, which is the order of their creation.

using Google.Protobuf;
using Google.Protobuf.Collections;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Core.Events;
using OrderEngine.Engine;
using OrderEngine.Server.Mapping;
using V1 = OrderEngine.Contracts.V1;

namespace OrderEngine.Server.Services;

/// <summary>Serves orderengine.v1.CatalogService.</summary>
internal sealed class CatalogService(EngineCalls calls) : V1.CatalogService.CatalogServiceBase
{
    /// <inheritdoc/>
    public override async Task<Sku> UpsertSku(UpsertSkuRequest request, ServerCallContext context)
    {
        var answer = await calls.ExecuteAsync(CatalogRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Normal, context);
        if (answer.Event.IsEmpty) return FindSku(request.Sku.SkuId);
        var defined = new EventView(answer.Event.Span);
        return CatalogReads.Sku(calls.Reader, defined.Body, defined.Sequence);
    }

    /// <inheritdoc/>
    public override Task<Sku> GetSku(GetSkuRequest request, ServerCallContext context)
    {
        CheckId("sku_id", request.SkuId);
        return Task.FromResult(FindSku(request.SkuId));
    }

    /// <inheritdoc/>
    public override Task<ListSkusResponse> ListSkus(ListSkusRequest request, ServerCallContext context)
    {
        var response = new ListSkusResponse();
        response.NextPageToken = List(request.PageSize, request.PageToken, TokenKind.Skus, calls.Reader.Skus.Count, (number, at) =>
        {
            var body = calls.Reader.Sku(number, at, out var version);
            return body.IsEmpty ? 0 : Add(response.Skus, CatalogReads.Sku(calls.Reader, body, version));
        });
        return Task.FromResult(response);
    }

    /// <inheritdoc/>
    public override async Task<Location> UpsertLocation(UpsertLocationRequest request, ServerCallContext context)
    {
        var answer = await calls.ExecuteAsync(CatalogRequests.Map(request, calls.Vault).OrThrow(), Lane.Normal, context);
        if (answer.Event.IsEmpty) return FindLocation(request.Location.LocationId);
        var defined = new EventView(answer.Event.Span);
        return CatalogReads.Location(defined.Body, defined.Sequence);
    }

    /// <inheritdoc/>
    public override Task<Location> GetLocation(GetLocationRequest request, ServerCallContext context)
    {
        CheckId("location_id", request.LocationId);
        return Task.FromResult(FindLocation(request.LocationId));
    }

    /// <inheritdoc/>
    public override Task<ListLocationsResponse> ListLocations(ListLocationsRequest request, ServerCallContext context)
    {
        var response = new ListLocationsResponse();
        response.NextPageToken = List(request.PageSize, request.PageToken, TokenKind.Locations, calls.Reader.Locations.Count, (number, at) =>
        {
            var body = calls.Reader.Location(number, at, out var version);
            return body.IsEmpty ? 0 : Add(response.Locations, CatalogReads.Location(body, version));
        });
        return Task.FromResult(response);
    }

    /// <inheritdoc/>
    public override async Task<Channel> UpsertChannel(UpsertChannelRequest request, ServerCallContext context)
    {
        var answer = await calls.ExecuteAsync(CatalogRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Normal, context);
        if (answer.Event.IsEmpty) return FindChannel(request.Channel.ChannelId);
        var defined = new EventView(answer.Event.Span);
        return CatalogReads.Channel(calls.Reader, defined.Body, defined.Sequence);
    }

    /// <inheritdoc/>
    public override Task<Channel> GetChannel(GetChannelRequest request, ServerCallContext context)
    {
        CheckId("channel_id", request.ChannelId);
        return Task.FromResult(FindChannel(request.ChannelId));
    }

    /// <inheritdoc/>
    public override Task<ListChannelsResponse> ListChannels(ListChannelsRequest request, ServerCallContext context)
    {
        var response = new ListChannelsResponse();
        response.NextPageToken = List(request.PageSize, request.PageToken, TokenKind.Channels, calls.Reader.Channels.Count, (number, at) =>
        {
            var body = calls.Reader.Channel(number, at, out var version);
            return body.IsEmpty ? 0 : Add(response.Channels, CatalogReads.Channel(calls.Reader, body, version));
        });
        return Task.FromResult(response);
    }

    /// <inheritdoc/>
    public override async Task<ReviewRules> SetReviewRules(SetReviewRulesRequest request, ServerCallContext context)
    {
        var answer = await calls.ExecuteAsync(ReviewRequests.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Normal, context);
        if (answer.Event.IsEmpty) return ReadReviewRules();
        var defined = new EventView(answer.Event.Span);
        return ReviewReads.Rules(calls.Reader, defined.Body, defined.Sequence);
    }

    /// <inheritdoc/>
    public override Task<ReviewRules> GetReviewRules(GetReviewRulesRequest request, ServerCallContext context) => Task.FromResult(ReadReviewRules());

    /// <inheritdoc/>
    public override async Task<DeadlineSettings> SetDeadlines(SetDeadlinesRequest request, ServerCallContext context)
    {
        var answer = await calls.ExecuteAsync(DeadlineMapping.Map(request, calls.Reader, calls.Vault).OrThrow(), Lane.Normal, context);
        if (answer.Event.IsEmpty) return ReadDeadlines();
        var defined = new EventView(answer.Event.Span);
        return DeadlineMapping.Settings(defined.Body, defined.Sequence);
    }

    /// <inheritdoc/>
    public override Task<DeadlineSettings> GetDeadlines(GetDeadlinesRequest request, ServerCallContext context) => Task.FromResult(ReadDeadlines());

    private DeadlineSettings ReadDeadlines()
    {
        using var guard = calls.Reader.Enter();
        var body = calls.Reader.DeadlineRules(calls.Engine.View.DurableSequence, out var version);
        return DeadlineMapping.Settings(body, version);
    }

    private ReviewRules ReadReviewRules()
    {
        using var guard = calls.Reader.Enter();
        var body = calls.Reader.ReviewRules(calls.Engine.View.DurableSequence, out var version);
        return ReviewReads.Rules(calls.Reader, body, version);
    }

    private static void CheckId(string field, string id)
    {
        var violations = new Violations();
        Fields.CheckId(ref violations, field, id);
        violations.ThrowIfAny();
    }

    private Sku FindSku(string id)
    {
        var references = new References(calls.Reader);
        var number = references.Sku("sku_id", id);
        new Violations().ThrowIfAny(references);
        using var guard = calls.Reader.Enter();
        var body = calls.Reader.Sku(number, calls.Engine.View.DurableSequence, out var version);
        return body.IsEmpty
            ? throw Errors.Exception(ErrorReason.SkuNotFound, ("field", "sku_id"), ("sku_id", id))
            : CatalogReads.Sku(calls.Reader, body, version);
    }

    private Location FindLocation(string id)
    {
        var references = new References(calls.Reader);
        var number = references.Location("location_id", id);
        new Violations().ThrowIfAny(references);
        using var guard = calls.Reader.Enter();
        var body = calls.Reader.Location(number, calls.Engine.View.DurableSequence, out var version);
        return body.IsEmpty
            ? throw Errors.Exception(ErrorReason.LocationNotFound, ("field", "location_id"), ("location_id", id))
            : CatalogReads.Location(body, version);
    }

    private Channel FindChannel(string id)
    {
        var references = new References(calls.Reader);
        var number = references.Channel("channel_id", id);
        new Violations().ThrowIfAny(references);
        using var guard = calls.Reader.Enter();
        var body = calls.Reader.Channel(number, calls.Engine.View.DurableSequence, out var version);
        return body.IsEmpty
            ? throw Errors.Exception(ErrorReason.ChannelNotFound, ("field", "channel_id"), ("channel_id", id))
            : CatalogReads.Channel(calls.Reader, body, version);
    }

    private static int Add<T>(RepeatedField<T> list, T entry) where T : IMessage
    {
        list.Add(entry);
        return entry.CalculateSize();
    }

    /// <summary>Adds one page; returns the token of the next, empty on the last.</summary>
    /// <param name="pageSize">As asked.</param>
    /// <param name="pageToken">As asked.</param>
    /// <param name="kind">What is listed.</param>
    /// <param name="count">The last number.</param>
    /// <param name="add">Adds an entry as it is at a sequence; returns its bytes, 0 when there is none.</param>
    private string List(int pageSize, string pageToken, TokenKind kind, int count, Func<int, long, int> add)
    {
        var violations = new Violations();
        var size = Fields.PageSize(ref violations, pageSize);
        var token = Token.Read(ref violations, "page_token", pageToken, kind);
        violations.ThrowIfAny();
        using var guard = calls.Reader.Enter();
        var at = calls.Engine.View.DurableSequence;
        var added = 0;
        var bytes = 0;
        var number = token.A + 1;
        for (; number <= count && added < size && bytes < ServerLimits.PageBytes; number++)
        {
            var length = add((int)number, at);
            if (length == 0) continue;
            added++;
            bytes += length;
        }
        return number <= count ? new Token(kind, number - 1).ToString() : "";
    }
}
