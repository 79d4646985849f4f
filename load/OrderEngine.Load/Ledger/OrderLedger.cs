// The client's own book of what the server promised: for every order of the run whether, and as which order, it was acknowledged.
// Eight bytes an order. Written by any thread; read when the load is over.

using System.Text;

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
    public void Acknowledge(long index, string orderId) => Acknowledge(index, Fingerprint(orderId));

    /// <summary>The same by the id's <see cref="Fingerprint(ReadOnlySpan{byte})"/>.</summary>
    public void Acknowledge(long index, long print)
    {
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

    /// <summary>What is kept of an order's id: FNV-1a over its UTF-8, kept positive and not 0, since those values mean something else.</summary>
    public static long Fingerprint(ReadOnlySpan<byte> orderId)
    {
        var hash = 14695981039346656037UL;
        foreach (var one in orderId) hash = (hash ^ one) * 1099511628211UL;
        return (long)(hash & long.MaxValue) | 1;
    }

    private static long Fingerprint(string orderId)
    {
        const int usual = 64;
        ArgumentNullException.ThrowIfNull(orderId);
        Span<byte> bytes = stackalloc byte[usual];
        return Encoding.UTF8.TryGetBytes(orderId, bytes, out var length) ? Fingerprint(bytes[..length]) : Fingerprint(Encoding.UTF8.GetBytes(orderId));
    }
}
