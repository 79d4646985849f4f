// orderctl can do everything that the contract can: every rpc has a command line that calls it, and the command lines of an rpc together set
// every field of its request. A new rpc or field without them fails here. What each line sends stands in orderctl-requests.txt, value by value.
using System.CommandLine;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using OrderEngine.Cli;
using OrderEngine.Contracts.V1;

namespace OrderEngine.Client.Tests;

public sealed class CtlContractTests
{
    // Every rpc, and command lines that call it. ORDER, RULES, EVENTS and RETAIL stand for files. --actor, --role, --request-id and --etag are
    // added where the request has such a field.
    private static readonly Dictionary<string, string[]> Lines = new()
    {
        ["SubmitOrder"] =
        [
            "submit --file ORDER",
            "submit --channel web --external-id 1 --customer C1 --currency GBP --line MUG=2@250 --policy partial-backorder --terms instalment --type wholesale --priority high " +
                "--shipping complete --region islands --requested-time 2026-03-01 --instalment 2026-04-01=500 --name N --phone P --email E --address-line A --city C --postal-code Z --country GB --note T --attribute shelf=9 --special-request 1=R",
        ],
        ["CheckFulfillability"] = ["check --file ORDER"],
        ["StreamSubmitOrders"] = ["import RETAIL --format online-retail"],
        ["GetOrder"] = ["order get o1 --delivery"],
        ["LookupOrder"] = ["order lookup web 1 --delivery"],
        ["ListOrders"] = ["order list --channel web --customer C1 --state ready --tier 3 --with-exception --exception late-money --since 2026-03-01 --before 2026-04-01 --oldest-first"],
        ["ListOrderEvents"] = ["order events o1 --personal-data"],
        ["ApproveOrder"] = ["order approve o1 --reason CHECKED"],
        ["RejectOrder"] = ["order reject o1 --reason FRAUD"],
        ["RecordPayment"] = ["order pay o1 --amount 250 --currency GBP --reference B1 --time 2026-03-01 --reason BANK"],
        ["RecordRefund"] = ["order refund o1 --amount 250 --currency GBP --reference B1 --time 2026-03-01 --reason BANK"],
        ["GetSettlement"] = ["order settlement o1"],
        ["CancelOrder"] = ["order cancel o1 --line 1=2 --reason MOVED"],
        ["AmendOrder"] =
        [
            "order amend o1 --line 1=2@250 --add TRAY=3@1295 --requested-time 2026-03-01 --name N --phone P --email E --address-line A --city C --postal-code Z --country GB --note T --reason MOVED",
        ],
        ["ConfirmOrder"] = ["order confirm o1"],
        ["AddNote"] = ["order note o1 T"],
        ["OpenComplaint"] = ["complaint open o1 --category damaged --text T --owner support --return t1"],
        ["AssignComplaint"] = ["complaint assign c1 --owner warehouse --assignee w1"],
        ["ResolveComplaint"] = ["complaint resolve c1 --resolution repaired --text T --return t1"],
        ["GetComplaint"] = ["complaint get c1 --text"],
        ["ListComplaints"] = ["complaint list --order o1 --customer C1 --open --category late --owner support"],
        ["RecordFeedback"] = ["feedback o1 --rating 4 --text T"],
        ["EraseCustomer"] = ["customer erase C1 --yes --reason ASKED"],
        ["EraseOrder"] = ["order erase o1 --yes --reason ASKED"],
        ["PlaceHold"] = ["order hold o1 --kind address --reason NO_SUCH_STREET"],
        ["ReleaseHold"] = ["order unhold o1 --kind address --reason CHECKED"],
        ["ReleaseShipment"] = ["release o1 --line 1=2@MAIN"],
        ["ConfirmShipment"] = ["ship o1 --line 1=2@MAIN --short 3=4@SHOP --damaged 5=6@SHOP --carrier DPD --tracking-number 1"],
        ["RecallShipment"] = ["recall o1 --line 1=2@MAIN"],
        ["RecordDelivery"] = ["deliver o1 --line 1=2 --parcel 3"],
        ["RecordLoss"] = ["lose o1 --line 1=2 --parcel 3"],
        ["RequestReturn"] = ["return request o1 --line 1=2 --instead MUG=3@250 --external-id RMA1 --reason TOO_SMALL"],
        ["ApproveReturn"] = ["return approve t1"],
        ["RejectReturn"] = ["return reject t1 --reason WORN"],
        ["SendReturn"] = ["return send t1 --carrier DPD --tracking-number 1"],
        ["ReceiveReturn"] = ["return receive t1 --location MAIN --units 1=2:restock"],
        ["RecordRepair"] = ["return repaired t1"],
        ["ShipBackReturn"] = ["return ship-back t1 --carrier DPD --tracking-number 1"],
        ["CloseReturn"] = ["return close t1 --reason DONE"],
        ["GetReturn"] = ["return get t1"],
        ["ListReturns"] = ["return list --order o1 --state approved"],
        ["CreateReservation"] = ["reserve create --channel web --customer C1 --item MUG=2 --ttl 15m"],
        ["ExtendReservation"] = ["reserve extend r1 --ttl 15m"],
        ["CommitReservation"] = ["reserve commit r1 --file ORDER"],
        ["ReleaseReservation"] = ["reserve release r1"],
        ["GetReservation"] = ["reserve get r1"],
        ["ReceiveStock"] = ["stock receive --location MAIN --item MUG=500 --reference PO1 --incoming i1"],
        ["AdjustStock"] =
        [
            "stock adjust MUG --location MAIN --delta -3 --reason BROKEN --deallocate", "stock adjust MUG --location MAIN --count 480", "stock adjust MUG --location MAIN --unavailable 2",
        ],
        ["SetStockPolicy"] = ["stock policy MUG --location MAIN --safety 20 --reorder-point 100"],
        ["AnnounceIncoming"] =
        [
            "stock announce --sku MUG --location MAIN --quantity 500 --expected 2026-12-01 --production --reference PO1 --for-request s1", "stock announce --change i1 --quantity 5 --expected 2026-12-01",
        ],
        ["TransferStock"] = ["stock transfer MUG --from MAIN --to SHOP --quantity 40 --expected 2026-12-01 --reference D1 --for-request s1"],
        ["ListIncoming"] = ["stock incoming --sku MUG --all"],
        ["ListSupplyRequests"] = ["stock requests --sku MUG --all"],
        ["BatchGetStock"] = ["stock get MUG TRAY"],
        ["ListStock"] = ["stock list --location MAIN"],
        ["WatchStock"] = ["stock watch --sku MUG --location MAIN --snapshot", "stock watch --token t1 --count 1"],
        ["TrackOrder"] = ["track o1", "track --channel web --external-id 1"],
        ["WatchOrders"] = ["watch --channel web --customer C1 --order o1 --state ready --snapshot", "watch --token t1 --count 1"],
        ["UpsertSku"] =
        [
            "catalog sku upsert MUG --name N --model M --specification S --category C --unit piece --price 250 --currency GBP --lead-time 14d --substitute TRAY --made",
        ],
        ["GetSku"] = ["catalog sku get MUG"],
        ["ListSkus"] = ["catalog sku list"],
        ["UpsertLocation"] = ["catalog location upsert MAIN --name N --region R --priority 1"],
        ["GetLocation"] = ["catalog location get MAIN"],
        ["ListLocations"] = ["catalog location list"],
        ["UpsertChannel"] =
        [
            "catalog channel upsert web --name N --location MAIN --sourcing most-available --policy partial-backorder --terms prepaid --shipping complete --max-order 100 --limit-currency GBP --max-lines 9 " +
                "--payment-due 3d --review-expiry 7d --return-window 30d --max-ttl 1h --requires-confirmation --confirmation-due 2d",
        ],
        ["GetChannel"] = ["catalog channel get web"],
        ["ListChannels"] = ["catalog channel list"],
        ["SetReviewRules"] = ["review-rules set RULES"],
        ["GetReviewRules"] = ["review-rules get"],
        ["SetDeadlines"] = ["deadlines set --release 24h --delivery 5d --remind 4h --earmark 3d --payment 30d --cash 2d --return-arrival 14d --return-close 6d --hold-remind 10m --stall backordered=10d"],
        ["GetDeadlines"] = ["deadlines get"],
        ["UpsertCustomer"] =
        [
            "customer upsert C1 --tier 2 --credit-limit 500 --credit-currency GBP --terms credit --risk-rating 3 --name N --phone P --email E --address-line A --city C --postal-code Z --country GB --note T",
        ],
        ["GetCustomer"] = ["customer get C1 --details"],
        ["GetStatement"] = ["customer statement C1 --from 2026-03-01 --to 2026-04-01 --currency GBP"],
        ["GetStats"] = ["stats --channel web --currency GBP --from 2026-03-01 --to 2026-03-31"],
        ["GetEngineStatus"] = ["status"],
        ["VerifyInvariants"] = ["verify"],
        ["CreateCheckpoint"] = ["checkpoint"],
        ["CreateBackup"] = ["backup BACKUP"],
        ["SetLogLevel"] = ["log-level OrderEngine debug"],
        ["ListExceptions"] = ["exceptions list --grade high --owner warehouse --kind deadline-missed --order o1 --state any --oldest-first"],
        ["ResolveException"] = ["exceptions resolve e1 --resolution done --reason DONE"],
        ["ExportEvents"] = ["export - --personal-data"],
        ["ExportOrders"] = ["export - --format orders --history --personal-data --channel web --state ready --since 2026-03-01 --before 2026-04-01"],
        ["ImportEvents"] = ["import EVENTS --format events"],
    };

    private static readonly Dictionary<string, string> WithoutCommand = new()
    {
        ["BulkSubmitOrders"] = "the orders of several commands 'submit' in one message; a file of orders goes over StreamSubmitOrders",
        ["StreamStatusReports"] = "the reports of release, ship, recall, deliver, lose and return, streamed by a warehouse's or carrier's program",
        ["ExportKeys"] = "'backup --with-keys' asks for it when the backup is whole",
        ["GetStock"] = "'stock get' asks for one SKU as for several: BatchGetStock",
    };

    private static readonly Dictionary<string, string> FieldsWithoutOption = new()
    {
        ["min_sequence"] = "a command is run after what it is to see",
        ["page_token"] = "orderctl pages by itself",
        ["resume_token"] = "orderctl goes on by itself",
        ["sku.sequence"] = "output only", ["location.sequence"] = "output only", ["channel.sequence"] = "output only", ["customer.sequence"] = "output only",
        ["settings.sequence"] = "output only", ["customer.erase_time"] = "output only",
    };

    // Given whole, as JSON.
    private static readonly string[] Whole = [ReviewRules.Descriptor.FullName, Contracts.Journal.Event.Descriptor.FullName];

    private static readonly string[] Offline = ["health", "journal", "keys", "restore"];

    [Fact]
    public void Every_rpc_has_a_command_and_every_command_a_line_here()
    {
        string[] missing = [.. CallRecorder.Contract.Keys.Except(Lines.Keys).Except(WithoutCommand.Keys).Select(rpc => $"{rpc}: no command of orderctl calls it. Make one, and add a line to this table.")
            .Concat(Lines.Keys.Concat(WithoutCommand.Keys).Except(CallRecorder.Contract.Keys).Select(rpc => $"{rpc}: not in the contract any more."))
            .Concat(Lines.Keys.Intersect(WithoutCommand.Keys).Select(rpc => $"{rpc}: has a command and an excuse."))
            .Concat(Leaves(App.BuildRoot(new Terminal { In = TextReader.Null, Out = TextWriter.Null, Error = TextWriter.Null }), "")
                .Where(path => !Offline.Contains(path.Split(' ')[0]) && !Lines.Values.SelectMany(lines => lines).Any(line => line.StartsWith(path, StringComparison.Ordinal)))
                .Select(path => $"orderctl {path}: add a command line to this table."))];
        Assert.True(missing.Length == 0, string.Join('\n', missing));
    }

    [Fact]
    public async Task Every_command_calls_its_rpc_and_can_set_every_field_of_the_request()
    {
        var wrong = new List<string>();
        var excused = new HashSet<string>();
        foreach (var runs in (await Sent.Value).GroupBy(run => run.Rpc))
        {
            var (rpc, name) = (runs.Key, runs.Key.Name);
            var set = new HashSet<string>();
            foreach (var run in runs)
            {
                if (!run.Called) wrong.Add($"orderctl {run.Line}: does not call {name}. {run.Error}");
                foreach (var request in run.Requests) AddSet(set, request, "");
            }

            string[] left = rpc is { IsClientStreaming: true, IsServerStreaming: true } ? [] : [.. Fields(rpc.InputType, "").Where(field => !set.Contains(field))];
            excused.UnionWith(left);
            wrong.AddRange(left.Where(field => !FieldsWithoutOption.ContainsKey(field)).Select(field => $"{name}: no command line here sets {field}. Make an option, and use it in this table."));
        }

        wrong.AddRange(FieldsWithoutOption.Keys.Except(excused).Select(field => $"{field}: needs no excuse."));
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public async Task Every_option_sets_its_own_field_to_what_was_said()
    {
        var shown = File.Exists(SentPath) ? await File.ReadAllTextAsync(SentPath) : "";
        var real = string.Concat((await Sent.Value).Select(run => $"orderctl {run.Line}\n{string.Concat(run.Requests.Select(request => $"  {request.Descriptor.Name} {JsonFormatter.Default.Format(request)}\n"))}"));
        if (Environment.GetEnvironmentVariable("ORDERENGINE_WRITE_DOCS") == "true") await File.WriteAllTextAsync(SentPath, real);
        else Assert.Equal(shown.Split('\n'), real.Split('\n'));
    }

    // Else a mix-up of the two would not be seen.
    [Fact]
    public async Task No_two_fields_of_a_request_are_given_the_same_value()
    {
        string[] same = [.. (await Sent.Value).SelectMany(run => run.Requests.SelectMany(request => Values(request, "").Distinct().GroupBy(field => field.Value).Where(fields => fields.Count() > 1)
            .Select(fields => $"orderctl {run.Line}: {string.Join(" and ", fields.Select(field => field.Path))} are {fields.Key}.")))];
        Assert.True(same.Length == 0, string.Join('\n', same));
    }

    [Fact]
    public void Every_change_of_an_order_has_words_of_its_own()
    {
        var speechless = OrderEvent.Descriptor.Oneofs.Single(choice => choice.Name == "change").Fields.Where(field =>
        {
            var happened = new OrderEvent();
            field.Accessor.SetValue(happened, field.MessageType.Parser.ParseFrom(ByteString.Empty));
            return Cli.Commands.Follow.EventLine(happened).Contains("changed", StringComparison.Ordinal);
        });
        Assert.Empty(speechless.Select(field => $"Follow.What: say what {field.Name} did."));
    }

    [Fact]
    public void Every_command_and_option_says_what_it_is_for()
    {
        var silent = new List<string>();
        Walk(App.BuildRoot(new Terminal { In = TextReader.Null, Out = TextWriter.Null, Error = TextWriter.Null }), "orderctl");
        Assert.Empty(silent);

        void Walk(Command command, string path)
        {
            foreach (var symbol in command.Arguments.Concat<Symbol>(command.Options).Append(command).Where(symbol => string.IsNullOrEmpty(symbol.Description))) silent.Add($"{path} {symbol.Name}");
            foreach (var child in command.Subcommands) Walk(child, $"{path} {child.Name}");
        }
    }

    /// <summary>What a command line of the table sent.</summary>
    private sealed record Run(MethodDescriptor Rpc, string Line, bool Called, IMessage[] Requests, string Error);

    // All of them, once.
    private static readonly Lazy<Task<List<Run>>> Sent = new(async () =>
    {
        await using var server = await CallRecorder.StartAsync();
        using var scratch = new Scratch();
        await WriteFilesAsync(scratch);
        var runs = new List<Run>();
        foreach (var (rpc, line) in Lines.SelectMany(entry => entry.Value.Select(line => (CallRecorder.Contract[entry.Key], line))))
        {
            var run = await Ctl.RunAsync(server.Address, [.. Words(line, scratch), .. Common(rpc), "--retry-for", "0", "--json"]);
            var calls = server.Taken().Where(call => call.Rpc == rpc).ToArray();
            runs.Add(new Run(rpc, line, calls.Length > 0, [.. calls.SelectMany(call => call.Requests)], run.Error));
        }
        return runs;
    });

    // Beside the tests, to be read when it changes. ORDERENGINE_WRITE_DOCS=true writes it anew.
    private static string SentPath
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder!.FullName, "OrderEngine.Client.Tests.csproj"))) folder = folder.Parent;
            return Path.Combine(folder.FullName, "orderctl-requests.txt");
        }
    }

    // Texts, numbers and times of a request, with the path of their field: what could be taken for each other.
    private static IEnumerable<(string Path, object Value)> Values(IMessage message, string before) => message.Descriptor.Fields.InDeclarationOrder().SelectMany(field =>
    {
        var (path, value) = (before + field.Name, field.Accessor.GetValue(message));
        if (field.IsMap || field.FieldType is FieldType.Bool or FieldType.Enum || field.HasPresence && !field.Accessor.HasValue(message)) return [];
        return (field.IsRepeated ? ((System.Collections.IList)value).Cast<object>() : [value]).SelectMany(one => one switch
        {
            IMessage nested when nested.Descriptor.File.Package.StartsWith("orderengine", StringComparison.Ordinal) => Values(nested, path + "."),
            IMessage time => [(path, (object)time)],
            string text when text.Length == 0 => [],
            IFormattable number => Convert.ToDecimal(number, System.Globalization.CultureInfo.InvariantCulture) is not 0 and var any ? [(path, any)] : [],
            _ => [(path, one)],
        });
    });

    private static IEnumerable<string> Leaves(Command command, string path) => command.Subcommands.Count == 0 ? [path]
        : command.Subcommands.SelectMany(child => Leaves(child, path.Length == 0 ? child.Name : $"{path} {child.Name}"));

    private static string[] Words(string line, Scratch scratch) =>
        [.. line.Split(' ').Select(word => word is "ORDER" or "RULES" or "EVENTS" or "RETAIL" or "BACKUP" ? scratch[word] : word), .. line.Contains("RETAIL", StringComparison.Ordinal) ? ["--rejects", scratch["rejects"]] : Array.Empty<string>()];

    private static IEnumerable<string> Common(MethodDescriptor rpc)
    {
        var fields = Fields(rpc.InputType, "").ToArray();
        if (fields.Contains("actor.id")) foreach (var word in (string[])["--actor", "a1", "--role", "manager"]) yield return word;
        if (fields.Contains("request_id")) foreach (var word in (string[])["--request-id", "q1"]) yield return word;
        if (fields.Any(field => field == "etag" || field.EndsWith(".etag", StringComparison.Ordinal))) foreach (var word in (string[])["--etag", "5"]) yield return word;
    }

    // Paths of all fields that hold a value, through the messages of the contract.
    private static IEnumerable<string> Fields(MessageDescriptor message, string before) => message.Fields.InDeclarationOrder().SelectMany(field =>
        field.FieldType == FieldType.Message && field.MessageType.File.Package.StartsWith("orderengine", StringComparison.Ordinal) && !Whole.Contains(field.MessageType.FullName)
            ? Fields(field.MessageType, before + field.Name + ".") : [before + field.Name]);

    private static void AddSet(HashSet<string> set, IMessage message, string before)
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            var value = field.Accessor.GetValue(message);
            var given = field.IsRepeated ? ((System.Collections.IList)value).Count > 0
                : field.HasPresence ? field.Accessor.HasValue(message) : !Equals(value, field.FieldType == FieldType.String ? "" : Activator.CreateInstance(value.GetType()));
            if (!given) continue;
            set.Add(before + field.Name);
            foreach (var inner in field.IsRepeated ? ((System.Collections.IList)value).OfType<IMessage>() : value is IMessage one ? [one] : [])
                AddSet(set, inner, before + field.Name + ".");
        }
    }

    private static async Task WriteFilesAsync(Scratch scratch)
    {
        var person = new PersonalDetails { Name = "N", Phone = "P", Email = "E", AddressLines = { "A" }, City = "C", PostalCode = "Z", CountryCode = "GB", Note = "T" };
        var order = new OrderDraft
        {
            ChannelId = "web", ExternalOrderId = "1", CustomerId = "C1", Type = OrderType.Sale, AllocationPolicy = AllocationPolicy.AllOrNothing, PaymentTerms = PaymentTerms.Instalment,
            Priority = Priority.High, CurrencyCode = "GBP", ShippingPolicy = ShippingPolicy.Complete, ShipToRegion = "islands", RequestedTime = new() { Seconds = 1 }, Delivery = person, Lines = { new OrderLineDraft { SkuId = "MUG", Quantity = 3, UnitPriceMinor = 250 } },
            Extras = new OrderExtras { Attributes = { new OrderEngine.Contracts.V1.Attribute { Key = "k", Value = "v" } }, SpecialRequests = { new SpecialRequest { LineNumber = 1, Text = "R" } } },
            Instalments = { new Instalment { DueTime = new() { Seconds = 2 }, AmountMinor = 750 } },
        };
        await File.WriteAllTextAsync(scratch["ORDER"], JsonFormatter.Default.Format(order));
        await File.WriteAllTextAsync(scratch["RULES"], """{"rules":[{"ruleId":"LARGE","orderValue":{"aboveMinor":"1000","currencyCode":"GBP"}}],"etag":"5"}""");
        await File.WriteAllTextAsync(scratch["RETAIL"], "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n1,A,MUG,2,2010-12-01 08:26:00,2.55,1.0,France\n");
        const string Events = "{\"format\":\"orderengine-events\",\"version\":1}\n{\"sequence\":\"1\"}\n";
        await File.WriteAllTextAsync(scratch["EVENTS"], Events + $"{{\"events\":1,\"sha256\":\"{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Events)))}\"}}\n");
    }
}
