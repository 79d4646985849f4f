// What the small engine does after the sale: an order is released, shipped and delivered whole; a return goes from request to close.
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client.Tests;

internal sealed partial class Shop
{
    private readonly Dictionary<string, Return> _returnOfRequest = [];
    private readonly Dictionary<string, Return> _returns = [];
    private readonly Dictionary<int, OrderState> _stateOfOrder = [];

    /// <summary>What came back, as "credit note invoice line=quantity ...", in the order of the orders.</summary>
    public IEnumerable<string> Returned => _returns.Values.Where(made => made.State == ReturnState.Closed)
        .Select(made => $"{made.ExternalReturnId} {Accepted[NumberOf(made.OrderId) - 1].ExternalOrderId} {string.Join(' ', made.Lines.Select(line => $"{line.LineNumber}={line.Restocked}"))}")
        .Order(StringComparer.Ordinal);

    private void ServeReturns(FakeServices services)
    {
        services.Orders.OnGet = r => Change(0, () => OrderOf(r.OrderId));
        services.Fulfillment.OnRelease = r => Move(r.OrderId, OrderState.Ready, OrderState.Fulfilling);
        services.Fulfillment.OnShip = r => Move(r.OrderId, OrderState.Fulfilling, OrderState.Shipped);
        services.Fulfillment.OnDeliver = r => Move(r.OrderId, OrderState.Shipped, OrderState.Delivered);
        services.Returns.OnRequest = Request;
        services.Returns.OnGet = r => Change(0, () => _returns[r.ReturnId].Clone());
        services.Returns.OnApprove = r => Step(r.ReturnId, ReturnState.Requested, ReturnState.Approved);
        services.Returns.OnReceive = Receive;
        services.Returns.OnClose = r => Step(r.ReturnId, ReturnState.Received, ReturnState.Closed);
    }

    private static int NumberOf(string orderId) => int.Parse(orderId[1..], System.Globalization.CultureInfo.InvariantCulture);

    private T Change<T>(int events, Func<T> change)
    {
        lock (_gate)
        {
            Sequence += events;
            return change();
        }
    }

    private OrderState StateOf(string orderId) => _stateOfOrder.GetValueOrDefault(NumberOf(orderId), OrderState.Ready);

    private Order OrderOf(string orderId)
    {
        var state = StateOf(orderId);
        var order = new Order { OrderId = orderId, State = state };
        foreach (var line in Accepted[NumberOf(orderId) - 1].Lines)
        {
            order.Lines.Add(new OrderLine
            {
                LineNumber = order.Lines.Count + 1, SkuId = line.SkuId, Quantity = line.Quantity, Reserved = state == OrderState.Ready ? line.Quantity : 0,
                Released = state == OrderState.Fulfilling ? line.Quantity : 0, Shipped = state >= OrderState.Shipped ? line.Quantity : 0,
                Delivered = state == OrderState.Delivered ? line.Quantity : 0,
            });
        }

        return order;
    }

    private FulfillmentResponse Move(string orderId, OrderState from, OrderState to) => Change(1, () =>
    {
        Assert.Equal(from, StateOf(orderId));
        _stateOfOrder[NumberOf(orderId)] = to;
        if (to == OrderState.Shipped)
        {
            foreach (var line in Accepted[NumberOf(orderId) - 1].Lines)
            {
                OnHand[line.SkuId] -= line.Quantity;
                Reserved[line.SkuId] -= line.Quantity;
            }
        }

        return new FulfillmentResponse { OrderId = orderId, State = to };
    });

    private Return Request(RequestReturnRequest request) => Change(0, () =>
    {
        if (_returnOfRequest.TryGetValue(request.RequestId, out var before))
        {
            var again = before.Clone();
            again.Replayed = true;
            return again;
        }

        Assert.Equal(OrderState.Delivered, StateOf(request.OrderId));
        Assert.InRange(request.RequestId.Length, 1, 64);
        Assert.DoesNotContain(_returns.Values, made => made.OrderId == request.OrderId && made.ExternalReturnId == request.ExternalReturnId);
        Sequence++;
        var asked = new Return { ReturnId = $"t{_returns.Count + 1}", OrderId = request.OrderId, ExternalReturnId = request.ExternalReturnId, State = ReturnState.Requested };
        foreach (var line in request.Lines)
        {
            var ordered = Accepted[NumberOf(request.OrderId) - 1].Lines[line.LineNumber - 1];
            var already = _returns.Values.Where(made => made.OrderId == request.OrderId).SelectMany(made => made.Lines).Where(one => one.LineNumber == line.LineNumber).Sum(one => one.Requested);
            Assert.InRange(line.Quantity, 1, ordered.Quantity - already);
            asked.Lines.Add(new ReturnLine { LineNumber = line.LineNumber, SkuId = ordered.SkuId, Requested = line.Quantity });
        }

        _returns.Add(asked.ReturnId, asked);
        _returnOfRequest.Add(request.RequestId, asked.Clone());
        return asked.Clone();
    });

    private Return Step(string id, ReturnState from, ReturnState to) => Change(1, () =>
    {
        Assert.Equal(from, _returns[id].State);
        _returns[id].State = to;
        return _returns[id].Clone();
    });

    private Return Receive(ReceiveReturnRequest request) => Change(1, () =>
    {
        Assert.Equal("MAIN", request.LocationId);
        var made = _returns[request.ReturnId];
        Assert.Equal(ReturnState.Approved, made.State);
        foreach (var units in request.Units)
        {
            Assert.Equal(Disposition.Restock, units.Disposition);
            var line = made.Lines.Single(one => one.LineNumber == units.LineNumber);
            line.Restocked += units.Quantity;
            Assert.InRange(line.Restocked, 1, line.Requested);
            OnHand[line.SkuId] += units.Quantity;
        }

        made.State = ReturnState.Received;
        return made.Clone();
    });
}
