// Rows of the bad-input table: statistics and statements.

using Google.Protobuf.WellKnownTypes;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Server.Tests.BadInput;

internal static class StatsTable
{
    public static IEnumerable<Case> Rows() => [.. Stats(), .. Statements()];

    private static IEnumerable<Case> Stats()
    {
        var stats = Rpc<GetStatsRequest>.Unary("GetStats", _ => new GetStatsRequest(), async (server, request) => await server.Admin.GetStatsAsync(request));
        foreach (var row in stats.Id("channel_id", (request, id) => request.ChannelId = id, required: false, unknown: ErrorReason.ChannelNotFound)) yield return row;
        yield return stats.Ok("currency_code", "that nobody used", request => request.CurrencyCode = "XTS");
        yield return stats.Bad("currency_code", "in lower case", request => request.CurrencyCode = "gbp");
        foreach (var row in Days(stats, "first_day", (request, day) => request.FirstDay = day)) yield return row;
        foreach (var row in Days(stats, "last_day", (request, day) => request.LastDay = day)) yield return row;
        yield return stats.Bad("last_day", "before first_day", request => (request.FirstDay, request.LastDay) = ("2026-02-01", "2026-01-31"));
        foreach (var row in stats.Page((request, size) => request.PageSize = size, (request, token) => request.PageToken = token)) yield return row;
        yield return stats.Bad("page_token", "of another filter", request => request.PageToken = new Mapping.Token(Mapping.TokenKind.Stats, 1, 0, 77).ToString());
        foreach (var row in stats.MinSequence((request, value) => request.MinSequence = value)) yield return row;
    }

    private static IEnumerable<Case> Days(Rpc<GetStatsRequest> stats, string field, Action<GetStatsRequest, string> set)
    {
        yield return stats.Ok(field, "of a leap year", request => set(request, "2028-02-29"));
        yield return stats.Bad(field, "that is none", request => set(request, "2026-02-29"));
        yield return stats.Bad(field, "with a time", request => set(request, "2026-02-01T00:00:00Z"));
        yield return stats.Bad(field, "without a month", request => set(request, "2026"));
    }

    private static IEnumerable<Case> Statements()
    {
        var statement = Rpc<GetStatementRequest>.Unary("GetStatement", _ => new GetStatementRequest { CustomerId = "C1" }, async (server, request) => await server.Customers.GetStatementAsync(request));
        foreach (var row in statement.Id("customer_id", (request, id) => request.CustomerId = id, unknown: ErrorReason.CustomerNotFound)) yield return row;
        foreach (var row in Times(statement, "since", (request, time) => request.Since = time)) yield return row;
        foreach (var row in Times(statement, "before", (request, time) => request.Before = time)) yield return row;
        yield return statement.Bad("before", "not after since", request => request.Since = request.Before = new Timestamp { Seconds = 1_790_000_000 });
        yield return statement.Ok("currency_code", "that nobody used", request => request.CurrencyCode = "XTS");
        yield return statement.Bad("currency_code", "of two letters", request => request.CurrencyCode = "GB");
        foreach (var row in statement.Page((request, size) => request.PageSize = size, (request, token) => request.PageToken = token)) yield return row;
        yield return statement.Bad("page_token", "of another customer", request => request.PageToken = new Mapping.Token(Mapping.TokenKind.Statement, 1, 1, 77).ToString());
        yield return statement.Bad("page_token", "of the future", request => request.PageToken = new Mapping.Token(Mapping.TokenKind.Statement, 1, long.MaxValue, Mapping.ListRequests.Scope(request)).ToString());
        foreach (var row in statement.MinSequence((request, value) => request.MinSequence = value)) yield return row;
    }

    private static IEnumerable<Case> Times(Rpc<GetStatementRequest> statement, string field, Action<GetStatementRequest, Timestamp> set)
    {
        yield return statement.Ok(field, "of 2026", request => set(request, new Timestamp { Seconds = 1_790_000_000 }));
        yield return statement.Bad(field, "negative", request => set(request, new Timestamp { Seconds = -1 }));
        yield return statement.Bad(field, "beyond the year 9999", request => set(request, new Timestamp { Seconds = 253_402_300_800 }));
    }
}
