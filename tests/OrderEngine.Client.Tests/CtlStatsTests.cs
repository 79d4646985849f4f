// orderctl's statistics and statements: what they ask, page by page, and what they show of it.

using OrderEngine.Contracts.V1;

namespace OrderEngine.Client.Tests;

public sealed class CtlStatsTests
{
    [Fact]
    public async Task Statistics_are_gathered_over_all_pages_of_channels()
    {
        var asked = new List<GetStatsRequest>();
        var services = new FakeServices();
        services.Admin.OnStats = request =>
        {
            asked.Add(request.Clone());
            var page = new Stats { Sequence = 40 + asked.Count, NextPageToken = asked.Count == 1 ? "more" : "" };
            page.Channels.Add(new ChannelStats { ChannelId = $"c{asked.Count}", Figures = { new OrderFigures { CurrencyCode = "GBP", Orders = 2, OrderedMinor = 1_250, CancelledMinor = 250 } } });
            if (asked.Count > 1) return page;
            page.States.Add(new StateStats { State = OrderState.Ready, Figures = { new OrderFigures { CurrencyCode = "GBP", Orders = 7 } } });
            page.Categories.Add(new GroupStats { Rest = true, Figures = { new OrderFigures { CurrencyCode = "GBP", Orders = 1 } } });
            page.Service = new ServiceStats { LateShare = 0.25, OrdersLate = 1, OrdersWithDate = 4, ToDelivery = new DurationStats { Count = 4, MeanSeconds = 93_784 } };
            return page;
        };
        await using var engine = await FakeEngine.StartAsync(services);

        string[] command = ["stats", "--channel", "web", "--currency", "GBP", "--from", "2026-01-01", "--to", "2026-01-31"];
        var json = await Ctl.RunAsync(engine.Address, [.. command, "--json"]);
        Assert.Equal(0, json.Code);
        Assert.Equal(["c1", "c2"], Assert.Single(json.Json)["channels"]!.AsArray().Select(channel => channel!["channelId"]!.GetValue<string>()));
        Assert.Equal(("web", "GBP", "2026-01-01", "2026-01-31"), (asked[0].ChannelId, asked[0].CurrencyCode, asked[0].FirstDay, asked[0].LastDay));
        Assert.Equal(["", "more"], asked.Select(request => request.PageToken));

        asked.Clear();
        var shown = (await Ctl.RunAsync(engine.Address, command)).Out;
        foreach (var text in new[] { "At sequence 41", "READY", "(all others)", "c2", "12.50 GBP", "2.50 GBP", "1d 02:03:04", "25.0 % (1 of 4 delivered with a date)" })
            Assert.Contains(text, shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_statement_is_summed_up_over_all_pages()
    {
        var asked = new List<GetStatementRequest>();
        var services = new FakeServices();
        services.Customers.OnStatement = request =>
        {
            asked.Add(request.Clone());
            var figures = new StatementFigures { CurrencyCode = "GBP", OpeningMinor = 100, OrderedMinor = 1_000, CancelledMinor = 5, ExpiredMinor = 3, LostMinor = 2, PaidMinor = 90, ClosingMinor = 1_000, DueMinor = 10 };
            return new Statement
            {
                CustomerId = "C1", Sequence = 9, NextPageToken = asked.Count == 1 ? "more" : "", Totals = { figures },
                Orders = { new StatementOrder { OrderId = $"o{asked.Count}", Figures = figures } },
            };
        };
        await using var engine = await FakeEngine.StartAsync(services);

        string[] command = ["customer", "statement", "C1", "--from", "2026-01-01", "--to", "2026-02-01T00:00Z"];
        var json = Assert.Single((await Ctl.RunAsync(engine.Address, [.. command, "--json"])).Json);
        Assert.Equal(["o1", "o2"], json["orders"]!.AsArray().Select(order => order!["orderId"]!.GetValue<string>()));
        var total = Assert.Single(json["totals"]!.AsArray())!;
        Assert.Equal(["200", "2000", "10", "6", "4", "180", "2000", "20"],
            new[] { "openingMinor", "orderedMinor", "cancelledMinor", "expiredMinor", "lostMinor", "paidMinor", "closingMinor", "dueMinor" }.Select(name => total[name]!.GetValue<string>()));
        Assert.Equal((1_767_225_600, 1_769_904_000), (asked[0].Since.Seconds, asked[0].Before.Seconds));
        Assert.Equal(["", "more"], asked.Select(request => request.PageToken));

        asked.Clear();
        var shown = (await Ctl.RunAsync(engine.Address, command)).Out;
        Assert.Contains("in all", shown, StringComparison.Ordinal);
        Assert.Contains("20.00 GBP", shown, StringComparison.Ordinal);
        Assert.Equal(2, (await Ctl.RunAsync(engine.Address, "customer", "statement", "C1", "--from", "soon")).Code);
    }
}
