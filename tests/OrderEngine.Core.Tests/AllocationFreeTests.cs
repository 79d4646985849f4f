// Proves that deciding and applying leave no garbage: what a submit allocates is what stays, chunk by chunk. Counts bytes, not time.

using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class AllocationFreeTests
{
    private const int Batch = 50;
    private const int Rounds = 100;
    private const int OrdersPerRound = 200;

    // What stays of an order of two lines: row, history, request, external id, index nodes. A chunk of each is allocated every few hundred orders.
    private const long BytesThatStayOfAnOrder = 1_500;

    [Fact]
    public void A_submit_in_steady_state_allocates_nothing_but_the_chunks_that_stay()
    {
        var shop = new Shop();
        shop.Ok(new AdjustStock { Sku = 1, Location = 1, Adjustment = AdjustmentKind.CountedOnHand, Value = 1_000_000_000, Role = Role.Warehouse });
        shop.Ok(new AdjustStock { Sku = 2, Location = 2, Adjustment = AdjustmentKind.CountedOnHand, Value = 1_000_000_000, Role = Role.Warehouse });
        Submit(shop, Orders(shop));
        Submit(shop, Orders(shop));

        var (without, total) = (0, 0L);
        for (var round = 0; round < Rounds; round++)
        {
            var orders = Orders(shop);
            var allocated = Submit(shop, orders);
            if (allocated == 0) without++;
            total += allocated;
        }
        // A single object in every order, or in every batch, would leave no round without.
        Assert.InRange(without, Rounds / 2, Rounds);
        Assert.InRange(total, 0, Rounds * OrdersPerRound * BytesThatStayOfAnOrder);
    }

    // Bytes allocated while submitting: the figures that Seal returns are an object a batch, and not counted.
    private static long Submit(Shop shop, SubmitOrder[] orders)
    {
        var allocated = 0L;
        for (var first = 0; first < orders.Length; first += Batch)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            foreach (var order in orders.AsSpan(first, Batch))
                if (shop.Core.Execute(order, shop.Now, shop.Events).Outcome != Outcome.Ok) throw new InvalidOperationException("Refused.");
            shop.Core.Turn(shop.Now, shop.Events);
            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            shop.Core.Seal();
            shop.Core.Reclaim(shop.Core.Sequence);
            shop.Events.Truncate(0);
        }
        return allocated;
    }

    private static SubmitOrder[] Orders(Shop shop) => [.. Enumerable.Range(0, OrdersPerRound).Select(_ => shop.Order(AllocationPolicy.AllOrNothing, (1, 2), (2, 3)))];
}
