// The words of what has to be followed up: deadlines and exceptions. The numbers are stored and never change.

namespace OrderEngine.Core;

/// <summary>
/// What a timer waits for. Another area adds a kind here, and one line in <c>Decider.Fire</c> that says what its passing comes to; an order's
/// deadline without a line there is missed: an event says so and an exception is raised.
/// </summary>
public enum DeadlineKind : byte
{
    /// <summary>Nothing.</summary>
    None = 0,
    /// <summary>The end of a reservation; its subject is the reservation, all others are of orders.</summary>
    Reservation = 1,
    /// <summary>Payment is due.</summary>
    Payment = 2,
    /// <summary>The review has to be done.</summary>
    Review = 3,
    /// <summary>The warehouse should have the goods.</summary>
    Release = 4,
    /// <summary>Delivery was promised.</summary>
    Delivery = 5,
    /// <summary>The buyer may return goods until then.</summary>
    ReturnWindow = 6,
    /// <summary>No progress in a state for the time set for it.</summary>
    Stall = 7,
    /// <summary>How long an order that ships complete waits to be filled whole before it takes what comes.</summary>
    Earmark = 10,
    /// <summary>The customer should have confirmed the order.</summary>
    Confirmation = 13,
    /// <summary>Money that does not hold the order back is due: on account, on delivery, of an instalment, or what a prepaid order grew by.</summary>
    Balance = 15,
    /// <summary>Goods of an approved return should have arrived.</summary>
    ReturnArrival = 16,
    /// <summary>A return whose goods are here should be closed.</summary>
    ReturnClose = 17,
}

/// <summary>What somebody has to look into. Another area adds a kind here and in orderengine.v1.ExceptionKind, and calls <c>Decider.RaiseException</c>.</summary>
public enum ExceptionKind : byte
{
    /// <summary>Never raised.</summary>
    None = 0,
    /// <summary>A deadline passed.</summary>
    DeadlineMissed = 1,
    /// <summary>No progress.</summary>
    Stalled = 2,
    /// <summary>Stock is missing: a supply request was opened. Of its SKU and location, not of an order; resolved when the request closes.</summary>
    Shortfall = 3,
    /// <summary>The warehouse found fewer units than it was to pick.</summary>
    ShortPick = 4,
    /// <summary>A parcel is lost.</summary>
    LostParcel = 5,
    /// <summary>Reserved stock was taken away.</summary>
    Deallocated = 6,
    /// <summary>Money came when the order no longer waited for it.</summary>
    LateMoney = 7,
    /// <summary>An accepted order grew so that review rules fire: it is held.</summary>
    ReviewDue = 15,
    /// <summary>More is paid than the order comes to.</summary>
    RefundDue = 16,
}

/// <summary>How grave an exception is.</summary>
public enum Grade : byte
{
    /// <summary>Not said.</summary>
    None = 0,
    /// <summary>Look into it when there is time.</summary>
    Low = 1,
    /// <summary>Look into it today.</summary>
    Medium = 2,
    /// <summary>Look into it now.</summary>
    High = 3,
}
