// Loads a snapshot into an empty core. Runs on one thread, the one that will be the writer's or before it exists.
//
// Nothing is trusted: numbers follow each other, references lie within what was loaded, unknown fields are refused (a newer engine would have
// said something that this one drops), and in the end counts, totals and state hash must be those of the trailer. (The hash of an earlier
// format cannot be: rows had another layout. The file's checksums, the counts and the totals stand for it.)

using OrderEngine.Core.Events;
using OrderEngine.Core.State;

namespace OrderEngine.Core.Snapshots;

/// <summary>Takes the blocks that <see cref="SnapshotWriter"/> wrote, in order.</summary>
/// <remarks>After an exception the core is of no use.</remarks>
public sealed partial class SnapshotLoader
{
    private readonly OrderCore _core;
    private readonly EngineState _state;
    private long _blocks;
    private int _section;
    private int _format;
    private long _sequence;
    private long _catalog, _levels, _backorders, _orders, _events, _reservations, _requests, _deadlines, _exceptions;
    private readonly List<(long From, long To)> _gaps = [];
    private StateSummary? _loaded;

    /// <summary>Begins to load.</summary>
    /// <param name="core">A core that holds nothing.</param>
    public SnapshotLoader(OrderCore core)
    {
        ArgumentNullException.ThrowIfNull(core);
        if (core.Sequence != 0) throw new ArgumentException("A snapshot is loaded into an empty core.", nameof(core));
        _core = core;
        _state = core.State;
    }

    /// <summary>Takes the next block.</summary>
    /// <exception cref="SnapshotContentException">It does not make sense.</exception>
    public void Add(ReadOnlySpan<byte> block)
    {
        try
        {
            if (_loaded is not null) throw Wrong("Something follows the trailer.");
            ReadBlock(block);
            _blocks++;
        }
        catch (Exception error) when (error is not SnapshotContentException)
        {
            throw new SnapshotContentException($"Block {_blocks} of the snapshot: {error.Message}", error);
        }
    }

    /// <summary>Ends the load: the core holds the snapshot's state, sealed, and what followed can be replayed.</summary>
    /// <returns>The figures of the state, equal to those with which it was written.</returns>
    /// <exception cref="SnapshotContentException">The trailer has not come.</exception>
    public StateSummary Finish() => _loaded ?? throw Wrong("It ends without its trailer.");

    private void ReadBlock(ReadOnlySpan<byte> block)
    {
        long number = 0;
        var reader = new ProtoReader(block);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == SnapshotFormat.Number && wireType == 0)
            {
                number = reader.Long();
                continue;
            }
            if (wireType != 2) throw Unknown(field, "block");
            if (number != _blocks) throw Wrong($"It says number {number}.");
            ReadRecord(field, reader.Bytes());
        }
        if (number != _blocks) throw Wrong($"It says number {number}.");
    }

    private void ReadRecord(int field, ReadOnlySpan<byte> record)
    {
        // Orders and their further events take turns.
        var section = field switch
        {
            SnapshotFormat.OrderEvents => SnapshotFormat.Orders,
            SnapshotFormat.Trailer => int.MaxValue,
            _ => field,
        };
        if (section < _section || (section == SnapshotFormat.Header) != (_blocks == 0)) throw Wrong($"Field {field} stands in the wrong place.");
        _section = section;
        switch (field)
        {
            case SnapshotFormat.Header: ReadHeader(record); break;
            case SnapshotFormat.Catalog: ReadCatalog(record); break;
            case SnapshotFormat.StockLevels: ReadLevel(record); break;
            case SnapshotFormat.Backorders: ReadBackorder(record); break;
            case SnapshotFormat.Orders: ReadOrder(record); break;
            case SnapshotFormat.OrderEvents: ReadOrderEvents(record); break;
            case SnapshotFormat.Reservations: ReadReservation(record); break;
            case SnapshotFormat.Requests: ReadRequest(record); break;
            case SnapshotFormat.Incoming: ReadIncoming(record); break;
            case SnapshotFormat.Returns: ReadReturn(record); break;
            case SnapshotFormat.AfterSales: ReadAfterSale(record); break;
            case SnapshotFormat.Deadlines: ReadDeadlines(record); break;
            case SnapshotFormat.Exceptions: ReadException(record); break;
            case SnapshotFormat.StatisticNames: ReadStatisticName(record); break;
            case SnapshotFormat.StatisticSeries: ReadStatisticSeries(record); break;
            case SnapshotFormat.StatisticGroups: ReadStatisticGroup(record); break;
            case SnapshotFormat.StatisticService: ReadStatisticService(record); break;
            case SnapshotFormat.Promises: ReadPromises(record); break;
            case SnapshotFormat.SupplyRequests: ReadSupplyRequest(record); break;
            case SnapshotFormat.Complaints: ReadComplaint(record); break;
            case SnapshotFormat.Care: ReadCare(record); break;
            case SnapshotFormat.Erasures: ReadErasure(record); break;
            case SnapshotFormat.AddedUnits: ReadAddedUnits(record); break;
            case SnapshotFormat.Trailer: ReadTrailer(record); break;
            default: throw Unknown(field, "block");
        }
    }

    private void ReadHeader(ReadOnlySpan<byte> record)
    {
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            if (field == 1) _format = reader.Int();
            else if (field == 2) _sequence = reader.Long();
            else throw Unknown(field, "header");
        }
        if (_format is < 1 or > SnapshotFormat.Version)
            throw new SnapshotContentException($"The snapshot is of format {_format}, this program knows formats 1 to {SnapshotFormat.Version}: start the version that wrote it.");
    }

    private void ReadTrailer(ReadOnlySpan<byte> record)
    {
        long sequence = 0, time = 0, key = 0, open = 0, onHand = 0, committed = 0, held = 0, backordered = 0, archived = 0, position = 0;
        ulong hash = 0, statistics = 0;
        var counts = new SnapshotCounts();
        var reader = new ProtoReader(record);
        while (reader.Next(out var field, out _))
        {
            switch (field)
            {
                case 1: sequence = reader.Long(); break;
                case 2: time = reader.Long(); break;
                case 3: hash = reader.Varint(); break;
                case 4: key = reader.Long(); break;
                case 5: counts = counts with { Catalog = reader.Long() }; break;
                case 6: counts = counts with { StockLevels = reader.Long() }; break;
                case 7: counts = counts with { Backorders = reader.Long() }; break;
                case 8: counts = counts with { Orders = reader.Long() }; break;
                case 9: counts = counts with { OrderEvents = reader.Long() }; break;
                case 10: counts = counts with { Reservations = reader.Long() }; break;
                case 11: counts = counts with { Requests = reader.Long() }; break;
                case 12: open = reader.Long(); break;
                case 13: onHand = reader.Long(); break;
                case 14: committed = reader.Long(); break;
                case 15: held = reader.Long(); break;
                case 16: backordered = reader.Long(); break;
                case SnapshotFormat.Incoming: counts = counts with { Incoming = reader.Long() }; break;
                case SnapshotFormat.Returns: counts = counts with { Returns = reader.Long() }; break;
                case SnapshotFormat.AfterSales: counts = counts with { AfterSales = reader.Long() }; break;
                case SnapshotFormat.Deadlines: counts = counts with { Deadlines = reader.Long() }; break;
                case SnapshotFormat.Exceptions: counts = counts with { Exceptions = reader.Long() }; break;
                case SnapshotFormat.Promises: counts = counts with { Promises = reader.Long() }; break;
                case SnapshotFormat.SupplyRequests: counts = counts with { SupplyRequests = reader.Long() }; break;
                case SnapshotFormat.Complaints: counts = counts with { Complaints = reader.Long() }; break;
                case SnapshotFormat.Care: counts = counts with { Care = reader.Long() }; break;
                case SnapshotFormat.Erasures: counts = counts with { Erasures = reader.Long() }; break;
                case SnapshotFormat.AddedUnits: counts = counts with { AddedUnits = reader.Long() }; break;
                case SnapshotFormat.Archived: archived = reader.Long(); break;
                case SnapshotFormat.ArchivePosition: position = reader.Long(); break;
                case SnapshotFormat.StatisticsHash: statistics = reader.Varint(); break;
                default: throw Unknown(field, "trailer");
            }
        }
        var loaded = new SnapshotCounts(_catalog, _levels, _backorders, _orders, _events, _reservations, _requests, _returns, _afterSales, _deadlines, _exceptions, _incoming, _promises, _supplyRequests,
            _complaints, _care, _erasures, _added);
        if (sequence != _sequence || counts != loaded) throw Wrong($"The trailer speaks of sequence {sequence} and {counts}; loaded are {_sequence} and {loaded}.");
        var orders = counts.Orders + archived;
        if (orders < _state.Orders.Count) throw Wrong($"{counts.Orders} orders and {archived} archived ones cannot have numbers up to {_state.Orders.Count}.");
        Within(_highestOrder, orders, "order", orNone: true);
        CheckHistoryEnd();
        AddGap(orders + 1);
        _state.Orders.RestoreCount(orders);
        _state.Archive.Load(archived, position, _gaps);
        _state.Complaints.IndexRestored(order => _state.Order(order) is { Exists: true } view ? view.Head.Customer : _state.Complaints.OfOrder(order).Customer);
        Seal(new StateSummary(sequence, time, hash, orders, open, onHand, committed, held, backordered)
        {
            HighestKey = key, Archived = archived, ArchivePosition = position, StatisticsHash = statistics,
        });
    }

    private void Seal(StateSummary recorded)
    {
        _state.Catalog.RestoreKeys(recorded.HighestKey);
        _state.Sequence = recorded.Sequence;
        _state.Time = recorded.Time;
        // Which queues had stock to hand out is not in the rows: all are looked at once, as after a replay.
        _state.Queues.MarkAllPending();
        _core.GoOnAsLoaded();
        // None: the snapshot is older than they are, or there is nothing to count.
        var isCounted = recorded.StatisticsHash != 0;
        _state.Statistics.EndLoad(_sequence, count: !isCounted);
        var summary = _core.Seal();
        if (!isCounted) recorded = recorded with { StatisticsHash = summary.StatisticsHash };
        if (_format < SnapshotFormat.Version) recorded = recorded with { StateHash = summary.StateHash };
        if (summary != recorded) throw Wrong($"The state loaded is {summary}, recorded was {recorded}.");
        _loaded = summary;
    }

    private SnapshotContentException Wrong(string what) => new($"Block {_blocks} of the snapshot: {what}");

    private SnapshotContentException Unknown(int field, string record) => Wrong($"Field {field} of a {record} is unknown: a newer version wrote the snapshot; start that one.");
}
