// What is asked of those who supply: one open request a SKU at most, numbered densely from 1. The writer changes; rows are read from any thread.

using System.Runtime.InteropServices;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>A request for supply.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct SupplyRequestRow
{
    /// <summary>Number of the SKU.</summary>
    public int Sku;
    /// <summary>Where it is wanted; 0: nowhere in particular, no location serves those who wait.</summary>
    public int Location;
    /// <summary>Where a transfer can come from; 0: no transfer.</summary>
    public int From;
    /// <summary>How it can come.</summary>
    public SupplyKind Kind;
    /// <summary>Zero.</summary>
    public byte Unused;
    /// <summary>Zero.</summary>
    public ushort Unused2;
    /// <summary>Units that are missing; 0: it is closed.</summary>
    public long Quantity;
    /// <summary>When the first of those who wait wants it, microseconds since 1970; 0: at once.</summary>
    public long NeededBy;
    /// <summary>Units announced in answer to it.</summary>
    public long Announced;
    /// <summary>The last announcement in answer to it; 0: none.</summary>
    public long LastIncoming;
    /// <summary>Microseconds since 1970.</summary>
    public long RaisedAt;
    /// <summary>Sequence of the last change.</summary>
    public long Version;
}

/// <summary>The requests for supply.</summary>
internal sealed class SupplyRequests(RowHeap heap, Reclaimer reclaimer)
{
    private readonly ChunkedArray<long> _newest = new();
    // By number: the request before it for the same SKU.
    private readonly ChunkedArray<long> _previous = new();

    /// <summary><see cref="SupplyRequestRow"/> by number.</summary>
    public VersionedRows Rows { get; } = new(heap, reclaimer, tableId: 46);

    /// <summary>The last request for a SKU, open or closed; 0: none. Any thread.</summary>
    public long Newest(int sku) => _newest.TryRead(sku, out var number) ? number : 0;

    /// <summary>The request for the same SKU before this one; 0: none. Any thread.</summary>
    public long Previous(long number) => _previous.TryRead(number, out var previous) ? previous : 0;

    /// <summary>The open request for a SKU; 0: none. Writer only.</summary>
    public long Open(int sku, out SupplyRequestRow row)
    {
        var number = Newest(sku);
        row = number == 0 ? default : Rows.LatestAs<SupplyRequestRow>(number);
        return row.Quantity > 0 ? number : 0;
    }

    /// <summary>True when there is such a request. Writer only.</summary>
    public bool TryFind(long number, out SupplyRequestRow row)
    {
        var exists = !Rows.Latest(number).IsEmpty;
        row = exists ? Rows.LatestAs<SupplyRequestRow>(number) : default;
        return exists;
    }

    /// <summary>Takes up a request, or what changed of one.</summary>
    public void Put(long number, in SupplyRequestRow row, long sequence)
    {
        if (number <= Rows.Count)
        {
            Rows.UpdateAs<SupplyRequestRow>(number, sequence) = row;
            return;
        }
        Rows.CreateAs<SupplyRequestRow>(number, sequence) = row;
        Enter(number, row.Sku);
    }

    /// <summary>Puts back a request of a snapshot.</summary>
    public void Restore(long number, in SupplyRequestRow row)
    {
        Rows.Restore(number, row.Version, MemoryMarshal.AsBytes(new ReadOnlySpan<SupplyRequestRow>(in row)));
        Enter(number, row.Sku);
    }

    private void Enter(long number, int sku)
    {
        _previous.Ensure(number);
        _previous[number] = Newest(sku);
        _newest.Ensure(sku);
        Volatile.Write(ref _newest[sku], number);
    }
}
