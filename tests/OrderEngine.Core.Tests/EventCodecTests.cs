// Proves: what the core writes by hand is what proto/orderengine/journal says, event by event, field by field.

using System.Text;
using Google.Protobuf;
using OrderEngine.Contracts.Journal;
using OrderEngine.Core.Events;
using OrderEngine.Core.Tests.Histories;
using Xunit;
using JournalState = OrderEngine.Contracts.Journal.OrderState;

namespace OrderEngine.Core.Tests;

public sealed class EventCodecTests
{
    private static readonly MessageParser<Event> Known = Event.Parser.WithDiscardUnknownFields(true);
    private readonly Shop _shop = new();

    [Fact]
    public void Every_event_of_a_history_parses_without_unknown_fields_and_comes_back_equal()
    {
        var kinds = new HashSet<Event.BodyOneofCase>();
        // Rare kinds come in some histories only: on until all have come, and not for ever.
        var all = Enum.GetValues<Event.BodyOneofCase>().Length - 1;
        for (var seed = 1; seed <= 5 || (kinds.Count < all && seed <= 60); seed++)
        {
            var history = new History(new Tally());
            var random = new Random(seed);
            for (var i = 0; i < 600; i++) history.Step(random.Next());
            foreach (var bytes in history.Events)
            {
                var parsed = Event.Parser.ParseFrom(bytes);
                Assert.Equal(parsed, Known.ParseFrom(bytes));
                Assert.Equal(parsed, Event.Parser.ParseFrom(parsed.ToByteArray()));
                SameHeader(parsed, bytes);
                kinds.Add(parsed.BodyCase);
            }
        }
        // What the engine asks of itself: ArchiveTests.
        kinds.UnionWith([Event.BodyOneofCase.OrderArchived, Event.BodyOneofCase.ArchivedOrderLoaded, Event.BodyOneofCase.OrderRestored]);
        Assert.Equal(Enum.GetValues<Event.BodyOneofCase>().Where(kind => kind != Event.BodyOneofCase.None), kinds.Order());
        Assert.Equal(Enum.GetValues<EventKind>().Select(kind => (int)kind), Enum.GetValues<Event.BodyOneofCase>().Select(kind => (int)kind));
    }

    [Fact]
    public void A_batch_parses_as_a_list_of_events()
    {
        _shop.Ok(_shop.Receive(1, (1, 5)));
        var events = Contracts.Journal.Events.Parser.ParseFrom(_shop.Events.Written);
        Assert.Equal(Enumerable.Range(1, events.Events_.Count).Select(i => (ulong)i), events.Events_.Select(e => e.Sequence));
    }

    [Fact]
    public void Catalog_events_say_what_was_defined()
    {
        var sku = Done(new DefineSku
        {
            Id = Shop.Bytes("sku-ü"), Name = Shop.Bytes("n"), Model = Shop.Bytes("mo"), Specification = Shop.Bytes("sp"), Category = Shop.Bytes("ca"), Unit = Shop.Bytes("u"), Price = 123_456_789_012,
            CurrencyCode = Currency.Pack("CHF"u8), LeadTimeSeconds = 77, Substitutes = [3, 1, 300], Role = Role.Support, Actor = Shop.Bytes("a7"), Reason = Shop.Bytes("R"), RequestKey = UInt128.MaxValue - 3, BodyDigest = 5,
        });
        Assert.Equal(
            new SkuDefined { Sku = 5, SkuId = "sku-ü", Name = "n", Model = "mo", Specification = "sp", Category = "ca", Unit = "u", Price = 123_456_789_012, Currency = "CHF", LeadTimeSeconds = 77, Substitutes = { 3u, 1u, 300u } },
            sku.SkuDefined);
        Assert.Equal((ulong)_shop.Now, sku.Time);
        Assert.Equal(("a7", (uint)Role.Support, "R"), (sku.Origin.Actor, sku.Origin.Role, sku.Origin.Reason));
        Assert.Equal("FCFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF 05000000000000000000000000000000",
            $"{Convert.ToHexString(sku.Origin.RequestKey.Span)} {Convert.ToHexString(sku.Origin.BodyDigest.Span)}");

        Assert.Equal(new LocationDefined { Location = 4, LocationId = "d", Name = "D", Region = "r", Priority = 9 },
            Done(new DefineLocation { Id = Shop.Bytes("d"), Name = Shop.Bytes("D"), Region = Shop.Bytes("r"), Priority = 9, Role = Role.Manager }).LocationDefined);
        Assert.Equal(new ChannelDefined { Channel = 4, ChannelId = "ch", Name = "C", AllowedLocations = { 2u, 1u }, SourcingRule = 2, DefaultPolicy = 4, DefaultTerms = 1 },
            Done(new DefineChannel
            {
                Id = Shop.Bytes("ch"), Name = Shop.Bytes("C"), AllowedLocations = [2, 1], Sourcing = SourcingRule.MostAvailable, DefaultPolicy = AllocationPolicy.PartialCancelRest,
                DefaultTerms = PaymentTerms.CashOnDelivery, Role = Role.Manager,
            }).ChannelDefined);
        var customer = new DefineCustomer { Id = Shop.Bytes("cu"), Tier = 7, Details = new SealedData(8, [1, 2, 3]), Role = Role.Channel };
        Assert.Equal(new CustomerDefined { Customer = 4, CustomerId = "cu", Tier = 7, Details = new Sealed { Key = 8, Ciphertext = ByteString.CopyFrom(1, 2, 3) } }, Done(customer).CustomerDefined);
        // Leaving the details out keeps them.
        Assert.Equal(new CustomerDefined { Customer = 4, CustomerId = "cu", Tier = 2, Details = new Sealed { Key = 8, Ciphertext = ByteString.CopyFrom(1, 2, 3) } },
            Done(new DefineCustomer { Id = customer.Id, Tier = 2, Role = Role.Channel }).CustomerDefined);
        Assert.Equal(8, _shop.Core.Reader.CustomerKey(4));
    }

    [Fact]
    public void Stock_and_reservation_events_say_what_moved()
    {
        var receive = new ReceiveStock { Location = 2, Items = [new SkuQuantity(1, 5), new SkuQuantity(2, 300), new SkuQuantity(1, 1)], Reference = Shop.Bytes("PO"), Role = Role.Warehouse };
        Assert.Equal(new StockReceived { Location = 2, Reference = "PO", Items = { Units(1, 5), Units(2, 300), Units(1, 1) } }, Done(receive).StockReceived);
        Assert.Equal(new StockAdjusted { Location = 2, Sku = 1, OnHandDelta = -2 }, Done(Adjust(AdjustmentKind.OnHandDelta, -2)).StockAdjusted);
        Assert.Equal(new StockAdjusted { Location = 2, Sku = 1, OnHandDelta = 6, Counted = true }, Done(Adjust(AdjustmentKind.CountedOnHand, 10)).StockAdjusted);
        Assert.Equal(new StockAdjusted { Location = 2, Sku = 1, UnavailableDelta = 1 }, Done(Adjust(AdjustmentKind.UnavailableDelta, 1)).StockAdjusted);

        var created = Done(_shop.Hold(1, 1, Shop.Hour, (1, 4), (2, 6)));
        Assert.Equal(new ReservationCreated { Reservation = 1, ExpireTime = (ulong)(_shop.Now + Shop.Hour), Items = { Held(1, 2, 4), Held(2, 2, 6) } }, created.ReservationCreated);
        Assert.Equal((1u, 1u), (created.Channel, created.Customer));
        _shop.Now += 5;
        Assert.Equal(new ReservationExtended { Reservation = 1, ExpireTime = (ulong)(_shop.Now + Shop.Day) }, Done(new ExtendReservation { Reservation = 1, TtlMicros = Shop.Day, Role = Role.Channel }).ReservationExtended);
        Assert.Equal(new ReservationReleased { Reservation = 1 }, Done(new ReleaseReservation { Reservation = 1, Role = Role.Channel }).ReservationReleased);
        _shop.Ok(_shop.Hold(1, 1, Shop.Hour, (1, 1)));
        _shop.Now += Shop.Hour;
        _shop.Turn();
        var expired = Last();
        Assert.Equal(new ReservationExpired { Reservation = 2 }, expired.ReservationExpired);
        Assert.Null(expired.Origin);

        _shop.Ok(new SetDeadlines { HoldRemindSeconds = 60, Role = Role.Manager });
        _shop.Ok(_shop.Hold(1, 1, Shop.Hour, (1, 1)));
        _shop.Now += Shop.Hour - 60 * Shop.Second;
        _shop.Turn();
        Assert.Equal(new ReservationReminded { Reservation = 3, ExpireTime = (ulong)(_shop.Now + 60 * Shop.Second) }, Last().ReservationReminded);
        Assert.Null(Last().Origin);
    }

    [Fact]
    public void Order_events_say_what_was_ordered_and_what_moved()
    {
        _shop.Ok(_shop.Receive(1, (1, 4)));
        _shop.Ok(_shop.Receive(2, (1, 3), (2, 9)));
        _shop.Ok(_shop.Hold(1, 3, Shop.Hour, (1, 2)));
        var submitted = Done(new SubmitOrder(CommandKind.CommitReservation)
        {
            Channel = 1, Customer = 3, ExternalId = Shop.Bytes("EXT"), Type = OrderType.Wholesale, Policy = AllocationPolicy.PartialBackorder, Terms = PaymentTerms.CashOnDelivery, Priority = Priority.High,
            CurrencyCode = Currency.Pack("USD"u8), RequestedAt = 99, Lines = [new DraftLine(1, 10, 250), new DraftLine(2, 2, 0)], Delivery = new SealedData(31, [9]), Reservation = 1, Role = Role.Support,
        });
        Assert.Equal(new ReservationCommitted { Reservation = 1, Order = 1 }, Events()[^2].ReservationCommitted);
        Assert.Equal((1ul, 1u, 3u, JournalState.None, JournalState.PartiallyReserved), (submitted.Order, submitted.Channel, submitted.Customer, submitted.StateBefore, submitted.StateAfter));
        Assert.Equal(new OrderSubmitted
        {
            ExternalOrderId = "EXT", Type = 2, Policy = 3, Terms = 1, Priority = 2, Currency = "USD", RequestedTime = 99, Reservation = 1, Tier = 9, Delivery = new Sealed { Key = 31, Ciphertext = ByteString.CopyFrom(9) },
            Lines =
            {
                new SubmittedLine { Sku = 1, Quantity = 10, UnitPrice = 250, Backordered = 3, Reserved = { At(1, 4), At(2, 3) } },
                new SubmittedLine { Sku = 2, Quantity = 2, Reserved = { At(2, 2) } },
            },
            Shortages = { Missing(1, 10, 7) },
        }, submitted.OrderSubmitted);

        _shop.Ok(_shop.Receive(3, (1, 1)));
        _shop.Turn();
        Assert.Equal(new BackorderFilled { Line = 1, Reserved = { At(3, 1) } }, Events().Last(e => e.BackorderFilled is not null).BackorderFilled);
        var cancelled = Done(new CancelOrder { Order = 1, Lines = [new LineQuantity(1, 5), new LineQuantity(2, 1)], Role = Role.Customer });
        Assert.Equal(new OrderCancelled
        {
            Lines = { new CancelledLine { Line = 1, Backordered = 2, Reserved = { At(3, 1), At(2, 2) } }, new CancelledLine { Line = 2, Reserved = { At(2, 1) } } },
        }, cancelled.OrderCancelled);
        Assert.Equal((JournalState.PartiallyReserved, JournalState.Ready), (cancelled.StateBefore, cancelled.StateAfter));
        Assert.Equal(new ShipmentReleased { Lines = { Move(1, 1, 4), Move(1, 2, 1), Move(2, 2, 1) } }, Done(new ReleaseShipment { Order = 1, Role = Role.Warehouse }).ShipmentReleased);
        var confirm = new ConfirmShipment { Order = 1, Lines = [new LineMovement(2, 2, 1)], Carrier = Shop.Bytes("DHL"), TrackingNumber = Shop.Bytes("T1"), Role = Role.Warehouse };
        Assert.Equal(new ShipmentConfirmed { Parcel = 1, Carrier = "DHL", TrackingNumber = "T1", Lines = { Move(2, 2, 1) } }, Done(confirm).ShipmentConfirmed);
        Assert.Equal(new DeliveryRecorded { Lines = { new DeliveredLine { Line = 2, Quantity = 1 } } }, Done(new RecordDelivery { Order = 1, Role = Role.Carrier }).DeliveryRecorded);
    }

    [Fact]
    public void Holds_say_which_and_what_is_open_and_refuse_the_release()
    {
        _shop.Ok(_shop.Receive(1, (1, 4)));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 3)));
        var placed = Done(new PlaceHold { Order = 1, Hold = OrderHolds.Address, Role = Role.Support, Reason = Shop.Bytes("NO_STREET") });
        Assert.Equal(new HoldPlaced { Hold = 4, Open = 4 }, placed.HoldPlaced);
        Assert.Equal((JournalState.Ready, JournalState.Ready, "NO_STREET"), (placed.StateBefore, placed.StateAfter, placed.Origin.Reason));
        Assert.Equal(new HoldPlaced { Hold = 1, Open = 5 }, Done(new PlaceHold { Order = 1, Hold = OrderHolds.Risk, Role = Role.System }).HoldPlaced);
        Assert.Equal(Outcome.OrderOnHold, _shop.Do(new ReleaseShipment { Order = 1, Role = Role.Warehouse }).Outcome);
        Assert.Equal(new RequestRefused { Outcome = 170, Object = 1, Holds = 5 }, Last().RequestRefused);
        Assert.Equal(new HoldReleased { Hold = 4, Open = 1 }, Done(new ReleaseHold { Order = 1, Hold = OrderHolds.Address, Role = Role.Reviewer }).HoldReleased);
        Assert.Equal(new HoldReleased { Hold = 1 }, Done(new ReleaseHold { Order = 1, Hold = OrderHolds.Risk, Role = Role.Reviewer }).HoldReleased);
        _shop.Ok(new ReleaseShipment { Order = 1, Role = Role.Warehouse });
    }

    [Fact]
    public void Amendments_say_how_each_line_was_and_is()
    {
        _shop.Ok(_shop.Receive(1, (1, 4), (2, 3)));
        _shop.Ok(_shop.Receive(2, (2, 9)));
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 6), (2, 2)));
        var amended = Done(new AmendOrder(CommandKind.AmendLines)
        {
            Order = 1, Fields = AmendedFields.Delivery | AmendedFields.RequestedTime | AmendedFields.Lines, RequestedAt = 77, Delivery = new SealedData(5, [1]), DeliveryFields = 1 << 5,
            Lines = [new AmendedLine(1, 0, 3, -1), new AmendedLine(2, 0, 4, 0), new AmendedLine(0, 2, 9, 7), new AmendedLine(0, 3, 1, 8)], Role = Role.Support,
        });
        Assert.Equal(new OrderAmended
        {
            Fields = 7, Freed = { Move(1, 1, 1) }, Delivery = new Sealed { Key = 5, Ciphertext = ByteString.CopyFrom(1) }, DeliveryFields = 1 << 5, RequestedTime = 77, TotalBefore = 800, Total = 371, Watched = true, RegardsPromises = true,
            Lines =
            {
                new Contracts.Journal.AmendedLine { Line = 1, Sku = 1, QuantityBefore = 6, Quantity = 3, UnitPriceBefore = 100, UnitPrice = 100, BackorderedChange = -2 },
                new Contracts.Journal.AmendedLine { Line = 2, Sku = 2, QuantityBefore = 2, Quantity = 4, UnitPriceBefore = 100, Reserved = { At(1, 1), At(2, 1) } },
                new Contracts.Journal.AmendedLine { Line = 3, Sku = 2, Quantity = 9, UnitPrice = 7, BackorderedChange = 1, Reserved = { At(2, 8) }, AddedWaiting = 1 },
                new Contracts.Journal.AmendedLine { Line = 4, Sku = 3, Quantity = 1, UnitPrice = 8, BackorderedChange = 1, AddedWaiting = 1 },
            },
        }, amended.OrderAmended);
        Assert.Equal(Outcome.NotAmendable, _shop.Do(new AmendOrder(CommandKind.AmendLines) { Order = 1, Fields = AmendedFields.Lines, Lines = [new AmendedLine(2, 0, 5, -1), new AmendedLine(1, 0, 0, -1), new AmendedLine(3, 0, 0, -1), new AmendedLine(2, 0, 0, -1), new AmendedLine(4, 0, 0, -1)], Role = Role.Support }).Outcome);
    }

    [Fact]
    public void A_refusal_says_why_and_what_is_missing()
    {
        _shop.Ok(_shop.Receive(1, (1, 4), (2, 1)));
        var order = _shop.Order(AllocationPolicy.AllOrNothing, (2, 2), (1, 3), (1, 3), (3, 1));
        Assert.Equal(Outcome.OutOfStock, _shop.Do(order).Outcome);
        Assert.Equal(new RequestRefused { Outcome = 41, Shortages = { Missing(2, 2, 1, 1), Missing(1, 6, 4, 1), Missing(3, 1, 0) } }, Last().RequestRefused);
        _shop.Ok(order = _shop.Order(AllocationPolicy.AllOrNothing, (1, 1)));
        var again = new SubmitOrder { Channel = 1, ExternalId = order.ExternalId, CurrencyCode = order.CurrencyCode, Lines = order.Lines, Role = Role.Channel };
        Assert.Equal(Outcome.ExternalIdTaken, _shop.Do(again).Outcome);
        Assert.Equal(new RequestRefused { Outcome = 40, Object = 1 }, Last().RequestRefused);
    }

    [Fact]
    public void Long_lines_and_long_lists_keep_their_lengths()
    {
        var lines = Enumerable.Range(0, Limits.LinesPerOrder).Select(_ => (1, 2)).ToArray();
        _shop.Ok(_shop.Receive(1, (1, 3_999)));
        var submitted = Done(_shop.Order(AllocationPolicy.PartialBackorder, lines)).OrderSubmitted;
        Assert.Equal(Limits.LinesPerOrder, submitted.Lines.Count);
        Assert.Equal((3_999L, 1L), (submitted.Lines.Sum(l => l.Reserved.Sum(r => r.Quantity)), submitted.Lines.Sum(l => l.Backordered)));
        var sealedData = new byte[Limits.SealedBytes];
        new Random(1).NextBytes(sealedData);
        var customer = Done(new DefineCustomer { Id = Shop.Bytes("long"), Details = new SealedData(1, sealedData), Role = Role.Channel });
        Assert.Equal(sealedData, customer.CustomerDefined.Details.Ciphertext.ToByteArray());
    }

    private static void SameHeader(Event parsed, byte[] bytes)
    {
        var e = new EventView(bytes);
        Assert.Equal(((long)parsed.Sequence, (long)parsed.Time, (long)parsed.Order, (int)parsed.Channel, (int)parsed.Customer), (e.Sequence, e.Time, e.Order, e.Channel, e.Customer));
        Assert.Equal(((int)parsed.StateBefore, (int)parsed.StateAfter, (int)parsed.BodyCase), ((int)e.Before, (int)e.After, (int)e.Kind));
        Assert.Equal((parsed.Origin?.Actor ?? "", parsed.Origin?.Role ?? 0, parsed.Origin?.Reason ?? ""), (Encoding.UTF8.GetString(e.Actor), (uint)e.Role, Encoding.UTF8.GetString(e.Reason)));
    }

    private Event Done(Command command)
    {
        var decision = _shop.Ok(command);
        return Event.Parser.ParseFrom(_shop.Events.Written.Slice(decision.Offset, decision.Length));
    }

    private Google.Protobuf.Collections.RepeatedField<Event> Events() => Contracts.Journal.Events.Parser.ParseFrom(_shop.Events.Written).Events_;

    private Event Last() => Events()[^1];

    private static AdjustStock Adjust(AdjustmentKind kind, long units) => new() { Sku = 1, Location = 2, Adjustment = kind, Value = units, Role = Role.Warehouse };

    private static Contracts.Journal.SkuQuantity Units(uint sku, uint units) => new() { Sku = sku, Quantity = units };

    private static HeldItem Held(uint sku, uint location, uint units) => new() { Sku = sku, Location = location, Quantity = units };

    private static Allocation At(uint location, uint units) => new() { Location = location, Quantity = units };

    private static Movement Move(uint line, uint location, uint units) => new() { Line = line, Location = location, Quantity = units };

    private static Shortage Missing(uint sku, ulong requested, ulong available, uint lies = 0)
    {
        var missing = new Shortage { Sku = sku, Requested = requested, Available = available };
        if (lies != 0) missing.Places.Add(new OfferedPlace { Location = lies, Sellable = (uint)available });
        return missing;
    }
}
