// Promise 8: split allocations sum to what is reserved, no location exceeded. Against the sums of the very rows, whatever was asked; the histories
// (HistoryProperties) compare each allocation with the model's.

using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests.Promises;

public sealed class Promise08
{
    private const int Skus = 4, Locations = 3;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Split_allocations_sum_to_what_is_reserved_and_no_location_gives_more_than_it_has(int seed)
    {
        var shop = new Shop();
        var random = new Random(seed);
        var splits = 0;
        for (var step = 0; step < 600; step++)
        {
            var count = shop.Core.Reader.LastOrder;
            var order = count == 0 ? 0 : random.NextInt64(Math.Max(1, count - 12), count + 1);
            switch (random.Next(10))
            {
                case < 4:
                    shop.Do(shop.Order(random.Next(1, 4), random.Next(4), (AllocationPolicy)random.Next(1, 5), [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => (random.Next(1, Skus + 1), random.Next(1, 12)))]));
                    break;
                case < 6: shop.Ok(shop.Receive(random.Next(1, Locations + 1), (random.Next(1, Skus + 1), random.Next(1, 9)))); break;
                case 6 when order > 0: shop.Do(new CancelOrder { Order = order, Role = Role.Customer }); break;
                case 7 when order > 0: shop.Do(new ReleaseShipment { Order = order, Role = Role.Warehouse }); break;
                case 8 when order > 0: shop.Do(new RecallShipment { Order = order, Role = Role.Warehouse }); break;
                case 9 when order > 0:
                    var amended = new AmendedLine(1, 0, random.Next(0, 20), -1);
                    shop.Do(new AmendOrder(CommandKind.AmendLines) { Order = order, Fields = AmendedFields.Lines, Lines = [amended], Role = Role.Support });
                    break;
            }
            if (random.Next(3) == 0) shop.Turn();
            splits += Check(shop.Core);
        }
        Assert.True(splits > 0, "No order was split over locations: nothing was proved.");
    }

    // Adds up by hand what orders say they have where, and holds it against what lies there.
    private static int Check(OrderCore core)
    {
        var spoken = new long[Skus + 1, Locations + 1];
        var splits = 0;
        for (long number = 1; number <= core.Reader.LastOrder; number++)
        {
            var order = core.Reader.Order(number, core.Sequence);
            for (var line = 1; line <= order.Lines.Length; line++)
            {
                int reserved = 0, released = 0, places = 0;
                foreach (var allocation in order.Allocations)
                {
                    if (allocation.Line != line) continue;
                    reserved += allocation.Reserved;
                    released += allocation.Released;
                    if (allocation.Reserved > 0) places++;
                    spoken[order.Lines[line - 1].Sku, allocation.Location] += allocation.Reserved + allocation.Released;
                }
                Assert.Equal((order.Lines[line - 1].Reserved, order.Lines[line - 1].Released), (reserved, released));
                if (places > 1) splits++;
            }
        }
        for (var sku = 1; sku <= Skus; sku++)
        {
            for (var location = 1; location <= Locations; location++)
            {
                var level = core.State.Stock.Level(sku, location);
                Assert.InRange(spoken[sku, location], 0, level.OnHand);
                Assert.Equal(level.Committed, spoken[sku, location]);
            }
        }
        return splits;
    }
}
