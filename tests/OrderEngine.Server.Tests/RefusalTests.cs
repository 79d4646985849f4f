// Every rpc, by its descriptor, refuses a role that may not, an object that does not exist, a stale etag and an illegal transition, each with
// its own reason. What an rpc's request holds says what has to be tried; an rpc without a row in the table below fails the test. Whatever may be asked
// in a bulk or a stream is tried there, too.

using Google.Protobuf;
using Google.Protobuf.Reflection;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Server.Tests.Access;
using OrderEngine.Server.Tests.Kit;
using Role = OrderEngine.Contracts.V1.Role;

namespace OrderEngine.Server.Tests;

public sealed class RefusalTests
{
    /// <summary>How an rpc refuses.</summary>
    /// <param name="Unknown">The reason for an object that does not exist; null: it names none.</param>
    /// <param name="Illegal">The reason for an object at its end; null: it changes none.</param>
    /// <param name="Kind">The row of the transition table, where it is not called as the rpc.</param>
    /// <param name="Fill">What a sound request needs beyond what its fields' names say.</param>
    /// <param name="Carries">Carries the requests of other rpcs: every refusal of theirs is tried in it.</param>
    /// <param name="Always">True: it may be asked of an order in every state, as the transition table says.</param>
    private sealed record Row(string? Unknown = null, string? Illegal = null, CommandKind Kind = 0, Action<IMessage>? Fill = null, bool Carries = false, bool Always = false);

    private static readonly Row OfOrder = new("ORDER_NOT_FOUND", "ILLEGAL_TRANSITION");
    private static readonly Row OfReservation = new("RESERVATION_NOT_FOUND", "RESERVATION_NOT_HELD");
    private static readonly Row OfReturn = new("RETURN_NOT_FOUND", "ILLEGAL_RETURN_TRANSITION");
    private static readonly Row OfComplaint = new("COMPLAINT_NOT_FOUND", "COMPLAINT_CLOSED");
    private static readonly Row Plain = new();
    private static readonly Row Carrier = new(Carries: true);

    private static readonly Dictionary<string, Row> Rows = new()
    {
        ["SubmitOrder"] = Plain, ["BulkSubmitOrders"] = Carrier, ["StreamSubmitOrders"] = Carrier, ["CheckFulfillability"] = new(Kind: CommandKind.SubmitOrder),
        ["GetOrder"] = new("ORDER_NOT_FOUND"), ["LookupOrder"] = Plain, ["ListOrderEvents"] = new("ORDER_NOT_FOUND"), ["TrackOrder"] = new("ORDER_NOT_FOUND"), ["ListOrders"] = Plain, ["ExportOrders"] = Plain,
        // An order that is not there yet may be watched.
        ["WatchOrders"] = Plain,
        ["RecordPayment"] = new("ORDER_NOT_FOUND", Always: true), ["RecordRefund"] = new("ORDER_NOT_FOUND", Always: true), ["GetSettlement"] = new("ORDER_NOT_FOUND"),
        ["ApproveOrder"] = OfOrder, ["RejectOrder"] = OfOrder, ["CancelOrder"] = OfOrder, ["AmendOrder"] = OfOrder, ["PlaceHold"] = OfOrder, ["ReleaseHold"] = OfOrder,
        ["ConfirmOrder"] = OfOrder, ["AddNote"] = new("ORDER_NOT_FOUND", Always: true),
        ["OpenComplaint"] = new("ORDER_NOT_FOUND", Always: true), ["AssignComplaint"] = OfComplaint, ["ResolveComplaint"] = OfComplaint, ["GetComplaint"] = new("COMPLAINT_NOT_FOUND"),
        ["ListComplaints"] = new("ORDER_NOT_FOUND"), ["RecordFeedback"] = OfOrder,
        ["EraseCustomer"] = new(Fill: request => ((EraseCustomerRequest)request).CustomerId = "C1"), ["EraseOrder"] = new("ORDER_NOT_FOUND", Always: true),
        ["ReleaseShipment"] = OfOrder, ["ConfirmShipment"] = OfOrder, ["RecallShipment"] = OfOrder, ["RecordDelivery"] = OfOrder,
        ["RecordLoss"] = OfOrder with { Fill = request => ((RecordLossRequest)request).ParcelNumber = 1 }, ["StreamStatusReports"] = Carrier,
        ["CreateReservation"] = Plain, ["ExtendReservation"] = OfReservation, ["ReleaseReservation"] = OfReservation,
        ["CommitReservation"] = OfReservation with { Fill = request => ((CommitReservationRequest)request).Order.ExternalOrderId = Shop.NewId("x") },
        ["GetReservation"] = new("RESERVATION_NOT_FOUND"),
        ["ReceiveStock"] = Plain, ["AdjustStock"] = new(Fill: request => ((AdjustStockRequest)request).OnHandDelta = 1), ["GetStock"] = Plain, ["BatchGetStock"] = Plain, ["ListStock"] = Plain, ["WatchStock"] = Plain,
        ["SetStockPolicy"] = Plain, ["ListIncoming"] = Plain, ["ListSupplyRequests"] = Plain,
        ["AnnounceIncoming"] = new(Fill: request => ((AnnounceIncomingRequest)request).ExpectedTime = new() { Seconds = 4_000_000_000 }),
        ["TransferStock"] = new(Fill: request =>
        {
            var transfer = (TransferStockRequest)request;
            (transfer.FromLocationId, transfer.ToLocationId, transfer.ExpectedTime) = ("L1", "L2", new() { Seconds = 4_000_000_000 });
        }),
        ["RequestReturn"] = OfOrder, ["ApproveReturn"] = OfReturn, ["RejectReturn"] = OfReturn, ["SendReturn"] = OfReturn, ["ReceiveReturn"] = OfReturn, ["RecordRepair"] = OfReturn,
        ["ShipBackReturn"] = OfReturn, ["CloseReturn"] = OfReturn, ["GetReturn"] = new("RETURN_NOT_FOUND"), ["ListReturns"] = new("ORDER_NOT_FOUND"),
        ["UpsertCustomer"] = new(Kind: CommandKind.DefineCustomer, Fill: request => ((UpsertCustomerRequest)request).Customer.CustomerId = "C1"), ["GetCustomer"] = Plain, ["GetStatement"] = Plain,
        ["UpsertSku"] = new(Kind: CommandKind.DefineSku), ["GetSku"] = Plain, ["ListSkus"] = Plain,
        ["UpsertLocation"] = new(Kind: CommandKind.DefineLocation), ["GetLocation"] = Plain, ["ListLocations"] = Plain,
        ["UpsertChannel"] = new(Kind: CommandKind.DefineChannel), ["GetChannel"] = Plain, ["ListChannels"] = Plain, ["SetReviewRules"] = new(Fill: request => ((SetReviewRulesRequest)request).Rules.Rules.Clear()), ["GetReviewRules"] = Plain, ["SetDeadlines"] = Plain, ["GetDeadlines"] = Plain,
        ["ListExceptions"] = new("ORDER_NOT_FOUND"), ["ResolveException"] = new("EXCEPTION_NOT_FOUND", "EXCEPTION_NOT_OPEN"),
        ["GetStats"] = Plain, ["GetEngineStatus"] = Plain, ["VerifyInvariants"] = Plain, ["CreateCheckpoint"] = Plain, ["ExportEvents"] = Plain, ["ImportEvents"] = Plain,
        ["SetLogLevel"] = Plain, ["CreateBackup"] = Plain, ["ExportKeys"] = Plain,
    };

    private static readonly string[] Objects = ["order_id", "reservation_id", "return_id", "complaint_id", "exception_id"];
    private static readonly int States = System.Enum.GetValues<Core.OrderState>().Count(state => state != Core.OrderState.None);

    [Fact]
    public async Task Every_rpc_refuses_an_unknown_object_a_stale_etag_an_illegal_transition_and_a_role_that_may_not_each_with_its_own_reason()
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        var live = await ThingsAsync(server);
        var over = await EndedAsync(server);
        var (liveReturn, closedReturn) = (await ReturnAsync(server, closed: false), await ReturnAsync(server, closed: true));
        (live, over) = (live with { ExceptionId = await ExceptionAsync(server, resolved: false) }, over with { ExceptionId = await ExceptionAsync(server, resolved: true) });
        var carried = new HashSet<string>();
        var wrong = new List<string>();
        var tried = 0;
        foreach (var rpc in AnyRpc.All)
        {
            if (!Rows.TryGetValue(rpc.Name, out var row))
            {
                wrong.Add($"{rpc.Name}: say in this table how it refuses.");
                continue;
            }
            if (row.Carries) continue;
            var named = rpc.InputType.Fields.InDeclarationOrder().FirstOrDefault(field => Objects.Contains(field.Name))?.Name;
            var changes = rpc.InputType.FindFieldByName("actor") is not null;
            if ((named is not null) != (row.Unknown is not null)) wrong.Add($"{rpc.Name}: names {named ?? "no object"}, its row says {row.Unknown ?? "nothing"}.");
            if ((named is not null && changes && !row.Always) != (row.Illegal is not null)) wrong.Add($"{rpc.Name}: its row says {row.Illegal ?? "nothing"} of illegal transitions.");
            if (row.Always && Transitions.Of(KindOf(rpc, row)).From.Length != States) wrong.Add($"{rpc.Name}: the transition table does not let it be asked in every state.");

            foreach (var role in changes ? RolesThatMayNot(rpc, row) : [])
                await ExpectAsync(rpc, $"as {role}", "ROLE_NOT_ALLOWED", () => Request(rpc, row, named, live, liveReturn, role: role));
            if (row.Unknown is { } unknown)
                await ExpectAsync(rpc, "of nothing", unknown, () => Request(rpc, row, named, new Things("WEB", PublicId.Format(PublicId.Order, 99), PublicId.Format(PublicId.Reservation, 99), "x"), "r-unknown", absent: true));
            if (EtagOf(rpc.InputType) is { } etag)
                await ExpectAsync(rpc, "with a stale etag", "ETAG_MISMATCH", () => Request(rpc, row, named, live, liveReturn, etag: etag));
            if (row.Illegal is { } illegal)
                await ExpectAsync(rpc, "of what is over", illegal, () => Request(rpc, row, named, over, closedReturn));
        }
        foreach (var (rpc, _) in Rows.Where(entry => entry.Value.Carries))
            if (!carried.Contains(rpc)) wrong.Add($"{rpc}: nothing was tried in it.");
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(tried > 200, $"Only {tried} refusals were tried.");

        async Task ExpectAsync(MethodDescriptor rpc, string what, string reason, Func<IMessage> request)
        {
            tried++;
            var answer = await AnyRpc.CallAsync(server.Invoker, rpc, request());
            if (answer.Reason != reason) wrong.Add($"{rpc.Name} {what}: {answer.Code} {answer.Reason} in place of {reason}. {answer.Details}");
            foreach (var carrier in AnyRpc.All.Where(other => Rows.TryGetValue(other.Name, out var row) && row.Carries))
            {
                if (rpc.Name == "CheckFulfillability" || Carried(carrier.InputType, request()) is not { } message) continue;
                tried++;
                carried.Add(carrier.Name);
                answer = await AnyRpc.CallAsync(server.Invoker, carrier, message);
                if (!answer.IsServed || !answer.First.Contains($"\"reason\": \"{reason}\"", StringComparison.Ordinal))
                    wrong.Add($"{carrier.Name} with {rpc.Name} {what}: {answer.Code} {answer.Reason} {answer.First} in place of a result {reason}.");
            }
        }
    }

    // What a request may name, by the name of its field: one that is not there, and the reason.
    private static readonly Dictionary<string, (string Absent, string Reason)> Named = new()
    {
        ["sku_id"] = ("NONE", "SKU_NOT_FOUND"), ["sku_ids"] = ("NONE", "SKU_NOT_FOUND"), ["substitute_sku_ids"] = ("NONE", "SKU_NOT_FOUND"),
        ["location_id"] = ("NONE", "LOCATION_NOT_FOUND"), ["location_ids"] = ("NONE", "LOCATION_NOT_FOUND"), ["from_location_id"] = ("NONE", "LOCATION_NOT_FOUND"),
        ["to_location_id"] = ("NONE", "LOCATION_NOT_FOUND"), ["allowed_location_ids"] = ("NONE", "LOCATION_NOT_FOUND"),
        ["channel_id"] = ("NONE", "CHANNEL_NOT_FOUND"), ["channel_ids"] = ("NONE", "CHANNEL_NOT_FOUND"),
        ["customer_id"] = ("NONE", "CUSTOMER_NOT_FOUND"), ["customer_ids"] = ("NONE", "CUSTOMER_NOT_FOUND"),
        ["order_id"] = (PublicId.Format(PublicId.Order, 99), "ORDER_NOT_FOUND"), ["external_order_id"] = ("NONE", "ORDER_NOT_FOUND"),
        ["reservation_id"] = (PublicId.Format(PublicId.Reservation, 99), "RESERVATION_NOT_FOUND"), ["return_id"] = (PublicId.Format(PublicId.Return, 99), "RETURN_NOT_FOUND"),
        ["complaint_id"] = (PublicId.Format(PublicId.Complaint, 99), "COMPLAINT_NOT_FOUND"), ["exception_id"] = (PublicId.Format(PublicId.Exception, 99), "EXCEPTION_NOT_FOUND"),
        ["incoming_id"] = (PublicId.Format(PublicId.Incoming, 99), "INCOMING_NOT_FOUND"), ["supply_request_id"] = (PublicId.Format(PublicId.SupplyRequest, 99), "SUPPLY_REQUEST_NOT_FOUND"),
    };

    // Ids that need not be of anything yet, each with its why.
    private static readonly Dictionary<string, string> Free = new()
    {
        ["UpsertSku sku.sku_id"] = "it is made", ["UpsertLocation location.location_id"] = "it is made", ["UpsertChannel channel.channel_id"] = "it is made", ["UpsertCustomer customer.customer_id"] = "it is made",
        ["SubmitOrder order.external_order_id"] = "the order is made", ["CheckFulfillability order.external_order_id"] = "the order would be made", ["CommitReservation order.external_order_id"] = "the order is made",
    };

    [Fact]
    public async Task Every_id_in_a_request_that_is_of_nothing_has_its_own_reason()
    {
        await using var server = await TestServer.StartAsync();
        await Shop.OpenAsync(server);
        var live = await ThingsAsync(server);
        live = live with { ExceptionId = await ExceptionAsync(server, resolved: false) };
        var liveReturn = await ReturnAsync(server, closed: false);
        var (wrong, tried) = (new List<string>(), 0);
        foreach (var rpc in AnyRpc.All.Where(rpc => !Rows[rpc.Name].Carries))
        {
            var named = rpc.InputType.Fields.InDeclarationOrder().FirstOrDefault(field => Objects.Contains(field.Name))?.Name;
            foreach (var path in Requests.Naming(rpc.InputType, Named.Keys))
            {
                var what = $"{rpc.Name} {path}";
                if (Free.ContainsKey(what)) continue;
                tried++;
                var (absent, reason) = Named[path[(path.LastIndexOf('.') + 1)..]];
                var request = Instead(what, live) ?? Request(rpc, Rows[rpc.Name], named, live, liveReturn);
                Place(request, path, absent);
                var answer = await AnyRpc.CallAsync(server.Invoker, rpc, request);
                if (answer.Reason != reason) wrong.Add($"{what}: {answer.Code} {answer.Reason} in place of {reason}. {answer.Details}");
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(tried > 100, $"Only {tried} ids were tried.");
    }

    // Where the id goes with other fields than all those that can be set at once.
    private static IMessage? Instead(string what, Things things) => what switch
    {
        "AnnounceIncoming incoming_id" => new AnnounceIncomingRequest { RequestId = Shop.NewId(), Quantity = 1, ExpectedTime = new() { Seconds = 4_000_000_000 } },
        "TrackOrder channel_id" or "TrackOrder external_order_id" => new TrackOrderRequest { ChannelId = "WEB", ExternalOrderId = things.ExternalOrderId },
        "AmendOrder order.lines.sku_id" => new AmendOrderRequest
        {
            RequestId = Shop.NewId(), OrderId = things.OrderId, Actor = new Actor { Role = Role.Support }, UpdateMask = new() { Paths = { "lines" } }, Order = new OrderAmendment { Lines = { new LineAmendment { Quantity = 1, UnitPriceMinor = 1 } } },
        },
        "ConfirmShipment lines.location_id" => new ConfirmShipmentRequest { RequestId = Shop.NewId(), OrderId = things.OrderId, Lines = { new LineAtLocation { LineNumber = 1, Quantity = 1 } } },
        "ConfirmShipment short_picks.location_id" => new ConfirmShipmentRequest { RequestId = Shop.NewId(), OrderId = things.OrderId, ShortPicks = { new Contracts.V1.ShortPick { LineNumber = 1, Quantity = 1 } } },
        "SetReviewRules rules.rules.channel_ids" => new SetReviewRulesRequest { RequestId = Shop.NewId(), Rules = new ReviewRules { Rules = { new Contracts.V1.ReviewRule { RuleId = "R", RiskRatingAtLeast = 1 } } } },
        _ => null,
    };

    // Into the first of a list, and in place of what is there.
    private static void Place(IMessage message, string path, string value)
    {
        var parts = path.Split('.', 2);
        var field = message.Descriptor.FindFieldByName(parts[0]);
        if (field.IsRepeated)
        {
            var list = (System.Collections.IList)field.Accessor.GetValue(message);
            if (parts.Length == 1)
            {
                list.Clear();
                list.Add(value);
                return;
            }
            if (list.Count == 0) list.Add(field.MessageType.Parser.ParseFrom(ByteString.Empty));
            Place((IMessage)list[0]!, parts[1], value);
            return;
        }
        if (parts.Length == 1)
        {
            field.Accessor.SetValue(message, value);
            return;
        }
        if (field.Accessor.GetValue(message) is not IMessage inner) field.Accessor.SetValue(message, inner = field.MessageType.Parser.ParseFrom(ByteString.Empty));
        Place(inner, parts[1], value);
    }

    [Fact]
    public void The_table_names_no_rpc_that_is_not_there() =>
        Assert.Empty(Rows.Keys.Except(AnyRpc.All.Select(rpc => rpc.Name)));

    private static IEnumerable<Role> RolesThatMayNot(MethodDescriptor rpc, Row row)
    {
        var kind = KindOf(rpc, row);
        return System.Enum.GetValues<Role>().Where(role => role != Role.Unspecified && !Transitions.Allows(kind, (Core.Role)role));
    }

    private static CommandKind KindOf(MethodDescriptor rpc, Row row) => row.Kind != 0 ? row.Kind : System.Enum.Parse<CommandKind>(rpc.Name);

    // A message that carries the request, alone; null: it carries no such requests.
    private static IMessage? Carried(MessageDescriptor type, IMessage request)
    {
        var message = type.Parser.ParseFrom(ByteString.Empty);
        var items = type.Fields.InDeclarationOrder().Single(field => field.IsRepeated);
        var list = (System.Collections.IList)items.Accessor.GetValue(message);
        if (items.MessageType == request.Descriptor)
        {
            list.Add(request);
            return message;
        }
        if (items.MessageType.Fields.InDeclarationOrder().SingleOrDefault(field => field.FieldType == FieldType.Message && field.MessageType == request.Descriptor) is not { } place) return null;
        var item = items.MessageType.Parser.ParseFrom(ByteString.Empty);
        Set(item, "client_seq", 1UL);
        place.Accessor.SetValue(item, request);
        list.Add(item);
        return message;
    }

    // A sound request but for what is named.
    private static IMessage Request(MethodDescriptor rpc, Row row, string? named, Things things, string returnId, Role role = Role.Unspecified, string? etag = null, bool absent = false)
    {
        var request = Requests.Make(rpc.InputType, named ?? "", things, things, Shop.NewId());
        row.Fill?.Invoke(request);
        if (named == "exception_id") Set(request, "exception_id", absent ? PublicId.Format(PublicId.Exception, 99) : things.ExceptionId);
        if (named == "complaint_id") Set(request, "complaint_id", absent ? PublicId.Format(PublicId.Complaint, 99) : things.ComplaintId);
        if (request.Descriptor.FindFieldByName("complaint_id") is not null && request.Descriptor.FindFieldByName("return_id") is not null) Set(request, "return_id", "");
        if (named == "return_id") Set(request, "return_id", absent ? PublicId.Format(PublicId.Return, 99) : returnId);
        if (role != Role.Unspecified) Set(request, "actor", new Actor { Role = role });
        if (etag is not null) Set(request, etag, "9223372036854775807");
        return request;
    }

    private static void Set(IMessage message, string path, object value)
    {
        var parts = path.Split('.', 2);
        var field = message.Descriptor.FindFieldByName(parts[0]);
        if (parts.Length == 1) field.Accessor.SetValue(message, value);
        else Set((IMessage)field.Accessor.GetValue(message), parts[1], value);
    }

    // Its own, or that of the entry that it replaces.
    private static string? EtagOf(MessageDescriptor request) => request.FindFieldByName("etag") is not null ? "etag"
        : request.Fields.InDeclarationOrder().Where(field => field.FieldType == FieldType.Message && !field.IsRepeated && field.MessageType.FindFieldByName("etag") is not null)
            .Select(field => $"{field.Name}.etag").FirstOrDefault();

    private static async Task<Things> ThingsAsync(TestServer server)
    {
        var things = await Things.OfAsync(server.Invoker, "WEB");
        var complaint = new OpenComplaintRequest { RequestId = Shop.NewId(), OrderId = things.OrderId, Category = Contracts.V1.ComplaintCategory.Late, Text = "text" };
        return things with { ComplaintId = (await server.Customers.OpenComplaintAsync(complaint)).ComplaintId };
    }

    // An order that is cancelled, a complaint that is resolved, and a reservation that was let go.
    private static async Task<Things> EndedAsync(TestServer server)
    {
        var things = await ThingsAsync(server);
        await server.Orders.CancelOrderAsync(new CancelOrderRequest { RequestId = Shop.NewId(), OrderId = things.OrderId });
        await server.Customers.ResolveComplaintAsync(new ResolveComplaintRequest { RequestId = Shop.NewId(), ComplaintId = things.ComplaintId, Resolution = Contracts.V1.ComplaintResolution.Goodwill });
        await server.Inventory.ReleaseReservationAsync(new ReleaseReservationRequest { RequestId = Shop.NewId(), ReservationId = things.ReservationId });
        return things;
    }

    // A parcel that is lost.
    private static async Task<string> ExceptionAsync(TestServer server, bool resolved)
    {
        var order = (await Shop.OrderAsync(server)).OrderId;
        await server.Fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order });
        await server.Fulfillment.ConfirmShipmentAsync(new ConfirmShipmentRequest { RequestId = Shop.NewId(), OrderId = order });
        await server.Fulfillment.RecordLossAsync(new RecordLossRequest { RequestId = Shop.NewId(), OrderId = order });
        var raised = (await server.Admin.ListExceptionsAsync(new ListExceptionsRequest { OrderId = order })).Exceptions.Single();
        if (resolved) await server.Admin.ResolveExceptionAsync(new ResolveExceptionRequest { RequestId = Shop.NewId(), ExceptionId = raised.ExceptionId });
        return raised.ExceptionId;
    }

    private static async Task<string> ReturnAsync(TestServer server, bool closed)
    {
        var returns = new ReturnService.ReturnServiceClient(server.Invoker);
        var order = (await Shop.OrderAsync(server)).OrderId;
        await server.Fulfillment.ReleaseShipmentAsync(new ReleaseShipmentRequest { RequestId = Shop.NewId(), OrderId = order });
        await server.Fulfillment.ConfirmShipmentAsync(new ConfirmShipmentRequest { RequestId = Shop.NewId(), OrderId = order });
        await server.Fulfillment.RecordDeliveryAsync(new RecordDeliveryRequest { RequestId = Shop.NewId(), OrderId = order });
        var requested = await returns.RequestReturnAsync((RequestReturnRequest)Requests.Make(RequestReturnRequest.Descriptor, "order_id", new Things("WEB", order, "", "x"), new Things("WEB", order, "", "x"), Shop.NewId()));
        if (closed) await returns.RejectReturnAsync(new RejectReturnRequest { RequestId = Shop.NewId(), ReturnId = requested.ReturnId, Reason = "TEST" });
        return requested.ReturnId;
    }
}
