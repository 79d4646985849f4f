// Supply that was announced and has not come: one row each, numbered densely from 1, and per SKU in the order in which it is expected.
// The writer changes; rows are read from any thread.

using System.Runtime.InteropServices;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>When announced supply comes.</summary>
/// <param name="ExpectedAt">Microseconds since 1970.</param>
/// <param name="Number">Of the announcement.</param>
internal readonly record struct SupplyKey(long ExpectedAt, long Number) : IComparable<SupplyKey>
{
    /// <summary>Before everything.</summary>
    public static readonly SupplyKey First = new(long.MinValue, 0);

    /// <inheritdoc/>
    public int CompareTo(SupplyKey other) => ExpectedAt != other.ExpectedAt ? ExpectedAt.CompareTo(other.ExpectedAt) : Number.CompareTo(other.Number);
}

/// <summary>The announced supply.</summary>
internal sealed class SupplyLedger(RowHeap heap, Reclaimer reclaimer, SupplyPlan plan)
{
    private readonly OrderedPool<SupplyKey> _pool = new();
    private readonly ChunkedArray<int> _roots = new();

    /// <summary><see cref="IncomingHead"/> and reference by number.</summary>
    public VersionedRows Rows { get; } = new(heap, reclaimer, tableId: 20);

    /// <summary>Announcements of which units are still to come.</summary>
    public long Open => _pool.Live;

    /// <summary>An announcement's latest row. Writer only.</summary>
    public IncomingView Latest(long number) => new(Rows.Latest(number));

    /// <summary>Takes up an announcement.</summary>
    public unsafe void Announce(long number, in IncomingHead head, ReadOnlySpan<byte> reference, long sequence)
    {
        var row = Rows.Create(number, sizeof(IncomingHead) + reference.Length, sequence);
        MemoryMarshal.Write(row, in head);
        reference.CopyTo(row[sizeof(IncomingHead)..]);
        Enter(number, in head);
    }

    /// <summary>Puts back an announcement of a snapshot, outside of any batch.</summary>
    public void Restore(long number, ReadOnlySpan<byte> row)
    {
        ref readonly var head = ref MemoryMarshal.AsRef<IncomingHead>(row);
        Rows.Restore(number, head.Version, row);
        Enter(number, in head);
    }

    /// <summary>Says how much is still to come, and when.</summary>
    public ref IncomingHead Change(long number, int open, long expectedAt, long sequence)
    {
        ref var head = ref MemoryMarshal.AsRef<IncomingHead>(Rows.Update(number, sequence));
        plan.Mark(head.Sku);
        _pool.Remove(ref _roots[head.Sku], new SupplyKey(head.ExpectedAt, number));
        head.Open = open;
        head.ExpectedAt = expectedAt;
        head.Version = sequence;
        Enter(number, in head);
        return ref head;
    }

    /// <summary>What comes next of a SKU behind <paramref name="after"/>; false when nothing does. Writer only.</summary>
    public bool TryNext(int sku, in SupplyKey after, out SupplyKey key, out long units) => _pool.TryNext(_roots[sku], in after, out key, out units);

    /// <summary>Units of a SKU that are to come. Writer only.</summary>
    public long Units(int sku) => _pool.TotalWeight(_roots[sku]);

    /// <summary>True when anything is to come of a SKU. Writer only.</summary>
    public bool Any(int sku) => _roots[sku] != 0;

    private void Enter(long number, in IncomingHead head)
    {
        plan.Mark(head.Sku);
        if (head.Open > 0) _pool.Add(ref _roots[head.Sku], new SupplyKey(head.ExpectedAt, number), head.Open);
    }
}
