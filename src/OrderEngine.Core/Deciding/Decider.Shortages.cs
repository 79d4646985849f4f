// Deciding what is said of a shortage: when the missing units are expected, and what could be had instead. Only where something is short.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Deciding;

internal sealed partial class Decider
{
    /// <summary>Why a location does not serve a demand; the numbers are stored.</summary>
    private enum Exclusion : byte
    {
        None = 0,
        Channel = 1,
        Region = 2,
    }

    private readonly record struct Lying(int Location, long Sellable, Exclusion Exclusion);

    // The demand that was allotted last, and how much more may be looked at to explain it.
    private Sourcing _sought;
    private BackorderKey _soughtPlace;
    private int _explains;
    private readonly Lying[] _places = new Lying[Limits.PlacesPerShortage];

    private bool Allocate(ReadOnlySpan<DraftLine> lines, AllocationPolicy policy, in Sourcing sourcing, in BackorderKey place, ReadOnlySpan<HeldRow> held)
    {
        (_sought, _soughtPlace) = (sourcing, place);
        return _allocator.Allocate(lines, policy, in sourcing, in place, held);
    }

    /// <summary>Writes what is short of the demand that was allotted last.</summary>
    /// <param name="field">Of the message that holds the shortages.</param>
    /// <param name="shortfalls">What is short, by SKU.</param>
    /// <param name="withAllowed">Also places that may serve it: nothing was taken there.</param>
    private void WriteShortages(int field, ReadOnlySpan<Shortfall> shortfalls, bool withAllowed)
    {
        _explains = Limits.ShortageLooks;
        for (var i = 0; i < shortfalls.Length; i++)
        {
            ref readonly var shortfall = ref shortfalls[i];
            var nested = _events.BeginNested(field);
            _events.Number(1, shortfall.Sku);
            _events.Number(2, shortfall.Requested);
            _events.Number(3, shortfall.Available);
            if (i < Limits.ShortagesExplained) Explain(in shortfall, withAllowed);
            _events.EndNested(nested);
        }
    }

    private void Explain(in Shortfall shortfall, bool withAllowed)
    {
        var sku = ReadSku(shortfall.Sku);
        var expectedAt = ExpectedAt(shortfall.Sku, shortfall.Requested - shortfall.Available);
        var estimated = expectedAt == 0 && sku.LeadTime > 0;
        _events.Number(220, estimated ? _now + sku.LeadTime : expectedAt);
        _events.Number(221, estimated ? 1 : 0);
        var list = new ProtoReader(sku.Substitutes);
        while (list.TryVarint(out var substitute))
            if (SellableOf((int)substitute) is > 0 and var sellable) Quantity(222, (int)substitute, sellable);
        WritePlaces(shortfall.Sku, withAllowed);
    }

    // From what is announced where it may serve the demand, behind all who wait ahead of it; 0: not from that.
    private long ExpectedAt(int sku, long missing)
    {
        var need = state.Queues.UnitsBefore(sku, in _soughtPlace) + missing;
        var after = SupplyKey.First;
        while (_explains-- > 0 && state.Supply.TryNext(sku, in after, out var next, out var units))
        {
            after = next;
            var location = state.Supply.Latest(next.Number).Head.Location;
            if (_sought.Channel.Allows(location) && state.Catalog.Serves(location, _sought.Region)) need -= units;
            if (need <= 0) return next.ExpectedAt;
        }
        return 0;
    }

    private long SellableOf(int sku)
    {
        long sellable = 0;
        for (var slot = state.Stock.First(sku); slot != 0 && _explains-- > 0; slot = state.Stock.Next(slot))
        {
            ref readonly var level = ref state.Stock.Levels.LatestAs<StockRow>(slot);
            if (Excludes(level.Location) == Exclusion.None) sellable += level.Sellable;
        }
        return state.Queues.IsPending(sku) ? Math.Max(0, sellable - state.Queues.UnitsAhead(sku, in _soughtPlace)) : sellable;
    }

    // The places that have most of it.
    private void WritePlaces(int sku, bool withAllowed)
    {
        var count = 0;
        for (var slot = state.Stock.First(sku); slot != 0 && _explains-- > 0; slot = state.Stock.Next(slot))
        {
            ref readonly var level = ref state.Stock.Levels.LatestAs<StockRow>(slot);
            var exclusion = Excludes(level.Location);
            if (level.Sellable == 0 || exclusion == Exclusion.None && !withAllowed) continue;
            var at = count;
            while (at > 0 && _places[at - 1].Sellable < level.Sellable) at--;
            if (at == _places.Length) continue;
            count = Math.Min(count + 1, _places.Length);
            Array.Copy(_places, at, _places, at + 1, count - at - 1);
            _places[at] = new Lying(level.Location, level.Sellable, exclusion);
        }
        foreach (ref readonly var place in _places.AsSpan(0, count)) Movement(223, place.Location, (int)place.Exclusion, (int)Math.Min(place.Sellable, int.MaxValue));
    }

    private Exclusion Excludes(int location) =>
        !_sought.Channel.Allows(location) ? Exclusion.Channel : !state.Catalog.Serves(location, _sought.Region) ? Exclusion.Region : Exclusion.None;

    // Lead time in microseconds, and the packed numbers of what may be offered instead.
    private SkuFacts ReadSku(int sku)
    {
        var read = default(SkuFacts);
        var reader = new ProtoReader(state.Catalog.Skus.Latest(sku));
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 10) read.LeadTime = reader.Long() * 1_000_000;
            else if (field == 11) read.Substitutes = reader.Bytes();
            else reader.Skip(wireType);
        }
        return read;
    }

    private ref struct SkuFacts
    {
        public long LeadTime;
        public ReadOnlySpan<byte> Substitutes;
    }
}
