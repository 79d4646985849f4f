// Owns order amend, hold and unhold. One thread.
using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal static class ChangeCommands
{
    public static Command Amend(Runner run)
    {
        var command = new Command("amend", "Change an order before it goes to the warehouse: address, date, lines, prices. What is not given stays. Lines are for role support, which is taken then if none is named.");
        var id = OrderCommands.OrderId();
        var lines = Values.Many("--line", "A line as it shall be; repeat for more. 0 takes it out; the price is in minor units.", "LINE=QUANTITY@PRICE", Values.LineAmendment);
        var added = Values.Many("--add", "A new line; repeat for more.", "SKU=QUANTITY@PRICE", Values.OrderLine);
        var requested = new Option<string?>("--requested-time") { Description = "When the customer wants it (2026-03-01 or 2026-03-01T12:00:00Z); 'none' takes it out.", HelpName = "TIME" };
        var delivery = new PersonalOptions();
        var (reason, etag, requestId) = (OrderCommands.Reason("MOVED"), OrderCommands.Etag(), OrderCommands.RequestId());
        OrderCommands.Add(command, id, [lines, added, requested, .. delivery.Options, reason, etag, requestId]);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new AmendOrderRequest
            {
                RequestId = session.Get(requestId) ?? "", OrderId = session.Get(id), Etag = session.Get(etag) ?? "", Reason = session.Get(reason) ?? "",
                Order = new OrderAmendment(), UpdateMask = new FieldMask(),
            };
            request.UpdateMask.Paths.Add(delivery.Given(session).Select(field => "delivery." + field));
            if (request.UpdateMask.Paths.Count > 0)
                request.Order.Delivery = delivery.Read(session);
            request.Order.Lines.Add(session.Get(lines) ?? []);
            request.Order.Lines.Add((session.Get(added) ?? []).Select(line => new LineAmendment { SkuId = line.SkuId, Quantity = line.Quantity, UnitPriceMinor = line.UnitPriceMinor }));
            if (request.Order.Lines.Count > 0)
                request.UpdateMask.Paths.Add("lines");
            if (session.Get(requested) is { } text)
            {
                request.UpdateMask.Paths.Add("requested_time");
                request.Order.RequestedTime = text == "none" ? null : Values.Time("--requested-time", text);
            }

            if (request.UpdateMask.Paths.Count == 0)
                throw new UsageException("Nothing to amend: give --line, --add, --requested-time or a field of the delivery such as --city.");
            var answer = await session.Client.Orders.AmendOrderAsync(request, cancellationToken: cancellationToken);
            return session.Answer(answer, s =>
            {
                s.Say($"Amended: {string.Join(", ", answer.Amended.ChangedFields)}.");
                s.Fields(("order", answer.OrderId), ("state", Values.Upper(answer.State)), ("sequence", Session.Number(answer.Sequence)), ("etag", answer.Etag));
                if (answer.Amended.Lines.Count > 0)
                {
                    s.Table([">line", "sku", ">before", ">now", ">minor units before", ">now"], answer.Amended.Lines.Select(line => new[]
                    {
                        Session.Number(line.LineNumber), line.SkuId, Session.Number(line.QuantityBefore), Session.Number(line.Quantity),
                        Session.Number(line.UnitPriceMinorBefore), Session.Number(line.UnitPriceMinor),
                    }));
                }
            });
        });
    }

    public static Command Hold(Runner run)
    {
        var command = new Command("hold", "Keep an order from being released to the warehouse.");
        var id = OrderCommands.OrderId();
        var (kind, reason, etag, requestId) = (Kind("Why it is held."), OrderCommands.Reason("NO_SUCH_STREET"), OrderCommands.Etag(), OrderCommands.RequestId());
        OrderCommands.Add(command, id, kind, reason, etag, requestId);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new PlaceHoldRequest
            {
                RequestId = session.Get(requestId) ?? "", OrderId = session.Get(id), Etag = session.Get(etag) ?? "", Reason = session.Get(reason) ?? "",
                Kind = session.Get(kind),
            };
            return Answer(session, await session.Client.Orders.PlaceHoldAsync(request, cancellationToken: cancellationToken));
        });
    }

    public static Command Unhold(Runner run)
    {
        var command = new Command("unhold", "End a hold.");
        var id = OrderCommands.OrderId();
        var (kind, reason, etag, requestId) = (Kind("Which hold."), OrderCommands.Reason("CHECKED"), OrderCommands.Etag(), OrderCommands.RequestId());
        OrderCommands.Add(command, id, kind, reason, etag, requestId);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new ReleaseHoldRequest
            {
                RequestId = session.Get(requestId) ?? "", OrderId = session.Get(id), Etag = session.Get(etag) ?? "", Reason = session.Get(reason) ?? "",
                Kind = session.Get(kind),
            };
            return Answer(session, await session.Client.Orders.ReleaseHoldAsync(request, cancellationToken: cancellationToken));
        });
    }

    private static Option<HoldKind> Kind(string description)
    {
        var kind = Values.Choice<HoldKind>("--kind", description);
        kind.Required = true;
        return kind;
    }

    private static int Answer(Session session, HoldResponse answer) => session.Answer(answer, s =>
    {
        s.Say(answer.Open.Count > 0 ? $"Held: {string.Join(", ", answer.Open.Select(Values.Upper))}." : "No hold is open.");
        s.Fields(("order", answer.OrderId), ("state", Values.Upper(answer.State)), ("sequence", Session.Number(answer.Sequence)), ("etag", answer.Etag));
    });
}
