// Owns the import of a retail file: what the orders need is created where it is missing, stock is received where there is none, then all
// orders go in the file's order over one stream, then what credit notes give back is returned, unless it is not wanted. Every change has a request id made from the file, so a repeat changes nothing.
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Grpc.Core;
using OrderEngine.Client;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Cli.Import;

internal sealed class OnlineRetailImport(Session session, string path, decimal? openStock, string? rejectsPath, string? refusedPath, bool returnCredited)
{
    /// <summary>The largest factor of --open-stock.</summary>
    public const int LargestFactor = 1_000_000;

    private const string LocationId = "MAIN";
    private const int CatalogCallsAtOnce = 32;
    private const int SkusPerQuery = 1_000;
    private const int ItemsPerReceipt = 2_000;
    private const long UnitsPerItem = 1_000_000;
    private const long UnitsPerAdjustment = 1_000_000_000;
    private const int RequestIdBytes = 64;
    private const int OrderWindow = 4_096;

    private readonly RetailFile _file = new(path);
    private readonly SortedDictionary<string, long> _rejected = new(StringComparer.Ordinal);
    // The engine's id of each invoice that is an order.
    private readonly Dictionary<string, string> _placed = new(StringComparer.Ordinal);
    private long _orders;
    private long _accepted;
    private long _duplicates;
    private string _identity = "";

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        var rejects = rejectsPath ?? DefaultName(path, ".rejects.csv");
        var refused = refusedPath ?? OutputFile.Beside(rejects, DefaultName(path, ".refused.csv"));
        OutputFile.MustNotBe(rejects, "--rejects", (path, "the file to import"));
        OutputFile.MustNotBe(refused, "--refused", (path, "the file to import"), (rejects, "the file of rejected rows"));
        // The engine is asked first: no point in reading a large file for one that is not there.
        await session.Client.Admin.GetEngineStatusAsync(new GetEngineStatusRequest(), cancellationToken: cancellationToken);
        using var rejected = OutputFile.Open(rejects, "--rejects");
        var survey = RetailSurvey.Run(_file);
        _identity = _file.Identity()[..16];
        session.Note($"{path}: {Session.Number(survey.Rows)} rows, {Session.Number(survey.RowsOfInvoice.Count)} orders, " +
            $"{Session.Number(survey.Skus.Count)} SKUs; {Session.Number(survey.RowsRejected)} rows are no orders");

        using var refusals = new RefusedOrders(refused);
        await CreateMissingAsync(survey, cancellationToken);
        if (openStock is { } factor)
            await ReceiveOpeningStockAsync(survey, factor, cancellationToken);
        var orderSeconds = await SubmitOrdersAsync(survey, refusals, cancellationToken);
        refusals.Complete();
        var notes = new CreditNotes(session, _file, LocationId, key => Bounded("import/online-retail/" + key));
        if (returnCredited)
            await notes.RunAsync(_placed, survey.Credited, cancellationToken);
        RetailSurvey.WriteRejects(_file, notes, rejected.Writer);
        rejected.Complete();
        Report(survey, notes.RowsReturned, rejects, refusals, Stopwatch.GetElapsedTime(start).TotalSeconds, orderSeconds);
        return ExitCodes.Ok;
    }

    // online-retail.csv.gz becomes online-retail.rejects.csv in the current directory.
    private static string DefaultName(string path, string ending)
    {
        var name = Path.GetFileName(path);
        foreach (var extension in new[] { ".gz", ".csv" })
        {
            if (name.EndsWith(extension, StringComparison.OrdinalIgnoreCase) && name.Length > extension.Length)
                name = name[..^extension.Length];
        }

        return name + ending;
    }

    // Entries that are there stay as they are: someone may have given them a better name, a tier or a policy since.
    private async Task CreateMissingAsync(RetailSurvey survey, CancellationToken cancellationToken)
    {
        var (catalog, customers) = (session.Client.Catalog, session.Client.Customers);
        await EachAsync("location", [LocationId],
            async (id, stop) => await catalog.GetLocationAsync(new GetLocationRequest { LocationId = id }, cancellationToken: stop),
            async (id, stop) => await catalog.UpsertLocationAsync(
                new UpsertLocationRequest { RequestId = RequestId("location", id), Location = new Location { LocationId = id } }, cancellationToken: stop), cancellationToken);
        await EachAsync("channels", survey.Countries,
            async (id, stop) => await catalog.GetChannelAsync(new GetChannelRequest { ChannelId = id }, cancellationToken: stop),
            async (id, stop) => await catalog.UpsertChannelAsync(
                new UpsertChannelRequest { RequestId = RequestId("channel", id), Channel = new Channel { ChannelId = id, Name = id } }, cancellationToken: stop), cancellationToken);
        await EachAsync("SKUs", survey.Skus,
            async (sku, stop) => await catalog.GetSkuAsync(new GetSkuRequest { SkuId = sku.Id }, cancellationToken: stop),
            async (sku, stop) => await catalog.UpsertSkuAsync(
                new UpsertSkuRequest { RequestId = RequestId("sku", sku.Id), Sku = new Sku { SkuId = sku.Id, Name = sku.Name } }, cancellationToken: stop), cancellationToken);
        await EachAsync("customers", survey.Customers,
            async (id, stop) => await customers.GetCustomerAsync(new GetCustomerRequest { CustomerId = id }, cancellationToken: stop),
            async (id, stop) => await customers.UpsertCustomerAsync(
                new UpsertCustomerRequest { RequestId = RequestId("customer", id), Customer = new Customer { CustomerId = id } }, cancellationToken: stop), cancellationToken);
    }

    private async Task EachAsync<T>(string what, IReadOnlyCollection<T> entries, Func<T, CancellationToken, Task> get,
        Func<T, CancellationToken, Task> create, CancellationToken cancellationToken)
    {
        var progress = new ProgressLine(session.Terminal, what, entries.Count);
        var gate = new Lock();
        var done = 0L;
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = CatalogCallsAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(entries, parallel, async (entry, stop) =>
        {
            try
            {
                await get(entry, stop);
            }
            catch (OrderEngineException missing) when (missing.StatusCode == StatusCode.NotFound)
            {
                await create(entry, stop);
            }

            lock (gate)
                progress.Report(++done);
        });
        progress.Done(done);
    }

    private async Task ReceiveOpeningStockAsync(RetailSurvey survey, decimal factor, CancellationToken cancellationToken)
    {
        var inventory = session.Client.Inventory;
        var progress = new ProgressLine(session.Terminal, "opening stock", survey.Skus.Count);
        var receipt = new List<ReservationItem>(ItemsPerReceipt);
        var (done, received) = (0L, 0L);
        foreach (var chunk in survey.Skus.Chunk(SkusPerQuery))
        {
            var stocks = await inventory.BatchGetStockAsync(new BatchGetStockRequest { SkuIds = { chunk.Select(sku => sku.Id) } }, cancellationToken: cancellationToken);
            foreach (var (sku, stock) in chunk.Zip(stocks.Stocks))
            {
                var units = (long)Math.Ceiling(factor * sku.Sold);
                if (units == 0 || stock.Levels.Any(level => level.LocationId == LocationId))
                    continue;
                received++;
                if (units > UnitsPerItem)
                {
                    // More than one item of a receipt can say; an adjustment can, and like it is whole or not at all.
                    if (units > UnitsPerAdjustment)
                        throw new UsageException($"--open-stock {factor.ToString(CultureInfo.InvariantCulture)} makes {units} units of {sku.Id}; at most {UnitsPerAdjustment} are possible. Take a smaller factor.");
                    await inventory.AdjustStockAsync(new AdjustStockRequest
                    {
                        RequestId = RequestId("stock", $"{units} {sku.Id}"), LocationId = LocationId, SkuId = sku.Id, OnHandDelta = units, Reason = "OPENING_STOCK",
                    }, cancellationToken: cancellationToken);
                    continue;
                }

                receipt.Add(new ReservationItem { SkuId = sku.Id, Quantity = (int)units });
                if (receipt.Count == ItemsPerReceipt)
                    await ReceiveAsync(receipt, cancellationToken);
            }

            progress.Report(done += chunk.Length);
        }

        await ReceiveAsync(receipt, cancellationToken);
        if (received > 0)
        {
            progress.Done(received);
            return;
        }

        progress.Break();
        session.Note("opening stock: none received; every SKU has stock at MAIN already, or is to get none");
    }

    // The id is made from what is received: after a crash in between, the rest is another receipt with an id of its own.
    private async Task ReceiveAsync(List<ReservationItem> items, CancellationToken cancellationToken)
    {
        if (items.Count == 0)
            return;
        var request = new ReceiveStockRequest
        {
            RequestId = RequestId("stock", string.Join('\n', items.Select(item => $"{item.Quantity} {item.SkuId}"))), LocationId = LocationId,
            Items = { items }, Reference = "opening stock",
        };
        await session.Client.Inventory.ReceiveStockAsync(request, cancellationToken: cancellationToken);
        items.Clear();
    }

    private async Task<double> SubmitOrdersAsync(RetailSurvey survey, RefusedOrders refusals, CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        var progress = new ProgressLine(session.Terminal, "orders", survey.RowsOfInvoice.Count);
        var unanswered = new Queue<(OrderDraft Order, Task<Outcome<SubmitOrderResponse>> Answer)>();
        var pipeline = session.Client.OpenOrderPipeline(new PipelineOptions { Window = OrderWindow });
        pipeline.OnBreak = error =>
        {
            progress.Break();
            session.Note($"orderctl: the stream broke ({error.Message}); connecting again, unanswered orders are sent again");
        };
        await using (pipeline)
        {
            try
            {
                foreach (var order in RetailOrders.Read(_file, survey))
                {
                    var request = new SubmitOrderRequest { RequestId = OrderRequestId(order.ExternalOrderId), Order = order };
                    unanswered.Enqueue((order, await pipeline.SubmitAsync(request, cancellationToken)));
                    while (unanswered.TryPeek(out var oldest) && oldest.Answer.IsCompleted)
                        Count(unanswered.Dequeue().Order, await oldest.Answer, refusals);
                    progress.Report(_orders);
                }

                while (unanswered.TryDequeue(out var next))
                {
                    Count(next.Order, await next.Answer.WaitAsync(cancellationToken), refusals);
                    progress.Report(_orders);
                }
            }
            catch (Exception ended) when (ended is OrderEngineException or OperationCanceledException or UsageException)
            {
                pipeline.Abort();
                progress.Break();
                session.Note($"orderctl: stopped after {Session.Number(_orders)} answers. Give the same command again to go on: nothing is doubled.");
                throw;
            }
        }

        progress.Done(_orders);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private void Count(OrderDraft order, Outcome<SubmitOrderResponse> outcome, RefusedOrders refusals)
    {
        _orders++;
        if (outcome.IsAccepted)
            _placed[order.ExternalOrderId] = outcome.Accepted.OrderId;
        else if (outcome.Refused.Reason == ErrorReason.ExternalIdTaken && outcome.Refused.Metadata.TryGetValue("order_id", out var taken))
            _placed[order.ExternalOrderId] = taken;
        if (!outcome.IsAccepted)
            refusals.Write(order, outcome.Refused);
        if (outcome.IsAccepted && !outcome.Accepted.Replayed)
            _accepted++;
        else if (outcome.IsAccepted || outcome.Refused.Replayed || outcome.Refused.Reason == ErrorReason.ExternalIdTaken)
            _duplicates++;
        else
            _rejected[outcome.Refused.ReasonName] = _rejected.GetValueOrDefault(outcome.Refused.ReasonName) + 1;
    }

    private void Report(RetailSurvey survey, int returned, string rejects, RefusedOrders refusals, double seconds, double orderSeconds)
    {
        if (session.Json)
        {
            var report = new JsonObject
            {
                ["rows"] = survey.Rows,
                ["rowsRejected"] = survey.RowsRejected - returned,
                ["rowsReturned"] = returned,
                ["orders"] = _orders,
                ["accepted"] = _accepted,
                ["rejected"] = new JsonObject(_rejected.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
                ["duplicates"] = _duplicates,
                ["seconds"] = Math.Round(seconds, 3),
                ["orderSeconds"] = Math.Round(orderSeconds, 3),
                ["rejects"] = rejects,
                ["refused"] = refusals.Path,
            };
            session.Say(Session.ToJson(report));
            return;
        }

        session.Fields(("rows", Session.Number(survey.Rows)), ("rows returned", returnCredited ? Session.Number(returned) : ""),
            ("rows rejected", $"{Session.Number(survey.RowsRejected - returned)}, see {rejects}"),
            ("orders", Session.Number(_orders)), ("accepted", Session.Number(_accepted)),
            ("refused", _rejected.Count == 0 ? "0" : string.Join(", ", _rejected.Select(pair => $"{Session.Number(pair.Value)} {pair.Key}"))),
            ("refused orders", refusals.Count == 0 ? "" : $"{Session.Number(refusals.Count)} now or before, listed in {refusals.Path}"),
            ("duplicates", $"{Session.Number(_duplicates)} (answered before)"),
            ("time", $"{seconds.ToString("0.0", CultureInfo.InvariantCulture)} s, of it orders {orderSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s " +
                $"({Session.Number((long)(_orders / Math.Max(0.001, orderSeconds)))}/s)"));
    }

    // Without the file's identity: the same invoice in a file with other rows is refused (REQUEST_ID_REUSED) and so noticed.
    private static string OrderRequestId(string invoice) => Bounded("import/online-retail/" + invoice);

    private string RequestId(string kind, string key) => Bounded($"import/{_identity}/{kind}/{key}");

    // What does not fit, or has characters that an id must not have, is named by its hash.
    private static string Bounded(string id) => Encoding.UTF8.GetByteCount(id) <= RequestIdBytes && !id.Any(char.IsControl) && !char.IsWhiteSpace(id[^1])
        ? id
        : "import/" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))[..48];
}
