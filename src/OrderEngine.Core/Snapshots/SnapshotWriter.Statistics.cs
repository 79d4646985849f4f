// Writes statistics, which cannot be counted again: archived orders are in them. Same thread and guard as the rest.

using OrderEngine.Core.State;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.Snapshots;

public sealed partial class SnapshotWriter
{
    private ulong _statisticsHash;

    private void WriteStatistics()
    {
        var statistics = _state.Statistics;
        WriteNames(SnapshotFormat.Categories, statistics.Categories);
        WriteNames(SnapshotFormat.Regions, statistics.Regions);
        for (long number = 1; number <= statistics.Series.Count; number++) WriteSeries(number);
        WriteFigures(SnapshotFormat.Categories, statistics.Categories);
        WriteFigures(SnapshotFormat.Regions, statistics.Regions);
        for (long number = 1; number <= statistics.Service.Count; number++) WriteService(number);
    }

    private bool TryStatistic<T>(VersionedRows rows, long number, out T row) where T : unmanaged
    {
        if (!rows.TryAt(number, _at, out row, out _)) return false;
        _statisticsHash += rows.RowHash(number, rows.At(number, _at, out _));
        return true;
    }

    private void WriteNames(int kind, StatisticGroups groups)
    {
        for (long number = 1; number <= groups.Names.Count; number++)
        {
            var name = groups.Names.At(number, _at, out _);
            if (name.IsEmpty) continue;
            _statisticsHash += groups.Names.RowHash(number, name);
            var start = _block.BeginNested(SnapshotFormat.StatisticNames);
            _block.Number(1, kind);
            _block.Number(2, number);
            _block.Bytes(3, name);
            EndRecord(start);
        }
    }

    private void WriteSeries(long number)
    {
        if (!TryStatistic<SeriesRow>(_state.Statistics.Series, number, out var row)) return;
        var start = _block.BeginNested(SnapshotFormat.StatisticSeries);
        _block.Number(1, number);
        _block.Number(2, row.Channel);
        WriteCurrency(3, row.Currency);
        _block.Number(4, row.Days);
        for (var state = 0; state < StateFigures.States; state++)
            if (!row.States[state].IsNone) WriteFigures(5, state, in row.States[state]);
        for (var day = Statistics.FirstDay(in row); day < row.Days; day++)
            if (TryStatistic<DayRow>(_state.Statistics.Days, Statistics.DayRowOf(number, day), out var figures)) WriteFigures(6, figures.Day, in figures.Figures);
        EndRecord(start);
    }

    private void WriteCurrency(int field, int currency)
    {
        Span<byte> code = stackalloc byte[3];
        _block.Bytes(field, code[..Currency.Unpack(currency, code)]);
    }

    private void WriteFigures(int field, int of, in OrderFigures figures)
    {
        var nested = _block.BeginNested(field);
        _block.Number(1, of);
        _block.Number(2, figures.Orders);
        _block.Number(3, figures.Ordered);
        _block.Number(4, figures.Cancelled);
        _block.EndNested(nested);
    }

    private void WriteFigures(int kind, StatisticGroups groups)
    {
        for (long number = 1; number <= groups.Figures.Count; number++)
        {
            if (!TryStatistic<OrderFigures>(groups.Figures, number, out var row)) continue;
            var start = _block.BeginNested(SnapshotFormat.StatisticGroups);
            _block.Number(1, kind);
            WriteFigures(2, (int)number, in row);
            EndRecord(start);
        }
    }

    private void WriteService(long number)
    {
        if (!TryStatistic<ServiceRow>(_state.Statistics.Service, number, out var row)) return;
        var start = _block.BeginNested(SnapshotFormat.StatisticService);
        _block.Number(1, number - 1);
        WriteDurations(2, in row.ToRelease);
        WriteDurations(3, in row.ToShip);
        WriteDurations(4, in row.ToDelivery);
        _block.Number(5, row.Dated);
        _block.Number(6, row.Late);
        _block.Number(7, row.AsOrdered);
        _block.Number(8, row.Returned);
        _block.Number(9, row.Complained);
        _block.Number(10, row.Complaints);
        EndRecord(start);
    }

    private void WriteDurations(int field, in DurationFigures durations)
    {
        if (durations.Count == 0) return;
        var nested = _block.BeginNested(field);
        _block.Number(1, durations.Count);
        _block.Number(2, durations.Sum);
        for (var i = 0; i < DurationBuckets.Count; i++)
        {
            if (durations.Buckets[i] == 0) continue;
            var bucket = _block.BeginNested(3);
            _block.Number(1, i);
            _block.Number(2, durations.Buckets[i]);
            _block.EndNested(bucket);
        }
        _block.EndNested(nested);
    }
}
