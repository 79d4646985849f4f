// Listing orders: candidates come out of the index that promises the fewest, the others are asked by a bit each, and what is left is looked at
// as a row, as of one sequence. Any thread, inside a guard. The work of a call is bounded, whatever there is: a page may be short, and goes on.

namespace OrderEngine.Core.State;

/// <summary>Which orders are wanted; what is 0 or empty asks for nothing.</summary>
public sealed record OrderQuery
{
    /// <summary>Number of the channel.</summary>
    public int Channel { get; init; }
    /// <summary>Number of the customer.</summary>
    public int Customer { get; init; }
    /// <summary>One of these states.</summary>
    public OrderState[] States { get; init; } = [];
    /// <summary>One of these tiers, 0 to <see cref="Limits.Tier"/>.</summary>
    public int[] Tiers { get; init; } = [];
    /// <summary>With an open exception, of whatever kind.</summary>
    public bool WithException { get; init; }
    /// <summary>With an open exception of this kind.</summary>
    public ExceptionKind Exception { get; init; }
    /// <summary>Accepted at or after, microseconds since 1970.</summary>
    public long Since { get; init; }
    /// <summary>Accepted before, microseconds since 1970.</summary>
    public long Before { get; init; }
    /// <summary>The one accepted first comes first.</summary>
    public bool OldestFirst { get; init; }
}

/// <summary>A page of a list.</summary>
/// <param name="Numbers">Numbers of the orders, or exceptions, that match.</param>
/// <param name="After">Give it to the next call to go on; 0: there are no more.</param>
/// <param name="Looked">Candidates looked at.</param>
/// <param name="Rows">Of these, rows read.</param>
public sealed record NumberPage(IReadOnlyList<long> Numbers, long After, int Looked, int Rows);

/// <summary>One call.</summary>
internal ref struct OrderListing
{
    private readonly StateReader _reader;
    private readonly OrderIndex _index;
    private readonly OrderQuery _query;
    private readonly long _at;
    private readonly long _first;
    private readonly long _last;
    private readonly NumberSets _states, _tiers, _exceptions;
    private readonly Source _source;
    private ChainWalk _walk;
    private int _rows;

    private enum Source
    {
        Numbers, Chain, States, Tiers, Exceptions,
    }

    public OrderListing(StateReader reader, OrderQuery query, long at, long after)
    {
        _reader = reader;
        _index = reader.State.Index;
        _query = query;
        _at = at;
        (_first, _last) = _index.Between(query.Since, query.Before, reader.LastOrder);
        if (after != 0 && query.OldestFirst) _first = Math.Max(_first, after + 1);
        if (after != 0 && !query.OldestFirst) _last = Math.Min(_last, after - 1);
        var index = _index;
        _states = NumberSets.Of(query.States, state => index.InState(state));
        _tiers = NumberSets.Of(query.Tiers, tier => index.OfTier(tier));
        _exceptions = NumberSets.Of(query.Exception != ExceptionKind.None ? [query.Exception] : query.WithException ? new[] { ExceptionKind.None } : [],
            kind => index.WithException(kind));
        _source = Choose();
    }

    /// <summary>Gathers a page.</summary>
    public NumberPage Run(int size, int looks)
    {
        var found = new List<long>(Math.Min(size, 128));
        var looked = 0;
        var candidate = Next(_query.OldestFirst ? _first - 1 : _last + 1);
        for (; candidate != 0; candidate = Next(candidate))
        {
            looked++;
            if (Matches(candidate)) found.Add(candidate);
            if (found.Count < size && looked < looks) continue;
            return new NumberPage(found, Next(candidate) == 0 ? 0 : candidate, looked, _rows);
        }
        return new NumberPage(found, 0, looked, _rows);
    }

    // The index with the fewest candidates between the ends.
    private Source Choose()
    {
        var best = Source.Numbers;
        var fewest = _last - _first + 1;
        TakeIfFewer(_states, Source.States, ref best, ref fewest);
        TakeIfFewer(_tiers, Source.Tiers, ref best, ref fewest);
        TakeIfFewer(_exceptions, Source.Exceptions, ref best, ref fewest);
        TakeIfFewer(_index.Channels, _query.Channel, ref best, ref fewest);
        TakeIfFewer(_index.Customers, _query.Customer, ref best, ref fewest);
        return best;
    }

    private static void TakeIfFewer(NumberSets sets, Source source, ref Source best, ref long fewest)
    {
        if (!sets.IsAsked || sets.Count >= fewest) return;
        best = source;
        fewest = sets.Count;
    }

    private void TakeIfFewer(Storage.NumberChains chains, int key, ref Source best, ref long fewest)
    {
        if (key == 0) return;
        var walk = new ChainWalk(chains, key, _first, _last);
        if (walk.Count >= fewest) return;
        best = Source.Chain;
        fewest = walk.Count;
        _walk = walk;
    }

    /// <summary>The candidate behind one, in the order asked for; 0: none.</summary>
    private long Next(long candidate)
    {
        var number = _query.OldestFirst ? candidate + 1 : candidate - 1;
        if (number < _first || number > _last) return 0;
        var next = _source switch
        {
            Source.Chain => _walk.Next(_query.OldestFirst),
            Source.States => _states.From(number, _query.OldestFirst),
            Source.Tiers => _tiers.From(number, _query.OldestFirst),
            Source.Exceptions => _exceptions.From(number, _query.OldestFirst),
            _ => number,
        };
        return next < _first || next > _last ? 0 : next;
    }

    private bool Matches(long number)
    {
        if (!_states.MayHold(number) || !_tiers.MayHold(number) || !_exceptions.MayHold(number)) return false;
        _rows++;
        var order = _reader.LiveOrder(number, _at);
        if (!order.Exists) return false;
        ref readonly var head = ref order.Head;
        return (_query.Channel == 0 || head.Channel == _query.Channel)
            && (_query.Customer == 0 || head.Customer == _query.Customer)
            && (_query.States.Length == 0 || Array.IndexOf(_query.States, head.State) >= 0)
            && (_query.Tiers.Length == 0 || Array.IndexOf(_query.Tiers, head.Tier) >= 0)
            && head.AcceptedAt >= _query.Since && (_query.Before == 0 || head.AcceptedAt < _query.Before)
            && (!_query.WithException || head.OpenExceptions > 0)
            && (_query.Exception == ExceptionKind.None || HasOpen(head.LastException));
    }

    private bool HasOpen(long number)
    {
        while (number != 0)
        {
            var exception = _reader.Exception(number, _at);
            if (exception.IsOpen && exception.Head.Kind == _query.Exception) return true;
            number = exception.Head.Previous;
        }
        return false;
    }

    /// <summary>A walk along one chain between two numbers: its members by their places.</summary>
    private struct ChainWalk
    {
        private const int Ahead = 64;
        private readonly Storage.NumberChains _chains;
        private readonly long _end;
        private long _firstPlace;
        private long _member;
        // Walking up: the next members, gathered backwards.
        private readonly long[] _ahead;
        private int _aheadCount;

        public ChainWalk(Storage.NumberChains chains, int key, long first, long last)
        {
            _chains = chains;
            _end = _member = chains.AtOrBelow(key, last);
            _firstPlace = chains.Ordinal(chains.AtOrBelow(key, first - 1)) + 1;
            _ahead = new long[Ahead];
            Count = chains.Ordinal(_end) - _firstPlace + 1;
        }

        public long Count { get; }

        public long Next(bool up)
        {
            if (up) return Up();
            var member = _member;
            _member = _chains.Before(member);
            return member;
        }

        private long Up()
        {
            if (_aheadCount == 0)
            {
                var places = Math.Min(Ahead, _chains.Ordinal(_end) - _firstPlace + 1);
                if (places <= 0) return 0;
                var member = _chains.AtOrdinal(_end, _firstPlace + places - 1);
                for (; _aheadCount < places; member = _chains.Before(member)) _ahead[_aheadCount++] = member;
                _firstPlace += places;
            }
            return _ahead[--_aheadCount];
        }
    }
}
