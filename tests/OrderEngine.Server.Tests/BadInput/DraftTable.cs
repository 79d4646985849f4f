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
        foreach (var row in Extras(rpc, request => order(request).Extras ??= new OrderExtras())) yield return row;
        foreach (var row in Personal(rpc, "order.delivery", request => order(request).Delivery ??= new PersonalDetails())) yield return row;
    }

    private static IEnumerable<Case> Extras<T>(Rpc<T> rpc, Func<T, OrderExtras> extras) where T : IMessage<T>
    {
        const string Key = "order.extras.attributes.key", Value = "order.extras.attributes.value", KeyPath = "order.extras.attributes[0].key", ValuePath = "order.extras.attributes[0].value";
        Contracts.V1.Attribute Pair(string key, string value = "v") => new() { Key = key, Value = value };
        yield return rpc.Ok(Key, "of 40 letters", request => extras(request).Attributes.Add(Pair(Ids.Of(40))));
        yield return rpc.Ok(Key, "of all letters", request => extras(request).Attributes.Add(Pair("a0._-z9")));
        foreach (var key in new[] { "", "A", "0a", "_a", "a b", "é", "a\ufffd", Ids.Of(41), Ids.Of(1024 * 1024) })
            yield return rpc.Bad(Key, $"'{key[..Math.Min(8, key.Length)]}' of {key.Length}", request => extras(request).Attributes.Add(Pair(key)), KeyPath);
        yield return rpc.Bad(Key, "twice", request => extras(request).Attributes.Add([Pair("a"), Pair("b"), Pair("a")]), "order.extras.attributes[2].key");
        yield return rpc.Ok(Value, "empty", request => extras(request).Attributes.Add(Pair("a", "")));
        yield return rpc.Ok(Value, "of 256 bytes", request => extras(request).Attributes.Add(Pair("a", Ids.Wide(256))));
        foreach (var value in new[] { Ids.Of(257), Ids.Wide(258), "a\0b", "a\nb", "a\u0085b", "a\ufffdb" })
            yield return rpc.Bad(Value, $"of {value.Length} like {(int)value[1]}", request => extras(request).Attributes.Add(Pair("a", value)), ValuePath);
        yield return rpc.Ok("order.extras.attributes", "16", request => extras(request).Attributes.Add(Enumerable.Range(0, 16).Select(i => Pair($"k{i}", Ids.Of(256)))));
        yield return rpc.Bad("order.extras.attributes", "17", request => extras(request).Attributes.Add(Enumerable.Range(0, 17).Select(i => Pair($"k{i}"))));

        const string Requests = "order.extras.special_requests", Text = Requests + ".text";
        SpecialRequest Wish(string text, int line = 0) => new() { Text = text, LineNumber = line };
        yield return rpc.Bad(Text, "empty", request => extras(request).SpecialRequests.Add(Wish("")), Requests + "[0].text");
        yield return rpc.Ok(Text, "of 512 bytes", request => extras(request).SpecialRequests.Add(Wish(Ids.Of(512))));
        yield return rpc.Bad(Text, "of 513 bytes", request => extras(request).SpecialRequests.Add(Wish(Ids.Of(513))), Requests + "[0].text");
        yield return rpc.Bad(Text, "not UTF-8", request => extras(request).SpecialRequests.Add(Wish("a\ufffd")), Requests + "[0].text");
        yield return rpc.Ok(Requests + ".line_number", "= 1", request => extras(request).SpecialRequests.Add(Wish("red", 1)));
        foreach (var line in new[] { -1, 2, int.MaxValue })
            yield return rpc.Bad(Requests + ".line_number", $"= {line}", request => extras(request).SpecialRequests.Add(Wish("red", line)), Requests + "[0].line_number");
        yield return rpc.Ok(Requests, "20", request => extras(request).SpecialRequests.Add(Enumerable.Range(0, 20).Select(_ => Wish(Ids.Of(190)))));
        yield return rpc.Bad(Requests, "21", request => extras(request).SpecialRequests.Add(Enumerable.Range(0, 21).Select(_ => Wish("a"))));
        yield return rpc.Bad(Requests, "8 of 512 bytes, which are too many", request => extras(request).SpecialRequests.Add(Enumerable.Range(0, 8).Select(_ => Wish(Ids.Of(512)))));
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
