// Owns customer get, upsert, statement and erase, and order erase. One thread.
using System.CommandLine;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal static class CustomerCommands
{
    private const int StatementPage = 500;

    public static Command Customer(Runner run)
    {
        var customer = new Command("customer", "Who buys.");
        customer.Add(Get(run));
        customer.Add(Upsert(run));
        customer.Add(Statement(run));
        customer.Add(Erase(run));
        return customer;
    }

    private static Argument<string> Id() => new("ID") { Description = "The customer's number. Not personal data." };

    private static Command Get(Runner run)
    {
        var (command, id) = (new Command("get", "Show a customer."), Id());
        var details = new Option<bool>("--details") { Description = "Also show the personal data." };
        command.Add(id);
        command.Add(details);
        return run.Does(command, async (session, cancellationToken) => Show(session, await session.Client.Customers.GetCustomerAsync(
            new GetCustomerRequest { CustomerId = session.Get(id), IncludeDetails = session.Get(details) }, cancellationToken: cancellationToken)));
    }

    private static Command Upsert(Runner run)
    {
        var (command, id) = (new Command("upsert", "Create or replace a customer. Without personal data what is there of it stays."), Id());
        var tier = new Option<int>("--tier") { Description = "Rank, 0 (none) to 9: each step counts as one more day of waiting.", HelpName = "N" };
        var limit = new Option<long>("--credit-limit") { Description = "What the customer may owe before a review rule holds an order, in minor units of --credit-currency.", HelpName = "MINOR" };
        var currency = new Option<string?>("--credit-currency") { Description = "ISO 4217; left out: no limit is set.", HelpName = "CODE" };
        var terms = Values.Choice<PaymentTerms>("--terms", "How an order is paid that says nothing; left out: as the channel says.");
        var risk = new Option<int>("--risk-rating") { Description = "1 (best) to 9 (worst); left out: not rated.", HelpName = "N" };
        var personal = new PersonalOptions();
        var (etag, requestId) = (OrderCommands.Etag(), OrderCommands.RequestId());
        command.Add(id);
        foreach (var option in (Option[])[tier, limit, currency, terms, risk, .. personal.Options, etag, requestId])
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var customer = new Customer
            {
                CustomerId = session.Get(id), Tier = session.Get(tier), CreditLimitMinor = session.Get(limit), CreditCurrency = session.Get(currency) ?? "",
                PaymentTerms = session.Get(terms), RiskRating = session.Get(risk), Etag = session.Get(etag) ?? "",
            };
            if (personal.Given(session).Any())
                customer.Details = personal.Read(session);

            return Show(session, await session.Client.Customers.UpsertCustomerAsync(
                new UpsertCustomerRequest { RequestId = session.Get(requestId) ?? "", Customer = customer }, cancellationToken: cancellationToken));
        });
    }

    private static Command Statement(Runner run)
    {
        var (command, id) = (new Command("statement", "What a customer ordered, got, paid and owes in a period, order by order."), Id());
        var from = new Option<string?>("--from") { Description = "What happened then or later, such as 2026-01-01.", HelpName = "TIME" };
        var to = new Option<string?>("--to") { Description = "What happened earlier, such as 2026-02-01.", HelpName = "TIME" };
        var currency = new Option<string?>("--currency") { Description = "In this currency alone.", HelpName = "CODE" };
        command.Add(id);
        foreach (var option in new Option[] { from, to, currency })
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new GetStatementRequest
            {
                CustomerId = session.Get(id), CurrencyCode = session.Get(currency) ?? "", PageSize = StatementPage,
                Since = ListCommands.Moment("--from", session.Get(from)), Before = ListCommands.Moment("--to", session.Get(to)),
            };
            var statement = await session.Client.Customers.GetStatementAsync(request, cancellationToken: cancellationToken);
            // Every page sums up its own orders; all are true at the sequence of the first.
            while (statement.NextPageToken.Length > 0)
            {
                request.PageToken = statement.NextPageToken;
                var page = await session.Client.Customers.GetStatementAsync(request, cancellationToken: cancellationToken);
                statement.Orders.Add(page.Orders);
                AddTotals(statement, page);
                statement.NextPageToken = page.NextPageToken;
            }
            return session.Answer(statement, s => Show(s, statement));
        });
    }

    private static void AddTotals(Statement statement, Statement page)
    {
        foreach (var more in page.Totals)
        {
            var total = statement.Totals.FirstOrDefault(t => t.CurrencyCode == more.CurrencyCode);
            if (total is null)
                statement.Totals.Add(total = new StatementFigures { CurrencyCode = more.CurrencyCode });
            total.OpeningMinor += more.OpeningMinor;
            total.OrderedMinor += more.OrderedMinor;
            total.CancelledMinor += more.CancelledMinor;
            total.ExpiredMinor += more.ExpiredMinor;
            total.LostMinor += more.LostMinor;
            total.ReturnedMinor += more.ReturnedMinor;
            total.PaidMinor += more.PaidMinor;
            total.RefundedMinor += more.RefundedMinor;
            total.ClosingMinor += more.ClosingMinor;
            total.DeliveredMinor += more.DeliveredMinor;
            total.DueMinor += more.DueMinor;
        }
    }

    private static void Show(Session session, Statement statement)
    {
        session.Say($"{statement.CustomerId} at sequence {Session.Number(statement.Sequence)}:");
        var rows = statement.Orders.Select(order => (order.OrderId, order.Figures)).Concat(statement.Totals.Select(total => ("in all", total)));
        session.Table(["order", ">opening", ">ordered", ">cancelled, expired, lost", ">returned", ">paid", ">refunded", ">closing", ">due", ">delivered"], rows.Select(row => new[]
        {
            row.Item1, Money(row.Item2, f => f.OpeningMinor), Money(row.Item2, f => f.OrderedMinor), Money(row.Item2, f => f.CancelledMinor + f.ExpiredMinor + f.LostMinor),
            Money(row.Item2, f => f.ReturnedMinor), Money(row.Item2, f => f.PaidMinor), Money(row.Item2, f => f.RefundedMinor), Money(row.Item2, f => f.ClosingMinor),
            Money(row.Item2, f => f.DueMinor), Money(row.Item2, f => f.DeliveredMinor),
        }));
    }

    private static string Money(StatementFigures figures, Func<StatementFigures, long> minor) => Session.Money(minor(figures), figures.CurrencyCode);

    private static Command Erase(Runner run)
    {
        var (command, id) = (new Command("erase", "Erase a customer's personal data for ever, in all orders of the customer. The number cannot be used again."), Id());
        return Erasing(run, command, id, "the personal data of customer", async (session, request, reason, cancellationToken) => await session.Client.Customers.EraseCustomerAsync(
            new EraseCustomerRequest { RequestId = request, CustomerId = session.Get(id), Reason = reason }, cancellationToken: cancellationToken));
    }

    public static Command EraseOrder(Runner run)
    {
        var (command, id) = (new Command("erase", "Erase the personal data of a guest's order for ever."), OrderCommands.OrderId());
        return Erasing(run, command, id, "the personal data of order", async (session, request, reason, cancellationToken) => await session.Client.Customers.EraseOrderAsync(
            new EraseOrderRequest { RequestId = request, OrderId = session.Get(id), Reason = reason }, cancellationToken: cancellationToken));
    }

    // Nothing brings it back, so it is asked for twice: by the command, and by "yes" or --yes.
    private static Command Erasing(Runner run, Command command, Argument<string> id, string what, Func<Session, string, string, CancellationToken, Task<EraseResponse>> erase)
    {
        var yes = new Option<bool>("--yes") { Description = "Do not ask." };
        var (reason, requestId) = (OrderCommands.Reason("ASKED_BY_PERSON"), OrderCommands.RequestId());
        OrderCommands.Add(command, id, yes, reason, requestId);
        return run.Does(command, async (session, cancellationToken) =>
        {
            if (!session.Get(yes))
            {
                session.Note($"This destroys {what} {session.Get(id)} for ever; orders under way lose their address. Type yes to go on:");
                if ((await session.Terminal.In.ReadLineAsync(cancellationToken))?.Trim() != "yes")
                {
                    session.Note("orderctl: nothing was erased.");
                    return ExitCodes.Failed;
                }
            }

            var answer = await erase(session, session.Get(requestId) ?? "", session.Get(reason) ?? "", cancellationToken);
            return session.Answer(answer, s => s.Say(answer.AlreadyErased ? "Erased before." : $"Erased at sequence {Session.Number(answer.Sequence)}."));
        });
    }

    private static int Show(Session session, Customer customer) => session.Answer(customer, s =>
    {
        s.Fields(("customer", customer.CustomerId), ("tier", Session.Number(customer.Tier)),
            ("credit limit", customer.CreditCurrency.Length == 0 ? "" : Session.Money(customer.CreditLimitMinor, customer.CreditCurrency)),
            ("terms", Values.Said(customer.PaymentTerms)),
            ("risk rating", customer.RiskRating == 0 ? "" : Session.Number(customer.RiskRating)), ("erased", Session.Time(customer.EraseTime)),
            ("sequence", Session.Number(customer.Sequence)), ("etag", customer.Etag));
        if (customer.Details is { } d)
            s.Fields(("name", d.Name), ("phone", d.Phone), ("email", d.Email), ("address", string.Join(", ", d.AddressLines)), ("city", $"{d.PostalCode} {d.City}".Trim()),
                ("country", d.CountryCode), ("note", d.Note));
    });
}
