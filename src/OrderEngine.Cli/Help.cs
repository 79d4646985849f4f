// Owns --help: the library's text, then examples that can be copied. One thread.
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace OrderEngine.Cli;

/// <summary>Adds the examples of a command to its help.</summary>
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
        ["orderctl stock watch"] = ["orderctl stock watch --sku MUG --snapshot"],
        ["orderctl track"] = ["orderctl track ORDER_ID", "orderctl track --channel web --external-id 1001"],
        ["orderctl watch"] = ["orderctl watch --snapshot", "orderctl watch --channel web --state backordered --json", "orderctl watch --token TOKEN"],
        ["orderctl catalog sku upsert"] = ["orderctl catalog sku upsert MUG --name \"Red mug\" --price 250 --currency GBP"],
        ["orderctl catalog location upsert"] = ["orderctl catalog location upsert MAIN --name \"Main warehouse\""],
        ["orderctl catalog channel upsert"] = ["orderctl catalog channel upsert web --name \"Web shop\" --policy partial-backorder"],
        ["orderctl customer upsert"] = ["orderctl customer upsert C-17 --tier 2 --name \"A. Buyer\" --city Leeds --country GB"],
        ["orderctl complaint open"] = ["orderctl complaint open ORDER_ID --category damaged --text \"The lid is broken\""],
        ["orderctl complaint resolve"] = ["orderctl complaint resolve COMPLAINT_ID --resolution repaired --return RETURN_ID"],
        ["orderctl complaint list"] = ["orderctl complaint list --open", "orderctl complaint list --customer C-17"],
        ["orderctl feedback"] = ["orderctl feedback ORDER_ID --rating 4 --text \"Came early\""],
        ["orderctl import"] =
        [
            "orderctl import online-retail.csv.gz --format online-retail --open-stock 0.5 --json",
            "orderctl import engine.events --format events",
        ],
        ["orderctl export"] = ["orderctl export engine.events", "orderctl export orders.jsonl --format orders", "orderctl export - | gzip > engine.events.gz"],
        ["orderctl status"] = ["orderctl status --json", "until orderctl status --json; do sleep 1; done"],
        ["orderctl checkpoint"] = ["orderctl checkpoint"],
        ["orderctl journal verify"] = ["orderctl journal verify ./data"],
        ["orderctl journal dump"] = ["orderctl journal dump ./data | head"],
    };

    public override int Invoke(ParseResult parseResult)
    {
        var code = plain.Invoke(parseResult);
        if (Examples.TryGetValue(PathOf(parseResult.CommandResult), out var lines))
        {
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (var line in lines)
                output.WriteLine("  " + line);
            output.WriteLine();
        }

        return code;
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
