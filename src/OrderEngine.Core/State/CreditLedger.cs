// What every customer owes on credit, by currency: a counter that equals the sum over the orders. The writer's, but for TryAt; rebuilt by
// replaying, after a snapshot from the orders.

using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>Credit exposure by customer and currency.</summary>
internal sealed class CreditLedger(KeyedHash hash)
{
    private struct Entry
    {
        public int Customer;
        public int Currency;
        public long Amount;
        // Of the last change.
        public long Sequence;
    }

    private readonly HashIndex _index = new();
    private readonly ChunkedArray<Entry> _entries = new();
    private long _count;

    /// <summary>Customers and currencies in which they ever owed. Any thread.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>What a customer owes in a currency.</summary>
    public long Of(int customer, int currency)
    {
        var entry = Find(customer, currency);
        return entry == 0 ? 0 : _entries[entry].Amount;
    }

    /// <summary>Adds to what a customer owes.</summary>
    public void Change(int customer, int currency, long amount, long sequence)
    {
        var entry = Find(customer, currency);
        if (entry == 0)
        {
            entry = _count + 1;
            _entries[entry] = new Entry { Customer = customer, Currency = currency, Sequence = sequence };
            _index.Add(hash.Of((ulong)customer, (ulong)currency), entry);
            Volatile.Write(ref _count, entry);
        }
        ref var present = ref _entries[entry];
        // Whoever sees the new amount sees that it is new: TryAt relies on it.
        Volatile.Write(ref present.Sequence, sequence);
        Volatile.Write(ref present.Amount, checked(present.Amount + amount));
    }

    /// <summary>One entry, 1 to <see cref="Count"/>, as it was at a sequence; false when it has changed since. Any thread.</summary>
    public bool TryAt(long entry, long at, out (int Customer, int Currency) of, out long amount)
    {
        var found = _entries.TryRead(entry, out var seen);
        Interlocked.MemoryBarrier();
        found &= _entries.TryRead(entry, out var again);
        (of, amount) = ((seen.Customer, seen.Currency), seen.Amount);
        return found && seen.Sequence == again.Sequence && seen.Sequence <= at;
    }

    /// <summary>One entry, 1 to <see cref="Count"/>.</summary>
    public (int Customer, int Currency, long Amount) At(long entry) => (_entries[entry].Customer, _entries[entry].Currency, _entries[entry].Amount);

    private long Find(int customer, int currency)
    {
        Span<long> candidates = stackalloc long[HashIndex.MaxCandidates];
        var count = _index.Find(hash.Of((ulong)customer, (ulong)currency), candidates);
        foreach (var entry in candidates[..count])
            if (_entries[entry].Customer == customer && _entries[entry].Currency == currency) return entry;
        return 0;
    }
}
