// What the core can be asked to know: SKUs, locations, channels, customers. As Commands.cs.

namespace OrderEngine.Core;

/// <summary>Creates or replaces a SKU.</summary>
public sealed class DefineSku() : Command(CommandKind.DefineSku)
{
    /// <summary>The seller's id.</summary>
    public required byte[] Id { get; init; }
    /// <summary>Name.</summary>
    public byte[] Name { get; init; } = [];
    /// <summary>Model.</summary>
    public byte[] Model { get; init; } = [];
    /// <summary>Specification.</summary>
    public byte[] Specification { get; init; } = [];
    /// <summary>Category.</summary>
    public byte[] Category { get; init; } = [];
    /// <summary>Unit of measure.</summary>
    public byte[] Unit { get; init; } = [];
    /// <summary>List price, minor units.</summary>
    public long Price { get; init; }
    /// <summary>Packed currency, 0 for none (<see cref="Currency"/>).</summary>
    public int CurrencyCode { get; init; }
    /// <summary>Seconds from ordering to having.</summary>
    public long LeadTimeSeconds { get; init; }
    /// <summary>Numbers of SKUs that may be offered instead.</summary>
    public int[] Substitutes { get; init; } = [];
    /// <summary>How it is got: none or purchase (it is bought), production (it is made).</summary>
    public SupplyKind Replenishment { get; init; }
}

/// <summary>Creates or replaces a location.</summary>
public sealed class DefineLocation() : Command(CommandKind.DefineLocation)
{
    /// <summary>The seller's id.</summary>
    public required byte[] Id { get; init; }
    /// <summary>Name.</summary>
    public byte[] Name { get; init; } = [];
    /// <summary>Region.</summary>
    public byte[] Region { get; init; } = [];
    /// <summary>Lower is tried first.</summary>
    public int Priority { get; init; }
}

/// <summary>Creates or replaces a channel.</summary>
public sealed class DefineChannel() : Command(CommandKind.DefineChannel)
{
    /// <summary>The seller's id.</summary>
    public required byte[] Id { get; init; }
    /// <summary>Name.</summary>
    public byte[] Name { get; init; } = [];
    /// <summary>Numbers of the locations that may serve it; empty: all.</summary>
    public int[] AllowedLocations { get; init; } = [];
    /// <summary>How a location is chosen.</summary>
    public SourcingRule Sourcing { get; init; }
    /// <summary>Used where an order names none.</summary>
    public AllocationPolicy DefaultPolicy { get; init; }
    /// <summary>Used where an order names none; none: parts may go.</summary>
    public ShippingPolicy DefaultShipping { get; init; }
    /// <summary>Used where an order names none.</summary>
    public PaymentTerms DefaultTerms { get; init; }
    /// <summary>Bounds and times; all zero: none of its own.</summary>
    public ChannelLimits Limits { get; init; }
}

/// <summary>What a channel may hand in, and how long its orders may wait. Zero: no bound of its own, or the engine's default.</summary>
/// <param name="MaxOrder">Minor units of one order in <paramref name="MaxOrderCurrency"/>; orders in another currency are not compared.</param>
/// <param name="MaxOrderCurrency">Packed currency.</param>
/// <param name="MaxLines">Lines of one order.</param>
/// <param name="PaymentDueSeconds">How long a prepaid order waits for its money.</param>
/// <param name="ReviewExpirySeconds">How long an order waits for its reviewer.</param>
/// <param name="ReturnWindowSeconds">How long after delivery an order stays open for returns.</param>
/// <param name="MaxReservationSeconds">The longest life of a reservation.</param>
/// <param name="RequiresConfirmation">True: the customer has to confirm an order.</param>
/// <param name="ConfirmationDueSeconds">How long an order waits for that.</param>
public readonly record struct ChannelLimits(long MaxOrder, int MaxOrderCurrency, int MaxLines, long PaymentDueSeconds, long ReviewExpirySeconds,
    long ReturnWindowSeconds, long MaxReservationSeconds, bool RequiresConfirmation, long ConfirmationDueSeconds = 0);

/// <summary>Creates or replaces a customer.</summary>
public sealed class DefineCustomer() : Command(CommandKind.DefineCustomer)
{
    /// <summary>The seller's id.</summary>
    public required byte[] Id { get; init; }
    /// <summary>Rank, 0 to <see cref="Limits.Tier"/>.</summary>
    public int Tier { get; init; }
    /// <summary>0: not rated, then 1 to <see cref="Limits.RiskRating"/>, the worst.</summary>
    public int RiskRating { get; init; }
    /// <summary>Used where an order names none, ahead of the channel's; none: the channel's.</summary>
    public PaymentTerms Terms { get; init; }
    /// <summary>Minor units that the customer may owe in <see cref="CreditCurrency"/>.</summary>
    public long CreditLimit { get; init; }
    /// <summary>Packed currency of the limit; 0: no limit is set.</summary>
    public int CreditCurrency { get; init; }
    /// <summary>Personal details; none keeps what is there.</summary>
    public SealedData Details { get; init; }
}
