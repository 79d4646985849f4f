// An encoded event seen without decoding it into objects: the header's fields and the body's bytes. Any thread.

namespace OrderEngine.Core.Events;

/// <summary>The kinds of event: the field numbers of the body in orderengine.journal.Event. They never change.</summary>
public enum EventKind : byte
{
    /// <summary>No body.</summary>
    None = 0,
    /// <summary>A SKU was created or replaced.</summary>
    SkuDefined = 16,
    /// <summary>A location was created or replaced.</summary>
    LocationDefined = 17,
    /// <summary>A channel was created or replaced.</summary>
    ChannelDefined = 18,
    /// <summary>A customer was created or replaced.</summary>
    CustomerDefined = 19,
    /// <summary>The review rules were replaced.</summary>
    ReviewRulesDefined = 20,
    /// <summary>Goods came in.</summary>
    StockReceived = 32,
    /// <summary>A stock level was corrected.</summary>
    StockAdjusted = 33,
    /// <summary>A location's safety stock and reorder point were set.</summary>
    StockPolicySet = 34,
    /// <summary>Supply will come.</summary>
    SupplyAnnounced = 35,
    /// <summary>Announced supply will be more, less or another day.</summary>
    SupplyChanged = 36,
    /// <summary>Units went from one location towards another.</summary>
    StockTransferred = 37,
    /// <summary>A level should be reordered, or need not be any more.</summary>
    ReorderSignalled = 38,
    /// <summary>Stock is held.</summary>
    ReservationCreated = 48,
    /// <summary>Held for longer.</summary>
    ReservationExtended = 49,
    /// <summary>Became an order.</summary>
    ReservationCommitted = 50,
    /// <summary>Let go.</summary>
    ReservationReleased = 51,
    /// <summary>Its time ran out.</summary>
    ReservationExpired = 52,
    /// <summary>An order was accepted.</summary>
    OrderSubmitted = 64,
    /// <summary>Units of an order were cancelled.</summary>
    OrderCancelled = 65,
    /// <summary>A waiting line got stock.</summary>
    BackorderFilled = 66,
    /// <summary>Units went to the warehouse.</summary>
    ShipmentReleased = 67,
    /// <summary>A parcel left.</summary>
    ShipmentConfirmed = 68,
    /// <summary>Units arrived.</summary>
    DeliveryRecorded = 69,
    /// <summary>A reviewer let an order go on.</summary>
    OrderApproved = 70,
    /// <summary>A reviewer refused an order.</summary>
    OrderRejected = 71,
    /// <summary>Money came.</summary>
    PaymentRecorded = 72,
    /// <summary>Money went back.</summary>
    RefundRecorded = 73,
    /// <summary>Review or payment took too long.</summary>
    OrderExpired = 74,
    /// <summary>The time for returns is over.</summary>
    OrderCompleted = 75,
    /// <summary>Released units could not be picked and wait for stock again.</summary>
    PickFellShort = 80,
    /// <summary>Released units are reserved again.</summary>
    ShipmentRecalled = 81,
    /// <summary>Shipped units are lost.</summary>
    LossRecorded = 82,
    /// <summary>Reserved units were taken away and wait for stock again.</summary>
    OrderDeallocated = 83,
    /// <summary>An order is held back.</summary>
    HoldPlaced = 89,
    /// <summary>A hold ended.</summary>
    HoldReleased = 90,
    /// <summary>An order was changed before it went to the warehouse.</summary>
    OrderAmended = 91,
    /// <summary>A request was refused for good.</summary>
    RequestRefused = 96,
    /// <summary>A return was asked for.</summary>
    ReturnRequested = 112,
    /// <summary>It may come.</summary>
    ReturnApproved = 113,
    /// <summary>It may not.</summary>
    ReturnRejected = 114,
    /// <summary>It is on its way.</summary>
    ReturnSent = 115,
    /// <summary>Units came back.</summary>
    ReturnReceived = 116,
    /// <summary>Units were mended.</summary>
    ReturnRepaired = 117,
    /// <summary>Mended units left for the customer.</summary>
    ReturnShippedBack = 118,
    /// <summary>It is done.</summary>
    ReturnClosed = 119,
    /// <summary>A deadline of an order comes near.</summary>
    DeadlineReminded = 128,
    /// <summary>A deadline of an order passed.</summary>
    DeadlineMissed = 129,
    /// <summary>Somebody has to look into something.</summary>
    ExceptionRaised = 130,
    /// <summary>Somebody looked into it.</summary>
    ExceptionResolved = 131,
    /// <summary>It was set when orders are due.</summary>
    DeadlinesDefined = 132,
    /// <summary>A closed order left memory for the archive.</summary>
    OrderArchived = 144,
    /// <summary>An archived order is in memory again, as it was.</summary>
    ArchivedOrderLoaded = 145,
    /// <summary>An archived order is back because a command wanted it.</summary>
    OrderRestored = 146,
    /// <summary>An order that ships complete takes what comes from now on.</summary>
    EarmarkingBegan = 156,
    /// <summary>A waiting line was promised another date, or none any more.</summary>
    BackorderPromised = 157,
    /// <summary>Supply of a SKU is asked for: more or less than before, or no more.</summary>
    SupplyRequested = 158,
    /// <summary>The customer confirmed an order.</summary>
    OrderConfirmed = 164,
    /// <summary>An order got a note.</summary>
    NoteAdded = 165,
    /// <summary>Somebody complained about an order.</summary>
    ComplaintOpened = 166,
    /// <summary>Somebody has to look into a complaint.</summary>
    ComplaintAssigned = 167,
    /// <summary>A complaint is done.</summary>
    ComplaintResolved = 168,
    /// <summary>A customer said what to think of an order.</summary>
    FeedbackRecorded = 169,
    /// <summary>A customer's personal data was erased.</summary>
    CustomerErased = 170,
    /// <summary>The personal data of a guest's order was erased.</summary>
    OrderErased = 171,
    /// <summary>The time for returns is over while one is open.</summary>
    ReturnWindowOver = 176,
    /// <summary>The end of a hold comes near.</summary>
    ReservationReminded = 177,
    /// <summary>The replacement of an exchange came to nothing: the original order is credited.</summary>
    ExchangeCredited = 178,
}

/// <summary>An event's header, and its body as bytes. Valid as long as the bytes it was read from.</summary>
public readonly ref struct EventView
{
    /// <summary>Reads the header of one encoded event (without tag and length).</summary>
    /// <exception cref="FormatException">The bytes are not an event.</exception>
    public EventView(ReadOnlySpan<byte> bytes)
    {
        Bytes = bytes;
        var reader = new ProtoReader(bytes);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: Sequence = reader.Long(); break;
                case 2: Time = reader.Long(); break;
                case 3: ReadOrigin(reader.Bytes(), out RequestKey, out BodyDigest, out Actor, out Role, out Reason); break;
                case 4: Order = reader.Long(); break;
                case 5: Channel = reader.Int(); break;
                case 6: Customer = reader.Int(); break;
                case 7: Before = (OrderState)reader.Varint(); break;
                case 8: After = (OrderState)reader.Varint(); break;
                case 9: Deadline = reader.Long(); break;
                case >= 16 when wireType == 2:
                    // A number beyond all kinds stays unknown, whatever its low byte.
                    Kind = (EventKind)Math.Min(field, byte.MaxValue);
                    Body = reader.Bytes();
                    break;
                default: reader.Skip(wireType); break;
            }
        }
    }

    /// <summary>The position of one encoded event. The engine writes it first, so that nothing else is read.</summary>
    /// <exception cref="FormatException">The bytes are not an event.</exception>
    public static long SequenceOf(ReadOnlySpan<byte> bytes)
    {
        var reader = new ProtoReader(bytes);
        return reader.Next(out var field, out _) && field == 1 ? reader.Long() : new EventView(bytes).Sequence;
    }

    /// <summary>The whole event.</summary>
    public readonly ReadOnlySpan<byte> Bytes;
    /// <summary>Its position.</summary>
    public readonly long Sequence;
    /// <summary>Microseconds since 1970.</summary>
    public readonly long Time;
    /// <summary>Of the request that caused it; 0: none.</summary>
    public readonly UInt128 RequestKey;
    /// <summary>Of the request that caused it.</summary>
    public readonly UInt128 BodyDigest;
    /// <summary>Who asked; empty when nobody or nobody said.</summary>
    public readonly ReadOnlySpan<byte> Actor;
    /// <summary>In which role; <see cref="Role.None"/>: the engine itself.</summary>
    public readonly Role Role;
    /// <summary>A reason code.</summary>
    public readonly ReadOnlySpan<byte> Reason;
    /// <summary>Number of the order; 0: not of an order.</summary>
    public readonly long Order;
    /// <summary>Number of the order's channel.</summary>
    public readonly int Channel;
    /// <summary>Number of the order's customer; 0: a guest.</summary>
    public readonly int Customer;
    /// <summary>The order's state before.</summary>
    public readonly OrderState Before;
    /// <summary>The order's state after.</summary>
    public readonly OrderState After;
    /// <summary>When the new state's deadline passes; 0: it has none. Microseconds since 1970.</summary>
    public readonly long Deadline;
    /// <summary>What happened.</summary>
    public readonly EventKind Kind;
    /// <summary>The body's message.</summary>
    public readonly ReadOnlySpan<byte> Body;

    private static void ReadOrigin(ReadOnlySpan<byte> origin, out UInt128 key, out UInt128 digest, out ReadOnlySpan<byte> actor, out Role role, out ReadOnlySpan<byte> reason)
    {
        key = digest = 0;
        actor = reason = default;
        role = Role.None;
        var reader = new ProtoReader(origin);
        while (reader.Next(out var field, out var wireType))
        {
            switch (field)
            {
                case 1: key = reader.Wide(); break;
                case 2: digest = reader.Wide(); break;
                case 3: actor = reader.Bytes(); break;
                case 4: role = (Role)reader.Varint(); break;
                case 5: reason = reader.Bytes(); break;
                default: reader.Skip(wireType); break;
            }
        }
    }
}

/// <summary>Walks the events of a batch's payload (orderengine.journal.Events) one by one.</summary>
/// <param name="payload">The encoded batch.</param>
public ref struct EventEnumerator(ReadOnlySpan<byte> payload)
{
    private ProtoReader _reader = new(payload);

    /// <summary>The present event's bytes, without tag and length.</summary>
    public ReadOnlySpan<byte> Current { get; private set; }

    /// <summary>Where <see cref="Current"/> begins in the payload.</summary>
    public int Offset { get; private set; }

    /// <summary>Moves to the next event; false at the end.</summary>
    /// <exception cref="FormatException">The payload is not a list of events.</exception>
    public bool MoveNext()
    {
        while (_reader.Next(out var field, out var wireType))
        {
            if (field != 1 || wireType != 2)
            {
                _reader.Skip(wireType);
                continue;
            }
            Current = _reader.Bytes();
            Offset = _reader.Position - Current.Length;
            return true;
        }
        return false;
    }
}
