// What belongs together by a name: SKUs of a category, locations of a region; and the figures of each. The writer changes; rows are read from any thread.

using OrderEngine.Core.Events;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>Named groups and what was counted of them, by currency.</summary>
internal sealed class StatisticGroups
{
    private readonly int _limit;
    private readonly int _nameField;
    private readonly SymbolTable _names;
    private readonly ChunkedArray<ushort> _groups = new();
    private readonly long[] _seen;
    private long _looks;

    /// <param name="heap">Where the rows lie.</param>
    /// <param name="reclaimer">Where superseded rows go.</param>
    /// <param name="hash">For the index over the names.</param>
    /// <param name="tableId">Of the names; the next one is that of the figures.</param>
    /// <param name="limit">Names that are told apart.</param>
    /// <param name="nameField">Where the name stands in a member's definition.</param>
    public StatisticGroups(RowHeap heap, Reclaimer reclaimer, KeyedHash hash, uint tableId, int limit, int nameField)
    {
        _limit = limit;
        _nameField = nameField;
        _names = new SymbolTable(heap, hash);
        _seen = new long[limit + 2];
        Names = new VersionedRows(heap, reclaimer, tableId);
        Figures = new VersionedRows(heap, reclaimer, tableId + 1);
    }

    /// <summary>The group of members whose names are beyond the limit; 0 is the one of members without a name.</summary>
    public int Others => _limit + 1;

    /// <summary>The names by group, from 1.</summary>
    public VersionedRows Names { get; }

    /// <summary><see cref="OrderFigures"/> by <see cref="RowOf"/>.</summary>
    public VersionedRows Figures { get; }

    /// <summary>The number of a group's row.</summary>
    /// <param name="currency">The place of its series in the chain of all channels, from 1.</param>
    /// <param name="group">0 to <see cref="Others"/>.</param>
    public long RowOf(int currency, int group) => (currency - 1L) * (_limit + 2) + group + 1;

    /// <summary>The group in which a member is now.</summary>
    public int Of(int member) => _groups.TryRead(member, out var group) ? group : 0;

    /// <summary>Takes up a member's definition: what is counted of it from now on is counted under the name that it has now.</summary>
    public void Define(ReadOnlySpan<byte> body, long sequence)
    {
        var number = 0;
        ReadOnlySpan<byte> name = default;
        var reader = new ProtoReader(body);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) number = reader.Int();
            else if (field == _nameField) name = reader.Bytes();
            else reader.Skip(wireType);
        }
        var group = GroupOf(name, sequence);
        if (group != Of(number)) _groups[number] = (ushort)group;
    }

    /// <summary>Begins to look at an order: <see cref="IsNew"/> is true once for each group.</summary>
    public void Begin() => _looks++;

    /// <summary>True when the group was not seen since <see cref="Begin"/>.</summary>
    public bool IsNew(int group)
    {
        if (_seen[group] == _looks) return false;
        _seen[group] = _looks;
        return true;
    }

    /// <summary>Adds to a group's figures.</summary>
    public void Add(int currency, int group, in OrderFigures more, long sequence)
    {
        if (more.IsNone) return;
        var row = RowOf(currency, group);
        if (Figures.Latest(row).IsEmpty) Figures.CreateAs<OrderFigures>(row, sequence).Add(in more);
        else Figures.UpdateAs<OrderFigures>(row, sequence).Add(in more);
    }

    /// <summary>Puts back a name of a snapshot; they come in the order of their numbers.</summary>
    public void RestoreName(int group, ReadOnlySpan<byte> name, long sequence)
    {
        if (group > _limit || _names.Add(name) != group) throw new FormatException($"Group {group} does not follow {_names.Count}.");
        Names.Restore(group, sequence, name);
    }

    private int GroupOf(ReadOnlySpan<byte> name, long sequence)
    {
        if (name.IsEmpty) return 0;
        var known = _names.Find(name);
        if (known != 0) return known;
        if (_names.Count == _limit) return Others;
        var group = _names.Add(name);
        name.CopyTo(Names.Create(group, name.Length, sequence));
        return group;
    }
}
