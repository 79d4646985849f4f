// Promise 10: a list's cost does not depend on how many orders there are. Counted are the candidates and rows looked at, not time.

using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests.Promises;

public sealed class Promise10
{
    private const int Page = 20;

    [Fact]
    public void A_list_costs_the_same_in_a_small_shop_and_in_one_forty_times_as_large()
    {
        var (small, large) = (Filled(1_000), Filled(40_000));
        OrderQuery[] queries =
        [
            new(), new() { OldestFirst = true }, new() { Channel = 2 }, new() { Customer = 3, OldestFirst = true }, new() { States = [OrderState.Fulfilling] },
            new() { States = [OrderState.Ready], Channel = 1 }, new() { Tiers = [9] }, new() { Channel = 2, States = [OrderState.Fulfilling] },
            new() { Since = Shop.Start + 100 * Shop.Second, Before = Shop.Start + 300 * Shop.Second },
        ];
        foreach (var query in queries)
        {
            var (few, many) = (First(small, query), First(large, query));
            Assert.Equal(Page, few.Numbers.Count);
            Assert.Equal(Page, many.Numbers.Count);
            // Marks of time lie OrdersPerMark apart; everything else is exact but for a few that left a state.
            Assert.InRange(many.Looked, Page, few.Looked + 2 * OrderIndex.OrdersPerMark);
            Assert.InRange(many.Rows, Page, few.Rows + 2 * OrderIndex.OrdersPerMark);
        }
        // What nobody has is known at once, and the work of one call is bounded whatever is asked.
        Assert.Equal(0, First(large, new OrderQuery { States = [OrderState.Lost] }).Looked);
        var bounded = large.Reader.ListOrders(new OrderQuery { States = [OrderState.Ready], Tiers = [9], Customer = 0, Channel = 3 }, large.Sequence, 0, Page, 50);
        Assert.InRange(bounded.Looked, 0, 50);
    }

    private static NumberPage First(OrderCore core, OrderQuery query)
    {
        using var guard = core.Reader.Enter();
        return core.Reader.ListOrders(query, core.Sequence, 0, Page, int.MaxValue);
    }

    // An order a second; every tenth is with the warehouse.
    private static OrderCore Filled(int orders)
    {
        var shop = new Shop();
        shop.Ok(shop.Receive(1, (1, 1_000_000)));
        for (var i = 0; i < orders; i++)
        {
            shop.Now = Shop.Start + i * Shop.Second;
            shop.Ok(shop.Order(1 + i % 3, i % 4, AllocationPolicy.AllOrNothing, (1, 1)));
            if (i % 10 == 0) shop.Ok(new ReleaseShipment { Order = i + 1, Role = Role.Warehouse });
            if (i % 100 != 99) continue;
            shop.Core.Reclaim(shop.Core.Seal().Sequence);
            shop.Events.Truncate(0);
        }
        shop.Core.Reclaim(shop.Core.Seal().Sequence);
        return shop.Core;
    }
}
