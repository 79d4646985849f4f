// The union of some sets of numbers, of which a filter names several. Any thread.

using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>The union of some sets.</summary>
internal readonly struct NumberSets
{
    private readonly NumberSet?[] _sets;

    private NumberSets(NumberSet?[] sets)
    {
        _sets = sets;
        foreach (var set in sets) Count += set?.Count ?? 0;
    }

    public static NumberSets Of<T>(T[] wanted, Func<T, NumberSet?> find) => new(Array.ConvertAll(wanted, one => find(one)));

    public bool IsAsked => _sets.Length > 0;

    public long Count { get; }

    public bool MayHold(long number)
    {
        if (_sets.Length == 0) return true;
        foreach (var set in _sets)
            if (set is not null && set.Contains(number)) return true;
        return false;
    }

    public long From(long number, bool up)
    {
        long nearest = 0;
        foreach (var set in _sets)
        {
            var member = set is null ? 0 : up ? set.Next(number) : set.Previous(number);
            if (member != 0 && (nearest == 0 || (up ? member < nearest : member > nearest))) nearest = member;
        }
        return nearest;
    }
}
