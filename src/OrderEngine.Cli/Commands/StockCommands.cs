// Owns stock get, list, receive, adjust, watch; policy, announce, transfer and incoming stand in SupplyCommands. One thread.
using System.CommandLine;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal static class StockCommands
{
    private const int LevelsPerPage = 1_000;
    private static readonly string[] Columns = ["sku", "location", ">on hand", ">unavailable", ">held", ">committed", ">safety", ">sellable", ">incoming", ">in transit"];

    public static Command Stock(Runner run)
    {
        var stock = new Command("stock", "Read and change stock.");
        stock.Add(Get(run));
        stock.Add(List(run));
        stock.Add(Receive(run));
        stock.Add(Adjust(run));
        stock.Add(Watch(run));
        SupplyCommands.AddTo(stock, run);
        return stock;
    }

    private static Command Get(Runner run)
    {
        var command = new Command("get", "Show the stock of some SKUs at all locations.");
        var skus = new Argument<string[]>("SKU") { Description = "One or more SKUs.", Arity = ArgumentArity.OneOrMore };
        command.Add(skus);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var answer = await session.Client.Inventory.BatchGetStockAsync(new BatchGetStockRequest { SkuIds = { session.Get(skus) } }, cancellationToken: cancellationToken);
            if (session.Json)
            {
                foreach (var stock in answer.Stocks)
                    session.Say(Session.ToJson(stock));
                return ExitCodes.Ok;
            }

            session.Table(Columns, answer.Stocks.SelectMany(stock => stock.Levels).Select(Row));
            foreach (var stock in answer.Stocks)
                session.Say($"{stock.SkuId}: {Session.Number(stock.Sellable)} sellable, {Session.Number(stock.Backordered)} waited for");
            return ExitCodes.Ok;
        });
    }

    private static Command List(Runner run)
    {
        var command = new Command("list", "List all stock levels.");
        var location = new Option<string?>("--location") { Description = "Only this location.", HelpName = "ID" };
        command.Add(location);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new ListStockRequest { LocationId = session.Get(location) ?? "", PageSize = LevelsPerPage };
            do
            {
                var page = await session.Client.Inventory.ListStockAsync(request, cancellationToken: cancellationToken);
                if (session.Json)
                {
                    foreach (var level in page.Levels)
                        session.Say(Session.ToJson(level));
                }
                else if (page.Levels.Count > 0)
                {
                    session.Table(Columns, page.Levels.Select(Row));
                }
                else
                {
                    session.Say("No stock yet. Book goods in with: orderctl stock receive --location ID --item SKU=QUANTITY");
                }

                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0);
            return ExitCodes.Ok;
        });
    }

    private static Command Receive(Runner run)
    {
        var command = new Command("receive", "Book goods in at a location; orders that wait for them are served.");
        var location = new Option<string>("--location") { Description = "Where.", HelpName = "ID", Required = true };
        var items = Values.Many("--item", "What came; repeat for more.", "SKU=QUANTITY", Values.Item);
        items.Required = true;
        var reference = new Option<string?>("--reference") { Description = "The delivery note or purchase order. Not personal data.", HelpName = "ID" };
        var requestId = OrderCommands.RequestId();
        var incoming = new Option<string?>("--incoming") { Description = "The announcement that came, as 'orderctl stock incoming' shows it.", HelpName = "INCOMING_ID" };
        foreach (var option in new Option[] { location, items, reference, incoming, requestId })
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new ReceiveStockRequest
            {
                RequestId = session.Get(requestId) ?? "", LocationId = session.Get(location)!, Items = { session.Get(items)! }, Reference = session.Get(reference) ?? "",
                IncomingId = session.Get(incoming) ?? "",
            };
            return Answer(session, await session.Client.Inventory.ReceiveStockAsync(request, cancellationToken: cancellationToken));
        });
    }

    private static Command Adjust(Runner run)
    {
        var command = new Command("adjust", "Correct the stock of one SKU at one location.");
        var sku = new Argument<string>("SKU") { Description = "The SKU." };
        var location = new Option<string>("--location") { Description = "Where.", HelpName = "ID", Required = true };
        var delta = new Option<long?>("--delta") { Description = "Units found, or lost when negative.", HelpName = "UNITS" };
        var count = new Option<long?>("--count") { Description = "The result of a count: what is there now.", HelpName = "UNITS" };
        var aside = new Option<long?>("--unavailable") { Description = "Units set aside (damaged, quarantined), or put back when negative.", HelpName = "UNITS" };
        var reason = new Option<string?>("--reason") { Description = "Why, as a code such as STOCKTAKE.", HelpName = "CODE" };
        var deallocate = new Option<bool>("--deallocate") { Description = "Where less is left than is committed, take it from the orders of lowest rank. For role manager, which is taken if none is named." };
        var requestId = OrderCommands.RequestId();
        command.Add(sku);
        foreach (var option in new Option[] { location, delta, count, aside, reason, deallocate, requestId })
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) =>
        {
            if (new Option[] { delta, count, aside }.Count(session.Has) != 1)
                throw new UsageException("Say what to change with exactly one of --delta UNITS, --count UNITS and --unavailable UNITS.");
            var request = new AdjustStockRequest
            {
                RequestId = session.Get(requestId) ?? "", SkuId = session.Get(sku), LocationId = session.Get(location)!, Reason = session.Get(reason) ?? "",
            };
            if (session.Get(deallocate))
            {
                request.BelowCommitted = BelowCommitted.Deallocate;
                request.Actor = session.Has(Globals.Role) ? session.Actor : new Actor { Id = session.Actor?.Id ?? "", Role = Role.Manager };
            }

            if (session.Get(delta) is { } found)
                request.OnHandDelta = found;
            else if (session.Get(count) is { } counted)
                request.CountedOnHand = counted;
            else
                request.UnavailableDelta = session.Get(aside)!.Value;
            return Answer(session, await session.Client.Inventory.AdjustStockAsync(request, cancellationToken: cancellationToken));
        });
    }

    private static Command Watch(Runner run)
    {
        var command = new Command("watch", "Follow stock levels as they change, over restarts of the engine, until Ctrl-C.");
        var skus = Values.Ids("--sku", "Only this SKU; repeat for more.");
        var locations = Values.Ids("--location", "Only this location; repeat for more.");
        var follow = new Follow();
        command.Add(skus);
        command.Add(locations);
        follow.AddTo(command);
        return run.Does(command, (session, cancellationToken) => follow.RunAsync(session, async token =>
        {
            var updates = session.Client.WatchStockAsync(session.Get(skus), session.Get(locations), session.Get(follow.Token), session.Get(follow.Snapshot),
                error => Follow.Broke(session, error), token);
            await foreach (var update in updates)
            {
                if (session.Json)
                {
                    session.Say(Session.ToJson(new WatchStockResponse { Levels = { update.Levels }, ResumeToken = update.ResumeToken, HighWatermark = update.HighWatermark }));
                }
                else
                {
                    foreach (var level in update.Levels)
                    {
                        session.Say($"#{level.Sequence}  {level.SkuId} at {level.LocationId}: {Session.Number(level.Sellable)} sellable " +
                            $"({Session.Number(level.OnHand)} on hand, {Session.Number(level.Committed)} committed, {Session.Number(level.Held)} held)");
                    }
                }

                if (follow.Took(session, update.Levels.Count, update.ResumeToken))
                    return;
            }
        }, cancellationToken), retryFor: null);
    }

    public static int Answer(Session session, StockChangeResponse answer) => session.Answer(answer, s =>
    {
        s.Table(Columns, answer.Levels.Select(Row));
        s.Say($"sequence {Session.Number(answer.Sequence)}{(answer.Replayed ? ", as answered before" : "")}");
    });

    private static string[] Row(StockLevel level) =>
    [
        level.SkuId, level.LocationId, Session.Number(level.OnHand), Session.Number(level.Unavailable), Session.Number(level.Held),
        Session.Number(level.Committed), Session.Number(level.Safety), Session.Number(level.Sellable), Session.Number(level.Incoming), Session.Number(level.InTransit),
    ];
}
