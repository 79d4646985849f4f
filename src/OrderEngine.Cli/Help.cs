// Owns --help: the library's text, put in order, then examples that can be copied. One thread.
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace OrderEngine.Cli;

/// <summary>Groups the commands of orderctl, leaves the options that every command has to the help of orderctl itself, and adds examples.</summary>
internal sealed class Help(HelpAction plain) : SynchronousCommandLineAction
{
    private static readonly Dictionary<string, string[]> Examples = new(StringComparer.Ordinal)
    {
        ["orderctl"] = ["orderctl status", "orderctl import online-retail.csv.gz --format online-retail --open-stock 1", "orderctl watch --snapshot"],
        ["orderctl submit"] =
        [
            "orderctl submit --channel web --external-id 1001 --currency GBP --line MUG=2@250 --line TRAY=1@1295",
            "orderctl submit --file order.json --json",
            "echo '{\"channelId\":\"web\",\"externalOrderId\":\"1002\",\"currencyCode\":\"GBP\",\"lines\":[{\"skuId\":\"MUG\",\"quantity\":1}]}' | orderctl submit --file -",
        ],
        ["orderctl check"] = ["orderctl check --channel web --currency GBP --line MUG=200@250 --policy partial-backorder"],
        ["orderctl order cancel"] = ["orderctl order cancel ORDER_ID --reason CHANGED_MIND", "orderctl order cancel ORDER_ID --line 2=1"],
        ["orderctl order amend"] = ["orderctl order amend ORDER_ID --city York --address-line \"2 New Road\"", "orderctl order amend ORDER_ID --line 1=3 --line 2=@199 --add TRAY=1@1295"],
        ["orderctl order approve"] = ["orderctl order approve ORDER_ID --reason CREDIT_CHECKED --actor anna"],
        ["orderctl order reject"] = ["orderctl order reject ORDER_ID --reason FRAUD"],
        ["orderctl order pay"] = ["orderctl order pay ORDER_ID --amount 1795 --currency GBP --reference BANK-20260301-17"],
        ["orderctl order refund"] = ["orderctl order refund ORDER_ID --amount 250 --currency GBP --reference BANK-20260310-4 --reason RETURNED"],
        ["orderctl order list"] = ["orderctl order list --channel web --state ready --since 2026-03-01", "orderctl order list --with-exception --oldest-first"],
        ["orderctl review-rules set"] =
        [
            "orderctl review-rules get --json > rules.json, edit it, then: orderctl review-rules set rules.json",
            "echo '{\"rules\":[{\"ruleId\":\"LARGE\",\"orderValue\":{\"aboveMinor\":\"1000000\",\"currencyCode\":\"GBP\"}},{\"ruleId\":\"NEW\",\"fewerOrdersThan\":1}]}' | orderctl review-rules set -",
        ],
        ["orderctl deadlines set"] = ["orderctl deadlines set --release 24h --delivery 5d --remind 4h --stall backordered=10d"],
        ["orderctl exceptions list"] = ["orderctl exceptions list --grade high --owner warehouse"],
        ["orderctl exceptions resolve"] = ["orderctl exceptions resolve EXCEPTION_ID --resolution \"sent again\""],
        ["orderctl return request"] = ["orderctl return request ORDER_ID --line 1=1 --reason TOO_SMALL", "orderctl return request ORDER_ID --line 1=1 --instead MUG-L=1@0"],
        ["orderctl return receive"] = ["orderctl return receive RETURN_ID --location MAIN --units 1=1:restock --units 2=1:scrap"],
        ["orderctl keys create"] = ["orderctl keys create web-adapter --channel web --scopes submit,read"],
        ["orderctl order hold"] = ["orderctl order hold ORDER_ID --kind address --reason NO_SUCH_STREET"],
        ["orderctl order unhold"] = ["orderctl order unhold ORDER_ID --kind address --reason CHECKED"],
        ["orderctl order confirm"] = ["orderctl order confirm ORDER_ID"],
        ["orderctl order note"] = ["orderctl order note ORDER_ID \"Ring at number 12\""],
        ["orderctl order lookup"] = ["orderctl order lookup web 1001"],
        ["orderctl release"] = ["orderctl release ORDER_ID", "orderctl release ORDER_ID --line 1=2@MAIN"],
        ["orderctl ship"] = ["orderctl ship ORDER_ID --carrier DPD --tracking-number 15501234567", "orderctl ship ORDER_ID --short 2=1@MAIN --carrier DPD"],
        ["orderctl recall"] = ["orderctl recall ORDER_ID", "orderctl recall ORDER_ID --line 1=2@MAIN"],
        ["orderctl deliver"] = ["orderctl deliver ORDER_ID", "orderctl deliver ORDER_ID --parcel 2", "orderctl deliver ORDER_ID --line 1=2"],
        ["orderctl lose"] = ["orderctl lose ORDER_ID --parcel 1"],
        ["orderctl reserve create"] = ["orderctl reserve create --channel web --item MUG=2 --item TRAY=1 --ttl 15m"],
        ["orderctl reserve commit"] = ["orderctl reserve commit RESERVATION_ID --channel web --external-id 1003 --currency GBP --line MUG=2@250"],
        ["orderctl stock receive"] = ["orderctl stock receive --location MAIN --item MUG=500 --item TRAY=40 --reference PO-778"],
        ["orderctl stock adjust"] =
        [
            "orderctl stock adjust MUG --location MAIN --delta -3 --reason BROKEN",
            "orderctl stock adjust MUG --location MAIN --count 480 --reason STOCKTAKE",
        ],
        ["orderctl stock policy"] = ["orderctl stock policy MUG --location MAIN --safety 20 --reorder-point 100"],
        ["orderctl stock announce"] =
        [
            "orderctl stock announce --sku MUG --location MAIN --quantity 500 --expected 2026-12-01 --reference PO-778",
            "orderctl stock announce --change INCOMING_ID --quantity 300 --expected 2026-12-08",
        ],
        ["orderctl stock transfer"] = ["orderctl stock transfer MUG --from MAIN --to SHOP --quantity 40 --expected 2026-12-01"],
        ["orderctl stock incoming"] = ["orderctl stock incoming --sku MUG"],
        ["orderctl stock requests"] = ["orderctl stock requests", "orderctl stock announce --sku MUG --location MAIN --quantity 500 --expected 2026-12-01 --for-request REQUEST_ID"],
        ["orderctl stock watch"] = ["orderctl stock watch --sku MUG --snapshot"],
        ["orderctl track"] = ["orderctl track ORDER_ID", "orderctl track --channel web --external-id 1001"],
        ["orderctl watch"] = ["orderctl watch --snapshot", "orderctl watch --channel web --state backordered --json", "orderctl watch --token TOKEN"],
        ["orderctl catalog sku upsert"] = ["orderctl catalog sku upsert MUG --name \"Red mug\" --price 250 --currency GBP --lead-time 14d --substitute MUG-BLUE"],
        ["orderctl catalog location upsert"] = ["orderctl catalog location upsert MAIN --name \"Main warehouse\""],
        ["orderctl catalog channel upsert"] = ["orderctl catalog channel upsert web --name \"Web shop\" --policy partial-backorder --max-order 1000000 --limit-currency GBP --return-window 30d"],
        ["orderctl customer upsert"] = ["orderctl customer upsert C-17 --tier 2 --credit-limit 500000 --credit-currency GBP --name \"A. Buyer\" --city Leeds --country GB"],
        ["orderctl customer erase"] = ["orderctl customer erase C-17 --reason ASKED_BY_PERSON", "orderctl customer erase C-17 --yes"],
        ["orderctl order erase"] = ["orderctl order erase ORDER_ID --yes"],
        ["orderctl complaint open"] = ["orderctl complaint open ORDER_ID --category damaged --text \"The lid is broken\""],
        ["orderctl complaint resolve"] = ["orderctl complaint resolve COMPLAINT_ID --resolution repaired --return RETURN_ID"],
        ["orderctl complaint list"] = ["orderctl complaint list --open", "orderctl complaint list --customer C-17"],
        ["orderctl feedback"] = ["orderctl feedback ORDER_ID --rating 4 --text \"Came early\""],
        ["orderctl import"] =
        [
            "orderctl import online-retail.csv.gz --format online-retail --open-stock 0.5 --json",
            "orderctl import engine.events --format events",
        ],
        ["orderctl export"] = ["orderctl export engine.events", "orderctl export orders.jsonl --format orders --history --since 2026-01-01", "orderctl export - | gzip > engine.events.gz"],
        ["orderctl status"] = ["orderctl status --json", "until orderctl status --json; do sleep 1; done"],
        ["orderctl stats"] = ["orderctl stats --from 2026-01-01 --to 2026-01-31", "orderctl stats --channel web --currency GBP --json"],
        ["orderctl customer statement"] = ["orderctl customer statement C-17 --from 2026-01-01 --to 2026-02-01"],
        ["orderctl checkpoint"] = ["orderctl checkpoint"],
        ["orderctl backup"] = ["orderctl backup /backup/monday", "orderctl backup /backup/monday --with-keys /safe/monday.keys"],
        ["orderctl restore"] =
        [
            "orderctl restore /backup/monday --data ./data --keys /safe/monday.keys",
            "orderctl restore /backup/monday --data ./as-it-was --to-sequence 4711 --keys /safe/monday.keys",
        ],
        ["orderctl journal repair"] = ["orderctl journal repair ./data", "orderctl journal repair ./data --yes", "orderctl journal repair ./data --yes --accept-loss"],
        ["orderctl journal verify"] = ["orderctl journal verify ./data"],
        ["orderctl journal dump"] = ["orderctl journal dump ./data | head"],
    };

    private static readonly (string Title, string[] Commands)[] Groups =
    [
        ("Orders", ["submit", "check", "order", "track", "watch"]),
        ("Warehouse and carrier", ["release", "ship", "recall", "deliver", "lose", "return"]),
        ("Stock", ["stock", "reserve"]),
        ("What is sold, to whom, by which rules", ["catalog", "customer", "review-rules", "deadlines"]),
        ("What needs somebody", ["exceptions"]),
        ("What it comes to", ["stats"]),
        ("Files", ["import", "export"]),
        ("Operation", ["status", "health", "verify", "checkpoint", "journal", "keys"]),
    ];

    public override int Invoke(ParseResult parseResult)
    {
        var output = parseResult.InvocationConfiguration.Output;
        using var text = new StringWriter { NewLine = output.NewLine };
        parseResult.InvocationConfiguration.Output = text;
        var code = plain.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output = output;
        var help = text.ToString().TrimEnd().Split(output.NewLine);
        foreach (var line in parseResult.CommandResult.Command is RootCommand ? Grouped(help) : WithoutGlobals(help))
            output.WriteLine(line);
        output.WriteLine();
        if (Examples.TryGetValue(PathOf(parseResult.CommandResult), out var lines))
        {
            output.WriteLine("Examples:");
            foreach (var line in lines)
                output.WriteLine("  " + line);
            output.WriteLine();
        }

        return code;
    }

    private static List<string> WithoutGlobals(string[] help)
    {
        var names = Globals.All.Select(option => option.Name).ToArray();
        var lines = new List<string>();
        foreach (var line in help)
        {
            if (names.Contains(line.Trim().Split(' ')[0]) && line.StartsWith("  --", StringComparison.Ordinal))
                continue;
            lines.Add(line);
            if (line.StartsWith("  -?,", StringComparison.Ordinal))
                lines.Add($"  and {string.Join(", ", names)}: see 'orderctl --help'");
        }

        return lines;
    }

    private static List<string> Grouped(string[] help)
    {
        var start = Array.IndexOf(help, "Commands:");
        if (start < 0)
            return [.. help];
        var commands = help[(start + 1)..].Where(line => line.Length > 0).ToDictionary(line => line.Trim().Split(' ')[0], StringComparer.Ordinal);
        var lines = help[..start].ToList();
        var others = commands.Keys.Except(Groups.SelectMany(group => group.Commands)).ToArray();
        foreach (var (title, names) in others.Length == 0 ? Groups : [.. Groups, ("Others", others)])
        {
            lines.Add($"{title}:");
            lines.AddRange(names.Where(commands.ContainsKey).Select(name => commands[name]));
            lines.Add("");
        }

        lines.RemoveAt(lines.Count - 1);
        return lines;
    }

    /// <summary>The words that lead to a command: "orderctl order get".</summary>
    public static string PathOf(CommandResult result)
    {
        var names = new List<string>();
        for (SymbolResult? step = result; step is CommandResult command; step = command.Parent)
            names.Insert(0, command.Command is RootCommand ? "orderctl" : command.Command.Name);
        return string.Join(' ', names);
    }
}
