// From which locations a demand is served: the sourcing rules and the four allocation policies. Changes nothing; writer thread only.
//
//  1. Demand is summed per SKU over all lines.
//  2. What a committed reservation holds is taken first, where it lies.
//  3. One location that covers everything else is preferred, the best by the channel's rule.
//  4. Otherwise each SKU is taken from its locations in the order of the channel's rule, until covered; ties go by location id.
//  5. While a SKU's queue has stock to hand out, a new demand gets only what is left behind the units ahead of it.
//  6. A location serves whom its channel allows, and, where it has a region, orders to that region and those that name none.

using OrderEngine.Core.State;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.Deciding;

/// <summary>Units of a line from a location.</summary>
internal readonly record struct Take(int Line, int Location, int Quantity);

/// <summary>What is missing of a SKU.</summary>
internal readonly record struct Shortfall(int Sku, long Requested, long Available);

/// <summary>Which free stock an allocation may take.</summary>
internal enum FreeStock : byte
{
    /// <summary>What is there.</summary>
    Any,
    /// <summary>All that is wanted; where some of it is missing, none.</summary>
    OnlyWhole,
    /// <summary>None: only what is its own.</summary>
    None,
}

/// <summary>For whom stock is sought.</summary>
/// <param name="Channel">Rules of the channel.</param>
/// <param name="Region">Number of the region that it goes to (<see cref="Catalog.FindRegion"/>); 0: none is named.</param>
/// <param name="Free">What a demand that may wait takes of free stock.</param>
internal readonly record struct Sourcing(ChannelRules Channel, int Region = 0, FreeStock Free = FreeStock.Any);

/// <summary>Works out an allocation and keeps its result until the next one. All arrays are scratch, grown once.</summary>
internal sealed class Allocator(EngineState state)
{
    private struct Demand
    {
        public int Sku;
        public long Requested;
        /// <summary>Units that the committed reservation still has for it.</summary>
        public long Own;
        /// <summary>Free units that may be taken, after what waits ahead.</summary>
        public long Free;
        public int FirstSource;
        public int SourceCount;
        public bool Sorted;

        public readonly long FromStock => Math.Max(0, Requested - Own);
    }

    private struct Source
    {
        public int Location;
        public long Available;
    }

    private struct Seen
    {
        public long Round;
        public int Demand;
    }

    /// <summary>How many demands, and units of them, a location covers in a round.</summary>
    private struct Coverage
    {
        public long Round;
        public long Available;
        public int Covered;
    }

    private Demand[] _demands = new Demand[16];
    private int _demandCount;
    private int[] _demandOfLine = new int[16];
    private Source[] _sources = new Source[16];
    private int _sourceCount;
    private Take[] _takes = new Take[16];
    private int _takeCount;
    private int[] _reserved = new int[16];
    private HeldRow[] _own = [];
    private Shortfall[] _shortfalls = new Shortfall[16];
    private int _shortfallCount;
    // By SKU: the round in which it was last seen, and its demand; saves clearing a table for each order. Rounds never come again.
    private readonly ChunkedArray<Seen> _seen = new();
    private readonly ChunkedArray<Coverage> _coverage = new();
    private long _round;

    /// <summary>The units allotted, by line in order.</summary>
    public ReadOnlySpan<Take> Takes => _takes.AsSpan(0, _takeCount);

    /// <summary>What is missing, by SKU in the order of the lines.</summary>
    public ReadOnlySpan<Shortfall> Shortfalls => _shortfalls.AsSpan(0, _shortfallCount);

    /// <summary>Units allotted to a line (0-based).</summary>
    public int ReservedOf(int line) => _reserved[line];

    /// <summary>Allots stock to lines under a policy.</summary>
    /// <param name="lines">What is wanted.</param>
    /// <param name="policy">What to do when stock does not cover it.</param>
    /// <param name="sourcing">For whom.</param>
    /// <param name="place">The demand's place in a queue, should it have to wait.</param>
    /// <param name="held">What a reservation holds that is being committed; may be empty.</param>
    /// <returns>False when the policy refuses: nothing is allotted, <see cref="Shortfalls"/> say why.</returns>
    public bool Allocate(ReadOnlySpan<DraftLine> lines, AllocationPolicy policy, in Sourcing sourcing, in BackorderKey place, ReadOnlySpan<HeldRow> held)
    {
        var rules = sourcing.Channel;
        _takeCount = 0;
        if (_own.Length < held.Length) _own = new HeldRow[held.Length];
        held.CopyTo(_own);
        SumDemand(lines);
        NoteHeld(held.Length);
        for (var i = 0; i < _demandCount; i++) FindSources(ref _demands[i], in sourcing, in place);
        FindShortfalls();

        if (_shortfallCount > 0 && policy == AllocationPolicy.AllOrNothing) return false;
        var single = _shortfallCount == 0 ? BestSingleLocation(rules) : 0;
        var ownOnly = policy == AllocationPolicy.PartialBackorder && (sourcing.Free == FreeStock.None || sourcing.Free == FreeStock.OnlyWhole && _shortfallCount > 0);
        for (var i = 0; i < lines.Length; i++)
        {
            ref var demand = ref _demands[_demandOfLine[i]];
            var wanted = lines[i].Quantity;
            _reserved[i] = 0;
            if (policy == AllocationPolicy.LineAllOrNothing && demand.Own + demand.Free < wanted) continue;
            _reserved[i] = TakeHeld(ref demand, i + 1, wanted, held.Length);
            if (ownOnly) continue;
            _reserved[i] += single != 0 ? TakeFrom(ref demand, i + 1, wanted - _reserved[i], single) : TakeInOrder(ref demand, i + 1, wanted - _reserved[i], rules);
        }
        if (_takeCount > Limits.AllocationsPerOrder) return false;
        return policy == AllocationPolicy.PartialBackorder || _takeCount > 0;
    }

    /// <summary>Allots free stock to a place in a queue.</summary>
    /// <returns>Units allotted; the takes name line 0.</returns>
    public int AllocateWaiting(int sku, int units, in Sourcing sourcing)
    {
        _takeCount = _sourceCount = 0;
        _demandCount = 1;
        ref var demand = ref _demands[0];
        demand = new Demand { Sku = sku, Requested = units };
        ListSources(ref demand, in sourcing);
        var rules = sourcing.Channel;
        var single = BestSingleLocation(rules);
        return single != 0 ? TakeFrom(ref demand, 0, units, single) : TakeInOrder(ref demand, 0, units, rules);
    }

    private void SumDemand(ReadOnlySpan<DraftLine> lines)
    {
        _demandCount = 0;
        _sourceCount = 0;
        _round++;
        if (_demandOfLine.Length < lines.Length)
        {
            Array.Resize(ref _demandOfLine, lines.Length);
            Array.Resize(ref _reserved, lines.Length);
        }
        for (var i = 0; i < lines.Length; i++)
        {
            ref var seen = ref _seen[lines[i].Sku];
            if (seen.Round != _round)
            {
                if (_demandCount == _demands.Length) Array.Resize(ref _demands, _demandCount * 2);
                seen = new Seen { Round = _round, Demand = _demandCount };
                _demands[_demandCount++] = new Demand { Sku = lines[i].Sku };
            }
            _demandOfLine[i] = seen.Demand;
            _demands[seen.Demand].Requested += lines[i].Quantity;
        }
    }

    private void NoteHeld(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var seen = _seen[_own[i].Sku];
            if (seen.Round == _round) _demands[seen.Demand].Own += _own[i].Quantity;
        }
    }

    private void FindSources(ref Demand demand, in Sourcing sourcing, in BackorderKey place)
    {
        ListSources(ref demand, in sourcing);
        if (!state.Queues.IsPending(demand.Sku)) return;
        demand.Free = Math.Max(0, demand.Free - state.Queues.UnitsAhead(demand.Sku, in place));
    }

    private void ListSources(ref Demand demand, in Sourcing sourcing)
    {
        demand.FirstSource = _sourceCount;
        demand.Sorted = false;
        demand.Free = 0;
        for (var slot = state.Stock.First(demand.Sku); slot != 0; slot = state.Stock.Next(slot))
        {
            ref readonly var level = ref state.Stock.Levels.LatestAs<StockRow>(slot);
            var sellable = level.Sellable;
            if (sellable == 0 || !sourcing.Channel.Allows(level.Location) || !state.Catalog.Serves(level.Location, sourcing.Region)) continue;
            if (_sourceCount == _sources.Length) Array.Resize(ref _sources, _sourceCount * 2);
            _sources[_sourceCount++] = new Source { Location = level.Location, Available = sellable };
            demand.Free += sellable;
        }
        demand.SourceCount = _sourceCount - demand.FirstSource;
    }

    private void FindShortfalls()
    {
        _shortfallCount = 0;
        for (var i = 0; i < _demandCount; i++)
        {
            ref var demand = ref _demands[i];
            if (demand.Own + demand.Free >= demand.Requested) continue;
            if (_shortfallCount == _shortfalls.Length) Array.Resize(ref _shortfalls, _shortfallCount * 2);
            _shortfalls[_shortfallCount++] = new Shortfall(demand.Sku, demand.Requested, demand.Own + demand.Free);
        }
    }

    // The best location that covers all demand that is left after held units; 0 when none does or none is needed. One pass over the sources:
    // a location stays in the running while it covers every demand looked at so far.
    private int BestSingleLocation(ChannelRules rules)
    {
        var needed = 0;
        var last = -1;
        for (var i = 0; i < _demandCount; i++)
        {
            ref readonly var demand = ref _demands[i];
            if (demand.FromStock == 0) continue;
            foreach (ref readonly var source in SourcesOf(in demand))
            {
                ref var coverage = ref _coverage[source.Location];
                if (needed == 0) coverage = new Coverage { Round = _round };
                if (coverage.Round != _round || coverage.Covered != needed || source.Available < demand.FromStock) continue;
                coverage.Covered++;
                coverage.Available += source.Available;
            }
            needed++;
            last = i;
        }
        if (last < 0) return 0;

        var best = new Source();
        foreach (ref readonly var candidate in SourcesOf(in _demands[last]))
        {
            ref readonly var coverage = ref _coverage[candidate.Location];
            if (coverage.Round != _round || coverage.Covered != needed) continue;
            var source = new Source { Location = candidate.Location, Available = coverage.Available };
            if (best.Location == 0 || Compare(in source, in best, rules) < 0) best = source;
        }
        return best.Location;
    }

    private int TakeHeld(ref Demand demand, int line, int wanted, int heldCount)
    {
        var taken = 0;
        for (var i = 0; i < heldCount && demand.Own > 0 && taken < wanted; i++)
        {
            if (_own[i].Sku != demand.Sku || _own[i].Quantity == 0) continue;
            var quantity = Math.Min(wanted - taken, _own[i].Quantity);
            _own[i].Quantity -= quantity;
            demand.Own -= quantity;
            AddTake(line, _own[i].Location, quantity);
            taken += quantity;
        }
        return taken;
    }

    private int TakeFrom(ref Demand demand, int line, int wanted, int location)
    {
        if (wanted == 0) return 0;
        demand.Free -= wanted;
        AddTake(line, location, wanted);
        return wanted;
    }

    private int TakeInOrder(ref Demand demand, int line, int wanted, ChannelRules rules)
    {
        if (wanted == 0) return 0;
        var sources = SourcesOf(in demand);
        if (!demand.Sorted) Sort(sources, rules);
        demand.Sorted = true;
        var taken = 0;
        foreach (ref var source in sources)
        {
            var quantity = (int)Math.Min(Math.Min(wanted - taken, source.Available), demand.Free);
            if (quantity <= 0) continue;
            source.Available -= quantity;
            demand.Free -= quantity;
            AddTake(line, source.Location, quantity);
            taken += quantity;
            if (taken == wanted) break;
        }
        return taken;
    }

    private Span<Source> SourcesOf(in Demand demand) => _sources.AsSpan(demand.FirstSource, demand.SourceCount);

    private void Sort(Span<Source> sources, ChannelRules rules) => sources.Sort(new ByRule(this, rules));

    /// <summary>A struct, so that sorting allocates nothing.</summary>
    private readonly struct ByRule(Allocator allocator, ChannelRules rules) : IComparer<Source>
    {
        public int Compare(Source x, Source y) => allocator.Compare(in x, in y, rules);
    }

    private int Compare(in Source a, in Source b, ChannelRules rules)
    {
        var order = rules.Sourcing == SourcingRule.MostAvailable
            ? b.Available.CompareTo(a.Available)
            : state.Catalog.Priority(a.Location).CompareTo(state.Catalog.Priority(b.Location));
        return order != 0 ? order : state.Catalog.LocationIds.CompareOrdinal(a.Location, b.Location);
    }

    private void AddTake(int line, int location, int quantity)
    {
        // Held units and free ones of the same location are one allocation.
        if (_takeCount > 0 && _takes[_takeCount - 1].Line == line && _takes[_takeCount - 1].Location == location)
        {
            _takes[_takeCount - 1] = new Take(line, location, _takes[_takeCount - 1].Quantity + quantity);
            return;
        }
        if (_takeCount == _takes.Length) Array.Resize(ref _takes, _takeCount * 2);
        _takes[_takeCount++] = new Take(line, location, quantity);
    }
}
