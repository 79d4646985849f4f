// The client's own book of what the server promised: for every order of the run whether, and as which order, it was acknowledged.
// Eight bytes an order. Written by any thread; read when the load is over.

namespace OrderEngine.Load.Ledger;

/// <summary>Acknowledged and refused orders by their index in the run.</summary>
public sealed class OrderLedger
{
    private const long RefusedMark = long.MinValue;

    private readonly ChunkedLongs _slots = new();
    private long _acknowledged;
    private long _refused;
    private long _contradicted;

    /// <summary>Orders that were accepted.</summary>
    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    /// <summary>Orders that were refused and not accepted since.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Answers that named another order than an earlier answer to the same request.</summary>
    public long Contradicted => Interlocked.Read(ref _contradicted);

    /// <summary>The server accepted this order under this id. Said again by a replay, it must be the same id.</summary>
    public void Acknowledge(long index, string orderId)
    {
        var print = Fingerprint(orderId);
        var before = _slots.SetOnce(index, print);
        if (before == RefusedMark)
        {
            _slots[index] = print;
            Interlocked.Decrement(ref _refused);
        }
        else if (before != 0)
        {
            if (before != print) Interlocked.Increment(ref _contradicted);
            return;
        }
        Interlocked.Increment(ref _acknowledged);
    }

    /// <summary>The server said that it did not apply this order.</summary>
    public void Refuse(long index)
    {
        if (_slots.SetOnce(index, RefusedMark) == 0) Interlocked.Increment(ref _refused);
    }

    public bool IsAcknowledged(long index) => _slots[index] is not (0 or RefusedMark);

    public bool IsRefused(long index) => _slots[index] == RefusedMark;

    /// <summary>True when the order was acknowledged under this id.</summary>
    public bool WasAcknowledgedAs(long index, string orderId) => _slots[index] == Fingerprint(orderId);

    // FNV-1a over the id's characters, kept positive and not 0: those values mean something else.
    private static long Fingerprint(string orderId)
    {
        ArgumentNullException.ThrowIfNull(orderId);
        var hash = 14695981039346656037UL;
        foreach (var character in orderId) hash = (hash ^ character) * 1099511628211UL;
        return (long)(hash & long.MaxValue) | 1;
    }
}
