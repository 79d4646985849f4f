// Owns stats. One thread.
using System.CommandLine;
using System.Globalization;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal static class StatsCommands
{
    private const int PerPage = 500;

    public static Command Stats(Runner run)
    {
        var command = new Command("stats", "Count the orders: by state, day, category, region and channel, and how well they were served.");
        var channel = new Option<string?>("--channel") { Description = "Of this channel alone.", HelpName = "ID" };
        var currency = new Option<string?>("--currency") { Description = "In this currency alone.", HelpName = "CODE" };
        var from = new Option<string?>("--from") { Description = "Days from this one on, such as 2026-01-31.", HelpName = "DAY" };
        var to = new Option<string?>("--to") { Description = "Days up to this one, included.", HelpName = "DAY" };
        foreach (var option in new Option[] { channel, currency, from, to })
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new GetStatsRequest
            {
                ChannelId = session.Get(channel) ?? "", CurrencyCode = session.Get(currency) ?? "", FirstDay = session.Get(from) ?? "", LastDay = session.Get(to) ?? "", PageSize = PerPage,
            };
            var stats = await session.Client.Admin.GetStatsAsync(request, cancellationToken: cancellationToken);
            // Further pages hold channels alone; each is true at its own sequence.
            while (stats.NextPageToken.Length > 0)
            {
                request.PageToken = stats.NextPageToken;
                var page = await session.Client.Admin.GetStatsAsync(request, cancellationToken: cancellationToken);
                stats.Channels.Add(page.Channels);
                stats.NextPageToken = page.NextPageToken;
            }
            return session.Answer(stats, s => Show(s, stats));
        });
    }

    private static void Show(Session session, Stats stats)
    {
        session.Say($"At sequence {Session.Number(stats.Sequence)}:");
        Table(session, "state", stats.States.Select(row => (Values.Upper(row.State), row.Figures.AsEnumerable())));
        Table(session, "day", stats.Days.Select(row => (row.Day, row.Figures.AsEnumerable())));
        Table(session, "category", stats.Categories.Select(row => (Name(row), row.Figures.AsEnumerable())));
        Table(session, "shipped from", stats.Regions.Select(row => (Name(row), row.Figures.AsEnumerable())));
        Table(session, "channel", stats.Channels.Select(row => (row.ChannelId, row.Figures.AsEnumerable())));
        if (stats.Service is not { } service)
            return;
        session.Table(["from acceptance to", ">orders", ">mean", ">half within", ">90% within", ">99% within"], new[]
        {
            Row("release", service.ToRelease), Row("first parcel", service.ToShip), Row("delivery", service.ToDelivery),
        });
        session.Fields(("late", Share(service.LateShare, service.OrdersLate, service.OrdersWithDate, "delivered with a date")),
            ("as ordered", Share(service.Accuracy, service.OrdersAsOrdered, service.ToDelivery?.Count ?? 0, "delivered")),
            ("returned", Share(service.ReturnRate, service.OrdersReturned, service.ToShip?.Count ?? 0, "shipped")),
            ("complaints", Share(service.ComplaintRate, service.OrdersComplained, service.Orders, "accepted") + $", {Session.Number(service.Complaints)} complaints"));
    }

    private static string Name(GroupStats group) => group.Rest ? "(all others)" : group.Group.Length == 0 ? "(none)" : group.Group;

    private static void Table(Session session, string what, IEnumerable<(string Name, IEnumerable<OrderFigures> Figures)> rows)
    {
        var cells = rows.SelectMany(row => row.Figures.Select(f => new[]
        {
            row.Name, Session.Number(f.Orders), Session.Money(f.OrderedMinor, f.CurrencyCode), Session.Money(f.CancelledMinor, f.CurrencyCode),
        })).ToList();
        if (cells.Count > 0)
            session.Table([what, ">orders", ">value", ">of it cancelled"], cells);
    }

    private static string[] Row(string what, DurationStats? durations)
    {
        durations ??= new DurationStats();
        return [what, Session.Number(durations.Count), Time(durations.MeanSeconds), Time(durations.P50Seconds), Time(durations.P90Seconds), Time(durations.P99Seconds)];
    }

    // 3d 04:05:06.
    private static string Time(double seconds)
    {
        var time = TimeSpan.FromSeconds(Math.Round(seconds));
        return (time.Days > 0 ? $"{time.Days}d " : "") + time.ToString("hh\\:mm\\:ss", CultureInfo.InvariantCulture);
    }

    private static string Share(double share, long some, long all, string of) => $"{share.ToString("P1", CultureInfo.InvariantCulture)} ({Session.Number(some)} of {Session.Number(all)} {of})";
}
