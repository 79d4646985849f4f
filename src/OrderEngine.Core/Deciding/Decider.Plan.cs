// Deciding what has to be asked for and what can be promised to those who wait.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    /// <summary>Writes that supply of a SKU is asked for: more or less than before, for another day, or nothing any more. Nothing when it is asked for already.</summary>
    /// <remarks>A request that opens raises SHORTFALL, and one that closes resolves it. One that changes does not raise it again, also when somebody resolved it by hand.</remarks>
    public void AskForSupply(int sku, long now, EventBuffer events)
    {
        var open = state.SupplyRequests.Open(sku, out var request);
        var missing = Missing(sku);
        var neededBy = missing > 0 ? FirstOf(sku).Head.RequestedAt : request.NeededBy;
        if (missing == request.Quantity && (missing == 0 || neededBy == request.NeededBy)) return;
        if (open == 0) request = new SupplyRequestRow { Sku = sku, Location = WantedAt(sku) };
        if (missing > 0)
        {
            request.From = FindSource(sku, request.Location, missing);
            request.Kind = request.From != 0 ? SupplyKind.Transfer : state.Catalog.Replenishment(sku);
            request.NeededBy = neededBy;
        }
        Start(null!, now, events);
        if (open == 0) RaiseException(ExceptionKind.Shortfall, CareOfShortfall(sku), Role.Warehouse, sku: sku, location: request.Location, quantity: missing);
        if (missing == 0) ResolveShortfall(sku);
        BeginEvent();
        _events.BeginBody(EventKind.SupplyRequested);
        _events.Number(1, open == 0 ? state.SupplyRequests.Rows.Count + 1 : open);
        _events.Number(2, sku);
        _events.Number(3, request.Location);
        _events.Number(4, (long)request.Kind);
        _events.Number(5, request.From);
        _events.Number(6, missing);
        _events.Number(7, request.NeededBy);
        EndEvent();
    }

    // Graver when the customer who is served first is of a high tier.
    private Grade CareOfShortfall(int sku) => FirstOf(sku).Head.Tier >= Limits.HighTier ? Grade.High : Grade.Medium;

    // None when somebody resolved it, or when the request was opened before requests raised exceptions.
    private void ResolveShortfall(int sku)
    {
        var exception = state.Exceptions.OpenShortfall(sku);
        if (exception == 0) return;
        BeginEvent();
        _events.BeginBody(EventKind.ExceptionResolved);
        _events.Number(1, exception);
        _events.Bytes(2, "supply request closed"u8);
        EndEvent();
    }

    /// <summary>Writes that a waiting line was promised another date; nothing when it has it.</summary>
    public void Promise(in BackorderKey place, long promisedAt, long now, EventBuffer events)
    {
        if (state.Promises.Of(place.Order, place.Line) == promisedAt) return;
        Start(null!, now, events);
        ref readonly var head = ref state.Order(place.Order).Head;
        BeginOrderEvent(place.Order, in head, head.State);
        _events.BeginBody(EventKind.BackorderPromised);
        _events.Number(1, place.Line);
        _events.Number(2, promisedAt);
        EndEvent();
    }

    // Units that are waited for and neither announced nor there: stock may lie for those who are filled whole and wait for something else.
    private long Missing(int sku)
    {
        var missing = Math.Max(0, state.Queues.Units(sku) - state.Supply.Units(sku));
        if (missing == 0 || !state.Queues.AnyWhole(sku)) return missing;
        long sellable = 0;
        for (var slot = state.Stock.First(sku); slot != 0; slot = state.Stock.Next(slot)) sellable += state.Stock.Levels.LatestAs<StockRow>(slot).Sellable;
        return Math.Max(0, missing - Math.Min(sellable, state.Queues.WholeUnits(sku)));
    }

    private OrderView FirstOf(int sku) => state.Queues.TryNext(sku, in BackorderKey.First, out var place, out _) ? state.Order(place.Order) : default;

    // Where the first of those who wait is served from: of the places that had the SKU, or else of all, the one of best priority.
    private int WantedAt(int sku)
    {
        state.Queues.TryNext(sku, in BackorderKey.First, out var place, out _);
        ref readonly var head = ref state.Order(place.Order).Head;
        var sourcing = new Sourcing(state.Catalog.Rules(head.Channel), state.RegionOf(place.Order, in head));
        var best = 0;
        for (var slot = state.Stock.First(sku); slot != 0; slot = state.Stock.Next(slot)) Consider(state.Stock.Levels.LatestAs<StockRow>(slot).Location, ref best);
        if (best != 0) return best;
        for (var location = 1; location <= state.Catalog.LocationIds.Count; location++) Consider(location, ref best);
        return best;

        void Consider(int location, ref int present)
        {
            if (!sourcing.Channel.Allows(location) || !state.Catalog.Serves(location, sourcing.Region)) return;
            if (present == 0 || IsBefore(location, present)) present = location;
        }
    }

    private bool IsBefore(int location, int other)
    {
        var order = state.Catalog.Priority(location).CompareTo(state.Catalog.Priority(other));
        return order < 0 || order == 0 && state.Catalog.LocationIds.CompareOrdinal(location, other) < 0;
    }

    // The place that has most of it, if that is enough.
    private int FindSource(int sku, int wanted, long units)
    {
        var (best, most) = (0, units - 1);
        for (var slot = state.Stock.First(sku); slot != 0; slot = state.Stock.Next(slot))
        {
            ref readonly var level = ref state.Stock.Levels.LatestAs<StockRow>(slot);
            if (level.Location == wanted || level.Sellable < units) continue;
            if (level.Sellable < most || level.Sellable == most && best != 0 && state.Catalog.LocationIds.CompareOrdinal(level.Location, best) > 0) continue;
            (best, most) = (level.Location, level.Sellable);
        }
        return best;
    }
}
