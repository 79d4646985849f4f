// Owns deadlines get and set. One thread.
using System.CommandLine;
using OrderEngine.Contracts.V1;
using Duration = Google.Protobuf.WellKnownTypes.Duration;

namespace OrderEngine.Cli.Commands;

internal static class DeadlineCommands
{
    public static Command Deadlines(Runner run)
    {
        var deadlines = new Command("deadlines", "When orders are due: what is reminded of before and raises an exception after.");
        deadlines.Add(Get(run));
        deadlines.Add(Set(run));
        return deadlines;
    }

    private static Command Get(Runner run) => run.Does(new Command("get", "Show when orders are due."), async (session, cancellationToken) =>
        Show(session, await session.Client.Catalog.GetDeadlinesAsync(new GetDeadlinesRequest(), cancellationToken: cancellationToken)));

    private static Command Set(Runner run)
    {
        var command = new Command("set", "Set when orders are due, for orders from now on. What is left out is not watched.");
        var release = Values.Duration("--release", "How long an order may be READY before the warehouse has it.");
        var delivery = Values.Duration("--delivery", "From acceptance to delivery, where the order names no time.");
        var remind = Values.Duration("--remind", "How long before a deadline it is reminded of.");
        var earmark = Values.Duration("--earmark", "How long an order that ships complete waits before it takes what comes; left out: 7 days.");
        var payment = Values.Duration("--payment", "How long money may be outstanding that no order waits for: on account from delivery, of a prepaid order from when it grew; with it, instalments by their dates.");
        var cash = Values.Duration("--cash", "How long cash for what was delivered may be outstanding.");
        var arrival = Values.Duration("--return-arrival", "From a return's approval to its goods.");
        var close = Values.Duration("--return-close", "From a return's goods until it is closed.");
        var hold = Values.Duration("--hold-remind", "How long before its end a reservation is reminded of.");
        var stalls = Values.Many("--stall", "How long an order may stay in a state; repeat for more.", "STATE=DURATION", Stall);
        var (etag, requestId) = (OrderCommands.Etag(), OrderCommands.RequestId());
        foreach (var option in new Option[] { release, delivery, remind, earmark, payment, cash, arrival, close, hold, stalls, etag, requestId })
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) => Show(session, await session.Client.Catalog.SetDeadlinesAsync(new SetDeadlinesRequest
        {
            RequestId = session.Get(requestId) ?? "",
            Settings = new DeadlineSettings
            {
                ReleaseAfter = Values.Wire(session.Get(release)), DeliveryAfter = Values.Wire(session.Get(delivery)), RemindBefore = Values.Wire(session.Get(remind)),
                EarmarkAfter = Values.Wire(session.Get(earmark)),
                PaymentAfter = Values.Wire(session.Get(payment)), CashAfter = Values.Wire(session.Get(cash)),
                ReturnArrivalAfter = Values.Wire(session.Get(arrival)), ReturnCloseAfter = Values.Wire(session.Get(close)),
                HoldRemindBefore = Values.Wire(session.Get(hold)),
                Stalls = { session.Get(stalls) ?? [] }, Etag = session.Get(etag) ?? "",
            },
        }, cancellationToken: cancellationToken)));
    }

    private static int Show(Session session, DeadlineSettings settings) => session.Answer(settings, s => s.Fields(("release", Text(settings.ReleaseAfter)),
        ("delivery", Text(settings.DeliveryAfter)), ("reminder", Text(settings.RemindBefore)),
        ("earmark", settings.EarmarkAfter is null ? "7 days" : Text(settings.EarmarkAfter)),
        ("payment", Text(settings.PaymentAfter)), ("cash", Text(settings.CashAfter)), ("return-arrival", Text(settings.ReturnArrivalAfter)), ("return-close", Text(settings.ReturnCloseAfter)),
        ("hold-reminder", Text(settings.HoldRemindBefore)),
        ("stalls", string.Join(", ", settings.Stalls.Select(stall => $"{Values.Upper(stall.State)} {Text(stall.After)}"))),
        ("sequence", Session.Number(settings.Sequence)), ("etag", settings.Etag)));

    private static StallTime Stall(string text)
    {
        var parts = text.Split('=');
        if (parts.Length != 2 || !Enum.TryParse<OrderState>(parts[0].Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var state)
            || !Values.TryParseDuration(parts[1], out var after))
            throw new UsageException($"'{text}' is not a state and a duration. Write STATE=DURATION, such as ready=2d.");
        return new StallTime { State = state, After = Duration.FromTimeSpan(after) };
    }

    private static string Text(Duration? duration) => duration is null ? "(not watched)" : Values.Text(duration);
}
