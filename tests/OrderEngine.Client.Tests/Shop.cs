// Owns a small engine in memory behind the fakes: enough of catalog, customers, stock and orders to import into, with the real one's
// promise for request ids. Counts everything that changes it.
using Grpc.Core;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client.Tests;

internal sealed partial class Shop
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SubmitResult> _answers = [];
    private readonly Dictionary<string, long> _receipts = [];

    public Dictionary<string, Sku> Skus { get; } = [];

    public HashSet<string> Channels { get; } = [];

    public HashSet<string> Locations { get; } = [];

    public Dictionary<string, Customer> Customers { get; } = [];

    public Dictionary<string, long> OnHand { get; } = [];

    public Dictionary<string, long> Reserved { get; } = [];

    /// <summary>Accepted orders in the order decided.</summary>
    public List<OrderDraft> Accepted { get; } = [];

    public int Streams { get; private set; }

    /// <summary>Grows with every change.</summary>
    public long Sequence { get; private set; }

    /// <summary>Breaks the stream after so many orders were decided, their last answer unsent; once.</summary>
    public int? BreakAfter { get; set; }

    public FakeServices Services()
    {
        var services = new FakeServices();
        services.Admin.OnStatus = _ => new EngineStatus { Phase = EnginePhase.Serving, Sequence = Sequence };
        services.Catalog.OnGetLocation = r => Find(Locations.Contains(r.LocationId), "LOCATION_NOT_FOUND", () => new Location { LocationId = r.LocationId });
        services.Catalog.OnUpsertLocation = r => Change(() => Locations.Add(r.Location.LocationId), r.Location);
        services.Catalog.OnGetChannel = r => Find(Channels.Contains(r.ChannelId), "CHANNEL_NOT_FOUND", () => new Channel { ChannelId = r.ChannelId });
        services.Catalog.OnUpsertChannel = r => Change(() => Channels.Add(r.Channel.ChannelId), r.Channel);
        services.Catalog.OnGetSku = r => Find(Skus.ContainsKey(r.SkuId), "SKU_NOT_FOUND", () => Skus[r.SkuId]);
        services.Catalog.OnUpsertSku = r => Change(() => Skus[r.Sku.SkuId] = r.Sku, r.Sku);
        services.Customers.OnGet = r => Find(Customers.ContainsKey(r.CustomerId), "CUSTOMER_NOT_FOUND", () => Customers[r.CustomerId]);
        services.Customers.OnUpsert = r => Change(() => Customers[r.Customer.CustomerId] = r.Customer, r.Customer);
        services.Inventory.OnBatchGet = r => new BatchGetStockResponse { Stocks = { r.SkuIds.Select(StockOf) } };
        services.Inventory.OnReceive = Receive;
        services.Inventory.OnAdjust = Adjust;
        services.Orders.OnStream = StreamAsync;
        ServeReturns(services);
        return services;
    }

    private T Find<T>(bool there, string reason, Func<T> get)
    {
        lock (_gate)
            return there ? get() : throw Errors.Exception(StatusCode.NotFound, reason);
    }

    private T Change<T>(Action change, T answer)
    {
        lock (_gate)
        {
            change();
            Sequence++;
            return answer;
        }
    }

    private Stock StockOf(string sku)
    {
        lock (_gate)
        {
            var stock = new Stock { SkuId = sku };
            if (OnHand.TryGetValue(sku, out var units))
                stock.Levels.Add(new StockLevel { SkuId = sku, LocationId = "MAIN", OnHand = units });
            return stock;
        }
    }

    private StockChangeResponse Receive(ReceiveStockRequest request)
    {
        lock (_gate)
        {
            Assert.Equal("MAIN", request.LocationId);
            Assert.InRange(request.Items.Count, 1, 2_000);
            Assert.InRange(request.RequestId.Length, 1, 64);
            if (_receipts.TryAdd(request.RequestId, Sequence))
            {
                Sequence++;
                foreach (var item in request.Items)
                    OnHand[item.SkuId] = OnHand.GetValueOrDefault(item.SkuId) + item.Quantity;
            }

            return new StockChangeResponse();
        }
    }

    private StockChangeResponse Adjust(AdjustStockRequest request)
    {
        lock (_gate)
        {
            if (_receipts.TryAdd(request.RequestId, Sequence))
            {
                Sequence++;
                OnHand[request.SkuId] = OnHand.GetValueOrDefault(request.SkuId) + request.OnHandDelta;
            }

            return new StockChangeResponse();
        }
    }

    private async Task StreamAsync(IAsyncStreamReader<StreamSubmitOrdersRequest> orders, IServerStreamWriter<StreamSubmitOrdersResponse> answers, ServerCallContext context)
    {
        Streams++;
        await foreach (var message in orders.ReadAllAsync())
        {
            var answer = new StreamSubmitOrdersResponse();
            foreach (var order in message.Orders)
            {
                var result = Decide(order.Request).Clone();
                result.ClientSeq = order.ClientSeq;
                if (BreakAfter is { } limit && _answers.Count >= limit)
                {
                    BreakAfter = null;
                    throw new RpcException(new Status(StatusCode.Unavailable, "killed"));
                }

                answer.Results.Add(result);
            }

            await answers.WriteAsync(answer);
        }
    }

    private SubmitResult Decide(SubmitOrderRequest request)
    {
        lock (_gate)
        {
            var key = $"{request.Order.ChannelId}/{request.RequestId}";
            if (_answers.TryGetValue(key, out var before))
                return Again(before);
            Sequence++;
            return _answers[key] = DecideNew(request.Order);
        }
    }

    private SubmitResult DecideNew(OrderDraft order)
    {
        Assert.Contains(order.ChannelId, Channels);
        Assert.True(order.CustomerId.Length == 0 || Customers.ContainsKey(order.CustomerId));
        var demand = order.Lines.GroupBy(line => line.SkuId).Select(g => (Sku: g.Key, Units: g.Sum(line => (long)line.Quantity))).ToList();
        if (demand.Any(d => OnHand.GetValueOrDefault(d.Sku) - Reserved.GetValueOrDefault(d.Sku) < d.Units))
            return new SubmitResult { Refused = Errors.Status(StatusCode.FailedPrecondition, "OUT_OF_STOCK") };
        if (Accepted.Any(a => a.ExternalOrderId == order.ExternalOrderId && a.ChannelId == order.ChannelId))
            return new SubmitResult { Refused = Errors.Status(StatusCode.AlreadyExists, "EXTERNAL_ID_TAKEN") };
        foreach (var (sku, units) in demand)
            Reserved[sku] = Reserved.GetValueOrDefault(sku) + units;
        Accepted.Add(order);
        return new SubmitResult { Accepted = new SubmitOrderResponse { OrderId = $"o{Accepted.Count}", Sequence = Sequence } };
    }

    private static SubmitResult Again(SubmitResult before)
    {
        var answer = before.Clone();
        if (answer.Accepted is not null)
            answer.Accepted.Replayed = true;
        else
            answer.Refused = Errors.Status((StatusCode)before.Refused.Code, "OUT_OF_STOCK", metadata: new Dictionary<string, string> { ["replayed"] = "true" });
        return answer;
    }
}
