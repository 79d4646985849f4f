// Units that an amendment added to an order and that wait: they have a place of their own in the queue, so that nobody grows ahead of younger orders.
// A row for each order that has any. The writer changes; any thread reads.
//
// A line has two places at most: its order's, and that of what was added to it last. What is added again while added units still wait joins them at
// the newer place. What is cancelled leaves the newer place first, what is filled the older one: the customer keeps the better.

using System.Runtime.InteropServices;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>What was added to a line and waits.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct AddedRow
{
    /// <summary>Time of the amendment, microseconds since 1970.</summary>
    public long AddedAt;
    /// <summary>Its sequence.</summary>
    public long Sequence;
    /// <summary>1-based.</summary>
    public int Line;
    /// <summary>Of the units for which the line waits.</summary>
    public int Units;
}

/// <summary>The added units of all orders.</summary>
internal sealed class AddedUnits(RowHeap heap, Reclaimer reclaimer)
{
    /// <summary>By order number: AddedRow x n; no row when nothing that was added waits.</summary>
    public VersionedRows Rows { get; } = new(heap, reclaimer, tableId: 56);

    /// <summary>What was added to an order and waits. Writer only.</summary>
    public ReadOnlySpan<AddedRow> Of(long order) => MemoryMarshal.Cast<byte, AddedRow>(Rows.Latest(order));

    /// <summary>What was added to a line and waits; no units: nothing. Writer only.</summary>
    public AddedRow Of(long order, int line)
    {
        foreach (ref readonly var added in Of(order))
            if (added.Line == line) return added;
        return default;
    }

    /// <summary>What was added to an order last and waits; false when nothing does. Writer only.</summary>
    public bool TryLast(long order, out AddedRow last)
    {
        last = default;
        foreach (ref readonly var added in Of(order))
            if ((added.Sequence, added.Line).CompareTo((last.Sequence, last.Line)) > 0) last = added;
        return last.Units > 0;
    }

    /// <summary>Says what was added to a line and waits; without units: nothing any more.</summary>
    public unsafe void Set(long order, in AddedRow added, long sequence)
    {
        var present = Of(order);
        var at = present.Length - 1;
        while (at >= 0 && present[at].Line != added.Line) at--;
        if (added.Units == 0)
        {
            if (at >= 0) Remove(order, at, present.Length, sequence);
            return;
        }
        if (at < 0)
        {
            at = present.Length;
            if (at == 0) Rows.Create(order, sizeof(AddedRow), sequence);
            else Rows.Resize(order, (at + 1) * sizeof(AddedRow), sequence);
        }
        MemoryMarshal.Cast<byte, AddedRow>(Rows.Update(order, sequence))[at] = added;
    }

    private unsafe void Remove(long order, int at, int count, long sequence)
    {
        if (count == 1)
        {
            Rows.Remove(order, sequence);
            return;
        }
        var row = MemoryMarshal.Cast<byte, AddedRow>(Rows.Update(order, sequence));
        row[at] = row[^1];
        Rows.Resize(order, (count - 1) * sizeof(AddedRow), sequence);
    }
}
