// Owns return request, approve, reject, send, receive, repaired, ship-back, close, get, list. One thread.
using System.CommandLine;
using System.Globalization;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal static class ReturnCommands
{
    private const int ReturnsPerPage = 1_000;

    public static Command Return(Runner run)
    {
        var group = new Command("return", "What comes back: for a refund, in exchange, or to be repaired.");
        group.Add(Request(run));
        group.Add(Step(run, "approve", "Let the goods come; of an exchange, order the replacement.", "Approved.", (client, at, of, stop) =>
            client.ApproveReturnAsync(new ApproveReturnRequest { RequestId = of.RequestId, ReturnId = at, Etag = of.Etag }, cancellationToken: stop)));
        group.Add(Step(run, "reject", "Refuse the goods.", "Rejected.", (client, at, of, stop) =>
            client.RejectReturnAsync(new RejectReturnRequest { RequestId = of.RequestId, ReturnId = at, Etag = of.Etag, Reason = of.Reason }, cancellationToken: stop), hasReason: true));
        group.Add(Step(run, "send", "Say that the goods are on their way.", "On its way.", (client, at, of, stop) => client.SendReturnAsync(
            new SendReturnRequest { RequestId = of.RequestId, ReturnId = at, Etag = of.Etag, Carrier = of.Carrier, TrackingNumber = of.Tracking }, cancellationToken: stop), hasCarrier: true));
        group.Add(Receive(run));
        group.Add(Step(run, "repaired", "Say that the units for repair are mended.", "Repaired.", (client, at, of, stop) =>
            client.RecordRepairAsync(new RecordRepairRequest { RequestId = of.RequestId, ReturnId = at, Etag = of.Etag }, cancellationToken: stop)));
        group.Add(Step(run, "ship-back", "Say that the mended units left for the customer.", "Shipped back.", (client, at, of, stop) => client.ShipBackReturnAsync(
            new ShipBackReturnRequest { RequestId = of.RequestId, ReturnId = at, Etag = of.Etag, Carrier = of.Carrier, TrackingNumber = of.Tracking }, cancellationToken: stop), hasCarrier: true));
        group.Add(Step(run, "close", "End the return; units that never came can be requested again.", "Closed.", (client, at, of, stop) =>
            client.CloseReturnAsync(new CloseReturnRequest { RequestId = of.RequestId, ReturnId = at, Etag = of.Etag, Reason = of.Reason }, cancellationToken: stop), hasReason: true));
        group.Add(Get(run));
        group.Add(List(run));
        return group;
    }

    private static Argument<string> Id() => new("RETURN_ID") { Description = "The engine's id of the return." };

    private static Option<string?> Reason() => new("--reason") { Description = "Why, as a code such as TOO_SMALL.", HelpName = "CODE" };

    private static Command Request(Runner run)
    {
        var command = new Command("request", "Ask that shipped units may come back.");
        var id = OrderCommands.OrderId();
        var lines = Values.Many("--line", "Only so many units of this line; repeat for more. Left out: everything that can come back.", "LINE=QUANTITY", Values.LineQuantity);
        var instead = Values.Many("--instead", "An exchange: what the customer gets instead, the price being what is paid on top; repeat for more.", "SKU=QUANTITY@PRICE", Values.OrderLine);
        var external = new Option<string?>("--external-id") { Description = "Your own number of the return, such as an RMA number.", HelpName = "ID" };
        var (reason, etag, requestId) = (Reason(), OrderCommands.Etag(), OrderCommands.RequestId());
        command.Add(id);
        foreach (var option in new Option[] { lines, instead, external, reason, etag, requestId })
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new RequestReturnRequest
            {
                RequestId = session.Get(requestId) ?? "", OrderId = session.Get(id), Etag = session.Get(etag) ?? "", Reason = session.Get(reason) ?? "",
                ExternalReturnId = session.Get(external) ?? "", Lines = { session.Get(lines) ?? [] }, ReplacementLines = { session.Get(instead) ?? [] },
            };
            return Show(session, await session.Client.Returns.RequestReturnAsync(request, cancellationToken: cancellationToken), "Requested.");
        });
    }

    private static Command Receive(Runner run)
    {
        var command = new Command("receive", "Say that units arrived, and what becomes of them.");
        var id = Id();
        var location = new Option<string>("--location") { Description = "Where.", HelpName = "ID", Required = true };
        var units = Values.Many("--units", "So many units of this line: restock, quarantine, scrap or repair; repeat for more.", "LINE=QUANTITY:WHAT", Units);
        units.Required = true;
        var (etag, requestId) = (OrderCommands.Etag(), OrderCommands.RequestId());
        command.Add(id);
        foreach (var option in new Option[] { location, units, etag, requestId })
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new ReceiveReturnRequest
            {
                RequestId = session.Get(requestId) ?? "", ReturnId = session.Get(id), Etag = session.Get(etag) ?? "", LocationId = session.Get(location) ?? "",
                Units = { session.Get(units) ?? [] },
            };
            return Show(session, await session.Client.Returns.ReceiveReturnAsync(request, cancellationToken: cancellationToken), "Received.");
        });
    }

    private static ReceivedUnits Units(string text)
    {
        var parts = text.Split(':');
        if (parts.Length != 2 || !Enum.TryParse<Disposition>(parts[1], ignoreCase: true, out var what) || what == Disposition.Unspecified || !Enum.IsDefined(what) || char.IsDigit(parts[1][0]))
            throw new UsageException($"'{text}' does not say what becomes of the units. Write LINE=QUANTITY:WHAT with restock, quarantine, scrap or repair, such as 1=2:restock.");
        var line = Values.LineQuantity(parts[0]);
        return new ReceivedUnits { LineNumber = line.LineNumber, Quantity = line.Quantity, Disposition = what };
    }

    private static Command Get(Runner run)
    {
        var (command, id) = (new Command("get", "Show a return."), Id());
        command.Add(id);
        return run.Does(command, async (session, cancellationToken) =>
            Show(session, await session.Client.Returns.GetReturnAsync(new GetReturnRequest { ReturnId = session.Get(id) }, cancellationToken: cancellationToken), ""));
    }

    private static Command List(Runner run)
    {
        var command = new Command("list", "List returns, newest first.");
        var order = new Option<string?>("--order") { Description = "Only of this order.", HelpName = "ORDER_ID" };
        var state = Values.Choice<ReturnState>("--state", "Only in this state.");
        command.Add(order);
        command.Add(state);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new ListReturnsRequest { OrderId = session.Get(order) ?? "", State = session.Get(state), PageSize = ReturnsPerPage };
            do
            {
                var page = await session.Client.Returns.ListReturnsAsync(request, cancellationToken: cancellationToken);
                foreach (var one in page.Returns)
                    session.Say(session.Json ? Session.ToJson(one) : $"{one.ReturnId}  {Values.Upper(one.State)}  order {one.OrderId}  {Session.Time(one.RequestTime)}  " +
                        string.Join(", ", one.Lines.Select(line => string.Create(CultureInfo.InvariantCulture, $"{line.Requested} {line.SkuId}"))));
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0);
            return ExitCodes.Ok;
        });
    }

    /// <summary>What a step may be given.</summary>
    private sealed record Given(string RequestId, string Etag, string Reason, string Carrier, string Tracking);

    private static Command Step(Runner run, string name, string description, string word,
        Func<ReturnService.ReturnServiceClient, string, Given, CancellationToken, Grpc.Core.AsyncUnaryCall<Return>> call, bool hasReason = false, bool hasCarrier = false)
    {
        var (command, id) = (new Command(name, description), Id());
        var (reason, etag, requestId) = (Reason(), OrderCommands.Etag(), OrderCommands.RequestId());
        var carrier = new Option<string?>("--carrier") { Description = "Who carries it.", HelpName = "NAME" };
        var tracking = new Option<string?>("--tracking-number") { Description = "The carrier's number.", HelpName = "NUMBER" };
        command.Add(id);
        if (hasReason)
            command.Add(reason);
        if (hasCarrier)
        {
            command.Add(carrier);
            command.Add(tracking);
        }

        command.Add(etag);
        command.Add(requestId);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var given = new Given(session.Get(requestId) ?? "", session.Get(etag) ?? "", hasReason ? session.Get(reason) ?? "" : "",
                hasCarrier ? session.Get(carrier) ?? "" : "", hasCarrier ? session.Get(tracking) ?? "" : "");
            return Show(session, await call(session.Client.Returns, session.Get(id), given, cancellationToken), word);
        });
    }

    private static int Show(Session session, Return made, string word) => session.Answer(made, s =>
    {
        if (word.Length > 0)
            s.Say(made.Replayed ? word.TrimEnd('.') + " before." : word);
        s.Fields(("return", made.ReturnId), ("order", made.OrderId), ("external id", made.ExternalReturnId), ("state", Values.Upper(made.State)),
            ("reason", made.Reason), ("refund", made.RefundMinor == 0 ? "" : $"{Session.Number(made.RefundMinor)} minor units"), ("received at", made.LocationId),
            ("comes with", $"{made.Carrier} {made.TrackingNumber}".Trim()), ("goes back with", $"{made.BackCarrier} {made.BackTrackingNumber}".Trim()),
            ("replacement", made.ReplacementOrderId), ("requested", Session.Time(made.RequestTime)), ("changed", Session.Time(made.UpdateTime)),
            ("sequence", Session.Number(made.Sequence)), ("etag", made.Etag));
        s.Table([">line", "sku", ">requested", ">restocked", ">quarantined", ">scrapped", ">repaired"], made.Lines.Select(line => new[]
        {
            Session.Number(line.LineNumber), line.SkuId, Session.Number(line.Requested), Session.Number(line.Restocked), Session.Number(line.Quarantined),
            Session.Number(line.Scrapped), Session.Number(line.Repaired),
        }));
        foreach (var line in made.ReplacementLines)
            s.Say($"instead: {Session.Number(line.Quantity)} of {line.SkuId}");
    });
}
