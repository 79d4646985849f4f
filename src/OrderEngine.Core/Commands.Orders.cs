// What can be asked when an order comes in, and that it go again. As Commands.cs.

namespace OrderEngine.Core;

/// <summary>A line as submitted.</summary>
/// <param name="Sku">Number of the SKU.</param>
/// <param name="Quantity">Units.</param>
/// <param name="UnitPrice">Minor units.</param>
public readonly record struct DraftLine(int Sku, int Quantity, long UnitPrice);

/// <summary>Submits an order, or commits a reservation into one when <see cref="Reservation"/> is not 0.</summary>
public sealed class SubmitOrder(CommandKind kind = CommandKind.SubmitOrder) : Command(kind)
{
    /// <summary>
    /// The archived order that has the external id; 0: none. Asked of the archive before the command is queued, when so many orders as
    /// <see cref="ArchiveAsked"/> had been archived since the process began.
    /// </summary>
    public long TakenByArchived { get; set; }
    /// <summary>See <see cref="TakenByArchived"/>.</summary>
    public long ArchiveAsked { get; set; }
    /// <summary>Number of the channel.</summary>
    public required int Channel { get; init; }
    /// <summary>Number of the customer; 0: a guest.</summary>
    public int Customer { get; init; }
    /// <summary>The channel's own id of the order; may be empty in a dry run only.</summary>
    public required byte[] ExternalId { get; init; }
    /// <summary>Kind of order.</summary>
    public OrderType Type { get; init; }
    /// <summary>None: the channel's default.</summary>
    public AllocationPolicy Policy { get; init; }
    /// <summary>None: the channel's default.</summary>
    public PaymentTerms Terms { get; init; }
    /// <summary>Intake lane.</summary>
    public Priority Priority { get; init; }
    /// <summary>Packed currency.</summary>
    public required int CurrencyCode { get; init; }
    /// <summary>When the customer wants it, microseconds since 1970; 0: not said.</summary>
    public long RequestedAt { get; init; }
    /// <summary>None: the channel's default.</summary>
    public ShippingPolicy Shipping { get; init; }
    /// <summary>The region that it goes to, at most <see cref="Limits.RegionBytes"/>; empty: not said.</summary>
    public byte[] Region { get; init; } = [];
    /// <summary>1 to <see cref="Limits.LinesPerOrder"/>; the sum of quantity times price is at most <see cref="Limits.OrderTotal"/>.</summary>
    public required DraftLine[] Lines { get; init; }
    /// <summary>Personal data of the delivery.</summary>
    public SealedData Delivery { get; init; }
    /// <summary>The reservation to commit; 0: none.</summary>
    public long Reservation { get; init; }
    /// <summary>Ids of the review rules whose keywords the delivery's note, or a special request, holds.</summary>
    public byte[][] NoteRules { get; init; } = [];
    /// <summary>Null for most orders.</summary>
    public OrderExtras? Extras { get; init; }
    /// <summary>With <see cref="PaymentTerms.Instalment"/>: at most <see cref="Limits.Instalments"/>, by date, summing to the total. Without: all is due at once.</summary>
    public Instalment[] Instalments { get; init; } = [];
}

/// <summary>Units of an order's line.</summary>
/// <param name="Line">1-based.</param>
/// <param name="Quantity">Units.</param>
public readonly record struct LineQuantity(int Line, int Quantity);

/// <summary>Cancels an order or units of it.</summary>
public sealed class CancelOrder() : Command(CommandKind.CancelOrder), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>Empty: all of it. A line at most once.</summary>
    public LineQuantity[] Lines { get; init; } = [];
}
