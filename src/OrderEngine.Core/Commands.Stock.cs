// What the core can be asked to do with stock: receipts, corrections, policies, announced supply, transfers. As Commands.cs.

namespace OrderEngine.Core;

/// <summary>Units of a SKU.</summary>
/// <param name="Sku">Number of the SKU.</param>
/// <param name="Quantity">Units, 1 to <see cref="Limits.QuantityPerLine"/>.</param>
public readonly record struct SkuQuantity(int Sku, int Quantity);

/// <summary>Books goods in.</summary>
public sealed class ReceiveStock() : Command(CommandKind.ReceiveStock)
{
    /// <summary>Number of the location.</summary>
    public required int Location { get; init; }
    /// <summary>What came; a SKU may come more than once.</summary>
    public required SkuQuantity[] Items { get; init; }
    /// <summary>Delivery note.</summary>
    public byte[] Reference { get; init; } = [];
    /// <summary>The announcement that came, all items of its SKU at its location; 0: none.</summary>
    public long Incoming { get; init; }
}

/// <summary>Which figure an adjustment changes.</summary>
public enum AdjustmentKind : byte
{
    /// <summary><see cref="AdjustStock.Value"/> is added to on hand.</summary>
    OnHandDelta = 1,
    /// <summary><see cref="AdjustStock.Value"/> is what is on hand.</summary>
    CountedOnHand = 2,
    /// <summary><see cref="AdjustStock.Value"/> is added to unavailable.</summary>
    UnavailableDelta = 3,
}

/// <summary>Corrects a stock level.</summary>
public sealed class AdjustStock() : Command(CommandKind.AdjustStock)
{
    /// <summary>Number of the location.</summary>
    public required int Location { get; init; }
    /// <summary>Number of the SKU.</summary>
    public required int Sku { get; init; }
    /// <summary>Which figure.</summary>
    public required AdjustmentKind Adjustment { get; init; }
    /// <summary>Units.</summary>
    public required long Value { get; init; }
    /// <summary>True: where less is left than is committed, reserved units are taken from the orders of lowest rank; for a manager only.</summary>
    public bool Deallocate { get; init; }
}

/// <summary>Says how much of a SKU a location keeps back, and when it should be reordered.</summary>
public sealed class SetStockPolicy() : Command(CommandKind.SetStockPolicy)
{
    /// <summary>Number of the SKU.</summary>
    public required int Sku { get; init; }
    /// <summary>Number of the location.</summary>
    public required int Location { get; init; }
    /// <summary>Units that are not promised to anybody.</summary>
    public long Safety { get; init; }
    /// <summary>Reorder when free and incoming units are no more than this; 0: never.</summary>
    public int ReorderPoint { get; init; }
}

/// <summary>Says that supply will come, or, with <see cref="Incoming"/>, that it will be more, less or another day.</summary>
public sealed class AnnounceIncoming() : Command(CommandKind.AnnounceIncoming)
{
    /// <summary>The announcement that changes: only quantity and time are looked at; 0: a new one.</summary>
    public long Incoming { get; init; }
    /// <summary>Number of the SKU.</summary>
    public int Sku { get; init; }
    /// <summary>Where it will come in.</summary>
    public int Location { get; init; }
    /// <summary>Purchase or production: a transfer is announced by <see cref="TransferStock"/>.</summary>
    public SupplyKind Supply { get; init; }
    /// <summary>Units still to come; of a change also 0: nothing more comes.</summary>
    public required int Quantity { get; init; }
    /// <summary>When, microseconds since 1970.</summary>
    public required long ExpectedAt { get; init; }
    /// <summary>Purchase or production order.</summary>
    public byte[] Reference { get; init; } = [];
    /// <summary>The supply request that it answers; 0: none.</summary>
    public long Request { get; init; }
}

/// <summary>Sends units to another location: they are in transit until they are received there.</summary>
public sealed class TransferStock() : Command(CommandKind.TransferStock)
{
    /// <summary>Number of the SKU.</summary>
    public required int Sku { get; init; }
    /// <summary>Number of the location that sends.</summary>
    public required int From { get; init; }
    /// <summary>Number of the location that gets; another one.</summary>
    public required int To { get; init; }
    /// <summary>Units.</summary>
    public required int Quantity { get; init; }
    /// <summary>When they will be there, microseconds since 1970.</summary>
    public required long ExpectedAt { get; init; }
    /// <summary>Delivery note.</summary>
    public byte[] Reference { get; init; } = [];
    /// <summary>The supply request that it answers; 0: none.</summary>
    public long Request { get; init; }
}
