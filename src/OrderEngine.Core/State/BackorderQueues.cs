// Who waits for which SKU, in which order, and which queues have stock to hand out. Writer thread only; rebuilt by replaying.
//
// The place in the queue is fixed at entry: time of acceptance minus the tier's credit, then the requested date, sequence and line.
// So a VIP overtakes those who came up to a few days earlier, and nobody is overtaken for ever.

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
internal sealed class BackorderQueues
{
    private readonly OrderedPool<BackorderKey> _pool = new();
    private readonly ChunkedArray<int> _roots = new();
    // SKUs whose queue may have stock to hand out, each with the place to go on from.
    private readonly Dictionary<int, BackorderKey> _pending = [];
    // The order of their turns. A SKU stands in it once at most; one that is no longer pending leaves it when its turn comes.
    private readonly Queue<int> _turns = new();
    private readonly HashSet<int> _inTurns = [];

    /// <summary>SKUs that stand in line for a turn.</summary>
    public int InLine => _turns.Count;

    /// <summary>True when some queue has stock to hand out.</summary>
    public bool AnyPending => _pending.Count > 0;

    /// <summary>Puts units in a queue, or changes how many wait there; 0 takes the place away.</summary>
    public void Set(int sku, in BackorderKey key, long units)
    {
        ref var root = ref _roots[sku];
        if (units == 0) _pool.Remove(ref root, in key);
        else if (!_pool.TryUpdateWeight(ref root, in key, units)) _pool.Add(ref root, in key, units);
    }

    /// <summary>Says that stock of the SKU became free, or that somebody began to wait for it.</summary>
    public void MarkPending(int sku)
    {
        if (_roots[sku] == 0) return;
        _pending[sku] = BackorderKey.First;
        if (_inTurns.Add(sku)) _turns.Enqueue(sku);
    }

    /// <summary>Says that a channel may be served from other locations now: every queue has to be looked at anew. Costs a walk over the SKUs.</summary>
    public void MarkAllPending()
    {
        for (var sku = 1; sku < _roots.Capacity; sku++) MarkPending(sku);
    }

    /// <summary>True when the SKU's queue has to be served before its stock is promised to somebody else.</summary>
    public bool IsPending(int sku) => _roots[sku] != 0 && _pending.ContainsKey(sku);

    /// <summary>The SKU whose turn it is; false when none is pending.</summary>
    public bool TryTurn(out int sku)
    {
        while (_turns.TryPeek(out sku))
        {
            if (_pending.ContainsKey(sku)) return true;
            _inTurns.Remove(_turns.Dequeue());
        }
        return false;
    }

    /// <summary>Gives the next SKU its turn: the present one is done for now.</summary>
    public void EndTurn()
    {
        if (!_turns.TryDequeue(out var sku)) return;
        if (_pending.ContainsKey(sku)) _turns.Enqueue(sku);
        else _inTurns.Remove(sku);
    }

    /// <summary>Where serving the SKU's queue goes on.</summary>
    public BackorderKey Cursor(int sku) => _pending.TryGetValue(sku, out var cursor) ? cursor : BackorderKey.First;

    /// <summary>Notes how far the SKU's queue has been served.</summary>
    public void MoveCursor(int sku, in BackorderKey key) => _pending[sku] = key;

    /// <summary>Says that the SKU's queue has been served to its end.</summary>
    public void Done(int sku) => _pending.Remove(sku);

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

    /// <summary>Units that wait for the SKU.</summary>
    public long Units(int sku) => _pool.TotalWeight(_roots[sku]);

    /// <summary>Units that wait at one place; 0 when it is not taken.</summary>
    public long UnitsAt(int sku, in BackorderKey place) => _pool.TryGetWeight(_roots[sku], in place, out var units) ? units : 0;
}
