// Rows of catalog and customers.

using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;

namespace OrderEngine.Server.Tests.BadInput;

internal static class CatalogTable
{
    public static IEnumerable<Case> Rows() => [.. Skus(), .. Locations(), .. Channels(), .. Customers()];

    private static IEnumerable<Case> Skus()
    {
        var upsert = Rpc<UpsertSkuRequest>.Unary("UpsertSku", _ => new UpsertSkuRequest { RequestId = Shop.NewId(), Sku = new Sku { SkuId = "T1" } },
            async (server, request) => await server.Catalog.UpsertSkuAsync(request));
        foreach (var row in upsert.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Support)) yield return row;
        yield return upsert.Bad("sku", "missing", request => request.Sku = null);
        foreach (var row in upsert.Id("sku.sku_id", (request, id) => request.Sku.SkuId = Ids.Fresh(id))) yield return row;
        foreach (var row in upsert.Text("sku.name", (request, text) => request.Sku.Name = text, 256)) yield return row;
        foreach (var row in upsert.Text("sku.model", (request, text) => request.Sku.Model = text, 256)) yield return row;
        foreach (var row in upsert.Text("sku.specification", (request, text) => request.Sku.Specification = text, 256)) yield return row;
        foreach (var row in upsert.Text("sku.category", (request, text) => request.Sku.Category = text, 256)) yield return row;
        foreach (var row in upsert.Text("sku.unit", (request, text) => request.Sku.Unit = text, 16)) yield return row;
        foreach (var row in upsert.Number("sku.price_minor", (request, value) => (request.Sku.PriceMinor, request.Sku.CurrencyCode) = (value, "GBP"), 0, 1_000_000_000_000)) yield return row;
        yield return upsert.Bad("sku.price_minor", "overflowing", request => request.Sku.PriceMinor = long.MinValue);
        yield return upsert.Ok("sku.currency_code", "empty, without a price", request => request.Sku.CurrencyCode = "");
        yield return upsert.Bad("sku.currency_code", "empty, with a price", request => request.Sku.PriceMinor = 1);
        yield return upsert.Bad("sku.currency_code", "in lower case", request => request.Sku.CurrencyCode = "gbp");
        const long ThreeYears = 3L * 366 * 24 * 3600;
        foreach (var row in upsert.Number("sku.lead_time", (request, value) => request.Sku.LeadTime = new Duration { Seconds = value }, 0, ThreeYears)) yield return row;
        yield return upsert.Bad("sku.lead_time", "not of whole seconds", request => request.Sku.LeadTime = new Duration { Nanos = 1 });
        foreach (var row in upsert.Id("sku.substitute_sku_ids", (request, id) => request.Sku.SubstituteSkuIds.Add(id), unknown: ErrorReason.SkuNotFound, path: "sku.substitute_sku_ids[0]")) yield return row;
        yield return upsert.Bad("sku.substitute_sku_ids", "itself", request => request.Sku.SubstituteSkuIds.Add("T1"), "sku.substitute_sku_ids[0]");
        yield return upsert.Ok("sku.substitute_sku_ids", "16", request => Table.Fill(16, () => request.Sku.SubstituteSkuIds.Add("A")));
        yield return upsert.Bad("sku.substitute_sku_ids", "17", request => Table.Fill(17, () => request.Sku.SubstituteSkuIds.Add("A")));
        yield return upsert.Ok("sku.replenishment", "= PRODUCTION", request => request.Sku.Replenishment = SupplyKind.Production);
        yield return upsert.Bad("sku.replenishment", "= TRANSFER", request => request.Sku.Replenishment = SupplyKind.Transfer);
        yield return upsert.Bad("sku.replenishment", "unknown", request => request.Sku.Replenishment = (SupplyKind)99);
        foreach (var row in upsert.Etag("sku.etag", (request, etag) => request.Sku.Etag = etag)) yield return row;

        var get = Rpc<GetSkuRequest>.Unary("GetSku", _ => new GetSkuRequest { SkuId = "A" }, async (server, request) => await server.Catalog.GetSkuAsync(request));
        foreach (var row in get.Id("sku_id", (request, id) => request.SkuId = id, unknown: ErrorReason.SkuNotFound)) yield return row;
        var list = Rpc<ListSkusRequest>.Unary("ListSkus", _ => new ListSkusRequest(), async (server, request) => await server.Catalog.ListSkusAsync(request));
        foreach (var row in list.Page((request, size) => request.PageSize = size, (request, token) => request.PageToken = token)) yield return row;
    }

    private static IEnumerable<Case> Locations()
    {
        var upsert = Rpc<UpsertLocationRequest>.Unary("UpsertLocation", _ => new UpsertLocationRequest { RequestId = Shop.NewId(), Location = new Location { LocationId = "T1", Priority = 9 } },
            async (server, request) => await server.Catalog.UpsertLocationAsync(request));
        foreach (var row in upsert.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Warehouse)) yield return row;
        yield return upsert.Bad("location", "missing", request => request.Location = null);
        foreach (var row in upsert.Id("location.location_id", (request, id) => request.Location.LocationId = Ids.Fresh(id))) yield return row;
        foreach (var row in upsert.Text("location.name", (request, text) => request.Location.Name = text, 256)) yield return row;
        foreach (var row in upsert.Text("location.region", (request, text) => request.Location.Region = text, 64)) yield return row;
        foreach (var row in upsert.Number("location.priority", (request, value) => request.Location.Priority = (int)value, 0, 1_000_000)) yield return row;
        foreach (var row in upsert.Etag("location.etag", (request, etag) => request.Location.Etag = etag)) yield return row;

        var get = Rpc<GetLocationRequest>.Unary("GetLocation", _ => new GetLocationRequest { LocationId = "L1" }, async (server, request) => await server.Catalog.GetLocationAsync(request));
        foreach (var row in get.Id("location_id", (request, id) => request.LocationId = id, unknown: ErrorReason.LocationNotFound)) yield return row;
        var list = Rpc<ListLocationsRequest>.Unary("ListLocations", _ => new ListLocationsRequest(), async (server, request) => await server.Catalog.ListLocationsAsync(request));
        foreach (var row in list.Page((request, size) => request.PageSize = size, (request, token) => request.PageToken = token)) yield return row;
    }

    private static IEnumerable<Case> Channels()
    {
        var upsert = Rpc<UpsertChannelRequest>.Unary("UpsertChannel", _ => new UpsertChannelRequest { RequestId = Shop.NewId(), Channel = new Channel { ChannelId = "T1" } },
            async (server, request) => await server.Catalog.UpsertChannelAsync(request));
        foreach (var row in upsert.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Manager)) yield return row;
        yield return upsert.Bad("channel", "missing", request => request.Channel = null);
        foreach (var row in upsert.Id("channel.channel_id", (request, id) => request.Channel.ChannelId = Ids.Fresh(id))) yield return row;
        foreach (var row in upsert.Text("channel.name", (request, text) => request.Channel.Name = text, 256)) yield return row;
        foreach (var row in upsert.Id("channel.allowed_location_ids", (request, id) => request.Channel.AllowedLocationIds.Add(id), unknown: ErrorReason.LocationNotFound, path: "channel.allowed_location_ids[0]")) yield return row;
        yield return upsert.Bad("channel.allowed_location_ids", "one twice", request => request.Channel.AllowedLocationIds.Add(["L1", "L1"]), "channel.allowed_location_ids[1]");
        yield return upsert.Refused("channel.allowed_location_ids", "256, unknown ones", ErrorReason.LocationNotFound, request => request.Channel.AllowedLocationIds.Add(Enumerable.Range(0, 256).Select(i => $"U{i}")));
        yield return upsert.Bad("channel.allowed_location_ids", "257", request => request.Channel.AllowedLocationIds.Add(Enumerable.Range(0, 257).Select(i => $"U{i}")));
        foreach (var row in upsert.Choice<SourcingRule>("channel.sourcing_rule", (request, value) => request.Channel.SourcingRule = value, SourcingRule.MostAvailable)) yield return row;
        foreach (var row in upsert.Choice<AllocationPolicy>("channel.default_allocation_policy", (request, value) => request.Channel.DefaultAllocationPolicy = value, AllocationPolicy.PartialCancelRest)) yield return row;
        foreach (var row in upsert.Choice<PaymentTerms>("channel.default_payment_terms", (request, value) => request.Channel.DefaultPaymentTerms = value, PaymentTerms.Instalment)) yield return row;
        foreach (var row in upsert.Choice<ShippingPolicy>("channel.default_shipping_policy", (request, value) => request.Channel.DefaultShippingPolicy = value, ShippingPolicy.Complete)) yield return row;
        foreach (var row in upsert.Number("channel.max_order_minor", (request, value) => (request.Channel.MaxOrderMinor, request.Channel.OrderLimitCurrency) = (value, value > 0 ? "GBP" : ""), 0, 1_000_000_000_000_000)) yield return row;
        yield return upsert.Bad("channel.order_limit_currency", "empty, with a limit", request => request.Channel.MaxOrderMinor = 1);
        yield return upsert.Bad("channel.order_limit_currency", "without a limit", request => request.Channel.OrderLimitCurrency = "GBP");
        foreach (var row in upsert.Number("channel.max_lines", (request, value) => request.Channel.MaxLines = (int)value, 0, 2_000)) yield return row;
        foreach (var row in Waits(upsert, "channel.payment_due", (request, wait) => request.Channel.PaymentDue = wait)) yield return row;
        foreach (var row in Waits(upsert, "channel.review_expiry", (request, wait) => request.Channel.ReviewExpiry = wait)) yield return row;
        foreach (var row in Waits(upsert, "channel.return_window", (request, wait) => request.Channel.ReturnWindow = wait)) yield return row;
        foreach (var row in Waits(upsert, "channel.max_reservation_ttl", (request, wait) => request.Channel.MaxReservationTtl = wait)) yield return row;
        foreach (var row in Waits(upsert, "channel.confirmation_due", (request, wait) => request.Channel.ConfirmationDue = wait)) yield return row;
        yield return upsert.Ok("channel.requires_confirmation", "asked for", request => request.Channel.RequiresConfirmation = true);
        foreach (var row in upsert.Etag("channel.etag", (request, etag) => request.Channel.Etag = etag)) yield return row;

        var get = Rpc<GetChannelRequest>.Unary("GetChannel", _ => new GetChannelRequest { ChannelId = "WEB" }, async (server, request) => await server.Catalog.GetChannelAsync(request));
        foreach (var row in get.Id("channel_id", (request, id) => request.ChannelId = id, unknown: ErrorReason.ChannelNotFound)) yield return row;
        var list = Rpc<ListChannelsRequest>.Unary("ListChannels", _ => new ListChannelsRequest(), async (server, request) => await server.Catalog.ListChannelsAsync(request));
        foreach (var row in list.Page((request, size) => request.PageSize = size, (request, token) => request.PageToken = token)) yield return row;
    }

    private static IEnumerable<Case> Waits(Rpc<UpsertChannelRequest> upsert, string field, Action<UpsertChannelRequest, Duration?> set)
    {
        yield return upsert.Ok(field, "absent", request => set(request, null));
        foreach (var row in upsert.Number(field, (request, value) => set(request, new Duration { Seconds = value }), 1, 366L * 24 * 3600)) yield return row;
        yield return upsert.Bad(field, "not of whole seconds", request => set(request, new Duration { Seconds = 1, Nanos = 1 }));
        yield return upsert.Bad(field, "overflowing", request => set(request, new Duration { Seconds = long.MinValue }));
    }

    private static IEnumerable<Case> Customers()
    {
        var upsert = Rpc<UpsertCustomerRequest>.Unary("UpsertCustomer", _ => new UpsertCustomerRequest { RequestId = Shop.NewId(), Customer = new Customer { CustomerId = "T1" } },
            async (server, request) => await server.Customers.UpsertCustomerAsync(request));
        foreach (var row in upsert.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Support)) yield return row;
        yield return upsert.Bad("customer", "missing", request => request.Customer = null);
        foreach (var row in upsert.Id("customer.customer_id", (request, id) => request.Customer.CustomerId = Ids.Fresh(id))) yield return row;
        yield return upsert.Ok("customer.erase_time", "which says nothing in a request", request => request.Customer.EraseTime = new() { Seconds = -5 });
        foreach (var row in upsert.Number("customer.tier", (request, value) => request.Customer.Tier = (int)value, 0, 9)) yield return row;
        foreach (var row in upsert.Number("customer.credit_limit_minor", (request, value) => (request.Customer.CreditLimitMinor, request.Customer.CreditCurrency) = (value, "GBP"), 0, 1_000_000_000_000_000)) yield return row;
        yield return upsert.Bad("customer.credit_currency", "empty, with a limit", request => request.Customer.CreditLimitMinor = 1);
        yield return upsert.Bad("customer.credit_currency", "in lower case", request => request.Customer.CreditCurrency = "gbp");
        foreach (var row in upsert.Choice<PaymentTerms>("customer.payment_terms", (request, value) => request.Customer.PaymentTerms = value, PaymentTerms.Instalment)) yield return row;
        foreach (var row in upsert.Number("customer.risk_rating", (request, value) => request.Customer.RiskRating = (int)value, 0, 9)) yield return row;
        foreach (var row in DraftTable.Personal(upsert, "customer.details", request => request.Customer.Details ??= new PersonalDetails())) yield return row;
        foreach (var row in upsert.Etag("customer.etag", (request, etag) => request.Customer.Etag = etag)) yield return row;

        var get = Rpc<GetCustomerRequest>.Unary("GetCustomer", _ => new GetCustomerRequest { CustomerId = "C1" }, async (server, request) => await server.Customers.GetCustomerAsync(request));
        foreach (var row in get.Id("customer_id", (request, id) => request.CustomerId = id, unknown: ErrorReason.CustomerNotFound)) yield return row;
        yield return get.Ok("include_details", "of a customer without", request => request.IncludeDetails = true);
    }
}
