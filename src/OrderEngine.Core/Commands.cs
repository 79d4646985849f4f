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
