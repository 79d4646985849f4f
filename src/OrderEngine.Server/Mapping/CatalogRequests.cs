// Requests of CatalogService and CustomerService to commands. Any thread.

using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;
using OrderEngine.Engine;
using RpcStatus = Google.Rpc.Status;

namespace OrderEngine.Server.Mapping;

/// <summary>Maps definitions of SKUs, locations, channels and customers.</summary>
internal static class CatalogRequests
{
    /// <summary>A SKU.</summary>
    public static Mapped<DefineSku> Map(UpsertSkuRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.DefineSku, request.RequestId, request.Actor);
        if (!Fields.CheckPresent(ref violations, "sku", request.Sku)) return violations.ToStatus();
        var sku = request.Sku;
        var references = new References(reader);
        Fields.CheckId(ref violations, "sku.sku_id", sku.SkuId);
        var name = Fields.Text(ref violations, "sku.name", sku.Name, Limits.CatalogTextBytes);
        var model = Fields.Text(ref violations, "sku.model", sku.Model, Limits.CatalogTextBytes);
        var specification = Fields.Text(ref violations, "sku.specification", sku.Specification, Limits.CatalogTextBytes);
        var category = Fields.Text(ref violations, "sku.category", sku.Category, Limits.CatalogTextBytes);
        var unit = Fields.Text(ref violations, "sku.unit", sku.Unit, Limits.UnitBytes);
        Fields.CheckRange(ref violations, "sku.price_minor", sku.PriceMinor, 0, Limits.UnitPrice);
        var currency = Fields.Currency(ref violations, "sku.currency_code", sku.CurrencyCode, required: sku.PriceMinor != 0);
        var leadTime = Fields.LeadTime(ref violations, "sku.lead_time", sku.LeadTime);
        Fields.CheckEnum(ref violations, "sku.replenishment", sku.Replenishment);
        if (sku.Replenishment == Contracts.V1.SupplyKind.Transfer) violations.Add("sku.replenishment", "must be PURCHASE or PRODUCTION: a transfer is asked for where another location has it");
        var substitutes = Substitutes(ref violations, ref references, sku);
        var etag = Fields.Etag(ref violations, "sku.etag", sku.Etag);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new DefineSku
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = etag, Id = Utf8(sku.SkuId),
            Name = name, Model = model, Specification = specification, Category = category, Unit = unit,
            Price = sku.PriceMinor, CurrencyCode = currency, LeadTimeSeconds = leadTime, Substitutes = substitutes,
            Replenishment = (Core.SupplyKind)sku.Replenishment,
        };
    }

    /// <summary>A location.</summary>
    public static Mapped<DefineLocation> Map(UpsertLocationRequest request, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.DefineLocation, request.RequestId, request.Actor);
        if (!Fields.CheckPresent(ref violations, "location", request.Location)) return violations.ToStatus();
        var location = request.Location;
        Fields.CheckId(ref violations, "location.location_id", location.LocationId);
        var name = Fields.Text(ref violations, "location.name", location.Name, Limits.CatalogTextBytes);
        var region = Fields.Text(ref violations, "location.region", location.Region, Limits.RegionBytes);
        Fields.CheckRange(ref violations, "location.priority", location.Priority, 0, Limits.LocationPriority);
        var etag = Fields.Etag(ref violations, "location.etag", location.Etag);
        if (asker.Refuse(violations, default) is { } refusal) return refusal;
        return new DefineLocation
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = etag, Id = Utf8(location.LocationId),
            Name = name, Region = region, Priority = location.Priority,
        };
    }

    /// <summary>A channel.</summary>
    public static Mapped<DefineChannel> Map(UpsertChannelRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.DefineChannel, request.RequestId, request.Actor);
        if (!Fields.CheckPresent(ref violations, "channel", request.Channel)) return violations.ToStatus();
        var channel = request.Channel;
        var references = new References(reader);
        Fields.CheckId(ref violations, "channel.channel_id", channel.ChannelId);
        var name = Fields.Text(ref violations, "channel.name", channel.Name, Limits.CatalogTextBytes);
        var allowed = AllowedLocations(ref violations, ref references, channel);
        Fields.CheckEnum(ref violations, "channel.sourcing_rule", channel.SourcingRule);
        Fields.CheckEnum(ref violations, "channel.default_allocation_policy", channel.DefaultAllocationPolicy);
        Fields.CheckEnum(ref violations, "channel.default_payment_terms", channel.DefaultPaymentTerms);
        Fields.CheckEnum(ref violations, "channel.default_shipping_policy", channel.DefaultShippingPolicy);
        var limits = ChannelLimits(ref violations, channel);
        var etag = Fields.Etag(ref violations, "channel.etag", channel.Etag);
        if (asker.Refuse(violations, references) is { } refusal) return refusal;
        return new DefineChannel
        {
            RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
            Actor = asker.Actor, Role = asker.Role, ExpectedVersion = etag, Id = Utf8(channel.ChannelId), Name = name,
            AllowedLocations = allowed, Sourcing = (Core.SourcingRule)channel.SourcingRule,
            DefaultPolicy = (Core.AllocationPolicy)channel.DefaultAllocationPolicy,
            DefaultTerms = (Core.PaymentTerms)channel.DefaultPaymentTerms, DefaultShipping = (Core.ShippingPolicy)channel.DefaultShippingPolicy, Limits = limits,
        };
    }

    private static ChannelLimits ChannelLimits(ref Violations violations, Channel channel)
    {
        Fields.CheckRange(ref violations, "channel.max_order_minor", channel.MaxOrderMinor, 0, Limits.OrderTotal);
        if (channel.MaxOrderMinor == 0 && channel.OrderLimitCurrency.Length > 0)
            violations.Add("channel.order_limit_currency", "must be empty without max_order_minor");
        var currency = Fields.Currency(ref violations, "channel.order_limit_currency", channel.OrderLimitCurrency, required: channel.MaxOrderMinor != 0);
        Fields.CheckRange(ref violations, "channel.max_lines", channel.MaxLines, 0, Limits.LinesPerOrder);
        return new ChannelLimits(channel.MaxOrderMinor, currency, channel.MaxLines,
            Fields.Wait(ref violations, "channel.payment_due", channel.PaymentDue), Fields.Wait(ref violations, "channel.review_expiry", channel.ReviewExpiry),
            Fields.Wait(ref violations, "channel.return_window", channel.ReturnWindow),
            Fields.Wait(ref violations, "channel.max_reservation_ttl", channel.MaxReservationTtl), channel.RequiresConfirmation,
            Fields.Wait(ref violations, "channel.confirmation_due", channel.ConfirmationDue));
    }

    /// <summary>A customer.</summary>
    public static ValueTask<Mapped<DefineCustomer>> MapAsync(UpsertCustomerRequest request, StateReader reader, PersonalVault vault)
    {
        var violations = new Violations();
        var asker = Asker.Read(ref violations, CommandKind.DefineCustomer, request.RequestId, request.Actor);
        var customer = request.Customer;
        if (!Fields.CheckPresent(ref violations, "customer", customer)) return Refused(violations.ToStatus());
        Fields.CheckId(ref violations, "customer.customer_id", customer.CustomerId);
        Fields.CheckRange(ref violations, "customer.tier", customer.Tier, 0, Limits.Tier);
        Fields.CheckPersonal(ref violations, "customer.details", customer.Details);
        Fields.CheckRange(ref violations, "customer.credit_limit_minor", customer.CreditLimitMinor, 0, Limits.OrderTotal);
        var creditCurrency = Fields.Currency(ref violations, "customer.credit_currency", customer.CreditCurrency, required: customer.CreditLimitMinor != 0);
        Fields.CheckEnum(ref violations, "customer.payment_terms", customer.PaymentTerms);
        Fields.CheckRange(ref violations, "customer.risk_rating", customer.RiskRating, 0, Limits.RiskRating);
        var etag = Fields.Etag(ref violations, "customer.etag", customer.Etag);
        if (asker.Refuse(violations, default) is { } refusal) return Refused(refusal);
        if (customer.Details is not null && !vault.MaySeal) return Refused(Errors.Status(ErrorReason.DiskLow));
        return SealAsync();

        async ValueTask<Mapped<DefineCustomer>> SealAsync()
        {
            var id = Utf8(customer.CustomerId);
            var details = await vault.SealAsync(customer.CustomerId, reader.Customers.Find(id), customer.Details);
            return new DefineCustomer
            {
                RequestKey = RequestIdentity.Key(0, request.RequestId), BodyDigest = vault.Digest(asker.Kind, request),
                Actor = asker.Actor, Role = asker.Role, ExpectedVersion = etag, Id = id, Tier = customer.Tier, Details = details,
                CreditLimit = customer.CreditLimitMinor, CreditCurrency = creditCurrency, Terms = (Core.PaymentTerms)customer.PaymentTerms,
                RiskRating = customer.RiskRating,
            };
        }

        static ValueTask<Mapped<DefineCustomer>> Refused(RpcStatus status) => ValueTask.FromResult<Mapped<DefineCustomer>>(status);
    }

    private static int[] Substitutes(ref Violations violations, ref References references, Sku sku)
    {
        const string Path = "sku.substitute_sku_ids";
        var ids = sku.SubstituteSkuIds;
        if (!Fields.CheckCount(ref violations, Path, ids.Count, 0, Limits.SubstitutesPerSku)) return [];
        var numbers = new int[ids.Count];
        for (var i = 0; i < numbers.Length; i++)
        {
            Fields.CheckId(ref violations, new FieldPath(Path, i), ids[i]);
            if (ids[i] == sku.SkuId) violations.Add(new FieldPath(Path, i), "must not be the SKU itself");
            numbers[i] = references.Sku(new FieldPath(Path, i), ids[i]);
        }
        return numbers;
    }

    private static int[] AllowedLocations(ref Violations violations, ref References references, Channel channel)
    {
        const string Path = "channel.allowed_location_ids";
        var ids = channel.AllowedLocationIds;
        if (!Fields.CheckCount(ref violations, Path, ids.Count, 0, Limits.AllowedLocationsPerChannel)) return [];
        var numbers = new int[ids.Count];
        var seen = new HashSet<string>(ids.Count);
        for (var i = 0; i < numbers.Length; i++)
        {
            Fields.CheckId(ref violations, new FieldPath(Path, i), ids[i]);
            if (!seen.Add(ids[i])) violations.Add(new FieldPath(Path, i), "must not come twice");
            numbers[i] = references.Location(new FieldPath(Path, i), ids[i]);
        }
        return numbers;
    }

    private static byte[] Utf8(string id) => System.Text.Encoding.UTF8.GetBytes(id);
}
