// Listing exceptions: candidates come out of the smallest set that the filter names, the others are asked by a bit each, and what is left is looked
// at as a row, as of one sequence. Those of one order come from the order. Any thread, inside a guard. The work of a call is bounded.

namespace OrderEngine.Core.State;

/// <summary>Which exceptions are wanted; what is 0 or empty asks for nothing.</summary>
public sealed record ExceptionQuery
{
    /// <summary>One of these grades.</summary>
    public Grade[] Grades { get; init; } = [];
    /// <summary>Owned by this role.</summary>
    public Role Owner { get; init; }
    /// <summary>Of this kind.</summary>
    public ExceptionKind Kind { get; init; }
    /// <summary>Of the order with this number.</summary>
    public long Order { get; init; }
    /// <summary>True: open ones; false: resolved ones; null: both.</summary>
    public bool? Open { get; init; }
    /// <summary>The one raised first comes first.</summary>
    public bool OldestFirst { get; init; }
}

/// <summary>One call.</summary>
internal readonly ref struct ExceptionListing
{
    private readonly StateReader _reader;
    private readonly ExceptionQuery _query;
    private readonly long _at;
    private readonly NumberSets[] _asked;
    private readonly int _smallest = -1;

    public ExceptionListing(StateReader reader, ExceptionQuery query, long at)
    {
        (_reader, _query, _at) = (reader, query, at);
        var exceptions = reader.State.Exceptions;
        NumberSets[] all =
        [
            NumberSets.Of<Grade>(query.Grades, exceptions.OfGrade),
            NumberSets.Of<Role>(query.Owner == Role.None ? [] : [query.Owner], exceptions.OfOwner),
            NumberSets.Of<ExceptionKind>(query.Kind == ExceptionKind.None ? [] : [query.Kind], exceptions.OfKind),
            NumberSets.Of<bool>(query.Open == true ? [true] : [], _ => exceptions.Open),
        ];
        _asked = Array.FindAll(all, sets => sets.IsAsked);
        for (var i = 0; i < _asked.Length; i++)
            if (_smallest < 0 || _asked[i].Count < _asked[_smallest].Count) _smallest = i;
    }

    /// <summary>Gathers a page.</summary>
    public NumberPage Run(long after, int size, int looks)
    {
        if (_query.Order != 0) return OfOrder(after, size);
        var found = new List<long>(Math.Min(size, 128));
        var (looked, rows) = (0, 0);
        for (var number = First(after); number != 0; number = Next(number))
        {
            looked++;
            if (MayMatch(number))
            {
                rows++;
                if (Matches(number)) found.Add(number);
            }
            if (found.Count < size && looked < looks) continue;
            return new NumberPage(found, Next(number) == 0 ? 0 : number, looked, rows);
        }
        return new NumberPage(found, 0, looked, rows);
    }

    // An order has few exceptions: all are gathered, newest first.
    private NumberPage OfOrder(long after, int size)
    {
        var order = _reader.Order(_query.Order, _at);
        var all = new List<long>();
        for (long number = order.Exists ? order.Head.LastException : 0; number != 0; number = _reader.Exception(number, _at).Head.Previous)
            if (Matches(number)) all.Add(number);
        var rows = all.Count;
        if (_query.OldestFirst) all.Reverse();
        var oldestFirst = _query.OldestFirst;
        if (after != 0) all.RemoveAll(number => oldestFirst ? number <= after : number >= after);
        return all.Count <= size ? new NumberPage(all, 0, rows, rows) : new NumberPage(all[..size], all[size - 1], rows, rows);
    }

    private long First(long after) =>
        _query.OldestFirst ? From(after + 1) : From(after == 0 ? _reader.LastException : after - 1);

    private long Next(long number) => From(_query.OldestFirst ? number + 1 : number - 1);

    private long From(long number)
    {
        if (number < 1 || number > _reader.LastException) return 0;
        return _smallest < 0 ? number : _asked[_smallest].From(number, _query.OldestFirst);
    }

    private bool MayMatch(long number)
    {
        foreach (var sets in _asked)
            if (!sets.MayHold(number)) return false;
        return true;
    }

    private bool Matches(long number)
    {
        var exception = _reader.Exception(number, _at);
        if (!exception.Exists) return false;
        ref readonly var head = ref exception.Head;
        return (_query.Open is null || _query.Open == exception.IsOpen)
            && (_query.Grades.Length == 0 || Array.IndexOf(_query.Grades, head.Grade) >= 0)
            && (_query.Owner == Role.None || head.Owner == _query.Owner)
            && (_query.Kind == ExceptionKind.None || head.Kind == _query.Kind);
    }
}
