// Owns catalog sku, location, channel: get, list, upsert. One thread.
using System.CommandLine;
using Google.Protobuf;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal static class CatalogCommands
{
    private const int EntriesPerPage = 1_000;

    public static Command Catalog(Runner run)
    {
        var catalog = new Command("catalog", "What is sold, where it lies, and who sells it. An upsert replaces the whole entry.");
        catalog.Add(Group("sku", "Things that are sold.", SkuGet(run), SkuList(run), SkuUpsert(run)));
        catalog.Add(Group("location", "Places that hold stock.", LocationGet(run), LocationList(run), LocationUpsert(run)));
        catalog.Add(Group("channel", "Where orders come from.", ChannelGet(run), ChannelList(run), ChannelUpsert(run)));
        return catalog;
    }

    public static Option<string?> Text(string name, string description) => new(name) { Description = description, HelpName = "TEXT" };

    private static Command Group(string name, string description, params Command[] commands)
    {
        var group = new Command(name, description);
        foreach (var command in commands)
            group.Add(command);
        return group;
    }

    private static Argument<string> Id() => new("ID") { Description = "Its id." };

    private static Command SkuGet(Runner run)
    {
        var (command, id) = (new Command("get", "Show a SKU."), Id());
        command.Add(id);
        return run.Does(command, async (session, cancellationToken) =>
            Show(session, await session.Client.Catalog.GetSkuAsync(new GetSkuRequest { SkuId = session.Get(id) }, cancellationToken: cancellationToken)));
    }

    private static Command SkuList(Runner run) => run.Does(new Command("list", "List all SKUs."), async (session, cancellationToken) =>
    {
        var request = new ListSkusRequest { PageSize = EntriesPerPage };
        do
        {
            var page = await session.Client.Catalog.ListSkusAsync(request, cancellationToken: cancellationToken);
            session.Entries(page.Skus, ["sku", "name", "category", "unit", ">price"], sku =>
                [sku.SkuId, sku.Name, sku.Category, sku.Unit, sku.CurrencyCode.Length > 0 ? Session.Money(sku.PriceMinor, sku.CurrencyCode) : ""]);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return ExitCodes.Ok;
    });

    private static Command SkuUpsert(Runner run)
    {
        var (command, id) = (new Command("upsert", "Create or replace a SKU."), Id());
        var (name, model, specification) = (Text("--name", "What people call it."), Text("--model", "The maker's model."), Text("--specification", "Size, colour, material."));
        var (category, unit, currency) = (Text("--category", "For reports."), Text("--unit", "What quantities count: piece, box, kg."), Text("--currency", "ISO 4217, of the price."));
        var price = new Option<long>("--price") { Description = "List price in minor units (250 is 2.50).", HelpName = "MINOR" };
        var lead = Values.Duration("--lead-time", "From ordering it to having it.");
        var substitutes = Values.Ids("--substitute", "What may be offered instead; repeat for more.");
        var (etag, requestId) = (OrderCommands.Etag(), OrderCommands.RequestId());
        command.Add(id);
        foreach (var option in new Option[] { name, model, specification, category, unit, price, currency, lead, substitutes, etag, requestId })
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var sku = new Sku
            {
                SkuId = session.Get(id), Name = session.Get(name) ?? "", Model = session.Get(model) ?? "", Specification = session.Get(specification) ?? "",
                Category = session.Get(category) ?? "", Unit = session.Get(unit) ?? "", PriceMinor = session.Get(price), CurrencyCode = session.Get(currency) ?? "",
                LeadTime = Values.Wire(session.Get(lead)), SubstituteSkuIds = { session.Get(substitutes) ?? [] }, Etag = session.Get(etag) ?? "",
            };
            return Show(session, await session.Client.Catalog.UpsertSkuAsync(
                new UpsertSkuRequest { RequestId = session.Get(requestId) ?? "", Sku = sku }, cancellationToken: cancellationToken));
        });
    }

    private static int Show(Session session, Sku sku) => session.Answer(sku, s => s.Fields(("sku", sku.SkuId), ("name", sku.Name), ("model", sku.Model),
        ("specification", sku.Specification), ("category", sku.Category), ("unit", sku.Unit),
        ("price", sku.CurrencyCode.Length > 0 ? Session.Money(sku.PriceMinor, sku.CurrencyCode) : ""), ("lead time", Values.Text(sku.LeadTime)),
        ("substitutes", string.Join(", ", sku.SubstituteSkuIds)), ("sequence", Session.Number(sku.Sequence)), ("etag", sku.Etag)));

    private static Command LocationGet(Runner run)
    {
        var (command, id) = (new Command("get", "Show a location."), Id());
        command.Add(id);
        return run.Does(command, async (session, cancellationToken) =>
            Show(session, await session.Client.Catalog.GetLocationAsync(new GetLocationRequest { LocationId = session.Get(id) }, cancellationToken: cancellationToken)));
    }

    private static Command LocationList(Runner run) => run.Does(new Command("list", "List all locations."), async (session, cancellationToken) =>
    {
        var request = new ListLocationsRequest { PageSize = EntriesPerPage };
        do
        {
            var page = await session.Client.Catalog.ListLocationsAsync(request, cancellationToken: cancellationToken);
            session.Entries(page.Locations, ["location", "name", "region", ">priority"], l => [l.LocationId, l.Name, l.Region, Session.Number(l.Priority)]);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return ExitCodes.Ok;
    });

    private static Command LocationUpsert(Runner run)
    {
        var (command, id) = (new Command("upsert", "Create or replace a location."), Id());
        var (name, region) = (Text("--name", "What people call it."), Text("--region", "For reports."));
        var priority = new Option<int>("--priority") { Description = "Lower is tried first.", HelpName = "N" };
        var (etag, requestId) = (OrderCommands.Etag(), OrderCommands.RequestId());
        command.Add(id);
        foreach (var option in new Option[] { name, region, priority, etag, requestId })
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) => Show(session, await session.Client.Catalog.UpsertLocationAsync(new UpsertLocationRequest
        {
            RequestId = session.Get(requestId) ?? "",
            Location = new Location
            {
                LocationId = session.Get(id), Name = session.Get(name) ?? "", Region = session.Get(region) ?? "", Priority = session.Get(priority), Etag = session.Get(etag) ?? "",
            },
        }, cancellationToken: cancellationToken)));
    }

    private static int Show(Session session, Location location) => session.Answer(location, s => s.Fields(("location", location.LocationId), ("name", location.Name),
        ("region", location.Region), ("priority", Session.Number(location.Priority)), ("sequence", Session.Number(location.Sequence)), ("etag", location.Etag)));

    private static Command ChannelGet(Runner run)
    {
        var (command, id) = (new Command("get", "Show a channel."), Id());
        command.Add(id);
        return run.Does(command, async (session, cancellationToken) =>
            Show(session, await session.Client.Catalog.GetChannelAsync(new GetChannelRequest { ChannelId = session.Get(id) }, cancellationToken: cancellationToken)));
    }

    private static Command ChannelList(Runner run) => run.Does(new Command("list", "List all channels."), async (session, cancellationToken) =>
    {
        var request = new ListChannelsRequest { PageSize = EntriesPerPage };
        do
        {
            var page = await session.Client.Catalog.ListChannelsAsync(request, cancellationToken: cancellationToken);
            session.Entries(page.Channels, ["channel", "name", "locations", "policy", "terms"], c =>
                [c.ChannelId, c.Name, Locations(c), Values.Said(c.DefaultAllocationPolicy), Values.Said(c.DefaultPaymentTerms)]);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return ExitCodes.Ok;
    });

    private static Command ChannelUpsert(Runner run)
    {
        var (command, id) = (new Command("upsert", "Create or replace a channel."), Id());
        var name = Text("--name", "What people call it.");
        var locations = Values.Ids("--location", "A location that may serve it; repeat for more. Left out: all.");
        var sourcing = Values.Choice<SourcingRule>("--sourcing", "Which location first, when none covers the whole order.");
        var policy = Values.Choice<AllocationPolicy>("--policy", "When stock does not cover an order that says nothing.");
        var terms = Values.Choice<PaymentTerms>("--terms", "How an order is paid that says nothing.");
        var maxOrder = new Option<long>("--max-order") { Description = "The most that an order may be worth, in minor units of --limit-currency; left out: no limit.", HelpName = "MINOR" };
        var currency = new Option<string?>("--limit-currency") { Description = "ISO 4217, with --max-order. Orders in another currency are not compared.", HelpName = "CODE" };
        var maxLines = new Option<int>("--max-lines") { Description = "The most lines that an order may have; left out: as many as the engine takes.", HelpName = "N" };
        var paymentDue = Values.Duration("--payment-due", "How long a prepaid order waits for its money before it expires. Left out: 3d.");
        var reviewExpiry = Values.Duration("--review-expiry", "How long an order waits for its reviewer before it expires. Left out: 7d.");
        var returnWindow = Values.Duration("--return-window", "How long after its delivery an order may come back. Left out: for ever.");
        var maxTtl = Values.Duration("--max-ttl", "The longest life of a reservation. Left out: 24h.");
        var confirmation = new Option<bool>("--requires-confirmation") { Description = "Its orders have to be confirmed by their customers." };
        var (etag, requestId) = (OrderCommands.Etag(), OrderCommands.RequestId());
        OrderCommands.Add(command, id, name, locations, sourcing, policy, terms, maxOrder, currency, maxLines, paymentDue, reviewExpiry, returnWindow, maxTtl, confirmation, etag, requestId);
        return run.Does(command, async (session, cancellationToken) => Show(session, await session.Client.Catalog.UpsertChannelAsync(new UpsertChannelRequest
        {
            RequestId = session.Get(requestId) ?? "",
            Channel = new Channel
            {
                ChannelId = session.Get(id), Name = session.Get(name) ?? "", AllowedLocationIds = { session.Get(locations) ?? [] }, SourcingRule = session.Get(sourcing),
                DefaultAllocationPolicy = session.Get(policy), DefaultPaymentTerms = session.Get(terms), MaxOrderMinor = session.Get(maxOrder),
                OrderLimitCurrency = session.Get(currency) ?? "", MaxLines = session.Get(maxLines), PaymentDue = Values.Wire(session.Get(paymentDue)),
                ReviewExpiry = Values.Wire(session.Get(reviewExpiry)), ReturnWindow = Values.Wire(session.Get(returnWindow)), MaxReservationTtl = Values.Wire(session.Get(maxTtl)),
                RequiresConfirmation = session.Get(confirmation), Etag = session.Get(etag) ?? "",
            },
        }, cancellationToken: cancellationToken)));
    }

    private static int Show(Session session, Channel channel) => session.Answer(channel, s => s.Fields(("channel", channel.ChannelId), ("name", channel.Name),
        ("locations", Locations(channel)), ("sourcing", Values.Said(channel.SourcingRule)), ("policy", Values.Said(channel.DefaultAllocationPolicy)),
        ("terms", Values.Said(channel.DefaultPaymentTerms)), ("largest order", channel.MaxOrderMinor == 0 ? "" : Session.Money(channel.MaxOrderMinor, channel.OrderLimitCurrency)),
        ("most lines", channel.MaxLines == 0 ? "" : Session.Number(channel.MaxLines)), ("payment due", Values.Text(channel.PaymentDue)), ("review expires", Values.Text(channel.ReviewExpiry)),
        ("return window", Values.Text(channel.ReturnWindow)), ("longest hold", Values.Text(channel.MaxReservationTtl)),
        ("confirmation", channel.RequiresConfirmation ? "by the customer" : ""), ("sequence", Session.Number(channel.Sequence)), ("etag", channel.Etag)));

    private static string Locations(Channel channel) => channel.AllowedLocationIds.Count == 0 ? "(all)" : string.Join(", ", channel.AllowedLocationIds);
}
