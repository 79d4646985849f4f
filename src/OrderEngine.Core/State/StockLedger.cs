// The stock of every SKU at every location, and the units that orders wait for. The writer changes; rows are read from any thread.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>Stock levels as versioned rows, one slot for each SKU and location that ever met, with their totals.</summary>
internal sealed class StockLedger
{
    private readonly HashIndex _index = new();
    private readonly ChunkedArray<long> _firstSlot = new();
    private readonly ChunkedArray<long> _nextSlot = new();
    // Slots to be looked at, in the order of their numbers.
    private readonly SortedSet<long> _reorders = [];

    private readonly SupplyPlan _plan;
    private readonly KeyedHash _hash;

    public StockLedger(RowHeap heap, Reclaimer reclaimer, SupplyPlan plan, KeyedHash hash)
    {
        _hash = hash;
        _plan = plan;
        Levels = new VersionedRows(heap, reclaimer, tableId: 5);
        Waiting = new VersionedRows(heap, reclaimer, tableId: 6);
    }

    /// <summary><see cref="StockRow"/> by slot.</summary>
    public VersionedRows Levels { get; }

    /// <summary>Units that orders wait for (a long), by SKU; only SKUs that were ever waited for.</summary>
    public VersionedRows Waiting { get; }

    /// <summary>Units on hand, all slots.</summary>
    public long OnHand { get; private set; }

    /// <summary>Units reserved for orders, released included.</summary>
    public long Committed { get; private set; }

    /// <summary>Units held by reservations.</summary>
    public long Held { get; private set; }

    /// <summary>Units waited for.</summary>
    public long Backordered { get; private set; }

    /// <summary>The slot of a SKU at a location; 0 when they never met. Writer only.</summary>
    [SkipLocalsInit] // only the candidates found are looked at
    public long Find(int sku, int location)
    {
        // Most SKUs lie at one location: its row is looked at anyway, the index would be one more miss of the cache.
        var first = First(sku);
        if (first == 0) return 0;
        if (Levels.LatestAs<StockRow>(first).Location == location) return first;
        Span<long> candidates = stackalloc long[HashIndex.MaxCandidates];
        var count = _index.Find(HashOf(sku, location), candidates);
        foreach (var slot in candidates[..count])
        {
            ref readonly var row = ref Levels.LatestAs<StockRow>(slot);
            if (row.Sku == sku && row.Location == location) return slot;
        }
        return 0;
    }

    /// <summary>The level of a SKU at a location; all zero when they never met. Writer only.</summary>
    public StockRow Level(int sku, int location)
    {
        var slot = Find(sku, location);
        return slot == 0 ? new StockRow { Sku = sku, Location = location } : Levels.LatestAs<StockRow>(slot);
    }

    /// <summary>The first slot of a SKU; 0 when it has none. Any thread.</summary>
    public long First(int sku) => _firstSlot.TryRead(sku, out var slot) ? slot : 0;

    /// <summary>The next slot of the same SKU; 0 at the end. Any thread.</summary>
    public long Next(long slot) => _nextSlot.TryRead(slot, out var next) ? next : 0;

    /// <summary>True when some location has units of the SKU to give. Writer only.</summary>
    public bool AnySellable(int sku)
    {
        for (var slot = First(sku); slot != 0; slot = Next(slot))
            if (Levels.LatestAs<StockRow>(slot).Sellable > 0) return true;
        return false;
    }

    /// <summary>Adds to a level, which comes to be if it was not.</summary>
    /// <exception cref="ApplyException">The level would break on_hand >= unavailable + held + committed.</exception>
    public void Change(int sku, int location, long sequence, long onHand = 0, long unavailable = 0, long held = 0, long committed = 0)
    {
        ref var row = ref Row(sku, location, sequence, out var slot);
        row.OnHand += onHand;
        row.Unavailable += unavailable;
        row.Held += held;
        row.Committed += committed;
        if (row.Unavailable < 0 || row.Held < 0 || row.Committed < 0 || row.OnHand < row.Unavailable + row.Held + row.Committed)
            throw new ApplyException($"Stock of SKU {sku} at location {location} would become on hand {row.OnHand}, unavailable {row.Unavailable}, held {row.Held}, committed {row.Committed}.");
        OnHand += onHand;
        Held += held;
        Committed += committed;
        if (row.ReorderPoint != 0 && row.ReorderChanged) _reorders.Add(slot);
    }

    /// <summary>Adds to what is to come to a level: from outside, or from another location.</summary>
    public void ChangeComing(int sku, int location, long sequence, bool transfer, long units)
    {
        ref var row = ref Row(sku, location, sequence, out var slot);
        if (transfer) row.InTransit += units;
        else row.Incoming += units;
        if (row.Incoming < 0 || row.InTransit < 0) throw new ApplyException($"SKU {sku} at location {location} would have {row.Incoming} units incoming and {row.InTransit} in transit.");
        if (row.ReorderChanged) _reorders.Add(slot);
    }

    /// <summary>Sets what a level keeps back and when it should be reordered.</summary>
    /// <returns>True when more may be promised than before.</returns>
    public bool SetPolicy(int sku, int location, long sequence, long safety, int reorderPoint)
    {
        ref var row = ref Row(sku, location, sequence, out var slot);
        var before = row.Sellable;
        row.Safety = safety;
        row.ReorderPoint = reorderPoint;
        if (row.ReorderChanged) _reorders.Add(slot);
        return row.Sellable > before;
    }

    /// <summary>Makes a new version of a level that says the same: what is asked for there changed.</summary>
    public void Touch(int sku, int location, long sequence) => Row(sku, location, sequence, out _);

    /// <summary>Says that it was told whether a level should be reordered.</summary>
    public void SignalReorder(int sku, int location, long sequence, bool due) => Row(sku, location, sequence, out _).ReorderDue = due ? 1 : 0;

    /// <summary>The next level to be told about, and takes it off the list; false when there is none. Writer only.</summary>
    public bool TryReorder(out StockRow row)
    {
        while (_reorders.Count > 0)
        {
            var slot = _reorders.Min;
            _reorders.Remove(slot);
            row = Levels.LatestAs<StockRow>(slot);
            if (row.ReorderChanged) return true;
        }
        row = default;
        return false;
    }

    /// <summary>True when a level may have to be told about.</summary>
    public bool AnyReorder => _reorders.Count > 0;

    private ref StockRow Row(int sku, int location, long sequence, out long slot)
    {
        slot = Find(sku, location);
        if (slot == 0) slot = Create(sku, location, sequence);
        _plan.StockChanged(sku);
        return ref Levels.UpdateAs<StockRow>(slot, sequence);
    }

    /// <summary>Adds to the units that orders wait for.</summary>
    public void ChangeWaiting(int sku, long sequence, long units)
    {
        if (units == 0) return;
        ref var waiting = ref Waiting.Latest(sku).IsEmpty ? ref Waiting.CreateAs<long>(sku, sequence) : ref Waiting.UpdateAs<long>(sku, sequence);
        waiting += units;
        Backordered += units;
        if (waiting < 0) throw new ApplyException($"Units waiting for SKU {sku} would become {waiting}.");
    }

    /// <summary>Puts back a level of a snapshot, outside of any batch. Slots come in order.</summary>
    public void Restore(long slot, in StockRow row, long sequence)
    {
        Levels.Restore(slot, sequence, MemoryMarshal.AsBytes(new ReadOnlySpan<StockRow>(in row)));
        Enter(row.Sku, row.Location, slot);
        if (row.ReorderChanged) _reorders.Add(slot);
        OnHand += row.OnHand;
        Held += row.Held;
        Committed += row.Committed;
    }

    /// <summary>Puts back the units that orders wait for, outside of any batch.</summary>
    public void RestoreWaiting(int sku, long units, long sequence)
    {
        Waiting.Restore(sku, sequence, MemoryMarshal.AsBytes(new ReadOnlySpan<long>(in units)));
        Backordered += units;
    }

    private long Create(int sku, int location, long sequence)
    {
        var slot = Levels.Count + 1;
        ref var row = ref Levels.CreateAs<StockRow>(slot, sequence);
        row.Sku = sku;
        row.Location = location;
        Enter(sku, location, slot);
        return slot;
    }

    private void Enter(int sku, int location, long slot)
    {
        _index.Add(HashOf(sku, location), slot);
        // Appended, so that a reader that walks the chain meanwhile sees it whole.
        _firstSlot.Ensure(sku);
        _nextSlot.Ensure(slot);
        if (_firstSlot[sku] == 0)
        {
            Volatile.Write(ref _firstSlot[sku], slot);
            return;
        }
        var last = _firstSlot[sku];
        while (_nextSlot[last] != 0) last = _nextSlot[last];
        Volatile.Write(ref _nextSlot[last], slot);
    }

    private ulong HashOf(int sku, int location) => _hash.Of((ulong)sku, (ulong)location);
}
