// How commands end, and which of these ends are remembered.

namespace OrderEngine.Core;

/// <summary>
/// How a command ended. Numbers equal ErrorReason in proto/orderengine/v1/errors.proto, which gives status, cause and remedy of each;
/// outcomes marked as binding there are journaled and replayed to retries of the same request id.
/// </summary>
public enum Outcome : byte
{
    /// <summary>Done.</summary>
    Ok = 0,
    /// <summary>The role may not do this.</summary>
    RoleNotAllowed = 3,
    /// <summary>Request id used with another body.</summary>
    RequestIdReused = 4,
    /// <summary>No such order.</summary>
    OrderNotFound = 20,
    /// <summary>No such reservation.</summary>
    ReservationNotFound = 21,
    /// <summary>(channel, external id) is taken.</summary>
    ExternalIdTaken = 40,
    /// <summary>Stock does not cover the request.</summary>
    OutOfStock = 41,
    /// <summary>The order's state does not allow it.</summary>
    IllegalTransition = 42,
    /// <summary>Units are no longer in a state that can be cancelled.</summary>
    NotCancellable = 43,
    /// <summary>Fewer units in the needed state than the request moves.</summary>
    QuantityNotAvailable = 44,
    /// <summary>The reservation no longer holds.</summary>
    ReservationNotHeld = 45,
    /// <summary>Channel or customer differ from the reservation's.</summary>
    ReservationMismatch = 46,
    /// <summary>Less on hand than is spoken for.</summary>
    StockBelowCommitted = 47,
    /// <summary>Above <see cref="Limits.StockLevel"/>.</summary>
    StockOverflow = 48,
    /// <summary>More lines or value than the channel may hand in.</summary>
    ChannelLimitExceeded = 105,
    /// <summary>A payment or refund with this reference is recorded on the order already.</summary>
    PaymentReferenceTaken = 106,
    /// <summary>More than the order was paid and not refunded yet.</summary>
    RefundExceedsPaid = 107,
    /// <summary>Not the order's currency.</summary>
    PaymentCurrencyMismatch = 108,
    /// <summary>Too many payments or refunds of one order.</summary>
    PaymentLimitReached = 109,
    /// <summary>The object has changed since.</summary>
    EtagMismatch = 49,
    /// <summary>Units to be cancelled are with the warehouse, which can recall them.</summary>
    ReleasedToWarehouse = 120,
    /// <summary>The announced supply has come or was called off.</summary>
    IncomingClosed = 122,
    /// <summary>What comes is not what was announced, or not there.</summary>
    IncomingMismatch = 123,
    /// <summary>A transfer has no more units than were sent.</summary>
    TransferExceeded = 124,
    /// <summary>The order has no such parcel.</summary>
    ParcelNotFound = 132,
    /// <summary>No such announcement.</summary>
    IncomingNotFound = 133,
    /// <summary>Too many announcements are open.</summary>
    IncomingLimitReached = 134,
    /// <summary>A hold is open.</summary>
    OrderOnHold = 170,
    /// <summary>Such a hold is open already.</summary>
    HoldAlreadyOpen = 171,
    /// <summary>No such hold is open.</summary>
    HoldNotOpen = 172,
    /// <summary>The warehouse has it, or nothing would be left.</summary>
    NotAmendable = 173,
    /// <summary>The order would pass one of its bounds.</summary>
    OrderLimitReached = 174,
    /// <summary>The order is prepaid, and not all of it is paid.</summary>
    PaymentOutstanding = 216,
    /// <summary>Too many open reservations.</summary>
    HoldLimitReached = 71,
    /// <summary>No such return.</summary>
    ReturnNotFound = 140,
    /// <summary>The return's state does not allow it.</summary>
    IllegalReturnTransition = 142,
    /// <summary>More units than are shipped, not lost and in no other return.</summary>
    NotReturnable = 143,
    /// <summary>More units than the return still expects.</summary>
    NotExpected = 144,
    /// <summary>The order has a return with this external id.</summary>
    ReturnIdTaken = 145,
    /// <summary>Units to be repaired have not been shipped back, or there are none.</summary>
    RepairNotDone = 146,
    /// <summary>The time in which the order's goods could be returned is over.</summary>
    ReturnWindowOver = 147,
    /// <summary>Too many returns of one order.</summary>
    ReturnLimitReached = 155,
    /// <summary>Too many catalog entries.</summary>
    CatalogLimitReached = 73,
    /// <summary>It ships complete, and something of it is missing.</summary>
    OrderNotComplete = 196,
    /// <summary>No such supply request.</summary>
    SupplyRequestNotFound = 197,
    /// <summary>The supply request is for another SKU.</summary>
    SupplyRequestMismatch = 198,
    /// <summary>No such exception.</summary>
    ExceptionNotFound = 160,
    /// <summary>The exception is resolved already.</summary>
    ExceptionNotOpen = 161,
    /// <summary>The engine's queue is full; not decided. Given by the engine, never by the core, like those below.</summary>
    QueueFull = 70,
    /// <summary>The engine reads its journal; not decided.</summary>
    EngineRecovering = 100,
    /// <summary>The engine is stopping; not decided.</summary>
    EngineDraining = 101,
    /// <summary>The deadline passed in the queue; not decided.</summary>
    DeadlinePassed = 102,
    /// <summary>Deciding failed with an exception; nothing was changed.</summary>
    InternalError = 103,
    /// <summary>The disk is low; not decided.</summary>
    DiskLow = 180,
    /// <summary>An archived order is too large to be brought back.</summary>
    OrderTooLarge = 181,
    /// <summary>The person was erased: nothing of them is taken any more.</summary>
    PersonErased = 201,
    /// <summary>The order does not wait for its customer's confirmation.</summary>
    NothingToConfirm = 202,
    /// <summary>The complaint was resolved before.</summary>
    ComplaintClosed = 203,
    /// <summary>The return is not one of the complaint's order.</summary>
    ComplaintReturnMismatch = 204,
    /// <summary>The order has its feedback.</summary>
    FeedbackGiven = 205,
    /// <summary>Too many notes of one order.</summary>
    NoteLimitReached = 206,
    /// <summary>No such complaint.</summary>
    ComplaintNotFound = 207,
    /// <summary>Too many complaints of one order.</summary>
    ComplaintLimitReached = 208,
    /// <summary>The order is a customer's, who is erased as a whole.</summary>
    NotAGuestOrder = 209,
    /// <summary>The data was sealed under another key than the one that became the customer's meanwhile.</summary>
    PersonalKeyRaced = 210,
}

/// <summary>Facts about outcomes.</summary>
public static class Outcomes
{
    /// <summary>
    /// True when the refusal depends on the state of things and is therefore recorded under the request id, so that a retry gets the same
    /// answer (rule 6). Others leave the request id free.
    /// </summary>
    public static bool Binds(this Outcome outcome) => outcome is (>= Outcome.ExternalIdTaken and <= Outcome.StockOverflow)
        or (>= Outcome.IllegalReturnTransition and <= Outcome.ReturnWindowOver)
        or (>= Outcome.ChannelLimitExceeded and <= Outcome.RefundExceedsPaid)
        or (>= Outcome.ReleasedToWarehouse and <= Outcome.TransferExceeded)
        or Outcome.ExceptionNotOpen or Outcome.OrderNotComplete or Outcome.SupplyRequestMismatch or Outcome.PaymentOutstanding
        or (>= Outcome.OrderOnHold and <= Outcome.OrderLimitReached)
        or (>= Outcome.PersonErased and <= Outcome.FeedbackGiven);
}
