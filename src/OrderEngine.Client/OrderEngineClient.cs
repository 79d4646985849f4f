// Owns the way in: one connection, the typed services, submit, pipelines and watches. Any thread.
using System.Runtime.CompilerServices;
using Google.Protobuf.Collections;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client;

/// <summary>
/// A client of the engine. Make one and share it: all calls go over its connection, from any thread. Single calls through the typed
/// services are tried again while the error catalogue says that this helps, always with the same request id (one is made where the
/// request has none, and stands in the request afterwards), and fail with <see cref="OrderEngineException"/>.
/// </summary>
public sealed class OrderEngineClient : IDisposable
{
    /// <summary>Where an engine listens by default.</summary>
    public const string DefaultAddress = "http://127.0.0.1:5080";

    private readonly GrpcChannel? _owned;
    private readonly OrderEngineClientOptions _options;
    private readonly Jitter _jitter;

    /// <summary>Connects to an address such as http://127.0.0.1:5080 (h2c) or https://engine.example; dials on the first call.</summary>
    public OrderEngineClient(string address = DefaultAddress, OrderEngineClientOptions? options = null)
        : this(Connection.Open(address, options), options) => _owned = (GrpcChannel)Channel;

    /// <summary>Uses a channel of the caller's, who keeps owning it.</summary>
    public OrderEngineClient(ChannelBase channel, OrderEngineClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(channel);
        _options = options ?? new OrderEngineClientOptions();
        _options.Validate();
        _jitter = new Jitter(_options.RandomSeed);
        Channel = channel;
        var bare = channel.CreateCallInvoker().Named();
        var invoker = new RetryingCallInvoker(_options.Credential is { } credential ? bare.Intercept(Show(credential)) : bare, _options, _jitter);
        Orders = new OrderService.OrderServiceClient(invoker);
        Inventory = new InventoryService.InventoryServiceClient(invoker);
        Fulfillment = new FulfillmentService.FulfillmentServiceClient(invoker);
        Returns = new ReturnService.ReturnServiceClient(invoker);
        Tracking = new TrackingService.TrackingServiceClient(invoker);
        Catalog = new CatalogService.CatalogServiceClient(invoker);
        Customers = new CustomerService.CustomerServiceClient(invoker);
        Admin = new AdminService.AdminServiceClient(invoker);
    }

    /// <summary>The channel underneath.</summary>
    public ChannelBase Channel { get; }

    /// <summary>Orders from intake on.</summary>
    public OrderService.OrderServiceClient Orders { get; }

    /// <summary>Stock and reservations.</summary>
    public InventoryService.InventoryServiceClient Inventory { get; }

    /// <summary>Release, ship, deliver.</summary>
    public FulfillmentService.FulfillmentServiceClient Fulfillment { get; }

    /// <summary>Returns, exchanges, repairs.</summary>
    public ReturnService.ReturnServiceClient Returns { get; }

    /// <summary>Tracking; watches are easier through <see cref="WatchOrdersAsync"/>.</summary>
    public TrackingService.TrackingServiceClient Tracking { get; }

    /// <summary>SKUs, locations, channels.</summary>
    public CatalogService.CatalogServiceClient Catalog { get; }

    /// <summary>Customers.</summary>
    public CustomerService.CustomerServiceClient Customers { get; }

    /// <summary>Running the engine.</summary>
    public AdminService.AdminServiceClient Admin { get; }

    /// <summary>
    /// Submits one order and waits for the decision, trying again with the same request id as long as the budget lasts.
    /// Throws <see cref="OrderEngineException"/> when nobody knows what became of it: submit again later with the same id.
    /// </summary>
    /// <param name="order">What to order.</param>
    /// <param name="requestId">1 to 64 bytes; null makes one, which the outcome names.</param>
    /// <param name="cancellationToken">Stops waiting; the order may have been accepted all the same.</param>
    public async Task<Outcome<SubmitOrderResponse>> SubmitAsync(
        OrderDraft order, string? requestId = null, CancellationToken cancellationToken = default)
    {
        var request = new SubmitOrderRequest { RequestId = requestId ?? RequestIds.New(_options.TimeProvider), Order = order };
        try
        {
            var answer = await Orders.SubmitOrderAsync(request, cancellationToken: cancellationToken).ConfigureAwait(false);
            return Outcome<SubmitOrderResponse>.Accept(request.RequestId, answer);
        }
        catch (OrderEngineException refused) when (Outcomes.IsAnswer(refused.Error))
        {
            return Outcome<SubmitOrderResponse>.Refuse(request.RequestId, refused.Error);
        }
    }

    /// <summary>Opens a pipeline for many orders. Dispose it to wait for what is unanswered.</summary>
    public OrderPipeline OpenOrderPipeline(PipelineOptions? options = null) => new(Orders, options ?? new PipelineOptions(), _options, _jitter);

    /// <summary>Opens a pipeline for many releases, shipments and deliveries. Dispose it to wait for what is unanswered.</summary>
    public StatusReportPipeline OpenStatusReportPipeline(PipelineOptions? options = null) =>
        new(Fulfillment, options ?? new PipelineOptions(), _options, _jitter);

    /// <summary>
    /// Follows orders: every matching change in sequence, without gap or repeat over any number of breaks. To go on after a restart of
    /// your own, give the token of the last update you dealt with. Without a token it starts with what happens now: from the first update
    /// on there is a token. Ends only by cancellation, by leaving the loop, or with an exception.
    /// </summary>
    /// <param name="filter">Which orders; null: all.</param>
    /// <param name="resumeToken">Where to go on; null or empty: now.</param>
    /// <param name="snapshotFirst">Without a token: first every matching order as it stands.</param>
    /// <param name="onBreak">Told of each break that will be mended.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <exception cref="ResumeTokenException">The token reaches too far back, or is of another engine.</exception>
    public async IAsyncEnumerable<OrderUpdate> WatchOrdersAsync(WatchFilter? filter = null, string? resumeToken = null,
        bool snapshotFirst = false, Action<OrderEngineError>? onBreak = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var request = new WatchOrdersRequest { Filter = filter?.Clone() ?? new WatchFilter() };
        var token = resumeToken ?? "";
        long lastSequence = 0;
        AsyncServerStreamingCall<WatchOrdersResponse> Open(CancellationToken stop)
        {
            request.ResumeToken = token;
            request.SnapshotFirst = snapshotFirst && token.Length == 0;
            return Tracking.WatchOrders(request.Clone(), cancellationToken: stop);
        }

        await foreach (var message in Watching.ReadAsync(Open, NewWatchBackoff(), onBreak, cancellationToken).ConfigureAwait(false))
        {
            if (message.ResumeToken.Length > 0)
                token = message.ResumeToken;
            var events = NewOnes(message.Events?.Events ?? [], ref lastSequence);
            yield return new OrderUpdate(events, message.Snapshot?.Orders ?? (IReadOnlyList<Order>)[], message.Snapshot?.Last ?? false,
                token, message.HighWatermark);
        }
    }

    /// <summary>
    /// Follows stock: the newest levels of what changed. A snapshot that breaks in the middle starts again; levels that were given
    /// already and did not change since are left out. Otherwise as <see cref="WatchOrdersAsync"/>.
    /// </summary>
    /// <param name="skuIds">Only these; null: all.</param>
    /// <param name="locationIds">Only these; null: all.</param>
    /// <param name="resumeToken">Where to go on; null or empty: now.</param>
    /// <param name="snapshotFirst">Without a token: first all matching levels.</param>
    /// <param name="onBreak">Told of each break that will be mended.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <exception cref="ResumeTokenException">The token reaches too far back, or is of another engine.</exception>
    public async IAsyncEnumerable<StockUpdate> WatchStockAsync(IEnumerable<string>? skuIds = null, IEnumerable<string>? locationIds = null,
        string? resumeToken = null, bool snapshotFirst = false, Action<OrderEngineError>? onBreak = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var request = new WatchStockRequest { SkuIds = { skuIds ?? [] }, LocationIds = { locationIds ?? [] } };
        var token = resumeToken ?? "";
        Dictionary<(string, string), long>? given = snapshotFirst && token.Length == 0 ? [] : null;
        AsyncServerStreamingCall<WatchStockResponse> Open(CancellationToken stop)
        {
            request.ResumeToken = token;
            request.SnapshotFirst = snapshotFirst && token.Length == 0;
            return Inventory.WatchStock(request.Clone(), cancellationToken: stop);
        }

        await foreach (var message in Watching.ReadAsync(Open, NewWatchBackoff(), onBreak, cancellationToken).ConfigureAwait(false))
        {
            IReadOnlyList<StockLevel> levels = message.Levels;
            if (given is not null)
                levels = [.. levels.Where(level => IsNews(given, level))];
            if (message.ResumeToken.Length > 0)
            {
                token = message.ResumeToken;
                given = null;
            }

            yield return new StockUpdate(levels, token, message.HighWatermark);
        }
    }

    /// <summary>
    /// Every order that is asked for, each once and whole, as all stood at one sequence; goes on where it was after a break. Ends with the message that
    /// has <see cref="ExportedOrders.End"/>, or with an exception.
    /// </summary>
    /// <param name="request">Which. Its resume token: where to go on.</param>
    /// <param name="onBreak">Told of each break that will be mended.</param>
    /// <param name="cancellationToken">Ends the export.</param>
    /// <exception cref="OrderEngineException">It cannot be gone on with; EXPORT_ENDED: begin a new one.</exception>
    public async IAsyncEnumerable<ExportedOrders> ExportOrdersAsync(ExportOrdersRequest request, Action<OrderEngineError>? onBreak = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var next = request.Clone();
        ExportedOrder? open = null;
        await foreach (var message in Watching.ReadAsync(stop => Orders.ExportOrders(next.Clone(), cancellationToken: stop), NewWatchBackoff(), onBreak, cancellationToken).ConfigureAwait(false))
        {
            // An order whose history was cut off by a break comes again from its beginning.
            next.ResumeToken = message.ResumeToken;
            var whole = new ExportedOrders { Sequence = message.Sequence, ResumeToken = message.ResumeToken, End = message.End };
            foreach (var part in message.Orders)
            {
                if (part.Order is null && open is not null)
                    open.Events.Add(part.Events);
                else
                    open = part;
                if (part.MoreEvents)
                    continue;
                open.MoreEvents = false;
                whole.Orders.Add(open);
                open = null;
            }

            yield return whole;
            if (message.End is not null)
                yield break;
        }
    }

    /// <summary>Closes the connection, when this client opened it.</summary>
    public void Dispose() => _owned?.Dispose();

    // The engine does not repeat itself; should one ever do, it ends here.
    private static RepeatedField<OrderEvent> NewOnes(RepeatedField<OrderEvent> events, ref long lastSequence)
    {
        if (events.Count == 0)
            return events;
        var known = lastSequence;
        lastSequence = Math.Max(known, events[^1].Sequence);
        return events[0].Sequence > known ? events : new RepeatedField<OrderEvent> { events.Where(e => e.Sequence > known) };
    }

    private static bool IsNews(Dictionary<(string, string), long> given, StockLevel level)
    {
        var key = (level.SkuId, level.LocationId);
        if (given.TryGetValue(key, out var sequence) && sequence >= level.Sequence)
            return false;
        given[key] = level.Sequence;
        return true;
    }

    private Backoff NewWatchBackoff() => new(_options.WatchRetry, _options.TimeProvider, _jitter);

    private static Func<Metadata, Metadata> Show(Func<string> credential) => headers =>
    {
        // The caller's own headers may be used for other calls too.
        var all = new Metadata();
        foreach (var header in headers) all.Add(header);
        all.Add("authorization", "Bearer " + credential());
        return all;
    };
}
