// Proves: serving the backorder queues is bounded in looks, bytes and memory, whoever asks, and what is left over is served later.

using OrderEngine.Core.State;
using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class ServingBoundsTests
{
    private const int WaitingPerSku = 600;
    private readonly Shop _shop = new();

    [Fact]
    public void A_queue_served_by_demand_again_and_again_stands_in_line_for_its_turn_once()
    {
        var queues = new BackorderQueues(new SupplyPlan());
        var (first, second) = (BackorderKey.Of(1, 0, 0, 1, 1, 1), BackorderKey.Of(2, 0, 0, 2, 1, 2));
        queues.Set(1, in second, 5, whole: false);
        for (var i = 0; i < 1_000; i++)
        {
            queues.MarkPending(1);
            queues.Done(1);
        }
        Assert.False(queues.TryTurn(out _, out _, out _));
        queues.MarkPending(1);
        // Whoever comes meanwhile with a better place has his turn first.
        queues.Set(1, in first, 7, whole: false);
        Assert.True(queues.TryTurn(out var sku, out var place, out var units));
        Assert.Equal((1, first, 7), (sku, place, units));
        queues.MoveCursor(1, in place);
        Assert.True(queues.TryTurn(out _, out place, out _));
        Assert.Equal(second, place);
        queues.MoveCursor(1, in place);
        Assert.False(queues.TryTurn(out _, out _, out _));
        Assert.False(queues.AnyPending);
    }

    [Fact]
    public void A_hundred_thousand_places_that_cannot_be_filled_cost_a_demand_nothing_once_they_have_been_looked_at()
    {
        const int Places = 100_000;
        _shop.Ok(_shop.Receive(1, (1, 1)));
        // Each wants two of what there is one of.
        for (var i = 0; i < Places; i++) _shop.Ok(_shop.Whole((1, 2)));
        _shop.Ok(_shop.Receive(1, (1, 1_000_000)));
        _shop.Ok(new AdjustStock { Sku = 1, Location = 1, Adjustment = AdjustmentKind.CountedOnHand, Value = 1, Role = Role.Warehouse });
        var turns = 0;
        for (var more = true; more; turns++)
        {
            _shop.Events.Truncate(0);
            more = _shop.Core.Turn(_shop.Now, _shop.Events);
        }
        _shop.Core.Seal();
        Assert.Equal(2L * Places, _shop.Core.Reader.Backordered(1, _shop.Core.Sequence));
        // Each look costs two: the place and its line.
        Assert.InRange(turns, 2 * Places / Limits.BackordersPerTurn, 2 * Places / Limits.BackordersPerTurn + 2);
        Assert.False(_shop.Core.HasPendingFills);
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 1)));
        Assert.Equal(1, _shop.Line(Places + 1).Reserved);
    }

    [Fact]
    public void A_demand_for_many_skus_that_others_wait_for_looks_at_a_bounded_number_of_places()
    {
        MakeEveryoneWait();
        _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 1), (2, 1), (3, 1), (4, 1)));
        Assert.InRange(Waiting(), 4 * WaitingPerSku - Limits.BackordersPerTurn, 4 * WaitingPerSku);
        _shop.Turn();
        Assert.Equal(0, Waiting());
        Assert.Empty(_shop.Core.CheckIndexes());
    }

    [Fact]
    public void One_turn_stops_serving_when_it_has_written_enough()
    {
        // Lines that are filled with one unit from each of many locations make long events: fewer of them than the bound on looks.
        const int Locations = 43, Skus = 504;
        for (var i = 4; i <= Locations; i++) _shop.Ok(new DefineLocation { Id = Shop.Bytes($"l{i}"), Role = Role.Manager });
        for (var i = 5; i <= Skus; i++) _shop.Ok(new DefineSku { Id = Shop.Bytes($"sku-{i}"), Role = Role.Manager });
        for (var sku = 1; sku <= Skus; sku++) _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (sku, Locations)));
        for (var location = 1; location <= Locations; location++) _shop.Ok(_shop.Receive(location, [.. Enumerable.Range(1, Skus).Select(sku => (sku, 1))]));
        _shop.Events.Truncate(0);
        Assert.True(_shop.Core.Turn(_shop.Now, _shop.Events));
        Assert.InRange(_shop.Events.Length, Limits.BackorderBytesPerTurn, Limits.BackorderBytesPerTurn + 1_024);
        _shop.Turn();
        Assert.Empty(_shop.Core.CheckIndexes());
        _shop.Core.Seal();
        for (var sku = 1; sku <= Skus; sku++) Assert.Equal(0, _shop.Core.Reader.Backordered(sku, _shop.Core.Sequence));
    }

    [Fact]
    public void One_turn_looks_at_a_bounded_number_of_places_and_says_that_more_is_left()
    {
        MakeEveryoneWait();
        Assert.True(_shop.Core.Turn(_shop.Now, _shop.Events));
        Assert.True(Waiting() >= 4 * WaitingPerSku - Limits.BackordersPerTurn, "More places were served than one turn may look at.");
        _shop.Turn();
        Assert.Equal(0, Waiting());
    }

    // Places of many orders in four queues, then stock for all of them and for one more.
    private void MakeEveryoneWait()
    {
        for (var i = 0; i < WaitingPerSku; i++) _shop.Ok(_shop.Order(AllocationPolicy.PartialBackorder, (1, 1), (2, 1), (3, 1), (4, 1)));
        _shop.Ok(_shop.Receive(1, (1, WaitingPerSku + 1), (2, WaitingPerSku + 1), (3, WaitingPerSku + 1), (4, WaitingPerSku + 1)));
    }

    private long Waiting()
    {
        var waiting = 0L;
        for (var sku = 1; sku <= 4; sku++)
        {
            _shop.Core.Seal();
            waiting += _shop.Core.Reader.Backordered(sku, _shop.Core.Sequence);
        }
        return waiting;
    }
}
