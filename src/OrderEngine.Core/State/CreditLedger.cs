// What every customer owes on credit, by currency: a counter that equals the sum over the orders. Writer thread only; rebuilt by replaying,
// after a snapshot from the orders.

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
    }

    private readonly HashIndex _index = new();
    private readonly ChunkedArray<Entry> _entries = new();

    /// <summary>Customers and currencies in which they ever owed.</summary>
    public long Count { get; private set; }

    /// <summary>What a customer owes in a currency.</summary>
    public long Of(int customer, int currency)
    {
        var entry = Find(customer, currency);
        return entry == 0 ? 0 : _entries[entry].Amount;
    }

    /// <summary>Adds to what a customer owes.</summary>
    public void Change(int customer, int currency, long amount)
    {
        var entry = Find(customer, currency);
        if (entry == 0)
        {
            entry = ++Count;
            _entries[entry] = new Entry { Customer = customer, Currency = currency };
            _index.Add(hash.Of((ulong)customer, (ulong)currency), entry);
        }
        _entries[entry].Amount = checked(_entries[entry].Amount + amount);
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
