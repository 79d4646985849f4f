// Owns order list, and exceptions list and resolve. One thread.
using System.CommandLine;
using System.Globalization;
using OrderEngine.Contracts.V1;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace OrderEngine.Cli.Commands;

internal static class ListCommands
{
    private const int PerPage = 500;
    private const int DefaultCount = 100;

    public static Command Orders(Runner run)
    {
        var command = new Command("list", "List orders, the newest first.");
        var channel = new Option<string?>("--channel") { Description = "Of this channel.", HelpName = "ID" };
        var customer = new Option<string?>("--customer") { Description = "Of this customer.", HelpName = "ID" };
        var states = Values.Choices<OrderState>("--state", "In this state; repeat for more.");
        var tiers = Values.Many("--tier", "Of customers of this tier; repeat for more.", "0-9", Tier);
        var open = new Option<bool>("--with-exception") { Description = "With an exception that is open." };
        var kind = Values.Choice<ExceptionKind>("--exception", "With an open exception of this kind.");
        var since = new Option<string?>("--since") { Description = "Accepted then or later, such as 2026-01-31T09:00Z.", HelpName = "TIME" };
        var before = new Option<string?>("--before") { Description = "Accepted earlier.", HelpName = "TIME" };
        var (oldest, count) = (Oldest(), Count());
        foreach (var option in new Option[] { channel, customer, states, tiers, open, kind, since, before, oldest, count })
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new ListOrdersRequest
            {
                ChannelId = session.Get(channel) ?? "", CustomerId = session.Get(customer) ?? "", States = { session.Get(states) ?? [] }, Tiers = { session.Get(tiers) ?? [] },
                WithException = session.Get(open), ExceptionKind = session.Get(kind), OldestFirst = session.Get(oldest),
                AcceptedSince = Moment("--since", session.Get(since)), AcceptedBefore = Moment("--before", session.Get(before)),
            };
            var found = new List<OrderSummary>();
            var wanted = session.Get(count) ?? DefaultCount;
            do
            {
                request.PageSize = Math.Clamp(wanted - found.Count, 1, PerPage);
                var page = await session.Client.Orders.ListOrdersAsync(request, cancellationToken: cancellationToken);
                found.AddRange(page.Orders.Take(wanted - found.Count));
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0 && found.Count < wanted);
            return session.Entries(found, ["order", "channel", "number", "customer", "state", ">total", ">lines", ">exceptions", "accepted"], order =>
            [
                order.OrderId, order.ChannelId, order.ExternalOrderId, order.CustomerId, Values.Upper(order.State), Session.Money(order.TotalMinor, order.CurrencyCode),
                Session.Number(order.Lines), order.OpenExceptions == 0 ? "" : Session.Number(order.OpenExceptions), Session.Time(order.AcceptTime),
            ]);
        });
    }

    public static Command Exceptions(Runner run)
    {
        var exceptions = new Command("exceptions", "What somebody has to look into: list it, resolve it.");
        exceptions.Add(List(run));
        exceptions.Add(Resolve(run));
        return exceptions;
    }

    private static Command List(Runner run)
    {
        var command = new Command("list", "List exceptions, the newest first; only open ones unless asked otherwise.");
        var grades = Values.Choices<Grade>("--grade", "Of this grade; repeat for more.");
        var owner = Values.Choice<Role>("--owner", "For this role to look into.");
        var kind = Values.Choice<ExceptionKind>("--kind", "Of this kind.");
        var order = new Option<string?>("--order") { Description = "Of this order.", HelpName = "ORDER_ID" };
        var state = Values.Choice<ExceptionState>("--state", "Whether they are open.");
        var (oldest, count) = (Oldest(), Count());
        foreach (var option in new Option[] { grades, owner, kind, order, state, oldest, count })
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new ListExceptionsRequest
            {
                Grades = { session.Get(grades) ?? [] }, Owner = session.Get(owner), Kind = session.Get(kind), OrderId = session.Get(order) ?? "", State = session.Get(state),
                OldestFirst = session.Get(oldest),
            };
            var found = new List<RaisedException>();
            var wanted = session.Get(count) ?? DefaultCount;
            do
            {
                request.PageSize = Math.Clamp(wanted - found.Count, 1, PerPage);
                var page = await session.Client.Admin.ListExceptionsAsync(request, cancellationToken: cancellationToken);
                found.AddRange(page.Exceptions.Take(wanted - found.Count));
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0 && found.Count < wanted);
            return session.Entries(found, ["exception", "kind", "grade", "owner", "order", ">line", ">quantity", "raised", "resolved", "about"], one =>
            [
                one.ExceptionId, Values.Upper(one.Kind), Values.Upper(one.Grade), Values.Upper(one.Owner), one.OrderId, one.LineNumber == 0 ? "" : Session.Number(one.LineNumber),
                one.Quantity == 0 ? "" : Session.Number(one.Quantity), Session.Time(one.RaiseTime), Session.Time(one.ResolveTime), About(one),
            ]);
        });
    }

    private static Command Resolve(Runner run)
    {
        var command = new Command("resolve", "Say that an exception was looked into.");
        var id = new Argument<string>("EXCEPTION_ID") { Description = "The engine's id of the exception." };
        var resolution = new Option<string?>("--resolution") { Description = "What was done, as a short text. Not personal data.", HelpName = "TEXT" };
        var (reason, etag, requestId) = (OrderCommands.Reason("SENT_AGAIN"), OrderCommands.Etag(), OrderCommands.RequestId());
        command.Add(id);
        foreach (var option in new Option[] { resolution, reason, etag, requestId })
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var answer = await session.Client.Admin.ResolveExceptionAsync(new ResolveExceptionRequest
            {
                RequestId = session.Get(requestId) ?? "", ExceptionId = session.Get(id), Resolution = session.Get(resolution) ?? "", Reason = session.Get(reason) ?? "", Etag = session.Get(etag) ?? "",
            }, cancellationToken: cancellationToken);
            return session.Answer(answer, s => s.Fields(("exception", answer.ExceptionId), ("sequence", Session.Number(answer.Sequence)), ("etag", answer.Etag)));
        });
    }

    private static string About(RaisedException exception) => string.Join(" ", new[]
    {
        exception.Deadline == Deadline.Unspecified ? "" : Values.Upper(exception.Deadline), exception.SkuId, exception.LocationId, exception.Detail, exception.Resolution,
    }.Where(text => text.Length > 0));

    private static Option<bool> Oldest() => new("--oldest-first") { Description = "The oldest first." };

    private static Option<int?> Count() => new("--count") { Description = "So many at most. Left out: 100.", HelpName = "N" };

    private static int Tier(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var tier) && tier <= 9
        ? tier
        : throw new UsageException($"'{text}' is not a tier. Write a number from 0 to 9.");

    private static Timestamp? Moment(string option, string? text) => text is null ? null : Values.Time(option, text);
}
