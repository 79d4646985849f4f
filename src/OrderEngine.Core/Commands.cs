// What the core can be asked to do. Made by the wire mapping on a request's thread, read by the writer; not changed once handed over.
// References are already resolved to dense numbers, texts are UTF-8, every bound of Limits has been checked.

namespace OrderEngine.Core;

/// <summary>The kinds of command, for the transition table, metrics and digests. Numbers never change: they enter body digests.</summary>
public enum CommandKind : byte
{
    /// <summary><see cref="Core.DefineSku"/></summary>
    DefineSku = 1,
    /// <summary><see cref="Core.DefineLocation"/></summary>
    DefineLocation = 2,
    /// <summary><see cref="Core.DefineChannel"/></summary>
    DefineChannel = 3,
    /// <summary><see cref="Core.DefineCustomer"/></summary>
    DefineCustomer = 4,
    /// <summary><see cref="Core.SetReviewRules"/></summary>
    SetReviewRules = 5,
    /// <summary><see cref="Core.ReceiveStock"/></summary>
    ReceiveStock = 16,
    /// <summary><see cref="Core.AdjustStock"/></summary>
    AdjustStock = 17,
    /// <summary><see cref="Core.SetStockPolicy"/></summary>
    SetStockPolicy = 18,
    /// <summary><see cref="Core.AnnounceIncoming"/></summary>
    AnnounceIncoming = 19,
    /// <summary><see cref="Core.TransferStock"/></summary>
    TransferStock = 20,
    /// <summary><see cref="Core.CreateReservation"/></summary>
    CreateReservation = 32,
    /// <summary><see cref="Core.ExtendReservation"/></summary>
    ExtendReservation = 33,
    /// <summary><see cref="Core.SubmitOrder"/> with a reservation.</summary>
    CommitReservation = 34,
    /// <summary><see cref="Core.ReleaseReservation"/></summary>
    ReleaseReservation = 35,
    /// <summary><see cref="Core.SubmitOrder"/></summary>
    SubmitOrder = 48,
    /// <summary><see cref="Core.CancelOrder"/></summary>
    CancelOrder = 49,
    /// <summary><see cref="Core.ApproveOrder"/></summary>
    ApproveOrder = 50,
    /// <summary><see cref="Core.RejectOrder"/></summary>
    RejectOrder = 51,
    /// <summary><see cref="Core.RecordPayment"/></summary>
    RecordPayment = 52,
    /// <summary><see cref="Core.RecordRefund"/></summary>
    RecordRefund = 53,
    /// <summary>By a timer: review or payment took too long.</summary>
    ExpireOrder = 54,
    /// <summary>By a timer: the return window is over.</summary>
    CompleteOrder = 55,
    /// <summary><see cref="Core.PlaceHold"/></summary>
    PlaceHold = 58,
    /// <summary><see cref="Core.ReleaseHold"/></summary>
    ReleaseHold = 59,
    /// <summary><see cref="Core.AmendOrder"/> of delivery or date.</summary>
    AmendOrder = 60,
    /// <summary><see cref="Core.AmendOrder"/> that changes lines, too.</summary>
    AmendLines = 61,
    /// <summary><see cref="Core.ReleaseShipment"/></summary>
    ReleaseShipment = 64,
    /// <summary><see cref="Core.ConfirmShipment"/></summary>
    ConfirmShipment = 65,
    /// <summary><see cref="Core.RecordDelivery"/></summary>
    RecordDelivery = 66,
    /// <summary><see cref="Core.RecallShipment"/></summary>
    RecallShipment = 67,
    /// <summary><see cref="Core.RecordLoss"/></summary>
    RecordLoss = 68,
    /// <summary><see cref="Core.RequestReturn"/></summary>
    RequestReturn = 80,
    /// <summary><see cref="ReturnStep"/>; of an exchange also the order that is sent.</summary>
    ApproveReturn = 81,
    /// <summary><see cref="ReturnStep"/></summary>
    RejectReturn = 82,
    /// <summary><see cref="CarryReturn"/> on its way to the seller.</summary>
    SendReturn = 83,
    /// <summary><see cref="Core.ReceiveReturn"/></summary>
    ReceiveReturn = 84,
    /// <summary><see cref="ReturnStep"/></summary>
    RecordRepair = 85,
    /// <summary><see cref="CarryReturn"/> on its way back to the customer.</summary>
    ShipBackReturn = 86,
    /// <summary><see cref="ReturnStep"/></summary>
    CloseReturn = 87,
    /// <summary><see cref="Core.ResolveException"/></summary>
    ResolveException = 100,
    /// <summary><see cref="Core.SetDeadlines"/></summary>
    SetDeadlines = 101,
    /// <summary><see cref="Core.ArchiveOrders"/></summary>
    ArchiveOrders = 116,
    /// <summary><see cref="Core.RestoreOrder"/></summary>
    RestoreOrder = 117,
    /// <summary><see cref="Core.ConfirmOrder"/></summary>
    ConfirmOrder = 128,
    /// <summary><see cref="Core.AddNote"/></summary>
    AddNote = 129,
    /// <summary><see cref="Core.OpenComplaint"/></summary>
    OpenComplaint = 130,
    /// <summary><see cref="Core.AssignComplaint"/></summary>
    AssignComplaint = 131,
    /// <summary><see cref="Core.ResolveComplaint"/></summary>
    ResolveComplaint = 132,
    /// <summary><see cref="Core.RecordFeedback"/></summary>
    RecordFeedback = 133,
    /// <summary><see cref="Core.EraseCustomer"/></summary>
    EraseCustomer = 134,
    /// <summary><see cref="Core.EraseOrder"/></summary>
    EraseOrder = 135,
}

/// <summary>A request to change something, with who asks and under which request id.</summary>
public abstract class Command(CommandKind kind)
{
    /// <summary>What is asked.</summary>
    public CommandKind Kind { get; } = kind;

    /// <summary>Hash of scope and request id; never 0. Same key, same answer within the window.</summary>
    public UInt128 RequestKey { get; init; }

    /// <summary>Keyed hash of the whole body, kind included.</summary>
    public UInt128 BodyDigest { get; init; }

    /// <summary>Who asks: at most <see cref="Limits.IdBytes"/> of UTF-8, may be empty.</summary>
    public byte[] Actor { get; init; } = [];

    /// <summary>In which role; never <see cref="Role.None"/>.</summary>
    public Role Role { get; init; }

    /// <summary>A reason code, at most <see cref="Limits.ReasonBytes"/>, may be empty.</summary>
    public byte[] Reason { get; init; } = [];

    /// <summary>The version (sequence of the last change) that the caller has seen; 0: do not check.</summary>
    public long ExpectedVersion { get; init; }
}

/// <summary>A command on an order that exists: what is due of the order is fired before it is decided.</summary>
public interface IOrderCommand
{
    /// <summary>Number of the order.</summary>
    long Order { get; }
}

/// <summary>Personal data under a key of the key ring; <see cref="Key"/> 0 means none.</summary>
/// <param name="Key">Number of the key.</param>
/// <param name="Ciphertext">Nonce, ciphertext and tag; at most <see cref="Limits.SealedBytes"/>. Empty: the key was destroyed, nothing can be sealed.</param>
public readonly record struct SealedData(long Key, byte[] Ciphertext)
{
    /// <summary>A copy of an encoded orderengine.journal.Sealed.</summary>
    public static SealedData Read(ReadOnlySpan<byte> message)
    {
        var key = 0L;
        byte[] ciphertext = [];
        var reader = new Events.ProtoReader(message);
        while (reader.Next(out var field, out var wireType))
        {
            if (field == 1) key = reader.Long();
            else if (field == 2) ciphertext = reader.Bytes().ToArray();
            else reader.Skip(wireType);
        }
        return new SealedData(key, ciphertext);
    }
}

/// <summary>Creates or replaces a SKU.</summary>
public sealed class DefineSku() : Command(CommandKind.DefineSku)
{
    /// <summary>The seller's id.</summary>
    public required byte[] Id { get; init; }
    /// <summary>Name.</summary>
    public byte[] Name { get; init; } = [];
    /// <summary>Model.</summary>
    public byte[] Model { get; init; } = [];
    /// <summary>Specification.</summary>
    public byte[] Specification { get; init; } = [];
    /// <summary>Category.</summary>
    public byte[] Category { get; init; } = [];
    /// <summary>Unit of measure.</summary>
    public byte[] Unit { get; init; } = [];
    /// <summary>List price, minor units.</summary>
    public long Price { get; init; }
    /// <summary>Packed currency, 0 for none (<see cref="Currency"/>).</summary>
    public int CurrencyCode { get; init; }
    /// <summary>Seconds from ordering to having.</summary>
    public long LeadTimeSeconds { get; init; }
    /// <summary>Numbers of SKUs that may be offered instead.</summary>
    public int[] Substitutes { get; init; } = [];
    /// <summary>How it is got: none or purchase (it is bought), production (it is made).</summary>
    public SupplyKind Replenishment { get; init; }
}

/// <summary>Creates or replaces a location.</summary>
public sealed class DefineLocation() : Command(CommandKind.DefineLocation)
{
    /// <summary>The seller's id.</summary>
    public required byte[] Id { get; init; }
    /// <summary>Name.</summary>
    public byte[] Name { get; init; } = [];
    /// <summary>Region.</summary>
    public byte[] Region { get; init; } = [];
    /// <summary>Lower is tried first.</summary>
    public int Priority { get; init; }
}

/// <summary>Creates or replaces a channel.</summary>
public sealed class DefineChannel() : Command(CommandKind.DefineChannel)
{
    /// <summary>The seller's id.</summary>
    public required byte[] Id { get; init; }
    /// <summary>Name.</summary>
    public byte[] Name { get; init; } = [];
    /// <summary>Numbers of the locations that may serve it; empty: all.</summary>
    public int[] AllowedLocations { get; init; } = [];
    /// <summary>How a location is chosen.</summary>
    public SourcingRule Sourcing { get; init; }
    /// <summary>Used where an order names none.</summary>
    public AllocationPolicy DefaultPolicy { get; init; }
    /// <summary>Used where an order names none; none: parts may go.</summary>
    public ShippingPolicy DefaultShipping { get; init; }
    /// <summary>Used where an order names none.</summary>
    public PaymentTerms DefaultTerms { get; init; }
    /// <summary>Bounds and times; all zero: none of its own.</summary>
    public ChannelLimits Limits { get; init; }
}

/// <summary>What a channel may hand in, and how long its orders may wait. Zero: no bound of its own, or the engine's default.</summary>
/// <param name="MaxOrder">Minor units of one order in <paramref name="MaxOrderCurrency"/>; orders in another currency are not compared.</param>
/// <param name="MaxOrderCurrency">Packed currency.</param>
/// <param name="MaxLines">Lines of one order.</param>
/// <param name="PaymentDueSeconds">How long a prepaid order waits for its money.</param>
/// <param name="ReviewExpirySeconds">How long an order waits for its reviewer.</param>
/// <param name="ReturnWindowSeconds">How long after delivery an order stays open for returns.</param>
/// <param name="MaxReservationSeconds">The longest life of a reservation.</param>
/// <param name="RequiresConfirmation">True: the customer has to confirm an order.</param>
/// <param name="ConfirmationDueSeconds">How long an order waits for that.</param>
public readonly record struct ChannelLimits(long MaxOrder, int MaxOrderCurrency, int MaxLines, long PaymentDueSeconds, long ReviewExpirySeconds,
    long ReturnWindowSeconds, long MaxReservationSeconds, bool RequiresConfirmation, long ConfirmationDueSeconds = 0);

/// <summary>Creates or replaces a customer.</summary>
public sealed class DefineCustomer() : Command(CommandKind.DefineCustomer)
{
    /// <summary>The seller's id.</summary>
    public required byte[] Id { get; init; }
    /// <summary>Rank, 0 to <see cref="Limits.Tier"/>.</summary>
    public int Tier { get; init; }
    /// <summary>0: not rated, then 1 to <see cref="Limits.RiskRating"/>, the worst.</summary>
    public int RiskRating { get; init; }
    /// <summary>Used where an order names none, ahead of the channel's; none: the channel's.</summary>
    public PaymentTerms Terms { get; init; }
    /// <summary>Minor units that the customer may owe in <see cref="CreditCurrency"/>.</summary>
    public long CreditLimit { get; init; }
    /// <summary>Packed currency of the limit; 0: no limit is set.</summary>
    public int CreditCurrency { get; init; }
    /// <summary>Personal details; none keeps what is there.</summary>
    public SealedData Details { get; init; }
}

/// <summary>Units of a SKU.</summary>
/// <param name="Sku">Number of the SKU.</param>
/// <param name="Quantity">Units, 1 to <see cref="Limits.QuantityPerLine"/>.</param>
public readonly record struct SkuQuantity(int Sku, int Quantity);

/// <summary>Books goods in.</summary>
public sealed class ReceiveStock() : Command(CommandKind.ReceiveStock)
{
    /// <summary>Number of the location.</summary>
    public required int Location { get; init; }
    /// <summary>What came; a SKU may come more than once.</summary>
    public required SkuQuantity[] Items { get; init; }
    /// <summary>Delivery note.</summary>
    public byte[] Reference { get; init; } = [];
    /// <summary>The announcement that came, all items of its SKU at its location; 0: none.</summary>
    public long Incoming { get; init; }
}

/// <summary>Which figure an adjustment changes.</summary>
public enum AdjustmentKind : byte
{
    /// <summary><see cref="AdjustStock.Value"/> is added to on hand.</summary>
    OnHandDelta = 1,
    /// <summary><see cref="AdjustStock.Value"/> is what is on hand.</summary>
    CountedOnHand = 2,
    /// <summary><see cref="AdjustStock.Value"/> is added to unavailable.</summary>
    UnavailableDelta = 3,
}

/// <summary>Corrects a stock level.</summary>
public sealed class AdjustStock() : Command(CommandKind.AdjustStock)
{
    /// <summary>Number of the location.</summary>
    public required int Location { get; init; }
    /// <summary>Number of the SKU.</summary>
    public required int Sku { get; init; }
    /// <summary>Which figure.</summary>
    public required AdjustmentKind Adjustment { get; init; }
    /// <summary>Units.</summary>
    public required long Value { get; init; }
    /// <summary>True: where less is left than is committed, reserved units are taken from the orders of lowest rank; for a manager only.</summary>
    public bool Deallocate { get; init; }
}

/// <summary>Holds stock for a while.</summary>
public sealed class CreateReservation() : Command(CommandKind.CreateReservation)
{
    /// <summary>Number of the channel.</summary>
    public required int Channel { get; init; }
    /// <summary>Number of the customer; 0: none.</summary>
    public int Customer { get; init; }
    /// <summary>What to hold.</summary>
    public required SkuQuantity[] Items { get; init; }
    /// <summary>For how long from now, microseconds.</summary>
    public required long TtlMicros { get; init; }
}

/// <summary>Gives a reservation a new time to live.</summary>
public sealed class ExtendReservation() : Command(CommandKind.ExtendReservation)
{
    /// <summary>Its number.</summary>
    public required long Reservation { get; init; }
    /// <summary>From now, microseconds.</summary>
    public required long TtlMicros { get; init; }
}

/// <summary>Lets a reservation go.</summary>
public sealed class ReleaseReservation() : Command(CommandKind.ReleaseReservation)
{
    /// <summary>Its number.</summary>
    public required long Reservation { get; init; }
}

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

/// <summary>Units of an order's line at a location.</summary>
/// <param name="Line">1-based.</param>
/// <param name="Location">Number of the location.</param>
/// <param name="Quantity">Units.</param>
public readonly record struct LineMovement(int Line, int Location, int Quantity);

/// <summary>Released units of an order's line that could not be picked.</summary>
/// <param name="Line">1-based.</param>
/// <param name="Location">Number of the location.</param>
/// <param name="Quantity">Units.</param>
/// <param name="Cause">What became of them.</param>
public readonly record struct ShortPick(int Line, int Location, int Quantity, ShortPickCause Cause);

/// <summary>Cancels an order or units of it.</summary>
public sealed class CancelOrder() : Command(CommandKind.CancelOrder), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>Empty: all of it. A line at most once.</summary>
    public LineQuantity[] Lines { get; init; } = [];
}

/// <summary>Hands reserved units to the warehouse.</summary>
public sealed class ReleaseShipment() : Command(CommandKind.ReleaseShipment), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>Empty: all that is reserved. A line and location at most once.</summary>
    public LineMovement[] Lines { get; init; } = [];
}

/// <summary>Says that released units left in a parcel.</summary>
public sealed class ConfirmShipment() : Command(CommandKind.ConfirmShipment), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>Empty: all that is released and not in <see cref="Short"/>, if at one location. A line and location at most once, one location only.</summary>
    public LineMovement[] Lines { get; init; } = [];
    /// <summary>Released units that could not be picked, of the same location. A line at most once.</summary>
    public ShortPick[] Short { get; init; } = [];
    /// <summary>Who carries it.</summary>
    public byte[] Carrier { get; init; } = [];
    /// <summary>The carrier's number.</summary>
    public byte[] TrackingNumber { get; init; } = [];
}

/// <summary>Says that shipped units arrived.</summary>
public sealed class RecordDelivery() : Command(CommandKind.RecordDelivery), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>Empty: all that is under way. A line at most once.</summary>
    public LineQuantity[] Lines { get; init; } = [];
    /// <summary>Only of this parcel, 1-based; 0: of any, the oldest first.</summary>
    public int Parcel { get; init; }
}

/// <summary>Says that shipped units are lost.</summary>
public sealed class RecordLoss() : Command(CommandKind.RecordLoss), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>Empty: all that is under way. A line at most once.</summary>
    public LineQuantity[] Lines { get; init; } = [];
    /// <summary>Only of this parcel, 1-based; 0: of any, the oldest first.</summary>
    public int Parcel { get; init; }
}

/// <summary>Takes released units back from the warehouse: they are reserved again.</summary>
public sealed class RecallShipment() : Command(CommandKind.RecallShipment), IOrderCommand
{
    /// <summary>Number of the order.</summary>
    public required long Order { get; init; }
    /// <summary>Empty: all that is released. A line and location at most once.</summary>
    public LineMovement[] Lines { get; init; } = [];
}
