// THE BAD-INPUT TABLE: every field of every request at its bound and beyond it, with the status that it leads to.
// BadInputTests runs it; that it misses no field of the contract is a test too.

using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using OrderEngine.Contracts.V1;
using OrderEngine.Server.Tests.Kit;
using Role = OrderEngine.Contracts.V1.Role;
using RpcStatus = Google.Rpc.Status;

namespace OrderEngine.Server.Tests.BadInput;

internal static class Table
{
    public static IReadOnlyList<Case> Rows { get; } =
        [.. Orders(), .. OrderReads(), .. Cancels(), .. ChangeTable.Rows(), .. CareTable.Rows(), .. ListTable.Rows(), .. Reservations(), .. StockChanges(), .. StockReads(), .. SupplyTable.Rows(), .. FulfillmentTable.Rows(), .. ReturnTable.Rows(), .. Watches(), .. CatalogTable.Rows(), .. ReviewTable.Rows(), .. PaymentTable.Rows(), .. StatsTable.Rows(), .. Admin()];

    private static IEnumerable<Case> Orders()
    {
        var submit = Rpc<SubmitOrderRequest>.Unary("SubmitOrder", _ => Shop.Submit(), async (server, request) => await server.Orders.SubmitOrderAsync(request));
        var bulk = submit.Via("BulkSubmitOrders", async (server, request) =>
            (await server.Orders.BulkSubmitOrdersAsync(new BulkSubmitOrdersRequest { Requests = { request } })).Results[0].Refused);
        var stream = submit.Via("StreamSubmitOrders", async (server, request) => await StreamAsync(server, [new StreamedOrder { ClientSeq = 1, Request = request }]));
        foreach (var rpc in new[] { submit, bulk, stream })
        {
            foreach (var row in rpc.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Support)) yield return row;
            yield return rpc.Bad("order", "missing", request => request.Order = null);
            foreach (var row in DraftTable.Rows(rpc, request => request.Order, isDryRun: false)) yield return row;
        }

        var check = Rpc<CheckFulfillabilityRequest>.Unary("CheckFulfillability", _ => new CheckFulfillabilityRequest { Order = Shop.Draft() },
            async (server, request) => await server.Orders.CheckFulfillabilityAsync(request));
        foreach (var row in check.ShortText("actor.id", (request, id) => request.Actor = new Actor { Id = id }, 64)) yield return row;
        yield return check.Bad("actor.role", "unknown", request => request.Actor = new Actor { Role = (Role)99 });
        yield return check.Refused("actor.role", "that may not", ErrorReason.RoleNotAllowed, request => request.Actor = new Actor { Role = Role.Finance });
        yield return check.Bad("order", "missing", request => request.Order = null);
        foreach (var row in DraftTable.Rows(check, request => request.Order, isDryRun: true)) yield return row;

        var commit = Rpc<CommitReservationRequest>.Unary("CommitReservation", world => new CommitReservationRequest
        {
            RequestId = Shop.NewId(), ReservationId = world.ReservationId, Order = Shop.Draft(),
        }, async (server, request) => await server.Inventory.CommitReservationAsync(request));
        yield return commit.Bad("request_id", "empty", request => request.RequestId = "");
        yield return commit.Bad("request_id", "of 65 bytes", request => request.RequestId = Ids.Of(65));
        yield return commit.Bad("actor.id", "of 65 bytes", request => request.Actor = new Actor { Id = Ids.Of(65) });
        yield return commit.Bad("actor.role", "unknown", request => request.Actor = new Actor { Role = (Role)99 });
        yield return commit.Refused("actor.role", "that may not", ErrorReason.RoleNotAllowed, request => request.Actor = new Actor { Role = Role.Finance });
        foreach (var row in commit.Id("reservation_id", (request, id) => request.ReservationId = id, unknown: ErrorReason.ReservationNotFound)) yield return row;
        yield return commit.Bad("order", "missing", request => request.Order = null);
        foreach (var row in DraftTable.Rows(commit, request => request.Order, isDryRun: false))
            if (row.Reason == ErrorReason.InvalidField) yield return row;

        foreach (var row in Batches()) yield return row;
    }

    private static IEnumerable<Case> Batches()
    {
        var bulk = Rpc<BulkSubmitOrdersRequest>.Unary("BulkSubmitOrders", _ => new BulkSubmitOrdersRequest { Requests = { Shop.Submit() } },
            async (server, request) => await server.Orders.BulkSubmitOrdersAsync(request));
        yield return bulk.Bad("requests", "empty", request => request.Requests.Clear());
        yield return bulk.Ok("requests", "of 1000", request => Fill(999, () => request.Requests.Add(Shop.Submit())));
        yield return bulk.Bad("requests", "of 1001", request => Fill(1000, () => request.Requests.Add(Shop.Submit())));

        var stream = new Rpc<StreamSubmitOrdersRequest>("StreamSubmitOrders", _ => new StreamSubmitOrdersRequest(), (server, request) => StreamAsync(server, request.Orders));
        ulong seq = 0;
        yield return stream.Bad("orders", "empty", _ => { });
        yield return stream.Ok("orders", "of 1000", request => Fill(1000, () => request.Orders.Add(new StreamedOrder { ClientSeq = ++seq, Request = Shop.Submit() })));
        yield return stream.Bad("orders", "of 1001", request => Fill(1001, () => request.Orders.Add(new StreamedOrder { ClientSeq = ++seq, Request = Shop.Submit() })));
        yield return stream.Bad("orders.request", "missing", request => request.Orders.Add(new StreamedOrder { ClientSeq = 1 }), "request");
        yield return stream.Ok("orders.client_seq", "growing", request => AddSeqs(request, 0, 7, ulong.MaxValue));
        yield return stream.Bad("orders.client_seq", "twice", request => AddSeqs(request, 7, 7), "client_seq");
        yield return stream.Bad("orders.client_seq", "falling", request => AddSeqs(request, 7, 6), "client_seq");

        static void AddSeqs(StreamSubmitOrdersRequest request, params ulong[] seqs)
        {
            foreach (var seq in seqs) request.Orders.Add(new StreamedOrder { ClientSeq = seq, Request = Shop.Submit() });
        }
    }

    private static IEnumerable<Case> OrderReads()
    {
        var get = Rpc<GetOrderRequest>.Unary("GetOrder", world => new GetOrderRequest { OrderId = world.OrderId }, async (server, request) => await server.Orders.GetOrderAsync(request));
        foreach (var row in get.Id("order_id", (request, id) => request.OrderId = id, unknown: ErrorReason.OrderNotFound)) yield return row;
        foreach (var row in get.MinSequence((request, value) => request.MinSequence = value)) yield return row;
        yield return get.Ok("include_delivery", "of an order without", request => request.IncludeDelivery = true);

        var lookup = Rpc<LookupOrderRequest>.Unary("LookupOrder", _ => new LookupOrderRequest { ChannelId = "WEB", ExternalOrderId = "table-order" },
            async (server, request) => await server.Orders.LookupOrderAsync(request));
        foreach (var row in lookup.Id("channel_id", (request, id) => request.ChannelId = id, unknown: ErrorReason.ChannelNotFound)) yield return row;
        foreach (var row in lookup.Id("external_order_id", (request, id) => request.ExternalOrderId = id, unknown: ErrorReason.OrderNotFound)) yield return row;
        foreach (var row in lookup.MinSequence((request, value) => request.MinSequence = value)) yield return row;
        yield return lookup.Ok("include_delivery", "of an order without", request => request.IncludeDelivery = true);

        var events = Rpc<ListOrderEventsRequest>.Unary("ListOrderEvents", world => new ListOrderEventsRequest { OrderId = world.OrderId },
            async (server, request) => await server.Orders.ListOrderEventsAsync(request));
        foreach (var row in events.Id("order_id", (request, id) => request.OrderId = id, unknown: ErrorReason.OrderNotFound)) yield return row;
        foreach (var row in events.Page((request, size) => request.PageSize = size, (request, token) => request.PageToken = token)) yield return row;
        yield return events.Ok("include_personal_data", "of an order without", request => request.IncludePersonalData = true);
        foreach (var row in events.MinSequence((request, value) => request.MinSequence = value)) yield return row;

        var track = Rpc<TrackOrderRequest>.Unary("TrackOrder", world => new TrackOrderRequest { OrderId = world.OrderId }, async (server, request) => await server.Tracking.TrackOrderAsync(request));
        yield return track.Ok("order_id", "known", _ => { });
        yield return track.Bad("order_id", "of 65 bytes", request => request.OrderId = Ids.Of(65));
        yield return track.Refused("order_id", "unknown", ErrorReason.OrderNotFound, request => request.OrderId = Ids.Of(64));
        yield return track.Bad("order_id", "and channel_id", request => request.ChannelId = "WEB");
        foreach (var row in track.MinSequence((request, value) => request.MinSequence = value)) yield return row;
        var byExternalId = Rpc<TrackOrderRequest>.Unary("TrackOrder", _ => new TrackOrderRequest { ChannelId = "WEB", ExternalOrderId = "table-order" },
            async (server, request) => await server.Tracking.TrackOrderAsync(request));
        foreach (var row in byExternalId.Id("channel_id", (request, id) => request.ChannelId = id, unknown: ErrorReason.ChannelNotFound)) yield return row;
        foreach (var row in byExternalId.Id("external_order_id", (request, id) => request.ExternalOrderId = id, unknown: ErrorReason.OrderNotFound)) yield return row;
    }

    private static IEnumerable<Case> Cancels()
    {
        var cancel = Rpc<CancelOrderRequest>.Unary("CancelOrder", world => new CancelOrderRequest
        {
            RequestId = Shop.NewId(), OrderId = world.OrderId, Lines = { new LineQuantity { LineNumber = 1, Quantity = 1 } },
        }, async (server, request) => await server.Orders.CancelOrderAsync(request));
        foreach (var row in cancel.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Support)) yield return row;
        foreach (var row in cancel.Id("order_id", (request, id) => request.OrderId = id, unknown: ErrorReason.OrderNotFound)) yield return row;
        foreach (var row in cancel.Etag("etag", (request, etag) => request.Etag = etag)) yield return row;
        foreach (var row in cancel.Reason("reason", (request, reason) => request.Reason = reason)) yield return row;
        foreach (var row in LineRows(cancel, request => request.Lines)) yield return row;
    }

    /// <summary>Rows of a list of line quantities.</summary>
    public static IEnumerable<Case> LineRows<T>(Rpc<T> rpc, Func<T, IList<LineQuantity>> lines, ErrorReason? tooMany = ErrorReason.NotCancellable) where T : Google.Protobuf.IMessage<T>
    {
        foreach (var row in rpc.Number("lines.quantity", (request, value) => lines(request)[0].Quantity = (int)value, 1, 1_000_000, "lines[0].quantity", atMost: tooMany, atLeast: tooMany == ErrorReason.NotCancellable ? null : tooMany))
            yield return row;
        yield return rpc.Bad("lines.quantity", "overflowing", request => lines(request)[0].Quantity = int.MinValue, "lines[0].quantity");
        yield return rpc.Bad("lines.line_number", "= 0", request => lines(request)[0].LineNumber = 0, "lines[0].line_number");
        yield return rpc.Refused("lines.line_number", "= 2000, which is not there", ErrorReason.QuantityNotAvailable, request => lines(request)[0].LineNumber = 2_000);
        yield return rpc.Bad("lines.line_number", "= 2001", request => lines(request)[0].LineNumber = 2_001, "lines[0].line_number");
        yield return rpc.Bad("lines", "the same line twice", request => lines(request).Add(new LineQuantity { LineNumber = 1, Quantity = 1 }), "lines[1].line_number");
        yield return rpc.Refused("lines", "of 2000", ErrorReason.QuantityNotAvailable, request =>
        {
            for (var i = 2; i <= 2_000; i++) lines(request).Add(new LineQuantity { LineNumber = i, Quantity = 1 });
        });
        yield return rpc.Bad("lines", "of 2001", request =>
        {
            for (var i = 2; i <= 2_001; i++) lines(request).Add(new LineQuantity { LineNumber = i, Quantity = 1 });
        });
    }

    private static IEnumerable<Case> Reservations()
    {
        var create = Rpc<CreateReservationRequest>.Unary("CreateReservation", _ => Shop.Reserve(), async (server, request) => await server.Inventory.CreateReservationAsync(request));
        foreach (var row in create.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Support)) yield return row;
        foreach (var row in create.Id("channel_id", (request, id) => request.ChannelId = id, unknown: ErrorReason.ChannelNotFound)) yield return row;
        foreach (var row in create.Id("customer_id", (request, id) => request.CustomerId = id, required: false, unknown: ErrorReason.CustomerNotFound)) yield return row;
        foreach (var row in ItemRows(create, request => request.Items, ErrorReason.OutOfStock)) yield return row;
        foreach (var row in TtlRows(create, (request, ttl) => request.Ttl = ttl)) yield return row;

        var extend = Rpc<ExtendReservationRequest>.Unary("ExtendReservation", world => new ExtendReservationRequest
        {
            RequestId = Shop.NewId(), ReservationId = world.ReservationId, Ttl = Duration.FromTimeSpan(TimeSpan.FromHours(1)),
        }, async (server, request) => await server.Inventory.ExtendReservationAsync(request));
        foreach (var row in extend.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Support)) yield return row;
        foreach (var row in extend.Id("reservation_id", (request, id) => request.ReservationId = id, unknown: ErrorReason.ReservationNotFound)) yield return row;
        foreach (var row in TtlRows(extend, (request, ttl) => request.Ttl = ttl, canBeShort: false)) yield return row;
        foreach (var row in extend.Etag("etag", (request, etag) => request.Etag = etag)) yield return row;

        var release = Rpc<ReleaseReservationRequest>.Unary("ReleaseReservation", world => new ReleaseReservationRequest
        {
            RequestId = Shop.NewId(), ReservationId = world.ReservationId, Etag = "9223372036854775807",
        }, async (server, request) => await server.Inventory.ReleaseReservationAsync(request));
        foreach (var row in release.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Support))
            yield return row.Reason is null ? row with { Reason = ErrorReason.EtagMismatch } : row;
        foreach (var row in release.Id("reservation_id", (request, id) => request.ReservationId = id, unknown: ErrorReason.ReservationNotFound)) yield return row;
        foreach (var row in release.Etag("etag", (request, etag) => request.Etag = etag)) yield return row;

        var get = Rpc<GetReservationRequest>.Unary("GetReservation", world => new GetReservationRequest { ReservationId = world.ReservationId },
            async (server, request) => await server.Inventory.GetReservationAsync(request));
        foreach (var row in get.Id("reservation_id", (request, id) => request.ReservationId = id, unknown: ErrorReason.ReservationNotFound)) yield return row;
        foreach (var row in get.MinSequence((request, value) => request.MinSequence = value)) yield return row;
    }

    private static IEnumerable<Case> TtlRows<T>(Rpc<T> rpc, Action<T, Duration?> set, bool canBeShort = true) where T : Google.Protobuf.IMessage<T>
    {
        yield return rpc.Bad("ttl", "missing", request => set(request, null));
        if (canBeShort) yield return rpc.Ok("ttl", "of 1 second", request => set(request, new Duration { Seconds = 1 }));
        yield return rpc.Ok("ttl", "of 24 hours", request => set(request, new Duration { Seconds = 86_400 }));
        yield return rpc.Bad("ttl", "just below 1 second", request => set(request, new Duration { Nanos = 999_999_999 }));
        yield return rpc.Bad("ttl", "just above 24 hours", request => set(request, new Duration { Seconds = 86_400, Nanos = 1 }));
        yield return rpc.Bad("ttl", "negative", request => set(request, new Duration { Seconds = -1 }));
        yield return rpc.Bad("ttl", "with too many nanoseconds", request => set(request, new Duration { Seconds = 1, Nanos = 1_000_000_000 }));
        yield return rpc.Bad("ttl", "overflowing", request => set(request, new Duration { Seconds = long.MaxValue }));
    }

    private static IEnumerable<Case> ItemRows<T>(Rpc<T> rpc, Func<T, IList<ReservationItem>> items, ErrorReason? million) where T : Google.Protobuf.IMessage<T>
    {
        yield return rpc.Bad("items", "empty", request => items(request).Clear());
        yield return rpc.Ok("items", "of 2000, of one SKU", request => Fill(2_000 - 1, () => items(request).Add(new ReservationItem { SkuId = "A", Quantity = 1 })));
        yield return rpc.Bad("items", "of 2001", request => Fill(2_000, () => items(request).Add(new ReservationItem { SkuId = "A", Quantity = 1 })));
        foreach (var row in rpc.Id("items.sku_id", (request, id) => items(request)[0].SkuId = id, unknown: ErrorReason.SkuNotFound, path: "items[0].sku_id")) yield return row;
        foreach (var row in rpc.Number("items.quantity", (request, value) =>
        {
            items(request)[0].Quantity = (int)value;
            if (million is not null && value == 1_000_000) items(request)[0].SkuId = "EMPTY";
        }, 1, 1_000_000, "items[0].quantity", atMost: million)) yield return row;
        yield return rpc.Bad("items.quantity", "overflowing", request => items(request)[0].Quantity = int.MinValue, "items[0].quantity");
    }

    private static IEnumerable<Case> StockChanges()
    {
        var receive = Rpc<ReceiveStockRequest>.Unary("ReceiveStock", _ => new ReceiveStockRequest
        {
            RequestId = Shop.NewId(), LocationId = "L1", Items = { new ReservationItem { SkuId = "B", Quantity = 1 } },
        }, async (server, request) => await server.Inventory.ReceiveStockAsync(request));
        foreach (var row in receive.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Warehouse)) yield return row;
        foreach (var row in receive.Id("location_id", (request, id) => request.LocationId = id, unknown: ErrorReason.LocationNotFound)) yield return row;
        foreach (var row in ItemRows(receive, request => request.Items, null)) yield return row;
        foreach (var row in receive.ShortText("reference", (request, text) => request.Reference = text, 64)) yield return row;
        yield return receive.Refused("incoming_id", "unknown", ErrorReason.IncomingNotFound, request => request.IncomingId = "i0000000000000x");
        yield return receive.Bad("incoming_id", "of 65 bytes", request => request.IncomingId = Ids.Of(65));

        var adjust = Rpc<AdjustStockRequest>.Unary("AdjustStock", _ => new AdjustStockRequest
        {
            RequestId = Shop.NewId(), LocationId = "L1", SkuId = "B", OnHandDelta = 1,
        }, async (server, request) => await server.Inventory.AdjustStockAsync(request));
        foreach (var row in adjust.Asker((request, id) => request.RequestId = id, (request, actor) => request.Actor = actor, Role.Manager)) yield return row;
        foreach (var row in adjust.Id("location_id", (request, id) => request.LocationId = id, unknown: ErrorReason.LocationNotFound)) yield return row;
        foreach (var row in adjust.Id("sku_id", (request, id) => request.SkuId = id, unknown: ErrorReason.SkuNotFound)) yield return row;
        const long Bound = 1_000_000_000;
        // What is taken away is taken of a SKU that never has any, in whatever order the rows run.
        foreach (var row in adjust.Number("on_hand_delta", (request, value) => (request.OnHandDelta, request.SkuId) = (value, value < 0 ? "EMPTY" : "B"), -Bound, Bound, atLeast: ErrorReason.StockBelowCommitted)) yield return row;
        yield return adjust.Bad("on_hand_delta", "overflowing", request => request.OnHandDelta = long.MinValue);
        foreach (var row in adjust.Number("counted_on_hand", (request, value) => request.CountedOnHand = value, 0, Bound)) yield return row;
        foreach (var row in adjust.Number("unavailable_delta", (request, value) => (request.UnavailableDelta, request.SkuId) = (value, "EMPTY"), -Bound, Bound,
            atLeast: ErrorReason.StockBelowCommitted, atMost: ErrorReason.StockBelowCommitted)) yield return row;
        yield return adjust.Bad("change", "missing", request => request.ClearChange());
        yield return adjust.Ok("below_committed", "= REJECT", request => request.BelowCommitted = BelowCommitted.Reject);
        yield return adjust.Bad("below_committed", "unknown", request => request.BelowCommitted = (BelowCommitted)99);
        yield return adjust.Refused("below_committed", "= DEALLOCATE by the warehouse", ErrorReason.RoleNotAllowed, request => request.BelowCommitted = BelowCommitted.Deallocate);
        yield return adjust.Ok("reason", "of 64 letters", request => request.Reason = new string('A', 64));
        yield return adjust.Bad("reason", "of 65 letters", request => request.Reason = new string('A', 65));
    }

    private static IEnumerable<Case> StockReads()
    {
        var get = Rpc<GetStockRequest>.Unary("GetStock", _ => new GetStockRequest { SkuId = "A" }, async (server, request) => await server.Inventory.GetStockAsync(request));
        foreach (var row in get.Id("sku_id", (request, id) => request.SkuId = id, unknown: ErrorReason.SkuNotFound)) yield return row;
        foreach (var row in get.MinSequence((request, value) => request.MinSequence = value)) yield return row;

        var batch = Rpc<BatchGetStockRequest>.Unary("BatchGetStock", _ => new BatchGetStockRequest { SkuIds = { "A" } }, async (server, request) => await server.Inventory.BatchGetStockAsync(request));
        foreach (var row in batch.Id("sku_ids", (request, id) => request.SkuIds[0] = id, unknown: ErrorReason.SkuNotFound, path: "sku_ids[0]")) yield return row;
        yield return batch.Bad("sku_ids", "none", request => request.SkuIds.Clear());
        yield return batch.Ok("sku_ids", "1000", request => Fill(999, () => request.SkuIds.Add("A")));
        yield return batch.Bad("sku_ids", "1001", request => Fill(1000, () => request.SkuIds.Add("A")));
        foreach (var row in batch.MinSequence((request, value) => request.MinSequence = value)) yield return row;

        var list = Rpc<ListStockRequest>.Unary("ListStock", _ => new ListStockRequest(), async (server, request) => await server.Inventory.ListStockAsync(request));
        foreach (var row in list.Id("location_id", (request, id) => request.LocationId = id, required: false, unknown: ErrorReason.LocationNotFound)) yield return row;
        foreach (var row in list.Page((request, size) => request.PageSize = size, (request, token) => request.PageToken = token)) yield return row;
        foreach (var row in list.MinSequence((request, value) => request.MinSequence = value)) yield return row;
    }

    private static IEnumerable<Case> Watches()
    {
        var orders = Rpc<WatchOrdersRequest>.Unary("WatchOrders", _ => new WatchOrdersRequest { Filter = new WatchFilter() },
            async (server, request) => await OpenAsync(server.Tracking.WatchOrders(request)));
        foreach (var row in FilterRows(orders, "filter.channel_ids", request => request.Filter.ChannelIds, "WEB", 1000, ErrorReason.ChannelNotFound)) yield return row;
        foreach (var row in FilterRows(orders, "filter.customer_ids", request => request.Filter.CustomerIds, "C1", 1000, ErrorReason.CustomerNotFound)) yield return row;
        foreach (var row in FilterRows(orders, "filter.order_ids", request => request.Filter.OrderIds, Core.PublicId.Format('o', 1), 1000, ErrorReason.OrderNotFound)) yield return row;
        yield return orders.Ok("filter.states", "1000", request => Fill(1000, () => request.Filter.States.Add(OrderState.Ready)));
        yield return orders.Bad("filter.states", "1001", request => Fill(1001, () => request.Filter.States.Add(OrderState.Ready)));
        yield return orders.Bad("filter.states", "unspecified", request => request.Filter.States.Add(OrderState.Unspecified), "filter.states[0]");
        yield return orders.Bad("filter.states", "unknown", request => request.Filter.States.Add((OrderState)99), "filter.states[0]");
        foreach (var row in orders.Token("resume_token", (request, token) => request.ResumeToken = token)) yield return row;
        yield return orders.Refused("resume_token", "ahead", ErrorReason.ResumeTokenAhead,
            request => request.ResumeToken = new Mapping.Token(Mapping.TokenKind.Orders, long.MaxValue).ToString());
        yield return orders.Ok("snapshot_first", "asked for", request => request.SnapshotFirst = true);

        var stock = Rpc<WatchStockRequest>.Unary("WatchStock", _ => new WatchStockRequest(), async (server, request) => await OpenAsync(server.Inventory.WatchStock(request)));
        foreach (var row in FilterRows(stock, "sku_ids", request => request.SkuIds, "A", 1000, ErrorReason.SkuNotFound)) yield return row;
        foreach (var row in FilterRows(stock, "location_ids", request => request.LocationIds, "L1", 100, ErrorReason.LocationNotFound)) yield return row;
        foreach (var row in stock.Token("resume_token", (request, token) => request.ResumeToken = token)) yield return row;
        yield return stock.Refused("resume_token", "ahead", ErrorReason.ResumeTokenAhead,
            request => request.ResumeToken = new Mapping.Token(Mapping.TokenKind.Stock, long.MaxValue).ToString());
        yield return stock.Ok("snapshot_first", "asked for", request => request.SnapshotFirst = true);
    }

    private static IEnumerable<Case> FilterRows<T>(Rpc<T> rpc, string field, Func<T, IList<string>> list, string known, int most, ErrorReason unknown) where T : Google.Protobuf.IMessage<T>
    {
        foreach (var row in rpc.Id(field, (request, id) => list(request).Add(id), unknown: unknown, path: field + "[0]")) yield return row;
        yield return rpc.Ok(field, $"{most} entries", request => Fill(most, () => list(request).Add(known)));
        yield return rpc.Bad(field, $"{most + 1} entries", request => Fill(most + 1, () => list(request).Add(known)));
    }

    private static IEnumerable<Case> Admin()
    {
        var export = Rpc<ExportEventsRequest>.Unary("ExportEvents", _ => new ExportEventsRequest { FromSequence = 1 }, async (server, request) =>
        {
            using var call = server.Admin.ExportEvents(request);
            while (await call.ResponseStream.MoveNext(default)) { }
        });
        yield return export.Ok("from_sequence", "= 1", _ => { });
        yield return export.Ok("from_sequence", "behind the end", request => request.FromSequence = long.MaxValue);
        yield return export.Bad("from_sequence", "= 0", request => request.FromSequence = 0);
        yield return export.Bad("from_sequence", "overflowing", request => request.FromSequence = long.MinValue);
        yield return export.Ok("include_personal_data", "asked for", request => request.IncludePersonalData = true);
        var level = Rpc<SetLogLevelRequest>.Unary("SetLogLevel", _ => new SetLogLevelRequest { Category = "OrderEngine.Nobody" }, async (server, request) => await server.Admin.SetLogLevelAsync(request));
        yield return level.Ok("category", "of 128 characters", request => request.Category = new string('x', 128));
        yield return level.Bad("category", "empty", request => request.Category = "");
        yield return level.Bad("category", "of 129 characters", request => request.Category = new string('x', 129));
        yield return level.Bad("category", "with a colon", request => request.Category = "Kestrel:Endpoints");
        yield return level.Ok("level", "none", request => request.Level = LogThreshold.Unspecified);
        yield return level.Bad("level", "unknown", request => request.Level = (LogThreshold)99);
        var import = Rpc<ImportEventsRequest>.Unary("ImportEvents", _ => new ImportEventsRequest(), async (server, request) =>
        {
            using var call = server.Admin.ImportEvents();
            try
            {
                await call.RequestStream.WriteAsync(request);
                await call.RequestStream.CompleteAsync();
            }
            catch (Exception over) when (over is InvalidOperationException or RpcException)
            {
                // Refused before all was sent: the call says why.
            }
            await call;
        });
        yield return import.Refused("events", "into an engine that holds something", ErrorReason.EngineNotEmpty, _ => { });
    }

    internal static void Fill(int count, Action add)
    {
        for (var i = 0; i < count; i++) add();
    }

    /// <summary>Opens a watch and leaves it again once it is accepted: its first message comes at once.</summary>
    private static async Task OpenAsync<TResponse>(AsyncServerStreamingCall<TResponse> call)
    {
        using (call)
        {
            Assert.True(await call.ResponseStream.MoveNext(default));
        }
    }

    private static async Task<RpcStatus?> StreamAsync(TestServer server, IEnumerable<StreamedOrder> orders)
    {
        using var call = server.Orders.StreamSubmitOrders();
        var request = new StreamSubmitOrdersRequest();
        request.Orders.Add(orders);
        await call.RequestStream.WriteAsync(request);
        await call.RequestStream.CompleteAsync();
        RpcStatus? last = null;
        var answered = 0;
        while (await call.ResponseStream.MoveNext(default))
        {
            foreach (var result in call.ResponseStream.Current.Results)
            {
                Assert.Equal(request.Orders[answered++].ClientSeq, result.ClientSeq);
                last = result.Refused;
            }
        }
        Assert.Equal(request.Orders.Count, answered);
        return last;
    }
}
