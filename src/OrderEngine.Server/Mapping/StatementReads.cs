// Statements for clients. Reads run inside one read guard that the caller holds. Any thread.

using System.Text;
using OrderEngine.Contracts.V1;
using OrderEngine.Core;
using OrderEngine.Core.State;

namespace OrderEngine.Server.Mapping;

/// <summary>A request for a statement, understood.</summary>
/// <param name="Query">Whose, of when.</param>
/// <param name="Size">Orders of the page.</param>
/// <param name="Token">Where to go on, and at which sequence.</param>
internal readonly record struct StatementRequest(StatementQuery Query, int Size, Token Token)
{
    /// <summary>Reads a request.</summary>
    /// <exception cref="Grpc.Core.RpcException">Fields or references are wrong.</exception>
    public static StatementRequest Read(GetStatementRequest request, StateReader reader, long now, long durable)
    {
        var violations = new Violations();
        var references = new References(reader);
        Fields.CheckId(ref violations, "customer_id", request.CustomerId);
        Fields.CheckMinSequence(ref violations, request.MinSequence);
        var customer = references.Customer("customer_id", request.CustomerId);
        var since = Fields.Time(ref violations, "since", request.Since);
        var before = Fields.Time(ref violations, "before", request.Before);
        if (since != 0 && before != 0 && before <= since) violations.Add("before", "must lie after since");
        var currency = Fields.Currency(ref violations, "currency_code", request.CurrencyCode, required: false);
        var size = Fields.PageSize(ref violations, request.PageSize);
        var plain = new GetStatementRequest(request) { PageSize = 0, PageToken = "", MinSequence = 0 };
        var token = Token.Read(ref violations, "page_token", request.PageToken, TokenKind.Statement, ListRequests.Scope(plain));
        // Nothing is shown before it is durable, whatever a token says.
        if (token.B > durable) violations.Add("page_token", "must be a token as answered by the engine to the same kind of request");
        violations.ThrowIfAny(references);
        return new StatementRequest(new StatementQuery(customer, since, before, currency, now), size, token);
    }
}

/// <summary>Makes the contract's statements.</summary>
internal static class StatementReads
{
    /// <summary>A page of a statement.</summary>
    /// <param name="reader">The state.</param>
    /// <param name="request">What is asked for.</param>
    /// <param name="understood">The same, understood.</param>
    /// <param name="durable">The sequence of a statement that begins now.</param>
    public static Statement Statement(StateReader reader, GetStatementRequest request, in StatementRequest understood, long durable)
    {
        var at = understood.Token.B == 0 ? durable : understood.Token.B;
        var page = new StatementReader(reader, understood.Query, at).Read(durable, understood.Token.A, understood.Size, ServerLimits.StatementLooks);
        var statement = new Statement { CustomerId = request.CustomerId, Since = request.Since, Before = request.Before, Sequence = at };
        var totals = new SortedDictionary<string, StatementFigures>(StringComparer.Ordinal);
        foreach (var entry in page.Entries)
        {
            var figures = Figures(entry);
            statement.Orders.Add(new StatementOrder
            {
                OrderId = Texts.Order(entry.Order), ChannelId = Texts.Channel(reader, entry.Channel), ExternalOrderId = Encoding.UTF8.GetString(reader.ExternalId(entry.Order)),
                AcceptTime = Texts.Time(entry.AcceptedAt), Figures = figures,
            });
            if (!totals.TryGetValue(figures.CurrencyCode, out var total)) totals[figures.CurrencyCode] = total = new StatementFigures { CurrencyCode = figures.CurrencyCode };
            Add(total, figures);
        }
        statement.Totals.Add(totals.Values);
        if (page.After != 0) statement.NextPageToken = (understood.Token with { A = page.After, B = at }).ToString();
        return statement;
    }

    private static StatementFigures Figures(StatementEntry entry)
    {
        var (opening, closing) = (entry.Opening, entry.Closing);
        return new StatementFigures
        {
            CurrencyCode = Currency.Text(entry.Currency), OpeningMinor = opening.Balance, OrderedMinor = closing.Ordered - opening.Ordered,
            CancelledMinor = closing.Cancelled - opening.Cancelled, ExpiredMinor = closing.Expired - opening.Expired, LostMinor = closing.Lost - opening.Lost,
            ReturnedMinor = closing.Returned - opening.Returned, PaidMinor = closing.Paid - opening.Paid, RefundedMinor = closing.Refunded - opening.Refunded,
            ClosingMinor = closing.Balance, DeliveredMinor = closing.Delivered - opening.Delivered, DueMinor = entry.Due,
        };
    }

    private static void Add(StatementFigures total, StatementFigures more)
    {
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
