// Owns stock policy, announce, transfer, incoming and requests. One thread.
using System.CommandLine;
using Google.Protobuf;
using Google.Protobuf.Collections;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Commands;

internal static class SupplyCommands
{
    private const int PerPage = 1_000;
    private static readonly string[] Columns = ["incoming", "sku", "location", "kind", ">announced", ">received", ">open", "expected", "reference"];

    private static readonly string[] RequestColumns = ["request", "sku", "location", "kind", ">missing", "needed", "raised", ">announced"];

    public static void AddTo(Command stock, Runner run)
    {
        stock.Add(Policy(run));
        stock.Add(Announce(run));
        stock.Add(Transfer(run));
        stock.Add(List(run));
        stock.Add(Requests(run));
    }

    private static Command Policy(Runner run)
    {
        var command = new Command("policy", "Set what a location keeps back of a SKU, and when it should be reordered. What is left out is 0.");
        var sku = new Argument<string>("SKU") { Description = "The SKU." };
        var location = Where("--location", "Where.");
        var safety = new Option<long>("--safety") { Description = "Units that are not promised to anybody.", HelpName = "UNITS" };
        var reorder = new Option<int>("--reorder-point") { Description = "Reorder when free and incoming units are no more than this.", HelpName = "UNITS" };
        var requestId = OrderCommands.RequestId();
        OrderCommands.Add(command, sku, location, safety, reorder, requestId);
        return run.Does(command, async (session, cancellationToken) => StockCommands.Answer(session, await session.Client.Inventory.SetStockPolicyAsync(new SetStockPolicyRequest
        {
            RequestId = session.Get(requestId) ?? "", SkuId = session.Get(sku), LocationId = session.Get(location)!, Safety = session.Get(safety), ReorderPoint = session.Get(reorder),
        }, cancellationToken: cancellationToken)));
    }

    private static Command Announce(Runner run)
    {
        var command = new Command("announce", "Say that supply will come, or change what was announced.");
        var sku = new Option<string?>("--sku") { Description = "Of a new announcement: the SKU.", HelpName = "ID" };
        var location = new Option<string?>("--location") { Description = "Of a new announcement: where it comes in.", HelpName = "ID" };
        var production = new Option<bool>("--production") { Description = "It is made, not bought." };
        var change = new Option<string?>("--change") { Description = "The announcement that changes.", HelpName = "INCOMING_ID" };
        var quantity = Units("Units still to come; of a change also 0.");
        var (expected, reference, etag, requestId) = (Expected(), Reference("The purchase or production order."), OrderCommands.Etag(), OrderCommands.RequestId());
        var answers = Answers();
        foreach (var option in new Option[] { sku, location, production, change, quantity, expected, reference, answers, etag, requestId })
            command.Add(option);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var isNew = session.Get(change) is null;
            var request = new AnnounceIncomingRequest
            {
                RequestId = session.Get(requestId) ?? "", IncomingId = session.Get(change) ?? "", SkuId = session.Get(sku) ?? "", LocationId = session.Get(location) ?? "",
                Kind = !isNew ? SupplyKind.Unspecified : session.Get(production) ? SupplyKind.Production : SupplyKind.Purchase,
                Quantity = session.Get(quantity), ExpectedTime = Values.Time("--expected", session.Get(expected)!), Reference = session.Get(reference) ?? "",
                Etag = session.Get(etag) ?? "",
                SupplyRequestId = session.Get(answers) ?? "",
            };
            return Answer(session, await session.Client.Inventory.AnnounceIncomingAsync(request, cancellationToken: cancellationToken));
        });
    }

    private static Command Transfer(Runner run)
    {
        var command = new Command("transfer", "Send units to another location.");
        var sku = new Argument<string>("SKU") { Description = "The SKU." };
        var (from, to) = (Where("--from", "The location that sends."), Where("--to", "The location that gets."));
        var quantity = Units("Units.");
        var (expected, reference, requestId) = (Expected(), Reference("The delivery note."), OrderCommands.RequestId());
        var answers = Answers();
        OrderCommands.Add(command, sku, from, to, quantity, expected, reference, answers, requestId);
        return run.Does(command, async (session, cancellationToken) => Answer(session, await session.Client.Inventory.TransferStockAsync(new TransferStockRequest
        {
            RequestId = session.Get(requestId) ?? "", SkuId = session.Get(sku), FromLocationId = session.Get(from)!, ToLocationId = session.Get(to)!,
            Quantity = session.Get(quantity), ExpectedTime = Values.Time("--expected", session.Get(expected)!), Reference = session.Get(reference) ?? "",
            SupplyRequestId = session.Get(answers) ?? "",
        }, cancellationToken: cancellationToken)));
    }

    private static Command Requests(Runner run)
    {
        var command = new Command("requests", "List what is missing and has to be bought, made or sent from another location.");
        var sku = new Option<string?>("--sku") { Description = "Only of this SKU.", HelpName = "ID" };
        var all = new Option<bool>("--all") { Description = "Also what is not missing any more." };
        command.Add(sku);
        command.Add(all);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new ListSupplyRequestsRequest { SkuId = session.Get(sku) ?? "", IncludeClosed = session.Get(all), PageSize = PerPage };
            return await PagesAsync(session, RequestColumns, Row, async token =>
            {
                request.PageToken = token;
                var page = await session.Client.Inventory.ListSupplyRequestsAsync(request, cancellationToken: cancellationToken);
                return (page.SupplyRequests, page.NextPageToken);
            });
        });
    }

    private static Option<string?> Answers() => new("--for-request") { Description = "The supply request that it answers.", HelpName = "REQUEST_ID" };

    private static Command List(Runner run)
    {
        var command = new Command("incoming", "List announced supply.");
        var sku = new Option<string?>("--sku") { Description = "Only of this SKU.", HelpName = "ID" };
        var all = new Option<bool>("--all") { Description = "Also what has come." };
        command.Add(sku);
        command.Add(all);
        return run.Does(command, async (session, cancellationToken) =>
        {
            var request = new ListIncomingRequest { SkuId = session.Get(sku) ?? "", IncludeClosed = session.Get(all), PageSize = PerPage };
            return await PagesAsync(session, Columns, Row, async token =>
            {
                request.PageToken = token;
                var page = await session.Client.Inventory.ListIncomingAsync(request, cancellationToken: cancellationToken);
                return (page.Incoming, page.NextPageToken);
            });
        });
    }

    // Each page as it comes.
    private static async Task<int> PagesAsync<T>(Session session, string[] columns, Func<T, string[]> row, Func<string, Task<(RepeatedField<T> Rows, string NextPageToken)>> read) where T : IMessage
    {
        var token = "";
        do
        {
            (var rows, token) = await read(token);
            if (!session.Json) session.Table(columns, rows.Select(row));
            else foreach (var one in rows) session.Say(Session.ToJson(one));
        }
        while (token.Length > 0);
        return ExitCodes.Ok;
    }

    private static Option<string> Where(string name, string description) => new(name) { Description = description, HelpName = "ID", Required = true };

    private static Option<int> Units(string description) => new("--quantity") { Description = description, HelpName = "UNITS", Required = true };

    private static Option<string> Expected() => new("--expected") { Description = "When it will be there, such as 2026-12-01 or 2026-12-01T08:00:00Z.", HelpName = "TIME", Required = true };

    private static Option<string?> Reference(string description) => new("--reference") { Description = description + " Not personal data.", HelpName = "ID" };

    private static int Answer(Session session, Incoming incoming) => session.Answer(incoming, s =>
    {
        s.Table(Columns, [Row(incoming)]);
        s.Say($"sequence {Session.Number(incoming.Sequence)}{(incoming.Replayed ? ", as answered before" : "")}");
    });

    private static string[] Row(SupplyRequest asked) =>
    [
        asked.SupplyRequestId, asked.SkuId, asked.FromLocationId.Length == 0 ? asked.LocationId : $"{asked.FromLocationId} -> {asked.LocationId}",
        Values.Upper(asked.Kind), Session.Number(asked.Quantity), asked.NeededByTime is null ? "at once" : Session.Time(asked.NeededByTime),
        Session.Time(asked.RaiseTime), Session.Number(asked.Announced),
    ];

    private static string[] Row(Incoming incoming) =>
    [
        incoming.IncomingId, incoming.SkuId, incoming.FromLocationId.Length == 0 ? incoming.LocationId : $"{incoming.FromLocationId} -> {incoming.LocationId}",
        Values.Upper(incoming.Kind), Session.Number(incoming.Announced), Session.Number(incoming.Received), Session.Number(incoming.Open),
        Session.Time(incoming.ExpectedTime), incoming.Reference,
    ];
}
