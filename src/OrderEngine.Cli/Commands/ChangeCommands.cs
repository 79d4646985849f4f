// Owns order hold and unhold. One thread.
using System.CommandLine;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal static class ChangeCommands
{
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
