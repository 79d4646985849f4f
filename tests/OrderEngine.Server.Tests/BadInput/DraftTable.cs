// Rows of an order draft, which three ways of submitting, the dry run and the commit of a reservation share.

using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Server.Tests.BadInput;

internal static class DraftTable
{
    public static IEnumerable<Case> Rows<T>(Rpc<T> rpc, Func<T, OrderDraft> order, bool isDryRun) where T : IMessage<T>
    {
        foreach (var row in rpc.Id("order.channel_id", (request, id) => order(request).ChannelId = id, unknown: ErrorReason.ChannelNotFound)) yield return row;
        foreach (var row in rpc.Id("order.external_order_id", (request, id) => order(request).ExternalOrderId = Ids.Fresh(id), required: !isDryRun)) yield return row;
        foreach (var row in rpc.Id("order.customer_id", (request, id) => order(request).CustomerId = id, required: false, unknown: ErrorReason.CustomerNotFound)) yield return row;
        foreach (var row in rpc.Choice<OrderType>("order.type", (request, value) => order(request).Type = value, OrderType.Replacement)) yield return row;
        foreach (var row in rpc.Choice<AllocationPolicy>("order.allocation_policy", (request, value) => order(request).AllocationPolicy = value, AllocationPolicy.PartialCancelRest)) yield return row;
        foreach (var row in rpc.Choice<PaymentTerms>("order.payment_terms", (request, value) => order(request).PaymentTerms = value, PaymentTerms.Instalment)) yield return row;
        foreach (var row in rpc.Choice<ShippingPolicy>("order.shipping_policy", (request, value) => order(request).ShippingPolicy = value, ShippingPolicy.Complete)) yield return row;
        // No location serves a region that is made up: but for L1 and L2, which have none.
        foreach (var row in rpc.Text("order.ship_to_region", (request, text) => order(request).ShipToRegion = text, 64)) yield return row;
        foreach (var row in PaymentTable.Instalments(rpc, order)) yield return row;
        foreach (var row in rpc.Choice<Priority>("order.priority", (request, value) => order(request).Priority = value, Priority.High)) yield return row;
        foreach (var currency in new[] { "", "GB", "GBPX", "gbp", "G1P", "£££" })
            yield return rpc.Bad("order.currency_code", $"'{currency}'", request => order(request).CurrencyCode = currency);
        foreach (var row in Lines(rpc, order)) yield return row;
        foreach (var row in Times(rpc, (request, time) => order(request).RequestedTime = time)) yield return row;
        foreach (var row in Personal(rpc, "order.delivery", request => order(request).Delivery ??= new PersonalDetails())) yield return row;
    }

    private static IEnumerable<Case> Lines<T>(Rpc<T> rpc, Func<T, OrderDraft> order) where T : IMessage<T>
    {
        OrderLineDraft Line(int quantity = 1, long price = 1) => new() { SkuId = "A", Quantity = quantity, UnitPriceMinor = price };
        yield return rpc.Bad("order.lines", "none", request => order(request).Lines.Clear());
        yield return rpc.Ok("order.lines", "2000, all of one SKU", request => Table.Fill(1999, () => order(request).Lines.Add(Line())));
        yield return rpc.Bad("order.lines", "2001", request => Table.Fill(2000, () => order(request).Lines.Add(Line())));
        foreach (var row in rpc.Id("order.lines.sku_id", (request, id) => order(request).Lines[0].SkuId = id, unknown: ErrorReason.SkuNotFound, path: "order.lines[0].sku_id")) yield return row;
        foreach (var quantity in new[] { 0, -1, 1_000_001, int.MinValue, int.MaxValue })
            yield return rpc.Bad("order.lines.quantity", $"= {quantity}", request => order(request).Lines[0].Quantity = quantity, "order.lines[0].quantity");
        yield return rpc.Ok("order.lines.quantity", "= 1000000, waiting for stock", request =>
        {
            order(request).AllocationPolicy = AllocationPolicy.PartialBackorder;
            order(request).Lines[0].SkuId = "EMPTY";
            order(request).Lines[0].Quantity = 1_000_000;
        });
        foreach (var price in new[] { -1, 1_000_000_000_001, long.MinValue, long.MaxValue })
            yield return rpc.Bad("order.lines.unit_price_minor", $"= {price}", request => order(request).Lines[0].UnitPriceMinor = price, "order.lines[0].unit_price_minor");
        yield return rpc.Ok("order.lines.unit_price_minor", "= 0, a gift", request => order(request).Lines[0].UnitPriceMinor = 0);
        yield return rpc.Ok("order.lines.unit_price_minor", "= 10^12", request => order(request).Lines[0].UnitPriceMinor = 1_000_000_000_000);
        yield return rpc.Ok("order.lines", "worth 10^15", request =>
        {
            order(request).Lines[0] = Line(999, 1_000_000_000_000);
            order(request).Lines.Add(Line(1, 1_000_000_000_000));
        });
        yield return rpc.Bad("order.lines", "worth 10^15 + 1", request =>
        {
            order(request).Lines[0] = Line(1_000, 1_000_000_000_000);
            order(request).Lines.Add(Line(1, 1));
        });
        yield return rpc.Bad("order.lines", "worth more than a long holds", request => Table.Fill(1_999, () => order(request).Lines.Add(Line(1_000_000, 1_000_000_000_000))));
        yield return rpc.Bad("order.lines", "all wrong: twenty are told of, the rest is counted", request =>
        {
            order(request).Lines.Clear();
            Table.Fill(2_000, () => order(request).Lines.Add(new OrderLineDraft()));
        }, "order.lines[0].sku_id");
    }

    /// <summary>Rows of a requested date.</summary>
    public static IEnumerable<Case> Times<T>(Rpc<T> rpc, Action<T, Timestamp> set) where T : IMessage<T>
    {
        yield return rpc.Ok("order.requested_time", "the first", request => set(request, new Timestamp { Nanos = 1_000 }));
        yield return rpc.Ok("order.requested_time", "the last", request => set(request, new Timestamp { Seconds = 253_402_300_799, Nanos = 999_999_999 }));
        yield return rpc.Bad("order.requested_time", "1970-01-01T00:00:00Z", request => set(request, new Timestamp()));
        yield return rpc.Bad("order.requested_time", "before 1970", request => set(request, new Timestamp { Seconds = -1 }));
        yield return rpc.Bad("order.requested_time", "after the year 9999", request => set(request, new Timestamp { Seconds = 253_402_300_800 }));
        yield return rpc.Bad("order.requested_time", "with too many nanoseconds", request => set(request, new Timestamp { Seconds = 1, Nanos = 1_000_000_000 }));
        yield return rpc.Bad("order.requested_time", "with negative nanoseconds", request => set(request, new Timestamp { Seconds = 1, Nanos = -1 }));
        yield return rpc.Bad("order.requested_time", "overflowing", request => set(request, new Timestamp { Seconds = long.MaxValue }));
    }

    /// <summary>Rows of personal details.</summary>
    public static IEnumerable<Case> Personal<T>(Rpc<T> rpc, string path, Func<T, PersonalDetails> details) where T : IMessage<T>
    {
        foreach (var row in rpc.Text(path + ".name", (request, text) => details(request).Name = text, 256)) yield return row;
        foreach (var row in rpc.Text(path + ".phone", (request, text) => details(request).Phone = text, 256)) yield return row;
        foreach (var row in rpc.Text(path + ".email", (request, text) => details(request).Email = text, 256)) yield return row;
        foreach (var row in rpc.Text(path + ".address_lines", (request, text) => details(request).AddressLines.Add(text), 256, path + ".address_lines[0]")) yield return row;
        yield return rpc.Ok(path + ".address_lines", "5", request => Table.Fill(5, () => details(request).AddressLines.Add("Street 1")));
        yield return rpc.Bad(path + ".address_lines", "6", request => Table.Fill(6, () => details(request).AddressLines.Add("Street 1")));
        foreach (var row in rpc.Text(path + ".city", (request, text) => details(request).City = text, 256)) yield return row;
        foreach (var row in rpc.Text(path + ".postal_code", (request, text) => details(request).PostalCode = text, 256)) yield return row;
        yield return rpc.Ok(path + ".country_code", "'GB'", request => details(request).CountryCode = "GB");
        foreach (var country in new[] { "G", "GBR", "gb", "éé" })
            yield return rpc.Bad(path + ".country_code", $"'{country}'", request => details(request).CountryCode = country);
        foreach (var row in rpc.Text(path + ".note", (request, text) => details(request).Note = text, 1_024)) yield return row;
        yield return rpc.Ok(path + ".note", "and everything else at its bound", request =>
        {
            var all = details(request);
            all.Name = all.Phone = all.Email = all.City = all.PostalCode = Ids.Of(256);
            Table.Fill(5, () => all.AddressLines.Add(Ids.Of(256)));
            all.Note = Ids.Of(1_024);
        });
    }
}
