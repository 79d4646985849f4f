// Statements: what a customer's orders came to in a period, page by page, from the orders' own histories. Any thread, inside a guard that the caller holds.
// All pages speak of one sequence, however much later they are asked for: events stay where they are, and those behind the sequence are left out.

using OrderEngine.Core.Events;

namespace OrderEngine.Core.State;

/// <summary>Whose statement.</summary>
/// <param name="Customer">Number of the customer.</param>
/// <param name="Since">What happened then or later, microseconds since 1970; 0: from the beginning.</param>
/// <param name="Before">What happened earlier; 0: to the end.</param>
/// <param name="Currency">Packed; 0: any.</param>
/// <param name="Now">For what is due, where the period has not ended.</param>
public readonly record struct StatementQuery(int Customer, long Since, long Before, int Currency, long Now);

/// <summary>One order of a statement.</summary>
/// <param name="Order">Its number.</param>
/// <param name="Channel">Its channel.</param>
/// <param name="Currency">Packed.</param>
/// <param name="AcceptedAt">Microseconds since 1970.</param>
/// <param name="Opening">As it stood before the period.</param>
/// <param name="Closing">As it stood at its end.</param>
/// <param name="Due">Of the closing balance.</param>
public sealed record StatementEntry(long Order, int Channel, int Currency, long AcceptedAt, AccountFigures Opening, AccountFigures Closing, long Due);

/// <summary>A page.</summary>
/// <param name="Entries">Orders with a balance or a movement, oldest first.</param>
/// <param name="After">Give it to the next call to go on; 0: there are no more.</param>
public sealed record StatementPage(List<StatementEntry> Entries, long After);

/// <summary>Makes one page.</summary>
/// <param name="reader">The state.</param>
/// <param name="query">Whose, of when.</param>
/// <param name="at">The sequence of the statement; durable.</param>
public sealed class StatementReader(StateReader reader, StatementQuery query, long at)
{
    private readonly OrderAccount _account = new();
    private readonly List<long> _history = [];
    private int _looks;

    /// <summary>Gathers a page.</summary>
    /// <param name="durable">The durable sequence, at which rows are looked at; not below that of the statement.</param>
    /// <param name="after"><see cref="StatementPage.After"/> of the page before; 0: from the beginning.</param>
    /// <param name="size">Orders in the page at most.</param>
    /// <param name="looks">Orders and events looked at: the page ends with the order that reaches them.</param>
    public StatementPage Read(long durable, long after, int size, int looks)
    {
        var chain = reader.State.Index.Customers;
        var entries = new List<StatementEntry>();
        var last = chain.Last(query.Customer);
        var places = chain.Ordinal(last);
        for (var place = chain.Ordinal(chain.AtOrBelow(query.Customer, after)) + 1; place <= places; place++)
        {
            var number = chain.AtOrdinal(last, place);
            var order = reader.Order(number, durable);
            // So are all further ones.
            if (order.Exists && IsBehind(in order.Head)) break;
            if (entries.Count == size || _looks >= looks) return new StatementPage(entries, after);
            _looks++;
            if (order.Exists) Read(number, order, entries);
            after = number;
        }
        return new StatementPage(entries, 0);
    }

    // Accepted after the period, or after the sequence.
    private bool IsBehind(in OrderHead head) => head.AcceptedSequence > at || query.Before != 0 && head.AcceptedAt >= query.Before;

    private void Read(long number, OrderView order, List<StatementEntry> entries)
    {
        ref readonly var head = ref order.Head;
        if (query.Currency != 0 && head.Currency != query.Currency) return;
        // Nothing has moved since long ago, and nothing is open: its row says so, whatever its history is.
        if (head.ChangedAt < query.Since && head.Version <= at && PaymentStates.Payable(head.State, order.Lines) == head.Paid - head.Refunded) return;
        Gather(number);
        _account.Clear();
        var opening = FoldUntil(number, query.Since);
        var closing = FoldUntil(number, query.Before == 0 ? long.MaxValue : query.Before);
        if (opening != closing || closing.Balance != 0)
        {
            var end = query.Before == 0 ? query.Now : Math.Min(query.Before, query.Now);
            entries.Add(new StatementEntry(number, head.Channel, head.Currency, head.AcceptedAt, opening, closing, _account.DueAt(end)));
        }
    }

    // Applies what happened earlier than a time and was not applied yet: the last of the gathered is the next.
    private AccountFigures FoldUntil(long number, long time)
    {
        while (_history.Count > 0)
        {
            var e = new EventView(reader.EventAt(number, _history[^1]));
            if (e.Time >= time) break;
            _account.Apply(in e);
            _history.RemoveAt(_history.Count - 1);
        }
        return _account.Figures;
    }

    private void Gather(long number)
    {
        _history.Clear();
        for (var cursor = 0L; reader.PreviousEvent(number, at, ref cursor, out _);) _history.Add(cursor);
        _looks += _history.Count;
    }
}
