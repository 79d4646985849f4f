// When those who wait will have what they wait for: a row for each order of which a line has a promised date. The writer changes; any thread reads.

using System.Runtime.InteropServices;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>A line's promised date.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct PromiseRow
{
    /// <summary>When all that the line waits for will have come, microseconds since 1970.</summary>
    public long PromisedAt;
    /// <summary>1-based.</summary>
    public int Line;
    /// <summary>Zero.</summary>
    public int Unused;
}

/// <summary>The promised dates of all orders.</summary>
internal sealed class Promises(RowHeap heap, Reclaimer reclaimer)
{
    private readonly ChunkedArray<int> _bySku = new();

    /// <summary>By order number: PromiseRow x n; no row when nothing is promised.</summary>
    public VersionedRows Rows { get; } = new(heap, reclaimer, tableId: 45);

    /// <summary>An order's promised dates. Writer only.</summary>
    public ReadOnlySpan<PromiseRow> Of(long order) => MemoryMarshal.Cast<byte, PromiseRow>(Rows.Latest(order));

    /// <summary>A line's promised date; 0: none. Writer only.</summary>
    public long Of(long order, int line)
    {
        foreach (ref readonly var promise in Of(order))
            if (promise.Line == line) return promise.PromisedAt;
        return 0;
    }

    /// <summary>Lines with a promised date that wait for a SKU.</summary>
    public int Count(int sku) => _bySku[sku];

    /// <summary>Promises a date to a line; 0 takes it back.</summary>
    public unsafe void Set(long order, int line, int sku, long promisedAt, long sequence)
    {
        var present = Of(order);
        var at = present.Length - 1;
        while (at >= 0 && present[at].Line != line) at--;
        if (promisedAt == 0)
        {
            if (at >= 0) Remove(order, at, present.Length, sku, sequence);
            return;
        }
        if (at < 0)
        {
            at = present.Length;
            if (at == 0) Rows.Create(order, sizeof(PromiseRow), sequence);
            else Rows.Resize(order, (at + 1) * sizeof(PromiseRow), sequence);
            _bySku[sku]++;
        }
        MemoryMarshal.Cast<byte, PromiseRow>(Rows.Update(order, sequence))[at] = new PromiseRow { Line = line, PromisedAt = promisedAt };
    }

    /// <summary>Puts back an order's row of a snapshot; the order is there.</summary>
    public void Restore(long order, ReadOnlySpan<PromiseRow> promises, ReadOnlySpan<LineRow> lines, long version)
    {
        Rows.Restore(order, version, MemoryMarshal.AsBytes(promises));
        foreach (ref readonly var promise in promises) _bySku[lines[promise.Line - 1].Sku]++;
    }

    private unsafe void Remove(long order, int at, int count, int sku, long sequence)
    {
        _bySku[sku]--;
        if (count == 1)
        {
            Rows.Remove(order, sequence);
            return;
        }
        var row = MemoryMarshal.Cast<byte, PromiseRow>(Rows.Update(order, sequence));
        row[at] = row[^1];
        Rows.Resize(order, (count - 1) * sizeof(PromiseRow), sequence);
    }
}
