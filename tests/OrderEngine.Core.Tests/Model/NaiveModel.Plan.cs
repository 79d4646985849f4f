// The model's supply requests and promised dates, worked out anew for every SKU in every turn. One thread.

namespace OrderEngine.Core.Tests.Model;

internal sealed class ModelRequest(int sku, int location)
{
    public readonly int Sku = sku, Location = location;
    public SupplyKind Kind;
    public int From;
    public long Quantity, NeededBy, Announced, LastIncoming, Version;
    public ModelException Shortfall = null!;
}

internal sealed partial class NaiveModel
{
    public readonly List<ModelRequest> Requests = [];
    private readonly Dictionary<int, SupplyKind> _replenishment = [];

    public int PromisesMade { get; private set; }

    public int PromisesMoved { get; private set; }

    public int ShortfallsOver { get; private set; }

    private void Plan()
    {
        foreach (var sku in Skus.Values.Select(entry => entry.Number).Order())
        {
            Ask(sku);
            Promise(sku);
        }
    }

    // Waited for, neither announced nor there for somebody who waits for more than this.
    private void Ask(int sku)
    {
        var queue = Queue(sku);
        var missing = Math.Max(0, queue.Sum(e => (long)e.Units) - Incoming.Where(i => i.Sku == sku).Sum(i => (long)i.Open));
        var patient = queue.Where(e => e.Order.WholeOnly).Sum(e => (long)e.Units);
        missing = Math.Max(0, missing - Math.Min(patient, Stock.Where(l => l.Key.Sku == sku).Sum(l => l.Value.Sellable)));
        var request = Requests.LastOrDefault(r => r.Sku == sku && r.Quantity > 0);
        // inventory.proto, SupplyRequest.needed_by_time: of the first who waits, whoever that is now.
        if (missing == (request?.Quantity ?? 0) && (missing == 0 || request!.NeededBy == queue[0].Order.RequestedAt)) return;
        if (request is null)
        {
            Requests.Add(request = new ModelRequest(sku, WantedAt(sku, queue[0].Order)));
            // exceptions.proto: tier 7 and above is HIGH, and those who announce supply look into it.
            Exceptions.Add(request.Shortfall = new ModelException(ExceptionKind.Shortfall, 0, 0, missing, DeadlineKind.None)
            {
                Grade = queue[0].Order.Tier > 6 ? Grade.High : Grade.Medium, Owner = Role.Warehouse, Sku = sku, Location = request.Location, Version = Event(),
            });
        }
        else if (missing == 0 && request.Shortfall is { Open: true } shortfall)
        {
            (shortfall.Open, shortfall.Resolution, shortfall.Version) = (false, "supply request closed", Event());
            ShortfallsOver++;
        }
        request.Version = Event();
        request.Quantity = missing;
        if (request.Location != 0) LevelOf(sku, request.Location);
        if (missing == 0) return;
        var other = Stock.Where(l => l.Key.Sku == sku && l.Key.Location != request.Location && l.Value.Sellable >= missing)
            .OrderByDescending(l => l.Value.Sellable).ThenBy(l => LocationIds[l.Key.Location], StringComparer.Ordinal).Select(l => l.Key.Location).FirstOrDefault();
        request.From = other;
        request.Kind = other != 0 ? SupplyKind.Transfer : _replenishment.GetValueOrDefault(sku) == SupplyKind.Production ? SupplyKind.Production : SupplyKind.Purchase;
        request.NeededBy = queue[0].Order.RequestedAt;
    }

    private int WantedAt(int sku, ModelOrder order)
    {
        var may = LocationIds.Keys.Where(l => Rules[order.Submitted.Channel].Allows(l) && (order.Region == "" || Regions[l] == "" || Regions[l] == order.Region))
            .OrderBy(l => Priorities[l]).ThenBy(l => LocationIds[l], StringComparer.Ordinal).ToList();
        return may.Where(l => Stock.ContainsKey((sku, l))).Concat(may).FirstOrDefault();
    }

    private void Promise(int sku)
    {
        var coming = Incoming.Where(i => i.Sku == sku && i.Open > 0).OrderBy(i => i.ExpectedAt).Select(i => (i.ExpectedAt, i.Location, Left: (long)i.Open)).ToList();
        foreach (var wait in Queue(sku))
        {
            var (order, line) = (wait.Order, wait.Line);
            long units = wait.Units, promised = 0;
            for (var i = 0; i < coming.Count && units > 0; i++)
            {
                var (at, location, left) = coming[i];
                if (!Rules[order.Submitted.Channel].Allows(location) || !(order.Region == "" || Regions[location] == "" || Regions[location] == order.Region)) continue;
                var taken = Math.Min(left, units);
                coming[i] = (at, location, left - taken);
                units -= taken;
                if (taken > 0) promised = at;
            }
            if (units > 0) promised = 0;
            // A line is promised when all of it comes.
            if (!wait.IsAdded && line.Added > 0) continue;
            if (order.Promised.GetValueOrDefault(line.Number) == promised) continue;
            if (order.Promised.ContainsKey(line.Number)) PromisesMoved++;
            else PromisesMade++;
            Change(order);
            if (promised == 0) order.Promised.Remove(line.Number);
            else order.Promised[line.Number] = promised;
            MoveDelivery(order);
        }
    }

    // catalog.proto, DeadlineSettings.delivery_after: what is late to come is late to be delivered.
    private void MoveDelivery(ModelOrder order)
    {
        if (_watched.DeliverySeconds == 0 || !order.Deadlines.TryGetValue(DeadlineKind.Delivery, out var deadline)) return;
        var after = _watched.DeliverySeconds * 1_000_000;
        var due = order.RequestedAt > order.AcceptedAt ? order.RequestedAt : order.AcceptedAt + after;
        foreach (var at in order.Promised.Values) due = Math.Max(due, at + after);
        if (due != deadline.Due) Set(order, DeadlineKind.Delivery, due);
    }

    // What was promised to a line that does not wait any more is kept or forgotten.
    private static void Forget(ModelOrder order)
    {
        foreach (var line in order.Lines.Where(l => l.Backordered == 0)) order.Promised.Remove(line.Number);
    }

    private Outcome Answers(long number, int sku)
    {
        if (number == 0) return Outcome.Ok;
        if (number < 1 || number > Requests.Count) return Outcome.SupplyRequestNotFound;
        return Requests[(int)number - 1].Sku == sku ? Outcome.Ok : Outcome.SupplyRequestMismatch;
    }

    private void Answered(long number, int units)
    {
        if (number == 0) return;
        var request = Requests[(int)number - 1];
        request.Announced += units;
        request.LastIncoming = Incoming.Count;
        request.Version = Sequence;
    }
}
