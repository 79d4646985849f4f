// The layouts of the state's rows: reference-free structs, copied as bytes, hashed as bytes (so unused bytes stay zero).
//
//   order row        | OrderHead (120) | LineRow (56) x LineCount | AllocationRow (24) x AllocationCount | ParcelLineRow (20) x ParcelLineCount |
//   reservation row  | ReservationHead (56) | HeldRow (16) x ItemCount |
//   stock row        | StockRow (72) |
//   incoming row     | IncomingHead (64) | reference |
//   catalog row      | the body of the event that defined the entry last |

using System.Runtime.InteropServices;

namespace OrderEngine.Core.State;

/// <summary>The head of an order's row.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct OrderHead
{
    /// <summary>Rows that follow.</summary>
    public ushort LineCount;
    /// <summary>What its history holds beside the ordinary.</summary>
    public OrderDetails Details;
    /// <summary>Notes in its history.</summary>
    public byte Notes;
    /// <summary>Rows that follow the lines.</summary>
    public int AllocationCount;
    /// <summary>Number of the channel.</summary>
    public int Channel;
    /// <summary>Number of the customer; 0: a guest.</summary>
    public int Customer;
    /// <summary>Where it stands; the one place where a stored state is kept (<see cref="OrderStates.IsStored"/>).</summary>
    public OrderState State;
    /// <summary>What kind.</summary>
    public OrderType Type;
    /// <summary>How stock was allotted.</summary>
    public AllocationPolicy Policy;
    /// <summary>How it is paid.</summary>
    public PaymentTerms Terms;
    /// <summary>Intake lane.</summary>
    public Priority Priority;
    /// <summary>The customer's tier at acceptance.</summary>
    public byte Tier;
    /// <summary>Reasons for which it was held for review when it was accepted; its first event says them.</summary>
    public byte ReviewReasons;
    /// <summary>Open holds: while there are any, nothing is released to the warehouse.</summary>
    public OrderHolds Holds;
    /// <summary>Packed currency.</summary>
    public int Currency;
    /// <summary>Parcels shipped.</summary>
    public ushort Parcels;
    /// <summary>Rows that follow the allocations.</summary>
    public ushort ParcelLineCount;
    /// <summary>Microseconds since 1970.</summary>
    public long AcceptedAt;
    /// <summary>Sequence of its first event.</summary>
    public long AcceptedSequence;
    /// <summary>Microseconds since 1970; 0: not said.</summary>
    public long RequestedAt;
    /// <summary>Time of its last event.</summary>
    public long ChangedAt;
    /// <summary>Sequence of its last event: its version.</summary>
    public long Version;
    /// <summary>Value as ordered, minor units.</summary>
    public long Total;
    /// <summary>Value cancelled since, minor units.</summary>
    public long CancelledTotal;
    /// <summary>The reservation it was committed from; 0: none.</summary>
    public long Reservation;
    /// <summary>All payments, minor units.</summary>
    public long Paid;
    /// <summary>All refunds, minor units; at most what was paid.</summary>
    public long Refunded;
    /// <summary>The exception raised last; 0: none. Each names the one before it.</summary>
    public int LastException;
    /// <summary>Exceptions that are not resolved.</summary>
    public int OpenExceptions;

    /// <summary>True when what it waits for is given to it at once or not at all.</summary>
    public readonly bool IsFilledWhole => (Details & (OrderDetails.ShipComplete | OrderDetails.Earmarks)) == OrderDetails.ShipComplete;
}

/// <summary>One line of an order. Ordered = Cancelled + Unallocated + Backordered + Reserved + Released + Shipped.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct LineRow
{
    /// <summary>Number of the SKU.</summary>
    public int Sku;
    /// <summary>Units ordered.</summary>
    public int Ordered;
    // The price, and above it the units exchanged: rows are hashed as bytes, so those of lines without an exchange stay as they always were.
    private long _priceAndExchanged;
    /// <summary>Units cancelled.</summary>
    public int Cancelled;
    /// <summary>Units neither reserved nor waiting in a queue.</summary>
    public int Unallocated;
    /// <summary>Units waiting in the SKU's queue.</summary>
    public int Backordered;
    /// <summary>Units reserved.</summary>
    public int Reserved;
    /// <summary>Units with the warehouse.</summary>
    public int Released;
    /// <summary>Units shipped.</summary>
    public int Shipped;
    /// <summary>Of the shipped: delivered.</summary>
    public int Delivered;
    /// <summary>Of the shipped: lost.</summary>
    public int Lost;
    /// <summary>Of the shipped: returned. Returned + ReturnOpen is at most Shipped - Lost.</summary>
    public int Returned;
    /// <summary>Of the shipped: in returns that are open, and not yet returned.</summary>
    public int ReturnOpen;

    private const int PriceBits = 40;
    private const long PriceMask = (1L << PriceBits) - 1;

    /// <summary>Minor units; at most <see cref="Limits.UnitPrice"/>.</summary>
    /// <exception cref="OverflowException">It does not fit.</exception>
    public long UnitPrice
    {
        readonly get => _priceAndExchanged & PriceMask;
        set => _priceAndExchanged = (value & ~PriceMask) == 0 ? _priceAndExchanged & ~PriceMask | value : throw new OverflowException($"No unit costs {value}.");
    }

    /// <summary>Of the returned: made good with other goods.</summary>
    public int Exchanged
    {
        readonly get => (int)(_priceAndExchanged >> PriceBits);
        set => _priceAndExchanged = _priceAndExchanged & PriceMask | checked((long)(uint)value << PriceBits);
    }

    /// <summary>Of the returned: the buyer need not pay them. What was exchanged is paid for: the goods that came for it cost what is paid on top only.</summary>
    public readonly int Credited => Returned - Exchanged;
}

/// <summary>Where a line's units come from.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
public struct AllocationRow
{
    /// <summary>1-based.</summary>
    public int Line;
    /// <summary>Number of the location.</summary>
    public int Location;
    /// <summary>Units reserved there.</summary>
    public int Reserved;
    /// <summary>Units released there.</summary>
    public int Released;
    /// <summary>Units shipped from there.</summary>
    public int Shipped;
    /// <summary>Zero.</summary>
    public int Unused;
}

/// <summary>Units of one line in one parcel. Delivered + Lost are at most Quantity; a line's parcels sum to what it has shipped, delivered and lost.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
public struct ParcelLineRow
{
    /// <summary>1-based within the order; rows come in this order.</summary>
    public int Parcel;
    /// <summary>1-based.</summary>
    public int Line;
    /// <summary>Units that left.</summary>
    public int Quantity;
    /// <summary>Of them: delivered.</summary>
    public int Delivered;
    /// <summary>Of them: lost.</summary>
    public int Lost;

    /// <summary>Units under way.</summary>
    public readonly int Open => Quantity - Delivered - Lost;
}

/// <summary>The head of a reservation's row.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct ReservationHead
{
    /// <summary>Number of the channel.</summary>
    public int Channel;
    /// <summary>Number of the customer; 0: none.</summary>
    public int Customer;
    /// <summary>Rows that follow.</summary>
    public int ItemCount;
    /// <summary>Where it stands.</summary>
    public ReservationState State;
    /// <summary>1: its end was reminded of since it was made or last extended.</summary>
    public byte Reminded;
    /// <summary>How many seconds before its end it is reminded of, at most <see cref="Limits.HoldRemindSeconds"/>; 0: not.</summary>
    public ushort RemindSeconds;
    /// <summary>Microseconds since 1970.</summary>
    public long CreatedAt;
    /// <summary>Microseconds since 1970.</summary>
    public long ExpiresAt;
    /// <summary>The order it became; 0: none.</summary>
    public long Order;
    /// <summary>Sequence of the last change.</summary>
    public long Version;
    /// <summary>Sequence of its first event: the timer's second key.</summary>
    public long CreatedSequence;

    /// <summary>True when its reminder comes next, not its end.</summary>
    public readonly bool IsReminder => RemindSeconds != 0 && Reminded == 0;

    /// <summary>The one timer of reservation <paramref name="number"/> while it is held: its reminder's, then its end's.</summary>
    internal readonly TimerKey Timer(long number) =>
        new(IsReminder ? ExpiresAt - RemindSeconds * 1_000_000L : ExpiresAt, CreatedSequence, DeadlineKind.Reservation, number);
}

/// <summary>Units that a reservation holds, or held, at one location.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
public struct HeldRow
{
    /// <summary>Number of the SKU.</summary>
    public int Sku;
    /// <summary>Number of the location.</summary>
    public int Location;
    /// <summary>Units.</summary>
    public int Quantity;
    /// <summary>Zero.</summary>
    public int Unused;
}

/// <summary>The stock of one SKU at one location. OnHand >= Unavailable + Held + Committed.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct StockRow
{
    /// <summary>Number of the SKU.</summary>
    public int Sku;
    /// <summary>Number of the location.</summary>
    public int Location;
    /// <summary>Units there.</summary>
    public long OnHand;
    /// <summary>Not for sale.</summary>
    public long Unavailable;
    /// <summary>Held by reservations.</summary>
    public long Held;
    /// <summary>Reserved for orders, released included.</summary>
    public long Committed;
    /// <summary>Kept back.</summary>
    public long Safety;
    /// <summary>Announced to come from outside: bought or made.</summary>
    public long Incoming;
    /// <summary>On the way from another location.</summary>
    public long InTransit;
    /// <summary>Reorder when <see cref="Available"/> is no more than this; 0: never.</summary>
    public int ReorderPoint;
    /// <summary>1: it was said that it should be reordered.</summary>
    public int ReorderDue;

    /// <summary>Units that may be promised: never negative.</summary>
    public readonly long Sellable => Math.Max(0, OnHand - Unavailable - Held - Committed - Safety);

    /// <summary>Free units, safety stock included, and those that come.</summary>
    public readonly long Available => OnHand - Unavailable - Held - Committed + Incoming + InTransit;

    /// <summary>True when what was said about reordering is not so any more.</summary>
    public readonly bool ReorderChanged => (ReorderPoint != 0 && Available <= ReorderPoint) != (ReorderDue != 0);
}

/// <summary>The head of announced supply; the reference follows.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
public struct IncomingHead
{
    /// <summary>Number of the SKU.</summary>
    public int Sku;
    /// <summary>Where it comes in.</summary>
    public int Location;
    /// <summary>Where a transfer was sent from; 0: no transfer.</summary>
    public int From;
    /// <summary>Units as announced first.</summary>
    public int Quantity;
    /// <summary>Units that came.</summary>
    public long Received;
    /// <summary>Units still to come; 0: it is closed.</summary>
    public int Open;
    /// <summary>Where it comes from.</summary>
    public SupplyKind Kind;
    /// <summary>Zero.</summary>
    public byte Unused;
    /// <summary>Bytes of the reference.</summary>
    public ushort ReferenceLength;
    /// <summary>Microseconds since 1970.</summary>
    public long ExpectedAt;
    /// <summary>Microseconds since 1970.</summary>
    public long AnnouncedAt;
    /// <summary>Sequence of the last change.</summary>
    public long Version;
    /// <summary>Sequence of its first event.</summary>
    public long AnnouncedSequence;
}

/// <summary>Announced supply, seen in place. Valid inside the read guard under which it was read.</summary>
public readonly ref struct IncomingView
{
    private readonly ReadOnlySpan<byte> _row;

    internal IncomingView(ReadOnlySpan<byte> row) => _row = row;

    /// <summary>False when there is none at the sequence asked for.</summary>
    public bool Exists => !_row.IsEmpty;

    /// <summary>The head.</summary>
    public ref readonly IncomingHead Head => ref MemoryMarshal.AsRef<IncomingHead>(_row);

    /// <summary>Purchase order, production order or delivery note.</summary>
    public unsafe ReadOnlySpan<byte> Reference => _row.Slice(sizeof(IncomingHead), Head.ReferenceLength);
}

/// <summary>An order's row, seen in place. Valid inside the read guard under which it was read.</summary>
public readonly ref struct OrderView
{
    private readonly ReadOnlySpan<byte> _row;

    internal OrderView(ReadOnlySpan<byte> row) => _row = row;

    /// <summary>False when there is no such order at the sequence asked for.</summary>
    public bool Exists => !_row.IsEmpty;

    /// <summary>The head.</summary>
    public ref readonly OrderHead Head => ref MemoryMarshal.AsRef<OrderHead>(_row);

    /// <summary>The lines; line n is at index n - 1.</summary>
    public unsafe ReadOnlySpan<LineRow> Lines =>
        MemoryMarshal.Cast<byte, LineRow>(_row.Slice(sizeof(OrderHead), Head.LineCount * sizeof(LineRow)));

    /// <summary>Where the lines' units come from, in the order in which they were allotted.</summary>
    public unsafe ReadOnlySpan<AllocationRow> Allocations =>
        MemoryMarshal.Cast<byte, AllocationRow>(_row.Slice(sizeof(OrderHead) + Head.LineCount * sizeof(LineRow), Head.AllocationCount * sizeof(AllocationRow)));

    /// <summary>What left in which parcel, oldest parcel first.</summary>
    public unsafe ReadOnlySpan<ParcelLineRow> ParcelLines => MemoryMarshal.Cast<byte, ParcelLineRow>(
        _row.Slice(sizeof(OrderHead) + Head.LineCount * sizeof(LineRow) + Head.AllocationCount * sizeof(AllocationRow), Head.ParcelLineCount * sizeof(ParcelLineRow)));
}

/// <summary>A reservation's row, seen in place. Valid inside the read guard under which it was read.</summary>
public readonly ref struct ReservationView
{
    private readonly ReadOnlySpan<byte> _row;

    internal ReservationView(ReadOnlySpan<byte> row) => _row = row;

    /// <summary>False when there is no such reservation at the sequence asked for.</summary>
    public bool Exists => !_row.IsEmpty;

    /// <summary>The head.</summary>
    public ref readonly ReservationHead Head => ref MemoryMarshal.AsRef<ReservationHead>(_row);

    /// <summary>What is or was held.</summary>
    public unsafe ReadOnlySpan<HeldRow> Items =>
        MemoryMarshal.Cast<byte, HeldRow>(_row.Slice(sizeof(ReservationHead), Head.ItemCount * sizeof(HeldRow)));
}
