// Reading the state from any thread while the writer goes on. Every read names the sequence at which it looks; the caller enters a guard,
// then reads the engine's durable sequence, then looks. A guard never crosses an await.

using System.Runtime.InteropServices;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>The read side of the core.</summary>
public sealed class StateReader
{
    private readonly EngineState _state;
    // Not null: this order is read as it is pinned, whatever became of it since.
    private readonly PinnedOrder? _pinned;

    internal StateReader(EngineState state)
    {
        _state = state;
        Statistics = new StatisticsReader(state.Statistics);
    }

    internal StateReader(StateReader other, PinnedOrder pinned)
    {
        _state = other._state;
        Statistics = other.Statistics;
        Archive = other.Archive;
        _pinned = pinned;
    }

    /// <summary>Live counters.</summary>
    public StatisticsReader Statistics { get; }

    /// <summary>The state itself, for the walk of a snapshot.</summary>
    internal EngineState State => _state;

    /// <summary>Enters a guard: rows looked at inside stay where they are. Dispose it soon; take the durable sequence after entering.</summary>
    public ReadGuard Enter() => _state.Epochs.Enter();

    /// <summary>SKU ids and their numbers.</summary>
    public SymbolTable Skus => _state.Catalog.SkuIds;

    /// <summary>Location ids and their numbers.</summary>
    public SymbolTable Locations => _state.Catalog.LocationIds;

    /// <summary>Channel ids and their numbers.</summary>
    public SymbolTable Channels => _state.Catalog.ChannelIds;

    /// <summary>Customer ids and their numbers.</summary>
    public SymbolTable Customers => _state.Catalog.CustomerIds;

    /// <summary>The body of the event (orderengine.journal.SkuDefined) that defined a SKU last; empty when there is none at that sequence.</summary>
    public ReadOnlySpan<byte> Sku(int number, long at, out long version) => _state.Catalog.Skus.At(number, at, out version);

    /// <summary>As <see cref="Sku"/>, orderengine.journal.LocationDefined.</summary>
    public ReadOnlySpan<byte> Location(int number, long at, out long version) => _state.Catalog.Locations.At(number, at, out version);

    /// <summary>As <see cref="Sku"/>, orderengine.journal.ChannelDefined.</summary>
    public ReadOnlySpan<byte> Channel(int number, long at, out long version) => _state.Catalog.Channels.At(number, at, out version);

    /// <summary>As <see cref="Sku"/>, orderengine.journal.CustomerDefined.</summary>
    public ReadOnlySpan<byte> Customer(int number, long at, out long version) => _state.Catalog.Customers.At(number, at, out version);

    /// <summary>As <see cref="Sku"/>, orderengine.journal.DeadlinesDefined: when orders are due; empty when it was never set.</summary>
    public ReadOnlySpan<byte> DeadlineRules(long at, out long version) => _state.Catalog.DeadlineRuleRows.At(1, at, out version);

    /// <summary>As <see cref="Sku"/>, orderengine.journal.ReviewRulesDefined: all review rules.</summary>
    public ReadOnlySpan<byte> ReviewRules(long at, out long version) => _state.Catalog.ReviewRuleRows.At(1, at, out version);

    /// <summary>
    /// The review rules that the writer knows, perhaps not durable yet: for looking at notes on their way in, never to be shown.
    /// </summary>
    public ReviewRule[] LatestReviewRules => _state.Catalog.ReviewRules;

    /// <summary>The highest order number that may exist; numbers are dense from 1.</summary>
    public long LastOrder => _state.Orders.Count;

    /// <summary>One order as it stood at a sequence, or as it was archived.</summary>
    public OrderView Order(long number, long at)
    {
        if (Pinned(number) is { } pinned) return new OrderView(pinned.Order.Row);
        var row = _state.Orders.At(number, at, out _);
        return row.IsEmpty && Archived(number) is { } archived ? new OrderView(archived.Row) : new OrderView(row);
    }

    /// <summary>One order as it stood at a sequence, if it was in memory.</summary>
    public OrderView LiveOrder(long number, long at) => new(_state.Orders.At(number, at, out _));

    /// <summary>Lists orders as they stand at a sequence. Inside a guard; costs at most <paramref name="looks"/> candidates.</summary>
    /// <param name="query">Which.</param>
    /// <param name="at">The sequence.</param>
    /// <param name="after"><see cref="NumberPage.After"/> of the page before; 0: from the beginning.</param>
    /// <param name="size">Orders in the page at most.</param>
    /// <param name="looks">Candidates looked at, at most: a page may be short, or empty, and still have one after it.</param>
    public NumberPage ListOrders(OrderQuery query, long at, long after, int size, int looks) => new OrderListing(this, query, at, after).Run(size, looks);

    /// <summary>The number of the order with this external id; 0 when there is none (the order may still be younger than a sequence asked for).</summary>
    public long FindOrder(int channel, ReadOnlySpan<byte> externalId)
    {
        var found = _state.ExternalIds.Find(channel, externalId);
        return found != 0 ? found : FindArchived(channel, externalId);
    }

    /// <summary>An order's external id. Valid inside the guard.</summary>
    public ReadOnlySpan<byte> ExternalId(long order)
    {
        if (Pinned(order) is { } pinned) return pinned.Order.ExternalId;
        var text = _state.ExternalIds.Text(order);
        return text.IsEmpty && Archived(order) is { } archived ? archived.ExternalId : text;
    }

    /// <summary>
    /// The newest event of an order at or below <paramref name="at"/>, or, given the <paramref name="cursor"/> of an earlier call, the one before.
    /// Start with cursor 0; false when there is none left.
    /// </summary>
    public bool PreviousEvent(long order, long at, ref long cursor, out ReadOnlySpan<byte> bytes)
    {
        // An archived event's cursor is its negative place.
        if (Pinned(order) is { } pinned) return Previous(pinned.Order, at, ref cursor, out bytes);
        if (cursor >= 0 && _state.History.Previous(order, at, ref cursor, out bytes)) return true;
        bytes = default;
        if (cursor > 0 || !_state.History.First(order).IsEmpty || Archived(order) is not { } archived) return false;
        return Previous(archived, at, ref cursor, out bytes);
    }

    private static bool Previous(ArchivedOrder archived, long at, ref long cursor, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        var next = cursor == 0 ? archived.Events.Count - 1 : (int)-cursor - 2;
        while (next >= 0 && archived.Events[next].Sequence > at) next--;
        if (next < 0) return false;
        cursor = -(next + 1);
        bytes = archived.Events[next].Bytes;
        return true;
    }

    /// <summary>The event at which <see cref="PreviousEvent"/> stood, by its cursor.</summary>
    internal ReadOnlySpan<byte> EventAt(long order, long cursor) => cursor > 0 ? OrderHistory.Read(_state.Heap, cursor) : Archived(order)!.Events[(int)-cursor - 1].Bytes;

    /// <summary>The event that accepted an order (OrderSubmitted); empty when there is none.</summary>
    public ReadOnlySpan<byte> FirstEvent(long order)
    {
        if (Pinned(order) is { } pinned) return pinned.Order.Events[0].Bytes;
        var first = _state.History.First(order);
        return first.IsEmpty && Archived(order) is { } archived ? archived.Events[0].Bytes : first;
    }

    /// <summary>Where archived orders are read; null: nowhere. Set once, before anybody reads.</summary>
    public IArchivedOrders? Archive { get; set; }

    /// <summary>True when orders may be in the archive and not in memory.</summary>
    internal bool HasArchived => _state.Archive.Count > 0 || _state.Archive.Total > 0;

    /// <summary>
    /// Whether an order may be archived as it stood at a sequence, as <see cref="ArchiveOrders"/> will decide if nothing happens to it meanwhile. Inside a guard.
    /// </summary>
    /// <param name="number">The order.</param>
    /// <param name="at">The sequence.</param>
    /// <param name="now">Microseconds since 1970.</param>
    /// <param name="windowMicros">Microseconds since its last change after which a closed order goes.</param>
    public bool MayArchive(long number, long at, long now, long windowMicros)
    {
        var order = LiveOrder(number, at);
        if (!order.Exists) return false;
        var request = _state.Requests.First;
        var oldest = _state.Requests.TryNext(ref request, at, out var entry) ? entry.Time : long.MaxValue;
        return _state.Archive.MayLeave(number, order, at, now, windowMicros, oldest);
    }

    /// <summary>Orders archived since the process began. Take it before asking <see cref="FindArchived"/>.</summary>
    public long ArchivedTotal => _state.Archive.Total;

    /// <summary>The archived order with this external id; 0 when there is none. May read from the disk.</summary>
    public long FindArchived(int channel, ReadOnlySpan<byte> externalId)
    {
        if (Archive is not { } archive) return 0;
        foreach (var order in archive.Find(channel, externalId))
            if (Archived(order) is { } archived && archived.Head.Channel == channel && externalId.SequenceEqual(archived.ExternalId)) return order;
        return 0;
    }

    // The one a thread read last: a call looks at row, id and history in turn.
    [ThreadStatic]
    private static (StateReader? Reader, long End, ArchivedOrder? Order) s_last;

    private PinnedOrder? Pinned(long order) => _pinned is { } pinned && pinned.Number == order ? pinned : null;

    private ArchivedOrder? Archived(long order)
    {
        if (Archive is not { } archive || order < 1 || order > _state.Orders.Count) return null;
        var end = archive.End;
        if (end == 0) return null;
        if (s_last.Reader == this && s_last.End == end && s_last.Order?.Number == order) return s_last.Order;
        if (archive.Read(order) is not { } record) return null;
        s_last = (this, end, Snapshots.ArchiveEncoder.Decode(_state, record));
        return s_last.Order;
    }

    /// <summary>One reservation as it stood at a sequence.</summary>
    public ReservationView Reservation(long number, long at) => new(_state.Reservations.At(number, at, out _));

    /// <summary>The highest reservation number that may exist.</summary>
    public long LastReservation => _state.Reservations.Count;

    /// <summary>One return as it stood at a sequence.</summary>
    public ReturnView Return(long number, long at) => new(_state.Returns.At(number, at, out _));

    /// <summary>The highest return number that may exist; numbers are dense from 1.</summary>
    public long LastReturn => _state.Returns.Count;

    /// <summary>What an order had after the sale at a sequence; all zero when nothing had happened.</summary>
    public AfterSaleRow AfterSale(long order, long at) => Pinned(order) is { } pinned ? pinned.AfterSale : _state.AfterSales.TryAt<AfterSaleRow>(order, at, out var row, out _) ? row : default;

    /// <summary>A key under which something of a guest's order is sealed; 0 when there is nothing yet. Walks its history, oldest data last.</summary>
    public long GuestKey(long order)
    {
        using var guard = Enter();
        var key = 0L;
        for (long cursor = 0; PreviousEvent(order, long.MaxValue, ref cursor, out var bytes);)
        {
            var e = new Events.EventView(bytes);
            if (!Events.PersonalFields.MayHold(e.Kind)) continue;
            var body = new Events.ProtoReader(e.Body);
            while (body.Next(out var field, out var wireType))
            {
                if (Events.PersonalFields.IsSealed(e.Kind, field)) key = SealedData.Read(body.Bytes()).Key;
                else body.Skip(wireType);
            }
        }
        return key;
    }

    /// <summary>The event of an order with this sequence; empty when there is none. Valid inside the guard.</summary>
    public ReadOnlySpan<byte> Event(long order, long sequence)
    {
        var kept = Pinned(order)?.Order;
        if (kept is null)
        {
            var address = _state.History.Find(order, sequence);
            if (address != 0) return OrderHistory.Read(_state.Heap, address);
            kept = _state.History.First(order).IsEmpty ? Archived(order) : null;
        }
        return kept?.Events.Find(e => e.Sequence == sequence).Bytes;
    }

    /// <summary>The highest stock slot that may exist. A slot is one SKU at one location, numbered from 1 in the order of first receipt.</summary>
    public long LastStockSlot => _state.Stock.Levels.Count;

    /// <summary>One stock level; false when it did not exist at that sequence.</summary>
    /// <param name="slot">Its slot.</param>
    /// <param name="at">The sequence.</param>
    /// <param name="row">The level.</param>
    /// <param name="version">Sequence of its last change.</param>
    public bool Stock(long slot, long at, out StockRow row, out long version) => _state.Stock.Levels.TryAt(slot, at, out row, out version);

    /// <summary>The highest number of announced supply that may exist; numbers are dense from 1.</summary>
    public long LastIncoming => _state.Supply.Rows.Count;

    /// <summary>Announced supply as it stood at a sequence.</summary>
    public IncomingView Incoming(long number, long at) => new(_state.Supply.Rows.At(number, at, out _));

    /// <summary>The highest number of a supply request that may exist; numbers are dense from 1.</summary>
    public long LastSupplyRequest => _state.SupplyRequests.Rows.Count;

    /// <summary>One supply request; false when it did not exist at that sequence.</summary>
    public bool SupplyRequest(long number, long at, out SupplyRequestRow row) => _state.SupplyRequests.Rows.TryAt(number, at, out row, out _);

    /// <summary>The supply request for a SKU that was open at a sequence; 0: none.</summary>
    public long OpenSupplyRequest(int sku, long at, out SupplyRequestRow row)
    {
        var number = _state.SupplyRequests.Newest(sku);
        for (; number != 0; number = _state.SupplyRequests.Previous(number))
            if (SupplyRequest(number, at, out row)) return row.Quantity > 0 ? number : 0;
        row = default;
        return 0;
    }

    /// <summary>A customer's orders in memory at a sequence, but for those that were rejected or expired; false when that has changed since.</summary>
    internal bool TryOrdersOf(int customer, long at, out int orders) => _state.TryOrdersOf(customer, at, out orders);

    /// <summary>What amendments added to an order's lines and is waited for, at a sequence.</summary>
    public ReadOnlySpan<AddedRow> AddedUnits(long order, long at) => MemoryMarshal.Cast<byte, AddedRow>(_state.AddedUnits.Rows.At(order, at, out _));

    /// <summary>The promised dates of an order's lines at a sequence.</summary>
    public ReadOnlySpan<PromiseRow> Promises(long order, long at) =>
        MemoryMarshal.Cast<byte, PromiseRow>(Pinned(order) is { } pinned ? pinned.Promises : _state.Promises.Rows.At(order, at, out _));

    /// <summary>The first slot of a SKU; 0 when it has none. <see cref="NextStockSlot"/> gives the next.</summary>
    public long FirstStockSlot(int sku) => _state.Stock.First(sku);

    /// <summary>The next slot of the same SKU; 0 at the end.</summary>
    public long NextStockSlot(long slot) => _state.Stock.Next(slot);

    /// <summary>Units of a SKU that orders wait for.</summary>
    public long Backordered(int sku, long at) => _state.Stock.Waiting.TryAt<long>(sku, at, out var units, out _) ? units : 0;

    /// <summary>One exception as it stood at a sequence.</summary>
    public ExceptionView Exception(long number, long at) => _pinned?.Exceptions.TryGetValue(number, out var row) == true ? new ExceptionView(row) : new(_state.Exceptions.Rows.At(number, at, out _));

    /// <summary>Lists exceptions as they stand at a sequence; as <see cref="ListOrders"/>.</summary>
    public NumberPage ListExceptions(ExceptionQuery query, long at, long after, int size, int looks) => new ExceptionListing(this, query, at).Run(after, size, looks);

    /// <summary>What customers owe on credit.</summary>
    internal CreditLedger Credit => _state.Credit;

    /// <summary>The highest exception number that may exist; numbers are dense from 1.</summary>
    public long LastException => _state.Exceptions.Rows.Count;

    /// <summary>The deadlines of an order at a sequence.</summary>
    public ReadOnlySpan<DeadlineRow> Deadlines(long order, long at) =>
        MemoryMarshal.Cast<byte, DeadlineRow>(Pinned(order) is { } pinned ? pinned.Deadlines : _state.Deadlines.Rows.At(order, at, out _));

    /// <summary>The highest erasure number that may exist; numbers are dense from 1.</summary>
    public long LastErasure => _state.Erasures.Rows.Count;

    /// <summary>One erasure; false when there was none at that sequence.</summary>
    public bool Erasure(long number, long at, out ErasureRow row) => _state.Erasures.Rows.TryAt(number, at, out row, out _);

    /// <summary>When a customer was erased, microseconds since 1970; 0: not at that sequence.</summary>
    public long ErasedAt(int customer, long at)
    {
        // Rows of erasures never change: they may be asked for at any earlier sequence.
        if (_pinned is not null) at = _pinned.At;
        var number = customer == 0 ? 0 : _state.Erasures.Of(customer);
        return number != 0 && Erasure(number, at, out var row) ? row.ErasedAt : 0;
    }

    /// <summary>One complaint as it stood at a sequence.</summary>
    public ComplaintView Complaint(long number, long at) => new(_state.Complaints.Rows.At(number, at, out _));

    /// <summary>The highest complaint number that may exist; numbers are dense from 1.</summary>
    public long LastComplaint => _state.Complaints.Rows.Count;

    /// <summary>What an order had of complaints and feedback at a sequence; all zero when it had nothing.</summary>
    public CareRow Care(long order, long at) => Pinned(order) is { } pinned ? pinned.Care : _state.Complaints.Orders.TryAt<CareRow>(order, at, out var row, out _) ? row : default;

    /// <summary>Lists complaints as they stand at a sequence, newest first; as <see cref="ListOrders"/>.</summary>
    public NumberPage ListComplaints(ComplaintQuery query, long at, long after, int size, int looks) => new ComplaintListing(this, query, at).Run(after, size, looks);

    /// <summary>The key under which a customer's personal data is sealed; 0 when there is none yet.</summary>
    public long CustomerKey(int customer) => _state.Catalog.CustomerKey(customer);

    /// <summary>The highest key number that sealed data in the state refers to.</summary>
    public long HighestKey => _state.Catalog.HighestKey;

    /// <summary>Bytes that the state takes in memory.</summary>
    public long ResidentBytes => _state.Heap.ResidentBytes;
}
