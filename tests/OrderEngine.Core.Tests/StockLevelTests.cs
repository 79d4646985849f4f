// Proves: the bounds of a stock level, for each SKU of a request by itself.

using Xunit;

namespace OrderEngine.Core.Tests;

public sealed class StockLevelTests
{
    private readonly Shop _shop = new();

    [Fact]
    public void A_receipt_overflows_only_the_SKU_whose_own_units_pass_the_bound()
    {
        _shop.Ok(Count(1, Limits.StockLevel - 10));
        _shop.Ok(_shop.Receive(1, (1, 5), (2, 20)));
        Assert.Equal(Outcome.StockOverflow, _shop.Do(_shop.Receive(1, (2, 20), (1, 3), (1, 3))).Outcome);
        _shop.Ok(_shop.Receive(1, (2, 20), (1, 2), (1, 3)));
        Assert.Equal(Outcome.StockOverflow, _shop.Do(_shop.Receive(1, (1, 1))).Outcome);
    }

    [Fact]
    public void An_adjustment_stays_between_what_is_spoken_for_and_the_bound()
    {
        _shop.Ok(Count(1, Limits.StockLevel));
        Assert.Equal(Outcome.StockOverflow, _shop.Do(Adjust(AdjustmentKind.OnHandDelta, 1)).Outcome);
        Assert.Equal(Outcome.StockOverflow, _shop.Do(Count(1, Limits.StockLevel + 1)).Outcome);
        _shop.Ok(Count(1, 10));
        _shop.Ok(_shop.Order(AllocationPolicy.AllOrNothing, (1, 4)));
        _shop.Ok(_shop.Hold(1, 0, Shop.Hour, (1, 3)));
        _shop.Ok(Adjust(AdjustmentKind.UnavailableDelta, 2));
        Assert.Equal(Outcome.StockBelowCommitted, _shop.Do(Count(1, 8)).Outcome);
        Assert.Equal(Outcome.StockBelowCommitted, _shop.Do(Adjust(AdjustmentKind.UnavailableDelta, 2)).Outcome);
        Assert.Equal(Outcome.StockBelowCommitted, _shop.Do(Adjust(AdjustmentKind.UnavailableDelta, -3)).Outcome);
        _shop.Ok(Count(1, 9));
    }

    private static AdjustStock Count(int sku, long units) =>
        new() { Sku = sku, Location = 1, Adjustment = AdjustmentKind.CountedOnHand, Value = units, Role = Role.Warehouse };

    private static AdjustStock Adjust(AdjustmentKind kind, long units) => new() { Sku = 1, Location = 1, Adjustment = kind, Value = units, Role = Role.Warehouse };
}
