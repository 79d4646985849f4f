// Keys that were destroyed because a person was erased: one row a key, numbered densely from 1. A start destroys them again, so that neither a crash
// between the event and the key ring, nor an old copy of the keys, brings anybody back. The writer changes; rows are read from any thread.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>One erasure of one key.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct ErasureRow
{
    /// <summary>The key; 0: the customer had none.</summary>
    public long Key;
    /// <summary>Number of the guest's order; 0: a customer.</summary>
    public long Order;
    /// <summary>Microseconds since 1970.</summary>
    public long ErasedAt;
    /// <summary>Number of the customer; 0: a guest's order.</summary>
    public int Customer;
    /// <summary>Zero.</summary>
    public int Unused;
}

/// <summary>All erasures.</summary>
internal sealed class Erasures(RowHeap heap, Reclaimer reclaimer)
{
    private readonly ChunkedArray<int> _ofCustomer = new();
    private readonly HashSet<long> _keys = [];

    /// <summary>By number.</summary>
    public VersionedRows Rows { get; } = new(heap, reclaimer, tableId: 42);

    /// <summary>The row of a customer's erasure; 0: not erased. Any thread.</summary>
    public int Of(int customer)
    {
        ref var number = ref _ofCustomer.Peek(customer);
        return Unsafe.IsNullRef(in number) ? 0 : Volatile.Read(ref number);
    }

    /// <summary>True when a key was destroyed. Writer only.</summary>
    public bool Holds(long key) => _keys.Contains(key);

    /// <summary>Notes that a key was destroyed.</summary>
    public void Add(int customer, long order, long key, long time, long sequence)
    {
        var number = Rows.Count + 1;
        Rows.CreateAs<ErasureRow>(number, sequence) = new ErasureRow { Key = key, Order = order, ErasedAt = time, Customer = customer };
        Index(number, customer, key);
    }

    /// <summary>Puts back a row of a snapshot.</summary>
    public void Restore(long number, in ErasureRow row, long version)
    {
        Rows.Restore(number, version, MemoryMarshal.AsBytes(new ReadOnlySpan<ErasureRow>(in row)));
        Index(number, row.Customer, row.Key);
    }

    private void Index(long number, int customer, long key)
    {
        if (key != 0) _keys.Add(key);
        if (customer != 0) Volatile.Write(ref _ofCustomer[customer], checked((int)number));
    }
}
