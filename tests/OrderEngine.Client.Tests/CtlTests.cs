// orderctl as a script sees it: exit codes, the shape of the JSON, files of exports, and errors that name the fix.
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using OrderEngine.Contracts.Journal;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client.Tests;

public sealed class CtlTests
{
    [Fact]
    public async Task Status_prints_one_line_and_fails_while_recovery_is_not_done()
    {
        var services = new FakeServices();
        var phase = EnginePhase.Recovering;
        services.Admin.OnStatus = _ => new EngineStatus
        {
            Phase = phase, Sequence = 42, Orders = 7, StateHash = "00ff", Stock = new StockTotals { OnHand = 5_000_000_000, Reserved = 4, Backordered = 3, Held = 2 },
        };
        await using var engine = await FakeEngine.StartAsync(services);

        Assert.Equal(3, (await Ctl.RunAsync(engine.Address, "status", "--json")).Code);
        phase = EnginePhase.Serving;
        var run = await Ctl.RunAsync(engine.Address, "status", "--json");

        Assert.Equal(0, run.Code);
        Assert.Empty(run.Error);
        var status = Assert.Single(run.Json);
        Assert.Equal("SERVING", status["phase"]!.GetValue<string>());
        Assert.Equal(42, status["sequence"]!.GetValue<long>());
        Assert.Equal(7, status["orders"]!.GetValue<long>());
        Assert.Equal("00ff", status["stateHash"]!.GetValue<string>());
        Assert.Equal("""{"onHand":5000000000,"reserved":4,"backordered":3,"held":2}""", status["stock"]!.ToJsonString());
        Assert.Contains("5,000,000,000 on hand", (await Ctl.RunAsync(engine.Address, "status")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_engine_that_is_not_there_exits_3_and_says_what_to_do()
    {
        var gone = await FakeEngine.StartAsync(new FakeServices());
        await gone.DisposeAsync();

        var run = await Ctl.RunAsync(gone.Address, "order", "get", "o1", "--retry-for", "0", "--json");

        Assert.Equal(3, run.Code);
        Assert.Contains("--address", run.Error, StringComparison.Ordinal);
        Assert.True(Assert.Single(run.Json)["error"]!["retryable"]!.GetValue<bool>());
    }

    [Fact]
    public async Task An_order_is_submitted_from_options_and_from_json()
    {
        var received = new List<SubmitOrderRequest>();
        var services = new FakeServices();
        services.Orders.OnSubmit = request =>
        {
            received.Add(request);
            return new SubmitOrderResponse { OrderId = "o1", Sequence = 9, State = Contracts.V1.OrderState.Ready };
        };
        await using var engine = await FakeEngine.StartAsync(services);

        var run = await Ctl.RunAsync(engine.Address, "submit", "--channel", "web", "--external-id", "1", "--currency", "GBP", "--line", "A=1=2@250", "--line", "B=1",
            "--policy", "partial-backorder", "--terms", "credit", "--request-id", "r1", "--actor", "desk-4", "--role", "support", "--json");
        Assert.Equal(0, run.Code);
        Assert.Equal("o1", Assert.Single(run.Json)["orderId"]!.GetValue<string>());
        Assert.Equal(["A=1 2 250", "B 1 0"], received[0].Order.Lines.Select(line => $"{line.SkuId} {line.Quantity} {line.UnitPriceMinor}"));
        Assert.Equal(AllocationPolicy.PartialBackorder, received[0].Order.AllocationPolicy);
        Assert.Equal(("r1", "desk-4", Role.Support), (received[0].RequestId, received[0].Actor.Id, received[0].Actor.Role));

        run = await Ctl.RunWithInputAsync(engine.Address, JsonFormatter.Default.Format(received[0].Order), "submit", "--file", "-");
        Assert.Equal(0, run.Code);
        Assert.Contains("Accepted.", run.Out, StringComparison.Ordinal);
        Assert.Equal(received[0].Order, received[1].Order);
    }

    [Fact]
    public async Task A_refusal_exits_1_with_its_details()
    {
        var services = new FakeServices();
        services.Orders.OnSubmit = _ => throw Errors.Exception(StatusCode.FailedPrecondition, "OUT_OF_STOCK", "not enough", null, null,
            new StockShortage { SkuId = "MUG", Requested = 2, Available = 1, Missing = 1 });
        services.Orders.OnCancel = _ => throw Errors.Exception(StatusCode.InvalidArgument, "INVALID_FIELD", details: new BadRequest
        {
            FieldViolations = { new BadRequest.Types.FieldViolation { Field = "reason", Description = "upper-case letters" } },
        });
        await using var engine = await FakeEngine.StartAsync(services);
        string[] submit = ["submit", "--channel", "web", "--external-id", "1", "--currency", "GBP", "--line", "MUG=2"];

        var people = await Ctl.RunAsync(engine.Address, submit);
        Assert.Equal(1, people.Code);
        Assert.Empty(people.Out);
        Assert.Contains("MUG: 2 asked for, 1 there, 1 missing", people.Error, StringComparison.Ordinal);

        var script = await Ctl.RunAsync(engine.Address, [.. submit, "--json"]);
        Assert.Equal(1, script.Code);
        Assert.Equal("OUT_OF_STOCK", Assert.Single(script.Json)["error"]!["reason"]!.GetValue<string>());
        Assert.Equal("MUG", script.Json[0]["error"]!["shortages"]![0]!["skuId"]!.GetValue<string>());

        var field = await Ctl.RunAsync(engine.Address, "order", "cancel", "o1", "--reason", "why");
        Assert.Equal(1, field.Code);
        Assert.Contains("reason: upper-case letters", field.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_check_that_would_be_refused_says_why_in_json()
    {
        var services = new FakeServices();
        var refusal = Errors.Status(StatusCode.FailedPrecondition, "OUT_OF_STOCK", "not enough", TimeSpan.FromSeconds(1), null,
            new StockShortage { SkuId = "MUG", Requested = 2, Available = 1, Missing = 1 },
            new BadRequest { FieldViolations = { new BadRequest.Types.FieldViolation { Field = "lines[0]", Description = "rule" } } });
        refusal.Details.Add(new Google.Protobuf.WellKnownTypes.Any { TypeUrl = "type.googleapis.com/of.a.Newer", Value = ByteString.CopyFromUtf8("x") });
        services.Orders.OnCheck = _ => new CheckFulfillabilityResponse { Refusal = refusal };
        await using var engine = await FakeEngine.StartAsync(services);
        string[] check = ["check", "--channel", "web", "--currency", "GBP", "--line", "MUG=2"];

        var script = await Ctl.RunAsync(engine.Address, [.. check, "--json"]);
        Assert.Equal(1, script.Code);
        var details = Assert.Single(script.Json)["refusal"]!["details"]!.AsArray();
        Assert.Equal(["google.rpc.ErrorInfo", "google.rpc.RetryInfo", "orderengine.v1.StockShortage", "google.rpc.BadRequest"],
            details.Select(detail => detail!["@type"]!.GetValue<string>().Split('/')[1]));
        Assert.Equal("OUT_OF_STOCK", details[0]!["reason"]!.GetValue<string>());
        Assert.Equal("MUG", details[2]!["skuId"]!.GetValue<string>());

        var people = await Ctl.RunAsync(engine.Address, check);
        Assert.Equal(1, people.Code);
        Assert.Contains("MUG: 2 asked for, 1 there, 1 missing", people.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_says_each_thing_once_and_advises_only_what_the_command_can_do()
    {
        var services = new FakeServices();
        services.Orders.OnGet = _ => throw Errors.Exception(StatusCode.InvalidArgument, "INVALID_FIELD", "order_id: must be short", details: new BadRequest
        {
            FieldViolations = { new BadRequest.Types.FieldViolation { Field = "order_id", Description = "must be short" } },
        });
        services.Inventory.OnGetStock = _ => throw Errors.Exception(StatusCode.NotFound, "SKU_NOT_FOUND", "no such SKU");
        await using var engine = await FakeEngine.StartAsync(services);

        var get = await Ctl.RunAsync(engine.Address, "order", "get", "o1");
        Assert.Equal(1, get.Code);
        Assert.Equal(2, get.Error.Split("must be short").Length);
        Assert.DoesNotContain("request id", get.Error, StringComparison.Ordinal);

        var stock = await Ctl.RunAsync(engine.Address, "stock", "get", "NONE");
        Assert.Equal(1, stock.Code);
        Assert.DoesNotContain("request id", stock.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_journal_in_use_is_unavailable_not_damaged()
    {
        using var scratch = new Scratch();
        await using var journal = OrderEngine.Journal.FasterJournal.Open(new OrderEngine.Journal.JournalOptions { Directory = scratch["data"] }, 1, _ => { });

        var run = await Ctl.RunAsync(null, "journal", "verify", scratch["data"]);

        Assert.Equal(3, run.Code);
        Assert.Contains("is in use", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Required command was not provided")]
    [InlineData("--line: 'MUG' names no quantity", "submit", "--line", "MUG")]
    [InlineData("--line: 'MUG=x': 'x' is not a whole number", "submit", "--line", "MUG=x")]
    [InlineData("the price '2.50' is not a whole number of minor units", "submit", "--line", "MUG=1@2.50")]
    [InlineData("The order needs --channel", "submit", "--line", "MUG=1")]
    [InlineData("--policy: 'some' is not known. Choose one of: all-or-nothing", "submit", "--policy", "some")]
    [InlineData("--ttl: 'soon' is not a duration", "reserve", "extend", "r1", "--ttl", "soon")]
    [InlineData("--address: 'nowhere' is not an address", "status", "--address", "nowhere")]
    [InlineData("exactly one of --delta UNITS, --count UNITS", "stock", "adjust", "A", "--location", "MAIN")]
    [InlineData("There is no file 'missing.csv'", "import", "missing.csv", "--format", "online-retail")]
    [InlineData("--format: 'xml' is not known. Choose one of: online-retail, events", "import", "missing.csv", "--format", "xml")]
    [InlineData("--open-stock: '-1' is not a factor", "import", "missing.csv", "--format", "online-retail", "--open-stock=-1")]
    [InlineData("--history belongs to --format orders", "export", "--history")]
    [InlineData("There is no directory 'missing'", "journal", "verify", "missing")]
    [InlineData("either ORDER_ID, or --channel ID and --external-id ID", "track")]
    public async Task What_is_wrong_on_the_command_line_is_named_with_its_fix(string message, params string[] args)
    {
        var run = await Ctl.RunAsync(null, args);

        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_works_everywhere_and_has_examples()
    {
        var run = await Ctl.RunAsync(null, "import", "--help");

        Assert.Equal(0, run.Code);
        Assert.Contains("--open-stock", run.Out, StringComparison.Ordinal);
        Assert.Contains("orderctl import online-retail.csv.gz --format online-retail", run.Out, StringComparison.Ordinal);
        Assert.Empty(run.Error);
    }

    [Fact]
    public async Task A_watch_writes_updates_with_their_token_and_stops_when_it_has_enough()
    {
        var services = new FakeServices();
        services.Tracking.OnWatch = async (request, answers, _) =>
        {
            Assert.Equal("t1", request.ResumeToken);
            Assert.Equal([Contracts.V1.OrderState.Shipped], request.Filter.States);
            await answers.WriteAsync(new WatchOrdersResponse { Events = new OrderEventPage { Events = { new OrderEvent { Sequence = 5, OrderId = "o1" } } }, ResumeToken = "t5" });
            await answers.WriteAsync(new WatchOrdersResponse { Events = new OrderEventPage { Events = { new OrderEvent { Sequence = 6, OrderId = "o2" } } }, ResumeToken = "t6" });
        };
        await using var engine = await FakeEngine.StartAsync(services);

        var run = await Ctl.RunAsync(engine.Address, "watch", "--state", "shipped", "--token", "t1", "--count", "2", "--json");

        Assert.Equal(0, run.Code);
        Assert.Equal(["t5", "t6"], run.Json.Select(update => update["resumeToken"]!.GetValue<string>()));
        Assert.Equal("6", run.Json[1]["events"]!["events"]![0]!["sequence"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_violation_exits_1()
    {
        var services = new FakeServices();
        services.Admin.OnVerify = _ => new VerifyInvariantsResponse { Sequence = 3, Violations = { "MUG at MAIN: committed 3, orders 2" } };
        await using var engine = await FakeEngine.StartAsync(services);

        var run = await Ctl.RunAsync(engine.Address, "verify");

        Assert.Equal(1, run.Code);
        Assert.Contains("committed 3, orders 2", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_export_of_events_is_imported_as_it_was_and_a_torn_or_changed_one_is_not()
    {
        Event[] events = [.. Enumerable.Range(1, 2_500).Select(i => new Event { Sequence = (ulong)i, Time = 7, SkuDefined = new SkuDefined { Sku = (uint)i, SkuId = $"S{i} ü" } })];
        var imported = new List<Event>();
        var services = new FakeServices();
        services.Admin.OnExport = async (request, answers, _) =>
        {
            Assert.True(request.IncludePersonalData);
            foreach (var chunk in events.Chunk(1_000))
                await answers.WriteAsync(new ExportedEvents { Events = { chunk } });
        };
        services.Admin.OnImport = async messages =>
        {
            await foreach (var message in messages.ReadAllAsync())
                imported.AddRange(message.Events);
            return new ImportEventsResponse { Events = imported.Count, Sequence = 2_500, StateHash = "aa" };
        };
        await using var engine = await FakeEngine.StartAsync(services);
        using var scratch = new Scratch();
        var file = scratch["engine.events"];

        var export = await Ctl.RunAsync(engine.Address, "export", file, "--personal-data", "--json");
        Assert.Equal(0, export.Code);
        Assert.Equal("""{"events":2500,"sequence":2500}""", Assert.Single(export.Json).ToJsonString());
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal([file], Directory.GetFiles(scratch.Root));

        var import = await Ctl.RunAsync(engine.Address, "import", file, "--format", "events", "--json");
        Assert.Equal(0, import.Code);
        Assert.Equal("""{"events":2500,"sequence":2500,"stateHash":"aa"}""", Assert.Single(import.Json).ToJsonString());
        Assert.Equal(events, imported);

        imported.Clear();
        var lines = await File.ReadAllLinesAsync(file);
        await File.WriteAllLinesAsync(scratch["torn"], lines.SkipLast(1));
        await File.WriteAllLinesAsync(scratch["changed"], lines.Select(line => line.Replace("S7 ", "S8 ", StringComparison.Ordinal)));
        await File.WriteAllTextAsync(scratch["other"], "hello\n");
        foreach (var (name, message) in new[] { ("torn", "cut off"), ("changed", "not as it was exported"), ("other", "not an export of events") })
        {
            var refused = await Ctl.RunAsync(engine.Address, "import", scratch[name], "--format", "events");
            Assert.Equal(2, refused.Code);
            Assert.Contains(message, refused.Error, StringComparison.Ordinal);
        }

        Assert.Empty(imported);
    }

    [Fact]
    public async Task An_export_that_is_refused_leaves_no_file_and_an_import_tells_why()
    {
        var services = new FakeServices();
        services.Admin.OnExport = (_, _, _) => throw Errors.Exception(StatusCode.OutOfRange, "RESUME_TOKEN_TRUNCATED");
        services.Admin.OnImport = _ => throw Errors.Exception(StatusCode.FailedPrecondition, "ENGINE_NOT_EMPTY");
        await using var engine = await FakeEngine.StartAsync(services);
        using var scratch = new Scratch();

        Assert.Equal(1, (await Ctl.RunAsync(engine.Address, "export", scratch["x.events"])).Code);
        Assert.Empty(Directory.GetFiles(scratch.Root));

        services.Admin.OnExport = async (_, answers, _) => await answers.WriteAsync(new ExportedEvents { Events = { new Event { Sequence = 1 } } });
        Assert.Equal(0, (await Ctl.RunAsync(engine.Address, "export", scratch["x.events"])).Code);
        var nowhere = await Ctl.RunAsync(engine.Address, "export", scratch["none/x.events"]);
        Assert.Equal(2, nowhere.Code);
        Assert.Contains("FILE: '", nowhere.Error, StringComparison.Ordinal);
        var refused = await Ctl.RunAsync(engine.Address, "import", scratch["x.events"], "--format", "events");
        Assert.Equal(1, refused.Code);
        Assert.Contains("ENGINE_NOT_EMPTY", refused.Error, StringComparison.Ordinal);
        Assert.Contains("empty data directory", refused.Error, StringComparison.Ordinal);
    }

    // Ten orders in two streams: the first breaks in the middle of an order's history, the second goes on behind the last whole order.
    [Fact]
    public async Task An_export_of_orders_goes_on_where_it_broke_and_ends_with_its_sum()
    {
        using var scratch = new Scratch();
        var services = new FakeServices();
        var asked = new List<ExportOrdersRequest>();
        services.Orders.OnExport = async (request, answers, _) =>
        {
            asked.Add(request.Clone());
            if (asked.Count == 1)
            {
                await answers.WriteAsync(new ExportedOrders { Sequence = 77, ResumeToken = "t1", Orders = { Exported("o1", 1), new ExportedOrder(Exported("o2", 2)) { MoreEvents = true } } });
                throw new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, "gone"));
            }
            await answers.WriteAsync(new ExportedOrders { Sequence = 77, ResumeToken = "t1", Orders = { new ExportedOrder(Exported("o2", 2)) { MoreEvents = true } } });
            await answers.WriteAsync(new ExportedOrders
            {
                Sequence = 77, ResumeToken = "t3", Orders = { new ExportedOrder { Events = { new OrderEvent { Sequence = 3 } } }, Exported("o3", 4) }, End = new ExportOrdersEnd { Orders = 3 },
            });
        };
        await using var engine = await FakeEngine.StartAsync(services);

        var run = await Ctl.RunAsync(engine.Address, "export", scratch["x.jsonl"], "--format", "orders", "--history", "--json");

        Assert.True(run.Code == 0, run.Error);
        Assert.Equal(["", "t1"], asked.Select(request => request.ResumeToken));
        Assert.All(asked, request => Assert.True(request.IncludeHistory));
        Assert.Equal((3, 77), (run.Json[0]["orders"]!.GetValue<int>(), run.Json[0]["sequence"]!.GetValue<int>()));
        var lines = (await File.ReadAllTextAsync(scratch["x.jsonl"])).Split('\n');
        Assert.Equal("""{"format":"orderengine-orders","version":1,"sequence":77,"personalData":false}""", lines[0]);
        var orders = lines[1..4].Select(line => System.Text.Json.Nodes.JsonNode.Parse(line)!).ToList();
        Assert.Equal(["o1", "o2", "o3"], orders.Select(order => order["order"]!["orderId"]!.GetValue<string>()));
        Assert.Equal(["1", "2,3", "4"], orders.Select(order => string.Join(',', order["events"]!.AsArray().Select(e => e!["sequence"]!.GetValue<string>()))));
        var sum = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', lines[..4]) + "\n")));
        Assert.Equal($$"""{"orders":3,"sha256":"{{sum}}"}""", lines[4]);

        static ExportedOrder Exported(string id, long sequence) => new() { Order = new Order { OrderId = id }, Events = { new OrderEvent { Sequence = sequence } } };
    }

    [Fact]
    public async Task An_export_of_orders_that_cannot_be_whole_leaves_no_file()
    {
        using var scratch = new Scratch();
        var services = new FakeServices();
        services.Orders.OnExport = async (_, answers, _) =>
        {
            await answers.WriteAsync(new ExportedOrders { Sequence = 7, ResumeToken = "t1", Orders = { new ExportedOrder { Order = new Order { OrderId = "o1" } } } });
            throw new RpcException(new Grpc.Core.Status(StatusCode.DataLoss, "The archived order 2 cannot be read."));
        };
        await using var engine = await FakeEngine.StartAsync(services);
        var damaged = await Ctl.RunAsync(engine.Address, "export", scratch["x.jsonl"], "--format", "orders");
        Assert.Equal(1, damaged.Code);
        Assert.Contains("archived order 2", damaged.Error, StringComparison.Ordinal);
        services.Orders.OnExport = (_, answers, _) => answers.WriteAsync(new ExportedOrders { Sequence = 7, End = new ExportOrdersEnd { Orders = 1 } });
        var short1 = await Ctl.RunAsync(engine.Address, "export", scratch["x.jsonl"], "--format", "orders");
        Assert.Contains("1 orders, 0 have come", short1.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(scratch.Root));
    }
}
