// What the naive model knows of each thing: plain objects with the words of domain.md. One thread.

namespace OrderEngine.Core.Tests.Model;

internal sealed class ModelLevel
{
    public long OnHand, Unavailable, Held, Committed, Safety, Version;
    public int ReorderPoint;
    public bool ReorderDue;

    public long Free => OnHand - Unavailable - Held - Committed;

    public long Sellable => Math.Max(0, Free - Safety);

    public long Spoken => Unavailable + Held + Committed;
}

/// <summary>Supply that was announced.</summary>
internal sealed record ModelIncoming(int Sku, int Location, int From, SupplyKind Kind, int Quantity, string Reference)
{
    public int Open = Quantity;
    public long Received, ExpectedAt, Version;
}

internal sealed class ModelAllocation(int line, int location)
{
    public readonly int Line = line;
    public readonly int Location = location;
    public int Reserved, Released, Shipped;
}

internal sealed class ModelLine(int number, int sku, int ordered, long price)
{
    public readonly int Number = number, Sku = sku;
    public int Ordered = ordered;
    public long Price = price;
    public int Cancelled, Unallocated, Reserved, Released, Shipped, Delivered, Lost, Returned;
    /// <summary>Of the returned: swapped for other goods, and so paid for as if kept.</summary>
    public int Swapped;

    private int _backordered;

    /// <summary>Whoever waits gets what comes for the units that waited first.</summary>
    public int Backordered
    {
        get => _backordered;
        set => (_backordered, Added) = (value, Math.Min(Added, value));
    }

    /// <summary>Of the units that wait: what amendments added, and when the last did.</summary>
    public int Added;
    public long AddedAt, AddedSequence;

    /// <summary>Units are not wanted any more: those that were added go first.</summary>
    public void GiveUp(int waiting)
    {
        Added = Math.Max(0, Added - waiting);
        Backordered -= waiting;
    }
}

/// <summary>What left in one parcel, by line.</summary>
internal sealed class ModelParcel
{
    public readonly Dictionary<int, (int Units, int Delivered, int Lost)> Lines = [];

    public int Open(int line) => Lines.TryGetValue(line, out var l) ? l.Units - l.Delivered - l.Lost : 0;
}

internal sealed class ModelOrder
{
    public required long Number { get; init; }
    public required SubmitOrder Submitted { get; init; }
    public required AllocationPolicy Policy { get; init; }
    public required PaymentTerms Terms { get; init; }
    public required int Tier { get; init; }
    public required long AcceptedAt { get; init; }
    public required long AcceptedSequence { get; init; }
    public readonly List<ModelLine> Lines = [];
    public readonly List<ModelAllocation> Allocations = [];
    public List<string> Reasons { get; init; } = [];
    public readonly List<string> Payments = [], Refunds = [];
    public long Paid, Refunded;
    public readonly SortedDictionary<DeadlineKind, ModelDeadline> Deadlines = [];
    public OrderState WatchedState;
    /// <summary>SHIP_COMPLETE; and whether it has waited its time and takes what comes.</summary>
    public bool Complete;
    public bool Earmarks;
    public string Region = "";
    /// <summary>When lines that wait will have all of it.</summary>
    public readonly Dictionary<int, long> Promised = [];
    public readonly List<(long Sequence, string Text)> Notes = [];
    /// <summary>What could be collected when it was looked at last; the date of the instalment missed last.</summary>
    public long Collectable, MissedDate;
    public bool WindowOver;
    /// <summary>Keys under which something of it is sealed, and that of its delivery as it stands.</summary>
    public readonly HashSet<long> Keys = [];
    public long DeliveryKey;
    public bool Erased;
    public bool ExpiredUnpaid;
    public readonly List<ModelParcel> Parcels = [];
    public readonly List<int> ParcelPlaces = [];
    public long? ReleasedAt, ShippedAt, DeliveredAt;
    public long CancelledByCustomer;
    public bool FellShort;
    /// <summary>It was delivered before its delivery deadline passed; that passed.</summary>
    public bool HadDeliveryDate, MissedDelivery;
    public readonly HashSet<OrderHolds> Holds = [];
    public (long Key, string Ciphertext, long Since) AmendedDelivery;
    public long RequestedAt;
    public long Version, ChangedAt;

    /// <summary>The state that commands set beside the quantities; <see cref="OrderState.None"/>: they alone decide.</summary>
    public OrderState Stored { get; set; }

    public bool WholeOnly => Complete && !Earmarks;

    public bool Waits => Lines.Any(line => line.Backordered > 0);

    /// <summary>domain.md, "Order state": the first match.</summary>
    public OrderState State
    {
        get
        {
            if (Stored is OrderState.Rejected or OrderState.Completed) return Stored;
            var left = Lines.Sum(line => line.Ordered - line.Cancelled);
            if (Stored != OrderState.None && left > 0) return Stored;
            if (left == 0) return OrderState.Cancelled;
            if (Lines.Sum(line => line.Lost) == left) return OrderState.Lost;
            if (Lines.Sum(line => line.Delivered + line.Lost) == left) return OrderState.Delivered;
            if (Lines.Sum(line => line.Shipped) == left) return OrderState.Shipped;
            if (Lines.Any(line => line.Shipped > 0)) return OrderState.PartiallyShipped;
            if (Lines.Any(line => line.Released > 0)) return OrderState.Fulfilling;
            if (!Waits) return OrderState.Ready;
            return Lines.Any(line => line.Reserved > 0) ? OrderState.PartiallyReserved : OrderState.Backordered;
        }
    }

    public ModelAllocation At(int line, int location)
    {
        var present = Allocations.SingleOrDefault(a => a.Line == line && a.Location == location);
        if (present is not null) return present;
        Allocations.Add(new ModelAllocation(line, location));
        return Allocations[^1];
    }

    /// <summary>Acceptance time minus the tier's credit of a day each step, requested date, sequence, line.</summary>
    public (long Rank, long Requested, long Sequence, int Line) Place(int line) => PlaceOf(AcceptedAt, Tier, RequestedAt, AcceptedSequence, line);

    /// <summary>Where it waits: a line at the order's place, what was added at the time of the amendment.</summary>
    public IEnumerable<ModelWait> Waiting => Lines.SelectMany(line => new[] { new ModelWait(this, line, false), new ModelWait(this, line, true) }).Where(wait => wait.Units > 0);

    public static (long Rank, long Requested, long Sequence, int Line) PlaceOf(long acceptedAt, int tier, long requestedAt, long sequence, int line) =>
        (acceptedAt - tier * 24L * 3600 * 1_000_000, requestedAt == 0 ? long.MaxValue : requestedAt, sequence, line);
}

/// <summary>An entry of a backorder queue.</summary>
internal sealed record ModelWait(ModelOrder Order, ModelLine Line, bool IsAdded)
{
    public int Units => IsAdded ? Line.Added : Line.Backordered - Line.Added;

    public (long Rank, long Requested, long Sequence, int Line) Place =>
        IsAdded ? ModelOrder.PlaceOf(Line.AddedAt, Order.Tier, Order.RequestedAt, Line.AddedSequence, Line.Number) : Order.Place(Line.Number);
}

/// <summary>A time that an order is watched for, reminded of before it passes.</summary>
internal sealed class ModelDeadline(long due, long remindAt, long since)
{
    public readonly long Due = due, Since = since;
    /// <summary>0: not, or no more.</summary>
    public long RemindAt = remindAt;

    public long Next => RemindAt > 0 ? RemindAt : Due;
}

internal sealed class ModelReservation
{
    public required long Number { get; init; }
    public required int Channel { get; init; }
    public required int Customer { get; init; }
    public required long CreatedAt { get; init; }
    public required long CreatedSequence { get; init; }
    public readonly List<(int Sku, int Location, int Quantity)> Items = [];
    public ReservationState State = ReservationState.Held;
    public long ExpiresAt, Order, Version;

    /// <summary>When its end is reminded of; 0: not, or it was.</summary>
    public long RemindAt;
    public bool Reminded;
    public long Next => RemindAt > 0 ? RemindAt : ExpiresAt;
}

/// <summary>An entry of the catalog: what was said of it last, as one text to compare with.</summary>
internal sealed class ModelEntry(int number)
{
    public readonly int Number = number;
    public string Content = "";
    public long Version;
}

internal sealed record ModelChannel(int[] Allowed, SourcingRule Sourcing, AllocationPolicy Policy, PaymentTerms Terms, ShippingPolicy Shipping, ChannelLimits Limits)
{
    public bool Allows(int location) => Allowed.Length == 0 || Allowed.Contains(location);
}
