// Who waits for which SKU, in which order, and which queues have stock to hand out. Writer thread only; rebuilt by replaying.
//
// The place in the queue is fixed at entry: time of acceptance minus the tier's credit, then the requested date, sequence and line.
// So a VIP overtakes those who came up to a few days earlier, and nobody is overtaken for ever. What an amendment adds enters with the amendment
// (AddedUnits). What was reserved and has to wait again, after a short pick or a count, waits at its order's place.
//
// Queues that have stock to hand out are served together, in the order of the places over all of them: an order that is filled whole or not at
// all wants stock of several SKUs, and whoever waits ahead of it, for any of them, has had his turn by then. So it does not matter in which order
// SKUs came to have stock, and an engine that was restarted serves as one that was not.

using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>A place in a SKU's queue.</summary>
/// <param name="Rank">Time of acceptance minus the tier's credit, microseconds.</param>
/// <param name="Requested">Requested date, microseconds; the end of time when none was given.</param>
/// <param name="Sequence">Sequence of acceptance.</param>
/// <param name="Line">1-based line of the order.</param>
/// <param name="Order">Number of the order; follows from the sequence.</param>
internal readonly record struct BackorderKey(long Rank, long Requested, long Sequence, int Line, long Order) : IComparable<BackorderKey>
{
    /// <summary>Before every place.</summary>
    public static readonly BackorderKey First = new(long.MinValue, long.MinValue, long.MinValue, int.MinValue, 0);

    /// <summary>The place of an order's line.</summary>
    public static BackorderKey Of(in OrderHead head, long order, int line) => Of(head.AcceptedAt, head.Tier, head.RequestedAt, head.AcceptedSequence, line, order);

    /// <summary>The place of what was added to an order's line. Later than the line's: the order keeps the tier with which it was accepted.</summary>
    public static BackorderKey Of(in OrderHead head, long order, in AddedRow added) => Of(added.AddedAt, head.Tier, head.RequestedAt, added.Sequence, added.Line, order);

    /// <summary>The place that a demand accepted now would have.</summary>
    public static BackorderKey Of(long acceptedAt, int tier, long requestedAt, long sequence, int line, long order) =>
        new(acceptedAt - tier * Limits.TierCreditMicros, requestedAt == 0 ? long.MaxValue : requestedAt, sequence, line, order);

    /// <inheritdoc/>
    public int CompareTo(BackorderKey other)
    {
        if (Rank != other.Rank) return Rank < other.Rank ? -1 : 1;
        if (Requested != other.Requested) return Requested < other.Requested ? -1 : 1;
        if (Sequence != other.Sequence) return Sequence < other.Sequence ? -1 : 1;
        return Line.CompareTo(other.Line);
    }
}

/// <summary>The backorder queues of all SKUs.</summary>
internal sealed class BackorderQueues(SupplyPlan plan)
{
    /// <summary>A SKU's next place, in the order in which places have their turn.</summary>
    private readonly record struct TurnKey(long Rank, long Requested, long Sequence, int Line, int Sku) : IComparable<TurnKey>
    {
        public TurnKey(BackorderKey place, int sku) : this(place.Rank, place.Requested, place.Sequence, place.Line, sku) { }

        public int CompareTo(TurnKey other)
        {
            if (Rank != other.Rank) return Rank < other.Rank ? -1 : 1;
            if (Requested != other.Requested) return Requested < other.Requested ? -1 : 1;
            if (Sequence != other.Sequence) return Sequence < other.Sequence ? -1 : 1;
            return Line != other.Line ? Line.CompareTo(other.Line) : Sku.CompareTo(other.Sku);
        }
    }

    /// <summary>How far a queue has been served, and under which place it stands in line: that of its next place, or one before it.</summary>
    private readonly record struct Pending(BackorderKey Cursor, BackorderKey Next);

    private readonly OrderedPool<BackorderKey> _pool = new();
    private readonly ChunkedArray<int> _roots = new();
    // By SKU: units that orders wait for that are filled whole or not at all.
    private readonly ChunkedArray<long> _wholeUnits = new();
    // SKUs whose queue may have stock to hand out. Never enumerated.
    private readonly Dictionary<int, Pending> _pending = [];
    private readonly OrderedPool<TurnKey> _turns = new();
    private int _turnsRoot;

    /// <summary>True when some queue has stock to hand out.</summary>
    public bool AnyPending => _pending.Count > 0;

    /// <summary>Puts units in a queue, or changes how many wait there; 0 takes the place away.</summary>
    /// <param name="sku">The queue.</param>
    /// <param name="key">The place.</param>
    /// <param name="units">Units that wait there.</param>
    /// <param name="whole">True: its order is filled whole or not at all.</param>
    public void Set(int sku, in BackorderKey key, long units, bool whole)
    {
        plan.Mark(sku);
        ref var root = ref _roots[sku];
        if (whole) _wholeUnits[sku] += units - UnitsAt(sku, in key);
        if (units == 0)
        {
            if (_pool.Remove(ref root, in key) && whole) plan.CountWhole(sku, -1);
            return;
        }
        if (_pool.TryUpdateWeight(ref root, in key, units)) return;
        _pool.Add(ref root, in key, units);
        if (whole) plan.CountWhole(sku, 1);
        if (_pending.TryGetValue(sku, out var pending) && key.CompareTo(pending.Cursor) > 0 && key.CompareTo(pending.Next) < 0) StandInLine(sku, pending with { Next = key });
    }

    /// <summary>Says that the order of a place takes what comes from now on.</summary>
    public void TakesWhatComes(int sku, in BackorderKey key)
    {
        plan.Mark(sku);
        plan.CountWhole(sku, -1);
        _wholeUnits[sku] -= UnitsAt(sku, in key);
    }

    /// <summary>True when an order waits for the SKU that is filled whole or not at all.</summary>
    public bool AnyWhole(int sku) => plan.Wholes(sku) > 0;

    /// <summary>How many such places there are.</summary>
    public int Wholes(int sku) => plan.Wholes(sku);

    /// <summary>Units that wait at such places.</summary>
    public long WholeUnits(int sku) => _wholeUnits[sku];

    /// <summary>Says that stock of the SKU became free, or that somebody began to wait for it.</summary>
    public void MarkPending(int sku)
    {
        if (_pool.TryMin(_roots[sku], out var first)) StandInLine(sku, new Pending(BackorderKey.First, first));
    }

    /// <summary>As <see cref="MarkPending"/>, but a queue that is being served goes on where it is.</summary>
    public void EnsurePending(int sku)
    {
        if (!_pending.ContainsKey(sku)) MarkPending(sku);
    }

    /// <summary>Says that a queue has to be looked at from a place on, unless it is being served anyway.</summary>
    public void EnsurePending(int sku, in BackorderKey place)
    {
        if (!_pending.ContainsKey(sku)) StandInLine(sku, new Pending(place with { Line = place.Line - 1 }, place));
    }

    /// <summary>Says that a channel or region may be served from other locations now: every queue has to be looked at anew. Costs a walk over the SKUs.</summary>
    public void MarkAllPending()
    {
        for (var sku = 1; sku < _roots.Capacity; sku++)
        {
            MarkPending(sku);
            if (_roots[sku] != 0) plan.Mark(sku);
        }
    }

    /// <summary>True when the SKU's queue has to be served before its stock is promised to somebody else.</summary>
    public bool IsPending(int sku) => _roots[sku] != 0 && _pending.ContainsKey(sku);

    /// <summary>The place whose turn it is, of all that have not been looked at since stock became free; false when there is none.</summary>
    public bool TryTurn(out int sku, out BackorderKey place, out long units)
    {
        while (_turns.TryMin(_turnsRoot, out var turn))
        {
            sku = turn.Sku;
            var pending = _pending[sku];
            if (!TryNext(sku, in pending, out place, out units)) Done(sku);
            else if (place == pending.Next) return true;
            else StandInLine(sku, pending with { Next = place });
        }
        (sku, place, units) = (0, default, 0);
        return false;
    }

    /// <summary>Where serving the SKU's queue goes on.</summary>
    public BackorderKey Cursor(int sku) => _pending.TryGetValue(sku, out var pending) ? pending.Cursor : BackorderKey.First;

    /// <summary>Notes how far the SKU's queue has been served.</summary>
    public void MoveCursor(int sku, in BackorderKey key)
    {
        if (_pending.TryGetValue(sku, out var pending)) _pending[sku] = pending with { Cursor = key };
    }

    /// <summary>Says that the SKU's queue has been served to its end.</summary>
    public void Done(int sku)
    {
        if (_pending.Remove(sku, out var pending)) _turns.Remove(ref _turnsRoot, new TurnKey(pending.Next, sku));
    }

    /// <summary>The first place behind <paramref name="after"/>.</summary>
    public bool TryNext(int sku, in BackorderKey after, out BackorderKey key, out long units) => _pool.TryNext(_roots[sku], in after, out key, out units);

    /// <summary>Units that wait ahead of a place and have not been looked at since stock became free. Those passed already could not be served.</summary>
    public long UnitsAhead(int sku, in BackorderKey place)
    {
        var root = _roots[sku];
        var cursor = Cursor(sku);
        var passed = _pool.WeightBefore(root, in cursor) + (_pool.TryGetWeight(root, in cursor, out var units) ? units : 0);
        return Math.Max(0, _pool.WeightBefore(root, in place) - passed);
    }

    /// <summary>Units that wait ahead of a place.</summary>
    public long UnitsBefore(int sku, in BackorderKey place) => _pool.WeightBefore(_roots[sku], in place);

    /// <summary>Units that wait for the SKU.</summary>
    public long Units(int sku) => _pool.TotalWeight(_roots[sku]);

    /// <summary>Units that wait at one place; 0 when it is not taken.</summary>
    public long UnitsAt(int sku, in BackorderKey place) => _pool.TryGetWeight(_roots[sku], in place, out var units) ? units : 0;

    private bool TryNext(int sku, in Pending pending, out BackorderKey place, out long units)
    {
        var cursor = pending.Cursor;
        return _pool.TryNext(_roots[sku], in cursor, out place, out units);
    }

    private void StandInLine(int sku, in Pending pending)
    {
        Done(sku);
        _pending[sku] = pending;
        _turns.Add(ref _turnsRoot, new TurnKey(pending.Next, sku), 0);
    }
}
