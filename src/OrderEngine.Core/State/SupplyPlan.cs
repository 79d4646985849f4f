// Which SKUs' supply has to be planned anew, and the plan that is being made. Writer thread only; not kept: a plan is remembered as what it came to
// (Promises, SupplyRequests), and is made again after a restart.
//
// A SKU is planned when something of its queue or of what is announced changed: does anything have to be asked for, and when will each of those
// who wait have all of it? What is announced goes to them in the order of their places, to each what may serve him. One SKU at a time, some places
// a turn.

namespace OrderEngine.Core.State;

/// <summary>SKUs to be planned.</summary>
internal sealed class SupplyPlan
{
    private readonly SortedSet<int> _changed = [];
    // By SKU: places that wait to be filled whole, and so may leave stock lie that others take.
    private readonly Storage.ChunkedArray<int> _wholes = new();
    private int _anyWholes;
    private readonly List<(long Expected, int Location, long Units)> _coming = [];
    private int _first;
    private long _left;
    private int _last;

    /// <summary>True when a SKU has to be planned.</summary>
    public bool Any => Sku != 0 || _changed.Count > 0;

    /// <summary>The SKU that is being planned; 0: none.</summary>
    public int Sku { get; private set; }

    /// <summary>How far its queue has been planned.</summary>
    public BackorderKey Cursor { get; set; }

    /// <summary>Places with a promise that have not been looked at.</summary>
    public int Promised { get; set; }

    /// <summary>True when nobody further back can be promised anything.</summary>
    public bool IsSpent => _left == 0;

    /// <summary>Says that a SKU's queue changed, or what is announced of it.</summary>
    public void Mark(int sku) => _changed.Add(sku);

    /// <summary>Forgets what has to be planned.</summary>
    public void Forget()
    {
        _changed.Clear();
        Sku = 0;
    }

    /// <summary>Says that a place waits to be filled whole (1), or does not any more (-1).</summary>
    public void CountWhole(int sku, int change)
    {
        _wholes[sku] += change;
        _anyWholes += change;
    }

    /// <summary>How many places of a SKU wait to be filled whole.</summary>
    public int Wholes(int sku) => _anyWholes == 0 ? 0 : _wholes[sku];

    /// <summary>Says that a level changed: it counts where stock may lie for somebody who waits.</summary>
    public void StockChanged(int sku)
    {
        if (_anyWholes != 0 && _wholes[sku] != 0) Mark(sku);
    }

    /// <summary>Goes on with the plan that was begun, or begins the next.</summary>
    /// <param name="isNew">True: it begins, with <see cref="Announced"/> to be called for what is to come.</param>
    /// <returns>False when there is nothing to plan.</returns>
    public bool TryBegin(out bool isNew)
    {
        isNew = Sku == 0;
        if (!isNew) return true;
        if (_changed.Count == 0)
        {
            _last = 0;
            return false;
        }
        // One after the other, so that a SKU that changes all the time does not keep the others waiting.
        Sku = _last;
        foreach (var sku in _changed.GetViewBetween(_last, int.MaxValue))
        {
            if (sku == _last) continue;
            Sku = sku;
            break;
        }
        if (Sku == _last) Sku = _changed.Min;
        _changed.Remove(Sku);
        _last = Sku;
        Cursor = BackorderKey.First;
        _coming.Clear();
        _first = 0;
        _left = 0;
        return true;
    }

    /// <summary>Says what is to come, in the order of its dates.</summary>
    public void Announced(long expectedAt, int location, long units)
    {
        _coming.Add((expectedAt, location, units));
        _left += units;
    }

    /// <summary>Gives what comes to the next in the queue.</summary>
    /// <returns>When he will have all of it; 0: not from what is announced.</returns>
    public long Take(long units, ChannelRules rules, int region, Catalog catalog)
    {
        var at = 0L;
        for (var i = _first; i < _coming.Count && units > 0; i++)
        {
            var (expected, location, left) = _coming[i];
            if (left == 0)
            {
                if (i == _first) _first++;
                continue;
            }
            if (!rules.Allows(location) || !catalog.Serves(location, region)) continue;
            var taken = Math.Min(left, units);
            _coming[i] = (expected, location, left - taken);
            _left -= taken;
            units -= taken;
            at = expected;
        }
        return units == 0 ? at : 0;
    }

    /// <summary>Ends the plan of the SKU.</summary>
    public void End() => Sku = 0;
}
