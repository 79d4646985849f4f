// orderctl's lists: what they ask, page by page, and how many they show.

using OrderEngine.Contracts.V1;

namespace OrderEngine.Client.Tests;

public sealed class CtlListTests
{
    [Fact]
    public async Task Orders_are_listed_over_pages_up_to_the_count_wanted()
    {
        var asked = new List<ListOrdersRequest>();
        var services = new FakeServices();
        services.Orders.OnList = request =>
        {
            asked.Add(request);
            var page = new ListOrdersResponse { NextPageToken = "more" };
            // The second page is empty and still has one after it.
            if (asked.Count != 2) page.Orders.Add(new OrderSummary { OrderId = $"o{asked.Count}", CurrencyCode = "GBP", State = OrderState.Ready, TotalMinor = 250 });
            return page;
        };
        await using var engine = await FakeEngine.StartAsync(services);

        var run = await Ctl.RunAsync(engine.Address, "order", "list", "--channel", "web", "--state", "ready", "--state", "partially-shipped", "--tier", "9", "--with-exception",
            "--exception", "late-money", "--since", "2026-01-31T09:00Z", "--oldest-first", "--count", "2", "--json");

        Assert.Equal(0, run.Code);
        Assert.Equal(["o1", "o3"], run.Json.Select(order => order["orderId"]!.GetValue<string>()));
        Assert.Equal(["", "more", "more"], asked.Select(request => request.PageToken));
        Assert.Equal([2, 1, 1], asked.Select(request => request.PageSize));
        Assert.Equal("web", asked[0].ChannelId);
        Assert.Equal([OrderState.Ready, OrderState.PartiallyShipped], asked[0].States);
        Assert.Equal([9], asked[0].Tiers);
        Assert.True(asked[0].WithException && asked[0].OldestFirst);
        Assert.Equal((ExceptionKind.LateMoney, 1_769_850_000, null), (asked[0].ExceptionKind, asked[0].AcceptedSince.Seconds, asked[0].AcceptedBefore));
        Assert.Equal(2, (await Ctl.RunAsync(engine.Address, "order", "list", "--tier", "10")).Code);
        Assert.Equal(2, (await Ctl.RunAsync(engine.Address, "order", "list", "--since", "soon")).Code);
    }

    [Fact]
    public async Task Exceptions_are_listed_and_resolved()
    {
        ListExceptionsRequest? asked = null;
        ResolveExceptionRequest? resolved = null;
        var services = new FakeServices();
        services.Admin.OnExceptions = request =>
        {
            asked = request;
            return new ListExceptionsResponse { Exceptions = { new RaisedException { ExceptionId = "e1", Kind = ExceptionKind.DeadlineMissed, Deadline = Deadline.Release, Grade = Grade.High } } };
        };
        services.Admin.OnResolve = request =>
        {
            resolved = request;
            return new ResolveExceptionResponse { ExceptionId = request.ExceptionId, Sequence = 7 };
        };
        await using var engine = await FakeEngine.StartAsync(services);

        var list = await Ctl.RunAsync(engine.Address, "exceptions", "list", "--grade", "high", "--owner", "warehouse", "--kind", "deadline-missed", "--state", "any");
        var done = await Ctl.RunAsync(engine.Address, "exceptions", "resolve", "e1", "--resolution", "called them", "--etag", "5", "--actor", "anna", "--json");

        Assert.Contains("DEADLINE_MISSED", list.Out, StringComparison.Ordinal);
        Assert.Equal([Grade.High], asked!.Grades);
        Assert.Equal((Role.Warehouse, ExceptionKind.DeadlineMissed, ExceptionState.Any), (asked.Owner, asked.Kind, asked.State));
        Assert.Equal("e1", Assert.Single(done.Json)["exceptionId"]!.GetValue<string>());
        Assert.Equal(("e1", "called them", "5", "anna"), (resolved!.ExceptionId, resolved.Resolution, resolved.Etag, resolved.Actor.Id));
    }
}
