// Owns submit, check and order get, lookup, events, cancel; the rest of order stands in ListCommands, ReviewCommands, MoneyCommands and ChangeCommands. One thread.
using System.CommandLine;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal static class OrderCommands
{
    private const int EventsPerPage = 1_000;

    public static Option<string?> RequestId() => new("--request-id")
    {
        Description = "Makes a repeat harmless: the same id gets the same answer. Left out: a new one.", HelpName = "ID",
    };

    public static Option<string?> Etag() => new("--etag") { Description = "Refuse when it has changed since it was read.", HelpName = "ETAG" };

    public static Option<string?> Reason(string example) => new("--reason") { Description = $"Why, as a code such as {example}.", HelpName = "CODE" };

    public static void Add(Command command, Argument argument, params Option[] options)
    {
        command.Add(argument);
        foreach (var option in options)
            command.Add(option);
    }

    public static Argument<string> OrderId() => new("ORDER_ID") { Description = "The engine's id of the order." };

    public static Command Submit(Runner run)
    {
        var command = new Command("submit", "Submit one order.");
        var draft = new Draft();
        var requestId = RequestId();
        draft.AddTo(command);
        command.Add(requestId);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var order = await draft.ReadAsync(session, externalIdNeeded: true, cancellationToken);
            var request = new SubmitOrderRequest { RequestId = session.Get(requestId) ?? RequestIds.New(), Order = order };
            try
            {
                var answer = await session.Client.Orders.SubmitOrderAsync(request, cancellationToken: cancellationToken);
                return session.Answer(answer, s => Accepted(s, answer, "Accepted"));
            }
            catch (OrderEngineException unknown) when (unknown.Error.Retryable)
            {
                session.Note($"What became of the order is not known. Repeat with --request-id {request.RequestId} to find out without ordering twice.");
                throw;
            }
        });
    }

    /// <summary>An accepted order for people.</summary>
    public static void Accepted(Session session, SubmitOrderResponse answer, string word)
    {
        session.Say($"{word}{(answer.Replayed ? " before" : "")}.");
        session.Fields(("order", answer.OrderId), ("state", Values.Upper(answer.State)), ("sequence", Session.Number(answer.Sequence)),
            ("accepted", Session.Time(answer.AcceptTime)), ("etag", answer.Etag), ("to be reviewed", ReviewCommands.Reasons(answer.ReviewReasons)));
        if (answer.RequiresConfirmation)
            session.Say("It waits for its customer's confirmation: orderctl order confirm.");
        if (answer.Shortfalls.Count > 0)
        {
            session.Table([">line", "sku", ">ordered", ">reserved", ">backordered", ">cancelled"], answer.Shortfalls.Select(line => new[]
            {
                Session.Number(line.LineNumber), line.SkuId, Session.Number(line.Ordered), Session.Number(line.Reserved),
                Session.Number(line.Backordered), Session.Number(line.Cancelled),
            }));
            Shortages.Say(session.Say, answer.Shortages);
        }
    }

    public static Command Check(Runner run)
    {
        var command = new Command("check", "Ask what would become of an order, changing nothing. Exits 1 when it would be refused.");
        var draft = new Draft();
        draft.AddTo(command);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var order = await draft.ReadAsync(session, externalIdNeeded: false, cancellationToken);
            var answer = await session.Client.Orders.CheckFulfillabilityAsync(new CheckFulfillabilityRequest { Order = order, Actor = session.Actor }, cancellationToken: cancellationToken);
            session.Answer(answer, s =>
            {
                s.Say(answer.Acceptable ? $"It would be accepted: {Values.Upper(answer.State)}." : "It would be refused.");
                s.Fields(("to be reviewed", ReviewCommands.Reasons(answer.ReviewReasons)));
                if (answer.Lines.Count > 0)
                {
                    s.Table([">line", "sku", ">ordered", ">reserved", ">backordered", ">cancelled", "from"], answer.Lines.Select(line => new[]
                    {
                        Session.Number(line.LineNumber), line.SkuId, Session.Number(line.Ordered), Session.Number(line.Reserved), Session.Number(line.Backordered),
                        Session.Number(line.Cancelled), string.Join(", ", line.Allocations.Select(a => $"{a.LocationId} {Session.Number(a.Reserved)}")),
                    }));
                    Shortages.Say(s.Say, answer.Shortages);
                }
            });
            if (answer.Acceptable)
                return ExitCodes.Ok;
            if (!session.Json && answer.Refusal is not null)
                session.Refused(OrderEngineError.From(answer.Refusal));
            return ExitCodes.Failed;
        });
    }

    public static Command Order(Runner run)
    {
        var order = new Command("order", "Read orders and their history; review, change, hold, cancel; record money.");
        order.Add(Get(run));
        order.Add(Lookup(run));
        order.Add(Events(run));
        order.Add(ListCommands.Orders(run));
        order.Add(Cancel(run));
        order.Add(ReviewCommands.Approve(run));
        order.Add(ReviewCommands.Reject(run));
        order.Add(MoneyCommands.Pay(run));
        order.Add(MoneyCommands.Refund(run));
        order.Add(MoneyCommands.Settlement(run));
        order.Add(ChangeCommands.Amend(run));
        order.Add(ChangeCommands.Hold(run));
        order.Add(ChangeCommands.Unhold(run));
        order.Add(CareCommands.Confirm(run));
        order.Add(CareCommands.Note(run));
        order.Add(CustomerCommands.EraseOrder(run));
        return order;
    }

    private static Option<bool> Delivery() => new("--delivery") { Description = "Also show the personal data: delivery, special requests, texts of notes." };

    private static Command Get(Runner run)
    {
        var command = new Command("get", "Show an order as it stands.");
        var id = OrderId();
        var delivery = Delivery();
        command.Add(id);
        command.Add(delivery);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new GetOrderRequest { OrderId = session.Get(id), IncludeDelivery = session.Get(delivery) };
            var order = await session.Client.Orders.GetOrderAsync(request, cancellationToken: cancellationToken);
            return session.Answer(order, s => Show(s, order));
        });
    }

    private static Command Lookup(Runner run)
    {
        var command = new Command("lookup", "Show an order by what its channel calls it.");
        var channel = new Argument<string>("CHANNEL") { Description = "The sales channel." };
        var external = new Argument<string>("EXTERNAL_ID") { Description = "The channel's own number for the order." };
        var delivery = Delivery();
        command.Add(channel);
        command.Add(external);
        command.Add(delivery);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new LookupOrderRequest { ChannelId = session.Get(channel), ExternalOrderId = session.Get(external), IncludeDelivery = session.Get(delivery) };
            var order = await session.Client.Orders.LookupOrderAsync(request, cancellationToken: cancellationToken);
            return session.Answer(order, s => Show(s, order));
        });
    }

    private static void Show(Session session, Order order)
    {
        session.Fields(("order", order.OrderId), ("channel", $"{order.ChannelId} {order.ExternalOrderId}"),
            ("customer", order.CustomerId.Length > 0 ? order.CustomerId : "(guest)"), ("state", Values.Upper(order.State)),
            ("policy", Values.Upper(order.AllocationPolicy)), ("terms", Values.Upper(order.PaymentTerms)),
            ("shipping", order.ShippingPolicy == ShippingPolicy.Complete ? order.Earmarks ? "COMPLETE (takes what comes)" : "COMPLETE" : ""), ("region", order.ShipToRegion),
            ("total", Session.Money(order.TotalMinor, order.CurrencyCode)),
            ("cancelled", Some(order.CancelledMinor, order)),
            ("payment", Payment(order)), ("returns", Returns(order)), ("refund for returns", Some(order.ReturnRefundMinor, order)),
            ("instead of", order.ReplacesOrderId), ("for return", order.ForReturnId), ("reviewed for", ReviewCommands.Reasons(order.ReviewReasons)),
            ("accepted", Session.Time(order.AcceptTime)), ("changed", Session.Time(order.UpdateTime)), ("wanted", Session.Time(order.RequestedTime)),
            (order.State == OrderState.Delivered ? "completed" : "expires", Session.Time(order.StateDeadline)),
            ("due", string.Join(", ", order.Deadlines.Select(one => $"{Values.Upper(one.Deadline)} {Session.Time(one.DueTime)}"))), ("reservation", order.ReservationId),
            ("sequence", Session.Number(order.Sequence)), ("etag", order.Etag));
        foreach (var hold in order.Holds)
            session.Say(Follow.HoldLine(hold));
        foreach (var raised in order.Exceptions)
            session.Say(Follow.ExceptionLine(raised));
        if (order.Delivery is { } to)
            session.Fields(("delivery", PersonalOptions.Line(to)));
        session.Table([">line", "sku", ">quantity", ">price", ">reserved", ">waiting", ">released", ">shipped", ">delivered", ">cancelled", "from"],
            order.Lines.Select(line => new[]
            {
                Session.Number(line.LineNumber), line.SkuId, Session.Number(line.Quantity), Session.Money(line.UnitPriceMinor, order.CurrencyCode),
                Session.Number(line.Reserved), Session.Number(line.Backordered + line.Unallocated), Session.Number(line.Released),
                Session.Number(line.Shipped), Session.Number(line.Delivered), Session.Number(line.Cancelled),
                string.Join(", ", line.Allocations.Select(a => a.LocationId)),
            }));
        foreach (var line in order.Lines.Where(line => line.PromisedTime is not null))
            session.Say($"line {line.LineNumber}: the rest is promised for {Session.Time(line.PromisedTime)}");
        Shortages.Say(session.Say, order.Shortages);
        foreach (var parcel in order.Parcels)
            session.Say(Follow.ParcelLine(parcel));
        CareCommands.Show(session, order);
    }

    private static string Some(long minor, Order order) => minor == 0 ? "" : Session.Money(minor, order.CurrencyCode);

    private static string Payment(Order order) => string.Join(", ", new[]
    {
        Values.Upper(order.PaymentState), $"{Session.Money(order.PayableMinor, order.CurrencyCode)} payable",
        order.PaidMinor == 0 ? "" : Some(order.PaidMinor, order) + " paid", order.RefundedMinor == 0 ? "" : Some(order.RefundedMinor, order) + " refunded",
    }.Where(part => part.Length > 0));

    private static string Returns(Order order) => order.ReturnIds.Count == 0 ? "" : $"{Values.Upper(order.ReturnState)}: {string.Join(", ", order.ReturnIds)}";

    private static Command Events(Runner run)
    {
        var command = new Command("events", "Show everything that happened to an order, oldest first.");
        var id = OrderId();
        var personal = new Option<bool>("--personal-data") { Description = "Also show the deliveries that an amendment changed." };
        OrderCommands.Add(command, id, personal);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new ListOrderEventsRequest { OrderId = session.Get(id), PageSize = EventsPerPage, IncludePersonalData = session.Get(personal) };
            do
            {
                var page = await session.Client.Orders.ListOrderEventsAsync(request, cancellationToken: cancellationToken);
                foreach (var happened in page.Events)
                    session.Say(session.Json ? Session.ToJson(happened) : Follow.EventLine(happened));
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0);
            return ExitCodes.Ok;
        });
    }

    private static Command Cancel(Runner run)
    {
        var command = new Command("cancel", "Cancel an order, or some units of some lines.");
        var id = OrderId();
        var lines = Values.Many("--line", "Only so many units of this line; repeat for more. Left out: the whole order.", "LINE=QUANTITY", Values.LineQuantity);
        var (reason, etag, requestId) = (Reason("CHANGED_MIND"), Etag(), RequestId());
        Add(command, id, lines, reason, etag, requestId);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new CancelOrderRequest
            {
                RequestId = session.Get(requestId) ?? "", OrderId = session.Get(id), Etag = session.Get(etag) ?? "", Reason = session.Get(reason) ?? "",
                Lines = { session.Get(lines) ?? [] },
            };
            var answer = await session.Client.Orders.CancelOrderAsync(request, cancellationToken: cancellationToken);
            return session.Answer(answer, s =>
            {
                s.Say($"Cancelled {string.Join(", ", answer.Cancelled.Select(line => $"{Session.Number(line.Quantity)} of line {line.LineNumber}"))}.");
                s.Fields(("order", answer.OrderId), ("state", Values.Upper(answer.State)), ("sequence", Session.Number(answer.Sequence)), ("etag", answer.Etag));
            });
        });
    }
}
