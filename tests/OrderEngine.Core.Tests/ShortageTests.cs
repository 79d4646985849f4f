// Proves: what is said of a shortage, what is asked of those who supply and what is promised to those who wait. Case by case.

using OrderEngine.Contracts.Journal;
using OrderEngine.Core.Events;
using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class ShortageTests
{
    private readonly Shop _shop = new();

    [Fact]
    public void A_refusal_says_when_the_rest_comes_and_what_could_be_had_instead()
    {
        _shop.Ok(new DefineSku { Id = Shop.Bytes("sku-1"), Substitutes = [2, 3, 4], LeadTimeSeconds = 7_200, Role = Role.Manager });
        _shop.Ok(_shop.Receive(1, (1, 2), (3, 5)));
        _shop.Ok(_shop.Receive(2, (1, 9), (4, 1)));
        // Channel 3 is served from location 1 only.
        var refusal = Refused(_shop.Order(3, 0, AllocationPolicy.AllOrNothing, (1, 4)));
        Assert.Equal(new Shortage
        {
            Sku = 1, Requested = 4, Available = 2, ExpectedTime = (ulong)(_shop.Now + 2 * Shop.Hour), ByLeadTime = 1, Substitutes = { new OfferedSku { Sku = 3, Sellable = 5 } },
            Places = { new OfferedPlace { Location = 2, Exclusion = 1, Sellable = 9 }, new OfferedPlace { Location = 1, Sellable = 2 } },
        }, refusal);

        // What is announced elsewhere does not come to it; here it does.
        Announce(2, 50, 1);
        Assert.Equal(1u, Refused(_shop.Order(3, 0, AllocationPolicy.AllOrNothing, (1, 4))).ByLeadTime);
        Announce(1, 1, 2);
        Announce(1, 1, 3);
        refusal = Refused(_shop.Order(3, 0, AllocationPolicy.AllOrNothing, (1, 4)));
        Assert.Equal(((ulong)(Shop.Start + 3 * Shop.Day), 0u), (refusal.ExpectedTime, refusal.ByLeadTime));
    }

    [Fact]
    public void What_those_ahead_wait_for_is_not_promised_again()
    {
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 5)));
        Announce(1, 6, 1);
        Announce(1, 2, 4);
        _shop.Turn();
        Assert.Equal((ulong)(Shop.Start + 4 * Shop.Day), Refused(_shop.Order(AllocationPolicy.AllOrNothing, (1, 2))).ExpectedTime);
        Assert.Equal((ulong)(Shop.Start + Shop.Day), Refused(_shop.Order(AllocationPolicy.AllOrNothing, (1, 1))).ExpectedTime);
        Assert.Equal(0ul, Refused(_shop.Order(AllocationPolicy.AllOrNothing, (1, 4))).ExpectedTime);
        // A better customer is ahead of who waits, and so of what was announced for him.
        Assert.Equal((ulong)(Shop.Start + Shop.Day), Refused(_shop.Order(1, 3, AllocationPolicy.AllOrNothing, (1, 4))).ExpectedTime);
    }

    [Fact]
    public void An_order_that_waits_says_it_in_its_first_event_and_a_dry_run_says_the_same()
    {
        _shop.Ok(_shop.Receive(1, (1, 1)));
        Announce(1, 9, 2);
        _shop.Turn();
        var order = _shop.Order(AllocationPolicy.PartialBackorder, (1, 3));
        var scratch = new EventBuffer();
        var check = _shop.Core.Check(order, _shop.Now, scratch);
        var decision = _shop.Ok(order);
        var bytes = _shop.Events.Written.Slice(decision.Offset, decision.Length);
        Assert.True(scratch.Written.Slice(check.Offset, check.Length).SequenceEqual(bytes));
        Assert.Equal(new Shortage { Sku = 1, Requested = 3, Available = 1, ExpectedTime = (ulong)(Shop.Start + 2 * Shop.Day) }, Assert.Single(Event.Parser.ParseFrom(bytes).OrderSubmitted.Shortages));
        _shop.Ok(_shop.Receive(1, (2, 5)));
        Assert.Empty(Event.Parser.ParseFrom(Answer(_shop.Order(AllocationPolicy.PartialBackorder, (2, 3)))).OrderSubmitted.Shortages);
    }

    [Fact]
    public void Many_shortages_are_told_of_and_a_bounded_number_explained()
    {
        for (var i = 5; i <= 60; i++) _shop.Ok(new DefineSku { Id = Shop.Bytes($"sku-{i}"), LeadTimeSeconds = 60, Role = Role.Manager });
        var order = _shop.Order(AllocationPolicy.AllOrNothing, [.. Enumerable.Range(5, 56).Select(sku => (sku, 1))]);
        Assert.Equal(Outcome.OutOfStock, _shop.Do(order).Outcome);
        var shortages = Last().RequestRefused.Shortages;
        Assert.Equal((56, Limits.ShortagesExplained), (shortages.Count, shortages.Count(s => s.ExpectedTime != 0)));
    }

    [Fact]
    public void Supply_is_asked_for_once_and_grows_and_falls_with_what_is_missing()
    {
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 5)));
        _shop.Turn();
        Assert.Equal(new SupplyRequested { Request = 1, Sku = 1, Location = 1, Kind = 1, Quantity = 5 }, Last().SupplyRequested);
        var before = _shop.Core.Sequence;
        _shop.Turn();
        Assert.Equal(before, _shop.Core.Sequence);
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 2)));
        _shop.Turn();
        Assert.Equal((1uL, 7uL), (Last().SupplyRequested.Request, Last().SupplyRequested.Quantity));

        // Its answer leaves one open; who no longer waits, none.
        var announced = Event.Parser.ParseFrom(Answer(Announcement(1, 6, 2, request: 1)));
        Assert.Equal(1uL, announced.SupplyAnnounced.SupplyRequest);
        _shop.Turn();
        Assert.Equal((1L, 6L, 1L), (Request(1).Quantity, Request(1).Announced, Request(1).LastIncoming));
        _shop.Ok(new CancelOrder { Order = 2, Lines = [new LineQuantity(1, 1)], Role = Role.Customer });
        _shop.Turn();
        Assert.Equal(0, Request(1).Quantity);

        // What is called off is missing again: a new need, a new request.
        _shop.Ok(new AnnounceIncoming { Incoming = 1, Quantity = 2, ExpectedAt = _shop.Now + Shop.Day, Role = Role.Warehouse });
        _shop.Turn();
        Assert.Equal((0L, 4L, 2L), (Request(1).Quantity, Request(2).Quantity, _shop.Core.Reader.LastSupplyRequest));
        _shop.Ok(_shop.Receive(1, (1, 10)));
        _shop.Turn();
        Assert.Equal(0, Request(2).Quantity);
        Assert.Empty(_shop.Core.CheckIndexes());
    }

    [Fact]
    public void The_day_by_which_it_is_needed_is_that_of_the_first_who_waits_also_when_it_changes()
    {
        _shop.Ok(Wanted(Shop.Start + 9 * Shop.Day));
        _shop.Turn();
        Assert.Equal(Shop.Start + 9 * Shop.Day, Request(1).NeededBy);
        _shop.Ok(new AmendOrder(CommandKind.AmendOrder) { Order = 1, Fields = AmendedFields.RequestedTime, RequestedAt = Shop.Start + 4 * Shop.Day, Role = Role.Customer });
        _shop.Turn();
        Assert.Equal((5L, Shop.Start + 4 * Shop.Day), (Request(1).Quantity, Request(1).NeededBy));

        // Another order takes the place of the first: as many units, for another day.
        _shop.Ok(Wanted(Shop.Start + 6 * Shop.Day));
        _shop.Ok(new CancelOrder { Order = 1, Role = Role.Customer });
        _shop.Turn();
        Assert.Equal((5L, Shop.Start + 6 * Shop.Day, 1L), (Request(1).Quantity, Request(1).NeededBy, _shop.Core.Reader.LastException));
        var before = _shop.Core.Sequence;
        _shop.Turn();
        Assert.Equal(before, _shop.Core.Sequence);
        Assert.Equal(_shop.Core.Seal().StateHash, _shop.Restarted().Seal().StateHash);

        SubmitOrder Wanted(long day) => new()
        {
            Channel = 1, ExternalId = Shop.Bytes($"wanted-{day}"), Policy = AllocationPolicy.PartialBackorder, CurrencyCode = Currency.Pack("GBP"u8), RequestedAt = day,
            Lines = [new DraftLine(1, 5, 100)], Role = Role.Channel,
        };
    }

    [Fact]
    public void It_is_asked_of_the_place_that_has_enough_or_as_the_sku_is_got()
    {
        // Location 1 alone serves channel 3; location 2 has some, location 3 enough.
        _shop.Ok(_shop.Receive(2, (1, 3)));
        _shop.Ok(_shop.Receive(3, (1, 8)));
        _shop.Ok(_shop.Order(3, 0, AllocationPolicy.PartialBackorder, (1, 4)));
        _shop.Turn();
        Assert.Equal((SupplyKind.Transfer, 1, 3, 4L), (Request(1).Kind, Request(1).Location, Request(1).From, Request(1).Quantity));
        // More than any of them has: it has to be made.
        _shop.Ok(new DefineSku { Id = Shop.Bytes("sku-1"), Replenishment = SupplyKind.Production, Role = Role.Manager });
        _shop.Ok(_shop.Order(3, 0, AllocationPolicy.PartialBackorder, (1, 5)));
        _shop.Turn();
        Assert.Equal((SupplyKind.Production, 1, 0, 9L), (Request(1).Kind, Request(1).Location, Request(1).From, Request(1).Quantity));
        _shop.Ok(new TransferStock { Sku = 1, From = 3, To = 1, Quantity = 8, ExpectedAt = _shop.Now + Shop.Day, Request = 1, Role = Role.Warehouse });
        _shop.Turn();
        Assert.Equal((1L, 8L), (Request(1).Quantity, Request(1).Announced));
        Assert.Equal(Outcome.SupplyRequestMismatch, _shop.Do(new TransferStock { Sku = 2, From = 3, To = 1, Quantity = 1, ExpectedAt = _shop.Now, Request = 1, Role = Role.Warehouse }).Outcome);
        Assert.Equal(Outcome.SupplyRequestNotFound, _shop.Do(Announcement(1, 1, 1, request: 2)).Outcome);
    }

    [Fact]
    public void What_lies_for_an_order_that_waits_for_something_else_is_not_asked_for()
    {
        _shop.Ok(_shop.Receive(1, (1, 5)));
        _shop.Ok(_shop.Whole((1, 5), (2, 3)));
        _shop.Turn();
        Assert.Equal((2, 1L), (Request(1).Sku, _shop.Core.Reader.LastSupplyRequest));
        // Somebody else buys it: now it is missing.
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 4)));
        _shop.Turn();
        Assert.Equal((1, 4L), (Request(2).Sku, Request(2).Quantity));
    }

    [Fact]
    public void Who_waits_is_promised_the_day_on_which_all_of_it_will_have_come_and_told_when_that_changes()
    {
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 5)));
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 2)));
        Announce(1, 3, 2);
        _shop.Turn();
        Assert.Equal((0L, 0L), (Promised(1), Promised(2)));
        Announce(1, 4, 5);
        _shop.Turn();
        Assert.Equal((Shop.Start + 5 * Shop.Day, Shop.Start + 5 * Shop.Day), (Promised(1), Promised(2)));
        // A better customer comes in between: the last one's goods are his.
        _shop.Ok(_shop.Order(1, 3, AllocationPolicy.PartialBackorder, (1, 2)));
        _shop.Turn();
        Assert.Equal((Shop.Start + 2 * Shop.Day, Shop.Start + 5 * Shop.Day, 0L), (Promised(3), Promised(1), Promised(2)));
        // Of the first delivery more comes, and sooner.
        _shop.Ok(new AnnounceIncoming { Incoming = 1, Quantity = 7, ExpectedAt = _shop.Now + Shop.Day, Role = Role.Warehouse });
        _shop.Turn();
        Assert.Equal((Shop.Start + Shop.Day, Shop.Start + Shop.Day, Shop.Start + 5 * Shop.Day), (Promised(3), Promised(1), Promised(2)));
        _shop.Ok(new ReceiveStock { Location = 1, Items = [new SkuQuantity(1, 7)], Incoming = 1, Role = Role.Warehouse });
        _shop.Turn();
        Assert.Equal((0L, 0L, Shop.Start + 5 * Shop.Day), (Promised(3), Promised(1), Promised(2)));
        Assert.Equal(_shop.Core.Seal().StateHash, _shop.Restarted().Seal().StateHash);
        Assert.Empty(_shop.Core.CheckIndexes());
    }

    [Fact]
    public void What_comes_where_it_cannot_serve_the_order_is_not_promised_to_it()
    {
        _shop.Ok(_shop.Order(3, 0, AllocationPolicy.PartialBackorder, (1, 2)));
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 2)));
        Announce(2, 4, 1);
        _shop.Turn();
        Assert.Equal((0L, Shop.Start + Shop.Day), (Promised(1), Promised(2)));
        _shop.Ok(_shop.Channel(3, []));
        _shop.Turn();
        Assert.Equal((Shop.Start + Shop.Day, Shop.Start + Shop.Day), (Promised(1), Promised(2)));
    }

    [Fact]
    public void The_day_of_delivery_follows_what_is_promised()
    {
        _shop.Ok(new SetDeadlines { DeliverySeconds = 86_400, Role = Role.Manager });
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 2)));
        Assert.Equal(Shop.Start + Shop.Day, Due(1));
        Announce(1, 2, 3);
        _shop.Turn();
        Assert.Equal(Shop.Start + 4 * Shop.Day, Due(1));
        _shop.Ok(new AnnounceIncoming { Incoming = 1, Quantity = 2, ExpectedAt = _shop.Now + 2 * Shop.Day, Role = Role.Warehouse });
        _shop.Turn();
        Assert.Equal(Shop.Start + 3 * Shop.Day, Due(1));

        long Due(long order) => _shop.Core.Reader.Deadlines(order, _shop.Core.Sequence).ToArray().Single(d => d.Kind == DeadlineKind.Delivery).Due;
    }

    [Fact]
    public void Planning_for_many_who_wait_is_spread_over_turns_and_commands_do_not_wait_for_it()
    {
        const int Orders = 1_000;
        for (var i = 0; i < Orders; i++) _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 1)));
        _shop.Turn();
        Announce(1, Orders, 1);
        Assert.True(_shop.Core.Turn(_shop.Now, _shop.Events));
        Assert.InRange(Enumerable.Range(1, Orders).Count(order => Promised(order) != 0), 1, Limits.PlannedPerTurn);
        var before = _shop.Core.Sequence;
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 1)));
        Assert.Equal(before + 1, _shop.Core.Sequence);
        _shop.Turn();
        Assert.All(Enumerable.Range(1, Orders), order => Assert.Equal(Shop.Start + Shop.Day, Promised(order)));
        Assert.Equal(0, Promised(Orders + 1));
    }

    private Shortage Refused(Command command)
    {
        Assert.Equal(Outcome.OutOfStock, _shop.Do(command).Outcome);
        return Assert.Single(Last().RequestRefused.Shortages);
    }

    private byte[] Answer(Command command)
    {
        var decision = _shop.Ok(command);
        return _shop.Events.Written.Slice(decision.Offset, decision.Length).ToArray();
    }

    private Event Last() => Contracts.Journal.Events.Parser.ParseFrom(_shop.Events.Written).Events_[^1];

    private void Announce(int location, int units, int days) => _shop.Ok(Announcement(location, units, days));

    private AnnounceIncoming Announcement(int location, int units, int days, long request = 0) => new()
    {
        Sku = 1, Location = location, Supply = SupplyKind.Purchase, Quantity = units, ExpectedAt = Shop.Start + days * Shop.Day, Request = request, Role = Role.Warehouse,
    };

    private State.SupplyRequestRow Request(long number)
    {
        Assert.True(_shop.Core.Reader.SupplyRequest(number, _shop.Core.Sequence, out var row));
        return row;
    }

    private long Promised(long order) => _shop.Core.State.Promises.Of(order, 1);
}
