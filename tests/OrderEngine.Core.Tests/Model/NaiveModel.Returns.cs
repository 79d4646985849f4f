// The model's returns: asked for, approved or rejected, sent, received, repaired, shipped back, closed. One thread.

using System.Text;

namespace OrderEngine.Core.Tests.Model;

internal sealed class ModelReturn
{
    public required long Number { get; init; }
    public required long Order { get; init; }
    public required byte[] ExternalId { get; init; }
    public required DraftLine[] Replacements { get; init; }
    public required long RequestedAt { get; init; }
    public required long RequestedSequence { get; init; }
    public readonly SortedDictionary<int, int> Requested = [];
    public readonly List<ReturnedUnits> Received = [];
    public ReturnState State = ReturnState.Requested;
    public long Version, ChangedAt, Replacement, Refund;
    public int Location;

    /// <summary>Its replacement will never come.</summary>
    public bool Fallen;

    public bool IsOpen => State is not (ReturnState.Closed or ReturnState.Rejected);

    public int Came(int line, Disposition disposition) => Received.Where(u => u.Line == line && u.Disposition == disposition).Sum(u => u.Quantity);

    public int Came(int line) => Received.Where(u => u.Line == line).Sum(u => u.Quantity);

    public int ForGood(int line) => Came(line) - Came(line, Disposition.Repair);

    public bool HasRepairs => Received.Any(u => u.Disposition == Disposition.Repair);
}

internal sealed partial class NaiveModel
{
    public readonly List<ModelReturn> Returns = [];
    public readonly HashSet<long> TouchedReturns = [];

    private static readonly Outcome[] BoundAfterSale =
        [Outcome.IllegalReturnTransition, Outcome.NotReturnable, Outcome.NotExpected, Outcome.ReturnIdTaken, Outcome.RepairNotDone, Outcome.ReturnWindowOver];

    // The comments of ReturnService, "Usual role" and "Allowed".
    private static Role[]? AfterSaleRoles(CommandKind kind) => kind switch
    {
        CommandKind.RequestReturn => [Role.Customer, Role.Support, Role.Warehouse, Role.Channel],
        CommandKind.ApproveReturn or CommandKind.RejectReturn or CommandKind.CloseReturn => [Role.Support, Role.Warehouse],
        CommandKind.SendReturn => [Role.Customer, Role.Support, Role.Carrier, Role.Warehouse],
        CommandKind.ReceiveReturn or CommandKind.RecordRepair or CommandKind.ShipBackReturn => [Role.Warehouse],
        _ => null,
    };

    /// <summary>Units of a line in returns that are open and not back for good.</summary>
    public int ToComeBack(long order, int line) => Returns.Where(r => r.Order == order && r.IsOpen).Sum(r => r.Requested.GetValueOrDefault(line) - r.ForGood(line));

    private ModelReturn? FindReturn(long number) => number > 0 && number <= Returns.Count ? Returns[(int)number - 1] : null;

    private Outcome Request(RequestReturn request)
    {
        if (request.Order <= 0 || request.Order > Orders.Count) return Outcome.OrderNotFound;
        if (request.ExternalId.Length > 0 && Returns.Any(r => r.Order == request.Order && r.ExternalId.SequenceEqual(request.ExternalId))) return Outcome.ReturnIdTaken;
        if (Orders[(int)request.Order - 1] is var over && (over.State == OrderState.Completed || over.WindowOver) && (request.ExpectedVersion == 0 || request.ExpectedVersion == over.Version)) return Outcome.ReturnWindowOver;
        var refusal = Find(request.Order, request.ExpectedVersion, [OrderState.PartiallyShipped, OrderState.Shipped, OrderState.Delivered], out var order);
        if (refusal != Outcome.Ok) return refusal;
        int Returnable(ModelLine line) => line.Shipped - line.Lost - line.Returned - ToComeBack(order.Number, line.Number);
        if (request.Lines.Any(l => l.Line > order.Lines.Count)) return Outcome.QuantityNotAvailable;
        var wanted = request.Lines.Length > 0
            ? request.Lines.Select(l => (l.Line, l.Quantity)).ToList()
            : order.Lines.Where(l => Returnable(l) > 0).Select(l => (Line: l.Number, Quantity: Returnable(l))).ToList();
        if (wanted.Count == 0 || wanted.Any(w => w.Quantity > Returnable(order.Lines[w.Line - 1]))) return Outcome.NotReturnable;
        Change(order);
        var made = new ModelReturn
        {
            Number = Returns.Count + 1, Order = request.Order, ExternalId = request.ExternalId, Replacements = request.Replacements,
            RequestedAt = _now, RequestedSequence = Sequence, Version = Sequence, ChangedAt = _now,
        };
        foreach (var (line, quantity) in wanted) made.Requested[line] = quantity;
        Returns.Add(made);
        TouchedReturns.Add(made.Number);
        return Outcome.Ok;
    }

    private Outcome OfReturn(ReturnCommand asked)
    {
        var found = FindReturn(asked.Return);
        if (found is null) return Outcome.ReturnNotFound;
        if (asked.ExpectedVersion != 0 && asked.ExpectedVersion != found.Version) return Outcome.EtagMismatch;
        ReturnState[] from = asked.Kind switch
        {
            CommandKind.ApproveReturn or CommandKind.RejectReturn => [ReturnState.Requested],
            CommandKind.SendReturn => [ReturnState.Approved],
            CommandKind.ReceiveReturn => [ReturnState.Approved, ReturnState.InTransit, ReturnState.Received],
            CommandKind.RecordRepair => [ReturnState.Received],
            CommandKind.ShipBackReturn => [ReturnState.Repaired],
            _ => [ReturnState.Approved, ReturnState.InTransit, ReturnState.Received, ReturnState.ShippedBack],
        };
        if (!from.Contains(found.State)) return Outcome.IllegalReturnTransition;
        var outcome = asked switch
        {
            ReceiveReturn receive => Receive(receive, found),
            { Kind: CommandKind.ApproveReturn } when found.Replacements.Length > 0 => Replace(found),
            { Kind: CommandKind.RecordRepair } when !found.HasRepairs => Outcome.RepairNotDone,
            { Kind: CommandKind.CloseReturn } when found.State != ReturnState.ShippedBack && found.HasRepairs => Outcome.RepairNotDone,
            _ => Outcome.Ok,
        };
        if (outcome != Outcome.Ok) return outcome;
        Change(Orders[(int)found.Order - 1]);
        if (asked is ReceiveReturn arrived) Store(arrived, found);
        found.Version = Sequence;
        found.ChangedAt = _now;
        found.State = asked.Kind switch
        {
            CommandKind.ApproveReturn => ReturnState.Approved,
            CommandKind.RejectReturn => ReturnState.Rejected,
            CommandKind.SendReturn => ReturnState.InTransit,
            CommandKind.ReceiveReturn => ReturnState.Received,
            CommandKind.RecordRepair => ReturnState.Repaired,
            CommandKind.ShipBackReturn => ReturnState.ShippedBack,
            _ => ReturnState.Closed,
        };
        TouchedReturns.Add(found.Number);
        var order = Orders[(int)found.Order - 1];
        WatchReturns(order, asked.Kind);
        if (!order.WindowOver || order.State != OrderState.Delivered || Returns.Any(r => r.Order == order.Number && r.IsOpen)) return Outcome.Ok;
        // The time for returns is over, and this was the last one.
        Change(order);
        Enter(order, OrderState.Completed);
        return Outcome.Ok;
    }

    // catalog.proto, DeadlineSettings.return_arrival_after and return_close_after: from the first return of an order until there is none any more.
    private void WatchReturns(ModelOrder order, CommandKind step)
    {
        var theirs = Returns.Where(r => r.Order == order.Number).Select(r => r.State).ToList();
        void Follow(DeadlineKind kind, bool any, bool begins, long seconds)
        {
            if (!any) order.Deadlines.Remove(kind);
            else if (begins && !order.Deadlines.ContainsKey(kind)) Expect(order, kind, seconds);
        }
        Follow(DeadlineKind.ReturnArrival, theirs.Any(s => s is ReturnState.Approved or ReturnState.InTransit), step == CommandKind.ApproveReturn, _watched.ReturnArrivalSeconds);
        Follow(DeadlineKind.ReturnClose, theirs.Any(s => s is ReturnState.Received or ReturnState.Repaired or ReturnState.ShippedBack), step == CommandKind.ReceiveReturn, _watched.ReturnCloseSeconds);
    }

    // An exchange: an order of its own, on account, which waits where stock does not cover it.
    private Outcome Replace(ModelReturn exchange)
    {
        var original = Orders[(int)exchange.Order - 1].Submitted;
        var outcome = Submit(new SubmitOrder
        {
            Channel = original.Channel, Customer = original.Customer, ExternalId = Encoding.UTF8.GetBytes("return/" + PublicId.Format('t', exchange.Number)), Type = OrderType.Replacement,
            Policy = AllocationPolicy.PartialBackorder, Terms = PaymentTerms.Credit, Priority = original.Priority, CurrencyCode = original.CurrencyCode, Region = original.Region, Shipping = ShippingPolicy.Partial, Lines = exchange.Replacements,
            Delivery = new SealedData(Orders[(int)exchange.Order - 1].DeliveryKey, []),
        }, byEngine: true);
        if (outcome == Outcome.Ok) exchange.Replacement = Orders[^1].Number;
        return outcome;
    }

    private Outcome Receive(ReceiveReturn receive, ModelReturn found)
    {
        var order = Orders[(int)found.Order - 1];
        if (receive.Units.GroupBy(u => u.Line).Any(g => g.Sum(u => u.Quantity) > found.Requested.GetValueOrDefault(g.Key) - found.Came(g.Key))) return Outcome.NotExpected;
        var onHand = receive.Units.Where(u => u.Disposition is Disposition.Restock or Disposition.Quarantine).GroupBy(u => order.Lines[u.Line - 1].Sku);
        return onHand.Any(g => (Stock.GetValueOrDefault((g.Key, receive.Location))?.OnHand ?? 0) + g.Sum(u => u.Quantity) > 1_000_000_000_000) ? Outcome.StockOverflow : Outcome.Ok;
    }

    // returns.proto, Return.refund_minor: of an exchange whose goods never come, what was brought back is paid back.
    private void CreditFor(ModelOrder replacement)
    {
        if (replacement.State is not (OrderState.Cancelled or OrderState.Lost) || Returns.SingleOrDefault(r => r.Replacement == replacement.Number) is not { } exchange) return;
        var original = Orders[(int)exchange.Order - 1];
        var surplus = Surplus(original);
        Change(original);
        exchange.Fallen = true;
        (exchange.Version, exchange.ChangedAt) = (Sequence, _now);
        TouchedReturns.Add(exchange.Number);
        foreach (var (number, _) in exchange.Requested)
        {
            var line = original.Lines[number - 1];
            line.Swapped -= exchange.ForGood(number);
            exchange.Refund += exchange.ForGood(number) * line.Price;
        }
        ExchangesFallen++;
        if (exchange.Refund > 0) RaiseSurplus(original, surplus);
    }

    public int ExchangesFallen { get; private set; }

    private void Store(ReceiveReturn receive, ModelReturn found)
    {
        var order = Orders[(int)found.Order - 1];
        found.Location = receive.Location;
        foreach (var units in receive.Units)
        {
            var line = order.Lines[units.Line - 1];
            found.Received.Add(units);
            if (units.Disposition == Disposition.Repair) continue;
            line.Returned += units.Quantity;
            if (found.Replacements.Length == 0 || found.Fallen) found.Refund += units.Quantity * line.Price;
            else line.Swapped += units.Quantity;
            if (units.Disposition == Disposition.Scrap) continue;
            var level = LevelOf(line.Sku, receive.Location);
            level.OnHand += units.Quantity;
            if (units.Disposition == Disposition.Quarantine) level.Unavailable += units.Quantity;
        }
    }
}
