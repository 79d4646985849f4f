// Catalog entries for clients: from the body of the event that defined them last. References in it are good for ever: no guard needed.

using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using Duration = Google.Protobuf.WellKnownTypes.Duration;
using Journaled = OrderEngine.Contracts.Journal;

namespace OrderEngine.Server.Mapping;

/// <summary>Makes the contract's catalog entries.</summary>
internal static class CatalogReads
{
    /// <summary>A SKU.</summary>
    /// <param name="reader">For ids.</param>
    /// <param name="body">orderengine.journal.SkuDefined.</param>
    /// <param name="version">Its sequence.</param>
    public static Sku Sku(StateReader reader, ReadOnlySpan<byte> body, long version)
    {
        var defined = Journaled.SkuDefined.Parser.ParseFrom(body);
        var sku = new Sku
        {
            SkuId = defined.SkuId, Name = defined.Name, Model = defined.Model, Specification = defined.Specification, Category = defined.Category,
            Unit = defined.Unit, PriceMinor = (long)defined.Price, CurrencyCode = defined.Currency, Sequence = version, Etag = Texts.Etag(version),
            Replenishment = (Contracts.V1.SupplyKind)defined.Replenishment,
            LeadTime = defined.LeadTimeSeconds == 0 ? null : new Duration { Seconds = (long)defined.LeadTimeSeconds },
        };
        foreach (var substitute in defined.Substitutes) sku.SubstituteSkuIds.Add(Texts.Sku(reader, (int)substitute));
        return sku;
    }

    /// <summary>A location, from orderengine.journal.LocationDefined.</summary>
    public static Location Location(ReadOnlySpan<byte> body, long version)
    {
        var defined = Journaled.LocationDefined.Parser.ParseFrom(body);
        return new Location
        {
            LocationId = defined.LocationId, Name = defined.Name, Region = defined.Region, Priority = (int)defined.Priority, Sequence = version,
            Etag = Texts.Etag(version),
        };
    }

    /// <summary>A channel, from orderengine.journal.ChannelDefined.</summary>
    public static Channel Channel(StateReader reader, ReadOnlySpan<byte> body, long version)
    {
        var defined = Journaled.ChannelDefined.Parser.ParseFrom(body);
        var channel = new Channel
        {
            ChannelId = defined.ChannelId, Name = defined.Name, SourcingRule = (Contracts.V1.SourcingRule)defined.SourcingRule,
            DefaultAllocationPolicy = (Contracts.V1.AllocationPolicy)defined.DefaultPolicy,
            DefaultPaymentTerms = (Contracts.V1.PaymentTerms)defined.DefaultTerms, Sequence = version, Etag = Texts.Etag(version),
            DefaultShippingPolicy = (Contracts.V1.ShippingPolicy)defined.DefaultShippingPolicy,
            MaxOrderMinor = (long)defined.MaxOrder, OrderLimitCurrency = defined.MaxOrderCurrency, MaxLines = (int)defined.MaxLines,
            PaymentDue = Wait(defined.PaymentDueSeconds), ReviewExpiry = Wait(defined.ReviewExpirySeconds), ReturnWindow = Wait(defined.ReturnWindowSeconds),
            MaxReservationTtl = Wait(defined.MaxReservationSeconds), RequiresConfirmation = defined.RequiresConfirmation,
            ConfirmationDue = Wait(defined.ConfirmationDueSeconds),
        };
        foreach (var location in defined.AllowedLocations) channel.AllowedLocationIds.Add(Texts.Location(reader, (int)location));
        return channel;
    }

    private static Duration? Wait(ulong seconds) => seconds == 0 ? null : new Duration { Seconds = (long)seconds };

    /// <summary>A customer without details, and its details sealed, from orderengine.journal.CustomerDefined.</summary>
    public static (Customer Customer, SealedData Details) Customer(ReadOnlySpan<byte> body, long version)
    {
        var defined = Journaled.CustomerDefined.Parser.ParseFrom(body);
        var customer = new Customer
        {
            CustomerId = defined.CustomerId, Tier = (int)defined.Tier, Sequence = version, Etag = Texts.Etag(version),
            CreditLimitMinor = (long)defined.CreditLimit, CreditCurrency = defined.CreditCurrency, PaymentTerms = (Contracts.V1.PaymentTerms)defined.Terms,
            RiskRating = (int)defined.RiskRating,
        };
        var details = defined.Details is null ? default : new SealedData((long)defined.Details.Key, defined.Details.Ciphertext.ToByteArray());
        return (customer, details);
    }
}
