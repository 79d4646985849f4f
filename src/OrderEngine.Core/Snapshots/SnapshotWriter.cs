// Writes a snapshot: a walk over the versions at one published sequence, while the writer goes on. Runs on a thread of its own.
//
// All of it happens inside one guard, so rows superseded meanwhile stay in memory until the walk ends: it delays reuse, never the writer.
// While walking it sums the hashes of what it wrote; a walk that does not come to the hash recorded at its sequence is no snapshot.

using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.Snapshots;

/// <summary>Writes one snapshot; see proto/orderengine/journal/snapshot.proto.</summary>
public sealed partial class SnapshotWriter
{
    private readonly EngineState _state;
    private readonly Action<ReadOnlySpan<byte>> _sink;
    private readonly EventBuffer _block = new(2 * SnapshotFormat.BlockBytes);
    private long[] _addresses = new long[64];
    private long _at;
    private long _blockNumber;
    private ulong _hash;
    private long _catalog, _levels, _backorders, _orders, _events, _reservations, _requests, _deadlines, _exceptions;

    internal SnapshotWriter(StateReader reader, Action<ReadOnlySpan<byte>> sink)
    {
        _state = reader.State;
        _sink = sink;
    }

    /// <summary>Writes the state at the sequence published when the call begins. Any thread but the writer's.</summary>
    /// <param name="reader">The state.</param>
    /// <param name="published">Gives the figures published last. Called once, inside the guard.</param>
    /// <param name="sink">Gets the blocks (SnapshotBlock), in order, each valid during the call. May throw to give up.</param>
    /// <returns>The figures that the snapshot holds.</returns>
    /// <exception cref="SnapshotContentException">What was walked does not come to the state hash: the blocks must not be kept.</exception>
    public static StateSummary Write(StateReader reader, Func<StateSummary> published, Action<ReadOnlySpan<byte>> sink)
    {
        ArgumentNullException.ThrowIfNull(reader);
        ArgumentNullException.ThrowIfNull(published);
        return new SnapshotWriter(reader, sink).Run(published);
    }

    private StateSummary Run(Func<StateSummary> published)
    {
        using var guard = _state.Epochs.Enter();
        // In this order (RequestTable): what was unlinked before the list was taken had left it at the sequence read next.
        var requests = _state.Requests.First;
        var summary = published();
        _at = summary.Sequence;
        BeginBlock();
        WriteHeader();
        EndBlock();
        WriteCatalog(EventKind.SkuDefined, _state.Catalog.Skus);
        WriteCatalog(EventKind.LocationDefined, _state.Catalog.Locations);
        WriteCatalog(EventKind.ChannelDefined, _state.Catalog.Channels);
        WriteCatalog(EventKind.CustomerDefined, _state.Catalog.Customers);
        WriteCatalog(EventKind.ReviewRulesDefined, _state.Catalog.ReviewRuleRows);
        WriteCatalog(EventKind.DeadlinesDefined, _state.Catalog.DeadlineRuleRows);
        WriteStock();
        WriteBackorders();
        for (long number = 1; number <= _state.Orders.Count; number++) WriteOrder(number);
        for (long number = 1; number <= _state.Reservations.Count; number++) WriteReservation(number);
        WriteRequests(requests);
        for (long number = 1; number <= _state.Supply.Rows.Count; number++) WriteIncoming(number);
        for (long number = 1; number <= _state.Returns.Count; number++) WriteReturn(number);
        for (long order = 1; order <= _state.AfterSales.Count; order++) WriteAfterSale(order);
        for (long number = 1; number <= _state.Deadlines.Rows.Count; number++) WriteDeadlines(number);
        for (long number = 1; number <= _state.Exceptions.Rows.Count; number++) WriteException(number);
        WriteStatistics();
        if (_statisticsHash != summary.StatisticsHash) throw new SnapshotContentException($"The walk at sequence {_at} came to statistics of hash {_statisticsHash:x16}, recorded is {summary.StatisticsHash:x16}.");
        for (long order = 1; order <= _state.Promises.Rows.Count; order++) WritePromises(order);
        for (long number = 1; number <= _state.SupplyRequests.Rows.Count; number++) WriteSupplyRequest(number);
        for (long number = 1; number <= _state.Complaints.Rows.Count; number++) WriteComplaint(number);
        for (long order = 1; order <= _state.Complaints.Orders.Count; order++) WriteCare(order);
        for (long number = 1; number <= _state.Erasures.Rows.Count; number++) WriteErasure(number);
        for (long order = 1; order <= _state.AddedUnits.Rows.Count; order++) WriteAdded(order);
        if (_hash != summary.StateHash || _orders + summary.Archived != summary.Orders)
            throw new SnapshotContentException($"The walk at sequence {_at} came to {_orders} orders and hash {_hash:x16}, recorded are {summary.Orders - summary.Archived} and {summary.StateHash:x16}.");
        EndBlock();
        WriteTrailer(summary);
        EndBlock();
        return summary;
    }

    /// <summary>Writes one order alone, in blocks of its own. Call inside a guard.</summary>
    internal void WriteSingle(long order, long at)
    {
        (_at, _blockNumber, _orders) = (at, 0, 0);
        BeginBlock();
        WriteOrder(order);
        if (_orders == 0) throw new ArgumentException($"There is no order {order} at sequence {at}.", nameof(order));
        EndBlock();
    }

    private void BeginBlock()
    {
        _block.Truncate(0);
        _block.Number(SnapshotFormat.Number, _blockNumber++);
    }

    private void EndBlock()
    {
        _sink(_block.Written);
        BeginBlock();
    }

    private void EndRecord(int start)
    {
        _block.EndNested(start);
        if (_block.Length >= SnapshotFormat.BlockBytes) EndBlock();
    }

    private void WriteHeader()
    {
        var start = _block.BeginNested(SnapshotFormat.Header);
        _block.Number(1, SnapshotFormat.Version);
        _block.Number(2, _at);
        _block.EndNested(start);
    }

    private void WriteTrailer(StateSummary summary)
    {
        var start = _block.BeginNested(SnapshotFormat.Trailer);
        _block.Number(1, summary.Sequence);
        _block.Number(2, summary.Time);
        _block.Number(3, (long)summary.StateHash);
        _block.Number(4, summary.HighestKey);
        _block.Number(5, _catalog);
        _block.Number(6, _levels);
        _block.Number(7, _backorders);
        _block.Number(8, _orders);
        _block.Number(9, _events);
        _block.Number(10, _reservations);
        _block.Number(11, _requests);
        _block.Number(12, summary.OpenReservations);
        _block.Number(13, summary.OnHand);
        _block.Number(14, summary.Committed);
        _block.Number(15, summary.Held);
        _block.Number(16, summary.Backordered);
        _block.Number(SnapshotFormat.Incoming, _incoming);
        _block.Number(SnapshotFormat.Returns, _returns);
        _block.Number(SnapshotFormat.AfterSales, _afterSales);
        _block.Number(SnapshotFormat.Deadlines, _deadlines);
        _block.Number(SnapshotFormat.Exceptions, _exceptions);
        _block.Number(SnapshotFormat.Promises, _promises);
        _block.Number(SnapshotFormat.SupplyRequests, _supplyRequests);
        _block.Number(SnapshotFormat.Complaints, _complaints);
        _block.Number(SnapshotFormat.Care, _care);
        _block.Number(SnapshotFormat.Erasures, _erasures);
        _block.Number(SnapshotFormat.AddedUnits, _added);
        _block.Number(SnapshotFormat.Archived, summary.Archived);
        _block.Number(SnapshotFormat.ArchivePosition, summary.ArchivePosition);
        _block.Number(SnapshotFormat.StatisticsHash, (long)summary.StatisticsHash);
        _block.EndNested(start);
    }

    private void WriteCatalog(EventKind kind, VersionedRows rows)
    {
        for (long number = 1; number <= rows.Count; number++)
        {
            var body = rows.At(number, _at, out var version);
            if (body.IsEmpty) continue;
            _hash += rows.RowHash(number, body);
            _catalog++;
            var start = _block.BeginNested(SnapshotFormat.Catalog);
            _block.Number(1, version);
            if (kind == EventKind.CustomerDefined)
            {
                _block.Number(2, _state.Catalog.CustomerKey((int)number, _at, out var since));
                _block.Number(3, since);
            }
            _block.Bytes((int)kind, body);
            EndRecord(start);
        }
    }

    private void WriteStock()
    {
        var rows = _state.Stock.Levels;
        for (long slot = 1; slot <= rows.Count; slot++)
        {
            if (!rows.TryAt<StockRow>(slot, _at, out var row, out var version)) continue;
            _hash += rows.RowHash(slot, rows.At(slot, _at, out _));
            _levels++;
            var start = _block.BeginNested(SnapshotFormat.StockLevels);
            _block.Number(1, slot);
            _block.Number(2, version);
            _block.Number(3, row.Sku);
            _block.Number(4, row.Location);
            _block.Number(5, row.OnHand);
            _block.Number(6, row.Unavailable);
            _block.Number(7, row.Held);
            _block.Number(8, row.Committed);
            _block.Number(9, row.Safety);
            _block.Number(10, row.ReorderPoint);
            _block.Number(11, row.ReorderDue);
            _block.Number(12, row.Incoming);
            _block.Number(13, row.InTransit);
            EndRecord(start);
        }
    }

    private void WriteBackorders()
    {
        var rows = _state.Stock.Waiting;
        for (long sku = 1; sku <= rows.Count; sku++)
        {
            if (!rows.TryAt<long>(sku, _at, out var units, out var version)) continue;
            _hash += rows.RowHash(sku, rows.At(sku, _at, out _));
            _backorders++;
            var start = _block.BeginNested(SnapshotFormat.Backorders);
            _block.Number(1, sku);
            _block.Number(2, version);
            _block.Number(3, units);
            EndRecord(start);
        }
    }

    private void WriteReservation(long number)
    {
        var row = _state.Reservations.At(number, _at, out var version);
        if (row.IsEmpty) return;
        _hash += _state.Reservations.RowHash(number, row);
        _reservations++;
        var view = new ReservationView(row);
        ref readonly var head = ref view.Head;
        CheckVersion("Reservation", number, head.Version, version);
        var start = _block.BeginNested(SnapshotFormat.Reservations);
        _block.Number(1, number);
        _block.Number(2, version);
        _block.Number(3, head.Channel);
        _block.Number(4, head.Customer);
        _block.Number(5, (long)head.State);
        _block.Number(6, head.CreatedAt);
        _block.Number(7, head.CreatedSequence);
        _block.Number(8, head.ExpiresAt);
        _block.Number(9, head.Order);
        foreach (ref readonly var item in view.Items)
        {
            var nested = _block.BeginNested(10);
            _block.Number(1, item.Sku);
            _block.Number(2, item.Location);
            _block.Number(3, item.Quantity);
            _block.EndNested(nested);
        }
        _block.Number(294, head.RemindSeconds);
        _block.Number(295, head.Reminded);
        EndRecord(start);
    }

    private void WriteRequests(long cursor)
    {
        while (_state.Requests.TryNext(ref cursor, _at, out var request))
        {
            _hash += request.Hash;
            _requests++;
            var start = _block.BeginNested(SnapshotFormat.Requests);
            if (request.Forgotten)
            {
                _block.Number(4, 1);
                _block.Number(5, request.Time);
            }
            else if (request.OwnsEvent)
            {
                _block.Bytes(3, OrderHistory.Read(_state.Heap, request.Event));
            }
            else
            {
                ReadPosition(OrderHistory.Read(_state.Heap, request.Event), out var sequence, out var order);
                _block.Number(1, order);
                _block.Number(2, sequence);
            }
            EndRecord(start);
        }
    }

    private static void ReadPosition(ReadOnlySpan<byte> bytes, out long sequence, out long order)
    {
        sequence = order = 0;
        var reader = new ProtoReader(bytes);
        while (order == 0 && reader.Next(out var field, out var wireType))
        {
            if (field == 1) sequence = reader.Long();
            else if (field == 4) order = reader.Long();
            else reader.Skip(wireType);
        }
    }

    // The row in memory and its payload both know the last change; the snapshot says it once.
    private static void CheckVersion(string what, long number, long own, long row)
    {
        if (own != row) throw new SnapshotContentException($"{what} {number} says version {own}, its row {row}.");
    }
}
