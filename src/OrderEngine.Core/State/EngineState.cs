// All durable state of one engine, and the views of it that deciding needs. Changed by Applier alone, on the writer thread.

using OrderEngine.Core.Events;
using OrderEngine.Core.Storage;

namespace OrderEngine.Core.State;

/// <summary>The state: tables of rows over one heap, and indexes that are rebuilt by replaying.</summary>
internal sealed class EngineState
{
    private readonly ChunkedArray<int> _openByChannel = new();
    private readonly ChunkedArray<int> _openByCustomer = new();
    private readonly ChunkedArray<OrderCount> _ordersByCustomer = new();

    /// <param name="hash">For the indexes over what clients choose.</param>
    public EngineState(KeyedHash hash)
    {
        Reclaimer = new Reclaimer(Heap, Epochs);
        Catalog = new Catalog(Heap, Reclaimer, hash);
        Queues = new BackorderQueues(Plan);
        Stock = new StockLedger(Heap, Reclaimer, Plan, hash);
        Orders = new VersionedRows(Heap, Reclaimer, tableId: 7);
        Reservations = new VersionedRows(Heap, Reclaimer, tableId: 8);
        Returns = new VersionedRows(Heap, Reclaimer, tableId: 25);
        AfterSales = new VersionedRows(Heap, Reclaimer, tableId: 26);
        ExternalIds = new ExternalIdIndex(Heap, hash);
        History = new OrderHistory(Heap);
        Credit = new CreditLedger(hash);
        Requests = new RequestTable(Heap, Reclaimer, hash);
        Deadlines = new Deadlines(Heap, Reclaimer, Timers, Catalog);
        Supply = new SupplyLedger(Heap, Reclaimer, Plan);
        Promises = new Promises(Heap, Reclaimer);
        AddedUnits = new AddedUnits(Heap, Reclaimer);
        SupplyRequests = new SupplyRequests(Heap, Reclaimer);
        Exceptions = new Exceptions(Heap, Reclaimer);
        Complaints = new Complaints(Heap, Reclaimer);
        Erasures = new Erasures(Heap, Reclaimer);
        Archive = new ArchivedOrders(this);
        Index = new OrderIndex(Orders, Exceptions);
        Statistics = new Statistics(this, Heap, Reclaimer, hash);
    }

    public RowHeap Heap { get; } = new();
    public ReadEpochs Epochs { get; } = new();
    public Reclaimer Reclaimer { get; }
    public Catalog Catalog { get; }
    public StockLedger Stock { get; }
    public VersionedRows Orders { get; }
    public VersionedRows Reservations { get; }
    public VersionedRows Returns { get; }
    /// <summary><see cref="AfterSaleRow"/> by the order's number; only orders to which something happened after the sale.</summary>
    public VersionedRows AfterSales { get; }
    public ExternalIdIndex ExternalIds { get; }
    public OrderHistory History { get; }
    public RequestTable Requests { get; }
    public SupplyPlan Plan { get; } = new();
    public BackorderQueues Queues { get; }
    public Promises Promises { get; }
    public AddedUnits AddedUnits { get; }
    public SupplyRequests SupplyRequests { get; }
    public TimerQueue Timers { get; } = new();
    public CreditLedger Credit { get; }
    public Deadlines Deadlines { get; }
    public Exceptions Exceptions { get; }
    public Complaints Complaints { get; }
    public Erasures Erasures { get; }
    public SupplyLedger Supply { get; }
    public ArchivedOrders Archive { get; }
    public OrderIndex Index { get; }
    public Statistics Statistics { get; }

    /// <summary>The last sequence applied.</summary>
    public long Sequence { get; set; }

    /// <summary>Time of the last event.</summary>
    public long Time { get; set; }

    /// <summary>Reservations that are held.</summary>
    public long OpenReservations { get; private set; }

    /// <summary>An order's latest row. Writer only.</summary>
    public OrderView Order(long number) => new(Orders.Latest(number));

    /// <summary>The number of the region that an order goes to (<see cref="Catalog.FindRegion"/>); 0: it names none. Writer only.</summary>
    public int RegionOf(long number, in OrderHead head) =>
        (head.Details & OrderDetails.HasRegion) == 0 ? 0 : Catalog.FindRegion(RegionTextOf(number, in head));

    /// <summary>The region that an order goes to; empty: it names none. Writer only.</summary>
    public ReadOnlySpan<byte> RegionTextOf(long number, in OrderHead head) =>
        (head.Details & OrderDetails.HasRegion) == 0 ? default : OrderReading.Region(new EventView(History.First(number)).Body);

    /// <summary>A reservation's latest row. Writer only.</summary>
    public ReservationView Reservation(long number) => new(Reservations.Latest(number));

    /// <summary>A return's latest row. Writer only.</summary>
    public ReturnView Return(long number) => new(Returns.Latest(number));

    /// <summary>What an order has after the sale; all zero when nothing happened. Writer only.</summary>
    public AfterSaleRow AfterSale(long order) => AfterSales.Latest(order).IsEmpty ? default : AfterSales.LatestAs<AfterSaleRow>(order);

    /// <summary>What an order has after the sale, to be changed. Writer only.</summary>
    public ref AfterSaleRow ChangeAfterSale(long order, long sequence)
    {
        if (AfterSales.Latest(order).IsEmpty) return ref AfterSales.CreateAs<AfterSaleRow>(order, sequence);
        return ref AfterSales.UpdateAs<AfterSaleRow>(order, sequence);
    }

    /// <summary>Open reservations of a channel.</summary>
    public int OpenOfChannel(int channel) => _openByChannel[channel];

    /// <summary>Open reservations of a customer.</summary>
    public int OpenOfCustomer(int customer) => _openByCustomer[customer];

    /// <summary>Counts a reservation that opened (1) or closed (-1).</summary>
    public void CountOpen(int channel, int customer, int change)
    {
        OpenReservations += change;
        _openByChannel[channel] += change;
        if (customer != 0) _openByCustomer[customer] += change;
    }

    /// <summary>A customer's orders in memory, but for those that were rejected or expired.</summary>
    public int OrdersOf(int customer) => _ordersByCustomer[customer].Orders;

    /// <summary>As <see cref="OrdersOf"/>, at a sequence; false when it has changed since. Any thread.</summary>
    public bool TryOrdersOf(int customer, long at, out int orders)
    {
        // No entry: never had an order.
        var found = _ordersByCustomer.TryRead(customer, out var seen);
        Interlocked.MemoryBarrier();
        var unchanged = _ordersByCustomer.TryRead(customer, out var again) == found && seen.Sequence == again.Sequence && seen.Sequence <= at;
        orders = seen.Orders;
        return unchanged;
    }

    /// <summary>Notes that an order of a customer went from one state to another.</summary>
    public void CountOrder(int customer, OrderState before, OrderState after, long sequence)
    {
        var change = Counts(after) - Counts(before);
        if (change == 0) return;
        ref var count = ref _ordersByCustomer[customer];
        // Whoever sees the new count sees that it is new: TryOrdersOf relies on it.
        Volatile.Write(ref count.Sequence, sequence);
        Volatile.Write(ref count.Orders, count.Orders + change);

        static int Counts(OrderState state) => state is OrderState.None or OrderState.Rejected or OrderState.Expired ? 0 : 1;
    }

    /// <summary>An order comes into memory, or leaves it for the archive: its customer's counters are of the orders in memory.</summary>
    public void CountForCustomer(OrderView order, bool comes)
    {
        ref readonly var head = ref order.Head;
        if (head.Customer == 0) return;
        CountOrder(head.Customer, comes ? OrderState.None : head.State, comes ? head.State : OrderState.None, Sequence);
        if (PaymentStates.Exposure(order) is > 0 and var owed) Credit.Change(head.Customer, head.Currency, comes ? owed : -owed, Sequence);
    }

    /// <summary>Rows changed and requests let go of since the last <see cref="Seal"/>: each may have blocks to free.</summary>
    public int TouchedRows => Stock.Levels.Touched.Length + Stock.Waiting.Touched.Length + Orders.Touched.Length + Reservations.Touched.Length
        + Returns.Touched.Length + AfterSales.Touched.Length
        + Catalog.Skus.Touched.Length + Catalog.Locations.Touched.Length + Catalog.Channels.Touched.Length + Catalog.Customers.Touched.Length
        + Catalog.ReviewRuleRows.Touched.Length + Catalog.DeadlineRuleRows.Touched.Length
        + Deadlines.Rows.Touched.Length + Exceptions.Rows.Touched.Length + Supply.Rows.Touched.Length + Promises.Rows.Touched.Length
        + AddedUnits.Rows.Touched.Length + SupplyRequests.Rows.Touched.Length + Complaints.Rows.Touched.Length + Complaints.Orders.Touched.Length + Erasures.Rows.Touched.Length
        + Requests.LeftSinceSeal + Archive.Retired + Statistics.TouchedRows;

    /// <summary>Ends a batch.</summary>
    public StateSummary Seal()
    {
        Catalog.Skus.Seal(Sequence);
        Catalog.Locations.Seal(Sequence);
        Catalog.Channels.Seal(Sequence);
        Catalog.Customers.Seal(Sequence);
        Catalog.ReviewRuleRows.Seal(Sequence);
        Catalog.DeadlineRuleRows.Seal(Sequence);
        Stock.Levels.Seal(Sequence);
        Stock.Waiting.Seal(Sequence);
        Orders.Seal(Sequence);
        Reservations.Seal(Sequence);
        Returns.Seal(Sequence);
        AfterSales.Seal(Sequence);
        Requests.Seal(Sequence);
        Deadlines.Rows.Seal(Sequence);
        Exceptions.Rows.Seal(Sequence);
        Complaints.Rows.Seal(Sequence);
        Complaints.Orders.Seal(Sequence);
        Erasures.Rows.Seal(Sequence);
        Supply.Rows.Seal(Sequence);
        Promises.Rows.Seal(Sequence);
        AddedUnits.Rows.Seal(Sequence);
        SupplyRequests.Rows.Seal(Sequence);
        Archive.Seal(Sequence);
        Statistics.Seal(Sequence);
        var hash = Catalog.Skus.Hash + Catalog.Locations.Hash + Catalog.Channels.Hash + Catalog.Customers.Hash + Catalog.ReviewRuleRows.Hash + Stock.Levels.Hash
            + Stock.Waiting.Hash + Orders.Hash + Reservations.Hash + Returns.Hash + AfterSales.Hash + ExternalIds.Hash + Requests.Hash
            + Deadlines.Rows.Hash + Exceptions.Rows.Hash + Supply.Rows.Hash + Catalog.DeadlineRuleRows.Hash + Promises.Rows.Hash + SupplyRequests.Rows.Hash
            + Complaints.Rows.Hash + Complaints.Orders.Hash + Erasures.Rows.Hash + AddedUnits.Rows.Hash;
        return new StateSummary(Sequence, Time, hash, Orders.Count, OpenReservations, Stock.OnHand, Stock.Committed, Stock.Held, Stock.Backordered)
        {
            HighestKey = Catalog.HighestKey,
            StatisticsHash = Statistics.Hash,
            Archived = Archive.Count,
            ArchivePosition = Archive.Position,
        };
    }

    private struct OrderCount
    {
        public int Orders;
        // Of the last change.
        public long Sequence;
    }
}
