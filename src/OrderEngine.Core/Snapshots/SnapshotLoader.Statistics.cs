// Putting back statistics. Same thread as the rest of the load. Their rows may be of any sequence up to the snapshot's: nobody reads below it.

using System.Runtime.InteropServices;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.Snapshots;

public sealed partial class SnapshotLoader
{
    private void ReadStatisticName(ReadOnlySpan<byte> record)
    {
        int kind = 0, number = 0;
        ReadOnlySpan<byte> name = default;
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: kind = reader.Int(); break;
                case 2: number = reader.Int(); break;
                case 3: name = reader.Bytes(); break;
                default: throw Unknown(field, "statistic's name");
            }
        }
        if (name.IsEmpty) throw Wrong($"Group {number} has no name.");
        GroupsOf(kind).RestoreName(number, name, _sequence);
    }

    private StatisticGroups GroupsOf(int kind) => kind switch
    {
        SnapshotFormat.Categories => _state.Statistics.Categories,
        SnapshotFormat.Regions => _state.Statistics.Regions,
        _ => throw Wrong($"There are no groups of kind {kind}."),
    };

    private void ReadStatisticSeries(ReadOnlySpan<byte> record)
    {
        var number = 0;
        var day = 0;
        var row = new SeriesRow();
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: number = reader.Int(); break;
                case 2: row.Channel = reader.Int(); break;
                case 3: row.Currency = Currency.Pack(reader.Bytes()); break;
                case 4:
                    row.Days = reader.Int();
                    day = Statistics.FirstDay(in row);
                    break;
                case 5:
                    var figures = ReadFigures(reader.Bytes(), out var state);
                    Within(state, StateFigures.States - 1, "state", orNone: true);
                    row.States[(int)state] = figures;
                    break;
                case 6:
                    var accepted = new DayRow { Figures = ReadFigures(reader.Bytes(), out var of), Day = checked((int)of) };
                    if (day >= row.Days) throw Wrong($"Series {number} has more days than {row.Days}.");
                    Restore(_state.Statistics.Days, Statistics.DayRowOf(number, day++), in accepted);
                    break;
                default: throw Unknown(field, "series");
            }
        }
        Within(row.Channel, _state.Catalog.ChannelIds.Count, "channel", orNone: true);
        if (day != row.Days) throw Wrong($"Series {number} has {row.Days} days, the last in the snapshot is {day}.");
        _state.Statistics.RestoreSeries(number, in row, _sequence);
    }

    // Sums may have wrapped around.
    private OrderFigures ReadFigures(ReadOnlySpan<byte> record, out long of)
    {
        of = 0;
        var figures = new OrderFigures();
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: of = reader.Long(); break;
                case 2: figures.Orders = reader.Long(); break;
                case 3: figures.Ordered = (long)reader.Varint(); break;
                case 4: figures.Cancelled = (long)reader.Varint(); break;
                default: throw Unknown(field, "statistic");
            }
        }
        return figures;
    }

    private void ReadStatisticGroup(ReadOnlySpan<byte> record)
    {
        var kind = 0;
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: kind = reader.Int(); break;
                case 2:
                    var figures = ReadFigures(reader.Bytes(), out var row);
                    var groups = GroupsOf(kind);
                    Within(row, groups.RowOf(Limits.StatisticsCurrencies + 1, groups.Others), "group");
                    Restore(groups.Figures, row, in figures);
                    break;
                default: throw Unknown(field, "group");
            }
        }
    }

    private void ReadStatisticService(ReadOnlySpan<byte> record)
    {
        var channel = 0;
        var row = new ServiceRow();
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: channel = reader.Int(); break;
                case 2: row.ToRelease = ReadDurations(reader.Bytes()); break;
                case 3: row.ToShip = ReadDurations(reader.Bytes()); break;
                case 4: row.ToDelivery = ReadDurations(reader.Bytes()); break;
                case 5: row.Dated = reader.Long(); break;
                case 6: row.Late = reader.Long(); break;
                case 7: row.AsOrdered = reader.Long(); break;
                case 8: row.Returned = reader.Long(); break;
                case 9: row.Complained = reader.Long(); break;
                case 10: row.Complaints = reader.Long(); break;
                default: throw Unknown(field, "service");
            }
        }
        Within(channel, _state.Catalog.ChannelIds.Count, "channel", orNone: true);
        Restore(_state.Statistics.Service, channel + 1, in row);
    }

    private DurationFigures ReadDurations(ReadOnlySpan<byte> record)
    {
        var durations = new DurationFigures();
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: durations.Count = reader.Long(); break;
                case 2: durations.Sum = (long)reader.Varint(); break;
                case 3:
                    var count = ReadFigures(reader.Bytes(), out var bucket);
                    Within(bucket, DurationBuckets.Count - 1, "bucket", orNone: true);
                    durations.Buckets[(int)bucket] = count.Orders;
                    break;
                default: throw Unknown(field, "duration");
            }
        }
        return durations;
    }

    private void Restore<T>(VersionedRows rows, long number, in T row) where T : unmanaged =>
        rows.Restore(number, _sequence, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in row)));
}
