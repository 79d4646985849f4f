// The words of the domain as numbers. They equal the numbers of proto/orderengine/v1 and of the journal, and never change.

namespace OrderEngine.Core;

/// <summary>In which role an actor asks for a change.</summary>
public enum Role : byte
{
    /// <summary>Not said.</summary>
    None = 0,
    /// <summary>A sales channel's adapter.</summary>
    Channel = 1,
    /// <summary>The buyer.</summary>
    Customer = 2,
    /// <summary>Customer service.</summary>
    Support = 3,
    /// <summary>Reviews orders.</summary>
    Reviewer = 4,
    /// <summary>Records money.</summary>
    Finance = 5,
    /// <summary>Keeps and ships stock.</summary>
    Warehouse = 6,
    /// <summary>Carries parcels.</summary>
    Carrier = 7,
    /// <summary>May change the catalog.</summary>
    Manager = 8,
    /// <summary>The engine itself.</summary>
    System = 9,
}

/// <summary>Where an order stands: stored from <see cref="PendingReview"/> on, otherwise derived from its quantities (<see cref="OrderStates"/>).</summary>
public enum OrderState : byte
{
    /// <summary>There is no order yet.</summary>
    None = 0,
    /// <summary>Nothing reserved, something waits.</summary>
    Backordered = 1,
    /// <summary>Something reserved, something waits.</summary>
    PartiallyReserved = 2,
    /// <summary>All that is left is reserved.</summary>
    Ready = 3,
    /// <summary>Something is released to the warehouse.</summary>
    Fulfilling = 4,
    /// <summary>Something is shipped.</summary>
    PartiallyShipped = 5,
    /// <summary>All that is left is shipped.</summary>
    Shipped = 6,
    /// <summary>All that is left is delivered or lost.</summary>
    Delivered = 7,
    /// <summary>All that is left is lost.</summary>
    Lost = 8,
    /// <summary>All is cancelled.</summary>
    Cancelled = 9,
    /// <summary>Waits for a reviewer; its stock is reserved. Stored.</summary>
    PendingReview = 10,
    /// <summary>Waits to be paid; its stock is reserved. Stored.</summary>
    AwaitingPayment = 11,
    /// <summary>A reviewer said no; all is cancelled. Stored, terminal.</summary>
    Rejected = 12,
    /// <summary>Its review or its payment took too long; what was reserved or waited is unallocated. Stored; only late money leads out of it.</summary>
    Expired = 13,
    /// <summary>Delivered, and the time for returns is over. Stored, terminal.</summary>
    Completed = 14,
}

/// <summary>Why an order may not be released to the warehouse; a set, since several may be open at once.</summary>
[Flags]
public enum OrderHolds : byte
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>Somebody looks whether it is fraud.</summary>
    Risk = 1 << 0,
    /// <summary>The customer's credit is looked at.</summary>
    Credit = 1 << 1,
    /// <summary>The address is not clear.</summary>
    Address = 1 << 2,
    /// <summary>Any other reason that a person has.</summary>
    Manual = 1 << 3,
    /// <summary>The customer has not confirmed the order. Opened with the order where its channel asks for that; <see cref="ConfirmOrder"/> alone ends it.</summary>
    Confirmation = 1 << 4,
}

/// <summary>What an order has beside the ordinary: what its history holds (readers look for it only where it is), how it ships.</summary>
[Flags]
public enum OrderDetails : byte
{
    /// <summary>Nothing.</summary>
    None = 0,
    /// <summary>Its delivery was amended: the newest event with one counts, not the acceptance.</summary>
    AmendedDelivery = 1 << 0,
    /// <summary>The acceptance holds attributes of its adapter.</summary>
    Attributes = 1 << 1,
    /// <summary>The acceptance holds special requests.</summary>
    SpecialRequests = 1 << 2,
    /// <summary>A guest's order whose personal data was erased.</summary>
    Erased = 1 << 3,
    /// <summary>Its acceptance names the region that it goes to.</summary>
    HasRegion = 1 << 5,
    /// <summary>It waited its time: of what it waits for it takes what comes, and keeps it.</summary>
    Earmarks = 1 << 6,
    /// <summary>It is released to the warehouse only when nothing of it is missing.</summary>
    ShipComplete = 1 << 7,
    /// <summary>The time for returns is over, but a return was open then: the order is completed with its last one.</summary>
    ReturnWindowOver = 1 << 4,
}

/// <summary>What to do when stock does not cover an order.</summary>
public enum AllocationPolicy : byte
{
    /// <summary>The channel's default.</summary>
    None = 0,
    /// <summary>Reserve all or refuse.</summary>
    AllOrNothing = 1,
    /// <summary>Reserve or cancel each line whole.</summary>
    LineAllOrNothing = 2,
    /// <summary>Reserve what is there; the rest waits.</summary>
    PartialBackorder = 3,
    /// <summary>Reserve what is there; cancel the rest.</summary>
    PartialCancelRest = 4,
}

/// <summary>Whether an order may go out in parts.</summary>
public enum ShippingPolicy : byte
{
    /// <summary>The channel's default.</summary>
    None = 0,
    /// <summary>What is reserved may go.</summary>
    Partial = 1,
    /// <summary>Only whole.</summary>
    Complete = 2,
}

/// <summary>How the location is chosen when no single one covers an order.</summary>
public enum SourcingRule : byte
{
    /// <summary>As <see cref="Priority"/>.</summary>
    None = 0,
    /// <summary>Lowest priority number first.</summary>
    Priority = 1,
    /// <summary>Most sellable units first.</summary>
    MostAvailable = 2,
}

/// <summary>How an order is paid.</summary>
public enum PaymentTerms : byte
{
    /// <summary>The channel's default.</summary>
    None = 0,
    /// <summary>Paid on delivery.</summary>
    CashOnDelivery = 1,
    /// <summary>On account.</summary>
    Credit = 2,
    /// <summary>Before anything is released.</summary>
    Prepaid = 3,
    /// <summary>In amounts on dates.</summary>
    Instalment = 4,
}

/// <summary>What kind of order it is.</summary>
public enum OrderType : byte
{
    /// <summary>As <see cref="Sale"/>.</summary>
    None = 0,
    /// <summary>A sale.</summary>
    Sale = 1,
    /// <summary>A sale to a trader.</summary>
    Wholesale = 2,
    /// <summary>A sample.</summary>
    Sample = 3,
    /// <summary>Goods for goods.</summary>
    Replacement = 4,
}

/// <summary>Which intake lane an order takes.</summary>
public enum Priority : byte
{
    /// <summary>As <see cref="Normal"/>.</summary>
    None = 0,
    /// <summary>The normal lane.</summary>
    Normal = 1,
    /// <summary>Ahead of the normal lane.</summary>
    High = 2,
}

/// <summary>Where announced supply comes from.</summary>
public enum SupplyKind : byte
{
    /// <summary>Not said.</summary>
    None = 0,
    /// <summary>Bought.</summary>
    Purchase = 1,
    /// <summary>Sent by another location of the seller.</summary>
    Transfer = 2,
    /// <summary>Made.</summary>
    Production = 3,
}

/// <summary>What became of units that were released to the warehouse and could not be picked.</summary>
public enum ShortPickCause : byte
{
    /// <summary>As <see cref="Missing"/>.</summary>
    None = 0,
    /// <summary>They are not there: on hand falls.</summary>
    Missing = 1,
    /// <summary>They are there and cannot be sold: unavailable grows.</summary>
    Damaged = 2,
}

/// <summary>Where a reservation stands.</summary>
public enum ReservationState : byte
{
    /// <summary>There is none.</summary>
    None = 0,
    /// <summary>Holds stock.</summary>
    Held = 1,
    /// <summary>Became an order.</summary>
    Committed = 2,
    /// <summary>Let go.</summary>
    Released = 3,
    /// <summary>Its time ran out.</summary>
    Expired = 4,
}

/// <summary>Where a return stands.</summary>
public enum ReturnState : byte
{
    /// <summary>There is none.</summary>
    None = 0,
    /// <summary>Asked for.</summary>
    Requested = 1,
    /// <summary>The goods may come.</summary>
    Approved = 2,
    /// <summary>On their way to the seller.</summary>
    InTransit = 3,
    /// <summary>Something has arrived.</summary>
    Received = 4,
    /// <summary>What was to be repaired is.</summary>
    Repaired = 5,
    /// <summary>What was repaired is on its way back to the customer.</summary>
    ShippedBack = 6,
    /// <summary>Done.</summary>
    Closed = 7,
    /// <summary>Refused.</summary>
    Rejected = 8,
}

/// <summary>What becomes of a unit that came back.</summary>
public enum Disposition : byte
{
    /// <summary>Not said.</summary>
    None = 0,
    /// <summary>On hand and for sale.</summary>
    Restock = 1,
    /// <summary>On hand, not for sale.</summary>
    Quarantine = 2,
    /// <summary>Thrown away.</summary>
    Scrap = 3,
    /// <summary>Mended and sent back to the customer, whose it stays.</summary>
    Repair = 4,
}

/// <summary>What of an order's goods came back; follows from its lines and returns.</summary>
public enum OrderReturnState : byte
{
    /// <summary>Nothing.</summary>
    None = 0,
    /// <summary>A return is open.</summary>
    Open = 1,
    /// <summary>No return is open; some units came back.</summary>
    PartlyReturned = 2,
    /// <summary>No return is open; every unit that was shipped and not lost came back.</summary>
    Returned = 3,
}
