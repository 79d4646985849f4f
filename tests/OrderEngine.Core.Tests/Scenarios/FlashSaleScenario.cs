// A flash sale: five consoles, far more buyers, and a loyal customer who comes late and is served before those who came a little earlier.

using OrderEngine.Contracts.Journal;
using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests.Scenarios;

public sealed class FlashSaleScenario
{
    private const int Console = 1, OlderConsole = 2, Store = 1, Regular = 1, Vip = 3;

    [Fact]
    public void Flash_sale_on_a_hot_sku_with_a_vip_in_the_queue()
    {
        var shop = new Shop();
        shop.Ok(new DefineSku { Id = Shop.Bytes("sku-1"), Substitutes = [OlderConsole], Role = Role.Manager });
        shop.Ok(shop.Receive(Store, (Console, 5), (OlderConsole, 7)));

        // Doors open. Eight buyers, one console each: five have it, three wait.
        for (var i = 0; i < 8; i++) shop.Ok(shop.Order(1, Regular, AllocationPolicy.PartialBackorder, (Console, 1)));
        Assert.All(Enumerable.Range(1, 5), order => Assert.Equal(OrderState.Ready, shop.Head(order).State));
        Assert.All(Enumerable.Range(6, 3), order => Assert.Equal(OrderState.Backordered, shop.Head(order).State));

        // An hour later a VIP orders. He waits, too, but ahead of the three. The buyer who does not want to wait learns what he could have instead.
        shop.Now += Shop.Hour;
        shop.Ok(shop.Order(1, Vip, AllocationPolicy.PartialBackorder, (Console, 1)));
        Assert.Equal(Outcome.OutOfStock, shop.Do(shop.Order(AllocationPolicy.AllOrNothing, (Console, 1))).Outcome);
        Assert.Equal(new OfferedSku { Sku = OlderConsole, Sellable = 7 }, Assert.Single(Assert.Single(Last(shop).RequestRefused.Shortages).Substitutes));

        // The purchasing department is asked for four, once. It gets three, by Friday.
        shop.Turn();
        Assert.Equal((1L, 4L), (shop.Core.Reader.LastSupplyRequest, Request(shop).Quantity));
        var friday = shop.Now + 2 * Shop.Day;
        shop.Ok(new AnnounceIncoming { Sku = Console, Location = Store, Supply = SupplyKind.Purchase, Quantity = 3, ExpectedAt = friday, Request = 1, Role = Role.Warehouse });
        shop.Turn();
        Assert.Equal((1L, 3L), (Request(shop).Quantity, Request(shop).Announced));

        // The VIP and the first two are told Friday; the third is told nothing yet.
        Assert.Equal([friday, friday, friday, 0], new long[] { 9, 6, 7, 8 }.Select(order => Promised(shop, order)));

        // Two come early. The VIP has his, and the first of the three. Nobody who orders now gets in between.
        shop.Now += Shop.Day;
        shop.Ok(new ReceiveStock { Location = Store, Items = [new SkuQuantity(Console, 2)], Incoming = 1, Role = Role.Warehouse });
        Assert.Equal(Outcome.OutOfStock, shop.Do(shop.Order(AllocationPolicy.AllOrNothing, (Console, 1))).Outcome);
        shop.Turn();
        Assert.Equal([OrderState.Ready, OrderState.Ready, OrderState.Backordered, OrderState.Backordered], new long[] { 9, 6, 7, 8 }.Select(order => shop.Head(order).State));
        Assert.Equal([friday, 0], new long[] { 7, 8 }.Select(order => Promised(shop, order)));

        // A second VIP, ten days later, does not overtake the last of them: nobody is overtaken for ever.
        shop.Now += 10 * Shop.Day;
        shop.Ok(shop.Order(1, Vip, AllocationPolicy.PartialBackorder, (Console, 1)));
        shop.Ok(shop.Receive(Store, (Console, 2)));
        shop.Turn();
        Assert.Equal([OrderState.Ready, OrderState.Ready, OrderState.Backordered], new long[] { 7, 8, 10 }.Select(order => shop.Head(order).State));

        // Nine consoles came, nine were promised to nine people.
        var summary = shop.Core.Seal();
        Assert.Equal((9L + 7, 9L, 1L), (summary.OnHand, summary.Committed, summary.Backordered));
        using (shop.Core.Reader.Enter()) Assert.Empty(Invariants.Check(shop.Core.Reader, shop.Core.Sequence).Violations);
    }

    private static long Promised(Shop shop, long order)
    {
        var promises = shop.Core.Reader.Promises(order, shop.Core.Sequence);
        return promises.IsEmpty ? 0 : promises[0].PromisedAt;
    }

    private static State.SupplyRequestRow Request(Shop shop)
    {
        Assert.True(shop.Core.Reader.SupplyRequest(1, shop.Core.Sequence, out var row));
        return row;
    }

    private static Event Last(Shop shop) => Contracts.Journal.Events.Parser.ParseFrom(shop.Events.Written).Events_[^1];
}
