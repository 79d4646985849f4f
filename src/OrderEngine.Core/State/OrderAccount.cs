// What an order came to in money at any time, folded from its own history: the row knows only how it stands now. Any thread; one fold at a time.

using OrderEngine.Core.Events;

namespace OrderEngine.Core.State;

/// <summary>Sums of an order since its acceptance, minor units.</summary>
/// <param name="Ordered">As ordered and amended.</param>
/// <param name="Cancelled">Of it: cancelled or rejected.</param>
/// <param name="Expired">Of it: fell away because the order is expired.</param>
/// <param name="Lost">Of it: lost on the way.</param>
/// <param name="Returned">Of it: came back for good, and is credited; not what was exchanged.</param>
/// <param name="Delivered">Of it: arrived; whatever came back later included.</param>
/// <param name="Paid">All payments.</param>
/// <param name="Refunded">All refunds.</param>
public readonly record struct AccountFigures(long Ordered, long Cancelled, long Expired, long Lost, long Returned, long Delivered, long Paid, long Refunded)
{
    /// <summary>What the buyer is to pay in all: <see cref="PaymentStates.Payable"/>.</summary>
    public long Payable => Ordered - Cancelled - Expired - Lost - Returned;

    /// <summary>What is still to be paid; below 0: to be refunded.</summary>
    public long Balance => Payable - Paid + Refunded;
}

/// <summary>Folds the events of one order after another.</summary>
public sealed class OrderAccount
{
    private readonly List<Line> _lines = [];
    private readonly List<(long Due, long Amount)> _instalments = [];
    private OrderState _state;
    private long _paid;
    private long _refunded;
    private bool _exchanged;

    private struct Line
    {
        public long Price;
        public int Ordered, Cancelled, Lost, Returned, Delivered;
    }

    /// <summary>How it is paid.</summary>
    public PaymentTerms Terms { get; private set; }

    /// <summary>How it stands behind the events applied so far.</summary>
    public AccountFigures Figures
    {
        get
        {
            long ordered = 0, cancelled = 0, lost = 0, returned = 0, delivered = 0;
            foreach (var line in _lines)
            {
                ordered += line.Ordered * line.Price;
                cancelled += line.Cancelled * line.Price;
                lost += line.Lost * line.Price;
                returned += line.Returned * line.Price;
                delivered += line.Delivered * line.Price;
            }
            var expired = _state == OrderState.Expired ? ordered - cancelled - lost - returned : 0;
            return new AccountFigures(ordered, cancelled, expired, lost, returned, delivered, _paid, _refunded);
        }
    }

    /// <summary>What is due of the balance at a time, by the order's terms; never negative.</summary>
    /// <param name="now">Microseconds since 1970.</param>
    public long DueAt(long now)
    {
        var figures = Figures;
        long taken = 0, called = 0;
        foreach (var line in _lines) taken += Math.Max(0, line.Delivered - line.Returned) * line.Price;
        foreach (var (due, amount) in _instalments)
            if (due <= now) called += amount;
        if (_instalments.Count == 0 || _instalments[^1].Due <= now) called = figures.Payable;
        return Math.Max(0, PaymentStates.Due(Terms, figures.Payable, taken, called) - figures.Paid + figures.Refunded);
    }

    /// <summary>Forgets the order before.</summary>
    public void Clear()
    {
        _lines.Clear();
        _instalments.Clear();
        (_state, _paid, _refunded, Terms) = (OrderState.None, 0, 0, PaymentTerms.None);
    }

    /// <summary>Applies the next event of the order; those that move no money change nothing.</summary>
    public void Apply(in EventView e)
    {
        _state = e.After;
        _exchanged = e.Kind == EventKind.ReturnReceived && OrderReturns.AreExchanged(e.Body);
        var reader = new ProtoReader(e.Body);
        while (reader.Next(out var field, out var wireType))
        {
            if (wireType == 2) Apply(e.Kind, field, reader.Bytes());
            else if (wireType == 0) Apply(e.Kind, field, reader.Varint());
            else reader.Skip(wireType);
        }
    }

    private void Apply(EventKind kind, int field, ulong value)
    {
        switch (kind)
        {
            case EventKind.OrderSubmitted when field == 4: Terms = (PaymentTerms)value; break;
            case EventKind.PaymentRecorded when field == 1: _paid += (long)value; break;
            case EventKind.RefundRecorded when field == 1: _refunded += (long)value; break;
        }
    }

    private void Apply(EventKind kind, int field, ReadOnlySpan<byte> nested)
    {
        switch (kind)
        {
            case EventKind.OrderSubmitted when field == 8:
                var accepted = new Numbers(nested);
                _lines.Add(new Line { Ordered = (int)accepted[2], Price = accepted[3], Cancelled = (int)accepted[5] });
                break;
            case EventKind.OrderSubmitted when field == 41:
                var instalment = new Numbers(nested);
                _instalments.Add((instalment[1], instalment[2]));
                break;
            case EventKind.OrderCancelled or EventKind.OrderRejected when field == 1:
                var cancelled = new Numbers(nested);
                LineOf(cancelled[1]).Cancelled += (int)(cancelled[2] + cancelled[4]) + ReservedUnits(nested);
                break;
            case EventKind.OrderAmended when field == 3:
                var amended = new Numbers(nested);
                if (amended[1] == _lines.Count + 1) _lines.Add(default);
                ref var line = ref LineOf(amended[1]);
                (line.Ordered, line.Price) = ((int)amended[4], amended[6]);
                line.Cancelled += (int)amended[9];
                break;
            case EventKind.PaymentRecorded when field == 8:
                var reinstated = new Numbers(nested);
                LineOf(reinstated[1]).Cancelled += (int)reinstated[3];
                break;
            case EventKind.DeliveryRecorded when field == 1:
                var delivered = new Numbers(nested);
                LineOf(delivered[1]).Delivered += (int)delivered[2];
                break;
            case EventKind.LossRecorded when field == 1:
                var lost = new Numbers(nested);
                LineOf(lost[1]).Lost += (int)lost[2];
                break;
            case EventKind.ExchangeCredited when field == 2:
                var credited = new Numbers(nested);
                LineOf(credited[1]).Returned += (int)credited[2];
                break;
            case EventKind.ReturnReceived when field == 3 && !_exchanged:
                var came = new Numbers(nested);
                if ((Disposition)came[3] != Disposition.Repair) LineOf(came[1]).Returned += (int)came[2];
                break;
        }
    }

    private ref Line LineOf(long number) => ref System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_lines)[(int)number - 1];

    private static int ReservedUnits(ReadOnlySpan<byte> cancelledLine)
    {
        var units = 0;
        var reader = new ProtoReader(cancelledLine);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 3) units += (int)new Numbers(reader.Bytes())[2];
            else reader.Skip(wireType);
        }
        return units;
    }

    // The unsigned numbers of a message by field; those that are left out are 0.
    private readonly ref struct Numbers
    {
        private readonly Fields _fields;

        public Numbers(ReadOnlySpan<byte> message)
        {
            var reader = new ProtoReader(message);
            while (reader.Next(out var field, out var wireType))
            {
                if (wireType == 0 && field < Fields.Count) _fields[field] = (long)reader.Varint();
                else reader.Skip(wireType);
            }
        }

        public long this[int field] => _fields[field];
    }

    [System.Runtime.CompilerServices.InlineArray(Count)]
    private struct Fields
    {
        public const int Count = 12;
        private long _first;
    }
}
